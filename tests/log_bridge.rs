//! Records of the `log` crate, and of loggers with names known only at run time.
//!
//! One pipeline for the whole process, with directives by target: `info` in general, `debug` for
//! `chatty`, nothing for `muted`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use logwell::record::Level;
use logwell::sink::{Accepts, MemorySink};
use logwell::{Logger, LoggingContext, LoggingHandle, QueueLayer};
use serde_json::{Value, json};
use std::cell::Cell;
use std::sync::LazyLock;
use support::{SOON, one, span_names};
use tracing::info_span;

struct Process {
    all: MemorySink,
    errors: MemorySink,
    ai: MemorySink,
    handle: LoggingHandle,
}

static PROCESS: LazyLock<Process> = LazyLock::new(|| {
    let (all, errors, ai) = (MemorySink::new(), MemorySink::new(), MemorySink::new());
    let warn_of_one = Accepts::all().directives("info,half=warn".parse().unwrap());
    let handle = QueueLayer::builder()
        .config(support::quiet("info,chatty=debug,muted=off"))
        .sink("all", Accepts::all(), all.clone())
        .sink("errors of memory", Accepts::all().from_level(Level::Error), errors.clone())
        .sink("ai of memory", Accepts::all().only_ai(), ai.clone())
        .sink("half", warn_of_one, MemorySink::new())
        .init()
        .unwrap();
    Process { all, errors, ai, handle }
});

impl Process {
    /// What is in a sink from that logger.
    fn of(&self, sink: &MemorySink, logger: &str) -> Vec<Value> {
        self.handle.flush(SOON).unwrap();
        let mut all = sink.json();
        all.retain(|record| record["logger"] == logger);
        all
    }
}

#[test]
fn a_log_record_carries_target_module_file_and_line() {
    let process = &*PROCESS;
    let ((), line) = (log::warn!(target: "bridge-place", "from {}", "log"), line!());
    let record = one(process.of(&process.all, "bridge-place"));
    assert_eq!((&record["level"], &record["message"]), (&json!("WARN"), &json!("from log")));
    assert_eq!((&record["module"], &record["line"]), (&json!("log_bridge"), &json!(line)));
    assert!(record["file"].as_str().unwrap().ends_with("log_bridge.rs"));
    let keys: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(
        !keys.iter().any(|key| key.starts_with("log.") || key.starts_with("field.")),
        "{keys:?}"
    );
}

#[test]
fn a_log_record_without_target_has_that_of_its_module() {
    let process = &*PROCESS;
    log::info!("a record of this module");
    let records = process.of(&process.all, "log_bridge");
    assert!(records.iter().any(|record| record["message"] == "a record of this module"));
}

#[test]
fn the_real_target_decides_whether_a_log_record_is_taken() {
    let process = &*PROCESS;
    let evaluated = Cell::new(0);
    let count = || evaluated.replace(evaluated.get() + 1);
    log::debug!(target: "chatty::inner", "taken {}", count());
    log::trace!(target: "chatty", "not taken {}", count());
    log::debug!(target: "bridge-quiet", "not taken {}", count());
    log::error!(target: "muted", "not taken {}", count());
    assert_eq!(process.of(&process.all, "chatty::inner").len(), 1);
    for refused in ["chatty", "bridge-quiet", "muted"] {
        assert_eq!(process.of(&process.all, refused), Vec::<Value>::new());
    }
    assert!(log::log_enabled!(target: "chatty", log::Level::Debug));
    assert!(!log::log_enabled!(target: "chatty", log::Level::Trace));
    assert!(!log::log_enabled!(target: "bridge-quiet", log::Level::Debug));
    assert!(!log::log_enabled!(target: "muted", log::Level::Error));
    assert_eq!(log::max_level(), log::LevelFilter::Debug);
}

#[test]
fn log_records_stand_in_the_spans_and_contexts_around() {
    let process = &*PROCESS;
    let _context = LoggingContext::new().trace_id("abc-123").with("user", 7).enter();
    let _span = info_span!("around", x = 1).entered();
    log::info!(target: "bridge-context", "inside");
    let record = one(process.of(&process.all, "bridge-context"));
    assert_eq!(span_names(&record), ["around"]);
    assert_eq!((&record["trace_id"], &record["user"]), (&json!("abc-123"), &json!(7)));
}

#[test]
fn log_records_go_to_the_sinks_their_level_and_target_name() {
    let process = &*PROCESS;
    log::error!(target: "bridge-error", "an error");
    log::info!(target: "ai_responses", "an answer");
    assert_eq!(process.of(&process.errors, "bridge-error").len(), 1);
    assert_eq!(process.of(&process.ai, "ai_responses").len(), 1);
    assert_eq!(process.of(&process.all, "ai_responses").len(), 1);
    assert_eq!(process.of(&process.ai, "bridge-error").len(), 0);
}

#[test]
fn a_long_log_message_is_cut_and_its_target_is_not() {
    let process = &*PROCESS;
    log::info!(target: "bridge-long", "{}", "x".repeat(1_000_000));
    let record = one(process.of(&process.all, "bridge-long"));
    assert!(record["message"].as_str().unwrap().len() < 70_000);
    assert_eq!(record["truncated"]["message"], 1_000_000);
}

#[test]
fn a_log_message_that_writes_without_end_is_stopped() {
    struct Endless<'a>(&'a Cell<usize>);
    impl std::fmt::Display for Endless<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            for _ in 0..500_000 {
                f.write_str(&"x".repeat(100))?;
                self.0.set(self.0.get() + 1);
            }
            Ok(())
        }
    }
    let process = &*PROCESS;
    let taken = Cell::new(0);
    log::info!(target: "bridge-endless", "all of it: {}", Endless(&taken));
    let record = one(process.of(&process.all, "bridge-endless"));
    assert!(record["message"].as_str().unwrap().ends_with("x…"));
    assert_eq!(record["truncated"]["message"], Value::Null);
    assert!((655..720).contains(&taken.get()), "{taken:?}");
}

#[test]
fn a_named_logger_logs_at_all_levels_under_its_name() {
    let process = &*PROCESS;
    let logger = Logger::new("chatty::named").with("region", "eu").with("n", 1).with("n", 2);
    logger.log(Level::Trace, "trace");
    logger.debug("debug");
    logger.info("info");
    logger.warning("warning {not a format}");
    logger.error("error");
    logger.critical("critical");
    let records = process.of(&process.all, "chatty::named");
    let levels: Vec<_> = records.iter().map(|record| &record["level"]).collect();
    assert_eq!(levels, ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
    assert_eq!(records[2]["message"], "warning {not a format}");
    for record in &records {
        assert_eq!((&record["region"], &record["n"]), (&json!("eu"), &json!(2)));
        assert_eq!(record.get("logwell.critical"), None);
    }
    assert_eq!(process.of(&process.errors, "chatty::named").len(), 2);
    assert!(logger.is_enabled(Level::Debug) && !logger.is_enabled(Level::Trace));
}

#[test]
fn a_muted_logger_is_silent_even_at_critical() {
    let process = &*PROCESS;
    let logger = Logger::new("muted");
    logger.error("error");
    logger.critical("critical");
    assert!(!logger.is_enabled(Level::Critical));
    assert_eq!(process.of(&process.all, "muted"), Vec::<Value>::new());
}

#[test]
fn a_log_message_is_taken_apart_by_nobody() {
    let process = &*PROCESS;
    log::info!(target: "bridge-odd", "{{\"json\": true}}\n${{jndi:x}} \u{0}");
    let record = one(process.of(&process.all, "bridge-odd"));
    assert_eq!(record["message"], "{\"json\": true}\n${jndi:x} \u{0}");
}

#[test]
fn key_values_of_a_log_record_are_fields_with_their_types() {
    let process = &*PROCESS;
    let source = std::io::Error::other("disk full");
    let error = Failed(source);
    let none: Option<u32> = None;
    log::info!(
        target: "kv-types",
        user_id = 7, low = -7_i64, ratio = 0.5, ok = true, name = "ann", letter = 'x',
        wide = u128::MAX, none:? = none, list:? = [1, 2], shown:% = "as text", error:err = error;
        "x {}", 1
    );
    let record = one(process.of(&process.all, "kv-types"));
    for (key, value) in [
        ("message", json!("x 1")),
        ("user_id", json!(7)),
        ("low", json!(-7)),
        ("ratio", json!(0.5)),
        ("ok", json!(true)),
        ("name", json!("ann")),
        ("letter", json!("x")),
        ("wide", json!(u128::MAX.to_string())),
        ("list", json!("[1, 2]")),
        ("shown", json!("as text")),
        ("error", json!("cannot save")),
        ("error_chain", json!(["disk full"])),
    ] {
        assert_eq!(record[key], value, "{key} in {record}");
    }
}

#[derive(Debug)]
struct Failed(std::io::Error);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot save")
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn key_values_are_masked_and_cut_like_other_fields() {
    let process = &*PROCESS;
    let (long, before) = ("é".repeat(40_000), process.handle.stats());
    log::info!(
        target: "kv-masks",
        password = "hunter2", header = "Authorization: Bearer abcdef0123456789", long = long; "x"
    );
    let record = one(process.of(&process.all, "kv-masks"));
    let text = record.to_string();
    assert!(!text.contains("hunter2") && !text.contains("abcdef0123456789"), "{text}");
    assert_eq!(record["truncated"]["long"], 80_000);
    assert!(record["long"].as_str().unwrap().len() <= 65_540);
    assert!(process.handle.stats().redacted_values >= before.redacted_values + 2);
}

#[test]
fn key_values_cannot_change_what_a_record_says_of_itself() {
    let process = &*PROCESS;
    log::info!(
        target: "kv-forged",
        message = "forged", target = "t", level = "ERROR", recovered = true, kind = "logwell.stopped";
        "true"
    );
    let pairs = [("log.target", "forged"), ("log.line", "7"), ("logwell.critical", "true")];
    let record = log::Record::builder()
        .level(log::Level::Info)
        .target("kv-forged")
        .args(format_args!("built"))
        .key_values(&pairs)
        .build();
    log::logger().log(&record);
    let records = process.of(&process.all, "kv-forged");
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0]["message"], &records[0]["level"]), (&json!("true"), &json!("INFO")));
    assert_eq!(
        (&records[0]["field.message"], &records[0]["target"]),
        (&json!("forged"), &json!("t"))
    );
    for key in ["level", "recovered", "kind"] {
        assert!(records[0].get(format!("field.{key}")).is_some(), "{key}");
    }
    assert_eq!((records[0].get("recovered"), records[0].get("kind")), (None, None));
    assert_eq!((records[1].get("line"), &records[1]["message"]), (None, &json!("built")));
    assert_eq!(records[1]["field.log.target"], "forged");
    assert_eq!(records[1]["field.logwell.critical"], "true");
}

#[test]
fn a_key_value_that_panics_costs_only_itself() {
    struct Panics;
    impl std::fmt::Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("while formatting")
        }
    }
    let process = &*PROCESS;
    log::info!(target: "kv-panic", bad:? = Panics, good = 1; "x");
    let record = one(process.of(&process.all, "kv-panic"));
    assert!(record["bad"].as_str().unwrap().contains("panic"), "{record}");
    assert_eq!(record["good"], 1);
}

#[test]
fn a_record_that_is_logged_while_a_value_is_formatted_has_only_its_own_key_values() {
    struct Logs;
    impl std::fmt::Display for Logs {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            log::info!(target: "kv-nested", inner = 1; "inner");
            log::info!(target: "kv-nested", "none");
            f.write_str("outer")
        }
    }
    let process = &*PROCESS;
    log::info!(target: "kv-nested", outer = 1; "{}", Logs);
    let records = process.of(&process.all, "kv-nested");
    let of = |message: &str| records.iter().find(|record| record["message"] == message).unwrap();
    let keys =
        |message: &str| (of(message).get("inner").is_some(), of(message).get("outer").is_some());
    assert_eq!(
        (keys("inner"), keys("none"), keys("outer")),
        ((true, false), (false, false), (false, true))
    );
}

#[test]
fn flush_of_the_log_crate_hands_everything_to_the_sinks() {
    let process = &*PROCESS;
    for n in 0..100 {
        log::info!(target: "kv-flush", n; "x");
    }
    log::logger().flush();
    let written = process.all.json();
    assert_eq!(written.iter().filter(|record| record["logger"] == "kv-flush").count(), 100);
}
