//! Policy: what to do next, decided from numbers.
//!
//! Pure: knows sizes, counts and instants; knows no file. Where a line ends is all it asks of the
//! bytes.

use std::collections::BTreeSet;
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
/// line longer than `max_bytes` has a file of its own: both are exceptions from the limit, because
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

/// Which backups are to be deleted so that `keep` remain: those with the highest numbers.
///
/// Counts files, not numbers: a gap, left by a crash or by somebody's `rm`, costs no backup.
pub(super) fn surplus(numbers: &BTreeSet<u32>, keep: u32) -> Vec<u32> {
    numbers.iter().skip(usize::try_from(keep).unwrap_or(usize::MAX)).copied().collect()
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

    #[test]
    fn every_small_set_keeps_its_newest() {
        for bits in 0u32..256 {
            let numbers: BTreeSet<u32> = (1..=8).filter(|n| bits & (1 << (n - 1)) != 0).collect();
            for keep in 0..=9 {
                let gone = surplus(&numbers, keep);
                let kept: Vec<u32> =
                    numbers.iter().copied().filter(|n| !gone.contains(n)).collect();
                assert_eq!(kept.len(), numbers.len().min(keep as usize));
                assert!(kept.iter().all(|k| gone.iter().all(|g| k < g)));
            }
        }
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
