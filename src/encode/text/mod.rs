//! Text: a record as one line for people.
//!
//! ```text
//! 2026-02-19 10:30:00.123Z INFO     app: sold  id=7 to="Ann B."  request{path=/buy}:db trace=4bf…
//! moment                   level    target     fields            spans, root to leaf   trace id
//!                                        message
//! ```
//!
//! Knows the layout. Does not know terminals, nor whether one is there: the options say whether to
//! colour. Text in a record may come from anybody, so it goes through
//! [`visible`](crate::encode::terminal_safe).

use crate::base::zone::TimeZone;
use crate::encode::Encode;
use crate::encode::ids::Ids;
use crate::encode::reserved::{aside_if, of_application};
use crate::encode::stamp::Stamp;
use crate::encode::terminal_safe::{
    DIM, Style, push_char, push_level, push_quoted, push_visible, push_word,
};
use crate::record::Record;
use crate::record::callsite::{Kind, marker};
use crate::record::fields::{Entry, ErrorValue, Key, Value};
use crate::record::span::{SpanContext, SpanData};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::io::Write as _;

/// How [`TextEncoder`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether to colour, with ANSI escape sequences. See
    /// [`terminal::use_color`](crate::sink::terminal::use_color) for when to.
    pub color: bool,
    /// The time zone of the moments. Default: the machine's.
    pub zone: TimeZone,
}

/// Writes records as lines for people.
///
/// - A text value is quoted where it would otherwise be unclear where it ends.
/// - An error is followed by its sources: `error="cannot save" caused by: "disk full"`.
/// - A value that was cut ends in `…`, and its whole size follows: `body="abc…" (70000 bytes)`.
/// - Bytes are hexadecimal, `0x00ff`, of long ones only the beginning.
///
/// ```
/// use logwell::encode::Encode;
/// use logwell::encode::text::{TextEncoder, TextOptions};
/// use logwell::config::TimeZone;
/// use logwell::record::{Callsite, Fields, Key, Kind, Level, Place, Record, Value};
/// use std::time::SystemTime;
///
/// let callsite = Callsite::leak(Place {
///     level: Level::Info,
///     target: "app",
///     name: "event",
///     module: None,
///     file: None,
///     line: None,
///     fields: Box::new(["message", "user"]),
///     kind: Kind::Plain,
/// });
/// let mut fields = Fields::new();
/// fields.push(Key::Index(0), Value::Str("signed in"));
/// fields.push(Key::Index(1), Value::U64(7));
/// let record = Record::new(callsite, SystemTime::UNIX_EPOCH, fields);
///
/// let mut encoder = TextEncoder::new(TextOptions { color: false, zone: TimeZone::Utc });
/// let mut line = Vec::new();
/// encoder.encode(&record, &mut line);
/// assert_eq!(line, b"1970-01-01 00:00:00.000Z INFO     app: signed in  user=7\n");
/// ```
#[derive(Debug)]
pub struct TextEncoder {
    ink: Style,
    stamp: Stamp,
}

impl TextEncoder {
    /// An encoder with these options. The time zone is looked up now, once.
    #[must_use]
    pub fn new(options: TextOptions) -> Self {
        Self { ink: Style { color: options.color }, stamp: Stamp::new(options.zone) }
    }
}

impl Encode for TextEncoder {
    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let ink = self.ink;
        ink.paint(DIM, out, |out| self.stamp.write(record.unix_ns(), out));
        out.push(b' ');
        push_level(ink, record.level(), out);
        ink.paint(DIM, out, |out| {
            push_visible(record.target(), out);
            out.push(b':');
        });
        message(record, out);
        let ids = Ids::of(record);
        fields(ink, record, &ids, out);
        if let Some(trace) = ids.trace {
            out.extend_from_slice(b"  ");
            ink.paint(DIM, out, |out| place(record.context(), &trace.text(), out));
        }
        out.push(b'\n');
    }
}

/// Of more spans only the innermost are shown.
const MAX_SPANS: usize = 32;
/// Of more bytes only the first are shown.
const MAX_HEX_BYTES: usize = 32;

fn message(record: &Record, out: &mut Vec<u8>) {
    let Some((_, entry)) = record.fields().filter(|(name, _)| *name == MESSAGE).last() else {
        return;
    };
    match entry.value {
        Value::Str("") => {}
        Value::Str(text) => {
            out.push(b' ');
            push_visible(text, out);
            if entry.original_bytes.is_some() {
                push_char('…', out);
            }
            original_size(&entry, out);
        }
        _ => {
            out.push(b' ');
            value(&entry, out);
        }
    }
}

/// The event's fields, then those of the logging contexts around that are not hidden by one of the
/// same name further in.
fn fields(ink: Style, record: &Record, ids: &Ids<'_>, out: &mut Vec<u8>) {
    let mut gap = "  ";
    let kind = record.callsite().kind();
    let mut field = |name: &str, entry: &Entry<'_>, out: &mut Vec<u8>| {
        out.extend_from_slice(gap.as_bytes());
        pair(ink, name, entry, out);
        gap = " ";
    };
    for (name, entry) in record.fields().filter(|(name, _)| is_shown(kind, name)) {
        match kind {
            _ if name == "trace_id" && ids.has(name, &entry) => {}
            Kind::Internal => field(name, &entry, out),
            _ => field(&unreserved(name, &entry, ids), &entry, out),
        }
    }
    let extras = || record.context().into_iter().flat_map(SpanContext::extras);
    for (at, entry) in extras().enumerate() {
        let Key::Name(name) = entry.key else { continue };
        let hidden = record.get(name).is_some()
            || extras().skip(at + 1).any(|inner| inner.key == entry.key)
            || name.starts_with(marker::PREFIX);
        if !hidden {
            field(&unreserved(name, &entry, ids), &entry, out);
        }
    }
    if let Some((name, entry)) = record.mark() {
        field(name, &entry, out);
    }
    if record.fields_left_out > 0 {
        let _ = write!(out, "{gap}({} more fields)", record.fields_left_out);
    }
}

const MESSAGE: &str = "message";
/// The source location of a record of the `log` crate, from its fields.
const LOG_PLACE: [&str; 4] = ["log.target", "log.module_path", "log.file", "log.line"];

fn is_shown(kind: Kind, name: &str) -> bool {
    let elsewhere = name == MESSAGE || kind == Kind::LogCrate && LOG_PLACE.contains(&name);
    !elsewhere && !name.starts_with(marker::PREFIX)
}

/// The name for a field of the application: what the line says itself moves aside.
fn unreserved<'n>(name: &'n str, entry: &Entry<'_>, ids: &Ids<'_>) -> Cow<'n, str> {
    let is_id = matches!(name, "trace" | "trace_id") || name == "span_id" && !ids.has(name, entry);
    match of_application(name) {
        Cow::Borrowed(name) => aside_if(is_id, name),
        moved => moved,
    }
}

/// `outer{a=1}:inner trace=…`
fn place(context: Option<&SpanContext>, trace: &str, out: &mut Vec<u8>) {
    if let Some(leaf) = context.and_then(SpanContext::span) {
        let inner: SmallVec<[&SpanData; MAX_SPANS]> = leaf.leaf_to_root().take(MAX_SPANS).collect();
        if leaf.depth() as usize > inner.len() {
            push_visible("…:", out);
        }
        for (at, span) in inner.iter().rev().enumerate() {
            if at > 0 {
                out.push(b':');
            }
            push_visible(span.name(), out);
            span_fields(span, out);
        }
        out.push(b' ');
    }
    out.extend_from_slice(b"trace=");
    push_word(trace, out);
}

fn span_fields(span: &SpanData, out: &mut Vec<u8>) {
    let mut gap = b'{';
    for (name, entry) in span.fields().filter(|(name, _)| !name.starts_with(marker::PREFIX)) {
        out.push(gap);
        pair(Style { color: false }, name, &entry, out);
        gap = b' ';
    }
    if gap == b' ' {
        out.push(b'}');
    }
}

/// `key=value`
fn pair(ink: Style, name: &str, entry: &Entry<'_>, out: &mut Vec<u8>) {
    ink.paint(DIM, out, |out| {
        push_word(name.strip_prefix("r#").unwrap_or(name), out);
        out.push(b'=');
    });
    value(entry, out);
}

fn value(entry: &Entry<'_>, out: &mut Vec<u8>) {
    let mut integer = itoa::Buffer::new();
    let mut plain = |text: &str| out.extend_from_slice(text.as_bytes());
    match entry.value {
        Value::U64(v) => plain(integer.format(v)),
        Value::I64(v) => plain(integer.format(v)),
        Value::U128(v) => plain(integer.format(v)),
        Value::I128(v) => plain(integer.format(v)),
        Value::F64(v) if v.is_nan() => plain("NaN"),
        Value::F64(f64::INFINITY) => plain("Infinity"),
        Value::F64(f64::NEG_INFINITY) => plain("-Infinity"),
        Value::F64(v) => plain(zmij::Buffer::new().format_finite(v)),
        Value::Bool(v) => plain(if v { "true" } else { "false" }),
        Value::Str(text) if entry.original_bytes.is_some() => push_quoted(text, "…", out),
        Value::Str(text) | Value::Json(text) => push_word(text, out),
        Value::Bytes(bytes) => return hex(bytes, entry.original_bytes, out),
        Value::Error(error) => error_chain(&error, entry.original_bytes.is_some(), out),
    }
    original_size(entry, out);
}

/// `"what happened" caused by: "why" caused by: "the root"`
fn error_chain(error: &ErrorValue<'_>, cut: bool, out: &mut Vec<u8>) {
    push_quoted(error.message, "", out);
    for source in error.sources() {
        out.extend_from_slice(b" caused by: ");
        push_quoted(source, "", out);
    }
    if cut {
        push_char('…', out);
    }
}

fn hex(bytes: &[u8], original_bytes: Option<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0x");
    for byte in bytes.iter().take(MAX_HEX_BYTES) {
        let _ = write!(out, "{byte:02x}");
    }
    let all = original_bytes.unwrap_or(bytes.len() as u64);
    if all > bytes.len().min(MAX_HEX_BYTES) as u64 {
        let _ = write!(out, "… ({all} bytes)");
    }
}

fn original_size(entry: &Entry<'_>, out: &mut Vec<u8>) {
    match entry.original_bytes {
        None => {}
        Some(Entry::UNKNOWN_BYTES) => out.extend_from_slice(b" (cut)"),
        Some(bytes) => {
            let _ = write!(out, " ({bytes} bytes)");
        }
    }
}

#[cfg(test)]
mod tests;
