//! Log files as a whole process has them: beside other processes, on full and slow disks,
//! compressed while records go on, and after a power cut.
//!
//! What needs root (a tmpfs, a file system in a file) or strace is skipped with a loud line where
//! it cannot be had, or fails if `CI` is set.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests, outside of #[test] functions; a skipped test must be seen"
)]

use logwell::config::{Compress, LoggingConfig, SyncPolicy};
use logwell::{LoggingHandle, QueueLayer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;

const PART: &str = "LOGWELL_TEST_PART";
const DIRECTORY: &str = "LOGWELL_TEST_DIRECTORY";
/// Longer than anything takes that does not hang.
const SOON: Duration = Duration::from_secs(120);

fn config(directory: &Path) -> LoggingConfig {
    let config =
        LoggingConfig::builder().console(false).log_dir(directory).enable_ai_handler(false);
    config.shutdown_timeout(SOON).build().unwrap()
}

/// Logs in `body` with that configuration.
fn logging(config: LoggingConfig, body: impl FnOnce(&LoggingHandle)) {
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || body(&handle));
    let report = handle.shutdown();
    assert!(report.is_complete, "{report}");
}

/// This test again, in a process of its own.
fn start(test: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PART, "1")
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The directory, in a process that was started by [`start`].
fn part() -> Option<PathBuf> {
    std::env::var_os(PART)?;
    Some(std::env::var_os(DIRECTORY)?.into())
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < until, "it takes too long");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn run(command: &str, arguments: &[&str]) -> bool {
    Command::new(command).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Says that something cannot be had here; with `CI` set that is a failure.
fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is not possible here, and CI is set");
    eprintln!("SKIPPED: {what} is not possible here; nothing was checked");
}

/// A file system, until it is dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

fn mount(arguments: &[&str], at: &Path) -> Option<Mounted> {
    fs::create_dir_all(at).unwrap();
    let arguments: Vec<_> = arguments.iter().copied().chain([at.to_str().unwrap()]).collect();
    run("mount", &arguments).then(|| Mounted(at.to_owned()))
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers of all records in a file and its backups.
fn numbers(directory: &Path, name: &str) -> Vec<u64> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of_file = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(name);
    let all = entries.filter(of_file).flat_map(|path| records(&path));
    let mut numbers: Vec<u64> = all.filter_map(|record| record["number"].as_u64()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_second_process_writes_to_files_of_its_own_and_says_so_until_the_first_is_gone() {
    let name = "a_second_process_writes_to_files_of_its_own_and_says_so_until_the_first_is_gone";
    if let Some(directory) = part() {
        logwell::set_self_log(println_raw);
        logging(config(&directory), |handle| {
            tracing::error!(number = std::process::id(), "from a process");
            handle.flush(SOON).unwrap();
            println_raw("logged");
            // Until the other side has seen enough.
            let _ = std::io::stdin().read(&mut [0]);
        });
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let begin = |directory: &Path| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", name, "--nocapture"]).env(PART, "1").env(DIRECTORY, directory);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = lines.by_ref().map_while(Result::ok);
        let told: Vec<String> = heard.take_while(|line| !line.contains("logged")).collect();
        (child, told.join("\n"), lines)
    };
    let (mut first, told_by_first, _) = begin(directory.path());
    let (mut second, told_by_second, _more) = begin(directory.path());
    assert!(!told_by_first.contains("in use"), "{told_by_first}");
    let own = format!("app.{}.log", second.id());
    let expected = format!("process {} writes to", first.id());
    assert!(told_by_second.contains(&expected) && told_by_second.contains(&own));

    let started = &records(&directory.path().join(&own))[0];
    assert_eq!(started["kind"], "logwell.started");
    assert!(started["diverted"].as_str().unwrap().contains(&own), "{started}");
    let errors = directory.path().join(format!("errors.{}.log", second.id()));
    assert_eq!(records(&errors).last().unwrap()["number"], second.id());
    assert_eq!(numbers(directory.path(), "app.log"), [u64::from(first.id())]);
    assert!(records(&directory.path().join("app.log"))[0].get("diverted").is_none());

    // The lock dies with the process.
    first.kill().unwrap();
    first.wait().unwrap();
    let (mut third, told_by_third, _rest) = begin(directory.path());
    assert!(!told_by_third.contains("in use"), "{told_by_third}");
    let written = numbers(directory.path(), "app.log");
    assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), ids(&[&first, &third]));
    for child in [&mut second, &mut third] {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

fn ids(children: &[&Child]) -> BTreeSet<u64> {
    children.iter().map(|child| u64::from(child.id())).collect()
}

/// Not through the test harness, whose capture other threads do not have.
fn println_raw(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn a_file_that_cannot_be_opened_under_any_name_costs_no_record_of_the_others() {
    let directory = tempfile::tempdir().unwrap();
    // The directory, two locks and one log file.
    let options = ["-t", "tmpfs", "-o", "nr_inodes=4", "none"];
    let Some(_mounted) = mount(&options, directory.path()) else {
        return skipped("a file system with few files");
    };
    logging(config(directory.path()), |handle| {
        tracing::info!(number = 1, "in app.log alone");
        handle.flush(SOON).unwrap();
        let health = format!("{:?}", handle.health());
        assert!(health.contains("there is no log file: "), "{health}");
        assert!(health.contains("errors.log"), "{health}");
    });
    assert_eq!(numbers(directory.path(), "app.log"), [1]);
}

#[test]
fn a_disk_that_is_full_for_two_seconds_costs_no_record() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("disk");
    let Some(disk) = mount(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &place) else {
        return skipped("mounting a tmpfs");
    };
    const PER_SECOND: u64 = 5_000;
    const SECONDS: u64 = 4;
    let ballast = place.join("ballast");
    let mut config = config(&place.join("logs"));
    config.files.app.max_bytes = 1 << 20;
    config.files.app.backup_count = 100;
    config.files.errors.enabled = false;
    // All of them, should the machine have no time for the listener meanwhile.
    config.queue.size = 2 * (PER_SECOND * SECONDS) as usize;
    logging(config, |handle| {
        let start = Instant::now();
        for number in 0..PER_SECOND * SECONDS {
            if number == PER_SECOND {
                fs::write(&ballast, vec![0; 32 << 20]).unwrap_err();
            }
            if number == PER_SECOND * 3 {
                // The disk is full, and the listener has found out.
                wait_until(|| !handle.health().is_healthy());
                fs::remove_file(&ballast).unwrap();
            }
            tracing::info!(number, "a record of ordinary length, and a little more than that");
            let due = Duration::from_micros(1_000_000 / PER_SECOND * number);
            std::thread::park_timeout(due.saturating_sub(start.elapsed()));
        }
        handle.flush(SOON).unwrap();
        wait_until(|| handle.stats().sinks[0].written >= PER_SECOND * SECONDS);
        let stats = handle.stats();
        assert_eq!((stats.dropped.total(), stats.sinks[0].dropped()), (0, 0));
    });
    let found = numbers(&place.join("logs"), "app.log");
    assert_eq!(found, (0..PER_SECOND * SECONDS).collect::<Vec<_>>());
    eprintln!("disk full for 2 s at {PER_SECOND}/s: 0 of {} lost", found.len());
    drop(disk);
}

const BEGIN: &str = "/logwell-test-slow-begin";
const END: &str = "/logwell-test-slow-end";

#[test]
fn a_slow_disk_makes_no_caller_wait() {
    const EVENTS: u64 = 4_000;
    let name = "a_slow_disk_makes_no_caller_wait";
    if let Some(directory) = part() {
        let mut config = config(&directory.join("logs"));
        config.files.app.max_bytes = 64 << 10;
        config.files.app.backup_count = 100;
        logging(config, |handle| {
            // With its first record a thread gets a pen, for which memory may be asked of the
            // system.
            tracing::info!("the first");
            assert!(fs::metadata(BEGIN).is_err());
            (0..EVENTS).for_each(|number| tracing::info!(number, "a record of ordinary length"));
            assert!(fs::metadata(END).is_err());
            assert_eq!(handle.stats().dropped.total(), 0);
        });
        return;
    }
    if !run("strace", &["true"]) {
        return skipped("strace");
    }
    let (directory, trace) = (0..5)
        .find_map(|_| {
            let directory = tempfile::tempdir().unwrap();
            let trace = directory.path().join("trace");
            let output = Command::new("strace")
                .args(["-f", "-e", "inject=write:delay_enter=1000", "-o"])
                .arg(&trace)
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .env(PART, "1")
                .env(DIRECTORY, directory.path())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            // strace 6.1 now and then stumbles over its own delays.
            let stumbled = errors.contains("has delayed wait data set already");
            assert!(output.status.success() || stumbled, "{errors}");
            let text = fs::read_to_string(trace).unwrap();
            (!stumbled).then_some((directory, text))
        })
        .unwrap();
    let caller = trace.lines().find(|line| line.contains(BEGIN)).unwrap();
    let (caller, _) = caller.split_once(' ').unwrap();
    let calls: Vec<&str> = trace
        .lines()
        .filter(|line| line.split_once(' ').unwrap().0 == caller)
        .skip_while(|line| !line.contains(BEGIN))
        .take_while(|line| !line.contains(END))
        .skip(1)
        .filter(|line| !line.contains("resumed>"))
        .collect();
    // To wake the listener is all that a caller may do, and that seldom.
    let others: Vec<_> = calls.iter().filter(|line| !line.contains("FUTEX_WAKE")).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(calls.len() < 200, "{} calls", calls.len());
    let found = numbers(&directory.path().join("logs"), "app.log");
    assert_eq!(found.len() as u64, EVENTS);
    eprintln!("each write takes 1 ms: {} wake-ups and no wait in {EVENTS} calls", calls.len());
}

#[test]
fn backups_are_compressed_while_records_go_on() {
    let mib: usize = std::env::var("LOGWELL_TEST_MIB").map_or(8, |mib| mib.parse().unwrap());
    // Where the machine has time for few flushes they get more time: it takes longer.
    let is_answering = [1, 2, 4, 8].into_iter().any(|n| flushes_while_compressing(n * mib) > 20);
    assert!(is_answering, "the listener waited for the janitor");
}

/// How often the listener answers while the janitor compresses so much.
fn flushes_while_compressing(mib: usize) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.files.compress = Compress::Gzip;
    config.files.errors.enabled = false;
    let mut text = String::new();
    for number in 0_u64.. {
        if text.len() >= mib << 20 {
            break;
        }
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        text +=
            &format!("{{\"seq\":{number},\"message\":\"a record\",\"trace_id\":\"{id:016x}\"}}\n");
    }
    fs::write(directory.path().join("app.log.1"), &text).unwrap();
    let mut flushes = 0;
    logging(config, |handle| {
        let packed = directory.path().join("app.log.1.gz");
        let (mut call, mut flush) = (Duration::ZERO, Duration::ZERO);
        let begun = Instant::now();
        wait_until(|| {
            let start = Instant::now();
            tracing::info!(number = flushes, "meanwhile");
            call = call.max(start.elapsed());
            let start = Instant::now();
            handle.flush(SOON).unwrap();
            flush = flush.max(start.elapsed());
            flushes += 1;
            packed.exists()
        });
        let names: Vec<_> = handle.log_files();
        assert_eq!(names, [directory.path().join("app.log"), packed.clone()]);
        let mut read = String::new();
        let mut decoder = flate2::read::GzDecoder::new(File::open(&packed).unwrap());
        decoder.read_to_string(&mut read).unwrap();
        assert!(read == text);
        let took = begun.elapsed();
        eprintln!(
            "{mib} MiB compressed in {took:?}; meanwhile {flushes} flushes, the longest {flush:?}, \
             the longest call {call:?}"
        );
    });
    flushes
}

/// Logs for ever: each line of its output is the number of a record and when its call returned.
fn log_without_end(directory: &Path) {
    let mut config = config(directory);
    config.files.sync = SyncPolicy::Error;
    config.files.sync_interval = Duration::from_millis(INTERVAL_MS);
    config.files.app.max_bytes = 256 << 10;
    config.files.app.backup_count = 1_000;
    logging(config, |_| {
        let mut out = std::io::stdout().lock();
        for number in 0_u64.. {
            let kind = if number.is_multiple_of(400) { "error" } else { "info" };
            match kind {
                "error" => tracing::error!(number, "trouble"),
                _ => tracing::info!(number, "all is well"),
            }
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            writeln!(out, "logged {number} {kind} {}", now.as_millis()).unwrap();
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
}

#[test]
fn a_power_cut_costs_no_old_error_and_nothing_older_than_the_interval() {
    let name = "a_power_cut_costs_no_old_error_and_nothing_older_than_the_interval";
    if let Some(directory) = part() {
        return log_without_end(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    // In memory, where a sync takes as long as the file system does and not as long as a disk that
    // others use too.
    let Some(_memory) = mount(&["-t", "tmpfs", "-o", "size=256m", "tmpfs"], &at("memory")) else {
        return skipped("a tmpfs");
    };
    let disk = at("memory").join("disk.img");
    File::create(&disk).unwrap().set_len(64 << 20).unwrap();
    let made = run("mkfs.ext4", &["-q", &text(&disk)]);
    let mounted = made.then(|| mount(&["-o", "loop", &text(&disk)], &at("before"))).flatten();
    let Some(mounted) = mounted else { return skipped("a file system in a file") };

    let mut child = start(name, &at("before").join("logs"));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (heard, hears) = std::sync::mpsc::channel();
    let listener = std::thread::spawn(move || {
        lines.filter(|line| line.starts_with("logged ")).for_each(|line| drop(heard.send(line)));
    });
    let mut logged: Vec<String> = hears.iter().take(2_000).collect();
    let mut worst = [u128::MAX; 2];
    // A machine that is busy with other tests may start a thread late: then the power is cut again.
    for cut in 1..=20 {
        logged.extend(hears.iter().take(350));
        // The power goes: what is on the disk now is all there is.
        run("kill", &["-STOP", &child.id().to_string()]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let copy = at("memory").join("copy.img");
        fs::copy(&disk, &copy).unwrap();
        run("kill", &["-CONT", &child.id().to_string()]);
        logged.extend(hears.try_iter());

        let after = at(&format!("after-{cut}"));
        let rest = mount(&["-o", "loop", &text(&copy)], &after);
        let rest = rest.expect("a copy can be mounted where the disk could");
        let found = numbers_after_a_cut(&after.join("logs"));
        drop(rest);
        worst = oldest_lost(&logged, &found, now);
        eprintln!(
            "power cut {cut}: {} records there; the oldest ERROR lost was {} ms old, the oldest \
             other {} ms",
            found.len(),
            worst[1],
            worst[0]
        );
        if worst[1] <= ERROR_MS + PATIENCE_MS && worst[0] <= u128::from(INTERVAL_MS) + PATIENCE_MS {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap();
    drop(mounted);
    let [ordinary, error] = worst;
    assert!(error <= ERROR_MS + PATIENCE_MS, "an ERROR of {error} ms is lost");
    assert!(ordinary <= u128::from(INTERVAL_MS) + PATIENCE_MS, "a record of {ordinary} ms is lost");
}

/// The numbers in what a power cut has left: whole lines, and anything.
fn numbers_after_a_cut(directory: &Path) -> BTreeSet<u64> {
    let files = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("app"));
    let bytes: Vec<u8> = files.flat_map(|path| fs::read(path).unwrap()).collect();
    let text = String::from_utf8_lossy(&bytes);
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    records.filter_map(|record| record["number"].as_u64()).collect()
}

/// How old, in milliseconds, the oldest record that is missing was: an ordinary one, and an ERROR.
fn oldest_lost(logged: &[String], found: &BTreeSet<u64>, now_ms: u128) -> [u128; 2] {
    let mut oldest = [0, 0];
    for line in logged {
        let words: Vec<&str> = line.split(' ').collect();
        let (number, millis): (u64, u128) = (words[1].parse().unwrap(), words[3].parse().unwrap());
        if !found.contains(&number) {
            let age = &mut oldest[usize::from(words[2] == "error")];
            *age = now_ms.saturating_sub(millis).max(*age);
        }
    }
    oldest
}

/// An ERROR that is older is on the disk.
const ERROR_MS: u128 = 50;

const INTERVAL_MS: u64 = 200;

/// What a busy machine may add at the cut that counts.
const PATIENCE_MS: u128 = 450;
