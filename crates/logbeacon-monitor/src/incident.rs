//! Incident: one outage of one instance, from its begin to its end, with all that happened in it.
//!
//! Knows: severity, acknowledgement, sequence, timeline. Must not know: who was told, nor by what
//! channel. In: changes of an instance and acts of people; out: plain data to show and to send.

use crate::identity::{Identity, IncidentId};
use crate::rule::Rule;
use crate::severity::Severity;
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// One outage of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its key, for receivers too.
    pub id: IncidentId,
    /// Which instance.
    pub identity: Identity,
    /// How bad it is, or was at its end.
    pub severity: Severity,
    /// When it started.
    pub started: Now,
    /// When it ended, and why.
    pub ended: Option<End>,
    /// Grows with every change, so that a receiver can drop a message that arrives late.
    pub sequence: u32,
    /// Whether the instance changes so often that single changes are not told.
    pub flapping: bool,
    /// Who looks after it.
    pub ack: Option<Ack>,
    /// The value that was seen last while it was bad.
    pub value: Option<f64>,
    /// One sentence for people.
    pub summary: String,
    /// What to do.
    pub runbook: String,
    /// What happened, the oldest first; at most the first and the last 50.
    pub timeline: Vec<Event>,
}

/// The end of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Now,
    /// Why.
    pub cause: EndCause,
}

/// Why an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// Readings were good for long enough.
    Recovered,
    /// The rule says that no data are good.
    NoData,
    /// The rule was removed.
    RuleRemoved,
    /// What was watched was removed.
    TargetRemoved,
}

impl EndCause {
    /// The cause in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::NoData => "no data any more, which the rule takes as good",
            Self::RuleRemoved => "rule removed",
            Self::TargetRemoved => "target removed",
        }
    }
}

/// An acknowledgement: no reminders until it expires, the severity rises or the incident ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Who.
    pub by: String,
    /// What they wrote.
    pub comment: String,
    /// Until when, in milliseconds since 1970.
    pub until_ms: i64,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub what: String,
}

impl Incident {
    /// An incident that starts now.
    #[must_use]
    pub fn begin(id: IncidentId, identity: Identity, severity: Severity, now: Now) -> Self {
        let mut incident = Self {
            id,
            identity,
            severity,
            started: now,
            ended: None,
            sequence: 0,
            flapping: false,
            ack: None,
            value: None,
            summary: String::new(),
            runbook: String::new(),
            timeline: Vec::new(),
        };
        incident.change(now, format!("started as {}", severity.name()));
        incident
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it is acknowledged at that time.
    #[must_use]
    pub fn is_acked(&self, now: Now) -> bool {
        self.ack.as_ref().is_some_and(|ack| now.wall_ms < ack.until_ms)
    }

    /// Takes the last bad value and the texts of the rule.
    pub fn describe(&mut self, rule: &Rule, value: Option<f64>) {
        self.value = value;
        self.runbook.clone_from(&rule.runbook);
        self.summary = fill(&rule.summary, &self.identity, value);
    }

    /// Takes a new severity; a rise ends the acknowledgement.
    pub fn set_severity(&mut self, severity: Severity, now: Now) {
        if severity > self.severity {
            self.ack = None;
        }
        self.severity = severity;
        self.change(now, format!("is {} now", severity.name()));
    }

    /// Takes that flapping began or ended.
    pub fn set_flapping(&mut self, flapping: bool, now: Now) {
        self.flapping = flapping;
        let what = if flapping { "flapping began" } else { "flapping ended" };
        self.change(now, what.to_owned());
    }

    /// Ends it.
    pub fn end(&mut self, cause: EndCause, now: Now) {
        self.ended = Some(End { at: now, cause });
        self.ack = None;
        self.change(now, format!("ended: {}", cause.text()));
    }

    /// Adds a line to the timeline, which is no change.
    pub fn note(&mut self, now: Now, what: String) {
        self.timeline.push(Event { at_ms: now.wall_ms, what });
        if self.timeline.len() > 2 * TIMELINE_HALF {
            self.timeline.remove(TIMELINE_HALF);
        }
    }

    fn change(&mut self, now: Now, what: String) {
        self.sequence = self.sequence.saturating_add(1);
        self.note(now, what);
    }
}

/// Replaces `{value}` and `{label}` by what they are called for. What is unknown stays as it is;
/// control characters of labels become spaces.
fn fill(template: &str, identity: &Identity, value: Option<f64>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            rest = rest.get(before.len()..).unwrap_or_default();
            break;
        };
        match (name, identity.labels.get(name), value) {
            ("value", _, Some(value)) => text.push_str(&short(value)),
            (_, Some(label), _) => {
                text.extend(label.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
            _ => {
                text.push('{');
                text.push_str(name);
                text.push('}');
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// A value with at most two digits behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How many lines of a timeline are kept from its begin, and from its end.
const TIMELINE_HALF: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rule;

    fn incident(labels: &[(&str, &str)]) -> Incident {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let identity = Identity::new("r", labels);
        let now = Now::default();
        Incident::begin(IncidentId::new(&identity, 0, 1), identity, Severity::Warning, now)
    }

    #[test]
    fn a_summary_names_labels_and_value_and_leaves_the_rest() {
        let mut incident = incident(&[("target", "shop\n{value}")]);
        let summary = "{target} at {value} %, {unknown} { x".to_owned();
        incident.describe(&Rule { summary, ..rule("r") }, Some(91.256));
        assert_eq!(incident.summary, "shop {value} at 91.26 %, {unknown} { x");
        incident.describe(&rule("r"), Some(90.0));
        assert_eq!(incident.summary, "shop {value} is at 90");
    }

    #[test]
    fn an_acknowledgement_ends_with_a_rise_and_by_time() {
        let mut incident = incident(&[]);
        let ack = Ack { by: "ann".into(), comment: String::new(), until_ms: 100 };
        let at = |wall_ms| Now { wall_ms, observed_ms: 0 };
        incident.ack = Some(ack.clone());
        assert!(incident.is_acked(at(99)) && !incident.is_acked(at(100)));
        incident.set_severity(Severity::Info, at(1));
        assert!(incident.is_acked(at(1)));
        incident.set_severity(Severity::Critical, at(1));
        assert!(!incident.is_acked(at(1)));
        assert_eq!(incident.sequence, 3);
    }

    #[test]
    fn a_timeline_keeps_its_begin_and_its_end() {
        let mut incident = incident(&[]);
        (0..500).for_each(|at| incident.note(Now::default(), at.to_string()));
        assert_eq!(incident.timeline.len(), 100);
        assert_eq!(incident.timeline[0].what, "started as warning");
        assert_eq!(incident.timeline[99].what, "499");
    }
}
