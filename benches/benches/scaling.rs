//! How the cost of a record grows: with threads, fields, spans, its size, and the number of sinks.
//!
//! Each point is a process of its own, and points take turns. Prints a table for each of the five;
//! `cargo x bench scaling NAME…` runs only those, `--rounds N` runs each point so often, and
//! `--write-docs` puts the tables into docs/performance.md.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::rotate::FileOptions;
use logwell::sink::{Accepts, FileSink};
use logwell::{Clock, LoggingHandle, QueueLayer};
use logwell_benches::{
    Pace, Scratch, cpu_seconds, five_fields, median, numbers_of_a_run, one_file, percentile,
    replace_in_docs, timed_bursts,
};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What grows, how far, and what it is called in the tables.
const DIMENSIONS: [(&str, &str, &[u64]); 5] = [
    ("threads", "threads that log at once", &[1, 2, 4, 8, 16, 32, 64]),
    ("fields", "fields of the record", &[0, 1, 2, 4, 8, 16, 31]),
    ("depth", "spans around it, one field each", &[0, 1, 2, 4, 8, 16, 32]),
    ("size", "bytes of text in a field", &[64, 256, 1_024, 4_096, 16_384, 65_536]),
    ("sinks", "files that take it", &[1, 2, 4, 8]),
];

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["run", dimension, value] = words.as_slice() {
        return measure(dimension, value.parse()?);
    }
    let mut rounds = 3;
    let mut wanted = Vec::new();
    let mut write_docs = false;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word {
            "--rounds" => rounds = words.next().ok_or("--rounds N")?.parse()?,
            "--write-docs" => write_docs = true,
            name => wanted.push(name),
        }
    }
    for (name, title, values) in DIMENSIONS {
        if wanted.is_empty() || wanted.contains(&name) {
            let table = table(name, title, values, rounds)?;
            println!("{table}");
            if write_docs {
                replace_in_docs(&format!("scaling {name}"), &table)?;
            }
        }
    }
    Ok(())
}

/// Runs each point in turns, and writes the medians down.
fn table(name: &str, title: &str, values: &[u64], rounds: usize) -> Outcome<String> {
    let mut runs = vec![Vec::new(); values.len()];
    for _ in 0..rounds {
        for (value, runs) in values.iter().zip(&mut runs) {
            runs.push(numbers_of_a_run(&["run", name, &value.to_string()])?);
        }
    }
    let mut text = format!(
        "| {title} | p50, ns | p99, ns | 1 000 records/s | CPU µs per record | CPU ns for each \
         more |\n|---:|---:|---:|---:|---:|---:|\n"
    );
    let mut before: Option<(u64, f64)> = None;
    for (value, runs) in values.iter().zip(&runs) {
        let [p50, p99, rate, cpu_us] = [0, 1, 2, 3].map(|at| median(runs, at));
        // What one more costs: where this grows, the cost is more than linear.
        let each = before.map_or(String::new(), |(less, cost_us)| {
            format!("{:.1}", (cpu_us - cost_us) * 1e3 / (value - less) as f64)
        });
        _ = writeln!(text, "| {value} | {p50:.0} | {p99:.0} | {rate:.0} | {cpu_us:.2} | {each} |");
        before = Some((*value, cpu_us));
    }
    Ok(text)
}

/// One point: prints p50 and p99 of a call, then thousands of records a second and microseconds of
/// processor time for each.
fn measure(dimension: &str, value: u64) -> Outcome<()> {
    let dir = Scratch::new()?;
    let handle = start(dir.path(), if dimension == "sinks" { value } else { 1 })?;
    let text = "x".repeat(if dimension == "size" { value as usize } else { 0 });
    let threads = if dimension == "threads" { value } else { 1 };
    let call: &(dyn Fn(u64) + Sync) = match dimension {
        "fields" => &|number| with_fields(value, number),
        "size" => &|_| tracing::info!(text, "API request handled"),
        _ => &five_fields,
    };
    let depth = if dimension == "depth" { value } else { 0 };

    // A burst must fit into the queue and be written before the next.
    let bytes = 300 + value * u64::from(dimension == "size");
    let pace = Pace { bursts: 150, calls: (300_000 / bytes).clamp(10, 100) };
    let mut times_ns = in_threads(threads, |_| {
        let mut times_ns = Vec::new();
        in_spans(depth, &mut || times_ns = timed_bursts(pace, call));
        times_ns
    });
    times_ns.sort_unstable();

    let records = (150_000_000 / bytes).min(400_000);
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let share = records / threads;
    in_threads(threads, |thread| {
        in_spans(depth, &mut || (thread * share..(thread + 1) * share).for_each(call));
        Vec::new()
    });
    handle.shutdown();
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let records = (share * threads) as f64;
    println!("{} {}", percentile(&times_ns, 0.5), percentile(&times_ns, 0.99));
    println!("{} {}", records / seconds / 1e3, cpu / records * 1e6);
    Ok(())
}

/// A pipeline that writes every record to so many files, and loses none.
fn start(dir: &Path, files: u64) -> Outcome<LoggingHandle> {
    let mut builder = QueueLayer::builder().config(one_file(dir)?);
    for at in 1..files {
        let options =
            FileOptions { max_bytes: 1 << 40, ..FileOptions::new(dir.join(at.to_string())) };
        let encoder = Box::new(JsonEncoder::new(JsonOptions::default()));
        let sink = FileSink::open(options, encoder, Clock::System)?;
        builder = builder.sink(at.to_string(), Accepts::all(), sink);
    }
    Ok(builder.init()?)
}

/// Runs the work in so many threads at once, and joins what they give.
fn in_threads(threads: u64, work: impl Fn(u64) -> Vec<u64> + Sync) -> Vec<u64> {
    let together = Barrier::new(threads as usize);
    let (work, together) = (&work, &together);
    std::thread::scope(|scope| {
        let start = |thread| {
            scope.spawn(move || {
                together.wait();
                work(thread)
            })
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

fn in_spans(depth: u64, work: &mut dyn FnMut()) {
    match depth {
        0 => work(),
        _ => tracing::info_span!("level", depth).in_scope(|| in_spans(depth - 1, work)),
    }
}

/// An event with so many fields; tracing allows 32 with the message.
#[rustfmt::skip]
fn with_fields(fields: u64, n: u64) {
    macro_rules! event {
        ($($name:ident)*) => { tracing::info!($($name = n,)* "API request handled") };
    }
    match fields {
        0 => event!(),
        1 => event!(a),
        2 => event!(a b),
        4 => event!(a b c d),
        8 => event!(a b c d e f g h),
        16 => event!(a b c d e f g h i j k l m o p q),
        _ => event!(a b c d e f g h i j k l m o p q r s t u v w x y z aa bb cc dd ee ff),
    }
}
