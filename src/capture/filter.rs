//! Filter: which events and spans are captured at all.
//!
//! Static directives are decided once for each callsite and cached by tracing; span directives, if
//! there are any, are left to tracing-subscriber's `EnvFilter`. Swapped as a whole at run time.

use crate::base::selflog;
use crate::capture::callsites;
use crate::record::directives::Directives;
use crate::record::fields::{Fields, Key, Value};
use crate::record::level::Level;
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Metadata;
use tracing::field::ValueSet;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// The directives in force.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) directives: Directives,
    /// Present when a directive asks about spans or their fields.
    pub(crate) spans: Option<EnvFilter>,
}

impl Filter {
    pub(crate) fn new(directives: Directives) -> Self {
        let spans = directives.span_directives().map(EnvFilter::new);
        Self { directives, spans }
    }

    /// Whether the static directives let it pass.
    pub(crate) fn allows(&self, metadata: &Metadata<'_>) -> bool {
        self.directives.allows(callsites::level(metadata), metadata.target())
    }

    /// The most verbose of tracing's levels that can pass.
    pub(crate) fn max_level(&self) -> LevelFilter {
        if let Some(hint) = self.spans.as_ref().and_then(EnvFilter::max_level_hint) {
            return hint;
        }
        match self.directives.max_level() {
            None => LevelFilter::OFF,
            Some(Level::Trace) => LevelFilter::TRACE,
            Some(Level::Debug) => LevelFilter::DEBUG,
            Some(Level::Info) => LevelFilter::INFO,
            Some(Level::Warn) => LevelFilter::WARN,
            Some(Level::Error | Level::Critical) => LevelFilter::ERROR,
        }
    }
}

/// Gives captured values to `EnvFilter` in place of the application's: it formats what it is given
/// while it holds locks, and a `Debug` may panic or make another span.
pub(crate) fn with_values(
    metadata: &'static Metadata<'static>,
    fields: &Fields,
    give: impl FnOnce(&ValueSet<'_>),
) {
    let captured: Vec<_> = fields.iter().map(|entry| (entry.key, entry.value)).collect();
    let mut values: Vec<Option<&dyn tracing::Value>> = vec![None; metadata.fields().len()];
    for (key, value) in &captured {
        if let Key::Index(index) = key
            && let Some(slot) = values.get_mut(usize::from(*index))
        {
            *slot = plain(value);
        }
    }
    give(&metadata.fields().value_set_all(&values));
}

fn plain<'a>(value: &'a Value<'_>) -> Option<&'a dyn tracing::Value> {
    match value {
        Value::U64(number) => Some(number),
        Value::I64(number) => Some(number),
        Value::U128(number) => Some(number),
        Value::I128(number) => Some(number),
        Value::F64(number) => Some(number),
        Value::Bool(truth) => Some(truth),
        Value::Str(text) | Value::Json(text) => Some(text),
        Value::Error(error) => Some(&error.message),
        Value::Bytes(_) => None, // no directive can name them
    }
}

/// Tells of a filter that is silent without saying so plainly: of each, however soon after another.
pub(crate) fn tell_silence(silence: &str) {
    selflog::tell_each(&format!("little will be logged: {silence}"));
}

/// Tells of targets in the filter of that key that no crate has, however soon after another.
pub(crate) fn tell_hyphens(key: &str, directives: &Directives) {
    if let Some(hyphens) = directives.hyphens() {
        selflog::tell_each(&format!("a filter may match nothing: {key}: {hyphens}"));
    }
}

/// A [`Filter`] that can be replaced while others read it.
#[derive(Debug, Clone)]
pub(crate) struct SharedFilter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    filter: ArcSwap<Filter>,
    /// Whether that has directives about spans: asked for each step of each span.
    has_spans: AtomicBool,
}

impl SharedFilter {
    pub(crate) fn new(directives: Directives) -> Self {
        let filter = Filter::new(directives);
        let has_spans = AtomicBool::new(filter.spans.is_some());
        Self(Arc::new(Shared { filter: ArcSwap::from_pointee(filter), has_spans }))
    }

    pub(crate) fn load(&self) -> Guard<Arc<Filter>> {
        self.0.filter.load()
    }

    /// Has `tell` tell the directives about spans, if there are any.
    #[inline]
    pub(crate) fn with_spans(&self, tell: impl FnOnce(&EnvFilter)) {
        if self.has_spans()
            && let Some(spans) = &self.load().spans
        {
            tell(spans);
        }
    }

    /// Whether there are directives about spans.
    #[inline]
    pub(crate) fn has_spans(&self) -> bool {
        self.0.has_spans.load(Ordering::Relaxed)
    }

    /// Replaces the directives, and has tracing and `log` ask again.
    pub(crate) fn replace(&self, directives: Directives) {
        if let Some(silence) = directives.silence() {
            tell_silence(&format!("level: {silence}"));
        }
        tell_hyphens("level", &directives);
        let filter = Filter::new(directives);
        let has_spans = filter.spans.is_some();
        self.0.filter.store(Arc::new(filter));
        self.0.has_spans.store(has_spans, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
        // Another thread may replace them as well: whoever comes last must tell what is in force.
        loop {
            let level = LevelFilter::current();
            crate::capture::log_bridge::follow(level);
            if LevelFilter::current() == level {
                return;
            }
        }
    }
}
