//! Opening: what is found at the start.

use super::*;

#[test]
fn options_without_sense_are_refused_with_the_path() {
    for place in [Place::new(0, 1), Place::new(10, 9_999), Place::new(10, u32::MAX)] {
        let error = RotatingFile::open(place.options.clone()).unwrap_err();
        assert!(error.to_string().contains("app.log"), "{error}");
        assert!(place.names().is_empty());
    }
}

#[test]
fn half_a_line_of_a_crash_is_ended() {
    let place = Place::new(100, 1);
    fs::write(place.path("app.log"), "whole\nha").unwrap();
    let mut file = place.open();
    place.write(&mut file, &["next"]);
    assert_eq!(place.read("app.log"), "whole\nha\nnext\n");
}

#[test]
fn a_file_that_is_too_large_already_is_rotated_before_the_next_line() {
    let place = Place::new(10, 1);
    fs::write(place.path("app.log"), "much more than ten\n").unwrap();
    let mut file = place.open();
    place.write(&mut file, &["next"]);
    assert_eq!(place.read("app.log.1"), "much more than ten\n");
    assert_eq!(place.read("app.log"), "next\n");
}

#[test]
fn what_a_crash_or_a_smaller_count_has_left_is_deleted_and_nothing_else() {
    let place = Place::new(10, 2);
    let foreign = [
        "app.log.01",
        "app.log.+1",
        "app.log.1.bz2",
        "app.log.20260131",
        "app-audit.log.7",
        "app.log.bak",
    ];
    for name in ["app.log.1", "app.log.2", "app.log.4", "app.log.9"].iter().chain(&foreign) {
        fs::write(place.path(name), "").unwrap();
    }
    fs::create_dir(place.path("app.log.8")).unwrap();
    let mut file = place.open();
    place.write(&mut file, &["first one", "second", "third"]);
    let mut expected = vec!["app.log", "app.log.1", "app.log.2", "app.log.8"];
    expected.extend(foreign);
    expected.sort_unstable();
    assert_eq!(place.names(), expected);
    assert_eq!(everything(&file), "first one\nsecond\nthird\n");
    assert!(file.take_trouble().is_none());
}

#[test]
fn a_rotation_that_a_crash_has_cut_short_is_gone_on_with() {
    let place = Place::new(8, 3);
    // 3 → 4 and 2 → 3 were done; 1 → 2 and the current file were not.
    for (name, text) in [("app.log", "e\n"), (".1", "d\n"), (".3", "b\n"), (".4", "a\n")] {
        let name = if name == "app.log" { name.to_owned() } else { format!("app.log{name}") };
        fs::write(place.path(&name), text).unwrap();
    }
    let mut file = place.open();
    assert_eq!(everything(&file), "a\nb\nd\ne\n");
    place.write(&mut file, &["seven 7"]);
    assert_eq!(everything(&file), "b\nd\ne\nseven 7\n");
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.2", "app.log.3"]);
}

#[test]
fn a_missing_directory_is_made() {
    let mut place = Place::new(100, 1);
    place.options.path = place.path("a/b/app.log");
    let mut file = place.open();
    place.write(&mut file, &["one"]);
    assert_eq!(place.read("a/b/app.log"), "one\n");
}

#[test]
fn a_path_that_cannot_be_made_is_named() {
    let mut place = Place::new(100, 1);
    fs::write(place.path("file"), "").unwrap();
    place.options.path = place.path("file/app.log");
    let error = RotatingFile::open(place.options).unwrap_err();
    assert!(error.to_string().contains("file/app.log"), "{error}");
}

#[cfg(unix)]
#[test]
fn anything_but_a_regular_file_is_refused_at_once() {
    use std::os::unix::{fs::symlink, net::UnixListener};
    let place = Place::new(100, 1);
    let path = place.path("app.log");
    let check = |what: &str| {
        let error = RotatingFile::open(place.options.clone()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(what) && text.contains("app.log"), "{text}");
    };
    assert!(run("mkfifo", &[path.to_str().unwrap()]));
    check("a FIFO");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    check("a directory");
    fs::remove_dir(&path).unwrap();
    for target in ["/dev/full", "/nowhere/at/all", "other.log"] {
        symlink(target, &path).unwrap();
        check("a symbolic link");
        fs::remove_file(&path).unwrap();
    }
    let socket = UnixListener::bind(&path).unwrap();
    check("a socket");
    drop(socket);
    let device = FileOptions { path: "/dev/full".into(), ..place.options.clone() };
    assert!(RotatingFile::open(device).unwrap_err().to_string().contains("a device"));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_kept() {
    use std::os::unix::ffi::OsStrExt;
    let mut place = Place::new(8, 1);
    let name = std::ffi::OsStr::from_bytes(b"app-\xff.log");
    place.options.path = place.directory.path().join(name);
    let mut file = place.open();
    place.write(&mut file, &["one", "two", "three"]);
    assert_eq!(everything(&file), "one\ntwo\nthree\n");
    assert_eq!(file.files().len(), 2);
}
