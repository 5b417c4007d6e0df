//! Evaluate: evaluations become states of instances, and those become incidents.
//!
//! Knows: which instances an evaluation is about, and when an incident begins, changes and ends.
//! Must not know: messages. In: evaluations; out: rows.

use super::Engine;
use crate::group::{Group, GroupKey, Told};
use crate::identity::{Identity, IncidentId, Labels};
use crate::incident::{EndCause, Incident};
use crate::instance::Instance;
use crate::rule::{Evaluation, MissingPolicy, Rule, Seen};
use crate::setup::{Channel, DELIVERY_RULE, EVALUATION_RULE};
use crate::severity::Severity;
use crate::tables::{Counts, Row};
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    pub(super) fn evaluate(&mut self, evaluation: Evaluation) {
        let Some(rule) = self.setup.rule(&evaluation.rule).cloned() else { return };
        self.evaluated.insert(rule.id.clone());
        let known = self.identities(&rule.id);
        let failure = match evaluation.result {
            Ok(samples) => {
                let mut seen: BTreeMap<Identity, Seen> = BTreeMap::new();
                for sample in samples {
                    seen.insert(Identity::new(rule.id.clone(), sample.labels), sample.reading);
                }
                let gone = known.into_iter().filter(|identity| !seen.contains_key(identity));
                let gone: Vec<_> = gone.map(|identity| (identity, Seen::NoData)).collect();
                let failure = seen.values().find_map(|seen| match seen {
                    Seen::Error(reason) => Some(reason.clone()),
                    _ => None,
                });
                for (identity, seen) in seen.into_iter().chain(gone) {
                    self.see(identity, &seen, &rule);
                }
                failure
            }
            Err(reason) => {
                for identity in known {
                    self.see(identity, &Seen::Error(reason.clone()), &rule);
                }
                Some(reason)
            }
        };
        let labels = Labels::from([("rule".to_owned(), rule.id.clone())]);
        self.watch(EVALUATION_RULE, labels, failure.is_some());
    }

    /// Looks after the channels, by the same rules as after anything else.
    pub(super) fn watch_channels(&mut self) {
        let ids: Vec<_> = self.setup.channels.keys().cloned().collect();
        for id in ids {
            let counts = self.tables.channels.get(&id);
            let is_bad = counts.is_some_and(|counts| counts.trouble.is_some());
            self.watch(DELIVERY_RULE, Labels::from([("channel".to_owned(), id)]), is_bad);
        }
    }

    /// Feeds one of the monitor's own rules. What was never bad needs no instance.
    fn watch(&mut self, rule: &str, labels: Labels, is_bad: bool) {
        let identity = Identity::new(rule, labels);
        if !is_bad && !self.tables.instances.contains_key(&identity) {
            return;
        }
        let Some(rule) = self.setup.rule(rule).cloned() else { return };
        self.evaluated.insert(rule.id.clone());
        self.see(identity, &Seen::Level(is_bad.then_some(Severity::Warning)), &rule);
    }

    fn identities(&self, rule: &str) -> BTreeSet<Identity> {
        let first = Identity::new(rule, Labels::new());
        let from_there = self.tables.instances.range(first..);
        from_there
            .map(|(identity, _)| identity)
            .take_while(|identity| identity.rule == rule)
            .cloned()
            .collect()
    }

    fn see(&mut self, identity: Identity, seen: &Seen, rule: &Rule) {
        let now_ms = self.now().observed_ms;
        let before = self.tables.instances.get(&identity).cloned();
        let mut instance = before.clone().unwrap_or_else(|| Instance::new(identity, now_ms));
        instance.take(seen, rule, now_ms);
        self.follow(&mut instance, rule, seen);
        let is_quiet = before.is_some_and(|before| instance.is_as(&before, rule));
        match is_quiet {
            true => self.tables.put_quietly(instance),
            false => self.tables.put(Row::Instance(instance)),
        }
    }

    /// Lets the incident of an instance follow its phase.
    fn follow(&mut self, instance: &mut Instance, rule: &Rule, seen: &Seen) {
        let now = self.now();
        let open = instance.incident.as_ref().and_then(|id| self.tables.incidents.get(id)).cloned();
        let severity = instance.phase.incident();
        let Some(mut incident) = open else {
            if let Some(severity) = severity {
                self.begin(instance, rule, severity);
            }
            return;
        };
        let sequence = incident.sequence;
        match severity {
            Some(severity) => {
                if severity != incident.severity {
                    incident.set_severity(severity, now);
                }
                // The text tells the value that was bad, not the one that looks good again.
                if instance.phase.held().is_some() && incident.sequence != sequence {
                    incident.describe(rule, instance.value);
                }
            }
            // An incident that flaps goes on until that ends, so that it is told once.
            None if instance.flapping.is_on() => {}
            None => {
                let is_gone = *seen == Seen::NoData && rule.missing.policy == MissingPolicy::Ok;
                let cause = if is_gone { EndCause::NoData } else { EndCause::Recovered };
                incident.flapping = false;
                incident.end(cause, now);
                instance.incident = None;
            }
        }
        if incident.is_open() && incident.flapping != instance.flapping.is_on() {
            incident.set_flapping(instance.flapping.is_on(), now);
        }
        if incident.sequence != sequence {
            self.join_groups(&incident);
            self.tables.put(Row::Incident(incident));
        }
    }

    fn begin(&mut self, instance: &mut Instance, rule: &Rule, severity: Severity) {
        let now = self.now();
        let incidents = self.tables.counts.incidents + 1;
        self.count(Counts { incidents, ..self.tables.counts });
        let id = IncidentId::new(&instance.identity, now.wall_ms, incidents);
        let mut incident = Incident::begin(id, instance.identity.clone(), severity, now);
        incident.describe(rule, instance.value);
        instance.incident = Some(incident.id.clone());
        self.join_groups(&incident);
        self.tables.put(Row::Incident(incident));
    }

    /// Puts an incident into the groups of all channels that are to be told of it.
    pub(super) fn join_groups(&mut self, incident: &Incident) {
        if !incident.is_open() {
            return;
        }
        let takes = |channel: &&Channel| channel.takes(&incident.identity, incident.severity);
        let channels = self.setup.channels.values().filter(takes);
        let keys: Vec<_> = channels
            .map(|channel| GroupKey {
                channel: channel.id.clone(),
                labels: channel.group_of(&incident.identity),
            })
            .collect();
        keys.into_iter().for_each(|key| self.join(key, incident));
    }

    fn join(&mut self, key: GroupKey, incident: &Incident) {
        let (now_ms, waits) = (self.now().observed_ms, self.setup.waits);
        let mut group = self.tables.groups.get(&key).cloned().unwrap_or_else(|| Group {
            key,
            members: BTreeMap::new(),
            next_ms: now_ms + waits.group_ms,
            told_ms: None,
        });
        if group.members.contains_key(&incident.id) {
            return;
        }
        group.members.insert(incident.id.clone(), Told::Nothing);
        if incident.severity == Severity::Critical && waits.critical_ms < waits.group_ms {
            group.next_ms = group.next_ms.min(now_ms + waits.critical_ms);
        }
        self.tables.put(Row::Group(group));
    }
}
