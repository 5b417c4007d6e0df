//! A world that forgets: files in memory that lose what was not synced when the power goes.
//!
//! Models what matters: written is not synced, created is not in the directory, renamed is not
//! renamed until the directory is synced, a full disk takes a part of a write.

use crate::world::{Clock, Fs, Input, Output};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files and a clock of a test. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestWorld(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    files: Vec<Bytes>,
    /// The bytes that can still be written; no bound if `None`.
    room: Option<u64>,
    /// How many syncs succeed before one fails.
    good_syncs: Option<u32>,
    /// Counts power cuts: what was opened before one cannot be written any more.
    life: u32,
    now_ns: i64,
}

#[derive(Debug, Default)]
struct Bytes {
    data: Vec<u8>,
    synced: Vec<u8>,
}

impl TestWorld {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power. Of each write that was not synced a part remains, as `kept` says of so many
    /// bytes.
    pub(crate) fn cut_power(&self, mut kept: impl FnMut(usize) -> usize) {
        let mut disk = self.disk();
        disk.life += 1;
        disk.names = disk.durable_names.clone();
        for file in &mut disk.files {
            let same = file.data.starts_with(&file.synced);
            let torn = if same { kept(file.data.len() - file.synced.len()) } else { 0 };
            file.data.truncate(file.synced.len() + torn);
            if !same {
                file.data = file.synced.clone();
            }
            file.synced = file.data.clone();
        }
    }

    pub(crate) fn set_room(&self, bytes: Option<u64>) {
        self.disk().room = bytes;
    }

    pub(crate) fn fail_sync_after(&self, syncs: Option<u32>) {
        self.disk().good_syncs = syncs;
    }

    pub(crate) fn pass(&self, ns: i64) {
        let mut disk = self.disk();
        disk.now_ns = disk.now_ns.saturating_add(ns);
    }

    /// The files below a directory, and their bytes.
    pub(crate) fn files(&self, below: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let disk = self.disk();
        let files = disk.names.iter().filter(|(path, _)| path.starts_with(below));
        files.map(|(path, id)| (path.clone(), disk.files[*id].data.clone())).collect()
    }

    /// Replaces the bytes of a file, durably.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.disk();
        let id = disk.names[path];
        disk.files[id] = Bytes { data: bytes.to_vec(), synced: bytes.to_vec() };
    }
}

impl Clock for TestWorld {
    fn now_ns(&self) -> i64 {
        self.disk().now_ns
    }
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Fs for TestWorld {
    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        let inside = disk.names.keys().filter(|name| name.parent() == Some(path));
        let name = |path: &PathBuf| path.file_name()?.to_str().map(str::to_owned);
        Ok(inside.filter_map(name).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let mut disk = self.disk();
        disk.files.push(Bytes::default());
        let id = disk.files.len() - 1;
        disk.names.insert(path.to_owned(), id);
        Ok(Box::new(TestOutput { world: self.clone(), id, life: disk.life }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>> {
        let disk = self.disk();
        let id = *disk.names.get(path).ok_or_else(absent)?;
        let length_bytes = disk.files[id].data.len() as u64;
        Ok(Arc::new(TestInput { world: self.clone(), id, length_bytes }))
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> io::Result<()> {
        let mut disk = self.disk();
        let id = *disk.names.get(path).ok_or_else(absent)?;
        let file = &mut disk.files[id];
        file.data.truncate(length_bytes as usize);
        file.synced = file.data.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let id = disk.names.remove(from).ok_or_else(absent)?;
        disk.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk().names.remove(path).map(drop).ok_or_else(absent)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.sync()?;
        disk.durable_names.retain(|name, _| name.parent() != Some(path));
        let inside: Vec<_> = disk
            .names
            .iter()
            .filter(|(name, _)| name.parent() == Some(path))
            .map(|(name, id)| (name.clone(), *id))
            .collect();
        disk.durable_names.extend(inside);
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.disk().room.unwrap_or(u64::MAX))
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

impl Disk {
    fn sync(&mut self) -> io::Result<()> {
        match &mut self.good_syncs {
            Some(0) => Err(io::Error::other("the sync failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

struct TestOutput {
    world: TestWorld,
    id: usize,
    life: u32,
}

impl Output for TestOutput {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.world.disk();
        if disk.life != self.life {
            return Err(io::Error::other("the power was cut"));
        }
        let fits = disk.room.map_or(bytes.len(), |room| bytes.len().min(room as usize));
        if let Some(room) = &mut disk.room {
            *room -= fits as u64;
        }
        let id = self.id;
        disk.files[id].data.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.world.disk();
        if disk.life != self.life {
            return Err(io::Error::other("the power was cut"));
        }
        disk.sync()?;
        let id = self.id;
        disk.files[id].synced = disk.files[id].data.clone();
        Ok(())
    }
}

struct TestInput {
    world: TestWorld,
    id: usize,
    length_bytes: u64,
}

impl Input for TestInput {
    fn len(&self) -> u64 {
        self.length_bytes
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let disk = self.world.disk();
        let data = &disk.files[self.id].data;
        let bytes = data.get(at as usize..at as usize + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
