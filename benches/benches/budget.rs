//! What costs what: the parts of a call and of the listener's work, each measured alone, beside the
//! whole. The rest is what no part explains.
//!
//! Each part is a process of its own, since a process has one global subscriber. `--write-docs`
//! puts the tables into docs/performance.md.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use crossbeam_channel::{Receiver, Sender, bounded};
use logwell::QueueLayer;
use logwell::encode::Encode as _;
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::rotate::{FileOptions, RotatingFile};
use logwell::testing::Listener;
use logwell_benches::{
    Scratch, five_fields, in_two_spans, median, numbers_of_a_run, one_file, replace_in_docs,
};
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::hint::black_box;
use std::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Repetitions that are timed together; fewer than wake the listener, of which there is none.
const TIMES: u64 = 1_000;
const ROUNDS: usize = 400;
const RUNS: usize = 3;

/// Measures one part, in nanoseconds.
type Part = fn() -> Outcome<f64>;

/// The parts by name.
const PARTS: [(&str, Part); 12] = [
    ("counter", counter),
    ("empty", || with_layer(Empty)),
    ("visit", || with_layer(Visiting)),
    ("send", send),
    ("take", take),
    ("call", || call(|calls| calls())),
    ("call in spans", || call(|calls| in_two_spans(calls))),
    ("listener", || step(|| repeat(five_fields))),
    ("listener in spans", || step(|| in_two_spans(|| repeat(five_fields)))),
    ("encode", || encode(|| five_fields(7_654_321))),
    ("encode in spans", || encode(|| in_two_spans(|| five_fields(7_654_321)))),
    ("append", append),
];

/// A layer that does nothing: what tracing itself costs.
struct Empty;

impl<S: Subscriber> Layer<S> for Empty {}

/// A layer that looks at each value and forgets it.
struct Visiting;

struct Nothing(u64);

impl Visit for Nothing {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        _ = black_box(value);
    }

    fn record_u64(&mut self, _: &Field, value: u64) {
        self.0 += value;
    }

    fn record_f64(&mut self, _: &Field, value: f64) {
        self.0 += value as u64;
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        self.0 += value.len() as u64;
    }

    fn record_bool(&mut self, _: &Field, value: bool) {
        self.0 += u64::from(value);
    }
}

impl<S: Subscriber> Layer<S> for Visiting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut visitor = Nothing(0);
        event.record(&mut visitor);
        _ = black_box(visitor.0);
    }
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [run, name] = words.as_slice()
        && run == "run"
    {
        let part = PARTS.iter().find(|(known, _)| known == name).ok_or("no such part")?;
        println!("{}", (part.1)()?);
        return Ok(());
    }
    let mut runs = vec![Vec::new(); PARTS.len()];
    for _ in 0..RUNS {
        for ((name, _), runs) in PARTS.iter().zip(&mut runs) {
            runs.push(numbers_of_a_run(&["run", name])?);
        }
    }
    let ns = |wanted: &str| {
        let mut found = PARTS.iter().zip(&runs).filter(|((name, _), _)| *name == wanted);
        found.next().map_or(f64::NAN, |(_, runs)| median(runs, 0))
    };
    let tables = caller_table(&ns) + "\n" + &listener_table(&ns);
    println!("{tables}");
    match words.iter().any(|word| word == "--write-docs") {
        true => Ok(replace_in_docs("budget", &tables)?),
        false => Ok(()),
    }
}

fn caller_table(ns: &dyn Fn(&str) -> f64) -> String {
    let parts = [
        ("tracing: macro, dispatch, one layer that does nothing", ns("empty")),
        ("tracing: visiting the message and five values", ns("visit") - ns("empty")),
        ("reading the processor's counter", ns("counter")),
        ("handing a box to a bounded channel", ns("send")),
    ];
    let own = "logwell: finding a box, copying values, context, counters";
    table(
        "caller, five fields",
        &parts,
        own,
        &[("a call", "call"), ("in two spans", "call in spans")],
        ns,
    )
}

fn listener_table(ns: &dyn Fn(&str) -> f64) -> String {
    let parts = [
        ("taking a box from a bounded channel", ns("take")),
        ("encoding the line", ns("encode")),
        ("into the file: buffer, and its share of `write(2)`", ns("append")),
    ];
    let own = "numbering, routes, counters, giving the box back";
    let whole = [("a record", "listener"), ("in two spans", "listener in spans")];
    table("listener, five fields", &parts, own, &whole, ns)
}

/// The parts, the rest, and the wholes; the first whole is the sum.
fn table(
    title: &str,
    parts: &[(&str, f64)],
    rest: &str,
    wholes: &[(&str, &str)],
    ns: &dyn Fn(&str) -> f64,
) -> String {
    let mut text = format!("| {title} | ns |\n|---|---:|\n");
    for (name, cost) in parts {
        _ = writeln!(text, "| {name} | {cost:.0} |");
    }
    let known: f64 = parts.iter().map(|(_, cost)| cost).sum();
    let sum = wholes.first().map_or(f64::NAN, |(_, part)| ns(part));
    _ = writeln!(text, "| {rest} (what remains) | {:.0} |", sum - known);
    for (name, part) in wholes {
        _ = writeln!(text, "| **{name}** | **{:.0}** |", ns(part));
    }
    text
}

fn repeat(mut call: impl FnMut(u64)) {
    (0..TIMES).for_each(&mut call);
}

/// The median of `ROUNDS` measurements, by `round`, of `TIMES` repetitions: nanoseconds for one.
fn median_ns(mut round: impl FnMut() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_by(f64::total_cmp);
    times.get(ROUNDS / 2).copied().unwrap_or(f64::NAN)
}

fn timed(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_nanos() as f64 / TIMES as f64
}

fn each(mut call: impl FnMut(u64)) -> f64 {
    median_ns(|| timed(|| repeat(&mut call)))
}

fn with_layer(layer: impl Layer<tracing_subscriber::Registry> + Send + Sync) -> Outcome<f64> {
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(each(five_fields))
}

fn counter() -> Outcome<f64> {
    let clock = quanta::Clock::new();
    Ok(each(|_| _ = black_box(clock.raw())))
}

/// Room for the queue's default size, so that slots are as cold as they are there.
fn channel() -> (Sender<Box<u64>>, Receiver<Box<u64>>) {
    bounded(10_000)
}

fn send() -> Outcome<f64> {
    let (sender, receiver) = channel();
    let mut boxes: Vec<_> = (0..TIMES).map(Box::new).collect();
    Ok(median_ns(|| {
        let cost = timed(|| boxes.drain(..).for_each(|item| _ = sender.try_send(item)));
        boxes.extend(receiver.try_iter());
        cost
    }))
}

fn take() -> Outcome<f64> {
    let (sender, receiver) = channel();
    let mut boxes: Vec<_> = (0..TIMES).map(Box::new).collect();
    Ok(median_ns(|| {
        boxes.drain(..).for_each(|item| _ = sender.try_send(item));
        timed(|| boxes.extend((0..TIMES).flat_map(|_| receiver.try_recv())))
    }))
}

/// A pipeline whose listener is stepped: nothing else runs while something is timed.
fn pipeline(dir: &Scratch) -> Outcome<Listener> {
    let builder = QueueLayer::builder().config(one_file(dir.path())?).filter_globally(true);
    let (layer, _handle, listener) = builder.build_stepped()?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(listener)
}

/// A call, inside of what `around` puts around it.
fn call(around: fn(&mut dyn FnMut())) -> Outcome<f64> {
    let dir = Scratch::new()?;
    let mut listener = pipeline(&dir)?;
    Ok(median_ns(|| {
        let mut cost = f64::NAN;
        around(&mut || cost = timed(|| repeat(five_fields)));
        listener.step();
        cost
    }))
}

fn step(log: fn()) -> Outcome<f64> {
    let dir = Scratch::new()?;
    let mut listener = pipeline(&dir)?;
    Ok(median_ns(|| {
        log();
        timed(|| _ = black_box(listener.step()))
    }))
}

fn encode(log: fn()) -> Outcome<f64> {
    let logs = logwell::testing::capture();
    log();
    let records = logs.records();
    let mut encoder = JsonEncoder::new(JsonOptions::default());
    let mut line = Vec::new();
    Ok(each(|_| {
        line.clear();
        records.iter().for_each(|record| encoder.encode(record, &mut line));
        _ = black_box(&line);
    }))
}

fn append() -> Outcome<f64> {
    let dir = Scratch::new()?;
    let line = format!("{}\n", "x".repeat(299));
    let path = dir.path().join("app.log");
    let options = FileOptions { max_bytes: 1 << 40, ..FileOptions::new(path) };
    let mut file = RotatingFile::open(options)?;
    let now = Instant::now();
    Ok(median_ns(|| {
        timed(|| {
            repeat(|_| drop(file.append(line.as_bytes(), now)));
            _ = file.flush(now);
        })
    }))
}
