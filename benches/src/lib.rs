//! What the benchmarks have in common: the workloads, and the subjects that carry them.

use logwell::config::WhenFull;
use logwell::{LoggingConfig, shutdown_logging};
use std::io;
use std::path::Path;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

/// A message with five typed fields, about 240 bytes of JSON.
pub fn five_fields(number: u64) {
    tracing::info!(
        user_id = number,
        endpoint = "/api/ai/chat",
        latency_ms = 12.5,
        status = 200_u64,
        cached = true,
        "API request handled"
    );
}

/// Runs `work` inside two spans with three fields each.
pub fn in_two_spans(work: impl FnOnce()) {
    let request = tracing::info_span!("request", method = "GET", path = "/chat", request_id = 77);
    let query = tracing::info_span!("query", table = "orders", rows = 5, cold = false);
    request.in_scope(|| query.in_scope(work));
}

/// Who carries the records; each writes `app.log` and loses nothing.
#[derive(Debug)]
pub enum Subject {
    /// logwell with a full queue that blocks.
    Logwell,
    /// tracing-appender's non-blocking writer under tracing-subscriber's JSON format.
    Reference(WorkerGuard),
}

impl Subject {
    /// Installs the subject of that name for the process; it writes into `dir`.
    ///
    /// # Errors
    ///
    /// There is no such subject, or it could not be set up.
    pub fn install(name: &str, dir: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        match name {
            "logwell" => {
                let mut config = LoggingConfig::builder()
                    .log_dir(dir)
                    .console(false)
                    .enable_ai_handler(false)
                    .max_bytes(1 << 40)
                    .when_full(WhenFull::Block)
                    .build()?;
                config.files.errors.enabled = false;
                logwell::init_logging_with(config)?;
                Ok(Self::Logwell)
            }
            "reference" => {
                let file = std::fs::File::create(dir.join("app.log"))?;
                let (writer, guard) = NonBlockingBuilder::default()
                    .lossy(false)
                    .buffered_lines_limit(10_000)
                    .finish(file);
                let format = tracing_subscriber::fmt().json().with_writer(writer).finish();
                tracing::subscriber::set_global_default(format)?;
                Ok(Self::Reference(guard))
            }
            other => Err(io::Error::other(format!("no subject is called {other}")).into()),
        }
    }

    /// Waits until everything is in the file.
    pub fn finish(self) {
        match self {
            Self::Logwell => drop(shutdown_logging()),
            Self::Reference(guard) => drop(guard),
        }
    }
}

/// Runs this program again for each subject in turn, `rounds` times, and gives what each run
/// printed: one number a line. Interleaved, so that a machine that slows down slows all of them.
///
/// # Errors
///
/// A run could not be started, failed, or printed something else.
pub fn interleaved(rounds: usize, workload: &str) -> io::Result<Vec<(String, Vec<Vec<f64>>)>> {
    let program = std::env::current_exe()?;
    let mut all: Vec<(String, Vec<Vec<f64>>)> =
        ["logwell", "reference"].map(|name| (name.to_owned(), Vec::new())).into();
    for _ in 0..rounds {
        for (name, results) in &mut all {
            let output = std::process::Command::new(&program)
                .args(["run", name.as_str(), workload])
                .stderr(std::process::Stdio::inherit())
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
            match numbers {
                Ok(numbers) if output.status.success() && !numbers.is_empty() => {
                    results.push(numbers);
                }
                _ => return Err(io::Error::other(format!("the run of {name} failed: {text}"))),
            }
        }
    }
    Ok(all)
}

/// The median of column `at`.
#[must_use]
pub fn median(runs: &[Vec<f64>], at: usize) -> f64 {
    let mut column: Vec<f64> = runs.iter().filter_map(|run| run.get(at).copied()).collect();
    column.sort_by(f64::total_cmp);
    column.get(column.len() / 2).copied().unwrap_or(f64::NAN)
}
