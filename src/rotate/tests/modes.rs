//! Modes: who may read.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn new_files_have_the_mode_whatever_the_umask() {
    for umask in ["0000", "0077", "0027"] {
        if !in_child("modes::new_files_have_the_mode_whatever_the_umask", &format!("umask {umask}"))
        {
            continue;
        }
        for wanted in [0o640, 0o600, 0o664] {
            let mut place = Place::new(8, 2);
            place.options.mode = wanted;
            let mut file = place.open();
            place.write(&mut file, &["one", "two", "three", "four"]);
            assert_eq!(file.rotations(), 2);
            for path in file.files() {
                assert_eq!(mode(&path), wanted, "{path:?}");
            }
        }
        return;
    }
}

#[test]
fn a_new_directory_is_closed_to_others() {
    let mut place = Place::new(8, 2);
    place.options.path = place.path("a/b/app.log");
    drop(place.open());
    assert_eq!((mode(place.path("a")) | mode(place.path("a/b"))) & 0o7027, 0);
}

#[test]
fn an_existing_mode_is_narrowed_and_never_widened() {
    let place = Place::new(100, 2);
    for (before, after) in [(0o644, 0o640), (0o600, 0o600), (0o666, 0o640), (0o640, 0o640)] {
        fs::write(place.path("app.log"), "").unwrap();
        fs::set_permissions(place.path("app.log"), PermissionsExt::from_mode(before)).unwrap();
        drop(place.open());
        assert_eq!(mode(place.path("app.log")), after, "{before:o}");
    }
}
