//! The invariants of the design, one named test or more for each.
//!
//! 1 and 2 have tests elsewhere too: `allocations.rs` (no heap), `sinks.rs` (deadlines),
//! `record_format.rs` (10).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests, outside of #[test] functions"
)]

mod json_lines;

use logwell::config::{LoggingConfig, WhenFull};
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, MemorySink, Sink};
use logwell::stats::{Reason, Stats};
use logwell::testing::{Clock, Listener, ManualClock, Step};
use logwell::{Level, LoggingHandle, QueueLayer, ShutdownReport};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang.
const LONG: Duration = Duration::from_secs(120);

fn config(size: usize, when_full: WhenFull) -> LoggingConfig {
    let mut config = LoggingConfig::builder()
        .files(false)
        .console(false)
        .log_level("trace")
        .queue_size(size)
        .when_full(when_full)
        .build()
        .unwrap();
    config.queue.max_wait = Duration::ZERO;
    config.shutdown_timeout = LONG;
    config
}

/// A pipeline stepped by hand.
struct Pipeline {
    memory: MemorySink,
    clock: ManualClock,
    handle: LoggingHandle,
    listener: Listener,
    dispatch: tracing::Dispatch,
}

impl Pipeline {
    fn new(config: LoggingConfig) -> Self {
        let (memory, clock) = (MemorySink::new(), ManualClock::new());
        let (layer, handle, listener) = QueueLayer::builder()
            .config(config)
            .clock(Clock::Manual(clock.clone()))
            .sink("memory", Accepts::all(), memory.clone())
            .build_stepped()
            .unwrap();
        let dispatch = tracing_subscriber::registry().with(layer).into();
        Self { memory, clock, handle, listener, dispatch }
    }

    fn log(&self, level: Level, count: usize) {
        tracing::dispatcher::with_default(&self.dispatch, || {
            (0..count).for_each(|number| log_at(level, number));
        });
    }

    fn step_until_empty(&mut self) {
        while matches!(self.listener.step(), Step::Took(1..)) {}
    }

    fn shut_down(&mut self) -> ShutdownReport {
        std::thread::scope(|scope| {
            let shutdown = scope.spawn(|| self.handle.shutdown());
            while self.listener.step() != Step::Stopped {
                std::thread::yield_now();
            }
            shutdown.join().unwrap()
        })
    }

    /// The records of that kind that the framework has written about itself.
    fn own(&self, kind: &str) -> Vec<serde_json::Value> {
        self.memory.json().into_iter().filter(|json| json["kind"] == kind).collect()
    }
}

fn log_at(level: Level, number: usize) {
    match level {
        Level::Trace => tracing::trace!(number, "hello"),
        Level::Debug => tracing::debug!(number, "hello"),
        Level::Info => tracing::info!(number, "hello"),
        Level::Warn => tracing::warn!(number, "hello"),
        Level::Error => tracing::error!(number, "hello"),
        Level::Critical => logwell::critical!(number, "hello"),
    }
}

/// Checks the identity of each sink.
fn check_sinks(stats: &Stats) {
    for sink in &stats.sinks {
        assert_eq!(sink.routed, sink.written + sink.dropped() + sink.in_hand(), "{sink:?}");
    }
}

// ---- 1: the application thread does no I/O and no encoding ----------------------------------

/// Says on which threads it was called.
#[derive(Clone, Default)]
struct Where(Arc<Mutex<Vec<std::thread::ThreadId>>>);

impl Sink for Where {
    fn write(&mut self, _: &Record) -> std::io::Result<()> {
        self.0.lock().unwrap().push(std::thread::current().id());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        self.0.lock().unwrap().push(std::thread::current().id());
        Ok(())
    }
}

#[test]
fn invariant_1_sinks_run_on_one_thread_that_is_not_the_callers() {
    let seen = Where::default();
    let (layer, handle) = QueueLayer::builder()
        .config(config(100, WhenFull::Block))
        .sink("where", Accepts::all(), seen.clone())
        .build()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..1_000).for_each(|number| log_at(Level::Error, number));
        handle.flush(LONG).unwrap();
    });
    handle.shutdown();
    let threads = seen.0.lock().unwrap();
    assert!(threads.len() > 1_000);
    assert!(threads.iter().all(|id| *id == threads[0] && *id != std::thread::current().id()));
}

#[test]
fn invariant_1_a_sink_that_is_stuck_holds_up_no_caller() {
    let (called, is_called) = channel();
    let (free, go_on) = channel::<()>();
    struct Stuck(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>);
    impl Sink for Stuck {
        fn write(&mut self, _: &Record) -> std::io::Result<()> {
            let _nobody_listens = self.0.send(());
            let _freed = self.1.recv();
            Ok(())
        }

        fn flush(&mut self) -> Result<(), FlushError> {
            Ok(())
        }
    }
    let (layer, handle) = QueueLayer::builder()
        .config(config(10, WhenFull::Shed))
        .sink("stuck", Accepts::all(), Stuck(called, go_on))
        .build()
        .unwrap();
    is_called.recv().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        // Would never end if a caller waited for the sink.
        Level::ALL.into_iter().for_each(|level| (0..100).for_each(|n| log_at(level, n)));
    });
    let stats = handle.stats();
    assert_eq!((stats.captured(), stats.in_queue), (600, 10));
    drop(free);
    assert!(handle.shutdown().is_complete);
}

// ---- 2: every queue has a bound -------------------------------------------------------------

#[test]
fn invariant_2_the_queue_holds_no_more_records_than_it_should() {
    let pipeline = Pipeline::new(config(50, WhenFull::Drop));
    pipeline.log(Level::Info, 1_000);
    assert_eq!(pipeline.handle.stats().in_queue, 50);
}

#[test]
fn invariant_2_the_queue_holds_no_more_bytes_than_it_should() {
    let mut config = config(10_000, WhenFull::Shed);
    config.queue.max_bytes = 512 * 1024;
    config.limits.ai_field_bytes = 64 * 1024;
    config.limits.ai_record_bytes = 256 * 1024;
    let mut pipeline = Pipeline::new(config);
    let long = "x".repeat(60 * 1024);
    let log = |pipeline: &Pipeline, count: usize| {
        tracing::dispatcher::with_default(&pipeline.dispatch, || {
            (0..count).for_each(|number| tracing::info!(number, long, "hello"));
        });
    };
    log(&pipeline, 100);
    let stats = pipeline.handle.stats();
    assert!(stats.queue_heap_bytes <= 512 * 1024, "{}", stats.queue_heap_bytes);
    assert!(stats.in_queue > 3, "most of the budget is used: {}", stats.in_queue);
    assert_eq!(stats.dropped.get(Level::Info, Reason::Bytes), 100 - stats.in_queue);
    pipeline.step_until_empty();
    assert_eq!(pipeline.handle.stats().queue_heap_bytes, 0, "all of it is given back");
    log(&pipeline, 1);
    assert_eq!(pipeline.handle.stats().in_queue, 1);
}

// ---- 3: conservation ------------------------------------------------------------------------

#[test]
fn invariant_3_under_shed_each_level_gives_way_at_its_threshold() {
    let mut pipeline = Pipeline::new(config(100, WhenFull::Shed));
    let queued = |pipeline: &Pipeline| pipeline.handle.stats().in_queue;
    pipeline.log(Level::Trace, 30);
    pipeline.log(Level::Debug, 30);
    assert_eq!(queued(&pipeline), 50);
    pipeline.log(Level::Info, 30);
    assert_eq!(queued(&pipeline), 75);
    pipeline.log(Level::Warn, 30);
    assert_eq!(queued(&pipeline), 90);
    pipeline.log(Level::Error, 7);
    pipeline.log(Level::Critical, 7);
    assert_eq!(queued(&pipeline), 100);
    let dropped = pipeline.handle.stats().dropped;
    let all: Vec<_> = dropped.iter().collect();
    assert_eq!(
        all,
        [
            (Level::Debug, Reason::Shed, 10),
            (Level::Info, Reason::Shed, 5),
            (Level::Warn, Reason::Shed, 15),
            (Level::Critical, Reason::Full, 4),
        ]
    );
    let stats = pipeline.handle.stats();
    assert_eq!((stats.captured(), stats.received), (134, 0));

    let report = pipeline.shut_down();
    assert_eq!((report.captured(), report.dropped(), report.stats.received), (134, 34, 100));
    assert_eq!(report.stats.received_by_level, [30, 20, 25, 15, 7, 3]);
    assert_eq!(report.written("memory"), 102, "with the loss and the receipt");
    let told = &pipeline.own("logwell.dropped")[0];
    assert_eq!(told["dropped"], 34);
    assert_eq!(told["dropped.DEBUG.shed"], 10);
    assert_eq!(told["dropped.INFO.shed"], 5);
    assert_eq!(told["dropped.WARN.shed"], 15);
    assert_eq!(told["dropped.CRITICAL.full"], 4);
    let receipt = &pipeline.own("logwell.stopped")[0];
    assert_eq!((&receipt["received"], &receipt["dropped"]), (&100.into(), &34.into()));
}

#[test]
fn invariant_3_under_shed_errors_wait_as_long_as_they_may_and_are_then_counted() {
    let mut config = config(4, WhenFull::Shed);
    config.queue.max_wait = Duration::from_millis(20);
    let mut pipeline = Pipeline::new(config);
    pipeline.log(Level::Error, 4);
    let start = Instant::now();
    pipeline.log(Level::Warn, 100);
    pipeline.log(Level::Error, 1);
    pipeline.log(Level::Critical, 1);
    assert!(start.elapsed() >= Duration::from_millis(40), "each of the two has waited");
    let dropped: Vec<_> = pipeline.handle.stats().dropped.iter().collect();
    assert_eq!(
        dropped,
        [
            (Level::Warn, Reason::Shed, 100),
            (Level::Error, Reason::Timeout, 1),
            (Level::Critical, Reason::Timeout, 1),
        ]
    );
    assert_eq!(pipeline.shut_down().captured(), 106);
}

#[test]
fn invariant_3_under_block_each_level_waits_until_its_deadline_and_is_then_counted() {
    let mut config = config(4, WhenFull::Block);
    config.queue.block_timeout = Some(Duration::from_millis(20));
    let mut pipeline = Pipeline::new(config);
    pipeline.log(Level::Trace, 4);
    let start = Instant::now();
    pipeline.log(Level::Trace, 1);
    pipeline.log(Level::Critical, 1);
    assert!(start.elapsed() >= Duration::from_millis(40), "each of the two has waited");
    let dropped: Vec<_> = pipeline.handle.stats().dropped.iter().collect();
    assert_eq!(
        dropped,
        [(Level::Trace, Reason::Timeout, 1), (Level::Critical, Reason::Timeout, 1)]
    );
    assert_eq!(pipeline.shut_down().captured(), 6);
}

#[test]
fn invariant_3_what_files_level_keeps_out_is_told_at_once_and_then_once_an_hour() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(1_000, WhenFull::Drop);
    config.files.enabled = true;
    config.files.dir = directory.path().into();
    config.files.level = "error".parse().unwrap();
    let mut pipeline = Pipeline::new(config);
    let log = |pipeline: &mut Pipeline, level: Level, count: usize| {
        pipeline.log(level, count);
        pipeline.step_until_empty();
    };
    let told = |pipeline: &Pipeline| -> Vec<[u64; 4]> {
        let numbers = |json: &serde_json::Value| {
            ["seq", "filtered", "first_seq", "total"].map(|key| json[key].as_u64().unwrap())
        };
        pipeline.own("logwell.filtered").iter().map(numbers).collect()
    };
    log(&mut pipeline, Level::Error, 2);
    assert_eq!(told(&pipeline), [[0_u64; 4]; 0], "nothing was kept out");
    log(&mut pipeline, Level::Info, 5);
    assert_eq!(told(&pipeline), [[4, 1, 3, 1]], "told before the next record");
    pipeline.clock.advance(Duration::from_secs(3_599));
    log(&mut pipeline, Level::Info, 5);
    assert_eq!(told(&pipeline).len(), 1, "not yet again");
    pipeline.clock.advance(Duration::from_secs(1));
    pipeline.step_until_empty();
    assert_eq!(told(&pipeline), [[4, 1, 3, 1], [14, 9, 5, 10]], "without a record, too");
    pipeline.clock.advance(Duration::from_secs(4_000));
    pipeline.step_until_empty();
    assert_eq!(told(&pipeline).len(), 2, "nothing new");
    pipeline.shut_down();
    let receipt = &pipeline.own("logwell.stopped")[0];
    assert_eq!((&receipt["seq"], &receipt["app.routed"]), (&15.into(), &4.into()));
    // The file has its own records nevertheless.
    let file = std::fs::read_to_string(directory.path().join("app.log")).unwrap();
    assert_eq!(file.lines().count(), 5);
    assert_eq!(file.matches("\"kind\":\"logwell.").count(), 3);
}

#[test]
fn invariant_3_losses_are_told_once_a_second_and_no_loss_twice() {
    let mut pipeline = Pipeline::new(config(10, WhenFull::Drop));
    let tell = |pipeline: &mut Pipeline, lost: usize| {
        pipeline.log(Level::Info, 10 + lost);
        pipeline.step_until_empty();
    };
    tell(&mut pipeline, 3);
    assert_eq!(pipeline.own("logwell.dropped").len(), 1, "at once");
    tell(&mut pipeline, 4);
    pipeline.clock.advance(Duration::from_millis(999));
    tell(&mut pipeline, 5);
    assert_eq!(pipeline.own("logwell.dropped").len(), 1, "not yet again");
    pipeline.clock.advance(Duration::from_millis(1));
    pipeline.step_until_empty();
    tell(&mut pipeline, 6);
    let report = pipeline.shut_down();
    let told: Vec<_> =
        pipeline.own("logwell.dropped").iter().map(|json| json["dropped"].clone()).collect();
    assert_eq!(told, [3, 9, 6]);
    assert_eq!(report.dropped(), 18);
}

#[test]
fn invariant_3_the_loss_record_reaches_the_file_though_the_queue_is_full() {
    let mut pipeline = Pipeline::new(config(4, WhenFull::Drop));
    pipeline.log(Level::Error, 9);
    assert_eq!(pipeline.handle.stats().in_queue, 4);
    assert_eq!(pipeline.listener.step(), Step::Took(4));
    assert_eq!(pipeline.own("logwell.dropped")[0]["dropped.ERROR.full"], 5);
    let seqs: Vec<_> = pipeline.memory.records().iter().map(Record::seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5], "the file's own numbers have no gap");
}

/// Four threads log as fast as they can while the account is looked at; in the end it is exact.
fn check_storm(when_full: WhenFull) {
    const THREADS: u64 = 4;
    const EACH: u64 = 20_000;
    let (layer, handle) = QueueLayer::builder()
        .config(config(100, when_full))
        .sink("all", Accepts::all(), MemorySink::new())
        .sink("errors", Accepts::all().from_level(Level::Error), MemorySink::new())
        .build()
        .unwrap();
    let dispatch: tracing::Dispatch = tracing_subscriber::registry().with(layer).into();
    let (begun, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let samples = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut samples = 0_u64;
            while !over.load(Ordering::Acquire) {
                let stats = handle.stats();
                let begun = begun.load(Ordering::Acquire);
                assert!(stats.captured() <= begun, "{} of {begun}", stats.captured());
                assert!(stats.in_queue <= 100);
                check_sinks(&stats);
                samples += 1;
            }
            samples
        });
        let callers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        for number in 0..EACH {
                            begun.fetch_add(1, Ordering::AcqRel);
                            let level = Level::ALL[usize::try_from(number % 6).unwrap()];
                            log_at(level, usize::try_from(number).unwrap());
                        }
                    });
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        over.store(true, Ordering::Release);
        sampler.join().unwrap()
    });
    assert!(samples > 0);
    let report = handle.shutdown();
    assert!(report.is_complete);
    let stats = &report.stats;
    assert_eq!(report.captured(), THREADS * EACH);
    assert_eq!(stats.in_queue, 0);
    check_sinks(stats);
    let all = stats.sink("all").unwrap();
    assert_eq!((all.routed, all.written), (stats.received + stats.own, stats.received + stats.own));
    let errors = stats.sink("errors").unwrap();
    assert_eq!(errors.written, stats.received_by_level[4] + stats.received_by_level[5]);
    if when_full == WhenFull::Block {
        assert!(report.is_lossless(), "{report}");
    }
}

#[test]
fn invariant_3_holds_in_a_storm_that_sheds() {
    check_storm(WhenFull::Shed);
}

#[test]
fn invariant_3_holds_in_a_storm_that_blocks() {
    check_storm(WhenFull::Block);
}

#[test]
fn invariant_3_holds_in_a_storm_that_drops() {
    check_storm(WhenFull::Drop);
}

/// Refuses some records, and loses some of those it took.
#[derive(Default)]
struct Faulty {
    calls: u64,
}

impl Sink for Faulty {
    fn write(&mut self, _: &Record) -> std::io::Result<()> {
        self.calls += 1;
        if self.calls.is_multiple_of(7) { Err(std::io::Error::other("no")) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        self.calls += 1;
        match self.calls % 3 {
            0 => Ok(()),
            1 => Err(FlushError { error: std::io::Error::other("later"), kept: 2, lost: 0 }),
            _ => Err(FlushError { error: std::io::Error::other("gone"), kept: 1, lost: 3 }),
        }
    }
}

/// Samples the account a thousand times while four threads log as fast as they can, sinks fail, and
/// in the middle of it all logging is shut down.
fn check_samples(when_full: WhenFull) {
    const SAMPLES: u64 = 1_000;
    let (layer, handle) = QueueLayer::builder()
        .config(config(100, when_full))
        .sink("faulty", Accepts::all(), Faulty::default())
        .sink("memory", Accepts::all().from_level(Level::Warn), MemorySink::new())
        .build()
        .unwrap();
    let dispatch: tracing::Dispatch = tracing_subscriber::registry().with(layer).into();
    let (begun, returned) = (AtomicU64::new(0), AtomicU64::new(0));
    let (sampled, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    for number in (0_usize..).take_while(|_| !ended.load(Ordering::Relaxed)) {
                        begun.fetch_add(1, Ordering::SeqCst);
                        log_at(Level::ALL[number % 4], number);
                        returned.fetch_add(1, Ordering::SeqCst);
                    }
                });
            });
        }
        scope.spawn(|| {
            while sampled.load(Ordering::Relaxed) < SAMPLES / 2 {
                std::thread::yield_now();
            }
            assert!(handle.shutdown().is_complete);
        });
        let samples = scope.spawn(|| {
            let mut is_over = false;
            while !is_over {
                let at_least = returned.load(Ordering::SeqCst);
                let stats = handle.stats();
                let at_most = begun.load(Ordering::SeqCst);
                let captured = stats.captured();
                assert!(
                    (at_least..=at_most).contains(&captured),
                    "{at_least} {captured} {at_most}"
                );
                for sink in &stats.sinks {
                    assert!(sink.routed >= sink.written + sink.dropped(), "{sink:?}");
                    assert!(sink.routed <= stats.received + stats.own, "{sink:?} {stats:?}");
                }
                let sampled = sampled.fetch_add(1, Ordering::Relaxed);
                is_over = sampled >= SAMPLES && stats.dropped.get(Level::Info, Reason::Closed) > 0;
            }
        });
        let samples = samples.join();
        ended.store(true, Ordering::Relaxed);
        sampled.store(SAMPLES, Ordering::Relaxed);
        samples.unwrap();
    });
    let stats = handle.stats();
    assert_eq!((stats.captured(), stats.in_queue), (returned.into_inner(), 0));
    let faulty = stats.sink("faulty").unwrap();
    assert!(faulty.refused > 0 && faulty.lost > 0 && faulty.written > 0, "{faulty:?}");
    check_sinks(&stats);
}

#[test]
fn invariant_3_a_caller_that_looks_after_each_record_finds_the_exact_number() {
    let (layer, handle) = QueueLayer::builder()
        .config(config(100, WhenFull::Drop))
        .sink("faulty", Accepts::all(), Faulty::default())
        .build()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for number in 1..=20_000 {
            log_at(Level::Info, number);
            assert_eq!(handle.stats().captured(), number as u64);
        }
        handle.shutdown();
        log_at(Level::Info, 0);
        assert_eq!(handle.stats().captured(), 20_001);
    });
}

#[test]
fn invariant_3_holds_in_each_of_a_thousand_samples_of_a_storm_with_faults_that_sheds() {
    check_samples(WhenFull::Shed);
}

#[test]
fn invariant_3_holds_in_each_of_a_thousand_samples_of_a_storm_with_faults_that_blocks() {
    check_samples(WhenFull::Block);
}

#[test]
fn invariant_3_holds_in_each_of_a_thousand_samples_of_a_storm_with_faults_that_drops() {
    check_samples(WhenFull::Drop);
}

// ---- 4: our threads cannot feed our queue ---------------------------------------------------

/// A sink that logs on each call.
struct Chatty;

impl Sink for Chatty {
    fn write(&mut self, _: &Record) -> std::io::Result<()> {
        tracing::error!("from inside a sink");
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        tracing::error!("from inside a sink");
        Ok(())
    }
}

#[test]
fn invariant_4_what_the_listener_logs_is_not_captured() {
    let memory = MemorySink::new();
    let (layer, handle) = QueueLayer::builder()
        .config(config(100, WhenFull::Drop))
        .sink("chatty", Accepts::all(), Chatty)
        .sink("memory", Accepts::all(), memory.clone())
        .build()
        .unwrap();
    // For all threads, the listener's included. No other test of this binary may do so.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    tracing::info!("hello");
    handle.flush(LONG).unwrap();
    assert_eq!(handle.stats().captured(), 1);
    handle.shutdown();
    assert!(!memory.messages().contains(&"from inside a sink".to_owned()));
}

// ---- 5 and the arrows of the design ---------------------------------------------------------

/// Each file under `src/`, by its path there, without comments and tests.
fn sources() -> BTreeMap<String, String> {
    sources_of("src")
}

/// Each file under a folder of the workspace.
fn sources_of(folder: &str) -> BTreeMap<String, String> {
    fn collect(dir: &Path, root: &Path, all: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
                if !is_test && !name.starts_with("simulation/") {
                    all.insert(name, code_of(&std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all = BTreeMap::new();
    collect(&root, &root, &mut all);
    all
}

/// What a compiler sees of it outside of tests: tests stand last in a file.
fn code_of(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Whether `code` names the crate or module `name`: as a path, not as a part of another word.
fn names(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// Checks that only those files name the crate, and that they do: a rule about nothing is none.
fn check_only(krate: &str, allowed: &[&str]) {
    check_only_of(&sources(), krate, allowed);
}

fn check_only_of(sources: &BTreeMap<String, String>, krate: &str, allowed: &[&str]) {
    let users: Vec<&str> =
        sources.iter().filter(|(_, code)| names(code, krate)).map(|(file, _)| &**file).collect();
    assert_eq!(users, allowed, "files that name {krate}");
}

/// Whether the file is in one of the folders, or is one of the files.
fn is_in(file: &str, places: &[&str]) -> bool {
    let is_it = |place: &&str| match place.ends_with('/') {
        true => file.starts_with(*place),
        false => file == *place,
    };
    places.iter().any(is_it)
}

/// Which way imports run is tested by `xtask/src/imports/`.
#[test]
fn invariant_5_a_record_and_all_after_it_know_nothing_of_tracing() {
    let folders = [
        "pipeline/",
        "sink/",
        "black_box/",
        "spool/",
        "encode/",
        "rotate/",
        "metrics/",
        "record/",
        "base/",
    ];
    let sources = sources();
    let checked = sources.iter().filter(|(file, _)| is_in(file, &folders));
    // Whether a directive is one of tracing's own is asked of tracing.
    let checked: Vec<_> = checked.filter(|(file, _)| *file != "record/directives.rs").collect();
    assert!(checked.len() > 80, "{}", checked.len());
    for (file, code) in checked {
        for krate in ["tracing", "tracing_subscriber", "tracing_log", "log"] {
            assert!(!names(code, krate), "{file} names {krate}");
        }
    }
}

#[test]
fn invariant_5_a_sink_knows_no_channel_an_encoder_no_file_and_no_pure_folder_a_thread() {
    let rules: [(&str, &[&str]); 6] = [
        ("sink/", &["std::sync::mpsc"]),
        ("encode/", &["std::fs", "std::thread", "std::net::TcpStream", "std::env"]),
        ("record/", &["std::fs", "std::thread", "std::net", "std::env"]),
        ("rotate/", &["std::thread", "std::env", "serde_json"]),
        ("spool/", &["std::thread", "std::net", "serde_json"]),
        ("config/", &["std::thread", "std::net"]),
    ];
    let sources = sources();
    for (folder, forbidden) in rules {
        let files: Vec<_> = sources.iter().filter(|(file, _)| is_in(file, &[folder])).collect();
        assert!(files.len() > 4, "{folder} has {} files", files.len());
        for (file, code) in files {
            for name in forbidden {
                let is_named = names(code, name) || code.contains(&format!("use {name};"));
                assert!(!is_named, "{file} names {name}");
            }
        }
    }
}

#[test]
fn each_dependency_is_named_behind_its_doors_only() {
    check_only("file_rotate", &["rotate/shift.rs"]);
    check_only("tracing_appender", &["sink/console.rs"]);
    check_only("tracing_log", &["capture/log_bridge.rs"]);
    check_only("log", &["capture/log_bridge.rs", "capture/log_pairs.rs"]);
    let who_hands_over_to_a_thread = [
        "base/background.rs",
        "base/selflog.rs",
        "forward/rabbitmq/link.rs",
        "forward/running.rs",
        "pipeline/listener.rs",
        "setup/builder.rs",
        "setup/handle.rs",
        "setup/metrics.rs",
        "sink/file/janitor.rs",
        "sink/file/syncer.rs",
    ];
    check_only("crossbeam_channel", &who_hands_over_to_a_thread);
    check_only("forkguard", &["base/fork.rs"]);
    check_only("shutdown_hooks", &["setup/hooks/exit.rs"]);
    check_only("signal_hook", &["setup/hooks/signals.rs"]);
    let who_knows_calendars = [
        "base/clock.rs",
        "encode/stamp.rs",
        "forward/retry_after.rs",
        "rotate/maintenance.rs",
        "rotate/period.rs",
    ];
    check_only("jiff", &who_knows_calendars);
    check_only("ureq", &["forward/http.rs"]);
    check_only("webpki_root_certs", &["forward/email/socket.rs", "forward/http.rs"]);
    let who_speaks_amqp = [
        "forward/amqp/consumer.rs",
        "forward/amqp/halt.rs",
        "forward/amqp/mod.rs",
        "forward/amqp/publisher.rs",
        "forward/amqp/socket.rs",
        "forward/amqp/trouble.rs",
    ];
    check_only("lapin", &who_speaks_amqp);
    check_only("tokio_stream", &["forward/amqp/consumer.rs", "forward/amqp/halt.rs"]);
    check_only("async_compat", &["forward/amqp/socket.rs"]);
    check_only("flate2", &["forward/http.rs", "rotate/pack.rs"]);
    check_only("zstd", &["rotate/pack.rs"]);
    let who_writes_base64 = [
        "encode/value.rs",
        "forward/email/mime.rs",
        "forward/email/smtp.rs",
        "forward/endpoint.rs",
        "forward/otlp/protobuf.rs",
        "forward/webhook/signature.rs",
    ];
    check_only("base64", &who_writes_base64);
    check_only("ring", &["forward/webhook/signature.rs"]);
    check_only("rustls", &["forward/email/socket.rs"]);
    check_only("crc32c", &["spool/cursor.rs", "spool/entry.rs"]);
    check_only("quanta", &["base/clock.rs"]);
    check_only(
        "memchr",
        &["capture/redact/keys.rs", "capture/redact/sites.rs", "capture/redact/urls.rs"],
    );
    check_only("memmap2", &["black_box/map.rs"]);
    check_only("libc", &["black_box/map.rs"]);
    check_only("nix", &["base/threads.rs"]);
    let who_asks_the_system = [
        "base/fs/os.rs",
        "base/standard_streams.rs",
        "black_box/map.rs",
        "metrics/process.rs",
        "metrics/system.rs",
    ];
    check_only("rustix", &who_asks_the_system);
    check_only("zmij", &["encode/json/fast_path.rs", "encode/text/mod.rs", "encode/value.rs"]);
    check_only("arc_swap", &["capture/filter.rs"]);
    check_only("pin_project_lite", &["capture/context.rs"]);
    let options = sources_of("crates/logwell-options/src");
    check_only_of(&options, "serde_yaml", &["yaml.rs"]);
    check_only_of(&options, "base64", &["secret.rs"]);
}

#[test]
fn no_file_of_the_library_prints_or_sleeps_where_a_caller_waits() {
    for (file, code) in sources() {
        for call in ["println!", "eprintln!", "print!", "eprint!", "process::exit", "abort()"] {
            assert!(!code.contains(call), "{file} calls {call}");
        }
        // forward/open.rs waits at set-up until another process releases a directory;
        // dead_letters/file.rs, on the forwarder's thread, until one has copied dead letters.
        let who_waits =
            ["dead_letters/file.rs", "forward/open.rs", "pipeline/queue.rs", "sink/console.rs"];
        if !is_in(&file, &who_waits) {
            assert!(!code.contains("thread::sleep"), "{file} sleeps");
        }
    }
}

#[test]
fn every_thread_starts_deaf_to_the_signals_of_the_application() {
    for (file, code) in sources() {
        let is_ours = !file.starts_with("simulation/") && file != "base/threads.rs";
        for call in ["thread::spawn(", "thread::Builder", "thread::{Builder"] {
            assert!(!is_ours || !code.contains(call), "{file} starts a thread by itself");
        }
    }
}

#[test]
fn the_architecture_tests_see_what_they_look_for() {
    assert!(names("use log::Level;", "log") && names("(log::max_level())", "log"));
    assert!(!names("tracing_log::x; catalog::x; crate::log::x", "log"));
    assert_eq!(code_of("//! a::b\nlet x; // a::b\n#[cfg(test)]\nmod tests { a::b }"), "let x;");
}

// ---- 6: only names that can be parsed back are ever deleted ---------------------------------

#[test]
fn invariant_6_rotation_deletes_no_file_that_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let strangers = [
        "app-audit.log",
        "app.log.bak",
        "app.log.01",
        "app.log.20260131",
        "app.log.1.gz.part",
        "app.log.1.bz2",
        "app.log.01.gz",
        "app.log.",
        "app.log.0",
        "app.log.-1",
        "app.log.+1",
        "Xapp.log.1",
        "app_log.1",
    ];
    for name in strangers {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let config = LoggingConfig::builder()
        .console(false)
        .log_dir(dir.path())
        .max_bytes(4 * 1024)
        .backup_count(2)
        .shutdown_timeout(LONG)
        .build()
        .unwrap();
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..500).for_each(|number| tracing::info!(number, "hello"));
    });
    let report = handle.shutdown();
    let (_, files) = report.files.iter().find(|(sink, _)| sink == "app").unwrap();
    assert_eq!(files.len(), 3, "it has rotated and deleted: {files:?}");
    for name in strangers {
        let text = std::fs::read_to_string(dir.path().join(name));
        assert_eq!(text.ok().as_deref(), Some(name));
    }
}

// ---- 8: configuration cannot fail after the first thread has started ------------------------

#[test]
fn invariant_8_a_wrong_configuration_starts_no_thread_and_opens_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let mut config = LoggingConfig::builder().log_dir(&logs).build().unwrap();
    config.queue.size = 0;
    config.queue.shed_info_percent = 10;
    let error = QueueLayer::builder().config(config).build().unwrap_err();
    assert!(error.is_config());
    assert_eq!(error.mistakes().len(), 2, "all mistakes are told: {error}");
    assert!(!logs.exists());
}

#[test]
fn invariant_8_a_directory_that_cannot_be_made_is_told_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let config =
        LoggingConfig::builder().console(false).log_dir(file.join("logs")).build().unwrap();
    let error = QueueLayer::builder().config(config).build().unwrap_err();
    assert!(error.is_path());
    assert!(error.to_string().contains("file/logs/app.log"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_no_reason_to_be_silent_while_there_is_a_console() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let config = LoggingConfig::builder().log_dir(file.join("logs")).build().unwrap();
    let (_layer, handle, mut listener) =
        QueueLayer::builder().config(config).build_stepped().unwrap();
    listener.step();
    let problems = handle.health().problems.join(" ");
    assert!(problems.contains("there are no log files"), "{problems}");
    assert!(problems.contains("file/logs/app.log") && problems.contains("LOG_DIR"), "{problems}");
    assert!(handle.stats().sinks.iter().any(|sink| sink.name == "console"));
}

// ---- 9: no panic after start-up -------------------------------------------------------------

struct Bomb;

impl std::fmt::Debug for Bomb {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::panic::resume_unwind(Box::new("a bomb")) // without the hook, which would print
    }
}

#[test]
fn invariant_9_a_value_that_panics_costs_its_own_text_and_nothing_else() {
    let mut pipeline = Pipeline::new(config(100, WhenFull::Drop));
    tracing::dispatcher::with_default(&pipeline.dispatch, || {
        tracing::info!(bomb = ?Bomb, after = 7, "hello");
    });
    pipeline.step_until_empty();
    let json = &pipeline.memory.json()[0];
    assert_eq!((&json["message"], &json["after"]), (&"hello".into(), &7.into()));
    assert!(json["bomb"].as_str().unwrap().contains("panic"), "{json}");
    assert_eq!(pipeline.handle.stats().unformatted_values, 1);
}

#[test]
fn invariant_9_a_directory_that_vanishes_under_a_running_log_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let config = LoggingConfig::builder().console(false).log_dir(&logs).build().unwrap();
    let (layer, handle, mut listener) = QueueLayer::builder()
        .config(config)
        .clock(Clock::Manual(ManualClock::new()))
        .build_stepped()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!("one");
        listener.step();
        std::fs::remove_dir_all(&logs).unwrap();
        tracing::error!("two");
        listener.step();
    });
    let sink = handle.stats().sink("app").unwrap().clone();
    assert_eq!((sink.written, sink.dropped(), sink.in_hand()), (2, 0, 0), "{sink:?}");
    let text = std::fs::read_to_string(logs.join("app.log")).unwrap();
    assert_eq!(json_lines::strict(text.as_bytes())["message"], "two");
}
