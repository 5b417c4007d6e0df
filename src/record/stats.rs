//! Stats: every counter, declared once, and their values at one moment.
//!
//! Counters add up: `captured = received + in queue + dropped`, and for each sink `routed = written
//! + dropped + in hand`, at every moment. Does not know what is counted.

use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::base::sync::{hint, thread};
use crate::record::level::Level;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Why a record did not reach the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
#[non_exhaustive]
pub enum Reason {
    /// The queue was filling up and the record's level gives way to more important ones.
    Shed = 0,
    /// The queue was full.
    Full = 1,
    /// The queue's byte budget was used up.
    Bytes = 2,
    /// Room did not appear within the time a record may wait.
    Timeout = 3,
    /// Logging had been shut down.
    Closed = 4,
    /// It was logged while a value was formatted for a record logged while formatting.
    Nested = 5,
    /// It was logged in a process that was forked from the one that logs.
    Forked = 6,
}

impl Reason {
    /// All reasons.
    pub const ALL: &[Self] = &[
        Self::Shed,
        Self::Full,
        Self::Bytes,
        Self::Timeout,
        Self::Closed,
        Self::Nested,
        Self::Forked,
    ];

    /// Its name in records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shed => "shed",
            Self::Full => "full",
            Self::Bytes => "bytes",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Nested => "nested",
            Self::Forked => "forked",
        }
    }
}

/// How many records were dropped before the queue, by level and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped([[u64; Reason::ALL.len()]; Level::COUNT]);

impl Dropped {
    /// The number for one level and reason.
    #[must_use]
    pub fn get(&self, level: Level, reason: Reason) -> u64 {
        self.0.get(level.index()).and_then(|row| row.get(reason as usize)).copied().unwrap_or(0)
    }

    /// All numbers that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Level, Reason, u64)> {
        let all = Level::ALL
            .into_iter()
            .flat_map(|level| Reason::ALL.iter().map(move |&reason| (level, reason)));
        all.map(|(level, reason)| (level, reason, self.get(level, reason))).filter(|of| of.2 > 0)
    }

    /// The sum of all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    pub(crate) fn set(&mut self, level: Level, reason: Reason, count: u64) {
        if let Some(of) = self.0.get_mut(level.index()).and_then(|row| row.get_mut(reason as usize))
        {
            *of = count;
        }
    }

    /// What was dropped for that reason alone.
    pub(crate) fn only(&self, reason: Reason) -> Self {
        let mut only = Self::default();
        for (row, all) in only.0.iter_mut().zip(&self.0) {
            if let (Some(count), Some(all)) =
                (row.get_mut(reason as usize), all.get(reason as usize))
            {
                *count = *all;
            }
        }
        only
    }

    /// What has been dropped since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut difference = *self;
        for (row, before) in difference.0.iter_mut().zip(&earlier.0) {
            for (count, before) in row.iter_mut().zip(before) {
                *count = count.saturating_sub(*before);
            }
        }
        difference
    }
}

/// Counts drops by level and reason, and remembers when they happened.
#[derive(Debug, Default)]
pub(crate) struct DropCounters {
    counts: [[AtomicU64; Reason::ALL.len()]; Level::COUNT],
    /// When the first one happened that was not reported yet, in nanoseconds since 1970; 0 if none.
    first_unix_ns: AtomicU64,
    last_unix_ns: AtomicU64,
    witness: Witness,
}

/// Another witness of each drop, which outlives this process.
#[derive(Default)]
struct Witness(OnceLock<Box<dyn Fn(Level, Reason) + Send + Sync>>);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "Witness" } else { "nobody" })
    }
}

impl DropCounters {
    /// Calls `witness` for each drop from now on. Only the first one is taken.
    pub(crate) fn witnessed_by(&self, witness: impl Fn(Level, Reason) + Send + Sync + 'static) {
        let _there_is_one = self.witness.0.set(Box::new(witness));
    }

    pub(crate) fn count(&self, level: Level, reason: Reason, unix_ns: u64) {
        self.last_unix_ns.store(unix_ns, Ordering::Relaxed);
        let unset = self.first_unix_ns.load(Ordering::Relaxed) == 0;
        if unset {
            self.first_unix_ns.store(unix_ns, Ordering::Relaxed);
        }
        if let Some(counter) =
            self.counts.get(level.index()).and_then(|row| row.get(reason as usize))
        {
            // Who sees the number also sees the times.
            counter.fetch_add(1, Ordering::Release);
        }
        if let Some(witness) = self.witness.0.get() {
            witness(level, reason);
        }
    }

    /// When the first and last drop happened since this was last asked, in nanoseconds since 1970.
    pub(crate) fn take_times(&self) -> (u64, u64) {
        let first = self.first_unix_ns.swap(0, Ordering::Relaxed);
        let last = self.last_unix_ns.load(Ordering::Relaxed);
        // The time of a drop may have been taken just before it was counted.
        (if first == 0 { last } else { first }, last)
    }

    /// When the last drop happened, in nanoseconds since 1970; 0 if there was none.
    pub(crate) fn last_unix_ns(&self) -> u64 {
        self.last_unix_ns.load(Ordering::Relaxed)
    }

    pub(crate) fn snapshot(&self) -> Dropped {
        let row = |row: &[AtomicU64; Reason::ALL.len()]| {
            std::array::from_fn(|at| row.get(at).map_or(0, |count| count.load(Ordering::Acquire)))
        };
        Dropped(std::array::from_fn(|at| self.counts.get(at).map_or_else(Default::default, row)))
    }
}

/// Counters of one sink. Only the listener writes them.
#[derive(Debug, Default)]
pub(crate) struct SinkCounters {
    pub(crate) routed: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) paused: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) failing: AtomicBool,
    /// Read by anyone who asks, and never held for long.
    problems: Mutex<Vec<String>>,
}

impl SinkCounters {
    /// Takes what is wrong with the sink now.
    pub(crate) fn set_problems(&self, problems: Vec<String>) {
        *self.problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
    }

    /// All of them at one moment. Each record is in hand from when it is routed until it is counted
    /// as something else, and none is counted twice: what is counted last is read first.
    pub(crate) fn snapshot(&self, name: &str) -> SinkStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let (refused, lost, paused) = (read(&self.refused), read(&self.lost), read(&self.paused));
        let written = read(&self.written);
        SinkStats {
            name: name.to_owned(),
            routed: read(&self.routed),
            written,
            refused,
            lost,
            paused,
            panics: read(&self.panics),
            errors: read(&self.errors),
            is_failing: self.failing.load(Ordering::Relaxed),
            problems: self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A seqlock: a reader sees a record either where it was or where it has gone, never in both places
/// nor in none, although the two are counted separately. One thread moves records and never waits
/// for a look.
#[derive(Debug, Default)]
pub(crate) struct SeqLock(AtomicU64);

/// A look is repeated when a record moved meanwhile. Between two records the mover writes or
/// sleeps, so a few tries will do; this bound only makes sure of an end.
const MAX_LOOKS: u32 = 100_000;

impl SeqLock {
    /// Moves records. The number is odd meanwhile.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        let moved = step();
        self.0.store(before.wrapping_add(2), Ordering::Release);
        moved
    }

    /// Looks while no record moves.
    pub(crate) fn look<T>(&self, look: impl Fn() -> T) -> T {
        for tried in 0..MAX_LOOKS {
            let before = self.0.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let seen = look();
                fence(Ordering::Acquire);
                if self.0.load(Ordering::Relaxed) == before {
                    return seen;
                }
            }
            if tried % 16 == 15 {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
        }
        look()
    }
}

/// Counters of the application's side and the listener.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Records on their way from the queue into `received`.
    pub(crate) moves: SeqLock,
    /// Records the listener took from the queue, by level.
    pub(crate) received: [AtomicU64; Level::COUNT],
    /// Records of the framework itself.
    pub(crate) own: AtomicU64,
    /// Values whose `Debug` or `Display` panicked or failed.
    pub(crate) unformatted: AtomicU64,
    /// Values in which a secret was masked.
    pub(crate) redacted: AtomicU64,
}

impl Counters {
    pub(crate) fn count_received(&self, level: Level) {
        if let Some(counter) = self.received.get(level.index()) {
            add(counter, 1);
        }
    }
}

/// Adds to a counter that only one thread writes: no locked instruction is needed.
///
/// A reader of the new value also sees what that thread counted before.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Release);
}

/// All counters at one moment; see [`LoggingHandle::stats`](crate::LoggingHandle::stats).
///
/// At every moment, also under load and while logging ends: `captured()` is not less than the
/// number of log calls that had returned before, nor more than the number of those that had begun.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Records the listener took from the queue.
    pub received: u64,
    /// The same by level, in the order of [`Level::ALL`].
    pub received_by_level: [u64; Level::COUNT],
    /// Records waiting in the queue.
    pub in_queue: u64,
    /// Bytes that the records in the queue take on the heap.
    pub queue_heap_bytes: u64,
    /// Records dropped before the queue.
    pub dropped: Dropped,
    /// Records of the framework itself (`logwell.started` and the like); not in `received`.
    pub own: u64,
    /// Values whose `Debug` or `Display` panicked or failed.
    pub unformatted_values: u64,
    /// Values in which a secret was masked: whole ones and texts with one or more; see
    /// [`RedactConfig`](crate::capture::options::RedactConfig).
    pub redacted_values: u64,
    /// Records that had no copy in the black box, since it was full: a `kill -9` before they were
    /// written would have lost them. All of them if no box could be made; 0 if none is wanted.
    pub unprotected: u64,
    /// Each sink.
    pub sinks: Vec<SinkStats>,
    /// Each destination to which records are forwarded, after its sink has put them on disk.
    pub destinations: Vec<DestinationStats>,
}

impl Stats {
    /// All records that log calls made: `received + in_queue + dropped`.
    #[must_use]
    pub fn captured(&self) -> u64 {
        self.received + self.in_queue + self.dropped.total()
    }

    /// The destination of that name: `logbeacon` and the like.
    #[must_use]
    pub fn destination(&self, name: &str) -> Option<&DestinationStats> {
        self.destinations.iter().find(|destination| destination.name == name)
    }

    /// The sink of that name.
    #[must_use]
    pub fn sink(&self, name: &str) -> Option<&SinkStats> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

impl fmt::Display for Stats {
    /// One readable line: what was captured, dropped (by level and reason) and written (by sink).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} captured", self.captured())?;
        if self.own > 0 {
            write!(f, " (and {} of logwell's own)", self.own)?;
        }
        write!(f, ", {} dropped", self.dropped.total())?;
        for (level, reason, count) in self.dropped.iter() {
            write!(f, " [{count} {level} {}]", reason.as_str())?;
        }
        if self.unprotected > 0 {
            write!(f, ", {} without a copy in the black box", self.unprotected)?;
        }
        if self.in_queue > 0 {
            write!(f, ", {} left in the queue", self.in_queue)?;
        }
        for (at, sink) in self.sinks.iter().enumerate() {
            write!(f, "{}{sink}", if at == 0 { "; written: " } else { ", " })?;
        }
        for (at, destination) in self.destinations.iter().enumerate() {
            write!(f, "{}{destination}", if at == 0 { "; delivered: " } else { ", " })?;
        }
        Ok(())
    }
}

/// The counters of one sink at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// The sink's name: `app`, `errors`, `ai`, `console`, or yours.
    pub name: String,
    /// Records that were meant for it.
    pub routed: u64,
    /// Records it handed to its destination.
    pub written: u64,
    /// Records it did not take, since its backlog was full or the record could not be written.
    pub refused: u64,
    /// Records it had taken and then lost.
    pub lost: u64,
    /// Records that came while it rested after a panic.
    pub paused: u64,
    /// How often it panicked.
    pub panics: u64,
    /// How often it reported an error.
    pub errors: u64,
    /// Whether it has failed, and has handed over no record since.
    pub is_failing: bool,
    /// Its current problems, for people: why it fails, or has failed within the last second, and
    /// what it does not keep of what the configuration says
    /// ([`Sink::problems`](crate::sink::Sink)).
    pub problems: Vec<String>,
}

impl SinkStats {
    /// Records that were meant for it and will never arrive.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.refused + self.lost + self.paused
    }

    /// Records it has taken and not yet handed over.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.routed.saturating_sub(self.written + self.dropped())
    }
}

impl fmt::Display for SinkStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.written)?;
        if self.dropped() > 0 {
            write!(f, " (dropped {})", self.dropped())?;
        }
        if self.in_hand() > 0 {
            write!(f, " (not written {})", self.in_hand())?;
        }
        Ok(())
    }
}

/// What has become of the records for one destination; see [`Stats::destinations`].
///
/// Its sink, of the same name, counts what was put on disk. From there on: `found + put on disk =
/// delivered + refused + evicted + damaged + waiting`, but for records that were delivered and are
/// not acknowledged yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationStats {
    /// The destination's name, which is that of its sink.
    pub name: String,
    /// Records that were waiting on disk already when logging was set up.
    pub found: u64,
    /// Records that the other side has taken.
    pub delivered: u64,
    /// Records that it has refused for good: they are among the dead letters.
    pub refused: u64,
    /// Attempts that failed and were or will be made again.
    pub failed_attempts: u64,
    /// Records that were deleted from the disk since there was no room or they were too old.
    pub evicted: u64,
    /// Records that were on disk and cannot be read any more.
    pub damaged: u64,
    /// Records that wait on disk.
    pub waiting: u64,
    /// How many bytes they take.
    pub waiting_bytes: u64,
    /// When the oldest of them came, in milliseconds since 1970.
    pub oldest_unix_ms: Option<u64>,
    /// Why the last attempt failed; `None` if it did not.
    pub problem: Option<String>,
}

impl fmt::Display for DestinationStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.delivered)?;
        for (count, what) in [
            (self.waiting, "not sent"),
            (self.refused, "refused"),
            (self.evicted, "evicted"),
            (self.damaged, "damaged"),
        ] {
            if count > 0 {
                write!(f, " ({count} {what})")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_whose_time_was_told_before_it_was_counted_is_told_with_a_time_too() {
        let drops = DropCounters::default();
        drops.count(Level::Info, Reason::Full, 5);
        assert_eq!(drops.take_times(), (5, 5));
        assert_eq!(drops.take_times(), (5, 5), "so that it is not told as of 1970");
        drops.count(Level::Info, Reason::Full, 6);
        drops.count(Level::Info, Reason::Full, 7);
        assert_eq!(drops.take_times(), (6, 7));
    }
}
