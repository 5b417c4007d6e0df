//! Instruments: counter, gauge and histogram, one series each.
//!
//! Know how a value is kept and read while others change it. Do not know names, labels or families.
//! Increments and observations go in, samples come out.

use crate::metrics::exemplar::{ExemplarSlot, TraceIds};
use crate::metrics::exposition::{FamilyWriter, HistogramSample, LabelSlice};
use crate::metrics::format::{Kind, Number};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds in seconds for the duration of requests, as OpenTelemetry advises for HTTP: 5 ms to 10 s.
pub const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// A number that only grows. Clones count together.
///
/// [`add`](Self::add) is one atomic addition.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<CounterCell>);

#[derive(Debug, Default)]
struct CounterCell {
    count: AtomicU64,
    exemplar: ExemplarSlot,
}

impl Counter {
    /// Counts one more.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Counts `more`.
    #[inline]
    pub fn add(&self, more: u64) {
        self.0.count.fetch_add(more, Ordering::Relaxed);
    }

    /// Counts `more` and keeps the current trace as exemplar, if it is sampled, at most once a
    /// second. OpenMetrics shows it.
    pub fn add_traced(&self, more: u64) {
        self.add(more);
        #[expect(clippy::cast_precision_loss, reason = "an exemplar's value is a float")]
        self.0.exemplar.offer(more as f64);
    }

    /// Brings the counter up to `count`, for one that is counted elsewhere. Lower values do
    /// nothing.
    pub fn raise_to(&self, count: u64) {
        self.0.count.fetch_max(count, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down. Clones show the same number.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<Float>);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Adds to it; a negative number takes away.
    pub fn add(&self, more: f64) {
        self.0.add(more);
    }

    /// Adds one as long as the result lives: for what is under way.
    ///
    /// ```
    /// let registry = logwell::metrics::Registry::new();
    /// let jobs = registry.gauge("jobs_running", "Jobs under way.");
    /// let running = jobs.track();
    /// assert_eq!(jobs.get(), 1.0);
    /// drop(running);
    /// assert_eq!(jobs.get(), 0.0);
    /// ```
    #[must_use = "the gauge goes down when it is dropped"]
    pub fn track(&self) -> Tracked {
        self.add(1.0);
        Tracked(self.clone())
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

/// Something under way that a gauge counts; see [`Gauge::track`].
#[derive(Debug)]
pub struct Tracked(Gauge);

impl Drop for Tracked {
    fn drop(&mut self) {
        self.0.add(-1.0);
    }
}

/// How many observations fell below each of several bounds. Clones count together.
///
/// Its size is fixed by its bounds: it does not grow, whether it is scraped or not.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<HistogramCell>);

#[derive(Debug)]
struct HistogramCell {
    bounds: Arc<[f64]>,
    /// Observations in each bucket alone; the last has no bound.
    buckets: Box<[Bucket]>,
    sum: Float,
}

#[derive(Debug, Default)]
struct Bucket {
    count: AtomicU64,
    exemplar: ExemplarSlot,
}

impl Histogram {
    pub(crate) fn new(bounds: &Arc<[f64]>) -> Self {
        let buckets = (0..=bounds.len()).map(|_| Bucket::default()).collect();
        let bounds = Arc::clone(bounds);
        Self(Arc::new(HistogramCell { bounds, buckets, sum: Float::default() }))
    }

    /// Counts one observation. A bound belongs to its bucket; `NaN` is not counted.
    ///
    /// Keeps the current trace as the bucket's exemplar, if it is sampled, at most once a second.
    pub fn observe(&self, value: f64) {
        if let Some(bucket) = self.count(value) {
            bucket.exemplar.offer(value);
        }
    }

    /// Counts a duration in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Counts an observation of that trace.
    pub(crate) fn observe_in(&self, value: f64, trace: impl FnOnce() -> Option<TraceIds>) {
        if let Some(bucket) = self.count(value) {
            bucket.exemplar.offer_in(value, trace);
        }
    }

    fn count(&self, value: f64) -> Option<&Bucket> {
        if value.is_nan() {
            return None;
        }
        let at = self.0.bounds.partition_point(|bound| *bound < value);
        let bucket = self.0.buckets.get(at)?;
        self.0.sum.add(value);
        bucket.count.fetch_add(1, Ordering::Relaxed);
        Some(bucket)
    }

    /// How many observations there were.
    #[must_use]
    pub fn get_count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.count.load(Ordering::Relaxed)).sum()
    }

    /// The sum of all observations.
    #[must_use]
    pub fn get_sum(&self) -> f64 {
        self.0.sum.get()
    }
}

/// What a family is made of: [`Counter`], [`Gauge`] or [`Histogram`].
pub trait Instrument: sealed::Instrument {}

impl Instrument for Counter {}
impl Instrument for Gauge {}
impl Instrument for Histogram {}

pub(crate) mod sealed {
    use super::*;

    /// What a family needs of its series.
    #[expect(unnameable_types, reason = "sealed: only this module has instruments")]
    pub trait Instrument: Clone + std::fmt::Debug + Send + Sync + 'static {
        const KIND: Kind;

        /// A series at its beginning. Only histograms have bounds.
        fn make(bounds: &Arc<[f64]>) -> Self;

        /// Adds the series to the page.
        fn write<'a>(&self, to: FamilyWriter<'a>, labels: LabelSlice<'_>) -> FamilyWriter<'a>;

        /// Whether somebody beside the family holds the series.
        fn is_held(&self) -> bool;

        /// A number that changes whenever the series does, for most changes.
        fn fingerprint(&self) -> u64;
    }

    impl Instrument for Counter {
        const KIND: Kind = Kind::Counter;

        fn make(_: &Arc<[f64]>) -> Self {
            Self::default()
        }

        fn write<'a>(&self, to: FamilyWriter<'a>, labels: LabelSlice<'_>) -> FamilyWriter<'a> {
            to.sample_of(labels, Number::Whole(self.get()), self.0.exemplar.latest().as_ref())
        }

        fn is_held(&self) -> bool {
            Arc::strong_count(&self.0) > 1
        }

        fn fingerprint(&self) -> u64 {
            self.get()
        }
    }

    impl Instrument for Gauge {
        const KIND: Kind = Kind::Gauge;

        fn make(_: &Arc<[f64]>) -> Self {
            Self::default()
        }

        fn write<'a>(&self, to: FamilyWriter<'a>, labels: LabelSlice<'_>) -> FamilyWriter<'a> {
            to.sample_of(labels, Number::Float(self.get()), None)
        }

        fn is_held(&self) -> bool {
            Arc::strong_count(&self.0) > 1
        }

        fn fingerprint(&self) -> u64 {
            self.get().to_bits()
        }
    }

    impl Instrument for Histogram {
        const KIND: Kind = Kind::Histogram;

        fn make(bounds: &Arc<[f64]>) -> Self {
            Self::new(bounds)
        }

        fn write<'a>(&self, to: FamilyWriter<'a>, labels: LabelSlice<'_>) -> FamilyWriter<'a> {
            let buckets = self.0.buckets.iter();
            let counts: Vec<_> =
                buckets.clone().map(|bucket| bucket.count.load(Ordering::Relaxed)).collect();
            let exemplars: Vec<_> = buckets.map(|bucket| bucket.exemplar.latest()).collect();
            let (counts, exemplars) = (counts.as_slice(), exemplars.as_slice());
            let (bounds, sum) = (&*self.0.bounds, self.get_sum());
            to.histogram(labels, &HistogramSample { bounds, counts, sum, exemplars })
        }

        fn is_held(&self) -> bool {
            Arc::strong_count(&self.0) > 1
        }

        fn fingerprint(&self) -> u64 {
            self.get_count()
        }
    }
}

/// A float that several threads change.
#[derive(Debug, Default)]
struct Float(AtomicU64);

impl Float {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn add(&self, more: f64) {
        let sum = |bits: u64| Some((f64::from_bits(bits) + more).to_bits());
        let _always = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn threads_count_together_and_lose_nothing() {
        let (counter, gauge) = (Counter::default(), Gauge::default());
        let histogram = Histogram::new(&Arc::from([1.0, 2.0]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..1_000_u32 {
                        counter.inc();
                        gauge.add(1.0);
                        histogram.observe(f64::from(number % 3));
                    }
                });
            }
        });
        assert_eq!((counter.get(), gauge.get()), (4_000, 4_000.0));
        assert_eq!((histogram.get_count(), histogram.get_sum()), (4_000, 3_996.0));
    }

    #[test]
    fn a_counter_that_is_counted_elsewhere_never_goes_back() {
        let counter = Counter::default();
        counter.raise_to(7);
        counter.raise_to(3);
        assert_eq!(counter.get(), 7);
    }

    proptest! {
        #[test]
        fn each_observation_is_in_the_first_bucket_whose_bound_it_does_not_pass(
            values in proptest::collection::vec(-20.0..20.0_f64, 0..100),
            mut bounds in proptest::collection::vec(-10.0..10.0_f64, 0..8),
        ) {
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            let histogram = Histogram::new(&Arc::from(bounds.as_slice()));
            values.iter().chain([&f64::NAN]).for_each(|value| histogram.observe(*value));
            let mut below = 0;
            for (at, bucket) in histogram.0.buckets.iter().enumerate() {
                below += bucket.count.load(Ordering::Relaxed);
                let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
                let expected = values.iter().filter(|value| **value <= bound).count();
                prop_assert_eq!(below, expected as u64);
            }
        }
    }
}
