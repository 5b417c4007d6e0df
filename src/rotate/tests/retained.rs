//! Retained: which backups stay, by age and size.

use super::*;
use crate::rotate::archive::LOOK_INTERVAL as RETAIN_INTERVAL;
use std::time::SystemTime;

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn aged(place: &Place, name: &str, bytes: usize, age: Duration) {
    fs::write(place.path(name), vec![b'x'; bytes]).unwrap();
    let file = File::options().write(true).open(place.path(name)).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn backups_that_are_too_old_go_at_the_start_and_with_time_compressed_or_not() {
    let mut place = Place::new(1_000, 9);
    place.options.max_age = Some(DAY * 7);
    for (name, days) in
        [("app.log.1", 1), ("app.log.2.gz", 5), ("app.log.3", 8), ("app.log.4.zst", 9)]
    {
        aged(&place, name, 5, DAY * days);
    }
    aged(&place, "app.log.20200101", 5, DAY * 999);
    aged(&place, "app.log", 5, DAY * 99);
    let mut file = place.open();
    file.maintain(place.now, SystemTime::now());
    let kept = ["app.log", "app.log.1", "app.log.2.gz", "app.log.20200101"];
    assert_eq!(place.names(), kept);
    // Three days later, by both clocks.
    for hours in 0..=72 {
        file.maintain(
            place.now + Duration::from_secs(hours * 3_600),
            SystemTime::now() + Duration::from_secs(hours * 3_600),
        );
    }
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.20200101"]);
}

#[test]
fn a_clock_that_jumps_years_forward_deletes_nothing() {
    let mut place = Place::new(1_000, 9);
    place.options.max_age = Some(DAY * 7);
    for n in 1..=9 {
        aged(&place, &format!("app.log.{n}"), 5, Duration::ZERO);
    }
    let mut file = place.open();
    file.maintain(place.now, SystemTime::now());
    for _ in 0..30 {
        place.pass(RETAIN_INTERVAL);
        file.maintain(place.now, SystemTime::now() + DAY * 3_650);
        place.write(&mut file, &["line"]);
    }
    assert_eq!(place.names().len(), 10);
}

#[test]
fn the_file_and_its_backups_never_take_more_than_is_allowed() {
    let mut place = Place::new(100, 9_000);
    place.options.max_total_bytes = Some(450);
    let mut file = place.open();
    let mut largest = 0;
    for n in 0..200 {
        place.write(&mut file, &[&format!("{n:024}")]);
        file.maintain(place.now, SystemTime::now());
        let total: u64 = file.files().iter().map(|path| path.metadata().unwrap().len()).sum();
        largest = largest.max(total);
    }
    assert!((375..=450).contains(&largest), "{largest}");
    let text = everything(&file);
    assert!(text.ends_with(&format!("{:024}\n", 199)) && text.len() >= 350);
    assert!(text.lines().zip(text.lines().skip(1)).all(|(a, b)| a < b), "the oldest goes first");
}

#[test]
fn a_current_file_that_is_too_large_alone_stays() {
    let mut place = Place::new(1_000, 9);
    place.options.max_total_bytes = Some(50);
    aged(&place, "app.log.1", 10, Duration::ZERO);
    let mut file = place.open();
    place.write(&mut file, &[&"x".repeat(99)]);
    file.maintain(place.now, SystemTime::now());
    assert_eq!(place.names(), ["app.log"]);
    assert_eq!(place.read("app.log").len(), 100);
}

#[test]
fn a_backup_that_cannot_be_deleted_is_told_and_the_lines_go_on() {
    let mut place = Place::new(8, 9);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222", "three 3"]);
    drop(file);
    place.options.backup_count = 1;
    let Some(immutable) = Attribute::new(place.path("app.log.2"), 'i') else { return };
    let mut file = place.open();
    assert!(matches!(file.take_trouble(), Some(Trouble::NotPruned(_))));
    drop(immutable);
    place.write(&mut file, &["four 44"]);
    assert_eq!(everything(&file), "three 3\nfour 44\n");
}

#[cfg(target_os = "linux")]
#[test]
fn deleted_files_do_not_hold_descriptors_without_end() {
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let place = Place::new(8, 1);
    let mut file = place.open();
    file.accept_help();
    let before = open();
    for n in 0..500 {
        place.write(&mut file, &[&format!("{n:07}")]);
    }
    // Other tests open and close meanwhile.
    assert_eq!(file.take_released().len(), 8);
    assert!(open() < before + 100, "{} {before}", open());
}
