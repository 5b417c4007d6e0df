//! Mask: a set of rows of one row group.
//!
//! Knows: bits. Must not know: what the rows hold.

/// Which of so many rows are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    words: Vec<u64>,
    rows: usize,
}

impl Mask {
    pub(crate) fn none(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)], rows }
    }

    pub(crate) fn all(rows: usize) -> Self {
        Self::none(rows).not()
    }

    /// The rows for which `is_in` holds.
    pub(crate) fn of(rows: usize, mut is_in: impl FnMut(usize) -> bool) -> Self {
        let word = |number: usize| {
            let first = number * 64;
            let bits = (first..rows.min(first + 64)).enumerate();
            bits.fold(0, |word, (bit, row)| word | u64::from(is_in(row)) << bit)
        };
        Self { words: (0..rows.div_ceil(64)).map(word).collect(), rows }
    }

    /// The rows in order, out of this mask, for which `is_in` holds.
    pub(crate) fn retain(&mut self, mut is_in: impl FnMut(usize) -> bool) {
        for (number, word) in self.words.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !is_in(number * 64 + bit as usize) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
        self
    }

    pub(crate) fn or(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self
    }

    pub(crate) fn not(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.rows % 64) {
            *last &= (1 << used) - 1;
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(number, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    number * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masks_behave_as_sets(left in prop::collection::vec(any::<(bool, bool)>(), 0..200)) {
            let rows = left.len();
            let a = Mask::of(rows, |row| left[row].0);
            let b = Mask::of(rows, |row| left[row].1);
            let check = |mask: Mask, is_in: &dyn Fn((bool, bool)) -> bool| {
                let expected: Vec<usize> = (0..rows).filter(|row| is_in(left[*row])).collect();
                assert_eq!(mask.iter().collect::<Vec<_>>(), expected);
                assert_eq!(mask.count(), expected.len());
                assert_eq!(mask.is_empty(), expected.is_empty());
            };
            check(a.clone().and(&b), &|(a, b)| a && b);
            check(a.clone().or(&b), &|(a, b)| a || b);
            check(a.clone().not(), &|(a, _)| !a);
            let mut kept = a;
            kept.retain(|row| left[row].1);
            check(kept, &|(a, b)| a && b);
        }
    }
}
