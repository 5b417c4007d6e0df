//! An ordinary log call takes no memory from the heap.
//!
//! In a binary of its own: the counting allocator is that of the whole process. It counts for each
//! thread, so that the listener's work is not counted.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of #[test] functions")]

use allocation_counter::{AllocationInfo, measure};
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::testing::Listener;
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use tracing_subscriber::layer::SubscriberExt as _;

/// A sink that keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &logwell::record::Record) -> std::io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

fn pipeline() -> (tracing::subscriber::DefaultGuard, LoggingHandle, Listener) {
    let config = LoggingConfig::builder().files(false).console(false).build();
    let built = QueueLayer::builder()
        .config(config.unwrap())
        .sink("nowhere", Accepts::all(), Nowhere)
        .build_stepped();
    let (layer, handle, listener) = built.unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    (tracing::subscriber::set_default(subscriber), handle, listener)
}

/// Eight fields of all types and about two hundred bytes of text.
fn ordinary_event(number: u64) {
    tracing::info!(
        number,
        offset = -7_i64,
        ratio = 0.25,
        cached = true,
        endpoint = "/api/v1/orders/checkout",
        user = %"user_0000000000000001",
        region = ?"eu-central-1",
        "the request was handled by the service after it had been waiting for a while in the queue"
    );
}

/// What a hundred ordinary events cost when all is warm.
fn cost_of_a_hundred() -> AllocationInfo {
    (0..100).for_each(ordinary_event);
    measure(|| (0..100).for_each(ordinary_event))
}

fn check_nothing(cost: &AllocationInfo) {
    assert_eq!((cost.count_total, cost.bytes_total), (0, 0), "{cost:?}");
}

#[test]
fn an_ordinary_event_outside_of_spans_allocates_nothing() {
    let (_in_force, handle, _listener) = pipeline();
    check_nothing(&cost_of_a_hundred());
    assert_eq!(handle.stats().in_queue, 200, "they were all captured");
}

#[test]
fn the_copies_in_the_black_box_allocate_nothing_in_changing_spans_and_chunks() {
    let directory = tempfile::tempdir().unwrap();
    let config = LoggingConfig::builder().log_dir(directory.path()).console(false).build();
    let built = QueueLayer::builder().config(config.unwrap()).build_stepped();
    let (layer, handle, _listener) = built.unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _in_force = tracing::subscriber::set_default(subscriber);
    let spans = [tracing::info_span!("one", path = "/buy"), tracing::info_span!("other", rows = 5)];
    let log = || {
        for number in 0..1_000 {
            spans.iter().for_each(|span| span.in_scope(|| ordinary_event(number)));
        }
    };
    log();
    check_nothing(&measure(log));
    let stats = handle.stats();
    assert_eq!((stats.in_queue, stats.unprotected), (4_000, 0), "all were captured and copied");
    assert!(logwell::black_box::list(directory.path()).unwrap().len() == 1, "there is a box");
}

#[test]
fn an_ordinary_event_inside_two_spans_allocates_nothing() {
    let (_in_force, handle, _listener) = pipeline();
    let root = tracing::info_span!("request", path = "/buy");
    let cost = root.in_scope(|| {
        let leaf = tracing::info_span!("charge", user = "ann");
        leaf.in_scope(cost_of_a_hundred)
    });
    check_nothing(&cost);
    assert_eq!(handle.stats().in_queue, 200);
}

#[test]
fn an_event_that_is_shed_allocates_nothing() {
    let (_in_force, handle, _listener) = pipeline();
    while handle.stats().dropped.total() == 0 {
        (0..100).for_each(ordinary_event);
    }
    check_nothing(&cost_of_a_hundred());
}

#[test]
fn an_event_of_a_level_that_is_off_allocates_nothing() {
    let (_in_force, handle, _listener) = pipeline();
    let log = || tracing::debug!(a = 1, "not captured");
    log(); // tracing remembers the place at its first event
    check_nothing(&measure(log));
    assert_eq!(handle.stats().captured(), 0);
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(vec![1_u8])).count_total, 1);
}
