//! Spans: parents, orders of entering and leaving, threads, awaits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use support::{block_on, elsewhere, logged, one, poll_once, span_names, yield_now};
use tracing::{Instrument as _, Level, Span, event, info, info_span, span};

#[test]
fn an_event_names_its_spans_from_root_to_leaf() {
    let records = logged(|| {
        info!("none");
        let outer = info_span!("outer", a = 1).entered();
        info!("one");
        let inner = info_span!("inner", b = "two").entered();
        info!("two");
        drop(inner);
        info!("one again");
        drop(outer);
        info!("none again");
    });
    assert_eq!(records[0].get("spans"), None);
    assert_eq!(records[1]["spans"], json!([{"name": "outer", "a": 1}]));
    assert_eq!(
        records[2]["spans"],
        json!([{"name": "outer", "a": 1}, {"name": "inner", "b": "two"}])
    );
    assert_eq!(records[2]["function"], "inner");
    assert_eq!(records[3]["spans"], records[1]["spans"]);
    assert_eq!(records[4].get("spans"), None);
}

#[test]
fn an_explicit_parent_counts_whatever_is_entered() {
    let records = logged(|| {
        let outer = info_span!("outer");
        let other = info_span!(parent: &outer, "other");
        let _entered = info_span!("entered").entered();
        info!(parent: &other, "by reference");
        info!(parent: other.id(), "by id");
        info!(parent: None, "root");
        event!(parent: &outer, Level::INFO, "event!");
        other.in_scope(|| info!("entered after all"));
        info_span!(parent: None, "own root").in_scope(|| info!("in a root span"));
        span!(parent: &other, Level::WARN, "leaf").in_scope(|| info!("in a leaf"));
    });
    let expected: [&[&str]; 7] = [
        &["outer", "other"],
        &["outer", "other"],
        &[],
        &["outer"],
        &["outer", "other"],
        &["own root"],
        &["outer", "other", "leaf"],
    ];
    assert_eq!(records.iter().map(span_names).collect::<Vec<_>>(), expected);
}

#[test]
fn an_event_in_no_span_has_no_ids_and_a_root_event_in_a_span_has_none_either() {
    let records = logged(|| {
        info!("outside");
        let _span = info_span!("span").entered();
        info!(parent: None, "root");
    });
    for record in &records {
        assert_eq!((record.get("trace_id"), record.get("span_id")), (None, None));
    }
}

#[test]
fn a_root_span_gets_w3c_ids_and_its_children_inherit_the_trace() {
    let records = logged(|| {
        let _root = info_span!("root").entered();
        info!("root");
        info_span!("child").in_scope(|| info!("child"));
        info_span!(parent: None, "other root").in_scope(|| info!("other root"));
        info!("root again");
    });
    let id = |at: usize, key: &str| records[at][key].as_str().unwrap().to_owned();
    for at in 0..4 {
        for (key, digits) in [("trace_id", 32), ("span_id", 16)] {
            let id = id(at, key);
            assert_eq!(id.len(), digits, "{id}");
            assert!(id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)), "{id}");
        }
    }
    assert_eq!(id(0, "trace_id"), id(1, "trace_id"));
    assert_ne!(id(0, "span_id"), id(1, "span_id"));
    assert_ne!(id(0, "trace_id"), id(2, "trace_id"));
    assert_eq!(id(0, "span_id"), id(3, "span_id"));
}

#[test]
fn ids_given_as_fields_win_and_are_inherited() {
    let records = logged(|| {
        let _root = info_span!("root", trace_id = "abc-123", span_id = 7).entered();
        info!("in it");
        info_span!("child").in_scope(|| info!("child"));
    });
    assert_eq!((&records[0]["trace_id"], &records[0]["span_id"]), (&json!("abc-123"), &json!("7")));
    assert_eq!(records[1]["trace_id"], "abc-123");
    assert_ne!(records[1]["span_id"], "7");
}

#[test]
fn the_ids_of_an_event_are_both_its_own_or_both_those_around_it() {
    let records = logged(|| {
        let _root = info_span!("root", trace_id = "abc-123", span_id = 7).entered();
        info!(trace_id = "other", "has left the trace");
        info!(trace_id = "other", span_id = "9", "both");
        info!(trace_id = "abc-123", "the same trace");
        info!(trace_id = "abc-123", span_id = "9", "the same trace, another span");
        info!(span_id = 9, "a span id alone is a field");
    });
    let ids = |at: usize| ["trace_id", "span_id", "field.span_id"].map(|key| records[at].get(key));
    let (abc, other, seven, nine) = (json!("abc-123"), json!("other"), json!("7"), json!("9"));
    assert_eq!(ids(0), [Some(&other), None, None]);
    assert_eq!(ids(1), [Some(&other), Some(&nine), None]);
    assert_eq!(ids(2), [Some(&abc), Some(&seven), None]);
    assert_eq!(ids(3), [Some(&abc), Some(&nine), None]);
    assert_eq!(ids(4), [Some(&abc), Some(&seven), Some(&json!(9))]);
    assert_eq!(span_names(&records[0]), ["root"], "where it was logged stays");
}

#[test]
fn outside_of_any_trace_an_event_has_the_ids_it_gives() {
    let records = logged(|| {
        info!(trace_id = "mine", "a trace");
        info!(span_id = "mine", "a span");
    });
    assert_eq!((&records[0]["trace_id"], records[0].get("span_id")), (&json!("mine"), None));
    assert_eq!((records[1].get("trace_id"), &records[1]["span_id"]), (None, &json!("mine")));
}

#[test]
fn guards_dropped_out_of_order_leave_the_spans_still_entered() {
    let records = logged(|| {
        let outer = info_span!("outer").entered();
        let middle = info_span!("middle").entered();
        let inner = info_span!("inner").entered();
        drop(outer);
        info!("inner is innermost");
        drop(inner);
        info!("middle is left");
        drop(middle);
        info!("nothing is left");
    });
    assert_eq!(span_names(&records[0]), ["outer", "middle", "inner"]);
    assert_eq!(span_names(&records[1]), ["outer", "middle"]);
    assert_eq!(records[2].get("spans"), None);
}

#[test]
fn a_span_entered_twice_is_left_when_it_is_left_twice() {
    let records = logged(|| {
        let span = info_span!("span");
        let first = span.enter();
        let second = span.enter();
        info!("twice");
        drop(first);
        info!("once");
        drop(second);
        info!("not at all");
    });
    assert_eq!(span_names(&records[0]), ["span"]);
    assert_eq!(span_names(&records[1]), ["span"]);
    assert_eq!(records[2].get("spans"), None);
}

#[test]
fn a_closed_parent_is_still_named_by_what_happens_in_its_child() {
    let records = logged(|| {
        let child = {
            let _parent = info_span!("parent", kept = true).entered();
            info_span!("child")
        };
        let _entered = child.enter();
        info!("after the parent's end");
        info_span!("grandchild").in_scope(|| info!("below"));
    });
    assert_eq!(records[0]["spans"], json!([{"name": "parent", "kept": true}, {"name": "child"}]));
    assert_eq!(span_names(&records[1]), ["parent", "child", "grandchild"]);
}

#[test]
fn a_span_can_be_entered_on_several_threads_at_once() {
    let records = logged(|| {
        let span = info_span!("shared", n = 1);
        let _here = span.enter();
        elsewhere(|| {
            info!("before");
            let _there = span.enter();
            info!("there");
            info_span!("child").in_scope(|| info!("child there"));
        });
        info!("here");
    });
    assert_eq!(records[0].get("spans"), None);
    assert_eq!(span_names(&records[1]), ["shared"]);
    assert_eq!(span_names(&records[2]), ["shared", "child"]);
    assert_eq!(span_names(&records[3]), ["shared"]);
    assert_eq!(records[1]["span_id"], records[3]["span_id"]);
}

#[test]
fn follows_from_changes_nothing_and_breaks_nothing() {
    let record = one(logged(|| {
        let cause = info_span!("cause");
        let effect = info_span!("effect");
        effect.follows_from(&cause);
        effect.follows_from(Span::none());
        effect.in_scope(|| info!("event"));
    }));
    assert_eq!(span_names(&record), ["effect"]);
}

#[test]
fn a_span_follows_its_future_over_awaits_and_threads() {
    let records = logged(|| {
        let work = async {
            info!("first");
            yield_now().await;
            info!("second");
            async {
                yield_now().await;
                info!("third");
            }
            .instrument(info_span!("inner"))
            .await;
        };
        let mut work = Box::pin(work.instrument(info_span!("outer")));
        assert!(poll_once(work.as_mut()).is_none());
        info!("between");
        elsewhere(|| assert!(poll_once(work.as_mut()).is_none()));
        block_on(work);
        info!("after");
    });
    let expected: [&[&str]; 5] = [&["outer"], &[], &["outer"], &["outer", "inner"], &[]];
    assert_eq!(records.iter().map(span_names).collect::<Vec<_>>(), expected);
    assert_eq!(records[0]["span_id"], records[2]["span_id"]);
}

#[test]
fn two_futures_polled_in_turn_keep_their_spans_apart() {
    let records = logged(|| {
        let task = |n: u64| {
            async move {
                for _ in 0..2 {
                    info!(n, "step");
                    yield_now().await;
                }
            }
            .instrument(info_span!("task", n))
        };
        let (mut a, mut b) = (pin!(task(1)), pin!(task(2)));
        while poll_once(a.as_mut()).is_none() {
            assert!(poll_once(b.as_mut()).is_none());
        }
        block_on(b);
    });
    assert_eq!(records.len(), 4);
    for record in &records {
        assert_eq!(record["n"], record["spans"][0]["n"]);
    }
}

#[test]
fn a_guard_held_over_an_await_by_mistake_does_no_harm() {
    let records = logged(|| {
        let mut wrong = Box::pin(async {
            let _entered = info_span!("held").entered();
            yield_now().await;
            info!("inside");
        });
        assert!(poll_once(wrong.as_mut()).is_none());
        info!("leaked into");
        block_on(wrong);
        info!("after");
    });
    assert_eq!(span_names(&records[0]), ["held"]);
    assert_eq!(records[2].get("spans"), None);
}

#[test]
fn a_leaked_guard_does_no_harm_to_other_threads() {
    let records = logged(|| {
        std::mem::forget(info_span!("leaked").entered());
        info!("here");
        elsewhere(|| info!("there"));
    });
    assert_eq!(span_names(&records[0]), ["leaked"]);
    assert_eq!(records[1].get("spans"), None);
}

#[test]
fn a_panic_leaves_the_spans_it_unwinds() {
    let record = one(logged(|| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            info_span!("a").in_scope(|| info_span!("b").in_scope(|| panic!("on purpose")));
        }));
        assert!(panicked.is_err());
        info!("after");
    }));
    assert_eq!(record.get("spans"), None);
}

#[test]
fn a_disabled_span_is_passed_over() {
    let logs = logwell::testing::capture_with(support::quiet("info"));
    let _outer = info_span!("outer").entered();
    let disabled = tracing::debug_span!("disabled").entered();
    info!("in a disabled span");
    let inner = info_span!("inner");
    inner.in_scope(|| info!("below a disabled span"));
    info!(parent: &disabled.exit(), "whose parent is disabled");
    let records = logs.json();
    assert_eq!(span_names(&records[0]), ["outer"]);
    assert_eq!(span_names(&records[1]), ["outer", "inner"]);
    assert_eq!(span_names(&records[2]), ["outer"]);
}

#[test]
fn span_current_is_the_entered_one_and_can_be_handed_on() {
    let record = one(logged(|| {
        let _span = info_span!("request").entered();
        let current = Span::current();
        elsewhere(|| current.in_scope(|| info!("handed on")));
    }));
    assert_eq!(span_names(&record), ["request"]);
}

#[test]
fn a_span_of_one_subscriber_entered_under_another_stays_with_its_own() {
    let logs = logwell::testing::capture();
    let foreign = info_span!("foreign").entered();
    {
        let inner = logwell::testing::capture();
        info!("under the inner subscriber");
        assert_eq!(inner.json()[0].get("spans"), None::<&Value>);
        info!(parent: &*foreign, "with a parent it does not know");
    }
    info!("under its own");
    assert_eq!(span_names(&logs.json()[0]), ["foreign"]);
}

#[test]
fn a_thousand_spans_are_entered_and_left_without_a_trace() {
    let records = logged(|| {
        let spans: Vec<_> = (0..1_000).map(|n| info_span!("one of many", n)).collect();
        let guards: Vec<_> = spans.iter().map(Span::enter).collect();
        drop(guards); // the first one first
        info!("after");
    });
    assert_eq!(one(records).get("spans"), None);
}
