//! Limits: what is too long, too deep or too many is cut, and says so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use logwell::config::Limits;
use logwell::testing::{self, CapturedLogs};
use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use support::quiet;
use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, error, info, info_span};

/// Captures with those limits.
fn capture_within(change: impl FnOnce(&mut Limits)) -> CapturedLogs {
    let mut config = quiet("trace");
    change(&mut config.limits);
    testing::capture_with(config)
}

#[test]
fn ten_megabytes_of_message_are_cut_and_say_how_long_they_were() {
    let logs = testing::capture();
    let long = "ä".repeat(5 * 1024 * 1024);
    info!(n = 1, "{long}");
    info!(%long, "as a field");
    info!(long, "as a text");
    let records = logs.json();
    let message = records[0]["message"].as_str().unwrap();
    assert!(message.len() <= 64 * 1024 + "…".len() && message.ends_with("ä…"));
    assert_eq!(records[0]["truncated"], json!({"message": 10 * 1024 * 1024}));
    assert_eq!(records[0]["n"], 1);
    for record in &records[1..] {
        assert_eq!(record["truncated"], json!({"long": 10 * 1024 * 1024}));
    }
    assert!(logs.records().iter().all(|record| record.heap_bytes() < 200 * 1024));
}

#[test]
fn a_field_is_cut_at_its_limit_in_bytes() {
    let logs = capture_within(|limits| limits.field_bytes = 1_000);
    info!(exact = "x".repeat(1_000), over = "x".repeat(1_001), bytes = &[0_u8; 2_000][..], "short");
    let record = &logs.json()[0];
    assert_eq!(record["exact"].as_str().unwrap().len(), 1_000);
    assert_eq!(record["over"].as_str().unwrap(), "x".repeat(1_000) + "…");
    assert_eq!(record["truncated"], json!({"over": 1_001, "bytes_b64": 2_000}));
}

#[test]
fn a_record_is_cut_at_its_limit_whatever_the_number_of_its_fields() {
    let logs = capture_within(|limits| (limits.field_bytes, limits.record_bytes) = (1_000, 2_500));
    let long = "x".repeat(1_000);
    info!(a = long, b = long, c = long, d = long, e = 5, "message");
    let record = &logs.records()[0];
    assert!(record.heap_bytes() < 6_000, "{}", record.heap_bytes());
    let json = &logs.json()[0];
    assert_eq!(json["e"], 5);
    assert_eq!(json["truncated"]["d"], 1_000);
}

#[test]
fn values_that_could_not_be_formatted_are_counted() {
    struct Bad;
    impl fmt::Debug for Bad {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Debug");
        }
    }
    impl fmt::Display for Bad {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let logs = testing::capture();
    info!(a = ?Bad, b = %Bad, c = ?1);
    let _span = info_span!("span", d = ?Bad).entered();
    assert_eq!(logs.messages().len(), 1);
    let stats = logs.handle().stats();
    assert_eq!((stats.unformatted_values, stats.captured(), stats.dropped.total()), (3, 1, 0));
}

#[test]
fn two_thousand_spans_are_kept_at_either_end() {
    let logs = testing::capture();
    let mut guards = Vec::new();
    for n in 0..2_000 {
        guards.push(info_span!("deep", n).entered());
    }
    info!("at the bottom");
    while let Some(guard) = guards.pop() {
        drop(guard);
    }
    info!("outside");
    let records = logs.json();
    let numbers: Vec<u64> =
        records[0]["spans"].as_array().unwrap().iter().map(|s| s["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), 64);
    assert_eq!((numbers[0], numbers[31], numbers[32], numbers[63]), (0, 31, 1_968, 1_999));
    assert_eq!(records[0]["truncated"]["logwell.spans"], 2_000);
    assert_eq!(records[1].get("spans"), None);
}

/// Names of so many fields, and a callsite with them: more than the macros take.
const FIELDS: usize = 1_000;
const NAMES: &[&str] = &{
    let mut names = ["field"; FIELDS];
    let mut at = 0;
    while at < FIELDS {
        names[at] = ALL.split_at(at * 4).1.split_at(4).0;
        at += 1;
    }
    names
};
const ALL: &str = {
    const BYTES: [u8; 4 * FIELDS] = {
        let mut bytes = [b'f'; 4 * FIELDS];
        let mut at = 0;
        while at < FIELDS {
            bytes[at * 4 + 1] = b'0' + (at / 100) as u8;
            bytes[at * 4 + 2] = b'0' + (at / 10 % 10) as u8;
            bytes[at * 4 + 3] = b'0' + (at % 10) as u8;
            at += 1;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

struct Wide;
static WIDE: Wide = Wide;
static WIDE_METADATA: Metadata<'static> = Metadata::new(
    "wide",
    "limits",
    tracing::Level::INFO,
    None,
    None,
    None,
    FieldSet::new(NAMES, Identifier(&WIDE)),
    Kind::EVENT,
);
impl Callsite for Wide {
    fn set_interest(&self, _: Interest) {}
    fn metadata(&self) -> &Metadata<'_> {
        &WIDE_METADATA
    }
}

fn log_a_thousand_fields() {
    let value = 7_u64;
    let values = [Some(&value as &dyn tracing::field::Value); FIELDS];
    Event::dispatch(&WIDE_METADATA, &WIDE_METADATA.fields().value_set_all(&values));
}

#[test]
fn fields_beyond_their_number_are_left_out_and_counted() {
    let logs = testing::capture();
    log_a_thousand_fields();
    let record = &logs.json()[0];
    assert_eq!(
        (&record["f000"], &record["f127"], record.get("f128")),
        (&json!(7), &json!(7), None)
    );
    assert_eq!(record["truncated"], json!({"logwell.fields": 872}));
}

#[test]
fn as_many_fields_are_kept_as_the_limit_says() {
    let logs = capture_within(|limits| limits.fields = 250);
    log_a_thousand_fields();
    let record = &logs.json()[0];
    assert!(NAMES[..250].iter().all(|name| record[name] == 7));
    assert_eq!(record["truncated"], json!({"logwell.fields": 750}));
}

#[derive(Debug)]
struct Nested(u32);

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {} {}", self.0, "x".repeat(100))
    }
}

impl Error for Nested {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(Box::leak(Box::new(Self(self.0 + 1))))
    }
}

#[test]
fn an_endless_chain_of_errors_is_cut_by_number_and_by_length() {
    let logs = capture_within(|limits| (limits.error_sources, limits.field_bytes) = (5, 1_000));
    error!(error = &Nested(0) as &(dyn Error + 'static));
    let chain = logs.json()[0]["error_chain"].as_array().unwrap().clone();
    assert_eq!(chain.len(), 5);
    assert!(chain[4].as_str().unwrap().starts_with("level 5"));

    let logs = capture_within(|limits| (limits.error_sources, limits.field_bytes) = (900, 1_000));
    error!(error = &Nested(0) as &(dyn Error + 'static));
    let record = &logs.json()[0];
    let length: usize = logs.records()[0].heap_bytes();
    assert!(length < 20_000, "{length}");
    assert!(record["truncated"]["error_chain"].as_u64().unwrap() > 1_000);
}

#[test]
fn long_texts_of_spans_are_cut_too() {
    let logs = capture_within(|limits| limits.field_bytes = 100);
    let span = info_span!("span", long = "x".repeat(500), later = tracing::field::Empty);
    span.record("later", "y".repeat(600));
    span.in_scope(|| info!("event"));
    let record = &logs.json()[0];
    assert_eq!(record["spans"][0]["long"].as_str().unwrap().len(), 100 + "…".len());
    assert_eq!(record["truncated"], json!({"long": 500, "later": 600}));
}

#[test]
fn ai_records_have_more_room() {
    let logs = testing::capture();
    let text = "x".repeat(500_000);
    logwell::ai_response!(gen_ai.output = text, "{text}");
    info!(target: "ai_responses", text);
    for record in logs.json() {
        assert_eq!(record.get("truncated"), None::<&Value>);
    }
}
