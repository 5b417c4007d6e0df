//! Calls: every call to the disk fails once, or is the last of the process.

use super::*;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

/// What a script has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Taken by `append`.
    taken: BTreeSet<usize>,
    /// A flush after them has said that it is done.
    flushed: BTreeSet<usize>,
    /// Came out.
    out: BTreeSet<usize>,
    /// An acknowledgement has said that it is done.
    acknowledged: BTreeSet<usize>,
}

/// Everything a spool can do, once; 60 entries from number `from` on.
fn script(
    place: &Place,
    spool: &mut (SpoolWriter, SpoolReader, SpoolStatus),
    from: usize,
    seen: &mut Seen,
) {
    let (writer, reader, status) = spool;
    for n in from..from + 60 {
        if writer.append(&content(n, 30 + n * 7 % 400), Urgency::ALL[n % 3 / 2]).is_ok() {
            seen.taken.insert(n);
        }
        if n % 5 == 0 && writer.flush().is_ok() {
            seen.flushed = seen.taken.clone();
        }
        if n % 20 == 0 {
            place.clock.advance(Duration::from_secs(1));
            let _ = writer.sync();
        }
        if n % 7 == 0
            && let Ok(batch) = reader.next_batch(BatchLimits { entries: 9, ..ALL })
        {
            seen.out.extend(numbers(&batch));
            // The last two of a batch come again.
            if let Some(last) = batch.len().checked_sub(3).map(|at| batch[at].id)
                && reader.acknowledge(last).is_ok()
            {
                seen.acknowledged.extend(numbers(&batch[..batch.len() - 2]));
            }
            reader.rewind();
        }
        assert_adds_up(status);
    }
    let _ = reader.sync();
}

#[test]
fn whichever_call_fails_nothing_is_lost_and_new_entries_come_through() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied] {
        let mut call = 1;
        loop {
            let place = Place::new(64);
            place.disk.fail_at(call, kind);
            let mut seen = Seen::default();
            let opened = place.open();
            let mut spool = match opened {
                Ok(spool) => spool,
                // The first look at the directory.
                Err(_) => {
                    call += 1;
                    continue;
                }
            };
            script(&place, &mut spool, 0, &mut seen);
            if place.disk.calls() < call {
                assert!(call > 100, "{call}");
                break;
            }
            place.disk.heal();
            place.clock.advance(Duration::from_secs(1));
            let (writer, reader, status) = &mut spool;
            writer.flush().unwrap();
            reader.rewind();
            seen.out.extend(drain(reader));
            assert_eq!(seen.out, (0..60).collect(), "call {call} fails with {kind}");
            assert_lives(&place, writer, reader);
            assert_adds_up(status);
            assert_eq!(status.counts().damaged, 0);
            call += 1;
        }
    }
}

#[test]
fn at_whichever_call_the_process_dies_what_was_flushed_comes_out() {
    let mut call = 1;
    loop {
        let mut place = Place::new(64);
        place.disk.die_at(call);
        let mut seen = Seen::default();
        let opened = place.open();
        if let Ok(mut spool) = opened {
            script(&place, &mut spool, 0, &mut seen);
        }
        let died = place.disk.is_dead();
        place.disk = place.disk.after_kill();
        let (mut writer, mut reader, status) = place.open().unwrap();
        let again: BTreeSet<usize> = drain(&mut reader).into_iter().collect();
        for n in &seen.flushed {
            let twice = again.contains(n) && seen.acknowledged.contains(n);
            assert!(!twice, "{n} came again, death at call {call}");
            let came = again.contains(n) || seen.out.contains(n);
            assert!(came, "{n} is lost, death at call {call}");
            let is_there = again.contains(n) || seen.acknowledged.contains(n);
            let in_doubt = seen.out.contains(n);
            assert!(is_there || in_doubt, "{n} is neither acknowledged nor there");
        }
        assert_eq!(status.counts().damaged, 0, "death at call {call}");
        assert_lives(&place, &mut writer, &mut reader);
        assert_adds_up(&status);
        if !died {
            assert!(call > 100, "{call}");
            break;
        }
        call += 1;
    }
}

#[test]
fn two_outages_in_a_row_cost_nothing() {
    for first in (5..200).step_by(7) {
        let place = Place::new(64);
        let mut spool = place.open().unwrap();
        let mut seen = Seen::default();
        for outage in [first, first + 60] {
            (outage..outage + 40).for_each(|call| place.disk.fail_at(call, ErrorKind::Other));
        }
        for from in [0, 60, 120] {
            script(&place, &mut spool, from, &mut seen);
            place.clock.advance(Duration::from_secs(1));
        }
        place.disk.heal();
        let (writer, reader, status) = &mut spool;
        writer.flush().unwrap();
        reader.rewind();
        seen.out.extend(drain(reader));
        assert_eq!(status.counts().damaged, 0, "outage at call {first}");
        assert_eq!(seen.out, seen.taken, "outage at call {first}");
        assert_lives(&place, writer, reader);
        assert_adds_up(status);
    }
}

#[test]
fn ten_thousand_faults_leave_no_file_open_and_no_memory_taken() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    let mut most = 0;
    for n in 0..10_000_u64 {
        place.disk.fail_at(place.disk.calls() + 1 + n % 5, ErrorKind::Other);
        let _ = writer.append(&content(n as usize, 300), Urgency::ALL[n as usize % 2]);
        let _ = writer.flush();
        if let Ok(batch) = reader.next_batch(BatchLimits { entries: 3, ..ALL })
            && let Some(last) = batch.last()
            && n % 3 == 0
        {
            let _ = reader.acknowledge(last.id);
        }
        if n % 50 == 0 {
            reader.rewind();
        }
        place.clock.advance(Duration::from_millis(60));
        assert!(place.disk.open_files() <= 5, "{} files open", place.disk.open_files());
        assert!(place.disk.segment_bytes() <= 64 << 10, "{} bytes", place.disk.segment_bytes());
        most = most.max(place.disk.files().len());
    }
    assert!(most < 100, "{most} files");
    assert_adds_up(&status);
    assert_lives(&place, &mut writer, &mut reader);
    drop((writer, reader, status));
    assert_eq!(place.disk.open_files(), 0);
}

#[test]
fn whichever_deletions_a_loss_of_power_undoes_nothing_comes_again_or_is_missed() {
    for bits in 0..256_u64 {
        let mut place = Place::new(64);
        let (mut writer, mut reader, _) = place.open().unwrap();
        for n in 0..100 {
            writer.append(&content(n, 300), Urgency::Ordinary).unwrap();
        }
        writer.sync().unwrap();
        reader.sync().unwrap();
        let last = reader.next_batch(ALL).unwrap()[89].id;
        reader.acknowledge(last).unwrap();
        assert!(place.disk.files().len() < 4, "{:?}", place.disk.files());
        let mut asked = 0;
        place.disk = place.disk.after_power_loss(|| {
            asked += 1;
            bits >> (asked % 8) & 1 == 1
        });
        let (_writer, mut reader, status) = place.open().unwrap();
        assert_eq!(drain(&mut reader), (90..100).collect::<Vec<_>>());
        assert_eq!(status.counts().damaged, 0);
    }
}
