//! Slots: what a span of tracing's registry remembers for each of our layers.
//!
//! Knows where a span keeps it. Does not know what a context is made of, nor how a span is timed. A
//! span's id goes in, the layer's slot comes out.

use crate::capture::thread_state;
use crate::metrics::SpanTimer;
use crate::record::span::SpanContext;
use smallvec::SmallVec;
use std::sync::Arc;
use tracing::span::Id;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// One for each layer that has seen the span; there is mostly one layer.
#[derive(Debug)]
pub(super) struct Slots(SmallVec<[Slot; 1]>);

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) layer: u32,
    pub(super) context: Arc<SpanContext>,
    /// The value of `context.changes` the context was built from.
    pub(super) seen: u32,
    pub(super) timer: SpanTimer,
}

impl Slots {
    pub(super) fn of_one(slot: Slot) -> Self {
        Self(SmallVec::from_buf([slot]))
    }

    pub(super) fn add(&mut self, slot: Slot) {
        self.0.push(slot);
    }

    pub(super) fn of(&self, layer: u32) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.layer == layer)
    }

    pub(super) fn of_mut(&mut self, layer: u32) -> Option<&mut Slot> {
        self.0.iter_mut().find(|slot| slot.layer == layer)
    }
}

/// Calls `look` with the layer's slot of that span, if it has one.
pub(super) fn with<S>(id: &Id, layer: u32, ctx: &Context<'_, S>, look: impl FnOnce(&Slot))
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = ctx.span(id) else { return };
    if let Some(slot) = span.extensions().get::<Slots>().and_then(|slots| slots.of(layer)) {
        look(slot);
    }
}

/// Has the span that an ERROR was logged in counted as one that failed.
#[cold]
pub(super) fn note_failure<S>(event: &Event<'_>, layer: u32, ctx: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let innermost = || thread_state::innermost_span(layer).map(Id::from_u64);
    let around = if event.is_root() { None } else { innermost() };
    if let Some(id) = event.parent().cloned().or(around) {
        with(&id, layer, ctx, |slot| slot.timer.fail());
    }
}
