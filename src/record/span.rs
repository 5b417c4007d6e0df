//! SpanContext: where a record belongs: its span, its logging context and its trace ids.
//!
//! Immutable plain data behind `Arc`s: made when a span is made or a context entered, shared by all
//! records inside. Does not know tracing nor threads; `capture/thread_state.rs` keeps the current
//! one.

use crate::record::callsite::Callsite;
use crate::record::fields::{Entry, Fields, Key, Value};
use crate::record::trace_context::{NEW_ROOT_FLAGS, TraceState};
use smol_str::{SmolStr, ToSmolStr};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// A trace or span id: what W3C Trace Context calls for, or whatever the user set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// 128 bits: a W3C `trace-id`, written as 32 lower-case hexadecimal digits.
    Trace(u128),
    /// 64 bits: a W3C `parent-id`, written as 16 lower-case hexadecimal digits.
    Span(u64),
    /// A text the user chose.
    Text(SmolStr),
}

impl Id {
    /// A random trace id, never zero (W3C Trace Context, section 3.2.2.3).
    #[must_use]
    pub fn random_trace() -> Self {
        Self::Trace(fastrand::u128(1..))
    }

    /// A random span id, never zero (W3C Trace Context, section 3.2.2.4).
    #[must_use]
    pub fn random_span() -> Self {
        Self::Span(fastrand::u64(1..))
    }

    /// Whether both are written alike, whatever they are made of.
    pub(crate) fn is_same_text(&self, other: &Self) -> bool {
        self == other || self.to_smolstr() == other.to_smolstr()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace(id) => write!(f, "{id:032x}"),
            Self::Span(id) => write!(f, "{id:016x}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// What W3C Trace Context passes on beside the ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    pub(crate) flags: u8,
    pub(crate) state: TraceState,
}

/// The trace id that is given with what it carries, else the one around, else that of a new trace.
/// If the one that is given is that around, and nothing is known of it, it carries the same.
pub(crate) fn trace(
    given: Option<Id>,
    carries: Option<&Carried>,
    around: Option<(&Id, &Carried)>,
) -> (Id, Carried) {
    match (given, around) {
        (None, None) => {
            let carried = Carried { flags: NEW_ROOT_FLAGS, state: TraceState::default() };
            (Id::random_trace(), carried)
        }
        (None, Some((id, carried))) => (id.clone(), carried.clone()),
        (Some(given), around) => {
            let same = around.filter(|(id, _)| id.is_same_text(&given));
            let carried = carries.or(same.map(|(_, carried)| carried));
            (given, carried.cloned().unwrap_or_default())
        }
    }
}

/// Where a record belongs: the innermost span, what [`LoggingContext`](crate::LoggingContext) adds,
/// and the trace ids.
#[derive(Debug, Clone)]
pub struct SpanContext {
    pub(crate) span: Option<Arc<SpanData>>,
    pub(crate) extras: Option<Arc<Fields>>,
    pub(crate) trace_id: Id,
    pub(crate) span_id: Id,
    /// What is passed on beside the ids.
    pub(crate) carried: Carried,
    /// Counts the calls of `record()` on any span of the tree. `on_record` adds to it; a holder of
    /// a context compares it with the number the context was built from.
    pub(crate) changes: Arc<AtomicU32>,
}

impl SpanContext {
    /// A context outside any span.
    #[must_use]
    pub fn new(trace_id: Id, span_id: Id) -> Self {
        let carried = Carried::default();
        Self { span: None, extras: None, trace_id, span_id, carried, changes: Arc::default() }
    }

    /// The context of a span made inside `parent`: it inherits the trace id and what the logging
    /// contexts around it add, unless its own fields say otherwise.
    #[must_use]
    pub fn of_new_span(callsite: &'static Callsite, fields: Fields, parent: Option<&Self>) -> Self {
        let inherited = parent.map(|parent| (&parent.trace_id, &parent.carried));
        let (trace_id, carried) = trace(given_id(callsite, &fields, "trace_id"), None, inherited);
        let span_id = given_id(callsite, &fields, "span_id").unwrap_or_else(Id::random_span);
        let around = parent.and_then(|parent| parent.span.clone());
        Self {
            span: Some(Arc::new(SpanData::new(callsite, fields, around))),
            extras: parent.and_then(|parent| parent.extras.clone()),
            trace_id,
            span_id,
            carried,
            changes: parent.map(|parent| Arc::clone(&parent.changes)).unwrap_or_default(),
        }
    }

    /// The same with values that were recorded later; they replace those of the same name.
    pub(crate) fn with_recorded(&self, more: &Fields) -> Self {
        let mut context = self.clone();
        if let Some(span) = &self.span {
            let mut fields = span.fields.clone();
            fields.merge(more);
            context.span = Some(Arc::new(span.replaced(fields, span.parent.clone())));
            let given = |name| given_id(span.callsite, more, name);
            let before = Some((&self.trace_id, &self.carried));
            (context.trace_id, context.carried) = trace(given("trace_id"), None, before);
            context.span_id = given("span_id").unwrap_or(context.span_id);
        }
        context
    }

    /// The same span inside what `parent` has become, if that is not where it is already.
    pub(crate) fn rebuilt_in(&self, parent: Option<&Self>) -> Option<Self> {
        let span = self.span.as_ref()?;
        let around = parent?.span.as_ref()?;
        if span.parent.as_ref().is_some_and(|parent| Arc::ptr_eq(parent, around)) {
            return None;
        }
        let span = span.replaced(span.fields.clone(), Some(Arc::clone(around)));
        Some(Self { span: Some(Arc::new(span)), ..self.clone() })
    }

    /// The same with what the logging contexts of `around` add, if they add anything.
    pub(crate) fn inside(&self, around: &Self) -> Option<Self> {
        let outer = around.extras.as_ref()?;
        let extras = match &self.extras {
            Some(own) if Arc::ptr_eq(own, outer) => return None,
            None => Arc::clone(outer),
            Some(own) => {
                let mut merged = Fields::clone(outer);
                merge_bounded(&mut merged, own);
                Arc::new(merged)
            }
        };
        Some(Self { extras: Some(extras), ..self.clone() })
    }

    /// The trace id.
    #[must_use]
    pub fn trace_id(&self) -> &Id {
        &self.trace_id
    }

    /// The span id.
    #[must_use]
    pub fn span_id(&self) -> &Id {
        &self.span_id
    }

    /// The innermost span, if there is one.
    #[must_use]
    pub fn span(&self) -> Option<&SpanData> {
        self.span.as_deref()
    }

    /// Key/value pairs of the logging contexts around, inner ones after outer ones.
    pub fn extras(&self) -> impl Iterator<Item = Entry<'_>> {
        self.extras.iter().flat_map(|extras| extras.iter())
    }
}

/// What the logging contexts around a record add takes at most this many bytes.
pub(crate) const MAX_CONTEXT_BYTES: usize = 64 * 1024;

/// Merges as many of the pairs as there is room for.
fn merge_bounded(pairs: &mut Fields, more: &Fields) {
    if pairs.len_bytes() + more.len_bytes() <= MAX_CONTEXT_BYTES {
        return pairs.merge(more);
    }
    for entry in more.iter() {
        let mut one = Fields::new();
        one.push_entry(&entry);
        if pairs.len_bytes() + one.len_bytes() <= MAX_CONTEXT_BYTES {
            pairs.merge(&one);
        }
    }
}

/// The id that a field of that name gives, as text.
fn given_id(callsite: &'static Callsite, fields: &Fields, name: &str) -> Option<Id> {
    if !callsite.gives_ids {
        return None;
    }
    let (_, entry) = named(callsite, fields).filter(|(field, _)| *field == name).last()?;
    Some(Id::Text(match entry.value {
        Value::Str(text) => text.into(),
        Value::U64(number) => number.to_smolstr(),
        Value::I64(number) => number.to_smolstr(),
        Value::U128(number) => number.to_smolstr(),
        Value::I128(number) => number.to_smolstr(),
        _ => return None,
    }))
}

/// One span: its name, its fields and the span around it.
pub struct SpanData {
    pub(crate) parent: Option<Arc<Self>>,
    pub(crate) callsite: &'static Callsite,
    pub(crate) fields: Fields,
    pub(crate) depth: u32,
}

impl SpanData {
    /// A span inside `parent`.
    #[must_use]
    pub fn new(callsite: &'static Callsite, fields: Fields, parent: Option<Arc<Self>>) -> Self {
        let depth = parent.as_ref().map_or(1, |parent| parent.depth.saturating_add(1));
        Self { parent, callsite, fields, depth }
    }

    fn replaced(&self, fields: Fields, parent: Option<Arc<Self>>) -> Self {
        Self { parent, callsite: self.callsite, fields, depth: self.depth }
    }

    /// The span's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// How many spans there are from the root to this one, itself included.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Its callsite.
    #[must_use]
    pub fn callsite(&self) -> &'static Callsite {
        self.callsite
    }

    /// Its fields with their names.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Entry<'_>)> {
        named(self.callsite, &self.fields)
    }

    /// This span and those around it, innermost first.
    pub fn leaf_to_root(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |span| span.parent.as_deref())
    }
}

impl fmt::Debug for SpanData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_list();
        for span in self.leaf_to_root() {
            all.entry(&format_args!("{} {:?}", span.name(), span.fields));
        }
        all.finish()
    }
}

impl Drop for SpanData {
    /// Lets a long chain go one by one: dropping it by recursion would overflow the stack.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(parent) = next {
            next = Arc::into_inner(parent).and_then(|mut last| last.parent.take());
        }
    }
}

/// Entries with their names: markers and entries without a name are left out.
pub(crate) fn named<'a>(
    callsite: &'static Callsite,
    fields: &'a Fields,
) -> impl Iterator<Item = (&'a str, Entry<'a>)> {
    fields.iter().filter_map(move |entry| {
        let name = match entry.key {
            Key::Index(index) => callsite.fields().get(usize::from(index)).copied()?,
            Key::Name(name) => name,
        };
        Some((name, entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::callsite::{Kind, Place};
    use crate::record::level::Level;

    #[test]
    fn a_chain_of_a_million_spans_can_be_dropped() {
        let callsite = Callsite::leak(Place {
            level: Level::Info,
            target: "t",
            name: "deep",
            module: None,
            file: None,
            line: None,
            fields: Box::default(),
            kind: Kind::Plain,
        });
        let mut leaf = None;
        for _ in 0..1_000_000 {
            leaf = Some(Arc::new(SpanData::new(callsite, Fields::new(), leaf)));
        }
        assert_eq!(leaf.as_ref().unwrap().depth(), 1_000_000);
        drop(leaf);
    }

    #[test]
    fn ids_print_as_w3c_wants_them() {
        assert_eq!(Id::Trace(0xabc).to_string(), "00000000000000000000000000000abc");
        assert_eq!(Id::Span(0xf).to_string(), "000000000000000f");
        assert_eq!(Id::from("abc-123").to_string(), "abc-123");
    }
}
