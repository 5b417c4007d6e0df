//! Registry: all metrics of a process, each created once by its name.
//!
//! Knows families by name and the collectors that are asked at each scrape. Does not know what is
//! measured, nor who scrapes. Names go in, instruments come out; a page of text comes out of it
//! all.

use crate::metrics::exposition::Exposition;
use crate::metrics::family::{AnyFamily, Description, Family, Series};
use crate::metrics::format::{Format, Kind};
use crate::metrics::guard::Guard;
use crate::metrics::instruments::{Counter, Gauge, Histogram, Instrument};
use crate::metrics::name::{base_name, is_label_name, is_metric_name};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

/// The metrics of a process, or of one pipeline. Clones are the same registry.
///
/// ```
/// use logwell::metrics::{Format, Registry};
///
/// let metrics = Registry::new(); // or logwell::metrics::global()
/// let started = metrics.counter("shop_orders_started_total", "Orders begun.");
/// let paid = metrics.counters("shop_orders_paid_total", "Orders paid.", ["method"]);
/// let length = metrics.gauge("shop_queue_length", "Orders that wait.");
/// let payment = metrics.histogram("shop_payment_seconds", "Payments.", &[0.1, 0.5, 1.0]);
///
/// started.inc();
/// paid.with(["card"]).add(2);
/// length.set(7.0);
/// payment.observe(0.42); // the current trace becomes its exemplar
///
/// let page = metrics.render(Format::Text);
/// assert!(page.contains("shop_orders_paid_total{method=\"card\"} 2\n"));
/// assert!(page.contains("shop_payment_seconds_bucket{le=\"0.5\"} 1\n"));
/// ```
///
/// A metric is created by the first call with its name; later calls give the same one. Names are
/// `[a-zA-Z_:][a-zA-Z0-9_:]*`; that of a counter ends in `_total`, which is added if it is missing.
///
/// Nothing panics and nothing is refused: a name that is invalid, or that is in use for another
/// kind, other labels or other buckets, gives an instrument that works and is not exported.
/// [`problems`](Self::problems), the health of logging and the self-log say so.
#[derive(Clone, Default)]
pub struct Registry(Arc<Inner>);

#[derive(Default)]
struct Inner {
    guard: Arc<Guard>,
    families: RwLock<BTreeMap<String, Named>>,
    /// Help texts that came before their metrics.
    descriptions: Mutex<BTreeMap<String, String>>,
    collectors: Mutex<Vec<Collector>>,
}

struct Named {
    kind: Kind,
    family: Arc<dyn AnyFamily>,
}

type Collector = Arc<dyn Fn(&mut Exposition) + Send + Sync>;

/// The registry of the process's logging, before it is set up as well: what is created here is on
/// the page of [`init_logging`](crate::init_logging)'s pipeline.
#[must_use]
pub fn global() -> Registry {
    static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::new);
    GLOBAL.clone()
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of that name.
    #[must_use]
    pub fn counter(&self, name: &str, help: impl Into<String>) -> Counter {
        self.series(name, Wanted::without_bounds(help, Some([].into()))).get(&[])
    }

    /// The counters of that name, one for each combination of the values of these labels.
    #[must_use]
    pub fn counters<const N: usize>(
        &self,
        name: &str,
        help: impl Into<String>,
        labels: [&str; N],
    ) -> Family<Counter, N> {
        Family::new(self.series(name, Wanted::without_bounds(help, Some(own(&labels)))), labels)
    }

    /// The gauge of that name.
    #[must_use]
    pub fn gauge(&self, name: &str, help: impl Into<String>) -> Gauge {
        self.series(name, Wanted::without_bounds(help, Some([].into()))).get(&[])
    }

    /// The gauges of that name, one for each combination of the values of these labels.
    #[must_use]
    pub fn gauges<const N: usize>(
        &self,
        name: &str,
        help: impl Into<String>,
        labels: [&str; N],
    ) -> Family<Gauge, N> {
        Family::new(self.series(name, Wanted::without_bounds(help, Some(own(&labels)))), labels)
    }

    /// The histogram of that name, with these upper bounds. They are sorted; the infinite one is
    /// always there. [`SECONDS`](super::SECONDS) has bounds for requests.
    #[must_use]
    pub fn histogram(&self, name: &str, help: impl Into<String>, bounds: &[f64]) -> Histogram {
        self.series(
            name,
            Wanted { bounds: sorted(bounds), ..Wanted::without_bounds(help, Some([].into())) },
        )
        .get(&[])
    }

    /// The histograms of that name, one for each combination of the values of these labels.
    ///
    /// ```
    /// let registry = logwell::metrics::Registry::new();
    /// let buckets = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
    /// let payment = registry.histograms("shop_payment_seconds", "…", ["provider"], &buckets);
    /// payment.with(["acme"]).observe(0.42);
    /// ```
    #[must_use]
    pub fn histograms<const N: usize>(
        &self,
        name: &str,
        help: impl Into<String>,
        labels: [&str; N],
        bounds: &[f64],
    ) -> Family<Histogram, N> {
        let wanted = Wanted::without_bounds(help, Some(own(&labels)));
        Family::new(self.series(name, Wanted { bounds: sorted(bounds), ..wanted }), labels)
    }

    /// One series of a metric whose series differ in the names of their labels, as other façades
    /// allow it: `C` is [`Counter`] or [`Gauge`]. The order of the labels does not matter.
    ///
    /// ```
    /// use logwell::metrics::{Counter, Registry};
    ///
    /// let registry = Registry::new();
    /// let labels = [("queue", "mail"), ("host", "a")];
    /// registry.labelled::<Counter>("jobs_total", "Jobs done.", &labels).inc();
    /// ```
    #[must_use]
    pub fn labelled<C: Instrument>(
        &self,
        name: &str,
        help: impl Into<String>,
        labels: &[(&str, &str)],
    ) -> C {
        self.labelled_within(name, Wanted::without_bounds(help, None), labels)
    }

    /// The same for a histogram, with these upper bounds. Its first series decides on them.
    #[must_use]
    pub fn labelled_histogram(
        &self,
        name: &str,
        help: impl Into<String>,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Histogram {
        let wanted = Wanted::without_bounds(help, None);
        self.labelled_within(name, Wanted { bounds: sorted(bounds), ..wanted }, labels)
    }

    fn labelled_within<C: Instrument>(
        &self,
        name: &str,
        wanted: Wanted,
        labels: &[(&str, &str)],
    ) -> C {
        let mut sorted: Vec<_> = labels.to_vec();
        sorted.sort_unstable();
        sorted.dedup_by(|a, b| a.0 == b.0);
        if let Some((wrong, _)) = sorted.iter().find(|(label, _)| !is_label_name(label)) {
            self.0.guard.blame(format!("{name}: {wrong:?} cannot be the name of a label"));
            return C::make(&wanted.bounds);
        }
        self.series(name, wanted).get(&sorted)
    }

    /// Sets the help text of a metric, whether it exists yet or not.
    pub fn describe(&self, name: &str, help: impl Into<String>) {
        let help = help.into();
        let families = self.0.families.read().unwrap_or_else(PoisonError::into_inner);
        for key in [name, base_name(Kind::Counter, name)] {
            if let Some(named) = families.get(key) {
                named.family.describe(&help);
            }
        }
        drop(families);
        let mut descriptions = self.0.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if descriptions.len() < MAX_DESCRIPTIONS {
            descriptions.insert(base_name(Kind::Counter, name).to_owned(), help);
        }
    }

    /// Asks `collector` at each scrape, for numbers that are counted elsewhere. One that panics is
    /// left out of that page.
    ///
    /// ```
    /// use logwell::metrics::{Format, Kind, Registry};
    ///
    /// let registry = Registry::new();
    /// registry.collect(|page| {
    ///     page.family(Kind::Gauge, "pool_idle", "Idle connections.").sample(&[], 3_u64);
    /// });
    /// assert!(registry.render(Format::Text).contains("\npool_idle 3\n"));
    /// ```
    pub fn collect(&self, collector: impl Fn(&mut Exposition) + Send + Sync + 'static) {
        let mut collectors = self.0.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        collectors.push(Arc::new(collector));
    }

    /// All metrics at this moment, as the body of the answer to a scraper: for a handler of your
    /// own. Give it the content type of the [format](Format::content_type).
    ///
    /// Collectors may read `/proc` and ask file systems for their size; it takes about a
    /// millisecond.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        let mut page = Exposition::new(format);
        let families = self.0.families.read().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = families
            .iter()
            .map(|(name, named)| (name.clone(), Arc::clone(&named.family)))
            .collect();
        drop(families);
        for (name, family) in all {
            family.write(&name, &mut page);
        }
        let collectors = self.0.collectors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for collector in collectors {
            let asked = catch_unwind(AssertUnwindSafe(|| collector(&mut page)));
            if asked.is_err() {
                self.0.guard.blame("a collector panicked: its metrics are missing".to_owned());
            }
        }
        self.overflows(&mut page);
        page.finish()
    }

    /// For each metric, how often a series was asked for that there is no room for. They begin at
    /// 0, so that the first one is seen to come.
    fn overflows(&self, page: &mut Exposition) {
        let mut counts = self.0.guard.refused();
        let families = self.0.families.read().unwrap_or_else(PoisonError::into_inner);
        for named in families.values() {
            counts.entry(named.family.metric().to_owned()).or_default();
        }
        drop(families);
        let help = "Series asked for beyond the most that a metric may have, by metric.";
        let mut family = page.family(Kind::Counter, "logwell_metrics_overflow_total", help);
        for (metric, count) in counts {
            family = family.sample(&[("metric", &metric)], count);
        }
    }

    /// What is wrong with the names of metrics, for people; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.0.guard.problems()
    }

    /// Limits and reports of all families.
    pub(crate) fn guard(&self) -> &Arc<Guard> {
        &self.0.guard
    }

    fn series<M: Instrument>(&self, name: &str, wanted: Wanted) -> Arc<Series<M>> {
        let base = base_name(M::KIND, name);
        let known = self.0.families.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(base).map(|named| self.known(name, named, &wanted)) {
            return found;
        }
        drop(known);
        let wrong_label = wanted.labels.iter().flatten().find(|label| !is_label_name(label));
        if !is_metric_name(name) || base.is_empty() {
            self.0.guard.blame(format!("{name:?} cannot be the name of a metric"));
            return self.detached(name, wanted);
        } else if let Some(wrong) = wrong_label {
            self.0.guard.blame(format!("{name}: {wrong:?} cannot be the name of a label"));
            return self.detached(name, wanted);
        }
        let mut known = self.0.families.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(base).map(|named| self.known(name, named, &wanted)) {
            return found;
        }
        let descriptions = self.0.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let help = descriptions.get(base).cloned().unwrap_or(wanted.help);
        drop(descriptions);
        let series = self.detached(name, Wanted { help, ..wanted });
        let family: Arc<dyn AnyFamily> = Arc::<Series<M>>::clone(&series);
        known.insert(base.to_owned(), Named { kind: M::KIND, family });
        series
    }

    /// The family that is there, if it is what is wanted.
    fn known<M: Instrument>(&self, name: &str, named: &Named, wanted: &Wanted) -> Arc<Series<M>> {
        let is_same =
            |series: &Series<M>| series.labels == wanted.labels && series.bounds == wanted.bounds;
        let wrong = match Arc::clone(&named.family).as_any().downcast::<Series<M>>() {
            // The first series of an open family has decided on the buckets.
            Ok(series)
                if is_same(&series) || (series.labels.is_none() && wanted.labels.is_none()) =>
            {
                return series;
            }
            Ok(series) if series.labels != wanted.labels => "other labels",
            Ok(_) => "other buckets",
            Err(_) => "another kind",
        };
        let kind = named.kind;
        self.0.guard.blame(format!("{name} is there already, with {wrong} (it is a {kind:?})"));
        self.detached(name, Wanted { help: String::new(), ..wanted.clone() })
    }

    fn detached<M: Instrument>(&self, metric: &str, wanted: Wanted) -> Arc<Series<M>> {
        let Wanted { help, labels, bounds } = wanted;
        let description = Description { metric, help, labels, bounds };
        Arc::new(Series::new(description, Arc::clone(&self.0.guard)))
    }
}

/// More help texts than this are not kept.
const MAX_DESCRIPTIONS: usize = 10_000;

/// What a family is to be.
#[derive(Clone)]
struct Wanted {
    help: String,
    labels: Option<Box<[SmolStr]>>,
    bounds: Arc<[f64]>,
}

impl Wanted {
    fn without_bounds(help: impl Into<String>, labels: Option<Box<[SmolStr]>>) -> Self {
        Self { help: help.into(), labels, bounds: Arc::from([]) }
    }
}

fn own(labels: &[&str]) -> Box<[SmolStr]> {
    labels.iter().map(|label| SmolStr::from(*label)).collect()
}

/// The finite bounds, each once, in order.
fn sorted(bounds: &[f64]) -> Arc<[f64]> {
    let mut bounds: Vec<_> = bounds.iter().copied().filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds.into()
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let families = self.0.families.read().unwrap_or_else(PoisonError::into_inner);
        let sizes = families.iter().map(|(name, named)| (name, named.family.len()));
        f.debug_map().entries(sizes).finish()
    }
}
