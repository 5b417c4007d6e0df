//! Listener: takes records from the queue, numbers them, and gives each to its sinks.
//!
//! Knows the queue, the routes and the `Sink` trait; knows no kind of sink. Runs on a thread of its
//! own, or is stepped by a test.

use crate::caller;
use crate::capture::discard;
use crate::clock::Clock;
use crate::own::{Own, Recovered};
use crate::queue::Queue;
use crate::record::Record;
use crate::route::Routes;
use crate::selflog;
use crate::sink::{Sink, Unflushed};
use crate::stats::{Counters, Dropped, Reason, SinkCounters, add};
use crate::waker::Sleep;
use crossbeam_channel::{Receiver, Sender};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// At most so many records are taken before control messages are looked at.
const BATCH: usize = 1_024;
/// While records keep coming, sinks are flushed at least this often.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// While records come now and then, the listener dozes at most this long: the time in which a
/// record reaches its file.
const LONGEST_DOZE: Duration = Duration::from_millis(4);
const SHORTEST_DOZE: Duration = Duration::from_micros(100);
/// After this long without a record it sleeps deeply, and the next record wakes it.
const DOZE_FOR: Duration = Duration::from_millis(100);
/// How often it looks after its files then.
const DEEP_SLEEP: Duration = Duration::from_secs(1);
/// How often a sink that has kept records is asked to try again.
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// Losses are told at most this often.
const TELL_LOSSES_EVERY: Duration = Duration::from_secs(1);
/// A sink that delivers and has had no trouble for this long has recovered.
const RECOVERED_AFTER: Duration = Duration::from_secs(1);
/// A sink that panicked is left alone this long, then twice as long, up to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the listener can be asked to do. Never goes through the record queue.
#[derive(Debug)]
pub(crate) enum Control {
    /// Hand over everything that was in the queue when the message came.
    Flush(Sender<()>),
    Rotate(Sender<io::Result<()>>),
    Reopen(Sender<io::Result<()>>),
    Files(Sender<Vec<(String, Vec<PathBuf>)>>),
    /// Drain, sync, write the receipt and end. The answer is the files, as `Files` gives them.
    Stop(Sender<Vec<(String, Vec<PathBuf>)>>),
}

/// Whether the listener goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It took so many records.
    Took(usize),
    /// It has stopped for good.
    Stopped,
}

/// A sink with its counters and its state of health.
pub(crate) struct SinkSlot {
    pub(crate) name: String,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) counters: Arc<SinkCounters>,
    /// Taken by the sink and not yet reported as handed over.
    pending: u64,
    pause: Option<Pause>,
    outage: Option<Outage>,
}

/// The time since a sink first failed.
#[derive(Debug)]
struct Outage {
    since: Instant,
    last_trouble: Instant,
    /// Whether it has handed records over since.
    delivers: bool,
    problem: String,
    /// What it had dropped before.
    dropped_before: u64,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Instant,
    length: Duration,
}

/// The second half of the pipeline: from the queue to the sinks.
///
/// [`init_logging`](crate::init_logging) runs it on a thread of its own. A test can take it in hand
/// with [`Builder::build_stepped`](crate::Builder::build_stepped).
pub struct Listener {
    pub(crate) queue: Arc<Queue<Record>>,
    pub(crate) control: Receiver<Control>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) routes: Routes,
    pub(crate) sinks: Vec<SinkSlot>,
    pub(crate) clock: Clock,
    pub(crate) own: Own,
    seq: u64,
    flushed: Instant,
    told: Dropped,
    told_at: Option<Instant>,
    stopped: bool,
}

impl SinkSlot {
    pub(crate) fn new(name: String, sink: Box<dyn Sink>) -> Self {
        Self { name, sink, counters: Arc::default(), pending: 0, pause: None, outage: None }
    }

    fn write(&mut self, record: &Record, now: Instant) {
        add(&self.counters.routed, 1);
        if self.pause.is_some_and(|pause| now < pause.until) {
            add(&self.counters.paused, 1);
            return;
        }
        match self.call(now, |sink| sink.write(record)) {
            Some(Ok(())) => self.pending += 1,
            Some(Err(error)) => {
                add(&self.counters.refused, 1);
                self.trouble(now, "refused a record", &error);
            }
            None => add(&self.counters.lost, 1),
        }
    }

    /// Flushes the sink; says so if it works again after an outage.
    fn flush(
        &mut self,
        now: Instant,
        how: impl FnOnce(&mut dyn Sink) -> Result<(), Unflushed>,
    ) -> Option<Recovered> {
        if self.pause.is_some_and(|pause| now < pause.until) {
            return None;
        }
        match self.call(now, how)? {
            Ok(()) => {
                let delivered = std::mem::take(&mut self.pending);
                self.settle(delivered, 0);
                self.pause = None;
                self.counters.failing.store(false, Ordering::Relaxed);
                self.recovered(now, delivered > 0)
            }
            Err(Unflushed { error, kept, lost }) => {
                let kept = kept.min(self.pending);
                self.settle(self.pending - kept, lost);
                self.pending = kept;
                self.trouble(now, "could not write", &error);
                None
            }
        }
    }

    /// Ends an outage once the sink delivers and has had no trouble for a while: one that works
    /// only now and then is not worth a record each time.
    fn recovered(&mut self, now: Instant, delivered: bool) -> Option<Recovered> {
        let outage = self.outage.as_mut()?;
        outage.delivers |= delivered;
        let quiet_for = now.saturating_duration_since(outage.last_trouble);
        if !outage.delivers || quiet_for < RECOVERED_AFTER {
            return None;
        }
        let outage = self.outage.take()?;
        Some(Recovered {
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
        self.counters.written.store(all - lost, Ordering::Relaxed);
        add(&self.counters.lost, lost);
    }

    /// Calls the sink; a panic is caught and makes it rest for a while.
    fn call<T>(&mut self, now: Instant, call: impl FnOnce(&mut dyn Sink) -> T) -> Option<T> {
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

    fn trouble(&mut self, now: Instant, what: &str, why: &dyn std::fmt::Display) {
        add(&self.counters.errors, 1);
        let outage = self.outage.get_or_insert_with(|| Outage {
            since: now,
            last_trouble: now,
            delivers: false,
            problem: format!("{what}: {why}"),
            dropped_before: self.counters.snapshot("").dropped(),
        });
        (outage.last_trouble, outage.delivers) = (now, false);
        self.counters.failing.store(true, Ordering::Relaxed);
        selflog::tell(&format!("sink {} {what}", self.name), why);
    }
}

impl Listener {
    pub(crate) fn new(
        queue: Arc<Queue<Record>>,
        control: Receiver<Control>,
        counters: Arc<Counters>,
        routes: Routes,
        sinks: Vec<SinkSlot>,
        clock: Clock,
        own: Own,
    ) -> Self {
        let flushed = clock.now();
        Self {
            queue,
            control,
            counters,
            routes,
            sinks,
            clock,
            own,
            seq: 0,
            flushed,
            told: Dropped::default(),
            told_at: None,
            stopped: false,
        }
    }

    /// Does what there is to do, and returns: obeys control messages, takes a batch of records,
    /// flushes.
    pub fn step(&mut self) -> Step {
        if self.stopped {
            return Step::Stopped;
        }
        let taken = self.take(BATCH);
        let now = self.clock.now();
        let ran_empty = taken < BATCH;
        if ran_empty || now.saturating_duration_since(self.flushed) >= FLUSH_EVERY {
            self.tell_losses(now);
            self.flush(now);
        }
        while let Ok(message) = self.control.try_recv() {
            self.obey(message);
            if self.stopped {
                return Step::Stopped;
            }
        }
        Step::Took(taken)
    }

    /// Steps until it is stopped, on a thread of its own.
    pub(crate) fn run(mut self) {
        caller::claim_thread();
        let queue = Arc::clone(&self.queue);
        queue.waker.attach();
        self.write_own(|own| own.started());
        let mut doze = SHORTEST_DOZE;
        let mut last_record = self.clock.now();
        loop {
            match self.step() {
                Step::Stopped => return,
                Step::Took(0) => {
                    let (how, at_most) = self.sleep_after(last_record, doze);
                    let control = &self.control;
                    queue.waker.sleep(how, at_most, || queue.len() > 0 || !control.is_empty());
                    doze = (doze * 2).min(LONGEST_DOZE);
                }
                Step::Took(_) => {
                    doze = SHORTEST_DOZE;
                    last_record = self.clock.now();
                }
            }
        }
    }

    fn sleep_after(&self, last_record: Instant, doze: Duration) -> (Sleep, Duration) {
        if self.clock.now().saturating_duration_since(last_record) < DOZE_FOR {
            (Sleep::Doze, doze)
        } else if self.sinks.iter().any(|slot| slot.pending > 0) {
            (Sleep::Deep, RETRY_EVERY)
        } else {
            (Sleep::Deep, DEEP_SLEEP)
        }
    }

    fn take(&mut self, at_most: usize) -> usize {
        let queue = Arc::clone(&self.queue);
        let now = self.clock.now();
        let mut taken = 0;
        while taken < at_most {
            let Some(record) = queue.take(Record::heap_bytes) else { break };
            taken += 1;
            self.counters.count_received(record.level());
            self.accept(record, now);
        }
        taken
    }

    fn accept(&mut self, mut record: Record, now: Instant) {
        self.seq += 1;
        record.seq = self.seq;
        for at in self.routes.of(&record).iter() {
            if let Some(slot) = self.sinks.get_mut(at) {
                slot.write(&record, now);
            }
        }
    }

    /// Writes one of the framework's own records, which nothing can drop on the way.
    pub(crate) fn write_own(&mut self, make: impl FnOnce(&Own) -> Record) {
        add(&self.counters.own, 1);
        let record = make(&self.own);
        let now = self.clock.now();
        self.accept(record, now);
    }

    fn flush(&mut self, now: Instant) {
        self.flushed = now;
        let flush = |slot: &mut SinkSlot| slot.flush(now, |sink| sink.flush());
        let recovered: Vec<_> = self.sinks.iter_mut().filter_map(flush).collect();
        for recovered in &recovered {
            self.write_own(|own| own.recovered(recovered));
        }
    }

    /// Says in the log what was dropped since it was last said, once the pressure is off.
    fn tell_losses(&mut self, now: Instant) {
        let dropped = self.queue.dropped();
        let recently = |told: Instant| now.saturating_duration_since(told) < TELL_LOSSES_EVERY;
        if dropped == self.told || self.told_at.is_some_and(recently) {
            return;
        }
        let since = dropped.since(&self.told);
        self.told = dropped;
        self.told_at = Some(now);
        self.write_own(|own| own.dropped(&since));
        selflog::tell("records were dropped", &format_args!("{} so far", dropped.total()));
    }

    fn obey(&mut self, message: Control) {
        match message {
            Control::Flush(done) => {
                self.drain();
                self.flush(self.clock.now());
                let _nobody_waits = done.send(());
            }
            Control::Rotate(done) => {
                self.drain();
                self.flush(self.clock.now());
                let _nobody_waits = done.send(self.for_all(|sink| sink.rotate()));
            }
            Control::Reopen(done) => {
                let _nobody_waits = done.send(self.for_all(|sink| sink.reopen()));
            }
            Control::Files(done) => {
                let _nobody_waits = done.send(self.files());
            }
            Control::Stop(done) => {
                self.stop();
                let _nobody_waits = done.send(self.files());
            }
        }
    }

    fn files(&self) -> Vec<(String, Vec<PathBuf>)> {
        self.sinks.iter().map(|slot| (slot.name.clone(), slot.sink.files())).collect()
    }

    /// Takes what is in the queue now; what comes meanwhile can wait.
    fn drain(&mut self) {
        let mut left = self.queue.len();
        while left > 0 {
            match self.take(left) {
                0 => return,
                taken => left -= taken.min(left),
            }
        }
    }

    fn stop(&mut self) {
        while self.take(BATCH) > 0 {}
        // From here on a sender that was on its way takes its item back.
        self.queue.abandon();
        while self.take(BATCH) > 0 {}
        let untold = self.queue.dropped().since(&self.told);
        if untold.total() > 0 {
            self.write_own(|own| own.dropped(&untold));
        }
        self.flush(self.clock.now());
        let stats: Vec<_> =
            self.sinks.iter().map(|slot| slot.counters.snapshot(&slot.name)).collect();
        let counters = Arc::clone(&self.counters);
        let dropped = self.queue.dropped();
        self.write_own(|own| own.stopped(&counters, &dropped, &stats));
        let now = self.clock.now();
        for slot in &mut self.sinks {
            slot.pause = None;
            slot.flush(now, |sink| sink.sync());
        }
        self.stopped = true;
    }

    fn for_all(&mut self, call: impl Fn(&mut dyn Sink) -> io::Result<()>) -> io::Result<()> {
        let now = self.clock.now();
        let mut first_error = Ok(());
        for slot in &mut self.sinks {
            match slot.call(now, &call) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    let error = io::Error::new(error.kind(), format!("{}: {error}", slot.name));
                    first_error = first_error.and(Err(error));
                }
                None => {
                    let error = io::Error::other(format!("{}: the sink panicked", slot.name));
                    first_error = first_error.and(Err(error));
                }
            }
        }
        first_error
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.queue.abandon();
        while let Some(record) = self.queue.take(Record::heap_bytes) {
            self.queue.refuse(record.level(), Reason::Closed);
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.sinks.iter().map(|slot| &slot.name).collect();
        f.debug_struct("Listener").field("seq", &self.seq).field("sinks", &names).finish()
    }
}
