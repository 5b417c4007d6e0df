//! Promises: what a file does not keep is a problem until it is kept again.

use super::*;
use crate::base::fs::calls::Call;
use crate::config::SyncPolicy;
use crate::simulation::BrokenDisk;
use std::time::SystemTime;

/// Longer than the archive rests between two looks.
const LONG: Duration = Duration::from_secs(61);

#[track_caller]
fn check(file: &RotatingFile, problems: &[&str]) {
    let told = file.problems();
    assert_eq!(told.len(), problems.len(), "{told:?}");
    for (told, begin) in told.iter().zip(problems) {
        assert!(told.starts_with(begin), "{told}");
    }
}

#[test]
fn backups_that_cannot_be_deleted_are_a_problem_until_they_are() {
    let mut place = Place::new(8, 3);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222", "three 3", "four 44"]);
    drop(file);
    place.options.backup_count = 1;
    let broken = BrokenDisk::at(Call::Remove);
    let mut file = place.open();
    // What a crash may have left of a copy is to go too.
    let both = ["a backup could not be compressed", "old backups could not be deleted"];
    check(&file, &both);
    place.pass(LONG);
    file.maintain(place.now, SystemTime::now());
    assert_eq!(file.problems().len(), both.len(), "{:?}", file.problems());
    drop(broken);
    place.pass(LONG);
    file.maintain(place.now, SystemTime::now());
    check(&file, &[]);
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[cfg(unix)]
#[test]
fn a_mode_that_cannot_be_set_is_a_problem_and_no_reason_not_to_log() {
    let mut place = Place::new(8, 3);
    place.options.mode = 0o666; // no usual umask lets it be made so
    let broken = BrokenDisk::at(Call::Attributes);
    let mut file = place.open();
    check(&file, &["the file has another mode than it should"]);
    place.write(&mut file, &["one 111", "two 222"]);
    assert_eq!((file.rotations(), place.read("app.log")), (1, "two 222\n".to_owned()));
    check(&file, &["the file has another mode than it should"]);
    drop(broken);
    place.write(&mut file, &["three 3"]);
    check(&file, &[]);
}

#[test]
fn what_cannot_be_made_durable_is_a_problem_until_it_is() {
    let mut place = Place::new(100, 3);
    place.options.sync = SyncPolicy::Interval;
    let mut file = place.open();
    place.write(&mut file, &["one 111"]);
    let broken = BrokenDisk::at(Call::Sync);
    assert!(file.sync(place.now).is_err());
    check(&file, &["not durable"]);
    place.pass(LONG);
    assert!(file.sync(place.now).is_err());
    check(&file, &["not durable"]);
    drop(broken);
    place.pass(LONG);
    file.sync(place.now).unwrap();
    check(&file, &[]);
}

#[test]
fn a_rotation_that_failed_is_no_problem_before_the_file_is_too_large() {
    let place = Place::new(16, 3);
    let mut file = place.open();
    place.write(&mut file, &["one 111"]);
    let broken = BrokenDisk::at(Call::Rename);
    assert!(file.rotate_now(place.now).is_err(), "who asked for it knows");
    check(&file, &[]);
    place.write(&mut file, &["two 222", "three 3"]);
    check(&file, &["no new file could be started"]);
    drop(broken);
}

#[test]
fn a_file_that_grew_too_large_is_rotated_as_soon_as_that_can_be_though_no_line_comes() {
    let mut place = Place::new(8, 3);
    let mut file = place.open();
    let broken = BrokenDisk::at(Call::Rename);
    place.write(&mut file, &["one 111", "two 222"]);
    check(&file, &["no new file could be started"]);
    drop(broken);
    place.pass(ROTATE_PAUSE);
    file.maintain(place.now, SystemTime::now());
    check(&file, &[]);
    assert_eq!(place.read("app.log"), "");
    assert_eq!(place.read("app.log.1"), "one 111\ntwo 222\n");
}
