//! Forwarding, against servers of the tests' own that fail in every way.

#![cfg(feature = "forward")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod elasticsearch;
mod email;
mod loki;
mod messages;
mod otlp;
mod outages;
mod process;
mod refusals;
mod secrets;
mod server;
mod tls;
mod webhook;

use logwell::config::Secret;
use logwell::dead_letters::{DeadLetters, Selection};
use logwell::stats::DestinationStats;
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use std::path::Path;
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang, on a busy machine with a slow disk too.
pub(crate) const SOON: Duration = Duration::from_secs(300);

/// Forwards to that URL; files and spool are in that directory. No attempt and no shutdown runs out
/// of time, but where that is what is looked at.
pub(crate) fn config(dir: &Path, url: &str) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = Secret::new(url);
    config.forward.logbeacon.timeout = SOON;
    config
}

/// The same without a destination.
pub(crate) fn bare_config(dir: &Path) -> LoggingConfig {
    let config = LoggingConfig::builder().log_dir(dir).console(false).log_level("trace");
    let mut config = config.build().unwrap();
    config.service.domain = "example.com".to_owned();
    config.service.name = "api_server".to_owned();
    config.shutdown_timeout = SOON;
    config
}

/// Runs `body` with a pipeline of that configuration around it.
pub(crate) fn logging<T>(config: LoggingConfig, body: impl FnOnce(&LoggingHandle) -> T) -> T {
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let result = tracing::subscriber::with_default(subscriber, || body(&handle));
    let _report = handle.shutdown();
    result
}

/// A directory in memory, where there is one, for a test with a deadline that no disk is to pass.
pub(crate) fn quick_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Logs records without a number until it is so: refusals count only if other records pass between
/// them.
#[track_caller]
pub(crate) fn until_with_traffic(what: &str, mut is_so: impl FnMut() -> bool) {
    until(what, || {
        tracing::info!("traffic");
        is_so()
    });
}

/// A configuration that finds a bad record soon.
pub(crate) fn quick(dir: &Path, url: &str) -> LoggingConfig {
    let mut config = config(dir, url);
    config.forward.blocked_rest = Duration::from_millis(200);
    config
}

/// Waits until so many records have been delivered.
#[track_caller]
pub(crate) fn until_delivered(handle: &LoggingHandle, count: u64) {
    until(&format!("{count} delivered"), || delivered(handle) >= count);
    assert_eq!(delivered(handle), count);
}

pub(crate) fn delivered(handle: &LoggingHandle) -> u64 {
    handle.stats().destination("logbeacon").unwrap().delivered
}

/// What is known of that destination.
pub(crate) fn destination(handle: &LoggingHandle, name: &str) -> DestinationStats {
    handle.stats().destination(name).unwrap().clone()
}

/// The dead letters of that destination: each message, and why it was refused.
pub(crate) fn letters(dir: &Path, name: &str) -> Vec<(serde_json::Value, String)> {
    let mut all = Vec::new();
    let dead = DeadLetters::open(dir).unwrap();
    dead.list(&Selection::default(), &mut |letter| {
        if letter.destination == name {
            all.push((serde_json::from_str(&letter.message).unwrap(), letter.why.clone()));
        }
    })
    .unwrap();
    all
}

/// The numbers in the field `n` of the messages' extra information.
pub(crate) fn numbers(messages: &[serde_json::Value]) -> Vec<u64> {
    messages.iter().filter_map(|message| message["extra_info"]["n"].as_u64()).collect()
}
