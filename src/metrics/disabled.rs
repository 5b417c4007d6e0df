//! Disabled: a build without the feature `metrics` measures nothing, at no cost.

use crate::base::error::Error;
use crate::record::Record;
use crate::record::callsite::Callsite;
use crate::record::span::SpanContext;
use std::marker::PhantomData;
use std::sync::Arc;

/// What measuring needs to know: nothing.
pub(crate) struct Setup<'a>(pub(crate) PhantomData<&'a ()>);

/// What was opened: nothing.
#[derive(Debug)]
pub(crate) struct Opened;

impl Opened {
    /// Opens nothing.
    ///
    /// # Errors
    ///
    /// None.
    pub(crate) fn open(_: Setup<'_>) -> Result<Self, Error> {
        Ok(Self)
    }
}

/// Where it would be measured.
pub(crate) struct Registry;

/// What a pipeline measures: nothing.
#[derive(Debug, Clone)]
pub(crate) struct PipelineMetrics;

impl PipelineMetrics {
    pub(crate) fn new(_: Setup<'_>, _: Option<Registry>) -> Self {
        Self
    }

    pub(crate) fn records(&self) -> LogRecords {
        LogRecords
    }

    pub(crate) fn spans(&self) -> SpanTimes {
        SpanTimes
    }

    pub(crate) fn serve(&self, _: Opened) -> Option<String> {
        None
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    pub(crate) fn stop(&self) {}
}

/// Counts no records.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogRecords;

impl LogRecords {
    pub(crate) fn received(&self, _: &Record) {}

    pub(crate) fn refused(&self, _: &'static Callsite) {}
}

/// Times no spans.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanTimes;

/// Times nothing.
#[derive(Debug, Default)]
pub(crate) struct SpanTimer;

impl SpanTimes {
    pub(crate) fn begin(&self, _: &'static Callsite) -> SpanTimer {
        SpanTimer
    }

    pub(crate) fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn end(&self, _: &SpanTimer, _: &SpanContext) {}
}

impl SpanTimer {
    pub(crate) fn fail(&self) {}
}

/// Exemplars: none.
pub(crate) mod exemplar {
    use super::{Arc, SpanContext};

    pub(crate) fn take_from(_: fn() -> Option<Arc<SpanContext>>) {}
}
