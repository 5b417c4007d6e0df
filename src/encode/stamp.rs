//! Stamp: a moment as text: for people, `2026-02-19 10:30:00.123`, and the second of a record in
//! UTC.
//!
//! Knows time zones, through jiff. Does not know records. Records come many to a second, so the
//! part down to the second is kept and only the milliseconds are written again.

use crate::base::zone::TimeZone as Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::io::Write as _;

/// Writes moments in one time zone: `2026-02-19 10:30:00.123`, with a `Z` behind it in UTC.
#[derive(Debug)]
pub struct Stamp {
    zone: TimeZone,
    /// What follows the digits: `Z` in UTC.
    suffix: &'static str,
    second: Option<u64>,
    text: Vec<u8>,
}

/// The date and time of one second in UTC, since most records share it with the one before.
#[derive(Debug, Default)]
pub(crate) struct UtcSecond {
    /// What is before it.
    before: &'static [u8],
    unix_s: u64,
    text: Vec<u8>,
}

impl UtcSecond {
    /// One with those bytes before it.
    pub(crate) fn after(before: &'static [u8]) -> Self {
        Self { before, ..Self::default() }
    }

    /// `2026-02-19T10:30:00.` for that second since 1970.
    pub(crate) fn text(&mut self, unix_s: u64) -> &[u8] {
        if self.unix_s != unix_s || self.text.is_empty() {
            self.unix_s = unix_s;
            self.text.clear();
            self.text.extend_from_slice(self.before);
            crate::base::clock::push_utc_second(&mut self.text, unix_s);
        }
        &self.text
    }
}

const NS_PER_SECOND: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;

impl Stamp {
    /// Looks up the zone once, for the life of the value. Where the machine's zone cannot be found
    /// it is UTC, and the `Z` says so.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        let local = match zone {
            Zone::Local => TimeZone::try_system().ok(),
            Zone::Utc => None,
        };
        match local {
            Some(zone) => Self::in_zone(zone, ""),
            None => Self::in_zone(TimeZone::UTC, "Z"),
        }
    }

    fn in_zone(zone: TimeZone, suffix: &'static str) -> Self {
        Self { zone, suffix, second: None, text: Vec::new() }
    }

    /// Appends the moment `unix_ns` nanoseconds after 1970.
    pub fn write(&mut self, unix_ns: u64, out: &mut Vec<u8>) {
        self.write_second(unix_ns, out);
        let _ = write!(out, ".{:03}{}", unix_ns % NS_PER_SECOND / NS_PER_MS, self.suffix);
    }

    /// Appends the second of that moment, without a zone: `2026-02-19 10:30:00`.
    pub(crate) fn write_second(&mut self, unix_ns: u64, out: &mut Vec<u8>) {
        let second = unix_ns / NS_PER_SECOND;
        if self.second != Some(second) {
            self.second = Some(second);
            self.set_text(second);
        }
        out.extend_from_slice(&self.text);
    }

    /// The minute of the day at that moment: 0 to 1439.
    #[cfg(feature = "forward")]
    pub(crate) fn minute_of_day(&self, unix_ms: u64) -> u16 {
        let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = self.zone.to_datetime(time.unwrap_or(Timestamp::UNIX_EPOCH));
        u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs())
    }

    fn set_text(&mut self, second: u64) {
        // 2⁶⁴ ns are 584 years: every moment there is lies within jiff's range.
        let time = i64::try_from(second).ok().and_then(|s| Timestamp::from_second(s).ok());
        let at = self.zone.to_datetime(time.unwrap_or(Timestamp::UNIX_EPOCH));
        let (date, time) = (at.date(), at.time());
        self.text.clear();
        let _ = write!(
            self.text,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            date.year(),
            date.month(),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stamp: &mut Stamp, unix_ns: u64, expected: &str) {
        let mut out = Vec::new();
        stamp.write(unix_ns, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn utc_is_marked_and_every_moment_has_a_text() {
        let mut stamp = Stamp::new(Zone::Utc);
        check(&mut stamp, 0, "1970-01-01 00:00:00.000Z");
        check(&mut stamp, 999_999_999, "1970-01-01 00:00:00.999Z");
        check(&mut stamp, 1_771_497_000_123_456_789, "2026-02-19 10:30:00.123Z");
        check(&mut stamp, 951_782_400_000_000_000, "2000-02-29 00:00:00.000Z");
        check(&mut stamp, u64::MAX, "2554-07-21 23:34:33.709Z");
    }

    #[test]
    fn local_time_follows_daylight_saving() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let mut stamp = Stamp::in_zone(zone, "");
        check(&mut stamp, 1_774_745_999_000_000_000, "2026-03-29 01:59:59.000");
        check(&mut stamp, 1_774_746_000_000_000_000, "2026-03-29 03:00:00.000");
        check(&mut stamp, 1_792_889_999_000_000_000, "2026-10-25 02:59:59.000");
        check(&mut stamp, 1_792_890_000_000_000_000, "2026-10-25 02:00:00.000");
    }

    #[test]
    #[cfg(feature = "forward")]
    fn the_minute_of_the_day_is_that_of_the_zone() {
        let utc = Stamp::new(Zone::Utc);
        assert_eq!(utc.minute_of_day(1_771_497_000_123), 10 * 60 + 30);
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(Stamp::in_zone(zone, "").minute_of_day(1_771_497_000_123), 11 * 60 + 30);
        assert_eq!(utc.minute_of_day(u64::MAX), 0);
    }

    #[test]
    fn a_clock_that_steps_back_is_followed() {
        let mut stamp = Stamp::new(Zone::Utc);
        check(&mut stamp, 5_000_000_000, "1970-01-01 00:00:05.000Z");
        check(&mut stamp, 4_000_000_000, "1970-01-01 00:00:04.000Z");
    }
}
