//! Table: the results of many runs as Markdown. Medians, the spread in brackets, ratios to the
//! reference.

use crate::subject::{self, REFERENCE};
use crate::workload::ALL;
use serde_json::Value;
use std::fmt::Write as _;

/// A figure of a workload: its key in the results, its heading, whether more is better.
struct Column {
    key: &'static str,
    heading: &'static str,
    decimals: usize,
    ratio: Ratio,
}

/// How the figure is compared with the reference's.
#[derive(PartialEq)]
enum Ratio {
    None,
    /// Less is better: `1/16.0`.
    Less,
    /// More is better: `12.0 ×`.
    More,
}

const fn column(key: &'static str, heading: &'static str, decimals: usize, ratio: Ratio) -> Column {
    Column { key, heading, decimals, ratio }
}

const LATENCY: [Column; 5] = [
    column("p50_ns", "p50, ns", 0, Ratio::Less),
    column("p90_ns", "p90", 0, Ratio::None),
    column("p99_ns", "p99", 0, Ratio::Less),
    column("p99.9_ns", "p99.9", 0, Ratio::Less),
    column("max_ns", "max", 0, Ratio::None),
];
const THROUGHPUT: [Column; 3] = [
    column("k_records_per_s", "1 000 records/s", 0, Ratio::More),
    column("cpu_s_per_million", "CPU s per million", 2, Ratio::Less),
    column("peak_rss_mib", "peak RSS, MiB", 1, Ratio::None),
];
const OTHER: [(&str, Column); 6] = [
    ("disabled", column("disabled_ns", "disabled call, ns", 2, Ratio::None)),
    ("start", column("start_ms", "start, ms", 2, Ratio::None)),
    ("start", column("stop_ms", "stop when idle, ms", 2, Ratio::None)),
    ("start", column("fresh_ms", "idle record in the file after, ms", 2, Ratio::None)),
    ("idle", column("idle_cpu_percent", "idle CPU, % of a core", 3, Ratio::None)),
    ("idle", column("peak_rss_mib", "RSS when idle, MiB", 1, Ratio::None)),
];
const TITLES: [(&str, &str); 7] = [
    ("latency-fields", "Caller latency, message and five fields, one thread"),
    ("latency-spans", "Caller latency, the same in two spans with three fields each"),
    ("latency-4-threads", "Caller latency, five fields, four threads at once"),
    ("latency-debug", "Caller latency, a `Debug` value of 1 KB"),
    (
        "throughput-fields",
        "Sustained throughput, five fields, lossless until the last byte is in the file",
    ),
    ("throughput-spans", "Sustained throughput, in two spans"),
    ("throughput-debug", "Sustained throughput, a `Debug` value of 1 KB"),
];

/// All tables.
pub fn all(rows: &[Value]) -> String {
    let mut text = machine() + "\n\n";
    for (workload, title) in TITLES {
        let columns: &[Column] =
            if workload.starts_with("latency") { &LATENCY } else { &THROUGHPUT };
        if rows.iter().any(|row| row["workload"] == workload) {
            _ = writeln!(text, "**{title}**\n\n{}", one(rows, workload, columns));
        }
    }
    text + &threads(rows) + &others(rows) + &subjects(rows)
}

/// What they were measured on.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find(|line| line.starts_with("model name"));
    let cpu = cpu.and_then(|line| line.split(": ").nth(1)).unwrap_or("a processor");
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let virtual_machine =
        if read("/proc/cpuinfo").contains("hypervisor") { ", virtual" } else { "" };
    let compiler = std::process::Command::new("rustc").arg("--version").output();
    let compiler = compiler.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    format!(
        "Measured on {cpu}, {cores} cores{virtual_machine}, Linux {}, {}.",
        read("/proc/sys/kernel/osrelease").trim(),
        compiler.unwrap_or_default().trim()
    )
}

fn one(rows: &[Value], workload: &str, columns: &[Column]) -> String {
    let mut text = String::from("| subject |");
    for column in columns {
        _ = write!(text, " {} |", column.heading);
        if column.ratio != Ratio::None {
            text += " ratio |";
        }
    }
    let cells = text.matches('|').count() - 2;
    _ = writeln!(text, "\n|---|{}", "---:|".repeat(cells));
    for subject in subject::names() {
        if !rows.iter().any(|row| is_of(row, subject, workload)) {
            continue;
        }
        _ = write!(text, "| {} |", shown(rows, subject));
        for column in columns {
            let values = values(rows, subject, workload, column.key);
            _ = write!(text, " {} |", cell(&values, column.decimals));
            let theirs = median(&self::values(rows, REFERENCE, workload, column.key));
            match (column.ratio == Ratio::More, median(&values), theirs) {
                _ if column.ratio == Ratio::None => {}
                _ if subject == REFERENCE => text += " 1 |",
                (true, Some(ours), Some(theirs)) => _ = write!(text, " {:.1} × |", ours / theirs),
                (false, Some(ours), Some(theirs)) if ours <= theirs => {
                    _ = write!(text, " 1/{:.1} |", theirs / ours);
                }
                (false, Some(ours), Some(theirs)) => _ = write!(text, " {:.1} × |", ours / theirs),
                _ => text += " |",
            }
        }
        text += "\n";
    }
    text
}

/// Throughput against the number of threads.
fn threads(rows: &[Value]) -> String {
    let workloads = thread_workloads();
    if !rows.iter().any(|row| row["workload"] == "threads-2") {
        return String::new();
    }
    let mut text =
        String::from("**Throughput by threads, five fields, 1 000 records/s**\n\n| subject |");
    workloads.iter().for_each(|(_, threads)| _ = write!(text, " {threads} |"));
    _ = writeln!(text, "\n|---|{}", "---:|".repeat(workloads.len()));
    for subject in subject::names() {
        _ = write!(text, "| {} |", shown(rows, subject));
        for (workload, _) in &workloads {
            let values = values(rows, subject, workload, "k_records_per_s");
            _ = write!(text, " {} |", cell(&values, 0));
        }
        text += "\n";
    }
    text + "\n"
}

/// The workloads that differ in their threads only.
pub fn thread_workloads() -> Vec<(&'static str, u64)> {
    let threads = ALL
        .iter()
        .filter_map(|(name, _)| Some((*name, name.strip_prefix("threads-")?.parse().ok()?)));
    std::iter::once(("throughput-fields", 1)).chain(threads).collect()
}

fn others(rows: &[Value]) -> String {
    let here = |workload: &str| rows.iter().any(|row| row["workload"] == workload);
    let columns: Vec<_> = OTHER.iter().filter(|(workload, _)| here(workload)).collect();
    if columns.is_empty() {
        return String::new();
    }
    let mut text = String::from("**Off, start, stop and idle**\n\n| subject |");
    columns.iter().for_each(|(_, column)| _ = write!(text, " {} |", column.heading));
    _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns.len()));
    for subject in subject::names() {
        _ = write!(text, "| {} |", shown(rows, subject));
        for (workload, column) in &columns {
            let values = values(rows, subject, workload, column.key);
            let is_late = column.key == "fresh_ms" && values.is_empty();
            let cell = if is_late { "> 1 500".to_owned() } else { cell(&values, column.decimals) };
            _ = write!(text, " {cell} |");
        }
        text += "\n";
    }
    text + "\n"
}

/// Versions, sizes of lines, and whether a quote breaks the JSON.
fn subjects(rows: &[Value]) -> String {
    let mut text = String::from(
        "**Subjects**\n\n| subject | version | bytes a record | in spans | JSON when a value has \
         quotes |\n|---|---|---:|---:|---|\n",
    );
    for subject in subject::names() {
        let of = |workload: &str| rows.iter().rfind(|row| is_of(row, subject, workload));
        let bytes = |workload: &str| {
            let row = of(workload)?;
            Some(row["bytes"].as_f64()? / row["found"].as_f64()?)
        };
        let bytes = |workload| bytes(workload).map(|b| format!("{b:.0}")).unwrap_or_default();
        let json = match of("escapes").map(|row| row["invalid"] == 0) {
            Some(true) => "valid",
            Some(false) => "**invalid**",
            None => "",
        };
        let version = rows.iter().rfind(|row| row["subject"] == subject);
        let version = version.and_then(|row| row["version"].as_str()).unwrap_or_default();
        let (plain, spans) = (bytes("throughput-fields"), bytes("throughput-spans"));
        _ = writeln!(text, "| {subject} | {version} | {plain} | {spans} | {json} |");
    }
    text
}

/// The subject's name, marked if it writes what is not JSON.
fn shown(rows: &[Value], subject: &str) -> String {
    let breaks = |row: &Value| is_of(row, subject, "escapes") && row["invalid"] != 0;
    let mark = if rows.iter().any(breaks) { " †" } else { "" };
    match subject {
        "logwell" => "**logwell**".to_owned(),
        _ => format!("{subject}{mark}"),
    }
}

fn is_of(row: &Value, subject: &str, workload: &str) -> bool {
    row["subject"] == subject && row["workload"] == workload
}

/// The figure of each run that counts, sorted.
pub fn values(rows: &[Value], subject: &str, workload: &str, key: &str) -> Vec<f64> {
    let runs = rows.iter().filter(|row| is_of(row, subject, workload) && row["counts"] == true);
    let mut values: Vec<f64> = runs.filter_map(|row| row[key].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle, or the mean of the two that are.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some((lower + upper) / 2.0)
}

/// `105 (98–110)`.
fn cell(sorted: &[f64], decimals: usize) -> String {
    match (median(sorted), sorted) {
        (Some(middle), [least, .., most]) => {
            let [middle, least, most] = [middle, *least, *most].map(|n| grouped(n, decimals));
            format!("{middle} ({least}–{most})")
        }
        (Some(middle), _) => grouped(middle, decimals),
        // No run counts, or none says.
        _ => "–".to_owned(),
    }
}

/// `12 345`.
fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

/// A run in a line.
pub fn brief(row: &Value) -> String {
    const KEYS: [&str; 8] = [
        "p50_ns",
        "p99_ns",
        "p99.9_ns",
        "k_records_per_s",
        "cpu_s_per_million",
        "disabled_ns",
        "start_ms",
        "idle_cpu_percent",
    ];
    let mut text = String::new();
    for key in KEYS {
        if let Some(number) = row[key].as_f64() {
            _ = write!(text, "{key} {number:.2}  ");
        }
    }
    if row["counts"] != true {
        _ = write!(
            text,
            "DOES NOT COUNT: {} of {} records, {} lines are not JSON",
            row["found"], row["records"], row["invalid"]
        );
    }
    text
}
