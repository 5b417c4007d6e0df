//! The token filter of a row group: which words and parts of words its texts may have.
//!
//! Knows: words, pairs of ideographs, and runs of three characters, all without their case.
//! Must not know: columns, files. In: texts, or what a query looks for. Out: "no" or "maybe".
//!
//! Layout: the length of the words' filter (four bytes, little-endian), that filter, the bits of
//! the runs of three.

use super::template::each_word;
use crate::bloom::{self, Bloom};
use logwell_query::{Clue, fold, is_ideograph};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;

/// Collects the tokens of texts.
#[derive(Debug)]
pub(crate) struct Tokens {
    words: HashSet<u64, BuildHasherDefault<AsIs>>,
    runs: Vec<u64>,
}

/// What a text must have to match: all of these tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Needle {
    words: Vec<u64>,
    runs: Vec<u64>,
}

impl Tokens {
    /// Room for texts of so many bytes in all.
    pub(crate) fn new(text_bytes: usize) -> Self {
        let bits = (text_bytes * 4).next_power_of_two().clamp(512, RUN_BITS_MAX);
        Self { words: HashSet::default(), runs: vec![0; bits / 64] }
    }

    /// Adds a text: its words and its runs of three.
    pub(crate) fn add(&mut self, text: &str) {
        self.add_words(text);
        self.add_runs(text);
    }

    pub(crate) fn add_words(&mut self, text: &str) {
        each_word_hash(text, |hash| {
            self.words.insert(hash);
        });
    }

    pub(crate) fn add_runs(&mut self, text: &str) {
        let bits = self.runs.len() * 64;
        each_run(text, |hash| {
            // A power of two, so that this costs no division.
            let at = hash as usize & (bits - 1);
            if let Some(word) = self.runs.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        });
    }

    /// The bytes of the filter.
    pub(crate) fn encode(mut self) -> Vec<u8> {
        let mut words = Bloom::for_count(self.words.len());
        self.words.iter().for_each(|hash| words.insert(*hash));
        let words = words.to_bytes();
        // One bit in four at most: fold the bits in two until they are.
        let ones: u32 = self.runs.iter().map(|word| word.count_ones()).sum();
        while self.runs.len() > 8 && self.runs.len() * 64 / 2 >= ones as usize * 4 {
            let upper = self.runs.split_off(self.runs.len() / 2);
            self.runs.iter_mut().zip(upper).for_each(|(lower, upper)| *lower |= upper);
        }
        let mut bytes = (words.len() as u32).to_le_bytes().to_vec();
        bytes.extend(words);
        bytes.extend(self.runs.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

impl Needle {
    /// What a text must have to give the clue.
    pub(crate) fn of(clue: &Clue) -> Self {
        let mut needle = Self::default();
        let (word, text) = match clue {
            Clue::Word(word) => (Some(word), word),
            Clue::Whole(text) | Clue::Ideographs(text) => (None, text),
            Clue::Prefix(text) | Clue::Part(text) => (None, text),
        };
        needle.words.extend(word.map(|word| word_hash(word)));
        if let Clue::Whole(text) = clue {
            each_word_hash(text, |hash| needle.words.push(hash));
        }
        each_run(text, |hash| needle.runs.push(hash));
        let mut before = None;
        for c in text.chars() {
            let mut buffer = [0; 4];
            if is_ideograph(c) {
                let word = c.encode_utf8(&mut buffer);
                needle.words.push(word_hash(word));
                needle.words.extend(pair(&mut before, word));
            } else {
                before = None;
            }
        }
        // Ideographs may have anything between them, so that they need not form runs.
        if let Clue::Ideographs(_) = clue {
            needle.runs.clear();
        }
        needle
    }

    /// Whether a filter may have all the tokens. `read` returns so many bytes of the filter from
    /// a place on; `length` is that of the filter.
    pub(crate) fn may_be_in(
        &self,
        length: usize,
        read: &dyn Fn(usize, usize) -> io::Result<bytes::Bytes>,
    ) -> io::Result<bool> {
        let words_bytes = read(0, 4)?;
        let words_bytes = words_bytes.as_ref().try_into().map_or(0, u32::from_le_bytes) as usize;
        for hash in &self.words {
            let block = bloom::block_of(*hash, words_bytes);
            let block = read(4 + block.start, block.len())?;
            if !bloom::bytes_may_contain(&block, *hash) {
                return Ok(false);
            }
        }
        let runs_at = 4 + words_bytes;
        let run_bits = length.saturating_sub(runs_at) * 8;
        for hash in &self.runs {
            let Some(bit) = (*hash as usize).checked_rem(run_bits) else { return Ok(false) };
            let byte = read(runs_at + bit / 8, 1)?;
            if byte.first().is_none_or(|byte| byte >> (bit % 8) & 1 == 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Visits the hash of each word, and of each pair of ideographs that follow one another.
fn each_word_hash(text: &str, mut token: impl FnMut(u64)) {
    let mut before = None;
    each_word(text, |start, end| {
        let word = text.get(start..end).unwrap_or_default();
        token(word_hash(word));
        if let Some(pair) = pair(&mut before, word) {
            token(pair);
        }
    });
}

/// The hash of two ideographs in a row, whatever separates them.
fn pair(before: &mut Option<u64>, word: &str) -> Option<u64> {
    let is_ideograph = word.chars().next().is_some_and(is_ideograph);
    let hash = is_ideograph.then(|| word_hash(word));
    let first = std::mem::replace(before, hash)?;
    Some(mix(first.rotate_left(17) ^ hash?))
}

/// The hash of a word without its case.
fn word_hash(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    if word.is_ascii() {
        let bytes = word.as_bytes();
        hash ^= bytes.len() as u64;
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            for (lower, byte) in eight.iter_mut().zip(chunk) {
                *lower = byte.to_ascii_lowercase();
            }
            hash = mix(hash ^ u64::from_le_bytes(eight));
        }
        return hash;
    }
    for c in word.chars().map(fold) {
        hash = mix(hash ^ u64::from(c));
    }
    hash
}

/// Visits the hash of each three characters in a row, without their case.
fn each_run(text: &str, mut run: impl FnMut(u64)) {
    let mut window = [0_u64; 3];
    let mut push = |c: u64| {
        window = [window[1], window[2], c];
        if window[0] != 0 {
            // A character has 21 bits.
            let packed = window[0] << 42 ^ window[1] << 21 ^ window[2];
            run(packed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40);
        }
    };
    match text.is_ascii() {
        true => text.bytes().for_each(|byte| push(u64::from(byte.to_ascii_lowercase()) + 1)),
        false => text.chars().for_each(|c| push(u64::from(fold(c)) + 1)),
    }
}

fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
    product as u64 ^ (product >> 64) as u64
}

/// A hash that is one already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = mix(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// The most bits that runs are collected in, before they are folded. A run's hash has 24 bits.
const RUN_BITS_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;
    use logwell_query::{Filter, Literal, Need, Part, Phrase, Test, ValueRef};
    use proptest::prelude::*;

    fn may(needle: &Needle, filter: &[u8]) -> bool {
        let read =
            |at: usize, length: usize| Ok(bytes::Bytes::copy_from_slice(&filter[at..at + length]));
        needle.may_be_in(filter.len(), &read).unwrap()
    }

    fn may_need(need: &Need, filter: &[u8]) -> bool {
        match need {
            Need::All(needs) => needs.iter().all(|need| may_need(need, filter)),
            Need::Any(needs) => needs.iter().any(|need| may_need(need, filter)),
            Need::Text(_, clue) => may(&Needle::of(clue), filter),
        }
    }

    fn filter(texts: &[String]) -> Vec<u8> {
        let mut tokens = Tokens::new(texts.iter().map(String::len).sum());
        texts.iter().for_each(|text| tokens.add(text));
        tokens.encode()
    }

    proptest! {
        #[test]
        fn a_filter_never_denies_what_a_text_has(
            texts in prop::collection::vec(prop_oneof![text(), ".*"], 0..5), wanted in text(),
            prefix: bool, cut in 1_usize..6,
        ) {
            let filter = filter(&texts);
            let test = match (Phrase::new(&wanted, prefix), cut) {
                (Some(phrase), 2) => Test::Phrase(phrase),
                (_, 1) => Test::Equals(Literal::text(&wanted)),
                _ => match Part::new(&wanted.chars().skip(cut - 1).collect::<String>()) {
                    Some(part) => Test::Contains(part),
                    None => return Ok(()),
                },
            };
            let found = texts.iter().any(|text| test.matches(Some(ValueRef::Text(text))));
            let may = may_need(&Filter::Text(test).needs(), &filter);
            prop_assert!(!found || may);
        }
    }

    #[test]
    fn what_no_text_has_is_mostly_denied() {
        let texts: Vec<String> =
            (0..2000).map(|n| format!("order ORD-{n:05} 支付失败 in {n} ms")).collect();
        let filter = filter(&texts);
        let word = |word: &str| may(&Needle::of(&Clue::Word(word.to_owned())), &filter);
        assert!(word("order") && word("00042"));
        assert!(!word("payment"));
        let part = |text: &str| may(&Needle::of(&Clue::Part(text.to_owned())), &filter);
        assert!(part("付失") && !part("失付"));
        assert!(part("rder or") && !part("xyzzy"));
        let denied = (2000..4000).filter(|n| !word(&format!("{n:05}"))).count();
        assert!(denied > 1900, "{denied} of 2000");
    }
}
