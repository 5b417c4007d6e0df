//! What others do to a black box costs the program nothing.

use crate::support::wait_until;
use crate::{Scenario, ended_well, records};
use logwell::{LoggingConfig, LoggingHandle};
use nix::sys::signal::{SigSet, SigmaskHow};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use tracing::info;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let done = |sentence, run| Scenario { sentence, run, check: all_is_logged };
    vec![
        done("a_box_that_others_harm_in_a_burst_of_threads_costs_no_record", harmed_in_a_burst),
        done("a_thread_that_blocks_every_signal_outlives_a_box_that_is_cut", all_blocked),
        done("a_handler_of_the_applications_own_is_there_before_and_after", with_handlers),
        done("a_box_on_a_file_system_in_memory_may_be_cut_too", in_memory),
        Scenario {
            sentence: "without_files_the_next_start_prints_what_a_kill_has_kept_from_the_console",
            run: killed_console,
            check: ended_well,
        },
    ]
}

/// The process ended well, and each number up to the one that it printed is there once.
fn all_is_logged(output: &Output, dir: &Path) {
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let last: u64 = text.trim().parse().unwrap();
    let mut numbers: Vec<_> = records(dir).iter().filter_map(|it| it["number"].as_u64()).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..last), "{} of {last}", numbers.len());
}

fn config(dir: &Path) -> LoggingConfig {
    let builder = LoggingConfig::builder().log_dir(dir).console(false);
    let mut config = builder.build().unwrap();
    config.queue.when_full = logwell::config::WhenFull::Block;
    config.files.app.max_bytes = 1 << 30;
    config
}

/// The box of this process.
fn its_box(dir: &Path) -> Option<PathBuf> {
    logwell::black_box::list(dir).unwrap_or_default().into_iter().next()
}

fn cut(path: &Path, bytes: u64) {
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        file.set_len(bytes).unwrap();
    }
}

/// What others do to a box.
const HARMS: [fn(&Path); 8] = [
    |path| cut(path, 0),
    |path| cut(path, 4_096),
    |path| cut(path, 1 << 20),
    |path| {
        let cp = Command::new("cp").arg("/dev/null").arg(path).status().unwrap();
        assert!(cp.success());
    },
    |path| {
        // As `copytruncate` does.
        let _ = fs::copy(path, path.with_extension("1"));
        cut(path, 0);
    },
    |path| fs::remove_file(path).unwrap(),
    |path| {
        let other = path.with_extension("other");
        fs::write(&other, "another file").unwrap();
        fs::rename(other, path).unwrap();
    },
    |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        // Where there are no holes, this is no harm.
        let _ = fallocate(&file, hole, 0, 8 << 20);
    },
];

fn harmed_in_a_burst(dir: &Path) {
    logwell::set_self_log(|_| {});
    let handle = logwell::init_logging_with(config(dir)).unwrap();
    let (numbers, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let large = if number % 500 == 0 { 40_000 } else { 100 };
                    info!(number, text = "x".repeat(large));
                }
            });
        }
        for harm in HARMS.iter().chain(&HARMS) {
            wait_until(|| handle.health().problems.is_empty());
            let path = its_box(dir).unwrap();
            harm(&path);
            let before = numbers.load(Ordering::Relaxed);
            wait_until(|| numbers.load(Ordering::Relaxed) > before + 100);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    ends_healthy(&handle, dir);
    println!("{}", numbers.into_inner());
}

/// The box is there again, and goes with the end.
fn ends_healthy(handle: &LoggingHandle, dir: &Path) {
    wait_until(|| handle.health().problems.is_empty());
    let unprotected = handle.stats().unprotected;
    assert!(unprotected > 0, "what had no copy was counted");
    let report = logwell::shutdown_logging();
    assert!(report.is_lossless(), "{report}");
    assert_eq!(its_box(dir), None);
}

fn all_blocked(dir: &Path) {
    let handle = logwell::init_logging_with(config(dir)).unwrap();
    SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).unwrap();
    cut(&its_box(dir).unwrap(), 0);
    let first = thread::spawn(|| (0..100_u64).for_each(|number| info!(number, "as deaf")));
    first.join().unwrap();
    (100..200_u64).for_each(|number| info!(number, "deaf"));
    ends_healthy(&handle, dir);
    println!("200");
}

fn with_handlers(dir: &Path) {
    let seen = std::sync::Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(libc::SIGBUS, seen.clone()).unwrap();
    let handle = logwell::init_logging_with(config(dir)).unwrap();
    cut(&its_box(dir).unwrap(), 0);
    (0..100_u64).for_each(|number| info!(number, "a handler from before"));
    assert!(!seen.load(Ordering::Relaxed), "it was not the application's fault");
    wait_until(|| handle.health().problems.is_empty());
    signal_hook::low_level::raise(libc::SIGBUS).unwrap();
    assert!(seen.load(Ordering::Relaxed), "and this was sent to the application");
    ends_healthy(&handle, dir);
    println!("100");
}

fn in_memory(dir: &Path) {
    let Ok(boxes) = tempfile::tempdir_in("/dev/shm") else {
        assert!(std::env::var_os("CI").is_none(), "this is CI, and there is no /dev/shm");
        eprintln!("SKIPPED: there is no /dev/shm; nothing was checked");
        println!("0");
        return fs::write(dir.join("app.log"), "").unwrap();
    };
    let mut config = config(dir);
    config.black_box.dir = boxes.path().to_owned();
    let handle = logwell::init_logging_with(config).unwrap();
    cut(&its_box(boxes.path()).unwrap(), 0);
    (0..100_u64).for_each(|number| info!(number, "in memory"));
    ends_healthy(&handle, boxes.path());
    println!("100");
}

/// Which part of the next scenario a process plays.
const PART: &str = "LOGWELL_TEST_PART";

fn killed_console(dir: &Path) {
    let mut config = LoggingConfig::builder().files(false).log_dir(dir).build().unwrap();
    config.console.format = logwell::config::ConsoleFormat::Json;
    config.black_box.dir = "boxes".into();
    match std::env::var(PART).as_deref() {
        Ok("killed") => {
            logwell::init_logging_with(config).unwrap();
            // More than the pipe takes, which nobody reads.
            (0..3_000_u64).for_each(|number| info!(number, "on its way"));
            eprintln!("all is logged");
            loop {
                thread::park();
            }
        }
        Ok(_) => {
            logwell::init_logging_with(config).unwrap();
            assert!(logwell::shutdown_logging().is_lossless());
        }
        Err(_) => {
            let play = |part: &str| {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.env(PART, part).stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().unwrap()
            };
            let mut killed = play("killed");
            let mut told = String::new();
            BufReader::new(killed.stderr.take().unwrap()).read_line(&mut told).unwrap();
            assert_eq!(told, "all is logged\n");
            killed.kill().unwrap();
            killed.wait().unwrap();
            let mut lines = String::new();
            killed.stdout.take().unwrap().read_to_string(&mut lines).unwrap();
            assert!(lines.len() < 500_000, "the pipe was full");
            lines += "\n"; // the last may be torn
            lines += &String::from_utf8(play("next").wait_with_output().unwrap().stdout).unwrap();
            let records = lines.lines().filter_map(|it| serde_json::from_str(it).ok());
            let mut numbers: Vec<_> =
                records.filter_map(|it: serde_json::Value| it["number"].as_u64()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert!(numbers.iter().copied().eq(0..3_000), "{} of 3 000", numbers.len());
            assert_eq!(its_box(&dir.join("boxes")), None);
            assert!(!dir.join("app.log").exists());
        }
    }
}
