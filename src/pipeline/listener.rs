//! Listener: takes records from the queue, numbers them, and gives each to its sinks.
//!
//! Knows the queue, the routes and the `Sink` trait; knows no kind of sink. Runs on a separate
//! thread, or is stepped by a test.

use crate::base::clock::{Clock, TimeOfDay};
use crate::base::unwind::discard;
use crate::base::{selflog, thread};
use crate::black_box::{self, BlackBox, DeadBox, Journal, Place};
use crate::metrics::LogRecords;
use crate::pipeline::end::End;
use crate::pipeline::internal_records::{Filtered, InternalRecords, Receipt};
use crate::pipeline::pool::{FreeList, PooledRecord, RecordPool};
use crate::pipeline::queue::Queue;
use crate::pipeline::route::Routes;
use crate::pipeline::sink_state::SupervisedSink;
use crate::pipeline::waker::Sleep;
use crate::pipeline::{after_shutdown, recovery};
use crate::record::Record;
use crate::record::stats::{Counters, Dropped, add};
use crate::sink::Sink;
use crossbeam_channel::{Receiver, Sender};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So long a shutdown goes on to recover; what is left then waits for the next start.
const RECOVER_AT_END_FOR: Duration = Duration::from_secs(1);
/// At most so many records are taken before control messages are looked at.
const BATCH: usize = 1_024;
/// So many are taken in hand at a time, so that they come out of the callers' caches side by side
/// and not one after the other.
const HAND: usize = 32;
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
/// With a black box they are flushed at least after so many: copies of what is written make room.
const FLUSH_RECORDS: u64 = 4_096;
/// How often a sink that has kept records is asked to try again.
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// How often is looked whether the black box is still there, while the listener is awake.
const LOOK_AT_BOX_EVERY: Duration = Duration::from_millis(100);
/// A program that catches panic after panic does not wait for the disk each time.
const SYNC_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// Losses are reported at most this often.
const TELL_LOSSES_EVERY: Duration = Duration::from_secs(1);

/// What the listener can be asked to do. Never goes through the record queue.
#[derive(Debug)]
pub(crate) enum Control {
    /// Hand over everything that was in the queue when the message came.
    Flush(Sender<()>),
    /// The same, with a record of the framework's own at the end, made durable.
    Write(Box<Record>, Sender<()>),
    Rotate(Sender<io::Result<()>>),
    Reopen(Sender<io::Result<()>>),
    Files(Sender<SinkFiles>),
    /// Drain, sync, write the receipt and end; the answer is what the sinks say then.
    Stop(Ending, Sender<End>),
}

/// How much time there is for the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// When the shutdown has begun.
    pub(crate) since: Instant,
    /// Until then sinks may wait for what is on its way.
    pub(crate) until: Instant,
}

/// The files of each sink, by its name.
pub(crate) type SinkFiles = Vec<(String, Vec<PathBuf>)>;

/// Whether the listener continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It took so many records.
    Took(usize),
    /// It has stopped for good.
    Stopped,
}

/// What a listener is made of.
pub(crate) struct Parts {
    pub(crate) queue: Arc<Queue<Box<PooledRecord>>>,
    pub(crate) spares: Arc<RecordPool>,
    pub(crate) control: Receiver<Control>,
    /// Set when it is gone.
    pub(crate) is_gone: Arc<AtomicBool>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) by_logger: LogRecords,
    pub(crate) routes: Routes,
    pub(crate) sinks: Vec<SupervisedSink>,
    pub(crate) clock: Clock,
    pub(crate) own: InternalRecords,
    pub(crate) keeper: Option<Journal>,
    pub(crate) black_box: Option<Arc<BlackBox>>,
    /// The black boxes of processes that have ended.
    pub(crate) dead: Vec<DeadBox>,
}

/// The second half of the pipeline: from the queue to the sinks.
///
/// [`init_logging`](crate::init_logging) runs it on a separate thread. A test can take it in hand
/// with [`Builder::build_stepped`](crate::Builder::build_stepped).
pub struct Listener {
    pub(crate) queue: Arc<Queue<Box<PooledRecord>>>,
    spares: Arc<RecordPool>,
    /// Records it has in hand; empty between two calls.
    #[expect(clippy::vec_box, reason = "the boxes came through the queue and go back as they are")]
    hand: Vec<Box<PooledRecord>>,
    /// Records it is done with.
    done: FreeList,
    pub(crate) control: Receiver<Control>,
    is_gone: Arc<AtomicBool>,
    pub(crate) counters: Arc<Counters>,
    by_logger: LogRecords,
    pub(crate) routes: Routes,
    pub(crate) sinks: Vec<SupervisedSink>,
    pub(crate) clock: Clock,
    pub(crate) own: InternalRecords,
    keeper: Option<Journal>,
    black_box: Option<Arc<BlackBox>>,
    looked_at_box: Option<Instant>,
    /// How many records without a copy were reported.
    unprotected: u64,
    /// Black boxes that are to be recovered, and those whose records are in the sinks' hands, each
    /// with how many of its entries are damaged.
    dead: VecDeque<DeadBox>,
    recovered: Vec<(DeadBox, u64)>,
    seq: u64,
    /// The last record of which all sinks have said that they have handed it on.
    handed_on: u64,
    flushed: Instant,
    told: Dropped,
    told_at: Option<Instant>,
    filtered: Filtered,
    synced: Option<Instant>,
    stopped: bool,
}

impl Listener {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { queue, spares, control, is_gone, counters, routes, sinks, .. } = parts;
        let Parts { clock, own, keeper, black_box, dead, by_logger, .. } = parts;
        let flushed = clock.now();
        let mut listener = Self {
            queue,
            spares,
            hand: Vec::with_capacity(HAND),
            done: FreeList::default(),
            control,
            is_gone,
            counters,
            by_logger,
            routes,
            sinks,
            clock,
            own,
            keeper,
            black_box,
            looked_at_box: None,
            unprotected: 0,
            dead: dead.into(),
            recovered: Vec::new(),
            seq: 0,
            handed_on: 0,
            flushed,
            told: Dropped::default(),
            told_at: None,
            filtered: Filtered::default(),
            synced: None,
            stopped: false,
        };
        listener.hand_on();
        listener
    }

    /// Does what there is to do, and returns: obeys control messages, takes a batch of records,
    /// flushes.
    pub fn step(&mut self) -> Step {
        if self.stopped {
            return Step::Stopped;
        }
        let _inside = thread::Inside::enter();
        self.recover();
        let taken = self.take(BATCH);
        let now = self.clock.now();
        let ran_empty = taken < BATCH;
        let is_due = now.saturating_duration_since(self.flushed) >= FLUSH_EVERY;
        let is_much = self.keeper.is_some() && self.seq - self.handed_on >= FLUSH_RECORDS;
        if ran_empty || is_due || is_much {
            self.tell_losses(now);
            self.tell_filtered(now);
            self.flush(now);
        }
        // No more than there are now: a storm of questions must not keep records waiting.
        for _ in 0..self.control.len() {
            let Ok(message) = self.control.try_recv() else { break };
            self.obey(message);
            if self.stopped {
                return Step::Stopped;
            }
        }
        Step::Took(taken)
    }

    /// Ends as a killed process does: what sinks have in hand is gone. Their locks stay, in this
    /// process.
    #[cfg(test)]
    pub(crate) fn kill(mut self) {
        drop((self.keeper.take(), self.black_box.take(), std::mem::take(&mut self.dead)));
        drop(std::mem::take(&mut self.recovered));
        std::mem::forget(self);
    }

    /// Steps until it is stopped, on a separate thread.
    pub(crate) fn run(mut self) {
        thread::mark_internal_thread();
        std::mem::forget(thread::Inside::enter()); // for good
        let queue = Arc::clone(&self.queue);
        queue.waker.attach();
        self.recover();
        self.write_internal(|own| own.started());
        let mut doze = SHORTEST_DOZE;
        let mut last_record = self.clock.now();
        loop {
            match self.step() {
                Step::Stopped => return,
                Step::Took(0) if self.dead.is_empty() => {
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
        } else if self.sinks.iter().any(|slot| slot.has_pending()) {
            (Sleep::Deep, RETRY_EVERY)
        } else {
            (Sleep::Deep, DEEP_SLEEP)
        }
    }

    fn take(&mut self, at_most: usize) -> usize {
        let queue = Arc::clone(&self.queue);
        let (now, time_of_day) = (self.clock.now(), TimeOfDay::now());
        let mut taken = 0;
        let mut hand = std::mem::take(&mut self.hand);
        while taken < at_most {
            let room = HAND.min(at_most - taken);
            self.counters.moves.during(|| {
                let next = || queue.take(|spare| spare.record.heap_bytes());
                hand.extend(std::iter::from_fn(next).take(room).inspect(|spare| {
                    self.counters.count_received(spare.record.level());
                    self.by_logger.received(&spare.record);
                    spare.record.fields.touch();
                }));
            });
            if hand.is_empty() {
                break;
            }
            taken += hand.len();
            for mut spare in hand.drain(..) {
                spare.record.unix_ns = time_of_day.unix_ns_at(spare.ticks);
                let place = std::mem::take(&mut spare.place);
                self.accept(&mut spare.record, place, now);
                self.spares.give_back(spare, &mut self.done);
            }
        }
        self.hand = hand;
        taken
    }

    fn accept(&mut self, record: &mut Record, place: Place, now: Instant) {
        self.seq += 1;
        record.seq = self.seq;
        if let Some(keeper) = &mut self.keeper {
            keeper.note(self.seq, record.unix_ns, place);
        }
        let sinks = self.routes.of(record);
        for at in sinks.iter() {
            if let Some(slot) = self.sinks.get_mut(at) {
                slot.write(record, now);
            }
        }
        if !sinks.has_all(self.routes.ledgers()) {
            self.filtered.count(self.seq);
            // Before the next record: who sees that a number is missing can see why.
            self.tell_filtered(now);
        }
    }

    /// Says in the log that records were kept out of the ledger, when that is due.
    fn tell_filtered(&mut self, now: Instant) {
        let ledger = self.routes.ledgers().iter().next().and_then(|at| self.sinks.get(at));
        let Some(ledger) = ledger.filter(|_| self.filtered.is_due(now)) else { return };
        let (name, filtered) = (ledger.name.clone(), self.filtered.told(now));
        self.write_internal(|own| own.filtered(&name, &filtered));
    }

    /// Writes one of logwell's own records, which nothing can drop on the way.
    pub(crate) fn write_internal(&mut self, make: impl FnOnce(&InternalRecords) -> Record) {
        add(&self.counters.own, 1);
        let mut record = make(&self.own);
        let now = self.clock.now();
        let keep = |keeper: &mut Journal| keeper.keep_internal(&record);
        let place = self.keeper.as_mut().map_or(Place::NOWHERE, keep);
        self.accept(&mut record, place, now);
    }

    fn flush(&mut self, now: Instant) {
        self.flushed = now;
        let flush = |slot: &mut SupervisedSink| slot.flush(now, |sink| sink.flush());
        let recovered: Vec<_> = self.sinks.iter_mut().filter_map(flush).collect();
        self.hand_on();
        self.tell_unprotected();
        self.look_after_box(now);
        for recovered in &recovered {
            self.write_internal(|own| own.recovered(recovered));
        }
    }

    /// Says so when records have no copy in the black box.
    fn tell_unprotected(&mut self) {
        let unprotected = self.keeper.as_ref().map_or(0, Journal::unprotected);
        if unprotected > self.unprotected {
            self.unprotected = unprotected;
            let text =
                format_args!("{unprotected} so far; a kill would lose them until they are written");
            selflog::tell("records have no copy in the black box", &text);
        }
    }

    /// Looks whether others have taken the black box away, and makes it again.
    fn look_after_box(&mut self, now: Instant) {
        let recently = |looked: Instant| now.saturating_duration_since(looked) < LOOK_AT_BOX_EVERY;
        let Some(keeper) = &mut self.keeper else { return };
        if self.looked_at_box.is_some_and(recently) {
            return;
        }
        self.looked_at_box = Some(now);
        if let Err(error) = black_box::keep_guard() {
            selflog::tell(
                "SIGBUS is handled by others: to cut a black box ends the process",
                &error,
            );
        }
        if keeper.watch() {
            return;
        }
        let what = match self.renew_box() {
            Ok(()) => "it was made again".to_owned(),
            Err(error) => {
                format!("records have no copy until it can be made again: {error}")
            }
        };
        let path = self.black_box.as_ref().map(|black_box| black_box.path().display());
        let text = format_args!("{}; {what}", path.map(|it| it.to_string()).unwrap_or_default());
        selflog::tell("others have cut, deleted or replaced the black box", &text);
    }

    /// Makes the black box again, once there is nothing in the old one that is still needed.
    fn renew_box(&mut self) -> io::Result<()> {
        if !self.hand_on() {
            return Err(io::Error::other("records wait in a sink"));
        }
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        let renewal = keeper.begin_again()?;
        self.hand_on();
        self.keeper.as_mut().map_or(Ok(()), |keeper| keeper.finish(renewal))
    }

    /// Says that all records so far are handed on, if they are: then their copies can be forgotten.
    fn hand_on(&mut self) -> bool {
        if self.sinks.iter().any(|slot| slot.is_recoverable && slot.has_pending()) {
            return false;
        }
        self.handed_on = self.seq;
        if let Some(keeper) = &mut self.keeper {
            let now = self.clock.now();
            let marks = self.sinks.iter_mut().filter(|slot| slot.is_recoverable);
            let marks = marks.filter_map(|slot| {
                let mark = slot.call(now, |sink| sink.mark())??;
                Some((slot.name.as_str(), mark))
            });
            keeper.handed_on(self.seq, marks, &TimeOfDay::now());
        }
        for (dead, damaged) in self.recovered.drain(..) {
            match damaged {
                0 => dead.remove(),
                _ => dead.quarantine(&format_args!("{damaged} entries are damaged")),
            }
        }
        true
    }

    /// Writes what a process that has ended has left in its black box. One at a time: a box with
    /// many records takes a while, in which the queue fills.
    fn recover(&mut self) {
        let Some(dead) = self.dead.pop_front() else { return };
        let Self { sinks, routes, clock, .. } = self;
        match recovery::replay(&dead, sinks, routes, clock.now()) {
            Ok(found) => {
                self.recovered.push((dead, found.damaged));
                self.write_internal(|own| own.found(&found));
                // Before the next: a start that is killed has done a part of the work.
                self.flush(self.clock.now());
            }
            Err(error) => selflog::tell("a black box is left for the next start", &error),
        }
    }

    /// Makes durable what is written, but no more than once a second. The second begins when a slow
    /// disk is done, else the listener would do nothing but wait for it.
    fn sync(&mut self) {
        let now = self.clock.now();
        let recently = |synced: Instant| now.saturating_duration_since(synced) < SYNC_AT_MOST_EVERY;
        if !self.synced.is_some_and(recently) {
            for slot in &mut self.sinks {
                slot.flush(now, |sink| sink.sync());
            }
            self.synced = Some(self.clock.now());
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
        let times = self.queue.take_drop_times();
        self.write_dropped(&since, times);
        selflog::tell("records were dropped", &format_args!("{} so far", dropped.total()));
    }

    fn write_dropped(&mut self, dropped: &Dropped, times: (u64, u64)) {
        self.write_internal(|own| own.dropped(dropped, times));
        if let Some(keeper) = &self.keeper {
            keeper.told(dropped);
        }
    }

    fn obey(&mut self, message: Control) {
        match message {
            Control::Flush(done) => {
                self.drain();
                self.flush(self.clock.now());
                let _nobody_waits = done.send(());
            }
            Control::Write(record, done) => {
                self.drain();
                self.write_internal(|_| *record);
                self.flush(self.clock.now());
                self.sync();
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
            Control::Stop(ending, done) => {
                let (unsent, is_handed_on) = self.stop(ending);
                let _nobody_waits = done.send(End { is_handed_on, files: self.files(), unsent });
            }
        }
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

    fn stop(&mut self, ending: Ending) -> (Vec<(String, u64)>, bool) {
        let Ending { since, until } = ending;
        while self.take(BATCH) > 0 {}
        // From here on a sender that was on its way takes its item back.
        self.queue.abandon();
        while self.take(BATCH) > 0 {}
        let is_early = |now: Instant| now.saturating_duration_since(since) < RECOVER_AT_END_FOR;
        while !self.dead.is_empty() && is_early(self.clock.now()) {
            self.recover();
        }
        let untold = self.queue.dropped().since(&self.told);
        if untold.total() > 0 {
            let times = self.queue.take_drop_times();
            self.write_dropped(&untold, times);
        }
        self.flush(self.clock.now());
        // The receipt is to say what became of records that are still on their way.
        let now = self.clock.now();
        for slot in self.sinks.iter_mut().filter(|slot| slot.has_pending()) {
            slot.end_pause();
            slot.flush(now, |sink| sink.finish(until));
        }
        let recovered: Vec<_> =
            self.sinks.iter_mut().filter_map(SupervisedSink::end_outage).collect();
        for recovered in &recovered {
            self.write_internal(|own| own.recovered(recovered));
        }
        let receipt = Receipt {
            received: self
                .counters
                .received
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .sum(),
            dropped: self.queue.dropped(),
            sinks: self.sinks.iter().map(|slot| slot.counters.snapshot(&slot.name)).collect(),
            unsent: self.unsent(),
            elapsed: since.elapsed(),
        };
        self.write_internal(|own| own.stopped(&receipt));
        let now = self.clock.now();
        for slot in &mut self.sinks {
            slot.end_pause();
            slot.flush(now, |sink| sink.finish(until));
        }
        self.stopped = true;
        let is_handed_on = self.hand_on();
        if let Some(keeper) = &mut self.keeper
            && is_handed_on
        {
            keeper.end();
        }
        (self.unsent(), is_handed_on)
    }

    fn unsent(&mut self) -> Vec<(String, u64)> {
        let now = self.clock.now();
        let ask =
            |slot: &mut SupervisedSink| slot.call(now, |sink| sink.unsent()).unwrap_or_default();
        self.sinks.iter_mut().flat_map(ask).collect()
    }

    fn files(&mut self) -> SinkFiles {
        let now = self.clock.now();
        let files = |slot: &mut SupervisedSink| {
            let files = slot.call(now, |sink| sink.files());
            (slot.name.clone(), files.unwrap_or_default())
        };
        self.sinks.iter_mut().map(files).collect()
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
            slot.show_problems(now);
        }
        first_error
    }
}

impl Drop for Listener {
    /// Lets the sinks go one by one: a panic of one must not take the others with it.
    fn drop(&mut self) {
        self.queue.abandon();
        // Questions stay in the channel as long as anybody can ask. Either one is found here, or
        // who has asked it sees that nobody is there.
        self.is_gone.store(true, Ordering::SeqCst);
        while self.control.try_recv().is_ok() {}
        while let Some(mut spare) =
            self.queue.take_back(|spare| spare.record.level(), |spare| spare.record.heap_bytes())
        {
            after_shutdown::write(&mut spare.record);
        }
        for slot in self.sinks.drain(..) {
            let name = slot.name.clone();
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(slot))) {
                discard(panic);
                selflog::tell(&format!("sink {name} panicked"), &"while it was dropped");
            }
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.sinks.iter().map(|slot| &slot.name).collect();
        f.debug_struct("Listener").field("seq", &self.seq).field("sinks", &names).finish()
    }
}
