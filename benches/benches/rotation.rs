//! What a line costs on its way into a rotating file: without rotation, and with one each megabyte.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logwell::rotate::{FileOptions, RotatingFile};
use std::time::Instant;

const LINES: usize = 10_000;

fn rotation(criterion: &mut Criterion) {
    let line = format!("{}\n", "x".repeat(249));
    let mut group = criterion.benchmark_group("rotation");
    group.throughput(Throughput::Bytes((LINES * line.len()) as u64));
    for (name, max_bytes) in [("one file", u64::MAX / 2), ("a new file each 1 MiB", 1 << 20)] {
        group.bench_function(name, |bencher| {
            let Ok(dir) = tempfile::tempdir() else { return };
            let path = dir.path().join("app.log");
            let options = FileOptions { max_bytes, ..FileOptions::new(path) };
            let Ok(mut file) = RotatingFile::open(options) else { return };
            bencher.iter(|| {
                let now = Instant::now();
                let all = (0..LINES).try_for_each(|_| file.append(line.as_bytes(), now));
                all.is_ok() && file.flush(now).is_ok()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rotation);
criterion_main!(benches);
