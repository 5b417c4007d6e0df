//! Full: writes that fail.

use super::*;

#[test]
fn a_full_disk_costs_no_line_and_tears_none() {
    let mut place = Place::new(8_000, 9);
    let Some(disk) = Disk::new(place.path("disk"), "64k") else { return };
    place.options.path = disk.0.join("app.log");
    let mut file = place.open();
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 44 << 10]).unwrap();
    let mut taken = String::new();
    let mut failures = 0;
    for n in 0..300 {
        let line = format!("{n:0100}\n");
        file.append(line.as_bytes(), place.now).unwrap();
        taken += &line;
        failures += u32::from(file.flush(place.now).is_err());
        let written = everything(&file);
        assert!(written.ends_with('\n') && taken.starts_with(&written), "torn after {n}");
        assert_eq!(written.lines().count() as u64 + file.kept_lines(), n + 1);
        place.pass(WRITE_PAUSE);
    }
    assert!(failures > 10, "the disk was not full");
    assert!(file.flush(place.now).unwrap_err().kept_lines > 0);
    assert!(file.sync(place.now).is_err());
    let rotations = file.rotations();
    assert_eq!(rotations, 2, "it rotates while the disk is full");
    fs::remove_file(ballast).unwrap();
    file.sync(place.now).unwrap();
    assert_eq!(everything(&file), taken);
    assert!(file.rotations() > rotations);
    drop(file);
}

#[test]
fn a_full_backlog_refuses_new_lines_and_keeps_the_old() {
    let mut place = Place::new(20_000, 9);
    let Some(disk) = Disk::new(place.path("disk"), "16k") else { return };
    place.options.path = disk.0.join("app.log");
    place.options.backlog_bytes = 1_000;
    let mut file = place.open();
    fs::write(disk.0.join("ballast"), vec![0; 64 << 10]).unwrap_err();
    let mut taken = String::new();
    let mut refused = 0;
    for n in 0..30 {
        let line = format!("{n:099}\n");
        match file.append(line.as_bytes(), place.now) {
            Ok(()) => taken += &line,
            Err(error) => {
                assert!(error.to_string().contains("backlog is full"), "{error}");
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                refused += 1;
            }
        }
        let _ = file.flush(place.now);
    }
    assert_eq!((refused, file.kept_lines()), (20, 10));
    fs::remove_file(disk.0.join("ballast")).unwrap();
    assert!(file.flush(place.now).is_err(), "tried again within the pause");
    place.pass(WRITE_PAUSE);
    file.flush(place.now).unwrap();
    assert_eq!(everything(&file), taken);
    drop(file);
}

#[test]
fn a_disk_that_is_full_at_the_start_gets_its_lines_later() {
    let mut place = Place::new(20_000, 9);
    let Some(disk) = Disk::new(place.path("disk"), "16k") else { return };
    place.options.path = disk.0.join("app.log");
    let page = format!("{}tail", "x".repeat(4092));
    fs::write(disk.0.join("app.log"), &page).unwrap();
    fs::write(disk.0.join("ballast"), vec![0; 64 << 10]).unwrap_err();
    let mut file = place.open();
    file.append(b"next\n", place.now).unwrap();
    assert_eq!(file.flush(place.now).unwrap_err().kept_lines, 1);
    fs::remove_file(disk.0.join("ballast")).unwrap();
    file.sync(place.now).unwrap();
    assert_eq!(everything(&file), page + "\nnext\n");
    drop(file);
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_the_size_of_files_tears_no_line() {
    let test = "full::a_limit_on_the_size_of_files_tears_no_line";
    if !in_child(test, "trap '' XFSZ; ulimit -f 2") {
        return;
    }
    let mut place = Place::new(100_000, 2);
    let mut file = place.open();
    for n in 0..30 {
        file.append(format!("{n:099}\n").as_bytes(), place.now).unwrap();
        place.pass(WRITE_PAUSE);
        let _ = file.flush(place.now);
    }
    // 1024 bytes are allowed: ten lines and a quarter.
    assert_eq!((place.read("app.log").len(), file.kept_lines()), (1000, 20));
    fs::rename(place.path("app.log"), place.path("first")).unwrap();
    place.pass(LOOK_INTERVAL);
    assert!(file.flush(place.now).is_err());
    fs::rename(place.path("app.log"), place.path("second")).unwrap();
    place.pass(LOOK_INTERVAL);
    file.flush(place.now).unwrap();
    let all = place.read("first") + &place.read("second") + &place.read("app.log");
    assert_eq!(all, (0..30).map(|n| format!("{n:099}\n")).collect::<String>());
}

#[cfg(target_os = "linux")]
#[test]
fn half_a_line_that_cannot_be_taken_back_is_finished_first() {
    let test = "full::half_a_line_that_cannot_be_taken_back_is_finished_first";
    if !in_child(test, "trap '' XFSZ; ulimit -S -f 2") {
        return;
    }
    let place = Place::new(1_100, 2);
    let mut file = place.open();
    let path = place.path("app.log");
    let Some(append_only) = Attribute::new(path, 'a') else { return };
    for n in 0..11 {
        file.append(format!("{n:099}\n").as_bytes(), place.now).unwrap();
    }
    assert!(file.flush(place.now).is_err());
    assert_eq!((file.bytes(), file.kept_lines()), (1024, 1));
    file.rotate_now(place.now).unwrap_err();
    assert!(file.sync(place.now).is_err());
    let unlimited =
        run("prlimit", &["--fsize=unlimited", "--pid", &std::process::id().to_string()]);
    assert!(unlimited);
    file.sync(place.now).unwrap();
    drop(append_only);
    assert_eq!(everything(&file), (0..11).map(|n| format!("{n:099}\n")).collect::<String>());
}
