//! Counterparts: the same events through programs that others wrote, and through ours.
//!
//! `promtool` (Debian: `prometheus`), `prometheus-alertmanager` and Python's `cronsim` are asked. A
//! test whose counterpart is missing says so and passes; with the variable `CI` it fails.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod alertmanager;
mod cronsim;
mod promtool;

use logbeacon_monitor::{
    Direction, Engine, Labels, Missing, MissingPolicy, Reading, Rule, Sample, Scale, Seen, Setup,
    Severity, SystemDisk, Threshold,
};
use std::path::PathBuf;

/// The path of a program, or a word that it is missing.
fn program(name: &str, shows: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        missing(&format!("{shows}: {name} is not installed"));
    }
    found
}

/// Says that a counterpart is missing, which is a failure on a build server.
fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    eprintln!("left out: {what}");
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// A rule that is bad above a half, and takes missing data as good, as Prometheus does.
fn rule(id: String, for_ms: u64, keep_ms: u64) -> Rule {
    let at = Threshold { severity: Severity::Warning, raise: 0.5, clear: 0.5 };
    Rule {
        id,
        scale: Scale { direction: Direction::Above, thresholds: vec![at], valid: 0.0..=1.0 },
        for_ms,
        keep_ms,
        share: None,
        missing: Missing { policy: MissingPolicy::Ok, for_ms: 0 },
        interval_ms: 60_000,
        summary: String::new(),
        runbook: String::new(),
        marks_down: false,
    }
}

/// A sample of one instance.
fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
    let labels: Labels =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sample { labels, reading: Seen::Value(value) }
}

/// A fresh engine in a directory of its own, at the begin of time.
fn engine(setup: Setup) -> (Engine, Reading, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Box::new(SystemDisk::open(dir.path()).unwrap());
    let start = Reading { wall_ms: 1_700_000_000_000, mono_ms: 0 };
    let (engine, _) = Engine::open(disk, setup, start).unwrap();
    (engine, start, dir)
}
