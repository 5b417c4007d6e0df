//! Context cache: recently encoded ids and spans, so that a record does not encode them again.
//! Knows neither lines nor what the bytes say.

use crate::record::span::SpanContext;
use std::sync::Arc;

/// Ids and spans as they were written lately. Most records share their context with others, and
/// writing it again would cost more than the rest of the line.
#[derive(Debug, Default)]
pub(super) struct ContextCache {
    kept: Vec<Option<KeptContext>>,
}

/// What is written for a context.
#[derive(Debug)]
pub(super) struct KeptContext {
    /// Held, so that no other context can come to have its address.
    context: Arc<SpanContext>,
    /// `,"function":"…"`, or nothing.
    pub(super) function: Vec<u8>,
    /// Ids and spans.
    pub(super) text: Vec<u8>,
}

impl ContextCache {
    const SLOTS: usize = 64;
    /// Longer ones are not worth the memory.
    const MAX_BYTES: usize = 4 * 1024;

    fn slot(context: &Arc<SpanContext>) -> usize {
        let address = Arc::as_ptr(context).addr();
        ((address >> 6) ^ (address >> 12)) % Self::SLOTS
    }

    pub(super) fn get(&self, context: &Arc<SpanContext>) -> Option<&KeptContext> {
        let kept = self.kept.get(Self::slot(context))?.as_ref()?;
        Arc::ptr_eq(&kept.context, context).then_some(kept)
    }

    pub(super) fn keep(&mut self, context: &Arc<SpanContext>, function: &[u8], text: &[u8]) {
        if text.len() > Self::MAX_BYTES {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize_with(Self::SLOTS, || None);
        }
        if let Some(slot) = self.kept.get_mut(Self::slot(context)) {
            let context = Arc::clone(context);
            *slot = Some(KeptContext { context, function: function.into(), text: text.into() });
        }
    }
}
