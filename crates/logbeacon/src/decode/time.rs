//! Times: what senders write for a moment → nanoseconds since the epoch.
//!
//! Pure. Knows RFC 3339, the timestamps of LogBeacon's messages, numbers since the epoch. A time
//! that cannot be read is no reason to refuse a record: it stays as a field.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A moment as text: RFC 3339 (`2026-02-19T10:30:00.123456+00:00`, `Z`, a blank instead of `T`),
/// the same without an offset, which is UTC (LogBeacon's `2025-11-26 10:30:00`), or digits as in
/// [`from_number`].
///
/// ```
/// use logbeacon::decode::time::from_text;
///
/// assert_eq!(from_text("1970-01-01 00:00:01"), Some(1_000_000_000));
/// assert_eq!(from_text("1970-01-01T01:00:00.5+01:00"), Some(500_000_000));
/// assert_eq!(from_text("soon"), None);
/// ```
#[must_use]
pub fn from_text(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return nanoseconds(moment);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return nanoseconds(local.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    match text.parse::<i64>() {
        Ok(number) => Some(from_integer(number)),
        Err(_) => text.parse().ok().and_then(from_number),
    }
}

/// A number since the epoch. Its size says the unit: seconds below 10^11 (the year 5138), then
/// milliseconds below 10^14, microseconds below 10^17, nanoseconds.
#[must_use]
pub fn from_integer(number: i64) -> i64 {
    number.saturating_mul(unit_ns(number.unsigned_abs()))
}

/// As [`from_integer`], with a fraction.
#[must_use]
pub fn from_number(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    let whole = (number.abs() < 9.2e18).then_some(number as i64)?;
    let unit = unit_ns(whole.unsigned_abs());
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a fraction below one, of at most 10^9 nanoseconds"
    )]
    let fraction = ((number - whole as f64) * unit as f64).round() as i64;
    Some(whole.saturating_mul(unit).saturating_add(fraction))
}

/// Nanoseconds of one unit of a number that large.
fn unit_ns(size: u64) -> i64 {
    match size {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// `15m`: a number and a unit, in nanoseconds.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    let (number, unit_ns) = [
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
        ("w", 604_800_000_000_000),
    ]
    .into_iter()
    .find_map(|(unit, ns)| Some((text.strip_suffix(unit)?, ns)))?;
    number.parse::<i64>().ok().filter(|number| *number > 0)?.checked_mul(unit_ns)
}

/// `None` outside the years 1677 to 2262, which is what 64 bits of nanoseconds hold.
fn nanoseconds(moment: jiff::Timestamp) -> Option<i64> {
    i64::try_from(moment.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_size_of_a_number_says_its_unit() {
        let second = 1_771_497_000_i64;
        for (number, ns) in [
            (second, second * 1_000_000_000),
            (second * 1000, second * 1_000_000_000),
            (second * 1_000_000, second * 1_000_000_000),
            (second * 1_000_000_000, second * 1_000_000_000),
        ] {
            assert_eq!(from_integer(number), ns);
            assert_eq!(from_text(&number.to_string()), Some(ns));
        }
        assert_eq!(from_number(1_771_497_000.25), Some(second * 1_000_000_000 + 250_000_000));
        assert_eq!(from_number(f64::NAN), None);
        assert_eq!(from_number(1e30), None);
    }

    #[test]
    fn times_of_every_sender_are_read() {
        for text in [
            "2026-02-19T10:30:00.123456+00:00",
            "2026-02-19T10:30:00.123456Z",
            "2026-02-19 10:30:00.123456",
            "2026-02-19T12:30:00.123456+02:00",
        ] {
            assert_eq!(from_text(text), Some(1_771_497_000_123_456_000), "{text}");
        }
        assert_eq!(from_text("9999-01-01T00:00:00Z"), None, "beyond 64 bits of nanoseconds");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not_and_nothing_panics(text in ".{0,40}", number: i64, float: f64) {
            let _any = (from_text(&text), from_integer(number), from_number(float));
        }
    }
}
