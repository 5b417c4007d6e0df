//! A real Prometheus scrapes a program of ours, keeps its exemplars, and runs every rule of
//! `deploy/` and every expression of the dashboard.

use logwell::metrics::{Format, SECONDS};
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang.
const LONG: Duration = Duration::from_secs(120);
/// What a metric of ours begins with.
const PREFIXES: [&str; 7] =
    ["log_records", "logwell_", "span_", "process_", "system_", "cgroup_", "http_server_"];
/// What this machine need not have.
const OPTIONAL: &str = "cgroup_";

/// Whether a program is there; if not, says so loudly, or fails if `CI` is set.
fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "{program} is not installed, and this is CI");
        eprintln!("SKIPPED: {program} is not installed; this test has checked nothing");
    }
    there
}

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

/// A pipeline that serves its page, with a destination that does not answer.
fn service(dir: &Path) -> (QueueLayer, LoggingHandle) {
    let mut config = LoggingConfig::builder().console(false).log_dir(dir).build().unwrap();
    config.metrics.listen = "127.0.0.1:0".to_owned();
    #[cfg(feature = "forward")]
    {
        config.forward.logbeacon.enabled = true;
        config.forward.logbeacon.url = "http://127.0.0.1:1/".to_owned().into();
        config.forward.spool_dir = dir.join("spool");
    }
    QueueLayer::builder().config(config).build().unwrap()
}

/// Logs, times spans and observes requests until told otherwise.
fn work(handle: &LoggingHandle, is_over: &AtomicBool) {
    let labels = ["http_request_method", "http_route", "http_response_status_code"];
    let (name, help) = ("http_server_request_duration_seconds", "Requests.");
    let requests = handle.metrics().histograms(name, help, labels, SECONDS);
    let mut number = 0_u32;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        tracing::info_span!("request", number).in_scope(|| {
            tracing::info!(target: "shop", number, password = "hunter2", "request handled");
            if number.is_multiple_of(7) {
                tracing::error!(target: "shop::payment", "payment refused");
            }
            let status = if number.is_multiple_of(11) { "500" } else { "200" };
            requests.with(["GET", "/orders/{id}", status]).observe(f64::from(number % 100) / 50.0);
        });
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A Prometheus of the test's own; it ends with the value.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _it_has_ended = self.child.kill();
        let _it_has_ended = self.child.wait();
    }
}

impl Prometheus {
    fn start(dir: &Path, scraped: SocketAddr) -> Self {
        let rules = deploy("prometheus/logwell.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{rules:?}]\n\
             scrape_configs:\n\
             - job_name: shop\n  static_configs: [{{targets: [\"{scraped}\"]}}]\n"
        );
        fs::write(dir.join("prometheus.yml"), config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("tsdb").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage")
            .arg("--log.level=error")
            .current_dir(dir)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    /// The field `data` of its answer; the message if it answers with an error.
    fn ask(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Value, String> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(LONG)).build().new_agent();
        let url = format!("http://{}/api/v1/{path}", self.address);
        let request = agent.get(url).query_pairs(pairs.iter().copied());
        let mut answer = request.call().map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(text),
        }
    }

    fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let data = self.ask("query", &[("query", expression)])?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// Asks again and again until the answer is as it should be.
    fn wait_for<T>(&self, what: &str, ask: impl Fn() -> Result<Option<T>, String>) -> T {
        let start = Instant::now();
        loop {
            let answer = ask();
            if let Ok(Some(found)) = answer {
                return found;
            }
            let why = answer.err().unwrap_or_default();
            assert!(start.elapsed() < LONG, "{what} did not come: {why}");
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

/// The expressions of the dashboard, as Grafana would send them.
fn dashboard() -> Vec<(String, String)> {
    let text = fs::read_to_string(deploy("grafana/logwell.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let panels = json["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].clone()))
    });
    let sent = |expression: &str| {
        let sent = expression.replace("$__rate_interval", "20s");
        sent.replace("$job", ".*").replace("$instance", ".*")
    };
    targets.map(|(title, expression)| (title, sent(expression.as_str().unwrap()))).collect()
}

/// Names of our metrics in an expression.
fn names(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_label = |word: &&str| ["http_route", "http_response_status_code"].contains(word);
    let ours = words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)));
    ours.filter(|word| !is_label(word) && !word.starts_with("log_records:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn promtool_finds_nothing_to_say_about_the_page() {
    if !has("promtool") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (layer, handle) = service(dir.path());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info_span!("request").in_scope(|| tracing::info!("hello"));
    });
    handle.flush(LONG).unwrap();
    let page = handle.metrics().render(Format::Text);
    handle.shutdown();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    let rules = deploy("prometheus/logwell.rules.yml");
    let output = Command::new("promtool").args(["check", "rules"]).arg(rules).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn prometheus_scrapes_keeps_exemplars_and_runs_every_rule_and_every_panel() {
    if !has("prometheus") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (layer, handle) = service(dir.path());
    let dispatch = tracing::Dispatch::from(tracing_subscriber::registry().with(layer));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            tracing::dispatcher::with_default(&dispatch, || work(&handle, &is_over));
        });
        let seen =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(dir.path(), &handle)));
        is_over.store(true, Ordering::Relaxed);
        worker.join().unwrap();
        seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    handle.shutdown();
}

fn look(dir: &Path, handle: &LoggingHandle) {
    let prometheus = Prometheus::start(dir, handle.metrics_address().unwrap());
    let some = |expression: &str| {
        let expression = expression.to_owned();
        let found = || Ok(prometheus.query(&expression)?.into_iter().next());
        prometheus.wait_for(&expression, found)
    };
    // Two scrapes with records in between.
    some("rate(log_records_total{level=\"ERROR\",logger=\"shop::payment\"}[20s]) > 0");
    assert_eq!(some("up")["value"][1], "1");
    exemplars(&prometheus);
    let data = prometheus.ask("label/__name__/values", &[]).unwrap();
    let known: BTreeSet<String> =
        data.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let expressions = dashboard();
    assert!(expressions.len() > 30, "{}", expressions.len());
    for (title, expression) in &expressions {
        let names = names(expression);
        assert!(!names.is_empty(), "{title}: {expression}");
        if !prometheus.query(expression).unwrap_or_else(|why| panic!("{title}: {why}")).is_empty() {
            continue;
        }
        // Nothing is lost here, and not every machine limits its processes.
        let may_be_empty =
            expression.ends_with("> 0") || names.iter().all(|name| name.starts_with(OPTIONAL));
        assert!(may_be_empty || !cfg!(feature = "forward"), "{title} is empty: {expression}");
    }
    rules(&prometheus, &known);
}

/// An exemplar of a span and of a request is there, with the ids of a trace.
fn exemplars(prometheus: &Prometheus) {
    for series in ["span_duration_seconds_bucket", "http_server_request_duration_seconds_bucket"] {
        let ask = || {
            let (start, end) = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
            let pairs = [("query", series), ("start", start), ("end", end)];
            let data = prometheus.ask("query_exemplars", &pairs)?;
            Ok(data[0]["exemplars"].get(0).cloned())
        };
        let exemplar = prometheus.wait_for(series, ask);
        let id = |name: &str| exemplar["labels"][name].as_str().unwrap().to_owned();
        assert_eq!((id("trace_id").len(), id("span_id").len()), (32, 16), "{exemplar}");
    }
}

/// Each rule was evaluated without an error and asks for metrics that are there.
fn rules(prometheus: &Prometheus, known: &BTreeSet<String>) {
    let evaluated = || {
        let data = prometheus.ask("rules", &[])?;
        let groups = data["groups"].as_array().cloned().unwrap_or_default().into_iter();
        let rules: Vec<_> =
            groups.flat_map(|group| group["rules"].as_array().cloned().unwrap()).collect();
        let is_done = !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown");
        Ok(is_done.then_some(rules))
    };
    let rules = prometheus.wait_for("the evaluation of all rules", evaluated);
    assert_eq!(rules.len(), 17);
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let expression = rule["query"].as_str().unwrap();
        let missing = |name: &String| !known.contains(name) && !name.starts_with(OPTIONAL);
        let missing: Vec<_> = names(expression).into_iter().filter(missing).collect();
        assert!(missing.is_empty() || !cfg!(feature = "forward"), "{missing:?} of {expression}");
    }
    let fires = || {
        let alerts = prometheus.ask("alerts", &[])?;
        let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
        Ok(alerts.into_iter().find(|alert| alert["labels"]["alertname"] == "ManyErrorsLogged"))
    };
    assert_eq!(prometheus.wait_for("an alert", fires)["labels"]["logger"], "shop::payment");
}
