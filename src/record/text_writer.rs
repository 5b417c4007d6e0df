//! TextWriter: takes what a `Debug` or `Display` writes, up to a limit.
//!
//! Knows bytes and a limit. Does not know what is formatted, nor fields. Text goes in piece by
//! piece, and what is kept of it goes into a buffer; formatting that does not end is stopped.

use crate::record::bytes::{ByteBuf, floor_char_boundary};
use std::fmt;

/// So much is counted beyond the limit: of a value that is a little too long the length is known.
const COUNTED_BYTES: usize = 4 << 10;

/// Takes formatted text up to its limit, counts a little of the rest, and then stops the
/// formatting.
pub(crate) struct TextWriter<'a> {
    bytes: &'a mut ByteBuf,
    /// How much more is kept: nothing once something was left out, or the middle would be missing.
    room: usize,
    original: u64,
    /// With more than this the formatting is stopped.
    most: u64,
    is_stopped: bool,
}

impl<'a> TextWriter<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a mut ByteBuf, limit_bytes: usize) -> Self {
        let most = limit_bytes.saturating_add(COUNTED_BYTES) as u64;
        Self { bytes, room: limit_bytes, original: 0, most, is_stopped: false }
    }

    /// Whether text was refused since there was too much of it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// How much was written; `None` if the formatting was stopped.
    #[inline]
    pub(super) fn original_bytes(&self) -> Option<u64> {
        (!self.is_stopped).then_some(self.original)
    }

    #[cold]
    fn write_beyond(&mut self, text: &str) -> fmt::Result {
        if self.original > self.most {
            self.is_stopped = true;
            return Err(fmt::Error);
        }
        let kept = floor_char_boundary(text, std::mem::take(&mut self.room));
        self.original = self.original.saturating_add(text.len() as u64);
        self.bytes.push(text.as_bytes().get(..kept).unwrap_or_default());
        Ok(())
    }
}

impl fmt::Write for TextWriter<'_> {
    /// Fails once there is too much, and from then on: what is written in one go is still counted.
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.room {
            return self.write_beyond(text);
        }
        self.room -= text.len();
        self.original += text.len() as u64;
        self.bytes.push(text.as_bytes());
        Ok(())
    }
}
