//! LoggingContext: ids and pairs for everything logged in a scope.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use logwell::{LoggingContext, TraceContext};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use support::{elsewhere, logged, one, span_names};
use tracing::{info, info_span};

fn context(key: &str, value: u64) -> LoggingContext {
    LoggingContext::new().with(key, value)
}

fn pairs(records: &[Value], key: &str) -> Vec<Option<u64>> {
    records.iter().map(|record| record[key].as_u64()).collect()
}

#[test]
fn a_context_gives_ids_and_pairs_of_each_type() {
    let record = one(logged(|| {
        let context = LoggingContext::new()
            .trace_id("abc-123")
            .span_id("def-456")
            .with("text", "t")
            .with("owned", &String::from("o"))
            .with("small", 7_u8)
            .with("negative", -7_i64)
            .with("huge", u128::MAX)
            .with("float", 0.5)
            .with("truth", true)
            .with("again", 1)
            .with("again", 2);
        let _guard = context.enter();
        info!("inside");
    }));
    assert_eq!((&record["trace_id"], &record["span_id"]), (&json!("abc-123"), &json!("def-456")));
    assert_eq!((&record["text"], &record["owned"]), (&json!("t"), &json!("o")));
    assert_eq!((&record["small"], &record["negative"]), (&json!(7), &json!(-7)));
    assert_eq!(record["huge"], u128::MAX.to_string());
    assert_eq!((&record["float"], &record["truth"]), (&json!(0.5), &json!(true)));
    assert_eq!(record["again"], 2);
}

#[test]
fn ids_that_are_not_set_are_random_and_the_same_for_one_scope() {
    let records = logged(|| {
        let _guard = context("k", 1).enter();
        info!("one");
        info!("two");
    });
    assert_eq!(records[0]["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(records[0]["span_id"].as_str().unwrap().len(), 16);
    assert_eq!(records[0]["trace_id"], records[1]["trace_id"]);
    assert_eq!(records[0]["span_id"], records[1]["span_id"]);
}

#[test]
fn contexts_nest_and_restore() {
    let records = logged(|| {
        let outer = LoggingContext::new().trace_id("outer").with("a", 1).with("b", 1).enter();
        info!("outer");
        {
            let _inner = LoggingContext::new().trace_id("inner").with("b", 2).with("c", 2).enter();
            info!("inner");
            info!(b = 3, "the event wins");
        }
        info!("outer again");
        drop(outer);
        info!("outside");
    });
    assert_eq!(pairs(&records, "a"), [Some(1), Some(1), Some(1), Some(1), None]);
    assert_eq!(pairs(&records, "b"), [Some(1), Some(2), Some(3), Some(1), None]);
    assert_eq!(pairs(&records, "c"), [None, Some(2), Some(2), None, None]);
    let traces: Vec<_> = records.iter().map(|record| record["trace_id"].as_str()).collect();
    assert_eq!(traces, [Some("outer"), Some("inner"), Some("inner"), Some("outer"), None]);
    assert_ne!(records[0]["span_id"], records[1]["span_id"], "a span belongs to one trace");
    assert_eq!(records[1]["span_id"], records[2]["span_id"]);
    assert_eq!(records[0]["span_id"], records[3]["span_id"]);
}

#[test]
fn guards_dropped_out_of_order_leave_the_others_in_force() {
    let records = logged(|| {
        let outer = context("outer", 1).enter();
        let inner = context("inner", 1).enter();
        drop(outer);
        info!("inner is in force");
        drop(inner);
        info!("none is");
        assert!(LoggingContext::current().is_none());
    });
    assert_eq!(pairs(&records, "inner"), [Some(1), None]);
    assert_eq!(pairs(&records, "outer"), [Some(1), None]);
}

#[test]
fn a_panic_in_a_scope_restores_the_outer_context() {
    let record = one(logged(|| {
        let _outer = context("k", 1).enter();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            context("k", 2).in_scope(|| panic!("on purpose"));
        }));
        assert!(panicked.is_err());
        info!("after");
    }));
    assert_eq!(record["k"], 1);
}

#[test]
fn a_span_in_a_context_inherits_its_trace_and_has_an_id_of_its_own() {
    let records = logged(|| {
        let _context =
            LoggingContext::new().trace_id("abc-123").span_id("root").with("k", 1).enter();
        info!("in the context");
        let _span = info_span!("span").entered();
        info!("in the span");
        info_span!("child").in_scope(|| info!("in the child"));
        info_span!(parent: None, "root").in_scope(|| info!("in a root span"));
    });
    for record in &records[..3] {
        assert_eq!((&record["trace_id"], &record["k"]), (&json!("abc-123"), &json!(1)));
    }
    let ids: Vec<_> = records.iter().map(|record| record["span_id"].as_str().unwrap()).collect();
    assert_eq!(ids[0], "root");
    assert!(ids[1].len() == 16 && ids[2].len() == 16 && ids[1] != ids[2]);
    assert_ne!(records[3]["trace_id"], "abc-123");
}

#[test]
fn a_context_in_a_span_keeps_its_spans_and_inherits_what_it_does_not_set() {
    let records = logged(|| {
        let span = info_span!("span", field = 1, late = tracing::field::Empty).entered();
        info!("in the span");
        let context = context("k", 1).enter();
        info!("in the context");
        span.record("late", "recorded");
        info!("after a record");
        LoggingContext::new().trace_id("own").in_scope(|| {
            info!("with a trace of its own");
            info_span!("inner").in_scope(|| info!("in a span in it"));
        });
        drop(context);
        info!("out again");
    });
    assert_eq!(records[0]["trace_id"], records[1]["trace_id"]);
    assert_eq!(records[0]["span_id"], records[1]["span_id"]);
    assert_eq!(records[2]["spans"], json!([{"name": "span", "field": 1, "late": "recorded"}]));
    assert_eq!((&records[2]["k"], &records[3]["k"]), (&json!(1), &json!(1)));
    assert_eq!((&records[3]["trace_id"], &records[4]["trace_id"]), (&json!("own"), &json!("own")));
    assert_eq!(span_names(&records[4]), ["span", "inner"]);
    assert_eq!((records[5].get("k"), &records[5]["trace_id"]), (None, &records[0]["trace_id"]));
}

#[test]
fn a_span_made_in_a_context_carries_its_pairs_elsewhere() {
    let records = logged(|| {
        let span = LoggingContext::new()
            .trace_id("abc-123")
            .with("k", 1)
            .with("both", "made")
            .in_scope(|| info_span!("carrier"));
        info!(parent: &span, "by its parent");
        elsewhere(|| {
            span.in_scope(|| info!("entered"));
            info!("not in it");
            let _other = LoggingContext::new().with("both", "entered").with("more", 1).enter();
            span.in_scope(|| info!("entered in another context"));
        });
    });
    for at in [0, 1, 3] {
        assert_eq!((&records[at]["trace_id"], &records[at]["k"]), (&json!("abc-123"), &json!(1)));
    }
    assert_eq!(records[2].get("k"), None);
    assert_eq!((&records[3]["both"], &records[3]["more"]), (&json!("made"), &json!(1)));
}

#[test]
fn an_event_with_an_explicit_parent_belongs_to_it_whatever_the_context() {
    let records = logged(|| {
        let span = info_span!("span");
        let _context = LoggingContext::new().trace_id("abc-123").with("k", 1).enter();
        info!(parent: &span, "of the span");
        info!(parent: None, "of nothing");
    });
    assert_eq!(pairs(&records, "k"), [None, None]);
    assert_ne!(records[0]["trace_id"], "abc-123");
    assert_eq!(records[1].get("trace_id"), None);
}

#[test]
fn what_is_in_force_can_be_asked_for_and_handed_on() {
    let records = logged(|| {
        assert!(LoggingContext::current().is_none());
        let _outer = LoggingContext::new().trace_id("abc-123").with("a", 1).enter();
        let _inner = context("b", 2).enter();
        let current = LoggingContext::current().unwrap();
        assert_eq!(current.get_trace_id().as_deref(), Some("abc-123"));
        assert_eq!((current.get("a"), current.get("b")), (Some("1".into()), Some("2".into())));
        assert_eq!(current.get("c"), None);
        info!("here");
        elsewhere(|| current.in_scope(|| info!("there")));
    });
    for key in ["trace_id", "span_id", "a", "b"] {
        assert_eq!(records[0][key], records[1][key], "{key}");
    }
}

#[test]
fn current_sees_the_span_around() {
    let record = one(logged(|| {
        let _span = info_span!("span").entered();
        let current = LoggingContext::current().unwrap();
        elsewhere(|| current.in_scope(|| info!("handed on")));
        let ids = (current.get_trace_id().unwrap(), current.get_span_id().unwrap());
        assert_eq!((ids.0.len(), ids.1.len()), (32, 16));
    }));
    assert_eq!(record.get("spans"), None);
    assert_eq!(record["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn a_context_that_is_set_stays_until_it_is_cleared_or_replaced() {
    let records = logged(|| {
        context("k", 1).set();
        info!("set");
        context("k", 2).enter().then(|| info!("a guard inside"));
        context("other", 3).set();
        info!("replaced");
        elsewhere(|| info!("on another thread"));
        LoggingContext::clear();
        LoggingContext::clear();
        info!("cleared");
    });
    assert_eq!(pairs(&records, "k"), [Some(1), Some(2), None, None, None]);
    assert_eq!(pairs(&records, "other"), [None, None, Some(3), None, None]);
    assert_eq!(records[4].get("trace_id"), None);
}

#[test]
fn a_context_that_is_set_inside_a_span_keeps_the_spans() {
    let records = logged(|| {
        let span = info_span!("span", late = tracing::field::Empty).entered();
        context("k", 1).set();
        span.record("late", 1);
        info!("set in the span");
        info_span!("inner").in_scope(|| info!("in an inner span"));
        context("l", 2).in_scope(|| info!("in a context"));
        drop(span);
        info!("out of the span");
        LoggingContext::clear();
    });
    let expected: [&[&str]; 4] = [&["span"], &["span", "inner"], &["span"], &[]];
    assert_eq!(records.iter().map(span_names).collect::<Vec<_>>(), expected);
    assert_eq!(pairs(&records, "k"), [Some(1); 4]);
    assert_eq!(records[0]["spans"][0]["late"], 1);
}

trait Then: Sized {
    /// Does something while `self` lives.
    fn then(self, work: impl FnOnce()) {
        work();
    }
}

impl Then for logwell::ContextGuard {}

#[test]
fn headers_of_a_request_make_its_context() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let records = logged(|| {
        for (traceparent, x_trace_id) in [
            (Some(parent), Some("ignored")),
            (Some("nonsense"), Some(" abc-123 ")),
            (None, Some("  ")),
        ] {
            let context = LoggingContext::from_headers(traceparent, x_trace_id);
            context.in_scope(|| info!("request"));
        }
        LoggingContext::from(TraceContext::new_root()).in_scope(|| info!("root"));
    });
    assert_eq!(records[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(records[0]["span_id"], "00f067aa0ba902b7");
    assert_eq!(records[1]["trace_id"], "abc-123");
    assert_eq!(records[2]["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(records[3]["span_id"].as_str().unwrap().len(), 16);
}

#[test]
fn pairs_cannot_overwrite_reserved_keys_and_no_key_appears_twice() {
    let record = one(logged(|| {
        let _context = context("level", 1).with("message", "mine").with("r", 1).enter();
        info!(r = 2, "the real message");
    }));
    assert_eq!(
        (&record["level"], &record["message"]),
        (&json!("INFO"), &json!("the real message"))
    );
    assert_eq!((&record["field.level"], &record["field.message"]), (&json!(1), &json!("mine")));
    assert_eq!(record["r"], 2);
}

#[test]
fn a_context_is_bounded() {
    let long = "x".repeat(100_000);
    let mut context = LoggingContext::new().trace_id(&long).with("one", 1);
    for n in 0..100 {
        context = context.with(&format!("key {n}"), long.as_str());
    }
    assert_eq!(context.get_trace_id().unwrap().len(), 256);
    let record = one(logged(move || context.in_scope(|| info!("bounded"))));
    assert_eq!(record["one"], 1);
    assert!(record.to_string().len() < 100_000);
}

#[test]
fn a_thousand_contexts_deep_is_bounded_too() {
    let record = one(logged(|| {
        let text = "x".repeat(1_000);
        let mut guards = Vec::new();
        for n in 0..1_000 {
            let context = LoggingContext::new().with(&format!("key {n}"), text.as_str());
            guards.push(context.enter());
        }
        info!("deep");
    }));
    assert!(record.to_string().len() < 200_000, "{}", record.to_string().len());
}

fn current_trace() -> TraceContext {
    LoggingContext::current().unwrap().trace_context().unwrap()
}

#[test]
fn flags_and_tracestate_of_a_request_go_on_from_anywhere_inside() {
    for flags in ["00", "01", "02", "03"] {
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
        let old = LoggingContext::from_headers(Some(&parent), None).trace_context().unwrap();
        assert_eq!(old.to_traceparent(), parent);
        let headers = [("traceparent", parent.as_str()), ("tracestate", "congo=1,rojo=2")];
        let check = |place: &str| {
            let sent = current_trace().child();
            assert_eq!(sent.to_traceparent().get(..36), parent.get(..36), "{place}");
            assert!(sent.to_traceparent().ends_with(flags), "{place}: {sent}");
            assert_eq!(sent.to_tracestate().unwrap(), "congo=1,rojo=2", "{place}");
        };
        logged(|| {
            LoggingContext::from_request(headers).in_scope(|| {
                check("context");
                let span = info_span!("span", late = tracing::field::Empty);
                span.in_scope(|| {
                    check("span");
                    LoggingContext::new().with("k", 1).in_scope(|| check("context in a span"));
                    span.record("late", 1);
                    info_span!("inner").in_scope(|| check("span in a span"));
                });
                let dispatch = tracing::dispatcher::get_default(Clone::clone);
                let on_another = || {
                    let inside = || span.in_scope(|| check("another thread"));
                    tracing::dispatcher::with_default(&dispatch, inside);
                };
                std::thread::scope(|scope| scope.spawn(on_another).join().unwrap());
            });
        });
    }
}

#[test]
fn flags_are_not_invented() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    logged(|| {
        LoggingContext::new().in_scope(|| {
            assert!(current_trace().to_traceparent().ends_with("-03"), "a trace that begins here");
        });
        info_span!("root").in_scope(|| {
            assert!(current_trace().to_traceparent().ends_with("-03"), "a trace that begins here");
        });
        LoggingContext::new().trace_id(TRACE).in_scope(|| {
            assert!(current_trace().to_traceparent().ends_with("-00"), "nothing is known of it");
        });
        info_span!("root", trace_id = TRACE).in_scope(|| {
            assert!(current_trace().to_traceparent().ends_with("-00"), "nothing is known of it");
        });
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let headers = [("traceparent", parent.as_str()), ("tracestate", "congo=1")];
        LoggingContext::from_request(headers).in_scope(|| {
            info_span!("other", trace_id = TRACE.replace('4', "5")).in_scope(|| {
                let trace = current_trace();
                assert!(trace.to_traceparent().ends_with("-00") && trace.state().is_empty());
            });
            info_span!("same", trace_id = TRACE).in_scope(|| {
                let trace = current_trace();
                assert!(trace.is_sampled() && !trace.state().is_empty(), "still that trace");
            });
            let unsampled = parent.replace("-01", "-00");
            LoggingContext::from_headers(Some(&unsampled), None).in_scope(|| {
                assert!(!current_trace().is_sampled(), "what is said inside counts");
            });
        });
    });
}

#[test]
fn of_a_request_with_two_traceparent_headers_neither_counts() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let twice = [("traceparent", parent), ("Traceparent", parent), ("tracestate", "congo=1")];
    let context = LoggingContext::from_request(twice);
    assert_ne!(context.get_trace_id().as_deref(), parent.get(3..35));
    assert_eq!(context.trace_context().unwrap().to_tracestate(), None);
    let and_an_id = twice.into_iter().chain([("X-Trace-Id", " "), ("x-trace-id", "abc-123")]);
    let context = LoggingContext::from_request(and_an_id);
    assert_eq!(context.get_trace_id().unwrap(), "abc-123");
}

#[test]
fn a_context_of_another_trace_does_not_take_the_span_id_of_the_trace_around() {
    let records = logged(|| {
        let _outer = LoggingContext::new().trace_id("outer").span_id("outer-span").enter();
        LoggingContext::new().trace_id("inner").in_scope(|| tracing::info!("another trace"));
        LoggingContext::new().trace_id("outer").in_scope(|| tracing::info!("the same trace"));
        LoggingContext::new().span_id("own").in_scope(|| tracing::info!("another span"));
    });
    let span_id = |at: usize| records[at]["span_id"].as_str().unwrap();
    assert_eq!((span_id(0).len(), span_id(1), span_id(2)), (16, "outer-span", "own"));
    assert_eq!(
        (&records[0]["trace_id"], &records[2]["trace_id"]),
        (&json!("inner"), &json!("outer"))
    );
}
