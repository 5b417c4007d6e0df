//! Writer: takes entries, keeps them in memory for a moment, and writes them a batch at a time.
//!
//! Decides what is deleted at a limit. Knows no cursor and reads nothing.

use super::disk::as_u64;
use super::entry::{HEAD_BYTES, NUMBER_LIMIT};
use super::index::Cause;
use super::options::{Each, MAX_ENTRY_BYTES, Urgency};
use super::shared::Shared;
use super::tail::{Begin, Tail};
use crate::base::selflog;
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
    tails: Each<Tail>,
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
        let tails = Each {
            ordinary: Tail::new(Urgency::Ordinary, begin.ordinary),
            urgent: Tail::new(Urgency::Urgent, begin.urgent),
        };
        let mut writer = Self { shared, tails, next_id, room_bytes: 0, paused: None, looked };
        writer.maintain(looked);
        writer.trim();
        writer
    }

    /// Takes a copy of an entry, to be written with the next [`flush`](Self::flush), or when there
    /// are 256 KiB.
    ///
    /// Where there is no room this deletes older entries, a segment at a time. A write that fails
    /// is no failure of `append`: the entry is kept (up to 4 MiB in all, of which ordinary entries
    /// take at most half) and `flush` says so.
    pub(crate) fn append(&mut self, content: &[u8], urgency: Urgency) -> Result<(), Refused> {
        let bytes = HEAD_BYTES + content.len();
        if content.len() > MAX_ENTRY_BYTES || as_u64(bytes) > self.shared.limits.segment_bytes {
            return self.refuse(Refused::TooLong);
        }
        let bytes = as_u64(bytes);
        if !self.has_memory(bytes, urgency) || !self.has_room(bytes, urgency) {
            return self.refuse(Refused::NoRoom);
        }
        let tail = self.tails.of_mut(urgency);
        if self.next_id >= NUMBER_LIMIT || tail.next_n() >= NUMBER_LIMIT {
            return self.refuse(Refused::NoRoom);
        }
        tail.push(self.next_id, self.shared.clock.unix_ms(), content);
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
        self.maintain(now);
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
            let tail = self.tails.of_mut(urgency);
            outcome = outcome.and(tail.write(&self.shared, now, &mut written));
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
            let tail = self.tails.of_mut(urgency);
            outcome = outcome.and(tail.sync(&self.shared));
        }
        flushed.and(outcome).and_then(|()| self.shared.disk.sync_names())
    }

    /// How many bytes are taken and not yet flushed.
    pub(crate) fn pending_bytes(&self) -> u64 {
        self.tails.both().into_iter().map(Tail::pending_bytes).sum()
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
        if self.room_bytes < bytes {
            // What is oldest may still be in memory. A failure is reported and shows as less room.
            let _ = self.flush();
        }
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
                self.tails.of_mut(doomed.urgency).leave(doomed.segment.first_n);
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

    /// Deletes what is more than the limit: it may be lower than it was, and a loss of power may
    /// have brought back what was deleted.
    fn trim(&mut self) {
        loop {
            let mut index = self.shared.index();
            if index.total_bytes <= self.shared.limits.max_bytes {
                break;
            }
            let ordinary = index.evict(Urgency::Ordinary, Cause::Bytes);
            let evicted = ordinary.or_else(|| index.evict(Urgency::Urgent, Cause::Bytes));
            drop(index);
            let Some(doomed) = evicted else { break };
            self.tails.of_mut(doomed.urgency).leave(doomed.segment.first_n);
            if !self.shared.delete(vec![doomed]) {
                break;
            }
        }
    }

    /// Deletes what is too old.
    fn maintain(&mut self, now: Instant) {
        let expired = self.shared.expire(0, now);
        for doomed in &expired {
            self.tails.of_mut(doomed.urgency).leave(doomed.segment.first_n);
        }
        self.shared.delete(expired);
    }

    /// Leaves files that somebody has deleted or cut.
    fn look(&mut self, now: Instant) {
        if now.saturating_duration_since(self.looked) < LOOK_INTERVAL {
            return;
        }
        self.looked = now;
        for urgency in Urgency::ALL {
            self.tails.of_mut(urgency).look(&self.shared);
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
