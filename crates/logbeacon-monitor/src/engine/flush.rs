//! Flush: groups that are due become entries of the outbox, in the same commit as their told-log.
//!
//! Knows: when a group is due, what its message lists, and what it supersedes. Must not know: how a
//! message is sent. In: groups and incidents; out: entries.

use super::Engine;
use super::hold::{Hold, Targets};
use crate::group::{Due, Group, GroupKey, Member, Told, decide};
use crate::identity::IncidentId;
use crate::incident::Incident;
use crate::message::{Line, Message, Reason};
use crate::outbox::{Ending, Entry};
use crate::tables::{Counts, Key, Row};
use std::collections::BTreeMap;

/// A member with all that is known of it.
struct Known<'a> {
    incident: &'a Incident,
    member: Member,
    hold: Option<Hold>,
}

impl Engine {
    pub(super) fn flush(&mut self) {
        if !self.is_warm() {
            return;
        }
        let now_ms = self.now().observed_ms;
        let groups = self.tables.groups.values();
        let due: Vec<_> =
            groups.filter(|group| group.next_ms <= now_ms).map(|group| group.key.clone()).collect();
        due.into_iter().for_each(|key| self.flush_group(&key));
    }

    /// Whether each rule was evaluated since the start, or it has been long enough.
    fn is_warm(&self) -> bool {
        let waited_ms = self.now().observed_ms.saturating_sub(self.started_ms);
        let is_known =
            |id: &String| self.evaluated.contains(id) || id.starts_with(crate::setup::OWN_PREFIX);
        waited_ms >= self.setup.waits.start_ms || self.setup.rules.keys().all(is_known)
    }

    fn flush_group(&mut self, key: &GroupKey) {
        let Some(group) = self.tables.groups.get(key).cloned() else { return };
        let wants_resolves =
            self.setup.channels.get(&key.channel).is_some_and(|channel| channel.wants_resolves);
        if group.members.is_empty() {
            // It had a whole interval for a new member.
            return self.tables.remove(Key::Group(key.clone()));
        }
        let (now_ms, waits) = (self.now().observed_ms, self.setup.waits);
        let told_ms = group.told_ms.unwrap_or(now_ms);
        let is_repeat = now_ms.saturating_sub(told_ms) >= waits.repeat_ms;
        let targets = self.targets();
        let known = self.known(&group, &targets);
        let members: Vec<_> = known.values().map(|known| known.member).collect();
        let reason = decide(&members, Due { is_repeat, wants_resolves });
        let message = reason.map(|reason| {
            let mut message = self.message(&group, reason, &known, &targets);
            message.resolved.retain(|_| wants_resolves);
            message
        });
        let before = group.members.iter().map(|(id, told)| (id.clone(), *told)).collect();
        let mut group = group.clone();
        group.members = rest(&known, message.is_some());
        let step_ms = waits.interval_ms.max(1);
        let missed = now_ms.saturating_sub(group.next_ms) / step_ms;
        group.next_ms += (missed + 1) * step_ms;
        if let Some(message) = message {
            group.told_ms = Some(now_ms);
            self.enqueue(key, message, before);
        }
        self.tables.put(Row::Group(group));
    }

    fn known(&self, group: &Group, targets: &Targets<'_>) -> BTreeMap<IncidentId, Known<'_>> {
        let now = self.now();
        let with_incident = group.members.iter().filter_map(|(id, told)| {
            let incident = self.tables.incidents.get(id)?;
            let hold = self.hold(incident, targets);
            let member = Member {
                told: *told,
                is_open: incident.is_open(),
                severity: incident.severity,
                flapping: incident.flapping,
                is_held: hold.is_some(),
                is_acked: incident.is_acked(now),
            };
            Some((id.clone(), Known { incident, member, hold }))
        });
        with_incident.collect()
    }

    fn message(
        &self,
        group: &Group,
        reason: Reason,
        known: &BTreeMap<IncidentId, Known<'_>>,
        targets: &Targets<'_>,
    ) -> Message {
        let mut message = Message {
            group: group.key.labels.clone(),
            reason,
            firing: Vec::new(),
            resolved: Vec::new(),
            more: 0,
        };
        for known in known.values().filter(|known| is_listed(known)) {
            let mut line = self.line(known.incident);
            if !known.member.is_open {
                line.note = known.hold.as_ref().map(|hold| format!("resolved {}", hold.note()));
                message.resolved.push(line);
                continue;
            }
            let affected = self.affected(known.incident, targets);
            line.affected_count = affected.len();
            line.affected = affected.into_iter().take(AFFECTED_MAX).collect();
            message.firing.push(line);
        }
        message
    }

    /// The line of an incident; while it goes on, with the value of now.
    fn line(&self, incident: &Incident) -> Line {
        let (instance, rule) = (
            self.tables.instances.get(&incident.identity),
            self.setup.rule(&incident.identity.rule),
        );
        match (instance, rule) {
            (Some(instance), Some(rule)) if instance.phase.held().is_some() => {
                let mut now = incident.clone();
                now.describe(rule, instance.value);
                Line::of(&now)
            }
            _ => Line::of(incident),
        }
    }

    /// Puts an entry, in place of one of the group that is not delivered yet.
    fn enqueue(
        &mut self,
        key: &GroupKey,
        mut message: Message,
        mut before: Vec<(IncidentId, Told)>,
    ) {
        let now = self.now();
        let older = self.tables.entries.values();
        let older: Vec<_> = older
            .filter(|entry| entry.ended.is_none() && entry.group == *key)
            .map(|entry| entry.number)
            .collect();
        let mut may_have_arrived = false;
        for number in older {
            let Some(entry) = self.tables.entries.get(&number).cloned() else { continue };
            take_over(&entry, &mut message, &mut before);
            may_have_arrived |= entry.may_have_arrived || self.in_flight.contains(&number);
            self.end_entry(entry, Ending::Superseded);
        }
        message.shorten();
        let number = self.tables.counts.entries + 1;
        self.count(Counts { entries: number, ..self.tables.counts });
        self.tables.put(Row::Entry(Entry {
            number,
            group: key.clone(),
            message,
            created: now,
            attempts: 0,
            next_ms: now.wall_ms,
            trouble: None,
            may_have_arrived,
            before,
            ended: None,
        }));
    }
}

/// A superseded entry's ends are told by the newer one, and what the channel really knows is what
/// it knew before the older one.
fn take_over(older: &Entry, message: &mut Message, before: &mut Vec<(IncidentId, Told)>) {
    for line in &older.message.resolved {
        let is_there = message.resolved.iter().any(|other| other.incident == line.incident);
        if !is_there {
            message.resolved.push(line.clone());
        }
    }
    for (id, told) in before.iter_mut() {
        if let Some((_, older_told)) = older.before.iter().find(|(older_id, _)| older_id == id) {
            *told = *older_told;
        }
    }
    for (id, told) in &older.before {
        if !before.iter().any(|(other, _)| other == id) {
            before.push((id.clone(), *told));
        }
    }
}

/// Whether a message lists the incident: it is to be told of, or was.
fn is_listed(known: &Known<'_>) -> bool {
    let member = &known.member;
    match member.is_open {
        true => !member.is_held || matches!(member.told, Told::Firing { .. }),
        false => member.owes_resolve(),
    }
}

/// The members afterwards, and what they were told. Those that ended leave, unless a resolve is
/// still owed.
fn rest(known: &BTreeMap<IncidentId, Known<'_>>, is_told: bool) -> BTreeMap<IncidentId, Told> {
    let mut rest = BTreeMap::new();
    for (id, known) in known {
        let Member { told, is_open, severity, flapping, .. } = known.member;
        if !is_open {
            continue;
        }
        let is_told = is_told && is_listed(known);
        rest.insert(id.clone(), if is_told { Told::Firing { severity, flapping } } else { told });
    }
    rest
}

/// How many affected targets a line names.
const AFFECTED_MAX: usize = 10;
