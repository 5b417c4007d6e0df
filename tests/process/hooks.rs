//! Panics, exits and signals: what the hooks bring into the file before the process is gone.

use crate::support::{self, SOON};
use crate::{Scenario, ended_well, records};
use logwell::config::{HooksConfig, Signals};
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::{LoggingConfig, LoggingContext, QueueLayer};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{self, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, fs, panic, thread};
use tracing::{error, info, info_span};

/// More than the listener can have written when the last one is logged.
const BURST: usize = 5_000;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = panics();
    all.extend(exits());
    all.extend(signals());
    all
}

fn panics() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "a_panic_is_recorded_with_place_thread_message_and_context_and_logging_goes_on",
            run: panic_in_thread,
            check: |output, dir| {
                ended_well(output, dir);
                let panic = one(dir, "logwell.panic");
                assert_eq!((&panic["level"], &panic["thread"]), (&"CRITICAL".into(), &"p".into()));
                assert_eq!(panic["message"], "panicked: on purpose: 7");
                assert!(panic["location"].as_str().unwrap().starts_with("tests/process/hooks.rs:"));
                assert_eq!(panic["trace_id"], "order-7");
                assert!(panic.get("backtrace").is_none());
                let all = messages(dir);
                assert_eq!(all, ["before", "panicked: on purpose: 7", "after"]);
                assert!(stderr(output).contains("on purpose: 7"), "the earlier hook has run");
            },
        },
        Scenario {
            sentence: "a_panic_has_a_backtrace_where_rust_backtrace_asks_for_one",
            run: panic_with_backtrace,
            check: |output, dir| {
                ended_well(output, dir);
                let panic = one(dir, "logwell.panic");
                assert!(panic["backtrace"].as_str().unwrap().contains("hooks::here_it_panics"));
            },
        },
        Scenario {
            sentence: "a_panic_that_unwinds_main_loses_nothing",
            run: |dir| {
                set_up(dir, "none");
                burst();
                let _logs = AtEnd(|| info!("unwinding"));
                panic!("on purpose");
            },
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(101));
                let all = messages(dir);
                assert_eq!(all[BURST..], ["panicked: on purpose", "unwinding"]);
            },
        },
        Scenario {
            sentence: "a_second_panic_while_the_first_unwinds_is_recorded_before_the_abort",
            run: |dir| {
                set_up(dir, "none");
                burst();
                let _panics = AtEnd(|| panic!("second"));
                panic!("first");
            },
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(6), "{}", stderr(output));
                let last = "panicked: panic in a destructor during cleanup";
                let all = messages(dir);
                assert_eq!(all[BURST..], ["panicked: first", "panicked: second", last]);
            },
        },
        Scenario {
            sentence: "a_hook_that_logs_before_and_one_after_init_are_both_written_before_the_abort",
            run: chained_hooks,
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(6), "{}", stderr(output));
                let all = messages(dir);
                assert_eq!(all, ["later hook", "panicked: cannot unwind", "earlier hook"]);
            },
        },
        Scenario {
            sentence: "a_program_that_aborts_on_panic_loses_nothing",
            run: |dir| {
                let status = abort_program(dir).status().unwrap();
                assert_eq!(status.signal(), Some(6), "{status}");
            },
            check: |output, dir| {
                ended_well(output, dir);
                let all = messages(dir);
                assert_eq!(all[BURST..], ["panicked: on purpose", "and dropped nowhere"]);
                assert_eq!(one(dir, "logwell.panic")["trace_id"], "the-end");
            },
        },
        Scenario {
            sentence: "a_program_that_aborts_on_panic_has_an_error_where_no_thread_can_be_made",
            run: |dir| {
                let (key, value) = crate::failed_starts::NO_THREADS;
                let mut program = abort_program(dir);
                let output = program.arg("no threads").env(key, value).output().unwrap();
                let text = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {text}", output.status);
                assert!(text.contains("there is no console"), "{text}");
            },
            check: ended_well,
        },
        Scenario {
            sentence: "a_value_that_panics_while_it_is_formatted_is_told_by_its_record_alone",
            run: |dir| {
                set_up(dir, "none");
                info!(bad = ?Panics, "survived");
                let spanned = info_span!("span", bad = ?Panics);
                spanned.in_scope(|| info!("inside"));
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["survived", "inside"]);
            },
        },
        Scenario {
            sentence: "a_thread_local_value_that_panics_at_the_end_of_its_thread_is_recorded",
            run: |dir| {
                thread_local! {
                    static VALUE: AtEnd = const { AtEnd(|| {
                        assert!(catch_unwind(|| panic!("late")).is_err());
                    }) };
                }
                set_up(dir, "none");
                let thread = thread::spawn(|| {
                    VALUE.with(|_| ());
                    info!("first");
                });
                thread.join().unwrap();
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["first", "panicked: late"]);
            },
        },
        Scenario {
            sentence: "a_thousand_caught_panics_on_four_threads_are_all_recorded_and_soon",
            run: |dir| {
                set_up(dir, "none");
                let start = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| {
                            for number in 0..250 {
                                let panics = || panic!("number {number}");
                                assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
                            }
                        });
                    }
                });
                assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir).len(), 1_000);
            },
        },
        Scenario {
            sentence: "a_listener_that_is_stuck_holds_up_one_panic_and_no_other",
            run: panics_while_stuck,
            check: ended_well,
        },
        Scenario {
            sentence: "a_panic_in_a_sink_is_counted_and_not_recorded",
            run: panic_in_a_sink,
            check: |output, dir| {
                ended_well(output, dir);
                assert!(!kinds(dir).contains(&"logwell.panic".to_owned()));
                assert_eq!(messages(dir)[0], "into the sink");
            },
        },
        Scenario {
            sentence: "the_panic_hook_can_be_turned_off",
            run: |dir| {
                let mut config = config(dir, "none");
                config.hooks.panic = false;
                logwell::init_logging_with(config).unwrap();
                assert!(catch_unwind(|| panic!("on purpose")).is_err());
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert!(messages(dir).is_empty());
            },
        },
    ]
}

fn exits() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "a_return_from_main_without_shutdown_loses_nothing",
            run: |dir| {
                set_up(dir, "none");
                burst();
            },
            check: |output, dir| {
                ended_well(output, dir);
                all_of_the_burst(dir);
            },
        },
        Scenario {
            sentence: "an_exit_without_shutdown_loses_nothing_on_any_thread",
            run: |dir| {
                set_up(dir, "none");
                thread::scope(|scope| {
                    scope.spawn(|| {
                        burst();
                        process::exit(3);
                    });
                });
            },
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(3));
                all_of_the_burst(dir);
            },
        },
        Scenario {
            sentence: "an_exit_while_other_threads_log_ends_in_time_with_its_receipt",
            run: |dir| {
                set_up(dir, "none");
                for _ in 0..2 {
                    thread::spawn(|| {
                        loop {
                            info!("and on");
                        }
                    });
                }
                burst();
                process::exit(3);
            },
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(3));
                let all = records(dir);
                assert_eq!(all.last().unwrap()["kind"], "logwell.stopped");
                let written = all.iter().filter(|record| record["message"] == "burst").count();
                let receipt = all.last().unwrap();
                assert!(written > 0, "{receipt}");
            },
        },
        Scenario {
            sentence: "an_exit_does_not_wait_longer_than_the_deadline_for_a_sink_that_blocks_for_ever",
            run: |dir| {
                let mut config = config(dir, "none");
                config.shutdown_timeout = Duration::from_millis(300);
                let (_never_read, mut full) = std::io::pipe().unwrap();
                let stuck = Does(move || full.write_all(&[b'x'; 1 << 20]).unwrap());
                let builder = QueueLayer::builder().config(config);
                let handle = builder.sink("stuck", Accepts::all(), stuck).init().unwrap();
                burst();
                let start = Instant::now();
                let report = handle.shutdown();
                assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
                assert!(!report.is_complete && report.to_string().contains("NOT finished"));
                assert_eq!(report.captured(), u64::try_from(BURST).unwrap());
                process::exit(4); // and not again
            },
            check: |output, _| assert_eq!(output.status.code(), Some(4)),
        },
        Scenario {
            sentence: "an_exit_from_inside_a_sink_does_not_wait_for_itself",
            run: |dir| {
                let exits = Does(|| process::exit(5));
                let builder = QueueLayer::builder().config(config(dir, "none"));
                builder.sink("exits", Accepts::all(), exits).init().unwrap();
                info!("the end");
                thread::sleep(SOON); // ended from the listener's thread
            },
            check: |output, _| assert_eq!(output.status.code(), Some(5)),
        },
        Scenario {
            sentence: "an_abort_keeps_what_was_flushed",
            run: |dir| {
                set_up(dir, "none");
                burst();
                logwell::handle().unwrap().flush(SOON).unwrap();
                process::abort();
            },
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(6));
                assert_eq!(messages(dir).len(), BURST);
            },
        },
        Scenario {
            sentence: "the_exit_hook_can_be_turned_off",
            run: |dir| {
                let mut config = config(dir, "none");
                config.hooks.exit = false;
                logwell::init_logging_with(config).unwrap();
                burst();
                process::exit(3);
            },
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(3));
                // The exit may have come in the middle of a write.
                let text = fs::read_to_string(dir.join("app.log")).unwrap();
                assert!(!text.contains("logwell.stopped"));
            },
        },
        Scenario {
            sentence: "what_matters_reaches_standard_error_after_the_shutdown",
            run: |dir| {
                set_up(dir, "none");
                let report = logwell::shutdown_logging();
                assert!(report.is_lossless(), "{report}");
                info!("too late and of no importance");
                error!(order = 7, "too\nlate");
                logwell::critical!("much too late");
                let dropped = logwell::handle().unwrap().stats().dropped;
                assert_eq!(dropped.total(), 3);
            },
            check: |output, dir| {
                ended_well(output, dir);
                let lines = stderr(output);
                let lines: Vec<_> = lines.lines().collect();
                assert_eq!(lines.len(), 2, "{lines:?}");
                assert!(lines[0].ends_with(r#"ERROR    process::hooks: too\nlate  order=7"#));
                assert!(lines[1].contains("CRITICAL") && lines[1].ends_with("much too late"));
            },
        },
    ]
}

fn signals() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "sigterm_is_recorded_shuts_logging_down_and_ends_the_process",
            run: |dir| {
                set_up(dir, "term");
                burst();
                raise("TERM");
            },
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(15), "{}", stderr(output));
                assert_eq!(messages(dir).len(), BURST + 1);
                let signal = one(dir, "logwell.signal");
                assert_eq!(
                    (&signal["signal"], &signal["level"]),
                    (&"SIGTERM".into(), &"WARN".into())
                );
                assert_eq!(kinds(dir).last().unwrap(), "logwell.stopped");
            },
        },
        Scenario {
            sentence: "sigint_has_its_usual_effect_unless_it_is_asked_for",
            run: |dir| {
                set_up(dir, "term");
                info!("first");
                logwell::handle().unwrap().flush(SOON).unwrap();
                raise("INT");
            },
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(2));
                assert!(!kinds(dir).contains(&"logwell.signal".to_owned()));
            },
        },
        Scenario {
            sentence: "sigint_can_be_asked_for",
            run: |dir| {
                set_up(dir, "term_and_int");
                raise("INT");
            },
            check: |output, dir| {
                assert_eq!(output.status.signal(), Some(2));
                assert_eq!(one(dir, "logwell.signal")["signal"], "SIGINT");
            },
        },
        Scenario {
            sentence: "a_program_that_handles_the_signal_itself_is_not_ended_by_logwell",
            run: |dir| {
                let came = Arc::new(std::sync::atomic::AtomicBool::new(false));
                signal_hook::flag::register(15, Arc::clone(&came)).unwrap();
                set_up(dir, "term");
                kill("TERM");
                support::wait_until(|| came.load(Ordering::Acquire));
                support::wait_until(|| kinds(dir).contains(&"logwell.signal".to_owned()));
                info!("still here");
                process::exit(6);
            },
            check: |output, dir| {
                assert_eq!(output.status.code(), Some(6));
                assert_eq!(messages(dir), ["SIGTERM received", "still here"]);
            },
        },
        Scenario {
            sentence: "a_second_signal_ends_the_process_at_once",
            run: |dir| {
                let mut config = config(dir, "term");
                config.shutdown_timeout = SOON * 4;
                let (stuck, is_stuck) = std::sync::mpsc::channel();
                let stuck = Does(move || -> () {
                    let _nobody_listens = stuck.send(());
                    loop {
                        thread::park();
                    }
                });
                let builder = QueueLayer::builder().config(config);
                builder.sink("stuck", Accepts::all(), stuck).init().unwrap();
                is_stuck.recv().unwrap();
                kill("TERM");
                // The queue closes when the shutdown has begun.
                let handle = logwell::handle().unwrap();
                support::wait_until(|| {
                    info!("until it is closed");
                    handle.stats().dropped.total() > 0
                });
                raise("TERM");
            },
            check: |output, _| assert_eq!(output.status.signal(), Some(15)),
        },
        Scenario {
            sentence: "sighup_opens_the_files_anew",
            run: |dir| {
                let mut config = config(dir, "none");
                config.hooks.reopen_on_hangup = true;
                let handle = logwell::init_logging_with(config).unwrap();
                info!("before");
                handle.flush(SOON).unwrap();
                fs::rename(dir.join("app.log"), dir.join("app.log.moved")).unwrap();
                kill("HUP");
                support::wait_until(|| dir.join("app.log").exists());
                info!("after");
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["after"]);
                let moved = fs::read_to_string(dir.join("app.log.moved")).unwrap();
                assert!(moved.contains("before") && !moved.contains("after"));
            },
        },
        Scenario {
            sentence: "a_signal_that_is_ignored_stays_ignored",
            run: |dir| {
                const INNER: &str = "LOGWELL_IGNORES";
                if std::env::var_os(INNER).is_some() {
                    set_up(dir, "term");
                    kill("TERM");
                    info!("still here");
                    return;
                }
                let me = std::env::current_exe().unwrap();
                let mut shell = process::Command::new("sh");
                shell.args(["-c", "trap '' TERM; exec \"$0\""]).arg(me).env(INNER, "1");
                assert!(shell.status().unwrap().success());
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["still here"]);
            },
        },
    ]
}

struct AtEnd(fn());

impl Drop for AtEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("while it is formatted")
    }
}

/// A sink that does something for each record.
struct Does<F>(F);

impl<F: FnMut() + Send> Sink for Does<F> {
    fn write(&mut self, _: &logwell::record::Record) -> std::io::Result<()> {
        (self.0)();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

fn config(dir: &Path, signals: &str) -> LoggingConfig {
    let mut hooks = HooksConfig::default();
    hooks.signals = match signals {
        "term" => Signals::Term,
        "term_and_int" => Signals::TermAndInt,
        _ => Signals::None,
    };
    let builder = LoggingConfig::builder().console(false).log_dir(dir).hooks(hooks);
    let mut config = builder.shutdown_timeout(SOON).build().unwrap();
    config.queue.shed_info_percent = 100; // nothing is shed: a burst is to be whole
    config.queue.shed_warn_percent = 100;
    config
}

fn set_up(dir: &Path, signals: &str) {
    logwell::init_logging_with(config(dir, signals)).unwrap();
}

fn burst() {
    (0..BURST).for_each(|number| info!(number, "burst"));
}

/// Has the signal sent to this process, from outside.
fn kill(signal: &str) {
    let me = process::id().to_string();
    let sent = process::Command::new("kill").args(["-s", signal, &me]).status().unwrap();
    assert!(sent.success());
}

/// Has the signal sent, and waits for the end.
fn raise(signal: &str) -> ! {
    kill(signal);
    thread::sleep(SOON);
    panic!("the signal has not ended the process");
}

/// What was logged, and panics and signals.
fn messages(dir: &Path) -> Vec<String> {
    let is_life =
        |kind: &Value| ["logwell.started", "logwell.stopped"].map(Value::from).contains(kind);
    let records = records(dir).into_iter().filter(|record| !is_life(&record["kind"]));
    records.map(|record| record["message"].as_str().unwrap().to_owned()).collect()
}

fn kinds(dir: &Path) -> Vec<String> {
    records(dir).iter().filter_map(|record| Some(record["kind"].as_str()?.to_owned())).collect()
}

/// The only record of that kind.
fn one(dir: &Path, kind: &str) -> Value {
    support::one(records(dir).into_iter().filter(|record| record["kind"] == kind).collect())
}

fn all_of_the_burst(dir: &Path) {
    let all = records(dir);
    let numbers: Vec<_> = all.iter().filter_map(|record| record["number"].as_u64()).collect();
    assert_eq!(numbers, (0..u64::try_from(BURST).unwrap()).collect::<Vec<_>>());
    assert_eq!(all.last().unwrap()["kind"], "logwell.stopped");
    assert_eq!(all.last().unwrap()["captured"], BURST);
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn panic_in_thread(dir: &Path) {
    set_up(dir, "none");
    info!("before");
    let panics = || {
        let context = LoggingContext::new().trace_id("order-7");
        context.in_scope(|| panic!("on purpose: {}", 7));
    };
    let thread = thread::Builder::new().name("p".to_owned()).spawn(panics).unwrap();
    assert!(thread.join().is_err());
    info!("after");
    assert!(logwell::shutdown_logging().is_lossless());
}

fn panic_with_backtrace(dir: &Path) {
    const INNER: &str = "LOGWELL_BACKTRACE";
    if std::env::var_os(INNER).is_none() {
        let mut inner = process::Command::new(std::env::current_exe().unwrap());
        inner.env(INNER, "1").env("RUST_BACKTRACE", "1").env_remove("RUST_LIB_BACKTRACE");
        assert!(inner.status().unwrap().success());
        return;
    }
    set_up(dir, "none");
    assert!(catch_unwind(here_it_panics).is_err());
}

#[inline(never)]
fn here_it_panics() {
    panic!("on purpose");
}

fn chained_hooks(dir: &Path) {
    panic::set_hook(Box::new(|_| info!("earlier hook")));
    set_up(dir, "none");
    let ours = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload().is::<&str>() && !panic.to_string().contains("in a function") {
            info!("later hook");
            ours(panic);
        }
    }));
    extern "C" fn cannot_unwind() {
        panic!("cannot unwind");
    }
    cannot_unwind();
}

fn panics_while_stuck(dir: &Path) {
    const PATIENCE: Duration = Duration::from_secs(2);
    const PANICS: u32 = 90;
    let mut config = config(dir, "none");
    config.shutdown_timeout = PATIENCE;
    let (stuck, is_stuck) = std::sync::mpsc::channel();
    let stuck = Does(move || -> () {
        let _nobody_listens = stuck.send(());
        loop {
            thread::park();
        }
    });
    let builder = QueueLayer::builder().config(config);
    builder.sink("stuck", Accepts::all(), stuck).init().unwrap();
    is_stuck.recv().unwrap();
    let start = Instant::now();
    (0..PANICS).for_each(|_| assert!(catch_unwind(|| panic!("on purpose")).is_err()));
    let took = start.elapsed();
    // If each of them waited it would take all their patience; the machine may be busy for a third.
    assert!(took >= PATIENCE && took < PATIENCE * PANICS / 3, "{took:?}");
}

fn panic_in_a_sink(dir: &Path) {
    let panics = AtomicU32::new(0);
    let sink = Does(move || {
        assert!(panics.fetch_add(1, Ordering::Relaxed) > 0, "in the sink");
    });
    let builder = QueueLayer::builder().config(config(dir, "none"));
    let handle = builder.sink("panics", Accepts::all(), sink).init().unwrap();
    info!("into the sink");
    handle.flush(SOON).unwrap();
    assert_eq!(handle.stats().sink("panics").unwrap().panics, 1);
}

/// The program of `abort_program.rs`, built with `panic=abort` against the library of this build.
fn abort_program(dir: &Path) -> process::Command {
    let me = std::env::current_exe().unwrap();
    let deps = me.parent().unwrap();
    let libraries = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("liblogwell-") && name.ends_with(".rlib")
    };
    let made = |path: &std::path::PathBuf| path.metadata().unwrap().modified().unwrap();
    let library = libraries.filter(is_ours).max_by_key(made).unwrap();
    let program = dir.join("abort_program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/abort_program.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = process::Command::new(rustc);
    compile.args(["--edition", "2024", "-C", "panic=abort"]).arg(source).arg("-o").arg(&program);
    compile.arg("-L").arg(format!("dependency={}", deps.display()));
    compile.arg("--extern").arg(format!("logwell={}", library.display()));
    assert!(compile.status().unwrap().success());
    let mut command = process::Command::new(program);
    command.arg(dir);
    command
}
