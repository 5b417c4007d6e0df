//! Quantiles: exact while there are few numbers, then a sketch with a bounded relative error.
//!
//! The sketch is DDSketch (Masson, Rim, Lee, 2019): counters of buckets whose bounds grow by a
//! constant factor. Partial results merge without loss.

/// How far an estimate may be off, as a share of the value.
pub(crate) const RELATIVE_ERROR: f64 = 0.005;
/// Each bound is so many times the one before.
const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);
/// Buckets in a factor of e: 1 / ln(GAMMA).
const PER_LN: f64 = 99.99916666111281;
/// What is nearer to zero counts as zero, and what is beyond the other as that.
const LEAST: f64 = 1e-12;
const GREATEST: f64 = 1e21;

/// The numbers of a group: themselves, or the sketch that has taken them in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quantiles {
    numbers: Vec<f64>,
    sketch: Option<Box<Sketch>>,
}

/// Counters of buckets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sketch {
    negative: Buckets,
    zero: u64,
    positive: Buckets,
    least: f64,
    greatest: f64,
}

/// Counters of neighbouring buckets, beginning with that of number `first`.
#[derive(Debug, Clone, Default)]
struct Buckets {
    first: i32,
    counts: Vec<u64>,
}

impl Quantiles {
    /// Adds a number that occurs `times` times; up to `exact` numbers are kept themselves.
    pub(crate) fn add(&mut self, number: f64, times: u64, exact: usize) {
        match &mut self.sketch {
            Some(sketch) => sketch.add(number, times),
            None if self.numbers.len() as u64 + times <= exact as u64 => {
                self.numbers.extend((0..times).map(|_| number));
            }
            None => self.sketch().add(number, times),
        }
    }

    pub(crate) fn merge(&mut self, other: Self, exact: usize) {
        match other.sketch {
            Some(other) => self.sketch().merge(&other),
            None => other.numbers.into_iter().for_each(|number| self.add(number, 1, exact)),
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.sketch.is_none()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let of_sketch = |sketch: &Sketch| {
            let counters = sketch.negative.counts.capacity() + sketch.positive.counts.capacity();
            size_of::<Sketch>() + counters * size_of::<u64>()
        };
        self.numbers.capacity() * size_of::<f64>() + self.sketch.as_deref().map_or(0, of_sketch)
    }

    /// The least number that is not less than this share of the numbers.
    pub(crate) fn at(&mut self, share: f64) -> Option<f64> {
        if let Some(sketch) = &self.sketch {
            return sketch.at(share);
        }
        let at = usize::try_from(place(share, self.numbers.len() as u64)?).ok()?;
        let (_, found, _) = self.numbers.select_nth_unstable_by(at, f64::total_cmp);
        Some(*found)
    }

    fn sketch(&mut self) -> &mut Sketch {
        let numbers = std::mem::take(&mut self.numbers);
        self.sketch.get_or_insert_with(|| {
            let mut sketch =
                Sketch { least: f64::INFINITY, greatest: f64::NEG_INFINITY, ..Sketch::default() };
            numbers.iter().for_each(|number| sketch.add(*number, 1));
            Box::new(sketch)
        })
    }
}

/// Which of `count` numbers in order is the quantile: that of number ⌈share × count⌉, from one on.
#[expect(clippy::cast_possible_truncation, reason = "at most the count")]
#[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn place(share: f64, count: u64) -> Option<u64> {
    // 0.07 × 100 is a little more than 7 in floats, and must not be the eighth.
    let rank = (share * count as f64 - 1e-9).ceil() as u64;
    (count > 0).then(|| rank.clamp(1, count) - 1)
}

impl Sketch {
    fn add(&mut self, number: f64, times: u64) {
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
        match number {
            _ if number > LEAST => self.positive.add(bucket_of(number), times),
            _ if number < -LEAST => self.negative.add(bucket_of(-number), times),
            _ => self.zero += times,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.zero += other.zero;
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    fn at(&self, share: f64) -> Option<f64> {
        let count = self.negative.total() + self.zero + self.positive.total();
        let mut left = place(share, count)?;
        if left == 0 {
            return Some(self.least);
        }
        if left + 1 == count {
            return Some(self.greatest);
        }
        // The most negative first: the greatest amount.
        let negative = self.negative.iter().rev().map(|(at, count)| (-middle_of(at), count));
        let zero = std::iter::once((0.0, self.zero));
        let positive = self.positive.iter().map(|(at, count)| (middle_of(at), count));
        for (middle, count) in negative.chain(zero).chain(positive) {
            if left < count {
                return Some(middle.clamp(self.least, self.greatest));
            }
            left -= count;
        }
        Some(self.greatest)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the amount is within a few thousand buckets")]
fn bucket_of(amount: f64) -> i32 {
    (amount.clamp(LEAST, GREATEST).ln() * PER_LN).ceil() as i32
}

/// As near to both ends of the bucket as can be.
fn middle_of(bucket: i32) -> f64 {
    2.0 * GAMMA.powi(bucket) / (GAMMA + 1.0)
}

impl Buckets {
    fn add(&mut self, bucket: i32, times: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let missing = bucket.abs_diff(self.first) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let at = bucket.abs_diff(self.first) as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += times;
        }
    }

    fn merge(&mut self, other: &Self) {
        other.iter().filter(|(_, count)| *count > 0).for_each(|(at, count)| self.add(at, count));
    }

    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        let len = i32::try_from(self.counts.len()).unwrap_or(i32::MAX);
        (self.first..self.first.saturating_add(len)).zip(self.counts.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_number_of_buckets_is_that_of_the_factor() {
        assert!((PER_LN * GAMMA.ln() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_quantile_is_the_least_number_that_is_not_less_than_its_share() {
        let of = |share: f64| {
            let mut numbers = Quantiles::default();
            (1..=100).for_each(|n| numbers.add(f64::from(n), 1, 1000));
            numbers.at(share)
        };
        assert_eq!(of(0.0), Some(1.0));
        assert_eq!(of(0.07), Some(7.0));
        assert_eq!(of(0.5), Some(50.0));
        assert_eq!(of(0.99), Some(99.0));
        assert_eq!(of(1.0), Some(100.0));
        assert_eq!(Quantiles::default().at(0.5), None);
    }

    proptest! {
        #[test]
        fn an_estimate_is_within_its_error_however_the_parts_were_merged(
            numbers in proptest::collection::vec(
                prop_oneof![-1e9..1e9_f64, -1.0..1.0_f64, Just(0.0)], 1..300),
            cut in 0..300_usize,
            share in 0.0..=1.0_f64,
        ) {
            let [mut exact, mut a, mut b] = [(); 3].map(|()| Quantiles::default());
            for (at, number) in numbers.iter().enumerate() {
                exact.add(*number, 1, usize::MAX);
                if at < cut { a.add(*number, 1, 0) } else { b.add(*number, 1, 3) }
            }
            a.merge(b, 0);
            prop_assert!(!a.is_exact());
            let (expected, found) = (exact.at(share).unwrap(), a.at(share).unwrap());
            let allowed = expected.abs() * RELATIVE_ERROR * 1.000_001 + LEAST;
            prop_assert!((expected - found).abs() <= allowed, "{expected} {found}");
        }
    }
}
