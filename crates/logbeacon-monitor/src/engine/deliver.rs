//! Deliver: entries that are due go out, and what came of it comes back.
//!
//! Knows: one attempt at a time for each channel, endings, and what they mean for the told-log.
//! Must not know: networks. In: outcomes; out: dispatches.

use super::Engine;
use crate::group::Told;
use crate::message::Message;
use crate::outbox::{Ending, Entry, Outcome};
use crate::tables::Row;
use crate::time::Reading;

/// A message to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// The entry's number, for [`Engine::finished`].
    pub number: u64,
    /// The key by which the receiver knows a repetition.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// How often it was tried before.
    pub attempts: u32,
    /// What to say.
    pub message: Message,
}

impl Engine {
    /// The messages to be sent now, at most one for each channel, the oldest first. What it returns
    /// is on disk, unless [`disk_trouble`](Self::disk_trouble) says otherwise. Each must be
    /// answered by [`finished`](Self::finished); until then its channel gets nothing else.
    pub fn due(&mut self) -> Vec<Dispatch> {
        let now = self.now();
        let mut busy: Vec<String> = Vec::new();
        for number in &self.in_flight {
            busy.extend(self.tables.entries.get(number).map(|entry| entry.group.channel.clone()));
        }
        let mut due = Vec::new();
        for entry in self.tables.entries.values().filter(|entry| entry.is_due(now)) {
            if busy.contains(&entry.group.channel) {
                continue;
            }
            busy.push(entry.group.channel.clone());
            due.push(Dispatch {
                number: entry.number,
                id: entry.id(),
                channel: entry.group.channel.clone(),
                attempts: entry.attempts,
                message: entry.message.clone(),
            });
        }
        self.in_flight.extend(due.iter().map(|dispatch| dispatch.number));
        due
    }

    /// Takes what came of an attempt.
    pub fn finished(&mut self, reading: Reading, number: u64, outcome: Outcome) {
        self.pass(reading);
        self.in_flight.remove(&number);
        if let Some(entry) = self.tables.entries.get(&number).cloned() {
            match outcome {
                Outcome::Delivered => self.delivered(entry),
                Outcome::Retry { trouble, wait_ms, may_have_arrived } => {
                    self.failed(entry, trouble, wait_ms, may_have_arrived);
                }
                Outcome::Refused { trouble } => self.refused(entry, trouble),
            }
        }
        self.commit();
    }

    fn delivered(&mut self, entry: Entry) {
        let now = self.now();
        let mut counts =
            self.tables.channels.get(&entry.group.channel).cloned().unwrap_or_default();
        counts.delivered_ms = Some(now.wall_ms);
        counts.trouble = None;
        self.tables.put(Row::Channel(entry.group.channel.clone(), counts));
        // One that was superseded while it was sent arrived all the same; it was counted once.
        if entry.ended.is_none() {
            self.end_entry(entry, Ending::Delivered);
        }
    }

    fn failed(
        &mut self,
        mut entry: Entry,
        trouble: String,
        wait_ms: Option<u64>,
        may_have_arrived: bool,
    ) {
        let now = self.now();
        let mut counts =
            self.tables.channels.get(&entry.group.channel).cloned().unwrap_or_default();
        counts.retries += 1;
        counts.trouble = Some(trouble.clone());
        self.tables.put(Row::Channel(entry.group.channel.clone(), counts));
        if entry.ended.is_some() {
            return;
        }
        entry.may_have_arrived |= may_have_arrived;
        entry.retry(trouble, wait_ms, now);
        let age_ms = now.observed_ms.saturating_sub(entry.created.observed_ms);
        if age_ms >= self.setup.waits.expire_ms {
            return self.give_up(entry, Ending::Expired);
        }
        self.tables.put(Row::Entry(entry));
    }

    fn refused(&mut self, mut entry: Entry, trouble: String) {
        let mut counts =
            self.tables.channels.get(&entry.group.channel).cloned().unwrap_or_default();
        counts.trouble = Some(trouble.clone());
        self.tables.put(Row::Channel(entry.group.channel.clone(), counts));
        if entry.ended.is_none() {
            entry.trouble = Some(trouble);
            self.give_up(entry, Ending::Refused);
        }
    }

    /// Ends an entry that was not delivered: nobody is owed the end of what they were never told.
    pub(super) fn give_up(&mut self, entry: Entry, ending: Ending) {
        if let Some(mut group) = self.tables.groups.get(&entry.group).cloned()
            && !entry.may_have_arrived
        {
            for (id, before) in &entry.before {
                let Some(told) = group.members.get_mut(id) else { continue };
                let is_told = matches!(told, Told::Firing { .. });
                let knew = matches!(before, Told::Firing { .. });
                *told = match (is_told, knew) {
                    (true, true) => *before,
                    (true, false) => Told::GivenUp,
                    (false, _) => *told,
                };
            }
            self.tables.put(Row::Group(group));
        }
        self.end_entry(entry, ending);
    }

    pub(super) fn end_entry(&mut self, mut entry: Entry, ending: Ending) {
        let channel = entry.group.channel.clone();
        let mut counts = self.tables.channels.get(&channel).cloned().unwrap_or_default();
        *counts.ended.entry(ending).or_default() += 1;
        self.tables.put(Row::Channel(channel, counts));
        entry.ended = Some((ending, self.now().wall_ms));
        self.tables.put(Row::Entry(entry));
    }
}
