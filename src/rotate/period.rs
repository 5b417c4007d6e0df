//! Period: the hour or day that a file is for, and when it is over.
//!
//! Pure: the time is an argument. Knows the calendar, through jiff; knows no file. A period is two
//! moments, not a date: an hour that daylight saving repeats is two hours, and comparing is cheap.

use crate::rotate::choices::Rotate;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit, Zoned};
use std::time::Duration;

/// From when to when a file is written, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    from: u64,
    until: u64,
}

/// What the clock says about the file's period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not over.
    Within,
    /// It is over: a new file is due, once, however long ago it ended.
    Over,
    /// The clock was set back by more than a period: the file is now for the time that it shows.
    Before,
}

impl Period {
    /// The period that `wall`, a time since 1970, is in; none if files are not rotated by time, or
    /// if the calendar does not reach so far.
    pub(super) fn around(wall: Duration, rotate: Rotate, zone: &TimeZone) -> Option<Self> {
        let second = i64::try_from(wall.as_secs()).ok()?;
        let now = Timestamp::from_second(second).ok()?.to_zoned(zone.clone());
        let (from, until) = match rotate {
            Rotate::Size => return None,
            Rotate::Hourly => hour(&now)?,
            Rotate::Daily => (now.start_of_day().ok()?, now.tomorrow().ok()?.start_of_day().ok()?),
        };
        let unix = |moment: &Zoned| u64::try_from(moment.timestamp().as_second()).ok();
        Some(Self { from: unix(&from)?, until: unix(&until)? })
    }

    /// What the clock says.
    ///
    /// A step back of less than a period does nothing: after it the end comes once more, and must
    /// not start a second file.
    pub(super) fn verdict(&self, wall: Duration) -> Verdict {
        let now = wall.as_secs();
        let length = self.until.saturating_sub(self.from);
        if now >= self.until {
            Verdict::Over
        } else if now < self.from.saturating_sub(length) {
            Verdict::Before
        } else {
            Verdict::Within
        }
    }
}

/// The hour of the zone's clock. In the hour of a change that is not by whole hours it is shorter.
fn hour(now: &Zoned) -> Option<(Zoned, Zoned)> {
    let into_the_hour = i64::from(now.minute()) * 60 + i64::from(now.second());
    let from = now.checked_sub(into_the_hour.seconds()).ok()?;
    let from = from.round(Unit::Second).ok()?;
    let until = from.checked_add(1.hour()).ok()?;
    Some((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;

    fn unix(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_second() as u64
    }

    fn berlin() -> TimeZone {
        // Written out, so that the test needs no data of the machine.
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    /// Walks through a span of time second by second of the wall clock, as the file does, and
    /// counts the rotations.
    fn rotations(walls: impl IntoIterator<Item = u64>, rotate: Rotate, zone: &TimeZone) -> u32 {
        let mut period = None;
        let mut count = 0;
        for wall in walls.into_iter().map(Duration::from_secs) {
            let known: Period =
                *period.get_or_insert_with(|| Period::around(wall, rotate, zone).unwrap());
            match known.verdict(wall) {
                Verdict::Within => continue,
                Verdict::Over => count += 1,
                Verdict::Before => {}
            }
            period = Period::around(wall, rotate, zone);
        }
        count
    }

    #[test]
    fn a_day_ends_at_midnight_of_its_zone_also_when_it_has_23_or_25_hours() {
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)] {
            let noon = Duration::from_secs(unix(&format!("{day}T12:00:00Z")));
            let period = Period::around(noon, Rotate::Daily, &berlin()).unwrap();
            assert_eq!(period.until - period.from, hours * HOUR, "{day}");
            assert_eq!((period.until + HOUR) % DAY % HOUR, 0);
            let period = Period::around(noon, Rotate::Daily, &TimeZone::UTC).unwrap();
            assert_eq!((period.from % DAY, period.until - period.from), (0, DAY));
        }
    }

    #[test]
    fn a_year_has_its_days_and_hours_with_daylight_saving() {
        let (from, until) = (unix("2025-12-31T23:30:00Z"), unix("2026-12-31T23:30:00Z"));
        for zone in [berlin(), TimeZone::UTC] {
            let walls = (from..until).step_by(600);
            assert_eq!(rotations(walls.clone(), Rotate::Daily, &zone), 365);
            assert_eq!(rotations(walls, Rotate::Hourly, &zone), 365 * 24);
        }
    }

    #[test]
    fn an_hour_is_that_of_the_zone() {
        let india = TimeZone::fixed(jiff::tz::Offset::from_seconds(5 * 3_600 + 1_800).unwrap());
        let wall = Duration::from_secs(unix("2026-01-01T10:45:10Z"));
        let period = Period::around(wall, Rotate::Hourly, &india).unwrap();
        assert_eq!(
            (period.from, period.until),
            (unix("2026-01-01T10:30:00Z"), unix("2026-01-01T11:30:00Z"),)
        );
    }

    #[test]
    fn no_jump_of_the_clock_rotates_more_than_once() {
        let start = unix("2026-06-01T12:30:00Z");
        let year = 365 * DAY;
        for rotate in [Rotate::Hourly, Rotate::Daily] {
            let count = |walls: &[u64]| rotations(walls.iter().copied(), rotate, &berlin());
            // A day back, and on from there.
            assert_eq!(count(&[start, start - DAY, start - DAY + 1]), 0);
            // Ten years forward, and back again.
            assert_eq!(count(&[start, start + 10 * year, start + 10 * year + 1]), 1);
            assert_eq!(count(&[start, start + 10 * year, start + 1, start + 2]), 1);
            assert_eq!(count(&[start, start - 10 * year, start, start + 1]), 1);
            // To and fro over the end of a period.
            let end = Period::around(Duration::from_secs(start), rotate, &berlin()).unwrap().until;
            let flutter: Vec<u64> = (0..100).flat_map(|n| [end - 1 - n % 5, end + n % 5]).collect();
            assert_eq!(count(&flutter), 1);
        }
    }

    #[test]
    fn after_the_clock_was_set_back_the_next_end_rotates_again() {
        let start = unix("2026-06-01T12:30:00Z");
        let walls = [start + 400 * DAY, start, start + HOUR, start + 2 * HOUR];
        assert_eq!(rotations(walls, Rotate::Hourly, &TimeZone::UTC), 2);
    }

    #[test]
    fn by_size_alone_and_beyond_the_calendar_there_is_no_period() {
        let wall = Duration::from_secs(unix("2026-06-01T12:30:00Z"));
        assert_eq!(Period::around(wall, Rotate::Size, &TimeZone::UTC), None);
        assert_eq!(Period::around(Duration::MAX, Rotate::Daily, &TimeZone::UTC), None);
    }
}
