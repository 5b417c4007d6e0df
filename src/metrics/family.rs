//! Family: the series of one metric, by the values of their labels.
//!
//! Knows labels, the limit on the number of series and when an idle one goes. Does not know how a
//! value is counted or written. Label values go in, instruments come out.

use crate::metrics::exposition::Exposition;
use crate::metrics::guard::{Guard, OTHER, Overflow};
use crate::metrics::instruments::Instrument;
use crate::record::bytes::floor_char_boundary;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// A longer value of a label is cut.
const MAX_VALUE_BYTES: usize = 1_024;

/// A metric with labels: an instrument for each combination of their values.
///
/// ```
/// use logwell::metrics::Registry;
///
/// let registry = Registry::new();
/// let paid = registry.counters("shop_orders_paid_total", "Orders paid.", ["method"]);
/// paid.with(["card"]).inc();
/// paid.with(["card"]).inc();
/// assert_eq!(paid.with(["card"]).get(), 2);
/// ```
///
/// Finding a series takes a read lock and allocates nothing; keep the instrument where it matters.
/// Values are cut at 1 KiB. Beyond `metrics.max_series` (2 000) further combinations share one
/// series whose labels are all `_other`; the self-log and a WARN record say so, and
/// `logwell_metrics_overflow_total` counts. An id does not belong into a label.
#[derive(Debug)]
pub struct Family<M: Instrument, const N: usize> {
    series: Arc<Series<M>>,
    labels: [SmolStr; N],
}

impl<M: Instrument, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self { series: Arc::clone(&self.series), labels: self.labels.clone() }
    }
}

impl<M: Instrument, const N: usize> Family<M, N> {
    pub(crate) fn new(series: Arc<Series<M>>, labels: [&str; N]) -> Self {
        Self { series, labels: labels.map(SmolStr::from) }
    }

    /// The instrument for these values of the labels, in their order.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> M {
        self.series.get(&self.pairs(values))
    }

    /// Takes the series away, if there is one: what it measured is gone. An instrument that
    /// somebody still holds counts for nobody.
    pub fn remove(&self, values: [&str; N]) {
        self.series.remove(&self.pairs(values));
    }

    fn pairs<'a>(&'a self, values: [&'a str; N]) -> SmallVec<[(&'a str, &'a str); 8]> {
        self.labels.iter().map(SmolStr::as_str).zip(values).collect()
    }
}

/// What a registry asks of a family, whatever its instruments.
pub(crate) trait AnyFamily: Send + Sync + fmt::Debug {
    fn write(&self, name: &str, page: &mut Exposition);
    fn describe(&self, help: &str);
    fn metric(&self) -> &str;
    fn len(&self) -> usize;
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// All series of one metric.
pub(crate) struct Series<M> {
    metric: String,
    help: RwLock<String>,
    /// Names of the labels, where all series have the same.
    pub(crate) labels: Option<Box<[SmolStr]>>,
    pub(crate) bounds: Arc<[f64]>,
    guard: Arc<Guard>,
    hasher: RandomState,
    /// By the hash of their labels.
    by_hash: RwLock<HashMap<u64, SmallVec<[Entry<M>; 1]>>>,
    rest: OnceLock<M>,
}

#[derive(Debug)]
struct Entry<M> {
    labels: Box<[(SmolStr, SmolStr)]>,
    instrument: M,
    /// What it was when it was looked at last, and since when it has been so.
    idle: (u64, Instant),
}

/// What a family is made of.
pub(crate) struct Description<'a> {
    pub(crate) metric: &'a str,
    pub(crate) help: String,
    pub(crate) labels: Option<Box<[SmolStr]>>,
    pub(crate) bounds: Arc<[f64]>,
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl<M: Instrument> Series<M> {
    pub(crate) fn new(description: Description<'_>, guard: Arc<Guard>) -> Self {
        let Description { metric, help, labels, bounds } = description;
        Self {
            metric: metric.to_owned(),
            help: RwLock::new(help),
            labels,
            bounds,
            guard,
            hasher: RandomState::new(),
            by_hash: RwLock::default(),
            rest: OnceLock::new(),
        }
    }

    /// The series with these labels, made if there is none and there is room.
    pub(crate) fn get(&self, labels: Pairs<'_>) -> M {
        let hash = self.hash(labels);
        let known = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = find(known.get(&hash), labels) {
            return entry.instrument.clone();
        }
        drop(known);
        self.make(hash, labels)
    }

    #[cold]
    fn make(&self, hash: u64, labels: Pairs<'_>) -> M {
        let mut known = self.by_hash.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = find(known.get(&hash), labels) {
            return entry.instrument.clone();
        }
        let max_series = self.guard.max_series();
        if known.values().map(SmallVec::len).sum::<usize>() < max_series {
            let instrument = M::make(&self.bounds);
            let own = |(name, value): &(&str, &str)| (SmolStr::from(*name), cut(value).into());
            let labels = labels.iter().map(own).collect();
            let idle = (instrument.fingerprint(), crate::base::clock::Clock::System.now());
            known.entry(hash).or_default().push(Entry {
                labels,
                instrument: instrument.clone(),
                idle,
            });
            return instrument;
        }
        drop(known); // whoever is told may use metrics
        self.guard.refuse(&self.metric, || Overflow {
            metric: self.metric.clone(),
            max_series,
            widest: self.widest(),
        });
        self.rest.get_or_init(|| M::make(&self.bounds)).clone()
    }

    fn remove(&self, labels: Pairs<'_>) {
        let hash = self.hash(labels);
        let mut known = self.by_hash.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = known.get_mut(&hash) {
            entries.retain(|entry| !entry.is(labels));
        }
    }

    fn hash(&self, labels: Pairs<'_>) -> u64 {
        let cut: SmallVec<[(&str, &str); 8]> =
            labels.iter().map(|(name, value)| (*name, cut(value))).collect();
        self.hasher.hash_one(&*cut)
    }

    /// The label with most values.
    fn widest(&self) -> Option<(String, usize)> {
        let known = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
        for (name, value) in known.values().flatten().flat_map(|entry| entry.labels.iter()) {
            values.entry(name).or_default().insert(value);
        }
        let counts = values.into_iter().map(|(name, values)| (name.to_owned(), values.len()));
        counts.max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
    }

    /// Takes away what nobody holds and nobody has changed for so long.
    fn expire(&self, after: Duration) {
        let now = crate::base::clock::Clock::System.now();
        let mut known = self.by_hash.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, entries| {
            entries.retain(|entry| {
                let seen = entry.instrument.fingerprint();
                if entry.idle.0 != seen || entry.labels.is_empty() {
                    entry.idle = (seen, now);
                }
                entry.instrument.is_held() || now.saturating_duration_since(entry.idle.1) < after
            });
            !entries.is_empty()
        });
    }
}

impl<M: Instrument> AnyFamily for Series<M> {
    fn write(&self, name: &str, page: &mut Exposition) {
        if let Some(after) = self.guard.expire_after() {
            self.expire(after);
        }
        let known = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<_> = known.values().flatten().collect();
        entries.sort_by(|a, b| a.labels.cmp(&b.labels));
        let help = self.help.read().unwrap_or_else(PoisonError::into_inner);
        let mut family = page.family(M::KIND, name, &*help);
        for entry in entries {
            let pairs = entry.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            family = entry.instrument.write(family, &pairs.collect::<SmallVec<[_; 8]>>());
        }
        if let Some(rest) = self.rest.get() {
            let names = self.labels.iter().flatten().map(|name| (name.as_str(), OTHER));
            let mut pairs: SmallVec<[_; 8]> = names.collect();
            if pairs.is_empty() {
                pairs.push(("overflow", OTHER));
            }
            rest.write(family, &pairs);
        }
    }

    fn describe(&self, help: &str) {
        help.clone_into(&mut self.help.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn metric(&self) -> &str {
        &self.metric
    }

    fn len(&self) -> usize {
        let known = self.by_hash.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(SmallVec::len).sum::<usize>() + usize::from(self.rest.get().is_some())
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<M> Entry<M> {
    fn is(&self, labels: Pairs<'_>) -> bool {
        let own = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.eq(labels.iter().map(|(name, value)| (*name, cut(value))))
    }
}

fn find<'a, M>(
    entries: Option<&'a SmallVec<[Entry<M>; 1]>>,
    labels: Pairs<'_>,
) -> Option<&'a Entry<M>> {
    entries?.iter().find(|entry| entry.is(labels))
}

fn cut(value: &str) -> &str {
    value.get(..floor_char_boundary(value, MAX_VALUE_BYTES)).unwrap_or_default()
}

impl<M> fmt::Debug for Series<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("metric", &self.metric).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::instruments::Counter;

    fn series() -> Series<Counter> {
        let (metric, help, labels) = ("seen_total", String::new(), None);
        let description = Description { metric, help, labels, bounds: Arc::from([]) };
        Series::new(description, Arc::default())
    }

    #[test]
    fn a_series_goes_that_nobody_holds_and_nobody_has_changed_for_so_long() {
        let series = series();
        let held = series.get(&[("user", "a")]);
        series.get(&[("user", "b")]).inc();
        series.get(&[]).inc();
        series.expire(Duration::from_secs(3_600));
        assert_eq!(series.len(), 3, "none is idle for an hour");
        series.expire(Duration::ZERO);
        assert_eq!(series.len(), 1, "the one that is held stays");
        held.inc();
        assert_eq!(series.get(&[("user", "a")]).get(), 1);
    }

    #[test]
    fn values_that_are_too_long_are_one_if_they_begin_alike() {
        let series = series();
        let long = "x".repeat(2 * MAX_VALUE_BYTES);
        series.get(&[("user", &long)]).inc();
        series.get(&[("user", &"x".repeat(MAX_VALUE_BYTES))]).inc();
        assert_eq!(series.len(), 1);
        assert_eq!(series.get(&[("user", &long)]).get(), 2);
    }
}
