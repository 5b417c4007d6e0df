//! What the benchmarks have in common: the workloads, and the subjects that carry them.

use logwell::config::WhenFull;
use logwell::{LoggingConfig, shutdown_logging};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
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

/// What a service may log with `Debug`: about a kilobyte of text.
#[expect(missing_docs, reason = "an example")]
#[derive(Debug)]
pub struct Order {
    pub id: u64,
    pub customer: String,
    pub mail: String,
    pub street: String,
    pub city: String,
    pub items: Vec<Item>,
    pub discount: f64,
    pub is_paid: bool,
}

/// A line of an [`Order`].
#[expect(missing_docs, reason = "an example")]
#[derive(Debug)]
pub struct Item {
    pub sku: String,
    pub name: String,
    pub count: u32,
    pub price_cents: u64,
    pub in_stock: bool,
}

impl Order {
    /// An order whose `Debug` has about 1 KB.
    #[must_use]
    pub fn example() -> Self {
        let item = |at: u32| Item {
            sku: format!("SKU-{at:06}"),
            name: "a thing with a name".to_owned(),
            count: at,
            price_cents: 1_999,
            in_stock: at.is_multiple_of(2),
        };
        Self {
            id: 81,
            customer: "Ann Example".to_owned(),
            mail: "ann@example.org".to_owned(),
            street: "1 High Street".to_owned(),
            city: "Springfield".to_owned(),
            items: (0..8).map(item).collect(),
            discount: 2.5,
            is_paid: true,
        }
    }
}

/// logwell writing `app.log` into `dir` and nothing else; it never rotates and loses nothing.
///
/// # Errors
///
/// None, for this configuration is right.
pub fn one_file(dir: &Path) -> Result<LoggingConfig, logwell::Error> {
    let mut config = LoggingConfig::builder()
        .log_dir(dir)
        .console(false)
        .enable_ai_handler(false)
        .max_bytes(1 << 40)
        .when_full(WhenFull::Block)
        .build()?;
    config.files.errors.enabled = false;
    Ok(config)
}

/// Bursts of calls, as a service makes them: so many calls in each, one burst every 5 ms.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many bursts there are.
    pub bursts: u64,
    /// How many calls are in each.
    pub calls: u64,
}

/// Times each call of the bursts in nanoseconds; the timer's own 20 to 45 are in it.
pub fn timed_bursts(pace: Pace, mut call: impl FnMut(u64)) -> Vec<u64> {
    const EVERY: Duration = Duration::from_millis(5);
    let mut times_ns = Vec::with_capacity((pace.bursts * pace.calls) as usize);
    for burst in 0..pace.bursts {
        let next = Instant::now() + EVERY;
        for at in 0..pace.calls {
            let start = Instant::now();
            call(burst * pace.calls + at);
            times_ns.push(start.elapsed().as_nanos() as u64);
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    times_ns
}

/// A directory that goes away; in memory where there is such a place, so that the logger is
/// measured and not the disk.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn new() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        match memory.is_dir() {
            true => tempfile::tempdir_in(memory).map(Self),
            false => tempfile::tempdir().map(Self),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The value below which `part` of the sorted values lie.
#[must_use]
pub fn percentile(sorted: &[u64], part: f64) -> u64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at).or(sorted.last()).copied().unwrap_or_default()
}

/// Processor time of the process so far, of all threads; 0 where `/proc` does not tell.
#[must_use]
pub fn cpu_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_A_SECOND
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
                logwell::init_logging_with(one_file(dir)?)?;
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
    let mut all: Vec<(String, Vec<Vec<f64>>)> =
        ["logwell", "reference"].map(|name| (name.to_owned(), Vec::new())).into();
    for _ in 0..rounds {
        for (name, results) in &mut all {
            results.push(numbers_of_a_run(&["run", name, workload])?);
        }
    }
    Ok(all)
}

/// What this program is to measure, if [`numbers_of_a_run`] has started it: a subject and a
/// workload.
#[must_use]
pub fn asked_for() -> Option<[String; 2]> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [run, subject, workload] = <[String; 3]>::try_from(arguments).ok()?;
    (run == "run").then_some([subject, workload])
}

/// Runs this program again with those arguments; the numbers that it printed.
///
/// # Errors
///
/// It could not be started, failed, or printed something else.
pub fn numbers_of_a_run(arguments: &[&str]) -> io::Result<Vec<f64>> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    match numbers {
        Ok(numbers) if output.status.success() && !numbers.is_empty() => Ok(numbers),
        _ => Err(io::Error::other(format!("the run {arguments:?} failed: {text}"))),
    }
}

/// The median of column `at`.
#[must_use]
pub fn median(runs: &[Vec<f64>], at: usize) -> f64 {
    let mut column: Vec<f64> = runs.iter().filter_map(|run| run.get(at).copied()).collect();
    column.sort_by(f64::total_cmp);
    column.get(column.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Replaces what stands in docs/performance.md between the marks of that name.
///
/// # Errors
///
/// The page cannot be read or written, or has no such marks.
pub fn replace_in_docs(name: &str, text: &str) -> io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let old = std::fs::read_to_string(&page)?;
    let begin = format!("<!-- begin {name} -->");
    let parts = old.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once("<!-- end -->")?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        return Err(io::Error::other(format!("docs/performance.md has no marks {name}")));
    };
    let text = text.trim();
    std::fs::write(page, format!("{before}{begin}\n\n{text}\n\n<!-- end -->{after}"))
}
