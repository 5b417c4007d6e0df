//! LoggingContext over awaits and threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use logwell::LoggingContext;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use support::{block_on, elsewhere, logged, one, poll_once, span_names, yield_now};
use tracing::{Instrument as _, info, info_span};

async fn three_steps() {
    for step in 0..3 {
        info!(step, "step");
        yield_now().await;
    }
}

#[test]
fn a_future_is_in_its_context_at_each_poll_on_any_thread() {
    let records = logged(|| {
        let context = LoggingContext::new().trace_id("abc-123").with("k", 1);
        let mut future = Box::pin(context.instrument(three_steps()));
        assert!(poll_once(future.as_mut()).is_none());
        info!("between");
        elsewhere(|| assert!(poll_once(future.as_mut()).is_none()));
        block_on(future);
        info!("after");
    });
    for at in [0, 2, 3] {
        assert_eq!(
            (records[at]["trace_id"].as_str(), records[at]["k"].as_u64()),
            (Some("abc-123"), Some(1))
        );
    }
    for at in [1, 4] {
        assert_eq!(records[at].get("trace_id"), None);
    }
}

#[test]
fn random_ids_of_a_future_stay_the_same_over_all_polls() {
    let records = logged(|| {
        let mut future = Box::pin(LoggingContext::new().with("k", 1).instrument(three_steps()));
        assert!(poll_once(future.as_mut()).is_none());
        elsewhere(|| {
            let _elsewhere = info_span!("elsewhere").entered();
            assert!(poll_once(future.as_mut()).is_none());
        });
        block_on(future);
    });
    assert_eq!(records[0]["trace_id"].as_str().unwrap().len(), 32);
    for record in &records[1..] {
        assert_eq!(record["trace_id"], records[0]["trace_id"]);
        assert_eq!(record["span_id"], records[0]["span_id"]);
    }
}

#[test]
fn two_futures_polled_in_turn_keep_their_contexts_apart() {
    let records = logged(|| {
        let task = |id: &str| {
            let steps = async {
                three_steps().await;
                info_span!("last").in_scope(|| info!("last"));
            };
            LoggingContext::new().trace_id(id).with("id", id).instrument(steps)
        };
        let (mut a, mut b) = (pin!(task("a")), pin!(task("b")));
        while poll_once(a.as_mut()).is_none() {
            let _done = poll_once(b.as_mut());
        }
        block_on(b);
    });
    assert_eq!(records.len(), 8);
    for record in &records {
        assert_eq!(record["trace_id"], record["id"]);
    }
}

#[test]
fn a_span_and_a_context_around_one_future_go_together() {
    let records = logged(|| {
        let inner = LoggingContext::new().with("inner", 1).instrument(three_steps());
        let spanned = inner.instrument(info_span!("span"));
        block_on(LoggingContext::new().trace_id("abc-123").with("outer", 1).instrument(spanned));
    });
    for record in &records {
        assert_eq!(span_names(record), ["span"]);
        assert_eq!((record["inner"].as_u64(), record["outer"].as_u64()), (Some(1), Some(1)));
    }
    assert_eq!(records[0]["span_id"], records[2]["span_id"]);
}

#[test]
fn what_is_around_a_poll_counts_for_that_poll_only() {
    let records = logged(|| {
        let mut future = Box::pin(LoggingContext::new().with("own", 1).instrument(three_steps()));
        LoggingContext::new().with("around", 1).in_scope(|| {
            assert!(poll_once(future.as_mut()).is_none());
        });
        assert!(poll_once(future.as_mut()).is_none());
        LoggingContext::new().with("around", 2).in_scope(|| {
            assert!(poll_once(future.as_mut()).is_none());
        });
        block_on(future);
    });
    let around: Vec<_> = records.iter().map(|record| record["around"].as_u64()).collect();
    assert_eq!(around, [Some(1), None, Some(2)]);
    assert!(records.iter().all(|record| record["own"] == 1));
}

#[test]
fn a_record_on_the_span_around_is_seen_inside_the_future() {
    let records = logged(|| {
        let span = info_span!("span", late = tracing::field::Empty);
        let future = LoggingContext::new().with("k", 1).instrument(three_steps());
        let mut future = Box::pin(future.instrument(span.clone()));
        assert!(poll_once(future.as_mut()).is_none());
        span.record("late", 1);
        block_on(future);
    });
    let late: Vec<_> = records.iter().map(|record| record["spans"][0]["late"].as_u64()).collect();
    assert_eq!(late, [None, Some(1), Some(1)]);
    assert!(records.iter().all(|record| record["k"] == 1));
}

#[test]
fn a_panic_in_a_poll_leaves_no_context_behind() {
    let record = one(logged(|| {
        let future = LoggingContext::new().with("k", 1).instrument(async { panic!("on purpose") });
        let mut future = Box::pin(future);
        assert!(
            catch_unwind(AssertUnwindSafe(|| poll_once::<dyn Future<Output = ()>>(
                future.as_mut()
            )))
            .is_err()
        );
        assert!(LoggingContext::current().is_none());
        info!("after");
    }));
    assert_eq!(record.get("k"), None);
}

#[test]
fn what_a_cancelled_future_logs_when_it_is_dropped_is_in_its_context() {
    struct LogsOnDrop;
    impl Drop for LogsOnDrop {
        fn drop(&mut self) {
            info!("cancelled");
        }
    }
    let record = one(logged(|| {
        let work = async {
            let _logs = LogsOnDrop;
            yield_now().await;
        };
        let mut future =
            Box::pin(LoggingContext::new().trace_id("abc-123").with("k", 1).instrument(work));
        assert!(poll_once(future.as_mut()).is_none());
        drop(future);
    }));
    assert_eq!((record["trace_id"].as_str(), record["k"].as_u64()), (Some("abc-123"), Some(1)));
}
