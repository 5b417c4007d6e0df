//! Tables: everything the monitor must not forget, as rows that are put and removed.
//!
//! Knows: the kinds of rows, and which were touched since the last commit. Must not know: rules,
//! decisions or bytes on a disk. In: rows; out: rows, and the touched ones for the journal.

use crate::group::{Group, GroupKey};
use crate::identity::{Identity, IncidentId};
use crate::incident::Incident;
use crate::instance::Instance;
use crate::outbox::{Ending, Entry};
use crate::silence::Silence;
use crate::tasks::TaskState;
use crate::time::{Gap, Now};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Row {
    /// The observed time.
    Clock(Now),
    /// Numbers that only grow.
    Counts(Counts),
    /// What one channel did.
    Channel(String, ChannelCounts),
    /// The state of an instance.
    Instance(Instance),
    /// An incident.
    Incident(Incident),
    /// A group with its told-log.
    Group(Group),
    /// An entry of the outbox.
    Entry(Entry),
    /// A silence.
    Silence(Silence),
    /// A gap.
    Gap(Gap),
    /// Slots and runs of a task.
    Task(TaskState),
}

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    /// The only clock.
    Clock,
    /// The only counts.
    Counts,
    /// A channel's id.
    Channel(String),
    /// An instance.
    Instance(Identity),
    /// An incident.
    Incident(IncidentId),
    /// A group.
    Group(GroupKey),
    /// An entry's number.
    Entry(u64),
    /// A silence's id.
    Silence(String),
    /// A gap's begin.
    Gap(i64),
    /// A task's id.
    Task(String),
}

/// One change of one row, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// The row is now this.
    Put(Box<Row>),
    /// There is no such row any more.
    Remove(Key),
}

/// Numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Incidents that ever started.
    pub incidents: u64,
    /// Entries ever made.
    pub entries: u64,
    /// Evaluations that were not looked at, for the monitor's own network was down.
    pub ignored_offline: u64,
    /// Commits that the disk did not take at once.
    pub failed_commits: u64,
}

/// What one channel did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelCounts {
    /// Entries by how they ended.
    pub ended: BTreeMap<Ending, u64>,
    /// Attempts that failed and were tried again.
    pub retries: u64,
    /// When an entry was last delivered, in milliseconds since 1970.
    pub delivered_ms: Option<i64>,
    /// What went wrong since then.
    pub trouble: Option<String>,
}

impl Row {
    /// Its key.
    #[must_use]
    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Clock(_) => Key::Clock,
            Self::Counts(_) => Key::Counts,
            Self::Channel(id, _) => Key::Channel(id.clone()),
            Self::Instance(instance) => Key::Instance(instance.identity.clone()),
            Self::Incident(incident) => Key::Incident(incident.id.clone()),
            Self::Group(group) => Key::Group(group.key.clone()),
            Self::Entry(entry) => Key::Entry(entry.number),
            Self::Silence(silence) => Key::Silence(silence.id.clone()),
            Self::Gap(gap) => Key::Gap(gap.from_ms),
            Self::Task(task) => Key::Task(task.id.clone()),
        }
    }
}

/// All rows in memory.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Tables {
    /// The observed time at the last commit.
    pub clock: Now,
    /// Numbers that only grow.
    pub counts: Counts,
    /// What the channels did.
    pub channels: BTreeMap<String, ChannelCounts>,
    /// Instances.
    pub instances: BTreeMap<Identity, Instance>,
    /// Incidents, open and past.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Groups.
    pub groups: BTreeMap<GroupKey, Group>,
    /// Entries of the outbox, ended ones too.
    pub entries: BTreeMap<u64, Entry>,
    /// Silences.
    pub silences: BTreeMap<String, Silence>,
    /// Gaps, by their begin.
    pub gaps: BTreeMap<i64, Gap>,
    /// Tasks.
    pub tasks: BTreeMap<String, TaskState>,
    touched: BTreeSet<Key>,
}

impl Tables {
    /// Puts a row, in place of one with its key.
    pub(crate) fn put(&mut self, row: Row) {
        self.touched.insert(row.key());
        self.set(row);
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, key: Key) {
        self.unset(&key);
        self.touched.insert(key);
    }

    /// Puts an instance whose change can be found out again: it is not written by itself.
    pub(crate) fn put_quietly(&mut self, instance: Instance) {
        self.instances.insert(instance.identity.clone(), instance);
    }

    /// Takes a change of the journal.
    pub(crate) fn replay(&mut self, change: Change) {
        match change {
            Change::Put(row) => self.set(*row),
            Change::Remove(key) => self.unset(&key),
        }
    }

    /// Whether a row was touched that is not committed.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// What changed since the last call of [`committed`](Self::committed).
    #[must_use]
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.touched.iter().map(|key| self.change_of(key)).collect()
    }

    /// Forgets what was touched: it is on disk.
    pub fn committed(&mut self) {
        self.touched.clear();
    }

    /// All rows, to begin a journal with.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<Change> {
        let rows = [Row::Clock(self.clock), Row::Counts(self.counts)].into_iter();
        let channels = self.channels.iter().map(|(id, it)| Row::Channel(id.clone(), it.clone()));
        rows.chain(channels)
            .chain(self.instances.values().cloned().map(Row::Instance))
            .chain(self.incidents.values().cloned().map(Row::Incident))
            .chain(self.groups.values().cloned().map(Row::Group))
            .chain(self.entries.values().cloned().map(Row::Entry))
            .chain(self.silences.values().cloned().map(Row::Silence))
            .chain(self.gaps.values().cloned().map(Row::Gap))
            .chain(self.tasks.values().cloned().map(Row::Task))
            .map(|row| Change::Put(Box::new(row)))
            .collect()
    }

    fn change_of(&self, key: &Key) -> Change {
        let row = match key {
            Key::Clock => Some(Row::Clock(self.clock)),
            Key::Counts => Some(Row::Counts(self.counts)),
            Key::Channel(id) => {
                self.channels.get(id).map(|it| Row::Channel(id.clone(), it.clone()))
            }
            Key::Instance(identity) => self.instances.get(identity).cloned().map(Row::Instance),
            Key::Incident(id) => self.incidents.get(id).cloned().map(Row::Incident),
            Key::Group(key) => self.groups.get(key).cloned().map(Row::Group),
            Key::Entry(number) => self.entries.get(number).cloned().map(Row::Entry),
            Key::Silence(id) => self.silences.get(id).cloned().map(Row::Silence),
            Key::Gap(from) => self.gaps.get(from).cloned().map(Row::Gap),
            Key::Task(id) => self.tasks.get(id).cloned().map(Row::Task),
        };
        row.map_or_else(|| Change::Remove(key.clone()), |row| Change::Put(Box::new(row)))
    }

    fn set(&mut self, row: Row) {
        match row {
            Row::Clock(now) => self.clock = now,
            Row::Counts(counts) => self.counts = counts,
            Row::Channel(id, counts) => drop(self.channels.insert(id, counts)),
            Row::Instance(it) => drop(self.instances.insert(it.identity.clone(), it)),
            Row::Incident(it) => drop(self.incidents.insert(it.id.clone(), it)),
            Row::Group(it) => drop(self.groups.insert(it.key.clone(), it)),
            Row::Entry(it) => drop(self.entries.insert(it.number, it)),
            Row::Silence(it) => drop(self.silences.insert(it.id.clone(), it)),
            Row::Gap(it) => drop(self.gaps.insert(it.from_ms, it)),
            Row::Task(it) => drop(self.tasks.insert(it.id.clone(), it)),
        }
    }

    fn unset(&mut self, key: &Key) {
        match key {
            Key::Clock => self.clock = Now::default(),
            Key::Counts => self.counts = Counts::default(),
            Key::Channel(id) => drop(self.channels.remove(id)),
            Key::Instance(identity) => drop(self.instances.remove(identity)),
            Key::Incident(id) => drop(self.incidents.remove(id)),
            Key::Group(key) => drop(self.groups.remove(key)),
            Key::Entry(number) => drop(self.entries.remove(number)),
            Key::Silence(id) => drop(self.silences.remove(id)),
            Key::Gap(from) => drop(self.gaps.remove(from)),
            Key::Task(id) => drop(self.tasks.remove(id)),
        }
    }
}
