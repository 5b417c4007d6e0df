//! Gaps: the numbers that are missing in a sequence, as ranges, in bounded memory.
//!
//! Knows numbers. Does not know why one is missing.

/// Numbers that are missing, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The first one.
    pub(super) from: u64,
    /// The last one.
    pub(super) to: u64,
    /// When the record before it happened, in nanoseconds since 1970.
    pub(super) after_ns: i64,
    /// The record after it: in which file, and where in it; `END` if there is none.
    pub(super) before: Place,
}

/// A place in one of several files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Place {
    /// The number of the file in a list.
    pub(super) file: usize,
    /// Bytes from its beginning.
    pub(super) offset: u64,
}

impl Place {
    /// Behind all there is.
    pub(super) const END: Self = Self { file: usize::MAX, offset: 0 };
}

impl Gap {
    /// How many numbers it has.
    #[must_use]
    pub(super) fn count(&self) -> u64 {
        self.to - self.from + 1
    }

    /// The part of it from `from` on and before `to`.
    #[must_use]
    pub(super) fn within(&self, from: u64, to: u64) -> Option<Self> {
        let part =
            Self { from: self.from.max(from), to: self.to.min(to.saturating_sub(1)), ..*self };
        (part.from <= part.to && to > 0).then_some(part)
    }
}

/// So many gaps are kept; of more only the numbers are counted. They are then forgotten from the
/// oldest on, and a number that comes late into one of those counts as a duplicate.
pub(super) const MAX_GAPS: usize = 100_000;

/// The gaps of a sequence, in order.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    list: std::collections::VecDeque<Gap>,
    /// Numbers in gaps that are no longer kept.
    pub(super) forgotten: u64,
}

impl Gaps {
    /// Adds a gap behind all others.
    pub(super) fn push(&mut self, gap: Gap) {
        if self.list.len() == MAX_GAPS
            && let Some(oldest) = self.list.pop_front()
        {
            self.forgotten += oldest.count();
        }
        self.list.push_back(gap);
    }

    /// The number is there after all; whether it was missing.
    pub(super) fn fill(&mut self, number: u64) -> bool {
        let at = self.list.partition_point(|gap| gap.to < number);
        let Some(gap) = self.list.get_mut(at).filter(|gap| gap.from <= number) else {
            return false;
        };
        let whole = *gap;
        let before = Gap { to: number.saturating_sub(1), ..whole };
        let behind = Gap { from: number + 1, ..whole };
        match (whole.from < number, number < whole.to) {
            (false, false) => drop(self.list.remove(at)),
            (true, false) => *gap = before,
            (false, true) => *gap = behind,
            (true, true) => {
                *gap = before;
                self.list.insert(at + 1, behind);
            }
        }
        true
    }

    /// The gap that has the number.
    #[must_use]
    pub(super) fn find(&self, number: u64) -> Option<&Gap> {
        let at = self.list.partition_point(|gap| gap.to < number);
        self.list.get(at).filter(|gap| gap.from <= number)
    }

    /// The parts of gaps from `from` on and before `to`.
    pub(super) fn within(&self, from: u64, to: u64) -> impl Iterator<Item = Gap> {
        let start = self.list.partition_point(move |gap| gap.to < from);
        self.list.iter().skip(start).map_while(move |gap| gap.within(from, to))
    }
}

/// Adds a number to a list in order; nearly always it is the last.
pub(super) fn push_in_order(list: &mut Vec<u64>, number: u64) {
    match list.last() {
        Some(&last) if last >= number => {
            let at = list.partition_point(|known| *known < number);
            if list.get(at) != Some(&number) {
                list.insert(at, number);
            }
        }
        _ => list.push(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn gap(from: u64, to: u64) -> Gap {
        Gap { from, to, after_ns: 0, before: Place::default() }
    }

    fn numbers(gaps: impl Iterator<Item = Gap>) -> Vec<u64> {
        gaps.flat_map(|gap| gap.from..=gap.to).collect()
    }

    proptest! {
        #[test]
        fn gaps_are_the_numbers_that_are_not_there(
            sizes in proptest::collection::vec((1_u64..5, 1_u64..5), 0..8),
            late in proptest::collection::vec(0_u64..60, 0..40),
            from in 0_u64..60, to in 0_u64..60,
        ) {
            let (mut gaps, mut model, mut at) = (Gaps::default(), BTreeSet::new(), 1);
            for (there, missing) in sizes {
                at += there;
                gaps.push(gap(at, at + missing - 1));
                model.extend(at..at + missing);
                at += missing;
            }
            for number in late {
                prop_assert_eq!(gaps.find(number).is_some(), model.contains(&number));
                prop_assert_eq!(gaps.fill(number), model.remove(&number));
                prop_assert_eq!(numbers(gaps.within(0, u64::MAX)), Vec::from_iter(model.iter().copied()));
            }
            let within: Vec<_> = model.iter().copied().filter(|n| (from..to).contains(n)).collect();
            prop_assert_eq!(numbers(gaps.within(from, to)), within);
        }
    }

    #[test]
    fn gaps_without_end_are_counted_and_take_no_more_memory() {
        let mut gaps = Gaps::default();
        let count = MAX_GAPS as u64 + 10;
        (1..=count).for_each(|n| gaps.push(gap(3 * n, 3 * n + 1)));
        assert_eq!(gaps.within(0, u64::MAX).count(), MAX_GAPS);
        assert_eq!(gaps.forgotten, 20);
        assert!(!gaps.fill(3));
        assert!(gaps.fill(3 * count));
    }
}
