//! Timetable: which check starts when, so that none delays another.
//!
//! Knows: periods, phases, and that a check runs once at a time. Must not know: what a check does,
//! or any clock. In: monotonic milliseconds; out: what is to be started.

use crate::identity::{Identity, Labels};
use std::collections::BTreeMap;

/// The times of all checks.
///
/// Each has its own phase within its period, made of its id, so that a thousand checks of one
/// period start spread over it and at the same moments after every restart. A tick whose check
/// still runs is skipped and counted, and never made up for.
#[derive(Debug)]
pub struct Timetable {
    slots: BTreeMap<String, Slot>,
    running: usize,
    running_max: usize,
}

#[derive(Debug)]
struct Slot {
    period_ms: u64,
    next_ms: u64,
    is_running: bool,
    skipped: u64,
}

/// A check to be started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Start {
    /// When it was due.
    pub due_ms: u64,
    /// Its id.
    pub id: String,
}

impl Timetable {
    /// An empty one that lets so many checks run at once.
    #[must_use]
    pub fn new(running_max: usize) -> Self {
        Self { slots: BTreeMap::new(), running: 0, running_max: running_max.max(1) }
    }

    /// Takes the checks there are, by id with their periods in milliseconds. Those that stay with
    /// the same period keep their place.
    pub fn set(&mut self, periods_ms: &BTreeMap<String, u64>, now_ms: u64) {
        self.slots.retain(|id, _| periods_ms.contains_key(id));
        for (id, period_ms) in periods_ms {
            let period_ms = (*period_ms).max(1);
            let is_there = self.slots.get(id).is_some_and(|slot| slot.period_ms == period_ms);
            if !is_there {
                let old = self.slots.remove(id);
                let is_running = old.is_some_and(|slot| slot.is_running);
                let next_ms = first_after(id, (period_ms, now_ms));
                let slot = Slot { period_ms, next_ms, is_running, skipped: 0 };
                self.slots.insert(id.clone(), slot);
            }
        }
        self.running = self.slots.values().filter(|slot| slot.is_running).count();
    }

    /// What is to be started now, the longest due first. Each must be answered by
    /// [`finished`](Self::finished).
    pub fn due(&mut self, now_ms: u64) -> Vec<Start> {
        let mut starts = Vec::new();
        for (id, slot) in &mut self.slots {
            if slot.next_ms > now_ms {
                continue;
            }
            let ticks = (now_ms - slot.next_ms) / slot.period_ms;
            if slot.is_running {
                slot.skipped += ticks + 1;
                slot.next_ms += (ticks + 1) * slot.period_ms;
            } else {
                // After a pause one start is enough.
                slot.skipped += ticks;
                slot.next_ms += ticks * slot.period_ms;
                starts.push(Start { due_ms: slot.next_ms, id: id.clone() });
            }
        }
        starts.sort();
        starts.truncate(self.running_max.saturating_sub(self.running));
        for start in &starts {
            let Some(slot) = self.slots.get_mut(&start.id) else { continue };
            slot.is_running = true;
            slot.next_ms += slot.period_ms;
        }
        self.running += starts.len();
        starts
    }

    /// A check has ended.
    pub fn finished(&mut self, id: &str) {
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.is_running) else { return };
        slot.is_running = false;
        self.running = self.running.saturating_sub(1);
    }

    /// When the next check is due; none if there is none.
    #[must_use]
    pub fn next_ms(&self) -> Option<u64> {
        self.slots.values().map(|slot| slot.next_ms).min()
    }

    /// How many ticks of that check were skipped, for it still ran.
    #[must_use]
    pub fn skipped(&self, id: &str) -> u64 {
        self.slots.get(id).map_or(0, |slot| slot.skipped)
    }
}

/// The first tick of a check at or after now: a multiple of its period, and its phase.
fn first_after(id: &str, (period_ms, now_ms): (u64, u64)) -> u64 {
    let phase_ms = Identity::new(id, Labels::new()).fingerprint() % period_ms;
    let since_ms = now_ms.saturating_sub(phase_ms);
    phase_ms + since_ms.div_ceil(period_ms) * period_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand targets every 30 s, of which each tenth hangs until its time-out of 10 s.
    #[test]
    fn targets_that_hang_delay_no_other() {
        let periods: BTreeMap<_, _> = (0..1_000).map(|at| (format!("t{at}"), 30_000)).collect();
        let mut timetable = Timetable::new(128);
        timetable.set(&periods, 0);
        let mut ends: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let (mut started, mut punctual, mut most) = (0_u64, 0, 0);
        for now_ms in (0..600_000).step_by(10) {
            let over = ends.split_off(&(now_ms + 1));
            for id in std::mem::replace(&mut ends, over).into_values().flatten() {
                timetable.finished(&id);
            }
            for start in timetable.due(now_ms) {
                started += 1;
                punctual += u64::from(now_ms - start.due_ms <= 1_000);
                let hangs = start.id.ends_with('7');
                let takes_ms = if hangs { 10_000 } else { 120 };
                ends.entry(now_ms + takes_ms).or_default().push(start.id);
            }
            most = most.max(timetable.running);
        }
        assert!((19_000..=20_000).contains(&started), "{started}");
        assert!(punctual * 100 >= started * 99, "{punctual} of {started}");
        assert!(most <= 128 && most > 20, "{most}");
    }

    #[test]
    fn a_check_that_still_runs_is_skipped_and_counted() {
        let mut timetable = Timetable::new(10);
        timetable.set(&BTreeMap::from([("a".to_owned(), 100)]), 0);
        let first = timetable.due(1_000);
        assert_eq!(first.len(), 1);
        assert!(timetable.due(1_350).is_empty());
        assert!(timetable.skipped("a") >= 3);
        timetable.finished("a");
        assert_eq!(timetable.due(1_500).len(), 1);
    }

    #[test]
    fn after_a_pause_each_check_starts_once() {
        let mut timetable = Timetable::new(10);
        timetable.set(&BTreeMap::from([("a".to_owned(), 100), ("b".to_owned(), 100)]), 0);
        assert_eq!(timetable.due(3_600_000).len(), 2);
        timetable.finished("a");
        timetable.finished("b");
        assert!(timetable.due(3_600_000).is_empty());
    }

    #[test]
    fn no_more_run_at_once_than_may() {
        let mut timetable = Timetable::new(3);
        let periods: BTreeMap<_, _> = (0..10).map(|at| (format!("t{at}"), 100)).collect();
        timetable.set(&periods, 0);
        let first = timetable.due(200);
        assert_eq!(first.len(), 3);
        assert!(timetable.due(200).is_empty());
        timetable.finished(&first[0].id);
        assert_eq!(timetable.due(200).len(), 1);
    }

    #[test]
    fn a_reload_keeps_the_place_of_what_stays() {
        let mut timetable = Timetable::new(3);
        timetable.set(&BTreeMap::from([("a".to_owned(), 100)]), 0);
        let before = timetable.next_ms();
        timetable.set(&BTreeMap::from([("a".to_owned(), 100), ("b".to_owned(), 1_000_000)]), 0);
        assert_eq!(timetable.next_ms(), before);
        timetable.set(&BTreeMap::new(), 0);
        assert_eq!(timetable.next_ms(), None);
    }
}
