//! What of a record people receive, and that it comes back as it was written.

use super::super::alert::tests::alert;
use super::*;
use crate::record::callsite::{Callsite, Place};
use crate::record::fields::Fields;
use crate::record::span::Id;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The entry as a JSON value.
pub(in super::super) fn json_of(alert: &Alert) -> Json {
    let Alert { hash, unix_ms, level, is_failure, place, message, fields, trace_id } = alert;
    let fields: Vec<_> = fields.iter().flat_map(|(name, value)| [name, value]).collect();
    json!({
        "v": VERSION, "ms": unix_ms, "level": level.as_str(), "failure": is_failure, "hash": hash,
        "message": message, "place": place, "fields": fields, "trace": trace_id,
    })
}

fn callsite(fields: &[&'static str]) -> &'static Callsite {
    Callsite::leak(Place {
        level: Level::Error,
        target: "billing::orders",
        name: "event",
        module: Some("billing"),
        file: Some("src/orders.rs"),
        line: Some(42),
        fields: fields.into(),
        kind: Kind::Plain,
    })
}

fn record(fields: Fields) -> Record {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_771_497_000_123);
    Record::new(callsite(&["message", "function"]), time, fields)
}

fn written(record: &Record, level: ForwardLevel) -> Alert {
    let mut out = b"before".to_vec();
    write(&Notice { record, level, hash: "9f2c" }, &mut out);
    read(out.strip_prefix(b"before").unwrap()).unwrap()
}

#[test]
fn what_is_written_of_a_record_is_read_back() {
    let mut fields = Fields::new();
    fields.push(Key::Index(0), Value::Str("order 17 failed\n\u{202e}\"quoted\""));
    fields.push(Key::Name("order_id"), Value::U64(17));
    fields.push(Key::Name("logwell.critical"), Value::Bool(true));
    fields.push(Key::Name("r#type"), Value::F64(f64::NAN));
    let mut extras = Fields::new();
    extras.push(Key::Name("tenant"), Value::Str("acme"));
    extras.push(Key::Name("order_id"), Value::U64(1));
    let mut span = Fields::new();
    span.push(Key::Name("path"), Value::Str("/pay"));
    let mut context = SpanContext::of_new_span(callsite(&[]), span, None);
    context.trace_id = Id::Trace(0xabc);
    context.extras = Some(Arc::new(extras));
    let record = record(fields).with_context(Arc::new(context));

    let fields = [("order_id", "17"), ("type", "NaN"), ("tenant", "acme"), ("path", "/pay")];
    let expected = Alert {
        hash: "9f2c".to_owned(),
        place: ["billing::orders", "event", "src/orders.rs:42"].map(str::to_owned).to_vec(),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        trace_id: format!("{:032x}", 0xabc),
        ..alert("order 17 failed\n\u{202e}\"quoted\"")
    };
    assert_eq!(written(&record, ForwardLevel::ErrorCtg), expected);
    assert!(!written(&record, ForwardLevel::InfoCtg).is_failure);
    assert_eq!(read(json_of(&expected).to_string().as_bytes()), Some(expected));
}

#[test]
fn the_function_of_a_field_is_its_place_and_no_field() {
    let mut fields = Fields::new();
    fields.push(Key::Index(1), Value::Str("charge"));
    let alert = written(&record(fields), ForwardLevel::Error);
    assert_eq!(alert.place, ["billing::orders", "charge", "src/orders.rs:42"]);
    assert_eq!((alert.message.as_str(), alert.fields.len()), ("", 0));
}

#[test]
fn an_error_is_told_with_its_sources() {
    let mut fields = Fields::new();
    let mut error = fields.error(Key::Name("error"), 1_000);
    for text in ["cannot save", "disk full"] {
        error.text(
            |out| {
                let _ = std::fmt::Write::write_str(out, text);
                Ok(())
            },
            crate::record::fields::as_it_is,
        );
    }
    error.finish();
    let alert = written(&record(fields), ForwardLevel::Error);
    let expected = ("error".to_owned(), "cannot save, caused by: disk full".to_owned());
    assert_eq!(alert.fields, [expected]);
}

#[test]
fn an_entry_is_not_longer_than_what_can_be_shown() {
    let mut fields = Fields::new();
    let long = "🦀".repeat(100_000);
    fields.push(Key::Index(0), Value::Str(&long));
    for n in 0..100 {
        fields.push(Key::Name(&format!("{n}{long}")), Value::Str(&long));
    }
    let record = record(fields);
    let mut out = Vec::new();
    write(&Notice { record: &record, level: ForwardLevel::Error, hash: "9f2c" }, &mut out);
    assert!(out.len() < 64 * 1024, "{} bytes", out.len());
    let alert = read(&out).unwrap();
    assert!(alert.message.ends_with("🦀…") && alert.fields.len() == MAX_FIELDS);
}

proptest! {
    #[test]
    fn any_texts_come_back(message in any::<String>(), name in any::<String>(), value in any::<String>()) {
        let mut fields = Fields::new();
        fields.push(Key::Index(0), Value::Str(&message));
        fields.push(Key::Name(&name), Value::Str(&value));
        let alert = written(&record(fields), ForwardLevel::Error);
        prop_assert_eq!(alert.message, message);
        if is_shown(Kind::Plain, &name) && !name.starts_with("logwell.") && !name.starts_with("r#") {
            prop_assert_eq!(alert.fields, [(name, value)]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = read(&bytes);
    }
}
