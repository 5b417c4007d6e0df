//! The presets `ecs`, `gcp` and `otel`: what their readers ask for, and golden files of whole
//! lines.
//!
//! After a wanted change run `UPDATE_GOLDEN=1 cargo test --test it record_presets` and look at the
//! difference before committing. The rules that hold for any record are in `record_properties.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

use crate::json_lines;

use json_lines::specimens::{Chain, compare_golden, error_fields, specimens, text, two_spans};
use json_lines::{keys, place, record, record_at, span, strict};
use logwell::config::{ConsoleFormat, LoggingConfig, Schema, ServiceConfig, Spans};
use logwell::encode::encoder_for;
use logwell::record::{Id, Level, Place, Record, SpanContext, Value};
use logwell::{LoggingContext, QueueLayer};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything takes that does not hang.
const LONG: Duration = Duration::from_secs(120);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn config(schema: Schema) -> LoggingConfig {
    LoggingConfig::builder().schema(schema).build().unwrap()
}

/// The object that a configuration makes of a record.
fn with(config: &LoggingConfig, record: &Record) -> Json {
    strict(&line_with(config, usize::MAX, record))
}

fn line_with(config: &LoggingConfig, max_line_bytes: usize, record: &Record) -> Vec<u8> {
    let mut line = Vec::new();
    encoder_for(config, max_line_bytes).encode(record, &mut line);
    line
}

fn ecs(record: &Record) -> Json {
    with(&config(Schema::Ecs), record)
}

fn gcp(record: &Record) -> Json {
    with(&config(Schema::Gcp), record)
}

fn otel(record: &Record) -> Json {
    with(&config(Schema::Otel), record)
}

/// The one log record of a line of OTLP/JSON.
fn log_record(line: &Json) -> &Json {
    let resources = line["resourceLogs"].as_array().unwrap();
    let scopes = resources[0]["scopeLogs"].as_array().unwrap();
    let records = scopes[0]["logRecords"].as_array().unwrap();
    assert_eq!((resources.len(), scopes.len(), records.len()), (1, 1, 1));
    &records[0]
}

/// Attributes as an object from key to value with its type.
fn attributes(list: &Json) -> Map<String, Json> {
    let mut all = Map::new();
    for attribute in list.as_array().unwrap() {
        assert_eq!(keys(attribute), ["key", "value"]);
        assert_eq!(attribute["value"].as_object().unwrap().len(), 1, "one type");
        let key = attribute["key"].as_str().unwrap().to_owned();
        assert!(
            all.insert(key, attribute["value"].clone()).is_none(),
            "{attribute} is there twice"
        );
    }
    all
}

/// A record with those ids as its context.
fn in_trace(trace: &str, span: &str) -> Record {
    record(&[]).with_context(Arc::new(SpanContext::new(trace.into(), span.into())))
}

fn failed() -> Record {
    error_fields(&Chain::of(&["cannot save", "disk full", "quota of user 7"]))
}

fn service() -> ServiceConfig {
    let mut service = ServiceConfig::default();
    service.name = "Shop API".to_owned();
    service.version = "1.2.3".to_owned();
    service.environment = "production".to_owned();
    service
}

// ---- ECS ------------------------------------------------------------------------------------

/// What elastic/ecs-logging, spec/spec.json says of each field: its name, type and place, and
/// whether it must be there.
const SPEC: [(&str, &str, Option<usize>, bool); 15] = [
    ("@timestamp", "datetime", Some(0), true),
    ("log.level", "string", Some(1), true),
    ("message", "string", Some(2), false),
    ("ecs.version", "string", None, true),
    ("labels", "object", None, false),
    ("trace.id", "string", None, false),
    ("service.name", "string", None, false),
    ("event.dataset", "string", None, false),
    ("process.thread.name", "string", None, false),
    ("log.logger", "string", None, false),
    ("log.origin.file.line", "integer", None, false),
    ("log.origin.file.name", "string", None, false),
    ("log.origin.function", "string", None, false),
    ("error.message", "string", None, false),
    ("error.stack_trace", "string", None, false),
];

fn check_spec(line: &Json) {
    for (name, kind, index, required) in SPEC {
        let Some(value) = line.get(name) else {
            assert!(!required, "{name} is missing in {line}");
            continue;
        };
        let fits = match kind {
            "string" => value.is_string(),
            "integer" => value.is_u64(),
            "object" => value.is_object(),
            _ => value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
        };
        assert!(fits, "{name} is no {kind}: {value}");
        if let Some(index) = index {
            assert_eq!(keys(line)[index], name);
        }
    }
    for (key, value) in line["labels"].as_object().into_iter().flatten() {
        assert!(value.is_string(), "the label {key} is no text: {value}");
        assert!(!key.contains(['.', '*', '\\']), "the label {key} would nest");
    }
}

#[test]
fn every_ecs_line_is_what_the_specification_of_ecs_loggers_asks_for() {
    let mut named = config(Schema::Ecs);
    named.service = service();
    for record in specimens().into_iter().chain([failed(), in_trace(TRACE, SPAN)]) {
        check_spec(&ecs(&record));
        check_spec(&with(&named, &record));
    }
}

#[test]
fn in_ecs_fields_are_labels_but_those_with_a_name_of_ecs() {
    let line = ecs(&record(&[
        ("latency_ms", Value::U64(234)),
        ("ok", Value::Bool(true)),
        ("ratio", Value::F64(f64::NAN)),
        ("body", Value::Bytes(b"\0\xff")),
        ("a.b", text("x")),
        ("http.response.status_code", Value::U64(200)),
    ]));
    let labels = json!({
        "latency_ms": "234", "ok": "true", "ratio": "NaN", "body_b64": "AP8=", "a_b": "x",
    });
    assert_eq!(line["labels"], labels);
    assert_eq!(line["http.response.status_code"], 200);
}

#[test]
fn in_ecs_a_value_that_elasticsearch_would_refuse_is_a_label() {
    let line = ecs(&record(&[
        ("http.request", text("GET /")),
        ("http.version.major", Value::U64(1)),
        ("url", text("/")),
        ("user.group", text("staff")),
        ("http.response.status_code", text("OK")),
        ("source.ip", text("localhost")),
        ("event.duration", Value::F64(0.5)),
        ("http.request.method", text("GET")),
    ]));
    let labels = json!({
        "http_request": "GET /", "http_version_major": "1", "url": "/", "user_group": "staff",
        "http_response_status_code": "OK", "source_ip": "localhost", "event_duration": "0.5",
    });
    assert_eq!(line["labels"], labels);
    assert_eq!(line["http.request.method"], "GET");
    let context = LoggingContext::new().with("http.request", "GET /").with("client.ip", "::1");
    let logs = logwell::testing::capture();
    context.in_scope(|| tracing::info!("inside"));
    let line = ecs(&logs.records()[0]);
    assert_eq!(
        (&line["labels"]["http_request"], &line["client.ip"]),
        (&json!("GET /"), &json!("::1"))
    );
}

#[test]
fn in_ecs_no_field_overwrites_a_key_of_the_record() {
    let line = ecs(&record(&[
        ("@timestamp", text("forged")),
        ("log.level", text("forged")),
        ("trace.id", text("forged")),
        ("service.name", text("forged")),
        ("labels", text("forged")),
        ("spans", text("forged")),
    ]));
    assert_eq!(line["log.level"], "INFO");
    assert_eq!(line["@timestamp"], "2026-02-19T10:30:00.123456Z");
    assert_eq!((line.get("trace.id"), line.get("service.name")), (None, None));
    let labels = json!({
        "@timestamp": "forged", "log_level": "forged", "trace_id": "forged",
        "service_name": "forged", "labels": "forged", "field_spans": "forged",
    });
    assert_eq!(line["labels"], labels);
}

#[test]
fn in_ecs_an_error_has_its_message_and_its_sources_as_a_trace() {
    let line = ecs(&failed());
    assert_eq!(line["error.message"], "cannot save");
    let trace = "cannot save\ncaused by: disk full\ncaused by: quota of user 7";
    assert_eq!(line["error.stack_trace"], trace);
    assert_eq!(line.get("labels"), None);
    let line = ecs(&record(&[("error", text("timeout"))]));
    assert_eq!((&line["error.message"], line.get("error.stack_trace")), (&json!("timeout"), None));
}

#[test]
fn in_ecs_spans_are_labels_and_a_path() {
    let record = record(&[]).with_context(two_spans());
    let line = ecs(&record);
    let labels = json!({"spans": "request:charge", "path": "/buy", "user": "bob"});
    assert_eq!(line["labels"], labels);
    assert_eq!(line["log.origin.function"], "charge");
    let mut off = config(Schema::Ecs);
    off.record.spans = Spans::Off;
    assert_eq!(with(&off, &record).get("labels"), None);
}

#[test]
fn in_ecs_the_service_names_the_dataset() {
    let mut config = config(Schema::Ecs);
    config.service = service();
    let line = with(&config, &record(&[]));
    assert_eq!(line["service.name"], "Shop API");
    assert_eq!(line["service.version"], "1.2.3");
    assert_eq!(line["service.environment"], "production");
    assert_eq!(line["event.dataset"], "shop_api.log");
}

#[test]
fn in_ecs_ids_are_written_whatever_their_form() {
    let line = ecs(&in_trace("mine", "7"));
    assert_eq!((&line["trace.id"], &line["span.id"]), (&json!("mine"), &json!("7")));
}

// ---- Google Cloud ---------------------------------------------------------------------------

#[test]
fn in_gcp_each_level_has_a_severity_of_google() {
    let expected = ["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
    for (level, severity) in Level::ALL.into_iter().zip(expected) {
        let line = gcp(&record_at(Place { level, ..place() }, &[]));
        assert_eq!(keys(&line)[..3], ["time", "severity", "message"]);
        assert_eq!(line["severity"], severity);
        assert_eq!(line["time"], "2026-02-19T10:30:00.123456789Z");
    }
}

#[test]
fn in_gcp_w3c_ids_name_the_trace_and_other_texts_stand_aside() {
    let line = gcp(&in_trace(TRACE, SPAN));
    assert_eq!(line["logging.googleapis.com/trace"], TRACE);
    assert_eq!(line["logging.googleapis.com/spanId"], SPAN);
    assert_eq!((line.get("trace_id"), line.get("span_id")), (None, None));
    let mut project = config(Schema::Gcp);
    project.record.gcp_project = "my-project".to_owned();
    let line = with(&project, &in_trace(TRACE, SPAN));
    let name = format!("projects/my-project/traces/{TRACE}");
    assert_eq!(line["logging.googleapis.com/trace"], name);

    let line = gcp(&in_trace("mine", SPAN));
    assert_eq!((&line["trace_id"], &line["span_id"]), (&json!("mine"), &json!(SPAN)));
    assert_eq!(line.get("logging.googleapis.com/trace"), None);
    assert_eq!(line.get("logging.googleapis.com/spanId"), None);
}

#[test]
fn in_gcp_the_place_is_a_source_location_whose_line_is_a_text() {
    let line = gcp(&record(&[("function", text("buy"))]));
    let place = json!({"file": "src/cart.rs", "line": "42", "function": "buy"});
    assert_eq!(line["logging.googleapis.com/sourceLocation"], place);
    let bare = Place { file: None, line: None, ..place_of_nothing() };
    assert_eq!(gcp(&record_at(bare, &[])).get("logging.googleapis.com/sourceLocation"), None);
}

fn place_of_nothing() -> Place {
    Place { module: None, ..place() }
}

#[test]
fn in_gcp_fields_keep_their_type_and_names_with_a_meaning_move_aside() {
    let line = gcp(&record(&[
        ("latency_ms", Value::U64(234)),
        ("severity", text("forged")),
        ("httpRequest", text("GET /")),
        ("logging.googleapis.com/trace", text("forged")),
        ("stack_trace", text("main.rs:7")),
    ]));
    assert_eq!(line["stack_trace"], "main.rs:7");
    assert_eq!(line["latency_ms"], 234);
    assert_eq!(line["severity"], "INFO");
    assert_eq!(line["field.severity"], "forged");
    assert_eq!(line["field.httpRequest"], "GET /");
    assert_eq!(line["field.logging.googleapis.com/trace"], "forged");
}

#[test]
fn in_gcp_the_service_is_context_and_label() {
    let mut config = config(Schema::Gcp);
    config.service = service();
    let line = with(&config, &record(&[]));
    assert_eq!(line["serviceContext"], json!({"service": "Shop API", "version": "1.2.3"}));
    assert_eq!(line["logging.googleapis.com/labels"], json!({"environment": "production"}));
}

#[test]
fn the_id_of_a_record_is_its_own_and_the_same_in_each_file() {
    let id = |record: &Record| gcp(record)["logging.googleapis.com/insertId"].clone();
    let (one, two) = (record(&[]), record(&[]).with_seq(2));
    assert_eq!(id(&one), id(&one));
    assert_ne!(id(&one), id(&two));
    let uid = attributes(&log_record(&otel(&one))["attributes"])["log.record.uid"].clone();
    assert_eq!(uid["stringValue"], id(&one));
}

// ---- OpenTelemetry --------------------------------------------------------------------------

#[test]
fn in_otel_each_level_has_the_number_of_the_data_model() {
    for (level, number) in Level::ALL.into_iter().zip([1, 5, 9, 13, 17, 21]) {
        let line = otel(&record_at(Place { level, ..place() }, &[]));
        assert_eq!(log_record(&line)["severityNumber"], number);
        assert_eq!(log_record(&line)["severityText"], level.as_str());
    }
}

#[test]
fn in_otel_a_value_has_the_type_it_was_given_with() {
    let line = otel(&record(&[
        ("message", text("hello")),
        ("u", Value::U64(7)),
        ("big", Value::U64(u64::MAX)),
        ("i", Value::I64(-7)),
        ("f", Value::F64(0.5)),
        ("nan", Value::F64(f64::NAN)),
        ("yes", Value::Bool(true)),
        ("body", Value::Bytes(b"\0\xff")),
    ]));
    let record = log_record(&line);
    assert_eq!(record["body"], json!({"stringValue": "hello"}));
    assert_eq!(record["timeUnixNano"], "1771497000123456789");
    let all = attributes(&record["attributes"]);
    assert_eq!(all["u"], json!({"intValue": "7"}));
    assert_eq!(all["big"], json!({"stringValue": "18446744073709551615"}));
    assert_eq!(all["i"], json!({"intValue": "-7"}));
    assert_eq!(all["f"], json!({"doubleValue": 0.5}));
    assert_eq!(all["nan"], json!({"doubleValue": "NaN"}));
    assert_eq!(all["yes"], json!({"boolValue": true}));
    assert_eq!(all["body"], json!({"bytesValue": "AP8="}));
    assert_eq!(all["code.line.number"], json!({"intValue": "42"}));
}

#[test]
fn in_otel_only_w3c_ids_are_ids() {
    let line = otel(&in_trace(&TRACE.to_uppercase(), SPAN));
    assert_eq!(log_record(&line)["traceId"], TRACE);
    assert_eq!(log_record(&line)["spanId"], SPAN);
    let zeros = "0".repeat(32);
    for (trace, span) in [("mine", SPAN), (&zeros, SPAN), ("4bf92f3577b34da6", "root")] {
        let line = otel(&in_trace(trace, span));
        let record = log_record(&line);
        assert_eq!((record.get("traceId"), record.get("spanId")), (None, None));
        let all = attributes(&record["attributes"]);
        assert_eq!(all["trace_id"]["stringValue"], trace);
        assert_eq!(all["span_id"]["stringValue"], span);
    }
    let line = otel(&in_trace(TRACE, "root"));
    assert_eq!(log_record(&line)["traceId"], TRACE);
    let all = attributes(&log_record(&line)["attributes"]);
    assert_eq!((&all["span_id"]["stringValue"], all.get("trace_id")), (&json!("root"), None));
}

#[test]
fn in_otel_the_service_is_the_resource_and_the_logger_the_scope() {
    let mut config = config(Schema::Otel);
    config.service = service();
    let line = with(&config, &record(&[]));
    let resource = attributes(&line["resourceLogs"][0]["resource"]["attributes"]);
    assert_eq!(resource["service.name"]["stringValue"], "Shop API");
    assert_eq!(resource["service.version"]["stringValue"], "1.2.3");
    assert_eq!(resource["deployment.environment.name"]["stringValue"], "production");
    assert_eq!(resource["process.pid"]["intValue"], std::process::id().to_string());
    assert_eq!(line["resourceLogs"][0]["scopeLogs"][0]["scope"]["name"], "shop::cart");
}

#[test]
fn in_otel_an_error_is_an_exception_and_reserved_names_move_aside() {
    let line = otel(&failed());
    let all = attributes(&log_record(&line)["attributes"]);
    assert_eq!(all["exception.message"]["stringValue"], "cannot save");
    let trace = "cannot save\ncaused by: disk full\ncaused by: quota of user 7";
    assert_eq!(all["exception.stacktrace"]["stringValue"], trace);
    assert_eq!(all.get("error"), None);
    let line = otel(&record(&[("seq", text("forged")), ("code.file.path", text("forged"))]));
    let all = attributes(&log_record(&line)["attributes"]);
    assert_eq!(all["seq"], json!({"intValue": "1"}));
    assert_eq!(all["field.seq"]["stringValue"], "forged");
    assert_eq!(all["code.file.path"]["stringValue"], "src/cart.rs");
}

#[test]
fn in_otel_spans_are_an_array_of_lists() {
    let line = otel(&record(&[]).with_context(two_spans()));
    let all = attributes(&log_record(&line)["attributes"]);
    let spans = all["spans"]["arrayValue"]["values"].as_array().unwrap();
    let leaf = attributes(&spans[1]["kvlistValue"]["values"]);
    assert_eq!(leaf["name"]["stringValue"], "charge");
    assert_eq!(leaf["user"]["stringValue"], "bob");
}

// ---- the longest line -----------------------------------------------------------------------

const PRESETS: [Schema; 3] = [Schema::Ecs, Schema::Gcp, Schema::Otel];

#[test]
fn the_most_hostile_records_fit_in_each_preset() {
    let long: &'static str = "\u{1}".repeat(5_000).leak();
    let log = Place { target: long, module: Some(long), file: Some(long), ..place() };
    let outside = SpanContext::new(long.into(), long.into());
    let context = Arc::new(span(long, &[(long, text(long))], Some(&outside)));
    let values = [
        ("message", text(long)),
        ("function", text(long)),
        ("error", text(long)),
        (long, text(long)),
    ];
    let long_record = record_at(log, &values).with_context(context).with_thread(long);
    let names: Vec<&'static str> = (0..250).map(|n| &*format!("field_{n}").leak()).collect();
    let many: Vec<_> = names.iter().map(|name| (*name, text(long))).collect();
    for schema in PRESETS {
        let mut config = config(schema);
        config.service = service();
        config.service.name = "s".repeat(256);
        config.service.environment = "é".repeat(128);
        config.record.gcp_project = "p".repeat(64);
        config.check().unwrap();
        for record in [&long_record, &record(&many), &record(&[]), &failed()] {
            for max_line_bytes in [1_024, 4_096, 16_000, 1 << 16] {
                let line = line_with(&config, max_line_bytes, record);
                assert!(line.len() <= max_line_bytes, "{schema:?}: {} bytes", line.len());
                strict(&line);
            }
        }
    }
}

#[test]
fn what_was_cut_is_told_under_its_own_name_whatever_else_is_called_like_it() {
    let long: &'static str = "x".repeat(5_000).leak();
    let values = [("message", text(long)), ("body", text(long)), ("file", text(long))];
    let record = record_at(Place { file: Some(long), ..place() }, &values);
    let line = |schema| strict(&line_with(&config(schema), 16_000, &record));
    let labels = &line(Schema::Ecs)["labels"];
    let told = "message 5000, log.origin.file.name 5000, labels.body 5000, labels.file 5000";
    assert_eq!(labels["truncated"], told);
    let path = "logging.googleapis.com/sourceLocation.file";
    let told = json!({"message": 5000, path: 5000, "body": 5000, "file": 5000});
    assert_eq!(line(Schema::Gcp)["truncated"], told);
    let all = attributes(&log_record(&line(Schema::Otel))["attributes"]);
    let told = attributes(&all["truncated"]["kvlistValue"]["values"]);
    assert_eq!(keys(&told.into()), ["message", "code.file.path", "body", "file"]);
}

#[test]
fn the_length_of_a_value_whose_formatting_was_stopped_is_unknown_to_each_preset() {
    let logs = logwell::testing::capture();
    let endless = std::fmt::from_fn(|f| (0..50_000).try_for_each(|n| write!(f, "{n:>100}")));
    tracing::info!(?endless, "message");
    let record = logs.records().remove(0);
    let line = |schema| strict(&line_with(&config(schema), 1_000_000, &record));
    assert_eq!(line(Schema::Ecs)["labels"]["truncated"], "labels.endless ?");
    assert_eq!(line(Schema::Gcp)["truncated"], json!({"endless": null}));
    let all = attributes(&log_record(&line(Schema::Otel))["attributes"]);
    let told = attributes(&all["truncated"]["kvlistValue"]["values"]);
    assert_eq!(told["endless"], json!({"stringValue": "?"}));
}

#[test]
fn a_line_without_room_for_its_fields_says_how_many_are_missing() {
    let names: Vec<&'static str> =
        (0..250).map(|n| &*format!("f{n}{}", "n".repeat(30)).leak()).collect();
    let mut values = vec![("message", text("hello"))];
    values.extend(names.iter().map(|name| (*name, Value::U64(1))));
    let record = record(&values);
    let line = |schema| strict(&line_with(&config(schema), 4_096, &record));
    assert_eq!(line(Schema::Ecs)["labels"]["truncated"], "logwell.fields 250");
    assert_eq!(line(Schema::Gcp)["truncated"], json!({"logwell.fields": 250}));
    let otel = line(Schema::Otel);
    assert_eq!(log_record(&otel)["droppedAttributesCount"], 250);
    let all = attributes(&log_record(&otel)["attributes"]);
    let truncated = attributes(&all["truncated"]["kvlistValue"]["values"]);
    assert_eq!(truncated["logwell.fields"], json!({"intValue": "250"}));
}

// ---- golden files, and all the way through --------------------------------------------------

fn check_golden(name: &str, schema: Schema) {
    let mut config = config(schema);
    config.service = service();
    config.record.gcp_project = "my-project".to_owned();
    let mut records = specimens();
    let ids = SpanContext::new(Id::Trace(0x4bf9_2f35), Id::Span(0x00f0_67aa));
    records.push(record(&[("message", text("traced"))]).with_context(Arc::new(ids)));
    records.extend(own_records());
    let mut lines = Vec::new();
    let mut encoder = encoder_for(&config, usize::MAX);
    for record in records {
        encoder.encode(&record, &mut lines);
    }
    let lines = String::from_utf8(lines).unwrap();
    compare_golden(name, &with_fixed_process(&lines));
}

/// The framework's own records, at a fixed time and without what changes from start to start.
fn own_records() -> Vec<Record> {
    use logwell::record::{Fields, Key};
    use logwell::sink::{Accepts, MemorySink};
    let memory = MemorySink::new();
    let mut config = LoggingConfig::builder().files(false).console(false).build().unwrap();
    config.shutdown_timeout = LONG;
    let builder =
        QueueLayer::builder().config(config).sink("memory", Accepts::all(), memory.clone());
    builder.build().unwrap().1.shutdown();
    let fixed = |record: &Record| {
        let mut fields = Fields::new();
        for (name, entry) in record.fields() {
            let value = match name {
                "boot_id" | "config" | "version" | "first" | "last" => text("fixed"),
                "elapsed_ms" => Value::U64(0),
                _ => entry.value,
            };
            fields.push(Key::Name(name), value);
        }
        let fixed = Record::new(record.callsite(), json_lines::moment(), fields);
        fixed.with_thread(record.thread()).with_seq(record.seq())
    };
    memory.records().iter().map(fixed).collect()
}

/// The lines as if the process and its start had always the same id.
fn with_fixed_process(lines: &str) -> String {
    let pid = std::process::id();
    let mut lines = lines.to_owned();
    for (before, after) in [("process\":", ","), (".pid\":", ","), ("intValue\":\"", "\"")] {
        lines = lines.replace(&format!("{before}{pid}{after}"), &format!("{before}4242{after}"));
    }
    for before in ["insertId\":\"", "record.uid\",\"value\":{\"stringValue\":\""] {
        let mut parts = lines.split(before);
        let mut fixed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            fixed.push_str(&format!("{before}0123456789abcdef{}", part.get(16..).unwrap()));
        }
        lines = fixed;
    }
    lines
}

#[test]
fn the_golden_lines_in_ecs_are_unchanged() {
    check_golden("ecs", Schema::Ecs);
}

#[test]
fn the_golden_lines_in_gcp_are_unchanged() {
    check_golden("gcp", Schema::Gcp);
}

#[test]
fn the_golden_lines_in_otel_are_unchanged() {
    check_golden("otel", Schema::Otel);
}

#[test]
fn the_files_are_written_in_the_schema_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let config = LoggingConfig::builder()
        .schema(Schema::Ecs)
        .log_dir(directory.path())
        .console_format(ConsoleFormat::Json)
        .console(false)
        .shutdown_timeout(LONG)
        .build()
        .unwrap();
    let (_layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    assert!(handle.shutdown().is_lossless());
    let written = std::fs::read(directory.path().join("app.log")).unwrap();
    let lines: Vec<_> = written.split_inclusive(|byte| *byte == b'\n').map(strict).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(check_spec);
    assert_eq!(lines[0]["labels"]["kind"], "logwell.started");
}
