//! Bench: which program each `cargo x bench …` runs, with what is said after it.

use crate::program::{Outcome, cargo};

/// All benchmarks of logwell, the one of that name, the peers, the instruction counts, or
/// LogBeacon's store.
pub(crate) fn run(words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => cargo(&["bench", "--package", "logwell-benches", "--benches"]),
        // A package of its own, with its own lock file: nothing else waits for its crates.
        ["peers", options @ ..] => {
            let peers = ["run", "--release", "--manifest-path", "benches/peers/Cargo.toml", "--"];
            cargo(&[&peers, options].concat())
        }
        ["instructions", options @ ..] => instructions(options),
        ["store", options @ ..] => {
            let store = ["bench", "--package", "logbeacon-store", "--bench", "store", "--"];
            cargo(&[&store, options].concat())
        }
        [name, options @ ..] => {
            let bench = ["bench", "--package", "logwell-benches", "--bench", name, "--"];
            cargo(&[&bench, options].concat())
        }
    }
}

/// Counts instructions and compares them with `benches/instructions.txt`, or records them.
pub(crate) fn instructions(options: &[&str]) -> Outcome {
    let package = ["run", "--profile", "bench", "--package", "logwell-benches"].as_slice();
    // What is measured is compiled in, and off where it is not asked for.
    let features = ["--features", "metrics"].as_slice();
    cargo(&[package, features, &["--bin", "instructions", "--"], options].concat())
}
