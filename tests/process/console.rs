//! The console of a process: what becomes of its lines when standard output is slow, full or
//! closed.

use crate::support::SOON;
use crate::{Scenario, ended_well};
use logwell::config::ConsoleFormat;
use logwell::{LoggingConfig, LoggingHandle};
use std::io::{self, BufRead as _, Read as _};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tracing::info;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "the_end_waits_for_a_reader_of_the_console_that_pauses",
            run: pausing_reader,
            check: ended_well,
        },
        Scenario {
            sentence: "while_standard_output_is_full_health_says_so_until_it_takes_a_line_again",
            run: |_| outlet("/dev/full"),
            check: ended_well,
        },
        Scenario {
            sentence: "while_nobody_reads_standard_output_health_says_so",
            run: |_| outlet(NOBODY),
            check: ended_well,
        },
        Scenario {
            sentence: "while_standard_output_is_open_for_reading_alone_health_says_so",
            run: |_| outlet(READ_ONLY),
            check: ended_well,
        },
        Scenario {
            sentence: "while_standard_output_is_closed_health_says_so",
            run: |_| outlet(CLOSED),
            check: ended_well,
        },
    ]
}

/// What the inner process has as its standard output.
const INNER: &str = "LOGWELL_INNER";
/// A pipe that nobody reads any more.
const NOBODY: &str = "nobody";
const READ_ONLY: &str = "read-only";
/// The inner process closes it itself, as a daemon does.
const CLOSED: &str = "closed";
const LINES: usize = 1_500;

fn set_up() -> LoggingHandle {
    let config = LoggingConfig::builder().files(false).console_format(ConsoleFormat::Json);
    let config = config.shutdown_timeout(SOON).build().unwrap();
    logwell::init_logging_with(config).unwrap()
}

fn inner(kind: &str) -> Command {
    let mut inner = Command::new(env::current_exe().unwrap());
    inner.env(INNER, kind).stdin(Stdio::null());
    inner
}

/// Starts itself once more and reads nothing for a second from when the inner process ends.
fn pausing_reader(dir: &Path) {
    let ending = dir.join("ending");
    if env::var_os(INNER).is_some() {
        set_up();
        (0..LINES).for_each(|number| info!(number, "a line for a reader that takes its time"));
        fs::write(ending, "").unwrap();
        let report = logwell::shutdown_logging();
        assert_eq!(report.written("console"), LINES as u64, "{report}");
        return;
    }
    let mut inner = inner("").stdout(Stdio::piped()).spawn().unwrap();
    let mut output = io::BufReader::new(inner.stdout.take().unwrap());
    while !ending.exists() {
        thread::park_timeout(Duration::from_millis(5));
    }
    // The pause is the case.
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        thread::park_timeout(until - Instant::now());
    }
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert!(inner.wait().unwrap().success());
    assert_eq!(text.lines().filter(|line| line.contains("takes its time")).count(), LINES);
}

/// Starts itself once more with a standard output that takes nothing.
fn outlet(kind: &str) {
    if env::var_os(INNER).is_none() {
        let mut inner = inner(kind);
        match kind {
            NOBODY => inner.stdout(io::pipe().unwrap().1),
            READ_ONLY => inner.stdout(fs::File::open("/dev/null").unwrap()),
            CLOSED => inner.stdout(Stdio::null()),
            path => inner.stdout(fs::File::options().write(true).open(path).unwrap()),
        };
        let output = inner.stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.lines().any(|line| line.unwrap().contains("sink console")));
        return;
    }
    if kind == CLOSED {
        nix::unistd::close(1).unwrap();
    }
    let handle = set_up();
    (0..400).for_each(|number| info!(number, "to nowhere"));
    let lost = || handle.stats().sink("console").unwrap().lost == 400;
    let until = Instant::now() + SOON;
    while !lost() {
        assert!(handle.flush(SOON).is_ok() && Instant::now() < until, "{:?}", handle.stats());
    }
    // Nothing more is lost by further flushes, nor has it become well by them.
    for _ in 0..10 {
        handle.flush(SOON).unwrap();
        let health = handle.health().to_string();
        assert!(health.contains("sink console is failing: could not write"), "{health}");
    }
    let console = handle.stats().sink("console").unwrap().clone();
    assert!(console.is_failing && console.errors > 0, "{console:?}");
    let report = logwell::shutdown_logging();
    assert!(!report.is_lossless() && report.to_string().contains("dropped 400"), "{report}");
    process::exit(0);
}
