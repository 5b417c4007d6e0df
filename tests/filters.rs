//! Filters: which events and spans are captured, by directives, in both ways of filtering.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use logwell::sink::{Accepts, MemorySink};
use logwell::testing::{self, CapturedLogs};
use logwell::{LoggingHandle, QueueLayer};
use std::cell::Cell;
use std::sync::{Arc, Mutex};
use support::{SOON, quiet, span_names};
use tracing::subscriber::with_default;
use tracing::{Level, debug, error, info, info_span, trace, warn};
use tracing_subscriber::layer::SubscriberExt as _;

/// A pipeline whose layer decides for the whole subscriber, under a scoped subscriber.
fn globally(level: &str, body: impl FnOnce(&LoggingHandle)) -> Vec<String> {
    let memory = MemorySink::new();
    let (layer, handle) = QueueLayer::builder()
        .config(quiet(level))
        .filter_globally(true)
        .sink("memory", Accepts::all(), memory.clone())
        .build()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), || body(&handle));
    handle.flush(SOON).unwrap();
    let mut records = memory.take();
    records.retain(|record| record.target() != "logwell");
    records.iter().map(|record| record.message().into_owned()).collect()
}

/// The same for a layer that decides only for itself.
fn by_itself(level: &str, body: impl FnOnce(&LoggingHandle)) -> Vec<String> {
    let logs = testing::capture_with(quiet(level));
    body(logs.handle());
    logs.messages()
}

/// Checks that both ways of filtering let `expected` pass.
#[track_caller]
fn check(level: &str, body: impl Fn(&LoggingHandle), expected: &[&str]) {
    assert_eq!(globally(level, &body), expected, "globally");
    assert_eq!(by_itself(level, &body), expected, "by itself");
}

/// What the record of the start says of a filter's silence.
fn silence(level: &str) -> Option<String> {
    let memory = MemorySink::new();
    let builder = QueueLayer::builder().config(quiet(level));
    let (_layer, handle) = builder.sink("memory", Accepts::all(), memory.clone()).build().unwrap();
    handle.flush(SOON).unwrap();
    handle.shutdown();
    let started = memory.json().into_iter().find(|record| record["kind"] == "logwell.started");
    started.unwrap()["silent"].as_str().map(str::to_owned)
}

#[test]
fn a_filter_that_is_silent_without_saying_so_is_told_when_logging_starts() {
    for level in ["info", "off", "error", "warn,hyper=off", "error,my_crate=debug"] {
        assert_eq!(silence(level), None, "{level}");
    }
    for level in ["some_target", "off,my_crate=debug", "hyper=off", "warn,off", "critical"] {
        let told = silence(level).unwrap();
        assert!(told.contains(level) && told.starts_with("level: "), "{told}");
    }
}

#[test]
fn each_odd_filter_that_is_set_is_told_however_soon_after_another() {
    let told = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&told);
    logwell::set_self_log(move |line| lines.lock().unwrap().push_str(line));
    let config = quiet("info,my-app=debug,good_app=debug");
    let (_layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    let filters = ["off,first=trace", "off,second=trace"];
    for filter in filters {
        handle.set_level(filter).unwrap();
    }
    handle.set_level("info,my-lib::http=debug").unwrap();
    handle.shutdown();
    let told = told.lock().unwrap();
    for filter in filters {
        assert!(told.contains(&format!("level: `{filter}`")), "{told}");
    }
    for (written, meant) in [("my-app", "my_app"), ("my-lib::http", "my_lib::http")] {
        let hyphen = format!("level: `{written}`");
        assert_eq!(told.matches(&hyphen).count(), 1, "{told}");
        assert!(told.contains(&format!("did you mean `{meant}`?")), "{told}");
    }
    assert!(!told.contains("good_app"), "{told}");
}

fn all_levels(_: &LoggingHandle) {
    trace!("trace");
    debug!("debug");
    info!("info");
    warn!("warn");
    error!("error");
    logwell::critical!("critical");
}

#[test]
fn a_level_lets_itself_and_more_important_ones_pass() {
    let all = ["trace", "debug", "info", "warn", "error", "critical"];
    for (at, level) in all.iter().enumerate() {
        check(level, all_levels, &all[at..]);
    }
    check("off", all_levels, &[]);
}

#[test]
fn a_target_has_a_level_of_its_own_and_the_longest_wins() {
    let body = |_: &LoggingHandle| {
        debug!(target: "a::noisy", "refused by a::noisy");
        debug!(target: "a", "taken by a");
        debug!(target: "a::b", "taken by a for a::b");
        warn!(target: "a::noisy::deep", "taken by a::noisy");
        debug!(target: "other", "refused by default");
        error!(target: "muted", "refused by muted");
    };
    check(
        "info,a=debug,a::noisy=warn,muted=off",
        body,
        &["taken by a", "taken by a for a::b", "taken by a::noisy"],
    );
}

#[test]
fn critical_alone_can_be_asked_of_a_target() {
    let body = |_: &LoggingHandle| {
        error!(target: "pool", "error");
        logwell::critical!(target: "pool", "critical");
        logwell::critical!(target: "elsewhere", "elsewhere");
    };
    check("off,pool=critical", body, &["critical"]);
}

#[test]
fn a_span_directive_counts_inside_the_span_with_that_value() {
    let body = |_: &LoggingHandle| {
        debug!("outside");
        info_span!("request", user = 7).in_scope(|| {
            debug!("user 7");
            info_span!("below").in_scope(|| trace!("below user 7"));
        });
        info_span!("request", user = 8).in_scope(|| debug!("user 8"));
        info_span!("other", user = 7).in_scope(|| debug!("other span"));
        debug!("outside again");
        info!("always");
    };
    check("info,[request{user=7}]=trace", body, &["user 7", "below user 7", "always"]);
}

#[test]
fn a_span_directive_sees_a_value_that_is_recorded_later() {
    let body = |_: &LoggingHandle| {
        let span = info_span!("request", user = tracing::field::Empty);
        span.in_scope(|| debug!("before"));
        span.record("user", 7);
        span.in_scope(|| debug!("after")); // as with `EnvFilter`: from the next entry on
    };
    check("info,[request{user=7}]=debug", body, &["after"]);
}

#[test]
fn a_directive_by_span_name_counts_inside_it() {
    let body = |_: &LoggingHandle| {
        info_span!("wanted").in_scope(|| trace!("inside"));
        trace!("outside");
    };
    check("warn,[wanted]=trace", body, &["inside"]);
}

#[test]
fn the_level_changes_at_run_time_for_callsites_that_were_used_before() {
    let body = |handle: &LoggingHandle| {
        let say = |n: u8| {
            debug!("debug {n}");
            info!("info {n}");
        };
        say(0);
        handle.set_level("debug").unwrap();
        say(1);
        handle.set_level("warn").unwrap();
        say(2);
        handle.set_level("info,filters=trace").unwrap();
        say(3);
        handle.set_level("off").unwrap();
        say(4);
        handle.set_level("info").unwrap();
        say(5);
    };
    check("info", body, &["info 0", "debug 1", "info 1", "debug 3", "info 3", "info 5"]);
}

#[test]
fn span_directives_come_and_go_at_run_time() {
    let body = |handle: &LoggingHandle| {
        let say = |n: u8| info_span!("request", user = 7).in_scope(|| debug!("debug {n}"));
        say(0);
        handle.set_level("info,[request{user=7}]=debug").unwrap();
        say(1);
        handle.set_level("info").unwrap();
        say(2);
    };
    check("info", body, &["debug 1"]);
}

#[test]
fn a_wrong_level_changes_nothing() {
    let body = |handle: &LoggingHandle| {
        let error = handle.set_level("inf0").unwrap_err();
        assert!(error.to_string().contains("did you mean"), "{error}");
        debug!("debug");
        info!("info");
    };
    check("info", body, &["info"]);
}

#[test]
fn the_level_can_change_while_spans_are_entered() {
    let logs = testing::capture_with(quiet("info"));
    let outer = info_span!("outer").entered();
    logs.handle().set_level("error").unwrap();
    let unseen = info_span!("unseen").entered();
    error!("while errors only");
    logs.handle().set_level("trace").unwrap();
    trace!("while everything");
    drop(unseen);
    drop(outer);
    trace!("outside");
    let records = logs.json();
    assert_eq!(span_names(&records[0]), ["outer"]);
    assert_eq!(span_names(&records[1]), ["outer"]);
    assert_eq!(records[2].get("spans"), None);
}

#[test]
fn arguments_of_what_is_disabled_are_not_evaluated() {
    let count = Cell::new(0);
    let costly = || count.replace(count.get() + 1);
    let messages = globally("info", |handle| {
        debug!(a = costly(), "{}", costly());
        tracing::trace_span!("span", a = costly()).in_scope(|| ());
        assert_eq!(count.get(), 0);
        handle.set_level("debug").unwrap();
        debug!(a = costly(), "now");
    });
    assert_eq!((messages, count.get()), (vec!["now".to_owned()], 1));
}

#[test]
fn enabled_says_what_the_directives_say() {
    globally("info,chatty=debug", |handle| {
        assert!(logwell::enabled!(Level::INFO));
        assert!(!logwell::enabled!(Level::DEBUG));
        assert!(logwell::enabled!(target: "chatty", Level::DEBUG));
        assert!(!logwell::enabled!(target: "chatty", Level::TRACE));
        handle.set_level("error").unwrap();
        assert!(!logwell::enabled!(target: "chatty", Level::DEBUG));
    });
}

#[test]
fn a_sinks_own_level_does_not_widen_what_is_captured() {
    let memory = MemorySink::new();
    let strict = Accepts::all().directives("trace,filters=warn".parse().unwrap());
    let (layer, handle) = QueueLayer::builder()
        .config(quiet("info"))
        .sink("strict", strict, memory.clone())
        .build()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), || {
        info!("refused by the sink");
        warn!("taken");
        debug!(target: "elsewhere", "never captured");
    });
    handle.flush(SOON).unwrap();
    let messages = memory.messages();
    assert_eq!(messages.last().unwrap(), "taken");
    assert!(
        !messages.iter().any(|message| message.contains("refused") || message.contains("never"))
    );
}

#[test]
fn a_value_that_panics_does_not_hurt_when_a_span_directive_asks_for_it() {
    struct Bad;
    impl std::fmt::Debug for Bad {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in Debug");
        }
    }
    let body = |_: &LoggingHandle| {
        let span = info_span!("request", user = ?Bad, late = tracing::field::Empty);
        span.record("late", tracing::field::debug(Bad));
        span.in_scope(|| info!("inside"));
    };
    check("info,[request{user=bob}]=trace,[request{late=bob}]=trace", body, &["inside"]);
}

#[test]
fn a_value_that_logs_does_not_hang_when_a_span_directive_asks_for_it() {
    struct Chatty;
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!("a callsite nobody met before");
            info_span!("request", user = "carol").in_scope(|| info!("in a span like it"));
            f.write_str("bob")
        }
    }
    let body = |_: &LoggingHandle| {
        info_span!("request", user = ?Chatty).in_scope(|| debug!("inside"));
    };
    // Under a scoped subscriber tracing itself refuses what is logged from inside.
    check("info,[request{user=bob}]=trace", body, &["inside"]);
}

#[test]
fn captured_logs_take_everything() {
    let logs: CapturedLogs = testing::capture();
    all_levels(logs.handle());
    assert_eq!(logs.messages(), ["trace", "debug", "info", "warn", "error", "critical"]);
}
