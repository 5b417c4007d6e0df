//! Event: a record as Sentry has events.
//!
//! Knows the members of an event. Pure. In: a native record; out: JSON. Records of one kind have
//! one fingerprint, so that they are one issue.

use crate::encode::options::ServiceConfig;
use crate::forward::fingerprint::shape;
use crate::forward::native::NativeRecord;
use crate::record::level::Level;
use serde_json::{Map, Value, json};

/// Sentry keeps no more of a text.
const MAX_MESSAGE_CHARS: usize = 8_192;
/// A title of an issue is a line.
const MAX_TYPE_CHARS: usize = 200;

/// The event for a record; `hash` makes it the same for each attempt.
pub(super) fn event(
    record: &NativeRecord,
    hash: &str,
    (service, has_fields): (&ServiceConfig, bool),
) -> Value {
    let message = record.text("message");
    let mut event = json!({
        "event_id": hash,
        "platform": "native",
        "timestamp": record.text("timestamp"),
        "level": level(record.text("level")),
        "logger": record.text("logger"),
        "logentry": { "formatted": cut(message, MAX_MESSAGE_CHARS) },
        "fingerprint": [record.text("logger"), shape(message)],
    });
    let Some(members) = event.as_object_mut() else { return event };
    for (key, text) in [
        ("server_name", service.domain.as_str()),
        ("environment", service.environment.as_str()),
        ("transaction", record.text("function")),
    ] {
        if !text.is_empty() {
            members.insert(key.to_owned(), cut(text, MAX_TYPE_CHARS).into());
        }
    }
    if !service.version.is_empty() {
        let release = format!("{}@{}", service.name, service.version);
        members.insert("release".to_owned(), cut(&release, MAX_TYPE_CHARS).into());
    }
    if let Some(values) = exceptions(record, message) {
        members.insert("exception".to_owned(), json!({ "values": values }));
    }
    if let Some(trace_id) = record.w3c_id("trace_id", 32) {
        let span_id = record.w3c_id("span_id", 16);
        // A trace context without a span is refused.
        let span_id = span_id.unwrap_or_else(|| "0000000000000001".to_owned());
        let trace = json!({ "trace": { "trace_id": trace_id, "span_id": span_id } });
        members.insert("contexts".to_owned(), trace);
    }
    members.insert("extra".to_owned(), Value::Object(extra(record, has_fields)));
    event
}

/// The chain of an error. Sentry wants the outermost last, and makes it the title.
fn exceptions(record: &NativeRecord, message: &str) -> Option<Vec<Value>> {
    let errors = record.errors();
    let kind = |at: usize| if at == 0 { cut(message, MAX_TYPE_CHARS) } else { "source" };
    let value = |(at, text): (usize, &&str)| json!({ "type": kind(at), "value": cut(text, 2_000) });
    let values: Vec<_> = errors.iter().enumerate().rev().map(value).collect();
    (!values.is_empty()).then_some(values)
}

/// Where it was logged, and what it was logged with.
fn extra(record: &NativeRecord, has_fields: bool) -> Map<String, Value> {
    let place = ["module", "file", "line", "thread", "process", "seq", "spans"];
    let is_shown = |key: &&str| has_fields || *key != "spans";
    let place = place.into_iter().filter(is_shown);
    let place = place.filter_map(|key| Some((key, record.get(key)?)));
    let fields = record.fields().filter(|_| has_fields);
    place.chain(fields).map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

fn level(name: &str) -> &'static str {
    match Level::from_name(name).unwrap_or(Level::Warn) {
        Level::Critical => "fatal",
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    }
}

fn cut(text: &str, max_chars: usize) -> &str {
    let end = text.char_indices().nth(max_chars).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_error_is_last_and_a_foreign_trace_id_is_no_trace() {
        let json = json!({
            "timestamp": "2026-02-19T10:30:00Z", "level": "CRITICAL", "logger": "shop",
            "message": "order 7 failed", "error": "cannot pay",
            "error_chain": ["declined", "limit"], "trace_id": "abc-123", "order": 7, "seq": 9,
        });
        let record = NativeRecord::read(json.to_string().as_bytes()).unwrap();
        let service = ServiceConfig {
            name: "shop".to_owned(),
            version: "1.2".to_owned(),
            ..ServiceConfig::default()
        };
        let whole = event(&record, "9f2c", (&service, true));
        assert_eq!((&whole["level"], &whole["release"]), (&"fatal".into(), &"shop@1.2".into()));
        let values = whole["exception"]["values"].as_array().unwrap();
        let texts: Vec<_> = values.iter().map(|value| value["value"].as_str().unwrap()).collect();
        assert_eq!(texts, ["limit", "declined", "cannot pay"]);
        assert_eq!(values[2]["type"], "order 7 failed");
        assert_eq!(whole["fingerprint"], json!(["shop", "order # failed"]));
        assert_eq!(whole.get("contexts"), None);
        assert_eq!(whole["extra"], json!({ "seq": 9, "order": 7 }));
        let whole = event(&record, "9f2c", (&service, false));
        assert_eq!(whole["extra"], json!({ "seq": 9 }));
    }
}
