//! A frame: one batch of packed records with its checksums, as the journal holds it.
//!
//! Knows: the bytes of a frame (docs/store-format.md, "Journal"). Must not know: files.
//! In: packed records, or bytes of any origin. Out: bytes, or frames and the gaps between them.

use crate::packed::Packed;
use std::io;
use std::ops::Range;

/// A batch, compressed, that lacks only its place in the journal.
#[derive(Debug)]
pub(crate) struct Body {
    payload: Vec<u8>,
    raw_bytes: u32,
    rows: u32,
    checksum: u32,
}

/// Where a frame belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the frame, rising by one from frame to frame.
    pub(crate) seq: u64,
    /// The number of the last deletion that was asked for before: those up to it concern the
    /// frame's records, later ones do not.
    pub(crate) epoch: u64,
}

/// A frame that was read.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) place: Place,
    pub(crate) packed: Packed,
}

impl Body {
    /// Compresses a batch. This is the expensive part of a commit, so it needs no lock.
    pub(crate) fn new(packed: &Packed) -> io::Result<Self> {
        let raw = packed.bytes();
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "a batch over 4 GiB");
        let packs = raw.len() >= WORTH_PACKING_BYTES;
        let payload =
            match packs.then(|| zstd::bulk::compress(raw, COMPRESSION_LEVEL)).transpose()? {
                Some(payload) if payload.len() < raw.len() => payload,
                _ => raw.to_vec(),
            };
        Ok(Self {
            raw_bytes: u32::try_from(raw.len()).map_err(too_large)?,
            rows: packed.len() as u32,
            checksum: crc32c::crc32c(&payload),
            payload,
        })
    }

    /// Appends the frame at its place.
    pub(crate) fn write(&self, place: Place, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        for number in [self.payload.len() as u32, self.raw_bytes, self.rows] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&place.seq.to_le_bytes());
        out.extend_from_slice(&place.epoch.to_le_bytes());
        out.extend_from_slice(&self.checksum.to_le_bytes());
        let header = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&header.to_le_bytes());
        out.extend_from_slice(&self.payload);
    }
}

/// What a scan found in a segment.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A whole frame.
    Frame(Frame),
    /// Bytes that are no frame.
    Gap(Range<usize>),
}

/// Reads the frames of a segment, and says where bytes are none. A gap at the end is what a crash
/// leaves; one before a frame is damage.
pub(crate) fn scan(bytes: &[u8], start: usize) -> impl Iterator<Item = Piece> {
    let mut at = start;
    let mut waiting: Option<(Frame, usize)> = None;
    std::iter::from_fn(move || {
        if let Some((frame, end)) = waiting.take() {
            at = end;
            return Some(Piece::Frame(frame));
        }
        let gap_start = at;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            if let Some((frame, length)) = read(rest) {
                if at > gap_start {
                    waiting = Some((frame, at + length));
                    return Some(Piece::Gap(gap_start..at));
                }
                at += length;
                return Some(Piece::Frame(frame));
            }
            at += 1 + next_magic(rest.get(1..).unwrap_or_default());
        }
        at = bytes.len();
        (gap_start < at).then_some(Piece::Gap(gap_start..at))
    })
}

/// The distance to the next place that looks like a frame, or to the end.
fn next_magic(bytes: &[u8]) -> usize {
    bytes.windows(MAGIC.len()).position(|window| window == MAGIC).unwrap_or(bytes.len())
}

/// The frame at the beginning of the bytes, and its length.
fn read(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let (checked, checksum) = header.split_at_checked(HEADER_BYTES - 4)?;
    if !checked.starts_with(&MAGIC) || checksum != crc32c::crc32c(checked).to_le_bytes() {
        return None;
    }
    let short = |at: usize| {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let long = |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
    let (length, raw_bytes, rows) = (short(4)?, short(8)?, short(12)?);
    let payload = rest.get(..length)?;
    if header.get(32..36)? != crc32c::crc32c(payload).to_le_bytes() {
        return None;
    }
    let raw = match length == raw_bytes {
        true => payload.to_vec(),
        false => zstd::bulk::decompress(payload, raw_bytes).ok()?,
    };
    let place = Place { seq: long(16)?, epoch: long(24)? };
    Some((Frame { place, packed: Packed::parse(raw, rows)? }, HEADER_BYTES + length))
}

const MAGIC: [u8; 4] = *b"LBf1";

/// Magic, three lengths, seq and epoch, two checksums.
const HEADER_BYTES: usize = 4 + 3 * 4 + 2 * 8 + 2 * 4;

/// Below this a batch hardly gets smaller.
const WORTH_PACKING_BYTES: usize = 512;

/// One of zstd's fast levels: the journal lives for seconds, and senders wait for it.
const COMPRESSION_LEVEL: i32 = -3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use proptest::prelude::*;

    fn segment(messages: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (seq, message) in messages.iter().enumerate() {
            let record = Record { message: message.repeat(100), ..Record::default() };
            let body = Body::new(&Packed::of([&record])).unwrap();
            body.write(Place { seq: seq as u64, epoch: 9 }, &mut bytes);
        }
        bytes
    }

    fn seqs(bytes: &[u8]) -> Vec<u64> {
        let seq = |piece| match piece {
            Piece::Frame(frame) => Some(frame.place.seq),
            Piece::Gap(_) => None,
        };
        scan(bytes, 0).filter_map(seq).collect()
    }

    #[test]
    fn frames_come_back_with_their_places_and_rows() {
        let bytes = segment(&["first ", "second "]);
        let pieces: Vec<Piece> = scan(&bytes, 0).collect();
        assert_eq!(pieces.len(), 2);
        let Piece::Frame(frame) = &pieces[1] else { panic!("{pieces:?}") };
        assert_eq!(frame.place, Place { seq: 1, epoch: 9 });
        assert_eq!(frame.packed.row(0).unwrap().message, "second ".repeat(100));
    }

    #[test]
    fn a_segment_cut_anywhere_keeps_every_whole_frame() {
        let bytes = segment(&["first ", "second "]);
        let first = segment(&["first "]).len();
        for length in 0..bytes.len() {
            assert_eq!(
                seqs(&bytes[..length]).len(),
                usize::from(length >= first),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_flipped_byte_costs_its_own_frame_only() {
        let bytes = segment(&["first ", "second ", "third "]);
        let first = segment(&["first "]).len();
        let second = segment(&["first ", "second "]).len();
        for at in first..second {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(seqs(&damaged), [0, 2], "byte {at}");
            let gaps = scan(&damaged, 0).filter(|piece| matches!(piece, Piece::Gap(_))).count();
            assert_eq!(gaps, 1, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn a_scan_of_any_bytes_covers_them_all(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let covered: usize = scan(&bytes, 0).map(|piece| match piece {
                Piece::Gap(range) => range.len(),
                Piece::Frame(_) => 0,
            }).sum();
            prop_assert_eq!(covered, bytes.len());
        }
    }
}
