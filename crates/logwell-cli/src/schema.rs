//! Schema: records in the keys of other readers (`ecs`, `gcp`, `otel`), translated to logwell's
//! own.
//!
//! Knows which key of a schema is which key of the native record. What is only for the other reader
//! (versions, data sets, insert ids) is left out. Native lines go through untouched.

use crate::line::Member;
use jiff::Timestamp;
use logwell::encode::RECORD_KEYS;
use serde_json::{Map, Value, value::RawValue};
use std::borrow::Cow;

/// The members of a record with native keys; `None` if it has them already.
pub(crate) fn to_native<'a>(members: &[Member<'a>]) -> Option<Vec<Member<'a>>> {
    let each = |translate: fn(&Member<'a>) -> Vec<Member<'a>>| {
        Some(members.iter().flat_map(translate).collect())
    };
    match members.first().map(|(key, _)| &**key) {
        Some("@timestamp") => each(from_ecs),
        Some("time") if members.iter().any(|(key, _)| key == "severity") => each(from_gcp),
        Some("resourceLogs") => from_otel(members),
        _ => None,
    }
}

const ECS: [(&str, &str); 15] = [
    ("@timestamp", "timestamp"),
    ("log.level", "level"),
    ("log.logger", "logger"),
    ("process.pid", "process"),
    ("process.thread.name", "thread"),
    ("event.sequence", "seq"),
    ("log.origin.file.name", "file"),
    ("log.origin.file.line", "line"),
    ("log.origin.function", "function"),
    ("trace.id", "trace_id"),
    ("span.id", "span_id"),
    ("error.message", "error"),
    ("ecs.version", ""),
    ("event.dataset", ""),
    ("labels", ""),
];

fn from_ecs<'a>((key, value): &Member<'a>) -> Vec<Member<'a>> {
    if key == "labels" {
        return inner(value).into_iter().map(aside).collect();
    }
    renamed(&ECS, (key.clone(), value.clone())).into_iter().collect()
}

/// A user's field that has the name of a key of the record moves aside, as in the native schema.
fn aside((key, value): Member<'_>) -> Member<'_> {
    let is_key = RECORD_KEYS.contains(&&*key) && !OF_LOGWELL.contains(&&*key);
    match is_key || MADE_HERE.contains(&&*key) {
        true => (Cow::Owned(format!("field.{key}")), value),
        false => (key, value),
    }
}

/// Keys of the record that logwell writes among the user's fields; there theirs have moved aside.
const OF_LOGWELL: [&str; 3] = ["module", "spans", "truncated"];
/// Names that a translation makes.
const MADE_HERE: [&str; 2] = ["error", "field"];

const GCP: [(&str, &str); 7] = [
    ("time", "timestamp"),
    ("severity", "level"),
    ("logging.googleapis.com/trace", "trace_id"),
    ("logging.googleapis.com/spanId", "span_id"),
    ("logging.googleapis.com/insertId", ""),
    ("logging.googleapis.com/labels", ""),
    ("serviceContext", ""),
];

fn from_gcp<'a>((key, value): &Member<'a>) -> Vec<Member<'a>> {
    if key == "logging.googleapis.com/sourceLocation" {
        return inner(value);
    }
    let value = match value.rsplit_once("/traces/") {
        Some((_, id)) if key == "logging.googleapis.com/trace" => Cow::Owned(format!("\"{id}")),
        _ => value.clone(),
    };
    // Of the native keys some are not reserved by Google's.
    let member = match &**key {
        "level" | "file" | "line" | "function" => aside((key.clone(), value)),
        _ => (key.clone(), value),
    };
    renamed(&GCP, member).into_iter().collect()
}

/// The member under its native name; `None` if it has none, that is an empty one.
fn renamed<'a>(names: &[(&str, &'static str)], (key, value): Member<'a>) -> Option<Member<'a>> {
    match names.iter().find(|(theirs, _)| *theirs == key) {
        Some((_, "")) => None,
        Some((_, ours)) => Some((Cow::Borrowed(*ours), value)),
        None => Some((key, value)),
    }
}

/// The members of an object inside.
fn inner<'a>(value: &str) -> Vec<Member<'a>> {
    let object: Map<String, Value> = serde_json::from_str(value).unwrap_or_default();
    object.into_iter().map(|(key, value)| (Cow::Owned(key), json(&value))).collect()
}

fn json<'a>(value: &Value) -> Cow<'a, str> {
    Cow::Owned(value.to_string())
}

const OTEL: [(&str, &str); 9] = [
    ("process.pid", "process"),
    ("thread.name", "thread"),
    ("code.file.path", "file"),
    ("code.line.number", "line"),
    ("code.function.name", "function"),
    ("exception.message", "error"),
    ("trace_id", "trace_id"),
    ("span_id", "span_id"),
    ("log.record.uid", ""),
];

fn from_otel<'a>(members: &[Member<'_>]) -> Option<Vec<Member<'a>>> {
    let (_, resources) = members.first()?;
    let resources: Vec<Value> = serde_json::from_str(resources).ok()?;
    let resource = resources.first()?;
    let scope = resource.get("scopeLogs")?.get(0)?;
    let record = scope.get("logRecords")?.get(0)?;
    let time: i64 = record.get("timeUnixNano")?.as_str()?.parse().ok()?;
    let time = Timestamp::from_nanosecond(time.into()).ok()?;
    let mut found: Vec<(&str, Cow<'a, str>)> = vec![
        ("timestamp", json(&Value::String(format!("{time:.9}").replace('Z', "+00:00")))),
        ("level", json(record.get("severityText")?)),
        ("logger", json(scope.get("scope")?.get("name")?)),
        ("message", json(&any_value(record.get("body")?))),
    ];
    found.extend(record.get("traceId").map(|id| ("trace_id", json(id))));
    found.extend(record.get("spanId").map(|id| ("span_id", json(id))));
    let mut native: Vec<Member<'a>> =
        found.into_iter().map(|(key, value)| (Cow::Owned(key.to_owned()), value)).collect();
    let of_process = attributes(resource.get("resource").and_then(|of| of.get("attributes")))
        .filter(|(key, _)| key == "process.pid");
    let own = |key: &str| key == "seq" || OTEL.iter().any(|(theirs, _)| *theirs == key);
    let all = of_process.chain(attributes(record.get("attributes")));
    native.extend(all.filter_map(|(key, value)| match own(&key) {
        true => renamed(&OTEL, (Cow::Owned(key), json(&value))),
        false => Some(aside((Cow::Owned(key), json(&value)))),
    }));
    Some(native)
}

fn attributes(list: Option<&Value>) -> impl Iterator<Item = (String, Value)> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|attribute| {
        let key = attribute.get("key")?.as_str()?.to_owned();
        Some((key, any_value(attribute.get("value")?)))
    })
}

/// OTLP's typed value as a plain one.
fn any_value(typed: &Value) -> Value {
    let Some((kind, value)) = typed.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        // 64-bit integers are texts in OTLP's JSON.
        ("intValue", Value::String(text)) => {
            let raw = RawValue::from_string(text.clone()).ok();
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null)
        }
        ("arrayValue", list) => {
            let values = list.get("values").and_then(Value::as_array).into_iter().flatten();
            Value::Array(values.map(any_value).collect())
        }
        ("kvlistValue", list) => attributes(list.get("values")).collect::<Map<_, _>>().into(),
        (_, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::line::Line;
    use std::fs;

    /// The golden lines of the library, in each schema.
    fn golden(schema: &str) -> Vec<String> {
        let path = format!("{}/../../tests/golden/{schema}.jsonl", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_preset_says_the_same_about_the_same_records() {
        for schema in ["ecs", "gcp", "otel"] {
            let lines = golden(schema);
            assert!(lines.len() > 10);
            for line in &lines {
                let line = Line::parse(line.as_bytes()).unwrap();
                assert_eq!(line.number("process"), Some(4242), "{schema}");
                assert!(line.number("seq").is_some() && line.level().is_some(), "{schema}");
                assert_eq!(line.unix_ns().map(|ns| ns / 1_000), Some(1_771_497_000_123_456));
                assert!(line.raw("message").is_some() && line.raw("logger").is_some());
                assert_eq!(line.repeated_key(), None, "{schema}: {line:?}");
            }
            let first = Line::parse(lines[0].as_bytes()).unwrap();
            assert_eq!(first.text("logger").unwrap(), "shop::cart");
            assert_eq!(first.text("message").unwrap(), "API request handled");
            assert_eq!(first.number("latency_ms"), Some(234), "{schema}");
            assert_eq!(first.number("line"), Some(42), "{schema}");
            let stopped = lines.iter().map(|line| Line::parse(line.as_bytes()).unwrap());
            let stopped: Vec<_> = stopped
                .filter(|line| line.own_kind().is_some_and(|k| k == "logwell.stopped"))
                .collect();
            assert_eq!(stopped.len(), 1, "{schema}");
            assert_eq!(stopped[0].number("received"), Some(0), "{schema}");
        }
    }

    #[test]
    fn lines_that_only_look_like_a_preset_are_left_as_they_are() {
        for text in [r#"{"resourceLogs":[]}"#, r#"{"time":1}"#, r#"{"resourceLogs":7,"seq":1}"#] {
            let line = Line::parse(text.as_bytes()).unwrap();
            let members: Vec<_> = line.members().map(|(key, _)| key.to_owned()).collect();
            assert!(text.contains(&members[0]), "{members:?}");
        }
    }
}
