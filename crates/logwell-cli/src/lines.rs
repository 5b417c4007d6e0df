//! Lines: bytes from anywhere, cut at their line ends, in bounded memory.
//!
//! Knows offsets and `\n`. Does not know what a line means, nor where the bytes come from.

use memchr::memchr;
use std::io::{self, Read};

/// A longer line is not kept: its length is counted, and its bytes are skipped.
///
/// logwell's own lines are at most as long as `max_bytes` of their file, and in practice below
/// 2 MiB: values are cut at 64 KiB, in AI records at 1 MiB.
pub const MAX_LINE_BYTES: usize = 32 << 20;
/// How much is read at once, unless a line is longer.
const CHUNK_BYTES: usize = 256 << 10;

/// Cuts what a reader gives into lines.
///
/// At the end of the source it can be asked again, when the source may have more by then.
///
/// ```
/// use logwell_cli::lines::Lines;
///
/// let mut lines = Lines::new(&b"one\ntwo\nthr"[..]);
/// assert_eq!(lines.next_line()?.unwrap().bytes, b"one");
/// assert_eq!(lines.next_line()?.unwrap().offset, 4);
/// assert!(lines.next_line()?.is_none());
/// assert_eq!(lines.rest().unwrap().bytes, b"thr");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the unread bytes begin and end in the buffer.
    start: usize,
    end: usize,
    /// How far the unread bytes have been searched for a line end.
    searched: usize,
    /// Where in the source `start` is.
    offset: u64,
    /// Bytes of the line that are skipped since it is too long; they are before `start`.
    skipped: u64,
    max_line_bytes: usize,
}

/// A line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Where it begins, in bytes from the beginning of the source.
    pub offset: u64,
    /// The line; empty if it is too long.
    pub bytes: &'a [u8],
    /// How many bytes it had if it is longer than the reader keeps.
    pub too_long: Option<u64>,
}

impl<R: Read> Lines<R> {
    /// Reads from the beginning of `source`.
    pub fn new(source: R) -> Self {
        Self::with_limit(source, MAX_LINE_BYTES)
    }

    /// Reads `source`, whose first byte is at that offset.
    pub fn at(source: R, offset: u64) -> Self {
        Self { offset, ..Self::new(source) }
    }

    /// Keeps lines up to that length.
    pub fn with_limit(source: R, max_line_bytes: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
            offset: 0,
            skipped: 0,
            max_line_bytes,
        }
    }

    /// The next line that has an end. `None` if the source has no more for now; what it has given
    /// since the last line end is kept.
    ///
    /// # Errors
    ///
    /// The source cannot be read. Asked again, it goes on where it was.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        loop {
            let unsearched = self.buffer.get(self.searched..self.end).unwrap_or_default();
            if let Some(at) = memchr(b'\n', unsearched) {
                let line_end = self.searched + at;
                return Ok(Some(self.take(line_end, 1)));
            }
            self.searched = self.end;
            if self.end - self.start > self.max_line_bytes {
                self.skipped += (self.end - self.start) as u64;
                self.start = self.end;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// What follows the last line end: a line without an end, if there is one.
    pub fn rest(&mut self) -> Option<RawLine<'_>> {
        let is_empty = self.start == self.end && self.skipped == 0;
        (!is_empty).then(|| self.take(self.end, 0))
    }

    /// Where the next line begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The source, wherever it is by now.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// The source, wherever it is by now.
    pub fn into_source(self) -> R {
        self.source
    }

    fn take(&mut self, line_end: usize, end_bytes: usize) -> RawLine<'_> {
        let (start, offset) = (self.start, self.offset);
        let length = self.skipped + (line_end - start) as u64;
        let is_too_long = length > self.max_line_bytes as u64;
        self.offset += length + end_bytes as u64;
        self.start = line_end + end_bytes;
        self.searched = self.start;
        self.skipped = 0;
        let bytes = self.buffer.get(start..line_end).filter(|_| !is_too_long);
        RawLine {
            offset,
            bytes: bytes.unwrap_or_default(),
            too_long: is_too_long.then_some(length),
        }
    }

    /// Reads more behind what there is; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK_BYTES / 2 {
            // Twice as much each time: a long line is copied only a few times.
            let wanted = (self.buffer.len() * 2).max(CHUNK_BYTES);
            self.buffer.resize(wanted.min(self.max_line_bytes + 2 * CHUNK_BYTES), 0);
        }
        loop {
            match self.source.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most so many bytes at once.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(out.len()).min(self.0.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    type Own = (u64, Vec<u8>, Option<u64>);

    fn all(source: impl Read, max: usize) -> (Vec<Own>, Option<Own>) {
        let mut lines = Lines::with_limit(source, max);
        let mut found = Vec::new();
        let own = |line: RawLine<'_>| (line.offset, line.bytes.to_vec(), line.too_long);
        while let Some(line) = lines.next_line().unwrap() {
            found.push(own(line));
        }
        let rest = lines.rest().map(own);
        assert!(lines.rest().is_none());
        (found, rest)
    }

    /// What the reader should find, said plainly.
    fn model(bytes: &[u8], max: usize) -> (Vec<Own>, Option<Own>) {
        let mut offset = 0;
        let mut parts: Vec<_> = bytes
            .split(|byte| *byte == b'\n')
            .map(|part| {
                let at = offset;
                offset += part.len() as u64 + 1;
                match part.len() > max {
                    true => (at, Vec::new(), Some(part.len() as u64)),
                    false => (at, part.to_vec(), None),
                }
            })
            .collect();
        let rest = parts.pop().filter(|rest| !rest.1.is_empty() || rest.2.is_some());
        (parts, rest)
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_the_lines_that_splitting_gives(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..400),
            piece in 1_usize..50,
            max in 0_usize..60,
        ) {
            prop_assert_eq!(all(Drip(&bytes, piece), max), model(&bytes, max));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_and_takes_no_more_memory_than_the_limit() {
        let mut text = vec![b'x'; 40 << 20];
        text.extend_from_slice(b"\nshort\n");
        text.extend_from_slice(&vec![b'y'; 3 << 20]);
        let mut lines = Lines::with_limit(&text[..], 1 << 20);
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.bytes.len(), line.too_long), (0, Some(40 << 20)));
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.offset, line.bytes), ((40 << 20) + 1, &b"short"[..]));
        assert!(lines.next_line().unwrap().is_none());
        assert_eq!(lines.rest().unwrap().too_long, Some(3 << 20));
        assert!(lines.buffer.capacity() <= 2 << 20, "{}", lines.buffer.capacity());
    }

    #[test]
    fn more_can_come_after_the_end() {
        struct Two(Vec<&'static [u8]>);
        impl Read for Two {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() {
                    return Ok(0);
                }
                let next = self.0.remove(0);
                out[..next.len()].copy_from_slice(next);
                Ok(next.len())
            }
        }
        let mut lines = Lines::new(Two(vec![b"a\nhal", b"", b"f\n"]));
        assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"a");
        assert!(lines.next_line().unwrap().is_none());
        assert_eq!(lines.offset(), 2);
        assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"half");
        assert!(lines.rest().is_none());
    }
}
