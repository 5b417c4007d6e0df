//! The layer among others: each sees what it asked for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::support;

use logwell::sink::{Accepts, MemorySink};
use logwell::{LoggingContext, LoggingHandle, QueueLayer};
use std::sync::{Arc, Mutex};
use support::{SOON, quiet, span_names};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber, debug, debug_span, error, info, info_span, trace, warn};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;

/// Another layer: remembers messages with the spans around them.
#[derive(Clone, Default)]
struct Other(Arc<Mutex<Vec<String>>>);

impl Other {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Other {
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut line = Message(String::new());
        event.record(&mut line);
        let names = ctx.event_scope(event).into_iter().flatten().map(|span| span.name());
        let names: Vec<_> = names.collect();
        self.0.lock().unwrap().push(format!("{}{names:?}", line.0).replace("[]", ""));
    }
}

struct Ours {
    layer: Option<QueueLayer>,
    memory: MemorySink,
    handle: LoggingHandle,
}

/// A layer of ours with that level.
fn ours(level: &str) -> Ours {
    let memory = MemorySink::new();
    let (layer, handle) = QueueLayer::builder()
        .config(quiet(level))
        .sink(
            "memory",
            Accepts::all().directives("trace,logwell=off".parse().unwrap()),
            memory.clone(),
        )
        .build()
        .unwrap();
    Ours { layer: Some(layer), memory, handle }
}

impl Ours {
    fn layer(&mut self) -> QueueLayer {
        self.layer.take().unwrap()
    }

    fn messages(&self) -> Vec<String> {
        self.handle.flush(SOON).unwrap();
        self.memory.messages()
    }

    fn json(&self) -> Vec<serde_json::Value> {
        self.handle.flush(SOON).unwrap();
        self.memory.json()
    }
}

fn say() {
    trace!("trace");
    debug!("debug");
    info!("info");
    error!("error");
}

#[test]
fn the_layer_does_not_disable_events_for_others_in_either_order() {
    for ours_first in [true, false] {
        let (mut ours, other) = (ours("info"), Other::default());
        let layer = ours.layer();
        if ours_first {
            with_default(Registry::default().with(layer).with(other.clone()), say);
        } else {
            with_default(Registry::default().with(other.clone()).with(layer), say);
        }
        assert_eq!(ours.messages(), ["info", "error"]);
        assert_eq!(other.seen(), ["trace", "debug", "info", "error"]);
    }
}

#[test]
fn the_other_layers_own_filter_does_not_reach_ours() {
    for ours_first in [true, false] {
        let (mut ours, other) = (ours("debug"), Other::default());
        let layer = ours.layer();
        let body = || {
            let _span = info_span!("span").entered();
            say();
        };
        if ours_first {
            let filtered = other.clone().with_filter(LevelFilter::ERROR);
            with_default(Registry::default().with(layer).with(filtered), body);
        } else {
            let filtered = other.clone().with_filter(LevelFilter::ERROR);
            with_default(Registry::default().with(filtered).with(layer), body);
        }
        assert_eq!(ours.messages(), ["debug", "info", "error"]);
        assert_eq!(span_names(&ours.json()[0]), ["span"]);
        assert_eq!(other.seen(), ["error"]);
    }
}

#[test]
fn a_global_filter_layer_counts_for_ours_too() {
    let mut ours = ours("debug");
    let subscriber = Registry::default().with(ours.layer()).with(LevelFilter::WARN);
    with_default(subscriber, say);
    assert_eq!(ours.messages(), ["error"]);
}

#[test]
fn ours_filtering_globally_decides_for_all() {
    let memory = MemorySink::new();
    let (layer, handle) = QueueLayer::builder()
        .config(quiet("info"))
        .filter_globally(true)
        .sink("memory", Accepts::all(), memory.clone())
        .build()
        .unwrap();
    let other = Other::default();
    with_default(Registry::default().with(other.clone()).with(layer), say);
    handle.flush(SOON).unwrap();
    assert_eq!(other.seen(), ["info", "error"]);
}

#[test]
fn two_layers_of_ours_with_different_levels_each_take_their_own() {
    let (mut fine, mut coarse) = (ours("debug"), ours("warn"));
    with_default(Registry::default().with(fine.layer()).with(coarse.layer()), || {
        let outer = info_span!("info span", status = tracing::field::Empty).entered();
        let inner = tracing::warn_span!("warn span").entered();
        outer.record("status", 200);
        debug!("debug");
        warn!("warn");
        drop(inner);
        error!("error");
    });
    assert_eq!(fine.messages(), ["debug", "warn", "error"]);
    assert_eq!(coarse.messages(), ["warn", "error"]);
    assert_eq!(span_names(&fine.json()[1]), ["info span", "warn span"]);
    assert_eq!(fine.json()[1]["spans"][0]["status"], 200);
    assert_eq!(span_names(&coarse.json()[0]), ["warn span"]);
    assert_eq!(span_names(&coarse.json()[1]), [""; 0]);
}

#[test]
fn a_context_reaches_both_of_two_layers() {
    let (mut a, mut b) = (ours("info"), ours("info"));
    with_default(Registry::default().with(a.layer()).with(b.layer()), || {
        let _outer = info_span!("outer").entered();
        let _context = LoggingContext::new().trace_id("abc-123").with("user", 7).enter();
        info!("in the context");
        info_span!("inner").in_scope(|| info!("in a span in it"));
    });
    for ours in [a, b] {
        for record in ours.json() {
            assert_eq!(
                (record["trace_id"].as_str(), record["user"].as_u64()),
                (Some("abc-123"), Some(7))
            );
            assert_eq!(span_names(&record)[0], "outer");
        }
        assert_eq!(span_names(&ours.json()[1]), ["outer", "inner"]);
    }
}

#[test]
fn a_context_in_a_span_that_one_of_two_layers_sees_shows_it_to_that_one_only() {
    for fine_first in [true, false] {
        let (mut fine, mut coarse) = (ours("info"), ours("warn"));
        let body = || {
            let span = info_span!("fine only", late = tracing::field::Empty).entered();
            let _context = LoggingContext::new().with("k", 1).enter();
            span.record("late", 1);
            warn!("in the context");
        };
        let (a, b) = match fine_first {
            true => (fine.layer(), coarse.layer()),
            false => (coarse.layer(), fine.layer()),
        };
        with_default(Registry::default().with(a).with(b), body);
        let (fine, coarse) = (fine.json(), coarse.json());
        assert_eq!((&fine[0]["k"], &coarse[0]["k"]), (&1.into(), &1.into()));
        assert_eq!((span_names(&fine[0]), span_names(&coarse[0])), (vec!["fine only"], vec![]));
        assert_eq!(fine[0]["spans"][0]["late"], 1);
        assert_eq!(fine[0]["trace_id"], coarse[0]["trace_id"]);
    }
}

#[test]
fn a_filter_of_tracing_subscriber_can_be_put_on_our_layer() {
    let mut ours = ours("trace");
    let other = Other::default();
    let filter = filter_fn(|metadata| {
        metadata.name() != "hidden" && *metadata.level() <= tracing::Level::INFO
    });
    let subscriber = Registry::default().with(ours.layer().with_filter(filter)).with(other.clone());
    with_default(subscriber, || {
        let _shown = info_span!("shown").entered();
        let hidden = info_span!("hidden").entered();
        info!("in the hidden one");
        let _below = info_span!("below").entered();
        info!(parent: &hidden.exit(), "by its parent");
        debug!("refused");
        info!("below");
        let _context = LoggingContext::new().with("k", 1).enter();
        info!("in a context");
    });
    assert_eq!(ours.messages(), ["in the hidden one", "by its parent", "below", "in a context"]);
    let records = ours.json();
    assert_eq!(span_names(&records[0]), ["shown"]);
    assert_eq!(span_names(&records[2]), ["shown", "below"]);
    assert_eq!((span_names(&records[3]), &records[3]["k"]), (vec!["shown", "below"], &1.into()));
    assert_eq!(other.seen().len(), 5);
}

#[test]
fn an_env_filter_can_be_put_on_our_layer() {
    let mut ours = ours("trace");
    let filter = EnvFilter::new("info,[request{user=7}]=trace");
    with_default(Registry::default().with(ours.layer().with_filter(filter)), || {
        trace!("outside");
        info_span!("request", user = 7).in_scope(|| trace!("inside"));
    });
    assert_eq!(ours.messages(), ["inside"]);
}

#[test]
fn an_optional_layer_that_is_there_logs_and_one_that_is_not_disables_nobody() {
    let mut ours = ours("info");
    let other = Other::default();
    with_default(Registry::default().with(Some(ours.layer())).with(other.clone()), say);
    assert_eq!(ours.messages(), ["info", "error"]);
    assert_eq!(other.seen().len(), 4);

    let other = Other::default();
    with_default(Registry::default().with(None::<QueueLayer>).with(other.clone()), say);
    assert_eq!(other.seen().len(), 4);
}

#[test]
fn boxed_layers_and_vectors_of_layers_work() {
    let (mut a, mut b, other) = (ours("info"), ours("error"), Other::default());
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        vec![a.layer().boxed(), other.clone().boxed(), b.layer().boxed()];
    with_default(Registry::default().with(layers), || {
        let _span = info_span!("span").entered();
        let _context = LoggingContext::new().with("k", 1).enter();
        say();
    });
    assert_eq!(a.messages(), ["info", "error"]);
    assert_eq!(b.messages(), ["error"]);
    assert_eq!(other.seen().len(), 4);
    assert_eq!(a.json()[0]["k"], 1);
    assert_eq!(span_names(&a.json()[0]), ["span"]);
}

#[test]
fn our_layer_can_be_put_in_and_taken_out_by_reload() {
    let mut ours = ours("info");
    let (slot, reload) = reload::Layer::new(None::<QueueLayer>);
    with_default(Registry::default().with(slot), || {
        let span = info_span!("made before").entered();
        info!("before");
        reload.reload(Some(ours.layer())).unwrap();
        info!("while it is there");
        info_span!("made after").in_scope(|| {
            info!("in a span");
            LoggingContext::new().with("k", 1).in_scope(|| info!("in a context"));
        });
        reload.reload(None).unwrap();
        info!("after");
        drop(span);
    });
    assert_eq!(ours.messages(), ["while it is there", "in a span", "in a context"]);
    let records = ours.json();
    assert_eq!(span_names(&records[1]), ["made after"]);
    assert_eq!((span_names(&records[2]), &records[2]["k"]), (vec!["made after"], &1.into()));
    assert_eq!(records[1]["trace_id"], records[2]["trace_id"]);
}

#[test]
fn other_layers_see_a_critical_event_as_an_error_with_a_marker() {
    let other = Other::default();
    let errors = other.clone().with_filter(LevelFilter::ERROR);
    with_default(Registry::default().with(errors), || logwell::critical!("bad"));
    assert_eq!(other.seen(), ["bad"]);
}

#[test]
fn spans_of_others_and_ours_can_be_left_in_any_order() {
    let (mut ours, other) = (ours("info"), Other::default());
    let subscriber = Registry::default().with(ours.layer()).with(other.clone());
    with_default(subscriber, || {
        let unseen = debug_span!("unseen by ours").entered();
        let seen = info_span!("seen").entered();
        info!("both");
        drop(unseen);
        info!("one");
        drop(seen);
        info!("none");
    });
    let names: Vec<_> = ours.json().iter().map(|record| span_names(record).len()).collect();
    assert_eq!(names, [1, 1, 0]);
    assert_eq!(other.seen()[0], "both[\"seen\", \"unseen by ours\"]");
}

#[test]
fn a_log_record_is_judged_by_its_real_target_by_each_layer() {
    support::global(); // from here on the process's `log` logger is tracing's
    let (mut fine, mut coarse) = (ours("off,orders=debug"), ours("info,orders=off"));
    let mut spans = ours("off,orders=info,[request]=trace");
    let subscriber =
        Registry::default().with(fine.layer()).with(coarse.layer()).with(spans.layer());
    with_default(subscriber, || {
        log::debug!(target: "orders", "orders at debug");
        log::info!(target: "orders", "orders at info");
        log::debug!(target: "others", "others at debug");
        log::info!(target: "others", "others at info");
        logwell::Logger::new("orders").critical("orders at critical");
        logwell::Logger::new("others").critical("others at critical");
    });
    assert_eq!(fine.messages(), ["orders at debug", "orders at info", "orders at critical"]);
    assert_eq!(coarse.messages(), ["others at info", "others at critical"]);
    assert_eq!(spans.messages(), ["orders at info", "orders at critical"]);
}
