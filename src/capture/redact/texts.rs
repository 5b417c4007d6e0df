//! Texts: one text is looked through, first in haste and then closely.
//!
//! Knows what to look for by [`pairs`], [`tokens`] and [`keys`]; knows no fields.

use super::encoded;
use super::keys::{self, Keys};
use super::names::Names;
use super::pairs;
use super::sites;
use super::tokens;
use logwell_options::secret::MASK;
use std::ops::Range;

/// What gives a secret in a text away.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) names: Names,
    keys: Keys,
}

impl Texts {
    pub(super) fn new(names: Names) -> Self {
        Self { names, keys: Keys::new() }
    }

    /// Whether it is worth a closer look. Most texts are not, and cost little more than to read.
    #[inline]
    pub(super) fn may_be_in(&self, text: &[u8], is_cut: bool) -> bool {
        strikes(text) && self.may_be_near(text, is_cut)
    }

    #[inline(never)]
    fn may_be_near(&self, text: &[u8], is_cut: bool) -> bool {
        let is_site = |at| self.is_site(text, at, is_cut);
        // Where the run ends that was looked at last.
        let mut looked_to = 0;
        let mut is_token = |at| {
            if at < looked_to {
                return false;
            }
            let run = tokens::run_around(text, at);
            looked_to = run.end;
            tokens::may_be(text, &run)
        };
        if text.len() <= STEP {
            return (0..text.len()).any(is_site) || is_token(STEP - 1);
        }
        any_block(text, |start, block| {
            let marks = Marks::of(block);
            // The site of a pair is at the comma, behind the quote.
            let is_near = |at| is_site(at) || text.get(at + 1) == Some(&b',') && is_site(at + 1);
            marks.any_sign(|at| is_near(start + at))
                || marks.have_run()
                    && [HALF - 1, STEP - 1].into_iter().any(|at| is_token(start + at))
        })
    }

    fn is_site(&self, text: &[u8], at: usize, is_cut: bool) -> bool {
        match text.get(at) {
            Some(b'%') => encoded::may_be_at(text, at),
            Some(b'-') if keys::may_end_head(text, at) => true,
            Some(&byte) if sites::is_sign(byte) => {
                sites::at(&self.names, text, at, is_cut).is_some()
            }
            _ => false,
        }
    }

    /// The text with a mask in place of each secret; `None` if there is none in it.
    #[cold]
    pub(super) fn without(&self, text: &[u8], is_cut: bool) -> Option<String> {
        const LEVELS: usize = 3;
        let text = match str::from_utf8(text) {
            Ok(text) => text,
            // The limit may have cut a character.
            Err(error) => str::from_utf8(text.get(..error.valid_up_to())?).ok()?,
        };
        let pairs = pairs::find(&self.names, text, is_cut);
        let encoded = pairs::find_encoded(&self.names, text, LEVELS);
        let tokens = tokens::find(text, is_cut);
        masked(text, pairs.chain(tokens).chain(encoded).chain(self.keys.find(text)).collect())
    }
}

/// So many bytes are looked at together.
const STEP: usize = 16;
/// A run that is long enough for a token covers so many of them, from some multiple on.
const HALF: usize = STEP / 2;

/// Whether something in the text may be a sign behind a name, or the midst of a token.
#[inline]
fn strikes(text: &[u8]) -> bool {
    if text.len() <= STEP {
        let marks = Marks::of_short(text);
        return marks.have_sign() | (marks.have_run() & (text.len() == STEP));
    }
    any_block(text, |_, block| {
        let marks = Marks::of(block);
        marks.have_sign() | marks.have_run()
    })
}

/// Asks for each sixteen bytes of a longer text, with the one after them and where they begin. The
/// last may have been asked for already, in part. No sign that ends a text matters.
#[inline]
fn any_block(text: &[u8], mut ask: impl FnMut(usize, &Block) -> bool) -> bool {
    let mut rest = text;
    while let Some(block) = rest.first_chunk() {
        if ask(text.len() - rest.len(), block) {
            return true;
        }
        rest = rest.get(STEP..).unwrap_or_default();
    }
    let last = text.last_chunk().filter(|_| rest.len() > 1);
    last.is_some_and(|block| ask(text.len() - block.len(), block))
}

/// What is looked at together, and the byte after it.
type Block = [u8; STEP + 1];

/// A high bit for each of sixteen bytes that may be a sign behind a name, a low one for each that
/// separates words. The compiler makes vectors of this.
#[derive(Clone, Copy)]
struct Marks([u64; 2]);

impl Marks {
    #[inline]
    fn of(block: &Block) -> Self {
        let [bytes @ .., _] = block;
        let [_, next @ ..] = block;
        Self::of_pairs([bytes, next])
    }

    /// Of a text that is not longer than that: its signs, not where they are. Its two halves
    /// overlap: so the number of bytes to read is known.
    #[inline]
    fn of_short(text: &[u8]) -> Self {
        let bytes = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
            let [first, last] = [first, last].map(|half| u128::from(u64::from_le_bytes(*half)));
            first | last << 64
        } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
            let [first, last] = [first, last].map(|half| u128::from(u32::from_le_bytes(*half)));
            first | last << 32
        } else {
            text.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte))
        };
        Self::of_pairs([&bytes.to_le_bytes(), &(bytes >> 8).to_le_bytes()])
    }

    /// Of sixteen bytes, and of those that follow each of them.
    #[inline]
    fn of_pairs([bytes, next]: [&[u8; STEP]; 2]) -> Self {
        let mut marks = [0_u8; STEP];
        for ((&byte, &next), mark) in bytes.iter().zip(next).zip(&mut marks) {
            // What may begin and end `",`, `--`, ` -`, ` "` and `("`; some more, for it is quicker.
            let begins = byte & 0xF0 == b' ';
            let ends = (next & 0xFA == b'"') | (next | 1 == b'-');
            // `:`, `=`, `>`, and what is between them
            let is_sign = (byte.wrapping_sub(b':') < 6) | (byte == b'%') | (begins & ends);
            let separates = (byte <= b'/') & (byte != b'-');
            *mark = if is_sign { 0x80 } else { 0 } | u8::from(separates);
        }
        let both = u128::from_le_bytes(marks);
        #[expect(clippy::cast_possible_truncation, reason = "each is one half")]
        Self([both as u64, (both >> 64) as u64])
    }

    #[inline]
    fn have_sign(self) -> bool {
        let Self([low, high]) = self;
        (low | high) & SIGNS != 0
    }

    /// Whether none of a half separates words: then it may be in the midst of a token.
    #[inline]
    fn have_run(self) -> bool {
        let Self([low, high]) = self;
        (low & SEPARATES == 0) | (high & SEPARATES == 0)
    }

    /// Asks for each sign, by where it is.
    #[inline]
    fn any_sign(self, mut ask: impl FnMut(usize) -> bool) -> bool {
        self.0.into_iter().zip([0, HALF]).any(|(half, start)| {
            let mut left = half & SIGNS;
            while left != 0 {
                if ask(start + left.trailing_zeros() as usize / 8) {
                    return true;
                }
                left &= left - 1;
            }
            false
        })
    }
}

/// A low, and a high bit, in each byte.
const SEPARATES: u64 = u64::MAX / 255;
const SIGNS: u64 = SEPARATES << 7;

/// The text with a mask in place of each of those parts.
fn masked(text: &str, mut secrets: Vec<Range<usize>>) -> Option<String> {
    secrets.sort_unstable_by_key(|secret| secret.start);
    let mut out = String::new();
    let mut at = 0;
    for secret in &secrets {
        if secret.start >= at {
            out.push_str(text.get(at..secret.start)?);
            out.push_str(MASK);
        }
        at = at.max(secret.end);
    }
    out.push_str(text.get(at..)?);
    (!secrets.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_striking_if_one_may_be_behind_a_name_or_none_of_a_half_separates_words() {
        for byte in 0..=255_u8 {
            for at in 0..STEP {
                let mut block = *b"abc_XYZ0abc_XYZ0.";
                block[at] = byte;
                // In the other half nothing separates words.
                assert!(Marks::of(&block).have_run(), "{block:?}");
                block[(at + HALF) % STEP] = b' ';
                for next in *b".,-'\"" {
                    block[at + 1] = next;
                    let marks = Marks::of(&block);
                    let is_two = matches!(byte, b' '..=b'/') && next != b'.';
                    let is_sign = matches!(byte, b':'..=b'?' | b'%') || is_two;
                    let mut signs = Vec::new();
                    marks.any_sign(|at| {
                        signs.push(at);
                        false
                    });
                    assert_eq!(signs, Vec::from_iter(is_sign.then_some(at)), "{block:?}");
                    assert_eq!((marks.have_sign(), marks.have_run()), (is_sign, is_full(&block)));
                }
            }
        }
    }

    #[test]
    fn a_sign_strikes_wherever_it_is_in_a_short_text() {
        for len in 1..=STEP {
            for at in 0..len {
                let mut text = vec![b'a'; len];
                assert!(!Marks::of_short(&text).have_sign());
                text[at] = b'=';
                assert!(Marks::of_short(&text).have_sign(), "{at} of {len}");
                if at + 1 < len {
                    text[at..at + 2].copy_from_slice(b"--");
                    assert!(Marks::of_short(&text).have_sign(), "{at} of {len}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_masked_has_struck_before(
            parts in prop::collection::vec(part(), 1..12), is_cut: bool
        ) {
            let texts = Texts::new(Names::new("pw", ""));
            let text = parts.concat();
            if texts.without(text.as_bytes(), is_cut).is_some() {
                prop_assert!(texts.may_be_in(text.as_bytes(), is_cut), "{text}");
            }
        }
    }

    /// What secrets are made of, and what is around them.
    fn part() -> impl Strategy<Value = String> {
        const PARTS: [&str; 30] = [
            "password",
            "pw",
            "token",
            "name",
            "value",
            ":",
            "=",
            " ",
            ">",
            "<",
            "</password>",
            "%3D",
            "\"",
            "'",
            ",",
            "(",
            ")",
            "--",
            "-",
            "https://",
            "@",
            "bearer ",
            "sk-",
            "ghp_",
            "12345678",
            "AAHq",
            "&",
            "user",
            "\n",
            "é",
        ];
        prop_oneof![
            4 => prop::sample::select(&PARTS[..]).prop_map(str::to_owned),
            1 => "[a-z0-9]{1,40}",
        ]
    }

    fn is_full(block: &Block) -> bool {
        let is_run = |byte: &u8| *byte >= b'-' && !matches!(byte, b'.' | b'/');
        block.chunks_exact(HALF).any(|half| half.iter().all(is_run))
    }
}
