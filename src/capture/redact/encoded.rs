//! Encoded: parts of a text in which signs are written as `%3D` and the like (RFC 3986).
//!
//! Such a part is decoded, looked through, and what is found is given as places in the original
//! text. Knows no names.

use std::ops::Range;

/// A word of a text, decoded.
pub(super) struct Decoded {
    pub(super) text: String,
    /// Where each byte of it begins in the text it is from, and where all of it ends.
    places: Vec<usize>,
}

impl Decoded {
    /// Where a value is in the text it is from. Its blanks are encoded as well: they do not end it,
    /// unless another pair follows.
    pub(super) fn place(&self, text: &str, value: &Range<usize>) -> Option<Range<usize>> {
        let (start, end) = (*self.places.get(value.start)?, *self.places.get(value.end)?);
        let rest = text.get(end..*self.places.last()?)?;
        if !rest.starts_with("%20") && !rest.starts_with('+') {
            return Some(start..end);
        }
        const ENDS: [&str; 6] = ["&", "%26", "%22", "%27", "%2C", "%0A"];
        let len = ENDS.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        let more = rest.get(..len)?;
        let is_value = !more
            .bytes()
            .enumerate()
            .any(|(at, byte)| byte == b'%' && may_be_at(more.as_bytes(), at));
        Some(start..if is_value { end + len } else { end })
    }
}

/// Whether a `:` or `=` is written so where that `%` is.
#[inline]
pub(super) fn may_be_at(text: &[u8], at: usize) -> bool {
    // `%25` is a `%`, of what was encoded twice.
    let mut rest = text.get(at + 1..).unwrap_or_default();
    while let [b'2', b'5', more @ ..] = rest {
        rest = more;
    }
    matches!(rest, [b'3', b'A' | b'D' | b'a' | b'd', ..])
}

/// The words in which a `:` or `=` is written so.
pub(super) fn find(text: &str) -> impl Iterator<Item = Decoded> + '_ {
    let mut end = 0;
    let signs = text.bytes().enumerate().filter(|(_, byte)| *byte == b'%');
    let encoded = signs.filter(|(at, _)| may_be_at(text.as_bytes(), *at));
    encoded.filter_map(move |(at, _)| {
        if at < end {
            return None;
        }
        let start = end + text.get(end..at)?.rfind(ends_word).map_or(0, |at| at + 1);
        let start = text
            .get(start..)
            .map_or(start, |rest| start + rest.char_indices().next().map_or(0, |(at, _)| at));
        let word = text.get(start..)?;
        let word = word.get(..word.find(ends_word).unwrap_or(word.len()))?;
        end = start + word.len();
        Some(decode(word, start))
    })
}

/// Signs that no encoded text has. All of them are ASCII.
fn ends_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

fn decode(word: &str, start: usize) -> Decoded {
    let mut text = Vec::with_capacity(word.len());
    let mut places = Vec::with_capacity(word.len() + 1);
    let (mut rest, mut at) = (word.as_bytes(), start);
    while let [first, behind @ ..] = rest {
        let code = behind.first_chunk::<2>().filter(|_| *first == b'%').and_then(hex);
        places.push(at);
        // One byte of a character that is not ASCII is none itself.
        text.push(match code {
            Some(code) if code.is_ascii() => code,
            Some(_) => b'_',
            None => *first,
        });
        let len = if code.is_some() { 3 } else { 1 };
        at += len;
        rest = rest.get(len..).unwrap_or_default();
    }
    places.push(at);
    Decoded { text: String::from_utf8(text).unwrap_or_default(), places }
}

fn hex(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? << 4 | low?).ok()
}
