//! Frame: a value as bytes with a version, a length and a checksum, and how it is found again.
//!
//! Knows: the head of a frame, damage and torn ends. Must not know: what a value means, or any
//! file. In: values; out: bytes, and back. The bytes are described in `docs/monitor-format.md`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;

/// What was found in a sequence of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenReport {
    /// Frames that were read.
    pub frames: usize,
    /// Bytes of a last frame that was not written to its end: it was never answered for.
    pub torn_bytes: usize,
    /// Bytes that are damaged, with the frames before and behind them intact. The file was kept
    /// beside it with `.bad` at its name's end.
    pub damaged_bytes: usize,
}

/// A frame is of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OtherVersion(pub(crate) u8);

/// One value as a frame.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> io::Result<Vec<u8>> {
    let content = serde_json::to_vec(value)?;
    let length = u32::try_from(content.len())
        .map_err(|_| io::Error::other("a commit of more than 4 GiB"))?;
    let mut frame = Vec::with_capacity(HEAD_BYTES + content.len());
    frame.extend(MARKER);
    frame.extend(length.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&frame), &content);
    frame.extend(checksum.to_le_bytes());
    frame.extend(content);
    Ok(frame)
}

/// Reads all frames that are intact, in their order. Never panics, and takes linear time in what is
/// intact.
pub(crate) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    mut each: impl FnMut(T),
) -> Result<OpenReport, OtherVersion> {
    let mut report = OpenReport::default();
    let (mut at, mut bad_from) = (0, None);
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((value, length)) = frame(rest)? else {
            bad_from.get_or_insert(at);
            at += 1 + rest.get(1..).and_then(next_marker).unwrap_or(rest.len() - 1);
            continue;
        };
        if let Some(from) = bad_from.take() {
            report.damaged_bytes += at - from;
        }
        each(value);
        report.frames += 1;
        at += length;
    }
    // Nothing intact follows: the write of the last frame did not come to its end.
    report.torn_bytes = bad_from.map_or(0, |from| bytes.len() - from);
    Ok(report)
}

/// The frame at the begin of these bytes, and its length.
fn frame<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<(T, usize)>, OtherVersion> {
    let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else { return Ok(None) };
    let (Some(marker), Some(length), Some(checksum)) =
        (head.get(..4), number(head.get(4..8)), number(head.get(8..)))
    else {
        return Ok(None);
    };
    if marker.get(..3) != MARKER.get(..3) {
        return Ok(None);
    }
    let content = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let Some(content) = content else { return Ok(None) };
    let summed = head.get(..8).map(crc32c::crc32c).unwrap_or_default();
    if crc32c::crc32c_append(summed, content) != checksum {
        return Ok(None);
    }
    match marker.last() {
        Some(&VERSION) => {}
        found => return Err(OtherVersion(found.copied().unwrap_or_default())),
    }
    let value = serde_json::from_slice(content).ok();
    Ok(value.map(|value| (value, HEAD_BYTES + content.len())))
}

fn number(bytes: Option<&[u8]>) -> Option<u32> {
    Some(u32::from_le_bytes(bytes?.try_into().ok()?))
}

fn next_marker(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|window| MARKER.starts_with(window))
}

/// The byte F5 is in no UTF-8 text, so no content of a frame looks like a marker.
const MARKER: [u8; 4] = [0xF5, b'L', b'M', VERSION];
pub(crate) const VERSION: u8 = 1;
/// Marker, length and checksum.
const HEAD_BYTES: usize = 12;
