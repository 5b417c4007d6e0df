//! Writer: takes entries, keeps them in memory for a moment, and writes them a batch at a time.
//!
//! Decides when a segment ends and what is deleted at a limit. Knows no cursor and reads nothing.

use super::disk::{DiskFile, as_u64, write_full};
use super::entry::{self, HEAD_BYTES, NUMBER_LIMIT, Stub};
use super::index::{Cause, Publication, Segment, Stamp};
use super::names;
use super::options::{Each, MAX_ENTRY_BYTES, Urgency};
use super::shared::Shared;
use crate::selflog;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So much is written without being asked.
const BATCH_BYTES: u64 = 256 << 10;

/// So much is kept in memory while it cannot be written.
const MAX_PENDING_BYTES: u64 = 4 << 20;

/// After a write has failed.
pub(super) const WRITE_PAUSE: Duration = Duration::from_millis(50);

/// How often is looked whether the file written to is still there.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The end of a spool at which entries come in.
#[derive(Debug)]
pub(crate) struct SpoolWriter {
    shared: Arc<Shared>,
    lanes: Each<Lane>,
    next_id: u64,
    /// How many bytes more surely fit.
    room_bytes: u64,
    /// After a failure: when writing is tried again, and what had failed.
    paused: Option<(Instant, ErrorKind)>,
    looked: Instant,
}

/// Why an entry was not taken. It is counted as refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It does not fit into a segment. It never will.
    TooLong,
    /// The spool holds as much as it may and nothing in it is less important; or the disk takes
    /// nothing and the memory for what waits is full.
    NoRoom,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than a segment of the spool",
            Self::NoRoom => "no room in the spool",
        })
    }
}

impl SpoolWriter {
    pub(super) fn new(shared: Arc<Shared>, begin: Each<Begin>, next_id: u64) -> Self {
        let looked = shared.clock.now();
        let Each { ordinary, urgent } = begin;
        let lanes = Each { ordinary: Lane::new(ordinary), urgent: Lane::new(urgent) };
        let mut writer = Self { shared, lanes, next_id, room_bytes: 0, paused: None, looked };
        writer.tend(looked);
        writer
    }

    /// Takes a copy of an entry, to be written with the next [`flush`](Self::flush), or when there
    /// are 256 KiB.
    ///
    /// At a limit of the spool this deletes older entries, and only here. A write that fails is no
    /// failure of `append`: the entry is kept (up to 4 MiB in all, of which ordinary entries take at
    /// most half) and `flush` says so.
    pub(crate) fn append(&mut self, content: &[u8], urgency: Urgency) -> Result<(), Refused> {
        let bytes = HEAD_BYTES + content.len();
        if content.len() > MAX_ENTRY_BYTES || as_u64(bytes) > self.shared.limits.segment_bytes {
            return self.refuse(Refused::TooLong);
        }
        let bytes = as_u64(bytes);
        if !self.has_memory(bytes, urgency) || !self.has_room(bytes, urgency) {
            return self.refuse(Refused::NoRoom);
        }
        let lane = self.lanes.of_mut(urgency);
        if self.next_id >= NUMBER_LIMIT || lane.next_n() >= NUMBER_LIMIT {
            return self.refuse(Refused::NoRoom);
        }
        let stub =
            Stub { id: self.next_id, n: lane.next_n(), at_unix_ms: self.shared.clock.unix_ms() };
        entry::push(&mut lane.pending, stub, content);
        lane.pending_entries += 1;
        self.next_id += 1;
        self.room_bytes = self.room_bytes.saturating_sub(bytes);
        if self.pending_bytes() >= BATCH_BYTES && self.paused.is_none() {
            // What fails is kept, and tried again by `flush`.
            let _ = self.flush();
        }
        Ok(())
    }

    /// Hands everything that was taken to the operating system, where it is safe from the death of
    /// the process, and wakes the reader.
    ///
    /// # Errors
    ///
    /// What could not be written is kept and tried again by the next flush, but not within 50 ms.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let now = self.shared.clock.now();
        self.tend(now);
        if self.pending_bytes() == 0 {
            return Ok(());
        }
        match self.paused {
            Some((until, kind)) if now < until => return Err(kind.into()),
            _ => self.look(now),
        }
        let mut written = Vec::new();
        let mut outcome = Ok(());
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            outcome = outcome.and(lane.write(&self.shared, urgency, now, &mut written));
        }
        self.shared.publish(written, now);
        self.paused = outcome.as_ref().err().map(|error| (now + WRITE_PAUSE, error.kind()));
        if let Err(error) = &outcome {
            selflog::tell("a spool cannot be written and keeps entries in memory", error);
        }
        outcome
    }

    /// Flushes, and makes everything durable that was ever flushed: safe from a loss of power.
    ///
    /// Takes as long as the disk takes.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        let mut outcome = Ok(());
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            outcome = outcome.and(lane.sync(&self.shared, urgency));
        }
        flushed.and(outcome).and_then(|()| self.shared.disk.sync_names())
    }

    /// How many bytes are taken and not yet flushed.
    pub(crate) fn pending_bytes(&self) -> u64 {
        self.lanes.both().into_iter().map(|lane| as_u64(lane.pending.len())).sum()
    }

    fn refuse(&mut self, why: Refused) -> Result<(), Refused> {
        self.shared.index().counts.refused += 1;
        selflog::tell("a spool refuses entries", &format!("{why}: {}", self.shared.shown));
        Err(why)
    }

    /// Whether there is memory for so many bytes more; urgent entries may use all of it.
    fn has_memory(&mut self, bytes: u64, urgency: Urgency) -> bool {
        let most = match urgency {
            Urgency::Ordinary => MAX_PENDING_BYTES / 2,
            Urgency::Urgent => MAX_PENDING_BYTES,
        };
        // One entry always fits, however long it is.
        let fits = |writer: &Self| match writer.pending_bytes() {
            0 => true,
            pending => pending.saturating_add(bytes) <= most,
        };
        fits(self) || (self.flush().is_ok() && fits(self))
    }

    /// Whether there is room for so many bytes more; deletes older entries if there is none.
    fn has_room(&mut self, bytes: u64, urgency: Urgency) -> bool {
        while self.room_bytes < bytes {
            let most = self.shared.limits.max_bytes;
            let pending = self.pending_bytes();
            let mut index = self.shared.index();
            self.room_bytes = most.saturating_sub(index.total_bytes).saturating_sub(pending);
            if self.room_bytes >= bytes {
                break;
            }
            let has_doomed = !index.doomed.is_empty();
            let evicted = match has_doomed {
                true => None,
                false => index.evict(Urgency::Ordinary, Cause::Bytes).or_else(|| match urgency {
                    Urgency::Ordinary => None,
                    Urgency::Urgent => index.evict(Urgency::Urgent, Cause::Bytes),
                }),
            };
            drop(index);
            if let Some(doomed) = &evicted {
                self.lanes.of_mut(doomed.urgency).leave(doomed.segment.first_n);
                let text = format!("{} has reached its {most} bytes", self.shared.shown);
                selflog::tell("a spool deletes the oldest entries for want of room", &text);
            }
            let is_clean = self.shared.delete(evicted.into_iter().collect());
            if !is_clean || (evicted.is_none() && !has_doomed) {
                return false;
            }
        }
        true
    }

    /// Deletes what is too old.
    fn tend(&mut self, now: Instant) {
        let limits = self.shared.limits;
        let expired = self.shared.index().expire(limits.max_age, 0, now);
        if expired.is_empty() {
            return;
        }
        for doomed in &expired {
            self.lanes.of_mut(doomed.urgency).leave(doomed.segment.first_n);
        }
        selflog::tell("a spool deletes entries that are too old", &self.shared.shown);
        self.shared.delete(expired);
    }

    /// Leaves files that somebody has deleted or cut.
    fn look(&mut self, now: Instant) {
        if now.saturating_duration_since(self.looked) < LOOK_INTERVAL {
            return;
        }
        self.looked = now;
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            let Some(active) = &lane.active else { continue };
            let name = names::segment(urgency, active.first_n);
            match self.shared.disk.bytes(&name) {
                Ok(bytes) if bytes >= active.bytes => {}
                Err(error) if error.kind() != ErrorKind::NotFound => {}
                _ => {
                    let text = format!("{}/{name}", self.shared.shown);
                    selflog::tell("a segment of a spool was deleted or cut by others", &text);
                    lane.active = None;
                }
            }
        }
    }
}

impl Drop for SpoolWriter {
    /// Flushes; what cannot be written now is lost.
    fn drop(&mut self) {
        self.paused = None;
        let _ = self.flush();
        self.shared.wake();
    }
}

/// Where a lane goes on after it was opened.
#[derive(Debug)]
pub(super) struct Begin {
    /// The number of the next entry.
    pub(super) next_n: u64,
    /// The segment that goes on.
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

/// The entries of one urgency.
#[derive(Debug)]
struct Lane {
    /// Entries to be written, whole.
    pending: Vec<u8>,
    pending_entries: u64,
    /// The number of the first of them.
    pending_n: u64,
    active: Option<Active>,
    /// The entries before are durable.
    synced_n: u64,
}

impl Lane {
    fn new(begin: Begin) -> Self {
        let Begin { next_n, active } = begin;
        Self { pending: Vec::new(), pending_entries: 0, pending_n: next_n, active, synced_n: 0 }
    }

    fn next_n(&self) -> u64 {
        self.pending_n.saturating_add(self.pending_entries)
    }

    /// Writes to that segment no more.
    fn leave(&mut self, first_n: u64) {
        self.active.take_if(|active| active.first_n == first_n);
    }

    /// Writes what is pending, into as many segments as it takes.
    fn write(
        &mut self,
        shared: &Shared,
        urgency: Urgency,
        now: Instant,
        written: &mut Vec<Publication>,
    ) -> io::Result<()> {
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
    fn sync(&mut self, shared: &Shared, urgency: Urgency) -> io::Result<()> {
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
                    // What is written there later might not become durable, and nobody would say so.
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
                shared.disk.remove(&name)?;
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
