//! Redaction: values of the application that are secrets, and what stands in their place.
//!
//! Done by the log call, before anything else sees the value: no queue, black box, file, spool, sink or
//! server ever has it. Two rules: a field whose *name* says so ([`names`]) is masked whole, and in texts
//! the parts that look like secrets are ([`pairs`], [`tokens`], [`keys`]). What a callsite's names say is found out
//! once; a text is searched for a few letters, and looked at closely only where they are found.
//!
//! Knows no record and no sink.

mod keys;
mod names;
mod pairs;
#[cfg(test)]
mod tests;
mod tokens;
mod values;

use crate::capture::options::RedactConfig;
use crate::record::callsite::Callsite;
use crate::record::fields::{Entry, Fields, Key, Value};
use keys::Keys;
use logwell_options::secret::MASK;
use names::Names;
use serde_json::Value as Json;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

/// What is secret to a pipeline.
#[derive(Debug)]
pub(crate) struct Redaction {
    names: Names,
    /// Whether texts are looked through.
    texts: bool,
    keys: Keys,
    known: [OnceLock<Box<[AtomicU64; BLOCK]>>; BLOCKS],
}

/// Callsites whose answer is kept: more are asked each time.
const BLOCKS: usize = 64;
const BLOCK: usize = 256;

/// Which fields of a callsite are secret, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretFields(u64);

/// The top bit of the word: for all fields from the 63rd on, and that the word is there.
const LAST: usize = 62;
const IS_KNOWN: u64 = 1 << 63;

impl SecretFields {
    pub(crate) const NONE: Self = Self(0);

    /// Whether that field is one.
    #[inline]
    pub(crate) fn contain(self, index: usize) -> bool {
        self.0 != 0 && self.0 >> index.min(LAST) & 1 == 1
    }
}

impl Redaction {
    /// As the options say: nothing if it is off.
    pub(crate) fn new(config: &RedactConfig) -> Option<Arc<Self>> {
        config.enabled.then(|| Arc::new(Self::made(config)))
    }

    fn made(config: &RedactConfig) -> Self {
        Self {
            names: Names::new(&config.fields, &config.keep),
            texts: config.texts,
            keys: Keys::new(),
            known: [const { OnceLock::new() }; BLOCKS],
        }
    }

    /// What holds where no pipeline is in force.
    pub(crate) fn usual() -> &'static Arc<Self> {
        static USUAL: LazyLock<Arc<Redaction>> =
            LazyLock::new(|| Arc::new(Redaction::made(&RedactConfig::default())));
        &USUAL
    }

    /// Which fields of that callsite are secret.
    #[inline]
    pub(crate) fn fields_of(&self, callsite: &Callsite) -> SecretFields {
        let index = callsite.index();
        let block = self.known.get(index / BLOCK).and_then(OnceLock::get);
        let word = block.and_then(|block| block.get(index % BLOCK));
        match word.map_or(0, |word| word.load(Ordering::Relaxed)) {
            0 => self.find_out(callsite),
            known => SecretFields(known & !IS_KNOWN),
        }
    }

    #[cold]
    fn find_out(&self, callsite: &Callsite) -> SecretFields {
        let secret = callsite.fields().iter().enumerate();
        let secret = secret.filter(|(_, name)| self.is_secret(name));
        let fields = secret.fold(0, |fields, (index, _)| fields | 1 << index.min(LAST));
        if let Some(block) = self.known.get(callsite.index() / BLOCK) {
            let block = block.get_or_init(|| Box::new([const { AtomicU64::new(0) }; BLOCK]));
            if let Some(word) = block.get(callsite.index() % BLOCK) {
                word.store(fields | IS_KNOWN, Ordering::Relaxed);
            }
        }
        SecretFields(fields)
    }

    /// Whether the value of that name is a secret.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.names.is_secret(name.as_bytes())
    }

    /// The text with a mask in place of each secret; nothing if there is none in it.
    ///
    /// The text is UTF-8; if it `is_cut`, a secret may end with it.
    #[inline]
    pub(crate) fn text(&self, text: &[u8], is_cut: bool) -> Option<String> {
        if self.texts && self.may_be_in(text, is_cut) { self.without(text, is_cut) } else { None }
    }

    /// Whether it is worth a closer look: eight bytes at a time, since most texts are not.
    #[inline]
    fn may_be_in(&self, text: &[u8], is_cut: bool) -> bool {
        let (words, _) = text.as_chunks::<WORD>();
        let Some(last) = text.last_chunk::<WORD>() else {
            return self.may_be_near(text, 0, is_cut, &mut 0);
        };
        // Where the run ends that was looked at last.
        let mut looked_to = 0;
        let mut ask = |start: usize, word: [u8; WORD]| {
            is_striking(u64::from_le_bytes(word))
                && self.may_be_near(text, start, is_cut, &mut looked_to)
        };
        // The last eight bytes may have been looked at already, in part.
        words.iter().enumerate().any(|(at, word)| ask(at * WORD, *word))
            || ask(text.len() - WORD, *last)
            || self.keys.may_be_in(text)
    }

    #[inline(never)]
    fn may_be_near(&self, text: &[u8], start: usize, is_cut: bool, looked_to: &mut usize) -> bool {
        let word = text.iter().enumerate().skip(start).take(WORD);
        let mut separators =
            word.filter(|(_, byte)| matches!(byte, b':' | b'=')).map(|(at, _)| at).peekable();
        if separators.peek().is_some() {
            // A run that is long enough has another eight bytes, without any.
            return separators.any(|at| pairs::may_be_at(&self.names, text, at, is_cut));
        }
        if start < *looked_to {
            return false;
        }
        let run = tokens::run_around(text, start);
        *looked_to = run.end;
        tokens::may_be(text, &run)
    }

    #[cold]
    fn without(&self, text: &[u8], is_cut: bool) -> Option<String> {
        let text = match str::from_utf8(text) {
            Ok(text) => text,
            // The limit may have cut a character.
            Err(error) => str::from_utf8(text.get(..error.valid_up_to())?).ok()?,
        };
        let pairs = pairs::find(&self.names, text, is_cut);
        let tokens = tokens::find(text, is_cut);
        masked(text, pairs.chain(tokens).chain(self.keys.find(text)).collect())
    }

    /// The same for a text that is JSON as a whole, which it stays.
    pub(crate) fn json(&self, text: &[u8], is_cut: bool) -> Option<String> {
        if !self.may_be_in(text, is_cut) {
            return None;
        }
        // Names count even if texts are not looked through.
        let Ok(mut json) = serde_json::from_slice(text) else { return self.without(text, is_cut) };
        self.mask_json(&mut json).then(|| json.to_string())
    }

    /// The fields, which name themselves, with their secrets masked; nothing if they have none.
    pub(crate) fn pairs(&self, fields: &Fields) -> Option<Fields> {
        let mut found = false;
        let mut masked = Fields::new();
        for entry in fields.iter() {
            let redacted = match (entry.key, entry.value) {
                (_, Value::Bool(_)) | (Key::Index(_), _) => None,
                (Key::Name(name), _) if self.is_secret(name) => Some(MASK.to_owned()),
                (_, Value::Str(text)) => self.text(text.as_bytes(), entry.original_bytes.is_some()),
                _ => None,
            };
            found |= redacted.is_some();
            let value = redacted.as_deref().map_or(entry.value, Value::Str);
            masked.push_entry(&Entry { value, ..entry });
        }
        found.then_some(masked)
    }

    fn mask_json(&self, json: &mut Json) -> bool {
        match json {
            Json::Object(members) => members.iter_mut().fold(false, |found, (name, value)| {
                let is_plain = matches!(value, Json::Null | Json::Bool(_));
                let masks = !is_plain && self.is_secret(name);
                if masks {
                    *value = Json::from(MASK);
                }
                (masks || self.mask_json(value)) | found
            }),
            Json::Array(values) => {
                values.iter_mut().fold(false, |found, value| self.mask_json(value) | found)
            }
            Json::String(text) => match self.text(text.as_bytes(), false) {
                Some(masked) => {
                    *text = masked;
                    true
                }
                None => false,
            },
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }
}

/// So many bytes are looked at together.
const WORD: usize = size_of::<u64>();
const EACH: u64 = u64::MAX / 255;

/// Whether one of the eight bytes is `:` or `=`, or none separates words: then they may be in the midst
/// of a token. It may be said of others too; then a closer look finds nothing.
#[inline]
fn is_striking(word: u64) -> bool {
    const TOP: u64 = EACH * 0x80;
    let word = word & !TOP;
    // Its top bit is set in each byte that is another one. No sum reaches the next byte.
    let is_no = |word: u64, byte: u8| (word ^ (EACH * u64::from(byte))) + EACH * 0x7f;
    let no_pair = is_no(word, b':') & is_no(word, b'=');
    // `.` and `/` differ in their last bit; blanks and most signs are less than `-`.
    let no_end = is_no(word | EACH, b'/') & (word + EACH * u64::from(0x80 - b'-'));
    no_pair & TOP != TOP || no_end & TOP == TOP
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

/// Whether somebody's generator made it, and no writer of prose.
fn is_random(text: &str) -> bool {
    const LONG: usize = 24;
    let has = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
    let has_inner_capital =
        text.as_bytes().windows(2).any(|two| matches!(two, [b'a'..=b'z', b'A'..=b'Z']));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    text.len() >= LONG || text.len() >= 5 && (is_mixed || has_inner_capital)
}
