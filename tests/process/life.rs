//! Setting up and shutting down.

use crate::support::{SOON, quiet};
use crate::{Scenario, ended_well};
use logwell::record::Level;
use logwell::sink::{Accepts, MemorySink};
use logwell::stats::Reason;
use logwell::{Builder, LoggerFactory, LoggingConfig, QueueLayer};
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use tracing::info;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        ("a_second_init_is_an_error_that_names_the_first", second_init as fn(&Path)),
        ("init_after_another_global_subscriber_is_an_error_and_changes_nothing", occupied),
        ("init_after_another_log_logger_is_an_error_and_changes_nothing", log_occupied),
        ("init_after_a_scoped_subscriber_works", scoped_before),
        ("a_failed_init_can_be_repeated", failed_first),
        ("shutdown_gives_the_same_report_to_all_handles", shutdown_twice),
        ("shutdown_without_init_is_empty_and_complete", shutdown_alone),
        ("events_after_shutdown_are_counted_and_never_hang", after_shutdown),
        ("shutdown_while_threads_log_loses_nothing_uncounted", shutdown_under_load),
        ("the_plain_console_can_be_set_up_and_shut_down", plain),
        ("a_logger_factory_sets_up_names_loggers_and_shuts_down", factory),
        ("a_subscriber_of_ones_own_can_be_global", own_registry),
        #[cfg(target_os = "linux")]
        ("what_a_daemon_prints_that_has_closed_its_streams_is_in_no_log_file", closed_streams),
    ]
    .into_iter()
    .map(|(sentence, run)| Scenario { sentence, run, check: ended_well })
    .collect()
}

fn into(memory: &MemorySink) -> Builder {
    QueueLayer::builder().config(quiet("trace")).sink("memory", Accepts::all(), memory.clone())
}

fn second_init(_: &Path) {
    let (first, line) = (logwell::init_logging_with(quiet("info")), line!());
    first.unwrap();
    let place = format!("{}:{line}", file!());
    for second in [
        logwell::init_logging_with(quiet("info")),
        logwell::init_logging(),
        logwell::init_logging_from_config("no/such/file.yaml"),
        into(&MemorySink::new()).init(),
    ] {
        let error = second.unwrap_err().to_string();
        assert!(error.contains(&place), "{error} should name {place}");
    }
    let _report = logwell::shutdown_logging();
    assert!(logwell::init_logging_with(quiet("info")).is_err(), "after shutdown too");
}

fn occupied(dir: &Path) {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let config = LoggingConfig::builder().log_dir(dir.join("logs")).build().unwrap();
    let error = logwell::init_logging_with(config).unwrap_err().to_string();
    assert!(error.contains("global subscriber"), "{error}");
    assert!(logwell::handle().is_none());
    assert!(!dir.join("logs").exists(), "nothing was opened");
    log::set_boxed_logger(Box::new(Nobody)).unwrap();
}

pub(crate) struct Nobody;

impl log::Log for Nobody {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }
    fn log(&self, _: &log::Record<'_>) {}
    fn flush(&self) {}
}

fn log_occupied(_: &Path) {
    log::set_boxed_logger(Box::new(Nobody)).unwrap();
    let error = logwell::init_logging_with(quiet("info")).unwrap_err().to_string();
    assert!(error.contains("log_crate"), "{error}");
    let mut config = quiet("info");
    config.log_crate = false;
    logwell::init_logging_with(config).unwrap();
}

fn scoped_before(_: &Path) {
    let logs = logwell::testing::capture();
    info!("scoped");
    let memory = MemorySink::new();
    let handle = into(&memory).init().unwrap();
    info!("scoped still");
    assert_eq!(logs.messages(), ["scoped", "scoped still"]);
    drop(logs);
    info!("global");
    handle.flush(SOON).unwrap();
    assert_eq!(memory.messages().last().unwrap(), "global");
}

fn failed_first(dir: &Path) {
    std::fs::write(dir.join("file"), "in the way").unwrap();
    let wrong =
        LoggingConfig::builder().console(false).log_dir(dir.join("file/logs")).build().unwrap();
    assert!(logwell::init_logging_with(wrong).is_err());
    let right = LoggingConfig::builder().console(false).log_dir(dir.join("logs"));
    let right = right.shutdown_timeout(SOON).build().unwrap();
    logwell::init_logging_with(right).unwrap();
    info!("works");
    let report = logwell::shutdown_logging();
    assert!(report.is_lossless(), "{report}");
    let text = std::fs::read_to_string(dir.join("logs/app.log")).unwrap();
    assert!(text.contains("works"), "{text}");
}

fn shutdown_twice(_: &Path) {
    let memory = MemorySink::new();
    let handle = into(&memory).init().unwrap();
    let other = logwell::handle().unwrap();
    info!("one");
    let reports = [
        handle.shutdown(),
        other.shutdown(),
        logwell::shutdown_logging(),
        thread::spawn(logwell::shutdown_logging).join().unwrap(),
    ];
    for report in &reports {
        assert!(report.is_lossless(), "{report}");
        assert_eq!(report.to_string(), reports[0].to_string());
        assert_eq!((report.captured(), report.written("memory")), (1, 3));
    }
    assert_eq!(memory.messages(), ["logging started", "one", "logging stopped"]);
}

fn shutdown_alone(_: &Path) {
    let report = logwell::shutdown_logging();
    assert!(report.is_lossless());
    assert_eq!(report.captured(), 0);
}

fn after_shutdown(_: &Path) {
    let memory = MemorySink::new();
    let handle = into(&memory).init().unwrap();
    let _report = handle.shutdown();
    let before = memory.records().len();
    for _ in 0..20_000 {
        info!("too late");
        tracing::error!("too late, and important");
    }
    log::warn!("too late by log");
    tracing::info_span!("late span").in_scope(|| logwell::critical!("in a span"));
    let dropped = handle.stats().dropped;
    assert_eq!(dropped.get(Level::Info, Reason::Closed), 20_000);
    assert_eq!(dropped.get(Level::Error, Reason::Closed), 20_000);
    assert_eq!(dropped.get(Level::Warn, Reason::Closed), 1);
    assert_eq!(dropped.get(Level::Critical, Reason::Closed), 1);
    assert_eq!(dropped.total(), 40_002);
    assert_eq!(memory.records().len(), before);
    assert!(handle.flush(SOON).is_err());
    assert!(!handle.health().is_healthy());
    handle.set_level("debug").unwrap();
}

fn shutdown_under_load(_: &Path) {
    let memory = MemorySink::new();
    let handle = into(&memory).init().unwrap();
    let begun = Barrier::new(5);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begun.wait();
                (0..5_000).for_each(|n| tracing::error!(n, "under load"));
            });
        }
        begun.wait();
        info!("before");
        let report = handle.shutdown();
        assert!(report.is_complete, "{report}");
    });
    let stats = handle.stats();
    assert_eq!(stats.captured(), 20_001, "{stats:?}");
    let written = memory.records().iter().filter(|record| record.target() != "logwell").count();
    assert_eq!(written as u64 + stats.in_queue, stats.received + stats.in_queue);
    assert_eq!(stats.in_queue, 0, "what came after the end is counted as dropped");
}

fn plain(_: &Path) {
    let mut config = quiet("info");
    config.unified = false;
    let handle = logwell::init_logging_with(config).unwrap();
    info!("to the console");
    log::info!("by log");
    handle.flush(SOON).unwrap();
    assert!(logwell::shutdown_logging().is_lossless());
    info!("still works");
}

fn own_registry(_: &Path) {
    use tracing_subscriber::layer::SubscriberExt as _;
    let memory = MemorySink::new();
    let (layer, handle) = into(&memory).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    info!("own registry");
    assert!(logwell::handle().is_none());
    assert!(handle.shutdown().is_lossless());
    assert_eq!(memory.messages().get(1).unwrap(), "own registry");
}

fn factory(dir: &Path) {
    let config = LoggingConfig::builder().console(false).log_dir(dir).shutdown_timeout(SOON);
    let config = config.build().unwrap();
    let (factory, line) = (LoggerFactory::init(config.clone()), line!());
    let factory = factory.unwrap();
    let error = LoggerFactory::init(config).unwrap_err().to_string();
    assert!(error.contains(&format!("{}:{line}", file!())), "{error}");
    let orders = factory.logger("orders").with("region", "eu");
    assert_eq!(orders.name(), "orders");
    orders.info("accepted");
    orders.critical("lost");
    factory.logger("other").debug("not at this level");
    let report = factory.shutdown();
    assert!(report.is_lossless(), "{report}");
    assert_eq!((report.captured(), report.written("errors")), (2, 1));
    let text = std::fs::read_to_string(dir.join("errors.log")).unwrap();
    let record: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((&record["logger"], &record["level"]), (&"orders".into(), &"CRITICAL".into()));
    assert_eq!((&record["message"], &record["region"]), (&"lost".into(), &"eu".into()));
}

#[cfg(target_os = "linux")]
fn closed_streams(dir: &Path) {
    (0..=2).for_each(|stream| nix::unistd::close(stream).unwrap());
    let config = LoggingConfig::builder().console(false).log_dir(dir.join("logs")).build().unwrap();
    let handle = logwell::init_logging_with(config).unwrap();
    for number in 0..3_u64 {
        info!(number, "logged");
        println!("printed");
        eprintln!("printed");
        std::io::Write::flush(&mut std::io::stdout()).unwrap();
        handle.rotate_now().unwrap();
    }
    assert!(logwell::shutdown_logging().is_lossless());
    let mut logged = 0;
    for entry in dir.join("logs").read_dir().unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains("printed"), "{text}");
        logged += text.matches("\"logged\"").count();
    }
    assert_eq!(logged, 3);
}
