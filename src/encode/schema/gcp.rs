//! GCP: the record as structured logging of Google Cloud reads it.
//!
//! Knows the keys that Google's agents take out of a line. Does not know how a record is cut to
//! fit.

use crate::encode::members::{Members, Naming};
use crate::encode::options::Spans;
use crate::encode::reserved::aside_if;
use crate::encode::schema::{
    Line, Moment, SchemaOptions, Text, fit, push_display, push_key, push_uid, span_members,
};
use crate::encode::value::push_string;
use crate::encode::{Encode, id_at};
use crate::record::Record;
use crate::record::level::Level;
use crate::record::line_id::LineId;
use std::borrow::Cow;

/// Encodes records for Google Cloud Logging: for Cloud Run, GKE, and the Ops Agent.
///
/// | key | from |
/// |---|---|
/// | `time`, `severity`, `message` | always; nanoseconds; TRACE is `DEBUG`, WARN is `WARNING` |
/// | `logging.googleapis.com/insertId` | its own id for each record; always |
/// | `logging.googleapis.com/trace`, `…/spanId` | W3C ids |
/// | `logging.googleapis.com/sourceLocation` | `file`, `line` (a text), `function` |
/// | `logging.googleapis.com/labels` | `environment` of the section `service` |
/// | `serviceContext` | `service` and `version` of it, for Error Reporting |
/// | `logger`, `process`, `seq` | as in the native record; always |
/// | `module`, `thread`, `spans` | as in the native record |
/// | `trace_id`, `span_id` | ids that are other texts |
/// | your fields, `truncated` | as in the native record |
///
/// `…/trace` is `projects/<gcp_project>/traces/<id>`, or the id alone if `record.gcp_project` is
/// empty. A field that has one of these names, or one that Google's agents give a meaning, such as
/// `httpRequest`, is written as `field.<name>`. `stack_trace`, `exception` and `@type` are left to
/// you: Error Reporting reads them.
///
/// ```
/// use logwell::encode::Encode;
/// use logwell::encode::schema::SchemaOptions;
/// use logwell::encode::schema::gcp::GcpEncoder;
///
/// let logs = logwell::testing::capture();
/// tracing::warn!(severity = "gold", order = 7, "payment refused");
///
/// let mut line = Vec::new();
/// GcpEncoder::new(SchemaOptions::default()).encode(&logs.records()[0], &mut line);
/// let line: serde_json::Value = serde_json::from_slice(&line)?;
/// assert_eq!(line["severity"], "WARNING");
/// assert_eq!(line["field.severity"], "gold");
/// assert_eq!(line["order"], 7);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "stackdriver")]
pub struct GcpEncoder {
    options: SchemaOptions,
    moment: Moment,
}

/// Keys of the record itself, and keys that the agents take for it.
const RESERVED: [&str; 19] = [
    "time",
    "severity",
    "message",
    "logger",
    "module",
    "thread",
    "process",
    "seq",
    "trace_id",
    "span_id",
    "spans",
    "truncated",
    "serviceContext",
    "timestamp",
    "timestampSeconds",
    "timestampNanos",
    "httpRequest",
    "log",
    "context",
];

impl GcpEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: SchemaOptions) -> Self {
        Self { options, moment: Moment::default() }
    }
}

impl Encode for GcpEncoder {
    fn id_in(&self, line: &[u8]) -> Option<LineId> {
        id_at(line, ["time", "process", "seq"])
    }

    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let Self { options, moment } = self;
        fit(record, options, out, |line, out| push_line(line, moment, out));
    }
}

fn push_line(mut line: Line<'_>, moment: &mut Moment, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":\"");
    moment.push(out, line.record.unix_ns(), 9);
    push_display(out, format_args!("\",\"severity\":\"{}\"", severity(line.record.level())));
    let message = line.message();
    line.push_member(out, "message", &message);
    out.extend_from_slice(b",\"logging.googleapis.com/insertId\":\"");
    push_uid(out, line.record);
    out.push(b'"');
    push_ids(&mut line, out);
    push_source_location(&mut line, out);
    push_service(&mut line, out);
    let logger = line.logger();
    line.push_member(out, "logger", &logger);
    if let Some(module) = line.module() {
        line.push_member(out, "module", &module);
    }
    if line.has_room() {
        let thread = Text::whole(line.record.thread());
        line.push_member(out, "thread", &thread);
    }
    let (process, seq) = (line.record.process(), line.record.seq());
    push_display(out, format_args!(",\"process\":{process},\"seq\":{seq}"));
    let spans = line.options.json.record.spans;
    if spans == Spans::Nested {
        push_spans(&mut line, out);
    }
    let mut members = Members::named(Naming { key: unreserved, marks_bytes: true });
    members.extend(line.fields(spans, &[]).into_iter());
    members.push(out, &mut line.values);
    line.note_left_out();
    line.values.push_cuts(out);
    out.extend_from_slice(b"}\n");
}

/// The name Google has for the level.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    }
}

fn push_ids(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let ids = line.ids();
    if let Some(trace) = ids.trace {
        let project = &line.options.json.record.gcp_project;
        let trace = match project.is_empty() {
            true => trace,
            false => format!("projects/{project}/traces/{trace}"),
        };
        out.extend_from_slice(b",\"logging.googleapis.com/trace\":");
        push_string(out, &trace);
    }
    if let Some(span) = ids.span {
        push_display(out, format_args!(",\"logging.googleapis.com/spanId\":\"{span}\""));
    }
    for (key, id) in &ids.others {
        line.push_member(out, key, id);
    }
}

fn push_source_location(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let number = line.line_number().map(|number| Text::whole(number.to_string()));
    let all = [("file", line.file()), ("line", number), ("function", line.function())];
    let given = all.into_iter().filter_map(|(key, text)| Some((key, text?)));
    push_object(line, out, "logging.googleapis.com/sourceLocation", given.collect());
}

fn push_service(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let given = line.service(["service", "version", "environment"]);
    let (labels, context) = given.into_iter().partition(|(key, _)| *key == "environment");
    push_object(line, out, "logging.googleapis.com/labels", labels);
    push_object(line, out, "serviceContext", context);
}

/// An object of those members, if there are any.
fn push_object<'a>(
    line: &mut Line<'a>,
    out: &mut Vec<u8>,
    name: &'static str,
    members: Vec<(&'static str, Text<'a>)>,
) {
    let start = out.len();
    for (key, text) in members {
        push_key(out, key);
        let path = || Cow::Owned(format!("{name}.{key}"));
        line.values.text(out, path, &text.text, text.original_bytes);
    }
    if out.len() > start {
        // The comma before the first member becomes the opening of the object.
        out.splice(start..=start, format!(",\"{name}\":{{").into_bytes());
        out.push(b'}');
    }
}

fn push_spans(line: &mut Line<'_>, out: &mut Vec<u8>) {
    let mut opening: &[u8] = b",\"spans\":[";
    let spans = line.spans();
    for span in &spans {
        out.extend_from_slice(opening);
        out.extend_from_slice(b"{\"name\":");
        push_string(out, span.name());
        span_members(span, true).push(out, &mut line.values);
        out.push(b'}');
        opening = b",";
    }
    if !spans.is_empty() {
        out.push(b']');
    }
}

fn unreserved(name: &str) -> Cow<'_, str> {
    aside_if(RESERVED.contains(&name) || name.starts_with("logging.googleapis.com/"), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_a_severity_that_google_knows() {
        let names = Level::ALL.map(severity);
        assert_eq!(names, ["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);
    }
}
