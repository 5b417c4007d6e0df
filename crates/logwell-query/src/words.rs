//! Words: how a text is cut into words, and how words, phrases and parts are found in it.
//!
//! Knows characters. Does not know fields or queries. Everything here ignores case by [`fold`],
//! and an index of words must be built with the same functions.

use memchr::{memchr_iter, memchr2_iter};

/// The character without its case, as far as that is one character. An ASCII letter is equal only
/// to its own other case, so that a search may look for bytes.
#[must_use]
pub fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) if !one.is_ascii() => one,
        _ => c,
    }
}

/// The text without its case, see [`fold`].
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Whether the character belongs to a script that is written without spaces. Each such character
/// is a word by itself, so that any part of a sentence is found as a phrase.
#[must_use]
pub fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Myanmar
        | 0x1780..=0x17FF // Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30FF // kana, and marks among Han
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF // Han
        | 0xAC00..=0xD7A3) // Hangul syllables
}

fn is_letter(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || c == '_',
        false => c.is_alphanumeric() && !is_ideograph(c),
    }
}

/// How many columns of a terminal the text takes: East Asian characters and emoji take two.
#[must_use]
pub fn columns(text: &str) -> usize {
    let is_wide = |c: char| {
        matches!(u32::from(c),
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
            | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6
            | 0x1F300..=0x1F64F | 0x1F900..=0x1F9FF | 0x20000..=0x3FFFD)
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// The words of a text, in order, as they are written: runs of letters, digits and `_`, and each
/// ideograph alone.
///
/// ```
/// use logwell_query::words;
///
/// let found: Vec<&str> = words("GET /api/v1: 支付 failed!").collect();
/// assert_eq!(found, ["GET", "api", "v1", "支", "付", "failed"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !is_letter(c) && !is_ideograph(c));
        let first = rest.chars().next()?;
        let end = match is_ideograph(first) {
            true => first.len_utf8(),
            false => rest.find(|c| !is_letter(c)).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(word)
    })
}

/// Words that follow one another in a text, whatever separates them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    source: String,
    words: Vec<String>,
    is_prefix: bool,
}

impl Phrase {
    /// The words of `source`; with `is_prefix` the last one need only begin so. Nothing if there is
    /// no word in it.
    #[must_use]
    pub fn new(source: &str, is_prefix: bool) -> Option<Self> {
        let words: Vec<String> = words(source).map(folded).collect();
        // `"payment "*` ends in a whole word and would find what it does not say.
        let is_prefix = is_prefix && source.chars().next_back().is_some_and(is_letter);
        (!words.is_empty()).then(|| Self { source: source.to_owned(), words, is_prefix })
    }

    /// The text of which it was made.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its words without their case. There is at least one.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the last word is the beginning of one.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// Whether the text has these words in a row.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let Some(first) = self.words.first().and_then(|word| word.chars().next()) else {
            return false;
        };
        let is_free = is_ideograph(first);
        some_place(text, first, |before, rest| {
            let starts = is_free || !before.chars().next_back().is_some_and(is_letter);
            starts && self.begins(rest)
        })
    }

    fn begins(&self, text: &str) -> bool {
        let mut rest = text;
        for (at, word) in self.words.iter().enumerate() {
            let Some(after) = strip_folded(rest, word) else { return false };
            let may_go_on = self.is_prefix && at + 1 == self.words.len();
            let goes_on = word.chars().next_back().is_some_and(is_letter)
                && after.chars().next().is_some_and(is_letter);
            if goes_on && !may_go_on {
                return false;
            }
            rest = after.trim_start_matches(|c| !is_letter(c) && !is_ideograph(c));
        }
        true
    }
}

/// A text that is found anywhere, inside words too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    source: String,
    folded: String,
}

impl Part {
    /// That text; nothing if it is empty.
    #[must_use]
    pub fn new(source: &str) -> Option<Self> {
        (!source.is_empty()).then(|| Self { source: source.to_owned(), folded: folded(source) })
    }

    /// The text of which it was made.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text without its case.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether the text has it somewhere.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let Some(first) = self.folded.chars().next() else { return false };
        some_place(text, first, |_, rest| strip_folded(rest, &self.folded).is_some())
    }
}

/// Whether `is_it` holds at some place at which the folded character `first` is. It gets what is
/// before the place, and what begins there.
fn some_place(text: &str, first: char, is_it: impl Fn(&str, &str) -> bool) -> bool {
    let holds =
        |at: usize| text.split_at_checked(at).is_some_and(|(before, rest)| is_it(before, rest));
    let bytes = text.as_bytes();
    match u8::try_from(first) {
        Ok(byte) if byte.is_ascii_lowercase() => {
            memchr2_iter(byte, byte.to_ascii_uppercase(), bytes).any(holds)
        }
        Ok(byte) if byte.is_ascii() => memchr_iter(byte, bytes).any(holds),
        _ => text.char_indices().any(|(at, c)| fold(c) == first && holds(at)),
    }
}

/// What follows the folded `start` at the beginning of the text.
fn strip_folded<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    if start.is_ascii() {
        let (head, rest) = text.split_at_checked(start.len())?;
        return head.eq_ignore_ascii_case(start).then_some(rest);
    }
    let mut rest = text.chars();
    start
        .chars()
        .all(|c| rest.next().is_some_and(|other| fold(other) == c))
        .then_some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(phrase: &str, text: &str) -> bool {
        Phrase::new(phrase, false).unwrap().is_in(text)
    }

    #[test]
    fn a_phrase_is_found_at_words_only_and_in_any_case() {
        assert!(finds("payment failed", "Order 7: PAYMENT -- failed!"));
        assert!(finds("fail", "fail"));
        assert!(!finds("fail", "failed"));
        assert!(!finds("ail", "fail"));
        assert!(!finds("payment failed", "payment has failed"));
        assert!(finds("10.0.0.1", "peer 10.0.0.1:8080"));
        assert!(finds("straße", "in der STRASSE und STRAßE"));
        assert!(!finds("k", "\u{212A}")); // the sign for Kelvin is no K
    }

    #[test]
    fn a_prefix_is_the_beginning_of_the_last_word() {
        let phrase = Phrase::new("pay fa", true).unwrap();
        assert!(phrase.is_in("pay failed") && phrase.is_in("pay fa"));
        assert!(!phrase.is_in("payment failed"));
    }

    #[test]
    fn a_part_of_a_chinese_sentence_is_found() {
        assert!(finds("支付失败", "订单42支付失败，请重试"));
        assert!(finds("42支付", "订单42支付失败"));
        assert!(!finds("付支", "支付"));
    }

    #[test]
    fn a_part_is_found_inside_words() {
        assert!(Part::new("EDI").unwrap().is_in("omsedi"));
        assert!(Part::new("é/").unwrap().is_in("CAFÉ/7"));
        assert!(!Part::new("edi").unwrap().is_in("omsed"));
    }

    proptest! {
        #[test]
        fn a_phrase_is_in_a_text_when_its_words_are_there_in_a_row(
            phrase in "[aAbé支 -]{1,6}", text in "[aAbÉé支付 _-]{0,16}", is_prefix: bool,
        ) {
            let Some(phrase) = Phrase::new(&phrase, is_prefix) else { return Ok(()) };
            let text_words: Vec<String> = words(&text).map(folded).collect();
            let (last, head) = phrase.words().split_last().unwrap();
            let expected = text_words.windows(head.len() + 1).any(|row| {
                let (row_last, row_head) = row.split_last().unwrap();
                row_head == head
                    && match phrase.is_prefix() {
                        true => row_last.starts_with(last),
                        false => row_last == last,
                    }
            });
            prop_assert_eq!(phrase.is_in(&text), expected);
        }

        #[test]
        fn a_part_is_in_a_text_when_the_folded_text_has_it(
            part in "[aAbé支 ]{1,3}", text in "[aAbÉé支付 ]{0,16}",
        ) {
            let expected = folded(&text).contains(&folded(&part));
            prop_assert_eq!(Part::new(&part).unwrap().is_in(&text), expected);
        }
    }
}
