//! Forks: the child neither hangs nor writes, the parent notices nothing.

use crate::support::{SOON, wait_until};
use crate::{Scenario, ended_well, records};
use logwell::config::LoggingConfig;
use logwell::stats::Reason;
use logwell::{Level, LoggingContext};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::panic::catch_unwind;
use std::path::Path;
use std::process::{self, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tracing::{error, info, info_span};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            sentence: "a_fork_counts_its_records_as_dropped_and_tells_it_once",
            run: |dir| {
                set_up(dir);
                info!("before");
                in_child(|| {
                    let start = Instant::now();
                    let _span = info_span!("made in the fork", n = 1).entered();
                    (0..10_000).for_each(|number| info!(number, "in the fork"));
                    (0..10_000).for_each(|number| error!(number, "in the fork"));
                    LoggingContext::new().in_scope(|| log::warn!("by log, in the fork"));
                    let handle = logwell::handle().unwrap();
                    assert!(handle.flush(SOON).is_err() && handle.reopen().is_err());
                    assert!(!handle.health().is_healthy());
                    let stats = handle.stats();
                    assert_eq!(stats.dropped.get(Level::Info, Reason::Forked), 10_000);
                    assert_eq!(stats.dropped.get(Level::Error, Reason::Forked), 10_000);
                    assert_eq!((stats.captured(), stats.dropped.total()), (20_001, 20_001));
                    let report = logwell::shutdown_logging();
                    assert_eq!((report.captured(), report.dropped()), (20_001, 20_001));
                    assert!(start.elapsed() < SOON);
                });
                info!("after");
                assert!(logwell::shutdown_logging().is_lossless());
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["before", "after"]);
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(told.matches("was forked from one that logs").count(), 1, "{told}");
            },
        },
        Scenario {
            sentence: "forks_at_any_moment_of_a_storm_end_soon_and_cost_the_parent_no_record",
            run: forks_in_a_storm,
            check: |output, dir| {
                ended_well(output, dir);
                let mut numbers = [0_u64; 4];
                for record in records(dir) {
                    let (Some(thread), Some(number)) =
                        (record["of"].as_u64(), record["number"].as_u64())
                    else {
                        continue;
                    };
                    let next = &mut numbers[usize::try_from(thread).unwrap()];
                    assert_eq!(number, *next, "thread {thread}");
                    *next += 1;
                }
                assert!(numbers.iter().all(|number| *number > 0), "{numbers:?}");
            },
        },
        Scenario {
            sentence: "a_fork_that_panics_and_one_that_exits_leave_the_file_alone",
            run: |dir| {
                set_up(dir);
                info!("before");
                in_child(|| assert!(catch_unwind(|| panic!("in the fork")).is_err()));
                let child = forked(|| process::exit(7));
                assert_eq!(wait(child).code(), Some(7));
                info!("after");
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["before", "after"]);
                assert_eq!(records(dir).last().unwrap()["kind"], "logwell.stopped");
            },
        },
        Scenario {
            sentence: "a_fork_that_executes_another_program_is_fine",
            run: |dir| {
                set_up(dir);
                info!("before");
                let child = forked(|| {
                    let error = process::Command::new("true").exec();
                    panic!("{error}");
                });
                assert_eq!(wait(child).code(), Some(0));
                let status = process::Command::new("sh").args(["-c", "exit 3"]).status();
                assert_eq!(status.unwrap().code(), Some(3));
                info!("after");
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["before", "after"]);
                assert!(output.stderr.is_empty(), "nobody was told of a fork that logs nothing");
            },
        },
        Scenario {
            sentence: "a_fork_of_a_process_that_does_not_log_yet_can_log",
            run: |dir| {
                in_child(|| {
                    set_up(dir);
                    info!("in the fork");
                    assert!(logwell::shutdown_logging().is_lossless());
                });
                in_child(|| {
                    set_up(dir);
                    info!("in the next");
                    process::exit(0);
                });
            },
            check: |output, dir| {
                ended_well(output, dir);
                assert_eq!(messages(dir), ["in the fork", "in the next"]);
            },
        },
    ]
}

/// How long whoever waits for the listener does so.
const DEADLINE: Duration = SOON;

fn set_up(dir: &Path) {
    let config = LoggingConfig::builder().console(false).log_dir(dir);
    let mut config = config.max_bytes(1 << 30).build().unwrap();
    config.queue.when_full = logwell::config::WhenFull::Block;
    config.shutdown_timeout = DEADLINE;
    logwell::init_logging_with(config).unwrap();
}

/// What the application logged.
fn messages(dir: &Path) -> Vec<String> {
    let records = records(dir).into_iter().filter(|record| record["logger"] != "logwell");
    records.map(|record| record["message"].as_str().unwrap().to_owned()).collect()
}

/// Does that in a fork, which then ends.
fn forked(work: impl FnOnce()) -> i32 {
    match fork::fork().unwrap() {
        fork::Fork::Parent(child) => child,
        fork::Fork::Child => {
            work();
            process::exit(0);
        }
    }
}

/// The child's end, which comes soon.
fn wait(child: i32) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = fork::waitpid_nohang(child).unwrap() {
            return ExitStatus::from_raw(status);
        }
        // Less than a fork would wait for the listener that it does not have.
        if start.elapsed() > DEADLINE * 4 / 5 {
            let _ended = process::Command::new("kill").args(["-9", &child.to_string()]).status();
            panic!("the fork hangs");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn in_child(work: impl FnOnce()) {
    let status = wait(forked(work));
    assert!(status.success(), "{status}");
}

/// Four threads log as fast as they can; meanwhile the fifth forks.
fn forks_in_a_storm(dir: &Path) {
    set_up(dir);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for of in 0..4_u64 {
            let over = &over;
            scope.spawn(move || {
                for number in (0_u64..).take_while(|_| !over.load(Ordering::Relaxed)) {
                    info!(of, number, "in the storm");
                }
            });
        }
        wait_until(|| fs::metadata(dir.join("app.log")).is_ok_and(|file| file.len() > 100_000));
        for number in 0..100_u64 {
            in_child(|| {
                (0..100).for_each(|of| info!(of, number, "in the fork"));
                error!("in the fork");
                let report = logwell::shutdown_logging();
                assert_eq!(report.dropped(), 101);
            });
        }
        over.store(true, Ordering::Relaxed);
    });
    let report = logwell::shutdown_logging();
    assert!(report.is_lossless(), "{report}");
}
