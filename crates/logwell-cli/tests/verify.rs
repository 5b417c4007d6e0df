//! `logwell verify` over files that logwell itself wrote, whole and damaged.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use logwell::LoggingConfigBuilder;
use logwell::config::{Compress, WhenFull};
use logwell_cli::verify::{Options, verify};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::{boot, config, lines, logwell, stdout};

fn options() -> Options {
    Options { settle: Duration::ZERO, ..Options::default() }
}

/// The report as JSON.
fn report(directory: &Path) -> Value {
    verify(directory, &options()).unwrap().json(false)
}

/// What is wrong, in short: empty if nothing is.
fn wrong(directory: &Path) -> Vec<String> {
    short(&report(directory))
}

fn short(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (number, boot) in report["boots"].as_array().unwrap().iter().enumerate() {
        let ranges = |key: &str, list: &Value| {
            let range = |gap: &Value| format!("{number} {key} {}-{}", gap["from"], gap["to"]);
            list.as_array().unwrap().iter().map(range).collect::<Vec<_>>()
        };
        for key in ["missing", "unknown", "duplicates", "out_of_order"] {
            found.extend(ranges(key, &boot[key]));
        }
        for among in boot["missing_among_filtered"].as_array().unwrap() {
            found.push(format!(
                "{number} {} among {:?}",
                among["records"],
                ranges("", &among["in"])
            ));
        }
        for proven in boot["missing_by_other_files"].as_array().unwrap() {
            found.push(format!(
                "{number} only in {} {}",
                proven["stands_in"]["file"], proven["seq"]
            ));
        }
        for text in boot["contradictions"].as_array().unwrap() {
            found.push(format!("{number} {}", text.as_str().unwrap()));
        }
        if boot["ended_in_order"] == false {
            found.push(format!("{number} not ended"));
        }
        for side in boot["other_files"].as_array().unwrap() {
            let name = side["file"].as_str().unwrap();
            for seq in side["missing"].as_array().unwrap() {
                found.push(format!("{number} {name} missing {seq}"));
            }
            for key in ["duplicates", "out_of_order"] {
                found.extend(ranges(&format!("{name} {key}"), &side[key]));
            }
            if let Some(text) = side["contradiction"].as_str() {
                found.push(format!("{number} {name} {text}"));
            }
        }
    }
    for damage in report["damages"].as_array().unwrap() {
        let problem = damage["problem"].as_str().unwrap().split(':').next().unwrap();
        found.push(format!("{} {} {problem}", damage["file"].as_str().unwrap(), damage["offset"]));
    }
    found
}

/// Two boots of nine records each: started, seven, stopped.
fn two_boots(directory: &Path) {
    for _ in 0..2 {
        let report = boot(config(directory), |_| {
            for n in 0..5 {
                tracing::info!(n, "hello");
            }
            tracing::error!(code = 5, "it failed");
            tracing::info!(target: "ai_responses", tokens = 3, "answer");
        });
        assert!(report.is_lossless());
    }
}

#[test]
fn what_logwell_has_written_in_order_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    let report = report(directory.path());
    assert_eq!(short(&report), [""; 0]);
    assert_eq!(report["complete"], true);
    assert_eq!(report["lines"], 9 + 9 + 2 + 2);
    let boot = &report["boots"][1];
    assert_eq!(
        (&boot["records"], &boot["last_seq"], &boot["lost"]),
        (&json!(9), &json!(9), &json!(0))
    );
    let output = logwell(&["verify", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("\ncomplete\n"), "{}", stdout(&output));
}

/// Applies a change to the lines of a file, and gives what is found; the file is then as before.
fn with_lines(directory: &Path, name: &str, change: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
    let path = directory.join(name);
    let before = fs::read(&path).unwrap();
    let mut all = lines(&path);
    change(&mut all);
    fs::write(&path, all.concat()).unwrap();
    let found = wrong(directory);
    fs::write(&path, before).unwrap();
    found
}

/// What a missing line of `app.log` in two_boots is called.
fn expected_without(line: usize) -> Vec<String> {
    let (boot, seq) = (line / 9, line % 9 + 1);
    match seq {
        9 => vec![format!("{boot} not ended")],
        // These stand in another file as well; that file is right.
        _ => vec![format!("{boot} missing {seq}-{seq}")],
    }
}

#[test]
fn each_line_that_is_removed_is_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    for line in 0..18 {
        let found = with_lines(directory.path(), "app.log", |all| drop(all.remove(line)));
        assert_eq!(found, expected_without(line), "line {line}");
    }
}

#[test]
fn each_run_of_lines_that_is_removed_is_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    for from in 0..9 {
        for to in from + 1..9 {
            let found = with_lines(directory.path(), "app.log", |all| drop(all.drain(from..to)));
            let mut expected = vec![format!("0 missing {}-{}", from + 1, to)];
            if to == 8 && from < 8 {
                assert_eq!(found, expected, "{from} to {to}");
                continue;
            }
            if to == 9 {
                expected.clear();
            }
            assert_eq!(found, expected, "{from} to {to}");
        }
    }
}

#[test]
fn each_line_that_stands_twice_is_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    for line in 0..18 {
        // At once, and at the end of the file.
        for place in [line + 1, 18] {
            let found = with_lines(directory.path(), "app.log", |all| {
                let copy = all[line].clone();
                all.insert(place, copy);
            });
            let (boot, seq) = (line / 9, line % 9 + 1);
            let expected = format!("{boot} duplicates {seq}-{seq}");
            assert_eq!(found, [expected], "line {line} again at {place}");
        }
    }
}

#[test]
fn each_two_lines_that_are_swapped_are_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    for line in 0..17 {
        let found = with_lines(directory.path(), "app.log", |all| all.swap(line, line + 1));
        let (boot, seq) = (line / 9, line % 9 + 1);
        assert_eq!(found, [format!("{boot} out_of_order {seq}-{seq}")], "line {line}");
    }
}

#[test]
fn a_file_that_is_cut_at_any_byte_is_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()), |_| {
        tracing::info!("one");
        tracing::info!(n = 2, "two");
    });
    let path = directory.path().join("app.log");
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    assert_eq!(ends.len(), 4);
    for cut in 1..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let start = ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or(0);
        let mut expected = Vec::new();
        if start > 0 {
            expected.push("0 not ended".to_owned());
        }
        if start != cut {
            expected.push(format!("app.log {start} torn"));
        }
        assert_eq!(wrong(directory.path()), expected, "cut at {cut}");
    }
}

#[test]
fn a_line_that_lacks_any_of_its_bytes_is_reported_with_its_offset() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()), |_| {
        tracing::info!("one");
        tracing::info!(n = 2, "two");
    });
    let path = directory.path().join("app.log");
    let all = lines(&path);
    let offset = all[0].len();
    for keep in 0..all[1].len() {
        let cut: String = all[1].chars().take(keep).collect();
        // With its line end, and glued to the next line.
        for (cut, missing) in [(format!("{cut}\n"), "2-2"), (cut.clone(), "2-3")] {
            if cut.is_empty() {
                continue;
            }
            fs::write(&path, [&*all[0], &*cut, &*all[2], &*all[3]].concat()).unwrap();
            let mut expected = vec![format!("0 missing {missing}")];
            expected.push(format!("app.log {offset} not a JSON object"));
            if keep == all[1].len() - 1 && cut.ends_with('\n') {
                expected.clear();
            }
            assert_eq!(wrong(directory.path()), expected, "{cut:?}");
        }
    }
}

#[test]
fn each_line_that_is_missing_in_a_side_file_is_reported_exactly() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    for (name, seq) in [("errors.log", 7), ("ai_responses.log", 8)] {
        for line in 0..2 {
            let found = with_lines(directory.path(), name, |all| drop(all.remove(line)));
            assert_eq!(found, [format!("{line} {name} missing {seq}")]);
            let found = with_lines(directory.path(), name, |all| {
                let copy = all[line].clone();
                all.push(copy);
            });
            assert_eq!(found, [format!("{line} {name} duplicates {seq}-{seq}")]);
        }
    }
    fs::write(directory.path().join("errors.log"), "").unwrap();
    assert_eq!(wrong(directory.path()), ["0 errors.log missing 7", "1 errors.log missing 7"]);
}

// ---- what is kept out by files.level --------------------------------------------------------

/// A boot with DEBUG, of which the file takes INFO: each third record is kept out.
fn filtered_boot(directory: &Path) {
    let report = boot(config(directory).log_level("debug").file_level("info"), |_| {
        for n in 0..12 {
            if n % 3 == 2 {
                tracing::debug!(n, "detail");
            } else {
                tracing::info!(n, "hello");
            }
        }
    });
    assert!(report.is_lossless());
}

/// seq 1 started, 2, 3, (4 kept out), 5 filtered, 6, 7, (8), 9, 10, (11), 12, 13, (14), 15 stopped.
const FILTERED: [u64; 11] = [1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 15];

#[test]
fn a_record_that_the_level_keeps_out_is_told_from_one_that_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    filtered_boot(directory.path());
    let whole = report(directory.path());
    assert_eq!((short(&whole), &whole["complete"]), (vec![], &json!(true)));
    assert_eq!(whole["boots"][0]["filtered"], 4);
    for (line, seq) in FILTERED.into_iter().enumerate() {
        let found = with_lines(directory.path(), "app.log", |all| drop(all.remove(line)));
        let expected = match seq {
            // Nothing had been kept out before seq 4: told by the record after it.
            1 => vec!["0 missing 1-1".to_owned()],
            2 | 3 => vec![format!("0 missing {seq}-{seq}")],
            // The record that tells it is itself missing: 4, 5, 8, 11 and 14 are, and four were
            // kept out.
            5 => vec![among(1, &["4-5", "8-8", "11-11", "14-14"])],
            6 => vec![among(1, &["6-6", "8-8", "11-11", "14-14"])],
            7 => vec![among(1, &["7-8", "11-11", "14-14"])],
            9 => vec![among(1, &["8-9", "11-11", "14-14"])],
            10 => vec![among(1, &["8-8", "10-11", "14-14"])],
            12 => vec![among(1, &["8-8", "11-12", "14-14"])],
            13 => vec![among(1, &["8-8", "11-11", "13-14"])],
            // Without the receipt nobody knows what the gaps behind the last word on it are.
            _ => vec!["0 unknown 8-8".into(), "0 unknown 11-11".into(), "0 not ended".into()],
        };
        assert_eq!(found, expected, "without seq {seq}");
    }
}

fn among(count: u64, ranges: &[&str]) -> String {
    let ranges: Vec<_> = ranges.iter().map(|range| format!("0  {range}")).collect();
    format!("0 {count} among {ranges:?}")
}

#[test]
fn an_error_that_only_the_side_file_has_is_lost_and_not_kept_out() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()).log_level("debug").file_level("info"), |_| {
        tracing::debug!("kept out");
        tracing::info!("hello");
        tracing::error!("bad");
        tracing::info!("hello");
    });
    // Without its receipt and without the error (seq 5): by numbers alone nobody could know.
    let found = with_lines(directory.path(), "app.log", |all| {
        assert!(all[3].contains("ERROR"), "{}", all[3]);
        all.pop();
        all.remove(3);
    });
    assert_eq!(found, ["0 unknown 5-5", "0 only in \"errors.log\" 5", "0 not ended"]);
}

// ---- rotation, packing, other processes -----------------------------------------------------

fn small_files(directory: &Path, backups: u32) -> LoggingConfigBuilder {
    config(directory).max_bytes(4096).backup_count(backups)
}

#[test]
fn what_was_rotated_away_is_not_called_missing() {
    let directory = tempfile::tempdir().unwrap();
    boot(small_files(directory.path(), 2), |_| {
        (0..100).for_each(|n| match n {
            5 => tracing::error!(n, "long ago"),
            _ => tracing::info!(n, "hello"),
        });
    });
    let report = report(directory.path());
    assert_eq!((short(&report), &report["complete"]), (vec![], &json!(true)));
    let boot = &report["boots"][0];
    assert_eq!(boot["begun"], false);
    let first = boot["first_seq"].as_u64().unwrap();
    assert!(first > 20);
    assert_eq!(boot["rotated_away_through"], first - 1);
    let output = logwell(&["verify", directory.path().to_str().unwrap()]);
    let text = stdout(&output);
    assert!(text.contains("were rotated away, first kept is seq"), "{text}");
    // A gap is found all the same: the receipt says that nothing was kept out.
    let found = with_lines(directory.path(), "app.log.1", |all| drop(all.remove(3)));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("0 missing "), "{found:?}");
}

#[test]
fn a_backup_that_is_missing_in_the_middle_is_a_gap_and_a_packed_one_is_none() {
    let directory = tempfile::tempdir().unwrap();
    boot(small_files(directory.path(), 99), |_| (0..100).for_each(|n| tracing::info!(n, "hello")));
    let path = directory.path().join("app.log.3");
    let numbers: Vec<u64> = lines(&path)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    let packed = ruzstd::encoding::compress_to_vec(
        &*fs::read(&path).unwrap(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    fs::remove_file(&path).unwrap();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    assert_eq!(wrong(directory.path()), [format!("0 missing {first}-{last}")]);
    let packed_path = directory.path().join("app.log.3.zst");
    fs::write(&packed_path, &packed).unwrap();
    assert_eq!(wrong(directory.path()), [""; 0]);
    // Half of it: what it still gives is read, the rest is missing and said to be damaged.
    fs::write(&packed_path, &packed[..packed.len() / 2]).unwrap();
    let found = wrong(directory.path());
    assert!(
        found[0].starts_with("0 missing") && found[0].ends_with(&format!("-{last}")),
        "{found:?}"
    );
    assert!(found[1].ends_with("cannot be unpacked from here on"), "{found:?}");
}

#[test]
fn two_processes_in_one_file_or_in_two_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    let path = directory.path().join("app.log");
    let own = lines(&path);
    let theirs: Vec<String> =
        own.iter().take(9).map(|line| line.replace("\"process\":", "\"process\":1")).collect();
    // A line of one, a line of the other.
    let mixed: String = own.iter().take(9).zip(&theirs).flat_map(|(a, b)| [&**a, &**b]).collect();
    fs::write(&path, mixed + &own[9..].concat()).unwrap();
    let report = report(directory.path());
    assert_eq!(report["boots"].as_array().unwrap().len(), 3);
    let expected = ["1 errors.log missing 7", "1 ai_responses.log missing 8"];
    assert_eq!(short(&report), expected, "the side files know nothing of the other process");
    fs::write(&path, own.concat()).unwrap();
    fs::write(directory.path().join("app.4242.log"), theirs.concat()).unwrap();
    let side = |name: &str, own: &str| {
        let all = fs::read_to_string(directory.path().join(name)).unwrap();
        let first = all.lines().next().unwrap().replace("\"process\":", "\"process\":1");
        fs::write(directory.path().join(own), first + "\n").unwrap();
    };
    side("errors.log", "errors.4242.log");
    side("ai_responses.log", "ai_responses.4242.log");
    assert_eq!(wrong(directory.path()), [""; 0]);
}

// ---- losses that the log tells of -----------------------------------------------------------

#[test]
fn records_that_the_queue_dropped_are_declared() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path()).build().unwrap();
    config.queue.size = 4;
    config.queue.when_full = WhenFull::Drop;
    let (layer, handle, mut listener) =
        logwell::QueueLayer::builder().config(config).build_stepped().unwrap();
    use tracing_subscriber::layer::SubscriberExt as _;
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..10).for_each(|n| tracing::info!(n, "burst"));
    });
    let stopping = std::thread::spawn(move || handle.shutdown());
    while listener.step() != logwell::testing::Step::Stopped {
        std::thread::yield_now();
    }
    assert_eq!(stopping.join().unwrap().dropped(), 6);
    let report = report(directory.path());
    assert_eq!(short(&report), [""; 0]);
    let boot = &report["boots"][0];
    assert_eq!(boot["declared"]["dropped_before_the_queue"], json!({"INFO full": 6}));
    assert_eq!(report["complete"], false);
    let directory = directory.path().to_str().unwrap();
    let output = logwell(&["verify", directory]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).ends_with("NOT COMPLETE: 6 dropped and declared\n"),
        "{}",
        stdout(&output)
    );
    let output = logwell(&["verify", directory, "--accept-declared"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("complete, but for 6 lost records"), "{}", stdout(&output));
}

#[test]
fn records_that_a_file_lost_in_an_outage_are_missing_and_declared() {
    let directory = tempfile::tempdir().unwrap();
    boot(config(directory.path()), |_| (0..5).for_each(|n| tracing::info!(n, "hello")));
    // As if the file had refused two of them, and had told of it.
    let with_receipt = |told: u64, removed: usize| {
        with_lines(directory.path(), "app.log", |all| {
            let receipt = all.pop().unwrap();
            let receipt =
                receipt.replace("\"app.written\":6", &format!("\"app.written\":{}", 6 - told));
            all.push(receipt.replace("\"app.dropped\":0", &format!("\"app.dropped\":{told}")));
            drop(all.drain(2..2 + removed));
        })
    };
    let path = directory.path().join("app.log");
    let before = fs::read(&path).unwrap();
    assert_eq!(with_receipt(2, 2), ["0 missing 3-4"]);
    let mut all = lines(&path);
    all[6] =
        all[6].replace("written\":6", "written\":4").replace("app.dropped\":0", "app.dropped\":2");
    drop(all.drain(2..4));
    fs::write(&path, all.concat()).unwrap();
    let report = verify(directory.path(), &options()).unwrap();
    assert_eq!(report.json(true)["boots"][0]["undeclared"], 0);
    assert!(report.is_complete(true) && !report.is_complete(false));
    fs::write(&path, before).unwrap();
    // It tells of one, and two are missing; or of more than are missing.
    assert_eq!(with_receipt(1, 2), ["0 missing 3-4"]);
    let found = with_receipt(2, 1);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].contains("app lost 2 records, but only 1 are missing"), "{found:?}");
}

#[test]
fn a_receipt_whose_numbers_are_changed_does_not_add_up() {
    let directory = tempfile::tempdir().unwrap();
    filtered_boot(directory.path());
    for (from, to) in [
        ("\"received\":12", "\"received\":11"),
        ("\"received\":12", "\"received\":13"),
        ("\"app.routed\":10", "\"app.routed\":9"),
        ("\"app.routed\":10", "\"app.routed\":99"),
        ("\"app.written\":10", "\"app.written\":11"),
        ("\"app.dropped\":0", "\"app.dropped\":1"),
    ] {
        let found = with_lines(directory.path(), "app.log", |all| {
            let receipt = all.pop().unwrap();
            assert!(receipt.contains(from), "{receipt}");
            all.push(receipt.replace(from, to));
        });
        assert!(!found.is_empty(), "{from} to {to}");
    }
    // One record more was meant for the file than is there: one is lost.
    let found = with_lines(directory.path(), "app.log", |all| {
        let receipt = all.pop().unwrap().replace("app.routed\":10", "app.routed\":11");
        all.push(receipt.replace("app.written\":10", "app.written\":11"));
    });
    assert_eq!(found, [among(1, &["8-8", "11-11", "14-14"])]);
}

// ---- other schemas, running programs, files from elsewhere ----------------------------------

#[test]
fn each_schema_can_be_verified() {
    use logwell::config::Schema;
    for schema in [Schema::Ecs, Schema::Gcp, Schema::Otel] {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path()).log_level("debug").file_level("info").schema(schema);
        boot(config, |_| {
            tracing::info!(level = "forged", seq = 77, "one");
            tracing::debug!("kept out");
            tracing::error!("two");
        });
        let whole = report(directory.path());
        assert_eq!((short(&whole), &whole["complete"]), (vec![], &json!(true)), "{schema:?}");
        assert_eq!(whole["boots"][0]["filtered"], 1, "{schema:?}");
        let found = with_lines(directory.path(), "app.log", |all| drop(all.remove(1)));
        assert_eq!(found, ["0 missing 2-2"], "{schema:?}");
        let found = with_lines(directory.path(), "errors.log", |all| all.clear());
        assert_eq!(found, ["0 errors.log missing 5"], "{schema:?}");
    }
}

/// What is found in the files of a running program. Where the machine is too busy for the side
/// files to have soon what `app.log` has, it is looked again with more patience.
fn settled(directory: &Path) -> Result<Value, String> {
    let look = |settle| {
        let options = Options { settle, ..Options::default() };
        verify(directory, &options).map(|all| all.json(false))
    };
    let is_late = |report: &Value| short(report).iter().any(|line| line.contains(".log missing"));
    for settle in [100, 2_000].map(Duration::from_millis) {
        let report = look(settle)?;
        if !is_late(&report) {
            return Ok(report);
        }
    }
    look(Duration::from_secs(20))
}

#[test]
fn a_running_program_is_complete_so_far_whatever_it_does_meanwhile() {
    a_running_program_is_complete_so_far(Compress::None);
}

#[test]
fn a_running_program_is_complete_so_far_though_it_packs_files_while_they_are_read() {
    a_running_program_is_complete_so_far(Compress::Gzip);
}

fn a_running_program_is_complete_so_far(compress: Compress) {
    let directory = tempfile::tempdir().unwrap();
    let options =
        config(directory.path()).max_bytes(64 << 10).backup_count(999).when_full(WhenFull::Block);
    let mut options = options.build().unwrap();
    options.files.compress = compress;
    boot(LoggingConfigBuilder::from_config(options), |_| {
        let stop = std::sync::atomic::AtomicBool::new(false);
        let dispatch = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (stop, dispatch) = (&stop, dispatch.clone());
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        for n in 0_u64.. {
                            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                                break;
                            }
                            match n % 5 {
                                0 => tracing::error!(n, thread, "bad"),
                                _ => tracing::info!(n, thread, "hello"),
                            }
                            if n % 10 == 0 {
                                std::thread::sleep(Duration::from_millis(5));
                            }
                        }
                    });
                });
            }
            let rounds: Vec<_> = (0..5).map(|_| settled(directory.path())).collect();
            // Before anything can fail: the threads would go on for ever.
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            for report in rounds {
                let report = report.unwrap();
                assert_eq!(short(&report), ["0 not ended"]);
                assert_eq!(report["complete"], true);
            }
        });
    });
    assert_eq!(wrong(directory.path()), [""; 0]);
}

#[test]
fn lines_from_elsewhere_and_keys_that_are_there_twice_are_told_with_their_place() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    let at = lines(&directory.path().join("app.log"))[0].len();
    for (line, problem) in [
        ("thread 'main' panicked\n".to_owned(), "not a JSON object"),
        ("\n".to_owned(), "not a JSON object"),
        ("\0\0\0\n".to_owned(), "not a JSON object"),
        ("{\"message\":\"hello\"}\n".to_owned(), "no record of logwell"),
        ("{\"seq\":-1,\"process\":1}\n".to_owned(), "no record of logwell"),
    ] {
        let found = with_lines(directory.path(), "app.log", |all| all.insert(1, line.clone()));
        assert_eq!(found, [format!("app.log {at} {problem}")], "{line:?}");
    }
    let found = with_lines(directory.path(), "app.log", |all| {
        all[1] = all[1].replace("\"n\":0", "\"n\":0,\"n\":1");
    });
    assert_eq!(found, [format!("app.log {at} key \"n\" is there twice")]);
}

#[test]
fn a_boot_that_was_killed_is_told_and_the_one_after_it_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    // The first boot ends after its sixth record; its error and answer never came.
    for name in ["errors.log", "ai_responses.log"] {
        let path = directory.path().join(name);
        fs::write(&path, &lines(&path)[1]).unwrap();
    }
    let path = directory.path().join("app.log");
    let mut all = lines(&path);
    drop(all.drain(6..9));
    fs::write(&path, all.concat()).unwrap();
    let report = report(directory.path());
    assert_eq!(
        (short(&report), &report["complete"]),
        (vec!["0 not ended".to_owned()], &json!(false))
    );
    // Its process may have had the same number, and the beginning of the next may be gone as well.
    drop(all.remove(6));
    fs::write(&path, all.concat()).unwrap();
    assert_eq!(wrong(directory.path()), ["0 not ended", "1 missing 1-1"]);
}

#[test]
fn the_report_for_people_is_as_in_the_manual() {
    let directory = tempfile::tempdir().unwrap();
    two_boots(directory.path());
    let path = directory.path().join("app.log");
    let mut all = lines(&path);
    drop(all.drain(2..5));
    fs::write(&path, all.concat() + "{\"torn").unwrap();
    let output = logwell(&["verify", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for part in [
        "3 files, 19 lines, 2 boots",
        ": NOT COMPLETE\n  6 records, up to seq 9\n  missing: 3 records\n    seq 3 to 5 (3), after 20",
        "  errors.log: 1 record\n  ai_responses.log: 1 record\n  ended in order\n",
        ": complete\n  9 records, up to seq 9\n",
        "ended in order, and the receipt's numbers are those of the file",
        "damaged lines: 1\n    app.log byte ",
        ": torn: the file ends before the line does\n",
        "NOT COMPLETE: 3 missing, 1 damaged line\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

// ---- hostile files --------------------------------------------------------------------------

/// A line that says anything, in the words of logwell.
fn any_line() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            0_u64..12,
            Just(u64::MAX),
            Just(u64::MAX - 1),
            Just(1 << 48),
            Just((1 << 48) + 1)
        ]
    };
    let kinds =
        ["started", "filtered", "dropped", "recovered", "black_box", "stopped", "panic", "other"];
    let keys = [
        "total",
        "filtered",
        "first_seq",
        "received",
        "app.routed",
        "app.written",
        "app.dropped",
        "errors.routed",
        "errors.dropped",
        "dropped",
        "dropped.INFO.full",
        "failed_ms",
        "of_process",
        "last_seq",
        "lost",
        "damaged",
    ];
    let fields = proptest::collection::vec((0..keys.len(), number()), 0..6);
    let is_recovered = any::<bool>();
    (number(), 0_u64..3, 0..kinds.len() + 3, 0_u32..8, fields, 0_u8..10, is_recovered).prop_map(
        move |(seq, process, kind, second, fields, level, is_recovered)| {
            let level = if level < 3 { "ERROR" } else { "INFO" };
            let mut line = json!({
                "timestamp": format!("2026-02-19T10:30:0{second}.000000+00:00"), "level": level,
                "logger": "logwell", "message": "m", "thread": "logwell", "process": process, "seq": seq,
                "sink": "app", "problem": "p", "boot_id": format!("b{second}"),
            });
            match kinds.get(kind) {
                Some(kind) => line["kind"] = format!("logwell.{kind}").into(),
                None => line["logger"] = "ai_responses".into(),
            }
            if is_recovered {
                line["recovered"] = true.into();
            }
            for (key, value) in fields {
                line[keys[key]] = value.into();
            }
            line.to_string() + "\n"
        },
    )
}

proptest! {
    #[test]
    fn whatever_lines_say_verify_comes_to_an_end_and_says_something(
        app in proptest::collection::vec(any_line(), 1..30),
        errors in proptest::collection::vec(any_line(), 0..6),
        has_backup: bool,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let half = if has_backup { app.len() / 2 } else { 0 };
        let write = |name: &str, lines: &[String]| {
            fs::write(directory.path().join(name), lines.concat()).unwrap();
        };
        write("app.log", &app[half..]);
        if has_backup {
            write("app.log.1", &app[..half]);
        }
        write("errors.log", &errors);
        let report = verify(directory.path(), &options()).unwrap();
        for accept in [false, true] {
            let json = report.json(accept);
            prop_assert_eq!(json["complete"].as_bool(), Some(report.is_complete(accept)));
            let text = report.text(accept, true);
            let is_complete = text.lines().last().unwrap().starts_with("complete");
            prop_assert_eq!(is_complete, report.is_complete(accept), "{}", text);
        }
    }
}

#[test]
fn boots_without_end_take_no_memory_without_end() {
    let directory = tempfile::tempdir().unwrap();
    let line = |process: u32| format!("{{\"seq\":1,\"process\":{process}}}\n");
    let all: String = (0..10_500).map(line).collect();
    fs::write(directory.path().join("app.log"), all).unwrap();
    let report = report(directory.path());
    assert_eq!(report["boots"].as_array().unwrap().len(), 10_000);
    assert_eq!((&report["records_not_judged"], &report["complete"]), (&json!(500), &json!(false)));
}
