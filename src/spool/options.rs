//! Options: the limits of a spool.

use std::path::PathBuf;
use std::time::Duration;

/// The longest entry, whatever the other limits are.
pub(crate) const MAX_ENTRY_BYTES: usize = 4 << 20;

/// A segment is not smaller than this.
const MIN_SEGMENT_BYTES: u64 = 4 << 10;

/// A segment is not larger than this.
const MAX_SEGMENT_BYTES: u64 = 64 << 20;

/// There is room for at least so many segments.
const MIN_SEGMENTS: u64 = 4;

/// A segment takes entries for at most this part of the maximal age.
const AGE_PARTS: u32 = 16;

/// Where a spool is and how much it may keep.
#[derive(Debug, Clone)]
pub(crate) struct SpoolOptions {
    /// The directory, for this spool alone. It is made (mode 0700) if it is not there.
    pub(crate) dir: PathBuf,
    /// How much the segments may take on the disk, together with what waits in memory to be
    /// written (256 MiB; at least 16 KiB). At the limit the oldest ordinary entries are deleted, a
    /// segment at a time, and the oldest urgent ones when no ordinary ones are left. Beside it
    /// there are 8 KiB of cursor, up to four segments set aside because nothing in them could be
    /// read, and for as long as the reader has it open, one deleted segment of each urgency.
    pub(crate) max_bytes: u64,
    /// Entries older than this are deleted, a segment at a time; they can become a sixteenth older
    /// (3 days).
    pub(crate) max_age: Duration,
    /// How large a segment becomes before the next is begun (4 MiB; from 4 KiB to 64 MiB, and at
    /// most a quarter of `max_bytes`). Smaller ones lose less at once at a limit; larger ones are
    /// fewer files.
    pub(crate) segment_bytes: u64,
}

impl SpoolOptions {
    /// A spool in that directory with the default limits.
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            max_bytes: 256 << 20,
            max_age: Duration::from_secs(3 * 24 * 60 * 60),
            segment_bytes: 4 << 20,
        }
    }

    /// The limits, made to fit each other.
    pub(super) fn limits(&self) -> Limits {
        let max_bytes = self.max_bytes.max(MIN_SEGMENTS * MIN_SEGMENT_BYTES);
        let most = MAX_SEGMENT_BYTES.min(max_bytes / MIN_SEGMENTS);
        Limits {
            max_bytes,
            max_age: self.max_age,
            segment_bytes: self.segment_bytes.clamp(MIN_SEGMENT_BYTES, most),
            segment_age: self.max_age / AGE_PARTS,
        }
    }
}

/// Limits that fit each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) segment_bytes: u64,
    /// How long a segment takes entries.
    pub(super) segment_age: Duration,
}

/// What goes first when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Urgency {
    /// Deleted first.
    Ordinary,
    /// Deleted when nothing ordinary is left.
    Urgent,
}

impl Urgency {
    /// Both, in the order in which they are deleted.
    pub(super) const ALL: [Self; 2] = [Self::Ordinary, Self::Urgent];

    /// How it is called in file names.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Urgent => "urgent",
        }
    }
}

/// Two values, one for each urgency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Each<T> {
    pub(super) ordinary: T,
    pub(super) urgent: T,
}

impl<T> Each<T> {
    /// Makes both.
    pub(super) fn new(mut make: impl FnMut(Urgency) -> T) -> Self {
        Self { ordinary: make(Urgency::Ordinary), urgent: make(Urgency::Urgent) }
    }

    pub(super) fn of(&self, urgency: Urgency) -> &T {
        match urgency {
            Urgency::Ordinary => &self.ordinary,
            Urgency::Urgent => &self.urgent,
        }
    }

    pub(super) fn of_mut(&mut self, urgency: Urgency) -> &mut T {
        match urgency {
            Urgency::Ordinary => &mut self.ordinary,
            Urgency::Urgent => &mut self.urgent,
        }
    }

    pub(super) fn both(&self) -> [&T; 2] {
        [&self.ordinary, &self.urgent]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_has_room_for_four_segments_whatever_is_asked() {
        for max_bytes in [0, 1, 16 << 10, 100_000, 256 << 20, u64::MAX] {
            for segment_bytes in [0, 4 << 10, 4 << 20, u64::MAX] {
                let options = SpoolOptions { max_bytes, segment_bytes, ..SpoolOptions::new("x") };
                let limits = options.limits();
                assert!(limits.segment_bytes >= MIN_SEGMENT_BYTES, "{limits:?}");
                assert!(limits.segment_bytes <= limits.max_bytes / 4, "{limits:?}");
            }
        }
    }
}
