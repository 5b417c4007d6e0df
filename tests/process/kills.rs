//! `kill -9` at any moment: what was handed over is whole and stays, and the next start goes on.

use crate::support::{SOON, wait_until};
use crate::{Scenario, ended_well};
use logwell::LoggingConfig;
use logwell::config::WhenFull;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, thread};
use tracing::info;

const KILLS: usize = 25;
/// After so many records a thread flushes and notes down what is now to be kept.
const FLUSH_AFTER: u64 = 200;
const INNER: &str = "LOGWELL_IS_KILLED";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        sentence: "a_kill_at_any_moment_costs_nothing_that_was_flushed_and_glues_no_lines",
        run: kills,
        check: |output, dir| {
            ended_well(output, dir);
            check(dir);
        },
    }]
}

fn set_up(dir: &Path) {
    let config = LoggingConfig::builder().console(false).log_dir(dir).when_full(WhenFull::Block);
    let config = config.max_bytes(1 << 20).backup_count(999).build().unwrap();
    logwell::init_logging_with(config).unwrap();
}

fn kills(dir: &Path) {
    if let Ok(run) = std::env::var(INNER) {
        log_until_killed(dir, run.parse().unwrap());
    }
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let mut random = fastrand::Rng::with_seed(u64::from(seed));
    println!("seed {seed}");
    let flushed = || fs::metadata(dir.join("flushed")).map_or(0, |file| file.len());
    for run in 0..KILLS {
        let before = flushed();
        let mut inner = Command::new(std::env::current_exe().unwrap());
        let mut inner = inner.env(INNER, run.to_string()).spawn().unwrap();
        wait_until(|| flushed() > before);
        thread::sleep(Duration::from_micros(random.u64(0..20_000)));
        inner.kill().unwrap();
        inner.wait().unwrap();
    }
    // One more start, after which no line is torn.
    set_up(dir);
    assert!(logwell::shutdown_logging().is_lossless());
}

fn log_until_killed(dir: &Path, run: u64) -> ! {
    set_up(dir);
    let handle = logwell::handle().unwrap();
    let flushed = fs::File::options().create(true).append(true).open(dir.join("flushed")).unwrap();
    thread::scope(|scope| {
        for of in 0..4_u64 {
            let (handle, mut flushed) = (&handle, &flushed);
            scope.spawn(move || {
                for number in 0_u64.. {
                    info!(run, of, number, "{}", "some text ".repeat(20));
                    if number % FLUSH_AFTER == FLUSH_AFTER - 1 {
                        handle.flush(SOON).unwrap();
                        let line = format!("{run} {of} {number}\n");
                        flushed.write_all(line.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    unreachable!("they log until they are killed")
}

fn check(dir: &Path) {
    let (mut seen, mut torn) = (HashSet::new(), 0);
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with("app.log") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{}", path.display());
        for line in text.lines() {
            match serde_json::from_str::<serde_json::Value>(line) {
                Ok(record) => {
                    let key = ["run", "of", "number"].map(|name| record[name].as_u64());
                    assert!(key[0].is_none() || seen.insert(key), "twice: {line}");
                }
                Err(_) => {
                    torn += 1;
                    assert!(line.matches("\"timestamp\"").count() <= 1, "glued: {line}");
                }
            }
        }
    }
    // Each kill may cut the one write it meets; the next start ends that line.
    assert!(torn <= KILLS, "{torn} torn lines");
    let flushed = fs::read_to_string(dir.join("flushed")).unwrap();
    let mut kept = 0_u64;
    for line in flushed.lines() {
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [run, of, last] = numbers[..] else { panic!("{line}") };
        for number in last.saturating_sub(FLUSH_AFTER - 1)..=last {
            assert!(seen.contains(&[run, of, number].map(Some)), "lost: {run} {of} {number}");
            kept += 1;
        }
    }
    println!("{KILLS} kills: {kept} flushed records, 0 lost, 0 twice, {torn} torn lines ended");
}
