//! Block: what records refer to, a callsite or a context, as bytes and back; pure.
//!
//! What comes back may have been written by anybody: every length is checked. Integers are
//! little-endian, texts a `u16` length and UTF-8.

use crate::record::bytes::floor_char_boundary;
use crate::record::callsite::{Callsite, Kind, Place};
use crate::record::fields::{Entry, Fields, Value};
use crate::record::level::Level;
use crate::record::span::{Id, SpanContext, SpanData};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A context is kept up to this length: first its long values are cut, then outer spans, and pairs,
/// go.
const MAX_CONTEXT_BYTES: usize = 6 << 10;
/// To such a length all values of a context are cut, to the first with which it fits.
const VALUE_BYTES: [usize; 6] = [2_048, 1_024, 512, 256, 128, 64];
/// What a span, an id and the pairs take at most beside their fields.
const SPAN_BYTES: usize = 6;
const NO_TEXT: u16 = u16::MAX;

/// Appends a callsite.
pub(super) fn push_callsite(out: &mut Vec<u8>, callsite: &Callsite) {
    out.push(callsite.level() as u8);
    out.push(match callsite.kind() {
        Kind::Plain => 0,
        Kind::Ai => 1,
        Kind::LogCrate => 2,
        Kind::Internal => 3,
    });
    out.extend_from_slice(&callsite.line().unwrap_or(0).to_le_bytes());
    push_text(out, Some(callsite.target()));
    push_text(out, Some(callsite.name()));
    push_text(out, callsite.module());
    push_text(out, callsite.file());
    callsite.fields().iter().for_each(|field| push_text(out, Some(field)));
}

/// The callsite that these bytes tell of. It is kept for the life of the process, like any, but
/// made only once.
pub(super) fn callsite(bytes: &[u8]) -> Option<&'static Callsite> {
    type Known = HashMap<Box<[u8]>, &'static Callsite>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    /// No program has so many; a box that somebody has made up is not to fill the memory.
    const MAX_KNOWN: usize = 20_000;

    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(callsite) = known.get(bytes) {
        return Some(callsite);
    }
    if known.len() >= MAX_KNOWN {
        return None;
    }
    let callsite = Callsite::leak(place(bytes)?);
    known.insert(bytes.into(), callsite);
    Some(callsite)
}

fn place(bytes: &[u8]) -> Option<Place> {
    fn keep(text: &str) -> &'static str {
        Box::leak(Box::from(text))
    }
    let mut bytes = Bytes(bytes);
    let level = *Level::ALL.get(usize::from(bytes.u8()?))?;
    let kind =
        *[Kind::Plain, Kind::Ai, Kind::LogCrate, Kind::Internal].get(usize::from(bytes.u8()?))?;
    let line = bytes.u32()?;
    let (target, name) = (bytes.text()??, bytes.text()??);
    let (module, file) = (bytes.text()?, bytes.text()?);
    let mut fields = Vec::new();
    while !bytes.0.is_empty() {
        fields.push(bytes.text()??);
    }
    Some(Place {
        level,
        target: keep(target),
        name: keep(name),
        module: module.map(keep),
        file: file.map(keep),
        line: (line > 0).then_some(line),
        fields: fields.into_iter().map(keep).collect(),
        kind,
    })
}

/// Appends a context. `callsite_at` says where a span's callsite stands, if there is room for it.
pub(super) fn push_context(
    out: &mut Vec<u8>,
    context: &SpanContext,
    mut callsite_at: impl FnMut(&'static Callsite) -> Option<u16>,
) {
    let start = out.len();
    push_id(out, context.trace_id());
    push_id(out, context.span_id());
    let value_bytes = value_bytes(context, MAX_CONTEXT_BYTES - (out.len() - start));
    let count_at = out.len();
    out.extend_from_slice(&[0; 2]);
    let mut count = 0_u16;
    for span in context.span().into_iter().flat_map(SpanData::leaf_to_root) {
        let fields = shortened(&span.fields, value_bytes);
        if out.len() - start + fields.len_bytes() > MAX_CONTEXT_BYTES || count == u16::MAX {
            break;
        }
        let Some(at) = callsite_at(span.callsite()) else { break };
        out.extend_from_slice(&at.to_le_bytes());
        push_bytes(out, fields.as_bytes());
        count += 1;
    }
    if let Some(place) = out.get_mut(count_at..count_at + 2) {
        place.copy_from_slice(&count.to_le_bytes());
    }
    let depth = context.span().map_or(0, SpanData::depth);
    let extras = context.extras.as_ref().map(|extras| shortened(extras, value_bytes));
    let extras = extras.filter(|it| out.len() - start + it.len_bytes() <= MAX_CONTEXT_BYTES);
    if extras.is_some() || depth > u32::from(count) {
        push_bytes(out, extras.as_deref().map_or(&[], Fields::as_bytes));
    }
    if depth > u32::from(count) {
        out.extend_from_slice(&depth.to_le_bytes());
    }
}

/// How long a value may be, so that the context takes no more bytes than that.
fn value_bytes(context: &SpanContext, most: usize) -> usize {
    let spans = || context.span().into_iter().flat_map(SpanData::leaf_to_root);
    let all = || spans().map(|span| &span.fields).chain(context.extras.as_deref());
    if all().map(|fields| fields.len_bytes() + SPAN_BYTES).sum::<usize>() <= most {
        return usize::MAX;
    }
    let bytes =
        |most: usize| all().map(|it| shortened(it, most).len_bytes() + SPAN_BYTES).sum::<usize>();
    let [.., least] = VALUE_BYTES;
    VALUE_BYTES.into_iter().find(|&value_bytes| bytes(value_bytes) <= most).unwrap_or(least)
}

/// The fields with no text longer than that. Of an error that is, what it says itself is left.
fn shortened(fields: &Fields, value_bytes: usize) -> Cow<'_, Fields> {
    if fields.len_bytes() <= value_bytes {
        return Cow::Borrowed(fields);
    }
    let mut short = Fields::new();
    for entry in fields.iter() {
        let (value, len) = match entry.value {
            Value::Str(text) | Value::Json(text) => (Value::Str(text), text.len()),
            Value::Bytes(bytes) => (Value::Bytes(bytes), bytes.len()),
            Value::Error(error) => {
                let sources = error.sources().map(str::len).sum::<usize>();
                (Value::Str(error.message), error.message.len() + sources)
            }
            _ => (entry.value, 0),
        };
        if len <= value_bytes {
            short.push_entry(&entry);
            continue;
        }
        let value = match value {
            Value::Str(text) => {
                let kept = floor_char_boundary(text, value_bytes);
                Value::Str(text.get(..kept).unwrap_or_default())
            }
            Value::Bytes(bytes) => Value::Bytes(bytes.get(..value_bytes).unwrap_or(bytes)),
            other => other,
        };
        let original = entry.original_bytes.unwrap_or(len as u64);
        short.push_entry(&Entry { value, original_bytes: Some(original), ..entry });
    }
    Cow::Owned(short)
}

/// The context that these bytes tell of. `callsite_at` gives the callsite that is there.
pub(super) fn context(
    bytes: &[u8],
    callsite_at: impl Fn(u16) -> Option<&'static Callsite>,
) -> Option<SpanContext> {
    let mut bytes = Bytes(bytes);
    let (trace_id, span_id) = (bytes.id()?, bytes.id()?);
    let mut spans = Vec::new();
    for _ in 0..bytes.u16()? {
        spans.push((callsite_at(bytes.u16()?)?, Fields::from_bytes(bytes.bytes()?)));
    }
    let mut extras = None;
    if !bytes.0.is_empty() {
        extras = Some(bytes.bytes()?).filter(|extras| !extras.is_empty());
    }
    // Of a leaf whose outer spans are not all there.
    let depth = bytes.u32().unwrap_or(spans.len() as u32);
    let mut span = None;
    for (inside, (callsite, fields)) in (0..).zip(spans).collect::<Vec<_>>().into_iter().rev() {
        let mut data = SpanData::new(callsite, fields, span);
        data.depth = depth.saturating_sub(inside);
        span = Some(Arc::new(data));
    }
    let mut context = SpanContext::new(trace_id, span_id);
    context.span = span;
    context.extras = extras.map(|extras| Arc::new(Fields::from_bytes(extras)));
    Some(context)
}

fn push_id(out: &mut Vec<u8>, id: &Id) {
    match id {
        Id::Trace(id) => {
            out.push(0);
            out.extend_from_slice(&id.to_le_bytes());
        }
        Id::Span(id) => {
            out.push(1);
            out.extend_from_slice(&id.to_le_bytes());
        }
        Id::Text(text) => {
            out.push(2);
            push_text(out, Some(text));
        }
    }
}

/// A text longer than 64 KiB, which no name in a source is, counts as none.
fn push_text(out: &mut Vec<u8>, text: Option<&str>) {
    let len = text.and_then(|text| u16::try_from(text.len()).ok()).filter(|len| *len != NO_TEXT);
    out.extend_from_slice(&len.unwrap_or(NO_TEXT).to_le_bytes());
    if let (Some(text), Some(_)) = (text, len) {
        out.extend_from_slice(text.as_bytes());
    }
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.take(len)
    }

    /// The outer `None` is damage, the inner one that there is no text.
    fn text(&mut self) -> Option<Option<&'a str>> {
        match self.u16()? {
            NO_TEXT => Some(None),
            len => Some(Some(std::str::from_utf8(self.take(usize::from(len))?).ok()?)),
        }
    }

    fn id(&mut self) -> Option<Id> {
        Some(match self.u8()? {
            0 => Id::Trace(u128::from_le_bytes(self.array()?)),
            1 => Id::Span(u64::from_le_bytes(self.array()?)),
            2 => Id::Text(self.text()??.into()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fields::Key;
    use proptest::prelude::*;

    fn leaked(name: &'static str, fields: &[&'static str]) -> &'static Callsite {
        Callsite::leak(Place {
            level: Level::Critical,
            target: "app::pay",
            name,
            module: Some("app::pay"),
            file: None,
            line: Some(77),
            fields: fields.into(),
            kind: Kind::Ai,
        })
    }

    #[test]
    fn a_callsite_comes_back_as_it_was_and_is_made_once() {
        let original = leaked("event", &["message", "user", "gen_ai.model"]);
        let mut bytes = Vec::new();
        push_callsite(&mut bytes, original);
        let read = callsite(&bytes).unwrap();
        assert_eq!(
            (read.level(), read.kind(), read.target(), read.name(), read.module(), read.file()),
            (Level::Critical, Kind::Ai, "app::pay", "event", Some("app::pay"), None)
        );
        assert_eq!((read.line(), read.fields()), (Some(77), original.fields()));
        assert!(std::ptr::eq(read, callsite(&bytes).unwrap()));
    }

    #[test]
    fn a_context_comes_back_with_its_spans_and_pairs() {
        let (outer, inner) = (leaked("outer", &["a"]), leaked("inner", &[]));
        let mut fields = Fields::new();
        fields.push(Key::Index(0), Value::U64(7));
        let parent = SpanContext::of_new_span(outer, fields.clone(), None);
        let mut original = SpanContext::of_new_span(inner, Fields::new(), Some(&parent));
        let mut pairs = Fields::new();
        pairs.push(Key::Name("tenant"), Value::Str("acme"));
        original.extras = Some(Arc::new(pairs));
        original.trace_id = "text-id".into();

        let mut bytes = Vec::new();
        let at = |callsite: &Callsite| Some(if callsite.name() == "outer" { 1 } else { 2 });
        push_context(&mut bytes, &original, at);
        let read = context(&bytes, |at| Some(if at == 1 { outer } else { inner })).unwrap();
        assert_eq!((read.trace_id(), read.span_id()), (original.trace_id(), original.span_id()));
        let spans: Vec<_> = read.span().unwrap().leaf_to_root().collect();
        assert_eq!(spans.iter().map(|span| span.name()).collect::<Vec<_>>(), ["inner", "outer"]);
        assert_eq!(spans[1].fields.as_bytes(), fields.as_bytes());
        assert_eq!(read.extras().count(), 1);
    }

    #[test]
    fn of_a_context_without_end_the_innermost_spans_are_kept() {
        let callsite = leaked("deep", &["text"]);
        let mut around: Option<SpanContext> = None;
        for depth in 0..100_u64 {
            let mut fields = Fields::new();
            fields.push(Key::Name("depth"), Value::U64(depth));
            fields.push(Key::Index(0), Value::Str(&"x".repeat(1_000)));
            around = Some(SpanContext::of_new_span(callsite, fields, around.as_ref()));
        }
        let mut bytes = Vec::new();
        push_context(&mut bytes, &around.unwrap(), |_| Some(9));
        assert!(bytes.len() <= MAX_CONTEXT_BYTES + 2_000);
        let read = context(&bytes, |_| Some(callsite)).unwrap();
        let leaf = read.span().unwrap();
        assert_eq!(leaf.depth(), 100, "how many there were");
        let spans: Vec<_> = leaf.leaf_to_root().collect();
        assert!((40..70).contains(&spans.len()), "{}", spans.len());
        for (span, depth) in spans.iter().zip((0..100).rev()) {
            let fields: Vec<_> = span.fields().map(|(_, entry)| entry).collect();
            assert_eq!(fields[0].value, Value::U64(depth));
            assert_eq!(fields[1].value, Value::Str(&"x".repeat(64)));
            assert_eq!(fields[1].original_bytes, Some(1_000));
        }
    }

    #[test]
    fn long_values_are_cut_before_a_span_or_a_pair_is_left_out() {
        let callsite = leaked("span", &["text", "bytes", "number"]);
        let mut parent = None;
        for len in [10, 20_000, 300] {
            let mut fields = Fields::new();
            fields.push(Key::Index(0), Value::Str(&"é".repeat(len)));
            fields.push(Key::Index(1), Value::Bytes(&vec![1; len]));
            fields.push(Key::Index(2), Value::U64(len as u64));
            parent = Some(SpanContext::of_new_span(callsite, fields, parent.as_ref()));
        }
        let mut original = parent.unwrap();
        let mut pairs = Fields::new();
        pairs.push(Key::Name("note"), Value::Str(&"n".repeat(9_000)));
        original.extras = Some(Arc::new(pairs));

        let mut bytes = Vec::new();
        push_context(&mut bytes, &original, |_| Some(9));
        assert!(bytes.len() <= MAX_CONTEXT_BYTES);
        let read = context(&bytes, |_| Some(callsite)).unwrap();
        let lens = |span: &SpanData| -> Vec<_> {
            let len = |value| match value {
                Value::Str(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                _ => 8,
            };
            span.fields().map(|(_, entry)| (len(entry.value), entry.original_bytes)).collect()
        };
        let spans: Vec<_> = read.span().unwrap().leaf_to_root().map(lens).collect();
        let long = [(1_024, Some(40_000)), (1_024, Some(20_000)), (8, None)];
        let all =
            [[(600, None), (300, None), (8, None)], long, [(20, None), (10, None), (8, None)]];
        assert_eq!(spans, all);
        let note = read.extras().next().unwrap();
        assert_eq!(
            (note.value, note.original_bytes),
            (Value::Str(&"n".repeat(1_024)), Some(9_000))
        );
        assert_eq!(read.span().unwrap().depth(), 3);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let known = leaked("known", &["a"]);
            let _ = place(&bytes);
            if let Some(context) = context(&bytes, |_| Some(known)) {
                context.extras().for_each(drop);
                for span in context.span().into_iter().flat_map(SpanData::leaf_to_root) {
                    span.fields().for_each(drop);
                }
            }
        }
    }
}
