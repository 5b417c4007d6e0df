//! `logwell show` and `logwell tail` over files that logwell itself wrote.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use support::{SOON, boot, config, fine, logwell, stderr, stdout, until};

fn pack(path: &Path, ending: &str) {
    let bytes = fs::read(path).unwrap();
    let packed = match ending {
        "gz" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => compress_to_vec(&bytes[..], CompressionLevel::Fastest),
    };
    fs::write(format!("{}.{ending}", path.display()), packed).unwrap();
    fs::remove_file(path).unwrap();
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers in field `n` of what was printed.
fn numbers(text: &str) -> Vec<u64> {
    json_lines(text).iter().filter_map(|record| record["n"].as_u64()).collect()
}

fn show(directory: &Path, arguments: &[&str]) -> String {
    fine("show", directory, arguments)
}

#[test]
fn a_directory_is_shown_from_its_oldest_record_to_its_newest_packed_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    boot(config(directory.path()).max_bytes(4096).backup_count(99), |_| {
        (0..100).for_each(|n| tracing::info!(n, "hello"));
    });
    assert!(path("app.log.5").exists());
    let before = show(directory.path(), &["--json"]);
    assert_eq!(numbers(&before), Vec::from_iter(0..100));
    pack(&path("app.log.2"), "gz");
    pack(&path("app.log.4"), "zst");
    assert_eq!(show(directory.path(), &["--json"]), before);
    let seqs: Vec<_> =
        json_lines(&before).iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, Vec::from_iter(1..=102));
}

#[test]
fn several_files_are_merged_and_a_record_that_stands_in_two_is_shown_once() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()), |_| {
        for n in 0..30 {
            if n % 3 == 0 {
                tracing::error!(n, "bad");
            } else {
                tracing::info!(n, "good");
            }
        }
    });
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let merged = logwell(&["show", "--json", &path("errors.log"), &path("app.log")]);
    assert_eq!(numbers(&stdout(&merged)), Vec::from_iter(0..30));
    // A second process: the same records under another process id, a moment later.
    let other: String = fs::read_to_string(path("app.log"))
        .unwrap()
        .replace("\"process\":", "\"process\":1")
        .replace("+00:00\",\"level\"", "9+00:00\",\"level\"");
    fs::write(path("app.4242.log"), other).unwrap();
    let both = show(directory.path(), &["--json"]);
    let records = json_lines(&both);
    assert_eq!(records.len(), 64);
    let moments: Vec<_> =
        records.iter().map(|record| record["timestamp"].as_str().unwrap()).collect();
    assert!(moments.is_sorted(), "{both}");
}

#[test]
fn filters_choose_records_from_a_whole_directory() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()).log_level("debug"), |_| {
        tracing::info_span!("request", user = "ann").in_scope(|| {
            tracing::warn!(n = 1, latency_ms = 150, "slow");
            tracing::info!(target: "shop::db", n = 2, latency_ms = 20, "query \"a\"");
        });
        tracing::error!(n = 3, trace_id = "abc", "lost");
        logwell::critical!(n = 4, "down");
        tracing::debug!(target: "shop::dbx", n = 5, "query");
    });
    let chosen =
        |arguments: &[&str]| numbers(&show(directory.path(), &[&["--json"], arguments].concat()));
    assert_eq!(chosen(&[]), [1, 2, 3, 4, 5]);
    assert_eq!(chosen(&["--level", "error"]), [3, 4]);
    assert_eq!(chosen(&["-l", "WARNING"]), [1, 3, 4]);
    assert_eq!(chosen(&["--logger", "shop::db"]), [2]);
    assert_eq!(chosen(&["--logger", "shop"]), [2, 5]);
    assert_eq!(chosen(&["--field", "latency_ms>100"]), [1]);
    assert_eq!(chosen(&["--field", "latency_ms", "--field", "user=ann"]), [1, 2]);
    assert_eq!(chosen(&["--trace", "abc"]), [3]);
    assert_eq!(chosen(&["--text", "query \"a"]), [2]);
    assert_eq!(chosen(&["-t", "query", "-l", "info"]), [2]);
    assert_eq!(chosen(&["--since", "1h"]), [1, 2, 3, 4, 5]);
    assert_eq!(chosen(&["--until", "1h"]), [0; 0]);
    assert_eq!(chosen(&["--since", "2026-01-01", "--until", "2026-01-02T10:00:00Z"]), [0; 0]);
}

#[test]
fn people_get_one_line_a_record_and_a_terminal_is_not_steered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/default.jsonl");
    let mut bytes = fs::read(golden).unwrap();
    bytes.extend_from_slice(
        b"thread 'main' panicked \x1b[31m\xff\n{\"message\":\"\xc2\x9b\xe2\x80\xae\"}\ntorn",
    );
    fs::write(&path, bytes).unwrap();
    let shown = show(directory.path(), &["--utc"]);
    let expected = concat!(
        include_str!("golden/default.txt"),
        "? thread 'main' panicked \\u{1b}[31m\u{fffd}\n",
        " ? : \\u{9b}\\u{202e}\n",
        "? torn\n"
    );
    assert_eq!(shown, expected);
    let coloured = show(directory.path(), &["--utc", "--color", "always"]);
    assert!(coloured.starts_with("\u{1b}[2m2026-02-19 10:30:00.123Z\u{1b}[0m \u{1b}[32mINFO"));
    // As JSON only what is JSON comes through.
    let output = logwell(&["show", "--json", path.to_str().unwrap()]);
    assert_eq!(json_lines(&stdout(&output)).len(), expected.lines().count() - 2);
    assert_eq!(stderr(&output), "logwell: 2 lines are no records and were left out\n");
}

#[test]
fn what_is_not_understood_is_refused_with_the_nearest_word() {
    for (arguments, hint) in [
        (&["shwo", "logs"][..], "'show'"),
        (&["show", "logs", "--levle", "info"], "'--level'"),
        (&["show", "logs", "--level", "inof"], "'info'"),
        (&["show", "logs", "--since", "soon"], "is not a moment"),
        (&["show", "logs", "--field", "=1"], "user_id=7"),
        (&["show", "/no/such/directory"], "/no/such/directory cannot be read"),
        (&["verify", "/no/such/directory"], "/no/such/directory cannot be read"),
        (&["verify"], "<DIR>"),
        (&["show"], "<DIR|FILE>"),
    ] {
        let output = logwell(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains(hint), "{arguments:?}: {}", stderr(&output));
    }
    let empty = tempfile::tempdir().unwrap();
    for command in ["show", "tail", "verify"] {
        let output = logwell(&[command, empty.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("there is no app.log in"), "{}", stderr(&output));
    }
}

#[test]
fn help_and_completions_are_printed() {
    for (arguments, word) in [
        (&["--help"][..], "Examples:"),
        (&["help", "verify"], "--accept-declared"),
        (&["show", "--help"], "latency_ms>100"),
        (&["tail", "-h"], "--follow"),
        (&["--version"], "logwell 0."),
        (&["completions", "bash"], "complete"),
        (&["completions", "zsh"], "_logwell"),
    ] {
        let output = logwell(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(stdout(&output).contains(word), "{arguments:?}: {}", stdout(&output));
    }
}

#[test]
fn standard_input_is_read_and_a_reader_that_goes_away_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()).max_bytes(100 << 20), |_| {
        (0..4_000).for_each(|n| tracing::info!(n, padding = "x".repeat(100), "hello"));
    });
    let input = File::open(directory.path().join("app.log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_logwell"))
        .args(["show", "-", "--json"])
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    assert!(first.contains("logwell.started"));
    drop(reader);
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*errors), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_100_mb_takes_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    boot(config(directory.path()), |_| tracing::info!(n = 1, "before"));
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let piece = vec![b'x'; 1 << 20];
    (0..100).for_each(|_| file.write_all(&piece).unwrap());
    file.write_all(b"\n{\"n\":2}\n").unwrap();
    let directory = directory.path().to_str().unwrap();
    for command in ["show", "tail", "verify"] {
        let script = "ulimit -v 150000 && exec \"$@\"";
        let output = Command::new("sh")
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_logwell"), command, directory])
            .output()
            .unwrap();
        let out = stdout(&output);
        let code = if command == "verify" { 1 } else { 0 };
        assert_eq!(output.status.code(), Some(code), "{command}: {}", stderr(&output));
        assert!(out.contains("104857600 bytes"), "{command}: {out}");
        assert!(command == "verify" || out.contains("n=2"), "{command}: {out}");
    }
}

// ---- tail ---------------------------------------------------------------------------------------

fn tail(directory: &Path, arguments: &[&str]) -> Vec<u64> {
    let mut all = vec!["tail", "--json", directory.to_str().unwrap()];
    all.extend(arguments);
    let output = logwell(&all);
    assert_eq!((output.status.code(), &*stderr(&output)), (Some(0), ""));
    numbers(&stdout(&output))
}

#[test]
fn the_last_records_are_the_last_that_the_filters_let_through_over_all_files() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()).max_bytes(4096).backup_count(99), |_| {
        (0..100).for_each(|n| match n % 10 {
            0 => tracing::warn!(n, "ten"),
            _ => tracing::info!(n, "one"),
        });
    });
    pack(&directory.path().join("app.log.2"), "gz");
    let directory = directory.path();
    assert_eq!(tail(directory, &["-n", "4"]), [97, 98, 99], "and the receipt");
    assert_eq!(tail(directory, &["--level", "warn", "-n", "3"]), [70, 80, 90]);
    assert_eq!(tail(directory, &["--level", "warn"]), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    assert_eq!(tail(directory, &["-n", "1000"]), Vec::from_iter(0..100));
    assert_eq!(tail(directory, &["-n", "0"]), [0; 0]);
    assert_eq!(tail(directory, &["--text", "nothing", "-n", "5"]), [0; 0]);
}

/// A `logwell tail -f` and what it has printed so far.
struct Follower {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Follower {
    fn new(path: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logwell"))
            .args(["tail", "-f", "--json", path.to_str().unwrap()])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let (out, all) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&printed));
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                all.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { child, printed }
    }

    fn numbers(&self) -> Vec<u64> {
        numbers(&self.printed.lock().unwrap())
    }

    fn waits_for(&self, expected: &[u64]) {
        until(&format!("printing up to {:?}", expected.last()), || {
            self.numbers().last() == expected.last()
        });
        assert_eq!(self.numbers(), expected);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn following_goes_on_over_real_rotation_and_prints_each_record_once() {
    let directory = tempfile::tempdir().unwrap();
    let all: Vec<u64> = (0..3_000).collect();
    boot(config(directory.path()).max_bytes(16 << 10).backup_count(999), |handle| {
        tracing::info!(n = 0_u64, "hello");
        handle.flush(SOON).unwrap();
        let follower = Follower::new(directory.path(), &["-n", "1000"]);
        follower.waits_for(&all[..1]);
        // Many rotations between two looks, and some looks between two rotations.
        for n in &all[1..] {
            tracing::info!(n, "hello");
            if n % 500 == 0 {
                handle.flush(SOON).unwrap();
                follower.waits_for(&all[..=usize::try_from(*n).unwrap()]);
            }
        }
        handle.flush(SOON).unwrap();
        follower.waits_for(&all);
        // It answers late where the disk does.
        until("rotated", || handle.rotate_now().is_ok());
        assert_eq!(follower.numbers(), all);
    });
    assert!(directory.path().join("app.log.20").exists());
}

fn append(path: &PathBuf, numbers: std::ops::Range<u64>) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    for n in numbers {
        writeln!(file, "{{\"n\":{n}}}").unwrap();
    }
}

#[test]
fn following_goes_on_over_truncation_deletion_and_a_line_that_comes_in_pieces() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.log");
    append(&path, 0..20);
    let follower = Follower::new(&path, &["-n", "3"]);
    follower.waits_for(&[17, 18, 19]);
    append(&path, 20..22);
    follower.waits_for(&[17, 18, 19, 20, 21]);

    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"n\":").unwrap();
    append(&directory.path().join("another.log"), 0..1);
    file.write_all(b"22}\n").unwrap();
    follower.waits_for(&[17, 18, 19, 20, 21, 22]);

    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    append(&path, 23..24);
    follower.waits_for(&[17, 18, 19, 20, 21, 22, 23]);

    fs::remove_file(&path).unwrap();
    append(&path, 24..26);
    follower.waits_for(&[17, 18, 19, 20, 21, 22, 23, 24, 25]);

    // Moved away by another program, and written to for a moment longer.
    fs::rename(&path, directory.path().join("old")).unwrap();
    file = OpenOptions::new().append(true).open(directory.path().join("old")).unwrap();
    file.write_all(b"{\"n\":26}\n").unwrap();
    append(&path, 27..28);
    follower.waits_for(&[17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]);
}

fn gzip(path: &PathBuf, numbers: std::ops::Range<u64>) {
    let mut file = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    for n in numbers {
        writeln!(file, "{{\"n\":{n}}}").unwrap();
    }
    file.finish().unwrap();
}

#[test]
fn following_goes_on_over_files_that_were_rotated_and_packed_between_two_looks() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    append(&path("app.log"), 0..3);
    let follower = Follower::new(directory.path(), &[]);
    follower.waits_for(&[0, 1, 2]);
    for (name, numbers) in [("app.log.3.gz", 0..5), ("app.log.2.gz", 5..7), ("app.log.1.gz", 7..9)]
    {
        gzip(&path(name), numbers);
    }
    append(&path("app.log"), 3..5);
    append(&path("new"), 9..10);
    fs::rename(path("new"), path("app.log")).unwrap();
    follower.waits_for(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn following_begins_with_the_oldest_of_the_files_that_are_left_if_its_own_was_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let at = |name: &str, seconds: u64| {
        let file = OpenOptions::new().append(true).open(path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    append(&path("app.log.2"), 0..1);
    at("app.log.2", 40);
    append(&path("app.log"), 1..3);
    at("app.log", 30);
    let follower = Follower::new(&path("app.log"), &[]);
    follower.waits_for(&[1, 2]);
    gzip(&path("app.log.1.gz"), 3..5);
    at("app.log.1.gz", 20);
    append(&path("new"), 5..6);
    fs::rename(path("new"), path("app.log")).unwrap();
    follower.waits_for(&[1, 2, 3, 4, 5]);
}

#[test]
fn following_a_directory_finds_the_file_of_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    append(&path("app.log"), 0..2);
    let follower = Follower::new(directory.path(), &[]);
    follower.waits_for(&[0, 1]);
    append(&path("app.4242.log"), 2..3);
    follower.waits_for(&[0, 1, 2]);
    append(&path("app.log"), 3..4);
    follower.waits_for(&[0, 1, 2, 3]);
}
