//! Scan: iterates over a segment's entries, skipping damaged bytes.
//!
//! Holds one window of the file in memory. Knows no other segment.

use super::disk::{DiskFile, as_u64, read_full};
use super::entry::{self, Found, Head};
use std::io;

/// How much is read at once, unless an entry is longer.
const WINDOW_BYTES: usize = 256 << 10;

/// A place in an open segment.
#[derive(Debug)]
pub(super) struct Scan {
    file: Box<dyn DiskFile>,
    seed: u32,
    /// Where the next entry is looked for.
    offset: u64,
    /// Bytes of the file, from `window_at` on.
    window: Vec<u8>,
    window_at: u64,
}

/// An entry that was found.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) head: Head,
    pub(super) content: Vec<u8>,
    /// Where it begins.
    pub(super) at: u64,
}

impl Scan {
    pub(super) fn new(file: Box<dyn DiskFile>, seed: u32) -> Self {
        Self { file, seed, offset: 0, window: Vec::new(), window_at: 0 }
    }

    /// Goes to a place in the segment.
    pub(super) fn go_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// Where it is.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The file, to be written to.
    pub(super) fn into_file(self) -> Box<dyn DiskFile> {
        self.file
    }

    /// The next undamaged entry of which `wanted` says so, before `end`.
    ///
    /// Each turn comes nearer to the end or reads more of the file, whatever the bytes are.
    pub(super) fn next(
        &mut self,
        end: u64,
        wanted: impl Fn(&Head) -> bool,
    ) -> io::Result<Option<Entry>> {
        while self.offset < end {
            let begin = self.offset.checked_sub(self.window_at).map(to_usize);
            let there = begin.and_then(|begin| self.window.get(begin..)).unwrap_or_default();
            let left = to_usize(end - self.offset);
            let there = there.get(..left).unwrap_or(there);
            match entry::look(there, self.seed) {
                Found::Entry(head, content) => {
                    let at = self.offset;
                    self.offset = at.saturating_add(as_u64(head.entry_bytes()));
                    if wanted(&head) {
                        return Ok(Some(Entry { head, content: content.to_vec(), at }));
                    }
                }
                Found::Nothing(bytes) => self.offset = self.offset.saturating_add(as_u64(bytes)),
                // The segment ends in the middle of it.
                Found::Unsure(needed) if needed > left => self.offset += 1,
                Found::Unsure(needed) => {
                    let before = there.len();
                    // Not beyond the end: the writer may be writing there.
                    if self.fill(needed.max(WINDOW_BYTES).min(left))? <= before {
                        // The file is shorter than it should be.
                        self.offset = end;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Reads the window again from the offset on; says how much there is.
    fn fill(&mut self, bytes: usize) -> io::Result<usize> {
        self.window.resize(bytes, 0);
        self.window_at = self.offset;
        let read = read_full(&mut *self.file, self.offset, &mut self.window);
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        read
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
