//! Schema: the record under the keys of other readers.
//!
//! Knows what the schemas share: the parts of a record, cutting it to fit, ids, times. Knows no key
//! of any schema: each has its own file. All rules of the native record hold: one line, no key
//! twice, no raw control character, no longer than the limit.
//!
//! ```
//! use logwell::encode::Encode;
//! use logwell::encode::schema::SchemaOptions;
//! use logwell::encode::schema::ecs::EcsEncoder;
//!
//! let logs = logwell::testing::capture();
//! tracing::warn!(order = 7, "payment refused");
//!
//! let mut line = Vec::new();
//! EcsEncoder::new(SchemaOptions::default()).encode(&logs.records()[0], &mut line);
//! let line: serde_json::Value = serde_json::from_slice(&line)?;
//! assert_eq!(line["log.level"], "WARN");
//! assert_eq!(line["labels"]["order"], "7");
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod ecs;
pub mod gcp;
pub mod otel;

use crate::encode::ids;
use crate::encode::ids::Given;
use crate::encode::ids::last_entry;
use crate::encode::json::JsonOptions;
use crate::encode::members::Members;
use crate::encode::members::Naming;
use crate::encode::members::error_chain;
use crate::encode::members::error_text;
use crate::encode::members::key_in_span;
use crate::encode::options::ServiceConfig;
use crate::encode::options::Spans;
use crate::encode::options::WarnName;
use crate::encode::reserved::is_marker;
use crate::encode::reserved::of_application;
use crate::encode::stamp::UtcSecond;
use crate::encode::value::{ValueWriter, push_string, to_text};
use crate::record::Record;
use crate::record::callsite::Kind;
use crate::record::fields::{Entry, Key, Value};
use crate::record::level::Level;
use crate::record::span::{Id, SpanContext, SpanData};
use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write as _;
use std::sync::LazyLock;

/// How a schema writes records.
#[derive(Debug, Clone, Default)]
pub struct SchemaOptions {
    /// What holds for the native record too. Every record fits into 1 KiB here as well.
    pub json: JsonOptions,
    /// What this program is.
    pub service: ServiceConfig,
}

/// How much of a record is written: less and less until the line fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// Only what must be there.
    Core,
    /// No fields and no spans.
    Bare,
    Whole,
}

/// Writes a line in less and less detail until it fits.
pub(crate) fn fit<'a>(
    record: &'a Record,
    options: &'a SchemaOptions,
    out: &mut Vec<u8>,
    mut push: impl FnMut(Line<'a>, &mut Vec<u8>),
) {
    use Extent::{Bare, Core, Whole};
    let start = out.len();
    let max_bytes = options.json.max_line_bytes;
    // A value longer than the line would be cut anyhow: the first attempt need not be longer.
    let whole = [1, 4, 16, 64, 256].map(|part| (part, Whole));
    let less = [(64, Bare), (256, Bare), (64, Core), (256, Core)];
    for (part, extent) in whole.into_iter().chain(less) {
        out.truncate(start);
        push(Line::new(record, options, (max_bytes / part, extent)), out);
        if out.len() - start <= max_bytes {
            return;
        }
    }
}

/// A text and how long it was, if it was cut on capture.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    text: Cow<'a, str>,
    original_bytes: Option<u64>,
}

impl<'a> Text<'a> {
    pub(crate) fn whole(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), original_bytes: None }
    }

    pub(crate) fn of(entry: &Entry<'a>) -> Self {
        let text = match entry.value {
            Value::Str(text) => Cow::Borrowed(text),
            value => Cow::Owned(to_text(&value)),
        };
        Self { text, original_bytes: entry.original_bytes }
    }

    /// The text if it is an id as W3C Trace Context has them: so many hexadecimal digits, not all
    /// zero.
    pub(crate) fn as_w3c(&self, digits: usize) -> Option<String> {
        let text = self.text.as_ref();
        let is_id = text.len() == digits
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            && text.bytes().any(|byte| byte != b'0');
        is_id.then(|| text.to_ascii_lowercase())
    }
}

/// The ids of a record, sorted by whether a reader that wants W3C ids can take them.
#[derive(Debug, Default)]
struct Ids<'a> {
    trace: Option<String>,
    span: Option<String>,
    /// `trace_id` and `span_id` as they are, where they are other texts. A span of a trace that
    /// cannot be named is among them.
    others: Vec<(&'static str, Text<'a>)>,
}

/// An error: what it says, and what it and its sources say line by line.
#[derive(Debug)]
struct Failure<'a> {
    message: Text<'a>,
    trace: Option<Text<'a>>,
}

/// One line in the making.
pub(crate) struct Line<'a> {
    pub(crate) record: &'a Record,
    pub(crate) options: &'a SchemaOptions,
    extent: Extent,
    pub(crate) values: ValueWriter<'a>,
}

impl<'a> Line<'a> {
    fn new(record: &'a Record, options: &'a SchemaOptions, cut: (usize, Extent)) -> Self {
        let (value_bytes, extent) = cut;
        Self { record, options, extent, values: ValueWriter::new(value_bytes) }
    }

    /// Whether more is written than must be there.
    pub(crate) fn has_room(&self) -> bool {
        self.extent > Extent::Core
    }

    /// The level's name in the native record.
    pub(crate) fn level_name(&self) -> &'static str {
        match (self.record.level(), self.options.json.record.warning_name) {
            (Level::Warn, WarnName::Warning) => "WARNING",
            (level, _) => level.as_str(),
        }
    }

    pub(crate) fn push_text(&mut self, out: &mut Vec<u8>, name: &'static str, text: &Text<'a>) {
        self.values.text(out, || name.into(), &text.text, text.original_bytes);
    }

    /// A member with a comma before it.
    pub(crate) fn push_member(&mut self, out: &mut Vec<u8>, key: &'static str, text: &Text<'a>) {
        push_key(out, key);
        self.push_text(out, key, text);
    }

    pub(crate) fn message(&self) -> Text<'a> {
        self.last("message").map_or(Text::whole(""), |entry| Text::of(&entry))
    }

    pub(crate) fn logger(&self) -> Text<'a> {
        Text::whole(self.record.target())
    }

    pub(crate) fn module(&self) -> Option<Text<'a>> {
        self.record.module().filter(|_| self.has_room()).map(Text::whole)
    }

    pub(crate) fn file(&self) -> Option<Text<'a>> {
        let wanted = self.options.json.record.file && self.has_room();
        self.record.file().filter(|_| wanted).map(Text::whole)
    }

    pub(crate) fn line_number(&self) -> Option<u32> {
        self.record.line().filter(|_| self.has_room())
    }

    pub(crate) fn function(&self) -> Option<Text<'a>> {
        let given = self.last("function").filter(|entry| matches!(entry.value, Value::Str(_)));
        let span = || Some(Text::whole(self.record.context()?.span()?.name()));
        given.map(|entry| Text::of(&entry)).or_else(span).filter(|_| self.has_room())
    }

    /// The members of `service` that are given, under those keys for name, version, environment.
    pub(crate) fn service(&self, keys: [&'static str; 3]) -> Vec<(&'static str, Text<'a>)> {
        let options: &'a SchemaOptions = self.options;
        let ServiceConfig { name, version, environment, .. } = &options.service;
        let given = keys.into_iter().zip([name, version, environment]);
        let written = given.filter(|(_, text)| self.has_room() && !text.is_empty());
        written.map(|(key, text)| (key, Text::whole(text.as_str()))).collect()
    }

    /// The field `error`.
    fn failure(&self) -> Option<Failure<'a>> {
        let entry = self.last("error").filter(|_| self.extent == Extent::Whole)?;
        let Value::Error(error) = entry.value else {
            return Some(Failure { message: Text::of(&entry), trace: None });
        };
        let mut trace = error.message.to_owned();
        let chain = error_chain(error, &entry);
        for (source, _) in &chain {
            trace.push_str("\ncaused by: ");
            trace.push_str(source);
        }
        let trace = Text { text: trace.into(), original_bytes: entry.original_bytes };
        let message = Text::of(&error_text(error, &entry));
        Some(Failure { message, trace: (!chain.is_empty()).then_some(trace) })
    }

    /// Trace id and span id, the event's own or those of its context.
    pub(crate) fn given_ids(&self) -> [Option<Text<'a>>; 2] {
        let ids::Ids { trace, span, .. } = ids::Ids::of(self.record);
        let text = |id: Given<'a>| Text { text: id.text(), original_bytes: id.original_bytes() };
        [trace.map(text), span.map(text)]
    }

    fn ids(&self) -> Ids<'a> {
        let [trace, span] = self.given_ids();
        let mut ids = Ids::default();
        match trace.as_ref().map(|text| text.as_w3c(32)) {
            Some(Some(id)) => ids.trace = Some(id),
            _ => ids.others.extend(trace.map(|text| ("trace_id", text))),
        }
        match span.as_ref().map(|text| text.as_w3c(16)) {
            Some(Some(id)) if ids.trace.is_some() => ids.span = Some(id),
            _ => ids.others.extend(span.map(|text| ("span_id", text))),
        }
        ids
    }

    /// The event's field of that name; of several the last.
    pub(crate) fn last(&self, name: &str) -> Option<Entry<'a>> {
        last_entry(self.record, name)
    }

    /// The fields that are written as fields, later ones over earlier ones: pairs of contexts, then
    /// spans (if flat), then the event, then the framework's mark. Those in `placed` have their own
    /// place. What the application calls as the framework calls its own has moved aside.
    pub(crate) fn fields(
        &mut self,
        spans: Spans,
        placed: &[&str],
    ) -> Vec<(Cow<'a, str>, Entry<'a>)> {
        if self.extent < Extent::Whole {
            return Vec::new();
        }
        let mut all = self.extras();
        if spans == Spans::Flat {
            for span in self.spans() {
                let is_id = |name: &str| matches!(name, "trace_id" | "span_id");
                all.extend(span.fields().filter(|(name, _)| !is_id(name)));
            }
        }
        let own = self.own_fields().filter(|(name, _)| !placed.contains(name));
        let is_own = self.record.callsite().kind() == Kind::Internal;
        let (of_framework, of_event): (Vec<_>, Vec<_>) = own.partition(|_| is_own);
        all.extend(of_event);
        let aside = all.into_iter().map(|(name, entry)| (of_application(name), entry));
        let of_framework = of_framework.into_iter().chain(self.record.mark());
        aside.chain(of_framework.map(|(name, entry)| (Cow::Borrowed(name), entry))).collect()
    }

    pub(crate) fn extras(&self) -> Vec<(&'a str, Entry<'a>)> {
        let record: &'a Record = self.record;
        let extras = record.context().into_iter().flat_map(SpanContext::extras);
        let named = extras.filter_map(|entry| match entry.key {
            Key::Name(name) => Some((name, entry)),
            Key::Index(_) => None,
        });
        named.collect()
    }

    /// The event's fields that are not part of every record.
    pub(crate) fn own_fields(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> + use<'a> {
        let is_log = self.record.callsite().kind() == Kind::LogCrate;
        let record: &'a Record = self.record;
        let ids = ids::Ids::of(record);
        record.fields().filter(move |(name, entry)| match *name {
            "message" => false,
            name if ids.has(name, entry) => false,
            "function" => !matches!(entry.value, Value::Str(_)),
            "log.target" | "log.module_path" | "log.file" | "log.line" => !is_log,
            name => !is_marker(name),
        })
    }

    /// Root to leaf; of too many only those nearest to either end. None if spans are not written.
    pub(crate) fn spans(&mut self) -> Vec<&'a SpanData> {
        let record: &'a Record = self.record;
        let leaf = record.context().and_then(SpanContext::span);
        let is_wanted =
            self.extent == Extent::Whole && self.options.json.record.spans != Spans::Off;
        let Some(leaf) = leaf.filter(|_| is_wanted) else { return Vec::new() };
        let mut spans: Vec<_> = leaf.leaf_to_root().collect();
        spans.reverse();
        let (count, max) = (spans.len(), self.options.json.max_spans.max(1));
        if count > max {
            let from_root = max / 2;
            spans.drain(from_root..count - (max - from_root));
        }
        // Of a record that was recovered the outermost may be missing.
        if leaf.depth() as usize > count.min(max) {
            self.values.note_cut("logwell.spans".into(), u64::from(leaf.depth()));
        }
        spans
    }

    /// How many fields are missing in the line.
    pub(crate) fn left_out(&self) -> u64 {
        let mut left_out = u64::from(self.record.fields_left_out);
        if self.extent < Extent::Whole {
            left_out += (self.extras().len() + self.own_fields().count()) as u64;
        }
        left_out
    }

    /// Notes what the line leaves out: the last step before the cuts are written.
    pub(crate) fn note_left_out(&mut self) {
        let spans = self.record.context().and_then(SpanContext::span);
        if let (Extent::Bare, Some(leaf)) = (self.extent, spans)
            && self.options.json.record.spans != Spans::Off
        {
            self.values.note_cut("logwell.spans".into(), u64::from(leaf.depth()));
        }
        let left_out = self.left_out();
        if self.extent == Extent::Core {
            // There is only room to say that the line is not whole.
            self.values.forget_cuts_after(0);
        }
        if left_out > 0 || self.extent == Extent::Core {
            self.values.note_cut("logwell.fields".into(), left_out);
        }
    }
}

/// Members of a span: its only own key is `name`.
fn span_members<'a>(span: &'a SpanData, marks_bytes: bool) -> Members<'a> {
    let mut members = Members::named(Naming { key: key_in_span, marks_bytes });
    members.extend(span.fields());
    members
}

/// Writes moments in UTC.
#[derive(Debug, Default)]
struct Moment {
    second: UtcSecond,
}

impl Moment {
    /// Appends the moment in UTC with so many decimals: `2026-02-19T10:30:00.123456Z`.
    fn push(&mut self, out: &mut Vec<u8>, unix_ns: u64, decimals: u32) {
        out.extend_from_slice(self.second.text(unix_ns / 1_000_000_000));
        let (width, cut) = (decimals as usize, 10_u64.pow(9_u32.saturating_sub(decimals)));
        push_display(out, format_args!("{:0width$}Z", unix_ns % 1_000_000_000 / cut));
    }
}

/// Appends an id of the record that no other has, as the inside of a string: the same in all files.
fn push_uid(out: &mut Vec<u8>, record: &Record) {
    static START: LazyLock<Id> = LazyLock::new(Id::random_span);
    match &record.origin {
        None => push_display(out, format_args!("{}-{:016x}", *START, record.seq())),
        Some(origin) => {
            push_display(out, format_args!("{:016x}-{:016x}", origin.boot, record.seq()))
        }
    }
}

pub(crate) fn push_key(out: &mut Vec<u8>, key: &str) {
    out.push(b',');
    push_string(out, key);
    out.push(b':');
}

pub(crate) fn push_display(out: &mut Vec<u8>, value: impl Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}
