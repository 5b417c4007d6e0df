//! Exemplar: one observation that stands for many, with the trace it was made in.
//!
//! Knows which traces may be named and how an exemplar is written. Does not know which trace is
//! current: capture hands in a function that says so. A value goes in, at most once a second for
//! each slot, and the latest exemplar comes out.

use crate::base::clock;
use crate::metrics::format::{Escaped, Number};
use crate::record::span::{Id, SpanContext};
use smol_str::{SmolStr, ToSmolStr as _};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// A slot keeps its exemplar at least so long.
const REPLACED_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// What the names and values of an exemplar's labels may have together (OpenMetrics 1.0.0).
const MAX_CHARACTERS: usize = 128;
/// The flag `sampled` of W3C Trace Context.
const SAMPLED: u8 = 0b01;

/// Says which context the calling thread is in.
type Current = fn() -> Option<Arc<SpanContext>>;

static CURRENT: OnceLock<Current> = OnceLock::new();

/// Takes the current trace from there, from now on. Only the first one is taken.
pub(crate) fn take_from(current: Current) {
    let _one_is_enough = CURRENT.set(current);
}

/// One observation and the trace it was made in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    trace: TraceIds,
    value: f64,
    unix_ns: u64,
}

/// The ids of a trace that somebody may look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceIds {
    trace_id: SmolStr,
    span_id: SmolStr,
}

impl TraceIds {
    /// Those of the context, if its trace is kept: a W3C trace that is not sampled is not.
    pub(crate) fn of(context: &SpanContext) -> Option<Self> {
        let is_kept =
            context.carried.flags & SAMPLED != 0 || matches!(context.trace_id, Id::Text(_));
        let ids =
            Self { trace_id: context.trace_id.to_smolstr(), span_id: context.span_id.to_smolstr() };
        let characters = |text: &str| text.chars().count();
        let length =
            characters("trace_idspan_id") + characters(&ids.trace_id) + characters(&ids.span_id);
        (is_kept && length <= MAX_CHARACTERS).then_some(ids)
    }

    /// Those of the context that the calling thread is in.
    fn current() -> Option<Self> {
        Self::of(&*CURRENT.get()?()?)
    }
}

impl fmt::Display for Exemplar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceIds { trace_id, span_id } = &self.trace;
        let (trace_id, span_id) = (Escaped::value(trace_id), Escaped::value(span_id));
        let (value, ms) = (Number::Float(self.value), self.unix_ns / 1_000_000);
        let (seconds, rest_ms) = (ms / 1_000, ms % 1_000);
        write!(
            f,
            "{{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {seconds}.{rest_ms:03}"
        )
    }
}

/// Where the exemplar of one counter or bucket is kept.
#[derive(Debug, Default)]
pub(crate) struct ExemplarSlot {
    /// The processor's counter when it was replaced last; 0 before.
    replaced: AtomicU64,
    latest: Mutex<Option<Exemplar>>,
}

impl ExemplarSlot {
    /// Keeps the value with the current trace, unless that was done within the last second.
    pub(crate) fn offer(&self, value: f64) {
        self.offer_in(value, TraceIds::current);
    }

    /// Keeps the value with that trace, unless that was done within the last second.
    #[inline]
    pub(crate) fn offer_in(&self, value: f64, trace: impl FnOnce() -> Option<TraceIds>) {
        self.offer_at(clock::ticks(), value, trace);
    }

    #[inline]
    fn offer_at(&self, now: u64, value: f64, trace: impl FnOnce() -> Option<TraceIds>) {
        let replaced = self.replaced.load(Ordering::Relaxed);
        let age_ns = clock::ns_of_ticks(now.wrapping_sub(replaced));
        if replaced == 0 || Duration::from_nanos(age_ns) >= REPLACED_AT_MOST_EVERY {
            self.replace(value, now, trace);
        }
    }

    #[cold]
    fn replace(&self, value: f64, ticks: u64, trace: impl FnOnce() -> Option<TraceIds>) {
        let Some(trace) = trace() else { return };
        // Who comes second at the same moment has an exemplar no better than the first.
        if let Ok(mut latest) = self.latest.try_lock() {
            self.replaced.store(ticks.max(1), Ordering::Relaxed);
            *latest = Some(Exemplar { trace, value, unix_ns: clock::unix_ns() });
        }
    }

    pub(crate) fn latest(&self) -> Option<Exemplar> {
        self.latest.lock().ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(trace_id: Id, flags: u8) -> SpanContext {
        let mut context = SpanContext::new(trace_id, Id::Span(7));
        context.carried.flags = flags;
        context
    }

    #[test]
    fn only_a_trace_that_is_kept_is_named() {
        assert!(TraceIds::of(&context(Id::Trace(5), 1)).is_some());
        assert!(TraceIds::of(&context(Id::Trace(5), 3)).is_some());
        assert!(TraceIds::of(&context(Id::Trace(5), 0)).is_none());
        assert!(TraceIds::of(&context(Id::from("order-5"), 0)).is_some());
        assert!(TraceIds::of(&context(Id::from("x".repeat(97).as_str()), 0)).is_some());
        assert!(TraceIds::of(&context(Id::from("x".repeat(98).as_str()), 0)).is_none());
    }

    #[test]
    fn an_exemplar_is_written_as_openmetrics_wants_it() {
        let trace = TraceIds::of(&context(Id::from("a\"b"), 0)).unwrap();
        let exemplar = Exemplar { trace, value: 0.5, unix_ns: 1_700_000_000_042_999_999 };
        let text = "{trace_id=\"a\\\"b\",span_id=\"0000000000000007\"} 0.5 1700000000.042";
        assert_eq!(exemplar.to_string(), text);
    }

    #[test]
    fn an_exemplar_is_kept_for_a_second() {
        let slot = ExemplarSlot::default();
        let ids = |id: u128| TraceIds::of(&context(Id::Trace(id), 1));
        let latest = || slot.latest().map(|exemplar| exemplar.value);
        slot.offer_at(1, 1.0, || None);
        assert_eq!(latest(), None);
        slot.offer_at(2, 2.0, || ids(2));
        slot.offer_at(3, 3.0, || ids(3));
        assert_eq!(latest(), Some(2.0));
        slot.offer_at(u64::MAX / 4, 4.0, || ids(4));
        assert_eq!(latest(), Some(4.0));
    }
}
