//! Scheduled: files that are started by the clock, and at the start.

use super::*;
use crate::base::zone::TimeZone;
use crate::rotate::choices::Rotate;
use std::time::SystemTime;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A noon in UTC.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + DAY * 20_000 + HOUR * 12
}

fn place(rotate: Rotate) -> Place {
    let mut place = Place::new(1_000, 9);
    place.options.rotate = rotate;
    place.options.rotate_zone = TimeZone::Utc;
    place
}

/// Tends the file at that time of day and writes a line.
fn line_at(place: &mut Place, file: &mut RotatingFile, wall: SystemTime, line: &str) {
    place.pass(ROTATE_PAUSE);
    file.maintain(place.now, wall);
    place.write(file, &[line]);
}

#[test]
fn each_day_has_its_file() {
    let mut place = place(Rotate::Daily);
    let mut file = place.open();
    for (wall, line) in [
        (noon(), "one"),
        (noon() + HOUR * 11, "two"),
        (noon() + HOUR * 12, "three"),
        (noon() + HOUR * 35, "four"),
        (noon() + DAY * 3, "five"),
    ] {
        line_at(&mut place, &mut file, wall, line);
    }
    assert_eq!(place.read("app.log.2"), "one\ntwo\n");
    assert_eq!(place.read("app.log.1"), "three\nfour\n");
    assert_eq!(place.read("app.log"), "five\n");
}

#[test]
fn a_day_without_a_line_has_no_file_and_the_last_one_ends_without_a_line() {
    let mut place = place(Rotate::Daily);
    let mut file = place.open();
    line_at(&mut place, &mut file, noon(), "one");
    for days in 1..5 {
        place.pass(ROTATE_PAUSE);
        file.maintain(place.now, noon() + DAY * days);
        file.flush(place.now).unwrap();
    }
    assert_eq!((file.rotations(), place.read("app.log")), (1, String::new()));
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[test]
fn the_size_counts_as_well() {
    let mut place = place(Rotate::Hourly);
    place.options.max_bytes = 8;
    let mut file = place.open();
    line_at(&mut place, &mut file, noon(), "one 111");
    line_at(&mut place, &mut file, noon(), "two 222");
    line_at(&mut place, &mut file, noon() + HOUR, "three");
    line_at(&mut place, &mut file, noon() + HOUR, "4");
    assert_eq!(everything(&file), "one 111\ntwo 222\nthree\n4\n");
    assert_eq!((file.rotations(), place.read("app.log")), (2, "three\n4\n".to_owned()));
}

#[test]
fn a_file_of_yesterday_is_ended_at_the_start() {
    let mut place = place(Rotate::Daily);
    fs::write(place.path("app.log"), "yesterday\n").unwrap();
    let written = noon() - DAY;
    File::options().write(true).open(place.path("app.log")).unwrap().set_modified(written).unwrap();
    let mut file = place.open();
    line_at(&mut place, &mut file, noon(), "today");
    assert_eq!(place.read("app.log.1"), "yesterday\n");
    drop(file);
    File::options().write(true).open(place.path("app.log")).unwrap().set_modified(noon()).unwrap();
    let mut file = place.open();
    line_at(&mut place, &mut file, noon() + HOUR, "today too");
    assert_eq!(place.read("app.log"), "today\ntoday too\n");
}

#[test]
fn no_jump_of_the_clock_rotates_more_than_once() {
    for rotate in [Rotate::Hourly, Rotate::Daily] {
        let mut place = place(rotate);
        let mut file = place.open();
        line_at(&mut place, &mut file, noon(), "now");
        let mut n = 0;
        let mut jump_to = |wall, place: &mut Place, file: &mut RotatingFile| {
            let before = file.rotations();
            for seconds in 0..20 {
                n += 1;
                let wall = wall + Duration::from_secs(seconds);
                line_at(place, file, wall, &format!("line {n}"));
            }
            file.rotations() - before
        };
        assert_eq!(jump_to(noon() - DAY, &mut place, &mut file), 0, "a day back");
        assert_eq!(jump_to(noon() + DAY * 3_650, &mut place, &mut file), 1, "ten years on");
        assert_eq!(jump_to(noon(), &mut place, &mut file), 0, "back again");
        assert_eq!(jump_to(SystemTime::UNIX_EPOCH, &mut place, &mut file), 0, "to 1970");
        assert_eq!(jump_to(noon(), &mut place, &mut file), 1);
        assert_eq!(everything(&file).lines().count(), 101);
    }
}

#[test]
fn a_start_begins_a_new_file_if_that_is_asked_for_and_the_old_one_has_lines() {
    let mut place = place(Rotate::Size);
    place.options.rotate_on_start = true;
    for (n, line) in ["one", "two", "three"].into_iter().enumerate() {
        let mut file = place.open();
        line_at(&mut place, &mut file, noon(), line);
        line_at(&mut place, &mut file, noon(), "more");
        assert_eq!(file.rotations(), u64::from(n > 0));
        drop(file);
    }
    assert_eq!(place.read("app.log.2"), "one\nmore\n");
    assert_eq!(place.read("app.log"), "three\nmore\n");
}

#[test]
fn while_lines_cannot_be_written_no_clock_rotates() {
    let mut place = place(Rotate::Hourly);
    let Some(disk) = Disk::new(place.path("disk"), "16k") else { return };
    place.options.path = disk.0.join("app.log");
    place.options.max_bytes = 64 << 10;
    let mut file = place.open();
    line_at(&mut place, &mut file, noon(), "first");
    fs::write(disk.0.join("ballast"), vec![0; 64 << 10]).unwrap_err();
    let long = format!("{}\n", "x".repeat(8 << 10));
    file.append(long.as_bytes(), place.now).unwrap();
    assert!(file.flush(place.now).is_err());
    for hours in 1..10 {
        place.pass(ROTATE_PAUSE);
        file.maintain(place.now, noon() + HOUR * hours);
        assert!(file.flush(place.now).is_err());
    }
    assert_eq!(file.rotations(), 0);
    fs::remove_file(disk.0.join("ballast")).unwrap();
    place.pass(ROTATE_PAUSE);
    file.flush(place.now).unwrap();
    file.maintain(place.now, noon() + HOUR * 10);
    assert_eq!(file.rotations(), 1);
    assert_eq!(everything(&file), format!("first\n{long}"));
    drop(file);
}

#[test]
fn a_rotation_by_the_clock_that_fails_is_tried_again() {
    let mut place = place(Rotate::Hourly);
    let mut file = place.open();
    line_at(&mut place, &mut file, noon(), "one");
    fs::create_dir(place.path("app.log.1")).unwrap();
    line_at(&mut place, &mut file, noon() + HOUR, "two");
    file.maintain(place.now, noon() + HOUR);
    assert_eq!((file.rotations(), file.failed_rotations()), (0, 1));
    fs::remove_dir(place.path("app.log.1")).unwrap();
    line_at(&mut place, &mut file, noon() + HOUR, "three");
    assert_eq!(place.read("app.log.1"), "one\ntwo\n");
    assert_eq!(place.read("app.log"), "three\n");
}
