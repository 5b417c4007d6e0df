//! ECS: the record in Elastic Common Schema, by the specification of the ECS loggers.
//!
//! Knows the keys of ECS. Does not know how a record is cut to fit.

mod names;

use crate::encode::members::{Content, Member, Members, Naming};
use crate::encode::options::Spans;
use crate::encode::schema::{
    Failure, Line, Moment, SchemaOptions, Text, fit, push_display, push_key,
};
use crate::encode::value::{ValueWriter, push_string, to_text};
use crate::encode::{Encode, id_at};
use crate::record::Record;
use crate::record::fields::{Entry, Value};
use crate::record::line_id::LineId;
use std::borrow::Cow;

/// Encodes records for Elasticsearch, in Elastic Common Schema.
///
/// | key | from |
/// |---|---|
/// | `@timestamp`, `log.level`, `message`, `ecs.version` | always, in this order |
/// | `log.logger`, `process.pid`, `event.sequence` | target, process id, `seq`; always |
/// | `process.thread.name` | the thread |
/// | `log.origin.file.name`, `.file.line`, `log.origin.function` | where in the source |
/// | `trace.id`, `span.id` | ids, whatever their form |
/// | `service.name`, `.version`, `.environment`, `event.dataset` | the section `service` |
/// | `error.message`, `error.stack_trace` | the event's field `error`; its sources, a line each |
/// | fields of ECS, such as `http.request.method` | typed, as given |
/// | `labels` | all other fields, as texts |
///
/// A field of ECS is one that ECS 8.11 has under just that name, with a value of its type: some 400
/// of the field sets that programs write (`client`, `event`, `http`, `process`, `url`, `user` and
/// the like). Everything else is in `labels`: names that ECS does not have (`http.request.retry`),
/// its objects (`http.request`), and values it has no place for (`source.ip = "localhost"`), for
/// which Elasticsearch would refuse the whole document. In `labels` all values are texts: an index
/// takes each of them, whatever another program called by the same name, and they cannot multiply
/// its fields outside of `labels`. As ECS asks, `.`, `*` and `\` in their names become `_`. Labels
/// do not nest, so with `spans: nested` the fields of spans are labels as with `flat`, and the
/// label `spans` has the path, `request:charge`. The label `module` is there if it is not the
/// logger; `truncated` says what was cut, with `?` where the original length is unknown.
///
/// ```
/// use logwell::encode::Encode;
/// use logwell::encode::schema::SchemaOptions;
/// use logwell::encode::schema::ecs::EcsEncoder;
///
/// let logs = logwell::testing::capture();
/// tracing::info!(http.response.status_code = 200, tenant = "acme", "handled");
///
/// let mut line = Vec::new();
/// EcsEncoder::new(SchemaOptions::default()).encode(&logs.records()[0], &mut line);
/// let line: serde_json::Value = serde_json::from_slice(&line)?;
/// assert_eq!(line["http.response.status_code"], 200);
/// assert_eq!(line["labels"]["tenant"], "acme");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "elastic")]
pub struct EcsEncoder {
    options: SchemaOptions,
    moment: Moment,
}

/// The version of ECS whose keys these are.
const VERSION: &str = "8.11.0";

/// Keys of the record itself.
const RESERVED: [&str; 19] = [
    "@timestamp",
    "log.level",
    "message",
    "ecs.version",
    "log.logger",
    "process.pid",
    "process.thread.name",
    "event.sequence",
    "event.dataset",
    "log.origin.file.name",
    "log.origin.file.line",
    "log.origin.function",
    "trace.id",
    "span.id",
    "service.name",
    "service.version",
    "service.environment",
    "error.message",
    "error.stack_trace",
];

impl EcsEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: SchemaOptions) -> Self {
        Self { options, moment: Moment::default() }
    }
}

impl Encode for EcsEncoder {
    fn id_in(&self, line: &[u8]) -> Option<LineId> {
        id_at(line, ["@timestamp", "process.pid", "event.sequence"])
    }

    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let Self { options, moment } = self;
        fit(record, options, out, |line, out| push_line(line, moment, out));
    }
}

fn push_line(mut line: Line<'_>, moment: &mut Moment, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"@timestamp\":\"");
    moment.push(out, line.record.unix_ns(), 6);
    out.extend_from_slice(b"\",\"log.level\":\"");
    out.extend_from_slice(line.level_name().as_bytes());
    out.push(b'"');
    let message = line.message();
    line.push_member(out, "message", &message);
    push_display(out, format_args!(",\"ecs.version\":\"{VERSION}\""));
    let logger = line.logger();
    line.push_member(out, "log.logger", &logger);
    push_display(out, format_args!(",\"process.pid\":{}", line.record.process()));
    push_display(out, format_args!(",\"event.sequence\":{}", line.record.seq()));
    push_optional_keys(&mut line, out);
    let fields = line.fields(spans_of(&line), &["error"]);
    let (top, labels) =
        fields.into_iter().partition::<Vec<_>, _>(|(name, entry)| is_of_ecs(name, &entry.value));
    let mut members = Members::named(Naming { key: as_it_is, marks_bytes: true });
    members.extend(top.into_iter());
    members.push(out, &mut line.values);
    push_labels(line, labels, out);
    out.extend_from_slice(b"}\n");
}

fn as_it_is(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}

/// The fields of spans are labels, and labels do not nest.
fn spans_of(line: &Line<'_>) -> Spans {
    match line.options.json.record.spans {
        Spans::Off => Spans::Off,
        Spans::Nested | Spans::Flat => Spans::Flat,
    }
}

fn push_optional_keys(line: &mut Line<'_>, out: &mut Vec<u8>) {
    if line.has_room() {
        let thread = Text::whole(line.record.thread());
        line.push_member(out, "process.thread.name", &thread);
    }
    if let Some(file) = line.file() {
        line.push_member(out, "log.origin.file.name", &file);
    }
    if let Some(number) = line.line_number() {
        push_display(out, format_args!(",\"log.origin.file.line\":{number}"));
    }
    if let Some(function) = line.function() {
        line.push_member(out, "log.origin.function", &function);
    }
    let [trace, span] = line.given_ids();
    for (key, id) in [("trace.id", trace), ("span.id", span)] {
        if let Some(id) = id {
            line.push_member(out, key, &id);
        }
    }
    for (key, text) in line.service(["service.name", "service.version", "service.environment"]) {
        line.push_member(out, key, &text);
        if key == "service.name" {
            line.push_member(out, "event.dataset", &Text::whole(dataset(&text.text)));
        }
    }
    if let Some(Failure { message, trace }) = line.failure() {
        line.push_member(out, "error.message", &message);
        if let Some(trace) = trace {
            line.push_member(out, "error.stack_trace", &trace);
        }
    }
}

/// The default of the specification: the service's name and `.log`, without what an index cannot
/// have in its name.
fn dataset(service: &str) -> String {
    let sound = |c: char| if "\\/*?\"<>| ,#:-".contains(c) { '_' } else { c };
    let name: String = service.to_lowercase().chars().map(sound).take(96).collect();
    format!("{name}.log")
}

fn push_labels<'a>(mut line: Line<'a>, fields: Vec<(Cow<'a, str>, Entry<'a>)>, out: &mut Vec<u8>) {
    let start = out.len();
    // The comma before the first label becomes the opening of the object.
    let module = line.module().filter(|module| module.text != line.record.target());
    if let Some(module) = module {
        line.push_member(out, "module", &module);
    }
    push_path_of_spans(&mut line, out);
    let mut members = Members::named(Naming { key: label, marks_bytes: true });
    members.extend(fields.into_iter());
    for member in members.unique() {
        push_key(out, &member.key);
        push_as_text(out, &mut line.values, member);
    }
    line.note_left_out();
    let cuts = line.values.each_cut().map(|(name, original)| match original {
        Entry::UNKNOWN_BYTES => format!("{name} ?"),
        known => format!("{name} {known}"),
    });
    let cuts: Vec<_> = cuts.collect();
    if !cuts.is_empty() {
        push_key(out, "truncated");
        push_string(out, &cuts.join(", "));
    }
    if out.len() > start {
        out.splice(start..=start, *b",\"labels\":{");
        out.push(b'}');
    }
}

fn push_path_of_spans(line: &mut Line<'_>, out: &mut Vec<u8>) {
    if line.options.json.record.spans == Spans::Nested {
        // Those that are left out are noted with their fields.
        let cuts = line.values.cuts();
        let names: Vec<_> = line.spans().into_iter().map(|span| span.name()).collect();
        line.values.forget_cuts_after(cuts);
        if !names.is_empty() {
            line.push_member(out, "spans", &Text::whole(names.join(":")));
        }
    }
}

/// Any value as a text.
fn push_as_text<'a>(out: &mut Vec<u8>, values: &mut ValueWriter<'a>, member: &Member<'a>) {
    let name = || Cow::Owned(format!("labels.{}", member.key));
    match member.content() {
        Content::Value(entry) => match entry.value {
            Value::Str(_) | Value::Bytes(_) => values.push(out, name, &entry),
            Value::Json(text) => values.text(out, name, text, entry.original_bytes),
            value => push_string(out, &to_text(&value)),
        },
        Content::Chain(sources) => {
            let texts: Vec<_> = sources.iter().map(|(text, _)| *text).collect();
            let original = sources.iter().find_map(|(_, original)| *original);
            values.text(out, name, &texts.join(": "), original);
        }
    }
}

/// The name of a label: our own key moves aside.
fn label(name: &str) -> Cow<'_, str> {
    match name {
        "module" | "spans" | "truncated" => Cow::Owned(format!("field_{name}")),
        name if name.contains(['.', '*', '\\']) => Cow::Owned(name.replace(['.', '*', '\\'], "_")),
        name => Cow::Borrowed(name),
    }
}

/// Whether a field stands where ECS has it, and not in `labels`.
fn is_of_ecs(name: &str, value: &Value<'_>) -> bool {
    !RESERVED.contains(&name) && names::takes(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_ecs_stand_at_the_top_unless_they_are_taken() {
        let text = Value::Str("text");
        for name in ["http.request.method", "user.id", "event.action", "error.type"] {
            assert!(is_of_ecs(name, &text), "{name}");
        }
        for name in ["http", "tenant", "http.request", "my.http.method", "labels.a", "message"] {
            assert!(!is_of_ecs(name, &text), "{name}");
        }
        for name in RESERVED {
            assert!(!is_of_ecs(name, &text), "{name}");
        }
    }

    #[test]
    fn a_label_has_no_character_that_elasticsearch_would_nest_or_match_by() {
        assert_eq!(label("dropped.INFO.full"), "dropped_INFO_full");
        assert_eq!(label("a*\\b"), "a__b");
        assert_eq!(label("spans"), "field_spans");
        assert_eq!(label("plain"), "plain");
    }

    #[test]
    fn the_dataset_can_be_part_of_an_index_name() {
        assert_eq!(dataset("Shop-API"), "shop_api.log");
        assert!(dataset(&"x".repeat(300)).len() <= 100);
    }
}
