//! Support: what the integration tests share.
//!
//! `logged` runs a test's body under the real global subscriber and gives back what that body
//! logged and nothing else: the body runs on a thread with a name of its own, and records carry the
//! name.

#![allow(dead_code, clippy::unwrap_used, reason = "helpers, of which each test uses a part")]

use logwell::sink::{Accepts, MemorySink};
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use serde_json::Value;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes that does not hang, on a busy machine with a slow disk too.
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// The process's logging: global, everything captured, into memory.
pub(crate) struct Global {
    pub(crate) memory: MemorySink,
    pub(crate) handle: LoggingHandle,
}

static GLOBAL: LazyLock<Global> = LazyLock::new(|| {
    let memory = MemorySink::new();
    let handle = QueueLayer::builder()
        .config(quiet("trace"))
        .sink("memory", Accepts::all(), memory.clone())
        .init()
        .unwrap();
    Global { memory, handle }
});

/// Sets up the process's logging at the first call.
pub(crate) fn global() -> &'static Global {
    &GLOBAL
}

/// A configuration without files and console, and without records of the panics that tests want.
pub(crate) fn quiet(level: &str) -> LoggingConfig {
    let builder = LoggingConfig::builder().log_level(level).files(false).console(false);
    let mut config = builder.build().unwrap();
    config.hooks.panic = false;
    config.shutdown_timeout = SOON;
    config
}

/// What `body` logs under the global subscriber, as JSON, in order. Threads it starts count when
/// their names begin with that of its own.
pub(crate) fn logged<F: FnOnce() + Send>(body: F) -> Vec<Value> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let global = global();
    let name = format!("body-{}.", NEXT.fetch_add(1, Ordering::Relaxed));
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name.clone()).spawn_scoped(scope, body).unwrap();
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
    });
    global.handle.flush(SOON).unwrap();
    let mut all = global.memory.json();
    all.retain(|record| record["thread"].as_str().is_some_and(|thread| thread.starts_with(&name)));
    all
}

/// Runs `work` on another thread whose records count as this one's, and waits for it.
pub(crate) fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let name = thread::current().name().unwrap_or_default().to_owned() + "elsewhere";
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name).spawn_scoped(scope, work).unwrap();
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The only record.
#[track_caller]
pub(crate) fn one(mut records: Vec<Value>) -> Value {
    assert_eq!(records.len(), 1, "{records:#?}");
    records.remove(0)
}

/// The messages of the records.
pub(crate) fn messages(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["message"].as_str().unwrap()).collect()
}

/// The names of the spans around a record, root first.
pub(crate) fn span_names(record: &Value) -> Vec<&str> {
    let spans = record["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    spans.iter().map(|span| span["name"].as_str().unwrap()).collect()
}

/// Polls a future until it is done, on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Some(output) = poll_once(future.as_mut()) {
            return output;
        }
    }
}

/// Polls a future once.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Waits for something that another thread or process does.
#[track_caller]
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "it has not come to pass");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A future that is pending once.
pub(crate) fn yield_now() -> impl Future<Output = ()> + Send {
    let mut polled = false;
    std::future::poll_fn(move |_| {
        if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
}
