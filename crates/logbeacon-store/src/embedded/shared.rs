//! What all threads of a store use: the snapshot, the manifest, counters, the waking of threads.
//!
//! Knows: which lock guards what. Must not know: what the threads do.

use super::manifest::Manifest;
use super::{Books, Shared, State, lock};
use crate::error::SearchError;
use crate::search::Snapshot;
use crate::store::Health;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

impl Shared {
    pub(super) fn fs(&self) -> &dyn crate::world::Fs {
        &*self.options.fs
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.manifest)
    }

    pub(super) fn check_open(&self) -> Result<(), SearchError> {
        match self.is_closed.load(Ordering::SeqCst) {
            true => Err(SearchError::Closed),
            false => Ok(()),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            head: state.head.clone(),
            parts: Arc::clone(&state.parts),
            deletions: Arc::clone(&state.deletions),
            traces: Arc::clone(&state.traces),
            generation: state.generation,
        }
    }

    /// Changes what a search finds, at once.
    pub(super) fn change_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut state);
        state.generation += 1;
        changed
    }

    /// Writes a changed manifest. The files `leaving` belong to the edition before only: they are
    /// removed after the next one.
    pub(super) fn write_manifest(
        &self,
        books: &mut Books,
        change: impl FnOnce(&mut Manifest),
        leaving: Vec<PathBuf>,
    ) -> io::Result<()> {
        let before = books.manifest.clone();
        change(&mut books.manifest);
        if let Err(error) = books.manifest.write(self.fs(), &self.dir) {
            books.manifest = before;
            return Err(error);
        }
        books.sealed_before = before.sealed_to;
        for file in std::mem::replace(&mut books.leaving, leaving) {
            if let Err(error) = self.fs().remove(&file) {
                self.fault("remove", &error);
            }
        }
        Ok(())
    }

    /// Counts something that went wrong.
    pub(super) fn fault(&self, what: &str, error: &io::Error) {
        *lock(&self.faults).entry(format!("{what}: {error}")).or_default() += 1;
    }

    pub(super) fn wake(&self) {
        *lock(&self.wake.0) = true;
        self.wake.1.notify_all();
    }

    /// Waits until woken, or so long. `false` if the store is closed.
    pub(super) fn rest(&self, longest: Duration) -> bool {
        let (flag, condvar) = &self.wake;
        let woken = lock(flag);
        let (mut woken, _) = condvar
            .wait_timeout_while(woken, longest, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *woken = false;
        !self.is_closed.load(Ordering::SeqCst)
    }

    pub(super) fn health(&self) -> Health {
        let journal_bytes = lock(&self.committer).journal.bytes();
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let in_parts: u64 = state.parts.iter().map(|live| live.part.rows).sum();
        Health {
            rows: in_parts + state.head_rows as u64,
            head_rows: state.head_rows as u64,
            head_bytes: state.head_bytes as u64,
            journal_bytes,
            parts: state.parts.len() as u64,
            part_bytes: state.parts.iter().map(|live| live.part.bytes).sum(),
            read_only: lock(&self.read_only).clone(),
            damaged: lock(&self.damaged).clone(),
            faults: lock(&self.faults).iter().map(|(what, n)| (what.clone(), *n)).collect(),
            accepted: self.counters.accepted.load(Ordering::Relaxed),
            duplicates: self.counters.duplicates.load(Ordering::Relaxed),
            full: self.counters.full.load(Ordering::Relaxed),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("dir", &self.dir).finish_non_exhaustive()
    }
}
