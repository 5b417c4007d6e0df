//! The whole: what is taken comes out, whatever happens to the disk.

mod basic;
mod calls;
mod damage;
mod fake;
mod format;
mod model;
mod process;
mod threads;

use super::index::{SpoolCounts, Waiting};
use super::open::open_on;
use super::reader::SpoolEntry;
use super::writer::Refused;
use super::*;
use crate::base::clock::{Clock, ManualClock};
use fake::FakeDisk;
use std::io;

const ALL: BatchLimits = BatchLimits { entries: usize::MAX, bytes: usize::MAX };

/// A spool on a fake disk, with a clock that is moved by hand.
struct Place {
    disk: FakeDisk,
    clock: ManualClock,
    options: SpoolOptions,
}

impl Place {
    /// Small segments, and room for `segments` of them.
    fn new(segments: u64) -> Self {
        let options = SpoolOptions {
            max_bytes: segments * (4 << 10),
            segment_bytes: 4 << 10,
            ..SpoolOptions::new("spool")
        };
        Self { disk: FakeDisk::default(), clock: ManualClock::new(), options }
    }

    fn open(&self) -> io::Result<(SpoolWriter, SpoolReader, SpoolStatus)> {
        open_on(Box::new(self.disk.clone()), &self.options, &Clock::Manual(self.clock.clone()))
    }
}

/// Conservation, at any moment.
fn assert_adds_up(status: &SpoolStatus) {
    let counts = status.counts();
    let gone = counts.acknowledged + counts.evicted_bytes + counts.evicted_age + counts.damaged;
    assert_eq!(counts.found + counts.written, gone + counts.waiting, "{counts:?}");
}

/// A content of that number: its length tells nothing about it.
fn content(number: usize, bytes: usize) -> Vec<u8> {
    let mut content = format!("{number:06}").into_bytes();
    content.resize(bytes.max(6), b'a' + u8::try_from(number % 26).unwrap());
    content
}

/// The number of a content, which must be whole.
fn number(bytes: &[u8]) -> usize {
    let number = std::str::from_utf8(&bytes[..6]).unwrap().parse().unwrap();
    assert_eq!(bytes, content(number, bytes.len()), "an entry came out changed");
    number
}

fn numbers(entries: &[SpoolEntry]) -> Vec<usize> {
    entries.iter().map(|entry| number(&entry.bytes)).collect()
}

/// Takes everything out and acknowledges it.
fn drain(reader: &mut SpoolReader) -> Vec<usize> {
    let mut out = Vec::new();
    let mut failures = 0;
    loop {
        match reader.next_batch(BatchLimits { entries: 7, bytes: 2_000 }) {
            Ok(batch) if batch.is_empty() => return out,
            Ok(batch) => {
                out.extend(numbers(&batch));
                reader.acknowledge(batch.last().unwrap().id).unwrap();
            }
            Err(error) => {
                failures += 1;
                assert!(failures < 100, "no progress: {error}");
            }
        }
    }
}

/// After whatever has happened, new entries come through.
fn assert_lives(place: &Place, writer: &mut SpoolWriter, reader: &mut SpoolReader) {
    place.disk.heal();
    place.clock.advance(std::time::Duration::from_secs(2));
    writer.flush().unwrap();
    reader.rewind();
    drain(reader);
    for n in 0..20 {
        writer.append(&content(900_000 + n, 50), Urgency::ALL[n % 2]).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(drain(reader), (900_000..900_020).collect::<Vec<_>>());
}
