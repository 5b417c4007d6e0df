//! A start that fails leaves nothing behind, wherever it fails.

use crate::life::Nobody;
use crate::{Scenario, ended_well};
use logwell::LoggingConfig;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        ("a_start_that_fails_at_any_file_leaves_nothing_behind", files as fn(&Path)),
        ("a_start_that_fails_at_any_thread_leaves_nothing_behind", threads),
        ("a_start_that_fails_at_the_end_leaves_nothing_behind", at_the_end),
        ("a_start_that_fails_takes_nothing_that_was_there", what_was_there),
    ]
    .into_iter()
    .map(|(sentence, run)| Scenario { sentence, run, check: ended_well })
    .collect()
}

/// All files and directories, and how long the files are.
fn everything_in(dir: &Path) -> BTreeMap<PathBuf, Option<u64>> {
    let mut all = BTreeMap::new();
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let found = path.symlink_metadata().unwrap();
        if found.is_dir() {
            all.extend(everything_in(&path));
        }
        all.insert(path, found.is_file().then_some(found.len()));
    }
    all
}

/// Starts logging five times, which fails; everything in the directory stays as it was.
fn fails(dir: &Path, what: &str, config: &LoggingConfig) {
    let before = everything_in(dir);
    for _ in 0..5 {
        let error =
            logwell::init_logging_with(config.clone()).err().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(everything_in(dir), before, "{what}: {error}");
    }
}

fn config(dir: &Path) -> LoggingConfig {
    let mut config = LoggingConfig::builder().log_dir(dir).build().unwrap();
    config.black_box.dir = "boxes".into();
    config
}

/// The same with two destinations, to which nothing is sent.
#[cfg(feature = "forward")]
fn forwarding(dir: &Path) -> LoggingConfig {
    let mut config = config(dir);
    config.forward.http.allow_plain = true;
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = "http://127.0.0.1:9/".into();
    config.forward.logbeacon.token = "x".into();
    config.forward.telegram.enabled = true;
    config.forward.telegram.base_url = "http://127.0.0.1:9".to_owned();
    config.forward.telegram.developer.token = "1:x".into();
    config.forward.telegram.developer.chat_id = "1".to_owned();
    config
}

fn files(dir: &Path) {
    for (number, name) in ["app.log", "errors.log", "ai_responses.log"].into_iter().enumerate() {
        let logs = dir.join(number.to_string());
        fs::create_dir_all(logs.join(name)).unwrap();
        fails(dir, name, &config(&logs));
    }
    fs::write(dir.join("file"), "in the way").unwrap();
    // With a console, records could still reach that.
    let mut no_directory = config(&dir.join("file/logs"));
    no_directory.console.enabled = false;
    fails(dir, "no directory", &no_directory);
    #[cfg(feature = "forward")]
    {
        let mut no_certificates = forwarding(&dir.join("new/logs"));
        no_certificates.forward.http.ca_file = dir.join("none.pem").display().to_string();
        fails(dir, "certificates", &no_certificates);
    }
}

/// With this in the environment the system makes no thread: there is no room for its stack.
pub(crate) const NO_THREADS: (&str, &str) = ("RUST_MIN_STACK", "70368744177664");

fn threads(dir: &Path) {
    if std::env::var_os(NO_THREADS.0).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let output = again.env(NO_THREADS.0, NO_THREADS.1).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    logwell::set_self_log(|_| {});
    // Files, console, box: the listener's thread is the first or the second.
    fails(dir, "the console's thread", &config(&dir.join("new/logs")));
    let mut quiet = config(&dir.join("new/logs"));
    quiet.console.enabled = false;
    fails(dir, "the listener's thread", &quiet);
    quiet.black_box.dir = ".".into();
    fails(dir, "the listener's thread, with the box beside the logs", &quiet);
    #[cfg(feature = "forward")]
    {
        let mut forwarding = forwarding(&dir.join("new/logs"));
        forwarding.console.enabled = false;
        fails(dir, "a forwarder's thread", &forwarding);
    }
}

fn at_the_end(dir: &Path) {
    log::set_boxed_logger(Box::new(Nobody)).unwrap();
    fails(dir, "the log crate's logger", &config(&dir.join("new/logs")));
    let mut config = config(&dir.join("new/logs"));
    config.log_crate = false;
    logwell::init_logging_with(config).unwrap();
    tracing::info!("it works after that");
    assert!(logwell::shutdown_logging().is_lossless());
    assert!(fs::metadata(dir.join("new/logs/app.log")).unwrap().len() > 0);
}

fn what_was_there(dir: &Path) {
    // An empty file of another program's making, a log, a lock, a directory.
    fs::create_dir_all(dir.join("logs/errors.log")).unwrap();
    fs::create_dir_all(dir.join("logs/boxes")).unwrap();
    fs::write(dir.join("logs/app.log"), "").unwrap();
    fs::write(dir.join("logs/app.log.1"), "{\"a\": \"line\"}\n").unwrap();
    fails(dir, "errors.log", &config(&dir.join("logs")));
}
