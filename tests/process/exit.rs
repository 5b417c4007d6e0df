//! The ends of processes: what logs while everything is torn down.

use crate::support::SOON;
use crate::{Scenario, ended_well};
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::{LoggingConfig, LoggingContext, QueueLayer, ShutdownReport};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use std::{fs, panic, process, thread};
use tracing::{info, info_span};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "a_thread_local_value_of_the_main_thread_can_log_at_exit",
            run: main_thread_local,
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["first", "dropped at exit", "in a context at exit"]);
            },
        },
        Scenario {
            sentence: "a_thread_local_value_can_shut_logging_down_at_exit",
            run: shutdown_at_exit,
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["first", "last"]);
            },
        },
        Scenario {
            sentence: "a_panic_in_main_reaches_the_file_through_a_hook_and_drops",
            run: panic_in_main,
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(101));
                assert_eq!(messages(dir), ["hook: on purpose", "unwinding"]);
            },
        },
        Scenario {
            sentence: "threads_that_still_log_do_not_hold_up_the_exit",
            run: threads_at_exit,
            check: |output, _| assert_eq!(output.status.code(), Some(3)),
        },
        Scenario {
            sentence: "a_process_that_forgets_to_shut_down_ends",
            run: |dir| {
                set_up(dir);
                info!("first");
            },
            check: ended_well,
        },
        Scenario {
            sentence: "a_standard_error_that_nobody_reads_holds_up_no_file",
            run: stuck_standard_error,
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir).len(), 1_000);
            },
        },
        Scenario {
            sentence: "the_receipt_counts_no_line_as_written_that_waits_for_the_console",
            run: stuck_console,
            check: |output, dir| {
                ended_well(output, dir);
                let text = fs::read_to_string(dir.join("app.log")).unwrap();
                let receipt: serde_json::Value =
                    serde_json::from_str(text.lines().last().unwrap()).unwrap();
                assert_eq!(receipt["kind"], "logwell.stopped");
                assert_eq!(receipt["console.written"], 0);
            },
        },
        Scenario {
            sentence: "a_shutdown_from_inside_a_sink_returns_at_once_and_a_later_one_has_the_receipt",
            run: |dir| {
                let (told, tell) = channel();
                let builder = QueueLayer::builder().config(patient(dir));
                builder.sink("ends", Accepts::all(), Ends(told)).init().unwrap();
                info!("first");
                assert_one_returned_at_once(&tell);
                let report = logwell::shutdown_logging();
                assert!(report.is_complete && report.is_lossless(), "{report}");
                assert!(report.file("app").is_some(), "{report:?}");
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir).first().unwrap(), "first");
            },
        },
        Scenario {
            sentence: "a_shutdown_from_inside_the_callback_of_the_self_log_returns_at_once",
            run: |dir| {
                let (told, tell) = channel();
                logwell::set_self_log(move |_| {
                    let start = Instant::now();
                    let report = logwell::shutdown_logging();
                    let _nobody_listens = told.send((report, start.elapsed()));
                });
                let builder = QueueLayer::builder().config(patient(dir));
                builder.sink("fails", Accepts::all(), Fails).init().unwrap();
                info!("first");
                assert_one_returned_at_once(&tell);
                assert!(logwell::shutdown_logging().is_complete);
            },
            check: ended_well,
        },
    ]
}

/// Waits for a shutdown from inside that had something to shut down.
fn assert_one_returned_at_once(tell: &Receiver<(ShutdownReport, Duration)>) {
    // What is reported while logging starts finds nothing to shut down.
    let (report, elapsed) = loop {
        let (report, elapsed) = tell.recv_timeout(SOON).unwrap();
        assert!(elapsed < SOON, "{elapsed:?}: {report}");
        if !report.is_complete {
            break (report, elapsed);
        }
    };
    assert!(report.stats.captured() >= 1, "{elapsed:?}: {report}");
}

/// So much time for the end that nobody waits for it by mistake.
fn patient(dir: &Path) -> LoggingConfig {
    let config = LoggingConfig::builder().console(false).log_dir(dir);
    config.shutdown_timeout(SOON * 3).build().unwrap()
}

/// A sink that shuts logging down.
struct Ends(Sender<(ShutdownReport, Duration)>);

impl Sink for Ends {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        if record.message() != "first" {
            return Ok(());
        }
        let start = Instant::now();
        let report = logwell::shutdown_logging();
        let _nobody_listens = self.0.send((report, start.elapsed()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

/// A sink that fails, which the self-log tells.
struct Fails;

impl Sink for Fails {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        // Failures are reported once: not while logging starts, when there is nothing to shut down.
        match &*record.message() {
            "first" => Err(io::Error::other("on purpose")),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

fn set_up(dir: &Path) {
    let config = LoggingConfig::builder().console(false).log_dir(dir).shutdown_timeout(SOON);
    logwell::init_logging_with(config.build().unwrap()).unwrap();
}

/// What the application logged, as it stands in the file.
fn messages(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("app.log")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let records = records.filter(|record: &serde_json::Value| record["logger"] != "logwell");
    records.map(|record| record["message"].as_str().unwrap().to_owned()).collect()
}

struct AtExit(fn());

impl Drop for AtExit {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn flush() {
    logwell::handle().unwrap().flush(SOON).unwrap();
}

fn main_thread_local(dir: &Path) {
    thread_local! {
        static VALUE: AtExit = const { AtExit(|| {
            info!(thread = "being torn down", "dropped at exit");
            LoggingContext::new().with("k", 1).in_scope(|| info!("in a context at exit"));
            assert!(LoggingContext::current().is_none());
            flush();
        }) };
    }
    set_up(dir);
    VALUE.with(|_| ()); // registered first, so dropped after what the logger registers
    let _span = info_span!("main").entered();
    info!("first");
}

fn shutdown_at_exit(dir: &Path) {
    thread_local! {
        static VALUE: AtExit = const { AtExit(|| {
            info!("last");
            assert!(logwell::shutdown_logging().is_lossless());
            info!("after the end");
        }) };
    }
    VALUE.with(|_| ());
    set_up(dir);
    info!("first");
}

fn panic_in_main(dir: &Path) {
    set_up(dir);
    panic::set_hook(Box::new(|info| {
        let what = info.payload().downcast_ref::<&str>().copied().unwrap_or_default();
        info!("hook: {what}");
        flush();
    }));
    let _logs = AtExit(|| {
        info!("unwinding");
        flush();
    });
    panic!("on purpose");
}

fn threads_at_exit(dir: &Path) {
    set_up(dir);
    for _ in 0..2 {
        thread::spawn(|| {
            loop {
                tracing::error!("and on");
            }
        });
    }
    info!("first");
    let report = logwell::shutdown_logging();
    assert!(report.is_complete, "{report}");
    process::exit(3);
}

/// Starts itself once more with a pipe for its output that is full and that nobody reads; says
/// whether this is the inner process.
fn has_full_pipe() -> bool {
    const INNER: &str = "LOGWELL_FULL_PIPE";
    const PIPE_BYTES: usize = 64 << 10;
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let (_reader, mut full) = io::pipe().unwrap();
    full.write_all(&[b'x'; PIPE_BYTES]).unwrap();
    let mut inner = process::Command::new(std::env::current_exe().unwrap());
    inner.env(INNER, "1").stdout(full.try_clone().unwrap()).stderr(full);
    let status = inner.status().unwrap();
    assert!(status.success(), "{status}");
    false
}

fn stuck_standard_error(dir: &Path) {
    if !has_full_pipe() {
        return;
    }
    // The end waits nearly as long as it may.
    let config = LoggingConfig::builder().log_dir(dir).shutdown_timeout(Duration::from_secs(20));
    let mut config = config.build().unwrap();
    config.console.buffer_lines = 1; // soon full, which is trouble to be told
    let handle = logwell::init_logging_with(config).unwrap();
    for number in 0..1_000 {
        info!(number, "to the files");
        if number % 100 == 0 && handle.flush(SOON).is_err() {
            process::exit(1);
        }
    }
    let report = logwell::shutdown_logging();
    process::exit(i32::from(!report.is_complete || report.written("app") < 1_000));
}

fn stuck_console(dir: &Path) {
    if !has_full_pipe() {
        return;
    }
    // The end waits nearly as long as it may.
    let config = LoggingConfig::builder().log_dir(dir).shutdown_timeout(Duration::from_secs(20));
    let handle = logwell::init_logging_with(config.build().unwrap()).unwrap();
    for number in 0..100 {
        info!(number, "to nobody");
    }
    handle.flush(SOON).unwrap();
    let running = handle.stats().sink("console").unwrap().clone();
    let report = logwell::shutdown_logging();
    let ended = report.stats.sink("console").unwrap();
    let is_right = [&running, ended]
        .iter()
        .all(|console| (console.written, console.in_hand(), console.dropped()) == (0, 100, 0));
    process::exit(i32::from(!is_right || report.is_lossless()));
}
