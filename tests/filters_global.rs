//! Filters under the global subscriber. One test, since the level is the process's.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use logwell::QueueLayer;
use logwell::sink::{Accepts, MemorySink};
use std::cell::Cell;
use std::fmt;
use support::{SOON, quiet};
use tracing::{debug, info, info_span, trace};

struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("a callsite nobody met before");
        info_span!("request", user = "carol").in_scope(|| debug!("not carol"));
        f.write_str("bob")
    }
}

#[test]
fn levels_and_span_directives_hold_under_the_global_subscriber() {
    let memory = MemorySink::new();
    let handle = QueueLayer::builder()
        .config(quiet("info,[request{user=bob}]=trace"))
        .sink(
            "memory",
            Accepts::all().directives("trace,logwell=off".parse().unwrap()),
            memory.clone(),
        )
        .init()
        .unwrap();
    let said = |what: &dyn Fn()| {
        what();
        handle.flush(SOON).unwrap();
        memory.take().iter().map(|record| record.message().into_owned()).collect::<Vec<_>>()
    };

    let chatty = || info_span!("request", user = ?Chatty).in_scope(|| debug!("bob"));
    assert_eq!(said(&chatty), ["a callsite nobody met before", "bob"]);

    let evaluated = Cell::new(0);
    let all = || {
        trace!("trace {}", evaluated.replace(evaluated.get() + 1));
        debug!(target: "other", "debug");
        info!("info");
        logwell::critical!("critical");
    };
    assert_eq!(said(&all), ["info", "critical"]);
    assert_eq!(evaluated.get(), 0);
    handle.set_level("info,filters_global=trace").unwrap();
    assert_eq!(said(&all), ["trace 0", "info", "critical"]);
    handle.set_level("critical").unwrap();
    assert_eq!(said(&all), ["critical"]);
    handle.set_level("off").unwrap();
    assert_eq!(said(&all), [""; 0]);
    assert!(!logwell::enabled!(tracing::Level::ERROR));
    handle.set_level("debug").unwrap();
    assert_eq!(said(&all), ["debug", "info", "critical"]);
    assert!(logwell::enabled!(tracing::Level::DEBUG));
    assert_eq!(evaluated.get(), 1);
}
