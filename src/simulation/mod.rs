//! Simulation: listener, files and clock on one thread, with faults, all of it drawn from a seed.
//!
//! A seed that fails is printed, and plays the same again: `LOGWELL_SIM_SEED=… cargo test --lib
//! simulation`. What is real: the layer, the queue, the listener, the sinks, rotation, the files.
//! What is not: the clocks, the disk's failures, and the threads, which take turns: a job of the
//! janitor or the syncer is done as a whole when it is drawn. A kill is a disk that does nothing
//! any more, from some call on; the process is then dropped.
//!
//! `play.rs` plays one seed; `cargo x map src/simulation` prints the other files.

pub(crate) mod disk;
#[cfg(unix)]
mod events;
mod names;
#[cfg(unix)]
mod oracle;
#[cfg(unix)]
mod outside;
#[cfg(unix)]
mod play;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod sinks;
#[cfg(unix)]
mod watch;
mod world;

pub(crate) use world::{is_on, unix_ns};

use crate::base::fs::calls::Call;
use disk::{EACCES, EIO, ENOSPC, Fault, How};
use play::Tally;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// So many are played with each run of the tests, unless `LOGWELL_SIM_SEEDS` says how many.
const SEEDS: u64 = 300;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

fn shown_acts() -> usize {
    if number("LOGWELL_SIM_SEED").is_some() { usize::MAX } else { 20 }
}

/// A directory in memory, where there is one: it is only read by the test itself, and never slow.
pub(crate) fn directory() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    tempfile::tempdir_in(in_memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// Plays a seed on a separate thread, that knows nothing of the seeds before it; `None` if it has
/// failed.
fn play_at(seed: u64, root: &Path) -> Option<Tally> {
    let root = root.to_owned();
    let thread = std::thread::Builder::new().name("simulation".to_owned());
    let played = thread.spawn(move || play::play(seed, &root)).unwrap().join();
    if played.is_err() {
        let how = format!("LOGWELL_SIM_SEED={seed} cargo test --lib simulation");
        writeln!(io::stderr(), "\nthe seed {seed} has failed; play it again with\n  {how}\n")
            .unwrap();
    }
    played.ok()
}

/// Plays all seeds, on as many threads as there are processors; returns those that have failed.
fn play_all(seeds: &[u64]) -> (Tally, Vec<u64>) {
    let next = AtomicUsize::new(0);
    let results = Mutex::new((Tally::default(), Vec::new()));
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let directory = directory();
            let played = play_at(*seed, directory.path());
            let mut results = results.lock().unwrap();
            match played {
                Some(tally) => results.0 += tally,
                None => results.1.push(*seed),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    results.into_inner().unwrap()
}

/// A disk on which some calls of this thread fail, for a test that needs no more than that.
pub(crate) struct BrokenDisk;

impl BrokenDisk {
    /// All calls of a kind fail.
    pub(crate) fn at(call: Call) -> Self {
        world::begin(crate::testing::ManualClock::new());
        let fault = Fault { call, after: 0, times: u32::MAX, how: How::Error(EIO) };
        world::with(|world| world.faults.add(fault));
        Self
    }

    /// The next call of a kind is not permitted.
    pub(crate) fn once(call: Call) -> Self {
        world::begin(crate::testing::ManualClock::new());
        let fault = Fault { call, after: 0, times: 1, how: How::Error(EACCES) };
        world::with(|world| world.faults.add(fault));
        Self
    }

    /// A write ends after so many bytes, and what was written cannot be taken back.
    pub(crate) fn torn(bytes: usize) -> Self {
        world::begin(crate::testing::ManualClock::new());
        let fault = |call, times, how| Fault { call, after: 0, times, how };
        for fault in [
            fault(Call::Write, 1, How::Short(bytes)),
            fault(Call::Write, 1, How::Error(ENOSPC)),
            fault(Call::Cut, 1, How::Error(EIO)),
        ] {
            world::with(|world| world.faults.add(fault));
        }
        Self
    }
}

impl Drop for BrokenDisk {
    fn drop(&mut self) {
        world::end();
    }
}

#[test]
fn every_seed_keeps_its_records_and_its_accounts() {
    let seeds: Vec<u64> = match number("LOGWELL_SIM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let random = fastrand::Rng::new().u64(..);
            writeln!(io::stdout(), "the random seed of this run is {random}").unwrap();
            (0..number("LOGWELL_SIM_SEEDS").unwrap_or(SEEDS)).chain([random]).collect()
        }
    };
    let (sum, failed) = play_all(&seeds);
    writeln!(io::stdout(), "{} seeds: {sum:?}", seeds.len()).unwrap();
    assert!(failed.is_empty(), "{} of {} seeds have failed: {failed:?}", failed.len(), seeds.len());
    assert!(seeds.len() == 1 || sum.kills > 0 && sum.faults > 0 && sum.outside > 0);
}

#[test]
fn a_seed_that_is_played_twice_leaves_the_same_files_byte_for_byte() {
    let directory = directory();
    let root = directory.path().join("root");
    for seed in 0..30 {
        let played = || {
            fs::create_dir(&root).unwrap();
            play_at(seed, &root).unwrap();
            let mut files = BTreeMap::new();
            read_all(&root, &mut files);
            fs::remove_dir_all(&root).unwrap();
            files
        };
        let (first, second) = (played(), played());
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&first), names(&second), "seed {seed}");
        for (path, bytes) in &first {
            assert!(second[path] == *bytes, "seed {seed}: {} is another", path.display());
        }
    }
}

fn read_all(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            read_all(&entry.path(), files);
        } else if kind.is_file() {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.steps += more.steps;
        self.records += more.records;
        self.faults += more.faults;
        self.outside += more.outside;
        self.kills += more.kills;
        self.starts += more.starts;
        self.rotated_away += more.rotated_away;
    }
}
