//! Hashed: an entry of the spool that is a record's hash and its line.
//!
//! Knows the form of the entry. Knows neither the line's keys nor where it goes. In: a record; out:
//! 32 hexadecimal digits and one JSON object, which [`Batches`](super::Batches) takes apart again.

use super::destination::{Notice, Render};
use crate::encode::Encode;

/// Makes an entry of a record: its hash, and behind it what an encoder makes of it.
///
/// ```
/// use logwell::encode::json::{JsonEncoder, JsonOptions};
/// use logwell::forward::Hashed;
///
/// let render = Hashed::new(JsonEncoder::new(JsonOptions::default()));
/// # let _ = render;
/// ```
#[derive(Debug)]
pub struct Hashed<E>(E);

/// The digits before the line.
pub(super) const HASH_BYTES: usize = 32;

impl<E: Encode> Hashed<E> {
    /// With the lines of that encoder. Its limit should be below a quarter of the spool's bytes.
    #[must_use]
    pub fn new(encoder: E) -> Self {
        Self(encoder)
    }
}

impl<E: Encode> Render for Hashed<E> {
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(notice.hash.as_bytes());
        self.0.encode(notice.record, out);
        if out.last() == Some(&b'\n') {
            out.pop();
        }
    }
}

/// The hash and the line of an entry; no hash if it is no such entry.
pub(super) fn split(entry: &[u8]) -> (&str, &[u8]) {
    let parts = entry.split_at_checked(HASH_BYTES);
    let text = parts.and_then(|(hash, line)| Some((std::str::from_utf8(hash).ok()?, line)));
    text.unwrap_or(("", entry))
}
