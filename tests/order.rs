//! Many threads through a small queue into many small files: every record arrives once, in its
//! thread's order, in a whole line, in a file that is not too large.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

mod json_lines;

use logwell::config::WhenFull;
use logwell::{LoggingConfig, QueueLayer};
use std::path::PathBuf;
use tracing_subscriber::layer::SubscriberExt as _;

const THREADS: u64 = 64;
const RECORDS: u64 = 10_000;
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The number after `key` in a line, without reading all of it.
fn number(line: &str, key: &str) -> u64 {
    let (_, rest) = line.split_once(key).unwrap();
    rest.split([',', '}']).next().unwrap().parse().unwrap()
}

#[test]
fn sixty_four_threads_of_ten_thousand_records_arrive_once_in_order_over_many_rotations() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = LoggingConfig::builder()
        .console(false)
        .log_dir(dir.path())
        .when_full(WhenFull::Block)
        .max_bytes(MAX_BYTES)
        .backup_count(1_000)
        .enable_ai_handler(false)
        .queue_size(1_000)
        .build()
        .unwrap();
    config.shutdown_timeout = std::time::Duration::from_secs(600);
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    let dispatch: tracing::Dispatch = tracing_subscriber::registry().with(layer).into();
    std::thread::scope(|scope| {
        for by in 0..THREADS {
            let dispatch = &dispatch;
            scope.spawn(move || {
                tracing::dispatcher::with_default(dispatch, || {
                    (0..RECORDS).for_each(|number| tracing::info!(by, number, "hello"));
                });
            });
        }
    });
    let report = handle.shutdown();
    assert!(report.is_lossless(), "{report}");
    assert_eq!(report.captured(), THREADS * RECORDS);

    let (_, files) = report.files.iter().find(|(sink, _)| sink == "app").unwrap();
    assert!(files.len() > 10, "it rotated often: {} files", files.len());
    check_files(files);
    let errors = dir.path().join("errors.log");
    assert_eq!(std::fs::metadata(errors).unwrap().len(), 0);
}

/// Reads the files from the oldest on.
fn check_files(files: &[PathBuf]) {
    let mut next = vec![0; usize::try_from(THREADS).unwrap()];
    let mut seq = 0;
    for file in files.iter().rev() {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.len() as u64 <= MAX_BYTES, "{}: {}", file.display(), text.len());
        assert!(text.ends_with('\n'), "{} ends within a line", file.display());
        for (at, line) in text.split_inclusive('\n').enumerate() {
            seq += 1;
            assert_eq!(number(line, "\"seq\":"), seq);
            if at % 64 == 0 {
                json_lines::strict(line.as_bytes()); // all of them would take a minute
            } else {
                assert!(line.starts_with("{\"timestamp\":\"") && line.ends_with("}\n"), "{line}");
            }
            if line.contains("\"logger\":\"logwell\"") {
                continue;
            }
            let by = usize::try_from(number(line, "\"by\":")).unwrap();
            assert_eq!(number(line, "\"number\":"), next[by], "thread {by}");
            next[by] += 1;
        }
    }
    assert!(next.iter().all(|&count| count == RECORDS), "{next:?}");
    assert_eq!(seq, THREADS * RECORDS + 2, "started and stopped are there too");
}
