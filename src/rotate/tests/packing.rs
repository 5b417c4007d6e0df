//! Packing: backups that are compressed while names change, and what a crash leaves of that.

use super::*;
use crate::base::fs::calls::Call;
use crate::rotate::Packed;
use crate::rotate::archive::LOOK_INTERVAL as RETRY;
use crate::rotate::choices::Compress;
use crate::simulation::BrokenDisk;
use flate2::read::GzDecoder;
use std::io::Read as _;

fn place(max_bytes: u64, backup_count: u32) -> Place {
    let mut place = Place::new(max_bytes, backup_count);
    place.options.compress = Compress::Gzip;
    place
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => _ = GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text),
        #[cfg(feature = "zstd")]
        Some("zst") => {
            let mut decoder = zstd::Decoder::new(File::open(path).unwrap()).unwrap();
            decoder.read_to_string(&mut text).unwrap();
        }
        _ => text = fs::read_to_string(path).unwrap(),
    }
    text
}

/// As `everything`, also of what is compressed.
fn all(file: &RotatingFile) -> String {
    file.files().iter().rev().map(|path| unpacked(path)).collect()
}

/// Begins to compress a backup and does all but give it its name.
fn begin(place: &Place, file: &mut RotatingFile) -> Option<Packed> {
    Some(file.take_pack(place.now)?.run(&mut || true))
}

fn pack_all(place: &Place, file: &mut RotatingFile) {
    for _ in 0..20 {
        let Some(packed) = begin(place, file) else { break };
        file.packed(packed, place.now);
    }
    if let Some(trouble) = file.take_trouble() {
        panic!("{trouble}");
    }
}

#[test]
fn each_backup_becomes_one_compressed_file_and_the_current_one_stays() {
    let place = place(8, 9);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222", "three 3"]);
    pack_all(&place, &mut file);
    assert_eq!(place.names(), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
    place.write(&mut file, &["four 44"]);
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.2.gz", "app.log.3.gz"]);
    pack_all(&place, &mut file);
    assert_eq!(all(&file), "one 111\ntwo 222\nthree 3\nfour 44\n");
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_is_read_back_and_both_kinds_are_shifted_and_deleted() {
    let mut place = place(8, 3);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    pack_all(&place, &mut file);
    drop(file);
    place.options.compress = Compress::Zstd;
    let mut file = place.open();
    place.write(&mut file, &["three 3", "four 44"]);
    pack_all(&place, &mut file);
    assert_eq!(all(&file), "one 111\ntwo 222\nthree 3\nfour 44\n");
    assert_eq!(place.names(), ["app.log", "app.log.1.zst", "app.log.2.zst", "app.log.3.gz"]);
    place.write(&mut file, &["five 55"]);
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.2.zst", "app.log.3.zst"]);
}

#[test]
fn a_backup_whose_number_changes_while_it_is_compressed_is_found_again() {
    for shifts in 0..4 {
        let place = place(8, 9);
        let mut file = place.open();
        place.write(&mut file, &["one 111", "two 222"]);
        let packed = begin(&place, &mut file).unwrap();
        let lines: Vec<String> = (0..shifts).map(|n| format!("line {n:02}")).collect();
        lines.iter().for_each(|line| place.write(&mut file, &[line]));
        file.packed(packed, place.now);
        assert!(place.path(&format!("app.log.{}.gz", shifts + 1)).exists(), "{:?}", place.names());
        pack_all(&place, &mut file);
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(all(&file), format!("one 111\ntwo 222\n{expected}"));
        assert_eq!(place.names().len(), shifts + 2);
    }
}

#[test]
fn a_backup_that_is_deleted_or_written_to_while_it_is_compressed_keeps_that() {
    let mut place = place(8, 1);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    let packed = begin(&place, &mut file).unwrap();
    place.write(&mut file, &["three 3"]);
    file.packed(packed, place.now);
    assert_eq!(place.names(), ["app.log", "app.log.1"], "the deleted one came back");
    place.pass(RETRY);
    let packed = begin(&place, &mut file).unwrap();
    File::options().append(true).open(place.path("app.log.1")).unwrap().write_all(b"x\n").unwrap();
    file.packed(packed, place.now);
    assert_eq!(place.read("app.log.1"), "two 222\nx\n");
    place.pass(RETRY);
    pack_all(&place, &mut file);
    assert_eq!(all(&file), "two 222\nx\nthree 3\n");
    assert_eq!(place.names(), ["app.log", "app.log.1.gz"]);
}

#[test]
fn what_a_crash_leaves_of_any_step_is_finished_at_the_start() {
    let text = "some line of text\n".repeat(20_000);
    let gz = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let copy = gz(&text);
    // Half a copy; a copy without its name; a copy with its name beside its source.
    for (name, content) in [
        ("app.log.gz.tmp", &copy[..copy.len() / 2]),
        ("app.log.gz.tmp", &copy[..]),
        ("app.log.2.gz", &copy[..]),
    ] {
        let place = place(8, 9);
        fs::write(place.path("app.log.2"), &text).unwrap();
        fs::write(place.path("app.log.1"), "newer\n").unwrap();
        fs::write(place.path(name), content).unwrap();
        let mut file = place.open();
        pack_all(&place, &mut file);
        assert_eq!(all(&file), format!("{text}newer\n"));
        assert_eq!(place.names(), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
    }
}

#[test]
fn two_files_of_one_number_that_differ_both_stay() {
    let place = place(8, 9);
    fs::write(place.path("app.log.1"), "plain 1\n").unwrap();
    fs::write(place.path("app.log.1.gz"), "is no gzip").unwrap();
    fs::write(place.path("app.log.2.gz"), "older").unwrap();
    let mut file = place.open();
    pack_all(&place, &mut file);
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.1.gz", "app.log.2.gz"]);
    place.write(&mut file, &["one 111", "two 222"]);
    assert_eq!(
        place.names(),
        ["app.log", "app.log.1", "app.log.2", "app.log.3.gz", "app.log.4.gz"]
    );
    assert_eq!(place.read("app.log.4.gz"), "is no gzip");
    assert_eq!(place.read("app.log.3.gz"), "older");
}

#[test]
fn an_end_in_the_middle_leaves_the_source_and_no_copy() {
    let place = place(8, 9);
    fs::write(place.path("app.log.1"), "x\n".repeat(1 << 20)).unwrap();
    let mut file = place.open();
    let mut chunks = 0;
    let packed = file.take_pack(place.now).unwrap().run(&mut || {
        chunks += 1;
        chunks < 3
    });
    file.packed(packed, place.now);
    assert!(file.take_trouble().is_none());
    assert_eq!(place.names(), ["app.log", "app.log.1"]);
}

#[test]
fn a_copy_that_cannot_be_made_is_told_and_tried_again_after_the_others() {
    let mut place = place(8, 9);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222", "three 3"]);
    fs::create_dir(place.path("app.log.gz.tmp")).unwrap();
    let packed = begin(&place, &mut file).unwrap();
    file.packed(packed, place.now);
    assert!(matches!(file.take_trouble(), Some(Trouble::NotCompressed(_))));
    assert!(begin(&place, &mut file).is_none(), "at once");
    fs::remove_dir(place.path("app.log.gz.tmp")).unwrap();
    place.pass(RETRY);
    let packed = begin(&place, &mut file).unwrap();
    file.packed(packed, place.now);
    assert_eq!(place.names(), ["app.log", "app.log.1.gz", "app.log.2"], "the same one first");
    pack_all(&place, &mut file);
    assert_eq!(all(&file), "one 111\ntwo 222\nthree 3\n");
}

#[test]
fn a_full_disk_keeps_the_backup_as_it_is() {
    let mut place = place(64 << 10, 9);
    let Some(disk) = Disk::new(place.path("disk"), "160k") else { return };
    place.options.path = disk.0.join("app.log");
    let mut file = place.open();
    // Text that hardly gets smaller.
    let mut random = 1_u64;
    let noise: String = (0..60 << 10)
        .map(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + (random >> 40) as u8 % 94)
        })
        .collect();
    place.write(&mut file, &[&noise, "next"]);
    place.write(&mut file, &[&noise]);
    let packed = begin(&place, &mut file).unwrap();
    file.packed(packed, place.now);
    assert!(matches!(file.take_trouble(), Some(Trouble::NotCompressed(_))));
    assert_eq!(everything(&file), format!("{noise}\nnext\n{noise}\n"));
    assert!(!disk.0.join("app.log.gz.tmp").exists());
    drop(file);
}

#[cfg(unix)]
#[test]
fn a_copy_has_the_mode_and_the_time_of_its_source() {
    use std::os::unix::fs::PermissionsExt;
    let mut place = place(8, 9);
    place.options.mode = 0o600;
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    let written = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::open(place.path("app.log.1")).unwrap().set_modified(written).unwrap();
    pack_all(&place, &mut file);
    let metadata = fs::metadata(place.path("app.log.1.gz")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(metadata.modified().unwrap(), written);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_copy_is_not_followed() {
    let place = place(8, 9);
    fs::write(place.path("victim"), "untouched").unwrap();
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    std::os::unix::fs::symlink("victim", place.path("app.log.gz.tmp")).unwrap();
    pack_all(&place, &mut file);
    assert_eq!(place.read("victim"), "untouched");
    assert_eq!(all(&file), "one 111\ntwo 222\n");
}

#[test]
fn a_backup_that_cannot_be_deleted_does_not_stay_beside_its_copy() {
    let mut place = place(8, 9);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    let packed = begin(&place, &mut file).unwrap();
    let broken = BrokenDisk::at(Call::Remove);
    file.packed(packed, place.now);
    drop(broken);
    assert!(matches!(file.take_trouble(), Some(Trouble::NotCompressed(_))));
    place.write(&mut file, &["three 3"]);
    assert_eq!(all(&file), "one 111\ntwo 222\nthree 3\n");
    place.pass(RETRY);
    pack_all(&place, &mut file);
    assert_eq!(place.names(), ["app.log", "app.log.1.gz", "app.log.2.gz"]);
}

#[test]
fn what_was_left_half_done_and_could_not_be_finished_is_finished_before_names_are_shifted() {
    let place = place(8, 9);
    let mut file = place.open();
    place.write(&mut file, &["one 111", "two 222"]);
    let packed = begin(&place, &mut file).unwrap();
    let copy = packed.pack.unfinished.clone();
    fs::rename(copy, place.path("app.log.1.gz")).unwrap();
    drop(file);

    let broken = BrokenDisk::at(Call::Remove);
    let mut file = place.open();
    drop(broken);
    assert!(matches!(file.take_trouble(), Some(Trouble::NotCompressed(_))));
    place.write(&mut file, &["three 3"]);
    assert_eq!(all(&file), "one 111\ntwo 222\nthree 3\n");
}
