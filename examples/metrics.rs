//! Counts, times and shows: metrics of a program of its own, of its spans and of its logging, on a
//! page for Prometheus.
//!
//! ```sh
//! cargo run --features metrics --example metrics
//! ```
//!
//! shows the page once and ends. With `--serve` it works on until Ctrl-C, for
//! `curl -H 'Accept: application/openmetrics-text' http://127.0.0.1:9464/metrics`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::metrics::{self, Counter, Family, Format, Histogram, Kind};
use logwell::{LoggingConfig, init_logging_with, shutdown_logging};
use std::error::Error;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Created once, where they are used; before or after logging is set up.
static PAID: LazyLock<Family<Counter, 1>> = LazyLock::new(|| {
    metrics::global().counters("shop_orders_paid_total", "Orders paid.", ["method"])
});
static PAYMENT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    let buckets = [0.001, 0.002, 0.005, 0.01, 0.05];
    metrics::global().histogram("shop_payment_seconds", "Payments.", &buckets)
});

/// Somebody else's number, asked for at each scrape.
static POOL_IDLE: AtomicU64 = AtomicU64::new(4);

/// Its duration is `span_duration_seconds{span="pay",outcome="ok"}`, or `"error"`.
#[tracing::instrument(err)]
fn pay(order: u32) -> Result<(), String> {
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(u64::from(order % 4)));
    PAYMENT_SECONDS.observe_duration(start.elapsed()); // with the span's trace as exemplar
    if order.is_multiple_of(10) {
        return Err(format!("order {order}: the card was refused"));
    }
    PAID.with([if order.is_multiple_of(3) { "invoice" } else { "card" }]).inc();
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_serving = std::env::args().any(|argument| argument == "--serve");
    let directory = std::env::temp_dir().join(format!("logwell-metrics-{}", std::process::id()));
    let mut config = LoggingConfig::builder().log_dir(&directory).console(is_serving).build()?;
    config.metrics.listen = if is_serving { "127.0.0.1:9464" } else { "127.0.0.1:0" }.to_owned();
    let handle = init_logging_with(config)?;

    metrics::global().collect(|page| {
        page.family(Kind::Gauge, "shop_pool_idle", "Idle connections.")
            .sample(&[], POOL_IDLE.load(Ordering::Relaxed));
    });
    let orders = if is_serving { u32::MAX } else { 30 };
    for order in 1..=orders {
        let _it_is_logged_and_counted = pay(order);
    }

    handle.flush(Duration::from_secs(5))?;
    println!("{}", metrics::global().render(Format::OpenMetrics));
    if let Some(address) = handle.metrics_address() {
        println!("Prometheus could have had this page from http://{address}/metrics");
    }
    println!("{}", shutdown_logging());
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
