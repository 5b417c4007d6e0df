//! What the black box and the masking of secrets cost: the same program without both, with the one,
//! and with both, in turns.
//!
//! Prints nanoseconds a call in bursts of 2 000 (no timer in them), percentiles of single calls
//! with the timer's own 20 to 45, and records and processor time of a storm that waits for room.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use logwell::shutdown_logging;
use logwell_benches::{
    Pace, Scratch, asked_for, cpu_seconds, five_fields, in_two_spans, median, numbers_of_a_run,
    one_file, percentile, timed_bursts,
};
use std::error::Error;
use std::time::{Duration, Instant};

const NAMES: [&str; 8] = [
    "burst, ns a call",
    "p50, ns",
    "p90, ns",
    "p99, ns",
    "p99.9, ns",
    "storm, thousand records/s",
    "storm, CPU s per million",
    "no copy, records",
];
const ROUNDS: usize = 5;
const SUBJECTS: [&str; 3] = ["neither", "black box", "both"];

fn main() -> Result<(), Box<dyn Error>> {
    if let Some([subject, workload]) = asked_for() {
        return measure(&subject, &workload);
    }
    for workload in ["five fields", "in two spans"] {
        let mut runs = SUBJECTS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (subject, runs) in SUBJECTS.iter().zip(&mut runs) {
                runs.push(numbers_of_a_run(&["run", subject, workload])?);
            }
        }
        println!("{workload}, medians of {ROUNDS} runs");
        for (at, name) in NAMES.iter().enumerate() {
            print!("{name:>26}:");
            for (subject, runs) in SUBJECTS.iter().zip(&runs) {
                print!("  {subject} {:>8.2}", median(runs, at));
            }
            println!();
        }
    }
    Ok(())
}

fn measure(subject: &str, workload: &str) -> Result<(), Box<dyn Error>> {
    let dir = Scratch::new()?;
    let mut config = one_file(dir.path())?;
    config.black_box.enabled = subject != "neither";
    config.redact.enabled = subject == "both";
    let handle = logwell::init_logging_with(config)?;
    if workload == "in two spans" {
        in_two_spans(calls)
    } else {
        calls()
    }
    println!("{}", handle.stats().unprotected);
    shutdown_logging();
    Ok(())
}

fn calls() {
    const BURST: u64 = 2_000;
    const STORM: u64 = 2_000_000;
    let mut times_ns = Vec::new();
    for burst in 0..400 {
        let start = Instant::now();
        (0..BURST).for_each(|at| five_fields(burst * BURST + at));
        times_ns.push(start.elapsed().as_nanos() as u64);
        std::thread::sleep(Duration::from_millis(2));
    }
    times_ns.sort_unstable();
    println!("{}", percentile(&times_ns, 0.5) as f64 / BURST as f64);

    let mut times_ns = timed_bursts(Pace { bursts: 500, calls: 100 }, five_fields);
    times_ns.sort_unstable();
    for part in [0.5, 0.9, 0.99, 0.999] {
        println!("{}", percentile(&times_ns, part));
    }

    let (start, cpu) = (Instant::now(), cpu_seconds());
    (0..STORM).for_each(five_fields);
    println!("{}", STORM as f64 / start.elapsed().as_secs_f64() / 1e3);
    println!("{}", (cpu_seconds() - cpu) / (STORM as f64 / 1e6));
}
