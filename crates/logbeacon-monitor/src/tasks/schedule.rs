//! Schedule: when a task is due, across changes of the clock.
//!
//! Knows: zones, and the three ways in which schedulers treat a local time that does not exist or
//! exists twice. Must not know: runs or pings. In: a moment; out: the next due moment.

use super::cron::Cron;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::ops::RangeInclusive;

/// When a task is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// By an expression and the wall clock of a zone.
    Cron {
        /// The expression.
        cron: Cron,
        /// Whose wall clock.
        zone: TimeZone,
        /// What the job's scheduler does when that clock changes.
        dst: Dst,
    },
    /// So long after the last start.
    Every {
        /// Milliseconds.
        period_ms: u64,
    },
}

/// What a job's scheduler does with local times that do not exist or exist twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dst {
    /// As Debian's cron: a job at fixed hours and minutes runs once on every day, just after the
    /// gap or in the first pass; all others follow real time.
    Debian,
    /// Skipped in the gap, twice in the overlap.
    RealTime,
    /// Skipped in the gap, once in the overlap.
    Skip,
}

impl Schedule {
    /// The schedule in words: a change of it is a change of these.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Every { period_ms } => format!("every {period_ms} ms"),
            Self::Cron { cron, zone, dst } => {
                let zone = zone.iana_name().unwrap_or("UTC");
                format!("{} {zone} {dst:?}", cron.text())
            }
        }
    }

    /// The first due moment after this one, in milliseconds since 1970. None if there is none in 50
    /// years.
    #[must_use]
    pub fn next(&self, after_ms: i64) -> Option<i64> {
        match self {
            Self::Every { period_ms } => after_ms.checked_add_unsigned((*period_ms).max(1)),
            Self::Cron { cron, zone, dst } => {
                let after = Timestamp::from_millisecond(after_ms).ok()?;
                Local { cron, zone }.next(after, *dst).map(Timestamp::as_millisecond)
            }
        }
    }

    /// Whether every scheduler would run at that due moment, whatever it does when the clock
    /// changes. Only within three hours of a change they differ.
    #[must_use]
    pub fn is_certain(&self, due_ms: i64) -> bool {
        let Self::Cron { cron, zone, .. } = self else { return true };
        let Ok(due) = Timestamp::from_millisecond(due_ms) else { return true };
        if !self.is_near_change(due_ms) {
            return true;
        }
        let Ok(before) = due.checked_sub(SignedDuration::from_millis(1)) else { return true };
        let local = Local { cron, zone };
        [Dst::Debian, Dst::RealTime, Dst::Skip]
            .into_iter()
            .all(|dst| local.next(before, dst) == Some(due))
    }

    /// Whether the zone's clock changes within three hours of that moment.
    #[must_use]
    pub fn is_near_change(&self, at_ms: i64) -> bool {
        let Self::Cron { zone, .. } = self else { return false };
        let near = SignedDuration::from_hours(3);
        let around = |at: Timestamp| Some((at.checked_sub(near).ok()?, at.checked_add(near).ok()?));
        let at = Timestamp::from_millisecond(at_ms).ok();
        at.and_then(around).is_some_and(|(from, to)| changes_within(zone, from..=to))
    }

    /// The shortest time between two due moments of the next year, in milliseconds, looking at up
    /// to 2 000 of them.
    #[must_use]
    pub fn shortest_gap_ms(&self, from_ms: i64) -> Option<i64> {
        let mut last = self.next(from_ms)?;
        let mut shortest = None;
        for _ in 0..LOOK_AT {
            let Some(next) = self.next(last).filter(|next| next - from_ms < YEAR_MS) else { break };
            shortest = Some(shortest.unwrap_or(i64::MAX).min(next - last));
            last = next;
        }
        shortest
    }
}

/// An expression by the wall clock of a zone.
#[derive(Clone, Copy)]
struct Local<'a> {
    cron: &'a Cron,
    zone: &'a TimeZone,
}

impl Local<'_> {
    fn next(self, after: Timestamp, dst: Dst) -> Option<Timestamp> {
        match dst {
            Dst::Debian if !self.cron.is_fixed() => self.real_time(after),
            Dst::RealTime => self.real_time(after),
            Dst::Debian | Dst::Skip => self.once(after, dst),
        }
    }

    /// Between two changes of the clock local time is real time plus an offset.
    fn real_time(self, after: Timestamp) -> Option<Timestamp> {
        let mut from = after.checked_add(SignedDuration::from_millis(1)).ok()?;
        let end = after.checked_add(SignedDuration::from_hours(SEARCH_HOURS)).ok()?;
        while from < end {
            let offset = self.zone.to_offset(from);
            let change = self.zone.following(from).next().map(|change| change.timestamp());
            let due = self.cron.next(offset.to_datetime(from))?;
            let due = offset.to_timestamp(due).ok()?;
            match change.filter(|change| *change <= due) {
                None => return Some(due),
                Some(change) => from = change,
            }
        }
        None
    }

    /// Each local time once.
    fn once(self, after: Timestamp, dst: Dst) -> Option<Timestamp> {
        let day = SignedDuration::from_hours(26);
        // A change may have moved due moments of up to a day before.
        let is_quiet =
            after.checked_sub(day).is_ok_and(|from| !changes_within(self.zone, from..=after));
        let mut local = self.zone.to_datetime(after);
        if !is_quiet {
            local = local.checked_sub(day).ok()?;
        }
        loop {
            local = self.cron.next(local)?;
            if let Some(due) = self.place(local, dst).filter(|due| *due > after) {
                return Some(due);
            }
            local = local.checked_add(SignedDuration::from_mins(1)).ok()?;
        }
    }

    /// When a local time is: in the overlap its first pass, in the gap the first minute after it.
    fn place(self, local: DateTime, dst: Dst) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { .. } if dst == Dst::Skip => None,
            AmbiguousOffset::Gap { after, .. } => {
                let before_gap = after.to_timestamp(local).ok()?;
                let end = self.zone.following(before_gap).next()?.timestamp();
                let local_end = after.to_datetime(end);
                let seconds = i64::from(local_end.second());
                let rest = if seconds == 0 { 0 } else { 60 - seconds };
                end.checked_add(SignedDuration::from_secs(rest)).ok()
            }
        }
    }
}

fn changes_within(zone: &TimeZone, time: RangeInclusive<Timestamp>) -> bool {
    zone.following(*time.start()).next().is_some_and(|change| change.timestamp() <= *time.end())
}

/// How many due moments are looked at for the shortest time between two.
const LOOK_AT: usize = 2_000;
const YEAR_MS: i64 = 366 * 86_400_000;
/// Fifty years.
const SEARCH_HOURS: i64 = 50 * 366 * 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(expression: &str, zone: &str, dst: Dst) -> Schedule {
        let zone = TimeZone::get(zone).unwrap();
        Schedule::Cron { cron: Cron::parse(expression).unwrap(), zone, dst }
    }

    /// The local times, with offsets, at which it is due on that day.
    fn due_on(expression: &str, zone: &str, day: &str, dst: Dst) -> Vec<String> {
        let schedule = schedule(expression, zone, dst);
        let zone = TimeZone::get(zone).unwrap();
        let day: jiff::civil::Date = day.parse().unwrap();
        let ms = |day: jiff::civil::Date| {
            day.to_zoned(zone.clone()).unwrap().timestamp().as_millisecond()
        };
        let (mut at, end) = (ms(day) - 1, ms(day.tomorrow().unwrap()));
        let mut due = Vec::new();
        while let Some(next) = schedule.next(at).filter(|next| *next < end) {
            let local = Timestamp::from_millisecond(next).unwrap().to_zoned(zone.clone());
            due.push(local.strftime("%H:%M%:z").to_string());
            at = next;
        }
        due
    }

    const BERLIN: &str = "Europe/Berlin";
    const GAP: &str = "2026-03-29";
    const OVERLAP: &str = "2026-10-25";

    #[test]
    fn debians_rule_decides_in_gap_and_overlap() {
        let due = |expression, day| due_on(expression, BERLIN, day, Dst::Debian).join(" ");
        assert_eq!(due("30 2 * * *", GAP), "03:00+02:00");
        assert_eq!(due("30 2 * * *", OVERLAP), "02:30+02:00");
        assert_eq!(due("0 1-3 * * *", GAP), "01:00+01:00 03:00+02:00");
        assert_eq!(due("0 1-3 * * *", OVERLAP), "01:00+02:00 02:00+02:00 03:00+01:00");
        assert_eq!(due("30 1,2,3 * * *", GAP), "01:30+01:00 03:00+02:00 03:30+02:00");
        assert_eq!(due("0 2,14 * * *", GAP), "03:00+02:00 14:00+02:00");
        assert_eq!(due("0 2,14 * * *", OVERLAP), "02:00+02:00 14:00+01:00");
        assert_eq!(due("*/15 2 * * *", GAP), "");
        assert_eq!(due_on("*/15 2 * * *", BERLIN, OVERLAP, Dst::Debian).len(), 8);
        assert!(due("30 * * * *", OVERLAP).contains("02:30+02:00 02:30+01:00"));
        assert!(due("0 */2 * * *", GAP).starts_with("00:00+01:00 04:00+02:00"));
    }

    /// Minute by minute, as a cron works that looks at the clock each minute.
    #[test]
    fn real_time_is_every_minute_whose_local_time_matches() {
        for (zone, month) in
            [("Australia/Lord_Howe", 4), (BERLIN, 10), ("Africa/Cairo", 4), ("Pacific/Chatham", 4)]
        {
            let zone = TimeZone::get(zone).unwrap();
            let from = jiff::civil::date(2026, month, 1).to_zoned(zone.clone()).unwrap();
            let from = from.timestamp();
            for expression in ["30 * * * *", "*/15 2 * * *", "0 */2 * * *", "* 0,18 * * *"] {
                let cron = Cron::parse(expression).unwrap();
                let minute = |at| from.checked_add(SignedDuration::from_mins(at)).unwrap();
                let matches = |at: &Timestamp| {
                    let local = zone.to_datetime(*at);
                    cron.next(local) == Some(local)
                };
                let expected: Vec<_> = (1..44_000).map(minute).filter(matches).collect();
                let (mut at, mut due) = (from, Vec::new());
                while let Some(next) = (Local { cron: &cron, zone: &zone }).real_time(at)
                    && due.len() < expected.len()
                {
                    due.push(next);
                    at = next;
                }
                assert_eq!(due, expected, "{expression}");
            }
        }
    }

    #[test]
    fn gaps_of_half_an_hour_of_midnight_and_of_a_whole_day() {
        let lord_howe = "Australia/Lord_Howe";
        let due = |expression| due_on(expression, lord_howe, "2026-10-04", Dst::Debian).join(" ");
        assert_eq!(due("45 2 * * *"), "02:45+11:00");
        assert_eq!(due("15 2 * * *"), "02:30+11:00");
        let cairo = due_on("0 0 * * *", "Africa/Cairo", "2026-04-24", Dst::Debian);
        assert_eq!(cairo, ["01:00+03:00"]);
        let apia = due_on("0 12 * * *", "Pacific/Apia", "2011-12-31", Dst::Debian);
        assert_eq!(apia, ["00:00+14:00", "12:00+14:00"]);
    }

    #[test]
    fn other_schedulers_do_otherwise() {
        let due = |day, dst| due_on("30 2 * * *", BERLIN, day, dst).join(" ");
        assert_eq!(due(GAP, Dst::RealTime), "");
        assert_eq!(due(GAP, Dst::Skip), "");
        assert_eq!(due(OVERLAP, Dst::RealTime), "02:30+02:00 02:30+01:00");
        assert_eq!(due(OVERLAP, Dst::Skip), "02:30+02:00");
    }

    #[test]
    fn only_near_a_change_schedulers_differ() {
        let schedule = schedule("30 2 * * *", BERLIN, Dst::Debian);
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        assert!(schedule.is_certain(ms("2026-07-01T00:30:00Z")));
        assert!(!schedule.is_certain(ms("2026-03-29T01:00:00Z")), "some skip it");
        assert!(schedule.is_certain(ms("2026-10-25T00:30:00Z")), "all run the first pass");
        let twice = schedule.next(ms("2026-10-25T00:30:00Z")).unwrap();
        assert!(twice > ms("2026-10-25T02:00:00Z"));
    }

    #[test]
    fn the_shortest_gap_is_found_across_changes() {
        let daily = schedule("30 2 * * *", BERLIN, Dst::Debian);
        let start = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let shortest = daily.shortest_gap_ms(start).unwrap();
        assert_eq!(shortest, 84_600_000, "02:30 on the day before, 03:00 in the gap");
        assert_eq!(Schedule::Every { period_ms: 5 }.shortest_gap_ms(0), Some(5));
    }
}
