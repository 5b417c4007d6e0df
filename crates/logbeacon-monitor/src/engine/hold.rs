//! Hold: why the first message about an incident waits: silence, maintenance, a parent.
//!
//! Knows: the filters, and that they hold the creation of messages only. Must not know: groups. In:
//! an incident; out: a reason, or none.

use super::Engine;
use crate::incident::Incident;
use crate::instance::{Data, Instance};
use crate::phase::Phase;
use std::collections::BTreeMap;

/// Why nothing new is told of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    /// A silence, by its id.
    Silence(String),
    /// A maintenance window, by its id.
    Maintenance(String),
    /// A target that this one depends on is not well.
    Parent(String),
    /// It is not known whether a target that this one depends on is well.
    UnknownParent(String),
    /// A target that this one depends on has only just recovered.
    Settling(String),
}

impl Hold {
    /// What a message that is sent all the same says about it.
    pub(super) fn note(&self) -> String {
        match self {
            Self::Silence(id) => format!("while silence {id} holds"),
            Self::Maintenance(id) => format!("during maintenance {id}"),
            Self::Parent(target) => format!("while {target} is not well"),
            Self::UnknownParent(target) => format!("while {target} is unknown"),
            Self::Settling(target) => format!("just after {target} recovered"),
        }
    }
}

/// How the targets are that others depend on, by one look at all instances.
#[derive(Debug)]
pub(super) struct Targets<'a> {
    marking: BTreeMap<&'a str, Vec<&'a Instance>>,
    ill: BTreeMap<&'a str, ()>,
}

impl Engine {
    pub(super) fn targets(&self) -> Targets<'_> {
        let (mut marking, mut ill) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
        for instance in self.tables.instances.values() {
            let Some(target) = instance.identity.labels.get(TARGET) else { continue };
            let rule = self.setup.rule(&instance.identity.rule);
            if rule.is_some_and(|rule| rule.marks_down) {
                marking.entry(target.as_str()).or_default().push(instance);
            }
            if instance.phase != Phase::Ok {
                ill.insert(target.as_str(), ());
            }
        }
        Targets { marking, ill }
    }

    /// Why nothing new is told of the incident now.
    pub(super) fn hold(&self, incident: &Incident, targets: &Targets<'_>) -> Option<Hold> {
        let wall_ms = self.now().wall_ms;
        let (identity, severity) = (&incident.identity, incident.severity);
        let silences = self.tables.silences.values();
        if let Some(silence) =
            silences.into_iter().find(|silence| silence.holds(identity, severity, wall_ms))
        {
            return Some(Hold::Silence(silence.id.clone()));
        }
        let is_open = |window: &&crate::maintenance::Window| {
            crate::matcher::all_match(&window.matchers, identity, severity)
                && window.is_open(wall_ms)
        };
        if let Some(window) = self.setup.maintenance.iter().find(is_open) {
            return Some(Hold::Maintenance(window.id.clone()));
        }
        let target = identity.labels.get(TARGET)?;
        let parents = self.setup.parents.get(target)?;
        parents.iter().find_map(|parent| self.parent_hold(incident, parent, targets))
    }

    /// Targets that depend on this one and are not well.
    pub(super) fn affected(&self, incident: &Incident, targets: &Targets<'_>) -> Vec<String> {
        let marks = self.setup.rule(&incident.identity.rule).is_some_and(|rule| rule.marks_down);
        let Some(target) = incident.identity.labels.get(TARGET).filter(|_| marks) else {
            return Vec::new();
        };
        let children = self.setup.parents.iter().filter(|(child, parents)| {
            parents.contains(target) && targets.ill.contains_key(child.as_str())
        });
        children.map(|(child, _)| child.clone()).collect()
    }

    fn parent_hold(
        &self,
        incident: &Incident,
        parent: &str,
        targets: &Targets<'_>,
    ) -> Option<Hold> {
        let (now_ms, waits) = (self.now().observed_ms, self.setup.waits);
        let began_ms = incident.started.observed_ms;
        let instances = targets.marking.get(parent).map(Vec::as_slice).unwrap_or_default();
        if instances.iter().any(|instance| instance.phase != Phase::Ok) {
            return Some(Hold::Parent(parent.to_owned()));
        }
        // The parent must have been looked at since, or the order of checks would decide.
        let is_unknown = instances.is_empty()
            || instances.iter().any(|it| it.data != Data::Fresh || it.seen_ms < began_ms);
        if is_unknown && now_ms.saturating_sub(began_ms) < waits.unknown_parent_ms {
            return Some(Hold::UnknownParent(parent.to_owned()));
        }
        let settles = |recovered_ms: u64| {
            recovered_ms >= began_ms && now_ms.saturating_sub(recovered_ms) < waits.settle_ms
        };
        let is_settling = instances.iter().any(|it| it.recovered_ms.is_some_and(settles));
        is_settling.then(|| Hold::Settling(parent.to_owned()))
    }
}

/// The label that says which target an instance is about.
const TARGET: &str = "target";
