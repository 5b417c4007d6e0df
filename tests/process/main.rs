//! Scenarios that need a process of their own: set-up, shutdown, exit.
//!
//! Without `LOGWELL_SCENARIO` in the environment it starts itself once for each scenario; each must
//! end well and soon. Some scenarios are looked at from outside: what they left in the log file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

#[cfg(target_os = "linux")]
mod boxes;
#[cfg(unix)]
mod console;
mod exit;
mod failed_starts;
#[cfg(unix)]
mod forks;
#[cfg(unix)]
mod hooks;
mod kills;
mod life;
mod own_threads;
#[cfg(target_os = "linux")]
mod signals;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, ExitCode, Output};

/// A true sentence, what shows it, and what must be true of the process afterwards.
pub(crate) struct Scenario {
    pub(crate) sentence: &'static str,
    pub(crate) run: fn(&Path),
    pub(crate) check: fn(&Output, &Path),
}

fn scenarios() -> Vec<Scenario> {
    let mut all = life::scenarios();
    all.extend(own_threads::scenarios());
    all.extend(exit::scenarios());
    #[cfg(unix)]
    all.extend(console::scenarios());
    all.extend(kills::scenarios());
    all.extend(failed_starts::scenarios());
    #[cfg(unix)]
    {
        all.extend(hooks::scenarios());
        all.extend(forks::scenarios());
    }
    #[cfg(target_os = "linux")]
    {
        all.extend(boxes::scenarios());
        all.extend(signals::scenarios());
    }
    all
}

/// All records of `app.log`, logwell's own too.
pub(crate) fn records(dir: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(dir.join("app.log")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The process ended well.
pub(crate) fn ended_well(output: &Output, _: &Path) {
    assert!(output.status.success(), "{}", output.status);
}

fn main() -> ExitCode {
    if let (Some(sentence), Some(dir)) =
        (std::env::var_os("LOGWELL_SCENARIO"), std::env::var_os("LOGWELL_SCENARIO_DIR"))
    {
        // What hangs is ended from inside.
        // Its room is its own: a scenario may have no threads.
        let watchdog = std::thread::Builder::new().stack_size(256 << 10);
        let _watchdog = watchdog.spawn(|| {
            // It would take signals that a scenario waits for.
            #[cfg(target_os = "linux")]
            nix::sys::signal::SigSet::all().thread_block().unwrap();
            std::thread::park_timeout(support::SOON * 5);
            std::process::abort();
        });
        let scenario = scenarios().into_iter().find(|scenario| *scenario.sentence == *sentence);
        (scenario.unwrap().run)(Path::new(&dir));
        return ExitCode::SUCCESS;
    }
    let filters: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut failed = 0;
    for scenario in scenarios() {
        let sentence = scenario.sentence;
        if !filters.is_empty() && !filters.iter().any(|filter| sentence.contains(filter.as_str())) {
            continue;
        }
        let is_ok = start(&scenario);
        println!("test {sentence} ... {}", if is_ok { "ok" } else { "FAILED" });
        failed += u32::from(!is_ok);
    }
    ExitCode::from(u8::from(failed > 0))
}

fn start(scenario: &Scenario) -> bool {
    let dir = tempfile::tempdir().unwrap();
    // Who runs the tests in the background may have switched signals off for them.
    let output = Command::new("env")
        .arg("--default-signal=HUP,INT,TERM")
        .arg(std::env::current_exe().unwrap())
        .env("LOGWELL_SCENARIO", scenario.sentence)
        .env("LOGWELL_SCENARIO_DIR", dir.path())
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let checked = std::panic::catch_unwind(|| (scenario.check)(&output, dir.path()));
    if checked.is_err() {
        println!("{}", String::from_utf8_lossy(&output.stdout));
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    checked.is_ok()
}
