//! What the tests share: logs that logwell itself wrote, and the program.

#![allow(dead_code, reason = "each test uses a part")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use logwell::config::LoggingConfigBuilder;
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang, on a busy machine with a slow disk too.
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// A configuration for files in that directory.
pub(crate) fn config(directory: &Path) -> LoggingConfigBuilder {
    LoggingConfig::builder().log_dir(directory).console(false).shutdown_timeout(SOON)
}

/// Logs with that configuration, as one start of a program.
pub(crate) fn boot(
    config: LoggingConfigBuilder,
    log: impl FnOnce(&LoggingHandle),
) -> logwell::ShutdownReport {
    let (layer, handle) = QueueLayer::builder().config(config.build().unwrap()).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || log(&handle));
    handle.shutdown()
}

/// Runs the program.
pub(crate) fn logwell(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logwell"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("FORCE_COLOR")
        .env("TZ", "UTC")
        .output()
        .unwrap()
}

/// What the program prints if it is fine: nothing on standard error, code 0.
pub(crate) fn fine(command: &str, directory: &Path, arguments: &[&str]) -> String {
    let mut all = vec![command, directory.to_str().unwrap()];
    all.extend(arguments);
    let output = logwell(&all);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    stdout(&output)
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Lines of a file with their line ends.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

/// Waits until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}
