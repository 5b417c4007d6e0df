//! What a pipeline counts of itself: records by logger, spans, losses; and the page it serves.

use logwell::config::{LoggingConfig, WhenFull};
use logwell::metrics::{Format, Registry};
use logwell::sink::{Accepts, MemorySink};
use logwell::testing::{CapturedLogs, capture, capture_with};
use logwell::{Level, LoggingContext, LoggingHandle, QueueLayer};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use tracing_subscriber::layer::SubscriberExt as _;

fn config() -> LoggingConfig {
    LoggingConfig::builder().log_level("trace").files(false).console(false).build().unwrap()
}

fn page(handle: &LoggingHandle) -> String {
    handle.metrics().render(Format::Text)
}

/// The value of the first line that begins so.
fn value(page: &str, start: &str) -> f64 {
    let line = page.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no {start} in {page}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn sum(page: &str, start: &str) -> f64 {
    let lines = page.lines().filter(|line| line.starts_with(start));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn settled(logs: &CapturedLogs) -> String {
    drop(logs.records());
    page(logs.handle())
}

#[test]
fn records_are_counted_by_logger_and_level_with_the_sixth_level_and_the_log_crate() {
    let logs = capture();
    for _ in 0..3 {
        tracing::info!(target: "shop", "sold");
    }
    tracing::info!(target: "shop", "from another place");
    logwell::critical!(target: "shop", "out of stock");
    let page = settled(&logs);
    assert_eq!(value(&page, "log_records_total{level=\"INFO\",logger=\"shop\"}"), 4.0);
    assert_eq!(value(&page, "log_records_total{level=\"CRITICAL\",logger=\"shop\"}"), 1.0);
    assert_eq!(value(&page, "log_records_total{level=\"ERROR\",logger=\"shop\"}"), 0.0);
}

#[test]
fn records_by_logger_and_what_is_in_the_queue_are_all_that_were_captured_under_load_too() {
    let mut config = config();
    config.queue.size = 64;
    config.queue.when_full = WhenFull::Drop;
    let (layer, handle) = QueueLayer::builder()
        .config(config)
        .sink("memory", Accepts::all(), MemorySink::new())
        .build()
        .unwrap();
    let dispatch = tracing::Dispatch::from(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    for number in 0..5_000 {
                        tracing::info!(target: "a", number, "one");
                        tracing::warn!(target: "b", number, "two");
                    }
                });
            });
        }
    });
    handle.shutdown();
    let (page, stats) = (page(&handle), handle.stats());
    assert_eq!(stats.captured(), 40_000);
    assert!(stats.dropped.total() > 0, "the queue was never full");
    assert_eq!(sum(&page, "log_records_total{"), 40_000.0);
    assert_eq!(value(&page, "log_records_total{level=\"WARN\",logger=\"b\"}"), 20_000.0);
    let dropped = stats.dropped.get(Level::Info, logwell::stats::Reason::Full);
    let start = "logwell_records_dropped_total{level=\"INFO\",reason=\"full\"}";
    assert_eq!(value(&page, start), dropped as f64);
}

#[test]
fn every_counter_of_the_statistics_is_on_the_page() {
    let logs = capture();
    tracing::info!(password = "hunter2", "signed in");
    let page = settled(&logs);
    for (start, number) in [
        ("logwell_records_received_total{level=\"INFO\"}", 1.0),
        ("logwell_queue_records", 0.0),
        ("logwell_queue_bytes", 0.0),
        ("logwell_queue_size_records", 10_000.0),
        ("logwell_own_records_total", 0.0),
        ("logwell_redacted_values_total", 1.0),
        ("logwell_unformatted_values_total", 0.0),
        ("logwell_unprotected_records_total", 0.0),
        ("logwell_health_problems", 0.0),
        ("logwell_sink_routed_total{sink=\"memory\"}", 1.0),
        ("logwell_sink_written_total{sink=\"memory\"}", 1.0),
        ("logwell_sink_in_hand{sink=\"memory\"}", 0.0),
        ("logwell_sink_dropped_total{sink=\"memory\",reason=\"lost\"}", 0.0),
        ("logwell_sink_panics_total{sink=\"memory\"}", 0.0),
        ("logwell_sink_errors_total{sink=\"memory\"}", 0.0),
        ("logwell_sink_failing{sink=\"memory\"}", 0.0),
    ] {
        assert_eq!(value(&page, start), number, "{start}");
    }
}

#[tracing::instrument(err)]
fn pay(amount: i32) -> Result<(), String> {
    if amount < 0 { Err("negative".to_owned()) } else { Ok(()) }
}

#[test]
fn instrumented_functions_are_timed_by_name_and_outcome() {
    let logs = capture();
    let (_, _, _) = (pay(1), pay(2), pay(-1));
    // What failed inside and was dealt with outside is no failure of the outer one.
    tracing::info_span!("outer").in_scope(|| {
        tracing::info_span!("inner").in_scope(|| tracing::error!("in the inner one"));
    });
    // A field says so, as OpenTelemetry names it; recorded later as well.
    drop(tracing::info_span!("typed", error.type = "timeout"));
    let late = tracing::info_span!("late", otel.status_code = tracing::field::Empty);
    late.record("otel.status_code", "ERROR");
    drop(late);
    // An event belongs to the span it names.
    let named = tracing::info_span!("named");
    tracing::info_span!("around").in_scope(|| tracing::error!(parent: &named, "of the named one"));
    tracing::info_span!("root").in_scope(|| tracing::error!(parent: None, "of none"));
    drop(named);
    let page = settled(&logs);
    for (span, ok, error) in [
        ("pay", 2.0, 1.0),
        ("outer", 1.0, 0.0),
        ("inner", 0.0, 1.0),
        ("typed", 0.0, 1.0),
        ("late", 0.0, 1.0),
        ("named", 0.0, 1.0),
        ("around", 1.0, 0.0),
        ("root", 1.0, 0.0),
    ] {
        let count = |outcome: &str| {
            let labels = format!("{{span=\"{span}\",outcome=\"{outcome}\"}}");
            sum(&page, &format!("span_duration_seconds_count{labels}"))
        };
        assert_eq!((count("ok"), count("error")), (ok, error), "{span}");
    }
}

#[test]
fn only_wanted_spans_are_timed() {
    let mut config = config();
    config.metrics.spans = "paid, sent".to_owned();
    let logs = capture_with(config);
    for _ in 0..2 {
        drop((tracing::info_span!("paid"), tracing::info_span!("other")));
    }
    let page = settled(&logs);
    assert_eq!(value(&page, "span_duration_seconds_count{span=\"paid\""), 2.0);
    assert!(!page.contains("other"), "{page}");
}

#[test]
fn a_bucket_names_the_trace_of_an_observation_if_that_trace_is_sampled() {
    let logs = capture();
    let metrics = logs.handle().metrics();
    let seconds = metrics.histogram("payment_seconds", "Payments.", &[1.0]);
    let paid = metrics.counter("paid_total", "Paid.");
    let observe = |flags: &str, value: f64| {
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
        LoggingContext::from_headers(Some(&parent), None).in_scope(|| {
            seconds.observe(value);
            paid.add_traced(1);
        });
    };
    observe("00", 0.25);
    let open = || metrics.render(Format::OpenMetrics);
    assert!(!open().contains("4bf92f3577b34da6a3ce929d0e0e4736"));
    observe("01", 0.5);
    let page = open();
    let ids = "{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"00f067aa0ba902b7\"}";
    assert!(
        page.contains(&format!("payment_seconds_bucket{{le=\"1.0\"}} 2 # {ids} 0.5 ")),
        "{page}"
    );
    assert!(page.contains(&format!("paid_total 2 # {ids} 1.0 ")), "{page}");
    assert!(page.ends_with("# EOF\n"));
    let text = metrics.render(Format::Text);
    assert!(!text.contains("trace_id"), "the older format has no exemplars");

    // A span has its own.
    tracing::info_span!("charge", trace_id = "order-7").in_scope(|| ());
    let lines = open();
    let line = lines.lines().find(|line| line.contains("span=\"charge\"") && line.contains('#'));
    assert!(line.unwrap().contains("trace_id=\"order-7\""), "{line:?}");
}

#[test]
fn a_metric_with_too_many_series_is_named_in_the_log_by_its_label() {
    let mut config = config();
    config.metrics.max_series = 10;
    let logs = capture_with(config);
    let seen = logs.handle().metrics().counters("seen_total", "Seen.", ["kind", "user"]);
    for user in 0..50 {
        seen.with(["a", &user.to_string()]).inc();
    }
    let records: Vec<_> =
        logs.json().into_iter().filter(|record| record["kind"] == "logwell.metrics").collect();
    assert_eq!(records.len(), 1, "said once");
    let record = &records[0];
    assert_eq!((&record["level"], &record["metric"]), (&"WARN".into(), &"seen_total".into()));
    assert_eq!((&record["label"], &record["label_values"]), (&"user".into(), &10.into()));
}

#[test]
fn a_mistake_with_a_name_is_a_problem_of_health() {
    let logs = capture();
    assert!(logs.handle().health().is_healthy());
    let _detached = logs.handle().metrics().counter("no name", "Oh.");
    let health = logs.handle().health().to_string();
    assert!(health.contains("metrics: \"no name\" cannot be the name of a metric"), "{health}");
}

#[test]
fn what_is_switched_off_is_not_measured_and_the_programs_own_metrics_still_are() {
    let mut config = config();
    config.metrics.enabled = false;
    let logs = capture_with(config);
    tracing::info_span!("a").in_scope(|| tracing::error!("b"));
    logs.handle().metrics().counter("own_total", "Own.").inc();
    let page = settled(&logs);
    assert!(page.starts_with("# HELP own_total") && !page.contains("span"), "{page}");
    assert!(!page.contains("log_records") && !page.contains("process_"), "{page}");
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_page_is_served_until_logging_ends() {
    let mut config = config();
    config.metrics.listen = "127.0.0.1:0".to_owned();
    let registry = Registry::new();
    registry.counter("mine_total", "Mine.").inc();
    let (_layer, handle) = QueueLayer::builder().config(config).metrics(registry).build().unwrap();
    let address = handle.metrics_address().unwrap();
    let page = get(address, "/metrics").unwrap();
    assert!(page.contains("\nmine_total 1\n") && page.contains("\nprocess_threads "), "{page}");
    handle.shutdown();
    assert!(get(address, "/metrics").is_err() || get(address, "/metrics").unwrap().is_empty());
    assert!(handle.metrics().render(Format::Text).contains("mine_total"));
}

#[test]
fn a_pipeline_that_is_gone_leaves_the_page_to_the_next_one() {
    let registry = Registry::new();
    for count in [3, 5] {
        let memory = MemorySink::new();
        let (layer, handle, mut listener) = QueueLayer::builder()
            .config(config())
            .metrics(registry.clone())
            .sink("memory", Accepts::all(), memory)
            .build_stepped()
            .unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            (0..count).for_each(|_| tracing::info!(target: "shop", "sold"));
        });
        listener.step();
        let page = page(&handle);
        let start = "log_records_total{level=\"INFO\",logger=\"shop\"}";
        assert_eq!(value(&page, start), f64::from(count));
        assert_eq!(value(&page, "logwell_sink_written_total"), f64::from(count));
    }
}

#[test]
fn an_address_without_a_port_and_one_in_use_are_refused_with_their_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (address, words) in [
        ("localhost", "metrics.listen: \"localhost\" is not an address with a port"),
        (":9464", "is not an address with a port"),
        (address.as_str(), "(metrics.listen)"),
    ] {
        let mut config = config();
        config.metrics.listen = address.to_owned();
        let error = QueueLayer::builder().config(config).build().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
