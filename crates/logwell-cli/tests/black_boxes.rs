//! `logwell verify` over logs of processes that were killed, before and after the next start.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use logwell::config::Schema;
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::{LoggingConfig, QueueLayer};
use logwell_cli::verify::{Options, Verdict, verify};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{SOON, boot, config, lines, logwell, stderr, stdout, until};
use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt as _;

// ---- a process that is killed ---------------------------------------------------------------

/// What the inner process is to do, as JSON in this variable.
const INNER: &str = "LOGWELL_TEST_INNER";

fn inner_config(wish: &Value) -> LoggingConfig {
    let schema = match wish["schema"].as_str() {
        Some("ecs") => Schema::Ecs,
        Some("gcp") => Schema::Gcp,
        Some("otel") => Schema::Otel,
        _ => Schema::Native,
    };
    let config = config(Path::new(wish["dir"].as_str().unwrap())).schema(schema);
    let mut config = config.log_level("debug").file_level("info").build().unwrap();
    config.black_box.max_bytes = 1 << 20;
    if let Some(dir) = wish["box_dir"].as_str() {
        config.black_box.dir = dir.into();
    }
    config
}

static IS_HELD: AtomicBool = AtomicBool::new(false);

/// Holds the listener at the record with that message, for ever.
struct Gate(String);

impl Sink for Gate {
    fn write(&mut self, record: &Record) -> std::io::Result<()> {
        while record.message() == self.0 {
            IS_HELD.store(true, Ordering::SeqCst);
            std::thread::park();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

/// Writes seq 1 to 5 and has 6 to 10 on the way when it says that it is ready.
#[test]
fn the_process_that_is_killed() {
    let Ok(wish) = std::env::var(INNER) else { return };
    let wish: Value = serde_json::from_str(&wish).unwrap();
    let gate = Gate(wish["held_at"].as_str().unwrap_or("held").to_owned());
    let builder = QueueLayer::builder().config(inner_config(&wish));
    let (layer, handle) = builder.sink("gate", Accepts::all(), gate).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (2..5).for_each(|n| tracing::info!(n, "written"));
        tracing::error!(n = 5, "written");
        if wish["held_at"].is_null() {
            handle.flush(SOON).unwrap();
        }
        tracing::info!(n = 6, "held");
        if wish["debug"] == true {
            tracing::debug!("kept out");
        }
        tracing::info!(n = 7, "waiting");
        tracing::error!(n = 8, "waiting");
        tracing::info!(target: "ai_responses", n = 9, "waiting");
        tracing::info!(n = 10, "waiting");
    });
    // What is at the gate has a number, what is behind it has none.
    until("the listener stands", || IS_HELD.load(Ordering::SeqCst));
    fs::write(wish["ready"].as_str().unwrap(), "").unwrap();
    loop {
        std::thread::park();
    }
}

struct Inner(Child);

impl Inner {
    fn start(directory: &Path, mut wish: Value) -> Self {
        let ready = tempfile::tempdir().unwrap();
        let path = ready.path().join("ready");
        wish["dir"] = directory.to_str().unwrap().into();
        wish["ready"] = path.to_str().unwrap().into();
        let mut inner = Command::new(std::env::current_exe().unwrap());
        inner.args(["the_process_that_is_killed", "--exact", "--nocapture"]);
        let inner = Self(inner.env(INNER, wish.to_string()).spawn().unwrap());
        until("the inner process is ready", || path.exists());
        inner
    }

    fn kill(mut self) -> u32 {
        self.0.kill().unwrap();
        assert_eq!(self.0.wait().unwrap().signal(), Some(9));
        self.0.id()
    }
}

fn killed(wish: Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    Inner::start(directory.path(), wish).kill();
    directory
}

/// One more start, which recovers what is left.
fn restart(directory: &Path) {
    restart_with(directory, json!({}));
}

fn restart_with(directory: &Path, mut wish: Value) {
    wish["dir"] = directory.to_str().unwrap().into();
    let (layer, handle) = QueueLayer::builder().config(inner_config(&wish)).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::error!("again");
    });
    assert!(handle.shutdown().is_lossless());
}

// ---- what is found --------------------------------------------------------------------------

fn options() -> Options {
    Options { settle: Duration::ZERO, ..Options::default() }
}

fn report(directory: &Path) -> Value {
    verify(directory, &options()).unwrap().json(false)
}

/// Exit code and text.
fn said(directory: &Path) -> (i32, String) {
    let output = logwell(&["verify", directory.to_str().unwrap()]);
    (output.status.code().unwrap(), stdout(&output) + &stderr(&output))
}

fn boxes(directory: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.to_string_lossy().contains(".box")).collect()
}

fn only_box(directory: &Path) -> PathBuf {
    let boxes = boxes(directory);
    assert_eq!(boxes.len(), 1);
    boxes[0].clone()
}

fn remove_line(directory: &Path, name: &str, with: &str) {
    let path = directory.join(name);
    let mut all = lines(&path);
    let at = all.iter().position(|line| line.contains(with)).unwrap();
    all.remove(at);
    fs::write(path, all.concat()).unwrap();
}

#[test]
fn what_waits_in_the_box_of_a_killed_process_is_named_and_not_missing() {
    let directory = killed(json!({}));
    let (code, text) = said(directory.path());
    assert_eq!(code, 0, "{text}");
    for part in [
        ": complete\n  5 records, up to seq 5\n",
        "  was killed; 5 records waiting in its black box, which the next start writes\n    seq 6 to 10\n",
        "\ncomplete, with 5 records waiting in black boxes\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let report = report(directory.path());
    let boot = &report["boots"][0];
    assert_eq!(boot["black_box"]["waiting"], json!([{"from": 6, "to": 10}]));
    assert_eq!((&boot["may_be_running"], &boot["last_seq"]), (&json!(false), &json!(5)));
    assert_eq!(boxes(directory.path()).len(), 1, "looking changes nothing");
    // What the box does not have is missing as ever, at the end too.
    for (line, seq) in [("\"seq\":3,", "3"), ("\"seq\":5,", "5")] {
        let before = fs::read(directory.path().join("app.log")).unwrap();
        remove_line(directory.path(), "app.log", line);
        let (code, text) = said(directory.path());
        assert_eq!(code, 1, "{text}");
        assert!(
            text.contains(&format!("  missing: 1 record\n    seq {seq} (1), after ")),
            "{text}"
        );
        assert!(text.ends_with("NOT COMPLETE: 1 missing\n"), "{text}");
        fs::write(directory.path().join("app.log"), before).unwrap();
    }
}

#[test]
fn what_was_recovered_is_complete_and_a_line_that_is_removed_from_it_is_named() {
    let directory = killed(json!({}));
    restart(directory.path());
    let (code, text) = said(directory.path());
    assert_eq!(code, 0, "{text}");
    for part in [
        ": complete\n  10 records, up to seq 10\n  errors.log: 2 records\n  ai_responses.log: 1 record\n  was killed; its black box was recovered, up to seq 10\n",
        "ended in order, and the receipt's numbers are those of the file",
        "\n\ncomplete\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(boxes(directory.path()).is_empty());
    let whole = fs::read(directory.path().join("app.log")).unwrap();
    for seq in [2, 5, 6, 7, 10] {
        remove_line(directory.path(), "app.log", &format!("\"n\":{seq}"));
        let (code, text) = said(directory.path());
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&format!("missing: 1 record\n    seq {seq} (1), after ")), "{text}");
        fs::write(directory.path().join("app.log"), &whole).unwrap();
    }
    for (name, seq) in [("errors.log", 8), ("ai_responses.log", 9)] {
        let whole = fs::read(directory.path().join(name)).unwrap();
        remove_line(directory.path(), name, &format!("\"n\":{seq}"));
        let (code, text) = said(directory.path());
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&format!("missing in {name}: 1 record")), "{text}");
        fs::write(directory.path().join(name), whole).unwrap();
    }
}

#[test]
fn half_a_line_that_a_kill_has_left_is_no_damage_while_its_record_waits_in_the_box() {
    let directory = killed(json!({}));
    let path = directory.path().join("app.log");
    let all = fs::read_to_string(&path).unwrap();
    fs::write(&path, all.clone() + r#"{"timestamp":"2026-"#).unwrap();
    assert_eq!(report(directory.path())["complete"], true, "{:#}", report(directory.path()));
    // Without the box nobody knows what it was.
    let waiting = only_box(directory.path());
    fs::rename(&waiting, directory.path().join("aside")).unwrap();
    assert_eq!(said(directory.path()).0, 1);
    fs::rename(directory.path().join("aside"), &waiting).unwrap();
    restart(directory.path());
    assert_eq!(report(directory.path())["complete"], true, "{:#}", report(directory.path()));
}

#[test]
fn a_recovered_line_that_stands_twice_or_in_the_wrong_place_is_told() {
    let directory = killed(json!({}));
    restart(directory.path());
    let path = directory.path().join("app.log");
    let whole = lines(&path);
    let mut all = whole.clone();
    all.insert(7, whole[6].clone());
    fs::write(&path, all.concat()).unwrap();
    assert_eq!(report(directory.path())["boots"][0]["duplicates"][0]["from"], 7);
    all = whole;
    all.swap(6, 7);
    fs::write(&path, all.concat()).unwrap();
    assert_eq!(report(directory.path())["boots"][0]["out_of_order"][0]["from"], 7);
}

#[test]
fn what_is_in_the_box_of_a_running_process_is_on_its_way() {
    let directory = tempfile::tempdir().unwrap();
    let inner = Inner::start(directory.path(), json!({}));
    let (code, text) = said(directory.path());
    remove_line(directory.path(), "app.log", "\"seq\":5,");
    let (code_without, text_without) = said(directory.path());
    inner.kill();
    assert_eq!(code_without, 1, "it has handed that on: {text_without}");
    assert!(text_without.contains("    seq 5 (1), after "), "{text_without}");
    assert_eq!(code, 0, "{text}");
    let part = "  is running; 5 records on the way in its black box\n    seq 6 to 10\n";
    assert!(text.contains(part), "{text}");
    assert!(text.ends_with("\ncomplete\n"), "{text}");
}

#[test]
fn what_one_file_has_already_may_wait_for_another() {
    let directory = killed(json!({}));
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    restart(copy.path());
    let recovered = lines(&copy.path().join("app.log"))[5..8].concat();
    let path = directory.path().join("app.log");
    let written =
        fs::read_to_string(&path).unwrap() + &recovered.replace(",\"recovered\":true", "");
    fs::write(&path, written).unwrap();
    let report = report(directory.path());
    assert_eq!(report["complete"], true, "{report:#}");
    let boot = &report["boots"][0];
    assert_eq!((&boot["records"], &boot["black_box"]["records"]), (&json!(8), &json!(2)));
    assert_eq!(boot["other_files"][0]["records"], 1, "the second ERROR waits for errors.log");
    // If the box cannot be read, nobody knows whether it does.
    fs::write(only_box(directory.path()), "no box").unwrap();
    let (code, text) = said(directory.path());
    assert_eq!(code, 2, "{text}");
}

#[test]
fn a_process_that_was_killed_before_it_wrote_anything_is_known_by_its_box() {
    let directory = killed(json!({"held_at": "logging started"}));
    assert_eq!(fs::read(directory.path().join("app.log")).unwrap(), b"");
    let (code, text) = said(directory.path());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("  nothing of it is in the files\n"), "{text}");
    assert!(text.contains("10 records waiting in its black box"), "{text}");
    restart(directory.path());
    let report = report(directory.path());
    assert_eq!(report["complete"], true, "{report:#}");
    assert_eq!(
        (&report["boots"][0]["records"], &report["boots"][0]["begun"]),
        (&json!(10), &json!(true))
    );
}

#[test]
fn a_box_may_lie_in_another_directory_with_those_of_other_logs() {
    let (box_dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wish = json!({"box_dir": box_dir.path().to_str().unwrap()});
    let directory = killed(wish.clone());
    Inner::start(other.path(), wish).kill();
    assert_eq!(boxes(box_dir.path()).len(), 2);
    let path = |directory: &TempDir| directory.path().to_str().unwrap().to_owned();
    let output = logwell(&["verify", &path(&directory), "--black-box-dir", &path(&box_dir)]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains(" 1 boot\n") && text.contains("    seq 6 to 10\n"), "{text}");
    let output = logwell(&["verify", &path(&directory)]);
    assert!(stdout(&output).contains("what follows seq 5 is not known"), "{}", stdout(&output));
    let output = logwell(&["verify", &path(&directory), "--black-box-dir", "/nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}

// ---- damaged boxes --------------------------------------------------------------------------

#[test]
fn what_cannot_be_read_in_a_box_is_said_before_and_after_the_next_start() {
    // The first has a number, the second none yet: the listener had not taken it.
    for (message, number, missing) in [("held", 6, Some("seq 6 (1)")), ("waiting", 7, None)] {
        let directory = killed(json!({}));
        let path = only_box(directory.path());
        damage_record(&path, message, number);
        let check = |is_before: bool| {
            let (code, text) = said(directory.path());
            assert_eq!(code, 1, "{text}");
            assert!(text.contains("entry of its black box cannot be read"), "{is_before} {text}");
            assert!(missing.is_none_or(|missing| text.contains(missing)), "{text}");
            let whole = verify(directory.path(), &options()).unwrap();
            assert_eq!(whole.verdict(true), Verdict::Complete, "{}", whole.text(true, true));
        };
        check(true);
        restart(directory.path());
        check(false);
        assert!(said(directory.path()).1.contains("what became of the boot is known all the same"));
        assert!(only_box(directory.path()).to_str().unwrap().ends_with(".box.bad"));
    }
}

/// Spoils the entry of the record with that message, beside which its number lies.
fn damage_record(path: &Path, message: &str, number: u64) {
    const NEAR: usize = 64;
    let mut bytes = fs::read(path).unwrap();
    let has_number = |part: &[u8]| part.windows(8).any(|word| word == number.to_le_bytes());
    let is_it = |at: &usize| {
        bytes[*at..].starts_with(message.as_bytes())
            && has_number(&bytes[at - NEAR..(at + NEAR).min(bytes.len())])
    };
    let at = (NEAR..bytes.len()).find(is_it).unwrap();
    bytes[at] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_box_that_cannot_be_read_leaves_it_open_what_is_missing() {
    let directory = killed(json!({}));
    fs::write(only_box(directory.path()), "no box").unwrap();
    let (code, text) = said(directory.path());
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("cannot be read: it is too short\n  it may have records"), "{text}");
    assert!(text.ends_with("\nNOT KNOWN: a black box cannot be read\n"), "{text}");
    let json = report(directory.path());
    assert_eq!((&json["complete"], &json["known"]), (&json!(false), &json!(false)));
    // Something that is known to be missing is the worse news.
    let whole = fs::read(directory.path().join("app.log")).unwrap();
    remove_line(directory.path(), "app.log", "\"seq\":3,");
    assert_eq!(said(directory.path()).0, 1);
    fs::write(directory.path().join("app.log"), whole).unwrap();
    // The next start puts it aside: then what it had is lost.
    restart(directory.path());
    let (code, text) = said(directory.path());
    assert_eq!(code, 1, "{text}");
    for part in [
        "was killed, and its black box could not be read; what follows seq 5 is lost",
        ".box.bad of boot ",
        "cannot be read: a start could not read all of it and has put it aside",
        "\nNOT COMPLETE: a black box put aside\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn a_box_in_which_anything_stands_makes_nobody_panic() {
    let directory = killed(json!({}));
    let path = only_box(directory.path());
    let whole = fs::read(&path).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let change = proptest::collection::vec((0..=used, any::<u8>()), 1..30);
    let mut runner = proptest::test_runner::TestRunner::default();
    let result = runner.run(&(change, 0..=whole.len() * 2), |(changes, length)| {
        let mut bytes = whole.clone();
        changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
        bytes.truncate(length);
        fs::write(&path, bytes).unwrap();
        let report = verify(directory.path(), &options()).unwrap();
        let text = report.text(false, true);
        let is_complete = text.lines().last().unwrap().starts_with("complete");
        prop_assert_eq!(is_complete, report.is_complete(false), "{}", text);
        prop_assert_eq!(report.json(false)["complete"].as_bool(), Some(is_complete));
        Ok(())
    });
    result.unwrap();
}

// ---- several processes ----------------------------------------------------------------------

/// All processes get the number 1, as in a container that is started again and again.
fn as_in_containers(directory: &Path) {
    for name in ["app.log", "errors.log", "ai_responses.log"] {
        let path = directory.join(name);
        let change = |line: String| {
            let mut record: Value = serde_json::from_str(&line).unwrap();
            for key in ["process", "of_process"] {
                if record[key].is_number() {
                    record[key] = 1.into();
                }
            }
            record.to_string() + "\n"
        };
        let all: String = lines(&path).into_iter().map(change).collect();
        fs::write(path, all).unwrap();
    }
}

#[test]
fn boots_of_one_process_number_are_told_apart_when_they_are_recovered_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let aside = tempfile::tempdir().unwrap();
    // The box of each is hidden from the next, so that the last start finds them all.
    for held_at in [None, Some("logging started"), None, Some("logging started")] {
        Inner::start(directory.path(), json!({"held_at": held_at})).kill();
        let path = only_box(directory.path());
        fs::rename(&path, aside.path().join(path.file_name().unwrap())).unwrap();
    }
    for path in boxes(aside.path()) {
        fs::rename(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let waiting = report(directory.path());
    assert_eq!(waiting["complete"], true, "{waiting:#}");
    restart(directory.path());
    let check = |what: &str| {
        let report = report(directory.path());
        assert_eq!(report["complete"], true, "{what}: {report:#}");
        let boots = report["boots"].as_array().unwrap();
        let mut records: Vec<_> =
            boots.iter().map(|boot| boot["records"].as_u64().unwrap()).collect();
        records.sort_unstable();
        // The last has told of four, and has begun, said something and stopped.
        assert_eq!(records, [7, 10, 10, 10, 10], "{what}");
        for boot in boots {
            let sides: Vec<_> =
                boot["other_files"].as_array().unwrap().iter().map(|s| &s["records"]).collect();
            let expected = if boot["records"] == 7 { [1, 0] } else { [2, 1] };
            assert_eq!(sides, expected, "{what}");
        }
    };
    check("of different numbers");
    as_in_containers(directory.path());
    check("of one number");
    // All that is removed is named.
    remove_line(directory.path(), "app.log", "\"n\":7");
    let report = report(directory.path());
    let missing: Vec<_> = report["boots"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|boot| boot["missing"].as_array().unwrap())
        .collect();
    assert_eq!((missing.len(), &missing[0]["from"], &missing[0]["to"]), (1, &json!(7), &json!(7)));
}

#[test]
fn a_clock_that_was_set_between_two_boots_of_one_number_mixes_nothing_up() {
    // The other files know only moments: they cannot tell if it is set back.
    for (moment, has_others) in
        [("2020-01-01T00:00:00.000000", false), ("2099-01-01T00:00:00.000000", true)]
    {
        let directory = killed(json!({}));
        restart(directory.path());
        as_in_containers(directory.path());
        let path = directory.path().join("app.log");
        let mut all = lines(&path);
        let found = all.iter_mut().find(|line| line.contains("logwell.black_box")).unwrap();
        let now = serde_json::from_str::<Value>(found).unwrap()["timestamp"].to_string();
        *found = found.replace(now.trim_matches('"').get(..26).unwrap(), moment);
        fs::write(&path, all.concat()).unwrap();
        if !has_others {
            fs::remove_file(directory.path().join("errors.log")).unwrap();
            fs::remove_file(directory.path().join("ai_responses.log")).unwrap();
        }
        let report = report(directory.path());
        assert_eq!(report["complete"], true, "{moment}: {report:#}");
        assert_eq!(report["boots"][1]["records"], 4, "{moment}");
    }
}

#[test]
fn a_process_that_has_recovered_others_may_be_running_without_a_box() {
    let directory = tempfile::tempdir().unwrap();
    let hidden = tempfile::tempdir().unwrap();
    Inner::start(directory.path(), json!({})).kill();
    let first = only_box(directory.path());
    let first_hidden = hidden.path().join("first");
    fs::rename(&first, &first_hidden).unwrap();
    Inner::start(directory.path(), json!({"held_at": "logging started"})).kill();
    fs::rename(&first_hidden, &first).unwrap();
    // It tells of the first, and then writes all of the second, of which nothing was there.
    let inner = Inner::start(directory.path(), json!({}));
    fs::rename(only_box(directory.path()), hidden.path().join("its own")).unwrap();
    let report = report(directory.path());
    inner.kill();
    assert_eq!(report["complete"], true, "{report:#}");
    let boots = report["boots"].as_array().unwrap();
    let running: Vec<_> = boots.iter().map(|boot| &boot["may_be_running"]).collect();
    assert_eq!(running, [false, true, false], "{report:#}");
}

#[test]
fn a_start_that_is_killed_while_it_recovers_leaves_nothing_open() {
    let directory = killed(json!({}));
    // It is held at the first record of its own, which is about the first box.
    let wish =
        json!({"held_at": "the records of a process that ended without shutdown are complete now"});
    Inner::start(directory.path(), wish).kill();
    assert_eq!(report(directory.path())["complete"], true, "{:#}", report(directory.path()));
    restart(directory.path());
    let whole = report(directory.path());
    assert_eq!(whole["complete"], true, "{whole:#}");
    as_in_containers(directory.path());
    let whole = report(directory.path());
    assert_eq!(whole["complete"], true, "{whole:#}");
}

#[test]
fn what_a_second_process_left_in_files_of_its_own_is_one_boot_with_what_was_recovered_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let first = Inner::start(directory.path(), json!({}));
    let second = Inner::start(directory.path(), json!({}));
    let process = second.kill();
    first.kill();
    assert!(directory.path().join(format!("app.{process}.log")).exists());
    assert_eq!(report(directory.path())["complete"], true);
    restart(directory.path());
    let report = report(directory.path());
    assert_eq!(report["complete"], true, "{report:#}");
    let records: Vec<_> =
        report["boots"].as_array().unwrap().iter().map(|boot| &boot["records"]).collect();
    assert_eq!(records.len(), 3, "{report:#}");
}

// ---- levels and schemas ---------------------------------------------------------------------

/// Two processes that were killed, one after the other, and are to be recovered by one start.
fn two_killed(directory: &Path) {
    Inner::start(directory, json!({})).kill();
    let first = only_box(directory);
    let aside = directory.join("aside");
    fs::rename(&first, &aside).unwrap();
    Inner::start(directory, json!({})).kill();
    fs::rename(&aside, &first).unwrap();
}

#[test]
fn several_boots_whose_own_lines_were_rotated_away_are_complete_as_far_as_they_were_recovered() {
    let directory = tempfile::tempdir().unwrap();
    two_killed(directory.path());
    // Retention has deleted what they wrote themselves.
    fs::write(directory.path().join("app.log"), "").unwrap();
    fs::write(directory.path().join("app.log.1"), "").unwrap();
    restart(directory.path());
    assert_eq!(report(directory.path())["complete"], true, "{:#}", report(directory.path()));

    // Without a backup nothing was rotated away.
    fs::remove_file(directory.path().join("app.log.1")).unwrap();
    assert_eq!(said(directory.path()).0, 1);
}

#[test]
fn a_boot_that_began_after_the_oldest_lines_must_have_its_own() {
    let directory = tempfile::tempdir().unwrap();
    restart(directory.path());
    let before = fs::read(directory.path().join("app.log")).unwrap();
    two_killed(directory.path());
    restart(directory.path());
    fs::write(directory.path().join("app.log.1"), "").unwrap();
    assert_eq!(report(directory.path())["complete"], true, "{:#}", report(directory.path()));
    let all = fs::read_to_string(directory.path().join("app.log")).unwrap();
    let own = |line: &&str| !line.contains("\"written\"") && !line.contains("\"logwell.started\"");
    let (start, rest) = all.split_at(before.len());
    let rest: Vec<_> = rest.lines().filter(own).collect();
    fs::write(directory.path().join("app.log"), start.to_owned() + &rest.join("\n") + "\n")
        .unwrap();
    assert_eq!(said(directory.path()).0, 1);
}

#[test]
fn a_record_that_the_level_keeps_out_of_a_recovery_is_not_missing() {
    let directory = killed(json!({"debug": true}));
    assert_eq!(report(directory.path())["complete"], true);
    restart(directory.path());
    let whole = report(directory.path());
    assert_eq!((&whole["complete"], &whole["boots"][0]["filtered"]), (&json!(true), &json!(1)));
    let missing = |with: &str| {
        let path = directory.path().join("app.log");
        let before = fs::read(&path).unwrap();
        remove_line(directory.path(), "app.log", with);
        let (code, text) = said(directory.path());
        fs::write(&path, before).unwrap();
        assert_eq!(code, 1, "{text}");
        text
    };
    let text = missing("\"n\":9");
    assert!(text.contains("missing: 1 record among these"), "{text}");
    assert!(
        text.contains("    seq 7 (1), after ") && text.contains("    seq 10 (1), after"),
        "{text}"
    );
}

#[test]
fn each_schema_can_be_verified_before_and_after() {
    for schema in ["ecs", "gcp", "otel"] {
        let directory = killed(json!({"schema": schema}));
        let waiting = report(directory.path());
        assert_eq!(waiting["complete"], true, "{schema}");
        assert_eq!(waiting["boots"][0]["black_box"]["records"], 5, "{schema}");
        restart_with(directory.path(), json!({"schema": schema}));
        let whole = report(directory.path());
        assert_eq!(whole["complete"], true, "{schema}: {whole:#}");
        assert_eq!(
            whole["boots"][0]["recovered"],
            json!({"last_seq": 10, "lost": 0, "damaged": 0})
        );
    }
}

#[test]
fn recovered_records_are_shown_as_any_other_and_in_the_place_of_their_moment() {
    let directory = killed(json!({}));
    restart(directory.path());
    let output = logwell(&["show", "--field", "n>0", directory.path().to_str().unwrap()]);
    let text = stdout(&output);
    let shown: Vec<_> = text.lines().collect();
    assert_eq!(shown.len(), 9, "{text}");
    assert!(shown[8].contains("waiting  n=10 recovered=true"), "{text}");
    assert!(shown[0].contains("written  n=2"), "{text}");
    let output = logwell(&[
        "tail",
        "-n",
        "1",
        "--field",
        "recovered=true",
        directory.path().to_str().unwrap(),
    ]);
    assert!(stdout(&output).contains("n=10"), "{}", stdout(&output));
}

#[test]
fn a_field_that_an_application_calls_recovered_confuses_nobody() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        boot(config(directory.path()), |_| {
            (0..3).for_each(|n| tracing::info!(n, recovered = true, "the connection is back"));
        });
    }
    let report = report(directory.path());
    assert_eq!(report["complete"], true, "{report:#}");
    let records: Vec<_> =
        report["boots"].as_array().unwrap().iter().map(|boot| &boot["records"]).collect();
    assert_eq!(records, [5, 5]);
}
