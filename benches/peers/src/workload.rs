//! Workload: what one run does with its subject, and the figures that come out.
//!
//! Knows no subject. A run is a process of its own; the driver (`drive.rs`) checks what it wrote.

use crate::subject::{Outcome, Subject};
use logwell_benches::{Order, Pace, cpu_seconds, percentile, timed_bursts};
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// The figures of a run by their name.
pub type Figures = Map<String, Value>;

/// The kinds of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    FiveFields,
    InSpans,
    DebugValue,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    /// Bursts of 100 calls every 5 ms in each of some threads, each call timed.
    Latency(Shape, u64),
    /// As many records as can be, by some threads, until the last byte is in the file.
    Throughput(Shape, u64),
    /// Calls whose level is off.
    Disabled,
    /// Starting, one record after a pause, stopping after another.
    Start,
    /// Ten seconds without a record.
    Idle,
    /// Texts that must be escaped; the driver only looks whether the file is JSON.
    Escapes,
}

use Shape::{DebugValue, FiveFields, InSpans};
use Workload::{Disabled, Escapes, Idle, Latency, Start, Throughput};

/// All workloads by name; the tables are in this order.
pub const ALL: [(&str, Workload); 17] = [
    ("escapes", Escapes),
    ("latency-fields", Latency(FiveFields, 1)),
    ("latency-spans", Latency(InSpans, 1)),
    ("latency-4-threads", Latency(FiveFields, 4)),
    ("latency-debug", Latency(DebugValue, 1)),
    ("throughput-fields", Throughput(FiveFields, 1)),
    ("throughput-spans", Throughput(InSpans, 1)),
    ("throughput-debug", Throughput(DebugValue, 1)),
    ("threads-2", Throughput(FiveFields, 2)),
    ("threads-4", Throughput(FiveFields, 4)),
    ("threads-8", Throughput(FiveFields, 8)),
    ("threads-16", Throughput(FiveFields, 16)),
    ("threads-32", Throughput(FiveFields, 32)),
    ("threads-64", Throughput(FiveFields, 64)),
    ("disabled", Disabled),
    ("start", Start),
    ("idle", Idle),
];

const PACE: Pace = Pace { bursts: 600, calls: 100 };
const DISABLED_CALLS: u64 = 50_000_000;
const TEXTS: [&str; 3] = ["say \"hello\"", "C:\\temp", "two\nlines\u{1b}[31m"];
/// Records between two `catch_up`s of all threads together: less than half a queue.
const CATCH_UP: u64 = 4_000;

impl Workload {
    /// The workload of that name.
    pub fn named(name: &str) -> Outcome<Self> {
        let found = ALL.iter().find(|(known, _)| *known == name).map(|(_, workload)| *workload);
        found.ok_or_else(|| format!("no workload is called {name}").into())
    }

    /// How many records the file must have afterwards.
    pub fn records(self) -> u64 {
        match self {
            Latency(_, threads) => PACE.bursts * PACE.calls * threads,
            Throughput(DebugValue, _) => 100_000,
            Throughput(_, 1) => 1_000_000,
            Throughput(_, _) => 512_000,
            Disabled => 0,
            Start | Idle => 1,
            Escapes => TEXTS.len() as u64,
        }
    }

    /// Runs it with the subject `S`, which writes into `dir`.
    pub fn run<S: Subject>(self, dir: &Path) -> Outcome<Figures> {
        let begin = Instant::now();
        let subject = S::start(dir)?;
        let started = begin.elapsed();
        let mut figures = match self {
            Latency(shape, threads) => latency(subject, shape, threads),
            Throughput(shape, threads) => throughput(subject, shape, threads, self.records()),
            Disabled => disabled(subject),
            Start => one_record(subject, dir, started),
            Idle => idle(subject),
            Escapes => {
                TEXTS.iter().for_each(|text| subject.text(text));
                subject.finish();
                Figures::new()
            }
        };
        figures.insert("peak_rss_mib".to_owned(), json!(peak_rss_mib()));
        Ok(figures)
    }
}

/// Calls `work` with the call that logs a record of that shape.
fn with_call<S: Subject>(subject: &S, shape: Shape, work: impl FnOnce(&dyn Fn(u64))) {
    let order = Order::example();
    match shape {
        FiveFields => work(&|number| subject.five_fields(number)),
        InSpans => subject.in_spans(|inside| work(&|number| inside.five_fields_in_spans(number))),
        DebugValue => work(&|_| subject.debug_value(black_box(&order))),
    }
}

fn latency<S: Subject>(subject: S, shape: Shape, threads: u64) -> Figures {
    let together = Barrier::new(threads as usize);
    let mut times_ns = Vec::new();
    std::thread::scope(|scope| {
        let bursts = || {
            let mut times_ns = Vec::new();
            together.wait();
            with_call(&subject, shape, |call| times_ns = timed_bursts(PACE, call));
            times_ns
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(bursts)).collect();
        for thread in running {
            times_ns.extend(thread.join().unwrap_or_default());
        }
    });
    subject.finish();
    times_ns.sort_unstable();
    // Ever closer to 1: what is drawn.
    let curve: Vec<_> = (0..=60)
        .map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 15.0))
        .map(|part| json!([part, percentile(&times_ns, part)]))
        .collect();
    let figures = json!({
        "p50_ns": percentile(&times_ns, 0.5),
        "p90_ns": percentile(&times_ns, 0.9),
        "p99_ns": percentile(&times_ns, 0.99),
        "p99.9_ns": percentile(&times_ns, 0.999),
        "max_ns": times_ns.last(),
        "curve": curve,
    });
    figures.as_object().cloned().unwrap_or_default()
}

fn throughput<S: Subject>(subject: S, shape: Shape, threads: u64, records: u64) -> Figures {
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let share = records / threads;
    let pause = (CATCH_UP / threads).max(1);
    let work = |from: u64| {
        with_call(&subject, shape, |call| {
            for number in from..from + share {
                call(number);
                if number % pause == 0 {
                    subject.catch_up();
                }
            }
        });
    };
    match threads {
        1 => work(0),
        _ => std::thread::scope(|scope| {
            (0..threads).for_each(|thread| drop(scope.spawn(move || work(thread * share))));
        }),
    }
    let logged = begin.elapsed().as_secs_f64();
    subject.finish();
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let mut figures = Figures::new();
    let records = records as f64;
    figures.insert("k_records_per_s".to_owned(), json!(records / seconds / 1e3));
    figures.insert("cpu_s_per_million".to_owned(), json!(cpu / records * 1e6));
    figures.insert("callers_s".to_owned(), json!(logged));
    figures
}

fn disabled<S: Subject>(subject: S) -> Figures {
    let begin = Instant::now();
    (0..DISABLED_CALLS).for_each(|number| subject.disabled(black_box(number)));
    let per_call_ns = begin.elapsed().as_nanos() as f64 / DISABLED_CALLS as f64;
    subject.finish();
    [("disabled_ns".to_owned(), json!(per_call_ns))].into_iter().collect()
}

/// How long it takes to start, until a record after a pause is in the file, and to stop when idle.
fn one_record<S: Subject>(subject: S, dir: &Path, started: Duration) -> Figures {
    const PAUSE: Duration = Duration::from_millis(300);
    const PATIENCE: Duration = Duration::from_millis(1_500);
    std::thread::sleep(PAUSE);
    // A logger may have a record of its own there already.
    let before = bytes_in(dir);
    let begin = Instant::now();
    subject.five_fields(7);
    while bytes_in(dir) == before && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(20));
    }
    let waited = begin.elapsed();
    std::thread::sleep(PAUSE);
    let begin = Instant::now();
    subject.finish();
    let stopped = begin.elapsed();
    let ms = |time: Duration| json!(time.as_secs_f64() * 1e3);
    let mut figures = Figures::new();
    figures.insert("start_ms".to_owned(), ms(started));
    figures.insert("stop_ms".to_owned(), ms(stopped));
    if waited < PATIENCE {
        figures.insert("fresh_ms".to_owned(), ms(waited));
    }
    figures
}

fn idle<S: Subject>(subject: S) -> Figures {
    const SETTLE: Duration = Duration::from_secs(1);
    const FOR: Duration = Duration::from_secs(10);
    subject.five_fields(7);
    std::thread::sleep(SETTLE);
    let before_ns = threads_cpu_ns();
    std::thread::sleep(FOR);
    let used_ns = threads_cpu_ns().saturating_sub(before_ns);
    subject.finish();
    let percent = used_ns as f64 / FOR.as_nanos() as f64 * 100.0;
    [("idle_cpu_percent".to_owned(), json!(percent))].into_iter().collect()
}

/// The bytes in all files of the directory.
fn bytes_in(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Processor time of the living threads, finer than `cpu_seconds`.
fn threads_cpu_ns() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let texts = threads.filter_map(|t| std::fs::read_to_string(t.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum()
}

fn peak_rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = kib.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
