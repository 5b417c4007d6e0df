//! OTel: the record in the log data model of OpenTelemetry, as OTLP/JSON.
//!
//! Knows OTLP's JSON and the names of the semantic conventions. Does not know how a record is cut
//! to fit.

use crate::encode::Encode;
use crate::encode::members::{Content, Member, Members, Naming};
use crate::encode::options::Spans;
use crate::encode::reserved::aside_if;
use crate::encode::schema::{
    Failure, Line, SchemaOptions, Text, fit, push_display, push_uid, span_members,
};
use crate::encode::value::{ValueWriter, push_string};
use crate::record::Record;
use crate::record::fields::{Entry, Value};
use crate::record::level::Level;
use crate::record::line_id::LineId;
use std::borrow::Cow;

/// Encodes records for OpenTelemetry, as OTLP/JSON.
///
/// Each line is a whole `LogsData` with one record: that is what the file exporter's specification
/// has in a line, what the collector's `otlpjsonfile` receiver reads, and what `/v1/logs` takes as
/// a request. A bare log record would need its own reader.
///
/// | part | from |
/// |---|---|
/// | `resource` | `service.name`, `service.version`, `deployment.environment.name` of the section `service`; `process.pid` |
/// | `scope.name` | the logger |
/// | `timeUnixNano`, `observedTimeUnixNano` | when it happened |
/// | `severityNumber`, `severityText` | 1, 5, 9, 13, 17, 21; the level's name |
/// | `body` | the message |
/// | `traceId`, `spanId` | W3C ids |
/// | `droppedAttributesCount` | how many fields are left out |
/// | `attributes` | the rest |
///
/// Attributes of the record: `log.record.uid`, `seq`, `thread.name`, `code.file.path`,
/// `code.line.number`, `code.function.name`, `module`, `exception.message` and
/// `exception.stacktrace` (of the event's field `error`; its sources, a line each), `trace_id` and
/// `span_id` (ids that are other texts), `spans` and `truncated`, which calls the body `message`. A
/// field with one of these names is written as `field.<name>`. Bytes are `bytesValue`, under their
/// own name. Integers beyond 64 bits with sign are texts.
///
/// ```
/// use logwell::encode::Encode;
/// use logwell::encode::schema::SchemaOptions;
/// use logwell::encode::schema::otel::OtelEncoder;
///
/// let logs = logwell::testing::capture();
/// tracing::warn!(order = 7, "payment refused");
///
/// let mut line = Vec::new();
/// OtelEncoder::new(SchemaOptions::default()).encode(&logs.records()[0], &mut line);
/// let line: serde_json::Value = serde_json::from_slice(&line)?;
/// let record = &line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
/// assert_eq!(record["severityNumber"], 13);
/// assert_eq!(record["body"]["stringValue"], "payment refused");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "opentelemetry")]
#[doc(alias = "otlp")]
pub struct OtelEncoder {
    options: SchemaOptions,
}

/// Attributes of the record itself.
const RESERVED: [&str; 14] = [
    "message",
    "log.record.uid",
    "seq",
    "thread.name",
    "code.file.path",
    "code.line.number",
    "code.function.name",
    "module",
    "exception.message",
    "exception.stacktrace",
    "trace_id",
    "span_id",
    "spans",
    "truncated",
];

impl OtelEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: SchemaOptions) -> Self {
        Self { options }
    }
}

impl Encode for OtelEncoder {
    fn id_in(&self, line: &[u8]) -> Option<LineId> {
        let line: serde_json::Value = serde_json::from_slice(line).ok()?;
        let resource = line.pointer("/resourceLogs/0")?;
        let record = resource.pointer("/scopeLogs/0/logRecords/0")?;
        let process = int_attribute(resource.pointer("/resource/attributes")?, "process.pid")?;
        Some(LineId {
            process: u32::try_from(process).ok()?,
            seq: int_attribute(record.get("attributes")?, "seq")?,
            unix_us: record.get("timeUnixNano")?.as_str()?.parse::<u64>().ok()? / 1_000,
        })
    }

    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        fit(record, &self.options, out, push_line);
    }
}

fn push_line(mut line: Line<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"resourceLogs\":[{\"resource\":{\"attributes\":[");
    push_resource(&mut line, out);
    out.extend_from_slice(b"]},\"scopeLogs\":[{\"scope\":{\"name\":");
    let logger = line.logger();
    line.push_text(out, "scope.name", &logger);
    let time = line.record.unix_ns();
    let number = severity_number(line.record.level());
    let text = line.level_name();
    push_display(
        out,
        format_args!(
            "}},\"logRecords\":[{{\"timeUnixNano\":\"{time}\",\"observedTimeUnixNano\":\"{time}\",\
             \"severityNumber\":{number},\"severityText\":\"{text}\",\"body\":{{\"stringValue\":"
        ),
    );
    let message = line.message();
    line.push_text(out, "message", &message);
    out.extend_from_slice(b"},\"attributes\":[");
    let ids = line.ids();
    push_own_attributes(&mut line, out);
    for (key, id) in &ids.others {
        push_text_attribute(&mut line, out, (*key, id));
    }
    push_fields(&mut line, out);
    line.note_left_out();
    push_truncated(&line, out);
    out.push(b']');
    let left_out = u32::try_from(line.left_out()).unwrap_or(u32::MAX);
    if left_out > 0 {
        push_display(out, format_args!(",\"droppedAttributesCount\":{left_out}"));
    }
    for (key, id) in [("traceId", ids.trace), ("spanId", ids.span)] {
        if let Some(id) = id {
            push_display(out, format_args!(",\"{key}\":\"{id}\""));
        }
    }
    out.extend_from_slice(b"}]}]}]}\n");
}

/// The integer of that key in a list of attributes.
fn int_attribute(attributes: &serde_json::Value, key: &str) -> Option<u64> {
    let attribute = attributes.as_array()?.iter().find(|attribute| attribute["key"] == key)?;
    attribute.pointer("/value/intValue")?.as_str()?.parse().ok()
}

/// The least number of the range that the data model has for the level.
fn severity_number(level: Level) -> u8 {
    match level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
        Level::Critical => 21,
    }
}

fn push_resource(line: &mut Line<'_>, out: &mut Vec<u8>) {
    push_int_attribute(out, "process.pid", line.record.process().into());
    let keys = ["service.name", "service.version", "deployment.environment.name"];
    for (key, text) in line.service(keys) {
        push_text_attribute(line, out, (key, &text));
    }
}

fn push_own_attributes(line: &mut Line<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"key\":\"log.record.uid\",\"value\":{\"stringValue\":\"");
    push_uid(out, line.record);
    out.extend_from_slice(b"\"}}");
    push_int_attribute(out, "seq", line.record.seq());
    let thread = line.has_room().then(|| Text::whole(line.record.thread()));
    let places = [
        ("thread.name", thread),
        ("code.file.path", line.file()),
        ("code.function.name", line.function()),
        ("module", line.module()),
    ];
    for (key, text) in places {
        if let Some(text) = text {
            push_text_attribute(line, out, (key, &text));
        }
    }
    if let Some(number) = line.line_number() {
        push_int_attribute(out, "code.line.number", number.into());
    }
    if let Some(Failure { message, trace }) = line.failure() {
        push_text_attribute(line, out, ("exception.message", &message));
        if let Some(trace) = trace {
            push_text_attribute(line, out, ("exception.stacktrace", &trace));
        }
    }
}

fn push_fields(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let spans = line.options.json.record.spans;
    if spans == Spans::Nested {
        push_spans(line, out);
    }
    let mut members = Members::named(Naming { key: unreserved, marks_bytes: false });
    members.extend(line.fields(spans, &["error"]).into_iter());
    for member in members.unique() {
        push_member(out, &mut line.values, member);
    }
}

/// An array of a list for each span, from root to leaf.
fn push_spans(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let spans = line.spans();
    if spans.is_empty() {
        return;
    }
    open_attribute(out, "spans");
    out.extend_from_slice(b"{\"arrayValue\":{\"values\":[");
    for (at, span) in spans.into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b"," } else { b"" });
        out.extend_from_slice(b"{\"kvlistValue\":{\"values\":[");
        open_attribute(out, "name");
        out.extend_from_slice(b"{\"stringValue\":");
        push_string(out, span.name());
        out.extend_from_slice(b"}}");
        for member in span_members(span, false).unique() {
            push_member(out, &mut line.values, member);
        }
        out.extend_from_slice(b"]}}");
    }
    out.extend_from_slice(b"]}}}");
}

fn push_truncated(line: &Line<'_>, out: &mut Vec<u8>) {
    let mut cuts = line.values.each_cut().peekable();
    if cuts.peek().is_none() {
        return;
    }
    open_attribute(out, "truncated");
    out.extend_from_slice(b"{\"kvlistValue\":{\"values\":[");
    for (name, original) in cuts {
        match original {
            Entry::UNKNOWN_BYTES => {
                open_attribute(out, name);
                out.extend_from_slice(b"{\"stringValue\":\"?\"}}");
            }
            known => push_int_attribute(out, name, known),
        }
    }
    out.extend_from_slice(b"]}}}");
}

/// Begins an attribute, up to its value, with a comma if it is not the first.
fn open_attribute(out: &mut Vec<u8>, key: &str) {
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
    out.extend_from_slice(b"{\"key\":");
    push_string(out, key);
    out.extend_from_slice(b",\"value\":");
}

fn push_int_attribute(out: &mut Vec<u8>, key: &str, number: u64) {
    open_attribute(out, key);
    push_int(out, number.into());
    out.push(b'}');
}

fn push_text_attribute<'a>(
    line: &mut Line<'a>,
    out: &mut Vec<u8>,
    (key, text): (&'static str, &Text<'a>),
) {
    open_attribute(out, key);
    out.extend_from_slice(b"{\"stringValue\":");
    line.push_text(out, key, text);
    out.extend_from_slice(b"}}");
}

fn push_member<'a>(out: &mut Vec<u8>, values: &mut ValueWriter<'a>, member: &Member<'a>) {
    open_attribute(out, &member.key);
    match member.content() {
        Content::Value(entry) => push_any(out, values, (&member.key, &entry)),
        Content::Chain(sources) => {
            out.extend_from_slice(b"{\"arrayValue\":{\"values\":[");
            for (at, (source, original_bytes)) in sources.into_iter().enumerate() {
                out.extend_from_slice(if at > 0 { b"," } else { b"" });
                out.extend_from_slice(b"{\"stringValue\":");
                values.text(out, || member.key.clone(), source, original_bytes);
                out.push(b'}');
            }
            out.extend_from_slice(b"]}}");
        }
    }
    out.push(b'}');
}

/// A value with its type.
fn push_any<'a>(
    out: &mut Vec<u8>,
    values: &mut ValueWriter<'a>,
    (key, entry): (&Cow<'a, str>, &Entry<'a>),
) {
    let kind = match entry.value {
        Value::U64(number) => return push_int(out, number.into()),
        Value::I64(number) => return push_int(out, number.into()),
        Value::I128(number) => return push_int(out, number),
        Value::U128(number) => match i128::try_from(number) {
            Ok(number) => return push_int(out, number),
            Err(_) => "stringValue",
        },
        Value::F64(_) => "doubleValue",
        Value::Bool(_) => "boolValue",
        Value::Str(_) | Value::Error(_) => "stringValue",
        Value::Json(text) => {
            let text = Entry { value: Value::Str(text), ..*entry };
            return push_any(out, values, (key, &text));
        }
        Value::Bytes(_) => "bytesValue",
    };
    push_display(out, format_args!("{{\"{kind}\":"));
    values.push(out, || key.clone(), entry);
    out.push(b'}');
}

/// A whole number. In protobuf's JSON those of 64 bits are texts; wider ones are only texts.
fn push_int(out: &mut Vec<u8>, number: i128) {
    let kind = if i64::try_from(number).is_ok() { "intValue" } else { "stringValue" };
    push_display(out, format_args!("{{\"{kind}\":\"{number}\"}}"));
}

fn unreserved(name: &str) -> Cow<'_, str> {
    aside_if(RESERVED.contains(&name), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_the_number_of_the_data_model() {
        assert_eq!(Level::ALL.map(severity_number), [1, 5, 9, 13, 17, 21]);
    }

    #[test]
    fn whole_numbers_are_texts_and_those_beyond_64_bits_are_nothing_else() {
        let any = |number: i128| {
            let mut out = Vec::new();
            push_int(&mut out, number);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(any(-7), r#"{"intValue":"-7"}"#);
        assert_eq!(any(i64::MAX.into()), r#"{"intValue":"9223372036854775807"}"#);
        assert_eq!(any(u64::MAX.into()), r#"{"stringValue":"18446744073709551615"}"#);
    }
}
