//! Reload: rules, channels and targets come, change and go while incidents are open.
//!
//! Knows: what is owed when something is removed. Must not know: the configuration's file. In: a
//! new setup; out: rows.

use super::Engine;
use crate::group::{Group, GroupKey};
use crate::identity::{Identity, Labels};
use crate::incident::EndCause;
use crate::outbox::{Ending, Entry};
use crate::setup::Setup;
use crate::tables::{Key, Row};
use std::collections::BTreeMap;

impl Engine {
    /// Takes a new setup. An edited rule is judged anew at its next evaluation and neither resolves
    /// nor alarms by the edit itself; a removed rule ends its incidents, and whoever was told of
    /// them is told so.
    pub fn reload(&mut self, setup: Setup) {
        self.install(setup.with_own_rules());
        self.commit();
    }

    /// Ends what is known of a target that is no longer watched: every instance that has these
    /// labels.
    pub fn remove_target(&mut self, labels: &Labels) {
        let has_all = |of: &Labels| labels.iter().all(|(name, value)| of.get(name) == Some(value));
        let instances = self.tables.instances.values();
        let gone: Vec<_> = instances
            .filter(|instance| has_all(&instance.identity.labels))
            .map(|instance| instance.identity.clone())
            .collect();
        gone.into_iter().for_each(|identity| self.drop_instance(identity, EndCause::TargetRemoved));
        self.commit();
    }

    pub(super) fn install(&mut self, setup: Setup) {
        self.setup = setup;
        let instances = self.tables.instances.values();
        let gone: Vec<_> = instances
            .filter(|instance| self.setup.rule(&instance.identity.rule).is_none())
            .map(|instance| instance.identity.clone())
            .collect();
        gone.into_iter().for_each(|identity| self.drop_instance(identity, EndCause::RuleRemoved));
        self.drop_channels();
        self.regroup();
        self.install_tasks();
    }

    /// Lets every open incident be in the groups that the channels have now, with what was told of
    /// it: neither a new channel nor another grouping tells anything twice.
    fn regroup(&mut self) {
        let groups: Vec<_> = self.tables.groups.values().cloned().collect();
        for mut group in groups {
            let Some(channel) = self.setup.channels.get(&group.key.channel) else { continue };
            let labels =
                |id| self.tables.incidents.get(id).map(|it| channel.group_of(&it.identity));
            let moved: Vec<_> = group
                .members
                .iter()
                .filter_map(|(id, told)| Some((id.clone(), *told, labels(id)?)))
                .filter(|(_, _, labels)| *labels != group.key.labels)
                .collect();
            for (id, told, labels) in &moved {
                group.members.remove(id);
                let key = GroupKey { channel: group.key.channel.clone(), labels: labels.clone() };
                let other = self.tables.groups.get(&key).cloned();
                let mut other = other.unwrap_or_else(|| Group {
                    key,
                    members: BTreeMap::new(),
                    ..group.clone()
                });
                other.members.insert(id.clone(), *told);
                self.tables.put(Row::Group(other));
            }
            if !moved.is_empty() {
                self.tables.put(Row::Group(group));
            }
        }
        let open = self.tables.incidents.values().filter(|incident| incident.is_open());
        let open: Vec<_> = open.cloned().collect();
        open.iter().for_each(|incident| self.join_groups(incident));
    }

    fn drop_instance(&mut self, identity: Identity, cause: EndCause) {
        let now = self.now();
        let Some(instance) = self.tables.instances.get(&identity) else { return };
        let open = instance.incident.as_ref().and_then(|id| self.tables.incidents.get(id));
        if let Some(mut incident) = open.cloned() {
            incident.flapping = false;
            incident.end(cause, now);
            self.tables.put(Row::Incident(incident));
        }
        self.tables.remove(Key::Instance(identity));
    }

    /// A channel that is gone is owed nothing: nothing can be sent to it.
    fn drop_channels(&mut self) {
        let is_gone = |channel: &String| !self.setup.channels.contains_key(channel);
        let groups = self.tables.groups.keys();
        let groups: Vec<_> = groups.filter(|key| is_gone(&key.channel)).cloned().collect();
        let entries = self.tables.entries.values();
        let entries: Vec<Entry> = entries
            .filter(|entry| entry.ended.is_none() && is_gone(&entry.group.channel))
            .cloned()
            .collect();
        for mut entry in entries {
            entry.trouble = Some("the channel was removed".to_owned());
            self.end_entry(entry, Ending::Refused);
        }
        groups.into_iter().for_each(|key| self.tables.remove(Key::Group(key)));
    }
}
