//! How does logwell look in a real service? An HTTP server whose requests carry their trace id into
//! every record, an AI endpoint, a failing one, and a receipt at the end.
//!
//! ```sh
//! cargo run --example service -- --demo
//! ```
//!
//! sends itself 5 000 HTTP requests, shows the log files and proves that no record is missing.
//! Without `--demo` it listens on 127.0.0.1:8080 until Ctrl-C:
//!
//! ```sh
//! cargo run --release --example service
//! curl localhost:8080/api/ai/chat -H 'Content-Type: application/json' -d '{"prompt": "hello"}'
//! curl localhost:8080/fail -i -H 'X-Trace-ID: abc-123'
//! grep abc-123 target/service-logs/errors.log
//! ```
//!
//! Logs go to `target/service-logs`, or where `LOG_DIR` says.

use axum::extract::{Json, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, get, post};
use clap::Parser;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use logwell::{LoggingConfig, LoggingContext, ShutdownReport, TraceContext};
use serde_json::{Value, json};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{Span, field};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// An HTTP service that logs with logwell.
#[derive(Parser)]
#[command(
    name = "service",
    after_help = "Logs go to target/service-logs, or where LOG_DIR says. All LOG_* variables count."
)]
struct Options {
    /// Send the service requests of its own, show what it logged, and leave
    #[arg(long, conflicts_with = "port")]
    demo: bool,
    /// How many requests the demo sends, up to 20000
    #[arg(long, value_name = "N", default_value_t = 5_000, requires = "demo")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=20_000))]
    requests: u64,
    /// The port to listen on, at 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics when standard error is closed.
            drop(writeln!(io::stderr(), "service: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let port = if options.demo { 0 } else { options.port };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}; try --port"))?;

    let logging = LoggingConfig::builder()
        .log_dir("target/service-logs")
        .console(!options.demo)
        .build()?
        .with_env(std::env::vars_os())?;
    logwell::init_logging_with(logging)?;

    let outcome = if options.demo {
        demo(listener, options.requests).await
    } else {
        tracing::info!(address = %listener.local_addr()?, "listening; Ctrl-C stops");
        serve(listener, asked_to_stop()).await.map(|()| 0)
    };
    let report = logwell::shutdown_logging();
    print(&format!("{report}\n"))?;
    let sent = outcome?;
    if options.demo { show_files(&report, sent) } else { Ok(()) }
}

// ---- The service -------------------------------------------------------------------------------

/// Answers requests until `stop` comes, then finishes those under way, for at most 5 s.
async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let routes = Router::new()
        .route("/api/ai/chat", post(chat))
        .route("/fail", get(fail))
        .route("/slow", get(slow))
        .route("/health", get(health))
        .layer(middleware::from_fn(in_its_trace));
    let (stopping, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async {
        stop.await;
        drop(stopping);
    });
    let patience = async {
        stopped.await.ok();
        sleep(Duration::from_secs(5)).await;
        tracing::warn!("some requests were not finished in time");
    };
    tokio::select! {
        served = server.into_future() => Ok(served?),
        () = patience => Ok(()),
    }
}

/// Puts each request into the trace that its headers name, and its answer too.
async fn in_its_trace(request: Request, next: Next) -> Response {
    let context = LoggingContext::from_request(request.headers());
    let trace_id = context.get_trace_id().and_then(|id| id.parse().ok());
    let mut response = context.instrument(in_its_span(request, next)).await;
    if let Some(trace_id) = trace_id {
        response.headers_mut().insert("x-trace-id", trace_id);
    }
    response
}

/// One span and one access record for each request.
#[tracing::instrument(
    name = "request",
    skip_all,
    fields(method = %request.method(), path = request.uri().path(), status = field::Empty)
)]
async fn in_its_span(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    Span::current().record("status", status);
    tracing::info!(target: "access", status, latency_ms = milliseconds(start), "request handled");
    response
}

async fn chat(Json(request): Json<Value>) -> Response {
    let Some(prompt) = request.get("prompt").and_then(Value::as_str) else {
        tracing::warn!("request without a prompt");
        return (StatusCode::BAD_REQUEST, "the body must be {\"prompt\": \"...\"}\n")
            .into_response();
    };
    let start = Instant::now();
    sleep(Duration::from_millis(1)).await; // This is where a model would think.
    let answer = format!("You said: {prompt}");
    logwell::ai_response!(
        gen_ai.operation.name = "chat",
        gen_ai.request.model = "echo-1",
        gen_ai.usage.input_tokens = prompt.split_whitespace().count(),
        gen_ai.usage.output_tokens = answer.split_whitespace().count(),
        prompt,
        answer,
        latency_ms = milliseconds(start),
        "chat completed"
    );
    Json(json!({ "answer": answer })).into_response()
}

async fn slow() -> &'static str {
    tracing::debug!("taking a nap");
    sleep(Duration::from_millis(50)).await;
    "that took a while\n"
}

async fn health() -> &'static str {
    "healthy\n"
}

async fn fail() -> std::result::Result<&'static str, Failure> {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let payment = Failure { task: "charge the card", cause: refused.into() };
    Err(Failure { task: "place the order", cause: payment.into() })
}

/// What could not be done, and why. As an answer it is logged with all its causes; the caller
/// learns no more than that it happened.
#[derive(Debug)]
struct Failure {
    task: &'static str,
    cause: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.task)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::error!(error = &self as &dyn Error, "request failed");
        let answer = "something went wrong; X-Trace-ID finds it in the logs\n";
        (StatusCode::INTERNAL_SERVER_ERROR, answer).into_response()
    }
}

/// Since then, to the microsecond.
fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// Ctrl-C, or SIGTERM as init systems and containers send it.
async fn asked_to_stop() {
    let ctrl_c = async { tokio::signal::ctrl_c().await.ok() };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = ctrl_c => {} _ = terminate.recv() => {} }
            return;
        }
    }
    ctrl_c.await;
}

// ---- The demo ----------------------------------------------------------------------------------

/// Serves requests of its own until all are sent, or Ctrl-C. How many were answered.
async fn demo(listener: TcpListener, requests: u64) -> Result<u64> {
    let address = listener.local_addr()?;
    print(&format!("sending {} requests to http://{address}\n", HumanCount(requests)))?;

    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    tokio::spawn(async move {
        asked_to_stop().await;
        asked.store(true, Ordering::Relaxed);
    });
    let (done, all_sent) = oneshot::channel::<()>();
    let clients = tokio::task::spawn_blocking(move || {
        let sent = send_requests(address, requests, &stop);
        drop(done);
        sent
    });
    serve(listener, async { drop(all_sent.await) }).await?;
    clients.await?
}

/// Sends requests from a few threads, each over its own connection. How many were answered.
fn send_requests(address: SocketAddr, requests: u64, stop: &AtomicBool) -> Result<u64> {
    const CLIENTS: usize = 8;
    let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len}")?;
    let bar = ProgressBar::new(requests).with_style(style);
    let (next, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    let client = || -> Result<()> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().new_agent();
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= requests {
                break;
            }
            send(&agent, address, number)?;
            answered.fetch_add(1, Ordering::Relaxed);
            bar.inc(1);
        }
        Ok(())
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    bar.finish_and_clear();
    for outcome in outcomes {
        outcome.map_err(|_| "a client panicked")??;
    }
    Ok(answered.into_inner())
}

/// Sends one request, with its own trace, and reads the answer.
fn send(agent: &ureq::Agent, address: SocketAddr, number: u64) -> Result<()> {
    let parent = TraceContext::new_root().to_traceparent();
    let get =
        |path| agent.get(format!("http://{address}{path}")).header("traceparent", &parent).call();
    let mut response = match number % 100 {
        0 => get("/slow"),
        1..5 => get("/fail"),
        5..40 => get("/health"),
        _ => agent
            .post(format!("http://{address}/api/ai/chat"))
            .header("traceparent", &parent)
            .content_type("application/json")
            .send(json!({ "prompt": format!("What is {number} + 1?") }).to_string()),
    }?;
    response.body_mut().read_to_vec()?;
    Ok(())
}

/// Shows the files, and counts whether each request that was sent is in them.
fn show_files(report: &ShutdownReport, sent: u64) -> Result<()> {
    let mut out = String::new();
    let width = console::Term::stdout().size_checked().map_or(100, |(_, columns)| columns.into());

    writeln!(out, "\n{:>10} {:>10}  file", "lines", "size")?;
    for path in report.files.iter().flat_map(|(_, files)| files) {
        let lines = HumanCount(lines(path)?.count() as u64).to_string();
        let size = HumanBytes(path.metadata()?.len()).to_string();
        writeln!(out, "{lines:>10} {size:>10}  {}", path.display())?;
    }

    for path in report.files.iter().filter_map(|(_, files)| files.first()) {
        writeln!(out, "\n{}", path.display())?;
        for line in last_lines(path, 3)? {
            writeln!(out, "{}", console::truncate_str(&line, width, "…"))?;
        }
    }
    let files_of = |name| report.files.iter().find(|(sink, _)| sink == name).map(|of| &*of.1);
    if let Some([errors, ..]) = files_of("errors") {
        for line in last_lines(errors, 1)? {
            let record: Value = serde_json::from_str(&line)?;
            writeln!(out, "\nthe last line of {} in full:\n{record:#}", errors.display())?;
        }
    }

    print(&out)?;

    let found = access_records(files_of("app").unwrap_or_default())?;
    if found != sent {
        let hint = match report.is_lossless() {
            true => "do LOG_LEVEL and the like let access records pass?",
            false => "the receipt above tells what became of the others",
        };
        return Err(
            format!("{sent} requests sent, but {found} access records found; {hint}").into()
        );
    }
    let [sent, found] = [sent, found].map(HumanCount);
    print(&format!("\n{sent} requests sent, {found} access records found: nothing is missing\n"))
}

/// Prints to standard output. A reader that has gone away has seen enough.
fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// How many access records this run has left in a file and its backups.
fn access_records(newest_first: &[PathBuf]) -> Result<u64> {
    let mut count = 0;
    for path in newest_first.iter().rev() {
        for (number, line) in (1..).zip(lines(path)?) {
            let record: Value = serde_json::from_str(&line?)
                .map_err(|error| format!("{}, line {number}: {error}", path.display()))?;
            let has = |key, text| record.get(key).and_then(Value::as_str) == Some(text);
            let process = record.get("process").and_then(Value::as_u64);
            if process != Some(std::process::id().into()) {
                continue;
            }
            if has("kind", "logwell.started") {
                count = 0; // What came before was an earlier process of that number.
            } else if has("logger", "access") {
                count += 1;
            }
        }
    }
    Ok(count)
}

fn last_lines(path: &Path, count: usize) -> Result<Vec<String>> {
    let mut all = lines(path)?.collect::<io::Result<Vec<_>>>()?;
    Ok(all.split_off(all.len().saturating_sub(count)))
}

fn lines(path: &Path) -> Result<impl Iterator<Item = io::Result<String>>> {
    let file =
        std::fs::File::open(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(BufReader::new(file).lines())
}
