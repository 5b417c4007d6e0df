//! Redaction: values of the application that are secrets, and what is in their place.
//!
//! Done by the log call, before anything else sees the value: no queue, black box, file, spool,
//! sink or server ever has it. Two rules: a field whose *name* says so ([`names`]) is masked whole,
//! and in texts the parts that look like secrets are ([`texts`]). What a callsite's names say is
//! found out once; a text is searched for a few signs, and looked at closely only where they are
//! found.
//!
//! Knows no record and no sink.

mod commands;
mod encoded;
mod keys;
mod label;
mod names;
mod neighbors;
mod pairs;
mod plain;
mod quotes;
mod sites;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;
mod urls;
mod values;

use crate::capture::options::RedactConfig;
use crate::record::bytes::floor_char_boundary;
use crate::record::callsite::Callsite;
use crate::record::fields::Entry;
use crate::record::fields::Fields;
use crate::record::fields::Key;
use crate::record::fields::Value;
use logwell_options::secret::MASK;
use names::Names;
use serde_json::Value as Json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use texts::Texts;

/// What is secret to a pipeline.
#[derive(Debug)]
pub(crate) struct Redaction {
    texts: Texts,
    /// Whether texts are looked through.
    looks_at_texts: bool,
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

    /// Whether that field is none, and not so far back in the list that it takes a closer look.
    #[inline]
    pub(crate) fn rule_out(self, index: usize) -> bool {
        index < LAST && self.0 >> index & 1 == 0
    }
}

impl Redaction {
    /// As the options say: `None` if it is off.
    pub(crate) fn new(config: &RedactConfig) -> Option<Arc<Self>> {
        config.enabled.then(|| Arc::new(Self::made(config)))
    }

    fn made(config: &RedactConfig) -> Self {
        Self {
            texts: Texts::new(Names::new(&config.fields, &config.keep)),
            looks_at_texts: config.texts,
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
        self.texts.names.is_secret(name.as_bytes())
    }

    /// Whether a number of that name is a secret: a password or a card's may be, a token's is a
    /// count.
    pub(crate) fn is_secret_number(&self, name: &str) -> bool {
        self.is_secret(name) && label::takes_numbers(name)
    }

    /// The text with a mask in place of each secret; `None` if there is none in it.
    ///
    /// The text is UTF-8; if it `is_cut`, a secret may end with it.
    #[inline]
    pub(crate) fn text(&self, text: &[u8], is_cut: bool) -> Option<String> {
        if self.may_be_in(text, is_cut) { self.texts.without(text, is_cut) } else { None }
    }

    /// Whether [`text`](Self::text) is to be asked at all.
    #[inline]
    pub(crate) fn may_be_in(&self, text: &[u8], is_cut: bool) -> bool {
        self.looks_at_texts && self.texts.may_be_in(text, is_cut)
    }

    /// The same for a text that is JSON as a whole, which it stays.
    pub(crate) fn json(&self, text: &[u8], is_cut: bool) -> Option<String> {
        if !self.texts.may_be_in(text, is_cut) {
            return None;
        }
        // Names count even if texts are not looked through.
        let Ok(mut json) = serde_json::from_slice(text) else {
            return self.texts.without(text, is_cut);
        };
        self.mask_json(&mut json).then(|| json.to_string())
    }

    /// The fields, which name themselves, with their secrets masked; `None` if they have none.
    pub(crate) fn pairs(&self, fields: &Fields) -> Option<Fields> {
        let mut found = false;
        let mut masked = Fields::new();
        for entry in fields.iter() {
            let redacted = match (entry.key, entry.value) {
                (_, Value::Bool(_)) | (Key::Index(_), _) => None,
                (
                    Key::Name(name),
                    Value::Str(_) | Value::Bytes(_) | Value::Error(_) | Value::Json(_),
                ) if self.is_secret(name) => Some(MASK.to_owned()),
                (Key::Name(name), _) if self.is_secret_number(name) => Some(MASK.to_owned()),
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
            Json::Object(members) => {
                let named = ["name", "key"].iter().find_map(|key| members.get(*key)?.as_str());
                let named = named.filter(|name| self.is_secret(name)).map(str::to_owned);
                members.iter_mut().fold(false, |found, (key, value)| {
                    // `{"name": "DB_PASSWORD", "value": "…"}`
                    let name = named.as_deref().filter(|_| key == "value").unwrap_or(key);
                    let masks = match value {
                        Json::Null | Json::Bool(_) => false,
                        Json::Number(_) => self.is_secret_number(name),
                        _ => self.is_secret(name),
                    };
                    if masks {
                        *value = Json::from(MASK);
                    }
                    (masks || self.mask_json(value)) | found
                })
            }
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

/// More of a value is not looked at to say whether it is a secret.
fn near(text: &str) -> &str {
    const MOST_BYTES: usize = 256;
    text.get(..floor_char_boundary(text, MOST_BYTES)).unwrap_or(text)
}

/// Whether it is too long for anything but a secret: a quote without an end, mostly.
fn is_long(content: &str) -> bool {
    near(content).len() < content.len()
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
