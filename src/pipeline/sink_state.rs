//! Supervised sink: a sink with its counters and its state of health.
//!
//! Isolates the listener from a sink's panics and errors, counts the outcome of its records, and
//! notes when it fails and when it works again. Knows no queue and no other sink.

use crate::base::selflog;
use crate::base::unwind::discard;
use crate::pipeline::internal_records::SinkRecovered;
use crate::record::Record;
use crate::record::stats::{SinkCounters, add};
use crate::sink::{FlushError, Sink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A sink that delivers and has had no trouble for this long has recovered.
const RECOVERED_AFTER: Duration = Duration::from_secs(1);
/// A sink that panicked is left alone this long, then twice as long, up to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A sink with its counters and its state of health.
pub(crate) struct SupervisedSink {
    pub(crate) name: String,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) counters: Arc<SinkCounters>,
    /// Whether the black box keeps records until this sink has handed them on.
    pub(crate) is_recoverable: bool,
    /// Whether it was given records of a process that has ended since it was flushed.
    has_recovered: bool,
    /// Taken by the sink and not yet reported as handed over.
    pending: u64,
    pause: Option<Pause>,
    outage: Option<Outage>,
    /// What its counters say is wrong with it.
    problems: Vec<String>,
}

/// The time since a sink first failed.
#[derive(Debug)]
struct Outage {
    since: Instant,
    last_trouble: Instant,
    /// Whether it has handed records over since, or has none to hand over and has lost and kept
    /// none.
    delivers: bool,
    /// Whether records were lost or kept: then only a record that is handed over shows that it
    /// works.
    owes: bool,
    problem: String,
    /// What it had dropped before.
    dropped_before: u64,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Instant,
    length: Duration,
}

impl SupervisedSink {
    pub(crate) fn new(name: String, sink: Box<dyn Sink>) -> Self {
        let is_recoverable = sink.mark().is_some();
        Self {
            name,
            sink,
            counters: Arc::default(),
            is_recoverable,
            has_recovered: false,
            pending: 0,
            pause: None,
            outage: None,
            problems: Vec::new(),
        }
    }

    /// Gives the sink a record of a process that has ended: it is in none of this one's numbers.
    pub(crate) fn write_recovered(&mut self, record: &Record, now: Instant) -> bool {
        self.has_recovered = true;
        matches!(self.call(now, |sink| sink.write(record)), Some(Ok(())))
    }

    /// Gives the sink a record, and counts it.
    pub(crate) fn write(&mut self, record: &Record, now: Instant) {
        self.count_write(record, now);
        if self.outage.is_some() && self.problems.is_empty() {
            self.show_problems(now);
        }
    }

    fn count_write(&mut self, record: &Record, now: Instant) {
        add(&self.counters.routed, 1);
        if self.is_paused(now) {
            add(&self.counters.paused, 1);
            self.owe();
            return;
        }
        match self.call(now, |sink| sink.write(record)) {
            Some(Ok(())) => self.pending += 1,
            Some(Err(error)) => {
                self.trouble(now, "refused a record", &error);
                self.owe();
                add(&self.counters.refused, 1);
            }
            None => {
                self.owe();
                add(&self.counters.lost, 1);
            }
        }
    }

    /// Flushes the sink; says so if it works again after an outage.
    pub(crate) fn flush(
        &mut self,
        now: Instant,
        how: impl FnOnce(&mut dyn Sink) -> Result<(), FlushError>,
    ) -> Option<SinkRecovered> {
        let recovered = self.count_flush(now, how);
        self.show_problems(now);
        recovered
    }

    /// Has the counters say what is wrong now.
    pub(crate) fn show_problems(&mut self, now: Instant) {
        let promises = match self.is_paused(now) {
            true => Vec::new(),
            false => self.call(now, |sink| sink.problems()).unwrap_or_default(),
        };
        if self.outage.is_none() && promises.is_empty() && self.problems.is_empty() {
            return;
        }
        let outage = self.outage.iter().map(|outage| outage.problem.clone());
        let problems: Vec<_> = outage.chain(promises).collect();
        if problems != self.problems {
            self.problems.clone_from(&problems);
            self.counters.set_problems(problems);
        }
    }

    fn count_flush(
        &mut self,
        now: Instant,
        how: impl FnOnce(&mut dyn Sink) -> Result<(), FlushError>,
    ) -> Option<SinkRecovered> {
        if self.is_paused(now) {
            return None;
        }
        match self.call(now, how)? {
            Ok(()) => {
                self.has_recovered = false;
                self.flushed(now, 0)
            }
            Err(unflushed) if unflushed.is_only_waiting() => self.flushed(now, unflushed.kept),
            Err(FlushError { error, kept, lost }) => {
                self.trouble(now, "could not write", &error);
                let kept = kept.min(self.pending);
                if kept > 0 || lost > 0 {
                    self.owe();
                }
                self.settle(self.pending - kept, lost);
                self.pending = kept;
                None
            }
        }
    }

    /// A flush went well; `waiting` records are still on their way.
    fn flushed(&mut self, now: Instant, waiting: u64) -> Option<SinkRecovered> {
        let waiting = waiting.min(self.pending);
        let delivered = self.pending - waiting;
        self.pending = waiting;
        self.settle(delivered, 0);
        self.pause = None;
        let owes = self.outage.as_ref().is_some_and(|outage| outage.owes);
        let delivers = delivered > 0 || (waiting == 0 && !owes);
        if let Some(outage) = self.outage.as_mut().filter(|_| delivered > 0) {
            outage.owes = false;
        }
        if delivers {
            self.counters.failing.store(false, Ordering::Relaxed);
        }
        self.recovered(now, delivers)
    }

    /// Whether it is to be left alone now.
    fn is_paused(&self, now: Instant) -> bool {
        self.pause.is_some_and(|pause| now < pause.until)
    }

    /// Whether the sink has records that it could not hand over yet.
    pub(crate) fn has_pending(&self) -> bool {
        self.pending > 0 || self.has_recovered
    }

    /// Forgets that it was to be left alone: there is no later.
    pub(crate) fn end_pause(&mut self) {
        self.pause = None;
    }

    /// Ends an outage once the sink delivers and has had no trouble for a while: one that works
    /// only now and then is not worth a record each time.
    fn recovered(&mut self, now: Instant, delivered: bool) -> Option<SinkRecovered> {
        let outage = self.outage.as_mut()?;
        outage.delivers |= delivered;
        let quiet_for = now.saturating_duration_since(outage.last_trouble);
        if !outage.delivers || quiet_for < RECOVERED_AFTER {
            return None;
        }
        self.end_outage()
    }

    /// Ends an outage if the sink delivers again, without waiting whether it goes on doing so.
    pub(crate) fn end_outage(&mut self) -> Option<SinkRecovered> {
        let outage = self.outage.take_if(|outage| outage.delivers)?;
        Some(SinkRecovered {
            sink: self.name.clone(),
            problem: outage.problem,
            failed_for: outage.last_trouble.saturating_duration_since(outage.since),
            dropped: self.counters.snapshot("").dropped().saturating_sub(outage.dropped_before),
        })
    }

    /// Counts what was handed over and what was lost; a loss may have been counted as written by an
    /// earlier flush.
    fn settle(&self, gone: u64, lost: u64) {
        let all = gone + self.counters.written.load(Ordering::Relaxed);
        let lost = if lost == u64::MAX { gone } else { lost.min(all) };
        self.counters.written.store(all - lost, Ordering::Release);
        add(&self.counters.lost, lost);
    }

    /// Calls the sink; a panic is caught and makes it rest for a while.
    pub(crate) fn call<T>(
        &mut self,
        now: Instant,
        call: impl FnOnce(&mut dyn Sink) -> T,
    ) -> Option<T> {
        let sink = &mut *self.sink;
        match catch_unwind(AssertUnwindSafe(|| call(sink))) {
            Ok(result) => Some(result),
            Err(panic) => {
                discard(panic);
                add(&self.counters.panics, 1);
                let length = self.pause.map_or(FIRST_PAUSE, |pause| pause.length * 2);
                let length = length.min(LONGEST_PAUSE);
                self.pause = Some(Pause { until: now + length, length });
                self.trouble(now, "panicked", &format_args!("it is left alone for {length:?}"));
                None
            }
        }
    }

    /// Records are lost or wait: it is not well before one arrives.
    fn owe(&mut self) {
        if let Some(outage) = &mut self.outage {
            (outage.owes, outage.delivers) = (true, false);
        }
    }

    fn trouble(&mut self, now: Instant, what: &str, why: &dyn std::fmt::Display) {
        add(&self.counters.errors, 1);
        let outage = self.outage.get_or_insert_with(|| Outage {
            since: now,
            last_trouble: now,
            delivers: false,
            owes: false,
            problem: format!("{what}: {why}"),
            dropped_before: self.counters.snapshot("").dropped(),
        });
        (outage.last_trouble, outage.delivers) = (now, false);
        self.counters.failing.store(true, Ordering::Relaxed);
        selflog::tell(&format!("sink {} {what}", self.name), why);
    }
}
