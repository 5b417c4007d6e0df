//! The logger's own threads cannot feed its queue.

use crate::support::{SOON, quiet, wait_until};
use crate::{Scenario, ended_well};
use logwell::QueueLayer;
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, MemorySink, Sink};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tracing::{error, info, info_span};

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        ("a_sink_that_logs_does_not_feed_itself", logging_sink as fn(&Path)),
        ("a_sink_that_panics_and_a_panic_hook_that_logs_do_not_feed_the_queue", panicking_sink),
        ("a_self_log_callback_may_log_and_replace_itself", self_log),
        ("a_sink_may_ask_the_handle", asking_sink),
        ("the_threads_of_files_start_with_work_and_end_with_logging", threads_of_files),
    ]
    .into_iter()
    .map(|(sentence, run)| Scenario { sentence, run, check: ended_well })
    .collect()
}

/// A sink that does something for each record and each flush.
struct Does<F>(F);

impl<F: FnMut() -> io::Result<()> + Send> Sink for Does<F> {
    fn write(&mut self, _: &Record) -> io::Result<()> {
        (self.0)()
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok((self.0)()?)
    }
}

fn logging_sink(_: &Path) {
    let memory = MemorySink::new();
    let noisy = Does(|| {
        let _span = info_span!("in the sink", n = 1).entered();
        info!("from the sink");
        logwell::critical!("from the sink");
        log::error!("from the sink by log");
        logwell::Logger::new("sink").critical("from the sink by name");
        Ok(())
    });
    let handle = QueueLayer::builder()
        .config(quiet("trace"))
        .sink("noisy", Accepts::all(), noisy)
        .sink("memory", Accepts::all(), memory.clone())
        .init()
        .unwrap();
    for n in 0..1_000 {
        info!(n, "from the application");
    }
    for _ in 0..3 {
        handle.flush(SOON).unwrap();
    }
    let stats = handle.stats();
    assert_eq!((stats.captured(), stats.dropped.total(), stats.in_queue), (1_000, 0, 0));
    let report = handle.shutdown();
    assert!(report.is_lossless(), "{report}");
    assert!(!memory.messages().iter().any(|message| message.contains("sink")));
}

fn panicking_sink(_: &Path) {
    std::panic::set_hook(Box::new(|info| error!("a panic: {info}")));
    logwell::set_self_log(|_| {});
    let memory = MemorySink::new();
    let handle = QueueLayer::builder()
        .config(quiet("trace"))
        .sink("panics", Accepts::all(), Does(|| panic!("in the sink")))
        .sink("memory", Accepts::all(), memory.clone())
        .init()
        .unwrap();
    for _ in 0..100 {
        info!("from the application");
    }
    handle.flush(SOON).unwrap();
    assert_eq!(handle.stats().captured(), 100);
    assert!(handle.stats().sink("panics").unwrap().panics >= 1);
    let report = handle.shutdown();
    assert!(report.is_complete);
    assert_eq!(report.written("memory"), 102, "{:?}", memory.messages());
}

fn self_log(_: &Path) {
    let told = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&told);
    logwell::set_self_log(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        error!("from the callback");
        log::error!("from the callback");
        let counter = Arc::clone(&counter);
        logwell::set_self_log(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            panic!("in the callback");
        });
    });
    let refuses = Does(|| Err(io::Error::other("no")));
    let handle = QueueLayer::builder()
        .config(quiet("trace"))
        .sink("refuses", Accepts::all(), refuses)
        .init()
        .unwrap();
    for _ in 0..100 {
        info!("from the application");
    }
    handle.flush(SOON).unwrap();
    assert_eq!(handle.stats().captured(), 100);
    // Refusals to write, then failures to flush: two kinds, each told once.
    assert_eq!(told.load(Ordering::Relaxed), 2);
    assert!(handle.shutdown().is_complete);
}

fn asking_sink(_: &Path) {
    let asks = Does(|| {
        if let Some(handle) = logwell::handle() {
            let _unanswered = handle.flush(std::time::Duration::ZERO);
            handle.set_level("debug").unwrap();
            assert!(handle.stats().received > 0);
        }
        Ok(())
    });
    let handle = QueueLayer::builder()
        .config(quiet("trace"))
        .sink("asks", Accepts::all(), asks)
        .init()
        .unwrap();
    info!("from the application");
    handle.flush(SOON).unwrap();
    handle.flush(SOON).unwrap();
    let report = handle.shutdown();
    assert!(report.is_complete, "{report}");
}

/// The names of this process's threads, where the system tells them.
fn thread_names() -> Option<Vec<String>> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let name = |thread: io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.ok()?.path().join("comm")).ok()
    };
    Some(threads.filter_map(name).map(|name| name.trim().to_owned()).collect())
}

fn threads_of_files(dir: &Path) {
    use logwell::config::{Compress, SyncPolicy};
    let config = logwell::LoggingConfig::builder().console(false).log_dir(dir);
    let mut config = config.shutdown_timeout(SOON).build().unwrap();
    config.files.compress = Compress::Gzip;
    config.files.sync = SyncPolicy::Error;
    let handle = QueueLayer::builder().config(config).init().unwrap();
    let Some(before) = thread_names() else { return };
    assert!(!before.contains(&"logwell-janitor".to_owned()), "{before:?}");
    let wait_for = |what: &str, is_so: &dyn Fn(&[String]) -> bool| {
        let until = std::time::Instant::now() + SOON;
        while !thread_names().is_some_and(|names| is_so(&names)) {
            assert!(std::time::Instant::now() < until, "{what}: {:?}", thread_names());
            std::thread::yield_now();
        }
    };
    error!("to be made durable at once");
    // It answers late where the disk does.
    wait_until(|| handle.rotate_now().is_ok());
    let has = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
    wait_for("started", &|names| has(names, "logwell-janitor") && has(names, "logwell-sync"));
    assert!(handle.shutdown().is_lossless());
    wait_for("ended", &|names| !names.iter().any(|name| name.starts_with("logwell")));
}
