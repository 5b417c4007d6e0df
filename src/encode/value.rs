//! Value: one captured value as JSON, cut where it is too long.

use crate::encode::escape::must_escape;
use crate::encode::escape::push_escaped;
use crate::record::bytes::floor_char_boundary;
use crate::record::fields::{Entry, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Appends JSON as it is, but for characters that must not reach a reader: they can only be inside
/// its strings.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &str) {
    let mut utf16 = [0; 2];
    for c in text.chars() {
        if must_escape(c) {
            for unit in c.encode_utf16(&mut utf16) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// A value as plain text, for keys whose value is always a string.
pub(crate) fn to_text(value: &Value<'_>) -> String {
    match value {
        Value::Str(text) => (*text).to_owned(),
        Value::U64(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U128(number) => number.to_string(),
        Value::I128(number) => number.to_string(),
        Value::F64(number) => float_text(*number).into_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Bytes(bytes) => STANDARD.encode(bytes),
        Value::Error(error) => error.message.to_owned(),
        Value::Json(text) => (*text).to_owned(),
    }
}

fn float_text(number: f64) -> Cow<'static, str> {
    match number {
        n if n.is_nan() => Cow::Borrowed("NaN"),
        f64::INFINITY => Cow::Borrowed("Infinity"),
        f64::NEG_INFINITY => Cow::Borrowed("-Infinity"),
        n => Cow::Owned(zmij::Buffer::new().format_finite(n).to_owned()),
    }
}

/// Writes values, none longer than its limit, and remembers which were cut.
pub(crate) struct ValueWriter<'a> {
    limit_bytes: usize,
    cuts: Vec<(Cow<'a, str>, u64)>,
}

impl<'a> ValueWriter<'a> {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, cuts: Vec::new() }
    }

    /// Writes the value of an entry; `name` is asked for only if it was cut.
    pub(crate) fn push(
        &mut self,
        out: &mut Vec<u8>,
        name: impl FnOnce() -> Cow<'a, str>,
        entry: &Entry<'_>,
    ) {
        match entry.value {
            Value::U64(number) => push_number(out, number),
            Value::I64(number) => push_number(out, number),
            Value::U128(number) => match u64::try_from(number) {
                Ok(number) => push_number(out, number),
                Err(_) => push_string(out, itoa::Buffer::new().format(number)),
            },
            Value::I128(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => push_number(out, number),
                (_, Ok(number)) => push_number(out, number),
                _ => push_string(out, itoa::Buffer::new().format(number)),
            },
            Value::F64(number) if number.is_finite() => {
                out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
            }
            Value::F64(number) => push_string(out, &float_text(number)),
            Value::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Value::Str(text) => self.text(out, name, text, entry.original_bytes),
            Value::Error(error) => self.text(out, name, error.message, entry.original_bytes),
            Value::Json(text) if text.len() <= self.limit_bytes => push_json(out, text),
            Value::Json(text) => self.text(out, name, text, entry.original_bytes),
            Value::Bytes(bytes) => self.bytes(out, name, bytes, entry.original_bytes),
        }
    }

    /// Writes a text.
    pub(crate) fn text(
        &mut self,
        out: &mut Vec<u8>,
        name: impl FnOnce() -> Cow<'a, str>,
        text: &str,
        original_bytes: Option<u64>,
    ) {
        let end = floor_char_boundary(text, self.limit_bytes);
        let is_cut = end < text.len() || original_bytes.is_some();
        out.push(b'"');
        push_escaped(out, text.get(..end).unwrap_or_default());
        if is_cut {
            out.extend_from_slice("…".as_bytes());
            self.note_cut(name(), original_bytes.unwrap_or(text.len() as u64));
        }
        out.push(b'"');
    }

    fn bytes(
        &mut self,
        out: &mut Vec<u8>,
        name: impl FnOnce() -> Cow<'a, str>,
        bytes: &[u8],
        original_bytes: Option<u64>,
    ) {
        let kept = bytes.get(..self.limit_bytes).unwrap_or(bytes);
        out.push(b'"');
        out.extend_from_slice(STANDARD.encode(kept).as_bytes());
        out.push(b'"');
        if kept.len() < bytes.len() || original_bytes.is_some() {
            self.note_cut(name(), original_bytes.unwrap_or(bytes.len() as u64));
        }
    }

    /// Remembers that a value was cut, and how long it was, as [`Entry::original_bytes`] tells it.
    pub(crate) fn note_cut(&mut self, name: Cow<'a, str>, original: u64) {
        self.cuts.push((name, original));
    }

    /// How many values were cut so far.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.len()
    }

    /// Forgets what was cut since there were so many, since it is written again.
    pub(crate) fn forget_cuts_after(&mut self, cuts: usize) {
        self.cuts.truncate(cuts);
    }

    /// Which values were cut and how long they were, each name once.
    pub(crate) fn each_cut(&self) -> impl Iterator<Item = (&str, u64)> {
        self.cuts.iter().enumerate().filter_map(|(at, (name, original))| {
            let is_last = !self.cuts.iter().skip(at + 1).any(|(later, _)| later == name);
            is_last.then_some((name.as_ref(), *original))
        })
    }

    /// Writes which values were cut, each name once; `null` where the length is unknown.
    pub(crate) fn push_cuts(&self, out: &mut Vec<u8>) {
        let mut opening: &[u8] = b",\"truncated\":{";
        for (name, original) in self.each_cut() {
            out.extend_from_slice(opening);
            push_string(out, name);
            out.push(b':');
            match original {
                Entry::UNKNOWN_BYTES => out.extend_from_slice(b"null"),
                known => push_number(out, known),
            }
            opening = b",";
        }
        if !self.cuts.is_empty() {
            out.push(b'}');
        }
    }
}

pub(crate) fn push_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
