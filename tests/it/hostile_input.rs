//! Hostile input, class by class: what anybody may get into a log. In each schema of JSON and in
//! the text for people, one event is one line, strict, without a key twice or a raw control
//! character, and not longer than its limit.
//!
//! `hostile_values.rs` has what needs a global subscriber: values that log, recurse and panic.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "helpers of tests, outside of #[test] functions"
)]

use crate::json_lines;

use json_lines::{deceives, strict};
use logwell::config::{Schema, TimeZone};
use logwell::encode::text::{TextEncoder, TextOptions};
use logwell::rotate::FileOptions;
use logwell::sink::{Accepts, FileSink};
use logwell::{Clock, LoggingConfig, LoggingContext, QueueLayer};
use std::error::Error;
use std::fmt;
use std::fs;
use tracing::{error, info, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

/// A name for the input, and one event that carries it.
type Class = (&'static str, fn());

const FORGED: &str = "x\"}\n{\"level\":\"CRITICAL\",\"message\":\"forged\"}\r\n";
const CONTROLS: &str = "\0\u{1}\u{7}\u{8}\t\u{b}\u{c}\u{1b}[31m\u{1b}]0;title\u{7}\u{7f}";
const C1: &str = "\u{80}\u{85}\u{9b}31m\u{9d}0;title\u{9c}\u{9f}";
const LINES: &str = "\n\r\r\n\u{b}\u{c}\u{85}\u{2028}\u{2029}";
const BIDI: &str = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
const UNICODE: &str =
    "\u{feff}\u{200b}\u{fffd}\u{fffe}\u{10ffff}e\u{301}\u{1f469}\u{200d}\u{1f680}";

const CLASSES: &[Class] = &[
    ("a forged record", || info!(user = FORGED, "{FORGED}")),
    ("control characters and colours", || info!(value = CONTROLS, "{CONTROLS}")),
    ("C1 controls", || info!(value = C1, "{C1}")),
    ("all that ends a line", || info!(value = LINES, "{LINES}")),
    ("bidirectional controls", || info!(value = BIDI, "{BIDI}")),
    ("rare characters", || info!(value = UNICODE, "{UNICODE}")),
    ("quotes and backslashes", || info!(value = "\"\\\"\\\\\u{8}\"", "\\\"\\")),
    ("what a template would expand", || {
        info!(value = "${jndi:ldap://x/a}", "{} %s %n ${{jndi:ldap://x/a}}", "{0}");
    }),
    ("keys of the record as fields", || {
        info!(
            timestamp = 1,
            level = "FATAL",
            logger = "root",
            module = "m",
            function = "f",
            file = "f.rs",
            line = -1,
            thread = "t",
            process = 0,
            seq = "s",
            trace_id = "t\n",
            span_id = "s\"",
            spans = "none",
            truncated = true,
            kind = "logwell.stopped",
            "forged keys"
        );
    }),
    ("keys of other schemas as fields", || {
        info!(
            "@timestamp" = 1,
            "log.level" = "FATAL",
            "ecs.version" = 0,
            severity = "EMERGENCY",
            time = 0,
            "logging.googleapis.com/trace" = "x",
            resourceLogs = 1,
            error = "e",
            error_chain = "c",
            labels = "l",
            "labels.a" = 1,
            body = "b",
            attributes = 2,
            "forged keys"
        );
    }),
    ("a key twice", || {
        let context = LoggingContext::new().with("twice", 1).with("twice", 2);
        context.in_scope(|| info!(twice = 3, "once"));
    }),
    ("names that only a program can make", || {
        let long = "n".repeat(100_000);
        let mut context = LoggingContext::new();
        for name in ["", " ", "\0", "a\nb", "\"", "\\", "a.b.c", "\u{202e}", "level", long.as_str()]
        {
            context = context.with(name, 1);
        }
        context.in_scope(|| info!("odd names"));
    }),
    ("a message of 10 MB", || info!("{}", "long\n".repeat(2 << 20))),
    ("a field of 10 MB", || info!(value = "\u{1b}".repeat(10 << 20), "long")),
    ("a Debug of 10 MB in small pieces", || info!(value = ?Pieces(1 << 20), "long")),
    ("a thousand pairs", || {
        let add = |context: LoggingContext, n: u32| context.with(&format!("pair {n}"), n);
        (0..1_000).fold(LoggingContext::new(), add).in_scope(|| info!("many"));
    }),
    ("two thousand nested spans", || {
        let mut inside = Vec::new();
        for depth in 0..2_000 {
            inside.push(info_span!("deep", depth, evil = FORGED).entered());
        }
        info!("at the bottom");
        while inside.pop().is_some() {}
    }),
    ("numbers that JSON lacks", || {
        info!(
            nan = f64::NAN,
            up = f64::INFINITY,
            down = f64::NEG_INFINITY,
            zero = -0.0,
            tiny = 5e-324,
            huge = f64::MAX,
            u64 = u64::MAX,
            u128 = u128::MAX,
            i128 = i128::MIN,
            "numbers"
        );
    }),
    ("bytes that are no text, lone surrogates among them", || {
        let bytes: &[u8] = &[0xed, 0xa0, 0x80, 0xff, 0xfe, 0, b'\n', b'"', 0xc0, 0xaf];
        info!(bytes, text = %String::from_utf8_lossy(bytes), "bytes");
    }),
    ("an error that is its own source, with line feeds", || {
        error!(error = &Cyclic as &(dyn Error + 'static), "round and round");
    }),
    (
        "a Debug that fails and one that panics",
        || info!(fails = ?Bad(false), panics = ?Bad(true), "bad"),
    ),
    ("ids that are no ids", || {
        LoggingContext::new().trace_id(FORGED).span_id(C1).in_scope(|| info!("odd ids"));
    }),
    ("a header that is no traceparent", || {
        let context = LoggingContext::from_headers(Some("00-\n-\"-zz"), Some(FORGED));
        context.in_scope(|| info!("odd headers"));
    }),
    ("a thread with an odd name", || {
        let log = || info!("odd thread");
        tracing::dispatcher::get_default(|dispatch| {
            let named = std::thread::Builder::new().name(FORGED.to_owned());
            let inside = || tracing::dispatcher::with_default(dispatch, log);
            std::thread::scope(|scope| named.spawn_scoped(scope, inside).unwrap().join().unwrap());
        });
    }),
    ("an AI record with a prompt of 10 MB", || {
        logwell::ai_response!(gen_ai.prompt = FORGED.repeat(200_000), "asked");
    }),
];

struct Pieces(usize);

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|_| f.write_str("0123456\n89"))
    }
}

struct Bad(bool);

impl fmt::Debug for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half\n\"")?;
        assert!(!self.0, "in Debug");
        Err(fmt::Error)
    }
}

#[derive(Debug)]
struct Cyclic;

impl fmt::Display for Cyclic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORGED)
    }
}

impl Error for Cyclic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

/// What one class leaves in the files: a line of JSON and one of text.
fn lines(schema: Schema, class: fn()) -> (Vec<u8>, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let builder = LoggingConfig::builder().console(false).log_dir(dir.path()).schema(schema);
    let config = builder.build().unwrap();
    let text = TextEncoder::new(TextOptions { color: false, zone: TimeZone::Utc });
    let path = dir.path().join("text.log");
    let text = FileSink::open(FileOptions::new(&path), Box::new(text), Clock::System).unwrap();
    let (layer, _handle, mut listener) = QueueLayer::builder()
        .config(config)
        .sink("text", Accepts::all(), text)
        .build_stepped()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), class);
    listener.step();
    (fs::read(dir.path().join("app.log")).unwrap(), fs::read(path).unwrap())
}

fn check(schema: Schema) {
    let max_bytes = usize::try_from(LoggingConfig::default().files.app.max_bytes).unwrap();
    for (name, class) in CLASSES {
        let (json, text) = lines(schema, *class);
        strict(&json);
        assert!(json.len() <= max_bytes, "{name}: {} bytes", json.len());
        let text = String::from_utf8(text).unwrap();
        let line = text.strip_suffix('\n').unwrap_or_else(|| panic!("{name}: no line of text"));
        assert!(!line.chars().any(deceives), "{name}: {line}");
    }
}

#[test]
fn each_class_of_hostile_input_is_one_strict_line_of_the_native_schema() {
    assert!(CLASSES.len() >= 12);
    check(Schema::Native);
}

#[test]
fn each_class_of_hostile_input_is_one_strict_line_of_ecs() {
    check(Schema::Ecs);
}

#[test]
fn each_class_of_hostile_input_is_one_strict_line_of_google_cloud() {
    check(Schema::Gcp);
}

#[test]
fn each_class_of_hostile_input_is_one_strict_line_of_open_telemetry() {
    check(Schema::Otel);
}

#[test]
fn a_forged_key_changes_nothing_that_the_record_says_of_itself() {
    let forged = CLASSES.iter().find(|(name, _)| *name == "keys of the record as fields").unwrap();
    let record = strict(&lines(Schema::Native, forged.1).0);
    assert_eq!(
        (&record["level"], &record["logger"]),
        (&"INFO".into(), &"it::hostile_input".into())
    );
    assert_eq!((&record["seq"], &record["process"]), (&1.into(), &std::process::id().into()));
    assert_eq!(record["field.level"], "FATAL");
    assert_eq!(record["field.process"], 0);
}
