//! Moved: what others do to the files while they are in use.

use super::*;
use crate::simulation::BrokenDisk;

#[test]
fn a_deleted_file_is_made_anew_before_the_next_line() {
    let place = Place::new(100, 2);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::remove_file(place.path("app.log")).unwrap();
    place.write(&mut file, &["two"]);
    assert_eq!(place.read("app.log"), "two\n");
    assert!(file.take_trouble().is_none());
}

#[test]
fn a_deleted_directory_is_made_anew_before_the_next_line() {
    let mut place = Place::new(8, 2);
    place.options.path = place.path("logs/app.log");
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::remove_dir_all(place.path("logs")).unwrap();
    place.write(&mut file, &["two", "three", "four"]);
    assert_eq!(everything(&file), "two\nthree\nfour\n");
}

#[test]
fn a_deleted_directory_that_cannot_be_made_keeps_the_lines() {
    let mut place = Place::new(8, 9);
    place.options.path = place.path("logs/app.log");
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::remove_dir_all(place.path("logs")).unwrap();
    fs::write(place.path("logs"), "in the way").unwrap();
    for n in 0..5 {
        file.append(format!("line {n}\n").as_bytes(), place.now).unwrap();
        let failed = file.flush(place.now).unwrap_err();
        assert_eq!(failed.kept_lines, n + 1);
        assert!(failed.error.to_string().contains("logs"), "{failed}");
        place.pass(Duration::from_secs(1));
    }
    assert!(matches!(file.take_trouble(), Some(Trouble::NotReopened(_))));
    assert!(file.take_trouble().is_none());
    fs::remove_file(place.path("logs")).unwrap();
    file.flush(place.now).unwrap();
    assert_eq!(everything(&file), "line 0\nline 1\nline 2\nline 3\nline 4\n");
}

#[test]
fn a_renamed_file_gets_the_lines_until_it_is_noticed_within_a_second() {
    let mut place = Place::new(100, 2);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::rename(place.path("app.log"), place.path("app.log-old")).unwrap();
    place.write(&mut file, &["two"]);
    place.pass(LOOK_INTERVAL);
    place.write(&mut file, &["three"]);
    assert_eq!(place.read("app.log-old"), "one\ntwo\n");
    assert_eq!(place.read("app.log"), "three\n");
}

#[test]
fn a_renamed_file_is_left_at_once_when_told_so() {
    let place = Place::new(100, 2);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::rename(place.path("app.log"), place.path("app.log-old")).unwrap();
    file.reopen(place.now).unwrap();
    place.write(&mut file, &["two"]);
    file.reopen(place.now).unwrap();
    assert_eq!(place.read("app.log-old"), "one\n");
    assert_eq!(place.read("app.log"), "two\n");
}

#[test]
fn an_idle_file_is_made_anew_too() {
    let mut place = Place::new(100, 2);
    let mut file = place.open();
    file.flush(place.now).unwrap();
    fs::rename(place.path("app.log"), place.path("app.log-old")).unwrap();
    place.pass(LOOK_INTERVAL);
    file.flush(place.now).unwrap();
    assert_eq!(place.read("app.log"), "");
}

#[test]
fn a_file_renamed_just_before_a_rotation_is_not_rotated_twice() {
    let place = Place::new(8, 3);
    let mut file = place.open();
    place.write(&mut file, &["one", "two"]);
    fs::rename(place.path("app.log"), place.path("app.log.1")).unwrap();
    place.write(&mut file, &["three"]);
    assert_eq!(everything(&file), "one\ntwo\nthree\n");
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[test]
fn a_file_cut_by_others_goes_on_from_its_new_size() {
    let place = Place::new(20, 2);
    let mut file = place.open();
    place.write(&mut file, &["one", "two"]);
    let path = place.path("app.log");
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    place.write(&mut file, &["three"]);
    assert_eq!((place.read("app.log"), file.bytes()), ("three\n".to_owned(), 6));
    File::options().write(true).open(&path).unwrap().set_len(3).unwrap();
    place.write(&mut file, &["four"]);
    assert_eq!(place.read("app.log"), "thr\nfour\n");
    assert_eq!(place.names(), ["app.log"]);
}

#[cfg(unix)]
#[test]
fn something_else_in_its_place_is_not_written_to() {
    let mut place = Place::new(100, 2);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    fs::rename(place.path("app.log"), place.path("moved")).unwrap();
    std::os::unix::fs::symlink("/dev/null", place.path("app.log")).unwrap();
    place.pass(LOOK_INTERVAL);
    place.write(&mut file, &["two"]);
    let trouble = file.take_trouble().unwrap();
    assert!(trouble.to_string().contains("a symbolic link"), "{trouble}");
    assert_eq!(place.read("moved"), "one\ntwo\n");
    fs::remove_file(place.path("app.log")).unwrap();
    place.pass(LOOK_INTERVAL);
    place.write(&mut file, &["three"]);
    assert_eq!(place.read("app.log"), "three\n");
}

#[test]
fn two_writers_of_one_path_lose_and_split_no_line() {
    let mut place = Place::new(200, 200);
    let (mut a, mut b) = (place.open(), place.open());
    for n in 0..200 {
        place.write(&mut a, &[&format!("a {n}")]);
        place.write(&mut b, &[&format!("b {n}")]);
        place.pass(Duration::from_millis(100));
    }
    let text = everything(&a);
    for writer in ["a", "b"] {
        let mut lines: Vec<&str> = text.lines().filter(|l| l.starts_with(writer)).collect();
        lines.sort_unstable_by_key(|line| {
            line.trim_start_matches(['a', 'b', ' ']).parse::<u32>().unwrap()
        });
        let expected: Vec<String> = (0..200).map(|n| format!("{writer} {n}")).collect();
        assert_eq!(lines, expected);
    }
    assert_eq!(text.lines().count(), 400);
}

#[test]
fn while_another_process_has_the_lock_nothing_rotates() {
    let mut place = Place::new(8, 2);
    let mut file = place.open();
    place.write(&mut file, &["one", "two"]);
    let other = File::open(place.path("app.log")).unwrap();
    other.lock().unwrap();
    place.write(&mut file, &["three"]);
    assert_eq!((file.rotations(), file.failed_rotations()), (0, 1));
    drop(other);
    place.pass(ROTATE_PAUSE);
    place.write(&mut file, &["four"]);
    assert_eq!(place.read("app.log.1"), "one\ntwo\nthree\n");
    assert_eq!(place.read("app.log"), "four\n");
}

#[test]
fn a_file_that_is_left_behind_in_the_middle_of_a_line_ends_with_a_whole_one() {
    let mut place = Place::new(100, 2);
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    let torn = BrokenDisk::torn(2);
    file.append(b"two\n", place.now).unwrap();
    file.flush(place.now).unwrap_err();
    drop(torn);
    assert_eq!(place.read("app.log"), "one\ntw");

    fs::rename(place.path("app.log"), place.path("moved")).unwrap();
    place.pass(LOOK_INTERVAL);
    file.flush(place.now).unwrap();
    assert_eq!((place.read("moved"), place.read("app.log")), ("one\n".into(), "two\n".into()));
}

#[cfg(unix)]
#[test]
fn a_fifo_in_the_place_of_a_backup_holds_up_no_sync() {
    let place = Place::new(4, 5);
    let mut file = place.open();
    place.write(&mut file, &["one", "two", "three"]);
    fs::remove_file(place.path("app.log.1")).unwrap();
    assert!(run("mkfifo", &[place.path("app.log.1").to_str().unwrap()]));
    file.sync(place.now).unwrap();
    assert!(place.names().contains(&"app.log.1".to_owned()));
}
