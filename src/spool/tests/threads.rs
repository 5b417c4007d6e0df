//! Threads: writer and reader at the same time.

use super::*;
use std::collections::BTreeSet;
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
