//! Rule: what is watched, from when it is an incident, and what missing data mean.
//!
//! Knows: the fields of a rule. Must not know: YAML, instances or messages. In and out: plain
//! data, made by the configuration and read by the engine.

use crate::identity::Labels;
use crate::severity::{Scale, Severity};
use serde::{Deserialize, Serialize};

/// A rule: each set of labels that its samples have is an instance with its own state.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable name. Thresholds, texts and durations may change without a new identity.
    pub id: String,
    /// From which value on which severity holds.
    pub scale: Scale,
    /// How long a reading must be bad, in observed time, before the incident starts. 0 starts it
    /// at the first bad reading.
    pub for_ms: u64,
    /// How long a reading must be good again, in observed time, before the incident ends.
    pub keep_ms: u64,
    /// Bad if `n` of the last `m` readings are. Catches 1-0-1-0, which `for_ms` never does.
    pub share: Option<Share>,
    /// What no data mean.
    pub missing: Missing,
    /// How often it is evaluated, in milliseconds. Data are stale after three times that.
    pub interval_ms: u64,
    /// One sentence for people; `{value}` and `{label}` are replaced.
    pub summary: String,
    /// What to do: a URL or a text.
    pub runbook: String,
    /// Whether an instance that is bad means that its `target` cannot be used, so that alerts of
    /// targets that depend on it are held.
    pub marks_down: bool,
}

/// `n` of the last `m` readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many must be bad.
    pub n: u32,
    /// Of how many, at most 64.
    pub m: u32,
}

/// What a rule does while an instance has no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// What it does.
    pub policy: MissingPolicy,
    /// After how long, in observed milliseconds.
    pub for_ms: u64,
}

/// What no data mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissingPolicy {
    /// Nothing: the state stays as it is.
    Keep,
    /// The incident starts.
    Alert,
    /// All is well: an incident ends.
    Ok,
}

/// What a rule saw of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which instance.
    pub labels: Labels,
    /// What was seen.
    pub reading: Seen,
}

/// What was seen of an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A value, to be judged by the rule's scale.
    Value(f64),
    /// Somebody else judged: a severity, or none.
    Level(Option<Severity>),
    /// Nothing could be measured, such as a rate of too few events.
    NoData,
    /// Measuring failed.
    Error(String),
}

/// One evaluation of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The rule's id.
    pub rule: String,
    /// What it saw of each instance; or why it could not look at all.
    pub result: Result<Vec<Sample>, String>,
}
