//! Refused: rotations that fail.

use super::*;

/// Fills a file whose rotation is refused; then lets it succeed.
fn goes_on_in_the_same_file(place: &mut Place, mut file: RotatingFile, allow: impl FnOnce()) {
    let before = everything(&file);
    place.write(&mut file, &["three 3", "four 44", "five 55"]);
    assert_eq!(everything(&file), before.clone() + "three 3\nfour 44\nfive 55\n");
    assert_eq!(file.failed_rotations(), 1, "each line tries");
    assert!(matches!(file.take_trouble(), Some(Trouble::NotRotated(_))));
    place.pass(ROTATE_PAUSE);
    place.write(&mut file, &["six 666"]);
    assert_eq!(file.failed_rotations(), 2);
    assert!(file.take_trouble().is_none(), "told twice");
    let problems = file.problems();
    assert!(problems.len() == 1 && problems[0].starts_with("no new file"), "{problems:?}");
    allow();
    place.pass(ROTATE_PAUSE);
    let rotations = file.rotations();
    place.write(&mut file, &["seven 7"]);
    assert_eq!(file.rotations(), rotations + 1);
    let expected = before + "three 3\nfour 44\nfive 55\nsix 666\nseven 7\n";
    assert!(expected.ends_with(&everything(&file)));
    assert_eq!(place.read("app.log"), "seven 7\n");
    assert_eq!(file.problems(), [""; 0], "its size is right again");
}

fn filled(place: &Place) -> RotatingFile {
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    assert_eq!(file.rotations(), 1);
    file
}

#[test]
fn a_directory_in_the_way_of_a_backup_stops_only_the_rotation() {
    let mut place = Place::new(8, 2);
    let mut file = place.open();
    place.write(&mut file, &["two 222"]);
    let (way, inside) = (place.path("app.log.1"), place.path("app.log.1/file"));
    fs::create_dir(&way).unwrap();
    fs::write(inside, "foreign").unwrap();
    goes_on_in_the_same_file(&mut place, file, || fs::remove_dir_all(way).unwrap());
}

#[cfg(unix)]
#[test]
fn a_link_in_the_way_of_a_backup_stops_only_the_rotation() {
    for target in ["/dev/null", "/nowhere/at/all"] {
        let mut place = Place::new(8, 2);
        let file = filled(&place);
        let way = place.path("app.log.2");
        std::os::unix::fs::symlink(target, &way).unwrap();
        goes_on_in_the_same_file(&mut place, file, || fs::remove_file(way).unwrap());
    }
}

#[test]
fn an_immutable_backup_stops_only_the_rotation() {
    let mut place = Place::new(8, 3);
    let mut file = filled(&place);
    file.rotate_now(place.now).unwrap();
    place.write(&mut file, &["two 222"]);
    let Some(immutable) = Attribute::new(place.path("app.log.2"), 'i') else { return };
    goes_on_in_the_same_file(&mut place, file, || drop(immutable));
}

#[test]
fn an_immutable_oldest_backup_stops_only_the_rotation() {
    let mut place = Place::new(8, 1);
    let file = filled(&place);
    let Some(immutable) = Attribute::new(place.path("app.log.1"), 'i') else { return };
    goes_on_in_the_same_file(&mut place, file, || drop(immutable));
}

#[test]
fn an_immutable_directory_stops_only_the_rotation() {
    let mut place = Place::new(8, 2);
    let file = filled(&place);
    let Some(immutable) = Attribute::new(place.directory.path().into(), 'i') else { return };
    goes_on_in_the_same_file(&mut place, file, || drop(immutable));
}

#[cfg(unix)]
#[test]
fn a_read_only_backup_is_shifted_like_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(8, 3);
    let mut file = filled(&place);
    fs::set_permissions(place.path("app.log.1"), PermissionsExt::from_mode(0o400)).unwrap();
    place.write(&mut file, &["three 3"]);
    assert_eq!(everything(&file), "one 111\ntwo 222\nthree 3\n");
}

#[test]
fn a_file_name_of_the_greatest_length_has_no_backups_but_all_lines() {
    let mut place = Place::new(8, 2);
    place.options.path = place.path(&"x".repeat(255));
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    assert_eq!(everything(&file), "one 111\ntwo 222\n");
    assert!(matches!(file.take_trouble(), Some(Trouble::NotRotated(_))));
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_free_descriptor_no_line_is_lost() {
    let test = "refused::without_a_free_descriptor_no_line_is_lost";
    if !in_child(test, "ulimit -n 64") {
        return;
    }
    let mut place = Place::new(8, 5);
    let mut file = filled(&place);
    let mut taken = Vec::new();
    while let Ok(one) = File::open("/dev/null") {
        taken.push(one);
    }
    place.write(&mut file, &["three 3", "four 44"]);
    assert!(matches!(file.take_trouble(), Some(Trouble::NotRotated(_))));
    drop(taken);
    place.pass(ROTATE_PAUSE);
    place.write(&mut file, &["five 55"]);
    assert_eq!(everything(&file), "one 111\ntwo 222\nthree 3\nfour 44\nfive 55\n");
    assert_eq!(place.read("app.log"), "five 55\n");
}

#[cfg(target_os = "linux")]
#[test]
fn with_one_free_descriptor_too_few_no_line_is_lost() {
    let test = "refused::with_one_free_descriptor_too_few_no_line_is_lost";
    if !in_child(test, "ulimit -n 64") {
        return;
    }
    for free in 0..4 {
        let mut place = Place::new(8, 5);
        let mut file = filled(&place);
        let mut taken = Vec::new();
        while let Ok(one) = File::open("/dev/null") {
            taken.push(one);
        }
        taken.truncate(taken.len() - free);
        place.write(&mut file, &["three 3", "four 44"]);
        drop(taken);
        place.pass(ROTATE_PAUSE);
        place.write(&mut file, &["five 55"]);
        let expected = "one 111\ntwo 222\nthree 3\nfour 44\nfive 55\n";
        assert_eq!(everything(&file), expected, "{free}");
    }
}
