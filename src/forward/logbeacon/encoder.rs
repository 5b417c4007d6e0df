//! LogBeacon: the record as the log server LogBeacon takes it, and as its older clients write it.
//!
//! Knows the keys of the message. Does not know how it gets there, nor how a record is cut to fit.

use crate::base::zone::TimeZone;
use crate::encode::members::{Members, Naming};
use crate::encode::options::Spans;
use crate::encode::reserved::aside_if;
use crate::encode::reserved::of_application;
use crate::encode::schema::{Line, SchemaOptions, Text, fit, push_display, push_key};
use crate::encode::stamp::Stamp;
use crate::encode::value::push_json;
use crate::forward::level::EXTRA_INFO;
use crate::forward::level::ForwardLevel;
use crate::record::Record;
use crate::record::fields::{Entry, Value};
use serde_json::Map;
use std::borrow::Cow;

/// Makes LogBeacon's JSON of records, without a line's end.
///
/// | key | from |
/// |---|---|
/// | `domain`, `program_name` | the section `service`, or `program_name` of the process |
/// | `level`, `message` | the level's name, the message |
/// | `def_name` | the function; empty if there is none |
/// | `extra_info` | every other field, those of spans and contexts, `trace_id` and `span_id` |
/// | `timestamp` | `2026-02-19 10:30:00` in the zone of `forward.zone` |
/// | `hash` | tells the record from any other; always the last |
pub(crate) struct LogBeaconEncoder {
    options: SchemaOptions,
    stamp: Stamp,
}

impl LogBeaconEncoder {
    pub(crate) fn new(options: SchemaOptions, zone: TimeZone) -> Self {
        Self { options, stamp: Stamp::new(zone) }
    }

    /// Appends the message for a record. `hash` is made of plain characters.
    pub(crate) fn encode(
        &mut self,
        record: &Record,
        (level, hash): (ForwardLevel, &str),
        out: &mut Vec<u8>,
    ) {
        let Self { options, stamp } = self;
        fit(record, options, out, |line, out| push(line, stamp, (level, hash), out));
    }
}

fn push(
    mut line: Line<'_>,
    stamp: &mut Stamp,
    (level, hash): (ForwardLevel, &str),
    out: &mut Vec<u8>,
) {
    let service = &line.options.service;
    for (opening, key, text) in
        [("{", "domain", &service.domain), (",", "program_name", &service.name)]
    {
        push_display(out, format_args!("{opening}\"{key}\":"));
        line.push_text(out, key, &Text::whole(text.as_str()));
    }
    push_display(out, format_args!(",\"level\":\"{}\"", level.name()));
    let function = line.function().unwrap_or(Text::whole(""));
    line.push_member(out, "def_name", &function);
    let message = line.message();
    line.push_member(out, "message", &message);
    push_extra_info(&mut line, out);
    out.extend_from_slice(b",\"timestamp\":\"");
    stamp.write_second(line.record.unix_ns(), out);
    push_display(out, format_args!("\",\"hash\":\"{hash}\"}}"));
}

/// `"extra_info":{…}`: the fields, the ids, and what was cut.
fn push_extra_info(line: &mut Line<'_>, out: &mut Vec<u8>) {
    push_key(out, "extra_info");
    let start = out.len();
    let spans = match line.options.json.record.spans {
        Spans::Off => Spans::Off,
        _ => Spans::Flat,
    };
    let mut fields = line.fields(spans, &[]);
    let given = take_object(&mut fields);
    let mut members = Members::named(Naming { key: unreserved, marks_bytes: true });
    members.extend(fields.into_iter());
    members.push(out, &mut line.values);
    for (key, value) in &given {
        push_key(out, &key_of_member(key));
        push_json(out, &value.to_string());
    }
    let [trace, span] = line.given_ids();
    for (key, id) in [("trace_id", trace), ("span_id", span)] {
        if let Some(id) = id.filter(|_| line.has_room()) {
            line.push_member(out, key, &id);
        }
    }
    line.note_left_out();
    line.values.push_cuts(out);
    // Each member has a comma before it: the first becomes the brace.
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// Takes out the extra information of [`log`](crate::log) if it is an object; of fields with the
/// key of one of its members it has precedence.
fn take_object(fields: &mut Vec<(Cow<'_, str>, Entry<'_>)>) -> Map<String, serde_json::Value> {
    let is_json = |(name, entry): &(Cow<'_, str>, Entry<'_>)| match entry.value {
        Value::Json(text) if name == EXTRA_INFO => serde_json::from_str(text).ok(),
        _ => None,
    };
    let found = fields.iter().enumerate().find_map(|(at, field)| Some((at, is_json(field)?)));
    match found {
        Some((at, serde_json::Value::Object(object))) => {
            fields.remove(at);
            let is_member = |name: &str| object.keys().any(|key| key_of_member(key) == name);
            fields.retain(|(name, _)| !is_member(name));
            object
        }
        _ => Map::new(),
    }
}

/// The key for a member of the extra information, as for a field of that name.
fn key_of_member(name: &str) -> Cow<'_, str> {
    match of_application(name) {
        Cow::Borrowed(name) => unreserved(name),
        moved => moved,
    }
}

/// The key for a field of that name: one that `extra_info` has for itself moves aside.
fn unreserved(name: &str) -> Cow<'_, str> {
    aside_if(matches!(name, "trace_id" | "span_id" | "truncated"), name)
}
