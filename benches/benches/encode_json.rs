//! What one JSON line costs: records of several shapes, encoded into a buffer that is used again.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logwell::encode::Encode;
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::record::Record;
use logwell_benches::{five_fields, in_two_spans};
use std::hint::black_box;

fn captured(log: impl FnOnce()) -> Vec<Record> {
    let logs = logwell::testing::capture();
    log();
    logs.records()
}

fn encode_json(criterion: &mut Criterion) {
    let shapes: [(&str, Vec<Record>); 4] = [
        ("message only", captured(|| tracing::info!("API request handled"))),
        ("five fields", captured(|| five_fields(7))),
        ("five fields in two spans", captured(|| in_two_spans(|| five_fields(7)))),
        ("text of 4 KiB to escape", captured(|| tracing::info!(text = "say \"ä\"\n".repeat(455)))),
    ];
    let mut group = criterion.benchmark_group("encode_json");
    for (name, records) in &shapes {
        let mut encoder = JsonEncoder::new(JsonOptions::default());
        let mut line = Vec::new();
        let mut encode = || {
            line.clear();
            records.iter().for_each(|record| encoder.encode(record, &mut line));
            line.len()
        };
        group.throughput(Throughput::Bytes(encode() as u64));
        group.bench_function(*name, |bencher| bencher.iter(|| black_box(encode())));
    }
    group.finish();
}

criterion_group!(benches, encode_json);
criterion_main!(benches);
