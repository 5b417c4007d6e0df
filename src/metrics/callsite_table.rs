//! CallsiteTable: a value for each callsite, found by its number without a lock.
//!
//! Knows the numbers of callsites. Does not know what is kept for them. Grows by chunks; a callsite
//! beyond the last one has no place.

use std::sync::OnceLock;

const CHUNK: usize = 256;
const CHUNKS: usize = 256;

/// Values of up to 65 536 callsites, each at its default until somebody changes it.
#[derive(Debug)]
pub(crate) struct CallsiteTable<T>(Box<[OnceLock<Box<[T]>>]>);

impl<T> Default for CallsiteTable<T> {
    fn default() -> Self {
        Self((0..CHUNKS).map(|_| OnceLock::new()).collect())
    }
}

impl<T: Default> CallsiteTable<T> {
    /// The place of the callsite of that number.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let chunk = self.0.get(index / CHUNK)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| T::default()).collect());
        chunk.get(index % CHUNK)
    }

    /// All places up to now.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(OnceLock::get).flat_map(|chunk| chunk.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn each_callsite_has_its_place_up_to_the_last() {
        let table = CallsiteTable::<Cell<u32>>::default();
        for index in [0, 255, 256, CHUNK * CHUNKS - 1] {
            table.get(index).unwrap().set(7);
        }
        assert!(table.get(CHUNK * CHUNKS).is_none());
        assert_eq!(table.iter().filter(|place| place.get() == 7).count(), 4);
        assert_eq!(table.iter().count(), 3 * CHUNK);
    }
}
