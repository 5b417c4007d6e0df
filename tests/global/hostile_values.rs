//! Values whose `Debug` or `Display` does the worst it can: the caller is never hurt.
//!
//! No test of this file may use a scoped subscriber: while there is one in the process, tracing
//! itself refuses events from inside an event, and the hard cases would not be met.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use logwell::record::Level;
use logwell::stats::Reason;
use proptest::prelude::*;
use serde_json::json;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use support::{logged, messages, one, span_names};
use tracing::{error, info, info_span, warn};

const PANICKED: &str = "<panic while formatting this value>";
const FAILED: &str = "<error while formatting this value>";

/// A value whose `Debug` and `Display` do what the function does.
struct Does<F>(F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Debug for Does<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Does<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

/// So that the return type of a closure that only panics is known.
fn does<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result>(what: F) -> Does<F> {
    Does(what)
}

#[test]
fn a_panic_in_debug_leaves_a_placeholder_and_the_caller_goes_on() {
    let record = one(logged(|| {
        let bad = does(|f| {
            f.write_str("half of it")?;
            panic!("in Debug")
        });
        info!(before = 1, ?bad, after = 2, "message {}", "intact");
    }));
    assert_eq!(record["bad"], PANICKED);
    assert_eq!((&record["before"], &record["after"]), (&json!(1), &json!(2)));
    assert_eq!(record["message"], "message intact");
}

#[test]
fn a_failing_display_leaves_a_placeholder() {
    let record = one(logged(|| {
        let bad = does(|_| Err(fmt::Error));
        info!(%bad, "message");
    }));
    assert_eq!(record["bad"], FAILED);
}

#[test]
fn a_panic_in_the_message_keeps_the_record_and_its_fields() {
    let record = one(logged(|| {
        let bad = does(|_| panic!("in the message"));
        info!(order = 7, "refused {bad}");
    }));
    assert_eq!((&record["message"], &record["order"]), (&json!(PANICKED), &json!(7)));
}

#[test]
fn a_payload_that_panics_when_dropped_does_not_hurt_the_caller() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the drop of the payload");
        }
    }
    let record = one(logged(|| info!(bad = ?does(|_| panic_any(Bomb)), "survived")));
    assert_eq!((&record["bad"], &record["message"]), (&json!(PANICKED), &json!("survived")));
}

#[test]
fn a_debug_that_logs_once_makes_a_record_of_its_own() {
    let records = logged(|| {
        let chatty = does(|f| {
            info!("from inside");
            f.write_str("chatty")
        });
        info!(?chatty, "outside");
    });
    assert_eq!(messages(&records), ["from inside", "outside"]);
    assert_eq!(records[1]["chatty"], "chatty");
}

struct Recursive;

impl fmt::Debug for Recursive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        warn!(again = ?self, "deeper");
        f.write_str("recursive")
    }
}

#[test]
fn a_debug_that_logs_itself_ends() {
    let records = logged(|| info!(value = ?Recursive, "outermost"));
    assert_eq!(messages(&records), ["deeper", "outermost"]);
    assert_eq!(records[1]["value"], "recursive");
}

struct RecursiveAtCritical;

impl fmt::Debug for RecursiveAtCritical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        logwell::critical!(again = ?self, "deeper");
        f.write_str("recursive")
    }
}

#[test]
fn records_dropped_for_being_nested_too_deep_are_counted() {
    let records = logged(|| info!(value = ?RecursiveAtCritical, "outermost"));
    let dropped = support::global().handle.stats().dropped;
    assert_eq!(messages(&records), ["deeper", "outermost"]);
    assert_eq!(dropped.get(Level::Critical, Reason::Nested), 1);
}

struct SpanMaker;

impl fmt::Debug for SpanMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _span = info_span!("inner", again = ?self).entered();
        f.write_str("span maker")
    }
}

#[test]
fn a_debug_that_makes_spans_of_itself_ends() {
    let records = logged(|| {
        info!(value = ?SpanMaker, "event");
        let _span = info_span!("outer", value = ?SpanMaker).entered();
        info!("inside");
    });
    assert_eq!(records[0]["value"], "span maker");
    assert_eq!(records[1]["spans"][0]["value"], "span maker");
}

struct Recorder(tracing::Span);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record("value", tracing::field::debug(self));
        f.write_str("recorder")
    }
}

#[test]
fn a_debug_that_records_itself_on_its_span_ends() {
    let record = one(logged(|| {
        let span = info_span!("span", value = tracing::field::Empty);
        span.record("value", tracing::field::debug(Recorder(span.clone())));
        span.in_scope(|| info!("inside"));
    }));
    assert_eq!(record["spans"][0]["value"], "recorder");
}

#[test]
fn a_debug_that_enters_a_span_leaves_the_callers_span_in_place() {
    let records = logged(|| {
        let _outer = info_span!("outer").entered();
        let spanning = does(|f| {
            let _inner = info_span!("inner", x = 1).entered();
            info!("from inside");
            f.write_str("spanning")
        });
        info!(?spanning, "event");
        info!("after");
    });
    assert_eq!(span_names(&records[0]), ["outer", "inner"]);
    assert_eq!(span_names(&records[1]), ["outer"]);
    assert_eq!(span_names(&records[2]), ["outer"]);
}

#[test]
fn a_debug_that_leaks_its_span_guard_and_panics_does_not_hurt() {
    let records = logged(|| {
        let bad = does(|_| {
            let _inner = info_span!("inner").entered();
            panic!("inside a span")
        });
        info!(?bad, "event");
        info!("after");
    });
    assert_eq!(records[0]["bad"], PANICKED);
    assert_eq!(span_names(&records[1]), [""; 0]);
}

#[test]
fn a_debug_that_logs_through_the_log_crate_makes_a_record_of_its_own() {
    let records = logged(|| {
        let chatty = does(|f| {
            log::warn!("by way of log");
            f.write_str("chatty")
        });
        info!(?chatty, "outside");
        log::info!("{chatty}");
    });
    assert_eq!(messages(&records), ["by way of log", "outside", "by way of log", "chatty"]);
}

#[test]
fn a_debug_that_asks_the_handle_is_answered() {
    let record = one(logged(|| {
        let asks = does(|f| {
            support::global().handle.flush(support::SOON).unwrap();
            write!(f, "{} sinks", support::global().handle.stats().sinks.len())
        });
        info!(?asks, "asked");
    }));
    assert_eq!(record["asks"], "1 sinks");
}

#[test]
fn a_span_with_a_value_that_panics_is_a_span_all_the_same() {
    let record = one(logged(|| {
        let span = info_span!("span", bad = ?does(|_| panic!("in a span")), good = 1);
        span.record("good", tracing::field::debug(does(|_| panic!("in record"))));
        span.in_scope(|| info!("inside"));
    }));
    assert_eq!(record["spans"][0]["bad"], PANICKED);
    assert_eq!(record["spans"][0]["good"], PANICKED);
}

#[derive(Debug)]
struct BadError;

impl fmt::Display for BadError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in an error's Display")
    }
}

impl Error for BadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("in an error's source")
    }
}

#[test]
fn an_error_that_panics_is_a_placeholder() {
    let record = one(logged(|| error!(error = &BadError as &(dyn Error + 'static), "failed")));
    assert_eq!((&record["error"], &record["message"]), (&json!(PANICKED), &json!("failed")));
}

#[derive(Debug)]
struct Cyclic;

impl fmt::Display for Cyclic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round")
    }
}

impl Error for Cyclic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_error_that_is_its_own_source_ends() {
    let record = one(logged(|| error!(error = &Cyclic as &(dyn Error + 'static))));
    assert_eq!(record["error_chain"].as_array().unwrap().len(), 16);
}

struct LogsOnDrop(&'static str);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        info!(panicking = std::thread::panicking(), "{}", self.0);
    }
}

#[test]
fn events_from_drop_and_from_unwinding_arrive() {
    let records = logged(|| {
        drop(LogsOnDrop("dropped"));
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _span = info_span!("unwound").entered();
            let _logs = LogsOnDrop("unwinding");
            panic!("on purpose");
        }));
        assert!(unwound.is_err());
        info!("after");
    });
    assert_eq!(messages(&records), ["dropped", "unwinding", "after"]);
    assert_eq!((&records[0]["panicking"], &records[1]["panicking"]), (&json!(false), &json!(true)));
    assert_eq!(span_names(&records[1]), ["unwound"]);
    assert_eq!(span_names(&records[2]), [""; 0]);
}

#[test]
fn a_debug_that_panics_while_the_thread_unwinds_does_not_abort() {
    struct LogsBadly;
    impl Drop for LogsBadly {
        fn drop(&mut self) {
            info!(bad = ?does(|_| panic!("second")), "unwinding");
        }
    }
    let record = one(logged(|| {
        let unwound = catch_unwind(|| {
            let _logs = LogsBadly;
            panic!("first");
        });
        assert!(unwound.is_err());
    }));
    assert_eq!((&record["bad"], &record["message"]), (&json!(PANICKED), &json!("unwinding")));
}

#[test]
fn a_thread_local_value_can_log_when_its_thread_ends() {
    thread_local! {
        static EARLY: LogsOnDrop = const { LogsOnDrop("early") };
        static LATE: LogsOnDrop = const { LogsOnDrop("late") };
    }
    let records = logged(|| {
        EARLY.with(|_| ());
        info!("first use of the logger");
        let _span = info_span!("left before the end").entered();
        LATE.with(|_| ());
    });
    assert_eq!(messages(&records)[0], "first use of the logger");
    let mut rest = messages(&records)[1..].to_vec();
    rest.sort_unstable();
    assert_eq!(rest, ["early", "late"]);
    assert_eq!(span_names(&records[1]), [""; 0]);
}

/// What a value does that writes 50 MB in parts of 100 bytes.
#[derive(Debug, Clone, Copy)]
enum Torrent {
    /// Ends when it is told so.
    Heeds,
    /// Goes on.
    Ignores,
    /// Panics when it is told so.
    Panics,
}

impl Torrent {
    const PARTS: usize = 500_000;

    /// Writes, and counts the parts that were taken.
    fn write(self, f: &mut fmt::Formatter<'_>, taken: &AtomicUsize) -> fmt::Result {
        for part in 0..Self::PARTS {
            match (write!(f, "{part:-<100}"), self) {
                (Ok(()), _) => _ = taken.fetch_add(1, Relaxed),
                (Err(error), Self::Heeds) => return Err(error),
                (Err(_), Self::Ignores) => {}
                (Err(_), Self::Panics) => panic!("the formatter failed"),
            }
        }
        Ok(())
    }
}

/// What is kept of a field, and a little that is counted.
const MOST_PARTS: usize = (64 + 8) * 1024 / 100;

#[test]
fn a_value_that_writes_without_end_is_stopped_and_the_record_says_that_its_length_is_unknown() {
    for torrent in [Torrent::Heeds, Torrent::Ignores, Torrent::Panics] {
        let taken = [const { AtomicUsize::new(0) }; 3];
        let record = one(logged(|| {
            let [debugged, shown, message] = [0, 1, 2].map(|at| {
                does({
                    let taken = &taken[at];
                    move |f: &mut fmt::Formatter<'_>| torrent.write(f, taken)
                })
            });
            info!(before = 1, ?debugged, %shown, after = 2, "message {message}");
        }));
        for (name, end) in [("debugged", "-…"), ("shown", "-…"), ("message", "-…")] {
            let text = record[name].as_str().unwrap();
            assert!(text.ends_with(end) && text.len() >= 64 * 1024, "{torrent:?} {name}");
            assert_eq!(record["truncated"][name], json!(null), "{torrent:?} {name}");
        }
        assert!(
            taken.iter().all(|taken| taken.load(Relaxed) <= MOST_PARTS),
            "{torrent:?} {taken:?}"
        );
        assert_eq!((&record["before"], &record["after"]), (&json!(1), &json!(2)));
        assert_eq!(record["truncated"].as_object().unwrap().len(), 3);
    }
}

#[test]
fn each_error_of_a_chain_that_writes_without_end_is_stopped() {
    struct Flood<'a>(Torrent, &'a AtomicUsize, Option<Box<Flood<'static>>>);
    impl fmt::Debug for Flood<'_> {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Ok(())
        }
    }
    impl fmt::Display for Flood<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, self.1)
        }
    }
    impl Error for Flood<'_> {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.2.as_deref().map(|error| error as _)
        }
    }
    for torrent in [Torrent::Heeds, Torrent::Ignores, Torrent::Panics] {
        let taken = || &*Box::leak(Box::new(AtomicUsize::new(0)));
        let (inner, outer) = (taken(), taken());
        let error = Flood(torrent, outer, Some(Box::new(Flood(torrent, inner, None))));
        let record = one(logged(|| {
            let error: &(dyn Error + 'static) = Box::leak(Box::new(error));
            error!(error, "message");
        }));
        assert!(record["error"].as_str().unwrap().starts_with("0---"));
        assert_eq!(record["truncated"], json!({ "error": null }), "{torrent:?}");
        assert!(
            outer.load(Relaxed) <= MOST_PARTS && inner.load(Relaxed) <= MOST_PARTS,
            "{torrent:?}"
        );
    }
}

#[test]
fn a_panic_before_a_value_is_stopped_leaves_a_placeholder() {
    let record = one(logged(|| {
        let bad = does(|f| {
            f.write_str(&"x".repeat(65 * 1024))?;
            panic!("in the middle")
        });
        info!(?bad, "message");
    }));
    assert_eq!(record["bad"], PANICKED);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_parts_a_value_writes_its_beginning_is_kept_and_its_length_is_exact_or_unknown(
        parts in prop::collection::vec(("[aä\\n€]{0,4}", 0_usize..9_000), 0..40),
    ) {
        let text: String = parts.iter().map(|(part, times)| part.repeat(*times)).collect();
        let record = one(logged(|| {
            let value = does(|f| parts.iter().try_for_each(|(part, times)| f.write_str(&part.repeat(*times))));
            info!(?value, "message");
        }));
        let kept = record["value"].as_str().unwrap();
        match record.get("truncated").map(|truncated| &truncated["value"]) {
            None => prop_assert_eq!(kept, &text),
            Some(length) => {
                let kept = kept.strip_suffix('…').unwrap();
                prop_assert!(text.starts_with(kept) && (64 * 1024 - 3..=64 * 1024).contains(&kept.len()));
                prop_assert!(length.is_null() || length == text.len());
                prop_assert!(!length.is_null() || text.len() > (64 + 4) * 1024);
            }
        }
    }
}
