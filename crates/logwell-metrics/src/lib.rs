//! logwell-metrics: metrics of the façade [`metrics`] on logwell's page for Prometheus.
//!
//! Knows the façade and [`Registry`]. Does not know what is measured, nor who scrapes. Calls of the
//! façade go in, series of the registry come out.
#![doc = include_str!("../README.md")]

mod name;

use logwell::metrics::{Counter, Gauge, Histogram, Registry, SECONDS};
use metrics::{CounterFn, GaugeFn, HistogramFn, Key, KeyName, Metadata, SetRecorderError};
use metrics::{SharedString, Unit};
use std::sync::Arc;

/// Measures what the façade `metrics` is given into a [`Registry`].
///
/// Names and labels are made valid for Prometheus: what it does not take becomes `_`, and a counter
/// ends in `_total`. Series of one name may have different labels. The registry's limit on the
/// number of series holds here too.
#[derive(Debug, Clone)]
pub struct Recorder {
    registry: Registry,
    /// By the beginning of a name, the buckets of its histograms; the longest wins.
    buckets: Vec<(String, Vec<f64>)>,
    /// Of all others.
    default_buckets: Vec<f64>,
}

impl Recorder {
    /// A recorder into that registry; its histograms have [`SECONDS`] as buckets.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self { registry, buckets: Vec::new(), default_buckets: SECONDS.to_vec() }
    }

    /// Gives the histograms whose names begin with `prefix` these upper bounds. Of several prefixes
    /// that fit the longest wins. The first series of a histogram decides for the others of its
    /// name.
    #[must_use]
    pub fn buckets(mut self, prefix: &str, bounds: &[f64]) -> Self {
        self.buckets.push((name::metric(prefix), bounds.to_vec()));
        self
    }

    /// Gives all other histograms these upper bounds.
    #[must_use]
    pub fn default_buckets(self, bounds: &[f64]) -> Self {
        Self { default_buckets: bounds.to_vec(), ..self }
    }

    /// Becomes the recorder of the process.
    ///
    /// # Errors
    ///
    /// The process has another one.
    pub fn install(self) -> Result<(), SetRecorderError<Self>> {
        metrics::set_global_recorder(self)
    }

    fn bounds(&self, metric: &str) -> &[f64] {
        let fitting = self.buckets.iter().filter(|(prefix, _)| metric.starts_with(prefix));
        fitting.max_by_key(|(prefix, _)| prefix.len()).map_or(&self.default_buckets, |(_, of)| of)
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>, description: &SharedString) {
        let unit = unit.filter(|unit| *unit != Unit::Count).map(|unit| unit.as_str());
        let unit = unit.map_or_else(String::new, |unit| format!(" ({unit})"));
        self.registry.describe(&name::metric(key.as_str()), format!("{description}{unit}"));
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let (metric, labels) = name::of(key);
        let counter = self.registry.labelled(&metric, "", &name::pairs(&labels));
        metrics::Counter::from_arc(Arc::new(OurCounter(counter)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        let (metric, labels) = name::of(key);
        let gauge = self.registry.labelled(&metric, "", &name::pairs(&labels));
        metrics::Gauge::from_arc(Arc::new(OurGauge(gauge)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let (metric, labels) = name::of(key);
        let bounds = self.bounds(&metric);
        let histogram =
            self.registry.labelled_histogram(&metric, "", &name::pairs(&labels), bounds);
        metrics::Histogram::from_arc(Arc::new(OurHistogram(histogram)))
    }
}

struct OurCounter(Counter);

impl CounterFn for OurCounter {
    fn increment(&self, value: u64) {
        self.0.add(value);
    }

    fn absolute(&self, value: u64) {
        self.0.raise_to(value);
    }
}

struct OurGauge(Gauge);

impl GaugeFn for OurGauge {
    fn increment(&self, value: f64) {
        self.0.add(value);
    }

    fn decrement(&self, value: f64) {
        self.0.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.set(value);
    }
}

struct OurHistogram(Histogram);

impl HistogramFn for OurHistogram {
    fn record(&self, value: f64) {
        self.0.observe(value);
    }
}
