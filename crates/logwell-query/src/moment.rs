//! Moment: times as text, in UTC unless the text has an offset.
//!
//! The only file that names `jiff`. Pure: the present moment is an argument.

use crate::number::{Dimension, Quantity};
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

/// A stretch of time, both ends in it, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first nanosecond in it.
    pub first_ns: i64,
    /// The last one.
    pub last_ns: i64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { first_ns: i64::MIN, last_ns: i64::MAX };
    /// No moment at all.
    pub const EMPTY: Self = Self { first_ns: i64::MAX, last_ns: i64::MIN };

    /// Whether the moment is in it.
    #[must_use]
    pub fn contains(self, ns: i64) -> bool {
        self.first_ns <= ns && ns <= self.last_ns
    }

    /// Whether no moment is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.first_ns > self.last_ns
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            first_ns: self.first_ns.max(other.first_ns),
            last_ns: self.last_ns.min(other.last_ns),
        }
    }

    /// The shortest range that has both in it.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self {
                first_ns: self.first_ns.min(other.first_ns),
                last_ns: self.last_ns.max(other.last_ns),
            },
        }
    }
}

/// A moment as RFC 3339 in UTC, with as many decimals as it needs.
#[must_use]
pub fn text(ns: i64) -> String {
    // Every `i64` of nanoseconds is within jiff's years.
    Timestamp::from_nanosecond(ns.into()).map_or_else(|_| ns.to_string(), |at| at.to_string())
}

/// The same with nine decimals, which names one nanosecond when it is read in a query.
pub(crate) fn exact_text(ns: i64) -> String {
    Timestamp::from_nanosecond(ns.into()).map_or_else(|_| ns.to_string(), |at| format!("{at:.9}"))
}

/// Reads a record's time: RFC 3339, or a local time of UTC without an offset.
///
/// ```
/// use logwell_query::parse_time;
///
/// assert_eq!(parse_time("1970-01-01T00:00:01.5+00:00"), Some(1_500_000_000));
/// assert_eq!(parse_time("1970-01-01 00:00:01"), Some(1_000_000_000));
/// assert_eq!(parse_time("yesterday"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    match text.parse::<Timestamp>() {
        Ok(at) => nanoseconds(at),
        Err(_) => civil(text, &TimeZone::UTC),
    }
}

/// Reads a time as it is written in a query, as the stretch of time that it names.
///
/// | text | is |
/// |---|---|
/// | `2026-11-30` | the whole day |
/// | `2026-11-30T10:00`, `2026-11-30T10:00Z` | the whole minute |
/// | `2026-11-30T10:00:00`, `2026-11-30T18:00:00+08:00` | the whole second |
/// | `2026-11-30T10:00:00.5Z` | that nanosecond |
/// | `today`, `yesterday` | the whole day |
/// | `now` | that nanosecond |
/// | `5m`, `now-5m` | so long before now |
#[must_use]
pub(crate) fn parse_range(text: &str, now_ns: i64) -> Option<TimeRange> {
    let ago = |text: &str| match Quantity::parse(text)? {
        Quantity { dimension: Dimension::Time, amount } => {
            now_ns.checked_sub(amount).map(|ns| TimeRange { first_ns: ns, last_ns: ns })
        }
        Quantity { dimension: Dimension::Bytes, .. } => None,
    };
    let days_ago = |days: i64| {
        let first_ns = now_ns.checked_sub(now_ns.rem_euclid(DAY_NS))?.checked_sub(days * DAY_NS)?;
        Some(TimeRange { first_ns, last_ns: first_ns.checked_add(DAY_NS - 1)? })
    };
    match text {
        "now" => return Some(TimeRange { first_ns: now_ns, last_ns: now_ns }),
        "today" => return days_ago(0),
        "yesterday" => return days_ago(1),
        _ => {}
    }
    if let Some(range) = ago(text.strip_prefix("now-").unwrap_or(text)) {
        return Some(range);
    }
    let first_ns = absolute(text)?;
    let last_ns = first_ns.checked_add(width_of(text) - 1)?;
    Some(TimeRange { first_ns, last_ns })
}

const DAY_NS: i64 = 86_400_000_000_000;

/// How long the stretch is that a text of this length names.
fn width_of(text: &str) -> i64 {
    let (_, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let clock = time.split(['Z', 'z', '+', '-']).next().unwrap_or("");
    match clock.len() {
        0 => DAY_NS,
        5 => 60_000_000_000,
        8 => 1_000_000_000,
        _ => 1,
    }
}

fn absolute(text: &str) -> Option<i64> {
    // jiff reads more than anybody could remember: week dates, basic formats, names of zones.
    let bytes = text.as_bytes();
    let is_date = bytes.len() >= 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    let is_plain =
        |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'T' | b':' | b'.' | b'+' | b'Z');
    if !is_date || !bytes.iter().all(is_plain) {
        return None;
    }
    let (_, time) = text.split_at_checked(10)?;
    match time.contains(['Z', '+', '-']) {
        true => text.parse::<Timestamp>().ok().and_then(nanoseconds),
        false => civil(text, &TimeZone::UTC),
    }
}

fn civil(text: &str, zone: &TimeZone) -> Option<i64> {
    let at = match text.len() {
        10 => text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ => text.parse::<DateTime>().ok()?,
    };
    nanoseconds(zone.to_timestamp(at).ok()?)
}

fn nanoseconds(at: Timestamp) -> Option<i64> {
    i64::try_from(at.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_000_400_123_456_789; // 2026-11-30T01:00:00.123456789Z

    fn check(text: &str, first: &str, last: &str) {
        let range = parse_range(text, NOW).unwrap_or_else(|| panic!("{text} is not understood"));
        assert_eq!(super::text(range.first_ns), first, "{text}");
        assert_eq!(super::text(range.last_ns), last, "{text}");
    }

    #[test]
    fn a_time_names_all_of_its_day_minute_or_second() {
        check("2026-11-30", "2026-11-30T00:00:00Z", "2026-11-30T23:59:59.999999999Z");
        check("2026-11-30T10:00", "2026-11-30T10:00:00Z", "2026-11-30T10:00:59.999999999Z");
        check("2026-11-30T10:00Z", "2026-11-30T10:00:00Z", "2026-11-30T10:00:59.999999999Z");
        check("2026-11-30T10:00:00Z", "2026-11-30T10:00:00Z", "2026-11-30T10:00:00.999999999Z");
        check(
            "2026-11-30T18:00:00+08:00",
            "2026-11-30T10:00:00Z",
            "2026-11-30T10:00:00.999999999Z",
        );
        check("2026-11-30T10:00:00.5Z", "2026-11-30T10:00:00.5Z", "2026-11-30T10:00:00.5Z");
        check("yesterday", "2026-11-29T00:00:00Z", "2026-11-29T23:59:59.999999999Z");
        check("today", "2026-11-30T00:00:00Z", "2026-11-30T23:59:59.999999999Z");
        check("1h", "2026-11-30T00:00:00.123456789Z", "2026-11-30T00:00:00.123456789Z");
        check("now-1h", "2026-11-30T00:00:00.123456789Z", "2026-11-30T00:00:00.123456789Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "soon", "10", "2026", "2026-13-01", "2026-W48-1", "1KiB", "9999-01-01", "é"]
        {
            assert_eq!(parse_range(text, NOW), None, "{text:?}");
        }
    }

    #[test]
    fn the_text_of_any_moment_reads_back() {
        for ns in [i64::MIN, -1, 0, 1, NOW, i64::MAX] {
            assert_eq!(parse(&text(ns)), Some(ns));
        }
    }
}
