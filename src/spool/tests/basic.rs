//! Basic: real directories, nothing goes wrong.

use super::*;
use std::io::ErrorKind;
use std::time::Duration;
use tempfile::tempdir;

fn texts(entries: &[SpoolEntry]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8(entry.bytes.clone()).unwrap()).collect()
}

#[test]
fn entries_come_out_in_the_order_they_came_in_whatever_their_urgency() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions::new(directory.path());
    let (mut writer, mut reader, status) = open(&options, &Clock::System).unwrap();
    let mut taken = Vec::new();
    for n in 0..100 {
        let urgency = if n % 3 == 0 { Urgency::Urgent } else { Urgency::Ordinary };
        taken.push(n.to_string());
        writer.append(n.to_string().as_bytes(), urgency).unwrap();
    }
    assert!(reader.next_batch(ALL).unwrap().is_empty(), "not flushed yet");
    writer.flush().unwrap();
    let first = reader.next_batch(BatchLimits { entries: 30, bytes: 1_000 }).unwrap();
    let second = reader.next_batch(ALL).unwrap();
    assert_eq!((first.len(), second.len()), (30, 70));
    assert_eq!([texts(&first), texts(&second)].concat(), taken);
    let ids: Vec<u64> = first.iter().chain(&second).map(|entry| entry.id).collect();
    assert_eq!(ids, (1..=100).collect::<Vec<_>>());
    assert_eq!(status.waiting(), reader.waiting());
    assert_eq!(status.waiting().entries, 100);
    reader.acknowledge(99).unwrap();
    assert_eq!(status.waiting().entries, 1);
    reader.rewind();
    let again = reader.next_batch(ALL).unwrap();
    assert_eq!(texts(&again), ["99"]);
    reader.acknowledge(again[0].id).unwrap();
    assert_eq!(status.waiting(), Waiting::default());
}

#[test]
fn a_restart_goes_on_behind_what_was_acknowledged() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions::new(directory.path());
    for round in 0..3 {
        let (mut writer, mut reader, status) = open(&options, &Clock::System).unwrap();
        let found = reader.next_batch(ALL).unwrap();
        let expected = if round == 0 { 0 } else { 5 };
        assert_eq!(found.len(), expected);
        assert_eq!(status.counts().found, expected as u64);
        if let Some(last) = found.last() {
            reader.acknowledge(last.id).unwrap();
        }
        for n in 0..10 {
            writer.append(format!("{round}/{n}").as_bytes(), Urgency::Ordinary).unwrap();
        }
        writer.flush().unwrap();
        let batch = reader.next_batch(BatchLimits { entries: 5, bytes: usize::MAX }).unwrap();
        assert_eq!(texts(&batch)[0], format!("{round}/0"));
        reader.acknowledge(batch[4].id).unwrap();
    }
}

#[test]
fn segments_behind_the_cursor_are_deleted() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions {
        max_bytes: 1 << 20,
        segment_bytes: 4 << 10,
        ..SpoolOptions::new(directory.path())
    };
    let (mut writer, mut reader, status) = open(&options, &Clock::System).unwrap();
    for n in 0..1_000 {
        writer.append(&[b'x'; 200], Urgency::ALL[n % 2]).unwrap();
    }
    writer.flush().unwrap();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    assert!(files() > 50, "{}", files());
    let all = reader.next_batch(ALL).unwrap();
    assert_eq!(all.len(), 1_000);
    reader.acknowledge(1_000).unwrap();
    assert_eq!(files(), 4, "the cursor, the lock and the last segments");
    assert_eq!(status.counts().acknowledged, 1_000);
}

#[test]
fn at_the_limit_ordinary_entries_go_first_and_urgent_ones_last() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions {
        max_bytes: 64 << 10,
        segment_bytes: 4 << 10,
        ..SpoolOptions::new(directory.path())
    };
    let (mut writer, mut reader, status) = open(&options, &Clock::System).unwrap();
    for n in 0..300_u32 {
        let urgency = if n < 100 { Urgency::Urgent } else { Urgency::Ordinary };
        let _ = writer.append(format!("{n:0300}").as_bytes(), urgency);
        writer.flush().unwrap();
    }
    let kept = reader.next_batch(ALL).unwrap();
    let urgent = kept.iter().filter(|entry| entry.urgency == Urgency::Urgent).count();
    assert_eq!(urgent, 100);
    assert!(texts(&kept).last().unwrap().ends_with("299"));
    let counts = status.counts();
    assert_eq!(counts.evicted_bytes + counts.waiting, 300, "{counts:?}");
    assert!(counts.evicted_bytes > 50);
}

#[test]
fn a_second_spool_in_the_same_directory_is_refused_by_name() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions::new(directory.path().join("deep/spool"));
    let first = open(&options, &Clock::System).unwrap();
    let error = open(&options, &Clock::System).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(error.to_string().contains("deep/spool"), "{error}");
    drop(first);
    open(&options, &Clock::System).unwrap();
}

#[test]
fn a_reader_that_waits_is_woken_by_a_flush_and_by_its_waker() {
    let directory = tempdir().unwrap();
    let options = SpoolOptions::new(directory.path());
    let (mut writer, reader, _) = open(&options, &Clock::System).unwrap();
    const LONG: Duration = Duration::from_secs(600);
    assert!(!reader.wait(Duration::ZERO));
    let waker: SpoolWaker = reader.waker();
    waker.wake();
    assert!(!reader.wait(LONG), "woken before it slept");
    let sleeper = std::thread::spawn(move || (reader.wait(LONG), reader.wait(LONG)));
    waker.wake();
    writer.append(b"x", Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    let (_, second) = sleeper.join().unwrap();
    assert!(second);
}

#[test]
fn what_waits_is_told_in_entries_bytes_and_age() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    place.clock.set_unix_ms(1_900_000_000_000);
    let now = || status.waiting().oldest_unix_ms;
    assert_eq!(now(), None);
    for n in 0..4 {
        writer.append(&content(n, 60), Urgency::Ordinary).unwrap();
        writer.flush().unwrap();
        place.clock.advance(Duration::from_secs(1));
    }
    assert_eq!((status.waiting().entries, status.waiting().bytes), (4, 400));
    assert_eq!(now(), Some(1_900_000_000_000));
    let batch = reader.next_batch(ALL).unwrap();
    reader.acknowledge(batch[1].id).unwrap();
    assert_eq!((status.waiting().entries, status.waiting().bytes), (2, 200));
    assert_eq!(now(), Some(1_900_000_002_000));
    reader.acknowledge(batch[3].id).unwrap();
    assert_eq!(status.waiting(), Waiting::default());
    place.clock.advance(Duration::from_secs(100));
    writer.append(&content(4, 60), Urgency::Urgent).unwrap();
    writer.flush().unwrap();
    assert_eq!(now(), Some(1_900_000_104_000), "not as old as the last one before");
}

#[test]
fn what_is_too_old_is_deleted_by_whichever_side_is_awake() {
    for by_reader in [true, false] {
        let place = Place::new(16);
        let (mut writer, mut reader, status) = place.open().unwrap();
        for n in 0..30 {
            writer.append(&content(n, 300), Urgency::Ordinary).unwrap();
        }
        writer.flush().unwrap();
        place.clock.advance(place.options.max_age);
        writer.flush().unwrap();
        assert_eq!(status.waiting().entries, 30, "not older than the limit");
        place.clock.advance(Duration::from_secs(1));
        if by_reader {
            // The last segment is the writer's.
            let left = reader.next_batch(ALL).unwrap().len() as u64;
            assert_eq!(status.counts().evicted_age, 30 - left);
            assert!((1..15).contains(&left));
        }
        writer.flush().unwrap();
        assert_adds_up(&status);
        let counts = status.counts();
        assert_eq!(counts.evicted_age + counts.waiting, 30);
        reader.rewind();
        assert_eq!(status.counts().evicted_age, 30);
        assert!(drain(&mut reader).is_empty());
        assert_lives(&place, &mut writer, &mut reader);
    }
}

#[test]
fn an_age_goes_on_over_a_restart() {
    let place = Place::new(16);
    for (days, left) in [(0, 1), (2, 2), (2, 2)] {
        place.clock.advance(Duration::from_secs(days * 24 * 3600));
        let (mut writer, _reader, status) = place.open().unwrap();
        writer.append(b"000001", Urgency::Ordinary).unwrap();
        writer.flush().unwrap();
        assert_eq!(status.waiting().entries, left);
    }
}

#[test]
fn an_entry_that_was_made_by_a_clock_nobody_had_set_is_not_taken_for_old() {
    let place = Place::new(16);
    place.clock.set_unix_ms(5_000);
    let (mut writer, reader, status) = place.open().unwrap();
    writer.append(b"000001", Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    place.clock.set_unix_ms(1_900_000_000_000);
    writer.flush().unwrap();
    drop((writer, reader, status));
    let (_writer, mut reader, _) = place.open().unwrap();
    assert_eq!(drain(&mut reader), [1]);
}

#[test]
fn an_entry_that_is_longer_than_a_segment_is_refused_and_the_longest_that_fits_is_not() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    assert_eq!(writer.append(&content(0, 4_057), Urgency::Urgent), Err(Refused::TooLong));
    writer.append(&content(1, 4_056), Urgency::Urgent).unwrap();
    writer.append(&content(2, 0), Urgency::Urgent).unwrap();
    writer.flush().unwrap();
    assert_eq!(status.counts().refused, 1);
    let batch = reader.next_batch(BatchLimits { entries: 9, bytes: 10 }).unwrap();
    assert_eq!(numbers(&batch), [1], "at least one, however long it is");
    assert_eq!(drain(&mut reader), [2]);
}

#[test]
fn an_ordinary_entry_is_refused_rather_than_an_urgent_one_deleted() {
    let place = Place::new(4);
    let (mut writer, mut reader, status) = place.open().unwrap();
    for n in 0..50 {
        writer.append(&content(n, 360), Urgency::Urgent).unwrap();
    }
    writer.flush().unwrap();
    let evicted = status.counts().evicted_bytes;
    assert!(evicted > 5);
    assert_eq!(writer.append(&content(50, 3_900), Urgency::Ordinary), Err(Refused::NoRoom));
    assert_eq!(status.counts().evicted_bytes, evicted);
    let kept = drain(&mut reader);
    assert_eq!(kept, (evicted as usize..50).collect::<Vec<_>>());
    assert_lives(&place, &mut writer, &mut reader);
}

#[test]
fn memory_is_bounded_while_the_disk_takes_nothing_and_urgent_entries_get_the_rest_of_it() {
    let place = Place { options: SpoolOptions::new("spool"), ..Place::new(4) };
    let (mut writer, mut reader, status) = place.open().unwrap();
    place.disk.set_room(Some(100));
    let mut taken = [0, 0];
    for (at, urgency) in Urgency::ALL.into_iter().enumerate() {
        for n in 0..10_000 {
            taken[at] += u64::from(writer.append(&content(n, 1_000), urgency).is_ok());
            assert!(writer.flush().is_err());
        }
    }
    assert!(writer.pending_bytes() <= 4 << 20);
    assert_eq!(taken, [2016, 2016], "half of 4 MiB each");
    assert_eq!(status.counts().refused + taken[0] + taken[1], 20_000);
    place.disk.set_room(None);
    place.clock.advance(Duration::from_secs(1));
    writer.flush().unwrap();
    assert_eq!(drain(&mut reader).len() as u64, taken[0] + taken[1]);
}

#[test]
fn more_than_65_536_entries_are_not_handed_out_without_an_acknowledgement() {
    let place = Place { options: SpoolOptions::new("spool"), ..Place::new(4) };
    let (mut writer, mut reader, _) = place.open().unwrap();
    for _ in 0..70_000 {
        writer.append(b"x", Urgency::Ordinary).unwrap();
    }
    writer.flush().unwrap();
    let first = reader.next_batch(ALL).unwrap();
    assert_eq!(first.len(), 65_536);
    assert!(reader.next_batch(ALL).unwrap().is_empty());
    assert!(!reader.wait(Duration::ZERO), "who waits would not sleep");
    reader.acknowledge(first[9].id).unwrap();
    assert!(reader.wait(Duration::ZERO));
    assert_eq!(reader.next_batch(ALL).unwrap().len(), 10);
}

#[test]
fn an_acknowledgement_of_what_is_not_in_flight_changes_nothing() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    for n in 0..5 {
        writer.append(&content(n, 60), Urgency::Ordinary).unwrap();
    }
    writer.flush().unwrap();
    for id in [0, 3, 99, u64::MAX] {
        reader.acknowledge(id).unwrap();
    }
    assert_eq!(status.waiting().entries, 5);
    let batch = reader.next_batch(BatchLimits { entries: 3, ..ALL }).unwrap();
    reader.acknowledge(batch[2].id + 1).unwrap();
    reader.acknowledge(batch[2].id).unwrap();
    reader.acknowledge(batch[0].id).unwrap();
    assert_eq!(status.waiting().entries, 2);
    assert_eq!(drain(&mut reader), [3, 4]);
}

#[test]
fn an_entry_that_is_deleted_while_it_is_in_flight_can_be_acknowledged_and_is_lost_if_it_is_not() {
    for acknowledged in [true, false] {
        let place = Place::new(4);
        let (mut writer, mut reader, status) = place.open().unwrap();
        for n in 0..8 {
            writer.append(&content(n, 460), Urgency::Ordinary).unwrap();
        }
        writer.flush().unwrap();
        let batch = reader.next_batch(BatchLimits { entries: 5, ..ALL }).unwrap();
        for n in 8..40 {
            writer.append(&content(n, 460), Urgency::Ordinary).unwrap();
        }
        writer.flush().unwrap();
        assert_adds_up(&status);
        if acknowledged {
            reader.acknowledge(batch[4].id).unwrap();
        }
        reader.rewind();
        assert_adds_up(&status);
        let rest = drain(&mut reader);
        let counts = status.counts();
        assert_eq!(rest.len() as u64 + counts.evicted_bytes + if acknowledged { 5 } else { 0 }, 40);
        assert_eq!((counts.waiting, counts.damaged), (0, 0));
    }
}

#[test]
fn a_limit_that_is_lower_than_before_holds_from_the_start() {
    let mut place = Place::new(64);
    let (mut writer, reader, _) = place.open().unwrap();
    for n in 0..200 {
        writer.append(&content(n, 300), Urgency::ALL[n % 2]).unwrap();
    }
    drop((writer, reader));
    place.options.max_bytes = 16 << 10;
    let (_writer, mut reader, status) = place.open().unwrap();
    assert!(place.disk.segment_bytes() <= 16 << 10);
    assert_eq!(drain(&mut reader).len() as u64 + status.counts().evicted_bytes, 200);
}
