//! Run: one execution of a job, as its pings tell it.
//!
//! Knows: pings, and which run one belongs to. Must not know: schedules. In: pings with the time at
//! which they were received; out: runs that began and ended.

use serde::{Deserialize, Serialize};

/// What a job reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// What happened.
    pub kind: PingKind,
    /// The run's id, which tells runs apart that overlap.
    pub run: Option<String>,
    /// When it was received, in milliseconds since 1970: verdicts are made by this.
    pub received_ms: i64,
    /// When the sender says that it happened. It is shown, and finds the slot of a ping that waited
    /// in a spool while the monitor was away.
    pub sent_ms: Option<i64>,
    /// How long the sender says the run took, in milliseconds, for jobs that ping at the end only.
    pub duration_ms: Option<i64>,
    /// Where it ran, or what it says: shown, cut at 1 000 bytes.
    pub note: String,
}

/// What happened to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PingKind {
    /// It began.
    Start,
    /// It ended well.
    Success,
    /// It failed, with its exit code if that is known.
    Fail(Option<i32>),
    /// It says something.
    Log,
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, if its job gives ids.
    pub id: Option<String>,
    /// When its start was received, in milliseconds since 1970.
    pub started_ms: i64,
    /// Whether another one was open when it began.
    pub overlaps: bool,
    /// Whether it was reported to take too long.
    pub is_over: bool,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Its id.
    pub id: Option<String>,
    /// When it began; for a job that pings at its end only, that end less its duration.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// How long it took; unknown if only its end was seen.
    pub duration_ms: Option<i64>,
    /// Whether it ended well.
    pub is_success: bool,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// Whether it is sure which run ended: without ids and with several open ones it is not.
    pub is_ambiguous: bool,
    /// What it said.
    pub note: String,
}

/// Ends the run that a ping is about. Without an id it is the newest open one.
pub(super) fn finish(open: &mut Vec<Run>, ping: &Ping) -> Option<Finished> {
    let (is_success, exit_code) = match ping.kind {
        PingKind::Success => (true, None),
        PingKind::Fail(code) => (false, code),
        PingKind::Start | PingKind::Log => return None,
    };
    let at = match &ping.run {
        Some(id) => open.iter().position(|run| run.id.as_ref() == Some(id)),
        None => open.len().checked_sub(1),
    };
    let is_ambiguous = ping.run.is_none() && open.len() > 1;
    let run = at.map(|at| open.remove(at));
    let started_ms = run.as_ref().map(|run| run.started_ms);
    let measured_ms = started_ms.map(|started_ms| ping.received_ms.saturating_sub(started_ms));
    let duration_ms = ping.duration_ms.filter(|ms| *ms >= 0).or(measured_ms);
    Some(Finished {
        id: ping.run.clone().or(run.and_then(|run| run.id)),
        started_ms: started_ms.unwrap_or(ping.received_ms.saturating_sub(duration_ms.unwrap_or(0))),
        ended_ms: ping.received_ms,
        duration_ms,
        is_success,
        exit_code,
        is_ambiguous,
        note: cut(&ping.note),
    })
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(NOTE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

const NOTE_BYTES: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn ping(kind: PingKind, run: Option<&str>, received_ms: i64) -> Ping {
        let run = run.map(str::to_owned);
        Ping { kind, run, received_ms, sent_ms: None, duration_ms: None, note: String::new() }
    }

    fn open(ids: &[Option<&str>]) -> Vec<Run> {
        let run = |(at, id): (usize, &Option<&str>)| Run {
            id: id.map(str::to_owned),
            started_ms: at as i64 * 100,
            overlaps: at > 0,
            is_over: false,
        };
        ids.iter().enumerate().map(run).collect()
    }

    #[test]
    fn ids_tell_overlapping_runs_apart() {
        let mut runs = open(&[Some("a"), Some("b")]);
        let first = finish(&mut runs, &ping(PingKind::Success, Some("a"), 500)).unwrap();
        assert_eq!((first.duration_ms, first.is_ambiguous), (Some(500), false));
        assert_eq!(runs[0].id.as_deref(), Some("b"));
    }

    #[test]
    fn without_ids_the_newest_run_ends_and_that_is_not_sure() {
        let mut runs = open(&[None, None]);
        let ended = finish(&mut runs, &ping(PingKind::Fail(Some(3)), None, 500)).unwrap();
        assert_eq!((ended.duration_ms, ended.is_ambiguous), (Some(400), true));
        assert_eq!((ended.is_success, ended.exit_code), (false, Some(3)));
    }

    #[test]
    fn an_end_without_a_start_is_a_run() {
        let mut none = Vec::new();
        let mut end = ping(PingKind::Success, Some("x"), 500);
        assert_eq!(finish(&mut none, &end).unwrap().duration_ms, None);
        end.duration_ms = Some(200);
        assert_eq!(finish(&mut none, &end).unwrap().started_ms, 300);
        assert!(finish(&mut none, &ping(PingKind::Log, None, 1)).is_none());
    }

    #[test]
    fn notes_are_cut_between_characters() {
        let mut end = ping(PingKind::Success, None, 1);
        end.note = "ä".repeat(600);
        assert_eq!(finish(&mut Vec::new(), &end).unwrap().note.len(), 1_000);
    }
}
