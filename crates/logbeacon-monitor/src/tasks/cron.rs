//! Cron: an expression of five fields, read as Debian's cron reads it.
//!
//! Knows: fields, names, steps, `L`, `LW`, `#`, and how the two day fields go together. Must not
//! know: zones. In: a text; out: which local times match.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

/// An expression of five fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
    weekdays: Weekdays,
    /// Whether a day must match both day fields: one of them begins with a star.
    needs_both: bool,
    /// Whether neither minute nor hour begins with a star.
    is_fixed: bool,
}

/// Days of a month: numbers, the last one, the last weekday.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Days {
    numbers: u64,
    last: bool,
    last_weekday: bool,
}

/// Days of a week, 0 is Sunday: any, the n-th of a month, the last of a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weekdays {
    any: u64,
    /// For each ordinal from 1 to 5 the weekdays.
    nth: [u64; 6],
    last: u64,
}

impl Cron {
    /// Reads an expression such as `30 2 * * MON-FRI`.
    ///
    /// # Errors
    ///
    /// There are not five fields, one is invalid, or it never matches.
    pub fn parse(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        let fields: Vec<&str> = upper.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            let help = "minute, hour, day of month, month, day of week";
            return Err(format!("{} fields, and cron has five: {help}", fields.len()));
        };
        let cron = Self {
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days: days(day)?,
            months: MONTH.read(month)?,
            weekdays: weekdays(weekday)?,
            needs_both: day.starts_with('*') || weekday.starts_with('*'),
            is_fixed: !minute.starts_with('*') && !hour.starts_with('*'),
        };
        match cron.next(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)) {
            Some(_) => Ok(cron),
            None => Err("it never matches: no such day is in these months".to_owned()),
        }
    }

    /// The expression, with single spaces.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names hours and minutes, so that Debian's cron runs it once on every day,
    /// whatever the clock does.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// The first local time at or after this one that matches, within 50 years.
    #[must_use]
    pub fn next(&self, from: DateTime) -> Option<DateTime> {
        let is_whole = from.second() == 0 && from.subsec_nanosecond() == 0;
        let from = if is_whole { from } else { from.checked_add(1.minute()).ok()? };
        let (mut date, mut hour, mut minute) = (from.date(), from.hour(), from.minute());
        let last_year = from.year().saturating_add(SEARCH_YEARS);
        while date.year() <= last_year {
            if self.matches_date(date)
                && let Some((hour, minute)) = self.next_time((hour, minute))
            {
                return Some(date.at(hour, minute, 0, 0));
            }
            (hour, minute) = (0, 0);
            let is_in_month = has(self.months, date.month());
            date = if is_in_month { date } else { date.last_of_month() }.tomorrow().ok()?;
        }
        None
    }

    fn next_time(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        if has(self.hours, hour)
            && let Some(minute) = at_least(self.minutes, minute)
        {
            return Some((hour, minute));
        }
        Some((at_least(self.hours, hour + 1)?, at_least(self.minutes, 0)?))
    }

    fn matches_date(&self, date: Date) -> bool {
        let (month, week) = (self.days.matches(date), self.weekdays.matches(date));
        let is_day = if self.needs_both { month && week } else { month || week };
        has(self.months, date.month()) && is_day
    }
}

impl Days {
    fn matches(self, date: Date) -> bool {
        let last = date.days_in_month();
        has(self.numbers, date.day())
            || self.last && date.day() == last
            || self.last_weekday && date.day() == last_weekday(date)
    }
}

impl Weekdays {
    fn matches(self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        let nth = usize::try_from((date.day() + 6) / 7).unwrap_or(0);
        has(self.any, weekday)
            || self.nth.get(nth).is_some_and(|days| has(*days, weekday))
            || has(self.last, weekday) && date.day() + 7 > date.days_in_month()
    }
}

/// The last day of a month that is neither Saturday nor Sunday.
fn last_weekday(date: Date) -> i8 {
    let last = date.last_of_month();
    last.day() - (last.weekday().to_monday_one_offset() - 5).max(0)
}

fn days(text: &str) -> Result<Days, String> {
    let mut days = Days::default();
    for term in text.split(',') {
        match term.split_once('/').map_or(term, |(term, _)| term) {
            "L" => days.last = true,
            "LW" => days.last_weekday = true,
            _ => days.numbers |= DAY.read(term)?,
        }
    }
    Ok(days)
}

fn weekdays(text: &str) -> Result<Weekdays, String> {
    let mut days = Weekdays::default();
    for term in text.split(',') {
        if let Some(day) = term.strip_suffix('L') {
            days.last |= WEEKDAY.one(day).map(|day| 1 << (day % 7))?;
        } else if let Some((day, nth)) = term.split_once('#') {
            let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
            let place = nth.and_then(|nth: usize| days.nth.get_mut(nth));
            let place = place.ok_or("after # is the number of the week, 1 to 5")?;
            *place |= WEEKDAY.one(day).map(|day| 1 << (day % 7))?;
        } else {
            // Sunday is 0 and 7.
            let read = WEEKDAY.read(term)?;
            days.any |= (read | read >> 7) & 0x7F;
        }
    }
    Ok(days)
}

/// A field of numbers or names.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

impl Field {
    /// The set of its values, one bit each.
    fn read(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, term| Ok(set | self.term(term)?))
    }

    fn term(&self, term: &str) -> Result<u64, String> {
        let Some((range, step)) = term.split_once('/') else {
            let (first, last) = self.range(term)?;
            return Ok(bits(first..=last));
        };
        let step = step.parse().ok().filter(|step| *step > 0);
        let step: usize = step.ok_or_else(|| self.wrong(term))?;
        let (first, last) = self.range(range)?;
        // A single value with a step goes on to the end of the field.
        let last = if first == last { self.max } else { last };
        Ok(bits((first..=last).step_by(step)))
    }

    fn range(&self, text: &str) -> Result<(u32, u32), String> {
        if text == "*" {
            return Ok((self.min, self.max));
        }
        let Some((first, last)) = text.split_once('-') else {
            let one = self.one(text)?;
            return Ok((one, one));
        };
        let (first, last) = (self.one(first)?, self.one(last)?);
        if last < first { Err(self.wrong(text)) } else { Ok((first, last)) }
    }

    fn one(&self, text: &str) -> Result<u32, String> {
        if let Some(at) = self.names.iter().position(|name| *name == text) {
            return Ok(self.min + u32::try_from(at).unwrap_or(0));
        }
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_digits);
        number.filter(|n| (self.min..=self.max).contains(n)).ok_or_else(|| self.wrong(text))
    }

    fn wrong(&self, text: &str) -> String {
        let (name, min, max) = (self.name, self.min, self.max);
        format!("`{text}` is not a {name}: {min} to {max}, ranges, lists and steps such as */5")
    }
}

fn bits(values: impl Iterator<Item = u32>) -> u64 {
    values.fold(0, |set, value| set | 1 << value)
}

fn has(set: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| set & (1 << value) != 0)
}

/// The least value of the set at or after this one.
fn at_least(set: u64, value: i8) -> Option<i8> {
    let shift = u32::try_from(value).ok().filter(|shift| *shift < 64)?;
    let rest = set >> shift;
    (rest != 0).then(|| value + i8::try_from(rest.trailing_zeros()).unwrap_or(0))
}

const MINUTE: Field = Field { name: "minute", min: 0, max: 59, names: &[] };
const HOUR: Field = Field { name: "hour", min: 0, max: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", min: 1, max: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAY: Field = Field {
    name: "day of the week",
    min: 0,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
/// 29 February comes at least every eight years; a weekday on it at least every 40.
const SEARCH_YEARS: i16 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, from: &str) -> String {
        let cron = Cron::parse(expression).unwrap();
        cron.next(from.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_the_first_that_matches() {
        for (expression, from, expected) in [
            ("* * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:00"),
            ("* * * * *", "2026-01-01T00:00:01", "2026-01-01T00:01:00"),
            ("30 2 * * *", "2026-01-01T02:31:00", "2026-01-02T02:30:00"),
            ("*/20 5-6 * * *", "2026-01-01T05:41:00", "2026-01-01T06:00:00"),
            ("5/20 * * * *", "2026-01-01T05:26:00", "2026-01-01T05:45:00"),
            ("0 0 L * *", "2028-02-01T00:00:00", "2028-02-29T00:00:00"),
            ("0 0 LW * *", "2026-05-01T00:00:00", "2026-05-29T00:00:00"),
            ("0 0 * * FRI#2", "2026-05-01T00:00:00", "2026-05-08T00:00:00"),
            ("0 0 * * 5L", "2026-05-01T00:00:00", "2026-05-29T00:00:00"),
            ("0 0 * * 7", "2026-05-01T00:00:00", "2026-05-03T00:00:00"),
            // Either day, for neither field begins with a star.
            ("0 0 13 * FRI", "2026-05-01T00:00:01", "2026-05-08T00:00:00"),
            // Both, for one does.
            ("0 0 */2 * FRI", "2026-05-02T00:00:00", "2026-05-15T00:00:00"),
            ("0 0 29 2 *", "2026-05-02T00:00:00", "2028-02-29T00:00:00"),
        ] {
            assert_eq!(next(expression, from), expected, "{expression} from {from}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (expression, expected) in [
            ("* * * *", "4 fields, and cron has five"),
            ("0 * * * * *", "6 fields, and cron has five"),
            ("60 * * * *", "`60` is not a minute: 0 to 59"),
            ("* 5-3 * * *", "`5-3` is not a hour"),
            ("*/0 * * * *", "`*/0` is not a minute"),
            ("* * * XYZ *", "`XYZ` is not a month"),
            ("* * * * MON#6", "1 to 5"),
            ("* * 30 2 *", "it never matches"),
            ("+5 * * * *", "`+5` is not a minute"),
        ] {
            let error = Cron::parse(expression).unwrap_err();
            assert!(error.contains(expected), "{expression}: {error}");
        }
    }
}
