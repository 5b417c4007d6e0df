//! Severity: how bad a value is, with one threshold to raise an alert and another to clear it.
//!
//! Knows: thresholds, direction and hysteresis. Must not know: how long something has been so.
//! In: a value and the severity that holds now; out: the severity that the value has.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// How bad an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look soon.
    Warning,
    /// Somebody must look now.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// Its name: `info`, `warning`, `critical`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Which values are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Values over the threshold.
    Above,
    /// Values under the threshold.
    Below,
}

/// From which value on a severity holds, and down to which it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The severity.
    pub severity: Severity,
    /// A value beyond it raises the severity.
    pub raise: f64,
    /// A raised severity ends once the value is no longer beyond this one.
    pub clear: f64,
}

/// Thresholds of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Which side is bad.
    pub direction: Direction,
    /// The thresholds, at most one for each severity, the mildest first.
    pub thresholds: Vec<Threshold>,
    /// Values that can be true. Others are errors of whoever measured.
    pub valid: RangeInclusive<f64>,
}

impl Scale {
    /// The severity of a value, given the severity that was raised and is not cleared yet.
    ///
    /// # Errors
    ///
    /// The value is not finite or outside of [`valid`](Self::valid).
    pub fn judge(&self, value: f64, held: Option<Severity>) -> Result<Option<Severity>, String> {
        if !value.is_finite() || !self.valid.contains(&value) {
            let (low, high) = (self.valid.start(), self.valid.end());
            return Err(format!("{value} is not within {low} to {high}"));
        }
        let holds = |threshold: &&Threshold| {
            let is_held = held.is_some_and(|held| held >= threshold.severity);
            let bound = if is_held { threshold.clear } else { threshold.raise };
            match self.direction {
                Direction::Above => value > bound,
                Direction::Below => value < bound,
            }
        };
        Ok(self.thresholds.iter().rev().find(holds).map(|threshold| threshold.severity))
    }
}

#[cfg(test)]
mod tests {
    use super::Severity::{Critical, Warning};
    use super::*;

    fn disk() -> Scale {
        let at = |severity, raise, clear| Threshold { severity, raise, clear };
        let thresholds = vec![at(Warning, 90.0, 80.0), at(Critical, 98.0, 90.0)];
        Scale { direction: Direction::Above, thresholds, valid: 0.0..=100.0 }
    }

    #[test]
    fn what_was_raised_is_held_down_to_the_clear_threshold() {
        let disk = disk();
        for (value, held, expected) in [
            (90.0, None, None),
            (90.1, None, Some(Warning)),
            (98.1, None, Some(Critical)),
            (85.0, Some(Warning), Some(Warning)),
            (80.0, Some(Warning), None),
            (91.0, Some(Critical), Some(Critical)),
            (90.0, Some(Critical), Some(Warning)),
            (79.0, Some(Critical), None),
            (97.0, Some(Warning), Some(Warning)),
        ] {
            assert_eq!(disk.judge(value, held), Ok(expected), "{value} with {held:?}");
        }
    }

    #[test]
    fn impossible_values_are_errors_and_no_severity() {
        for value in [f64::NAN, f64::INFINITY, -0.1, 100.1] {
            assert!(disk().judge(value, None).is_err(), "{value}");
        }
    }

    #[test]
    fn low_values_can_be_bad() {
        let at = Threshold { severity: Critical, raise: 1.0, clear: 2.0 };
        let valid = f64::MIN..=f64::MAX;
        let scale = Scale { direction: Direction::Below, thresholds: vec![at], valid };
        assert_eq!(scale.judge(0.0, None), Ok(Some(Critical)));
        assert_eq!(scale.judge(1.5, Some(Critical)), Ok(Some(Critical)));
        assert_eq!(scale.judge(2.0, Some(Critical)), Ok(None));
    }
}
