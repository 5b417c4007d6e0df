//! `logwell dead …` over the dead letters of a spool.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Output;
use support::{logwell, stderr, stdout};

/// A directory of log files with three dead letters.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    let letter = |n: usize, why: &str| {
        format!(
            "{{\"refused_at\":\"2026-02-19T10:30:0{n}.000000+00:00\",\"why\":\"{why}\",\
             \"id\":\"id{n}\",\"records\":1,\"message\":{{\"n\":{n},\"message\":\"order\"}}}}\n"
        )
    };
    let beacon = letter(1, "HTTP status 413") + &letter(2, "HTTP status 422: no \\u001b[31m");
    std::fs::write(spool.join("logbeacon.dead"), beacon).unwrap();
    let people = letter(3, "Telegram says: message text is empty");
    std::fs::write(spool.join("telegram_developer.dead"), people).unwrap();
    directory
}

fn dead(directory: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["dead"];
    all.extend(arguments);
    all.push(directory.to_str().unwrap());
    logwell(&all)
}

fn ids(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["list", "--json"];
    all.extend(arguments);
    let output = dead(directory, &all);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

#[test]
fn letters_are_listed_by_id_destination_reason_and_age() {
    let directory = directory();
    for (arguments, expected) in [
        (&[][..], &["id1", "id2", "id3"][..]),
        (&["--id", "id2", "--id", "id3"], &["id2", "id3"]),
        (&["--destination", "telegram"], &["id3"]),
        (&["--reason", "http status 413"], &["id1"]),
        (&["--older-than", "1d"], &["id1", "id2", "id3"]),
        (&["--newer-than", "1d"], &[]),
        (&["--limit", "1"], &["id1"]),
    ] {
        assert_eq!(ids(directory.path(), arguments), expected, "{arguments:?}");
    }
    let text = stdout(&dead(directory.path(), &["list"]));
    assert!(text.contains("id1  2026-02-19T10:30:01.000000+00:00  logbeacon: HTTP status 413\n"));
    assert!(text.ends_with("3 dead letters\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn lines_that_are_no_letters_are_counted_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("spool/logbeacon.dead");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("not a letter\n{whole}{{\"half")).unwrap();
    let text = stdout(&dead(directory.path(), &["list"]));
    assert!(text.contains("\nlines that are damaged and no letters: 2\n"), "{text}");
    assert!(text.ends_with("3 dead letters\n"), "{text}");
    assert_eq!(dead(directory.path(), &["drop", "--all", "--yes"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a letter\n{\"half\n");
}

#[test]
fn a_letter_is_shown_whole() {
    let directory = directory();
    let text = stdout(&dead(directory.path(), &["show", "--id", "id1"]));
    for part in ["why: HTTP status 413\n", "destination: logbeacon\n", "\"message\": \"order\""] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_is_replayed_is_in_the_inbox_and_no_dead_letter_any_more() {
    let directory = directory();
    let text = stdout(&dead(directory.path(), &["replay", "--reason", "413", "--dry-run"]));
    assert!(text.ends_with("1 dead letter would be sent again; nothing was changed\n"), "{text}");
    assert_eq!(ids(directory.path(), &[]).len(), 3);

    let text = stdout(&dead(directory.path(), &["replay", "--reason", "413"]));
    assert!(text.starts_with("1 dead letter: to be sent again"), "{text}");
    assert_eq!(ids(directory.path(), &[]), ["id2", "id3"]);
    let inbox = directory.path().join("spool/logbeacon.replay");
    let files: Vec<_> = inbox.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert!(std::fs::read_to_string(&files[0]).unwrap().contains("\"id1\""));

    let text = stdout(&dead(directory.path(), &["replay", "--all", "--json"]));
    assert_eq!(text, "{\"replayed\":2}\n");
    assert!(ids(directory.path(), &[]).is_empty());
}

#[test]
fn letters_are_dropped_only_as_asked_and_confirmed() {
    let directory = directory();
    for (arguments, problem) in [
        (&["drop"][..], "which letters?"),
        (&["drop", "--all", "--id", "id1"], "either --all"),
        (&["drop", "--id", "id1"], "say --yes"),
        (&["drop", "--id", ""], "value is required"),
        (&["replay", "--older-than", "2"], "is not a time"),
    ] {
        let output = dead(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
    assert_eq!(ids(directory.path(), &[]).len(), 3);
    let text = stdout(&dead(directory.path(), &["drop", "--id", "id1", "--yes"]));
    assert_eq!(text, "1 dead letter: deleted for good\n");
    assert_eq!(ids(directory.path(), &[]), ["id2", "id3"]);
    let text = stdout(&dead(directory.path(), &["drop", "--id", "id1", "--yes"]));
    assert_eq!(text, "no such dead letter\n");
    let output = logwell(&["dead", "list", "no/such/directory"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no/such/directory"));
}
