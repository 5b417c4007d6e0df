//! Tail: the end of one urgency, where entries wait in memory and are written to the last segment.
//!
//! Decides when a segment ends. Knows no limit of the whole and no reader.

use super::disk::{DiskFile, as_u64, write_full};
use super::entry::{self, Stub};
use super::index::{Publication, Segment, Stamp};
use super::names;
use super::options::Urgency;
use super::shared::Shared;
use crate::base::selflog;
use std::io::{self, ErrorKind};
use std::time::Instant;

/// The end of one urgency.
#[derive(Debug)]
pub(super) struct Tail {
    urgency: Urgency,
    /// Entries to be written, whole.
    pending: Vec<u8>,
    pending_entries: u64,
    /// The number of the first of them.
    pending_n: u64,
    active: Option<Active>,
    /// The entries before are durable.
    synced_n: u64,
}

impl Tail {
    pub(super) fn new(urgency: Urgency, begin: Begin) -> Self {
        let Begin { next_n, active } = begin;
        Self {
            urgency,
            pending: Vec::new(),
            pending_entries: 0,
            pending_n: next_n,
            active,
            synced_n: 0,
        }
    }

    /// The number of the next entry.
    pub(super) fn next_n(&self) -> u64 {
        self.pending_n.saturating_add(self.pending_entries)
    }

    /// The bytes of the entries that wait to be written.
    pub(super) fn pending_bytes(&self) -> u64 {
        as_u64(self.pending.len())
    }

    /// Takes an entry, to be written with the others.
    pub(super) fn push(&mut self, id: u64, at_unix_ms: u64, content: &[u8]) {
        let stub = Stub { id, n: self.next_n(), at_unix_ms };
        entry::push(&mut self.pending, stub, content);
        self.pending_entries += 1;
    }

    /// Writes to that segment no more.
    pub(super) fn leave(&mut self, first_n: u64) {
        self.active.take_if(|active| active.first_n == first_n);
    }

    /// Leaves a segment that somebody has deleted or cut.
    pub(super) fn look(&mut self, shared: &Shared) {
        let Some(active) = &self.active else { return };
        let name = names::segment(self.urgency, active.first_n);
        let is_there = match shared.disk.bytes(&name) {
            Ok(bytes) => bytes >= active.bytes,
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if !is_there {
            let text = format!("{}/{name}", shared.shown);
            selflog::tell("a segment of a spool was deleted or cut by others", &text);
            self.active = None;
        }
    }

    /// Writes what is pending, into as many segments as it takes.
    pub(super) fn write(
        &mut self,
        shared: &Shared,
        now: Instant,
        written: &mut Vec<Publication>,
    ) -> io::Result<()> {
        let urgency = self.urgency;
        while !self.pending.is_empty() {
            let active =
                ready(&mut self.active, &self.pending, (self.pending_n, urgency, now), shared)?;
            let room = shared.limits.segment_bytes.saturating_sub(active.bytes);
            let batch = seal(&mut self.pending, active.seed, room);
            let bytes = self.pending.get(..batch.bytes).unwrap_or_default();
            let (done, result) = write_full(&mut *active.file, active.bytes, bytes);
            let whole = if result.is_ok() { batch } else { whole(bytes, done) };
            let bytes = as_u64(whole.bytes);
            if whole.entries > 0 {
                let (first_n, entries) = (active.first_n, whole.entries);
                written.push(Publication { urgency, first_n, entries, bytes });
                active.bytes = active.bytes.saturating_add(bytes);
                self.pending.drain(..whole.bytes);
                self.pending_entries = self.pending_entries.saturating_sub(entries);
                self.pending_n = self.pending_n.saturating_add(entries);
            }
            if let Err(error) = result {
                // If the half entry cannot be taken back, it is written over, or passed by when it
                // is read.
                let _ = active.file.cut(active.bytes);
                if !is_full(&error) {
                    self.active = None;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes all segments durable that have entries which are not.
    pub(super) fn sync(&mut self, shared: &Shared) -> io::Result<()> {
        let urgency = self.urgency;
        let (unsynced, end_n) = {
            let index = shared.index();
            let lane = index.lanes.of(urgency);
            let unsynced = lane.segments.iter().filter(|segment| segment.end_n > self.synced_n);
            (unsynced.map(|segment| segment.first_n).collect::<Vec<_>>(), lane.end_n)
        };
        for first_n in unsynced {
            let opened = shared.disk.open(&names::segment(urgency, first_n));
            match opened.and_then(|mut file| file.sync()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    // What is written there later might never be durable, and nobody would say so.
                    self.active = None;
                    return Err(error);
                }
                Ok(()) => {}
            }
        }
        self.synced_n = end_n;
        Ok(())
    }
}

/// Where an urgency continues after the spool was opened.
#[derive(Debug)]
pub(super) struct Begin {
    /// The number of the next entry.
    pub(super) next_n: u64,
    /// The segment that continues.
    pub(super) active: Option<Active>,
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Active {
    file: Box<dyn DiskFile>,
    first_n: u64,
    seed: u32,
    bytes: u64,
    /// Of its first entry.
    oldest: Stamp,
}

impl Active {
    /// Goes on in a segment.
    pub(super) fn new(
        file: Box<dyn DiskFile>,
        name: &str,
        segment: Segment,
        oldest: Stamp,
    ) -> Self {
        let Segment { first_n, bytes, .. } = segment;
        Self { file, first_n, seed: entry::seed(name), bytes, oldest }
    }
}

/// The segment that the first pending entry goes to.
fn ready<'a>(
    active: &'a mut Option<Active>,
    pending: &[u8],
    (first_n, urgency, now): (u64, Urgency, Instant),
    shared: &Shared,
) -> io::Result<&'a mut Active> {
    let needed = as_u64(entry::first_bytes(pending).unwrap_or_default());
    let limits = &shared.limits;
    active.take_if(|active| {
        let is_full = active.bytes.saturating_add(needed) > limits.segment_bytes;
        let is_old = active.oldest.age(now) > limits.segment_age;
        active.bytes > 0 && (is_full || is_old)
    });
    if active.is_none() {
        let name = names::segment(urgency, first_n);
        let file = match shared.disk.create(&name) {
            // Nothing in it was ever taken for written: a write into it had failed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                clear(&name, shared)?;
                shared.disk.create(&name)?
            }
            made => made?,
        };
        let (seed, oldest) = (entry::seed(&name), Stamp::fresh(now));
        *active = Some(Active { file, first_n, seed, bytes: 0, oldest });
    }
    active.as_mut().ok_or_else(|| ErrorKind::Other.into())
}

/// So many whole entries.
#[derive(Debug, Clone, Copy, Default)]
struct Whole {
    bytes: usize,
    entries: u64,
}

/// Completes as many pending entries as have room in a segment.
fn seal(pending: &mut [u8], seed: u32, room: u64) -> Whole {
    let mut sealed = Whole::default();
    while let Some(rest) = pending.get_mut(sealed.bytes..)
        && let Some(bytes) = entry::first_bytes(rest)
        && as_u64(sealed.bytes.saturating_add(bytes)) <= room
    {
        entry::seal(rest, seed);
        sealed.bytes += bytes;
        sealed.entries += 1;
    }
    sealed
}

/// The whole entries among the first `done` bytes.
fn whole(pending: &[u8], done: usize) -> Whole {
    let mut whole = Whole::default();
    let written = pending.get(..done).unwrap_or(pending);
    while let Some(bytes) = written.get(whole.bytes..).and_then(entry::first_bytes) {
        whole.bytes += bytes;
        whole.entries += 1;
    }
    whole
}

/// Whether a disk has no room, which passes; anything else may be the fault of this file.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Takes away what is in the way of a new segment.
fn clear(name: &str, shared: &Shared) -> io::Result<()> {
    shared.disk.remove(name).or_else(|_| shared.set_aside(name))
}
