//! Watch: health never says that all is well while a record is lost or a limit is broken.
//!
//! Looks from outside after each act: at what is counted as lost, at the sizes of the files and at
//! their numbers. Does not know why anything fails.

use super::names::{self, FAMILIES};
use super::outside;
use super::process::Process;
use crate::base::fs::os::{self, FileId};
use crate::config::{FileConfig, LoggingConfig};
use crate::record::stats::SinkStats;
use std::fs;
use std::path::Path;

/// What was seen after the last act.
#[derive(Debug, Default)]
pub(super) struct Watch {
    losses: u64,
    files: [Option<Seen>; 3],
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    id: FileId,
    bytes: u64,
    /// Whether it had grown beyond its limit, and that was known.
    is_told: bool,
}

impl Watch {
    /// Looks at what an act has done; `is_step` if it was the process alone that did it.
    pub(super) fn look(
        &mut self,
        process: Option<&Process>,
        config: &LoggingConfig,
        is_step: bool,
    ) {
        let Some(process) = process else {
            *self = Self::default();
            return;
        };
        let stats = process.stats();
        let lost = stats.sinks.iter().map(SinkStats::dropped).sum::<u64>() + stats.dropped.total();
        let health = process.handle.health();
        assert!(lost <= self.losses || !health.is_healthy(), "{lost} records are lost: {stats:?}");
        self.losses = lost;
        let files = [&config.files.app, &config.files.errors, &config.files.ai];
        for (at, (name, file)) in ["app", "errors", "ai"].into_iter().zip(files).enumerate() {
            let problems = stats.sink(name).map_or(&[][..], |sink| &sink.problems);
            let path = config.files.dir.join(FAMILIES[at]);
            let now = Seen::at(&path, !problems.is_empty());
            if let (Some(now), Some(before)) = (now, self.files[at])
                && is_step
            {
                now.check(before, file, &format!("{name}: {now:?} after {before:?}"));
                if now.id != before.id {
                    check_number(&path, file, problems);
                }
            }
            self.files[at] = now;
        }
    }
}

impl Seen {
    fn at(path: &Path, is_told: bool) -> Option<Self> {
        let found = path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
        Some(Self { id: os::id(&found), bytes: found.len(), is_told })
    }

    /// Who lets a file grow beyond its limit says so, and goes on saying so while it grows.
    fn check(self, before: Self, file: &FileConfig, told: &str) {
        // One byte may be the end of somebody else's line.
        let has_grown = self.id == before.id && self.bytes > before.bytes + 1;
        assert!(!has_grown || self.bytes <= file.max_bytes || self.is_told, "{told}");
        let was_beyond = has_grown && before.bytes > file.max_bytes && before.is_told;
        assert!(!was_beyond || self.is_told, "it is no better now: {told}");
    }
}

/// After a rotation there are no more backups than there may be, or it is known why.
fn check_number(path: &Path, file: &FileConfig, problems: &[String]) {
    let Some(directory) = path.parent() else { return };
    let name = outside::name(path);
    let is_backup = |found: &String| found.starts_with(&name) && names::is_backup(found);
    let found = outside::files(directory).into_iter().map(|path| outside::name(&path));
    let found: Vec<_> = found.filter(is_backup).collect();
    let is_within = found.len() as u64 <= u64::from(file.backup_count);
    assert!(is_within || !problems.is_empty(), "{found:?}, and {} may be", file.backup_count);
}
