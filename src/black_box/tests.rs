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
    QueueLayer::builder().config(config(directory)).build_stepped().unwrap()
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
    assert_eq!(lines(&directory.path().join("errors.log")).len(), 1);
    assert_eq!(boxes(directory.path()).len(), 1, "only its own");

    let stopping = std::thread::spawn(move || handle.shutdown());
    while listener.step() != Step::Stopped {}
    assert!(stopping.join().unwrap().is_complete);
    assert_eq!(boxes(directory.path()), [""; 0]);
}

#[test]
fn an_error_for_which_the_queue_has_no_room_waits_beside_it_and_survives_a_kill_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = config(directory.path());
    small.queue.size = 4;
    small.queue.max_wait = std::time::Duration::from_millis(1);
    let (layer, handle, mut listener) =
        QueueLayer::builder().config(small).build_stepped().unwrap();
    log(layer, || {
        (0..4).for_each(|number| tracing::error!(number, "in the queue"));
        (4..9).for_each(|number| tracing::error!(number, "beside it"));
        assert_eq!((handle.stats().in_queue, handle.stats().dropped.total()), (9, 0));
        listener.step();
        assert_eq!(handle.stats().in_queue, 0);
        assert_eq!(lines(&directory.path().join("app.log")).len(), 9);
        (9..13).for_each(|number| tracing::error!(number, "in the queue"));
        (13..20).for_each(|number| tracing::error!(number, "beside it"));
    });
    let directory = kill(directory.path(), (handle, listener));
    let (_layer, _handle, mut listener) = start(directory.path());
    listener.step();
    let app = lines(&directory.path().join("app.log"));
    let mut numbers: Vec<_> = app.iter().filter_map(|line| line["number"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}
