//! Testing: what a program's own tests need to look at its logs.
//!
//! Nothing here is global: each test sees what its own thread logs.

pub use crate::base::background::{Hands, Turns};
pub use crate::base::clock::{Clock, ManualClock};
pub use crate::pipeline::listener::{Listener, Step};
pub use crate::sink::MemorySink;

use crate::capture::layer::QueueLayer;
use crate::config::LoggingConfig;
use crate::record::Record;
use crate::record::level::Level;
use crate::setup::handle::LoggingHandle;
use crate::sink::Accepts;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::layer::SubscriberExt as _;

/// The records that this thread has made since [`capture`] was called.
#[must_use = "capturing ends when it is dropped"]
pub struct CapturedLogs {
    memory: MemorySink,
    listener: Mutex<Listener>,
    handle: LoggingHandle,
    _in_force: tracing::subscriber::DefaultGuard,
}

/// Captures what this thread logs, at all levels, until the result is dropped.
///
/// ```
/// let logs = logwell::testing::capture();
/// tracing::warn!(order = 7, "payment refused");
/// assert_eq!(logs.messages(), ["payment refused"]);
/// assert_eq!(logs.json()[0]["order"], 7);
/// ```
///
/// # Panics
///
/// Never in practice: a pipeline without files cannot fail to be made.
pub fn capture() -> CapturedLogs {
    let mut config = LoggingConfig { level: Level::Trace.into(), ..LoggingConfig::default() };
    config.files.enabled = false;
    config.console.enabled = false;
    capture_with(config)
}

/// Like [`capture`], with levels, limits and queue as `config` says; files and console as well.
///
/// # Panics
///
/// If the configuration has mistakes.
pub fn capture_with(config: LoggingConfig) -> CapturedLogs {
    let memory = MemorySink::new();
    let built = QueueLayer::builder()
        .config(config)
        .sink("memory", Accepts::all(), memory.clone())
        .build_stepped();
    #[expect(clippy::panic, reason = "documented, and for tests only")]
    let (layer, handle, listener) = built.unwrap_or_else(|error| panic!("{error}"));
    let subscriber = tracing_subscriber::registry().with(layer);
    let in_force = tracing::subscriber::set_default(subscriber);
    CapturedLogs { memory, listener: Mutex::new(listener), handle, _in_force: in_force }
}

impl CapturedLogs {
    /// The records so far, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.settle();
        self.memory.records()
    }

    /// The messages so far, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.settle();
        self.memory.messages()
    }

    /// The records up to now, as a file would contain them.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        self.settle();
        self.memory.json()
    }

    /// Whether a record has a message that contains `text`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.messages().iter().any(|message| message.contains(text))
    }

    /// The handle of the pipeline. Questions to the listener are answered only by
    /// [`step`](Self::step).
    #[must_use]
    pub fn handle(&self) -> &LoggingHandle {
        &self.handle
    }

    /// Lets the listener do what there is to do.
    pub fn step(&self) -> Step {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).step()
    }

    fn settle(&self) {
        while matches!(self.step(), Step::Took(1..)) {}
    }
}

impl std::fmt::Debug for CapturedLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CapturedLogs").field("memory", &self.memory).finish_non_exhaustive()
    }
}
