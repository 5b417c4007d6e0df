//! `#[instrument]` does what everyone expects of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::support;

use serde_json::json;
use std::num::ParseIntError;
use support::{block_on, elsewhere, logged, messages, one, poll_once, span_names, yield_now};
use tracing::{Level, Span, info, instrument};

#[instrument]
fn plain(number: u64, text: &str, list: &[u8]) {
    info!("inside");
}

#[test]
fn arguments_become_fields_of_the_span() {
    let record = one(logged(|| plain(7, "seven", &[1, 2])));
    assert_eq!(
        record["spans"],
        json!([{"name": "plain", "number": 7, "text": "seven", "list": "[1, 2]"}])
    );
    assert_eq!(record["function"], "plain");
}

#[instrument(
    name = "own name",
    target = "own_target",
    level = "debug",
    skip(secret),
    fields(added = secret.len(), late = tracing::field::Empty)
)]
fn dressed(secret: &str, shown: bool) {
    Span::current().record("late", "recorded");
    info!("inside");
}

#[test]
fn names_skips_and_added_fields_are_obeyed() {
    let record = one(logged(|| dressed("hunter2", true)));
    assert_eq!(
        record["spans"],
        json!([{"name": "own name", "shown": true, "added": 7, "late": "recorded"}])
    );
    assert!(!record.to_string().contains("hunter2"));
}

#[instrument(skip_all, err)]
fn failing(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

#[instrument(skip_all, err(Debug, level = Level::WARN))]
fn failing_in_debug(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

#[test]
fn err_makes_an_event_inside_the_span_only_when_it_fails() {
    let records = logged(|| {
        assert!(failing("7").is_ok());
        assert!(failing("seven").is_err());
        assert!(failing_in_debug("seven").is_err());
    });
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0]["level"], &records[1]["level"]), (&json!("ERROR"), &json!("WARN")));
    assert_eq!(records[0]["error"], "invalid digit found in string");
    assert_eq!(records[1]["error"], "ParseIntError { kind: InvalidDigit }");
    assert_eq!(span_names(&records[0]), ["failing"]);
    assert_eq!(span_names(&records[1]), ["failing_in_debug"]);
}

#[instrument(ret)]
fn returning(n: u64) -> Option<u64> {
    n.checked_add(1)
}

#[instrument(ret(Display, level = "warn"), err)]
fn returning_or_failing(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

#[test]
fn ret_makes_an_event_with_the_value() {
    let records = logged(|| {
        assert_eq!(returning(1), Some(2));
        assert!(returning_or_failing("5").is_ok());
        assert!(returning_or_failing("five").is_err());
    });
    assert_eq!((&records[0]["return"], &records[0]["level"]), (&json!("Some(2)"), &json!("INFO")));
    assert_eq!((&records[1]["return"], &records[1]["level"]), (&json!("5"), &json!("WARN")));
    assert_eq!(records[2]["error"], "invalid digit found in string");
}

#[instrument(err, ret)]
async fn in_async(steps: u32, fails: bool) -> Result<u32, String> {
    for step in 0..steps {
        info!(step, "step");
        yield_now().await;
    }
    if fails { Err("failed at the end".to_owned()) } else { Ok(steps) }
}

#[test]
fn an_async_function_is_in_its_span_at_each_poll_on_any_thread() {
    let records = logged(|| {
        let mut future = Box::pin(in_async(2, false));
        assert!(poll_once(future.as_mut()).is_none());
        info!("between");
        elsewhere(|| assert!(poll_once(future.as_mut()).is_none()));
        assert_eq!(block_on(future), Ok(2));
        assert!(block_on(in_async(0, true)).is_err());
    });
    assert_eq!(messages(&records), ["step", "between", "step", "", ""]);
    for at in [0, 2, 3, 4] {
        assert_eq!(span_names(&records[at]), ["in_async"]);
    }
    assert_eq!(records[0]["span_id"], records[3]["span_id"]);
    assert_ne!(records[0]["trace_id"], records[4]["trace_id"]);
    assert_eq!(
        (&records[3]["return"], &records[4]["error"]),
        (&json!("2"), &json!("failed at the end"))
    );
    assert_eq!(records[1].get("spans"), None);
}

#[instrument(parent = parent, skip_all)]
fn with_parent(parent: &Span) {
    info!("inside");
}

#[instrument(parent = None)]
fn without_parent() {
    info!("inside");
}

#[instrument(follows_from = causes, skip_all)]
fn with_causes(causes: impl IntoIterator<Item = tracing::span::Id>) {
    info!("inside");
}

#[test]
fn parents_and_causes_can_be_named() {
    let records = logged(|| {
        let parent = tracing::info_span!("parent");
        let _around = tracing::info_span!("around").entered();
        with_parent(&parent);
        without_parent();
        with_causes(parent.id());
    });
    let expected: [&[&str]; 3] =
        [&["parent", "with_parent"], &["without_parent"], &["around", "with_causes"]];
    assert_eq!(records.iter().map(span_names).collect::<Vec<_>>(), expected);
}

#[instrument(level = "trace", skip_all)]
fn countdown(n: u32) {
    if n > 0 {
        return countdown(n - 1);
    }
    info!("at the bottom");
}

#[test]
fn a_recursive_function_nests_its_spans() {
    let record = one(logged(|| countdown(40)));
    assert_eq!(span_names(&record).len(), 41);
}

struct Service;

impl Service {
    #[instrument(skip(self), fields(otel.name = "GET /", service = %"orders"))]
    fn handle(&self, r#type: &str) {
        info!("inside");
    }
}

#[test]
fn methods_and_raw_arguments_work() {
    let record = one(logged(|| Service.handle("raw")));
    let span = &record["spans"][0];
    assert_eq!((&span["otel.name"], &span["service"]), (&json!("GET /"), &json!("orders")));
    assert_eq!(span["type"], "raw");
}
