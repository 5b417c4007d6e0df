//! When: moments as people say them and as records have them.
//!
//! Pure functions: the present moment, with its time zone, is an argument.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, Zoned};

/// The moment of a record, in nanoseconds since 1970.
///
/// What logwell writes is read by hand, ten times faster than by a parser for everything.
#[must_use]
pub fn unix_ns(text: &str) -> Option<i64> {
    quick(text.as_bytes()).or_else(|| {
        let moment: Timestamp = text.parse().ok()?;
        i64::try_from(moment.as_nanosecond()).ok()
    })
}

/// `2026-02-19T10:30:00.123456+00:00`, or with `Z`; up to nine decimals.
fn quick(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked("2026-02-19T10:30:00".len())?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, byte)| date_time.get(at) != Some(&byte)) {
        return None;
    }
    let number = |from: usize, to: usize| digits(date_time.get(from..to)?);
    let date = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match rest.strip_prefix(b".") {
        Some(rest) => rest.strip_suffix(b"+00:00").or_else(|| rest.strip_suffix(b"Z"))?,
        None => {
            return matches!(rest, b"+00:00" | b"Z").then(|| 0).and_then(|_| {
                (date * 86_400 + hour * 3_600 + minute * 60 + second).checked_mul(1_000_000_000)
            });
        }
    };
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let ns = digits(fraction)? * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?);
    (date * 86_400 + hour * 3_600 + minute * 60 + second)
        .checked_mul(1_000_000_000)?
        .checked_add(ns)
}

fn digits(text: &[u8]) -> Option<i64> {
    let digit = |number: i64, byte: &u8| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    };
    text.iter().try_fold(0, digit)
}

/// Days from 1970 to a date; the usual sum over eras of 400 years that begin in March.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let longest = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

/// A moment as somebody types it, in nanoseconds since 1970.
///
/// | example | is |
/// |---|---|
/// | `2026-02-19T10:30:00Z`, `2026-02-19T11:30:00.5+01:00` | RFC 3339 |
/// | `2026-02-19 10:30:00`, `2026-02-19 10:30`, `2026-02-19` | in the zone of `now` |
/// | `10:30`, `10:30:05` | today |
/// | `10s`, `10m`, `2h`, `3d`, `1w`, `1h30m` | so long ago |
/// | `now`, `today`, `yesterday` | the last two at midnight |
///
/// # Errors
///
/// Not a moment; the text lists the accepted forms.
pub fn parse(text: &str, now: &Zoned) -> Result<i64, String> {
    let wrong = || {
        format!(
            "{text:?} is not a moment; use 2026-02-19T10:30:00Z, \"2026-02-19 10:30\", \
             2026-02-19, 10:30, 10m or 2h or 3d (ago), now, today, yesterday"
        )
    };
    let timestamp = find(text.trim(), now).ok_or_else(wrong)?;
    i64::try_from(timestamp.as_nanosecond()).map_err(|_| wrong())
}

fn find(text: &str, now: &Zoned) -> Option<Timestamp> {
    let local = |at: DateTime| at.to_zoned(now.time_zone().clone()).ok().map(|at| at.timestamp());
    let midnight = |date: Date| local(date.to_datetime(Time::midnight()));
    match text {
        "now" => return Some(now.timestamp()),
        "today" => return midnight(now.date()),
        "yesterday" => return midnight(now.date().yesterday().ok()?),
        _ => {}
    }
    if let Some(ago) = duration(text) {
        return now.checked_sub(ago).ok().map(|at| at.timestamp());
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    // jiff would take `1030` and week dates as well: more than anybody could remember.
    if !text.contains(['-', ':']) || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if text.contains('-') {
        let is_date = text.len() == "2026-02-19".len();
        return match is_date {
            true => midnight(text.parse().ok()?),
            false => local(text.parse().ok()?),
        };
    }
    local(now.date().to_datetime(text.parse().ok()?))
}

/// `1h30m`
fn duration(text: &str) -> Option<Span> {
    let mut span = Span::new();
    let mut number: Option<i64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let so_far = number.unwrap_or(0).checked_mul(10)?;
            number = Some(so_far.checked_add(i64::from(digit))?);
            continue;
        }
        let count = number.take()?;
        let part = match c {
            's' => Span::new().try_seconds(count),
            'm' => Span::new().try_minutes(count),
            'h' => Span::new().try_hours(count),
            'd' => Span::new().try_days(count),
            'w' => Span::new().try_weeks(count),
            _ => return None,
        };
        let relative = jiff::SpanRelativeTo::days_are_24_hours();
        span = span.checked_add((part.ok()?, relative)).ok()?;
    }
    (number.is_none() && !text.is_empty()).then_some(span)
}

/// A day has 24 hours when somebody says `1d`, and the calendar's length when they say `yesterday`.
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Zoned {
        "2026-03-29T12:00:00+02:00[Europe/Berlin]".parse().unwrap_or_else(|_| {
            let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
            "2026-03-29T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned(zone)
        })
    }

    fn check(text: &str, expected: &str) {
        let expected: Timestamp = expected.parse().unwrap();
        let found = parse(text, &now()).unwrap();
        assert_eq!(Timestamp::from_nanosecond(found.into()).unwrap(), expected, "{text}");
    }

    #[test]
    fn every_way_to_say_a_moment_is_understood() {
        check("2026-02-19T10:30:00Z", "2026-02-19T10:30:00Z");
        check("2026-02-19T11:30:00.5+01:00", "2026-02-19T10:30:00.5Z");
        check("2026-02-19 10:30:00", "2026-02-19T09:30:00Z");
        check("2026-02-19 10:30", "2026-02-19T09:30:00Z");
        check("2026-02-19T10:30", "2026-02-19T09:30:00Z");
        check("2026-02-19", "2026-02-18T23:00:00Z");
        check("10:30", "2026-03-29T08:30:00Z");
        check("10:30:05", "2026-03-29T08:30:05Z");
        check("10m", "2026-03-29T09:50:00Z");
        check("1h30m", "2026-03-29T08:30:00Z");
        check("2d", "2026-03-27T11:00:00Z");
        check("1w", "2026-03-22T11:00:00Z");
        check("now", "2026-03-29T10:00:00Z");
        check("today", "2026-03-28T23:00:00Z");
        check("yesterday", "2026-03-27T23:00:00Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "10",
            "m",
            "10x",
            "soon",
            "2026-13-01",
            "25:00",
            "99999999999999999999s",
            "1030",
            "2026-W08-4",
            "-1h",
            "10m ago",
        ] {
            let error = parse(text, &now()).unwrap_err();
            assert!(error.contains("is not a moment") && error.contains("10m"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_reads_what_the_thorough_way_reads(
            second in -62_000_000_000_i64..250_000_000_000, nanos in 0_i32..1_000_000_000, digits in 0_u8..=9,
        ) {
            let moment = Timestamp::new(second, nanos).unwrap();
            for text in [format!("{moment:.*}", usize::from(digits)), moment.to_string()] {
                let exact: Timestamp = text.parse().unwrap();
                let expected = i64::try_from(exact.as_nanosecond()).ok();
                prop_assert_eq!(unix_ns(&text), expected);
                let offset = text.replace('Z', "+00:00");
                prop_assert_eq!(quick(offset.as_bytes()), quick(text.as_bytes()));
                if text.starts_with(|c: char| c.is_ascii_digit()) && expected.is_some() {
                    prop_assert_eq!(quick(text.as_bytes()), expected);
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[0-9T:.+Z-]{19,36}") {
            let quick = quick(text.as_bytes());
            let _ = parse(&text, &now());
            if let (Some(quick), Ok(exact)) = (quick, text.parse::<Timestamp>()) {
                prop_assert_eq!(i128::from(quick), exact.as_nanosecond());
            }
        }
    }
}
