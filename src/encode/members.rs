//! Members: the fields of one JSON object, so that no key appears twice.
//!
//! Of two fields of one key the last wins; a key of the record itself cannot be overwritten.

use crate::callsite::marker;
use crate::encode::value::{ValueWriter, push_string};
use crate::fields::{Entry, ErrorValue, Value};
use std::borrow::Cow;

/// Keys of the record itself.
const RESERVED: [&str; 15] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "module",
    "function",
    "file",
    "line",
    "thread",
    "process",
    "seq",
    "trace_id",
    "span_id",
    "spans",
    "truncated",
];

/// The key for a field of that name: a reserved one moves to `field.<name>`.
pub(crate) fn reserved_key(name: &str) -> Cow<'_, str> {
    match RESERVED.contains(&name) {
        true => Cow::Owned(format!("field.{name}")),
        false => Cow::Borrowed(name),
    }
}

/// Whether a field says something about the record and is not written.
pub(crate) fn is_marker(name: &str) -> bool {
    matches!(name, marker::CRITICAL | marker::AI)
}

/// The fields of one object, in the order they are to be written.
pub(crate) struct Members<'a> {
    all: Vec<Member<'a>>,
    in_span: bool,
}

struct Member<'a> {
    key: Cow<'a, str>,
    entry: Entry<'a>,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Value,
    /// The sources of an error.
    Chain,
}

impl<'a> Members<'a> {
    /// Members of the record.
    pub(crate) fn at_top() -> Self {
        Self { all: Vec::new(), in_span: false }
    }

    /// Members of a span, whose only own key is `name`.
    pub(crate) fn in_span() -> Self {
        Self { all: Vec::new(), in_span: true }
    }

    /// Adds fields; later ones win over earlier ones.
    pub(crate) fn extend(&mut self, fields: impl Iterator<Item = (&'a str, Entry<'a>)>) {
        for (name, entry) in fields.filter(|(name, _)| !is_marker(name)) {
            let key = match (self.in_span, name, entry.value) {
                (_, name, Value::Bytes(_)) => Cow::Owned(format!("{name}_b64")),
                (true, "name", _) => Cow::Borrowed("field.name"),
                (true, name, _) => Cow::Borrowed(name),
                (false, name, _) => reserved_key(name),
            };
            let chain = match entry.value {
                Value::Error(error) => error.sources().next().is_some(),
                _ => false,
            };
            let chain = chain.then(|| Cow::Owned(format!("{key}_chain")));
            self.all.push(Member { key, entry, part: Part::Value });
            self.all.extend(chain.map(|key| Member { key, entry, part: Part::Chain }));
        }
    }

    /// Writes them, each with a comma before it.
    pub(crate) fn push(&self, out: &mut Vec<u8>, values: &mut ValueWriter<'a>) {
        for (at, member) in self.all.iter().enumerate() {
            if self.all.iter().skip(at + 1).any(|later| later.key == member.key) {
                continue;
            }
            out.push(b',');
            push_string(out, &member.key);
            out.push(b':');
            match (member.part, member.entry.value) {
                (Part::Chain, Value::Error(error)) => member.push_chain(out, values, error),
                (Part::Value, Value::Error(error)) => {
                    let original = member.entry.original_bytes.filter(|_| last_kept(error) == 0);
                    values.text(out, || member.key.clone(), error.message, original);
                }
                _ => values.push(out, || member.key.clone(), &member.entry),
            }
        }
    }
}

impl<'a> Member<'a> {
    /// Writes the sources of an error. If the error was cut, the cut lies in the last text of which
    /// something is left.
    fn push_chain(&self, out: &mut Vec<u8>, values: &mut ValueWriter<'a>, error: ErrorValue<'a>) {
        let cut_at = last_kept(error);
        out.push(b'[');
        for (at, source) in error.sources().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let of_chain = |original: u64| original.saturating_sub(error.message.len() as u64);
            let original = self.entry.original_bytes.filter(|_| at + 1 == cut_at).map(of_chain);
            values.text(out, || self.key.clone(), source, original);
        }
        out.push(b']');
    }
}

/// Which source, counted from 1, is the last that is not empty; 0 if all are.
fn last_kept(error: ErrorValue<'_>) -> usize {
    let kept = error.sources().enumerate().filter(|(_, source)| !source.is_empty());
    kept.last().map_or(0, |(at, _)| at + 1)
}
