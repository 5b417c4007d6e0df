//! Spans: how long the program's spans take, by name and outcome.
//!
//! Knows spans as contexts, and which of them fail. Does not know tracing: capture says when a span
//! begins, fails and ends. Durations go in, samples of `span_duration_seconds` come out.

use crate::base::clock;
use crate::metrics::callsite_table::CallsiteTable;
use crate::metrics::exemplar::TraceIds;
use crate::metrics::family::Family;
use crate::metrics::instruments::Histogram;
use crate::metrics::registry::Registry;
use crate::record::callsite::Callsite;
use crate::record::fields::Value;
use crate::record::span::SpanContext;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// From a tenth of a millisecond to a minute.
const BOUNDS: &[f64] = &[
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    60.0,
];

/// Measures spans. Clones measure together; one that is off measures nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanTimes(Option<Arc<Times>>);

#[derive(Debug)]
struct Times {
    family: Family<Histogram, 2>,
    /// The names that are measured; all of them if there is no list.
    wanted: Option<BTreeSet<String>>,
    by_callsite: CallsiteTable<Outcomes>,
}

/// The histograms of one callsite, so that a span that ends looks for none.
#[derive(Debug, Default)]
struct Outcomes {
    ok: OnceLock<Histogram>,
    error: OnceLock<Histogram>,
}

/// A span that is being measured, if it is.
#[derive(Debug, Default)]
pub(crate) struct SpanTimer(Option<Running>);

#[derive(Debug)]
struct Running {
    /// The processor's counter when the span was made.
    began: u64,
    has_failed: AtomicBool,
}

impl SpanTimes {
    /// Measures the spans of these names: `all`, `none`, or names separated by commas.
    pub(crate) fn new(registry: &Registry, names: &str) -> Self {
        let wanted = match names.trim() {
            "none" | "" => return Self(None),
            "all" => None,
            list => Some(list.split(',').map(|name| name.trim().to_owned()).collect()),
        };
        let (name, help) = ("span_duration_seconds", "Spans, from their making to their end.");
        let family = registry.histograms(name, help, ["span", "outcome"], BOUNDS);
        Self(Some(Arc::new(Times { family, wanted, by_callsite: CallsiteTable::default() })))
    }

    /// A span of that callsite begins.
    #[inline]
    pub(crate) fn begin(&self, callsite: &'static Callsite) -> SpanTimer {
        match &self.0 {
            Some(times) if times.wants(callsite.name()) => {
                let began = clock::ticks();
                SpanTimer(Some(Running { began, has_failed: AtomicBool::new(false) }))
            }
            _ => SpanTimer(None),
        }
    }

    /// Whether anything is measured.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span ends. It has failed if an ERROR was logged in it, or a field of it says so.
    pub(crate) fn end(&self, timer: &SpanTimer, context: &SpanContext) {
        let (Some(times), Some(running)) = (&self.0, &timer.0) else { return };
        let Some(span) = context.span() else { return };
        let has_failed = running.has_failed.load(Ordering::Relaxed) || says_error(context);
        let outcome = if has_failed { "error" } else { "ok" };
        let name = span.name();
        let histogram = match times.by_callsite.get(span.callsite().index()) {
            Some(outcomes) => {
                let kept = if has_failed { &outcomes.error } else { &outcomes.ok };
                kept.get_or_init(|| times.family.with([name, outcome])).clone()
            }
            None => times.family.with([name, outcome]),
        };
        let taken_ns = clock::ns_of_ticks(clock::ticks().saturating_sub(running.began));
        #[expect(clippy::cast_precision_loss, reason = "a span of 100 days is exact to 1 ns")]
        let seconds = taken_ns as f64 / 1e9;
        histogram.observe_in(seconds, || TraceIds::of(context));
    }
}

impl Times {
    fn wants(&self, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
    }
}

impl SpanTimer {
    /// An ERROR was logged in the span.
    pub(crate) fn fail(&self) {
        if let Some(running) = &self.0 {
            running.has_failed.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the span's own fields say that it failed, as OpenTelemetry names them.
fn says_error(context: &SpanContext) -> bool {
    let fields = context.span().into_iter().flat_map(|span| span.fields());
    let mut fields = fields.map(|(name, entry)| (name, entry.value));
    fields.any(|(name, value)| match (name, value) {
        ("error.type", Value::Str(kind)) => !kind.is_empty(),
        ("otel.status_code", Value::Str(code)) => code.eq_ignore_ascii_case("error"),
        _ => false,
    })
}
