//! The log file as other programs read it: jq, lnav and pandas.
//!
//! A tool that is not installed is skipped with a loud line, or fails the test where the variable
//! `CI` is set. To have them all: `apt-get install jq lnav`, `pip install pandas`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests, outside of #[test] functions; a skipped test must be seen"
)]

use logwell::{LoggingConfig, QueueLayer};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tracing_subscriber::layer::SubscriberExt as _;

/// A file with a record of each level and some hostile text.
struct LogFile {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl LogFile {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = LoggingConfig::builder()
            .console(false)
            .log_level("trace")
            .file_level("trace")
            .log_dir(dir.path())
            .build()
            .unwrap();
        let (layer, _handle, mut listener) =
            QueueLayer::builder().config(config).build_stepped().unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::trace!("one");
            tracing::debug!("two");
            // lnav 0.11 calls a line invalid that has an integer above 2⁶³ − 1.
            tracing::info!(user_id = 7, ratio = 0.5, biggest = i64::MAX, paid = true, "three");
            let span = tracing::info_span!("request", path = "/buy");
            span.in_scope(|| tracing::warn!(text = "\n\u{1b}[31m\u{202e}\"\\é🦀", "four\nlines"));
            tracing::error!(r#type = "card", nan = f64::NAN, body = &b"\0"[..], "five");
            logwell::critical!("six");
        });
        listener.step();
        let path = dir.path().join("app.log");
        Self { dir, path }
    }
}

/// Whether the command can be run; says so if not.
fn has(tool: &str, probe: &mut Command) -> bool {
    let probed = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = probed.is_ok_and(|status| status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "{tool} is not installed, and this is CI");
        eprintln!("SKIPPED: {tool} is not installed; this test has checked nothing");
    }
    is_there
}

/// The system's Python, which has the distribution's pandas, before one that a user installed.
fn python() -> &'static str {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() { system } else { "python3" }
}

/// What the command prints.
fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn jq_reads_every_line_and_finds_typed_values() {
    if !has("jq", Command::new("jq").arg("--version")) {
        return;
    }
    let log = LogFile::new();
    let ask = |question: &str| output(Command::new("jq").args(["-c", question]).arg(&log.path));
    assert_eq!(ask(".seq").lines().collect::<Vec<_>>(), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(ask("select(.user_id > 6) | [.message, .ratio, .paid]"), "[\"three\",0.5,true]\n");
    assert_eq!(ask("select(.level == \"WARN\") | .spans[0].path"), "\"/buy\"\n");
    assert_eq!(ask("select(.type == \"card\") | [.nan, .body_b64]"), "[\"NaN\",\"AA==\"]\n");
    let text = ask("select(.text) | .text | explode | length");
    assert_eq!(text, "11\n", "every character came through");
}

#[test]
fn lnav_knows_the_format_its_times_and_its_levels() {
    if !has("lnav", Command::new("lnav").arg("-V")) {
        return;
    }
    let log = LogFile::new();
    let home = log.dir.path().join("home");
    let formats = home.join("formats/logwell");
    std::fs::create_dir_all(&formats).unwrap();
    let format = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/lnav/logwell.json");
    std::fs::copy(format, formats.join("logwell.json")).unwrap();
    let question = ";SELECT log_level, log_body, logger, json_extract(spans, '$[0].path') AS path, \
                    strftime('%Y', log_time) >= '2026' AS is_dated FROM logwell_log";
    let answer = output(
        Command::new("lnav")
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("TERM", "dumb")
            .arg("-n")
            .arg("-I")
            .arg(&home)
            .args(["-c", question, "-c", ":write-json-to -"])
            .arg(&log.path),
    );
    let rows: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let column = |name: &str| -> Vec<serde_json::Value> {
        rows.as_array().unwrap().iter().map(|row| row[name].clone()).collect()
    };
    assert_eq!(column("log_level"), ["trace", "debug", "info", "warning", "error", "critical"]);
    assert!(column("is_dated").iter().all(|dated| *dated == 1), "{answer}");
    assert!(column("logger").iter().all(|logger| *logger == "it::readers"), "{answer}");
    assert_eq!(column("path").get(3), Some(&"/buy".into()), "{answer}");
}

#[test]
fn pandas_reads_the_file_into_typed_columns() {
    if !has("pandas", Command::new(python()).args(["-c", "import pandas"])) {
        return;
    }
    const PROGRAM: &str = "
import sys, pandas
logs = pandas.read_json(sys.argv[1], lines=True)
assert list(logs.seq) == [1, 2, 3, 4, 5, 6], logs
assert str(logs.timestamp.dtype).startswith('datetime64'), logs.dtypes
assert logs.timestamp.is_monotonic_increasing
assert list(logs.level) == ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL']
assert logs.user_id[2] == 7 and logs.ratio[2] == 0.5 and logs.paid[2]
assert logs.text[3] == '\\n\\x1b[31m\\u202e\"\\\\é🦀', repr(logs.text[3])
assert logs.spans[3] == [{'name': 'request', 'path': '/buy'}]
print('read')
";
    let log = LogFile::new();
    let answer = output(Command::new(python()).args(["-c", PROGRAM]).arg(&log.path));
    assert_eq!(answer, "read\n");
}
