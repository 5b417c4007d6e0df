//! The `log` crate's side follows level changes. One test, since the levels are the process's.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use logwell::record::Level;
use logwell::sink::{Accepts, MemorySink};
use logwell::{Logger, QueueLayer};
use support::{SOON, quiet};

#[test]
fn the_log_crate_follows_the_level_as_it_changes() {
    let memory = MemorySink::new();
    let handle = QueueLayer::builder()
        .config(quiet("info"))
        .sink("memory", Accepts::all(), memory.clone())
        .init()
        .unwrap();
    let logger = Logger::new("orders");
    let said = |level: &str| {
        handle.set_level(level).unwrap();
        handle.flush(SOON).unwrap();
        drop(memory.take());
        log::debug!(target: "orders", "debug");
        logger.info("info");
        log::error!(target: "orders", "error");
        logger.critical("critical");
        log::error!(target: "others", "other error");
        handle.flush(SOON).unwrap();
        memory.messages()
    };

    assert_eq!(log::max_level(), log::LevelFilter::Info);
    assert_eq!(said("info"), ["info", "error", "critical", "other error"]);
    assert_eq!(said("debug"), ["debug", "info", "error", "critical", "other error"]);
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
    assert_eq!(said("off,orders=info"), ["info", "error", "critical"]);
    assert_eq!(said("error,orders=off"), ["other error"]);
    assert_eq!(said("off"), [""; 0]);
    assert_eq!(log::max_level(), log::LevelFilter::Off);
    assert!(!logger.is_enabled(Level::Critical));
    assert_eq!(said("critical"), ["critical"]);
    assert!(logger.is_enabled(Level::Critical) && !logger.is_enabled(Level::Error));
    assert_eq!(said("off,orders=critical"), ["critical"]);
    assert_eq!(said("trace").len(), 5);
}
