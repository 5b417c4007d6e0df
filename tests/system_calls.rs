//! A log call makes no system call, as strace sees it. (The first record after a tenth of a second
//! of silence wakes the listener, and an ERROR does.)
//!
//! The test runs this binary again under strace, once for `the_traced_program`. Between two marks,
//! which are looks at files that do not exist, the traced thread only logs. Where strace is not
//! installed or may not trace, the test is skipped with a loud line, or fails if `CI` is set.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of #[test] functions")]

#[path = "support/strace.rs"]
mod strace;

use logwell::{LoggingConfig, QueueLayer};
use std::process::{Command, Stdio};
use strace::strace_works;
use tracing_subscriber::layer::SubscriberExt as _;

const TRACED: &str = "LOGWELL_TEST_TRACED";
const BEGIN: &str = "/logwell-test-begin";
const END: &str = "/logwell-test-end";
/// Below the quarter of the queue from which on the listener is woken.
const EVENTS: u64 = 1_000;

fn mark(path: &str) {
    assert!(std::fs::metadata(path).is_err());
}

fn log(number: u64) {
    tracing::info!(number, user = "ann", ratio = 0.5, "the request was handled");
}

/// Does nothing unless it is run by the other test.
#[test]
fn the_traced_program() {
    let Some(dir) = std::env::var_os(TRACED) else { return };
    let config = LoggingConfig::builder().console(false).log_dir(dir).build().unwrap();
    // Without the listener's thread: after a long silence the first record would rightly wake it.
    let (layer, handle, _listener) = QueueLayer::builder().config(config).build_stepped().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = tracing::info_span!("request", path = "/buy");
        span.in_scope(|| {
            log(0);
            mark(BEGIN);
            (0..EVENTS).for_each(log);
            mark(END);
        });
    });
    assert_eq!((handle.stats().in_queue, handle.stats().dropped.total()), (EVENTS + 1, 0));
}

#[test]
fn a_thousand_log_calls_make_no_system_call() {
    if !strace_works() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let status = Command::new("strace")
        .args(["-f", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_traced_program"])
        .env(TRACED, dir.path().join("logs"))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let trace = std::fs::read_to_string(trace).unwrap();
    let begin = trace.lines().find(|line| line.contains(BEGIN)).unwrap();
    let (thread, _) = begin.split_once(' ').unwrap();
    let of_thread = trace.lines().filter(|line| line.split_once(' ').unwrap().0 == thread);
    let between: Vec<_> = of_thread
        .skip_while(|line| !line.contains(BEGIN))
        .take_while(|line| !line.contains(END))
        .skip(1) // the mark itself
        .filter(|line| !line.contains("resumed>")) // its end, if another thread came between
        .collect();
    assert!(trace.contains(END));
    assert!(between.is_empty(), "{between:#?}");
}
