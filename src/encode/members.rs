//! Members: the fields of one JSON object, so that no key appears twice.
//!
//! Of two fields of one key the last wins; a key of the record itself cannot be overwritten.

use crate::encode::reserved::{aside_if, is_marker, is_of_framework, is_of_record};
use crate::encode::value::{ValueWriter, push_string};
use crate::record::fields::{Entry, ErrorValue, Value};
use std::borrow::Cow;

/// The key for a field of the application at the top of a native record.
pub(crate) fn reserved_key(name: &str) -> Cow<'_, str> {
    aside_if(is_of_record(name) || is_of_framework(name), name)
}

/// The key for a field of one of logwell's own records.
pub(crate) fn own_key(name: &str) -> Cow<'_, str> {
    aside_if(is_of_record(name), name)
}

/// The key for a field of a span, whose only own key is `name`.
pub(crate) fn key_in_span(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(if name == "name" { "field.name" } else { name })
}

/// How the names of fields become keys.
#[derive(Clone, Copy)]
pub(crate) struct Naming {
    /// The key for a name; a reserved one moves aside.
    pub(crate) key: for<'n> fn(&'n str) -> Cow<'n, str>,
    /// Whether a key says that its value is base64.
    pub(crate) marks_bytes: bool,
}

/// The fields of one object, in the order they are to be written.
pub(crate) struct Members<'a> {
    all: Vec<Member<'a>>,
    naming: Naming,
}

/// One key and what is under it.
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    entry: Entry<'a>,
    part: Part,
}

/// The value of a key.
pub(crate) enum Content<'a> {
    /// A value, not an error.
    Value(Entry<'a>),
    /// The sources of an error, each with its original length if it was cut.
    Chain(Vec<(&'a str, Option<u64>)>),
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
        Self::named(Naming { key: own_key, marks_bytes: true })
    }

    /// Members of a span, whose only own key is `name`.
    pub(crate) fn in_span() -> Self {
        Self::named(Naming { key: key_in_span, marks_bytes: true })
    }

    /// Members of any object.
    pub(crate) fn named(naming: Naming) -> Self {
        Self { all: Vec::new(), naming }
    }

    /// Adds fields; later ones win over earlier ones.
    pub(crate) fn extend<N: Into<Cow<'a, str>>>(
        &mut self,
        fields: impl Iterator<Item = (N, Entry<'a>)>,
    ) {
        let named = fields.map(|(name, entry)| (name.into(), entry));
        for (name, entry) in named.filter(|(name, _)| !is_marker(name)) {
            let Naming { key, marks_bytes } = self.naming;
            let key = match (entry.value, name) {
                (Value::Bytes(_), name) if marks_bytes => {
                    Cow::Owned(key(&format!("{name}_b64")).into_owned())
                }
                (_, Cow::Borrowed(name)) => key(name),
                (_, Cow::Owned(name)) => Cow::Owned(key(&name).into_owned()),
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

    /// Those that are written: of several with one key the last.
    pub(crate) fn unique(&self) -> impl Iterator<Item = &Member<'a>> {
        self.all.iter().enumerate().filter_map(|(at, member)| {
            let is_last = !self.all.iter().skip(at + 1).any(|later| later.key == member.key);
            is_last.then_some(member)
        })
    }

    /// Writes them, each with a comma before it.
    pub(crate) fn push(&self, out: &mut Vec<u8>, values: &mut ValueWriter<'a>) {
        for member in self.unique() {
            out.push(b',');
            push_string(out, &member.key);
            out.push(b':');
            match member.content() {
                Content::Value(entry) => values.push(out, || member.key.clone(), &entry),
                Content::Chain(sources) => member.push_chain(out, values, sources),
            }
        }
    }
}

impl<'a> Member<'a> {
    /// The value of the key.
    pub(crate) fn content(&self) -> Content<'a> {
        match (self.part, self.entry.value) {
            (Part::Value, Value::Error(error)) => Content::Value(error_text(error, &self.entry)),
            (Part::Chain, Value::Error(error)) => Content::Chain(error_chain(error, &self.entry)),
            _ => Content::Value(self.entry),
        }
    }

    fn push_chain(
        &self,
        out: &mut Vec<u8>,
        values: &mut ValueWriter<'a>,
        sources: Vec<(&str, Option<u64>)>,
    ) {
        out.push(b'[');
        for (at, (source, original_bytes)) in sources.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            values.text(out, || self.key.clone(), source, original_bytes);
        }
        out.push(b']');
    }
}

/// The error's own text, as an entry.
pub(crate) fn error_text<'a>(error: ErrorValue<'a>, entry: &Entry<'a>) -> Entry<'a> {
    let original_bytes = entry.original_bytes.filter(|_| last_kept(error) == 0);
    Entry { value: Value::Str(error.message), original_bytes, ..*entry }
}

/// The sources of an error. If the error was cut, the cut is in the last text of which something
/// is left.
pub(crate) fn error_chain<'a>(
    error: ErrorValue<'a>,
    entry: &Entry<'a>,
) -> Vec<(&'a str, Option<u64>)> {
    let cut_at = last_kept(error);
    let of_chain = |original: u64| match original {
        Entry::UNKNOWN_BYTES => original,
        known => known.saturating_sub(error.message.len() as u64),
    };
    let original = |at| entry.original_bytes.filter(|_| at + 1 == cut_at).map(of_chain);
    error.sources().enumerate().map(|(at, source)| (source, original(at))).collect()
}

/// Which source, counted from 1, is the last that is not empty; 0 if all are.
fn last_kept(error: ErrorValue<'_>) -> usize {
    let kept = error.sources().enumerate().filter(|(_, source)| !source.is_empty());
    kept.last().map_or(0, |(at, _)| at + 1)
}
