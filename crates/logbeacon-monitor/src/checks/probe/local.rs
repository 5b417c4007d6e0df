//! Local: processes and disks of the own machine.
//!
//! Knows: `/proc` and file systems. Must not know: networks. In: what to look for; out: nothing, or
//! what is not as it should be.

use super::failure::Failure;
use crate::matcher::Matcher;
use std::path::Path;

/// A process whose name or command line is like the pattern runs.
#[cfg(target_os = "linux")]
pub(super) fn process(pattern: &str) -> Result<(), Failure> {
    let matcher = Matcher { label: String::new(), value: pattern.to_owned(), negated: false };
    let unreadable = |error: std::io::Error| Failure::unknown(format!("/proc: {error}"));
    for entry in std::fs::read_dir("/proc").map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_process = path.file_name().and_then(|name| name.to_str());
        if !is_process.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
            continue;
        }
        // A process may end while it is looked at.
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if [name.trim_end(), line.trim_end()].iter().any(|text| matcher.is_like(text)) {
            return Ok(());
        }
    }
    Err(Failure::down(format!("no process is like {pattern:?}")))
}

/// Elsewhere nothing is known of processes.
#[cfg(not(target_os = "linux"))]
pub(super) fn process(_pattern: &str) -> Result<(), Failure> {
    Err(Failure::unknown("processes are looked for on Linux only"))
}

/// The disk of a directory has room for bytes and for files.
#[cfg(unix)]
pub(super) fn disk(path: &Path, free_percent: f64) -> Result<(), Failure> {
    let stat = rustix::fs::statvfs(path)
        .map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
    let percent = |free: u64, all: u64| match all {
        0 => 100.0,
        all => 100.0 * free as f64 / all as f64,
    };
    let bytes = percent(stat.f_bavail, stat.f_blocks);
    let files = percent(stat.f_favail, stat.f_files);
    for (what, free) in [("bytes", bytes), ("inodes", files)] {
        if free < free_percent {
            let path = path.display();
            return Err(Failure::down(format!("{path} has {free:.1} % of its {what} free")));
        }
    }
    Ok(())
}

/// Elsewhere nothing is known of disks.
#[cfg(not(unix))]
pub(super) fn disk(_path: &Path, _free_percent: f64) -> Result<(), Failure> {
    Err(Failure::unknown("disks are looked at on Unix only"))
}
