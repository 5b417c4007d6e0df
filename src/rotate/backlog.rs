//! Backlog: the whole lines that are taken and not yet settled: in the file, and durable if that is
//! asked for.
//!
//! Plain bytes with three marks. Knows no file; of limits only how much it keeps for the worst
//! case.

use super::policy::whole_lines;
use super::write::as_u64;

/// Room that is kept when the lines are gone; more, left by an outage, is given back.
const KEPT_ROOM_BYTES: usize = 1 << 20;

/// Whole lines in order, each once.
///
/// ```text
///  … forgotten │ written, not known to be durable │ not written … │
///              safe                               start           end
/// ```
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: Vec<u8>,
    /// Where the first line starts that is not known to be durable.
    safe: usize,
    /// Where the first line starts that is not in the file.
    start: usize,
    /// How many bytes of that line are already at the end of the current file.
    torn: usize,
    /// How many bytes have been written in all, whole lines only.
    written: u64,
    /// Marks up to here speak of lines that had to be written again.
    void: u64,
    /// How many bytes are kept after they are written.
    keep_bytes: usize,
}

impl Backlog {
    /// One that keeps at most so many bytes of lines that are written and not yet durable.
    pub(super) fn keeping(keep_bytes: usize) -> Self {
        Self { keep_bytes, ..Self::default() }
    }

    /// Adds one whole line.
    pub(super) fn push(&mut self, line: &[u8]) {
        if self.safe > self.bytes.len() / 2 {
            self.bytes.drain(..self.safe);
            self.start -= self.safe;
            self.safe = 0;
        }
        self.bytes.extend_from_slice(line);
    }

    /// The lines that are not written.
    pub(super) fn lines(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// How many lines are not written.
    pub(super) fn count(&self) -> u64 {
        count(self.lines())
    }

    /// How many bytes the lines have that are not written.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// Whether all lines are written.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of the first line are already at the end of the current file.
    pub(super) fn torn(&self) -> usize {
        self.torn
    }

    /// The first `bytes` are in the file, of which only the whole lines are written.
    pub(super) fn settle(&mut self, bytes: usize) {
        let whole = whole_lines(self.lines(), bytes);
        self.torn = bytes.saturating_sub(whole);
        self.start += whole;
        self.written += as_u64(whole);
        let too_much = self.unsafe_bytes().saturating_sub(self.keep_bytes);
        if too_much > 0 {
            // To the end of the line, so that what is kept begins with a whole one.
            let rest = self.bytes.get(self.safe + too_much - 1..self.start).unwrap_or_default();
            let line_end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            self.safe = (self.safe + too_much + line_end).min(self.start);
        }
        self.give_back();
    }

    /// The first line has to be written from its beginning: the file that had a part of it is gone.
    pub(super) fn restart_line(&mut self) {
        self.torn = 0;
    }

    /// How many bytes are written and kept because they are not known to be durable.
    pub(super) fn unsafe_bytes(&self) -> usize {
        self.start - self.safe
    }

    /// A mark behind all that is written now, for [`is_durable`](Self::is_durable).
    pub(super) fn mark(&self) -> u64 {
        self.written
    }

    /// What was written before that mark is durable.
    pub(super) fn is_durable(&mut self, mark: u64) {
        if mark <= self.void {
            return;
        }
        let behind = usize::try_from(self.written.saturating_sub(mark)).unwrap_or(usize::MAX);
        self.safe = self.safe.max(self.start.saturating_sub(behind));
        self.give_back();
    }

    /// What is not known to be durable has to be written once more; returns how many lines.
    pub(super) fn write_again(&mut self) -> u64 {
        let again = self.bytes.get(self.safe..self.start).map_or(0, count);
        self.void = self.written;
        self.start = self.safe;
        self.torn = 0;
        again
    }

    fn give_back(&mut self) {
        if self.safe == self.bytes.len() {
            (self.safe, self.start) = (0, 0);
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_ROOM_BYTES);
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_settled() {
        let mut backlog = Backlog::default();
        for line in [&b"one\n"[..], b"two\n", b"three\n"] {
            backlog.push(line);
        }
        backlog.settle(6);
        assert_eq!(
            (backlog.lines(), backlog.torn(), backlog.count()),
            (&b"two\nthree\n"[..], 2, 2)
        );
        backlog.settle(4);
        assert_eq!((backlog.lines(), backlog.torn(), backlog.count()), (&b"three\n"[..], 0, 1));
        backlog.settle(3);
        backlog.restart_line();
        assert_eq!((backlog.lines(), backlog.torn()), (&b"three\n"[..], 0));
        backlog.settle(6);
        assert!(backlog.is_empty());
        assert_eq!(backlog.count(), 0);
    }

    #[test]
    fn a_long_life_with_a_short_backlog_needs_little_room() {
        let mut backlog = Backlog::default();
        backlog.push(b"next\n");
        for _ in 0..10_000 {
            backlog.push(b"next\n");
            backlog.settle(5);
        }
        assert!(backlog.bytes.capacity() < 256, "{}", backlog.bytes.capacity());
    }

    #[test]
    fn the_room_of_an_outage_is_given_back() {
        let mut backlog = Backlog::default();
        backlog.push(&[vec![b'x'; 4 << 20], vec![b'\n']].concat());
        backlog.settle(backlog.len());
        assert!(backlog.bytes.capacity() <= KEPT_ROOM_BYTES);
    }

    #[test]
    fn what_is_not_known_to_be_durable_is_written_again() {
        let mut backlog = Backlog::keeping(100);
        for line in [&b"one\n"[..], b"two\n", b"three\n"] {
            backlog.push(line);
        }
        backlog.settle(8);
        let mark = backlog.mark();
        backlog.settle(4);
        assert_eq!((backlog.unsafe_bytes(), backlog.torn()), (8, 4));
        assert_eq!(backlog.write_again(), 2);
        assert_eq!((backlog.lines(), backlog.torn()), (&b"one\ntwo\nthree\n"[..], 0));
        backlog.settle(8);
        let second = backlog.mark();
        backlog.settle(6);
        // An answer about the first writing does not mean the second.
        backlog.is_durable(mark);
        assert_eq!(backlog.unsafe_bytes(), 14);
        backlog.is_durable(second);
        assert_eq!((backlog.unsafe_bytes(), backlog.write_again()), (6, 1));
        backlog.settle(6);
        backlog.is_durable(backlog.mark());
        assert_eq!((backlog.unsafe_bytes(), backlog.write_again()), (0, 0));
        assert!(backlog.bytes.is_empty());
    }

    #[test]
    fn no_more_is_kept_than_is_allowed_and_that_in_whole_lines() {
        for keep in 0..=20 {
            let mut backlog = Backlog::keeping(keep);
            for _ in 0..3 {
                backlog.push(b"1234\n");
                backlog.settle(5);
            }
            assert_eq!(backlog.unsafe_bytes(), (keep / 5 * 5).min(15), "{keep}");
            assert_eq!(backlog.write_again(), (keep as u64 / 5).min(3));
        }
    }
}
