//! Fake: a disk in memory that is full, fails, dies and loses power when it is told to.
//!
//! Models what matters: written is not synced, and a name is not in the directory until the
//! directory is synced.

use super::super::disk::{Disk, DiskFile};
use super::super::names;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// What a write of a power cut keeps or loses as a whole.
const SECTOR_BYTES: usize = 512;

/// A disk; its clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeDisk {
    state: Arc<Mutex<State>>,
    /// Which process this handle belongs to.
    process: u64,
}

/// What another thread does meanwhile.
struct Hook(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, File>,
    durable_names: BTreeMap<String, File>,
    /// The process that lives; calls of any other fail.
    process: u64,
    /// How many calls there were.
    calls: u64,
    /// The process dies at that call.
    dies_at: Option<u64>,
    /// The call fails so.
    faults: BTreeMap<u64, ErrorKind>,
    /// So many bytes more find room.
    room: Option<usize>,
    /// What happens in the middle of that call.
    hook: Option<(u64, Hook)>,
    /// A file that cannot be read.
    unreadable: String,
    /// Files that are open.
    open: usize,
}

type File = Arc<Mutex<Content>>;

#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
}

impl FakeDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Counts a call; an error if the process is dead or the call is to fail.
    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        let calls = state.calls;
        if let Some((_, hook)) = state.hook.take_if(|(at, _)| *at == calls) {
            drop(state);
            hook.0();
            state = self.state();
        }
        if state.dies_at.is_some_and(|at| state.calls > at) || state.process != self.process {
            return Err(io::Error::other("the process is dead"));
        }
        match state.faults.get(&calls) {
            Some(kind) => Err(io::Error::from(*kind)),
            None => Ok(state),
        }
    }

    /// That happens before that call is done, as if on another thread.
    pub(super) fn meanwhile(&self, call: u64, hook: impl FnOnce() + Send + 'static) {
        self.state().hook = Some((call, Hook(Box::new(hook))));
    }

    /// How many calls there were.
    pub(super) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many files are open.
    pub(super) fn open_files(&self) -> usize {
        self.state().open
    }

    /// The process dies after that many calls.
    pub(super) fn die_at(&self, calls: u64) {
        self.state().dies_at = Some(calls);
    }

    pub(super) fn is_dead(&self) -> bool {
        let state = self.state();
        state.dies_at.is_some_and(|at| state.calls > at)
    }

    /// That call fails.
    pub(super) fn fail_at(&self, call: u64, kind: ErrorKind) {
        self.state().faults.insert(call, kind);
    }

    /// Reading the file of that name fails.
    pub(super) fn set_unreadable(&self, name: &str) {
        self.state().unreadable = name.to_owned();
    }

    /// No call fails any more, and there is room.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.room = None;
    }

    /// So many bytes more find room.
    pub(super) fn set_room(&self, bytes: Option<usize>) {
        self.state().room = bytes;
    }

    /// The disk as the next process finds it, after the death of this one.
    pub(super) fn after_kill(&self) -> Self {
        let mut state = self.state();
        state.process += 1;
        state.dies_at = None;
        Self { state: Arc::clone(&self.state), process: state.process }
    }

    /// The disk as it is after a loss of power. `keep` says of each thing that was not made durable
    /// whether it is kept.
    pub(super) fn after_power_loss(&self, mut keep: impl FnMut() -> bool) -> Self {
        let after = self.after_kill();
        let mut state = self.state();
        let mut names = state.durable_names.clone();
        for (name, file) in &state.names {
            if !names.contains_key(name) && keep() {
                names.insert(name.clone(), Arc::clone(file));
            }
        }
        let is_gone = |state: &State, name: &String| !state.names.contains_key(name);
        names.retain(|name, _| !is_gone(&state, name) || keep());
        for file in names.values_mut() {
            let mut content = file.lock().unwrap();
            let Content { now, durable } = content.clone();
            let mut left = durable.clone();
            let longer = if keep() { now.len() } else { durable.len().min(now.len()) };
            left.resize(longer.max(durable.len().min(now.len())), 0);
            let sectors = left.chunks_mut(SECTOR_BYTES).zip(now.chunks(SECTOR_BYTES));
            for (sector, written) in sectors {
                let both = sector.len().min(written.len());
                if sector[..both] != written[..both] && keep() {
                    sector[..both].copy_from_slice(&written[..both]);
                }
            }
            *content = Content { now: left.clone(), durable: left };
        }
        state.names = names.clone();
        state.durable_names = names;
        drop(state);
        after
    }

    /// The names and lengths of all files.
    pub(super) fn files(&self) -> BTreeMap<String, usize> {
        let state = self.state();
        state.names.iter().map(|(name, it)| (name.clone(), it.lock().unwrap().now.len())).collect()
    }

    /// The bytes of all segments that are not set aside.
    pub(super) fn segment_bytes(&self) -> usize {
        let files = self.files().into_iter();
        files.filter(|(name, _)| names::parse(name).is_some()).map(|(_, bytes)| bytes).sum()
    }

    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        self.state().names[name].lock().unwrap().now.clone()
    }

    /// Puts a file there.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let content = Content { now: bytes.to_vec(), durable: bytes.to_vec() };
        let file = Arc::new(Mutex::new(content));
        let mut state = self.state();
        state.names.insert(name.to_owned(), Arc::clone(&file));
        state.durable_names.insert(name.to_owned(), file);
    }

    /// Damages a file where it lies.
    pub(super) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.state().names[name].lock().unwrap().now);
    }

    /// Deletes a file behind the spool's back.
    pub(super) fn delete(&self, name: &str) {
        let mut state = self.state();
        state.names.remove(name);
        state.durable_names.remove(name);
    }

    fn handle(&self, state: &mut State, name: &str, file: &File) -> Box<dyn DiskFile> {
        state.open += 1;
        Box::new(FakeFile { disk: self.clone(), name: name.to_owned(), file: Arc::clone(file) })
    }
}

fn not_found() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Disk for FakeDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.call()?.names.keys().cloned().collect())
    }

    fn bytes(&self, name: &str) -> io::Result<u64> {
        let state = self.call()?;
        let file = state.names.get(name).ok_or_else(not_found)?;
        let bytes = file.lock().unwrap().now.len();
        Ok(bytes as u64)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.call()?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = File::default();
        state.names.insert(name.to_owned(), Arc::clone(&file));
        Ok(self.handle(&mut state, name, &file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.call()?;
        let file = Arc::clone(state.names.get(name).ok_or_else(not_found)?);
        Ok(self.handle(&mut state, name, &file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call()?.names.remove(name).map(drop).ok_or_else(not_found)
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        let mut state = self.call()?;
        let file = state.names.remove(name).ok_or_else(not_found)?;
        state.names.insert(names::aside(name), file);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.call()?;
        state.durable_names = state.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    name: String,
    file: File,
}

impl Drop for FakeFile {
    fn drop(&mut self) {
        self.disk.state().open -= 1;
    }
}

impl DiskFile for FakeFile {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if self.disk.call()?.unreadable == self.name {
            return Err(io::Error::other("a bad sector"));
        }
        let content = self.file.lock().unwrap();
        let there = content.now.get(offset as usize..).unwrap_or_default();
        let bytes = there.len().min(into.len());
        into[..bytes].copy_from_slice(&there[..bytes]);
        Ok(bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.call()?;
        let mut content = self.file.lock().unwrap();
        let offset = offset as usize;
        // What is behind the file's end needs room; what is overwritten does not.
        let mut most = bytes.len();
        if let Some(room) = &mut state.room {
            let free = content.now.len().saturating_sub(offset) + *room;
            most = most.min(free);
            *room -= (offset + most).saturating_sub(content.now.len()).min(*room);
            if most == 0 && !bytes.is_empty() {
                return Err(ErrorKind::StorageFull.into());
            }
        }
        let end = offset + most;
        if content.now.len() < end {
            content.now.resize(end, 0);
        }
        content.now[offset..end].copy_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn cut(&mut self, to_bytes: u64) -> io::Result<()> {
        let mut state = self.disk.call()?;
        let mut content = self.file.lock().unwrap();
        let before = content.now.len();
        content.now.truncate(to_bytes as usize);
        if let Some(room) = &mut state.room {
            *room += before - content.now.len();
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let _state = self.disk.call()?;
        let mut content = self.file.lock().unwrap();
        content.durable = content.now.clone();
        Ok(())
    }
}
