//! What a call costs whose level is off: with logwell, and with tracing alone.

use criterion::{Criterion, criterion_group, criterion_main};
use logwell::QueueLayer;
use logwell::config::LoggingConfig;
use std::hint::black_box;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

fn off(number: u64) {
    tracing::debug!(number, text = "not evaluated", "off");
}

fn disabled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("disabled");
    let alone = tracing_subscriber::registry().with(LevelFilter::INFO);
    tracing::subscriber::with_default(alone, || {
        group.bench_function("tracing alone", |bencher| bencher.iter(|| off(black_box(7))));
    });
    let config = LoggingConfig::builder().files(false).console(false).build();
    let built = config.and_then(|config| {
        QueueLayer::builder().config(config).filter_globally(true).build_stepped()
    });
    if let Ok((layer, _handle, _listener)) = built {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            group.bench_function("logwell", |bencher| bencher.iter(|| off(black_box(7))));
        });
    }
    group.finish();
}

criterion_group!(benches, disabled);
criterion_main!(benches);
