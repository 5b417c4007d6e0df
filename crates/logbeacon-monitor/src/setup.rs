//! Setup: everything that the configuration says to the engine, as plain data.
//!
//! Knows: rules, channels, dependencies, windows, and the waits of groups. Must not know: YAML, or
//! any state. In: what the configuration read; out: what the engine asks.

use crate::identity::Identity;
use crate::maintenance::Window;
use crate::matcher::{Matcher, all_match};
use crate::rule::{Missing, MissingPolicy, Rule};
use crate::severity::{Direction, Scale, Severity};
use crate::tasks::Task;
use std::collections::BTreeMap;

/// What the engine works by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setup {
    /// Rules by id.
    pub rules: BTreeMap<String, Rule>,
    /// Channels by id.
    pub channels: BTreeMap<String, Channel>,
    /// For each target those that it depends on, directly.
    pub parents: BTreeMap<String, Vec<String>>,
    /// Hours without new messages.
    pub maintenance: Vec<Window>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, Task>,
    /// Waits.
    pub waits: Waits,
}

/// Whom a channel tells of what, together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// The mildest severity that it tells of.
    pub severity_min: Severity,
    /// What it tells of; all must match.
    pub matchers: Vec<Matcher>,
    /// Labels with equal values make one group; `rule` and `severity` are labels too.
    pub group_by: Vec<String>,
    /// Whether it tells of ends.
    pub wants_resolves: bool,
}

/// How long messages wait, in observed milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Before the first message of a group, so that others can join it.
    pub group_ms: u64,
    /// The same if an incident is critical.
    pub critical_ms: u64,
    /// Between messages of a group that say something new.
    pub interval_ms: u64,
    /// Between reminders.
    pub repeat_ms: u64,
    /// After a parent recovered, before its children are told of.
    pub settle_ms: u64,
    /// How long a parent that is unknown holds its children.
    pub unknown_parent_ms: u64,
    /// After start, for the first evaluation of each rule, before anything is told.
    pub start_ms: u64,
    /// For how long a message is tried.
    pub expire_ms: u64,
    /// Longest step between two looks at the clock that is no gap.
    pub step_max_ms: u64,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            group_ms: 10_000,
            critical_ms: 10_000,
            interval_ms: 60_000,
            repeat_ms: 4 * 3_600_000,
            settle_ms: 60_000,
            unknown_parent_ms: 900_000,
            start_ms: 60_000,
            expire_ms: 3 * 86_400_000,
            step_max_ms: 90_000,
        }
    }
}

impl Channel {
    /// Whether it tells of such an incident. A channel is never told of its own trouble.
    #[must_use]
    pub fn takes(&self, identity: &Identity, severity: Severity) -> bool {
        let is_own = identity.rule == DELIVERY_RULE
            && identity.labels.get("channel").is_some_and(|id| *id == self.id);
        !is_own && severity >= self.severity_min && all_match(&self.matchers, identity, severity)
    }

    /// The labels by which it groups that identity, as one text.
    #[must_use]
    pub fn group_of(&self, identity: &Identity) -> String {
        let value = |label: &String| match label.as_str() {
            "rule" => identity.rule.as_str(),
            label => identity.labels.get(label).map_or("", String::as_str),
        };
        let parts = self.group_by.iter().map(|label| format!("{label}={}", value(label)));
        parts.collect::<Vec<_>>().join(",")
    }
}

impl Setup {
    /// The rule of that id, among those of the configuration and the monitor's own.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Adds the monitor's own rules: a rule that cannot be evaluated, a channel that does not
    /// deliver.
    #[must_use]
    pub fn with_own_rules(mut self) -> Self {
        for rule in own_rules() {
            self.rules.insert(rule.id.clone(), rule);
        }
        self
    }
}

fn own_rules() -> [Rule; 2] {
    let own = |id: &str, summary: &str| Rule {
        id: id.to_owned(),
        scale: Scale {
            direction: Direction::Above,
            thresholds: Vec::new(),
            valid: f64::MIN..=f64::MAX,
        },
        for_ms: OWN_FOR_MS,
        keep_ms: 0,
        share: None,
        missing: Missing { policy: MissingPolicy::Keep, for_ms: 0 },
        interval_ms: 60_000,
        summary: summary.to_owned(),
        runbook: String::new(),
        marks_down: false,
    };
    [
        own(EVALUATION_RULE, "rule {rule} cannot be evaluated"),
        own(DELIVERY_RULE, "channel {channel} does not deliver"),
    ]
}

/// What the ids of the monitor's own rules begin with; others may not.
pub const OWN_PREFIX: &str = "monitor.";
/// The rule that watches evaluations.
pub const EVALUATION_RULE: &str = "monitor.evaluation";
/// The rule that watches channels.
pub const DELIVERY_RULE: &str = "monitor.delivery";
/// How long evaluations or deliveries must fail before somebody is told.
const OWN_FOR_MS: u64 = 300_000;
