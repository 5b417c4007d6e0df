//! `logwell verify` over files that logwell itself wrote, whole and damaged.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use logwell_cli::verify::{Options, verify};
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
