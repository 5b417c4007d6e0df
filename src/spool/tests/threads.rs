//! Threads: writer and reader at the same time.

use super::*;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than any of this takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// Writes `count` entries while another thread reads; returns what came out and the counts.
fn run(segments: u64, count: usize) -> (Vec<usize>, SpoolCounts) {
    let place = Place::new(segments);
    let (mut writer, mut reader, status) = place.open().unwrap();
    let out = std::thread::scope(|scope| {
        let reads = scope.spawn(|| {
            let (deadline, mut out) = (Instant::now() + DEADLINE, Vec::new());
            for turn in 0.. {
                if out.last() == Some(&(count - 1)) {
                    break;
                }
                assert!(Instant::now() < deadline, "{} of {count}", out.len());
                let batch = reader.next_batch(BatchLimits { entries: 13, bytes: 5_000 }).unwrap();
                let Some(last) = batch.last() else {
                    reader.wait(DEADLINE);
                    continue;
                };
                if turn % 11 == 0 {
                    reader.rewind();
                } else {
                    reader.acknowledge(last.id).unwrap();
                    out.extend(numbers(&batch));
                }
                assert_adds_up(&status);
            }
            out
        });
        for n in 0..count {
            // An ordinary entry is refused when the reader has left too many urgent ones.
            let _ = writer.append(&content(n, 20 + n * 7 % 300), Urgency::ALL[n % 2]);
            if n % 17 == 0 {
                writer.flush().unwrap();
            }
            assert!(!reads.is_finished(), "the reader gave up");
        }
        writer.flush().unwrap();
        reads.join().unwrap()
    });
    assert_eq!(status.waiting().entries, 0);
    (out, status.counts())
}

#[test]
fn while_there_is_room_everything_comes_out_in_order() {
    let (out, counts) = run(10_000, 20_000);
    assert_eq!(out, (0..20_000).collect::<Vec<_>>());
    assert_eq!(counts.evicted_bytes + counts.damaged + counts.refused, 0, "{counts:?}");
}

#[test]
fn while_segments_are_deleted_under_the_reader_each_loss_is_counted_once() {
    let (out, counts) = run(8, 20_000);
    assert!(out.is_sorted());
    assert_eq!(out.iter().collect::<BTreeSet<_>>().len(), out.len(), "something came twice");
    let lost = counts.evicted_bytes + counts.refused;
    assert_eq!(out.len() as u64 + lost, 20_000, "{counts:?}");
    assert!(counts.evicted_bytes > 0);
    assert_eq!(counts.damaged, 0, "{counts:?}");
}

/// Takes entries of both urgencies, from number `from` on, and writes them.
fn write(writer: &mut SpoolWriter, from: usize, count: usize) {
    for n in from..from + count {
        let _ = writer.append(&content(n, 300), Urgency::ALL[n % 3 / 2]);
    }
    writer.flush().unwrap();
}

/// Reads some, takes it back, reads again, acknowledges; what came, in order.
fn read(reader: &mut SpoolReader, status: &SpoolStatus) -> Vec<usize> {
    let limits = BatchLimits { entries: 9, ..ALL };
    let taken_back = numbers(&reader.next_batch(limits).unwrap());
    assert!(taken_back.is_sorted(), "{taken_back:?}");
    assert_adds_up(status);
    reader.rewind();
    let mut out = Vec::new();
    for _ in 0..2 {
        let batch = reader.next_batch(limits).unwrap();
        out.extend(numbers(&batch));
        if let Some(last) = batch.last() {
            reader.acknowledge(last.id).unwrap();
        }
        assert_adds_up(status);
    }
    out
}

/// All that was taken came once and in order, or its loss is counted.
fn assert_whole(out: &[usize], count: usize, status: &SpoolStatus) {
    assert!(out.is_sorted(), "{out:?}");
    assert_eq!(out.iter().collect::<BTreeSet<_>>().len(), out.len(), "{out:?}");
    let counts = status.counts();
    assert_eq!((counts.damaged, counts.waiting), (0, 0), "{counts:?}");
    let lost = counts.evicted_bytes + counts.refused;
    assert_eq!(out.len() as u64 + lost, count as u64, "{counts:?}");
}

#[test]
fn whatever_is_written_between_any_two_calls_of_the_reader_comes_out_in_order_or_is_counted() {
    // A few fit; many push out what the reader is just reading.
    for count in [1, 6, 40, 90] {
        let mut call = 1;
        loop {
            let place = Place::new(6);
            let (mut writer, mut reader, status) = place.open().unwrap();
            write(&mut writer, 0, 40);
            let writer = Arc::new(Mutex::new(writer));
            let writes = Arc::clone(&writer);
            let at = place.disk.calls() + call;
            place.disk.meanwhile(at, move || write(&mut writes.lock().unwrap(), 40, count));
            let mut out = read(&mut reader, &status);
            if place.disk.calls() < at {
                assert!(call > 5, "{call}");
                break;
            }
            out.extend(drain(&mut reader));
            assert_whole(&out, 40 + count, &status);
            call += 1;
        }
    }
}

#[test]
fn whatever_is_read_between_any_two_calls_of_the_writer_comes_out_in_order_or_is_counted() {
    for count in [1, 6, 40, 90] {
        let mut call = 1;
        loop {
            let place = Place::new(6);
            let (mut writer, reader, status) = place.open().unwrap();
            write(&mut writer, 0, 40);
            let reader = Arc::new(Mutex::new(reader));
            let out = Arc::new(Mutex::new(Vec::new()));
            let at = place.disk.calls() + call;
            let (reads, taken, told) = (Arc::clone(&reader), Arc::clone(&out), status.clone());
            place.disk.meanwhile(at, move || {
                taken.lock().unwrap().extend(read(&mut reads.lock().unwrap(), &told));
            });
            write(&mut writer, 40, count);
            if place.disk.calls() < at {
                break;
            }
            let mut out = out.lock().unwrap().clone();
            out.extend(drain(&mut reader.lock().unwrap()));
            assert_whole(&out, 40 + count, &status);
            call += 1;
        }
    }
}

#[test]
fn what_is_half_written_is_not_read() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    writer.append(&content(0, 100), Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    writer.append(&content(1, 100), Urgency::Ordinary).unwrap();
    place.disk.set_room(Some(90));
    // The first write takes a part, the second fails, and the part cannot be taken back.
    place.disk.fail_at(place.disk.calls() + 3, io::ErrorKind::Other);
    writer.flush().unwrap_err();
    assert_eq!(place.disk.segment_bytes(), 140 + 90);
    assert_eq!(numbers(&reader.next_batch(ALL).unwrap()), [0]);
    place.disk.heal();
    place.clock.advance(Duration::from_millis(60));
    writer.flush().unwrap();
    assert_eq!(numbers(&reader.next_batch(ALL).unwrap()), [1]);
    assert_eq!(status.counts().damaged, 0);
}
