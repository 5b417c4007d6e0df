//! Durable: what becomes of lines that could not be made durable.
//!
//! Here the answers of the disk are made up; `tests/faults.rs` has them from the kernel.

use super::*;
use crate::base::fs::calls::Call;
use crate::rotate::Synced;
use crate::rotate::choices::SyncPolicy;
use crate::simulation::BrokenDisk;

fn place(sync: SyncPolicy) -> Place {
    place_with(sync, 1_000, 9)
}

/// On a disk that is never slow: many syncs are real ones.
fn place_with(sync: SyncPolicy, max_bytes: u64, backup_count: u32) -> Place {
    let mut place = Place::within(crate::simulation::directory(), max_bytes, backup_count);
    place.options.sync = sync;
    place
}

/// Has the file synced by a disk that says so.
fn sync(place: &Place, file: &mut RotatingFile, result: io::Result<()>) {
    let job = file.take_sync(place.now).expect("something to sync");
    let synced = Synced { files: result, ..job.run(Instant::now()) };
    file.synced(synced, place.now);
}

fn failure() -> io::Error {
    io::Error::other("the disk is broken")
}

#[test]
fn without_the_wish_nothing_is_synced_or_kept() {
    let place = place(SyncPolicy::Never);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    assert!(file.take_sync(place.now).is_none());
    assert_eq!(file.backlog.unsafe_bytes(), 0);
}

#[test]
fn what_is_durable_is_not_kept_and_without_lines_there_is_nothing_to_sync() {
    let place = place(SyncPolicy::Interval);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    sync(&place, &mut file, Ok(()));
    assert!(file.take_sync(place.now).is_none());
    assert_eq!(file.backlog.unsafe_bytes(), 0);
}

#[test]
fn after_a_failed_sync_the_lines_are_written_again_to_a_new_file() {
    let mut place = place(SyncPolicy::Interval);
    let mut file = place.open();
    place.write(&mut file, &["safe"]);
    sync(&place, &mut file, Ok(()));
    place.write(&mut file, &["one", "two"]);
    sync(&place, &mut file, Err(failure()));
    assert!(file.flush(place.now).is_err());
    place.write(&mut file, &["three"]);
    assert_eq!(place.read("app.log.1"), "safe\none\ntwo\n");
    assert_eq!(place.read("app.log"), "one\ntwo\nthree\n");
    let trouble = file.take_trouble().unwrap();
    assert!(matches!(trouble, Trouble::NotDurable(_, 2)), "{trouble}");
    assert!(trouble.to_string().contains("the disk is broken"));
    assert_eq!(file.failed_syncs(), 1);
    // Not tried again at once, and then no third copy of what is durable now.
    assert!(file.take_sync(place.now).is_none());
    place.pass(Duration::from_secs(1));
    sync(&place, &mut file, Ok(()));
    assert_eq!(file.backlog.unsafe_bytes(), 0);
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[test]
fn a_failed_sync_is_an_error_of_the_next_flush_and_loses_nothing() {
    let place = place(SyncPolicy::Interval);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    sync(&place, &mut file, Err(failure()));
    let error = file.flush(place.now).unwrap_err();
    assert_eq!((error.kept_lines, error.error.to_string()), (0, failure().to_string()));
    file.flush(place.now).unwrap();
}

#[test]
fn names_that_could_not_be_made_durable_are_tried_again_and_no_line_is_written_twice() {
    let mut place = place(SyncPolicy::Interval);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    let job = file.take_sync(place.now).unwrap();
    assert!(job.directory.is_some());
    file.synced(Synced { directory: Err(failure()), ..job.run(Instant::now()) }, place.now);
    assert!(file.flush(place.now).is_err());
    place.pass(Duration::from_secs(1));
    let job = file.take_sync(place.now).unwrap();
    assert!(job.directory.is_some());
    file.synced(job.run(Instant::now()), place.now);
    assert_eq!((everything(&file), file.backlog.unsafe_bytes()), ("one\n".to_owned(), 0));
}

#[test]
fn a_disk_that_stays_broken_costs_one_new_file_and_ever_longer_pauses() {
    let mut place = place(SyncPolicy::Interval);
    place.options.max_bytes = 100_000;
    let mut file = place.open();
    let mut syncs = 0;
    for second in 0..600 {
        file.append(format!("line {second}\n").as_bytes(), place.now).unwrap();
        let _ = file.flush(place.now);
        if let Some(job) = file.take_sync(place.now) {
            syncs += 1;
            file.synced(Synced { files: Err(failure()), ..job.run(Instant::now()) }, place.now);
        }
        place.pass(Duration::from_secs(1));
    }
    assert!((10..20).contains(&syncs), "{syncs}");
    assert_eq!(file.rotations(), 1);
    // All is there, and once it works all is durable.
    let _ = file.flush(place.now);
    place.pass(Duration::from_secs(60));
    sync(&place, &mut file, Ok(()));
    let text = everything(&file);
    assert!((0..600).all(|n| text.contains(&format!("line {n}\n"))));
}

#[test]
fn lines_in_files_that_were_rotated_meanwhile_are_made_durable_with_them() {
    let mut place = place(SyncPolicy::Interval);
    place.options.max_bytes = 8;
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222", "three 3"]);
    let job = file.take_sync(place.now).unwrap();
    assert_eq!(job.files.len(), 3);
    file.synced(job.run(Instant::now()), place.now);
    place.write(&mut file, &["four 44"]);
    let job = file.take_sync(place.now).unwrap();
    assert_eq!(job.files.len(), 1, "the third was durable when it was rotated");
}

#[cfg(target_os = "linux")]
#[test]
fn many_rotations_during_a_slow_sync_hold_few_descriptors() {
    let mut place = place(SyncPolicy::Interval);
    place.options.max_bytes = 8;
    let mut file = place.open();
    place.write(&mut file, &["one 111"]);
    let job = file.take_sync(place.now).unwrap();
    for n in 0..300 {
        place.write(&mut file, &[&format!("{n:07}")]);
    }
    file.synced(job.run(Instant::now()), place.now);
    assert!(file.take_sync(place.now).unwrap().files.len() <= 17);
}

#[test]
fn an_urgent_line_is_written_and_due_at_once() {
    let place = place(SyncPolicy::Error);
    let mut file = place.open();
    place.write(&mut file, &["ordinary"]);
    let job = file.take_sync(place.now).unwrap();
    assert!(job.due > place.now);
    file.append(b"an error\n", place.now).unwrap();
    file.request_sync();
    assert_eq!(file.urgency(), (true, true));
    file.synced(job.run(Instant::now()), place.now);
    let job = file.take_sync(place.now).unwrap();
    assert_eq!((job.due, place.read("app.log")), (place.now, "ordinary\nan error\n".to_owned()));
    assert_eq!(file.urgency(), (false, true));
}

#[test]
fn a_disk_that_makes_nothing_durable_has_lines_written_again_once_for_each_pause() {
    let mut place = place_with(SyncPolicy::Interval, 20, 5_000);
    let mut file = place.open();
    for n in 100..140 {
        place.write(&mut file, &[&format!("a line {n}")]);
    }
    let before = file.rotations();
    let broken = BrokenDisk::at(Call::Sync);
    for n in 140..160 {
        place.write(&mut file, &[&format!("a line {n}")]);
    }
    assert_eq!(file.rotations() - before, 20);

    // When the lines are written again, more files wait for being made durable than may.
    let _none_while_it_fails = file.take_sync(place.now);
    place.write(&mut file, &["a line 160"]);
    assert!(file.rotations() - before < 100, "{}", file.rotations() - before);

    drop(broken);
    place.pass(Duration::from_secs(60));
    let _written_again = file.take_sync(place.now);
    place.pass(Duration::from_secs(60));
    place.write(&mut file, &["a line 161"]);
    let job = file.take_sync(place.now).unwrap();
    file.synced(job.run(Instant::now()), place.now);
    let text = everything(&file);
    for n in 100..162 {
        assert!(text.contains(&format!("a line {n}\n")), "{n}");
    }
}

#[test]
fn what_is_written_again_is_not_glued_to_half_a_line() {
    let mut place = place_with(SyncPolicy::Interval, 1_000, 5);
    let mut file = place.open();
    place.write(&mut file, &["one", "two"]);
    let job = file.take_sync(place.now).unwrap();
    let synced = Synced { files: Err(failure()), ..job.run(Instant::now()) };

    let torn = BrokenDisk::torn(3);
    file.append(b"three\n", place.now).unwrap();
    file.flush(place.now).unwrap_err();
    drop(torn);
    file.synced(synced, place.now);
    place.pass(WRITE_PAUSE);
    let _told = file.flush(place.now);

    assert_eq!(file.kept_lines(), 0);
    for path in file.files() {
        let text = fs::read_to_string(path).unwrap();
        let is_whole = |line: &str| ["one", "two", "three", "thr"].contains(&line);
        assert!(text.lines().all(is_whole), "{text:?}");
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    }
    assert!(everything(&file).ends_with("one\ntwo\nthree\n"));
}
