//! Index: which segments there are, how far each has come, and what was lost. Plain data without
//! files; writer and reader share it behind one lock (`shared.rs`).
//!
//! Two counts run through everything. Within an urgency the entries are numbered without a gap
//! (`n`), so how many are missing between two is known without reading them. All entries together
//! are numbered too (`id`): that is the order in which they come out.

use super::options::{Each, Urgency};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// More entries than this are not handed out without an acknowledgement.
const MAX_IN_FLIGHT: usize = 65_536;

/// Why entries are gone that nobody has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cause {
    /// There was no room.
    #[default]
    Bytes,
    /// They were too old.
    Age,
}

/// An age, and when it was known.
///
/// Ages go on by the clock that never goes back, so that setting the time of day deletes nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    age: Duration,
    at: Instant,
}

impl Stamp {
    /// Of something that happens now.
    pub(super) fn fresh(now: Instant) -> Self {
        Self { age: Duration::ZERO, at: now }
    }

    /// Of something that has that age now.
    pub(super) fn aged(age: Duration, now: Instant) -> Self {
        Self { age, at: now }
    }

    pub(super) fn age(self, now: Instant) -> Duration {
        self.age.saturating_add(now.saturating_duration_since(self.at))
    }
}

/// A file with entries `first_n..end_n`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) first_n: u64,
    pub(super) end_n: u64,
    /// Whole entries end here; what is behind is not read.
    pub(super) bytes: u64,
    /// Of the newest entry, at most.
    pub(super) newest: Stamp,
    /// Nothing in it could be read.
    pub(super) is_bad: bool,
}

/// The entries of one urgency. Always `front_n() <= acked_n <= read_n <= end_n`.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    pub(super) segments: VecDeque<Segment>,
    /// The number of the next entry that is written.
    pub(super) end_n: u64,
    /// The reader has passed the entries before.
    pub(super) read_n: u64,
    /// The entries before are acknowledged, or lost and counted; or deleted while in flight.
    pub(super) acked_n: u64,
    /// Where in which segment the reader is, if it has begun.
    pub(super) read_at: Option<ReadAt>,
    /// Why something was deleted last.
    pub(super) cause: Cause,
}

/// A place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadAt {
    pub(super) first_n: u64,
    pub(super) offset: u64,
}

impl Lane {
    /// The entries before are deleted.
    pub(super) fn front_n(&self) -> u64 {
        self.segments.front().map_or(self.end_n, |segment| segment.first_n)
    }

    /// The segment to read for entry `n`, or for the next after it that is left.
    pub(super) fn locate(&self, n: u64) -> Option<Segment> {
        self.segments.get(self.segments.partition_point(|segment| segment.end_n <= n)).copied()
    }

    fn unread_bytes(&self) -> u64 {
        let unread = self.segments.iter().filter(|segment| segment.end_n > self.read_n);
        let left = unread.map(|segment| match self.read_at {
            Some(at) if at.first_n == segment.first_n => segment.bytes.saturating_sub(at.offset),
            _ => segment.bytes,
        });
        left.sum()
    }
}

/// A file to be deleted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evicted {
    pub(super) urgency: Urgency,
    pub(super) segment: Segment,
}

/// Entries that were written, all behind each other in one segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Publication {
    pub(super) urgency: Urgency,
    pub(super) first_n: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

/// An entry that was handed out and is not acknowledged yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) id: u64,
    pub(super) urgency: Urgency,
    pub(super) n: u64,
    pub(super) at_unix_ms: u64,
    pub(super) bytes: u64,
    /// Where it begins.
    pub(super) place: ReadAt,
}

/// What became of the entries so far. At every moment
/// `found + written = acknowledged + evicted_bytes + evicted_age + damaged + waiting`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SpoolCounts {
    /// Waited already when the spool was opened.
    pub(crate) found: u64,
    /// Handed to the operating system.
    pub(crate) written: u64,
    /// Acknowledged by the reader.
    pub(crate) acknowledged: u64,
    /// Deleted for want of room.
    pub(crate) evicted_bytes: u64,
    /// Deleted because they were too old.
    pub(crate) evicted_age: u64,
    /// Lost because their bytes were damaged or gone.
    pub(crate) damaged: u64,
    /// Handed to the operating system, neither acknowledged nor lost.
    pub(crate) waiting: u64,
    /// Never taken: too long, or there was no room. These are not among the others.
    pub(crate) refused: u64,
    /// Segments set aside because nothing in them could be read.
    pub(crate) quarantined: u64,
}

/// What waits to be acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) entries: u64,
    /// With the 40 bytes that each entry costs; after the start perhaps some that are acknowledged.
    pub(crate) bytes: u64,
    /// When the oldest was appended, in milliseconds since 1970; it may be a little younger.
    pub(crate) oldest_unix_ms: Option<u64>,
}

/// What writer and reader share.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) lanes: Each<Lane>,
    /// The bytes of all segments, those in `doomed` too.
    pub(super) total_bytes: u64,
    /// Files that could not be deleted.
    pub(super) doomed: Vec<Evicted>,
    pub(super) counts: SpoolCounts,
    /// Handed out and not acknowledged, in this order.
    pub(super) in_flight: VecDeque<InFlight>,
    /// How many of them are deleted.
    gone_in_flight: u64,
    oldest_unix_ms: u64,
    /// The reader sleeps.
    pub(super) is_waited_for: bool,
    /// The reader is to return from its sleep.
    pub(super) is_woken: bool,
}

impl Index {
    /// The index of what was found on the disk.
    pub(super) fn new(lanes: Each<Lane>, oldest_unix_ms: u64) -> Self {
        let segments = lanes.both().into_iter().flat_map(|lane| &lane.segments);
        let total_bytes = segments.map(|segment| segment.bytes).sum();
        let mut index = Self { lanes, total_bytes, oldest_unix_ms, ..Self::default() };
        index.counts.found = index.unread();
        index
    }

    /// Takes entries that were written.
    pub(super) fn publish(&mut self, publication: Publication, now: Instant, now_unix_ms: u64) {
        let Publication { urgency, first_n, entries, bytes } = publication;
        if self.unread() == 0 && self.in_flight.is_empty() {
            self.oldest_unix_ms = now_unix_ms;
        }
        let lane = self.lanes.of_mut(urgency);
        lane.end_n = lane.end_n.saturating_add(entries);
        let newest = Stamp::fresh(now);
        match lane.segments.back_mut() {
            Some(last) if last.first_n == first_n => {
                last.end_n = lane.end_n;
                last.bytes = last.bytes.saturating_add(bytes);
                last.newest = newest;
            }
            _ => lane.segments.push_back(Segment {
                first_n,
                end_n: lane.end_n,
                bytes,
                newest,
                is_bad: false,
            }),
        }
        self.total_bytes = self.total_bytes.saturating_add(bytes);
        self.counts.written = self.counts.written.saturating_add(entries);
    }

    /// Gives up the oldest segment of an urgency. What of it is in flight may be acknowledged.
    pub(super) fn evict(&mut self, urgency: Urgency, cause: Cause) -> Option<Evicted> {
        let lane = self.lanes.of_mut(urgency);
        let segment = lane.segments.pop_front()?;
        let from = segment.first_n.max(lane.acked_n);
        lane.acked_n = lane.acked_n.max(segment.end_n);
        lane.read_n = lane.read_n.max(segment.end_n);
        lane.cause = cause;
        let is_there =
            |it: &&InFlight| it.urgency == urgency && (from..segment.end_n).contains(&it.n);
        let in_flight = as_u64(self.in_flight.iter().filter(is_there).count());
        self.gone_in_flight = self.gone_in_flight.saturating_add(in_flight);
        self.lose(segment.end_n.saturating_sub(from).saturating_sub(in_flight), cause);
        self.total_bytes = self.total_bytes.saturating_sub(segment.bytes);
        Some(Evicted { urgency, segment })
    }

    /// Gives up the segments whose newest entry is older than `max_age`, but leaves so many.
    pub(super) fn expire(&mut self, max_age: Duration, leave: usize, now: Instant) -> Vec<Evicted> {
        let mut doomed = Vec::new();
        for urgency in Urgency::ALL {
            loop {
                let segments = &self.lanes.of(urgency).segments;
                let is_old = segments.front().is_some_and(|it| it.newest.age(now) > max_age);
                if !is_old || segments.len() <= leave {
                    break;
                }
                doomed.extend(self.evict(urgency, Cause::Age));
            }
        }
        doomed
    }

    /// Takes what the reader has read: which entries it hands out, and how far it has come. Entries
    /// that were deleted meanwhile are counted already and are taken from the batch.
    pub(super) fn hand_out(&mut self, batch: &mut Vec<InFlight>, come: Each<Come>) {
        batch.retain(|entry| entry.n >= self.lanes.of(entry.urgency).read_n);
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            let Come { n, at } = *come.of(urgency);
            lane.read_n = lane.read_n.max(n);
            lane.read_at = at;
        }
        self.in_flight.extend(batch.iter());
        self.settle(&[]);
    }

    /// Takes from the entries in flight those up to that one. Whether there was any.
    pub(super) fn acknowledge(&mut self, through: u64) -> bool {
        let Some(at) = self.in_flight.iter().position(|entry| entry.id == through) else {
            return false;
        };
        // What comes after the last one of them is not much younger.
        let oldest = self.in_flight.get(at + 1).or(self.in_flight.get(at));
        self.oldest_unix_ms = oldest.map_or(0, |entry| entry.at_unix_ms);
        let acknowledged: Vec<_> = self.in_flight.drain(..=at).collect();
        let is_gone = |it: &&InFlight| it.n < self.lanes.of(it.urgency).acked_n;
        let gone = as_u64(acknowledged.iter().filter(is_gone).count());
        self.gone_in_flight = self.gone_in_flight.saturating_sub(gone);
        let count = as_u64(acknowledged.len());
        self.counts.acknowledged = self.counts.acknowledged.saturating_add(count);
        self.settle(&acknowledged);
        true
    }

    /// Takes back the entries in flight, to be read again. Those that were deleted meanwhile are
    /// lost.
    pub(super) fn rewind(&mut self) {
        for entry in std::mem::take(&mut self.in_flight).iter().rev() {
            let lane = self.lanes.of_mut(entry.urgency);
            if entry.n >= lane.acked_n {
                (lane.read_n, lane.read_at) = (entry.n, Some(entry.place));
            } else {
                let cause = lane.cause;
                self.lose(1, cause);
            }
        }
        self.gone_in_flight = 0;
        self.settle(&[]);
    }

    /// Notes that nothing in a segment can be read. The last one may still grow.
    pub(super) fn mark_bad(&mut self, urgency: Urgency, first_n: u64) {
        let segments = &mut self.lanes.of_mut(urgency).segments;
        let sealed = segments.len().saturating_sub(1);
        if let Some(bad) = segments.iter_mut().take(sealed).find(|it| it.first_n == first_n) {
            bad.is_bad = true;
        }
    }

    /// Whether segments are behind the cursor.
    pub(super) fn has_done(&self) -> bool {
        self.lanes.both().into_iter().any(|lane| is_done(lane, lane.acked_n))
    }

    /// Takes out the segments whose entries come before these.
    pub(super) fn take_done(&mut self, acked: Each<u64>) -> Vec<Evicted> {
        let mut done = Vec::new();
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            while is_done(lane, *acked.of(urgency)) {
                let Some(segment) = lane.segments.pop_front() else { break };
                self.total_bytes = self.total_bytes.saturating_sub(segment.bytes);
                done.push(Evicted { urgency, segment });
            }
        }
        done
    }

    /// How many entries more may be handed out.
    pub(super) fn may_hand_out(&self) -> usize {
        MAX_IN_FLIGHT.saturating_sub(self.in_flight.len())
    }

    /// Whether there is an entry that may be handed out.
    pub(super) fn has_more(&self) -> bool {
        self.unread() > 0 && self.may_hand_out() > 0
    }

    /// How many entries the reader has not passed.
    pub(super) fn unread(&self) -> u64 {
        self.lanes.both().into_iter().map(|lane| lane.end_n.saturating_sub(lane.read_n)).sum()
    }

    pub(super) fn waiting(&self) -> Waiting {
        let lanes = self.lanes.both().into_iter();
        let there: u64 = lanes.map(|lane| lane.end_n.saturating_sub(lane.acked_n)).sum();
        let entries = there.saturating_add(self.gone_in_flight);
        let read: u64 = self.in_flight.iter().map(|entry| entry.bytes).sum();
        let unread: u64 = self.lanes.both().into_iter().map(Lane::unread_bytes).sum();
        Waiting {
            entries,
            bytes: if entries > 0 { unread.saturating_add(read) } else { 0 },
            oldest_unix_ms: (entries > 0).then_some(self.oldest_unix_ms),
        }
    }

    pub(super) fn counts(&self) -> SpoolCounts {
        SpoolCounts { waiting: self.waiting().entries, ..self.counts }
    }

    /// What is before the first entry in flight is done with; all that was read, if there is none.
    /// What was neither acknowledged there nor is in flight is damaged.
    fn settle(&mut self, acknowledged: &[InFlight]) {
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            let is_there = |it: &&InFlight| it.urgency == urgency && it.n >= lane.acked_n;
            let first = self.in_flight.iter().find(is_there);
            let acked_n = first.map_or(lane.read_n, |entry| entry.n);
            let done = as_u64(acknowledged.iter().filter(is_there).count());
            let damaged = acked_n.saturating_sub(lane.acked_n).saturating_sub(done);
            self.counts.damaged = self.counts.damaged.saturating_add(damaged);
            lane.acked_n = acked_n;
        }
    }

    fn lose(&mut self, entries: u64, cause: Cause) {
        let count = match cause {
            Cause::Bytes => &mut self.counts.evicted_bytes,
            Cause::Age => &mut self.counts.evicted_age,
        };
        *count = count.saturating_add(entries);
    }
}

/// How far the reader has come in an urgency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Come {
    /// The entries before were read, or cannot be.
    pub(super) n: u64,
    pub(super) at: Option<ReadAt>,
}

/// Whether the first segment is before that entry. The last one stays: the writer has it open.
fn is_done(lane: &Lane, acked_n: u64) -> bool {
    lane.segments.len() > 1 && lane.segments.front().is_some_and(|it| it.end_n <= acked_n)
}

fn as_u64(count: usize) -> u64 {
    super::disk::as_u64(count)
}
