//! OTLP logs: `ExportLogsServiceRequest`, as protocol buffers or JSON, → drafts.
//!
//! Knows the OpenTelemetry logs data model. Does not know HTTP; the messages are in
//! `otlp_message.rs`.

use super::draft::{Draft, Identity, Item, Unreadable};
use super::fields::{Fields, push_json_text};
use super::limits::Limits;
use super::otlp_message::{Any, AnyValue, Export, KeyValue, LogRecord, Scope};
use super::{level, names};
use crate::digest::hex;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use logwell_query::Value;
use prost::Message as _;

/// Reads protocol buffers.
///
/// # Errors
///
/// It is no such message, or has too many records.
pub fn decode_protobuf(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let export = Export::decode(body)
        .map_err(|error| Unreadable(format!("this is no ExportLogsServiceRequest: {error}")))?;
    drafts(export, limits)
}

/// Reads JSON, with ids in hexadecimal as OTLP/JSON has them.
///
/// # Errors
///
/// It is no such JSON, or has too many records.
pub fn decode_json(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let export = serde_json::from_slice(body)
        .map_err(|error| Unreadable(format!("this is no ExportLogsServiceRequest: {error}")))?;
    drafts(export, limits)
}

fn drafts(export: Export, limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let scopes = export.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    if scopes.map(|scope| scope.log_records.len()).sum::<usize>() > limits.records {
        let most = limits.records;
        return Err(Unreadable(format!("more than {most} records; split the request")));
    }
    let mut items = Vec::new();
    for logs in export.resource_logs {
        let resource = logs.resource.unwrap_or_default().attributes;
        for scope_logs in logs.scope_logs {
            let scope = scope_logs.scope.unwrap_or_default();
            for record in scope_logs.log_records {
                items.push(Ok(draft(record, (&resource, &scope), limits)));
            }
        }
    }
    Ok(items)
}

/// The record's own attributes win over those of its scope, and those over the resource's.
fn draft(record: LogRecord, (resource, scope): (&[KeyValue], &Scope), limits: &Limits) -> Draft {
    let mut fields = Fields::default();
    for attribute in resource.iter().chain(&scope.attributes).chain(&record.attributes) {
        push(&mut fields, &attribute.key, (attribute.value.as_ref(), 0), limits);
    }
    let body = record.body.and_then(|body| body.value);
    if let Some(Any::List(list)) = &body {
        for pair in &list.values {
            push(&mut fields, &pair.key, (pair.value.as_ref(), 0), limits);
        }
    }
    for (name, text) in [("scope.version", &scope.version), ("event_name", &record.event_name)] {
        if !text.is_empty() {
            fields.put(name, Value::Text(text.clone()));
        }
    }
    let mut draft = names::draft(fields);
    match body {
        None | Some(Any::List(_)) => {}
        Some(Any::Text(text)) => draft.message = text,
        Some(other) => draft.message = names::text_of(value_of(&other)),
    }
    if !scope.name.is_empty() {
        draft.logger.clone_from(&scope.name);
    }
    set_level(&mut draft, record.severity_number, &record.severity_text);
    let times = [record.time_unix_nano, record.observed_time_unix_nano];
    if let Some(time) = times.into_iter().find(|time| *time > 0) {
        draft.time_ns = i64::try_from(time).ok();
    }
    for (id, bytes) in
        [(&mut draft.trace_id, &record.trace_id), (&mut draft.span_id, &record.span_id)]
    {
        if bytes.iter().any(|byte| *byte != 0) {
            *id = hex(bytes);
        }
    }
    // The attribute by which the conventions know a record that is sent again.
    let uid = record.attributes.iter().rev().find(|attribute| attribute.key == "log.record.uid");
    if let Some(Any::Text(uid)) = uid.and_then(|uid| uid.value.as_ref()?.value.as_ref())
        && !uid.is_empty()
    {
        draft.identity = Identity::Given(uid.clone());
    }
    draft
}

fn set_level(draft: &mut Draft, number: i32, text: &str) {
    let named = level::from_name(text);
    draft.level = level::from_otel(number).or(named).or(draft.level);
    if !text.is_empty() && (named.is_none() || level::says_more(text)) {
        draft.fields.put("level_text", Value::Text(text.to_owned()));
    }
}

fn push(
    fields: &mut Fields,
    name: &str,
    (value, depth): (Option<&AnyValue>, usize),
    limits: &Limits,
) {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::List(list)) if depth < limits.depth && !list.values.is_empty() => {
            for pair in &list.values {
                let name = format!("{name}.{}", pair.key);
                push(fields, &name, (pair.value.as_ref(), depth + 1), limits);
            }
        }
        Some(Any::Bytes(bytes)) => {
            let text = BASE64_STANDARD.encode(bytes);
            fields.push(&format!("{name}_b64"), Value::Text(text), limits);
        }
        Some(other) => fields.push(name, value_of(other), limits),
        None => fields.push(name, Value::Null, limits),
    }
}

fn value_of(value: &Any) -> Value {
    match value {
        Any::Text(text) => Value::Text(text.clone()),
        Any::Bool(flag) => Value::Bool(*flag),
        Any::Int(number) => Value::Int(*number),
        Any::Double(number) if number.is_finite() => Value::Float(*number),
        Any::Double(number) => Value::Text(number.to_string()),
        Any::Bytes(bytes) => Value::Text(BASE64_STANDARD.encode(bytes)),
        Any::Array(_) | Any::List(_) => {
            let mut text = String::new();
            push_any(value, &mut text);
            Value::Json(text)
        }
    }
}

/// Appends a value as compact JSON.
fn push_any(value: &Any, out: &mut String) {
    let separate = |out: &mut String, index: usize| {
        if index > 0 {
            out.push(',');
        }
    };
    let push_item = |item: &AnyValue, out: &mut String| match &item.value {
        Some(value) => push_any(value, out),
        None => out.push_str("null"),
    };
    match value {
        Any::Array(array) => {
            out.push('[');
            for (index, item) in array.values.iter().enumerate() {
                separate(out, index);
                push_item(item, out);
            }
            out.push(']');
        }
        Any::List(list) => {
            out.push('{');
            for (index, pair) in list.values.iter().enumerate() {
                separate(out, index);
                push_json_text(&pair.key, out);
                out.push(':');
                push_item(pair.value.as_ref().unwrap_or(&AnyValue { value: None }), out);
            }
            out.push('}');
        }
        scalar => super::fields::push_json(&value_of(scalar), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    const JSON: &str = r#"{"resourceLogs":[{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"shop"}},
        {"key":"zone","value":{"stringValue":"outer"}}]},
      "scopeLogs":[{"scope":{"name":"orders","version":"2"},"logRecords":[{
        "timeUnixNano":"1771497000123456789","severityNumber":13,"severityText":"Warning",
        "body":{"stringValue":"slow"},"traceId":"5B8EFFF798038103D269B633813FC60C",
        "spanId":"EEE19B7EC3C1B174","unknown":1,
        "attributes":[
          {"key":"zone","value":{"stringValue":"inner"}},
          {"key":"count","value":{"intValue":"7"}},
          {"key":"ratio","value":{"doubleValue":0.5}},
          {"key":"raw","value":{"bytesValue":"AQI="}},
          {"key":"http","value":{"kvlistValue":{"values":[
            {"key":"status","value":{"intValue":500}}]}}},
          {"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"},{"boolValue":true}]}}}
        ]}]}]}]}"#;

    fn one(items: Vec<Item>) -> Draft {
        items.into_iter().next().unwrap().unwrap()
    }

    fn check(draft: Draft) {
        assert_eq!(draft.time_ns, Some(1_771_497_000_123_456_789));
        assert_eq!((draft.level, &*draft.message), (Some(Level::Warn), "slow"));
        assert_eq!((&*draft.service, &*draft.logger), ("shop", "orders"));
        assert_eq!(draft.trace_id, "5b8efff798038103d269b633813fc60c");
        assert_eq!(draft.span_id, "eee19b7ec3c1b174");
        let text = |text: &str| Value::Text(text.to_owned());
        let fields = draft.fields.into_sorted();
        let fields: Vec<(&str, &Value)> =
            fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(
            fields,
            [
                ("count", &Value::Int(7)),
                ("http.status", &Value::Int(500)),
                ("ratio", &Value::Float(0.5)),
                ("raw_b64", &text("AQI=")),
                ("scope.version", &text("2")),
                ("tags", &Value::Json("[\"a\",true]".to_owned())),
                ("zone", &text("inner")),
            ]
        );
    }

    #[test]
    fn json_and_protocol_buffers_become_the_same_draft() {
        let limits = Limits::default();
        check(one(decode_json(JSON.as_bytes(), &limits).unwrap()));
        let export: Export = serde_json::from_str(JSON).unwrap();
        check(one(decode_protobuf(&export.encode_to_vec(), &limits).unwrap()));
    }

    #[test]
    fn a_body_that_is_a_map_becomes_fields() {
        let json = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":
            {"values":[{"key":"message","value":{"stringValue":"m"}},
            {"key":"n","value":{"intValue":1}}]}}}]}]}]}"#;
        let draft = one(decode_json(json.as_bytes(), &Limits::default()).unwrap());
        assert_eq!((&*draft.message, draft.time_ns), ("m", None));
        assert_eq!(draft.fields.get("n"), Some(&Value::Int(1)));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode_json(&body, &Limits::default());
            let _any = decode_protobuf(&body, &Limits::default());
        }
    }
}
