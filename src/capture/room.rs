//! Room: how much of one event or span is kept.
//!
//! Knows the limits of the configuration. Does not know values, nor who counts them. Options go in;
//! the numbers that hold for a record's kind come out.

use crate::capture::options::Limits;

/// How much of one event or span is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) field_bytes: usize,
    pub(crate) record_bytes: usize,
    pub(crate) fields: usize,
    pub(crate) error_sources: usize,
}

impl Room {
    /// For ordinary records and spans.
    pub(crate) fn ordinary(limits: &Limits) -> Self {
        Self {
            field_bytes: limits.field_bytes,
            record_bytes: limits.record_bytes,
            fields: limits.fields,
            error_sources: limits.error_sources,
        }
    }

    /// For records about AI models, whose texts are longer.
    pub(crate) fn ai(limits: &Limits) -> Self {
        Self {
            field_bytes: limits.ai_field_bytes,
            record_bytes: limits.ai_record_bytes,
            ..Self::ordinary(limits)
        }
    }
}
