//! Shared: what writer and reader have in common, behind one lock that is never held during I/O.

use super::disk::Disk;
use super::index::{Evicted, Index, Publication, SpoolCounts, Waiting};
use super::names;
use super::options::Limits;
use crate::base::clock::Clock;
use crate::base::selflog;
use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many segments that cannot be read are kept.
pub(super) const MAX_ASIDE: usize = 4;

/// The index and what both threads need besides.
#[derive(Debug)]
pub(super) struct Shared {
    index: Mutex<Index>,
    /// Told when there is something for a reader that waits.
    more: Condvar,
    pub(super) disk: Box<dyn Disk>,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    /// The directory, for what is reported.
    pub(super) shown: String,
}

impl Shared {
    pub(super) fn new(
        index: Index,
        disk: Box<dyn Disk>,
        limits: Limits,
        clock: (Clock, String),
    ) -> Self {
        let (clock, shown) = clock;
        Self { index: Mutex::new(index), more: Condvar::new(), disk, limits, clock, shown }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes written entries visible to the reader, all at once and in their order.
    pub(super) fn publish(&self, publications: Vec<Publication>, now: Instant) {
        if publications.is_empty() {
            return;
        }
        let now_unix_ms = self.clock.unix_ms();
        let mut index = self.index();
        for publication in publications {
            index.publish(publication, now, now_unix_ms);
        }
        if index.is_waited_for {
            self.more.notify_all();
        }
    }

    /// Has the reader return from its sleep, now or when it next goes to sleep.
    pub(super) fn wake(&self) {
        self.index().is_woken = true;
        self.more.notify_all();
    }

    /// Sleeps until there is an entry to read, or [`wake`](Self::wake) was called, or that time has
    /// passed. Whether there is an entry.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let mut index = self.index();
        index.is_waited_for = true;
        let is_quiet = |index: &mut Index| !index.has_more() && !index.is_woken;
        let waited = self.more.wait_timeout_while(index, at_most, is_quiet);
        index = waited.unwrap_or_else(PoisonError::into_inner).0;
        index.is_waited_for = false;
        index.is_woken = false;
        index.has_more()
    }

    /// Takes out the segments that are too old, but leaves so many of each urgency.
    pub(super) fn expire(&self, leave: usize, now: Instant) -> Vec<Evicted> {
        let expired = self.index().expire(self.limits.max_age, leave, now);
        if !expired.is_empty() {
            selflog::tell("a spool deletes entries that are too old", &self.shown);
        }
        expired
    }

    /// Deletes segments that were taken out of the index, and those that could not be deleted
    /// before. Whether none is left.
    pub(super) fn delete(&self, mut doomed: Vec<Evicted>) -> bool {
        doomed.append(&mut self.take_doomed());
        if doomed.is_empty() {
            return true;
        }
        doomed.retain(|it| !self.is_deleted(it));
        let mut index = self.index();
        let left: u64 = doomed.iter().map(|it| it.segment.bytes).sum();
        index.total_bytes = index.total_bytes.saturating_add(left);
        index.doomed.append(&mut doomed);
        index.doomed.is_empty()
    }

    fn take_doomed(&self) -> Vec<Evicted> {
        let mut index = self.index();
        let doomed = std::mem::take(&mut index.doomed);
        let bytes: u64 = doomed.iter().map(|it| it.segment.bytes).sum();
        index.total_bytes = index.total_bytes.saturating_sub(bytes);
        doomed
    }

    /// Deletes a file, or sets it aside if nothing in it could be read.
    fn is_deleted(&self, doomed: &Evicted) -> bool {
        let name = names::segment(doomed.urgency, doomed.segment.first_n);
        let result = match doomed.segment.is_bad {
            true => self.set_aside(&name),
            false => self.disk.remove(&name),
        };
        match result {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                selflog::tell("a segment of a spool stays where it is", &error);
                false
            }
            _ => true,
        }
    }

    /// Sets a segment aside, and deletes the oldest of those set aside if there are too many.
    pub(super) fn set_aside(&self, name: &str) -> std::io::Result<()> {
        set_aside(&*self.disk, name)?;
        self.index().counts.quarantined += 1;
        let text = format!("{}/{}", self.shown, names::aside(name));
        selflog::tell("a segment of a spool cannot be read and is set aside", &text);
        Ok(())
    }
}

/// Sets a segment aside, and deletes the oldest of those set aside if there are too many.
pub(super) fn set_aside(disk: &dyn Disk, name: &str) -> std::io::Result<()> {
    disk.set_aside(name)?;
    let mut aside = disk.names()?;
    aside.retain(|name| names::is_aside(name));
    // The numbers in the names grow, so the oldest of each urgency come first.
    aside.sort_unstable_by(|a, b| a.split('-').next_back().cmp(&b.split('-').next_back()));
    for name in aside.iter().rev().skip(MAX_ASIDE) {
        disk.remove(name)?;
    }
    Ok(())
}

/// Tells what became of a spool's entries; for health and statistics, from any thread.
#[derive(Debug, Clone)]
pub(crate) struct SpoolStatus(pub(super) Arc<Shared>);

impl SpoolStatus {
    /// What became of the entries so far.
    pub(crate) fn counts(&self) -> SpoolCounts {
        self.0.index().counts()
    }

    /// What waits to be acknowledged.
    pub(crate) fn waiting(&self) -> Waiting {
        self.0.index().waiting()
    }
}

/// Wakes the reader of a spool; from any thread.
#[derive(Debug, Clone)]
pub(crate) struct SpoolWaker(pub(super) Arc<Shared>);

impl SpoolWaker {
    /// Has [`SpoolReader::wait`](super::SpoolReader::wait) return, now or when it is next called.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}
