//! Flapping: whether an instance changes between well and bad so often that each change is noise.
//!
//! Knows: the last 21 states and how changes are weighted. Must not know: what a state is about.
//! In: one state for each evaluation; out: whether it flaps.

use serde::{Deserialize, Serialize};

/// The last states of an instance.
///
/// Each change between two neighbouring states counts from 0.75 (oldest) to 1.25 (newest) of a
/// twentieth. Flapping begins at 30 % of change and ends below 20 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flapping {
    /// One bit for each state, the newest lowest; 1 is an incident.
    states: u32,
    is_on: bool,
}

impl Flapping {
    /// Takes the next state. Returns whether the instance flaps now.
    pub fn take(&mut self, is_incident: bool) -> bool {
        self.states = ((self.states << 1) | u32::from(is_incident)) & MASK;
        let percent = self.percent();
        self.is_on = if self.is_on { percent >= LOW_PERCENT } else { percent >= HIGH_PERCENT };
        self.is_on
    }

    /// Whether it flaps.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Weighted share of changes among the last states, in percent.
    #[must_use]
    pub fn percent(&self) -> f64 {
        // Bit i is set where state i differs from the one before it.
        let changes = (self.states ^ (self.states >> 1)) & (MASK >> 1);
        let weight = |at: u32| 1.25 - 0.5 * f64::from(at) / f64::from(STATES - 2);
        let is_change = |at: &u32| changes & (1 << at) != 0;
        let sum: f64 = (0..STATES - 1).filter(is_change).map(weight).sum();
        100.0 * sum / f64::from(STATES - 1)
    }
}

/// How many states are remembered.
const STATES: u32 = 21;
const MASK: u32 = (1 << STATES) - 1;
/// From which percentage on it flaps, and below which it stops.
const HIGH_PERCENT: f64 = 30.0;
const LOW_PERCENT: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_a_hundred_percent() {
        let mut flapping = Flapping::default();
        (0..21).for_each(|at| {
            flapping.take(at % 2 == 0);
        });
        assert!((flapping.percent() - 100.0).abs() < 1e-9, "{}", flapping.percent());
    }

    #[test]
    fn one_outage_is_no_flapping() {
        let mut flapping = Flapping::default();
        for at in 0..100 {
            assert!(!flapping.take((40..60).contains(&at)), "{at}");
        }
    }

    #[test]
    fn it_begins_with_many_changes_and_ends_when_they_are_old() {
        let mut flapping = Flapping::default();
        let began = (1..=21).position(|at| flapping.take(at % 2 == 1)).unwrap();
        assert_eq!(began, 5, "five changes are 29.9 %");
        let ended = (0..40).position(|_| !flapping.take(false)).unwrap();
        assert!((12..=17).contains(&ended), "{ended}");
    }
}
