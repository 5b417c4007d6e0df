//! The façade `metrics` and logwell on one page.

use logwell::metrics::{Format, Registry};
use logwell_metrics::Recorder;
use metrics::{counter, describe_histogram, gauge, histogram, with_local_recorder};
use std::io::Write as _;
use std::process::{Command, Stdio};

fn measured() -> String {
    let registry = Registry::new();
    let recorder = Recorder::new(registry.clone())
        .buckets("db.query", &[0.1, 1.0])
        .buckets("db.query.slow", &[10.0])
        .default_buckets(&[5.0]);
    with_local_recorder(&recorder, || {
        describe_histogram!("db.query.seconds", metrics::Unit::Seconds, "Queries.");
        for table in ["orders", "users", "orders"] {
            counter!("db.queries", "table" => table).increment(1);
        }
        counter!("db.queries", "table" => "users", "host" => "b").increment(5);
        counter!("boots").absolute(7);
        counter!("boots").absolute(3);
        gauge!("pool.idle").set(4.0);
        gauge!("pool.idle").increment(2.0);
        gauge!("pool.idle").decrement(1.0);
        histogram!("db.query.seconds").record(0.5);
        histogram!("db.query.slow.seconds").record(7.0);
        histogram!("other.seconds", "le" => "x").record(7.0);
    });
    assert_eq!(registry.problems(), Vec::<String>::new());
    registry.render(Format::Text)
}

#[test]
fn what_the_facade_is_given_is_on_the_page() {
    let page = measured();
    for line in [
        "db_queries_total{table=\"orders\"} 2\n",
        "db_queries_total{table=\"users\"} 1\n",
        "db_queries_total{host=\"b\",table=\"users\"} 5\n",
        "boots_total 7\n",
        "pool_idle 5.0\n",
        "# HELP db_query_seconds Queries. (seconds)\n",
        "db_query_seconds_bucket{le=\"0.1\"} 0\n",
        "db_query_seconds_bucket{le=\"1.0\"} 1\n",
        "db_query_slow_seconds_bucket{le=\"10.0\"} 1\n",
        "other_seconds_bucket{le_=\"x\",le=\"5.0\"} 0\n",
        "other_seconds_bucket{le_=\"x\",le=\"+Inf\"} 1\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}

#[test]
fn promtool_reads_the_page() {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        assert!(std::env::var_os("CI").is_none(), "promtool is not installed, and this is CI");
        #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
        return eprintln!("SKIPPED: promtool is not installed; this test has checked nothing");
    };
    promtool.stdin.take().unwrap().write_all(measured().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // It finds fault with what the names do not say, and with nothing else.
    let is_about_help = |line: &str| line.contains("no help text");
    assert!(said.lines().all(is_about_help), "{said}");
}
