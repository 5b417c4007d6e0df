//! Task: what is declared of a job: when it is due, and what is wrong with a run.
//!
//! Knows: the fields of a task and what they may be. Must not know: YAML or runs. In: what the
//! configuration read; out: what verdicts are made by.

use super::schedule::Schedule;

/// A job that runs elsewhere and reports by pings.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// When it is due.
    pub schedule: Schedule,
    /// How long before it is due a start counts for that slot, in milliseconds; none is the smaller
    /// of five minutes and a quarter of the shortest time between two slots.
    pub early_ms: Option<i64>,
    /// How long after it is due it may start, in milliseconds.
    pub grace_ms: i64,
    /// How long a run may take, in milliseconds.
    pub max_run_ms: i64,
    /// A success in less time than this is suspicious. Without it, a tenth of the median of the
    /// last runs is, once there are ten.
    pub min_run_ms: Option<i64>,
}

impl Task {
    /// Checks that a start can belong to one slot only.
    ///
    /// # Errors
    ///
    /// Early tolerance and grace together are not shorter than the shortest time between two slots.
    pub fn check(&self, now_ms: i64) -> Result<(), String> {
        let Some(gap_ms) = self.schedule.shortest_gap_ms(now_ms) else { return Ok(()) };
        let window_ms = self.early(gap_ms) + self.grace_ms;
        if window_ms < gap_ms {
            return Ok(());
        }
        let (window, gap) = (window_ms / 1_000, gap_ms / 1_000);
        Err(format!(
            "`early` and `grace` together are {window} s, and slots can be {gap} s apart: a start \
             would belong to two of them; make `grace` shorter"
        ))
    }

    /// The early tolerance, given the time to the slot before.
    pub(super) fn early(&self, gap_ms: i64) -> i64 {
        self.early_ms.unwrap_or_else(|| EARLY_MAX_MS.min(gap_ms / 4))
    }
}

const EARLY_MAX_MS: i64 = 300_000;
