//! Protobuf: OTLP/JSON to the bytes of an `ExportLogsServiceRequest`.
//!
//! Knows the numbers of the fields in `opentelemetry/proto/logs/v1/logs.proto` and
//! `common/v1/common.proto`, as far as the encoder `otel` writes them. Pure; what is not written by
//! that encoder is left out. In: one line for each record; out: one request for all.

use serde_json::Value;

/// One request for the lines, each a `LogsData` with records of one resource. Records of equal
/// resource and scope that follow each other share them. The hash of a record becomes its unique
/// id: that of the line may differ after a kill. `None` if a line is no such JSON.
pub(super) fn request<'a>(lines: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Vec<u8>> {
    let mut resources: Vec<Resource> = Vec::new();
    for (hash, line) in lines {
        let mut line: Value = serde_json::from_slice(line).ok()?;
        if let Some(uid) = unique_id(&mut line)
            && !hash.is_empty()
        {
            *uid = Value::from(hash);
        }
        for one in items(&line, "resourceLogs") {
            let resource = one.get("resource").cloned().unwrap_or_default();
            for scope in items(one, "scopeLogs") {
                add(&mut resources, (&resource, scope));
            }
        }
    }
    let mut out = Writer::default();
    for Resource { resource, scopes } in &resources {
        out.message(1, |logs| {
            logs.message(1, |out| attributes(out, 1, resource));
            for Scope { scope, records } in scopes {
                logs.message(2, |logs| {
                    logs.message(1, |out| out.text(1, scope));
                    for record in records {
                        logs.message(2, |out| log_record(out, record));
                    }
                });
            }
        });
    }
    Some(out.0)
}

/// The value of the attribute `log.record.uid`.
fn unique_id(line: &mut Value) -> Option<&mut Value> {
    let record = line.pointer_mut("/resourceLogs/0/scopeLogs/0/logRecords/0/attributes")?;
    let mut attributes = record.as_array_mut()?.iter_mut();
    attributes.find(|it| it["key"] == "log.record.uid")?.pointer_mut("/value/stringValue")
}

struct Resource {
    resource: Value,
    scopes: Vec<Scope>,
}

struct Scope {
    scope: String,
    records: Vec<Value>,
}

fn add(resources: &mut Vec<Resource>, (resource, logs): (&Value, &Value)) {
    if resources.last().is_none_or(|last| last.resource != *resource) {
        resources.push(Resource { resource: resource.clone(), scopes: Vec::new() });
    }
    let Some(Resource { scopes, .. }) = resources.last_mut() else { return };
    let name = logs.pointer("/scope/name").and_then(Value::as_str).unwrap_or_default();
    if scopes.last().is_none_or(|last| last.scope != name) {
        scopes.push(Scope { scope: name.to_owned(), records: Vec::new() });
    }
    if let Some(Scope { records, .. }) = scopes.last_mut() {
        records.extend(items(logs, "logRecords").iter().cloned());
    }
}

fn log_record(out: &mut Writer, record: &Value) {
    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
    let small = |key: &str| record.get(key).and_then(Value::as_u64).unwrap_or_default();
    out.fixed64(1, text("timeUnixNano").parse().unwrap_or_default());
    out.varint(2, small("severityNumber"));
    out.text(3, text("severityText"));
    if let Some(body) = record.get("body") {
        out.message(5, |out| any_value(out, body));
    }
    attributes(out, 6, record);
    match small("droppedAttributesCount") {
        0 => {}
        dropped => out.varint(7, dropped),
    }
    for (field, key) in [(9, "traceId"), (10, "spanId")] {
        match from_hex(text(key)) {
            Some(id) if !id.is_empty() => out.bytes(field, &id),
            _ => {}
        }
    }
    out.fixed64(11, text("observedTimeUnixNano").parse().unwrap_or_default());
}

/// The list `attributes` of a record or resource, each as that field.
fn attributes(out: &mut Writer, field: u32, of: &Value) {
    key_values(out, field, items(of, "attributes"));
}

fn key_values(out: &mut Writer, field: u32, pairs: &[Value]) {
    for pair in pairs {
        out.message(field, |out| {
            out.text(1, pair.get("key").and_then(Value::as_str).unwrap_or_default());
            if let Some(value) = pair.get("value") {
                out.message(2, |out| any_value(out, value));
            }
        });
    }
}

/// `{"intValue":"7"}` and the like: the one member says what it is.
fn any_value(out: &mut Writer, any: &Value) {
    let Some((kind, value)) = any.as_object().and_then(|any| any.iter().next()) else { return };
    let text = value.as_str().unwrap_or_default();
    match kind.as_str() {
        "stringValue" => out.text_even_empty(1, text),
        "boolValue" => out.varint(2, value.as_bool().unwrap_or_default().into()),
        // Two's complement, as protobuf has negative numbers.
        "intValue" => out.varint(3, text.parse::<i64>().unwrap_or_default().cast_unsigned()),
        "doubleValue" => out.fixed64(4, double(value).to_bits()),
        "arrayValue" => out.message(5, |out| {
            for value in items(value, "values") {
                out.message(1, |out| any_value(out, value));
            }
        }),
        "kvlistValue" => out.message(6, |out| key_values(out, 1, items(value, "values"))),
        "bytesValue" => out.bytes(7, &from_base64(text)),
        _ => {}
    }
}

/// A number, or one of the texts that stand for what JSON has no number for.
fn double(value: &Value) -> f64 {
    match value.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some(_) => f64::NAN,
        None => value.as_f64().unwrap_or_default(),
    }
}

fn items<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Some(
        digits?
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

fn from_base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

/// The wire format: a tag with number and kind before each value.
#[derive(Default)]
struct Writer(Vec<u8>);

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

impl Writer {
    fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, VARINT);
        self.number(value);
    }

    fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// An empty text is the default, which is not written.
    fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.text_even_empty(field, text);
        }
    }

    /// Of several that it may be, an empty text says that it is a text.
    fn text_even_empty(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, LENGTH);
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn tag(&mut self, field: u32, kind: u64) {
        self.number(u64::from(field) << 3 | kind);
    }

    fn number(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                return self.0.push(low & 0x7f);
            }
            self.0.push(low | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_bits_in_a_byte_the_lowest_first() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (300, &[0xac, 0x02]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Writer::default();
            out.number(value);
            assert_eq!(out.0, bytes);
        }
    }

    #[test]
    fn each_kind_of_value_has_its_field() {
        let any = |json: &str| {
            let mut out = Writer::default();
            any_value(&mut out, &serde_json::from_str(json).unwrap());
            out.0
        };
        assert_eq!(any(r#"{"stringValue":""}"#), [0x0a, 0]);
        assert_eq!(any(r#"{"boolValue":true}"#), [0x10, 1]);
        assert_eq!(any(r#"{"intValue":"300"}"#), [0x18, 0xac, 2]);
        assert_eq!(any(r#"{"intValue":"-1"}"#).len(), 11);
        assert_eq!(any(r#"{"doubleValue":1.0}"#), [0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(any(r#"{"doubleValue":"NaN"}"#)[7..], [0xf8, 0x7f]);
        assert_eq!(any(r#"{"bytesValue":"AP8="}"#), [0x3a, 2, 0, 0xff]);
        let list = r#"{"arrayValue":{"values":[{"boolValue":false}]}}"#;
        assert_eq!(any(list), [0x2a, 4, 0x0a, 2, 0x10, 0]);
        let pairs = r#"{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}"#;
        assert_eq!(any(pairs), [0x32, 9, 0x0a, 7, 0x0a, 1, b'a', 0x12, 2, 0x18, 1]);
    }

    #[test]
    fn records_of_one_resource_and_scope_share_them() {
        let line = |scope: &str, text: &str| {
            let record =
                serde_json::json!({ "timeUnixNano": "1", "body": { "stringValue": text } });
            let logs = serde_json::json!({ "scope": { "name": scope }, "logRecords": [record] });
            let resource = serde_json::json!({ "attributes": [] });
            let one = serde_json::json!({ "resource": resource, "scopeLogs": [logs] });
            serde_json::json!({ "resourceLogs": [one] }).to_string()
        };
        let lines = [line("a", "x"), line("a", "y"), line("b", "z")];
        let request = request(lines.iter().map(|line| ("", line.as_bytes()))).unwrap();
        let count = |what: &[u8]| request.windows(what.len()).filter(|at| *at == what).count();
        assert_eq!(count(&[0x0a, 3, 0x0a, 1, b'a']), 1, "{request:x?}");
        assert_eq!(count(&[0x0a, 3, 0x0a, 1, b'b']), 1, "{request:x?}");
        assert_eq!([b"x", b"y", b"z"].map(|text| count(text)), [1, 1, 1]);
        assert!(super::request([("", &b"{"[..])].into_iter()).is_none());
    }
}
