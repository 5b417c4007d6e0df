//! Maintenance: hours by the wall clock of a zone in which alerts of some targets are not sent.
//!
//! Knows: weekdays, local times and zones, across changes of the clock. Must not know: instances or
//! messages. In: a moment; out: whether a window is open.

use crate::matcher::Matcher;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A window that opens each week, by local time.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its id.
    pub id: String,
    /// What it is for; all must match, and none at all matches everything.
    pub matchers: Vec<Matcher>,
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    /// When it begins. In the hour that a change of the clock repeats it is open both times.
    pub from: Time,
    /// When it ends; at or before `from` it ends on the next day.
    pub to: Time,
    /// Whose wall clock is meant.
    pub zone: TimeZone,
}

impl Window {
    /// Whether it is open at that moment, in milliseconds since 1970.
    #[must_use]
    pub fn is_open(&self, wall_ms: i64) -> bool {
        let Ok(stamp) = Timestamp::from_millisecond(wall_ms) else { return false };
        let local = Zoned::new(stamp, self.zone.clone());
        let (time, today) = (local.time(), local.weekday());
        let begins = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            begins(today) && (self.from..self.to).contains(&time)
        } else {
            begins(today) && time >= self.from || begins(today.previous()) && time < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn window(from: Time, to: Time) -> Window {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let days = vec![Weekday::Sunday];
        Window { id: "w".into(), matchers: Vec::new(), days, from, to, zone }
    }

    fn is_open(window: &Window, utc: &str) -> bool {
        window.is_open(utc.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn a_window_follows_the_wall_clock_across_its_change() {
        let window = window(time(4, 0, 0, 0), time(6, 0, 0, 0));
        // Summer, winter, and the Sunday on which the clock goes back.
        for (open, closed) in [
            ("2026-07-05T02:00:00Z", "2026-07-05T04:00:00Z"),
            ("2026-12-06T03:00:00Z", "2026-12-06T05:00:00Z"),
            ("2026-10-25T03:00:00Z", "2026-10-25T02:59:59Z"),
        ] {
            assert!(is_open(&window, open), "{open}");
            assert!(!is_open(&window, closed), "{closed}");
        }
        assert!(!is_open(&window, "2026-07-06T02:00:00Z"), "Monday");
    }

    #[test]
    fn a_window_may_cross_midnight() {
        let window = window(time(22, 0, 0, 0), time(2, 0, 0, 0));
        assert!(is_open(&window, "2026-07-05T20:00:00Z"), "Sunday 22:00");
        assert!(is_open(&window, "2026-07-05T23:59:00Z"), "Monday 01:59");
        assert!(!is_open(&window, "2026-07-06T00:00:00Z"), "Monday 02:00");
        assert!(!is_open(&window, "2026-07-04T23:00:00Z"), "Sunday 01:00 is Saturday's night");
    }
}
