//! Fingerprint: what two messages of one kind have in common.
//!
//! `order 17 failed` and `order 18 failed` have the same fingerprint. Pure; knows text, not
//! records.

use crate::record::bytes::floor_char_boundary;

/// How much of a message is looked at, in bytes. What differs only behind that is one kind.
const MAX_SHAPE_BYTES: usize = 512;
/// What stands for whatever varies.
const HOLE: char = '#';
/// A word of hexadecimal digits at least that long varies, even without a decimal digit.
const MIN_HEX: usize = 8;
/// What joins parts of one value: an address, a path, a time, an id.
const JOINTS: [char; 8] = ['.', ':', '-', '/', '_', '+', '@', '%'];

/// The message without what varies from one time to the next.
///
/// - A word with a digit in it becomes `#`: numbers, ids, addresses, times, `0xdeadbeef`.
/// - So does what is in double quotes or backticks, with its quotes.
/// - So does a word of eight or more hexadecimal digits.
/// - Spaces and line ends become single spaces; holes in a row become one.
pub(super) fn shape(message: &str) -> String {
    let mut shape = String::new();
    let head = message.get(..floor_char_boundary(message, MAX_SHAPE_BYTES)).unwrap_or_default();
    let mut rest = head.trim_start();
    while let Some(c) = rest.chars().next() {
        let (length, piece) = match c {
            '"' | '`' => quoted(rest, c),
            c if c.is_whitespace() => (rest.len() - rest.trim_start().len(), Piece::Space),
            c if is_word(c) => word(rest),
            c => (c.len_utf8(), Piece::Other),
        };
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        piece.push(text, &mut shape);
        rest = after;
    }
    shape.truncate(shape.trim_end().len());
    shape
}

/// A part of a message.
enum Piece {
    Space,
    Varies,
    Other,
}

impl Piece {
    fn push(&self, text: &str, shape: &mut String) {
        match self {
            Self::Space => shape.push(' '),
            Self::Varies if shape.trim_end().ends_with(HOLE) => {
                shape.truncate(shape.trim_end().len());
            }
            Self::Varies => shape.push(HOLE),
            Self::Other => shape.push_str(text),
        }
    }
}

/// A text from one quotation mark to the next; a mark without a second is a mark.
fn quoted(rest: &str, mark: char) -> (usize, Piece) {
    let inner = rest.get(mark.len_utf8()..).unwrap_or_default();
    match inner.find(mark) {
        Some(length) => (length + 2 * mark.len_utf8(), Piece::Varies),
        None => (mark.len_utf8(), Piece::Other),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || JOINTS.contains(&c)
}

/// A word with its joints; those at its end are punctuation.
fn word(rest: &str) -> (usize, Piece) {
    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let word = rest.get(..length).unwrap_or(rest);
    let bare = word.trim_end_matches(JOINTS);
    match bare.is_empty() {
        true => (length, Piece::Other),
        false if varies(bare) => (bare.len(), Piece::Varies),
        false => (bare.len(), Piece::Other),
    }
}

fn varies(word: &str) -> bool {
    let is_hex = |part: &str| part.len() >= MIN_HEX && part.bytes().all(|b| b.is_ascii_hexdigit());
    word.contains(char::is_numeric) || word.split(JOINTS).any(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_varies_becomes_a_hole_and_the_rest_stays() {
        let cases = [
            ("order 17 failed", "order # failed"),
            ("order  18\n failed ", "order # failed"),
            (
                "cannot reach 10.0.0.1:5432: timed out after 30.5s.",
                "cannot reach #: timed out after #.",
            ),
            ("user \"Ann B.\" not found", "user # not found"),
            ("table `orders` is locked", "table # is locked"),
            ("it's broken", "it's broken"),
            ("half a \"quote", "half a \"quote"),
            ("request 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 died", "request # died"),
            ("object cafebabe is gone", "object # is gone"),
            ("a defaced cafe", "a defaced cafe"),
            ("values 1 2 3 end", "values # end"),
            ("values [1, 2]", "values [#, #]"),
            ("at 2026-02-19T10:30:00+00:00 it ended", "at # it ended"),
            ("/var/log/app.7.log: no space", "#: no space"),
            ("größe ٣ zu klein", "größe # zu klein"),
            ("...", "..."),
            ("", ""),
            ("17", "#"),
        ];
        for (message, expected) in cases {
            assert_eq!(shape(message), expected, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn any_message_has_a_short_shape_that_is_its_own(message in any::<String>()) {
            let once = shape(&message);
            prop_assert!(once.len() <= MAX_SHAPE_BYTES);
            prop_assert_eq!(shape(&once), once.clone(), "of {:?}", message);
        }

        #[test]
        fn numbers_and_names_in_quotes_make_no_difference(a in any::<u64>(), b in any::<u64>(), name in "[a-z ]*") {
            let with = |n: u64, name: &str| shape(&format!("order {n} of \"{name}\" failed, code {n:x}0"));
            prop_assert_eq!(with(a, "x"), with(b, &name));
        }
    }
}
