//! Sinks that panic, fail, block or go away: what becomes of their records and of everybody else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

use logwell::config::{LoggingConfig, WhenFull};
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, MemorySink, Sink};
use logwell::stats::SinkStats;
use logwell::testing::{Clock, Listener, ManualClock, Step};
use logwell::{LoggingHandle, QueueLayer, ShutdownReport};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang.
const LONG: Duration = Duration::from_secs(120);

fn config() -> LoggingConfig {
    let config = LoggingConfig::builder().files(false).console(false).shutdown_timeout(LONG);
    config.build().unwrap()
}

/// What a [`Scripted`] sink does next; an empty script is a sink that works.
#[derive(Debug, Clone, Copy, Default)]
struct Script {
    write: Act,
    flush: Act,
    files: Act,
    /// What a failing flush says is kept and lost.
    kept: u64,
    lost: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Act {
    #[default]
    Work,
    Fail,
    Panic,
}

impl Act {
    fn play(self) -> io::Result<()> {
        match self {
            Self::Work => Ok(()),
            Self::Fail => Err(io::Error::other("as the script says")),
            // Without the hook, which would print.
            Self::Panic => std::panic::resume_unwind(Box::new("as the script says")),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn set(&self, script: Script) {
        *self.0.lock().unwrap() = script;
    }

    fn script(&self) -> Script {
        *self.0.lock().unwrap()
    }
}

impl Sink for Scripted {
    fn write(&mut self, _: &Record) -> io::Result<()> {
        self.script().write.play()
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        let Script { flush, kept, lost, .. } = self.script();
        flush.play().map_err(|error| FlushError { error, kept, lost })
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.script().flush.play()
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.script().flush.play()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.script().files.play().unwrap();
        vec![PathBuf::from("scripted.log")]
    }
}

/// A pipeline with a scripted sink and one that works, stepped by hand.
struct Fixture {
    scripted: Scripted,
    memory: MemorySink,
    clock: ManualClock,
    handle: LoggingHandle,
    listener: Listener,
    _in_force: DefaultGuard,
}

impl Fixture {
    fn new() -> Self {
        let (scripted, memory, clock) =
            (Scripted::default(), MemorySink::new(), ManualClock::new());
        let (layer, handle, listener) = QueueLayer::builder()
            .config(config())
            .clock(Clock::Manual(clock.clone()))
            .sink("scripted", Accepts::all(), scripted.clone())
            .sink("memory", Accepts::all(), memory.clone())
            .build_stepped()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        let _in_force = tracing::subscriber::set_default(subscriber);
        Self { scripted, memory, clock, handle, listener, _in_force }
    }

    /// Logs so many records and lets the listener take them.
    fn log(&mut self, count: u64) {
        (0..count).for_each(|number| tracing::info!(number, "hello"));
        assert_eq!(self.listener.step(), Step::Took(usize::try_from(count).unwrap()));
    }

    fn stats(&self) -> SinkStats {
        let stats = self.handle.stats();
        let works = stats.sink("memory").unwrap();
        assert_eq!((works.written, works.dropped()), (works.routed, 0), "the other one goes on");
        let sink = stats.sink("scripted").unwrap().clone();
        assert_eq!(sink.routed, sink.written + sink.dropped() + sink.in_hand());
        sink
    }

    /// Shuts down while stepping.
    fn shut_down(mut self) -> ShutdownReport {
        std::thread::scope(|scope| {
            let shutdown = scope.spawn(|| self.handle.shutdown());
            while self.listener.step() != Step::Stopped {
                std::thread::yield_now();
            }
            shutdown.join().unwrap()
        })
    }
}

// ---- panics ---------------------------------------------------------------------------------

#[test]
fn a_sink_that_panics_is_paused_and_retried_while_the_others_go_on() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { write: Act::Panic, ..Script::default() });
    fixture.log(3);
    let stats = fixture.stats();
    assert_eq!((stats.panics, stats.lost, stats.paused), (1, 1, 2), "it was called once");
    assert!(stats.is_failing && !fixture.handle.health().is_healthy());

    fixture.clock.advance(Duration::from_millis(99));
    fixture.log(1);
    assert_eq!(fixture.stats().panics, 1, "the first pause is 100 ms");
    fixture.clock.advance(Duration::from_millis(1));
    fixture.scripted.set(Script::default());
    fixture.log(2);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.paused, stats.panics), (2, 3, 1));
    assert!(!stats.is_failing && !fixture.handle.health().is_healthy(), "records were lost");
    fixture.clock.advance(Duration::from_secs(1));
    fixture.listener.step();
    assert!(fixture.handle.health().is_healthy(), "{}", fixture.handle.health());
    assert_eq!(fixture.memory.records().len(), 7, "that it works again is a record too");
}

#[test]
fn each_panic_in_a_row_doubles_the_pause_up_to_thirty_seconds() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { write: Act::Panic, ..Script::default() });
    let mut pause_ms = 100;
    for panics in 1..=12 {
        fixture.log(1);
        assert_eq!(fixture.stats().panics, panics);
        fixture.clock.advance(Duration::from_millis(pause_ms - 1));
        fixture.log(1);
        assert_eq!(fixture.stats().panics, panics, "still within its {pause_ms} ms");
        fixture.clock.advance(Duration::from_millis(1));
        pause_ms = (pause_ms * 2).min(30_000);
    }
    fixture.scripted.set(Script::default());
    fixture.log(1);
    fixture.scripted.set(Script { write: Act::Panic, ..Script::default() });
    fixture.log(1);
    fixture.clock.advance(Duration::from_millis(100));
    fixture.log(1);
    assert_eq!(fixture.stats().panics, 14, "after a success the pause is short again");
}

#[test]
fn records_taken_before_a_panic_in_flush_are_handed_over_by_a_later_one() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { flush: Act::Panic, ..Script::default() });
    fixture.log(3);
    let stats = fixture.stats();
    assert_eq!((stats.in_hand(), stats.written, stats.panics), (3, 0, 1));
    fixture.scripted.set(Script::default());
    fixture.clock.advance(Duration::from_millis(100));
    fixture.log(1);
    assert_eq!((fixture.stats().written, fixture.stats().in_hand()), (4, 0));
}

#[test]
fn a_panic_while_its_files_are_listed_ends_neither_the_listener_nor_the_answer() {
    let mut fixture = Fixture::new();
    fixture.log(1);
    fixture.scripted.set(Script { files: Act::Panic, ..Script::default() });
    let report = fixture.shut_down();
    assert!(report.is_complete, "{report}");
    assert_eq!(report.written("memory"), 2, "the record and the receipt");
}

#[test]
fn a_sink_that_panics_to_the_end_does_not_hold_up_the_shutdown() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { write: Act::Panic, flush: Act::Panic, ..Script::default() });
    fixture.log(2);
    let report = fixture.shut_down();
    assert!(report.is_complete && !report.is_lossless(), "{report}");
    let stats = report.stats.sink("scripted").unwrap();
    assert_eq!((stats.routed, stats.written, stats.dropped()), (3, 0, 3));
}

#[test]
fn a_sink_that_panics_when_it_is_dropped_takes_no_other_with_it() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a bomb"));
        }
    }
    impl Sink for Bomb {
        fn write(&mut self, _: &Record) -> io::Result<()> {
            Ok(())
        }

        fn flush(&mut self) -> Result<(), FlushError> {
            Ok(())
        }
    }
    let build = QueueLayer::builder().config(config()).sink("one", Accepts::all(), Bomb).sink(
        "two",
        Accepts::all(),
        Bomb,
    );
    let (_layer, handle, listener) = build.build_stepped().unwrap();
    drop(listener); // two panics at once would abort
    assert!(handle.flush(LONG).is_err());
}

// ---- errors ---------------------------------------------------------------------------------

#[test]
fn a_refused_record_is_counted_as_dropped_and_the_next_one_is_tried() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { write: Act::Fail, ..Script::default() });
    fixture.log(2);
    fixture.scripted.set(Script::default());
    fixture.log(1);
    let stats = fixture.stats();
    assert_eq!((stats.refused, stats.written, stats.errors), (2, 1, 2));
    assert!(!stats.is_failing);
}

#[test]
fn kept_records_stay_in_hand_until_a_flush_succeeds() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { flush: Act::Fail, kept: 3, ..Script::default() });
    fixture.log(5);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.in_hand(), stats.lost), (2, 3, 0));
    assert!(stats.is_failing);
    fixture.scripted.set(Script::default());
    fixture.log(1);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.in_hand(), stats.is_failing), (6, 0, false));
}

#[test]
fn lost_records_are_counted_even_if_an_earlier_flush_called_them_written() {
    let mut fixture = Fixture::new();
    fixture.log(5);
    assert_eq!(fixture.stats().written, 5);
    fixture.scripted.set(Script { flush: Act::Fail, lost: 4, ..Script::default() });
    fixture.log(1);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.lost, stats.in_hand()), (2, 4, 0));
}

/// The records of that kind that the framework itself has written, as JSON.
fn own(memory: &MemorySink, kind: &str) -> Vec<serde_json::Value> {
    memory.json().into_iter().filter(|record| record["kind"] == kind).collect()
}

#[test]
fn a_sink_that_works_again_for_a_second_is_told_with_what_was_wrong_and_lost() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { flush: Act::Fail, lost: 2, ..Script::default() });
    fixture.log(2);
    fixture.clock.advance(Duration::from_millis(300));
    fixture.log(3);
    fixture.scripted.set(Script::default());
    fixture.log(1);
    assert_eq!(own(&fixture.memory, "logwell.recovered").len(), 0, "it may fail again at once");
    fixture.clock.advance(Duration::from_millis(999));
    fixture.log(1);
    assert_eq!(own(&fixture.memory, "logwell.recovered").len(), 0);
    fixture.clock.advance(Duration::from_millis(1));
    fixture.log(1);
    let told = own(&fixture.memory, "logwell.recovered");
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["sink"], &told[0]["level"]), (&"scripted".into(), &"WARN".into()));
    assert_eq!((&told[0]["failed_ms"], &told[0]["dropped"]), (&300.into(), &4.into()));
    assert_eq!(told[0]["problem"], "could not write: as the script says");
    fixture.clock.advance(Duration::from_secs(60));
    fixture.log(1);
    assert_eq!(own(&fixture.memory, "logwell.recovered").len(), 1, "it is told once");
}

#[test]
fn a_sink_that_never_takes_anything_is_never_called_recovered() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { write: Act::Fail, ..Script::default() });
    for _ in 0..5 {
        fixture.log(1);
        fixture.clock.advance(Duration::from_secs(2));
    }
    let memory = fixture.memory.clone();
    fixture.shut_down();
    assert_eq!(own(&memory, "logwell.recovered").len(), 0);
}

#[test]
fn an_outage_that_ended_just_before_the_end_is_told_all_the_same() {
    let mut fixture = Fixture::new();
    fixture.scripted.set(Script { flush: Act::Fail, lost: 1, ..Script::default() });
    fixture.log(1);
    fixture.scripted.set(Script::default());
    fixture.log(1);
    let memory = fixture.memory.clone();
    fixture.shut_down();
    assert_eq!(own(&memory, "logwell.recovered").len(), 1);
}

#[test]
fn an_io_error_alone_means_that_all_since_the_last_flush_is_lost() {
    let mut fixture = Fixture::new();
    fixture.log(5);
    fixture.scripted.set(Script { flush: Act::Fail, lost: u64::MAX, ..Script::default() });
    fixture.log(2);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.lost), (5, 2));
    let from_io: FlushError = io::Error::other("x").into();
    assert_eq!((from_io.kept, from_io.lost), (0, u64::MAX));
}

#[test]
fn a_sink_that_claims_to_keep_more_than_it_has_does_not_break_the_account() {
    let mut fixture = Fixture::new();
    let absurd =
        Script { flush: Act::Fail, kept: u64::MAX, lost: u64::MAX - 1, ..Script::default() };
    fixture.scripted.set(absurd);
    fixture.log(2);
    let stats = fixture.stats();
    assert_eq!((stats.written, stats.in_hand()), (0, 2));
}

// ---- questions ------------------------------------------------------------------------------

#[test]
fn every_question_is_answered_and_an_error_names_the_sink() {
    let scripted = Scripted::default();
    let (_layer, handle) = QueueLayer::builder()
        .config(config())
        .sink("scripted", Accepts::all(), scripted.clone())
        .sink("memory", Accepts::all(), MemorySink::new())
        .build()
        .unwrap();
    handle.flush(LONG).unwrap();
    handle.rotate_now().unwrap();
    handle.reopen().unwrap();
    assert_eq!(handle.log_files(), [PathBuf::from("scripted.log")]);
    scripted.set(Script { flush: Act::Fail, ..Script::default() });
    for answer in [handle.rotate_now(), handle.reopen()] {
        assert_eq!(answer.unwrap_err().to_string(), "scripted: as the script says");
    }
    handle.flush(LONG).unwrap(); // it was tried, and the counters say how it went
    assert!(handle.stats().sink("scripted").unwrap().is_failing);
    handle.shutdown();
}

#[test]
fn flush_on_a_full_queue_waits_and_succeeds() {
    for when_full in [WhenFull::Shed, WhenFull::Drop] {
        let mut config = config();
        config.queue.size = 8;
        config.queue.when_full = when_full;
        let memory = MemorySink::new();
        let (layer, handle, mut listener) = QueueLayer::builder()
            .config(config)
            .sink("memory", Accepts::all(), memory.clone())
            .build_stepped()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            (0..8).for_each(|number| tracing::error!(number, "hello"));
        });
        assert_eq!(handle.stats().in_queue, 8, "it is full");
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| handle.flush(LONG));
            while !flush.is_finished() {
                listener.step();
                std::thread::yield_now();
            }
            flush.join().unwrap().unwrap();
        });
        assert_eq!(memory.records().len(), 8);
    }
}

#[test]
fn what_was_logged_before_a_flush_is_handed_over_when_it_returns() {
    let memory = MemorySink::new();
    let (layer, handle) = QueueLayer::builder()
        .config(config())
        .sink("memory", Accepts::all(), memory.clone())
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        for number in 1..=50_u64 {
            tracing::info!(number, "hello");
            handle.flush(LONG).unwrap();
            let last = memory.records().pop().unwrap();
            assert_eq!(last.get("number"), Some(logwell::record::Value::U64(number)));
            assert_eq!(handle.stats().sink("memory").unwrap().in_hand(), 0);
        }
    });
    handle.shutdown();
}

#[test]
fn the_report_names_the_files_that_the_last_records_went_to() {
    // In memory, where there is any: the end makes hundreds of files durable.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let config = LoggingConfig::builder()
        .console(false)
        .log_dir(dir.path())
        .max_bytes(4 * 1024)
        .backup_count(1_000)
        .shutdown_timeout(LONG)
        .build()
        .unwrap();
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(config).build_stepped().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        // More than the listener takes before it looks at questions.
        (0..3_000).for_each(|number| tracing::info!(number, "hello"));
    });
    let report = std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| handle.shutdown());
        while listener.step() != Step::Stopped {
            std::thread::yield_now();
        }
        shutdown.join().unwrap()
    });
    let on_disk = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let on_disk = on_disk.filter(|name| !name.to_string_lossy().ends_with(".lock")).count();
    let named: usize = report.files.iter().map(|(_, files)| files.len()).sum();
    assert_eq!(named, on_disk);
}

// ---- a sink that is stuck -------------------------------------------------------------------

/// A sink that says when it is called, and then waits until it may go on.
struct Stuck {
    called: Sender<()>,
    go_on: Receiver<()>,
}

impl Sink for Stuck {
    fn write(&mut self, _: &Record) -> io::Result<()> {
        let _nobody_listens = self.called.send(());
        let _freed = self.go_on.recv();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

/// A running pipeline whose listener stands still in a sink, in the record `logwell.started`.
fn stuck(shutdown_timeout: Duration) -> (QueueLayer, LoggingHandle, Sender<()>) {
    let (called, is_called) = channel();
    let (free, go_on) = channel();
    let mut config = config();
    config.shutdown_timeout = shutdown_timeout;
    let (layer, handle) = QueueLayer::builder()
        .config(config)
        .sink("stuck", Accepts::all(), Stuck { called, go_on })
        .build()
        .unwrap();
    is_called.recv().unwrap();
    (layer, handle, free)
}

#[test]
fn a_flush_past_its_deadline_is_unanswered_and_the_next_one_can_succeed() {
    let (_layer, handle, free) = stuck(LONG);
    let answer = handle.flush(Duration::from_millis(20));
    assert!(answer.unwrap_err().to_string().contains("did not answer within the deadline"));
    drop(free);
    handle.flush(LONG).unwrap();
    assert!(handle.shutdown().is_complete);
}

#[test]
fn the_health_is_told_while_a_shutdown_waits() {
    let (_layer, handle, free) = stuck(LONG);
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| handle.shutdown());
        while handle.health().is_healthy() {
            std::thread::yield_now();
        }
        assert_eq!(handle.health().problems, ["logging was shut down"]);
        assert!(!shutdown.is_finished(), "the health did not wait for it");
        drop(free);
        assert!(shutdown.join().unwrap().is_complete);
    });
}

#[test]
fn a_shutdown_past_its_deadline_returns_and_says_that_it_is_not_complete() {
    let (layer, handle, free) = stuck(Duration::from_millis(50));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("waits in the queue");
        let report = handle.shutdown();
        assert!(!report.is_complete && !report.is_lossless());
        assert!(report.elapsed >= Duration::from_millis(50) && report.elapsed < LONG);
        assert_eq!((report.captured(), report.stats.in_queue), (1, 1));
        assert!(report.to_string().contains("NOT finished within its deadline"), "{report}");
        assert_eq!(handle.shutdown().elapsed, report.elapsed, "the same report again");
        tracing::info!("too late");
    });
    let dropped = handle.stats().dropped;
    assert_eq!(dropped.get(logwell::Level::Info, logwell::stats::Reason::Closed), 1);
    drop(free);
}

#[test]
fn a_shutdown_without_patience_returns_at_once() {
    let (_layer, handle, free) = stuck(Duration::ZERO);
    assert!(!handle.shutdown().is_complete);
    drop(free);
}

#[test]
fn questions_to_a_listener_that_is_gone_are_answered_at_once() {
    let (layer, handle, listener) = QueueLayer::builder().config(config()).build_stepped().unwrap();
    drop(listener);
    assert!(handle.flush(LONG).is_err());
    assert_eq!(handle.rotate_now().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(handle.log_files().is_empty());
    assert!(!handle.health().is_healthy(), "{}", handle.health());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || tracing::error!("into the void"));
    let report = handle.shutdown();
    assert!(!report.is_complete);
    assert_eq!((report.captured(), report.dropped()), (1, 1), "{report}");
}

#[test]
fn a_question_that_waits_when_the_listener_goes_is_answered_at_once() {
    let start = Instant::now();
    for _ in 0..100 {
        let (_layer, handle, listener) =
            QueueLayer::builder().config(config()).build_stepped().unwrap();
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| handle.flush(LONG));
            drop(listener);
            assert!(flush.join().unwrap().is_err());
        });
    }
    assert!(start.elapsed() < LONG, "one has waited");
}

#[test]
fn a_blocked_caller_goes_on_when_the_listener_goes() {
    let mut config = config();
    config.queue.size = 1;
    config.queue.when_full = WhenFull::Block;
    let (layer, handle, listener) = QueueLayer::builder().config(config).build_stepped().unwrap();
    let dispatch: tracing::Dispatch = tracing_subscriber::registry().with(layer).into();
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            tracing::dispatcher::with_default(&dispatch, || {
                (0..3).for_each(|number| tracing::info!(number, "hello"));
            });
        });
        while handle.stats().in_queue == 0 {
            std::thread::yield_now();
        }
        drop(listener);
        caller.join().unwrap();
    });
    assert_eq!((handle.stats().captured(), handle.stats().dropped.total()), (3, 3));
}
