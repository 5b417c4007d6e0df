//! LoggingHandle: what a running program can ask of its logging.
//!
//! Speaks to the listener through its control channel, which the overflow policy does not touch.

use crate::base::clock;
use crate::base::error::Error;
use crate::base::thread;
use crate::black_box::BlackBox;
use crate::capture::filter::SharedFilter;
use crate::capture::redact::Redaction;
use crate::config::LoggingConfig;
use crate::forward::Forwarders;
use crate::metrics::PipelineMetrics;
use crate::pipeline::end::End;
use crate::pipeline::listener::{Control, Ending};
use crate::pipeline::pool::PooledRecord;
use crate::pipeline::queue::Queue;
use crate::record::Record;
use crate::record::directives::Directives;
use crate::record::stats::{Counters, Reason, SinkCounters, SinkStats, Stats};
use crate::setup::no_answer::NoAnswer;
use crate::setup::report::ShutdownReport;
use crossbeam_channel::{Receiver, Sender, bounded};
use logwell_options::problem::{ConfigProblem, Origin};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a question to the listener may take when the caller names no deadline.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A tenth of `shutdown.timeout` is left for what comes after the sinks have waited.
const LEFT_FOR_THE_RECEIPT: u32 = 10;

/// So long after a record was dropped before the queue [`health`](LoggingHandle::health) speaks of
/// it.
const A_DROP_IS_NEWS_FOR: Duration = Duration::from_secs(10);

/// More questions than this do not wait for a listener that is stuck.
pub(crate) const MAX_QUESTIONS: usize = 256;

/// What a running program can ask of its logging. Clones speak to the same listener.
///
/// Dropping it changes nothing: logging ends with [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct LoggingHandle(pub(super) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue<Box<PooledRecord>>>,
    pub(crate) control: Sender<Control>,
    /// Nobody answers any more.
    pub(crate) is_gone: Arc<AtomicBool>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) black_box: Option<Arc<BlackBox>>,
    /// Whether there should be one.
    pub(crate) wants_black_box: bool,
    pub(crate) sinks: Vec<(String, Arc<SinkCounters>)>,
    pub(crate) filter: SharedFilter,
    pub(crate) redaction: Option<Arc<Redaction>>,
    pub(crate) forwarders: Forwarders,
    pub(crate) metrics: PipelineMetrics,
    /// What has not been as it should be since the start.
    pub(crate) degraded: Mutex<Vec<String>>,
    pub(crate) config: LoggingConfig,
    pub(crate) report: Mutex<Option<ShutdownReport>>,
    /// Where the listener answers when it has ended, once it has been asked to.
    pub(crate) end: Mutex<Option<Receiver<End>>>,
}

/// Whether logging does what it should; see [`LoggingHandle::health`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The current problems, for people; empty if all is well.
    pub problems: Vec<String>,
}

impl Health {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [] => f.write_str("healthy"),
            problems => f.write_str(&problems.join("; ")),
        }
    }
}

impl LoggingHandle {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Has [`health`](Self::health) say what could not be started.
    pub(crate) fn note_degraded(&self, problem: String) {
        self.degraded().push(problem);
    }

    fn degraded(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.degraded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every record logged before the call is handed to its destination: for files, to
    /// the operating system.
    ///
    /// Works on a full queue too. Sinks that cannot write at the moment keep or drop what they
    /// have; see [`stats`](Self::stats).
    ///
    /// # Errors
    ///
    /// The listener did not come to it within the deadline.
    pub fn flush(&self, deadline: Duration) -> Result<(), NoAnswer> {
        self.ask(deadline, Control::Flush)
    }

    /// The text with its secrets masked, if it has any.
    pub(crate) fn masked(&self, text: &str) -> Option<String> {
        let masked = self.0.redaction.as_ref()?.text(text.as_bytes(), false)?;
        self.0.counters.redacted.fetch_add(1, Ordering::Relaxed);
        Some(masked)
    }

    /// Has a record of the framework's own written after everything logged before, past the queue,
    /// and made durable.
    pub(crate) fn write_internal(
        &self,
        record: Record,
        deadline: Duration,
    ) -> Result<(), NoAnswer> {
        self.ask(deadline, |done| Control::Write(Box::new(record), done))
    }

    /// All counters at this moment. In a fork: what was dropped there.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let shared = &*self.0;
        if shared.queue.is_forked() {
            let dropped = shared.queue.dropped().only(Reason::Forked);
            return Stats { dropped, ..Stats::default() };
        }
        // What a record comes to last is looked at first: none is routed that was not received.
        let sinks = shared.sinks.iter().map(|(name, counters)| counters.snapshot(name)).collect();
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        let _nothing_is_taken_back = shared.queue.hold();
        let (received_by_level, in_queue) = shared
            .counters
            .moves
            .look(|| (shared.counters.received.each_ref().map(count), shared.queue.len() as u64));
        let received = received_by_level.iter().sum();
        let unprotected = match &shared.black_box {
            Some(black_box) => black_box.unprotected(),
            None if shared.wants_black_box => received + in_queue,
            None => 0,
        };
        Stats {
            received,
            received_by_level,
            in_queue,
            queue_heap_bytes: shared.queue.heap_bytes(),
            dropped: shared.queue.dropped(),
            own: shared.counters.own.load(Ordering::Relaxed),
            unformatted_values: shared.counters.unformatted.load(Ordering::Relaxed),
            redacted_values: shared.counters.redacted.load(Ordering::Relaxed),
            unprotected,
            sinks,
            destinations: shared.forwarders.stats(),
        }
    }

    /// Changes what is captured, from now on: a level, or directives as in `RUST_LOG`
    /// (`info,my_crate=debug`). The levels of files and console stay as they are.
    ///
    /// # Errors
    ///
    /// The directives are not understood; nothing is changed.
    pub fn set_level(&self, directives: &str) -> Result<(), Error> {
        let directives: Directives = directives.parse().map_err(|error| {
            let error: crate::record::directives::DirectivesError = error;
            Error::config(vec![ConfigProblem {
                origin: Origin::Code,
                key: "level".to_owned(),
                problem: error.problem,
                help: error.help,
            }])
        })?;
        self.0.filter.replace(directives);
        Ok(())
    }

    /// The directives in force, as text.
    #[must_use]
    pub fn level(&self) -> String {
        self.0.filter.load().directives.to_string()
    }

    /// Reopens all files: after another program has moved them, as logrotate does.
    ///
    /// # Errors
    ///
    /// A file could not be opened (the sink continues with the old one), or no answer within 5 s.
    pub fn reopen(&self) -> io::Result<()> {
        self.ask(ANSWER_WITHIN, Control::Reopen)?
    }

    /// Starts new files now, whatever the size of the current ones.
    ///
    /// # Errors
    ///
    /// A file could not be rotated (the sink continues with the old one), or no answer within 5 s.
    pub fn rotate_now(&self) -> io::Result<()> {
        self.ask(ANSWER_WITHIN, Control::Rotate)?
    }

    /// The files of all sinks: of each sink the current one first, then its backups from the
    /// newest. Empty when logging has ended.
    #[must_use]
    pub fn log_files(&self) -> Vec<PathBuf> {
        let files = self.ask(ANSWER_WITHIN, Control::Files).unwrap_or_default();
        files.into_iter().flat_map(|(_, files)| files).collect()
    }

    /// The configuration in force, as YAML, with secrets masked.
    #[must_use]
    pub fn effective_config(&self) -> String {
        let mut config = self.0.config.clone();
        config.level = self.0.filter.load().directives.clone();
        config.to_yaml()
    }

    /// Whether logging does what it should at this moment.
    ///
    /// It is never empty while records are lost, or while something is not as the configuration
    /// says:
    ///
    /// | what | as long as |
    /// |---|---|
    /// | a sink loses or keeps records | it has handed none over since, and a second more |
    /// | a file grows beyond its limit, backups are not deleted, compressed or made durable, a mode is not as it should be ([`SinkStats::problems`]) | that is so |
    /// | the queue drops records | 10 s after the last one |
    /// | the queue is nine tenths full, a destination does not take records, the files have other names, there is no black box, logging has ended | that is so |
    /// | signals that should be handled are not | always |
    #[must_use]
    pub fn health(&self) -> Health {
        let stats = self.stats();
        let mut problems = Vec::new();
        if self.0.queue.is_forked() {
            problems.push("this process was forked from the one that logs".to_owned());
            return Health { problems };
        }
        // Not waited for: the shutdown holds it as long as it takes.
        let is_ending = match self.0.report.try_lock() {
            Ok(report) => report.is_some(),
            Err(TryLockError::Poisoned(report)) => report.into_inner().is_some(),
            Err(TryLockError::WouldBlock) => true,
        };
        if is_ending {
            problems.push("logging was shut down".to_owned());
        } else if !self.0.queue.is_served() {
            problems.push("the listener has ended".to_owned());
        }
        match &self.0.black_box {
            None if self.0.wants_black_box => problems.push("there is no black box".to_owned()),
            // At the end it is removed.
            Some(black_box) if !is_ending && !black_box.is_intact() => {
                let text =
                    "others have cut, deleted or replaced the black box: records have no copy";
                problems.push(text.to_owned());
            }
            _ => {}
        }
        problems.extend(stats.sinks.iter().flat_map(sink_problems));
        problems.extend(self.degraded().iter().cloned());
        problems.extend(self.0.metrics.problems());
        for destination in &stats.destinations {
            if let Some(problem) = &destination.problem {
                let (name, waiting) = (&destination.name, destination.waiting);
                problems.push(format!("{name}: {problem} ({waiting} records wait on disk)"));
            }
        }
        let size = self.0.config.queue.size as u64;
        if stats.in_queue * 10 >= size * 9 {
            problems.push(format!("the queue is nearly full: {} of {size}", stats.in_queue));
        }
        let dropped = stats.dropped.total();
        let ago_ns = clock::unix_ns().abs_diff(self.0.queue.last_drop_unix_ns());
        if dropped > 0 && Duration::from_nanos(ago_ns) < A_DROP_IS_NEWS_FOR {
            problems.push(format!("records are being dropped: {dropped} so far"));
        }
        Health { problems }
    }

    /// Ends logging: no more records are taken, those in the queue are written, files are synced.
    ///
    /// Waits at most as long as `shutdown.timeout` says (5 s by default). Calling it again gives
    /// the same report. In a process that was forked from the one that logs it does nothing, at
    /// once.
    ///
    /// A console that is slow, or that takes nothing for a while, is waited for in nine tenths of
    /// that time; the report says how many lines it has not taken ([`SinkStats::in_hand`]).
    ///
    /// Called from inside a sink or from the self-log's callback it would wait for itself: there it
    /// only begins the end and returns at once, with a report of that moment that is not complete.
    /// A call from elsewhere then has the whole one.
    pub fn shutdown(&self) -> ShutdownReport {
        let shared = &*self.0;
        if shared.queue.is_forked() {
            return ShutdownReport { stats: self.stats(), is_complete: true, ..Default::default() };
        }
        if thread::is_inside() {
            return self.shut_down_from_inside();
        }
        let mut report = shared.report.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = &*report {
            return report.clone();
        }
        let start = Instant::now();
        let deadline = shared.config.shutdown_timeout;
        shared.queue.close();
        // Asked twice: the last records may go to new files, and the end may not come in time.
        let before = self.ask(deadline, Control::Files);
        let after = self.end(start);
        let is_complete = after.is_ok();
        shared.metrics.stop();
        shared.forwarders.stop(deadline.saturating_sub(start.elapsed()));
        let end =
            after.unwrap_or_else(|_| End { files: before.unwrap_or_default(), ..End::default() });
        let black_box = shared.black_box.as_ref();
        let black_box = black_box.filter(|it| !end.is_handed_on && it.is_intact());
        let black_box = black_box.map(|black_box| black_box.path().to_owned());
        let made = ShutdownReport::new(self.stats(), end, start.elapsed(), is_complete);
        let made = ShutdownReport { black_box, ..made };
        *report = Some(made.clone());
        made
    }

    /// Takes the black box away, for a start that has failed: there is nothing in it.
    pub(crate) fn discard_black_box(&self) {
        if let Some(black_box) = &self.0.black_box {
            black_box.end();
        }
    }

    /// Begins the end and does not wait for it, since it would wait for itself.
    fn shut_down_from_inside(&self) -> ShutdownReport {
        let shared = &*self.0;
        let report = match shared.report.try_lock() {
            Ok(report) => report.clone(),
            Err(_another_thread_waits) => None,
        };
        report.unwrap_or_else(|| {
            shared.queue.close();
            // With no room, or if another thread does it just now, the end begins with its
            // question.
            let _or_later = shared.end.try_lock().is_ok_and(|mut end| {
                self.ask_for_end(&mut end, Instant::now(), Duration::ZERO).is_ok()
            });
            let black_box = shared.black_box.as_ref().map(|black_box| black_box.path().to_owned());
            let report = ShutdownReport::new(self.stats(), End::default(), Duration::ZERO, false);
            ShutdownReport { black_box, ..report }
        })
    }

    /// Waits for the listener's end, which may have been asked for before.
    fn end(&self, start: Instant) -> Result<End, NoAnswer> {
        let left = || self.0.config.shutdown_timeout.saturating_sub(start.elapsed());
        let mut end = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = self.ask_for_end(&mut end, start, left())?;
        drop(end);
        self.answer(&answered, left())
    }

    fn ask_for_end(
        &self,
        asked: &mut Option<Receiver<End>>,
        since: Instant,
        deadline: Duration,
    ) -> Result<Receiver<End>, NoAnswer> {
        if let Some(answered) = asked {
            return Ok(answered.clone());
        }
        let timeout = self.0.config.shutdown_timeout;
        let until = since.checked_add(timeout - timeout / LEFT_FOR_THE_RECEIPT).unwrap_or(since);
        let (answer, answered) = bounded(1);
        let question = Control::Stop(Ending { since, until }, answer);
        self.0.control.send_timeout(question, deadline).map_err(|_| NoAnswer)?;
        self.0.queue.waker.wake();
        *asked = Some(answered.clone());
        Ok(answered)
    }

    #[cfg(test)]
    pub(crate) fn black_box(&self) -> Arc<BlackBox> {
        self.0.black_box.clone().unwrap()
    }

    /// Asks and does not wait, for a caller that steps the listener itself.
    #[cfg(test)]
    pub(crate) fn ask_later<T>(&self, question: impl FnOnce(Sender<T>) -> Control) -> Receiver<T> {
        let (answer, answered) = bounded(1);
        let _no_room = self.0.control.try_send(question(answer));
        answered
    }

    fn ask<T>(
        &self,
        deadline: Duration,
        question: impl FnOnce(Sender<T>) -> Control,
    ) -> Result<T, NoAnswer> {
        if self.0.queue.is_forked() || thread::is_inside() {
            return Err(NoAnswer);
        }
        let (answer, answered) = bounded(1);
        let start = Instant::now();
        self.0.control.send_timeout(question(answer), deadline).map_err(|_| NoAnswer)?;
        self.0.queue.waker.wake();
        self.answer(&answered, deadline.saturating_sub(start.elapsed()))
    }

    fn answer<T>(&self, answered: &Receiver<T>, deadline: Duration) -> Result<T, NoAnswer> {
        if self.0.is_gone.load(Ordering::SeqCst) {
            // It may have come after all that the listener has let go.
            return answered.try_recv().map_err(|_| NoAnswer);
        }
        answered.recv_timeout(deadline).map_err(|_| NoAnswer)
    }
}

/// A sink's problems, in words.
fn sink_problems(sink: &SinkStats) -> Vec<String> {
    let name = &sink.name;
    let mut problems: Vec<_> =
        sink.problems.iter().map(|problem| format!("sink {name}: {problem}")).collect();
    if sink.is_failing {
        let why = sink.problems.first().map_or_else(String::new, |why| format!(": {why}"));
        problems.splice(..problems.len().min(1), [format!("sink {name} is failing{why}")]);
    }
    problems
}

impl fmt::Debug for LoggingHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggingHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_QUESTIONS;
    use crate::LoggingConfig;
    use crate::QueueLayer;
    use crate::base::clock::{Clock, ManualClock};
    use crate::pipeline::internal_records;
    use crate::pipeline::listener::Control;
    use crate::record::Record;
    use crate::sink::{Accepts, FlushError, Sink};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn questions_to_a_stuck_listener_take_no_memory_without_bound() {
        let config = LoggingConfig::builder().files(false).console(false).build().unwrap();
        let (_layer, handle, mut listener) =
            QueueLayer::builder().config(config).build_stepped().unwrap();
        (0..1_000).for_each(|_| assert!(handle.flush(Duration::ZERO).is_err()));
        assert_eq!(handle.0.control.len(), MAX_QUESTIONS);
        listener.step();
        assert_eq!(handle.0.control.len(), 0);
    }

    /// Takes two seconds to make anything durable.
    struct SlowDisk(ManualClock, Arc<AtomicU32>);

    impl Sink for SlowDisk {
        fn write(&mut self, _: &Record) -> io::Result<()> {
            Ok(())
        }

        fn flush(&mut self) -> Result<(), FlushError> {
            Ok(())
        }

        fn sync(&mut self) -> Result<(), FlushError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.advance(Duration::from_secs(2));
            Ok(())
        }
    }

    #[test]
    fn a_disk_that_takes_its_time_is_not_asked_again_at_once_for_panic_after_panic() {
        let (clock, syncs) = (ManualClock::new(), Arc::new(AtomicU32::new(0)));
        let config = LoggingConfig::builder().files(false).console(false).build().unwrap();
        let (_layer, handle, mut listener) = QueueLayer::builder()
            .config(config)
            .clock(Clock::Manual(clock.clone()))
            .sink("slow", Accepts::all(), SlowDisk(clock.clone(), Arc::clone(&syncs)))
            .build_stepped()
            .unwrap();
        let mut panic = || {
            let record = internal_records::panicked(internal_records::Panic {
                message: "on purpose",
                location: None,
                backtrace: None,
                context: None,
                max_text_bytes: 100,
            });
            let written = handle.ask_later(|done| Control::Write(Box::new(record), done));
            listener.step();
            written.try_recv().unwrap();
            syncs.load(Ordering::Relaxed)
        };
        assert_eq!([panic(), panic(), panic()], [1, 1, 1]);
        clock.advance(Duration::from_secs(1));
        assert_eq!([panic(), panic()], [2, 2]);
    }

    #[test]
    fn the_receipt_names_files_that_were_started_while_the_queue_was_emptied() {
        // The end makes hundreds of files durable.
        let dir = crate::simulation::directory();
        let config = LoggingConfig::builder().log_dir(dir.path()).console(false);
        let mut config = config.max_bytes(4096).backup_count(999).build().unwrap();
        config.queue.when_full = crate::pipeline::options::WhenFull::Drop;
        config.shutdown_timeout = Duration::from_secs(600); // many renames, on a busy machine
        let (layer, handle, mut listener) =
            QueueLayer::builder().config(config).build_stepped().unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            (0..5_000).for_each(|number| tracing::info!(number, "burst"));
        });
        let stopping = std::thread::spawn(move || handle.shutdown());
        while listener.step() != crate::testing::Step::Stopped {}

        let report = stopping.join().unwrap();
        let named = report.files.iter().find(|(sink, _)| sink == "app").unwrap().1.len();
        let is_app = |name: std::ffi::OsString| name.to_string_lossy().starts_with("app.log");
        let entries = dir.path().read_dir().unwrap();
        let there = entries.filter(|entry| is_app(entry.as_ref().unwrap().file_name())).count();
        assert!(there > 100);
        assert_eq!(named, there);
    }
}
