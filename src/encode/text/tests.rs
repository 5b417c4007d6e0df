//! Golden lines, and the promise that a record is one line whatever it holds.

use super::*;
use crate::encode::escape::must_escape;
use crate::encode::terminal_safe::{RESET, level_style};
use crate::record::callsite::{Callsite, Place};
use crate::record::fields::Fields;
use crate::record::level::Level;
use crate::record::span::Id;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const FIELDS: [&str; 3] = ["message", "logwell.critical", "r#type"];

fn callsite(level: Level, kind: Kind) -> &'static Callsite {
    Callsite::leak(Place {
        level,
        target: "app::api",
        name: "request",
        module: Some("app::api"),
        file: Some("src/api.rs"),
        line: Some(7),
        fields: Box::new(FIELDS),
        kind,
    })
}

fn fields(entries: &[(&str, Value<'_>)]) -> Fields {
    let mut fields = Fields::new();
    for &(name, value) in entries {
        let index = FIELDS.iter().position(|known| *known == name);
        fields.push(index.map_or(Key::Name(name), |at| Key::Index(at as u8)), value);
    }
    fields
}

fn record(level: Level, entries: &[(&str, Value<'_>)]) -> Record {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_771_497_000_123);
    Record::new(callsite(level, Kind::Plain), time, fields(entries)).with_thread("main")
}

fn line(record: &Record, color: bool) -> String {
    let mut encoder = TextEncoder::new(TextOptions { color, zone: TimeZone::Utc });
    let mut out = Vec::new();
    encoder.encode(record, &mut out);
    String::from_utf8(out).unwrap()
}

/// The line of `record` must be `expected`, behind moment, level and target.
fn check(record: &Record, expected: &str) {
    let start = "2026-02-19 10:30:00.123Z INFO     app::api:";
    assert_eq!(line(record, false), format!("{start}{expected}\n"));
}

/// The line of a record with a message `m` and one field `k` must show the value as `expected`.
fn check_value(value: Value<'_>, expected: &str) {
    check(
        &record(Level::Info, &[("message", Value::Str("m")), ("k", value)]),
        &format!(" m  k={expected}"),
    );
}

fn context(span: Option<Arc<SpanData>>, extras: Option<Fields>, trace_id: Id) -> Arc<SpanContext> {
    let span_id = Id::Span(1);
    Arc::new(SpanContext {
        span,
        extras: extras.map(Arc::new),
        trace_id,
        span_id,
        carried: Default::default(),
        changes: Arc::default(),
    })
}

#[test]
fn levels_are_aligned() {
    let lines: Vec<_> = Level::ALL
        .map(|level| line(&record(level, &[("message", Value::Str("up"))]), false))
        .into_iter()
        .collect();
    assert_eq!(
        lines.concat(),
        "2026-02-19 10:30:00.123Z TRACE    app::api: up\n\
         2026-02-19 10:30:00.123Z DEBUG    app::api: up\n\
         2026-02-19 10:30:00.123Z INFO     app::api: up\n\
         2026-02-19 10:30:00.123Z WARN     app::api: up\n\
         2026-02-19 10:30:00.123Z ERROR    app::api: up\n\
         2026-02-19 10:30:00.123Z CRITICAL app::api: up\n"
    );
}

#[test]
fn each_level_has_its_colour_and_the_frame_is_dim() {
    let sgr = ["2;35", "34", "32", "33", "31", "1;7;31"];
    for (level, sgr) in Level::ALL.into_iter().zip(sgr) {
        let record = record(level, &[("message", Value::Str("up")), ("n", Value::U64(1))]);
        let pad = " ".repeat(9 - level.as_str().len());
        assert_eq!(
            line(&record, true),
            format!(
                "\x1b[2m2026-02-19 10:30:00.123Z\x1b[0m \x1b[{sgr}m{level}\x1b[0m{pad}\
                 \x1b[2mapp::api:\x1b[0m up  \x1b[2mn=\x1b[0m1\n"
            )
        );
    }
}

#[test]
fn values_show_their_type_as_far_as_a_reader_needs_it() {
    check_value(Value::U64(u64::MAX), "18446744073709551615");
    check_value(Value::I64(i64::MIN), "-9223372036854775808");
    check_value(Value::U128(u128::MAX), "340282366920938463463374607431768211455");
    check_value(Value::I128(i128::MIN), "-170141183460469231731687303715884105728");
    check_value(Value::F64(1.5), "1.5");
    check_value(Value::F64(f64::NAN), "NaN");
    check_value(Value::F64(f64::INFINITY), "Infinity");
    check_value(Value::F64(f64::NEG_INFINITY), "-Infinity");
    check_value(Value::Bool(true), "true");
    check_value(Value::Bool(false), "false");
    check_value(Value::Str("plain/text:1,2"), "plain/text:1,2");
    check_value(Value::Str("größe→"), "größe→");
    check_value(Value::Str(""), "\"\"");
    check_value(Value::Str("two words"), "\"two words\"");
    check_value(Value::Str("a=b"), "\"a=b\"");
    check_value(Value::Str(r#"say "hi" \o/"#), r#""say \"hi\" \\o/""#);
    check_value(Value::Bytes(&[]), "0x");
    check_value(Value::Bytes(&[0, 0xff]), "0x00ff");
    check_value(Value::Bytes(&[7; 32]), &format!("0x{}", "07".repeat(32)));
    check_value(Value::Bytes(&[7; 33]), &format!("0x{}… (33 bytes)", "07".repeat(32)));
}

#[test]
fn a_record_without_a_message_begins_with_its_fields() {
    check(&record(Level::Info, &[]), "");
    check(&record(Level::Info, &[("n", Value::U64(1))]), "  n=1");
    check(&record(Level::Info, &[("message", Value::Str(""))]), "");
    check(&record(Level::Info, &[("message", Value::U64(404))]), " 404");
}

#[test]
fn the_message_comes_first_and_markers_not_at_all() {
    let entries = [
        ("r#type", Value::Str("order")),
        ("logwell.critical", Value::Bool(true)),
        ("message", Value::Str("taken: C:\\new \"x\"")),
        ("id", Value::U64(7)),
    ];
    check(&record(Level::Info, &entries), " taken: C:\\new \"x\"  type=order id=7");
}

#[test]
fn cut_values_say_how_long_they_were() {
    let mut cut = Fields::new();
    cut.push_cut(Key::Index(0), Value::Str("a long message"), 6);
    cut.push_cut(Key::Name("text"), Value::Str("abcdef"), 3);
    cut.push_cut(Key::Name("raw"), Value::Bytes(&[1, 2, 3]), 2);
    let mut error = cut.error(Key::Name("error"), 4);
    error.text(
        |out| std::fmt::Write::write_str(out, "broken").map_err(|_| ""),
        crate::record::fields::as_it_is,
    );
    error.finish();
    let mut record = record(Level::Info, &[]);
    record.fields = cut;
    record.fields_left_out = 2;
    check(
        &record,
        " a long… (14 bytes)  text=\"abc…\" (6 bytes) raw=0x0102… (3 bytes) \
         error=\"brok\"… (6 bytes) (2 more fields)",
    );
}

#[test]
fn an_error_is_followed_by_its_sources_on_the_same_line() {
    let mut record = record(Level::Info, &[("message", Value::Str("saving"))]);
    let mut error = record.fields.error(Key::Name("error"), 1000);
    for text in ["cannot save\nit", "disk full", "quota \"x\""] {
        error.text(
            |out| std::fmt::Write::write_str(out, text).map_err(|_| ""),
            crate::record::fields::as_it_is,
        );
    }
    error.finish();
    record.fields.push(Key::Name("try"), Value::U64(3));
    check(
        &record,
        " saving  error=\"cannot save\\nit\" caused by: \"disk full\" \
         caused by: \"quota \\\"x\\\"\" try=3",
    );
}

#[test]
fn spans_go_from_root_to_leaf_with_their_fields() {
    let site = callsite(Level::Info, Kind::Plain);
    let root_fields = fields(&[
        ("path", Value::Str("/a b")),
        ("logwell.ai", Value::Bool(true)),
        ("n", Value::U64(1)),
    ]);
    let root = Arc::new(SpanData::new(site, root_fields, None));
    let leaf = Arc::new(SpanData::new(site, fields(&[]), Some(root)));
    let record = record(Level::Info, &[("message", Value::Str("m")), ("n", Value::U64(2))])
        .with_context(context(Some(leaf), None, Id::Trace(0xab)));
    check(
        &record,
        " m  n=2  request{path=\"/a b\" n=1}:request trace=000000000000000000000000000000ab",
    );
    let colored = line(&record, true);
    let place = "request{path=\"/a b\" n=1}:request trace=000000000000000000000000000000ab";
    assert!(colored.ends_with(&format!("  \x1b[2m{place}\x1b[0m\n")), "{colored:?}");
}

#[test]
fn of_very_many_spans_the_innermost_are_shown() {
    let site = callsite(Level::Info, Kind::Plain);
    let mut leaf = None;
    for _ in 0..100 {
        leaf = Some(Arc::new(SpanData::new(site, Fields::new(), leaf)));
    }
    let record = record(Level::Info, &[]).with_context(context(leaf, None, Id::from("t")));
    let spans = ["request"; MAX_SPANS].join(":");
    check(&record, &format!("  …:{spans} trace=t"));
}

#[test]
fn pairs_of_a_logging_context_follow_the_fields_unless_hidden_by_inner_ones() {
    let extras = fields(&[
        ("tenant", Value::Str("outer")),
        ("job", Value::Str("index all")),
        ("tenant", Value::Str("inner")),
        ("n", Value::U64(1)),
    ]);
    let record = record(Level::Info, &[("message", Value::Str("m")), ("n", Value::U64(2))])
        .with_context(context(None, Some(extras), Id::from("my trace")));
    check(&record, " m  n=2 job=\"index all\" tenant=inner  trace=\"my trace\"");
}

#[test]
fn a_record_of_the_log_crate_shows_its_own_target_and_not_the_fields_that_carry_it() {
    let entries = fields(&[
        ("message", Value::Str("connected")),
        ("log.target", Value::Str("hyper\x1b")),
        ("log.module_path", Value::Str("hyper::conn")),
        ("log.file", Value::Str("conn.rs")),
        ("log.line", Value::U64(3)),
        ("log.other", Value::U64(4)),
    ]);
    let site = callsite(Level::Info, Kind::LogCrate);
    let record = Record::new(site, SystemTime::UNIX_EPOCH, entries);
    assert_eq!(
        line(&record, false),
        "1970-01-01 00:00:00.000Z INFO     hyper\\u{1b}: connected  log.other=4\n"
    );
}

#[test]
fn nothing_in_a_record_breaks_the_line_or_reaches_the_terminal() {
    let evil = "a\r\nb\tc\x1b[2Jd\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{2066}\u{61c}\0";
    let shown =
        "a\\r\\nb\\tc\\u{1b}[2Jd\\u{7f}\\u{85}\\u{9b}\\u{2028}\\u{202e}\\u{2066}\\u{61c}\\u{0}";
    let record = record(Level::Info, &[("message", Value::Str(evil)), (evil, Value::Str(evil))])
        .with_context(context(None, None, Id::from(evil)));
    check(&record, &format!(" {shown}  \"{shown}\"=\"{shown}\"  trace=\"{shown}\""));
}

/// Texts that hold what must not come through more often than chance would have it.
fn texts() -> impl Strategy<Value = String> {
    let evil = prop::sample::select(
        ['\n', '\r', '\x1b', '\u{9b}', '\u{2028}', '\u{202e}', '"', '\\', '=', ' '].as_slice(),
    );
    prop::collection::vec(prop_oneof![any::<char>(), evil, Just('m')], 0..12)
        .prop_map(String::from_iter)
}

#[derive(Debug, Clone)]
enum Owned {
    U64(u64),
    I128(i128),
    F64(f64),
    Str(String, usize),
    Bytes(Vec<u8>, usize),
    Error(Vec<String>, usize),
}

fn values() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<u64>().prop_map(Owned::U64),
        any::<i128>().prop_map(Owned::I128),
        any::<f64>().prop_map(Owned::F64),
        (texts(), 0..20_usize).prop_map(|(text, limit)| Owned::Str(text, limit)),
        (any::<Vec<u8>>(), 0..200_usize).prop_map(|(bytes, limit)| Owned::Bytes(bytes, limit)),
        (prop::collection::vec(texts(), 0..3), 0..30_usize)
            .prop_map(|(texts, limit)| Owned::Error(texts, limit)),
    ]
}

fn pushed(entries: &[(String, Owned)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in entries {
        let key = match name.len() {
            0 => Key::Index(0),
            _ => Key::Name(name),
        };
        match value {
            Owned::U64(v) => fields.push(key, Value::U64(*v)),
            Owned::I128(v) => fields.push(key, Value::I128(*v)),
            Owned::F64(v) => fields.push(key, Value::F64(*v)),
            Owned::Str(v, limit) => fields.push_cut(key, Value::Str(v), *limit),
            Owned::Bytes(v, limit) => fields.push_cut(key, Value::Bytes(v), *limit),
            Owned::Error(texts, limit) => {
                let mut error = fields.error(key, *limit);
                for text in texts {
                    error.text(
                        |out| std::fmt::Write::write_str(out, text).map_err(|_| ""),
                        crate::record::fields::as_it_is,
                    );
                }
                error.finish();
            }
        }
    }
    fields
}

/// The text without our own colours.
fn uncolored(line: &str) -> String {
    let styles = Level::ALL.map(level_style).into_iter().chain([DIM, RESET]);
    styles.fold(line.to_owned(), |line, style| line.replace(style, ""))
}

proptest! {
    #[test]
    fn any_record_is_exactly_one_line_without_control_characters(
        entries in prop::collection::vec((texts(), values()), 0..6),
        extras in prop::collection::vec((texts(), values()), 0..3),
        trace_id in texts(),
    ) {
        let site = callsite(Level::Error, Kind::Plain);
        let span = Arc::new(SpanData::new(site, pushed(&extras), None));
        let record = Record::new(site, SystemTime::UNIX_EPOCH, pushed(&entries))
            .with_context(context(Some(span), Some(pushed(&extras)), Id::from(&*trace_id)));
        let plain = line(&record, false);
        let body = plain.strip_suffix('\n').unwrap();
        prop_assert!(!body.contains(must_escape), "{body:?}");
        prop_assert_eq!(uncolored(&line(&record, true)), plain);
    }
}
