//! A pipeline is left as a kill leaves it, and another is started in its place.

use super::contents;
use super::layout::{copy, head};
use crate::LoggingConfig;
use crate::LoggingContext;
use crate::LoggingHandle;
use crate::QueueLayer;
use crate::base::clock::{Clock, ManualClock};
use crate::black_box::discover;
use crate::record::Record;
use crate::sink::{Accepts, FlushError, Mark, Sink};
use crate::testing::{Listener, Step};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

fn config(directory: &Path) -> LoggingConfig {
    let config = LoggingConfig::builder().log_dir(directory).console(false);
    let mut config = config.build().unwrap();
    config.level = crate::Level::Trace.into();
    config.files.level = crate::Level::Trace.into();
    config.black_box.max_bytes = 1 << 20;
    config.shutdown_timeout = Duration::from_secs(120);
    config
}

/// Logs on a separate thread, which releases its chunk writer when it ends.
fn log(layer: QueueLayer, work: impl FnOnce() + Send) {
    log_to(&dispatch(layer), work);
}

/// For who logs more than once.
fn dispatch(layer: QueueLayer) -> Dispatch {
    Dispatch::new(tracing_subscriber::registry().with(layer))
}

fn log_to(dispatch: &Dispatch, work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| tracing::dispatcher::with_default(dispatch, work)).join().unwrap();
    });
}

fn start(directory: &Path) -> (QueueLayer, LoggingHandle, Listener) {
    start_with(config(directory))
}

fn start_with(config: LoggingConfig) -> (QueueLayer, LoggingHandle, Listener) {
    QueueLayer::builder().config(config).build_stepped().unwrap()
}

/// Ends the pipeline as a kill does, and gives the directory as it is then. The files move, since
/// locks die with a process only.
fn kill(directory: &Path, (handle, listener): (LoggingHandle, Listener)) -> TempDir {
    listener.kill();
    drop(handle);
    let left = tempfile::tempdir().unwrap();
    for entry in directory.read_dir().unwrap() {
        let name = entry.unwrap().file_name();
        if !name.to_string_lossy().ends_with(".lock") {
            fs::rename(directory.join(&name), left.path().join(&name)).unwrap();
        }
    }
    left
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn boxes(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut boxes: Vec<_> = names.filter(|name| name.contains(".box")).collect();
    boxes.sort();
    boxes
}

/// The only box in the directory.
fn only_box(directory: &Path) -> PathBuf {
    let [name] = <[String; 1]>::try_from(boxes(directory)).unwrap();
    directory.join(name)
}

/// A directory in which a process has left so many records that nobody had taken.
fn killed_with(records: u64) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || {
        for number in 0..records {
            let _span = tracing::info_span!("request", number).entered();
            tracing::info!(number, name = "value", "a record");
        }
    });
    kill(directory.path(), (handle, listener))
}

/// The messages' numbers in `app.log` after a start.
fn recovered(directory: &Path) -> Vec<u64> {
    let (_layer, _handle, mut listener) = start(directory);
    for _ in boxes(directory) {
        listener.step();
    }
    let app = lines(&directory.join("app.log"));
    app.iter().filter_map(|line| line["number"].as_u64()).collect()
}

#[test]
fn of_a_span_that_is_too_long_for_the_box_a_value_is_cut_and_no_span_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || {
        let _outer = tracing::info_span!("outer", id = 7).entered();
        let blob = "z".repeat(10_000);
        let _inner = tracing::info_span!("inner", %blob, part = 3).entered();
        tracing::info!("in both");
    });
    let left = kill(directory.path(), (handle, listener));
    assert_eq!(recovered(left.path()), Vec::<u64>::new());
    let line =
        lines(&left.path().join("app.log")).into_iter().find(|it| it["message"] == "in both");
    let line = line.unwrap();
    let blob = format!("{}\u{2026}", "z".repeat(2_048));
    let spans = json!([{"name": "outer", "id": 7}, {"name": "inner", "blob": blob, "part": 3}]);
    assert_eq!((&line["spans"], &line["recovered"]), (&spans, &json!(true)));
    assert_eq!(line["truncated"], json!({"blob": 10_000}));
}

#[test]
fn records_are_taken_between_one_box_and_the_next_and_a_shutdown_recovers_the_rest() {
    let directory = killed_with(10);
    for _ in 0..3 {
        let other = killed_with(10);
        let name = &boxes(other.path())[0];
        fs::rename(other.path().join(name), directory.path().join(name)).unwrap();
    }
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || tracing::info!(number = 10, "now"));
    let numbers = |path: &Path| {
        let app = lines(&path.join("app.log"));
        app.iter().filter_map(|line| line["number"].as_u64()).collect::<Vec<_>>()
    };
    let boot: Vec<u64> = (0..10).collect();
    listener.step();
    assert_eq!(numbers(directory.path()), [&boot[..], &[10]].concat());
    listener.step();
    assert_eq!(numbers(directory.path()), [&boot[..], &[10], &boot].concat());
    std::thread::scope(|scope| {
        scope.spawn(|| handle.shutdown());
        while listener.step() != Step::Stopped {
            std::thread::yield_now();
        }
    });
    assert_eq!(numbers(directory.path()), [&boot[..], &[10], &boot, &boot, &boot].concat());
    assert_eq!(boxes(directory.path()), [""; 0]);
}

#[test]
fn what_was_in_the_queue_is_written_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || {
        for number in 0..10_u64 {
            let _span = tracing::info_span!("request", path = "/orders", number).entered();
            tracing::info!(number, recovered = "mine", "hello {number}");
        }
        listener.step();
        tracing::error!(user = "anna", amount = 1.5, "lost?");
        tracing::debug!(large = "x".repeat(100_000), "large");
    });
    let directory = kill(directory.path(), (handle, listener));
    assert_eq!(boxes(directory.path()).len(), 1);
    assert_eq!(lines(&directory.path().join("app.log")).len(), 10);

    let (_layer, handle, mut listener) = start(directory.path());
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let numbers: Vec<_> = app.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1]);
    assert_eq!(app[10]["message"], "lost?");
    assert_eq!((&app[10]["amount"], &app[10]["recovered"]), (&1.5.into(), &true.into()));
    assert_eq!(
        app[11]["large"].as_str().unwrap().len(),
        65_539,
        "as long as without the kill: cut, with a mark"
    );
    assert_eq!(app[12]["kind"], "logwell.black_box");
    assert_eq!((&app[12]["recovered"], &app[12]["damaged"]), (&2.into(), &0.into()));
    assert_eq!((&app[12]["first_seq"], &app[12]["last_seq"]), (&11.into(), &12.into()));
    assert_eq!(app[12]["filtered"], 0);
    assert_eq!(lines(&directory.path().join("errors.log")).len(), 1);
    assert_eq!(boxes(directory.path()).len(), 1, "only its own");

    let stopping = std::thread::spawn(move || handle.shutdown());
    while listener.step() != Step::Stopped {}
    assert!(stopping.join().unwrap().is_complete);
    assert_eq!(boxes(directory.path()), [""; 0]);
}

#[test]
fn an_error_for_which_the_queue_has_no_room_waits_beside_it_and_survives_a_kill_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = config(directory.path());
    small.queue.size = 4;
    small.queue.max_wait = Duration::from_millis(1);
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(small).build_stepped().unwrap();
    log(layer, || {
        (0..4).for_each(|number| tracing::error!(number, "in the queue"));
        (4..9).for_each(|number| tracing::error!(number, "beside it"));
        assert_eq!((handle.stats().in_queue, handle.stats().dropped.total()), (9, 0));
        listener.step();
        assert_eq!(handle.stats().in_queue, 0);
        assert_eq!(lines(&directory.path().join("app.log")).len(), 9);
        (9..13).for_each(|number| tracing::error!(number, "in the queue"));
        (13..20).for_each(|number| tracing::error!(number, "beside it"));
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let mut numbers: Vec<_> = app.iter().filter_map(|line| line["number"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_recovered_record_says_what_it_would_have_said() {
    fn workload() {
        #[derive(Debug)]
        struct Failing;
        impl std::fmt::Display for Failing {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the disk is on fire")
            }
        }
        impl std::error::Error for Failing {}
        let context = LoggingContext::new().trace_id("trace-1").with("tenant", "acme");
        let _in_context = context.enter();
        let outer = tracing::info_span!(
            "outer",
            user = 7,
            span_id = "span-1",
            late = tracing::field::Empty
        );
        let _outer = outer.enter();
        tracing::info!(a = 1, b = -2, c = 1.5, d = true, e = "text \u{202e} \n", "values");
        outer.record("late", "recorded");
        let _inner = tracing::debug_span!("inner", rows = 3, span_id = "span-2").entered();
        tracing::trace!(big = u128::MAX, bytes = &b"\x00\xff"[..], none = ?None::<u8>, "more values");
        tracing::error!(error = &Failing as &dyn std::error::Error, "an error");
        crate::critical!(code = 5, "worst");
        tracing::info!(target: "ai_responses", model = "m", "an answer");
        tracing::info!(parent: None, long = "x".repeat(70_000), "alone");
    }
    let said = |is_killed: bool| {
        let directory = tempfile::tempdir().unwrap();
        let (layer, handle, mut listener) = start(directory.path());
        log(layer, workload);
        let directory = if is_killed {
            let directory = kill(directory.path(), (handle, listener));
            assert_eq!(lines(&directory.path().join("app.log")).len(), 0);
            let (_layer, _handle, mut listener) = start(directory.path());
            listener.step();
            directory
        } else {
            listener.step();
            directory
        };
        let mut all = Vec::new();
        for name in ["app.log", "errors.log", "ai_responses.log"] {
            for mut line in lines(&directory.path().join(name)) {
                let members = line.as_object_mut().unwrap();
                let is_recovered = members.remove("recovered").is_some();
                for key in ["timestamp", "process", "thread"] {
                    members.remove(key).unwrap();
                }
                if members.get("kind").is_none_or(|kind| kind != "logwell.black_box") {
                    assert_eq!(is_recovered, is_killed, "{line}");
                    all.push(line);
                }
            }
        }
        all
    };
    let (whole, recovered) = (said(false), said(true));
    assert_eq!(whole.len(), 6 + 2 + 1);
    assert!(whole == recovered, "{whole:#?}\n{recovered:#?}");
}

#[test]
fn when_the_box_is_full_records_are_logged_all_the_same_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || {
        (0..40_u64).for_each(|number| tracing::info!(number, text = "x".repeat(60_000), "large"));
        let unprotected = handle.stats().unprotected;
        assert!((1..40).contains(&unprotected), "{unprotected}");
        listener.step();
        (40..45_u64).for_each(|number| tracing::info!(number, text = "x".repeat(60_000), "large"));
        assert_eq!(handle.stats().unprotected, unprotected, "there is room again");
    });
    let directory = kill(directory.path(), (handle, listener));
    assert_eq!(recovered(directory.path()), (0..45).collect::<Vec<_>>());
}

#[test]
fn a_box_has_room_for_ever_while_records_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || {
        for round in 0..200_u64 {
            for number in 0..200_u64 {
                let _span = tracing::info_span!("request", number).entered();
                tracing::info!(
                    round,
                    number,
                    "a record of {} bytes",
                    "some ".repeat(number as usize)
                );
            }
            listener.step();
        }
    });
    assert_eq!(handle.stats().unprotected, 0);
}

#[test]
fn whichever_word_of_a_box_is_changed_the_rest_comes_out_and_nothing_panics() {
    const RECORDS: u64 = 12;
    let directory = killed_with(RECORDS);
    let path = only_box(directory.path());
    let bytes = fs::read(&path).unwrap();
    let words = bytes.as_chunks::<8>().0;
    let last = words.iter().rposition(|word| *word != [0; 8]).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    let used = |at: &usize| words[*at] != [0; 8] || at.is_multiple_of(50);
    for at in (0..last + 20).filter(used) {
        let before = words.get(at).copied().unwrap_or_default();
        let changes =
            [u64::MAX, 0, random.u64(..), u64::from_ne_bytes(before) ^ 1 << random.u64(0..64)];
        for changed in changes {
            file.write_all_at(&changed.to_ne_bytes(), at as u64 * 8).unwrap();
            match contents::read(&path) {
                Ok(contents) => {
                    assert!(contents.records.len() as u64 <= RECORDS);
                    // One thread, one chunk: what is before the damage is whole.
                    for record in &contents.records {
                        record.fields().for_each(drop);
                    }
                }
                Err(_) => refused += 1,
            }
        }
        file.write_all_at(&before, at as u64 * 8).unwrap();
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(contents::read(&path).unwrap().records.len() as u64, RECORDS);
    assert_eq!(recovered(directory.path()), (0..RECORDS).collect::<Vec<_>>());
}

#[test]
fn a_damaged_box_is_recovered_as_far_as_can_be_and_put_aside() {
    let directory = killed_with(10);
    let path = only_box(directory.path());
    let bytes = fs::read(&path).unwrap();
    let at = bytes.windows(8).rposition(|bytes| bytes == b"a record").unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"A", at as u64).unwrap();
    assert_eq!(recovered(directory.path()), (0..9).collect::<Vec<_>>());
    let app = lines(&directory.path().join("app.log"));
    let found = app.iter().find(|line| line["kind"] == "logwell.black_box").unwrap();
    assert_eq!((&found["recovered"], &found["damaged"]), (&9.into(), &1.into()));
    assert_eq!(found["level"], "WARN");
    assert!(boxes(directory.path()).iter().any(|name| name.ends_with(".box.bad")));
}

#[test]
fn what_is_no_box_never_stops_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let name = |number: u64| discover::name(super::Origin { process: 1, boot: number });
    for (number, content) in
        [&b""[..], b"logwell\x01", &[0xff; 5_000], &[0; 1 << 20]].iter().enumerate()
    {
        fs::write(directory.path().join(name(number as u64)), content).unwrap();
    }
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(outside.path(), directory.path().join(name(10))).unwrap();
    fs::create_dir(directory.path().join(name(11))).unwrap();
    let fifo = directory.path().join(name(12));
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for number in 20..30 {
        fs::write(directory.path().join(name(number)), "more than are kept").unwrap();
    }
    assert_eq!(recovered(directory.path()), [0; 0]);
    let bad = boxes(directory.path()).iter().filter(|name| name.ends_with(".bad")).count();
    assert_eq!(bad, 8, "as many are kept");
    assert!(outside.path().exists());
}

#[test]
fn a_box_in_use_is_left_alone_and_one_of_other_logs_too() {
    let directory = killed_with(3);
    let path = only_box(directory.path());
    let lock = File::open(&path).unwrap();
    lock.lock().unwrap();
    assert_eq!(recovered(directory.path()), [0; 0]);
    drop(lock);
    let mut other = config(directory.path());
    other.files.app.name = "other.log".to_owned();
    let (_layer, _handle, mut listener) =
        QueueLayer::builder().config(other).build_stepped().unwrap();
    listener.step();
    assert!(path.exists());
}

#[test]
fn a_box_stays_where_it_is_when_the_program_changes_its_working_directory() {
    let directory = tempfile::tempdir_in(".").unwrap();
    let relative = Path::new(directory.path().file_name().unwrap());
    let (_layer, handle, _listener) = start(relative);
    assert!(handle.black_box().path().is_absolute());
}

#[test]
fn a_program_without_files_needs_no_box_and_is_told_of_none() {
    let mut config = config(Path::new("unused"));
    config.files.enabled = false;
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(config).build_stepped().unwrap();
    log(layer, || tracing::info!("logged"));
    listener.step();
    let stats = handle.stats();
    assert_eq!((stats.received, stats.unprotected), (1, 0), "{stats}");
    assert!(handle.health().is_healthy());
}

#[test]
fn without_a_place_for_a_box_everything_is_logged_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "in the way").unwrap();
    let mut config = config(directory.path());
    config.black_box.dir = "file/boxes".into();
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(config).build_stepped().unwrap();
    log(layer, || tracing::info!("logged"));
    listener.step();
    assert_eq!(lines(&directory.path().join("app.log")).len(), 1);
    assert_eq!(handle.stats().unprotected, 1);
    assert_eq!(handle.health().problems, ["there is no black box"]);
}

/// What others do to a box.
type Harm = (&'static str, fn(&Path));

fn harms() -> [Harm; 8] {
    fn cut(path: &Path, bytes: u64) {
        OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
    }
    [
        ("cut to nothing", |path| cut(path, 0)),
        ("cut to its header", |path| cut(path, 4_096)),
        ("cut in half", |path| cut(path, 1 << 19)),
        ("cut and filled with zeros", |path| (cut(path, 0), cut(path, 1 << 20)).0),
        ("overwritten", |path| fs::write(path, "short").unwrap()),
        ("deleted", |path| fs::remove_file(path).unwrap()),
        ("replaced", |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, "another file").unwrap();
        }),
        ("lost with its directory", |path| fs::remove_dir_all(path.parent().unwrap()).unwrap()),
    ]
}

/// A start with a clock that is moved by hand.
fn start_by_hand(directory: &Path) -> (ManualClock, (QueueLayer, LoggingHandle, Listener)) {
    let clock = ManualClock::new();
    let builder = QueueLayer::builder().config(config(directory));
    let parts = builder.clock(Clock::Manual(clock.clone())).build_stepped().unwrap();
    (clock, parts)
}

#[test]
fn a_box_that_others_harm_in_any_way_costs_no_record_is_told_and_made_again() {
    let trouble = ["others have cut, deleted or replaced the black box: records have no copy"];
    for (name, harm) in harms() {
        let directory = tempfile::tempdir().unwrap();
        let (clock, (layer, handle, mut listener)) = start_by_hand(directory.path());
        listener.step();
        assert_eq!(handle.health().problems, [""; 0], "{name}");
        let logs = dispatch(layer);
        let write = |from: u64, to: u64| {
            log_to(&logs, || {
                (from..to).for_each(|number| tracing::info!(number, large = "x".repeat(900)));
                tracing::info!(number = to, large = "x".repeat(40_000), "in several chunks");
            });
        };
        write(0, 99);
        harm(handle.black_box().path());
        write(100, 199);
        if name != "cut and filled with zeros" {
            assert_eq!(handle.health().problems, trouble, "{name}");
        }
        listener.step();
        // Its copies may be in the file still, or be lost; what was logged is neither.
        clock.advance(Duration::from_secs(1));
        listener.step();
        assert_eq!(handle.health().problems, [""; 0], "{name}");
        let unprotected = handle.stats().unprotected;
        assert!((1..=200).contains(&unprotected), "{name}: {unprotected}");
        // The new one protects as the old one did, and has room for as many.
        write(200, 299);
        assert_eq!(handle.stats().unprotected, unprotected, "{name}");
        listener.step();
        write(300, 399);
        assert_eq!(handle.stats().unprotected, unprotected, "{name}");
        drop(logs); // it holds the box
        let directory = kill(directory.path(), (handle, listener));
        let (_clock, (_layer, _handle, mut listener)) = start_by_hand(directory.path());
        listener.step();
        let app = lines(&directory.path().join("app.log"));
        let numbers = app.iter().filter_map(|line| line["number"].as_u64());
        assert_eq!(numbers.collect::<Vec<_>>(), (0..400).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_box_that_cannot_be_made_again_costs_protection_until_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let boxes = directory.path().join("boxes");
    let mut config = config(directory.path());
    config.black_box.dir.clone_from(&boxes);
    let clock = ManualClock::new();
    let builder = QueueLayer::builder().config(config).clock(Clock::Manual(clock.clone()));
    let (layer, handle, mut listener) = builder.build_stepped().unwrap();
    listener.step();
    let logs = dispatch(layer);
    fs::remove_dir_all(&boxes).unwrap();
    fs::write(&boxes, "no directory").unwrap();
    for number in 0..3_u64 {
        clock.advance(Duration::from_secs(1));
        listener.step();
        log_to(&logs, || tracing::info!(number, "without a copy"));
        assert_eq!(handle.stats().unprotected, number + 1);
        assert_eq!(handle.health().problems.len(), 1);
    }
    fs::remove_file(&boxes).unwrap();
    clock.advance(Duration::from_secs(1));
    listener.step();
    log_to(&logs, || tracing::info!(number = 3, "with a copy"));
    assert_eq!((handle.stats().unprotected, handle.health().problems.len()), (3, 0));
    assert_eq!(only_box(&boxes), handle.black_box().path());
}

#[test]
fn a_box_is_not_made_again_while_a_sink_has_records_that_only_the_old_one_protects() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let (layer, handle, mut listener) = QueueLayer::builder()
        .config(config(directory.path()))
        .clock(Clock::Manual(clock.clone()))
        .sink("stuck", Accepts::all(), Stuck)
        .build_stepped()
        .unwrap();
    log(layer, || tracing::info!(number = 0, "waits"));
    listener.step();
    let path = handle.black_box().path().to_owned();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(4_096).unwrap();
    clock.advance(Duration::from_secs(1));
    listener.step();
    assert_eq!(handle.stats().unprotected, 1, "its copy is gone");
    clock.advance(Duration::from_secs(1));
    listener.step();
    assert_eq!(handle.stats().unprotected, 1, "it is counted once");
    assert!(handle.health().problems[0].contains("records have no copy"));
    assert_eq!(fs::metadata(&path).unwrap().len(), 4_096);
}

#[test]
fn the_next_start_recovers_what_is_left_of_a_box_that_was_cut() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || (0..200_u64).for_each(|number| tracing::info!(number, large = "x".repeat(900))));
    let layout = handle.black_box().layout;
    let directory = kill(directory.path(), (handle, listener));
    // Chunks are used from the first on: so two are left.
    let left = layout.chunk_at(2) as u64 * 8;
    let path = only_box(directory.path());
    OpenOptions::new().write(true).open(&path).unwrap().set_len(left).unwrap();
    let numbers = recovered(directory.path());
    assert!((30..40).contains(&numbers.len()), "{}", numbers.len());
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let app = lines(&directory.path().join("app.log"));
    let told: Vec<_> = app.iter().filter(|line| line["kind"] == "logwell.black_box").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["damaged"], 1, "nobody knows what else there was: {}", told[0]);
    let kept = boxes(directory.path()).iter().filter(|name| name.ends_with(".bad")).count();
    assert_eq!(kept, 1);
}

#[test]
fn a_pipeline_without_a_box_has_no_trouble_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut none = config(directory.path());
    none.black_box.enabled = false;
    let (_layer, handle, _listener) = start_with(none);
    assert_eq!(handle.health().problems, [""; 0], "nobody has asked for one");
}

#[test]
fn a_start_that_is_killed_while_it_recovers_writes_nothing_twice() {
    let mut directory = killed_with(50);
    for _ in 0..3 {
        // Recovered and handed on, but the box is there again: as if the kill had come just before.
        let path = only_box(directory.path());
        let copy = fs::read(&path).unwrap();
        let (_layer, handle, mut listener) = start(directory.path());
        listener.step();
        fs::write(&path, copy).unwrap();
        directory = kill(directory.path(), (handle, listener));
        for name in boxes(directory.path()) {
            if directory.path().join(&name) != directory.path().join(path.file_name().unwrap()) {
                fs::remove_file(directory.path().join(name)).unwrap();
            }
        }
    }
    assert_eq!(recovered(directory.path()), (0..50).collect::<Vec<_>>());
}

#[test]
fn what_was_dropped_and_not_told_before_a_kill_is_told_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = config(directory.path());
    small.queue.size = 10;
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(small).build_stepped().unwrap();
    log(layer, || {
        (0..100_u64).for_each(|number| tracing::info!(number, "told"));
        listener.step();
        (0..50_u64).for_each(|number| tracing::info!(number, "not told"));
        (0..50_u64).for_each(|number| tracing::debug!(number, "not told"));
        assert_eq!(handle.stats().dropped.total(), 92 + 42 + 50);
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let told: Vec<_> = app.iter().filter(|line| line["kind"] == "logwell.dropped").collect();
    let counts =
        |line: &Value| (line["dropped.INFO.shed"].clone(), line["dropped.DEBUG.shed"].clone());
    assert_eq!(counts(told[0]), (92.into(), Value::Null));
    assert_eq!(counts(told[1]), (42.into(), 50.into()));
    assert_eq!((told.len(), &told[1]["recovered"]), (2, &true.into()));
    let numbers: Vec<_> = app.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [(1..=18).collect::<Vec<_>>(), vec![1]].concat());
}

#[test]
fn what_the_level_of_the_file_keeps_out_of_a_recovery_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let filtered = |directory: &Path| {
        let mut config = config(directory);
        config.files.level = crate::Level::Info.into();
        config
    };
    let (layer, handle, listener) = start_with(filtered(directory.path()));
    log(layer, || {
        tracing::info!("one");
        tracing::debug!("two");
        tracing::info!("three");
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start_with(filtered(directory.path()));
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let numbers: Vec<_> = app.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 1]);
    assert_eq!((&app[2]["recovered"], &app[2]["filtered"]), (&2.into(), &1.into()));
    assert_eq!((&app[2]["first_seq"], &app[2]["last_seq"]), (&1.into(), &3.into()));
}

/// Spoils a word of the record with that message in the only box of the directory.
fn spoil(directory: &Path, message: &str) {
    let path = directory.join(&boxes(directory)[0]);
    let mut bytes = fs::read(&path).unwrap();
    let is_it = |window: &[u8]| window == message.as_bytes();
    let at = bytes.windows(message.len()).position(is_it).unwrap();
    bytes[at] ^= 0x20;
    fs::write(&path, bytes).unwrap();
}

#[test]
fn a_damaged_entry_costs_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || {
        for text in ["first", "broken", "third", "fourth"] {
            tracing::info!("{text}");
        }
    });
    let directory = kill(directory.path(), (handle, listener));
    spoil(directory.path(), "broken");
    let path = directory.path().join(&boxes(directory.path())[0]);
    let contents = crate::black_box::read(&path).unwrap();
    let texts: Vec<_> = contents.records.iter().map(|record| record.message()).collect();
    assert_eq!(texts, ["first", "third", "fourth"]);
    assert_eq!(contents.damaged, 1);
}

/// The numbers in all files of `app.log`, current and old.
fn numbers_everywhere(directory: &Path) -> Vec<u64> {
    let names = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let files = names.filter(|name| name.starts_with("app."));
    let lines = files.flat_map(|name| lines(&directory.join(name)));
    let mut numbers: Vec<_> = lines.filter_map(|line| line["number"].as_u64()).collect();
    numbers.sort_unstable();
    numbers
}

/// Takes part and never hands on what it was given.
struct Stuck;

impl Sink for Stuck {
    fn write(&mut self, _: &Record) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Err(FlushError { error: io::Error::other("stuck"), kept: u64::MAX, lost: 0 })
    }

    fn mark(&self) -> Option<Mark> {
        Some(Mark::default())
    }
}

fn start_beside_a_stuck_sink(config: LoggingConfig) -> (QueueLayer, LoggingHandle, Listener) {
    let builder = QueueLayer::builder().config(config);
    builder.sink("stuck", Accepts::all(), Stuck).build_stepped().unwrap()
}

#[test]
fn nothing_is_written_twice_however_often_the_file_was_rotated_behind_the_mark() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = config(directory.path());
    small.files.app.max_bytes = 4_096;
    small.files.app.backup_count = 900;
    let (layer, handle, mut listener) = start_beside_a_stuck_sink(small.clone());
    log(layer, || {
        (0..1_000_u64).for_each(|number| tracing::info!(number, "a record"));
        listener.step();
    });
    let directory = kill(directory.path(), (handle, listener));
    assert!(directory.path().join("app.log.20").exists());
    small.files.dir = directory.path().to_owned();
    let (_layer, _handle, mut listener) =
        QueueLayer::builder().config(small).build_stepped().unwrap();
    listener.step();
    assert_eq!(numbers_everywhere(directory.path()), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn a_file_system_that_was_mounted_anew_costs_no_record_of_a_process_with_an_old_number() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || (100..200_u64).for_each(|number| tracing::info!(number, "an earlier start")));
    let stopping = std::thread::spawn(move || handle.shutdown());
    while listener.step() != Step::Stopped {}
    stopping.join().unwrap();
    drop(listener);
    let (layer, handle, listener) = start(directory.path());
    log(layer, || (0..3_u64).for_each(|number| tracing::info!(number, "this one")));
    let directory = kill(directory.path(), (handle, listener));
    let file = OpenOptions::new().write(true).open(only_box(directory.path())).unwrap();
    for copy in head::COPIES {
        for mark in 0..3 {
            let at = copy + copy::FIRST_MARK + mark * copy::MARK_WORDS + copy::NAME_WORDS;
            file.write_all_at(&0xabcd_u64.to_ne_bytes(), at as u64 * 8).unwrap();
        }
    }
    assert_eq!(recovered(directory.path())[100..], [0, 1, 2]);
}

#[test]
fn records_for_which_the_journal_had_no_place_do_not_come_back_under_other_numbers() {
    const ALL: u64 = 10_000;
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start_beside_a_stuck_sink(config(directory.path()));
    log(layer, || {
        for number in 0..ALL {
            tracing::info!(number, "a record");
            if number % 1_000 == 0 {
                listener.step();
            }
        }
        while listener.step() != Step::Took(0) {}
    });
    assert!(handle.stats().unprotected > 0, "the journal was full");
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    assert_eq!(numbers_everywhere(directory.path()), (0..ALL).collect::<Vec<_>>());
}

#[test]
fn a_callsite_is_found_in_its_own_chunk_after_however_many_chunks() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    let black_box = handle.black_box();
    log(layer, || {
        let rare = |number: u64| tracing::info!(number, "rare");
        rare(0);
        for _ in 2..=1 << 16 {
            let (chunk, _) = black_box.take().unwrap();
            black_box.close(chunk, 0);
        }
        // The chunk's rest is too small, and the next use of one is number 65 537.
        tracing::info!(text = "x".repeat(20_000));
        tracing::info!(text = "x".repeat(20_000));
        rare(1);
    });
    drop(black_box);
    let directory = kill(directory.path(), (handle, listener));
    assert_eq!(recovered(directory.path()), [0, 1]);
}

#[test]
fn a_box_whose_numbers_all_lead_to_one_copy_gives_one_record() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start_beside_a_stuck_sink(config(directory.path()));
    log(layer, || {
        tracing::info!(text = "x".repeat(20_000), "large");
        listener.step();
    });
    let directory = kill(directory.path(), (handle, listener));
    let path = only_box(directory.path());
    let bytes = fs::read(&path).unwrap();
    let word = |at: usize| u64::from_ne_bytes(bytes.as_chunks::<8>().0[at]);
    let journal = word(head::JOURNAL) as usize;
    let place = word(head::END + 2) & 0xffff_ffff;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for seq in 1..=journal {
        let at = head::END + (seq & (journal - 1)) * 2;
        file.write_all_at(&((seq as u64) << 32 | place).to_ne_bytes(), at as u64 * 8).unwrap();
    }
    let contents = contents::read(&path).unwrap();
    assert_eq!((contents.records.len(), contents.damaged), (1, journal as u64 - 1));
}

#[test]
fn a_damaged_box_is_put_aside_only_when_its_records_are_handed_on() {
    let directory = killed_with(10);
    let path = only_box(directory.path());
    let bytes = fs::read(&path).unwrap();
    let at = bytes.windows(8).rposition(|bytes| bytes == b"a record").unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"A", at as u64).unwrap();
    let (_layer, _handle, mut listener) = start_beside_a_stuck_sink(config(directory.path()));
    listener.step();
    assert!(path.exists(), "a kill now is no loss");
}

#[test]
fn a_box_of_another_user_is_left_for_that_user() {
    let directory = killed_with(3);
    let path = only_box(directory.path());
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
        return; // only root can give a file away
    }
    assert_eq!(recovered(directory.path()), [0; 0]);
    assert!(path.exists());
}

#[test]
fn two_pipelines_of_one_thread_have_room_in_both_boxes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (layer, handle, _listener) = start(one.path());
    let (other, _other_handle, _other_listener) = start(two.path());
    std::thread::spawn(|| {
        let subscriber = tracing_subscriber::registry().with(layer).with(other);
        tracing::subscriber::with_default(subscriber, || {
            (0..100_u64).for_each(|number| tracing::info!(number, "a record"));
        });
    })
    .join()
    .unwrap();
    assert_eq!(handle.stats().unprotected, 0);
}

#[test]
fn lines_of_a_process_whose_file_had_its_own_name_are_not_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let other = File::create(directory.path().join(".app.log.lock")).unwrap();
    other.lock().unwrap();
    let (layer, handle, mut listener) = start_beside_a_stuck_sink(config(directory.path()));
    log(layer, || {
        (0..100_u64).for_each(|number| tracing::info!(number, "a record"));
        listener.step();
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    assert_eq!(numbers_everywhere(directory.path()), (0..100).collect::<Vec<_>>());
}

#[test]
fn lines_are_known_again_though_the_file_of_the_mark_was_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = config(directory.path());
    (small.files.app.max_bytes, small.files.app.backup_count) = (4_096, 2);
    let (layer, handle, mut listener) = start_beside_a_stuck_sink(small.clone());
    log(layer, || {
        (0..1_000_u64).for_each(|number| tracing::info!(number, "a record"));
        listener.step();
    });
    let directory = kill(directory.path(), (handle, listener));
    small.files.dir = directory.path().to_owned();
    small.files.app.backup_count = 900;
    let (_layer, _handle, mut listener) =
        QueueLayer::builder().config(small).build_stepped().unwrap();
    listener.step();
    assert_eq!(numbers_everywhere(directory.path()), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn two_killed_starts_with_one_process_number_are_both_recovered() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || (0..10_u64).for_each(|number| tracing::info!(number, "the first start")));
    let directory = kill(directory.path(), (handle, listener));
    // The second start is killed before it has recovered: its listener has done nothing.
    let (layer, handle, listener) = start(directory.path());
    log(layer, || (10..20_u64).for_each(|number| tracing::info!(number, "the second start")));
    let directory = kill(directory.path(), (handle, listener));
    assert_eq!(boxes(directory.path()).len(), 2);
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    listener.step();
    assert_eq!(numbers_everywhere(directory.path()), (0..20).collect::<Vec<_>>());
}
