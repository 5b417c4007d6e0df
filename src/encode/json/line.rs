//! Line: one record as one line, in the making.
//!
//! The fast path writes the usual record; what is unusual (a key that could be there twice, a pair
//! of a context, a value that is too long) takes a longer way.

use super::Cut;
use super::JsonOptions;
use crate::encode::ids::Ids;
use crate::encode::ids::last_entry;
use crate::encode::json::context_cache::ContextCache;
use crate::encode::json::fast_path::micros;
use crate::encode::json::template::{
    MESSAGE, Role, THREAD, Template, is_place_of_log, key_of, push_key, push_line_number,
    push_optional,
};
use crate::encode::members::Members;
use crate::encode::options::Spans;
use crate::encode::reserved::is_marker;
use crate::encode::reserved::of_application;
use crate::encode::value::{ValueWriter, push_string, to_text};
use crate::record::Record;
use crate::record::callsite::Kind;
use crate::record::fields::{Entry, Key, Value};
use crate::record::span::{SpanContext, SpanData};
use std::borrow::Cow;

/// One line in the making.
pub(super) struct Line<'a> {
    pub(super) record: &'a Record,
    pub(super) plan: &'a Template,
    /// Whether the fields can be written one by one: no two keys are or can become equal.
    pub(super) is_simple: bool,
    pub(super) options: &'a JsonOptions,
    pub(super) cut: Cut,
    pub(super) values: ValueWriter<'a>,
}

impl<'a> Line<'a> {
    pub(super) fn push(
        mut self,
        second: &[u8],
        process: &[u8],
        contexts: &mut ContextCache,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(second);
        out.extend_from_slice(&micros(self.record.unix_ns()));
        self.push_to_thread(out);
        self.values.text(out, || "thread".into(), self.record.thread(), None);
        match &self.record.origin {
            None => out.extend_from_slice(process),
            Some(origin) => {
                out.extend_from_slice(b",\"process\":");
                out.extend_from_slice(itoa::Buffer::new().format(origin.process).as_bytes());
                out.extend_from_slice(b",\"seq\":");
            }
        }
        out.extend_from_slice(itoa::Buffer::new().format(self.record.seq()).as_bytes());
        self.push_context(contexts, out);
        if self.cut.with_fields && !(self.is_simple && self.push_simple_fields(out)) {
            self.push_members(out);
        }
        self.push_truncated(out);
        out.extend_from_slice(b"}\n");
    }

    /// Level, logger, message, module, function, file and line, up to the thread's value.
    fn push_to_thread(&mut self, out: &mut Vec<u8>) {
        let (plan, record) = (self.plan, self.record);
        if !self.cut.with_fields || record.callsite().kind() == Kind::LogCrate {
            return self.push_to_thread_anew(out);
        }
        out.extend_from_slice(&plan.head);
        self.push_text_of(out, "message");
        if record.context.is_none() && self.is_simple {
            out.extend_from_slice(&plan.module_and_place);
        } else {
            out.extend_from_slice(&plan.module);
            self.push_function(out);
            out.extend_from_slice(&plan.place);
        }
    }

    /// The same where the plan does not know the place, or has it in more length than there is
    /// room.
    #[cold]
    fn push_to_thread_anew(&mut self, out: &mut Vec<u8>) {
        let (plan, record) = (self.plan, self.record);
        out.extend_from_slice(plan.head.get(..plan.logger_at).unwrap_or_default());
        self.values.text(out, || "logger".into(), record.target(), None);
        out.extend_from_slice(MESSAGE);
        self.push_text_of(out, "message");
        self.push_limited(out, "module", record.module());
        self.push_function(out);
        self.push_limited(out, "file", record.file().filter(|_| self.options.record.file));
        push_line_number(out, record.line());
        out.extend_from_slice(THREAD);
    }

    fn push_function(&mut self, out: &mut Vec<u8>) {
        let record = self.record;
        if !self.is_simple && matches!(record.get("function"), Some(Value::Str(_))) {
            out.extend_from_slice(b",\"function\":");
            self.push_text_of(out, "function");
        } else {
            let span = record.context().and_then(SpanContext::span);
            self.push_limited(out, "function", span.map(SpanData::name));
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
            // Mostly it comes first, and there is no other.
            ("message", Some(index)) if self.is_simple => {
                self.record.fields.iter().find(|entry| entry.key == Key::Index(index))
            }
            _ => last_entry(self.record, name),
        };
        match entry {
            Some(Entry { value: Value::Str(text), original_bytes, .. }) => {
                self.values.text(out, || name.into(), text, original_bytes);
            }
            Some(entry) => {
                let text = to_text(&entry.value);
                self.values.text(out, || name.into(), &text, entry.original_bytes);
            }
            None => out.extend_from_slice(b"\"\""),
        }
    }

    /// Ids and spans: as they were written for the record before, or again.
    fn push_context(&mut self, contexts: &mut ContextCache, out: &mut Vec<u8>) {
        let is_first_attempt = self.cut.value_bytes == self.options.max_line_bytes;
        let is_usual = self.is_simple && is_first_attempt;
        let context = self.record.context.as_ref().filter(|_| is_usual);
        if let Some(known) = context.and_then(|context| contexts.get(context)) {
            out.extend_from_slice(&known.text);
            return;
        }
        let (start, cuts) = (out.len(), self.values.cuts());
        self.push_ids(out);
        if self.cut.with_fields {
            self.push_spans(out);
        }
        if let Some(context) = context.filter(|_| self.values.cuts() == cuts) {
            let mut function = Vec::new();
            push_optional(&mut function, "function", context.span().map(SpanData::name));
            contexts.keep(context, &function, out.get(start..).unwrap_or_default());
        }
    }

    fn push_ids(&mut self, out: &mut Vec<u8>) {
        let Ids { trace, span, .. } = Ids::of(self.record);
        for (name, id) in [("trace_id", trace), ("span_id", span)] {
            if let Some(id) = id {
                push_key(out, name);
                self.values.text(out, || name.into(), &id.text(), id.original_bytes());
            }
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
        }
        // Of a record that was recovered the outermost may be missing.
        if leaf.depth() as usize > count.min(max) {
            self.values.note_cut(Cow::Borrowed("logwell.spans"), u64::from(leaf.depth()));
        }
        spans
    }

    /// Writes the fields one by one; false, with nothing written, if that may repeat a key.
    fn push_simple_fields(&mut self, out: &mut Vec<u8>) -> bool {
        let (start, cuts) = (out.len(), self.values.cuts());
        let flat = self.options.record.spans == Spans::Flat;
        let has_more = self.record.context().is_some_and(|it| it.extras.is_some() || flat);
        if has_more || self.record.mark().is_some() {
            return false;
        }
        let (kind, names) = (self.record.callsite().kind(), self.record.callsite().fields());
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
                    out.extend_from_slice(&key.bytes);
                    self.values.push(out, || key_of(kind, name.copied().unwrap_or("")), &entry);
                }
            }
        }
        true
    }

    /// Writes all members, each key once: pairs of contexts, then spans (if flat), then the event,
    /// then the framework's mark.
    fn push_members(&mut self, out: &mut Vec<u8>) {
        let mut members = Members::at_top();
        if let Some(context) = self.record.context() {
            members.extend(context.extras().filter_map(|entry| match entry.key {
                Key::Name(name) => Some((of_application(name), entry)),
                Key::Index(_) => None,
            }));
            if self.options.record.spans == Spans::Flat
                && let Some(leaf) = context.span()
            {
                for span in self.chosen_spans(leaf) {
                    let is_id = |name: &str| matches!(name, "trace_id" | "span_id");
                    let fields = span.fields().filter(|(name, _)| !is_id(name));
                    members.extend(fields.map(|(name, entry)| (of_application(name), entry)));
                }
            }
        }
        let kind = self.record.callsite().kind();
        members.extend(self.own_members().map(|(name, entry)| match kind {
            Kind::Internal => (Cow::Borrowed(name), entry),
            _ => (of_application(name), entry),
        }));
        members.extend(self.record.mark().into_iter());
        members.push(out, &mut self.values);
    }

    /// The event's fields that have no place of their own in the line.
    fn own_members(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> + use<'a> {
        let (kind, ids) = (self.record.callsite().kind(), Ids::of(self.record));
        self.record.fields().filter(move |(name, entry)| match *name {
            "message" => false,
            name if ids.has(name, entry) => false,
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
