//! Entry: an alert in the spool: the part of a record that people receive, as JSON.
//!
//! Knows records and their form on disk. Is written on the listener's thread, so that it only
//! copies and cuts; what to make of it is decided when it is read.

use super::alert::Alert;
use crate::encode::escape::push_escaped;
use crate::encode::ids::Ids;
use crate::encode::reserved::of_application;
use crate::forward::destination::Notice;
use crate::forward::level::ForwardLevel;
use crate::forward::telegram::sanitize::MAX_TEXT_UNITS;
use crate::record::Record;
use crate::record::bytes::floor_char_boundary;
use crate::record::callsite::{Kind, marker};
use crate::record::fields::{Entry, Key, Value};
use crate::record::level::Level;
use crate::record::span::{SpanContext, SpanData};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::io::Write as _;

/// A message has no room for more, whatever the characters.
const MAX_MESSAGE_BYTES: usize = MAX_TEXT_UNITS * 3;
const MAX_TEXT_BYTES: usize = 512;
const MAX_FIELDS: usize = 32;

/// Appends the entry for a record.
pub(super) fn write(notice: &Notice<'_>, out: &mut Vec<u8>) {
    let Notice { record, level, hash } = *notice;
    let is_failure = matches!(level, ForwardLevel::Error | ForwardLevel::ErrorCtg);
    let (unix_ms, level) = (record.unix_ns() / 1_000_000, record.level());
    let head = format_args!(
        "{{\"v\":{VERSION},\"ms\":{unix_ms},\"level\":\"{level}\",\"failure\":{is_failure},\"hash\":"
    );
    let _ = write!(out, "{head}");
    push_text(out, hash, MAX_TEXT_BYTES);
    out.extend_from_slice(b",\"message\":");
    push_text(out, &record.message(), MAX_MESSAGE_BYTES);
    out.extend_from_slice(b",\"place\":[");
    push_text(out, record.target(), MAX_TEXT_BYTES);
    if let Some(function) = record.function() {
        out.push(b',');
        push_text(out, function, MAX_TEXT_BYTES);
    }
    if let Some(file) = record.file() {
        out.push(b',');
        let place = record.line().map(|line| format!("{file}:{line}"));
        push_text(out, place.as_deref().unwrap_or(file), MAX_TEXT_BYTES);
    }
    out.extend_from_slice(b"],\"fields\":[");
    push_fields(record, out);
    out.push(b']');
    if let Some(trace) = Ids::of(record).trace {
        out.extend_from_slice(b",\"trace\":");
        push_text(out, &trace.text(), MAX_TEXT_BYTES);
    }
    out.push(b'}');
}

/// Reads an entry; `None` if it is invalid.
pub(super) fn read(bytes: &[u8]) -> Option<Alert> {
    let entry: Json = serde_json::from_slice(bytes).ok()?;
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let texts = |key| entry.get(key)?.as_array()?.iter().map(text).collect::<Option<Vec<_>>>();
    let is_ours = entry.get("v")?.as_u64()? == VERSION;
    let mut fields = texts("fields")?.into_iter();
    Some(Alert {
        hash: text(entry.get("hash")?)?,
        unix_ms: entry.get("ms")?.as_u64()?,
        level: Level::from_name(entry.get("level")?.as_str()?)?,
        is_failure: entry.get("failure")?.as_bool()?,
        place: texts("place")?,
        message: text(entry.get("message")?)?,
        fields: std::iter::from_fn(|| Some((fields.next()?, fields.next()?))).collect(),
        trace_id: entry.get("trace").and_then(text).unwrap_or_default(),
    })
    .filter(|_| is_ours)
}

/// The form of an entry. Those of another version are reported as unreadable.
const VERSION: u64 = 1;

/// The fields of the event, then of the logging contexts and spans around it, without those that
/// are hidden by one of the same name: `"name","value",…`.
fn push_fields(record: &Record, out: &mut Vec<u8>) {
    let (kind, ids) = (record.callsite().kind(), Ids::of(record));
    let own = record.fields().filter(|(name, it)| is_shown(kind, name) && !ids.has(name, it));
    let extras = record.context().into_iter().flat_map(SpanContext::extras);
    let extras = extras.filter_map(|entry| match entry.key {
        Key::Name(name) => Some((name, entry)),
        Key::Index(_) => None,
    });
    let leaf = record.context().and_then(SpanContext::span);
    let spans = leaf.into_iter().flat_map(|leaf| leaf.leaf_to_root().take(MAX_FIELDS));
    let around = extras.chain(spans.flat_map(SpanData::fields));
    let aside = |(name, entry)| (of_application(name), entry);
    let own = own.map(|(name, entry)| match kind {
        Kind::Internal => (Cow::Borrowed(name), entry),
        _ => aside((name, entry)),
    });
    let mark = record.mark().map(|(name, entry)| (Cow::Borrowed(name), entry));
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    for (name, entry) in mark.into_iter().chain(own).chain(around.map(aside)) {
        let is_new = !names.contains(&name) && !name.starts_with(marker::PREFIX);
        if is_new && names.len() < MAX_FIELDS {
            if !names.is_empty() {
                out.push(b',');
            }
            push_text(out, name.strip_prefix("r#").unwrap_or(&name), MAX_TEXT_BYTES);
            out.push(b',');
            push_text(out, &value_text(&entry), MAX_TEXT_BYTES);
            names.push(name);
        }
    }
}

/// What has no separate place in an alert.
fn is_shown(kind: Kind, name: &str) -> bool {
    let is_forked = matches!(name, "message" | "function");
    let is_place = kind == Kind::LogCrate && name.starts_with("log.");
    !is_forked && !is_place
}

/// A value as people read it, with the sources of an error.
fn value_text(entry: &Entry<'_>) -> String {
    let mut text = entry.value.to_string();
    if let Value::Error(error) = &entry.value {
        for source in error.sources().take(MAX_FIELDS) {
            text += ", caused by: ";
            text += source;
        }
    }
    if entry.original_bytes.is_some() {
        text.push('…');
    }
    text
}

/// A JSON string of at most so many bytes before it is escaped.
fn push_text(out: &mut Vec<u8>, text: &str, max_bytes: usize) {
    let kept = floor_char_boundary(text, max_bytes);
    out.push(b'"');
    push_escaped(out, text.get(..kept).unwrap_or_default());
    if kept < text.len() {
        push_escaped(out, "…");
    }
    out.push(b'"');
}

#[cfg(test)]
pub(super) mod tests;
