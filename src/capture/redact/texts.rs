//! Texts: one text is looked through, first in haste and then closely.
//!
//! Knows what to look for by [`pairs`], [`tokens`] and [`keys`](super::keys); knows no fields.

use super::encoded;
use super::keys::Keys;
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

    /// Whether it is worth a closer look: sixteen bytes at a time, since most texts are not.
    #[inline]
    pub(super) fn may_be_in(&self, text: &[u8], is_cut: bool) -> bool {
        let Some(last) = text.len().checked_sub(STEP + 1) else {
            return self.may_be_in_short(text, is_cut);
        };
        // Where the run ends that was looked at last.
        let mut looked_to = 0;
        let mut ask = |start: usize| {
            let bytes = text.get(start..).and_then(<[u8]>::first_chunk);
            let next = text.get(start + 1..).and_then(<[u8]>::first_chunk);
            bytes.zip(next).is_some_and(|(bytes, next)| {
                is_striking(bytes, next) && self.may_be_near(text, start, is_cut, &mut looked_to)
            })
        };
        // The last bytes may have been looked at already, in part. No sign that ends a text
        // matters.
        (0..last).step_by(STEP).any(&mut ask) || ask(last) || self.keys.may_be_in(text)
    }

    /// The same for a text that is shorter than that: as if blanks followed it.
    fn may_be_in_short(&self, text: &[u8], is_cut: bool) -> bool {
        let mut padded = [b' '; STEP + 1];
        if let Some(start) = padded.get_mut(..text.len()) {
            start.copy_from_slice(text);
        }
        let halves = padded.first_chunk().zip(padded.last_chunk());
        halves.is_some_and(|(bytes, next)| is_striking(bytes, next))
            && self.may_be_near(text, 0, is_cut, &mut 0)
    }

    #[inline(never)]
    fn may_be_near(&self, text: &[u8], start: usize, is_cut: bool, looked_to: &mut usize) -> bool {
        // The comma behind a quote may be in what follows.
        let near = text.iter().enumerate().skip(start).take(STEP + 1);
        let may_be = |(at, byte): (usize, &u8)| match byte {
            b'%' => encoded::may_be_at(text, at),
            byte if sites::is_sign(*byte) => sites::at(&self.names, text, at, is_cut).is_some(),
            _ => false,
        };
        if near.clone().any(may_be) {
            return true;
        }
        [start + HALF - 1, start + STEP - 1].into_iter().any(|at| {
            if at < *looked_to {
                return false;
            }
            let run = tokens::run_around(text, at);
            *looked_to = run.end;
            tokens::may_be(text, &run)
        })
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

/// Whether one of the bytes may be a sign behind a name, or none of a half separates words: then it
/// may be in the midst of a token.
#[inline]
fn is_striking(bytes: &[u8; STEP], next: &[u8; STEP]) -> bool {
    let (mut signs, mut runs) = ([0_u8; STEP], [0_u8; STEP]);
    let all = bytes.iter().zip(next).zip(signs.iter_mut().zip(&mut runs));
    for ((&byte, &next), (sign, run)) in all {
        let is_sign = byte == b':' || byte == b'=' || byte == b'>' || byte == b'%';
        // `",`, `--`, ` -`, ` "` and `("`
        let is_quote = |byte: u8| byte == b'"' || byte == b'\'';
        let is_two = is_quote(byte) & (next == b',')
            | (byte == b'-' || byte == b' ') & (next == b'-')
            | (byte == b' ' || byte == b'(') & is_quote(next);
        *sign = u8::from(is_sign | is_two);
        let separates = byte < b'-' || byte == b'.' || byte == b'/';
        *run = u8::from(!separates);
    }
    let [low, high]: [u64; 2] = halves(runs);
    u128::from_ne_bytes(signs) != 0 || low == EACH || high == EACH
}

/// A one in each byte.
const EACH: u64 = u64::MAX / 255;

fn halves(bytes: [u8; STEP]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "each is one half")]
    [both as u64, (both >> 64) as u64]
}

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

    #[test]
    fn bytes_are_striking_if_one_may_be_behind_a_name_or_none_of_a_half_separates_words() {
        for byte in 0..=255_u8 {
            for at in 0..STEP {
                let mut bytes = *b"abc_XYZ0abc_XYZ0";
                bytes[at] = byte;
                // In the other half nothing separates words.
                assert!(is_striking(&bytes, b"................"), "{bytes:?}");
                bytes[(at + HALF) % STEP] = b' ';
                bytes[(at + 1) % STEP] = b'.';
                let is_one = matches!(byte, b':' | b'=' | b'>' | b'%') || is_full(&bytes);
                let strikes = |next: u8| is_striking(&bytes, &[next; STEP]);
                assert_eq!(strikes(b'.'), is_one);
                assert_eq!(strikes(b','), is_one || matches!(byte, b'"' | b'\''));
                // Each text here has a blank.
                assert!(strikes(b'-') && strikes(b'"') && strikes(b'\''));
                let mut bytes = bytes.map(|byte| if byte == b' ' { b'.' } else { byte });
                bytes[at] = byte;
                let strikes = |next: u8| is_striking(&bytes, &[next; STEP]);
                let is_one = matches!(byte, b':' | b'=' | b'>' | b'%') || is_full(&bytes);
                assert_eq!(strikes(b'-'), is_one || matches!(byte, b'-' | b' '));
                assert_eq!(strikes(b'"'), is_one || matches!(byte, b'(' | b' '));
            }
        }
    }

    fn is_full(bytes: &[u8; STEP]) -> bool {
        let is_run = |byte: &u8| *byte >= b'-' && !matches!(byte, b'.' | b'/');
        bytes.chunks(HALF).any(|half| half.iter().all(is_run))
    }
}
