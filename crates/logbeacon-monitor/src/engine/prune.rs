//! Prune: what is past leaves the tables, so that they stay as small as what there is to know.
//!
//! Knows: how much of each kind is kept. Must not know: why it was made. In and out: rows.

use super::Engine;
use crate::phase::Phase;
use crate::tables::{Key, Tables};

impl Engine {
    /// Removes what is past and no longer needed.
    pub(super) fn prune(&mut self) {
        let keys = past(&self.tables, self.now().wall_ms, self.now().observed_ms);
        keys.into_iter().for_each(|key| self.tables.remove(key));
    }
}

fn past(tables: &Tables, wall_ms: i64, observed_ms: u64) -> Vec<Key> {
    let mut keys = Vec::new();
    let over = |count: usize, max: usize| count.saturating_sub(max);
    let ended = tables.entries.values().filter(|entry| entry.ended.is_some());
    let ended: Vec<_> = ended.map(|entry| Key::Entry(entry.number)).collect();
    keys.extend(ended.iter().take(over(ended.len(), ENTRIES_MAX)).cloned());
    if tables.incidents.len() > INCIDENTS_MAX {
        let is_needed = |id| tables.groups.values().any(|group| group.members.contains_key(id));
        let gone = tables.incidents.values().filter(|incident| !incident.is_open());
        let gone = gone.filter(|incident| !is_needed(&incident.id));
        let excess = over(tables.incidents.len(), INCIDENTS_MAX);
        keys.extend(gone.take(excess).map(|incident| Key::Incident(incident.id.clone())));
    }
    let gaps = tables.gaps.keys().take(over(tables.gaps.len(), GAPS_MAX));
    keys.extend(gaps.map(|from| Key::Gap(*from)));
    let silences = tables.silences.values();
    keys.extend(
        silences
            .filter(|silence| wall_ms.saturating_sub(silence.ends_ms) > DAY_MS)
            .map(|silence| Key::Silence(silence.id.clone())),
    );
    let is_forgotten = |seen_ms: u64| observed_ms.saturating_sub(seen_ms) > DAY_MS.unsigned_abs();
    keys.extend(
        tables
            .instances
            .values()
            .filter(|it| it.phase == Phase::Ok && it.incident.is_none() && is_forgotten(it.seen_ms))
            .map(|it| Key::Instance(it.identity.clone())),
    );
    keys
}

/// How many ended entries, incidents and gaps are kept. Open incidents and those that a channel is
/// still to be told of are always kept.
const ENTRIES_MAX: usize = 200;
const INCIDENTS_MAX: usize = 1_000;
const GAPS_MAX: usize = 1_000;
/// How long silences that ended, and instances without data, are kept.
const DAY_MS: i64 = 86_400_000;
