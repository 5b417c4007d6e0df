//! Backlog: the whole lines that are taken but not yet in the file.
//!
//! Plain bytes with two marks. Knows no file and no limit.

use super::policy::whole_lines;

/// Room that is kept when the lines are gone; more, left by an outage, is given back.
const KEPT_ROOM_BYTES: usize = 1 << 20;

/// Whole lines in order, each once, until they are settled.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: Vec<u8>,
    /// Where the first line starts; what is before it is settled.
    start: usize,
    /// How many bytes of the first line are already at the end of the current file.
    torn: usize,
}

impl Backlog {
    /// Adds one whole line.
    pub(super) fn push(&mut self, line: &[u8]) {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(line);
    }

    /// The lines.
    pub(super) fn lines(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> u64 {
        self.lines().iter().map(|byte| u64::from(*byte == b'\n')).sum()
    }

    /// How many bytes the lines have.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// Whether there is no line.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of the first line are already at the end of the current file.
    pub(super) fn torn(&self) -> usize {
        self.torn
    }

    /// The first `bytes` are in the file, of which only the whole lines are settled.
    pub(super) fn settle(&mut self, bytes: usize) {
        let whole = whole_lines(self.lines(), bytes);
        self.torn = bytes.saturating_sub(whole);
        self.start += whole;
        if self.is_empty() {
            self.start = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_ROOM_BYTES);
        }
    }

    /// The first line has to be written from its beginning: the file that had a part of it is gone.
    pub(super) fn restart_line(&mut self) {
        self.torn = 0;
    }
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
}
