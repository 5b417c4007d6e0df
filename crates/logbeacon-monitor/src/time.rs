//! Time: how much of it was observed, and the gaps in which nobody looked.
//!
//! Knows: wall clock, monotonic clock, and what it means when they disagree. Must not know: rules
//! or messages. In: readings of both clocks; out: observed time, by which every duration of the
//! engine is counted, and the gaps.

use serde::{Deserialize, Serialize};

/// What both clocks of the world say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Milliseconds since 1970, UTC. May jump.
    pub wall_ms: i64,
    /// Milliseconds of a clock that never jumps. Its start is arbitrary.
    pub mono_ms: u64,
}

/// A moment as the engine counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Now {
    /// Milliseconds since 1970, UTC: what people are shown. No duration is computed from it.
    pub wall_ms: i64,
    /// Milliseconds that were observed since the monitor was first started. Stands still in gaps.
    pub observed_ms: u64,
}

/// Time that nobody observed: what happened in it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Its begin, in milliseconds since 1970.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
    /// What caused it.
    pub cause: GapCause,
}

/// What caused a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// The monitor did not run.
    Restart,
    /// The process or the machine stood still.
    Sleep,
    /// The wall clock was set.
    ClockJump,
    /// The monitor's own network was down.
    Offline,
}

/// Counts observed time.
#[derive(Debug, Clone, Default)]
pub struct ObservedClock {
    now: Now,
    mono_ms: Option<u64>,
    offline: bool,
    /// Longest step between two readings that is no gap, in milliseconds.
    step_max_ms: u64,
}

impl ObservedClock {
    /// A clock that goes on from what was saved. A step longer than `step_max_ms` is a gap.
    #[must_use]
    pub fn resume(saved: Now, step_max_ms: u64) -> Self {
        Self { now: saved, mono_ms: None, offline: false, step_max_ms }
    }

    /// The moment of the last reading.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Says whether the monitor's own network is down. While it is, all time is a gap.
    pub fn set_offline(&mut self, is_offline: bool) {
        self.offline = is_offline;
    }

    /// Whether the monitor's own network is down.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Takes a reading. Returns the gap since the last one, if there was one.
    pub fn pass(&mut self, reading: Reading) -> Option<Gap> {
        let before = self.now.wall_ms;
        let cause = self.cause_of_gap(reading);
        if cause.is_none() {
            let mono_ms = self.mono_ms.unwrap_or(reading.mono_ms);
            self.now.observed_ms += reading.mono_ms.saturating_sub(mono_ms);
        }
        let is_first_ever = self.now == Now::default();
        self.now.wall_ms = reading.wall_ms;
        self.mono_ms = Some(reading.mono_ms);
        let cause = cause.filter(|_| !is_first_ever)?;
        Some(Gap { from_ms: before, to_ms: reading.wall_ms, cause })
    }

    fn cause_of_gap(&self, reading: Reading) -> Option<GapCause> {
        let Some(mono_ms) = self.mono_ms else { return Some(GapCause::Restart) };
        let mono_step = reading.mono_ms.saturating_sub(mono_ms);
        let wall_step = reading.wall_ms.saturating_sub(self.now.wall_ms);
        let ahead = wall_step.saturating_sub_unsigned(mono_step);
        if self.offline {
            Some(GapCause::Offline)
        } else if mono_step > self.step_max_ms {
            Some(GapCause::Sleep)
        } else if ahead.unsigned_abs() > JUMP_MS {
            Some(GapCause::ClockJump)
        } else {
            None
        }
    }
}

/// How far the clocks may drift apart in one step: NTP slews by less.
const JUMP_MS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> ObservedClock {
        let mut clock = ObservedClock::resume(Now::default(), 90_000);
        clock.pass(Reading { wall_ms: 1_000_000, mono_ms: 50 });
        clock
    }

    fn step(clock: &mut ObservedClock, wall: i64, mono: u64) -> (Option<GapCause>, u64) {
        let wall_ms = clock.now.wall_ms + wall;
        let mono_ms = clock.mono_ms.unwrap() + mono;
        let before = clock.now.observed_ms;
        let gap = clock.pass(Reading { wall_ms, mono_ms });
        (gap.map(|gap| gap.cause), clock.now.observed_ms - before)
    }

    #[test]
    fn only_steps_that_both_clocks_agree_on_are_observed() {
        let mut clock = clock();
        assert_eq!(step(&mut clock, 30_000, 30_000), (None, 30_000));
        // NTP slews, and a reading is not taken at one instant.
        assert_eq!(step(&mut clock, 30_400, 30_000), (None, 30_000));
        let hour = 3_600_000;
        assert_eq!(step(&mut clock, hour + 30_000, 30_000), (Some(GapCause::ClockJump), 0));
        assert_eq!(step(&mut clock, 30_000 - hour, 30_000), (Some(GapCause::ClockJump), 0));
        assert_eq!(step(&mut clock, 8 * hour, 8 * 3_600_000), (Some(GapCause::Sleep), 0));
        clock.set_offline(true);
        assert_eq!(step(&mut clock, 30_000, 30_000), (Some(GapCause::Offline), 0));
        clock.set_offline(false);
        assert_eq!(step(&mut clock, 30_000, 30_000), (None, 30_000));
    }

    #[test]
    fn a_restart_is_a_gap_and_the_first_start_is_none() {
        let first = clock();
        let mut clock = ObservedClock::resume(first.now(), 90_000);
        let gap = clock.pass(Reading { wall_ms: 1_700_000, mono_ms: 3 });
        let restart = Gap { from_ms: 1_000_000, to_ms: 1_700_000, cause: GapCause::Restart };
        assert_eq!(gap, Some(restart));
        let mut fresh = ObservedClock::resume(Now::default(), 90_000);
        assert_eq!(fresh.pass(Reading { wall_ms: 1_000_000, mono_ms: 50 }), None);
    }
}
