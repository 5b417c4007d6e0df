//! Faults of the kernel, one at each system call: what was logged is there, once, and logging goes
//! on.
//!
//! The test runs this binary again under strace for `the_program`, which logs, rotates, compresses
//! and syncs, with a fault at the first, second, third … call, until one run is over without a
//! fault. Where strace is not installed or may not trace, the tests are skipped with a loud line,
//! or fail if `CI` is set.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests, outside of #[test] functions; they say how much was tried"
)]

#[path = "support/strace.rs"]
mod strace;

use logwell::config::{Compress, SyncPolicy};
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use strace::strace_works;
use tracing_subscriber::layer::SubscriberExt as _;

const DIRECTORY: &str = "LOGWELL_TEST_FAULTS";
/// Set when the program is to end after the first round, without a word.
const LEAVES: &str = "LOGWELL_TEST_LEAVES";
const ROUNDS: u64 = 9;
const RECORDS_PER_ROUND: u64 = 8;
/// Logged when the fault is over, to see that logging goes on.
const LAST_RECORDS: u64 = 20;
/// Longer than anything takes that does not hang, under strace on a busy machine too.
const SOON: Duration = Duration::from_secs(120);
/// As long as the janitor rests after a failure, or a little less.
const REST: Duration = Duration::from_millis(500);

fn config(directory: &Path) -> LoggingConfig {
    let logs = directory.join("logs");
    let config = LoggingConfig::builder().console(false).log_dir(logs).max_bytes(4_096);
    let mut config = config.backup_count(50).build().unwrap();
    config.files.errors.enabled = false;
    config.files.ai.enabled = false;
    config.files.compress = Compress::Gzip;
    config.files.sync = SyncPolicy::Error;
    config.files.sync_interval = Duration::from_millis(20);
    config.shutdown_timeout = SOON;
    config
}

/// Asks again and again until it is so.
fn wait_until(at_most: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + at_most;
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    false
}

fn all_is_compressed(handle: &LoggingHandle) -> bool {
    let files = handle.log_files();
    let name = |path: &PathBuf| path.to_string_lossy().into_owned();
    files.iter().map(name).all(|name| name.ends_with(".log") || name.ends_with(".gz"))
}

/// Does nothing unless it is run by another test.
#[test]
fn the_program() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    logwell::set_self_log(|_| {});
    // A second one in the same directory has other numbers.
    let first = if directory.join("told").exists() { 1_000 } else { 0 };
    let mut told = File::options().append(true).create(true).open(directory.join("told")).unwrap();
    let mut config = config(&directory);
    config.queue.max_wait = Duration::from_secs(60); // the listener may be stopped under strace for long
    let Ok((layer, handle)) = QueueLayer::builder().config(config).build() else {
        // A fault at the start is an error of the start.
        writeln!(told, "refused").unwrap();
        return;
    };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let mut number = first;
        for round in 0..ROUNDS {
            for n in 0..RECORDS_PER_ROUND {
                number += 1;
                match round % 2 == 0 && n == 0 {
                    true => tracing::error!(number, "a record of ordinary length, in trouble"),
                    false => tracing::info!(number, "a record of ordinary length, and more of it"),
                }
                // The call has returned: it is not to be lost any more.
                writeln!(told, "logged {number}").unwrap();
            }
            if std::env::var_os(LEAVES).is_some() {
                std::process::abort();
            }
            handle.flush(SOON).unwrap();
        }
        // After a failure the janitor has a rest.
        let _or_not = wait_until(REST, || all_is_compressed(&handle));
        let delivered = handle.stats().sinks.first().unwrap().written;
        (0..LAST_RECORDS).for_each(|n| tracing::warn!(number = number + n + 1, "after the fault"));
        let arrived = || handle.stats().sinks.first().unwrap().written >= delivered + LAST_RECORDS;
        assert!(wait_until(SOON, arrived), "{:?} {:?}", handle.stats(), handle.health());
    });
    let report = handle.shutdown();
    assert!(report.is_complete, "{report}");
    writeln!(told, "done").unwrap();
}

/// What a run under strace has left.
struct Run {
    directory: tempfile::TempDir,
    was_injected: bool,
    succeeded: bool,
    output: String,
}

impl Run {
    fn told(&self) -> String {
        fs::read_to_string(self.directory.path().join("told")).unwrap_or_default()
    }

    /// The numbers of the records that were logged for certain.
    fn logged(&self) -> Vec<u64> {
        let told = self.told();
        // A kill can leave half a line.
        let whole = told.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let numbers = whole.lines().filter_map(|line| line.strip_prefix("logged "));
        numbers.map(|number| number.parse().unwrap()).collect()
    }

    fn is_refused(&self) -> bool {
        self.told().contains("refused")
    }

    fn is_done(&self) -> bool {
        self.told().contains("done")
    }
}

/// A directory in memory, where there is one: hundreds of runs are not to wait for a slow disk.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Runs the program with faults in calls that concern the log files and nothing else.
fn run(inject: &str) -> Run {
    run_in(directory(), inject)
}

fn run_in(directory: tempfile::TempDir, inject: &str) -> Run {
    let trace = directory.path().join("trace");
    let logs = directory.path().join("logs");
    fs::create_dir_all(&logs).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&trace);
    if !inject.contains("KILL") {
        // Much quicker, but strace 6.1 then sends a signal at the first call only.
        strace.arg("--seccomp-bpf");
    }
    strace.arg("-e").arg(format!("trace={CALLS}")).arg("-e").arg(format!("inject={inject}"));
    let numbers = (1..=12).flat_map(|n| [format!("app.log.{n}"), format!("app.log.{n}.gz")]);
    for name in numbers.chain(["app.log".into(), "app.log.gz.tmp".into(), String::new()]) {
        strace.arg("-P").arg(logs.join(name).to_str().unwrap().trim_end_matches('/'));
    }
    for black_box in black_boxes(&logs) {
        strace.arg("-P").arg(black_box);
    }
    strace.arg(std::env::current_exe().unwrap()).args(["--exact", "the_program", "--nocapture"]);
    let output = strace.env(DIRECTORY, directory.path()).output().unwrap();
    let trace = fs::read_to_string(&trace).unwrap_or_default();
    let succeeded = output.status.success();
    let was_injected = trace.contains("INJECTED") || (inject.contains("KILL") && !succeeded);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Run { directory, was_injected, succeeded, output: text }
}

fn black_boxes(logs: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(logs).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "box")).collect()
}

/// A directory in which the program has logged a round and ended without writing it.
fn left_behind() -> tempfile::TempDir {
    let directory = directory();
    let program = std::env::current_exe().unwrap();
    let mut program = Command::new(program);
    program.args(["--exact", "the_program"]).env(DIRECTORY, directory.path()).env(LEAVES, "1");
    assert!(!program.output().unwrap().status.success());
    assert_eq!(black_boxes(&directory.path().join("logs")).len(), 1);
    directory
}

const CALLS: &str = "write,openat,rename,unlink,fdatasync,fsync,ftruncate";

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    let mut file = File::open(path).unwrap();
    match path.extension().unwrap() == "gz" {
        true => flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap(),
        false => file.read_to_string(&mut text).unwrap(),
    };
    text
}

/// How often each numbered record is in the files. Each line is a whole record; no two files have
/// one number.
fn count_records(directory: &Path) -> BTreeMap<u64, u32> {
    let mut counts = BTreeMap::new();
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory.join("logs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with(".app.") && name.ends_with(".lock") {
            continue;
        }
        // If the usual file could not be opened, the user has one of its own.
        let (first, suffix) = name.split_once(".log").unwrap_or_else(|| panic!("{name} is left"));
        assert!(first == "app" || first.starts_with("app.uid"), "{name} is left");
        numbers.push(format!("{first}{}", suffix.trim_end_matches(".gz")));
        let text = unpacked(&path);
        assert!(text.is_empty() || text.ends_with('\n'), "{name} ends in the middle of a line");
        for line in text.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(number) = record.get("number").and_then(serde_json::Value::as_u64) {
                *counts.entry(number).or_default() += 1;
            }
        }
    }
    numbers.sort();
    let before = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), before, "two files with one number: {numbers:?}");
    counts
}

/// Starts once more in the same directory, lets it finish what is half done, and counts.
fn restart(run: &Run, inject: &str) -> BTreeMap<u64, u32> {
    let directory = run.directory.path();
    let (_layer, handle) = QueueLayer::builder().config(config(directory)).build().unwrap();
    assert!(
        wait_until(SOON, || all_is_compressed(&handle)),
        "{inject}: {:?}, told {:?}",
        handle.log_files(),
        run.told()
    );
    assert!(handle.shutdown().is_complete);
    count_records(directory)
}

/// Runs until one run is over without a fault; returns how many had one.
fn at_each_call(inject: &str, check: impl Fn(&Run, &str)) -> u32 {
    for n in 1..=200 {
        let inject = format!("{inject}:when={n}");
        let run = run(&inject);
        if !run.was_injected {
            assert!(run.succeeded && run.is_done(), "{inject}: {}", run.output);
            check(&run, &inject);
            return n - 1;
        }
        check(&run, &inject);
    }
    panic!("{inject}: there is no end of it");
}

fn check_all_is_there(run: &Run, inject: &str) {
    assert!(run.succeeded, "{inject}: {}", run.output);
    if run.is_refused() {
        return;
    }
    assert!(run.is_done(), "{inject}: {}", run.output);
    let counts = restart(run, inject);
    let all = 1..=ROUNDS * RECORDS_PER_ROUND + LAST_RECORDS;
    let missing: Vec<u64> = all.filter(|number| !counts.contains_key(number)).collect();
    assert!(missing.is_empty(), "{inject}: {missing:?} are missing");
    // What was not known to be durable is there twice, and nothing else.
    let twice = counts.values().filter(|count| **count > 1).count();
    assert!(twice == 0 || inject.contains("sync:"), "{inject}: {twice} are there twice");
}

/// After a kill and another start all that was logged is there, once.
fn check_all_logged_is_there(run: &Run, inject: &str) {
    let counts = restart(run, inject);
    let mut missing = run.logged();
    missing.retain(|number| !counts.contains_key(number));
    assert!(missing.is_empty(), "{inject}: {missing:?} are missing");
    assert!(counts.values().all(|count| *count == 1), "{inject}: {counts:?}");
}

/// The error at each call in turn; a fault that is over by the next call.
fn errors_cost_nothing(injections: &[&str]) {
    if !strace_works() {
        return;
    }
    for inject in injections {
        let faults = at_each_call(inject, check_all_is_there);
        eprintln!("{inject}: {faults} calls, nothing lost");
        assert!(faults > 0, "{inject} has hit nothing");
    }
}

#[test]
fn an_error_at_any_write_costs_no_record() {
    errors_cost_nothing(&["write:error=ENOSPC", "write:error=EIO", "write:error=EINTR"]);
    // As after an error of the disk, when the kernel lets nobody write to it any more.
    errors_cost_nothing(&["write:error=EROFS"]);
}

#[test]
fn an_error_at_any_open_costs_no_record() {
    errors_cost_nothing(&["openat:error=EACCES", "openat:error=EMFILE", "openat:error=EINTR"]);
    errors_cost_nothing(&["openat:error=ENOSPC", "openat:error=EIO", "openat:error=EROFS"]);
}

#[test]
fn an_error_at_any_change_of_a_name_costs_no_record() {
    errors_cost_nothing(&["rename:error=EIO", "rename:error=ENOSPC", "rename:error=EACCES"]);
    errors_cost_nothing(&["unlink:error=EACCES", "unlink:error=EIO"]);
}

#[test]
fn an_error_at_any_sync_costs_no_record() {
    errors_cost_nothing(&["fdatasync:error=EIO", "fsync:error=EIO", "fdatasync:error=EINTR"]);
    errors_cost_nothing(&["fdatasync:error=ENOSPC", "fsync:error=ENOSPC"]);
}

#[test]
fn a_kill_at_any_call_costs_nothing_that_was_logged() {
    if !strace_works() {
        return;
    }
    for calls in ["write", "openat", "rename", "unlink", "fdatasync", "fsync"] {
        let kills = at_each_call(&format!("{calls}:signal=KILL"), check_all_logged_is_there);
        eprintln!("killed at {kills} calls of {calls}, nothing lost");
        assert!(kills > 0, "{calls}");
    }
}

#[test]
fn a_kill_at_any_call_of_a_start_that_recovers_costs_nothing_either() {
    if !strace_works() {
        return;
    }
    for calls in ["write", "openat", "rename", "unlink", "fdatasync"] {
        // Later calls are those of any run.
        let mut kills = 0;
        for n in 1..=12 {
            let inject = format!("{calls}:signal=KILL:when={n}");
            let run = run_in(left_behind(), &inject);
            kills += u32::from(run.was_injected);
            assert!(run.logged().len() as u64 >= RECORDS_PER_ROUND);
            check_all_logged_is_there(&run, &inject);
        }
        eprintln!("a start that recovers, killed at {kills} calls of {calls}, nothing lost");
        assert!(kills > 0, "{calls}");
    }
}
