//! Digest: what to send to one chat, and when: each kind at once, then its repetitions together.
//!
//! A state machine over (moment, alert) → messages to send, entries done. Pure: the time is an
//! argument. Knows alerts and their kinds. Does not know texts, limits or how a message travels.
//!
//! ```text
//!   new ──sent──▶ open ── waits for its window ──▶ sent together (×173 in 5 min) ──▶ open
//!                   └── a window without another ──▶ forgotten, with a note if it had repeated
//! ```
//!
//! Unsent entries stay in the spool: memory holds only their number, the latest alert and the id of
//! the first entry of each kind. So memory depends on the number of kinds alone, which has a bound.

use super::alert::{Alert, Kind};
use crate::record::level::Level;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Further kinds are treated as one. Together they fit into what Telegram's limits leave for one
/// minute.
pub(super) const MAX_KINDS: usize = 300;
/// As many due kinds get a message each; more share one.
pub(super) const MAX_APART: usize = 5;
/// So many kinds share one message; the rest waits for the next.
pub(super) const MAX_TOGETHER: usize = 20;

/// What one chat receives.
#[derive(Debug)]
pub(super) struct Digests {
    window: Duration,
    kinds: HashMap<Kind, Group>,
    is_closing: bool,
}

#[derive(Debug)]
struct Group {
    latest: Alert,
    /// What has come and is not reported yet.
    waiting: Option<Waiting>,
    /// What was sent, and until when the rest waits; `None` before the first message.
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    since: Instant,
    count: u64,
    first_id: u64,
    first_ms: u64,
    id: MessageId,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    told: u64,
    since_ms: u64,
}

/// How due kinds sort: level and count, downwards, then the first entry.
type Urgency<'k> = (Reverse<(Level, u64)>, u64, &'k Kind);

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Draft {
    /// One or more alerts of one kind.
    One(Box<Summary>),
    /// Alerts of several kinds, the most severe first; so many kinds more are due.
    Several { told: Vec<Summary>, more: usize },
    /// Kinds that had repeated and have not come for a whole window.
    Quiet(Vec<Summary>),
}

/// What is sent about one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) kind: Kind,
    /// The latest of them.
    pub(super) alert: Alert,
    pub(super) count: u64,
    /// When the first of them happened.
    pub(super) first_ms: u64,
    /// The entry of the first of them: it and all later ones must stay until this is delivered.
    pub(super) first_id: u64,
    pub(super) id: MessageId,
    /// Whether the chat has received this kind before.
    pub(super) is_again: bool,
}

/// What identifies a message: made from the hashes of its records, so that it is the same for the
/// same records. FNV-1a, since it must not change with the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageId(pub(super) u128);

impl MessageId {
    pub(super) const NONE: Self = Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);

    pub(super) fn with(self, hash: &str) -> Self {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let bytes = hash.bytes().chain([0]);
        Self(bytes.fold(self.0, |id, byte| (id ^ u128::from(byte)).wrapping_mul(PRIME)))
    }
}

impl Digests {
    /// Nothing to tell yet. `window` is how long the repetitions of a kind are collected.
    pub(super) fn new(window: Duration) -> Self {
        Self { window, kinds: HashMap::new(), is_closing: false }
    }

    /// An alert has come; `id` is that of its entry, higher than any before.
    pub(super) fn take(&mut self, id: u64, alert: Alert, now: Instant) {
        let kind = self.place_for(alert.kind(id), &alert);
        let group = self.kinds.entry(kind).or_insert_with(|| Group {
            latest: alert.clone(),
            waiting: None,
            open: None,
        });
        let waiting = group.waiting.get_or_insert(Waiting {
            since: now,
            count: 0,
            first_id: id,
            first_ms: alert.unix_ms,
            id: MessageId::NONE,
        });
        waiting.count += 1;
        waiting.id = waiting.id.with(&alert.hash);
        group.latest = alert;
    }

    /// The next message for the chat, which has room for `room` messages now.
    pub(super) fn next(&mut self, now: Instant, room: usize) -> Option<Draft> {
        if room == 0 {
            return None;
        }
        let mut due: Vec<_> =
            self.kinds.iter().filter_map(|(kind, group)| self.urgency(kind, group, now)).collect();
        due.sort_unstable();
        let many = due.len() > room.min(MAX_APART);
        let take = if many { MAX_TOGETHER } else { 1 };
        let more = due.len().saturating_sub(take);
        let kinds: Vec<Kind> = due.into_iter().take(take).map(|(.., kind)| kind.clone()).collect();
        let mut told: Vec<Summary> =
            kinds.into_iter().filter_map(|kind| self.tell(kind, now)).collect();
        match told.len() {
            0 => self.quiet(now),
            1 => told.pop().map(|told| Draft::One(Box::new(told))),
            _ => Some(Draft::Several { told, more }),
        }
    }

    /// Nothing more will come: what waits is due now.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
    }

    /// When there will be a message, if nothing comes.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.kinds.values().filter_map(|group| self.due(group)).min()
    }

    /// The first entry that is not reported yet.
    pub(super) fn oldest_id(&self) -> Option<u64> {
        self.kinds.values().filter_map(|group| Some(group.waiting?.first_id)).min()
    }

    /// Its own kind, or that of all others if there is no place for one more.
    fn place_for(&mut self, kind: Kind, alert: &Alert) -> Kind {
        if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind) || self.forget_one() {
            return kind;
        }
        Kind::Others { level: alert.level }
    }

    /// Makes room by forgetting the kind whose window ends first, if one has nothing to tell.
    fn forget_one(&mut self) -> bool {
        let idle = self.kinds.iter().filter(|(_, group)| group.waiting.is_none());
        let ends = idle.filter_map(|(kind, group)| Some((group.open?.until, kind)));
        let first = ends.min_by_key(|&(until, _)| until).map(|(_, kind)| kind.clone());
        first.is_some_and(|kind| self.kinds.remove(&kind).is_some())
    }

    /// When the group has something to say.
    fn due(&self, group: &Group) -> Option<Instant> {
        match (&group.waiting, &group.open) {
            (Some(waiting), None) => Some(waiting.since),
            (Some(waiting), Some(_)) if self.is_closing => Some(waiting.since),
            (Some(_), Some(open)) => Some(open.until),
            (None, Some(open)) if open.told > 1 && !self.is_closing => Some(open.until),
            (None, _) => None,
        }
    }

    /// How it sorts among what is due, the most severe first, of those the most frequent; `None` if
    /// it is not due.
    fn urgency<'k>(&self, kind: &'k Kind, group: &Group, now: Instant) -> Option<Urgency<'k>> {
        let Waiting { count, first_id, .. } = group.waiting?;
        let is_due = self.due(group).is_some_and(|at| at <= now);
        is_due.then_some((Reverse((group.latest.level, count)), first_id, kind))
    }

    /// Takes what waits of that kind; what comes from now on waits for its window.
    fn tell(&mut self, kind: Kind, now: Instant) -> Option<Summary> {
        let group = self.kinds.get_mut(&kind)?;
        let Waiting { count, first_id, first_ms, id, .. } = group.waiting.take()?;
        let before = group.open;
        group.open = Some(Open {
            until: now + self.window,
            told: before.map_or(0, |open| open.told) + count,
            since_ms: before.map_or(first_ms, |open| open.since_ms),
        });
        let alert = group.latest.clone();
        if let Kind::News { .. } = kind {
            self.kinds.remove(&kind);
        }
        Some(Summary { kind, alert, count, first_ms, first_id, id, is_again: before.is_some() })
    }

    /// Forgets the kinds that have not come for a whole window; tells of those that had repeated.
    fn quiet(&mut self, now: Instant) -> Option<Draft> {
        let mut over = Vec::new();
        self.kinds.retain(|kind, group| match (&group.waiting, group.open) {
            (None, Some(open)) if open.until <= now => {
                if open.told > 1 && over.len() < MAX_TOGETHER {
                    over.push((kind.clone(), open, group.latest.clone()));
                }
                false
            }
            _ => true,
        });
        if over.is_empty() || self.is_closing {
            return None;
        }
        let mut told: Vec<_> = over.into_iter().map(quiet_told).collect();
        told.sort_unstable_by(|a, b| (a.first_ms, &a.kind).cmp(&(b.first_ms, &b.kind)));
        Some(Draft::Quiet(told))
    }
}

fn quiet_told((kind, open, alert): (Kind, Open, Alert)) -> Summary {
    let Open { told: count, since_ms: first_ms, .. } = open;
    let id = MessageId::NONE.with("quiet").with(&alert.hash);
    Summary { kind, alert, count, first_ms, first_id: u64::MAX, id, is_again: true }
}

impl Draft {
    /// All that is sent.
    pub(super) fn told(&self) -> &[Summary] {
        match self {
            Self::One(told) => std::slice::from_ref(&**told),
            Self::Several { told, .. } | Self::Quiet(told) => told,
        }
    }

    /// The first entry it is made of; higher than any if it is made of none.
    pub(super) fn first_id(&self) -> u64 {
        self.told().iter().map(|told| told.first_id).min().unwrap_or(u64::MAX)
    }

    /// What identifies the message: of a single record its own hash.
    pub(super) fn id(&self) -> String {
        match self {
            Self::One(told) if told.count == 1 => told.alert.hash.clone(),
            Self::One(told) => told.id.to_string(),
            _ => {
                let ids = self.told().iter().map(|told| told.id.to_string());
                ids.fold(MessageId::NONE, |all, id| all.with(&id)).to_string()
            }
        }
    }

    /// How many records it stands for.
    pub(super) fn records(&self) -> u64 {
        match self {
            Self::Quiet(_) => 0,
            _ => self.told().iter().map(|told| told.count).sum(),
        }
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests;
