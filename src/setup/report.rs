//! ShutdownReport: the receipt: what was captured, written and dropped, and where it is.

use crate::pipeline::end::End;
use crate::record::stats::{DestinationStats, SinkStats, Stats};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What became of all records; see [`shutdown_logging`](crate::shutdown_logging).
///
/// `Display` is one readable line.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// All counters at the end.
    pub stats: Stats,
    /// The files of each sink that has files, current one first.
    pub files: Vec<(String, Vec<PathBuf>)>,
    /// How many records are kept safe for each destination that has not taken them yet; they are
    /// sent after the next start. Empty if nothing is sent anywhere.
    pub unsent: Vec<(String, u64)>,
    /// Where the records are that are not written, if some are not: the next start of the program
    /// writes them. `None` if all is written, or there is no black box.
    pub black_box: Option<PathBuf>,
    /// How long the shutdown took.
    pub elapsed: Duration,
    /// Whether everything was done within the deadline.
    pub is_complete: bool,
}

impl ShutdownReport {
    pub(crate) fn new(stats: Stats, end: End, elapsed: Duration, is_complete: bool) -> Self {
        let files = end.files.into_iter().filter(|(_, files)| !files.is_empty()).collect();
        let mut unsent = end.unsent;
        for to in &stats.destinations {
            // The forwarders went on after the sinks had said it.
            match unsent.iter_mut().find(|(name, _)| *name == to.name) {
                Some((_, records)) => *records = to.waiting,
                None => unsent.push((to.name.clone(), to.waiting)),
            }
        }
        Self { stats, files, unsent, black_box: None, elapsed, is_complete }
    }

    /// How many records log calls made.
    #[must_use]
    pub fn captured(&self) -> u64 {
        self.stats.captured()
    }

    /// How many of them were dropped before the queue, for any reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.stats.dropped.total()
    }

    /// How many records that sink has handed over; 0 if there is no such sink.
    #[must_use]
    pub fn written(&self, sink: &str) -> u64 {
        self.stats.sink(sink).map_or(0, |sink| sink.written)
    }

    /// The current file of that sink: `app`, `errors` or `ai`; `None` if it has none.
    #[must_use]
    pub fn file(&self, sink: &str) -> Option<&Path> {
        let (_, files) = self.files.iter().find(|(name, _)| name == sink)?;
        files.first().map(PathBuf::as_path)
    }

    /// How many records are kept safe for that destination; 0 if no destination has that name.
    #[must_use]
    pub fn unsent_to(&self, destination: &str) -> u64 {
        self.unsent.iter().find(|(name, _)| name == destination).map_or(0, |(_, records)| *records)
    }

    /// Whether no record is missing anywhere. Those that are kept safe for later are not missing.
    #[must_use]
    pub fn is_lossless(&self) -> bool {
        let kept = |to: &DestinationStats| to.refused + to.evicted + to.damaged == 0;
        let whole = |sink: &SinkStats| sink.dropped() == 0 && sink.in_hand() == 0;
        self.is_complete
            && self.dropped() == 0
            && self.stats.in_queue == 0
            && self.stats.sinks.iter().all(whole)
            && self.stats.destinations.iter().all(kept)
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_complete { "stopped" } else { "NOT finished within its deadline" };
        write!(f, "logging {state} after {:.1?}: {}", self.elapsed, self.stats)?;
        let unsent = self.unsent.iter().filter(|(_, records)| *records > 0);
        for (at, (destination, records)) in unsent.enumerate() {
            let before = if at == 0 { "; kept to be sent: " } else { ", " };
            write!(f, "{before}{destination} {records}")?;
        }
        if let Some(black_box) = &self.black_box {
            write!(f, "; not written, but kept for the next start in {}", black_box.display())?;
        }
        Ok(())
    }
}
