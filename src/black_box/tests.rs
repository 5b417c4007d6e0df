//! A pipeline is left as a kill leaves it, and another is started in its place.

use crate::LoggingConfig;
use crate::testing::{Listener, Step};
use crate::{LoggingHandle, QueueLayer};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt as _;

fn config(directory: &Path) -> LoggingConfig {
    let config = LoggingConfig::builder().log_dir(directory).console(false);
    let mut config = config.build().unwrap();
    config.level = crate::Level::Trace.into();
    config.files.level = crate::Level::Trace.into();
    config.black_box.max_bytes = 1 << 20;
    config
}

/// Logs on a thread of its own, which lets go of its pen when it ends.
fn log(layer: QueueLayer, work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let subscriber = tracing_subscriber::registry().with(layer);
        scope.spawn(|| tracing::subscriber::with_default(subscriber, work)).join().unwrap();
    });
}

fn start(directory: &Path) -> (QueueLayer, LoggingHandle, Listener) {
    start_with(config(directory))
}

fn start_with(config: LoggingConfig) -> (QueueLayer, LoggingHandle, Listener) {
    QueueLayer::builder().config(config).build_stepped().unwrap()
}

/// Ends the pipeline as a kill does, and gives the directory as it is then. The files move, since locks
/// die with a process only.
fn kill(directory: &Path, (handle, listener): (LoggingHandle, Listener)) -> TempDir {
    listener.kill();
    drop(handle);
    let left = tempfile::tempdir().unwrap();
    for entry in directory.read_dir().unwrap() {
        let name = entry.unwrap().file_name();
        if !name.to_string_lossy().ends_with(".lock") {
            std::fs::rename(directory.join(&name), left.path().join(&name)).unwrap();
        }
    }
    left
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn boxes(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.contains(".box")).collect()
}

#[test]
fn what_was_in_the_queue_is_written_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, mut listener) = start(directory.path());
    log(layer, || {
        for number in 0..10_u64 {
            let _span = tracing::info_span!("request", path = "/orders", number).entered();
            tracing::info!(number, recovered = "mine", "hello {number}");
        }
        listener.step();
        tracing::error!(user = "anna", amount = 1.5, "lost?");
        tracing::debug!(large = "x".repeat(100_000), "large");
    });
    let directory = kill(directory.path(), (handle, listener));
    assert_eq!(boxes(directory.path()).len(), 1);
    assert_eq!(lines(&directory.path().join("app.log")).len(), 10);

    let (_layer, handle, mut listener) = start(directory.path());
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let numbers: Vec<_> = app.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1]);
    assert_eq!(app[10]["message"], "lost?");
    assert_eq!((&app[10]["amount"], &app[10]["recovered"]), (&1.5.into(), &true.into()));
    assert_eq!(
        app[11]["large"].as_str().unwrap().len(),
        65_539,
        "as long as without the kill: cut, with a mark"
    );
    assert_eq!(app[12]["kind"], "logwell.black_box");
    assert_eq!((&app[12]["recovered"], &app[12]["damaged"]), (&2.into(), &0.into()));
    assert_eq!((&app[12]["first_seq"], &app[12]["last_seq"]), (&11.into(), &12.into()));
    assert_eq!(app[12]["filtered"], 0);
    assert_eq!(lines(&directory.path().join("errors.log")).len(), 1);
    assert_eq!(boxes(directory.path()).len(), 1, "only its own");

    let stopping = std::thread::spawn(move || handle.shutdown());
    while listener.step() != Step::Stopped {}
    assert!(stopping.join().unwrap().is_complete);
    assert_eq!(boxes(directory.path()), [""; 0]);
}

#[test]
fn what_the_level_of_the_file_keeps_out_of_a_recovery_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let filtered = |directory: &Path| {
        let mut config = config(directory);
        config.files.level = crate::Level::Info.into();
        config
    };
    let (layer, handle, listener) = start_with(filtered(directory.path()));
    log(layer, || {
        tracing::info!("one");
        tracing::debug!("two");
        tracing::info!("three");
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start_with(filtered(directory.path()));
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let numbers: Vec<_> = app.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 1]);
    assert_eq!((&app[2]["recovered"], &app[2]["filtered"]), (&2.into(), &1.into()));
    assert_eq!((&app[2]["first_seq"], &app[2]["last_seq"]), (&1.into(), &3.into()));
}

/// Spoils a word of the record with that message in the only box of the directory.
fn spoil(directory: &Path, message: &str) {
    let path = directory.join(&boxes(directory)[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    let is_it = |window: &[u8]| window == message.as_bytes();
    let at = bytes.windows(message.len()).position(is_it).unwrap();
    bytes[at] ^= 0x20;
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_damaged_entry_costs_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (layer, handle, listener) = start(directory.path());
    log(layer, || {
        for text in ["first", "broken", "third", "fourth"] {
            tracing::info!("{text}");
        }
    });
    let directory = kill(directory.path(), (handle, listener));
    spoil(directory.path(), "broken");
    let path = directory.path().join(&boxes(directory.path())[0]);
    let contents = crate::black_box::read(&path).unwrap();
    let texts: Vec<_> = contents.records.iter().map(|record| record.message()).collect();
    assert_eq!(texts, ["first", "third", "fourth"]);
    assert_eq!(contents.damaged, 1);
}
