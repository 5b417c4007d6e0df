//! JSON: one record as one line, schema version 1.
//!
//! Knows the keys, their order and their rules. Knows no file. What never changes about a callsite
//! is encoded once and kept.

use crate::callsite::{Callsite, Kind};
use crate::config::{RecordConfig, Spans, WarnName};
use crate::encode::Encode;
use crate::encode::members::{Members, is_marker, reserved_key};
use crate::encode::value::{ValueWriter, push_string};
use crate::fields::{Entry, Key, Value};
use crate::level::Level;
use crate::record::Record;
use crate::span::{SpanContext, SpanData};
use std::borrow::Cow;

/// Encodes records as JSON lines.
#[derive(Debug)]
pub struct JsonEncoder {
    options: JsonOptions,
    /// `"process":<pid>,"seq":`
    process: Vec<u8>,
    plans: Vec<Option<Plan>>,
    second: Second,
}

/// How records are written as JSON.
#[derive(Debug, Clone)]
pub struct JsonOptions {
    /// Spans, source file, name of the warning level.
    pub record: RecordConfig,
    /// A longer line is cut until it fits, its `\n` included. Every record fits into 1 KiB; a
    /// smaller limit may be passed.
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
    /// From the end of the timestamp to the message's key.
    head: Vec<u8>,
    /// Where in `head` the logger's value begins.
    logger_at: usize,
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

impl JsonEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        let process = format!(",\"process\":{},\"seq\":", std::process::id()).into_bytes();
        Self { options, process, plans: Vec::new(), second: Second::default() }
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
        line.push(&self.second.text, &self.process, out);
    }
}

impl Encode for JsonEncoder {
    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let start = out.len();
        let max_bytes = self.options.max_line_bytes;
        // A value longer than the line would be cut anyhow: the first attempt need not be longer.
        let with_fields = [1, 4, 16, 64, 256].map(|part| (part, true));
        let bare = [64, 256].map(|part| (part, false));
        for (part, with_fields) in with_fields.into_iter().chain(bare) {
            out.truncate(start);
            self.push_line(record, out, Cut { value_bytes: max_bytes / part, with_fields });
            if out.len() - start <= max_bytes {
                return;
            }
        }
    }
}

impl Plan {
    fn new(callsite: &'static Callsite, options: &RecordConfig) -> Self {
        let mut head = b"\",\"level\":\"".to_vec();
        head.extend_from_slice(level_name(callsite.level(), options).as_bytes());
        head.extend_from_slice(b"\",\"logger\":");
        let mut plan = Self {
            logger_at: head.len(),
            head,
            module: Vec::new(),
            place: Vec::new(),
            roles: callsite.fields().iter().map(|name| Role::of(name, callsite.kind())).collect(),
            is_simple: callsite.fields().iter().enumerate().all(|(at, name)| {
                let is_repeated = callsite.fields().iter().skip(at + 1).any(|other| other == name);
                !is_repeated && !may_clash(name)
            }),
        };
        if callsite.kind() != Kind::LogCrate {
            push_string(&mut plan.head, callsite.target());
            push_optional(&mut plan.module, "module", callsite.module());
            push_optional(&mut plan.place, "file", callsite.file().filter(|_| options.file));
            push_line_number(&mut plan.place, callsite.line());
        }
        plan
    }
}

impl Role {
    fn of(name: &str, kind: Kind) -> Self {
        match name {
            "message" => Self::Message,
            name if is_marker(name) || is_place_of_log(kind, name) => Self::Hidden,
            name => {
                let mut key = vec![b','];
                push_string(&mut key, &reserved_key(name));
                key.push(b':');
                Self::Member(key)
            }
        }
    }
}

/// Whether the field says where a record of the `log` crate comes from.
fn is_place_of_log(kind: Kind, name: &str) -> bool {
    kind == Kind::LogCrate
        && matches!(name, "log.target" | "log.module_path" | "log.file" | "log.line")
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

/// The event's field of that name; of several the last.
fn last_entry<'a>(record: &'a Record, name: &str) -> Option<Entry<'a>> {
    record.fields().filter(|(field, _)| *field == name).map(|(_, entry)| entry).last()
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn push_optional(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        push_key(out, key);
        push_string(out, value);
    }
}

fn push_line_number(out: &mut Vec<u8>, line: Option<u32>) {
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
    fn push(mut self, second: &[u8], process: &[u8], out: &mut Vec<u8>) {
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
        self.push_ids(out);
        if self.cut.with_fields {
            self.push_spans(out);
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
        let plan = self.plan;
        if self.is_place_planned() {
            out.extend_from_slice(&plan.head);
        } else {
            out.extend_from_slice(plan.head.get(..plan.logger_at).unwrap_or_default());
            self.values.text(out, || "logger".into(), self.record.target(), None);
        }
        out.extend_from_slice(b",\"message\":");
    }

    /// Whether logger, module and file can be written as the plan has them, in full length.
    fn is_place_planned(&self) -> bool {
        self.cut.with_fields && self.record.callsite().kind() != Kind::LogCrate
    }

    /// Module, function, file and line.
    fn push_place(&mut self, out: &mut Vec<u8>) {
        let record = self.record;
        let is_planned = self.is_place_planned();
        match is_planned {
            true => out.extend_from_slice(&self.plan.module),
            false => self.push_limited(out, "module", record.module()),
        }
        if !self.plan.is_simple && matches!(record.get("function"), Some(Value::Str(_))) {
            out.extend_from_slice(b",\"function\":");
            self.push_text_of(out, "function");
        } else {
            let span = record.context().and_then(SpanContext::span);
            self.push_limited(out, "function", span.map(SpanData::name));
        }
        match is_planned {
            true => out.extend_from_slice(&self.plan.place),
            false => {
                let file = record.file().filter(|_| self.options.record.file);
                self.push_limited(out, "file", file);
                push_line_number(out, record.line());
            }
        }
    }

    fn push_limited(&mut self, out: &mut Vec<u8>, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            push_key(out, key);
            self.values.text(out, || key.into(), text, None);
        }
    }

    /// The event's field of that name as a JSON string, whatever its type.
    fn push_text_of(&mut self, out: &mut Vec<u8>, name: &'static str) {
        let entry = match (name, self.record.callsite().message) {
            ("message", Some(index)) if self.plan.is_simple => {
                self.record.fields.iter().filter(|entry| entry.key == Key::Index(index)).last()
            }
            _ => last_entry(self.record, name),
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

    fn push_ids(&mut self, out: &mut Vec<u8>) {
        let context = self.record.context();
        let (record, is_simple) = (self.record, self.plan.is_simple);
        let given = |name| if is_simple { None } else { last_entry(record, name) };
        let inherited = [
            ("trace_id", context.map(SpanContext::trace_id)),
            ("span_id", context.map(SpanContext::span_id)),
        ];
        for (name, inherited) in inherited {
            let (text, original_bytes) = match (given(name), inherited) {
                (Some(Entry { value: Value::Str(text), original_bytes, .. }), _) => {
                    (Cow::Borrowed(text), original_bytes)
                }
                (Some(entry), _) => {
                    (Cow::Owned(crate::encode::value::to_text(&entry.value)), entry.original_bytes)
                }
                (None, Some(id)) => (Cow::Owned(id.to_string()), None),
                (None, None) => continue,
            };
            push_key(out, name);
            self.values.text(out, || name.into(), &text, original_bytes);
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
        let names = self.record.callsite().fields();
        let mut least = 0;
        for entry in self.record.fields.iter() {
            let (role, name) = match entry.key {
                // An index that is not above those before may be there twice.
                Key::Index(index) if usize::from(index) >= least => {
                    least = usize::from(index) + 1;
                    (self.plan.roles.get(usize::from(index)), names.get(usize::from(index)))
                }
                _ => (None, None),
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
                    self.values.push(out, || reserved_key(name.copied().unwrap_or("")), &entry);
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
        members.extend(self.own_members());
        members.push(out, &mut self.values);
    }

    /// The event's fields that have no place of their own in the line.
    fn own_members(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> + use<'a> {
        let kind = self.record.callsite().kind();
        self.record.fields().filter(move |(name, entry)| match *name {
            "message" | "trace_id" | "span_id" => false,
            "function" => !matches!(entry.value, Value::Str(_)),
            name => !is_place_of_log(kind, name),
        })
    }

    fn push_truncated(&mut self, out: &mut Vec<u8>) {
        let mut left_out = u64::from(self.record.fields_left_out);
        if !self.cut.with_fields {
            let context = self.record.context();
            let extras = context.map_or(0, |context| context.extras().count());
            let members = self.own_members().filter(|(name, _)| !is_marker(name)).count();
            left_out += (extras + members) as u64;
            if let Some(leaf) = context.and_then(SpanContext::span)
                && self.options.record.spans != Spans::Off
            {
                self.values.note_cut("logwell.spans".into(), u64::from(leaf.depth()));
            }
        }
        if left_out > 0 {
            self.values.note_cut("logwell.fields".into(), left_out);
        }
        self.values.push_cuts(out);
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
