//! Values of a span that come later: `Empty` and `record()`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::support;

use serde_json::json;
use support::{elsewhere, logged, one};
use tracing::field::{Empty, debug, display};
use tracing::{info, info_span};

#[test]
fn an_empty_field_appears_once_it_is_recorded() {
    let records = logged(|| {
        let span = info_span!("span", id = 7, status = Empty);
        let _entered = span.enter();
        info!("before");
        span.record("status", 200);
        info!("after");
    });
    assert_eq!(records[0]["spans"], json!([{"name": "span", "id": 7}]));
    assert_eq!(records[1]["spans"], json!([{"name": "span", "id": 7, "status": 200}]));
}

#[test]
fn a_value_recorded_again_is_replaced_whatever_its_type() {
    let records = logged(|| {
        let span = info_span!("span", state = "new", other = 1);
        let _entered = span.enter();
        for round in 0..3_u64 {
            span.record("state", round);
            info!(round, "so far");
        }
        span.record("state", debug("shown")).record("other", display(2.5));
        info!("at last");
    });
    for (round, record) in records.iter().take(3).enumerate() {
        assert_eq!(record["spans"], json!([{"name": "span", "state": round, "other": 1}]));
    }
    assert_eq!(
        records[3]["spans"],
        json!([{"name": "span", "state": "\"shown\"", "other": "2.5"}])
    );
}

#[test]
fn a_child_sees_what_its_parent_records_after_it_was_made() {
    let records = logged(|| {
        let parent = info_span!("parent", user = Empty);
        let _parent = parent.enter();
        let child = info_span!("child", x = 1);
        let _child = child.enter();
        let grandchild = info_span!("grandchild");
        parent.record("user", "ann");
        info!("in the child");
        grandchild.in_scope(|| info!("in the grandchild"));
        info!(parent: &grandchild, "by parent");
        parent.record("user", "bob");
        child.record("x", 2);
        info!("again");
        info_span!("late").in_scope(|| info!("in a late child"));
    });
    let users: Vec<_> = records.iter().map(|record| &record["spans"][0]["user"]).collect();
    assert_eq!(users, ["ann", "ann", "ann", "bob", "bob"]);
    let xs: Vec<_> = records.iter().map(|record| &record["spans"][1]["x"]).collect();
    assert_eq!(xs, [1, 1, 1, 2, 2]);
    assert_eq!(records[1]["spans"][2]["name"], "grandchild");
    assert_eq!(records[2]["spans"][2]["name"], "grandchild");
    assert_eq!(records[0]["span_id"], records[3]["span_id"]);
}

#[test]
fn an_event_made_before_a_record_never_shows_it() {
    let logs = logwell::testing::capture();
    let span = info_span!("span", status = Empty);
    let _entered = span.enter();
    info!("before");
    span.record("status", 500);
    let records = logs.json(); // taken from the queue and encoded only now
    assert_eq!(records[0]["spans"], json!([{"name": "span"}]));
}

#[test]
fn a_field_that_was_not_declared_is_not_recorded() {
    let record = one(logged(|| {
        let span = info_span!("span", known = Empty);
        span.record("unknown", 1).record("known", 2);
        span.in_scope(|| info!("event"));
    }));
    assert_eq!(record["spans"], json!([{"name": "span", "known": 2}]));
}

#[test]
fn a_record_from_another_thread_is_seen_here() {
    let record = one(logged(|| {
        let span = info_span!("span", status = Empty);
        let _entered = span.enter();
        elsewhere(|| span.record("status", "set there"));
        info!("event");
    }));
    assert_eq!(record["spans"][0]["status"], "set there");
}

#[test]
fn ids_recorded_later_count_from_then_on() {
    let records = logged(|| {
        let span = info_span!("span", trace_id = Empty, span_id = Empty);
        let _entered = span.enter();
        info!("before");
        span.record("trace_id", "abc-123");
        info!("after");
        info_span!("child").in_scope(|| info!("child"));
    });
    assert_eq!(records[0]["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(records[1]["trace_id"], "abc-123");
    assert_eq!(records[1]["span_id"], records[0]["span_id"]);
    assert_eq!(records[2]["trace_id"], "abc-123");
}

#[test]
fn a_disabled_span_and_a_closed_one_can_be_recorded_on() {
    let logs = logwell::testing::capture_with(support::quiet("warn"));
    let span = info_span!("disabled", field = Empty);
    span.record("field", 1);
    tracing::Span::none().record("field", 1);
    span.in_scope(|| tracing::warn!("event"));
    assert_eq!(logs.json()[0].get("spans"), None);
}

#[test]
fn a_record_on_a_sibling_changes_nothing_here() {
    let record = one(logged(|| {
        let _root = info_span!("root").entered();
        let a = info_span!("a", v = 1);
        let b = info_span!("b", v = 1);
        let _a = a.enter();
        b.record("v", 2);
        info!("in a");
    }));
    assert_eq!(record["spans"], json!([{"name": "root"}, {"name": "a", "v": 1}]));
}

#[test]
fn a_record_on_the_outer_of_two_entries_of_one_span_is_seen_in_both() {
    let records = logged(|| {
        let span = info_span!("span", v = 0);
        let first = span.enter();
        let second = span.enter();
        span.record("v", 1);
        info!("twice");
        drop(second);
        info!("once");
        drop(first);
    });
    assert_eq!(
        (&records[0]["spans"][0]["v"], &records[1]["spans"][0]["v"]),
        (&json!(1), &json!(1))
    );
}
