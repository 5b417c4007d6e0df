//! The layer in a registry of the application's own that is the global subscriber.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use logwell::sink::{Accepts, MemorySink};
use logwell::{LoggingContext, QueueLayer};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{SOON, quiet, span_names};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, debug, info, info_span, warn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Another layer, which formats what it sees and logs while it does.
struct Chatty;

static SEEN: AtomicU32 = AtomicU32::new(0);

impl<S: Subscriber> Layer<S> for Chatty {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        SEEN.fetch_add(1, Ordering::Relaxed);
        if event.metadata().target() == "provokes" {
            info!("from the other layer");
        }
    }
}

struct LogsBelow;

impl fmt::Debug for LogsBelow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug!("from inside, not for the filtered layer");
        f.write_str("value")
    }
}

#[test]
fn other_layers_and_their_filters_do_not_disturb_ours() {
    let (fine, coarse) = (MemorySink::new(), MemorySink::new());
    let build = |level: &str, memory: &MemorySink| {
        let own = Accepts::all().directives("trace,logwell=off".parse().unwrap());
        let builder = QueueLayer::builder().config(quiet(level));
        builder.sink("memory", own, memory.clone()).build().unwrap()
    };
    let (fine_layer, fine_handle) = build("trace", &fine);
    let (coarse_layer, coarse_handle) = build("warn", &coarse);
    let subscriber = tracing_subscriber::registry()
        .with(Chatty.with_filter(LevelFilter::INFO))
        .with(fine_layer)
        .with(coarse_layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let span = info_span!("span", value = ?LogsBelow).entered();
    info!(value = ?LogsBelow, "outside");
    LoggingContext::new().with("k", 1).in_scope(|| warn!(target: "provokes", "in a context"));
    drop(span);
    warn!("after");

    fine_handle.flush(SOON).unwrap();
    coarse_handle.flush(SOON).unwrap();
    let below = "from inside, not for the filtered layer";
    let messages = fine.messages();
    // Each layer that formats the value provokes the inner event.
    for message in [below, "outside", "from the other layer", "in a context", "after"] {
        assert!(messages.iter().any(|other| other == message), "{message}: {messages:?}");
    }
    assert_eq!(coarse.messages(), ["in a context", "after"]);
    let coarse = coarse.json();
    assert_eq!((&coarse[0]["k"], coarse[1].get("spans")), (&1.into(), None));
    let outside = fine.json().into_iter().find(|record| record["message"] == "outside").unwrap();
    assert_eq!((&outside["value"], span_names(&outside)), (&"value".into(), vec!["span"]));
    assert!(SEEN.load(Ordering::Relaxed) >= 3);
    for handle in [fine_handle, coarse_handle] {
        assert!(handle.shutdown().is_lossless());
    }
}
