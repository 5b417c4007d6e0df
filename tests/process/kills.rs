//! `kill -9` and other ends at which no code of the process runs: nothing that a call has
//! acknowledged by returning is lost, doubled or torn.

use crate::support::{SOON, wait_until};
use crate::{Scenario, ended_well};
use logwell::LoggingConfig;
use logwell::config::WhenFull;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::{error, info, info_span};

const INNER: &str = "LOGWELL_TEST_INNER";
const KILLS: u64 = 100;
const THREADS: u64 = 4;
const SIGKILL: i32 = 9;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        ("no_kill_at_any_moment_costs_a_record_that_was_acknowledged", kills as fn(&Path)),
        ("an_end_without_any_hook_costs_no_record_that_was_acknowledged", other_ends),
    ]
    .into_iter()
    .map(|(sentence, run)| Scenario { sentence, run, check: ended_well })
    .collect()
}

fn set_up(dir: &Path) {
    let config = LoggingConfig::builder().console(false).log_dir(dir).when_full(WhenFull::Block);
    let mut config = config.max_bytes(1 << 20).backup_count(999).build().unwrap();
    config.queue.size = 2_000; // so that a debug build has soon written what was left
    // Otherwise these would write what the black box is to save.
    (config.hooks.exit, config.hooks.panic) = (false, false);
    config.shutdown_timeout = SOON; // debug builds on busy machines recover slowly
    logwell::init_logging_with(config).unwrap();
}

/// Starts this program again as the one that is to end so, and says how it ended.
fn inner(what: &str) -> Command {
    let mut inner = Command::new(std::env::current_exe().unwrap());
    inner.env(INNER, what).env("RUST_BACKTRACE", "0");
    inner
}

fn kills(dir: &Path) {
    if let Ok(run) = std::env::var(INNER) {
        log_without_end(dir, run.parse().unwrap());
    }
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let mut random = fastrand::Rng::with_seed(u64::from(seed));
    println!("seed {seed}");
    for run in 0..KILLS {
        let mut inner = inner(&run.to_string()).spawn().unwrap();
        let counts = dir.join(format!("acknowledged.{run}"));
        wait_until(|| fs::metadata(&counts).is_ok_and(|file| file.len() > 0));
        if run % 2 == 1 {
            // It is killed when it has written what the two before it have left, else before that.
            wait_until(|| boxes(dir) <= 1);
        }
        thread::sleep(Duration::from_micros(random.u64(0..60_000)));
        inner.kill().unwrap();
        assert_eq!(inner.wait().unwrap().signal(), Some(SIGKILL));
    }
    check(dir, 0..KILLS);
}

fn boxes(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".box")).count()
}

fn log_without_end(dir: &Path, run: u64) -> ! {
    set_up(dir);
    let counts = File::create(dir.join(format!("acknowledged.{run}"))).unwrap();
    thread::scope(|scope| {
        for of in 0..THREADS {
            let counts = &counts;
            scope.spawn(move || {
                for number in 0_u64.. {
                    log(run, of, number);
                    // Not in the memory of this process: it is to be known after its end.
                    counts.write_all_at(&(number + 1).to_le_bytes(), of * 8).unwrap();
                }
            });
        }
    });
    unreachable!("they log until they are killed")
}

/// Short and long records, with and without spans, of two levels.
fn log(run: u64, of: u64, number: u64) {
    match number % 500 {
        0 => error!(run, of, number, "a failure"),
        7 => info!(run, of, number, "{}", "long ".repeat(9_000)),
        at if at < 100 => info_span!("request", at, path = "/orders").in_scope(|| {
            info!(run, of, number, "inside a span");
        }),
        _ => info!(run, of, number, "{}", "some text ".repeat(5)),
    }
}

fn other_ends(dir: &Path) {
    const ENDS: [&str; 4] = ["exit", "abort", "panic", "term"];
    if let Ok(run) = std::env::var(INNER) {
        let run: usize = run.parse().unwrap();
        set_up(dir);
        let counts = File::create(dir.join(format!("acknowledged.{run}"))).unwrap();
        let all = 5_000_u64;
        (0..all).for_each(|number| log(run as u64, 0, number));
        counts.write_all_at(&all.to_le_bytes(), 0).unwrap();
        match ENDS[run] {
            "exit" => std::process::exit(1),
            "abort" => std::process::abort(),
            "panic" => panic!("this is meant to be"),
            _ => signal_hook::low_level::raise(15).unwrap(),
        }
        unreachable!("it has ended")
    }
    for (run, end) in ENDS.iter().enumerate() {
        let status = inner(&run.to_string()).status().unwrap();
        assert!(!status.success(), "{end}: {status}");
    }
    check(dir, 0..ENDS.len() as u64);
}

/// One more start, after which everything is in the files.
fn check(dir: &Path, runs: std::ops::Range<u64>) {
    set_up(dir);
    let report = logwell::shutdown_logging();
    assert!(report.is_lossless(), "{report}");
    let (mut seen, mut recovered) = (HashMap::<_, u64>::new(), 0);
    let mut numbers = HashMap::<u64, Vec<u64>>::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.contains(".box"), "{name} is left");
        if !name.starts_with("app.log") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{name}");
        for line in text.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let number = |key: &str| record[key].as_u64();
            numbers.entry(number("process").unwrap()).or_default().push(number("seq").unwrap());
            recovered += u64::from(record["recovered"] == true);
            if let (Some(run), Some(of), Some(at)) = (number("run"), number("of"), number("number"))
            {
                *seen.entry((run, of, at)).or_default() += 1;
            }
        }
    }
    for (process, mut numbers) in numbers {
        numbers.sort_unstable();
        let all: Vec<_> = (1..=numbers.len() as u64).collect();
        assert!(numbers == all, "process {process}: a gap or a duplicate in its numbers");
    }
    let mut acknowledged = 0;
    for run in runs.clone() {
        let counts = fs::read(dir.join(format!("acknowledged.{run}"))).unwrap();
        for (of, count) in (0..).zip(counts.as_chunks::<8>().0) {
            let count = u64::from_le_bytes(*count);
            let lost = (0..count).filter(|at| !seen.contains_key(&(run, of, *at))).count();
            assert_eq!(lost, 0, "run {run}, thread {of}: lost of {count}");
            acknowledged += count;
        }
    }
    assert!(seen.values().all(|times| *times == 1), "a record is there twice");
    assert!(recovered > 0, "the box had nothing to do");
    println!(
        "{} ends: {acknowledged} acknowledged, {recovered} recovered, 0 lost, 0 twice, 0 torn",
        runs.end
    );
}
