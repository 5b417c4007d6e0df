//! The JSON record, rule by rule, and golden files of whole lines.
//!
//! A golden file is compared byte for byte. After a wanted change of the format run
//! `UPDATE_GOLDEN=1 cargo test --test it record_format` and look at the difference before you
//! commit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

use crate::json_lines;

use json_lines::specimens::{Chain, compare_golden, error_fields, specimens, text, two_spans};
use json_lines::{
    json, json_with, keys, line_with, moment, place, record, record_at, span, strict,
};
use logwell::config::{LoggingConfig, RecordConfig, Spans, WarnName};
use logwell::encode::Encode as _;
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::record::{Callsite, Fields, Id, Key, Kind, Level, Place, Record, SpanContext, Value};
use logwell::sink::{Accepts, MemorySink};
use logwell::testing;
use logwell::{LoggingContext, QueueLayer};
use serde_json::json as object;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tracing_subscriber::layer::SubscriberExt as _;

fn options(change: impl FnOnce(&mut RecordConfig)) -> JsonOptions {
    let mut options = JsonOptions::default();
    change(&mut options.record);
    options
}

fn ids(trace: &str, span: &str) -> SpanContext {
    SpanContext::new(trace.into(), span.into())
}

// ---- keys and their order -------------------------------------------------------------------

#[test]
fn keys_stand_in_the_documented_order() {
    let failed = error_fields(&Chain::of(&["outer", "inner"]));
    let error = failed.get("error").unwrap();
    let (names, mut fields) = json_lines::fields(&[
        ("message", text("failed")),
        ("zebra", Value::U64(1)),
        ("apple", Value::U64(2)),
        ("error", error),
    ]);
    fields.push_cut(Key::Name("long"), text("abcdef"), 3);
    let callsite = Callsite::leak(Place { fields: names, ..place() });
    let record = Record::new(callsite, moment(), fields).with_context(two_spans());
    assert_eq!(
        keys(&json(&record)),
        [
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
            "zebra",
            "apple",
            "error",
            "error_chain",
            "long",
            "truncated"
        ]
    );
}

#[test]
fn a_bare_record_has_the_keys_that_are_always_there_and_no_other() {
    let bare = Place { module: None, file: None, line: None, ..place() };
    let json = json(&record_at(bare, &[]));
    assert_eq!(
        keys(&json),
        ["timestamp", "level", "logger", "message", "thread", "process", "seq"]
    );
    assert_eq!(json["message"], "");
    assert_eq!(json["process"], std::process::id());
}

#[test]
fn the_timestamp_is_rfc_3339_with_six_decimals_and_the_offset_of_utc() {
    let stamp = |ns: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(ns);
        let record = Record::new(Callsite::leak(place()), time, Fields::new());
        json(&record)["timestamp"].as_str().unwrap().to_owned()
    };
    assert_eq!(stamp(1_771_497_000_123_456_789), "2026-02-19T10:30:00.123456+00:00");
    assert_eq!(stamp(0), "1970-01-01T00:00:00.000000+00:00");
    assert_eq!(stamp(999_999_999), "1970-01-01T00:00:00.999999+00:00", "cut, not rounded");
    assert_eq!(stamp(951_782_400_000_001_000), "2000-02-29T00:00:00.000001+00:00");
    assert_eq!(stamp(u64::MAX), "2554-07-21T23:34:33.709551+00:00");
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let record = Record::new(Callsite::leak(place()), before, Fields::new());
    assert_eq!(json(&record)["timestamp"], "1970-01-01T00:00:00.000000+00:00");
}

#[test]
fn the_timestamp_follows_a_clock_that_steps_back() {
    let mut encoder = JsonEncoder::new(JsonOptions::default());
    let callsite = Callsite::leak(place());
    for second in [5, 4, 4, 0, 5] {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let mut line = Vec::new();
        encoder.encode(&Record::new(callsite, time, Fields::new()), &mut line);
        let expected = format!("1970-01-01T00:00:0{second}.000000+00:00");
        assert_eq!(strict(&line)["timestamp"], expected);
    }
}

#[test]
fn levels_have_their_six_names_and_warn_can_be_called_warning() {
    let name = |level, options: &JsonOptions| {
        json_with(options, &record_at(Place { level, ..place() }, &[]))["level"].clone()
    };
    let plain = Level::ALL.map(|level| name(level, &JsonOptions::default()));
    assert_eq!(plain, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
    let python = options(|record| record.warning_name = WarnName::Warning);
    let python = Level::ALL.map(|level| name(level, &python));
    assert_eq!(python, ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);
}

#[test]
fn the_critical_macro_makes_the_sixth_level_and_leaves_no_marker() {
    let logs = testing::capture();
    logwell::critical!(pool = "orders", "none left");
    let json = &logs.json()[0];
    assert_eq!(json["level"], "CRITICAL");
    assert!(keys(json).iter().all(|key| !key.starts_with("logwell.")), "{json}");
}

#[test]
fn the_logger_is_the_target_and_the_module_where_the_event_stands() {
    let logs = testing::capture();
    tracing::info!(target: "audit", "one");
    let line = line!() + 1;
    tracing::info!("two");
    let json = logs.json();
    assert_eq!(
        (&json[0]["logger"], &json[0]["module"]),
        (&object!("audit"), &object!(module_path!()))
    );
    assert_eq!(json[1]["logger"], module_path!());
    assert_eq!(json[1]["file"], file!());
    assert_eq!(json[1]["line"], line);
}

#[test]
fn without_the_option_the_source_file_is_left_out_and_the_line_stays() {
    let json = json_with(&options(|record| record.file = false), &record(&[]));
    assert_eq!(json.get("file"), None);
    assert_eq!(json["line"], 42);
}

#[test]
fn a_record_of_the_log_crate_tells_its_place_by_its_fields_and_does_not_repeat_them() {
    let log = Place {
        target: "log",
        module: Some("tracing_log"),
        file: Some("tracing_log.rs"),
        line: Some(1),
        kind: Kind::LogCrate,
        ..place()
    };
    let values = [
        ("message", text("hello")),
        ("log.target", text("hyper::conn")),
        ("log.module_path", text("hyper::conn::http1")),
        ("log.file", text("http1.rs")),
        ("log.line", Value::U64(7)),
    ];
    let json = json(&record_at(log.clone(), &values));
    assert_eq!(json["logger"], "hyper::conn");
    assert_eq!(json["module"], "hyper::conn::http1");
    assert_eq!(json["file"], "http1.rs");
    assert_eq!(json["line"], 7);
    assert!(keys(&json).iter().all(|key| !key.starts_with("log.")), "{json}");
    let json = self::json(&record_at(log, &values[..2]));
    assert_eq!((json.get("module"), json.get("file"), json.get("line")), (None, None, None));
}

#[test]
fn an_ordinary_event_may_have_fields_that_begin_with_log() {
    let json = json(&record(&[("log.file", text("upload.csv")), ("log.line", Value::U64(3))]));
    assert_eq!(json["log.file"], "upload.csv");
    assert_eq!(json["log.line"], 3);
}

#[test]
fn the_message_is_always_a_string() {
    assert_eq!(json(&record(&[("message", text("hello"))]))["message"], "hello");
    assert_eq!(json(&record(&[("message", Value::U64(7))]))["message"], "7");
    assert_eq!(json(&record(&[("message", Value::Bool(true))]))["message"], "true");
    assert_eq!(json(&record(&[("message", Value::F64(f64::NAN))]))["message"], "NaN");
    assert_eq!(json(&record(&[("a", Value::U64(1))]))["message"], "");
}

#[test]
fn of_two_messages_the_last_wins() {
    let record = record(&[("message", text("first")), ("message", text("second"))]);
    assert_eq!(record.message(), "second");
    assert_eq!(json(&record)["message"], "second");
}

#[test]
fn the_function_is_the_field_else_the_innermost_span_else_absent() {
    let named = record(&[("function", text("buy"))]);
    assert_eq!(json(&named)["function"], "buy");
    assert_eq!(json(&named.with_context(two_spans()))["function"], "buy");
    assert_eq!(json(&record(&[]).with_context(two_spans()))["function"], "charge");
    assert_eq!(json(&record(&[])).get("function"), None);
    let outside_spans = record(&[]).with_context(Arc::new(ids("t", "s")));
    assert_eq!(json(&outside_spans).get("function"), None);
}

#[test]
fn a_function_that_is_no_text_is_an_ordinary_field_of_a_reserved_name() {
    let json = json(&record(&[("function", Value::U64(7))]).with_context(two_spans()));
    assert_eq!(json["function"], "charge");
    assert_eq!(json["field.function"], 7);
}

#[test]
fn the_thread_is_its_name_else_its_number() {
    let logged_by = |thread: std::thread::Builder| {
        let thread = thread.spawn(|| {
            let logs = testing::capture();
            tracing::info!("hello");
            logs.json()[0]["thread"].as_str().unwrap().to_owned()
        });
        thread.unwrap().join().unwrap()
    };
    assert_eq!(logged_by(std::thread::Builder::new().name("worker-3".to_owned())), "worker-3");
    let number = logged_by(std::thread::Builder::new());
    assert!(number.parse::<u64>().is_ok(), "{number:?}");
}

#[test]
fn seq_counts_accepted_records_from_one_without_a_gap_at_each_start() {
    for _start in 0..2 {
        let logs = testing::capture();
        for number in 0..100 {
            tracing::info!(number, "hello");
        }
        let seqs: Vec<_> = logs.json().iter().map(|json| json["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
    }
}

// ---- trace ids and spans --------------------------------------------------------------------

#[test]
fn trace_ids_are_lower_case_hex_or_what_the_user_set() {
    let inside = |context| json(&record(&[]).with_context(Arc::new(context)));
    let w3c = inside(SpanContext::new(Id::Trace(0xabc), Id::Span(0xf)));
    assert_eq!(w3c["trace_id"], "00000000000000000000000000000abc");
    assert_eq!(w3c["span_id"], "000000000000000f");
    let own = inside(ids("order 7", "step\u{1}"));
    assert_eq!((&own["trace_id"], &own["span_id"]), (&object!("order 7"), &object!("step\u{1}")));
    let none = json(&record(&[]));
    assert_eq!((none.get("trace_id"), none.get("span_id")), (None, None));
}

#[test]
fn an_event_may_name_its_trace_itself() {
    let values = [("trace_id", text("mine")), ("span_id", text("7"))];
    for record in [record(&values), record(&values).with_context(two_spans())] {
        let json = json(&record);
        assert_eq!((&json["trace_id"], &json["span_id"]), (&object!("mine"), &object!("7")));
        assert_eq!(json.get("field.trace_id"), None);
    }
}

#[test]
fn only_a_text_that_is_not_empty_is_an_id() {
    for value in [text(""), Value::U64(42), Value::Bool(true)] {
        let values = [("trace_id", value), ("span_id", value)];
        let around = json(&record(&values).with_context(Arc::new(ids("trace", "span"))));
        let alone = json(&record(&values));
        assert_eq!(
            (&around["trace_id"], &around["span_id"]),
            (&object!("trace"), &object!("span"))
        );
        assert_eq!((alone.get("trace_id"), alone.get("span_id")), (None, None));
        for json in [around, alone] {
            assert_eq!(json["field.trace_id"], json["field.span_id"]);
            assert!(!json["field.trace_id"].is_null(), "{json}");
        }
    }
}

#[test]
fn the_pairs_of_a_log_record_count_for_that_record_alone() {
    let names: Box<[&str]> = Box::new(["message"]);
    let place = Place { fields: names, kind: Kind::LogCrate, ..place() };
    let callsite = Callsite::leak(place);
    let record = |pairs: &[(&str, &str)], context: &Arc<SpanContext>| {
        let mut fields = Fields::new();
        fields.push(Key::Index(0), text("said"));
        pairs.iter().for_each(|(name, value)| fields.push(Key::Name(name), Value::Str(value)));
        Record::new(callsite, moment(), fields).with_context(Arc::clone(context))
    };
    let own = [("trace_id", "kvT"), ("span_id", "kvS"), ("function", "kvF")];
    for context in [two_spans(), Arc::new(ids("trace", "span"))] {
        let around = json(&record(&[], &context));
        let mut encoder = JsonEncoder::new(JsonOptions::default());
        for pairs in [&own[..1], &[], &own, &[], &own[1..2], &[], &own[2..]] {
            let mut line = Vec::new();
            encoder.encode(&record(pairs, &context), &mut line);
            let json: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let given = |name| pairs.iter().find(|(own, _)| *own == name).map(|(_, it)| *it);
            let expected = |name| given(name).or_else(|| around.get(name)?.as_str());
            let is = |name: &str| json.get(name).and_then(|it| it.as_str());
            assert_eq!(is("function"), expected("function"), "{pairs:?}");
            match given("trace_id") {
                Some(trace) => {
                    assert_eq!((is("trace_id"), is("span_id")), (Some(trace), given("span_id")));
                }
                None => {
                    let ids = (is("trace_id"), is("span_id"));
                    assert_eq!(ids, (around["trace_id"].as_str(), around["span_id"].as_str()));
                    assert_eq!(is("field.span_id"), given("span_id"), "{pairs:?}");
                }
            }
        }
    }
}

#[test]
fn nested_spans_stand_from_root_to_leaf_each_with_its_name_and_fields() {
    let json = json(&record(&[("user", text("eve"))]).with_context(two_spans()));
    let expected = object!([
        {"name": "request", "path": "/buy", "user": "ann", "span_id": "root"},
        {"name": "charge", "user": "bob", "span_id": "leaf"},
    ]);
    assert_eq!(json["spans"].to_string(), expected.to_string());
    assert_eq!(json["user"], "eve");
    assert_eq!(json["span_id"], "leaf");
}

#[test]
fn a_span_field_called_name_does_not_hide_the_name() {
    let context = span("request", &[("name", text("ann")), ("level", text("9"))], None);
    let json = json(&record(&[]).with_context(Arc::new(context)));
    assert_eq!(json["spans"], object!([{"name": "request", "field.name": "ann", "level": "9"}]));
}

#[test]
fn flat_spans_lie_at_top_level_leaf_over_root_and_event_over_leaf() {
    let flat = options(|record| record.spans = Spans::Flat);
    let json = json_with(&flat, &record(&[("amount", Value::U64(5))]).with_context(two_spans()));
    assert_eq!(json.get("spans"), None);
    assert_eq!((&json["path"], &json["user"]), (&object!("/buy"), &object!("bob")));
    assert_eq!(json["amount"], 5);
    let event = record(&[("user", text("eve"))]).with_context(two_spans());
    assert_eq!(json_with(&flat, &event)["user"], "eve");
}

#[test]
fn a_flat_span_cannot_overwrite_a_reserved_key() {
    let flat = options(|record| record.spans = Spans::Flat);
    let hostile = [("level", text("forged")), ("seq", Value::U64(0)), ("message", text("forged"))];
    let context = Arc::new(span("request", &hostile, None));
    let json = json_with(&flat, &record(&[("message", text("true"))]).with_context(context));
    assert_eq!((&json["level"], &json["message"]), (&object!("INFO"), &object!("true")));
    assert_eq!(
        (&json["field.level"], &json["field.message"]),
        (&object!("forged"), &object!("forged"))
    );
    assert_eq!(json["field.seq"], 0);
}

#[test]
fn spans_can_be_left_out() {
    let off = options(|record| record.spans = Spans::Off);
    let json = json_with(&off, &record(&[]).with_context(two_spans()));
    assert_eq!((json.get("spans"), json.get("path")), (None, None));
    assert_eq!(json["span_id"], "leaf", "ids and function stay");
    assert_eq!(json["function"], "charge");
}

#[test]
fn of_too_many_spans_those_nearest_to_root_and_leaf_are_written_and_the_line_says_so() {
    const NAMES: [&str; 10] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];
    let mut context = None;
    for name in NAMES {
        context = Some(span(name, &[], context.as_ref()));
    }
    let few = JsonOptions { max_spans: 4, ..JsonOptions::default() };
    let json = json_with(&few, &record(&[]).with_context(Arc::new(context.unwrap())));
    let names: Vec<_> =
        json["spans"].as_array().unwrap().iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["s0", "s1", "s8", "s9"]);
    assert_eq!(json["truncated"], object!({"logwell.spans": 10}));
}

#[test]
fn what_a_logging_context_adds_stands_at_top_level_and_gives_way_to_spans_and_events() {
    let logs = testing::capture();
    let context = LoggingContext::new().trace_id("t").with("tenant", "acme").with("level", "9");
    context.in_scope(|| {
        tracing::info!("one");
        tracing::info!(tenant = "other", "two");
    });
    let json = logs.json();
    assert_eq!((&json[0]["tenant"], &json[0]["trace_id"]), (&object!("acme"), &object!("t")));
    assert_eq!((&json[0]["level"], &json[0]["field.level"]), (&object!("INFO"), &object!("9")));
    assert_eq!(json[1]["tenant"], "other");
}

// ---- values ---------------------------------------------------------------------------------

#[test]
fn numbers_and_truth_values_keep_their_type() {
    let json = json(&record(&[
        ("unsigned", Value::U64(u64::MAX)),
        ("signed", Value::I64(i64::MIN)),
        ("float", Value::F64(0.1)),
        ("whole", Value::F64(3.0)),
        ("tiny", Value::F64(5e-324)),
        ("huge", Value::F64(f64::MAX)),
        ("minus_zero", Value::F64(-0.0)),
        ("yes", Value::Bool(true)),
        ("no", Value::Bool(false)),
    ]));
    assert_eq!(json["unsigned"].as_u64(), Some(u64::MAX));
    assert_eq!(json["signed"].as_i64(), Some(i64::MIN));
    assert_eq!(json["float"].as_f64(), Some(0.1));
    assert!(json["whole"].is_f64(), "a float stays a float: {json}");
    assert_eq!(json["tiny"].as_f64(), Some(5e-324));
    assert_eq!(json["huge"].as_f64(), Some(f64::MAX));
    assert!(json["minus_zero"].as_f64().unwrap().is_sign_negative());
    assert_eq!((&json["yes"], &json["no"]), (&object!(true), &object!(false)));
}

#[test]
fn what_is_no_number_in_json_is_a_string() {
    let json = json(&record(&[
        ("nan", Value::F64(f64::NAN)),
        ("up", Value::F64(f64::INFINITY)),
        ("down", Value::F64(f64::NEG_INFINITY)),
    ]));
    assert_eq!(
        (&json["nan"], &json["up"], &json["down"]),
        (&object!("NaN"), &object!("Infinity"), &object!("-Infinity"))
    );
}

#[test]
fn integers_of_128_bits_are_numbers_as_far_as_64_bits_go() {
    let json = json(&record(&[
        ("fits", Value::U128(u128::from(u64::MAX))),
        ("over", Value::U128(u128::from(u64::MAX) + 1)),
        ("low", Value::I128(i128::from(i64::MIN))),
        ("below", Value::I128(i128::from(i64::MIN) - 1)),
        ("high", Value::I128(i128::from(u64::MAX))),
        ("above", Value::I128(i128::from(u64::MAX) + 1)),
    ]));
    assert_eq!(json["fits"].as_u64(), Some(u64::MAX));
    assert_eq!(json["over"], "18446744073709551616");
    assert_eq!(json["low"].as_i64(), Some(i64::MIN));
    assert_eq!(json["below"], "-9223372036854775809");
    assert_eq!(json["high"].as_u64(), Some(u64::MAX));
    assert_eq!(json["above"], "18446744073709551616");
}

#[test]
fn bytes_are_base64_under_a_key_that_says_so() {
    let json = json(&record(&[
        ("body", Value::Bytes(&[0, 255, 10, 13])),
        ("empty", Value::Bytes(&[])),
        ("level", Value::Bytes(b"x")),
    ]));
    assert_eq!(json["body_b64"], "AP8KDQ==");
    assert_eq!(json["empty_b64"], "");
    assert_eq!(json["level_b64"], "eA==");
    assert_eq!((json.get("body"), &json["level"]), (None, &object!("INFO")));
}

#[test]
fn a_raw_identifier_is_written_without_its_prefix() {
    let logs = testing::capture();
    let around = tracing::info_span!("request", r#match = 1);
    around.in_scope(|| tracing::info!(r#type = "card", "paid"));
    let json = &logs.json()[0];
    assert_eq!(json["type"], "card");
    assert_eq!(json["spans"][0]["match"], 1);
    assert_eq!(json.get("r#type"), None);
}

#[test]
fn a_field_of_a_reserved_name_moves_aside_and_the_key_stays_true() {
    const RESERVED: [&str; 11] = [
        "timestamp",
        "level",
        "logger",
        "module",
        "file",
        "line",
        "thread",
        "process",
        "seq",
        "spans",
        "truncated",
    ];
    for name in RESERVED {
        let json = json(&record(&[(name, text("forged"))]).with_context(two_spans()));
        assert_eq!(json[&format!("field.{name}")], "forged");
        assert_ne!(json.get(name), Some(&object!("forged")), "{json}");
    }
}

#[test]
fn of_two_fields_of_one_name_the_last_wins() {
    let fields = [("a", Value::U64(1)), ("b", Value::U64(2)), ("a", text("last"))];
    assert_eq!(json(&record(&fields))["a"], "last");
    let aside = [("level", Value::U64(1)), ("field.level", Value::U64(2))];
    assert_eq!(json(&record(&aside))["field.level"], 2);
    let aside = [("field.level", Value::U64(2)), ("level", Value::U64(1))];
    assert_eq!(json(&record(&aside))["field.level"], 1);
    let encoded = [("a_b64", text("x")), ("a", Value::Bytes(&[0]))];
    assert_eq!(json(&record(&encoded))["a_b64"], "AA==");
}

#[test]
fn one_index_recorded_twice_makes_one_key() {
    let callsite = Callsite::leak(Place { fields: Box::new(["a"]), ..place() });
    let mut fields = Fields::new();
    fields.push(Key::Index(0), Value::U64(1));
    fields.push(Key::Index(0), Value::U64(2));
    assert_eq!(json(&Record::new(callsite, moment(), fields))["a"], 2);
}

#[test]
fn an_error_is_its_text_and_the_texts_of_its_sources() {
    let json = json(&error_fields(&Chain::of(&["cannot save", "disk full", "quota"])));
    assert_eq!(json["error"], "cannot save");
    assert_eq!(json["error_chain"], object!(["disk full", "quota"]));
    let alone = self::json(&error_fields(&Chain::of(&["cannot save"])));
    assert_eq!((&alone["error"], alone.get("error_chain")), (&object!("cannot save"), None));
}

// ---- hostile characters ---------------------------------------------------------------------

#[test]
fn no_character_that_deceives_stands_raw_anywhere_in_the_line() {
    let hostile: String =
        (0..=0x0001_0fff).filter_map(char::from_u32).filter(|&c| json_lines::deceives(c)).collect();
    assert_eq!(hostile.chars().count(), 32 + 33 + 1 + 2 + 7 + 4);
    let hostile: &'static str = hostile.leak();
    let context = span(hostile, &[(hostile, text(hostile))], Some(&ids(hostile, hostile)));
    let place = Place { target: hostile, module: Some(hostile), file: Some(hostile), ..place() };
    let values = [("message", text(hostile)), (hostile, text(hostile))];
    let record = record_at(place, &values).with_context(Arc::new(context)).with_thread(hostile);
    let json = json(&record); // which refuses such characters
    for key in ["message", "logger", "module", "file", "function", "thread", "trace_id"] {
        assert_eq!(json[key], hostile, "{key}");
    }
    assert_eq!(json[hostile], hostile);
    assert_eq!(json["spans"][0]["name"], hostile);
    assert_eq!(json["spans"][0][hostile], hostile);
}

#[test]
fn control_characters_are_written_as_json_escapes_of_four_digits() {
    let values = [("message", text("\0\u{1b}[31m\u{7f}\u{9b}\u{2028}\u{202e}\u{2066}\n\t\"\\é"))];
    let line = String::from_utf8(line_with(&JsonOptions::default(), &record(&values))).unwrap();
    let expected = r#""message":"\u0000\u001b[31m\u007f\u009b\u2028\u202e\u2066\n\t\"\\é""#;
    assert!(line.contains(expected), "{line}");
}

// ---- truncation -----------------------------------------------------------------------------

#[test]
fn a_cut_value_ends_in_an_ellipsis_and_the_record_says_how_long_it_was() {
    let mut fields = Fields::new();
    fields.push_cut(Key::Index(0), text("größe"), 3); // `ö` is two bytes: the third is inside
    fields.push_cut(Key::Index(1), text("abc"), 3);
    fields.push_cut(Key::Index(2), Value::Bytes(&[1, 2, 3, 4]), 3);
    let callsite = Callsite::leak(Place { fields: Box::new(["a", "b", "c"]), ..place() });
    let json = json(&Record::new(callsite, moment(), fields));
    assert_eq!(
        (&json["a"], &json["b"], &json["c_b64"]),
        (&object!("gr…"), &object!("abc"), &object!("AQID"))
    );
    assert_eq!(json["truncated"], object!({"a": 7, "c_b64": 4}));
}

#[test]
fn a_cut_value_is_told_by_the_key_it_stands_under() {
    const NAME: &str = "a\"b\\c\u{7f}";
    let mut fields = Fields::new();
    fields.push_cut(Key::Index(0), text("abcdef"), 3);
    let callsite = Callsite::leak(Place { fields: Box::new([NAME]), ..place() });
    let json = json(&Record::new(callsite, moment(), fields));
    assert_eq!(json[NAME], "abc…");
    assert_eq!(json["truncated"], object!({NAME: 6}));
}

#[test]
fn a_trace_id_that_was_cut_is_told_like_any_other_value() {
    let mut fields = Fields::new();
    fields.push_cut(Key::Index(0), text("abcdef"), 3);
    let callsite = Callsite::leak(Place { fields: Box::new(["trace_id"]), ..place() });
    let json = json(&Record::new(callsite, moment(), fields));
    assert_eq!(json["trace_id"], "abc…");
    assert_eq!(json["truncated"], object!({"trace_id": 6}));
}

#[test]
fn an_error_cut_in_its_sources_keeps_its_own_text_unmarked() {
    let mut config = LoggingConfig::builder().files(false).console(false).build().unwrap();
    config.limits.field_bytes = 64;
    let logs = testing::capture_with(config);
    let long: &'static str = "x".repeat(100).leak();
    let error = Chain::of(&["cannot save", long]);
    tracing::error!(error = &error as &dyn std::error::Error, "failed");
    let json = &logs.json()[0];
    assert_eq!(json["error"], "cannot save");
    let source = json["error_chain"][0].as_str().unwrap();
    assert!(source.starts_with("xxxx") && source.ends_with('…'), "{json}");
    assert!(!keys(&json["truncated"]).is_empty(), "{json}");
}

#[test]
fn fields_beyond_the_limit_are_counted_in_the_record() {
    let mut config = LoggingConfig::builder().files(false).console(false).build().unwrap();
    config.limits.fields = 2;
    let logs = testing::capture_with(config);
    tracing::info!(a = 1, b = 2, c = 3, "hello");
    assert_eq!(logs.json()[0]["truncated"], object!({"logwell.fields": 2}));
}

// ---- the longest line -----------------------------------------------------------------------

/// Checks that a line is valid and fits, whichever limit is set.
fn check_fits(record: &Record) {
    for max_line_bytes in [1_024, 4_096, 16_000, 16_384, 1 << 16] {
        for spans in [Spans::Nested, Spans::Flat, Spans::Off] {
            let options = JsonOptions { max_line_bytes, ..options(|record| record.spans = spans) };
            let line = line_with(&options, record);
            assert!(line.len() <= max_line_bytes, "{} > {max_line_bytes}", line.len());
            let json = strict(&line);
            assert_eq!(json["seq"], record.seq());
        }
    }
}

fn leaked(text: &str, times: usize) -> &'static str {
    text.repeat(times).leak()
}

#[test]
fn a_long_message_is_cut_to_fit_and_the_small_fields_survive() {
    let options = JsonOptions { max_line_bytes: 4_096, ..JsonOptions::default() };
    let check = |message: &'static str| {
        let record = record(&[("message", text(message)), ("id", Value::U64(7))]);
        let line = line_with(&options, &record);
        assert!(line.len() <= 4_096);
        let json = strict(&line);
        let kept = json["message"].as_str().unwrap();
        assert!(kept.ends_with('…') && message.starts_with(kept.trim_end_matches('…')));
        assert!(kept.len() > 100, "much of the message is kept: {}", kept.len());
        assert_eq!(json["truncated"]["message"], message.len() as u64);
        assert_eq!(json["id"], 7);
    };
    check(leaked("x", 10_000_000));
    check(leaked("\u{1}", 10_000_000));
    for character in ["x", "é", "\u{1}", "\"", "\u{202e}", "🦀"] {
        let message = leaked(character, 100_000 / character.len());
        check(message);
        check_fits(&record(&[("message", text(message))]));
    }
}

#[test]
fn two_hundred_and_fifty_fields_of_any_text_fit() {
    let names: Vec<&'static str> = (0..250).map(|n| &*format!("field_{n}").leak()).collect();
    for value in [leaked("\u{1}", 1_000), leaked("\u{9b}", 1_000), "x", ""] {
        let values: Vec<_> = names.iter().map(|name| (*name, text(value))).collect();
        check_fits(&record(&values).with_context(two_spans()));
    }
    let long: Vec<&'static str> =
        (0..250).map(|n| &*format!("{n}{}", "n".repeat(300)).leak()).collect();
    let values: Vec<_> = long.iter().map(|name| (*name, Value::U64(1))).collect();
    check_fits(&record(&values));
}

#[test]
fn sixty_four_spans_of_any_text_fit() {
    let hostile = leaked("\u{1}", 200);
    let mut context = None;
    for _ in 0..64 {
        context =
            Some(span("charge", &[("a", text(hostile)), ("b", text(hostile))], context.as_ref()));
    }
    check_fits(&record(&[("message", text("hello"))]).with_context(Arc::new(context.unwrap())));
}

#[test]
fn long_places_of_the_log_crate_fit() {
    let hostile = leaked("\u{1}", 20_000);
    let values = [
        ("message", text(hostile)),
        ("log.target", text(hostile)),
        ("log.module_path", text(hostile)),
        ("log.file", text(hostile)),
        ("log.line", Value::U64(7)),
    ];
    let log = Place { kind: Kind::LogCrate, ..place() };
    let context = Arc::new(ids(hostile, hostile));
    check_fits(&record_at(log, &values).with_context(context).with_thread(hostile));
}

#[test]
fn long_names_given_in_the_source_fit_too() {
    let long = leaked("\u{1}", 5_000);
    let place = Place { target: long, module: Some(long), file: Some(long), ..place() };
    let context = span(long, &[(long, text(long))], Some(&ids(long, long)));
    let values = [("message", text(long)), ("function", text(long)), (long, text(long))];
    check_fits(&record_at(place, &values).with_context(Arc::new(context)).with_thread(long));
}

#[test]
fn a_line_without_room_for_its_fields_says_how_many_are_missing() {
    let names: Vec<&'static str> =
        (0..250).map(|n| &*format!("f{n}{}", "n".repeat(30)).leak()).collect();
    let mut values = vec![("message", text("hello"))];
    values.extend(names.iter().map(|name| (*name, Value::U64(1))));
    let options = JsonOptions { max_line_bytes: 4_096, ..JsonOptions::default() };
    let json = json_with(&options, &record(&values));
    assert_eq!(json["message"], "hello");
    assert_eq!(json["truncated"], object!({"logwell.fields": 250}));
}

// ---- the framework's own records ------------------------------------------------------------

/// What a pipeline of which two records were dropped says about itself.
fn own_records() -> Vec<serde_json::Value> {
    let memory = MemorySink::new();
    let mut config = LoggingConfig::builder().files(false).console(false).build().unwrap();
    config.shutdown_timeout = Duration::from_secs(120);
    config.queue.size = 2;
    config.queue.when_full = logwell::config::WhenFull::Drop;
    let (layer, handle, mut listener) = QueueLayer::builder()
        .config(config)
        .sink("memory", Accepts::all(), memory.clone())
        .build_stepped()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..3).for_each(|number| tracing::info!(number, "hello"));
        logwell::critical!("gone");
    });
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| handle.shutdown());
        while listener.step() != testing::Step::Stopped {
            std::thread::yield_now();
        }
        let report = shutdown.join().unwrap();
        assert_eq!((report.captured(), report.dropped()), (4, 2));
    });
    memory.json().into_iter().filter(|json| json["logger"] == "logwell").collect()
}

#[test]
fn the_loss_record_counts_by_level_and_reason() {
    let own = own_records();
    let dropped = &own[0];
    assert_eq!(dropped["kind"], "logwell.dropped");
    assert_eq!((&dropped["level"], &dropped["thread"]), (&object!("WARN"), &object!("logwell")));
    assert_eq!(dropped["dropped"], 2);
    assert_eq!(dropped["dropped.INFO.full"], 1);
    assert_eq!(dropped["dropped.CRITICAL.full"], 1);
}

#[test]
fn the_receipt_says_what_became_of_all_records() {
    let own = own_records();
    let stopped = own.last().unwrap();
    assert_eq!(stopped["kind"], "logwell.stopped");
    assert_eq!((&stopped["received"], &stopped["dropped"]), (&object!(2), &object!(2)));
    assert_eq!(
        (&stopped["memory.written"], &stopped["memory.dropped"]),
        (&object!(3), &object!(0))
    );
    assert_eq!(stopped["seq"], 4, "two records, the loss, and this one");
}

#[test]
fn the_first_record_of_a_start_names_version_configuration_and_boot() {
    let memory = MemorySink::new();
    let started = |level: &str| {
        let config = LoggingConfig::builder().files(false).console(false).log_level(level);
        let config = config.shutdown_timeout(Duration::from_secs(120));
        let (_layer, handle) = QueueLayer::builder()
            .config(config.build().unwrap())
            .sink("memory", Accepts::all(), memory.clone())
            .build()
            .unwrap();
        handle.shutdown();
        let all = memory.json();
        let _ = memory.take();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0]["boot_id"], all[1]["boot_id"], "the receipt names its start");
        all[0].clone()
    };
    let (one, same, other) = (started("info"), started("info"), started("debug"));
    assert_eq!((&one["kind"], &one["seq"]), (&object!("logwell.started"), &object!(1)));
    assert_eq!(one["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(one["config"], same["config"], "equal configurations have one fingerprint");
    assert_ne!(one["config"], other["config"]);
    assert_ne!(one["boot_id"], same["boot_id"], "no two starts are one");
}

// ---- golden files ---------------------------------------------------------------------------

/// Checks the lines of the specimens.
fn check_golden(name: &str, options: &JsonOptions) {
    let mut lines = Vec::new();
    let mut encoder = JsonEncoder::new(options.clone());
    for record in specimens() {
        encoder.encode(&record, &mut lines);
    }
    compare_golden(name, &with_fixed_pid(&lines));
}

/// The lines as if the process had always the same id.
fn with_fixed_pid(lines: &[u8]) -> String {
    let own_pid = format!("\"process\":{},", std::process::id());
    std::str::from_utf8(lines).unwrap().replace(&own_pid, "\"process\":4242,")
}

#[test]
fn the_golden_lines_of_the_default_options_are_unchanged() {
    check_golden("default", &JsonOptions::default());
}

#[test]
fn the_golden_lines_with_flat_spans_are_unchanged() {
    check_golden("flat", &options(|record| record.spans = Spans::Flat));
}

#[test]
fn the_golden_lines_without_spans_and_files_and_with_warning_are_unchanged() {
    let python = options(|record| {
        record.spans = Spans::Off;
        record.file = false;
        record.warning_name = WarnName::Warning;
    });
    check_golden("off_warning", &python);
}

#[test]
fn the_golden_lines_of_the_frameworks_own_records_are_unchanged() {
    let mut lines = String::new();
    for mut json in own_records() {
        for time in ["timestamp", "first", "last"] {
            if let Some(time) = json.get_mut(time) {
                let text = time.as_str().unwrap();
                assert!(text.len() == 32 && text.ends_with("+00:00"), "{text}");
                *time = "2026-02-19T10:30:00.123456+00:00".into();
            }
        }
        if json.get("boot_id").is_some() {
            json["boot_id"] = "0123456789abcdef".into();
        }
        if let Some(elapsed) = json.get_mut("elapsed_ms") {
            assert!(elapsed.is_u64());
            *elapsed = 7.into();
        }
        lines.push_str(&format!("{json}\n"));
    }
    compare_golden("own", &with_fixed_pid(lines.as_bytes()));
}

#[test]
fn what_was_in_the_buffer_before_stays() {
    let mut out = b"before\n".to_vec();
    let options = JsonOptions { max_line_bytes: 1_024, ..JsonOptions::default() };
    let long = record(&[("message", text(leaked("x", 5_000)))]);
    JsonEncoder::new(options).encode(&long, &mut out);
    let line = out.strip_prefix(b"before\n").unwrap();
    assert!(line.len() <= 1_024);
    strict(line);
}
