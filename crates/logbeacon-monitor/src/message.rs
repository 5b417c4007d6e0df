//! Message: what one channel is to be told of one group of incidents.
//!
//! Knows: lines of incidents, why the message is sent, how long a list may be. Must not know: how a
//! channel writes it, nor who was told what. In: incidents; out: plain data.

use crate::identity::{Identity, IncidentId};
use crate::incident::{EndCause, Incident};
use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// A message about a group of incidents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The group's key, such as `rule=disk`.
    pub group: String,
    /// Why it is sent.
    pub reason: Reason,
    /// What goes on, the worst first.
    pub firing: Vec<Line>,
    /// What ended since the last message.
    pub resolved: Vec<Line>,
    /// How many lines are not listed, beyond the first 50 of each kind.
    pub more: usize,
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The group has its first incident.
    First,
    /// There is another one.
    New,
    /// Everything that was told has ended.
    AllResolved,
    /// Some of what was told has ended.
    SomeResolved,
    /// A severity changed, or flapping began or ended.
    Changed,
    /// It has been going on for long.
    Reminder,
}

/// One incident in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The incident.
    pub incident: IncidentId,
    /// Which instance.
    pub identity: Identity,
    /// How bad it is or was.
    pub severity: Severity,
    /// The incident's sequence number: a receiver may drop a lower one than it has.
    pub sequence: u32,
    /// One sentence.
    pub summary: String,
    /// What to do.
    pub runbook: String,
    /// The value that was seen last while it was bad.
    pub value: Option<f64>,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Why it ended.
    pub end_cause: Option<EndCause>,
    /// Whether single changes are not told for now.
    pub flapping: bool,
    /// What else is to be known, such as "resolved during maintenance nightly".
    pub note: Option<String>,
    /// Targets that depend on this one and are not well: the first ten.
    pub affected: Vec<String>,
    /// How many there are in all.
    pub affected_count: usize,
}

impl Line {
    /// The line of an incident as it is now.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self {
            incident: incident.id.clone(),
            identity: incident.identity.clone(),
            severity: incident.severity,
            sequence: incident.sequence,
            summary: incident.summary.clone(),
            runbook: incident.runbook.clone(),
            value: incident.value,
            started_ms: incident.started.wall_ms,
            ended_ms: incident.ended.map(|end| end.at.wall_ms),
            end_cause: incident.ended.map(|end| end.cause),
            flapping: incident.flapping,
            note: None,
            affected: Vec::new(),
            affected_count: 0,
        }
    }
}

impl Message {
    /// Keeps the first lines of each kind and counts the rest.
    pub fn shorten(&mut self) {
        self.firing.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.incident.cmp(&b.incident)));
        let over = |lines: &Vec<Line>| lines.len().saturating_sub(LINES_MAX);
        self.more += over(&self.firing) + over(&self.resolved);
        self.firing.truncate(LINES_MAX);
        self.resolved.truncate(LINES_MAX);
    }
}

/// How many lines of each kind a message has at most.
const LINES_MAX: usize = 50;
