//! Shifting: that `file-rotate` neither panics nor deletes what is not ours, and why it needs our
//! numbering for that.
//!
//! A caught panic is still printed, and kills a program that is built with `panic = "abort"`. So
//! the count of panics is what is tested, in its own process.

use super::*;
use file_rotate::compression::Compression;
use file_rotate::suffix::{AppendCount, SuffixScheme};
use file_rotate::{ContentLimit, FileRotate};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static PANICS: AtomicU32 = AtomicU32::new(0);

/// One rotation as `file-rotate` does it with a numbering, which need not be ours.
///
/// Returns how many panics there were.
fn with(scheme: impl SuffixScheme, path: &Path) -> u32 {
    PANICS.store(0, Relaxed);
    set_hook(Box::new(|_| _ = PANICS.fetch_add(1, Relaxed)));
    let _ = catch_unwind(AssertUnwindSafe(|| {
        FileRotate::new(path, scheme, ContentLimit::None, Compression::None, None).rotate()
    }));
    let _ = std::panic::take_hook();
    PANICS.load(Relaxed)
}

/// The same as we do it.
fn ours(path: &Path) -> (u32, io::Result<()>) {
    PANICS.store(0, Relaxed);
    set_hook(Box::new(|_| _ = PANICS.fetch_add(1, Relaxed)));
    let result = shift::shift(&Names::new(path).unwrap(), 0o600);
    let _ = std::panic::take_hook();
    (PANICS.load(Relaxed), result)
}

/// A directory with the current file and others.
fn place(others: &[&str]) -> Place {
    let place = Place::new(10, 2);
    for name in others.iter().chain(&["app.log"]) {
        fs::write(place.path(name), name).unwrap();
    }
    place
}

/// Takes every descriptor there is while `work` is done.
fn without_descriptors<T>(work: impl FnOnce() -> T) -> T {
    let mut taken = Vec::new();
    while let Ok(one) = File::open("/dev/null") {
        taken.push(one);
    }
    work()
}

#[test]
fn foreign_spellings_make_its_own_numbering_panic_but_not_ours() {
    if !in_child("shifting::foreign_spellings_make_its_own_numbering_panic_but_not_ours", ":") {
        return;
    }
    for name in ["app.log.01", "app.log.+1"] {
        let its = place(&[name]);
        assert_eq!(with(AppendCount::new(2), &its.path("app.log")), 1);
        let place = place(&[name]);
        let (panics, result) = ours(&place.path("app.log"));
        assert_eq!((panics, result.is_ok()), (0, true));
        assert_eq!(place.read("app.log.1"), "app.log");
        assert_eq!(place.read(name), name);
    }
}

#[test]
fn a_dated_file_is_deleted_by_its_own_numbering_but_not_by_ours() {
    let others = ["app.log.1", "app.log.2", "app.log.20260131"];
    let its = place(&others);
    FileRotate::new(
        its.path("app.log"),
        AppendCount::new(2),
        ContentLimit::None,
        Compression::None,
        None,
    )
    .rotate()
    .unwrap();
    assert_eq!(its.names(), ["app.log", "app.log.1", "app.log.2"]);

    let place = place(&others);
    place.open().rotate_now(place.now).unwrap();
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.2", "app.log.20260131"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_lack_of_descriptors_makes_its_own_numbering_panic_but_not_ours() {
    let test = "shifting::a_lack_of_descriptors_makes_its_own_numbering_panic_but_not_ours";
    if !in_child(test, "ulimit -n 64") {
        return;
    }
    let place = place(&["app.log.1"]);
    let path = place.path("app.log");
    let its = without_descriptors(|| with(AppendCount::new(2), &path));
    assert_eq!(its, 1);
    let (panics, result) = without_descriptors(|| ours(&path));
    assert_eq!(panics, 0);
    assert!(result.unwrap_err().to_string().contains("cannot list"));
    assert_eq!(place.read("app.log"), "app.log");
}

#[test]
fn nothing_that_stands_in_the_way_makes_it_panic() {
    if !in_child("shifting::nothing_that_stands_in_the_way_makes_it_panic", ":") {
        return;
    }
    for way in ["app.log.1", "app.log.2", "app.log.3"] {
        let others: Vec<&str> =
            ["app.log.1", "app.log.2"].into_iter().filter(|other| *other < way).collect();
        let place = place(&others);
        fs::create_dir(place.path(way)).unwrap();
        let before = place.names();
        assert_eq!(with(AppendCount::new(2), &place.path("app.log")), 1);
        let (panics, result) = ours(&place.path("app.log"));
        assert_eq!(panics, 0);
        assert!(result.unwrap_err().to_string().contains("a directory"));
        assert_eq!(place.names(), before);
    }
}

#[test]
fn a_missing_file_or_directory_is_an_error_and_not_a_panic() {
    if !in_child("shifting::a_missing_file_or_directory_is_an_error_and_not_a_panic", ":") {
        return;
    }
    let place = place(&["app.log.1", "file"]);
    fs::remove_file(place.path("app.log")).unwrap();
    for path in ["app.log", "file/app.log", "missing/app.log"] {
        let (panics, result) = ours(&place.path(path));
        assert_eq!((panics, result.is_err()), (0, true), "{path}");
    }
    assert_eq!(place.names(), ["app.log.1", "file"]);
}

#[test]
fn a_gap_is_filled_and_what_is_behind_it_stays() {
    let place = place(&["app.log.2"]);
    let names = Names::new(&place.path("app.log")).unwrap();
    shift::shift(&names, 0o600).unwrap();
    assert_eq!(place.read("app.log"), "");
    assert_eq!(place.read("app.log.1"), "app.log");
    assert_eq!(place.read("app.log.2"), "app.log.2");
}
