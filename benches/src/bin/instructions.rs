//! Instructions: how many a call and a line cost, counted by callgrind, and compared with what was
//! recorded. Unlike a time, a count is the same on a busy machine, so that a test can look at it.
//!
//! Without a word it starts itself under valgrind for each case and compares; with `--record` it
//! writes `benches/instructions.txt` anew; with `case NAME` it is the program that is counted.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to who started it")]

use logwell::encode::Encode as _;
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::record::Record;
use logwell::testing::Listener;
use logwell::{LoggingConfig, QueueLayer};
use logwell_benches::{Order, Scratch, five_fields, in_two_spans, one_file};
use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tracing_subscriber::layer::SubscriberExt as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// So often a case is repeated; fewer than wake the listener, of which there is none.
const TIMES: u64 = 1_000;
/// Repetitions before, for what is done once.
const WARM_UP: u64 = 200;
/// A count may exceed the recorded one by so much.
const TOLERANCE: f64 = 0.05;

/// What is counted, by name.
const CASES: &[(&str, fn())] = &[
    ("caller/message", || caller(|_| tracing::info!("API request handled"))),
    ("caller/five_fields", || caller(five_fields)),
    ("caller/in_two_spans", || in_pipeline(|part, _| in_two_spans(|| repeat(part, five_fields)))),
    ("caller/formatted_message", || caller(formatted_message)),
    ("caller/debug_value", || caller(debug_value)),
    ("caller/disabled", || caller(|number| tracing::debug!(number, "off"))),
    ("caller/span", || caller(one_span)),
    ("caller/message, no masks", || no_masks(|_| tracing::info!("API request handled"))),
    ("caller/five_fields, no masks", || no_masks(five_fields)),
    ("caller/debug_value, no masks", || no_masks(debug_value)),
    ("caller/five_fields, no box", || no_box(five_fields)),
    ("caller/span, no box", || no_box(one_span)),
    ("listener/five_fields", listener),
    ("encoder/five_fields", || encoder(|| five_fields(7_654_321))),
    ("encoder/in_two_spans", || encoder(|| in_two_spans(|| five_fields(7_654_321)))),
    ("encoder/formatted_message", || encoder(|| formatted_message(7_654_321))),
    #[cfg(feature = "metrics")]
    ("metrics/caller", || measured(|part, _| repeat(part, five_fields))),
    #[cfg(feature = "metrics")]
    ("metrics/span", || measured(|part, _| repeat(part, one_span))),
    #[cfg(feature = "metrics")]
    ("metrics/listener", || measured(listen)),
    #[cfg(feature = "metrics")]
    ("metrics/counter", || measured(|part, _| repeat(part, |_| own_metrics().0.inc()))),
    #[cfg(feature = "metrics")]
    ("metrics/histogram", || measured(|part, _| repeat(part, |_| own_metrics().1.observe(0.5)))),
];

fn one_span(number: u64) {
    tracing::info_span!("job", number).in_scope(|| ());
}

fn formatted_message(number: u64) {
    tracing::info!("user {number} signed in from {} after {} ms", "10.0.0.1", 12.5);
}

/// A kilobyte of text with many signs behind which a secret might be.
fn debug_value(_: u64) {
    static ORDER: LazyLock<Order> = LazyLock::new(Order::example);
    tracing::info!(order = ?*ORDER, "placed");
}

/// What is counted: callgrind is told to count inside this function alone.
#[inline(never)]
fn counted_part(work: &mut dyn FnMut()) {
    work();
}

/// Whether this is the part that is counted.
#[derive(Clone, Copy)]
enum Part {
    WarmUp,
    Counted,
}

fn repeat(part: Part, mut call: impl FnMut(u64)) {
    match part {
        Part::WarmUp => (0..WARM_UP).for_each(call),
        Part::Counted => counted_part(&mut || (0..TIMES).for_each(&mut call)),
    }
}

fn caller(call: fn(u64)) {
    in_pipeline(|part, _| repeat(part, call));
}

fn no_masks(call: fn(u64)) {
    with_config(|config| config.redact.enabled = false, |part, _| repeat(part, call));
}

fn no_box(call: fn(u64)) {
    with_config(|config| config.black_box.enabled = false, |part, _| repeat(part, call));
}

/// The listener's side of the same records: from the queue into the file.
fn listener() {
    in_pipeline(listen);
}

fn listen(part: Part, listener: &mut Listener) {
    (0..TIMES).for_each(five_fields);
    match part {
        Part::WarmUp => {}
        Part::Counted => counted_part(&mut || _ = black_box(listener.step())),
    }
}

fn in_pipeline(work: impl Fn(Part, &mut Listener)) {
    with_config(|_| (), work);
}

/// The same with metrics of records and spans; in all other cases they are off.
#[cfg(feature = "metrics")]
fn measured(work: impl Fn(Part, &mut Listener)) {
    with_config(|config| config.metrics.enabled = true, work);
}

/// A counter and a histogram of the program's own.
#[cfg(feature = "metrics")]
fn own_metrics() -> &'static (logwell::metrics::Counter, logwell::metrics::Histogram) {
    static OWN: LazyLock<(logwell::metrics::Counter, logwell::metrics::Histogram)> =
        LazyLock::new(|| {
            let metrics = logwell::metrics::global();
            let bounds = logwell::metrics::SECONDS;
            (metrics.counter("c_total", "C."), metrics.histogram("h", "H.", bounds))
        });
    &OWN
}

fn with_config(change: fn(&mut LoggingConfig), work: impl Fn(Part, &mut Listener)) {
    let Ok(dir) = Scratch::new() else { return };
    let Ok(mut config) = one_file(dir.path()) else { return };
    #[cfg(feature = "metrics")]
    (config.metrics.enabled = false);
    change(&mut config);
    let builder = QueueLayer::builder().config(config).filter_globally(true);
    let Ok((layer, _handle, mut listener)) = builder.build_stepped() else { return };
    let subscriber = tracing_subscriber::registry().with(layer);
    // As in a program: a subscriber for one thread takes another way through tracing.
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        return;
    }
    for part in [Part::WarmUp, Part::Counted] {
        work(part, &mut listener);
        listener.step();
    }
}

fn encoder(log: fn()) {
    let logs = logwell::testing::capture();
    log();
    let records: Vec<Record> = logs.records();
    let mut encoder = JsonEncoder::new(JsonOptions::default());
    let mut line = Vec::new();
    for part in [Part::WarmUp, Part::Counted] {
        repeat(part, |_| {
            line.clear();
            records.iter().for_each(|record| encoder.encode(record, &mut line));
            black_box(&line);
        });
    }
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["case", name] => {
            let case = CASES.iter().find(|(known, _)| known == name).ok_or("no such case")?;
            (case.1)();
            Ok(())
        }
        ["--record"] => record(),
        [] => compare(),
        _ => Err("cargo x bench instructions [--record]".into()),
    }
}

fn record() -> Outcome<()> {
    let mut text = String::from(
        "# Instructions for each call or record, counted by callgrind. Written by\n\
         # `cargo x bench instructions --record`; `cargo x test --all` compares.\n",
    );
    text += &format!("tools: {}\n", tools()?);
    for &(name, _) in CASES {
        let count = count(name)?;
        println!("{name}: {count:.1}");
        text += &format!("{name}: {count:.1}\n");
    }
    Ok(std::fs::write(recorded_file(), text)?)
}

/// Fails if a case has become dearer. Skips, loudly, if the counts cannot be compared.
fn compare() -> Outcome<()> {
    let tools = match tools() {
        Ok(tools) => tools,
        Err(error) if std::env::var_os("CI").is_some() => return Err(error),
        Err(error) => {
            eprintln!("!! SKIPPED: instruction counts need valgrind ({error})");
            return Ok(());
        }
    };
    let text = std::fs::read_to_string(recorded_file())?;
    let recorded: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once(": ")).collect();
    let recorded_tools = recorded.get("tools").copied().unwrap_or_default();
    if recorded_tools != tools {
        eprintln!(
            "!! SKIPPED: instruction counts were recorded with\n!!   {recorded_tools}\n!! and \
             here is\n!!   {tools}\n!! `cargo x bench instructions --record` writes them anew"
        );
        return Ok(());
    }
    let mut dearer = Vec::new();
    for &(name, _) in CASES {
        let count = count(name)?;
        let before: f64 = recorded.get(name).ok_or(format!("{name} is not recorded"))?.parse()?;
        let change = (count - before) / before;
        println!("{name}: {count:.1}, recorded {before:.1} ({:+.1} %)", change * 100.0);
        if change > TOLERANCE {
            dearer.push(name);
        } else if change < -TOLERANCE {
            println!("  cheaper now: record it, or what it gained can be lost again unseen");
        }
    }
    if dearer.is_empty() {
        return Ok(());
    }
    let help = "mend it, or record what it costs now: `cargo x bench instructions --record`";
    Err(format!("more than 5 % dearer than recorded: {}; {help}", dearer.join(", ")).into())
}

/// The instructions of one repetition.
fn count(name: &str) -> Outcome<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*counted_part*")
        .arg(std::env::current_exe()?)
        .args(["case", name])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1));
    match collected.and_then(|number| number.trim().parse::<f64>().ok()) {
        Some(number) if output.status.success() && number > 0.0 => Ok(number / TIMES as f64),
        _ => Err(format!("callgrind counted nothing for {name}: {text}").into()),
    }
}

/// What the counts depend on beside our code.
fn tools() -> Outcome<String> {
    let said = |program: &str, word: &str| -> Outcome<String> {
        let output = Command::new(program).arg(word).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    let (compiler, counter) = (said("rustc", "--version")?, said("valgrind", "--version")?);
    Ok(format!("{compiler}, {counter}, {}", std::env::consts::ARCH))
}

fn recorded_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}
