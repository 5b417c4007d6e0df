//! Endurance: ten thousand faults of each kind leave nothing behind.

#![cfg(target_os = "linux")]

use super::*;
use crate::rotate::Synced;
use crate::rotate::choices::Compress;
use crate::rotate::choices::SyncPolicy;
use std::time::SystemTime;

const FAULTS: u32 = 10_000;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// Ten thousand faults, and what they cost; the first hundred may take what is kept for good.
fn endure(what: &str, mut fault: impl FnMut(u32)) {
    (0..100).for_each(&mut fault);
    let before = (descriptors(), resident_bytes());
    (100..FAULTS).for_each(&mut fault);
    let grown = resident_bytes().saturating_sub(before.1);
    assert_eq!(descriptors(), before.0, "{what}");
    assert!(grown < 4 << 20, "{what}: {grown} bytes");
}

#[test]
fn ten_thousand_faults_of_each_kind_leave_nothing_behind() {
    let test = "endurance::ten_thousand_faults_of_each_kind_leave_nothing_behind";
    if !in_child(test, ":") {
        return;
    }
    let mut place = Place::new(500, 3);
    let Some(disk) = Disk::new(place.path("disk"), "1m") else { return };
    place.options.path = disk.0.join("app.log");
    place.options.compress = Compress::Gzip;
    place.options.sync = SyncPolicy::Error;
    place.options.backlog_bytes = 1_000;
    let mut file = place.open();
    file.accept_help();

    endure("syncs that fail", |n| {
        place.pass(Duration::from_secs(60));
        place.write(&mut file, &[&format!("line {n}")]);
        let job = file.take_sync(place.now).unwrap();
        let failure = io::Error::other("the disk is broken");
        file.synced(Synced { files: Err(failure), ..job.run(Instant::now()) }, place.now);
        assert!(file.flush(place.now).is_err());
        drop((file.take_trouble(), file.take_released()));
    });
    let job = file.take_sync(place.now + Duration::from_secs(60)).unwrap();
    file.synced(job.run(Instant::now()), place.now);

    endure("rotations that fail", |_| {
        fs::create_dir_all(disk.0.join("app.log.1.gz")).unwrap();
        place.pass(ROTATE_PAUSE);
        file.rotate_now(place.now).unwrap_err();
        drop(file.take_trouble());
    });
    fs::remove_dir(disk.0.join("app.log.1.gz")).unwrap();

    place.write(&mut file, &[&"x".repeat(400), &"y".repeat(400)]);
    endure("backups that cannot be compressed", |_| {
        fs::create_dir_all(disk.0.join("app.log.gz.tmp")).unwrap();
        place.pass(Duration::from_secs(60));
        file.maintain(place.now, SystemTime::now());
        let packed = file.take_pack(place.now).unwrap().run(&mut || true);
        file.packed(packed, place.now);
        assert!(matches!(file.take_trouble(), Some(Trouble::NotCompressed(_))));
    });
    fs::remove_dir(disk.0.join("app.log.gz.tmp")).unwrap();

    fs::write(disk.0.join("ballast"), vec![0; 2 << 20]).unwrap_err();
    endure("writes that fail", |n| {
        place.pass(WRITE_PAUSE);
        // Taken as long as there is room, then refused.
        let _ = file.append(format!("{:0200}\n", n).as_bytes(), place.now);
        file.flush(place.now).unwrap_err();
    });

    // Whatever was before, it continues.
    fs::remove_file(disk.0.join("ballast")).unwrap();
    place.pass(Duration::from_secs(60));
    file.flush(place.now).unwrap();
    for n in 0..20 {
        place.write(&mut file, &[&format!("after all {n}")]);
    }
    assert!(everything(&file).ends_with("after all 19\n"));
    drop(file);
}
