//! What the store costs: ingest, disk, memory, start, and nine queries and three needles.
//!
//! `cargo x bench store` makes a fleet's log of a million records; `cargo x bench store 5000000`
//! makes as many as that. `LOGBEACON_BENCH_DIR` keeps the store there, and
//! `cargo x bench store Q7 Q9` asks those questions of a store that was kept. One producer sends
//! batches of a thousand, each on disk when its answer comes; making the records is part of the
//! time.

#![expect(clippy::print_stdout, reason = "it reports to a terminal")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly"
)]
#![expect(clippy::string_slice, reason = "the texts are its own")]

mod fleet;

use fleet::{Fleet, SPAN_NS, START_NS};
use logbeacon_store::{AppendError, Embedded, Options, Record, SearchRequest, Store};
use logwell_query::{Query, TimeRange, Value};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    let numbers = std::env::args().filter_map(|word| word.replace('_', "").parse().ok());
    let records: u64 = { numbers }.next_back().unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("LOGBEACON_BENCH_DIR");
    let dir = kept.as_ref().map_or(dir.path(), |kept| Path::new(kept));
    let asked: Vec<String> =
        std::env::args().skip(1).filter(|word| word.starts_with('Q')).collect();
    let needle = match asked.is_empty() {
        true => {
            sparse();
            let (trace, order) = ingest(dir, records);
            std::fs::write(dir.join(NEEDLE), format!("{trace} {order}")).unwrap();
            (trace, order)
        }
        false => {
            let needle = std::fs::read_to_string(dir.join(NEEDLE)).unwrap();
            let (trace, order) = needle.split_once(' ').unwrap();
            (trace.to_owned(), order.to_owned())
        }
    };
    let started = Instant::now();
    let (store, report) = Embedded::open(dir, Options::default()).unwrap();
    println!("start       {} ms, {} replayed", started.elapsed().as_millis(), report.replayed);
    queries(&store, &needle, &asked);
    println!("memory      {} MiB at most", peak_mib());
}

/// Sends the records, and returns the ids of a trace and an order among them.
fn ingest(dir: &Path, records: u64) -> (String, String) {
    let (store, _) = Embedded::open(dir, Options::default()).unwrap();
    let mut fleet = Fleet::new(42, records);
    let (mut raw_bytes, mut sent, mut full) = (0, 0, 0);
    let mut waits: Vec<Duration> = Vec::new();
    let started = Instant::now();
    while sent < records {
        let batch: Vec<Record> = (0..1000.min(records - sent))
            .map(|_| {
                let (record, bytes) = fleet.record();
                raw_bytes += bytes;
                record
            })
            .collect();
        sent += batch.len() as u64;
        loop {
            let asked = Instant::now();
            match store.append(batch.clone()) {
                Ok(_) => {
                    waits.push(asked.elapsed());
                    break;
                }
                Err(AppendError::Full { .. }) => {
                    full += 1;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let (took, used) = (started.elapsed(), cpu_seconds());
    store.maintain(true).unwrap();
    let all = started.elapsed();
    waits.sort();
    let health = store.health();
    assert_eq!(health.rows, records);
    let disk = |below: &str| -> u64 {
        let files = std::fs::read_dir(dir.join(below)).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    println!(
        "            {:.1} CPU seconds a million, the fleet's own included",
        used / records as f64 * 1e6
    );
    let (parts, ids) = (health.part_bytes, disk("ids"));
    println!("ingest      {:.0} k records/s", records as f64 / took.as_secs_f64() / 1e3);
    println!(
        "            {:.0} k records/s until all is sealed and merged",
        records as f64 / all.as_secs_f64() / 1e3
    );
    println!(
        "            batch of 1000: median {:?}, p99 {:?}, full {full} times",
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100]
    );
    println!(
        "raw         {} MB, {} bytes a record",
        raw_bytes / 1_000_000,
        raw_bytes as u64 / records
    );
    println!(
        "disk        {:.4} of raw in {} parts, {:.4} with the identities of a week",
        parts as f64 / raw_bytes as f64,
        health.parts,
        (parts + ids) as f64 / raw_bytes as f64
    );
    println!("memory      {} MiB at most", peak_mib());
    fleet.needle.unwrap_or_default()
}

/// A thousand records with five hundred fields each, hardly two of which have the same names.
fn sparse() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Embedded::open(dir.path(), Options::default()).unwrap();
    let field = |id: u64, n: u64| {
        (format!("field_{}", (id * 7919 + n * 31) % 100_000), Value::Int(n as i64))
    };
    let (mut input_bytes, before_mib) = (0, peak_mib());
    let batches: Vec<Vec<Record>> = (0..10)
        .map(|batch| {
            let record = |id| Record {
                hash: u128::from(id),
                fields: (0..500).map(|n| field(id, n)).collect(),
                ..Record::default()
            };
            (batch * 100..batch * 100 + 100).map(record).collect()
        })
        .collect();
    for (name, value) in batches.iter().flatten().flat_map(|record| &record.fields) {
        input_bytes += name.len() + value.as_ref().text().len() + 4;
    }
    let records_mib = peak_mib() - before_mib;
    batches.into_iter().for_each(|batch| drop(store.append(batch).unwrap()));
    let head_bytes = store.health().head_bytes;
    store.maintain(true).unwrap();
    let all_mib = peak_mib() - before_mib;
    println!(
        "sparse      {} MB of fields: records {records_mib} MiB, head {} MB, sealing {} MiB more",
        input_bytes / 1_000_000,
        head_bytes / 1_000_000,
        all_mib - records_mib,
    );
}

fn queries(store: &Embedded, (trace, order): &(String, String), asked: &[String]) {
    let absent = "ORD-0NOTTHERE0";
    let part = &order[4..12.min(order.len())];
    let queries = [
        ("Q1 newest 100", "service:checkout level:error".to_owned(), Some(100)),
        ("Q2 words", "connection refused level:warn | stats count()".to_owned(), None),
        ("Q3 trace", format!("trace_id:{trace}"), None),
        ("Q4 order", format!("\"{order}\""), None),
        ("Q5 histogram", "* | stats count() by time:1m, level".to_owned(), None),
        ("Q6 top, p99", Q6.to_owned(), None),
        ("Q7 regexp", Q7.to_owned(), None),
        ("Q8 distinct", "status_code:=500 | stats uniq(user_id)".to_owned(), None),
        ("Q9 facets", Q9.to_owned(), None),
        ("absent word", absent.to_owned(), None),
        ("absent part", "*q0x7zzv9*".to_owned(), None),
        ("part of order", format!("order_id:*{part}*"), None),
        ("newest 100", "*".to_owned(), Some(100)),
    ];
    for (what, range) in [
        ("all", TimeRange::ALL),
        ("last 1 %", TimeRange { first_ns: START_NS + SPAN_NS / 100 * 99, ..TimeRange::ALL }),
    ] {
        println!("{what:<14} first ms   warm ms    CPU ms      rows   matched");
        let is_asked = |name: &str| {
            asked.is_empty() || asked.iter().any(|word| name.split(' ').next() == Some(word))
        };
        for (name, text, limit) in queries.iter().filter(|query| is_asked(query.0)) {
            let query = Query::parse(text).unwrap();
            let request = SearchRequest { range, limit: *limit, ..SearchRequest::new(query) };
            let run = || {
                let started = Instant::now();
                let mut rows = 0;
                let summary = store.search(&request, &mut |_| {
                    rows += 1;
                    ControlFlow::Continue(())
                });
                (started.elapsed().as_secs_f64() * 1e3, rows, summary.unwrap())
            };
            let used = cpu_seconds();
            let (first, rows, summary) = run();
            assert!(summary.complete, "{name}: {:?}", summary.skipped);
            let mut warm: Vec<f64> = (0..5).map(|_| run().0).collect();
            warm.sort_by(f64::total_cmp);
            let used = (cpu_seconds() - used) / 6.0 * 1e3;
            let matched = summary.matched;
            println!("{name:<14} {first:>8.1} {:>9.1} {used:>9.1} {rows:>9} {matched:>9}", warm[2]);
        }
    }
}

/// The file that has what Q3 and Q4 look for.
const NEEDLE: &str = "needle";

const Q6: &str = "* | stats count() as n, p99(latency_ms) by endpoint | sort by n desc | limit 10";
const Q7: &str = r#"message~"(timeout|refused).*10[.]4[0-9][.][0-9]+[.][0-9]+:" | stats count()"#;
const Q9: &str = "* | facets 10 by level, service, host, logger, endpoint, status_code, user_id, \
                  region, method, cached";

/// The processor time that the process has had, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().skip(13).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that the process has had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
