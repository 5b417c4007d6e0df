//! The JSON record of any names and values whatever: one strict line, and everything in it true.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

use crate::json_lines;

use json_lines::{fields, moment, place, strict};
use logwell::LoggingContext;
use logwell::config::{LoggingConfig, RecordConfig, Schema, Spans, WarnName};
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::encode::{Encode as _, encoder_for};
use logwell::record::{Callsite, Key, Kind, Level, Place, Record, SpanContext, Value};
use logwell::testing;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// A value that owns what it is made of.
#[derive(Debug, Clone)]
enum Given {
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F64(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    /// An error and its sources, as the record it was captured in.
    Error(Box<Record>),
}

impl Given {
    fn is_id(&self) -> bool {
        matches!(self, Self::Text(text) if !text.is_empty())
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::U64(v) => Value::U64(*v),
            Self::I64(v) => Value::I64(*v),
            Self::U128(v) => Value::U128(*v),
            Self::I128(v) => Value::I128(*v),
            Self::F64(v) => Value::F64(*v),
            Self::Bool(v) => Value::Bool(*v),
            Self::Text(v) => Value::Str(v),
            Self::Bytes(v) => Value::Bytes(v),
            Self::Error(record) => record.get("error").unwrap(),
        }
    }

    /// What stands in the line for it.
    fn json(&self) -> Json {
        let wide = |text: String| match text.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => text.parse::<i64>().map_or(text.into(), Json::from),
        };
        match self {
            Self::U64(v) => (*v).into(),
            Self::I64(v) => (*v).into(),
            Self::U128(v) => wide(v.to_string()),
            Self::I128(v) => wide(v.to_string()),
            Self::F64(v) if v.is_finite() => (*v).into(),
            Self::F64(v) if v.is_nan() => "NaN".into(),
            Self::F64(v) => if *v > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            Self::Bool(v) => (*v).into(),
            Self::Text(v) => v.as_str().into(),
            Self::Bytes(v) => base64(v).into(),
            Self::Error(_) => match self.value() {
                Value::Error(error) => error.message.into(),
                other => panic!("{other:?}"),
            },
        }
    }

    fn chain(&self) -> Option<Json> {
        let Value::Error(error) = self.value() else { return None };
        let sources: Vec<_> = error.sources().collect();
        (!sources.is_empty()).then(|| sources.into())
    }
}

/// Base64 written down a second time, the slow way.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= chunk.len() { char::from(DIGITS[at]) } else { '=' });
        }
    }
    text
}

#[derive(Debug)]
struct Failure(String, Option<Box<Self>>);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn captured_error(texts: Vec<String>) -> Given {
    let failure =
        texts.into_iter().rev().fold(None, |source, text| Some(Box::new(Failure(text, source))));
    let logs = testing::capture();
    let failure = failure.unwrap();
    tracing::error!(error = &*failure as &dyn std::error::Error, "failed");
    Given::Error(Box::new(logs.records().remove(0)))
}

/// Texts with all that is hard about text.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,12}",
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\u{9f}\"\\\\\\u{2028}\\u{202e}\\u{2066}é🦀]{0,20}",
        (1_usize..3_000, any::<char>()).prop_map(|(times, c)| c.to_string().repeat(times)),
    ]
}

fn any_value() -> impl Strategy<Value = Given> {
    prop_oneof![
        any::<u64>().prop_map(Given::U64),
        any::<i64>().prop_map(Given::I64),
        any::<u128>().prop_map(Given::U128),
        any::<i128>().prop_map(Given::I128),
        any::<u64>().prop_map(|v| Given::I128(v.into())),
        prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)]
            .prop_map(Given::F64),
        any::<bool>().prop_map(Given::Bool),
        any_text().prop_map(Given::Text),
        vec(any::<u8>(), 0..40).prop_map(Given::Bytes),
        vec(any_text(), 1..4).prop_map(captured_error),
    ]
}

const RESERVED: [&str; 15] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "module",
    "function",
    "file",
    "line",
    "thread",
    "process",
    "seq",
    "trace_id",
    "span_id",
    "spans",
    "truncated",
];

/// Some of the keys that only the framework writes.
const FRAMEWORK: [&str; 3] = ["logwell.fields", "recovered", "kind"];

/// Names of all kinds, most of them made to collide.
fn any_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        proptest::sample::select(RESERVED.to_vec()),
        proptest::sample::select(vec![
            "a",
            "b",
            "name",
            "a_b64",
            "a_chain",
            "error",
            "error_chain",
            "field.level",
            "field.name",
            "field.level_chain",
            "level_b64",
            "logwell.critical",
            "logwell.ai",
            "logwell.fields",
            "recovered",
            "kind",
            "dropped",
            "app.written",
            "field.kind",
            "log.target",
            "log.file",
            "",
        ]),
        any_text().prop_map(|text| &*text.leak()),
    ]
}

type Named = Vec<(&'static str, Given)>;

fn any_fields(at_most: usize) -> impl Strategy<Value = Named> {
    vec((any_name(), any_value()), 0..at_most)
}

fn values(named: &Named) -> Vec<(&'static str, Value<'_>)> {
    named.iter().map(|(name, given)| (*name, given.value())).collect()
}

#[derive(Debug, Clone)]
struct Scene {
    level: Level,
    names: [&'static str; 3],
    event: Named,
    /// From root to leaf; none is an event outside of spans.
    spans: Vec<(&'static str, Named)>,
    extras: Vec<(String, String)>,
    kind: Kind,
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let level = proptest::sample::select(Level::ALL.to_vec());
    let names = [any_text(), any_text(), any_text()].prop_map(|names| names.map(|n| &*n.leak()));
    let spans = vec((any_name(), any_fields(4)), 0..4);
    let extras = vec((any_name().prop_map(str::to_owned), any_text()), 0..3);
    let kind = proptest::sample::select(vec![Kind::Plain, Kind::Plain, Kind::LogCrate]);
    (level, names, any_fields(8), spans, extras, kind).prop_map(
        |(level, names, event, spans, extras, kind)| Scene {
            level,
            names,
            event,
            spans,
            extras,
            kind,
        },
    )
}

impl Scene {
    fn context(&self) -> Option<Arc<SpanContext>> {
        let mut context = None;
        if !self.extras.is_empty() {
            let add = |context: LoggingContext, (key, value): &(String, String)| {
                context.with(key, value.as_str())
            };
            let logs = testing::capture();
            self.extras
                .iter()
                .fold(LoggingContext::new().trace_id("t"), add)
                .in_scope(|| tracing::info!("inside"));
            context = logs.records()[0].context().cloned();
        }
        for (name, fields) in &self.spans {
            context = Some(json_lines::span(name, &values(fields), context.as_ref()));
        }
        context.map(Arc::new)
    }

    fn record(&self) -> Record {
        let [target, module, thread] = self.names;
        let (names, fields) = fields(&values(&self.event));
        let callsite = Callsite::leak(Place {
            level: self.level,
            target,
            module: Some(module),
            fields: names,
            kind: self.kind,
            ..place()
        });
        let record = Record::new(callsite, moment(), fields).with_thread(thread).with_seq(7);
        match self.context() {
            Some(context) => record.with_context(context),
            None => record,
        }
    }

    fn has_own_trace(&self) -> bool {
        self.event.iter().any(|(name, given)| *name == "trace_id" && given.is_id())
    }

    /// The members that must be there besides the record's own keys, if nothing was cut.
    fn members(&self, spans: Spans) -> Map<String, Json> {
        let mut all = Map::new();
        for (key, value) in &self.extras {
            put(&mut all, key, &Given::Text(value.clone()), false);
        }
        let is_id = |name: &str| matches!(name, "trace_id" | "span_id");
        for (name, given) in self.spans.iter().flat_map(|(_, fields)| fields) {
            if spans == Spans::Flat && !is_id(name) {
                put(&mut all, name, given, false);
            }
        }
        let has_context = !self.spans.is_empty() || !self.extras.is_empty();
        let has_trace = self.has_own_trace();
        for (name, given) in &self.event {
            let has_own_place = match *name {
                "message" => true,
                "span_id" => given.is_id() && (has_trace || !has_context),
                "trace_id" => given.is_id(),
                "function" => matches!(given, Given::Text(_)),
                "log.target" | "log.file" => self.kind == Kind::LogCrate,
                _ => false,
            };
            if !has_own_place {
                put(&mut all, name, given, false);
            }
        }
        all
    }
}

/// Adds a member as the format says: aside of reserved keys, with its suffix, over earlier ones.
fn put(all: &mut Map<String, Json>, name: &str, given: &Given, in_span: bool) {
    if matches!(name, "logwell.critical" | "logwell.ai") {
        return;
    }
    let of_framework = FRAMEWORK.contains(&name);
    let is_reserved = match in_span {
        true => name == "name",
        false => RESERVED.contains(&name) || of_framework,
    };
    let key = match given {
        Given::Bytes(_) if of_framework && !in_span => format!("field.{name}_b64"),
        Given::Bytes(_) => format!("{name}_b64"),
        _ if is_reserved => format!("field.{name}"),
        _ => name.to_owned(),
    };
    if let Some(chain) = given.chain() {
        all.insert(format!("{key}_chain"), chain);
    }
    all.insert(key, given.json());
}

fn any_options() -> impl Strategy<Value = JsonOptions> {
    let spans = proptest::sample::select(vec![Spans::Nested, Spans::Flat, Spans::Off]);
    let limit = proptest::sample::select(vec![1_024, 4_096, 16_000, usize::MAX, usize::MAX]);
    (spans, any::<bool>(), any::<bool>(), limit, 3_usize..9).prop_map(
        |(spans, file, is_warning, max_line_bytes, max_spans)| {
            let mut record = RecordConfig::default();
            record.spans = spans;
            record.file = file;
            record.warning_name = if is_warning { WarnName::Warning } else { WarnName::Warn };
            JsonOptions { record, max_line_bytes, max_spans }
        },
    )
}

/// Checks what must be in the line whatever was cut.
fn check_own_keys(json: &Json, scene: &Scene, options: &JsonOptions) {
    let warn = match options.record.warning_name {
        WarnName::Warning if scene.level == Level::Warn => "WARNING",
        _ => scene.level.as_str(),
    };
    assert_eq!(json["level"], warn);
    assert_eq!(json["timestamp"], "2026-02-19T10:30:00.123456+00:00");
    assert_eq!(json["process"], std::process::id());
    assert_eq!(json["seq"], 7);
    assert!(json["logger"].is_string() && json["message"].is_string());
    let own = json.as_object().unwrap().keys().take(4).collect::<Vec<_>>();
    assert_eq!(own, ["timestamp", "level", "logger", "message"]);
    if !scene.spans.is_empty() || !scene.extras.is_empty() {
        let is_in_another = scene.has_own_trace();
        assert!(json["trace_id"].is_string());
        assert!(json["span_id"].is_string() || is_in_another);
    }
}

/// Checks that no list of OTLP's attributes has a key twice.
fn check_attributes(json: &Json) {
    match json {
        Json::Array(all) => {
            let mut keys: Vec<_> = all.iter().filter_map(|one| one["key"].as_str()).collect();
            let count = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), count, "a key appears twice in {json}");
            all.iter().for_each(check_attributes);
        }
        Json::Object(all) => all.values().for_each(check_attributes),
        _ => {}
    }
}

/// Checks that nothing is missing, changed or added.
fn check_whole(json: &Json, scene: &Scene, options: &JsonOptions) {
    let expected = scene.members(options.record.spans);
    for (key, value) in &expected {
        assert_eq!(json.get(key), Some(value), "{key:?}");
    }
    for key in json.as_object().unwrap().keys() {
        let is_known = RESERVED.contains(&key.as_str()) || expected.contains_key(key);
        assert!(is_known, "{key:?} comes from nowhere");
    }
    let [target, _, thread] = scene.names;
    if scene.kind != Kind::LogCrate {
        assert_eq!(json["logger"], target);
    }
    assert_eq!(json["thread"], thread);
    let message = scene.event.iter().rev().find(|(name, _)| *name == "message");
    if let Some((_, Given::Text(message))) = message {
        assert_eq!(json["message"], *message);
    }
    if options.record.spans == Spans::Nested && !scene.spans.is_empty() {
        let spans = scene.spans.iter().map(|(name, fields)| {
            let mut object = Map::new();
            object.insert("name".to_owned(), (*name).into());
            for (name, given) in fields {
                put(&mut object, name, given, true);
            }
            Json::from(object)
        });
        assert_eq!(json["spans"], spans.collect::<Json>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_record_is_one_strict_line_that_fits_and_says_what_was_given(
        scene in any_scene(),
        options in any_options(),
    ) {
        let mut line = Vec::new();
        JsonEncoder::new(options.clone()).encode(&scene.record(), &mut line);
        prop_assert!(line.len() <= options.max_line_bytes, "{} bytes", line.len());
        let json = strict(&line);
        check_own_keys(&json, &scene, &options);
        if json.get("truncated").is_none() {
            check_whole(&json, &scene, &options);
        }
        if options.max_line_bytes == usize::MAX {
            prop_assert!(json.get("truncated").is_none(), "nothing was too long");
        }
    }

    #[test]
    fn any_record_in_any_preset_is_one_strict_line_that_fits(
        scene in any_scene(),
        options in any_options(),
        schema in proptest::sample::select(vec![Schema::Ecs, Schema::Gcp, Schema::Otel]),
        service in "[a-zA-Zäö ]{0,40}",
    ) {
        let mut config = LoggingConfig::default();
        config.record = options.record.clone();
        config.record.schema = schema;
        config.limits.spans = options.max_spans;
        config.service.name = service;
        let mut line = Vec::new();
        encoder_for(&config, options.max_line_bytes).encode(&scene.record(), &mut line);
        prop_assert!(line.len() <= options.max_line_bytes, "{} bytes", line.len());
        let json = strict(&line);
        check_attributes(&json);
        let (level, message) = match schema {
            Schema::Ecs => (&json["log.level"], &json["message"]),
            Schema::Gcp => (&json["severity"], &json["message"]),
            _ => {
                let record = &json["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
                (&record["severityText"], &record["body"]["stringValue"])
            }
        };
        prop_assert!(level.is_string() && message.is_string());
        let given = scene.event.iter().rev().find(|(name, _)| *name == "message");
        if let (Some((_, Given::Text(given))), usize::MAX) = (given, options.max_line_bytes) {
            prop_assert_eq!(message, given);
        }
        for text in json["labels"].as_object().into_iter().flat_map(Map::values) {
            prop_assert!(text.is_string());
        }
    }

    #[test]
    fn a_line_does_not_depend_on_the_encoder_nor_on_the_records_before(
        scenes in vec(any_scene(), 1..5),
        options in any_options(),
    ) {
        let records: Vec<_> = scenes.iter().map(Scene::record).collect();
        let mut old = JsonEncoder::new(options.clone());
        let mut ignored = Vec::new();
        for record in records.iter().rev().chain(&records) {
            old.encode(record, &mut ignored);
        }
        for record in &records {
            let (mut by_old, mut by_new) = (Vec::new(), Vec::new());
            old.encode(record, &mut by_old);
            JsonEncoder::new(options.clone()).encode(record, &mut by_new);
            prop_assert_eq!(by_old, by_new);
        }
    }

    #[test]
    fn a_value_cut_on_capture_keeps_a_true_beginning_and_tells_its_length(
        text in any_text(),
        limit in 0_usize..50,
    ) {
        let mut fields = logwell::record::Fields::new();
        fields.push_cut(Key::Index(0), Value::Str(&text), limit);
        let callsite = Callsite::leak(Place { fields: Box::new(["a"]), ..place() });
        let json = json_lines::json(&Record::new(callsite, moment(), fields));
        let kept = json["a"].as_str().unwrap();
        if text.len() <= limit {
            prop_assert_eq!(kept, &text);
            prop_assert!(json.get("truncated").is_none());
        } else {
            let kept = kept.strip_suffix('…').unwrap();
            prop_assert!(text.starts_with(kept) && kept.len() <= limit && kept.len() + 4 > limit);
            prop_assert_eq!(&json["truncated"]["a"], &Json::from(text.len()));
        }
    }
}

#[test]
fn the_strict_reader_refuses_what_it_should() {
    for bad in [
        "{\"a\":1,\"a\":2}\n",
        "{\"a\":{\"b\":1,\"b\":2}}\n",
        "{\"a\":[{\"b\":1,\"b\":2}]}\n",
        "{\"a\":1}",
        "{\"a\":1}\n\n",
        "{\"a\":1} {}\n",
        "{\"a\":\"\u{202e}\"}\n",
        "{\"a\":NaN}\n",
        "[]\n",
    ] {
        assert!(json_lines::try_strict(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert_eq!(strict(b"{\"a\":[1,null]}\n")["a"][0], 1);
}
