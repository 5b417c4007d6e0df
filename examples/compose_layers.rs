//! How do I add logwell to a `tracing` registry that has other layers? `QueueLayer::builder()`
//! gives a layer like any other, and the handle to end it with.
//!
//! ```sh
//! cargo run --example compose_layers
//! ```
//!
//! Each layer has its own filter: the terminal shows INFO in the format of `tracing-subscriber`,
//! our own layer counts everything, and logwell writes DEBUG of this program and WARN of the rest
//! to `target/compose_layers-logs` (or where `LOG_DIR` says).

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::{LoggingConfig, QueueLayer};
use std::error::Error;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Counts all events, whatever the other layers do with them.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, _event: &Event<'_>, _context: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // What logwell takes is said in its configuration; it needs no `with_filter`.
    let config = LoggingConfig::builder()
        .log_level("warn,compose_layers=debug")
        .log_dir("target/compose_layers-logs")
        .console(false)
        .build()?
        .with_env(std::env::vars_os())?;
    let app_log = config.files.dir.join("app.log");
    let (queue_layer, logging) = QueueLayer::builder().config(config).build()?;

    let counter = Counter::default();
    let terminal = tracing_subscriber::fmt::layer().with_ansi(std::io::stdout().is_terminal());
    tracing_subscriber::registry()
        .with(terminal.with_filter(LevelFilter::INFO))
        .with(counter.clone())
        .with(queue_layer)
        .try_init()?;

    let _request = tracing::info_span!("request", path = "/buy").entered();
    tracing::trace!("only the counter sees this");
    tracing::debug!("the files have this, the terminal does not");
    tracing::info!(target: "hyper", "the terminal has this, the files do not");
    tracing::warn!(attempt = 2, "and this goes everywhere");

    println!("{} events counted", counter.0.load(Ordering::Relaxed));
    println!("{}", logging.shutdown());
    println!("\n{}, newest first:", app_log.display());
    for line in std::fs::read_to_string(app_log)?.lines().rev().take(3) {
        println!("{line}");
    }
    Ok(())
}
