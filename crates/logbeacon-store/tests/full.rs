//! A disk that fills up: what was acknowledged stays, and the store goes on by itself once
//! something may be let go of. Nobody has to delete anything by hand.

#![expect(clippy::unwrap_used, reason = "tests")]

use logbeacon_store::{
    AppendError, Embedded, Fs, Input, Options, Output, Record, RetentionRule, Store as _, SystemFs,
    Verdict,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A disk of so many bytes, of which a directory has all.
#[derive(Debug, Clone)]
struct SmallDisk {
    dir: PathBuf,
    bytes: u64,
}

impl SmallDisk {
    fn used(&self) -> u64 {
        let mut sum = 0;
        let mut dirs = vec![self.dir.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap().flatten() {
                match entry.metadata() {
                    Ok(about) if about.is_dir() => dirs.push(entry.path()),
                    Ok(about) => sum += about.len(),
                    // It has gone meanwhile.
                    Err(_) => {}
                }
            }
        }
        sum
    }
}

struct SmallOutput {
    disk: SmallDisk,
    output: Box<dyn Output>,
}

impl Output for SmallOutput {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.disk.used() + bytes.len() as u64 > self.disk.bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.output.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.output.sync()
    }
}

impl Fs for SmallDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        SystemFs.create_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        SystemFs.list(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let output = SystemFs.create(path)?;
        Ok(Box::new(SmallOutput { disk: self.clone(), output }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>> {
        SystemFs.open(path)
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> io::Result<()> {
        SystemFs.truncate(path, length_bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemFs.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemFs.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        SystemFs.sync_dir(path)
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.bytes.saturating_sub(self.used()))
    }

    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        SystemFs.lock(dir)
    }
}

/// A message that hardly becomes shorter when it is packed.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let character = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state % 75) as u8)
    };
    (0..16 << 10).map(character).collect()
}

fn record(number: u64) -> Record {
    let (hash, time_ns) = (u128::from(number), number as i64);
    Record { hash, time_ns, message: noise(number), ..Record::default() }
}

#[test]
fn a_full_store_takes_records_again_once_retention_may_let_go_of_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        group_rows: 100,
        free_bytes_min: 12 << 20,
        background: false,
        fs: Arc::new(SmallDisk { dir: dir.path().to_owned(), bytes: 40 << 20 }),
        ..Options::default()
    };
    let (store, _) = Embedded::open(dir.path(), options).unwrap();
    let (mut number, mut acknowledged) = (0, 0);
    let mut is_full = false;
    while !is_full {
        let taken = store.append((number..number + 20).map(record).collect());
        number += 20;
        match taken {
            Ok(verdicts) => acknowledged += verdicts.len() as u64,
            Err(AppendError::ReadOnly { .. }) => {
                // However often upkeep runs, it leaves the room without which nothing could be let
                // go of. What it gives back is filled, too.
                let before = store.health().part_bytes;
                (0..20).for_each(|_| store.maintain(true).unwrap());
                is_full = store.health().part_bytes == before
                    && store.append(vec![record(number)]).is_err();
                acknowledged += u64::from(!is_full && store.health().part_bytes == before);
                number += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(store.health().rows, acknowledged, "everything is still there");
    let rule = RetentionRule { bytes: Some(4 << 20), ..RetentionRule::default() };
    store.set_retention(&[rule]).unwrap();
    (0..20).for_each(|_| store.maintain(true).unwrap());
    assert!(store.health().rows < acknowledged);
    let verdicts = store.append(vec![record(u64::MAX - 1)]).unwrap();
    assert_eq!(verdicts, [Verdict::Accepted], "it resumes by itself");
}
