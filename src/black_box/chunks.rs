//! Chunks: which chunks are free, and when one is again.
//!
//! A thread takes a chunk, writes entries, and closes it when it is full; the listener meanwhile
//! says which entries are done. Each chunk has a balance: what was written is added when it is
//! closed, what is done is taken off. Whoever brings the balance of a closed chunk to nothing gives
//! it back. So neither looks at what the other does. Knows no bytes.

use crate::base::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use crate::base::sync::{Mutex, MutexGuard, PoisonError};

/// The chunks of one black box.
#[derive(Debug)]
pub(super) struct Chunks {
    /// The last that came back is the first to go out: it is most likely still in a cache.
    free: Mutex<Vec<u16>>,
    balances: Box<[AtomicI64]>,
    uses: AtomicU64,
}

/// That the caller is to wipe the chunk and give it back.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Emptied(u16);

impl Emptied {
    pub(super) fn chunk(&self) -> u16 {
        self.0
    }
}

impl Chunks {
    pub(super) fn new(count: u16) -> Self {
        Self {
            free: Mutex::new((0..count).rev().collect()),
            balances: (0..count).map(|_| AtomicI64::new(0)).collect(),
            uses: AtomicU64::new(0),
        }
    }

    /// A free chunk and the number of this use of it, if there is one.
    pub(super) fn take(&self) -> Option<(u16, u64)> {
        let chunk = self.free().pop()?;
        Some((chunk, self.uses.fetch_add(1, Ordering::Relaxed) + 1))
    }

    /// Nothing more will be written to the chunk; so many entries were that the listener hears of.
    pub(super) fn close(&self, chunk: u16, written: u32) -> Option<Emptied> {
        self.change(chunk, i64::from(written))
    }

    /// So many of its entries are done.
    pub(super) fn done(&self, chunk: u16, entries: u32) -> Option<Emptied> {
        self.change(chunk, -i64::from(entries))
    }

    fn change(&self, chunk: u16, by: i64) -> Option<Emptied> {
        let balance = self.balances.get(usize::from(chunk))?;
        // Whoever comes second sees all that the first has done with the chunk.
        let before = balance.fetch_add(by, Ordering::AcqRel);
        (before + by == 0).then_some(Emptied(chunk))
    }

    pub(super) fn give_back(&self, emptied: Emptied) {
        self.free().push(emptied.0);
    }

    /// Locked for a push or a pop, once for a chunk.
    fn free(&self) -> MutexGuard<'_, Vec<u16>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_free_again_when_it_is_closed_and_done_in_either_order() {
        let chunks = Chunks::new(1);
        for listener_is_first in [false, true] {
            let (chunk, _) = chunks.take().unwrap();
            assert_eq!(chunks.take(), None);
            assert_eq!(chunks.done(chunk, 2), None);
            let emptied = if listener_is_first {
                assert_eq!(chunks.done(chunk, 3), None);
                chunks.close(chunk, 5)
            } else {
                assert_eq!(chunks.close(chunk, 5), None);
                chunks.done(chunk, 3)
            };
            chunks.give_back(emptied.unwrap());
        }
        let (chunk, number) = chunks.take().unwrap();
        assert_eq!(number, 3);
        let emptied = chunks.close(chunk, 0).expect("nothing was written to it");
        chunks.give_back(emptied);
    }
}
