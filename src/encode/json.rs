//! JSON: one record as one line, schema version 1.
//!
//! Knows the keys, their order and their rules. Knows no file. What never changes about a callsite
//! is encoded once and kept.

use crate::callsite::{Callsite, Kind};
use crate::config::{RecordConfig, Spans, WarnName};
use crate::encode::Encode;
use crate::encode::members::{Members, is_marker, reserved_key};
use crate::encode::value::{ValueWriter, push_string};
use crate::fields::{Entry, Key, Value, floor_char_boundary};
use crate::level::Level;
use crate::record::Record;
use crate::span::{SpanContext, SpanData};
use std::borrow::Cow;
use std::sync::Arc;

/// Encodes records as JSON lines.
#[derive(Debug)]
pub struct JsonEncoder {
    options: JsonOptions,
    /// `"process":<pid>,"seq":`
    process: Vec<u8>,
    plans: Vec<Option<Plan>>,
    contexts: Contexts,
    second: Second,
}

/// How records are written as JSON.
#[derive(Debug, Clone)]
pub struct JsonOptions {
    /// Spans, source file, name of the warning level.
    pub record: RecordConfig,
    /// A longer line is cut until it fits, its `\n` included.
    pub max_line_bytes: usize,
    /// So many spans of a record are written: half from the root, half to the leaf.
    pub max_spans: usize,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self { record: RecordConfig::default(), max_line_bytes: usize::MAX, max_spans: 64 }
    }
}

/// What is the same in each line of a callsite.
#[derive(Debug)]
struct Plan {
    /// From the end of the timestamp to the opening quote of the message.
    head: Vec<u8>,
    module: Vec<u8>,
    /// File and line.
    place: Vec<u8>,
    roles: Box<[Role]>,
    /// Whether the fields can be written one by one: no two keys are or can become equal.
    is_simple: bool,
}

/// What a field of a callsite is in the line.
#[derive(Debug)]
enum Role {
    /// Written as a member; the bytes are `,"key":`.
    Member(Vec<u8>),
    Message,
    /// Not written: a marker, or part of what the record is.
    Hidden,
}

/// The date and time of one second, since most records share it with the one before.
#[derive(Debug, Default)]
struct Second {
    unix_s: u64,
    text: Vec<u8>,
}

/// How much of a record is written: less and less until the line fits.
#[derive(Debug, Clone, Copy)]
struct Cut {
    value_bytes: usize,
    with_fields: bool,
}

const WHOLE: Cut = Cut { value_bytes: usize::MAX, with_fields: true };

impl Cut {
    fn is_whole(self) -> bool {
        self.value_bytes == usize::MAX
    }
}

impl JsonEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        let process = format!(",\"process\":{},\"seq\":", std::process::id()).into_bytes();
        Self {
            options,
            process,
            plans: Vec::new(),
            contexts: Contexts::default(),
            second: Second::default(),
        }
    }

    fn push_line(&mut self, record: &Record, out: &mut Vec<u8>, cut: Cut) {
        self.second.set(record.unix_ns() / 1_000_000_000);
        let callsite = record.callsite();
        if self.plans.len() <= callsite.index() {
            self.plans.resize_with(callsite.index() + 1, || None);
        }
        let Some(slot) = self.plans.get_mut(callsite.index()) else { return };
        let plan = slot.get_or_insert_with(|| Plan::new(callsite, &self.options.record));
        let line = Line {
            record,
            plan,
            options: &self.options,
            cut,
            values: ValueWriter::new(cut.value_bytes),
        };
        line.push(&self.second.text, &self.process, &mut self.contexts, out);
    }
}

impl Encode for JsonEncoder {
    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let start = out.len();
        let max_bytes = self.options.max_line_bytes;
        self.push_line(record, out, WHOLE);
        let shorter = [4, 16, 64, 256].map(|part| Cut { value_bytes: max_bytes / part, ..WHOLE });
        let bare = Cut { value_bytes: max_bytes / 64, with_fields: false };
        for cut in shorter.into_iter().chain([bare]) {
            if out.len() - start <= max_bytes {
                break;
            }
            out.truncate(start);
            self.push_line(record, out, cut);
        }
    }
}

impl Plan {
    fn new(callsite: &'static Callsite, options: &RecordConfig) -> Self {
        let mut head = b"\",\"level\":\"".to_vec();
        head.extend_from_slice(level_name(callsite.level(), options).as_bytes());
        head.extend_from_slice(b"\",\"logger\":");
        let mut plan = Self {
            head,
            module: Vec::new(),
            place: Vec::new(),
            roles: callsite.fields().iter().map(|name| Role::of(name)).collect(),
            is_simple: callsite.fields().iter().enumerate().all(|(at, name)| {
                let is_repeated = callsite.fields().iter().skip(at + 1).any(|other| other == name);
                !is_repeated && !may_clash(name)
            }),
        };
        if callsite.kind() != Kind::LogCrate {
            push_string(&mut plan.head, callsite.target());
            push_optional(&mut plan.module, "module", callsite.module());
            plan.push_place(callsite.file(), callsite.line(), options);
        }
        plan
    }

    fn push_place(&mut self, file: Option<&str>, line: Option<u32>, options: &RecordConfig) {
        push_place(&mut self.place, file, line, options);
    }
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "message" => Self::Message,
            name if is_marker(name) => Self::Hidden,
            name => {
                let mut key = vec![b','];
                push_string(&mut key, &reserved_key(name));
                key.push(b':');
                Self::Member(key)
            }
        }
    }
}

/// Whether the name has a role of its own, or another field can come to have the same key.
fn may_clash(name: &str) -> bool {
    matches!(name, "function" | "trace_id" | "span_id")
        || name.starts_with("field.")
        || name.ends_with("_chain")
        || name.ends_with("_b64")
}

fn level_name(level: Level, options: &RecordConfig) -> &'static str {
    match (level, options.warning_name) {
        (Level::Warn, WarnName::Warning) => "WARNING",
        (level, _) => level.as_str(),
    }
}

fn push_optional(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        push_string(out, value);
    }
}

fn push_place(out: &mut Vec<u8>, file: Option<&str>, line: Option<u32>, options: &RecordConfig) {
    push_optional(out, "file", file.filter(|_| options.file));
    if let Some(line) = line {
        out.extend_from_slice(b",\"line\":");
        out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
    }
}

/// One line in the making.
struct Line<'a> {
    record: &'a Record,
    plan: &'a Plan,
    options: &'a JsonOptions,
    cut: Cut,
    values: ValueWriter<'a>,
}

impl<'a> Line<'a> {
    fn push(mut self, second: &[u8], process: &[u8], contexts: &mut Contexts, out: &mut Vec<u8>) {
        let record = self.record;
        out.extend_from_slice(b"{\"timestamp\":\"");
        out.extend_from_slice(second);
        push_micros(out, record.unix_ns() % 1_000_000_000 / 1_000);
        out.extend_from_slice(b"+00:00");
        self.push_head(out);
        self.push_text_of(out, "message");
        self.push_place(out);
        out.extend_from_slice(b",\"thread\":");
        self.values.text(out, || "thread".into(), record.thread(), None);
        out.extend_from_slice(process);
        out.extend_from_slice(itoa::Buffer::new().format(record.seq()).as_bytes());
        self.push_context(contexts, out);
        if self.cut.with_fields {
            if self.plan.is_simple && self.push_simple_fields(out) {
                // All fields are written.
            } else {
                self.push_members(out);
            }
        }
        self.push_truncated(out);
        out.extend_from_slice(b"}\n");
    }

    /// Level and logger, up to the message.
    fn push_head(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.plan.head);
        if self.record.callsite().kind() == Kind::LogCrate {
            self.values.text(out, || "logger".into(), self.record.target(), None);
        }
        out.extend_from_slice(b",\"message\":");
    }

    /// Module, function, file and line.
    fn push_place(&mut self, out: &mut Vec<u8>) {
        let record = self.record;
        let is_log = record.callsite().kind() == Kind::LogCrate;
        match is_log {
            true => push_optional(out, "module", record.module().map(|text| self.limited(text))),
            false => out.extend_from_slice(&self.plan.module),
        }
        if !self.plan.is_simple && matches!(record.get("function"), Some(Value::Str(_))) {
            out.extend_from_slice(b",\"function\":");
            self.push_text_of(out, "function");
        } else {
            let span = record.context().and_then(SpanContext::span);
            push_optional(out, "function", span.map(SpanData::name));
        }
        match is_log {
            true => {
                let file = record.file().map(|text| self.limited(text));
                push_place(out, file, record.line(), &self.options.record);
            }
            false => out.extend_from_slice(&self.plan.place),
        }
    }

    fn limited(&self, text: &'a str) -> &'a str {
        text.get(..floor_char_boundary(text, self.cut.value_bytes)).unwrap_or_default()
    }

    /// The event's field of that name as a JSON string, whatever its type.
    fn push_text_of(&mut self, out: &mut Vec<u8>, name: &'static str) {
        let entry = match (name, self.record.callsite().message) {
            ("message", Some(index)) => {
                let mut messages =
                    self.record.fields.iter().filter(|entry| entry.key == Key::Index(index));
                // The last wins, but mostly there is only one and it comes first.
                if self.plan.is_simple { messages.next() } else { messages.last() }
            }
            _ => self.record.fields().filter(|(field, _)| *field == name).map(|(_, e)| e).last(),
        };
        match entry {
            Some(Entry { value: Value::Str(text), original_bytes, .. }) => {
                self.values.text(out, || name.into(), text, original_bytes);
            }
            Some(entry) => {
                let text = crate::encode::value::to_text(&entry.value);
                self.values.text(out, || name.into(), &text, entry.original_bytes);
            }
            None => out.extend_from_slice(b"\"\""),
        }
    }

    /// Ids and spans: as they were written for the record before, or anew.
    fn push_context(&mut self, contexts: &mut Contexts, out: &mut Vec<u8>) {
        let is_whole = self.plan.is_simple && self.cut.is_whole();
        let context = self.record.context.as_ref().filter(|_| is_whole);
        if let Some(known) = context.and_then(|context| contexts.get(context)) {
            out.extend_from_slice(known);
            return;
        }
        let (start, cuts) = (out.len(), self.values.cuts());
        self.push_ids(out);
        if self.cut.with_fields {
            self.push_spans(out);
        }
        if let Some(context) = context.filter(|_| self.values.cuts() == cuts) {
            contexts.keep(context, out.get(start..).unwrap_or_default());
        }
    }

    fn push_ids(&mut self, out: &mut Vec<u8>) {
        let context = self.record.context();
        let given = |name| match self.plan.is_simple {
            true => None,
            false => self.record.get(name),
        };
        let inherited = [
            ("trace_id", context.map(SpanContext::trace_id)),
            ("span_id", context.map(SpanContext::span_id)),
        ];
        for (name, inherited) in inherited {
            let text = match (given(name), inherited) {
                (Some(Value::Str(text)), _) => Cow::Borrowed(text),
                (Some(value), _) => Cow::Owned(crate::encode::value::to_text(&value)),
                (None, Some(id)) => Cow::Owned(id.to_string()),
                (None, None) => continue,
            };
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            self.values.text(out, || name.into(), &text, None);
        }
    }

    fn push_spans(&mut self, out: &mut Vec<u8>) {
        let Some(leaf) = self.record.context().and_then(SpanContext::span) else { return };
        if self.options.record.spans != Spans::Nested {
            return;
        }
        out.extend_from_slice(b",\"spans\":[");
        for (at, span) in self.chosen_spans(leaf).into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"name\":");
            push_string(out, span.name());
            let mut members = Members::in_span();
            members.extend(span.fields());
            members.push(out, &mut self.values);
            out.push(b'}');
        }
        out.push(b']');
    }

    /// Root to leaf; of too many only those nearest to either end.
    fn chosen_spans(&mut self, leaf: &'a SpanData) -> Vec<&'a SpanData> {
        let mut spans: Vec<_> = leaf.leaf_to_root().collect();
        spans.reverse();
        let (count, max) = (spans.len(), self.options.max_spans.max(1));
        if count > max {
            let from_root = max / 2;
            spans.drain(from_root..count - (max - from_root));
            self.values.note_cut(Cow::Borrowed("logwell.spans"), count as u64);
        }
        spans
    }

    /// Writes the fields one by one; false, with nothing written, if that may repeat a key.
    fn push_simple_fields(&mut self, out: &mut Vec<u8>) -> bool {
        let (start, cuts) = (out.len(), self.values.cuts());
        let flat = self.options.record.spans == Spans::Flat;
        if self.record.context().is_some_and(|context| context.extras.is_some() || flat) {
            return false;
        }
        for entry in self.record.fields.iter() {
            let role = match entry.key {
                Key::Index(index) => self.plan.roles.get(usize::from(index)),
                Key::Name(_) => None,
            };
            match (role, entry.value) {
                (Some(Role::Message | Role::Hidden), _) => {}
                (None, _) | (_, Value::Error(_) | Value::Bytes(_)) => {
                    out.truncate(start);
                    self.values.forget_cuts_after(cuts);
                    return false;
                }
                (Some(Role::Member(key)), _) => {
                    out.extend_from_slice(key);
                    let name = || {
                        let key = key.get(2..key.len().saturating_sub(2)).unwrap_or_default();
                        Cow::Owned(String::from_utf8_lossy(key).into_owned())
                    };
                    self.values.push(out, name, &entry);
                }
            }
        }
        true
    }

    /// Writes all members, each key once: pairs of contexts, then spans (if flat), then the event.
    fn push_members(&mut self, out: &mut Vec<u8>) {
        let mut members = Members::at_top();
        if let Some(context) = self.record.context() {
            members.extend(context.extras().filter_map(|entry| match entry.key {
                Key::Name(name) => Some((name, entry)),
                Key::Index(_) => None,
            }));
            if self.options.record.spans == Spans::Flat
                && let Some(leaf) = context.span()
            {
                for span in self.chosen_spans(leaf) {
                    let is_id = |name: &str| matches!(name, "trace_id" | "span_id");
                    members.extend(span.fields().filter(|(name, _)| !is_id(name)));
                }
            }
        }
        members.extend(self.record.fields().filter(|(name, entry)| match *name {
            "message" | "trace_id" | "span_id" => false,
            "function" => !matches!(entry.value, Value::Str(_)),
            _ => true,
        }));
        members.push(out, &mut self.values);
    }

    fn push_truncated(&mut self, out: &mut Vec<u8>) {
        if self.record.fields_left_out > 0 || !self.cut.with_fields {
            let kept = if self.cut.with_fields { 0 } else { self.record.fields.iter().count() };
            let left_out = u64::from(self.record.fields_left_out) + kept as u64;
            self.values.note_cut(Cow::Borrowed("logwell.fields"), left_out);
        }
        self.values.push_cuts(out);
    }
}

/// Ids and spans as they were written lately. Most records share their context with others, and
/// writing it anew would cost more than the rest of the line.
#[derive(Debug, Default)]
struct Contexts {
    kept: Vec<Option<KeptContext>>,
}

#[derive(Debug)]
struct KeptContext {
    /// Held, so that no other context can come to have its address.
    context: Arc<SpanContext>,
    text: Vec<u8>,
}

impl Contexts {
    const SLOTS: usize = 64;
    /// Longer ones are not worth the memory.
    const MAX_BYTES: usize = 4 * 1024;

    fn slot(context: &Arc<SpanContext>) -> usize {
        let address = Arc::as_ptr(context).addr();
        ((address >> 6) ^ (address >> 12)) % Self::SLOTS
    }

    fn get(&self, context: &Arc<SpanContext>) -> Option<&[u8]> {
        let kept = self.kept.get(Self::slot(context))?.as_ref()?;
        Arc::ptr_eq(&kept.context, context).then_some(&kept.text)
    }

    fn keep(&mut self, context: &Arc<SpanContext>, text: &[u8]) {
        if text.len() > Self::MAX_BYTES {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize_with(Self::SLOTS, || None);
        }
        if let Some(slot) = self.kept.get_mut(Self::slot(context)) {
            let mut room = slot.take().map(|kept| kept.text).unwrap_or_default();
            room.clear();
            room.extend_from_slice(text);
            *slot = Some(KeptContext { context: Arc::clone(context), text: room });
        }
    }
}

impl Second {
    fn set(&mut self, unix_s: u64) {
        if self.unix_s != unix_s || self.text.is_empty() {
            self.unix_s = unix_s;
            self.text.clear();
            crate::clock::push_utc_second(&mut self.text, unix_s);
        }
    }
}

fn push_micros(out: &mut Vec<u8>, micros: u64) {
    let digits = [100_000, 10_000, 1_000, 100, 10, 1].map(|unit| (micros / unit % 10) as u8 + b'0');
    out.extend_from_slice(&digits);
}
