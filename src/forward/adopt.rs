//! Adopt: takes over the spools that killed processes have left beside ours.
//!
//! A process that finds a spool in use uses its own, `<name>.<process id>`. Once that process has
//! ended nobody would deliver what is left there.

use crate::base::clock::Clock;
use crate::base::selflog;
use crate::spool::{self, BatchLimits, SpoolOptions, SpoolReader, SpoolWriter};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Set-up is not held up longer; what is left waits for the next start.
const AT_MOST: Duration = Duration::from_millis(500);
/// So much is moved at once.
const BATCH: BatchLimits = BatchLimits { entries: 1_024, bytes: 1 << 20 };

/// Moves what is in the spools beside `options.dir` into it, and deletes them.
pub(super) fn adopt(options: &SpoolOptions, clock: &Clock, writer: &mut SpoolWriter) {
    adopt_until(Instant::now() + AT_MOST, options, clock, writer);
}

fn adopt_until(until: Instant, options: &SpoolOptions, clock: &Clock, writer: &mut SpoolWriter) {
    for dir in left_behind(&options.dir) {
        let from = SpoolOptions { dir: dir.clone(), ..options.clone() };
        let moved = match spool::open(&from, clock) {
            // Its process is alive.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => Err(error),
            Ok((_, mut reader, _)) => move_all(&mut reader, writer, until),
        };
        match moved {
            Ok(true) => drop(std::fs::remove_dir_all(&dir)),
            Ok(false) => return,
            Err(error) => {
                selflog::tell("a spool that was left behind cannot be taken over", &error)
            }
        }
    }
}

/// Whether all of it was moved.
fn move_all(
    reader: &mut SpoolReader,
    writer: &mut SpoolWriter,
    until: Instant,
) -> io::Result<bool> {
    while Instant::now() < until {
        let entries = reader.next_batch(BATCH)?;
        let Some(last) = entries.last() else { return Ok(true) };
        for entry in &entries {
            // What is refused is counted and told.
            let _ = writer.append(&entry.bytes, entry.urgency);
        }
        writer.flush()?;
        reader.acknowledge(last.id)?;
    }
    Ok(false)
}

/// The directories beside it whose names are `<its name>.<number>`.
fn left_behind(dir: &Path) -> Vec<PathBuf> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else { return Vec::new() };
    let prefix = format!("{}.", name.to_string_lossy());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_prefix(&prefix).unwrap_or_default();
        path.is_dir() && number.parse::<u32>().is_ok_and(|parsed| parsed.to_string() == number)
    };
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(is_one).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Urgency;

    #[test]
    fn what_a_killed_process_has_left_is_moved_and_what_is_in_use_or_not_ours_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let options = |name: &str| SpoolOptions::new(dir.path().join(name));
        for name in ["x.123", "x.0123", "x.124", "xy.125", "x.dead"] {
            let (mut writer, ..) = spool::open(&options(name), &Clock::System).unwrap();
            for n in 0..3_000 {
                let entry = format!("{name} {n}");
                writer.append(entry.as_bytes(), Urgency::Ordinary).unwrap();
            }
            writer.flush().unwrap();
        }
        let _in_use = spool::open(&options("x.124"), &Clock::System).unwrap();

        let own = options("x");
        let (mut writer, mut reader, _) = spool::open(&own, &Clock::System).unwrap();
        adopt_until(Instant::now() + AT_MOST * 200, &own, &Clock::System, &mut writer);
        let all = BatchLimits { entries: usize::MAX, bytes: usize::MAX };
        let entries = reader.next_batch(all).unwrap();
        let texts: Vec<_> =
            entries.into_iter().map(|entry| String::from_utf8(entry.bytes).unwrap()).collect();
        assert_eq!(texts, (0..3_000).map(|n| format!("x.123 {n}")).collect::<Vec<_>>());
        assert!(!dir.path().join("x.123").exists());
        for name in ["x.0123", "x.124", "xy.125", "x.dead"] {
            assert!(dir.path().join(name).exists(), "{name}");
        }
    }
}
