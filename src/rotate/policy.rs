//! Policy: what to do next, decided from numbers.
//!
//! Pure: knows sizes, counts, ages and instants; knows no file and no calendar. Where a line ends
//! is all it asks of the bytes.

use std::time::{Duration, Instant};

/// What the writer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Write this many bytes of the pending lines, which are whole lines.
    Write(usize),
    /// Start a new file first: not one more line fits.
    Rotate,
}

/// How full the current file is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    /// Its size.
    pub(super) current_bytes: u64,
    /// How many of these bytes are the beginning of the first pending line.
    pub(super) torn_bytes: u64,
    /// The size it must not pass.
    pub(super) max_bytes: u64,
    /// Whether a new file can be started now; if not, the limit yields rather than the lines.
    pub(super) may_rotate: bool,
}

/// Decides what becomes of `pending`, a series of whole lines.
///
/// As many lines as fit are written at once. A line that began in this file ends in it, and a
/// line longer than `max_bytes` has its own file: both are exceptions from the limit, because
/// a line is never split and never lost.
pub(super) fn next(pending: &[u8], fill: Fill) -> Step {
    if !fill.may_rotate {
        return Step::Write(pending.len());
    }
    let before = fill.current_bytes.saturating_sub(fill.torn_bytes);
    let room = fill.max_bytes.saturating_sub(before);
    match whole_lines(pending, usize::try_from(room).unwrap_or(usize::MAX)) {
        0 if before == 0 || fill.torn_bytes > 0 => Step::Write(first_line(pending)),
        0 => Step::Rotate,
        fits => Step::Write(fits),
    }
}

/// How many of the first `limit` bytes are whole lines.
pub(super) fn whole_lines(bytes: &[u8], limit: usize) -> usize {
    let head = bytes.get(..limit).unwrap_or(bytes);
    head.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

/// The length of the first line.
fn first_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1)
}

/// How many backups are kept, how old and how large.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retention {
    pub(super) count: u32,
    pub(super) max_age: Option<Duration>,
    /// Of the current file and its backups, as they are on the disk.
    pub(super) max_total_bytes: Option<u64>,
}

/// What retention asks of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) bytes: u64,
    /// How long ago it was last written to.
    pub(super) age: Duration,
}

/// Which backups to delete, by their index in the list; the newest comes first.
///
/// Counts files, not numbers: a gap, left by a crash or by somebody's `rm`, costs no backup. What
/// is beyond the count or the size goes with all that are older.
pub(super) fn surplus(backups: &[Kept], current_bytes: u64, limits: &Retention) -> Vec<usize> {
    let mut total_bytes = current_bytes;
    let mut is_full = false;
    let mut gone = Vec::new();
    for (place, backup) in backups.iter().enumerate() {
        total_bytes = total_bytes.saturating_add(backup.bytes);
        is_full |= u64::try_from(place).unwrap_or(u64::MAX) >= u64::from(limits.count)
            || limits.max_total_bytes.is_some_and(|max| total_bytes > max);
        if is_full || limits.max_age.is_some_and(|max| backup.age > max) {
            gone.push(place);
        }
    }
    gone
}

/// The wall clock, less its jumps: by it nothing is taken for old.
///
/// A clock that is set years forward by mistake must not empty the directory. So a jump is only
/// believed when it has lasted a day; meanwhile the time that has really passed counts.
#[derive(Debug)]
pub(super) struct SteadyClock {
    /// A moment that was believed, by both clocks.
    believed: (Duration, Instant),
    jumped_at: Option<Instant>,
}

impl SteadyClock {
    const JUMP: Duration = Duration::from_secs(3_600);
    const BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3_600);

    /// Believes what the clock shows at the start; `wall` is the time since 1970.
    pub(super) fn new(wall: Duration, now: Instant) -> Self {
        Self { believed: (wall, now), jumped_at: None }
    }

    /// The time since 1970 that is believed.
    pub(super) fn at(&mut self, wall: Duration, now: Instant) -> Duration {
        let expected = self.believed.0 + now.saturating_duration_since(self.believed.1);
        let jumped_for = match wall.abs_diff(expected) <= Self::JUMP {
            true => None,
            false => Some(now.saturating_duration_since(*self.jumped_at.get_or_insert(now))),
        };
        match jumped_for {
            Some(length) if length < Self::BELIEVED_AFTER => expected,
            _ => {
                *self = Self::new(wall, now);
                wall
            }
        }
    }
}

/// A time in which something that failed is not tried again.
#[derive(Debug, Default)]
pub(super) struct Pause {
    until: Option<Instant>,
}

impl Pause {
    /// Whether it may be tried (again).
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    /// It failed: starts a pause and says whether this is the first failure since a success.
    pub(super) fn begin(&mut self, now: Instant, length: Duration) -> bool {
        self.until.replace(now + length).is_none()
    }

    /// It succeeded.
    pub(super) fn end(&mut self) {
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line by line, as one would do it by hand.
    fn naive(lines: &[u64], current: u64, max: u64) -> Step {
        let mut taken = 0;
        for line in lines {
            if current + taken + line > max {
                break;
            }
            taken += line;
        }
        match (taken, current) {
            (0, 0) => Step::Write(lines[0] as usize),
            (0, _) => Step::Rotate,
            (n, _) => Step::Write(n as usize),
        }
    }

    fn text(lines: &[u64]) -> Vec<u8> {
        lines.iter().flat_map(|n| [vec![b'x'; *n as usize - 1], vec![b'\n']].concat()).collect()
    }

    #[test]
    fn every_small_case_agrees_with_the_naive_model() {
        for max_bytes in 1..=9 {
            for current_bytes in 0..=11 {
                for (a, b, c) in
                    (1..=6).flat_map(|a| (1..=6).flat_map(move |b| (1..=6).map(move |c| (a, b, c))))
                {
                    let fill = Fill { current_bytes, torn_bytes: 0, max_bytes, may_rotate: true };
                    for lines in [&[a, b, c][..], &[a, b], &[a]] {
                        let expected = naive(lines, current_bytes, max_bytes);
                        assert_eq!(next(&text(lines), fill), expected, "{fill:?} {lines:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_line_that_began_in_this_file_ends_in_it_in_every_small_case() {
        for max_bytes in 1..=9 {
            for before in 0..=9 {
                for line in 2..=6 {
                    for torn_bytes in 1..line {
                        let current_bytes = before + torn_bytes;
                        let fill = Fill { current_bytes, torn_bytes, max_bytes, may_rotate: true };
                        match next(&text(&[line, 3]), fill) {
                            Step::Write(n) => assert!(n == line as usize || n == line as usize + 3),
                            Step::Rotate => panic!("{fill:?} {line}"),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_new_file_the_limit_yields_and_not_the_lines() {
        let fill = Fill { current_bytes: 100, torn_bytes: 0, max_bytes: 100, may_rotate: false };
        assert_eq!(next(b"one\ntwo\n", fill), Step::Write(8));
    }

    #[test]
    fn the_largest_limit_is_no_limit() {
        let fill = Fill { current_bytes: 5, torn_bytes: 0, max_bytes: u64::MAX, may_rotate: true };
        assert_eq!(next(b"one\ntwo\n", fill), Step::Write(8));
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn every_small_set_keeps_its_newest_within_all_limits() {
        for sizes in 0u64..243 {
            let bytes = |place: u32| sizes / 3u64.pow(place) % 3;
            let backups: Vec<Kept> =
                (0..5).map(|place| Kept { bytes: bytes(place), age: SECOND * place }).collect();
            for count in 0..=6 {
                for max_total in 0..=8 {
                    for max_age in 0..=5 {
                        let limits = Retention {
                            count,
                            max_age: Some(SECOND * max_age),
                            max_total_bytes: Some(max_total),
                        };
                        let gone = surplus(&backups, 1, &limits);
                        let kept = 5 - gone.len();
                        assert_eq!(gone, (kept..5).collect::<Vec<_>>(), "not the oldest");
                        // As many as the limits allow, and one more would be too many.
                        let total = |n: usize| backups[..n].iter().map(|b| b.bytes).sum::<u64>();
                        let fits = |n: usize| {
                            let all_fit = n <= count as usize && n <= max_age as usize + 1;
                            n == 0 || all_fit && total(n) < max_total
                        };
                        assert!(fits(kept) && (kept == 5 || !fits(kept + 1)), "{limits:?} {kept}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_old_backup_among_newer_ones_goes_alone() {
        let kept = |age| Kept { bytes: 1, age: SECOND * age };
        let limits = Retention { count: 9, max_age: Some(SECOND * 5), max_total_bytes: None };
        assert_eq!(surplus(&[kept(1), kept(9), kept(5), kept(6)], 0, &limits), [1, 3]);
        let limits = Retention { count: 9, max_age: None, max_total_bytes: None };
        assert!(surplus(&[kept(1), kept(9)], u64::MAX, &limits).is_empty());
    }

    #[test]
    fn a_jump_of_the_clock_makes_nothing_old_until_it_has_lasted_a_day() {
        let (year, hour) = (SECOND * 31_536_000, SECOND * 3_600);
        let (wall, start) = (year * 50, Instant::now());
        let mut clock = SteadyClock::new(wall, start);
        assert_eq!(clock.at(wall + hour, start + hour), wall + hour);
        // Years forward for an hour, a day back for an hour, right again.
        assert_eq!(clock.at(wall + year * 3, start + hour), wall + hour);
        assert_eq!(clock.at(wall + year * 3 + hour, start + hour * 2), wall + hour * 2);
        assert_eq!(clock.at(wall - hour * 24, start + hour * 3), wall + hour * 3);
        assert_eq!(clock.at(wall + hour * 4, start + hour * 4), wall + hour * 4);
        // Seconds of correction are no jump.
        assert_eq!(clock.at(wall + hour * 5 + SECOND, start + hour * 5), wall + hour * 5 + SECOND);
        // One that stays is the time.
        let jumped = wall + year;
        assert!(clock.at(jumped + hour * 6, start + hour * 6) < jumped);
        assert!(clock.at(jumped + hour * 29, start + hour * 29) < jumped);
        assert_eq!(clock.at(jumped + hour * 30, start + hour * 30), jumped + hour * 30);
    }

    #[test]
    fn a_pause_ends_by_time_or_by_success_and_only_its_first_failure_is_news() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut pause = Pause::default();
        assert!(pause.is_over(start));
        assert!(pause.begin(start, second));
        assert!(!pause.is_over(start));
        assert!(pause.is_over(start + second));
        assert!(!pause.begin(start + second, second));
        pause.end();
        assert!(pause.is_over(start));
        assert!(pause.begin(start, second));
    }
}
