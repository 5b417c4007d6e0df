//! Entry: the bytes of one entry, and how they are found again when bytes around them are damaged.
//!
//! Pure. Knows no file, no bound and no time. The layout is in `docs/spool-format.md`.

use super::options::MAX_ENTRY_BYTES;
use crc32c::{crc32c, crc32c_append};

/// What each entry begins with. The first byte is in no UTF-8 text, so a text never looks like the
/// beginning of an entry; the last is the version of the layout.
pub(super) const MARKER: [u8; 4] = [0xF5, b'L', b'W', 1];

/// Bytes before those of the content.
pub(super) const HEAD_BYTES: usize = 40;

/// Numbers are smaller than this, so that counting on from one that was read cannot overflow.
pub(super) const NUMBER_LIMIT: u64 = 1 << 63;

const LENGTH_AT: usize = 4;
const ID_AT: usize = 8;
const N_AT: usize = 16;
const TIME_AT: usize = 24;
const CONTENT_CRC_AT: usize = 32;
const HEAD_CRC_AT: usize = 36;

/// What is before the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The length of the content.
    pub(super) length: u32,
    /// Counts the entries of the spool.
    pub(super) id: u64,
    /// Counts the entries of the same urgency.
    pub(super) n: u64,
    /// When it was appended.
    pub(super) at_unix_ms: u64,
    content_crc: u32,
}

impl Head {
    /// The bytes of the entry.
    pub(super) fn entry_bytes(&self) -> usize {
        HEAD_BYTES.saturating_add(usize::try_from(self.length).unwrap_or(usize::MAX))
    }
}

/// Numbers and time of an entry that is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stub {
    pub(super) id: u64,
    pub(super) n: u64,
    pub(super) at_unix_ms: u64,
}

/// Appends an entry, all but the checksum of its head: that needs the segment it comes to be in.
pub(super) fn push(out: &mut Vec<u8>, stub: Stub, content: &[u8]) {
    out.reserve(HEAD_BYTES + content.len());
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&stub.id.to_le_bytes());
    out.extend_from_slice(&stub.n.to_le_bytes());
    out.extend_from_slice(&stub.at_unix_ms.to_le_bytes());
    out.extend_from_slice(&crc32c(content).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(content);
}

/// Completes the first entry in `bytes` for the segment of that seed.
pub(super) fn seal(bytes: &mut [u8], seed: u32) {
    if let Some((covered, rest)) = bytes.split_at_mut_checked(HEAD_CRC_AT)
        && let Some(crc) = rest.first_chunk_mut()
    {
        *crc = crc32c_append(seed, covered).to_le_bytes();
    }
}

/// The length of the first entry in bytes that [`push`] has made.
pub(super) fn first_bytes(bytes: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32_at(bytes, LENGTH_AT)?).ok()?;
    length.checked_add(HEAD_BYTES).filter(|whole| *whole <= bytes.len())
}

/// What the checksums of heads begin with: an entry is valid in its own segment only.
pub(super) fn seed(segment_name: &str) -> u32 {
    crc32c(segment_name.as_bytes())
}

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// An undamaged entry with its content.
    Entry(Head, &'a [u8]),
    /// So many bytes that are none.
    Nothing(usize),
    /// Perhaps an entry: it cannot be said with fewer than so many bytes.
    Unsure(usize),
}

/// Looks what the bytes begin with.
///
/// A length is believed only if the checksum of its head is right, so looking through any bytes
/// takes a time that grows with their number and no faster.
pub(super) fn look(bytes: &[u8], seed: u32) -> Found<'_> {
    if bytes.len() < MARKER.len() && MARKER.starts_with(bytes) {
        return Found::Unsure(HEAD_BYTES);
    }
    if bytes.starts_with(&MARKER) {
        if bytes.len() < HEAD_BYTES {
            return Found::Unsure(HEAD_BYTES);
        }
        if let Some(head) = head(bytes, seed) {
            return match bytes.get(HEAD_BYTES..head.entry_bytes()) {
                Some(content) if crc32c(content) == head.content_crc => Found::Entry(head, content),
                Some(_) => Found::Nothing(head.entry_bytes()),
                None => Found::Unsure(head.entry_bytes()),
            };
        }
    }
    let rest = bytes.get(1..).unwrap_or_default();
    let next = rest.iter().position(|byte| *byte == MARKER[0]).unwrap_or(rest.len());
    Found::Nothing(1 + next)
}

/// The head at the beginning of the bytes, if its checksum is right.
pub(super) fn head(bytes: &[u8], seed: u32) -> Option<Head> {
    let covered = bytes.get(..HEAD_CRC_AT)?;
    if u32_at(bytes, HEAD_CRC_AT)? != crc32c_append(seed, covered) || !covered.starts_with(&MARKER)
    {
        return None;
    }
    let head = Head {
        length: u32_at(bytes, LENGTH_AT)?,
        id: u64_at(bytes, ID_AT)?,
        n: u64_at(bytes, N_AT)?,
        at_unix_ms: u64_at(bytes, TIME_AT)?,
        content_crc: u32_at(bytes, CONTENT_CRC_AT)?,
    };
    let is_possible = head.entry_bytes() <= HEAD_BYTES + MAX_ENTRY_BYTES
        && head.id < NUMBER_LIMIT
        && head.n < NUMBER_LIMIT;
    is_possible.then_some(head)
}

/// The little-endian number there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The little-endian number there.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}
