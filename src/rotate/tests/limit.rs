//! Limit: sizes, numbers and order of the files.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Debug, Clone)]
enum Do {
    Append(usize),
    Flush,
    Reopen,
    RotateNow,
    DeleteBackup(u32),
}

fn steps() -> impl Strategy<Value = Vec<Do>> {
    let step = prop_oneof![
        12 => (2usize..40).prop_map(Do::Append),
        4 => Just(Do::Flush),
        1 => Just(Do::Reopen),
        1 => Just(Do::RotateNow),
    ];
    prop::collection::vec(step, 0..120)
}

fn steps_with_deletions() -> impl Strategy<Value = Vec<Do>> {
    let step = prop_oneof![
        8 => (2usize..40).prop_map(Do::Append),
        3 => Just(Do::Flush),
        1 => Just(Do::RotateNow),
        2 => (1u32..5).prop_map(Do::DeleteBackup),
    ];
    prop::collection::vec(step, 0..120)
}

/// Does the steps, with some line numbers; returns all lines taken.
fn perform(place: &Place, steps: Vec<Do>) -> (RotatingFile, Vec<String>) {
    let mut file = place.open();
    let mut taken = Vec::new();
    for step in steps {
        match step {
            Do::Append(length) => {
                let line = format!("{:0length$}\n", taken.len());
                file.append(line.as_bytes(), place.now).unwrap();
                taken.push(line);
            }
            Do::Flush => file.flush(place.now).unwrap(),
            Do::Reopen => {
                drop(file);
                file = place.open();
            }
            Do::RotateNow => file.rotate_now(place.now).unwrap(),
            Do::DeleteBackup(number) => {
                let _ = fs::remove_file(place.path(&format!("app.log.{number}")));
            }
        }
    }
    file.flush(place.now).unwrap();
    (file, taken)
}

fn check_files(place: &Place, file: &RotatingFile) {
    for path in file.files() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() as u64 <= place.options.max_bytes, "{path:?}");
        assert!(text.is_empty() || text.ends_with('\n'), "{path:?}: {text:?}");
    }
    assert!(file.files().len() <= place.options.backup_count as usize + 1);
    assert_eq!(file.bytes(), fs::metadata(place.path("app.log")).unwrap().len());
    assert!(file.failed_rotations() == 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn the_files_hold_the_newest_lines_in_order_and_none_is_too_large(
        max_bytes in 40u64..160, backup_count in 0u32..5, steps in steps(),
    ) {
        let place = Place::new(max_bytes, backup_count);
        let (file, taken) = perform(&place, steps);
        check_files(&place, &file);
        let (all, kept) = (taken.concat(), everything(&file));
        prop_assert!(all.ends_with(&kept));
        if (file.files().len() as u32) <= backup_count {
            prop_assert_eq!(all, kept);
        }
    }

    #[test]
    fn backups_deleted_by_hand_cost_only_their_own_lines(
        max_bytes in 40u64..160, backup_count in 1u32..5, steps in steps_with_deletions(),
    ) {
        let place = Place::new(max_bytes, backup_count);
        let (file, taken) = perform(&place, steps);
        check_files(&place, &file);
        let mut all: VecDeque<&str> = taken.iter().map(|line| line.trim_end()).collect();
        for line in everything(&file).lines() {
            while all.pop_front().expect("a line is out of order or there twice") != line {}
        }
    }
}

#[test]
fn a_line_that_fits_exactly_stays_and_the_next_starts_a_new_file() {
    let place = Place::new(8, 2);
    let mut file = place.open();
    place.write(&mut file, &["abc", "def"]);
    assert_eq!((file.rotations(), file.bytes()), (0, 8));
    place.write(&mut file, &[""]);
    assert_eq!((file.rotations(), file.bytes()), (1, 1));
    assert_eq!(place.read("app.log.1"), "abc\ndef\n");
}

#[test]
fn a_line_longer_than_the_limit_has_a_file_of_its_own() {
    let place = Place::new(8, 3);
    let mut file = place.open();
    place.write(&mut file, &["a", "much too long", "b"]);
    assert_eq!(place.read("app.log.2"), "a\n");
    assert_eq!(place.read("app.log.1"), "much too long\n");
    assert_eq!(place.read("app.log"), "b\n");
}

#[test]
fn without_backups_the_only_file_starts_again() {
    let place = Place::new(8, 0);
    let mut file = place.open();
    place.write(&mut file, &["one", "two", "three", "four"]);
    assert_eq!(place.names(), ["app.log"]);
    assert_eq!(place.read("app.log"), "four\n");
}

#[test]
fn lines_wait_for_a_flush_until_there_are_many() {
    let place = Place::new(1 << 30, 1);
    let mut file = place.open();
    file.append(b"one\n", place.now).unwrap();
    assert_eq!((file.bytes(), file.kept_lines()), (0, 1));
    file.append(&[vec![b'x'; BATCH_BYTES], vec![b'\n']].concat(), place.now).unwrap();
    assert_eq!((file.bytes(), file.kept_lines()), (4 + BATCH_BYTES as u64 + 1, 0));
}

#[test]
fn a_line_without_an_end_is_refused() {
    let place = Place::new(100, 1);
    let mut file = place.open();
    assert!(file.append(b"no end", place.now).is_err());
    assert!(file.append(b"", place.now).is_err());
    assert_eq!(file.kept_lines(), 0);
}

#[test]
fn a_dropped_file_hands_over_its_lines() {
    let place = Place::new(100, 1);
    place.open().append(b"last\n", place.now).unwrap();
    assert_eq!(place.read("app.log"), "last\n");
}

#[test]
fn an_empty_file_is_not_rotated() {
    let place = Place::new(100, 1);
    let mut file = place.open();
    file.rotate_now(place.now).unwrap();
    assert_eq!(place.names(), ["app.log"]);
    place.write(&mut file, &["one"]);
    file.rotate_now(place.now).unwrap();
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[test]
fn sync_covers_the_backups_and_can_be_repeated() {
    let place = Place::new(8, 2);
    let mut file = place.open();
    for line in ["one\n", "two\n", "three\n", "four\n", "five\n"] {
        file.append(line.as_bytes(), place.now).unwrap();
    }
    file.sync(place.now).unwrap();
    file.sync(place.now).unwrap();
    assert_eq!(place.read("app.log"), "five\n");
}
