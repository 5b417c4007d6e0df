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
    let waker = reader.waker();
    waker.wake();
    assert!(!reader.wait(LONG), "woken before it slept");
    let sleeper = std::thread::spawn(move || (reader.wait(LONG), reader.wait(LONG)));
    waker.wake();
    writer.append(b"x", Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    let (_, second) = sleeper.join().unwrap();
    assert!(second);
}
