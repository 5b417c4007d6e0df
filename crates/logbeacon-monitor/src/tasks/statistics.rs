//! Statistics: how often a task was due, ran, failed, by the hour, the day and the week.
//!
//! Knows: buckets, rates and durations. Must not know: slots or pings. In: what was judged; out:
//! numbers that add up.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened in one hour, day or week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Slots that were judged.
    #[serde(skip_serializing_if = "is_zero")]
    pub due: u64,
    /// Runs that began.
    #[serde(skip_serializing_if = "is_zero")]
    pub started: u64,
    /// Runs that ended well.
    #[serde(skip_serializing_if = "is_zero")]
    pub succeeded: u64,
    /// Runs that failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Slots without a run.
    #[serde(skip_serializing_if = "is_zero")]
    pub missed: u64,
    /// Missed slots whose run came after the grace.
    #[serde(skip_serializing_if = "is_zero")]
    pub late: u64,
    /// Slots of which nobody knows: the monitor was away, or the clock changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// Runs whose duration is known, and the sum of these durations in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub timed: u64,
    /// See [`timed`](Self::timed).
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_sum_ms: u64,
}

impl Tally {
    /// Succeeded of all that should have, from 0 to 1; none if nothing was due or ended. Runs in
    /// progress and unknown slots are no part of it.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        let missed = self.missed.saturating_sub(self.late);
        let all = self.succeeded + self.failed + missed;
        (all > 0).then(|| self.succeeded as f64 / all as f64)
    }

    /// The mean duration, in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> Option<u64> {
        self.duration_sum_ms.checked_div(self.timed)
    }

    fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.started += other.started;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.missed += other.missed;
        self.late += other.late;
        self.unknown += other.unknown;
        self.timed += other.timed;
        self.duration_sum_ms += other.duration_sum_ms;
    }
}

/// Tallies of 48 hours and 92 days, and the last 100 durations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// By hours since 1970.
    hours: BTreeMap<i64, Tally>,
    /// By days of the task's zone.
    days: BTreeMap<Date, Tally>,
    /// The last durations of successes, in milliseconds, the oldest first.
    durations_ms: Vec<i64>,
}

impl Statistics {
    /// Counts something that happened at that time.
    pub(super) fn count(&mut self, at_ms: i64, zone: &TimeZone, tally: Tally) {
        let Ok(at) = Timestamp::from_millisecond(at_ms) else { return };
        self.hours.entry(at_ms.div_euclid(HOUR_MS)).or_default().add(&tally);
        // A day that has no midnight begins with its first instant.
        self.days.entry(zone.to_datetime(at).date()).or_default().add(&tally);
        while self.hours.len() > HOURS {
            self.hours.pop_first();
        }
        while self.days.len() > DAYS {
            self.days.pop_first();
        }
    }

    /// Takes the duration of a success.
    pub(super) fn time(&mut self, duration_ms: i64) {
        self.durations_ms.push(duration_ms);
        if self.durations_ms.len() > DURATIONS {
            self.durations_ms.remove(0);
        }
    }

    /// The tallies of hours, by milliseconds since 1970 of their begin, the oldest first.
    pub fn hourly(&self) -> impl Iterator<Item = (i64, Tally)> {
        self.hours.iter().map(|(hour, tally)| (hour * HOUR_MS, *tally))
    }

    /// The tallies of days of the task's zone, the oldest first.
    pub fn daily(&self) -> impl Iterator<Item = (Date, Tally)> {
        self.days.iter().map(|(day, tally)| (*day, *tally))
    }

    /// The tallies of weeks, by their Monday, the oldest first.
    #[must_use]
    pub fn weekly(&self) -> BTreeMap<Date, Tally> {
        let mut weeks = BTreeMap::<Date, Tally>::new();
        for (day, tally) in &self.days {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            let monday = day.checked_sub(jiff::Span::new().days(back)).unwrap_or(*day);
            weeks.entry(monday).or_default().add(tally);
        }
        weeks
    }

    /// The duration that so many percent of the last 100 successes did not exceed, in milliseconds.
    #[must_use]
    pub fn percentile_ms(&self, percent: u8) -> Option<i64> {
        let mut sorted = self.durations_ms.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * usize::from(percent.min(100))).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// How many durations there are.
    pub(super) fn timed(&self) -> usize {
        self.durations_ms.len()
    }
}

/// Numbers that are zero are not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

const HOUR_MS: i64 = 3_600_000;
const HOURS: usize = 48;
const DAYS: usize = 92;
const DURATIONS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_the_sum_of_their_days_and_days_those_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let mut statistics = Statistics::default();
        let one = Tally { succeeded: 1, ..Tally::default() };
        // Sunday 23:30 and Monday 00:30 in Berlin are one day of UTC.
        for text in ["2026-07-05T21:30:00Z", "2026-07-05T22:30:00Z", "2026-07-07T10:00:00Z"] {
            let at: Timestamp = text.parse().unwrap();
            statistics.count(at.as_millisecond(), &zone, one);
        }
        let days: Vec<_> = statistics.daily().map(|(day, it)| (day.day(), it.succeeded)).collect();
        assert_eq!(days, [(5, 1), (6, 1), (7, 1)]);
        let weeks: Vec<_> =
            statistics.weekly().iter().map(|(day, it)| (day.day(), it.succeeded)).collect();
        assert_eq!(weeks, [(29, 1), (6, 2)]);
        assert_eq!(statistics.hourly().count(), 3);
    }

    #[test]
    fn rates_leave_out_what_is_unknown_and_count_what_came_late_once() {
        assert_eq!(Tally::default().success_rate(), None);
        let unknown = Tally { due: 5, unknown: 5, started: 1, ..Tally::default() };
        assert_eq!(unknown.success_rate(), None);
        let mixed = Tally { succeeded: 6, failed: 1, missed: 2, late: 1, ..Tally::default() };
        assert_eq!(mixed.success_rate(), Some(0.75));
    }

    #[test]
    fn percentiles_are_of_the_last_hundred() {
        let mut statistics = Statistics::default();
        assert_eq!(statistics.percentile_ms(50), None);
        (0..300).for_each(|ms| statistics.time(ms));
        assert_eq!(statistics.percentile_ms(50), Some(249));
        assert_eq!(statistics.percentile_ms(95), Some(294));
        assert_eq!(statistics.percentile_ms(100), Some(299));
    }
}
