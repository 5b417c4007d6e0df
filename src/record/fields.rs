//! Fields: the values of one event, span or context, as bytes in one buffer.
//!
//! Knows the byte form of a value. Does not know tracing, JSON or what a record is. The form has no
//! pointers, so the same bytes can be in the queue, in a file or in a test. A short run of fields
//! is inside the value itself; only a long one needs the heap.
//!
//! An entry is `tag key payload`. The tag's low bits name the type; its top bit says that a `u64`
//! with the value's original length follows the payload. The key is one byte: the index of the
//! name in the callsite, or 255 for a name that is written out (`u16` length, bytes). Integers are
//! little-endian. Texts are a `u32` length and UTF-8.

use crate::record::bytes::{ByteBuf, floor_char_boundary};
pub(crate) use crate::record::text_writer::TextWriter;
use std::fmt;

const OWN_NAME: u8 = 255;
const CUT: u8 = 0x80;
const LEN_BYTES: usize = 4;

/// The type of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    U64 = 1,
    I64 = 2,
    U128 = 3,
    I128 = 4,
    F64 = 5,
    False = 6,
    True = 7,
    Str = 8,
    Bytes = 9,
    Error = 10,
    Json = 11,
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::U64,
            2 => Self::I64,
            3 => Self::U128,
            4 => Self::I128,
            5 => Self::F64,
            6 => Self::False,
            7 => Self::True,
            8 => Self::Str,
            9 => Self::Bytes,
            10 => Self::Error,
            11 => Self::Json,
            _ => return None,
        })
    }
}

/// The name of a field: an index into its callsite's names, or the name itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// The place of the name in [`Callsite::fields`](crate::record::callsite::Callsite::fields).
    Index(u8),
    /// The name, for fields no callsite knows.
    Name(&'a str),
}

/// A captured value, typed as the caller gave it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// An unsigned integer.
    U64(u64),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer of 128 bits.
    U128(u128),
    /// A signed integer of 128 bits.
    I128(i128),
    /// A floating-point number, not necessarily finite.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// Text: a string, or what `Debug` or `Display` printed.
    Str(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// An error with its sources.
    Error(ErrorValue<'a>),
    /// JSON: any structured value, whole.
    Json(&'a str),
}

impl fmt::Display for Value<'_> {
    /// The value as plain text: a text as it is, bytes as hexadecimal digits, of an error only what
    /// it says itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U64(number) => number.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::U128(number) => number.fmt(f),
            Self::I128(number) => number.fmt(f),
            Self::F64(f64::INFINITY) => f.write_str("Infinity"),
            Self::F64(f64::NEG_INFINITY) => f.write_str("-Infinity"),
            Self::F64(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Str(text) | Self::Json(text) => text.fmt(f),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Error(error) => error.message.fmt(f),
        }
    }
}

/// The text of an error and of each of its sources, outermost first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorValue<'a> {
    /// What the error itself says.
    pub message: &'a str,
    sources: &'a [u8],
}

impl<'a> ErrorValue<'a> {
    /// What its sources say, from the nearest to the root cause.
    pub fn sources(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.sources;
        std::iter::from_fn(move || take_str(&mut rest))
    }
}

/// One entry of [`Fields`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'a> {
    /// Its name.
    pub key: Key<'a>,
    /// Its value, perhaps cut.
    pub value: Value<'a>,
    /// How many bytes the value had before it was cut, if it was;
    /// [`UNKNOWN_BYTES`](Self::UNKNOWN_BYTES) if its formatting was stopped.
    pub original_bytes: Option<u64>,
}

impl Entry<'_> {
    /// The original length of a value whose `Debug` or `Display` was stopped: nobody knows it.
    pub const UNKNOWN_BYTES: u64 = u64::MAX;
}

/// The values of one event, span or context, in the order they were recorded.
///
/// ```
/// use logwell::record::{Fields, Key, Value};
///
/// let mut fields = Fields::new();
/// fields.push(Key::Name("user_id"), Value::U64(7));
/// let entry = fields.iter().next().unwrap();
/// assert_eq!((entry.key, entry.value), (Key::Name("user_id"), Value::U64(7)));
/// ```
#[derive(Clone)]
pub struct Fields {
    bytes: ByteBuf,
}

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: ByteBuf::new() }
    }

    /// The fields that these bytes tell of: what [`as_bytes`](Self::as_bytes) gave. If the bytes
    /// are invalid, the entries end where they cannot be read.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut fields = Self::new();
        fields.bytes.push(bytes);
        fields
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 0
    }

    /// Their size as bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes they take on the heap: 0 for an ordinary event.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bytes.heap_bytes()
    }

    /// Adds a value as it is.
    #[inline(always)] // the type is mostly known where it is called: then one arm is left
    pub fn push(&mut self, key: Key<'_>, value: Value<'_>) {
        match value {
            Value::U64(v) => self.push_word(Tag::U64, key, v.to_le_bytes()),
            Value::I64(v) => self.push_word(Tag::I64, key, v.to_le_bytes()),
            Value::U128(v) => self.push_fixed(Tag::U128, key, v.to_le_bytes()),
            Value::I128(v) => self.push_fixed(Tag::I128, key, v.to_le_bytes()),
            Value::F64(v) => self.push_word(Tag::F64, key, v.to_le_bytes()),
            Value::Bool(v) => self.push_fixed(if v { Tag::True } else { Tag::False }, key, []),
            Value::Str(v) => self.push_cut(key, Value::Str(v), usize::MAX),
            Value::Bytes(v) => self.push_cut(key, Value::Bytes(v), usize::MAX),
            Value::Json(v) => {
                self.push_head(Tag::Json, key);
                self.push_len(v.len());
                self.bytes.push(v.as_bytes());
            }
            Value::Error(v) => self.push_error(key, v),
        }
    }

    /// Adds a value of at most eight bytes, if it needs no heap: what most numbers are.
    #[inline(always)]
    pub(crate) fn push_small(&mut self, index: u8, value: Value<'_>) -> bool {
        match value {
            Value::U64(v) => self.push_inline_word(Tag::U64, index, v.to_le_bytes()),
            Value::I64(v) => self.push_inline_word(Tag::I64, index, v.to_le_bytes()),
            Value::F64(v) => self.push_inline_word(Tag::F64, index, v.to_le_bytes()),
            Value::Bool(v) => {
                let tag = if v { Tag::True } else { Tag::False };
                self.bytes.push_inline([tag as u8, index], &[])
            }
            _ => false,
        }
    }

    /// Adds a whole text, if it needs no heap.
    #[inline(always)]
    pub(crate) fn push_short(&mut self, index: u8, text: &str) -> bool {
        let [a, b, c, d] = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.bytes.push_inline([Tag::Str as u8, index, a, b, c, d], text.as_bytes())
    }

    fn push_error(&mut self, key: Key<'_>, error: ErrorValue<'_>) {
        let mut writer = self.error(key, usize::MAX);
        for text in std::iter::once(error.message).chain(error.sources()) {
            let write = |out: &mut TextWriter<'_>| {
                let _ = fmt::Write::write_str(out, text);
                Ok(())
            };
            writer.text(write, as_it_is);
        }
        writer.finish();
    }

    /// Adds a text or bytes of which at most `limit_bytes` are kept.
    #[inline]
    pub fn push_cut(&mut self, key: Key<'_>, value: Value<'_>, limit_bytes: usize) {
        let (tag, bytes, kept) = match value {
            Value::Str(text) => {
                let kept = floor_char_boundary(text, limit_bytes);
                (Tag::Str, text.as_bytes(), kept)
            }
            Value::Bytes(bytes) => (Tag::Bytes, bytes, bytes.len().min(limit_bytes)),
            other => return self.push(key, other),
        };
        let start = self.bytes.len();
        match key {
            Key::Index(index) => {
                let [a, b, c, d] = u32::try_from(kept).unwrap_or(u32::MAX).to_le_bytes();
                self.bytes.push_array([tag as u8, index, a, b, c, d]);
            }
            Key::Name(_) => {
                self.push_head(tag, key);
                self.push_len(kept);
            }
        }
        self.bytes.push(bytes.get(..kept).unwrap_or_default());
        if kept < bytes.len() {
            self.mark_cut(start, bytes.len() as u64);
        }
    }

    /// Adds a text that is being formatted, of which at most `limit_bytes` are kept.
    ///
    /// Whatever `format` does, the entry is whole afterwards: if it fails, the text it fails with
    /// replaces the value. Its writes fail soon after the limit. What `redact` returns for the text
    /// that is kept, and whether it was cut, replaces it.
    pub(crate) fn format(
        &mut self,
        key: Key<'_>,
        limit_bytes: usize,
        format: impl FnOnce(&mut TextWriter<'_>) -> Result<(), &'static str>,
        redact: impl FnOnce(&[u8], bool) -> Option<String>,
    ) {
        let start = self.bytes.len();
        match (key, self.bytes.place()) {
            (Key::Index(index), Some(head)) => *head = [Tag::Str as u8, index, 0, 0, 0, 0],
            _ => {
                self.bytes.truncate(start);
                self.push_head(Tag::Str, key);
                self.push_len(0);
            }
        }
        let original = self.push_text(limit_bytes, format, redact);
        if let Some(original) = original {
            self.mark_cut(start, original);
        }
    }

    /// Adds an error text by text; see [`ErrorWriter`].
    pub(crate) fn error(&mut self, key: Key<'_>, limit_bytes: usize) -> ErrorWriter<'_> {
        let start = self.bytes.len();
        self.push_head(Tag::Error, key);
        self.push_len(0);
        let body = self.bytes.len();
        ErrorWriter { fields: self, start, body, limit_bytes, original_bytes: 0, cut: false }
    }

    /// The entries, in the order they were added.
    #[must_use]
    pub fn iter(&self) -> Entries<'_> {
        Entries { rest: self.bytes.as_slice() }
    }

    /// The text that was added when they took so many bytes is JSON, if it is whole.
    pub(crate) fn mark_json(&mut self, start: usize) {
        if let Some(tag) = self.bytes.as_mut_slice().get_mut(start)
            && *tag == Tag::Str as u8
        {
            *tag = Tag::Json as u8;
        }
    }

    /// The entries that most records have, one by one; nothing in place of any other.
    pub(crate) fn plain(&self) -> PlainEntries<'_> {
        PlainEntries { rest: self.bytes.as_slice() }
    }

    /// Forgets all of them, and gives the heap back.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Forgets what was added since they took so many bytes.
    pub(crate) fn truncate(&mut self, len_bytes: usize) {
        self.bytes.truncate(len_bytes);
    }

    /// Has the processor fetch the bytes that are not far away from here, to be read soon.
    #[inline]
    pub(crate) fn touch(&self) {
        let bytes = self.bytes.as_slice();
        std::hint::black_box((
            bytes.first().copied(),
            bytes.get(64).copied(),
            bytes.get(128).copied(),
        ));
    }

    /// The bytes of the form described above.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Takes over `later`: a value of the same name replaces the earlier one in its place.
    pub(crate) fn merge(&mut self, later: &Self) {
        let mut merged = Self::new();
        for entry in self.iter() {
            let last = later.iter().filter(|other| other.key == entry.key).last();
            merged.push_entry(&last.unwrap_or(entry));
        }
        for entry in later.iter() {
            if !self.iter().any(|earlier| earlier.key == entry.key) {
                merged.push_entry(&entry);
            }
        }
        *self = merged;
    }

    /// Adds an entry of other fields.
    pub(crate) fn push_entry(&mut self, entry: &Entry<'_>) {
        let start = self.bytes.len();
        self.push(entry.key, entry.value);
        if let Some(original) = entry.original_bytes {
            self.mark_cut(start, original);
        }
    }

    /// A number of eight bytes, which most are: tag, key and payload in one go.
    #[inline]
    fn push_word(&mut self, tag: Tag, key: Key<'_>, payload: [u8; 8]) {
        match key {
            Key::Index(index) if self.push_inline_word(tag, index, payload) => {}
            _ => self.push_fixed(tag, key, payload),
        }
    }

    #[inline(always)]
    fn push_inline_word(&mut self, tag: Tag, index: u8, payload: [u8; 8]) -> bool {
        self.bytes.push_inline([tag as u8, index], &payload)
    }

    fn push_fixed<const N: usize>(&mut self, tag: Tag, key: Key<'_>, payload: [u8; N]) {
        self.push_head(tag, key);
        self.bytes.push_array(payload);
    }

    #[inline]
    fn push_head(&mut self, tag: Tag, key: Key<'_>) {
        match key {
            Key::Index(index) => self.bytes.push_array([tag as u8, index]),
            Key::Name(name) => self.push_own_name(tag, name),
        }
    }

    #[cold]
    fn push_own_name(&mut self, tag: Tag, name: &str) {
        let len = floor_char_boundary(name, usize::from(u16::MAX));
        self.bytes.push_array([tag as u8, OWN_NAME]);
        self.bytes.push_array(u16::try_from(len).unwrap_or(0).to_le_bytes());
        self.bytes.push(name.as_bytes().get(..len).unwrap_or_default());
    }

    fn push_len(&mut self, len: usize) {
        self.bytes.push_array(u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn set_len(&mut self, at: usize, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(slot) = self.bytes.as_mut_slice().get_mut(at..at + LEN_BYTES) {
            slot.copy_from_slice(&len);
        }
    }

    fn mark_cut(&mut self, start: usize, original_bytes: u64) {
        if let Some(tag) = self.bytes.as_mut_slice().get_mut(start) {
            *tag |= CUT;
        }
        self.bytes.push_array(original_bytes.to_le_bytes());
    }

    /// Writes a text, behind its length; returns the text's original length if it was cut.
    #[inline]
    fn push_text(
        &mut self,
        limit_bytes: usize,
        format: impl FnOnce(&mut TextWriter<'_>) -> Result<(), &'static str>,
        redact: impl FnOnce(&[u8], bool) -> Option<String>,
    ) -> Option<u64> {
        let start = self.bytes.len();
        let mut writer = TextWriter::new(&mut self.bytes, limit_bytes);
        let result = format(&mut writer);
        let mut original = writer.original_bytes().unwrap_or(Entry::UNKNOWN_BYTES);
        if let Err(placeholder) = result {
            self.bytes.truncate(start);
            self.bytes.push(placeholder.as_bytes());
            original = placeholder.len() as u64;
        }
        let mut is_cut = original > (self.bytes.len() - start) as u64;
        let text = self.bytes.as_slice().get(start..).unwrap_or_default();
        if let Some(redacted) = redact(text, is_cut) {
            let kept = floor_char_boundary(&redacted, limit_bytes);
            if kept < redacted.len() {
                (is_cut, original) = (true, original.max(redacted.len() as u64));
            }
            self.bytes.truncate(start);
            self.bytes.push(redacted.as_bytes().get(..kept).unwrap_or_default());
        }
        self.set_len(start - LEN_BYTES, self.bytes.len() - start);
        is_cut.then_some(original)
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|entry| (entry.key, entry.value))).finish()
    }
}

/// Adds an error: first its own text, then one text for each source.
pub(crate) struct ErrorWriter<'a> {
    fields: &'a mut Fields,
    start: usize,
    body: usize,
    limit_bytes: usize,
    original_bytes: u64,
    cut: bool,
}

impl ErrorWriter<'_> {
    pub(crate) fn text(
        &mut self,
        format: impl FnOnce(&mut TextWriter<'_>) -> Result<(), &'static str>,
        redact: impl FnOnce(&[u8], bool) -> Option<String>,
    ) {
        let before = self.fields.bytes.len();
        let room = self.limit_bytes.saturating_sub(before - self.body);
        self.fields.push_len(0);
        let original = self.fields.push_text(room, format, redact);
        let kept = (self.fields.bytes.len() - before - LEN_BYTES) as u64;
        self.cut |= original.is_some();
        self.original_bytes = self.original_bytes.saturating_add(original.unwrap_or(kept));
    }

    pub(crate) fn finish(self) {
        let len = self.fields.bytes.len() - self.body;
        self.fields.set_len(self.body - LEN_BYTES, len);
        if self.cut {
            self.fields.mark_cut(self.start, self.original_bytes);
        }
    }
}

/// Iterator over the entries of [`Fields`]. Stops where the bytes make no sense.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let mut rest = self.rest;
        let entry = take_entry(&mut rest);
        self.rest = if entry.is_some() { rest } else { &[] };
        entry
    }
}

/// A value of a usual type, named by its callsite and whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plain<'a> {
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    /// A text as bytes: what looks at each of them need not know beforehand that they are UTF-8.
    Str(&'a [u8]),
}

/// Iterator over the entries that are [`Plain`], with the indices of their names. After an entry
/// that is not, it makes no sense to go on.
#[derive(Debug)]
pub(crate) struct PlainEntries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for PlainEntries<'a> {
    type Item = Option<(u8, Plain<'a>)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| take_plain(&mut self.rest))
    }
}

#[inline]
fn take_plain<'a>(rest: &mut &'a [u8]) -> Option<(u8, Plain<'a>)> {
    let [tag, key] = take_array::<2>(rest)?;
    if key == OWN_NAME {
        return None;
    }
    // A cut value has a tag that is none of these.
    let value = match Tag::from_byte(tag)? {
        Tag::U64 => Plain::U64(u64::from_le_bytes(take_array(rest)?)),
        Tag::I64 => Plain::I64(i64::from_le_bytes(take_array(rest)?)),
        Tag::F64 => Plain::F64(f64::from_le_bytes(take_array(rest)?)),
        Tag::False => Plain::Bool(false),
        Tag::True => Plain::Bool(true),
        Tag::Str => Plain::Str(take_run(rest)?),
        Tag::U128 | Tag::I128 | Tag::Bytes | Tag::Error | Tag::Json => return None,
    };
    Some((key, value))
}

fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let [tag, key] = take_array::<2>(rest)?;
    let key = if key == OWN_NAME {
        let len = usize::from(u16::from_le_bytes(take_array(rest)?));
        Key::Name(std::str::from_utf8(take(rest, len)?).ok()?)
    } else {
        Key::Index(key)
    };
    let value = match Tag::from_byte(tag & !CUT)? {
        Tag::U64 => Value::U64(u64::from_le_bytes(take_array(rest)?)),
        Tag::I64 => Value::I64(i64::from_le_bytes(take_array(rest)?)),
        Tag::U128 => Value::U128(u128::from_le_bytes(take_array(rest)?)),
        Tag::I128 => Value::I128(i128::from_le_bytes(take_array(rest)?)),
        Tag::F64 => Value::F64(f64::from_le_bytes(take_array(rest)?)),
        Tag::False => Value::Bool(false),
        Tag::True => Value::Bool(true),
        Tag::Str => Value::Str(take_str(rest)?),
        Tag::Json => Value::Json(take_str(rest)?),
        Tag::Bytes => Value::Bytes(take_run(rest)?),
        Tag::Error => {
            let mut body = take_run(rest)?;
            let message = take_str(&mut body)?;
            Value::Error(ErrorValue { message, sources: body })
        }
    };
    let original_bytes = match tag & CUT {
        0 => None,
        _ => Some(u64::from_le_bytes(take_array(rest)?)),
    };
    Some(Entry { key, value, original_bytes })
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn take_run<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_le_bytes(take_array(rest)?);
    take(rest, len as usize)
}

fn take_str<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_run(rest)?).ok()
}

/// For texts in which nothing is to be replaced.
pub(crate) fn as_it_is(_: &[u8], _is_cut: bool) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn values_come_back_as_they_were_pushed() {
        let values = [
            Value::U64(u64::MAX),
            Value::I64(i64::MIN),
            Value::U128(u128::MAX),
            Value::I128(i128::MIN),
            Value::F64(-0.5),
            Value::Bool(true),
            Value::Bool(false),
            Value::Str("päth"),
            Value::Str(""),
            Value::Bytes(&[0, 255]),
        ];
        let mut fields = Fields::new();
        for (at, value) in values.iter().enumerate() {
            fields.push(Key::Index(at as u8), *value);
            fields.push(Key::Name("näme"), *value);
        }
        let back: Vec<_> = fields.iter().map(|entry| entry.value).collect();
        let twice: Vec<_> = values.iter().flat_map(|value| [*value, *value]).collect();
        assert_eq!(back, twice);
    }

    #[test]
    fn a_text_is_cut_on_a_character_boundary_and_says_how_long_it_was() {
        for limit in 0..=6 {
            let mut fields = Fields::new();
            fields.push_cut(Key::Index(0), Value::Str("aäöb"), limit);
            fields.format(
                Key::Index(1),
                limit,
                |text| {
                    let _ = text.write_str("aä").and_then(|()| text.write_str("öb"));
                    Ok(())
                },
                as_it_is,
            );
            let entries: Vec<_> = fields.iter().collect();
            let kept = ["", "a", "a", "aä", "aä", "aäö", "aäöb"][limit];
            for entry in &entries {
                assert_eq!(entry.value, Value::Str(kept));
                assert_eq!(entry.original_bytes, (limit < 6).then_some(6));
            }
            assert_eq!(entries.len(), 2);
        }
    }

    #[test]
    fn an_error_keeps_its_sources_in_order_within_its_limit() {
        let mut fields = Fields::new();
        let mut error = fields.error(Key::Index(0), 1_000);
        for text in ["outer", "middle", "root"] {
            error.text(|out| out.write_str(text).map_err(|_| "failed"), as_it_is);
        }
        error.finish();
        fields.push(Key::Index(1), Value::U64(1));
        let entries: Vec<_> = fields.iter().collect();
        let Value::Error(error) = entries[0].value else { panic!("an error") };
        assert_eq!(error.message, "outer");
        assert_eq!(error.sources().collect::<Vec<_>>(), ["middle", "root"]);
        assert_eq!(entries[1].value, Value::U64(1));
    }

    #[test]
    fn a_failed_text_leaves_a_placeholder_and_nothing_of_itself() {
        let mut fields = Fields::new();
        fields.format(
            Key::Index(0),
            100,
            |text| {
                let _ = text.write_str("half of it");
                Err("<panicked>")
            },
            as_it_is,
        );
        assert_eq!(fields.iter().next().unwrap().value, Value::Str("<panicked>"));
    }

    #[test]
    fn merging_replaces_in_place_and_appends_the_new() {
        let mut fields = Fields::new();
        fields.push(Key::Index(0), Value::U64(1));
        fields.push(Key::Index(1), Value::Str("old"));
        let mut later = Fields::new();
        later.push(Key::Index(1), Value::Str("newer"));
        later.push(Key::Index(2), Value::Bool(true));
        fields.merge(&later);
        let all: Vec<_> = fields.iter().map(|entry| (entry.key, entry.value)).collect();
        assert_eq!(
            all,
            [
                (Key::Index(0), Value::U64(1)),
                (Key::Index(1), Value::Str("newer")),
                (Key::Index(2), Value::Bool(true)),
            ]
        );
    }

    #[test]
    fn eight_ordinary_fields_need_no_heap() {
        let mut fields = Fields::new();
        for index in 0..8 {
            fields.push(Key::Index(index), Value::Str("twenty-two bytes here!"));
        }
        assert_eq!(fields.heap_bytes(), 0);
    }

    #[test]
    fn every_truncation_of_the_bytes_reads_without_a_panic() {
        let mut fields = Fields::new();
        fields.push(Key::Name("a"), Value::Str("text"));
        fields.push_cut(Key::Index(3), Value::Bytes(&[1, 2, 3]), 2);
        fields.push(Key::Index(4), Value::U128(9));
        for len in 0..fields.as_bytes().len() {
            let entries = Entries { rest: &fields.as_bytes()[..len] };
            assert!(entries.count() < 3);
        }
    }
}
