//! Capture: tracing's values, visited one by one, into typed [`Fields`].
//!
//! Knows tracing's `Visit`. Knows nothing of what happens next. Runs on the application's thread
//! with nothing locked or borrowed, since a `Debug` or `Display` may do anything: log, panic, fail.

use crate::caller::Nesting;
use crate::config::Limits;
use crate::fields::{Fields, Key, TextWriter, Value};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::field::{Field, Visit};

const PANICKED: &str = "<panic while formatting this value>";
const FAILED: &str = "<error while formatting this value>";

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

/// Collects the values of one event, span or `record()`.
pub(crate) struct Capture<'a> {
    /// Where they go: where they are to stay, since moving them costs more than adding them.
    fields: &'a mut Fields,
    /// Fields beyond the limit on their number.
    pub(crate) left_out: u32,
    /// Values whose `Debug` or `Display` panicked or failed.
    pub(crate) unformatted: u32,
    taken: usize,
    room: Room,
}

impl<'a> Capture<'a> {
    pub(crate) fn new(fields: &'a mut Fields, room: Room) -> Self {
        Self { fields, left_out: 0, unformatted: 0, taken: 0, room }
    }

    #[inline(always)]
    fn value(&mut self, field: &Field, value: Value<'_>) {
        if self.takes_one_more() {
            self.fields.push(key(field), value);
        }
    }

    #[inline]
    fn takes_one_more(&mut self) -> bool {
        if self.taken == self.room.fields {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.taken += 1;
        true
    }

    fn room_bytes(&self) -> usize {
        let left = self.room.record_bytes.saturating_sub(self.fields.len_bytes());
        self.room.field_bytes.min(left)
    }
}

impl Visit for Capture<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, Value::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.value(field, Value::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.value(field, Value::U128(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.takes_one_more() {
            self.fields.push_cut(key(field), Value::Str(value), self.room_bytes());
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if self.takes_one_more() {
            self.fields.push_cut(key(field), Value::Bytes(value), self.room_bytes());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.takes_one_more() {
            let (before, room_bytes) = (self.fields.len_bytes(), self.room_bytes());
            let unformatted = &mut self.unformatted;
            self.fields.format(key(field), room_bytes, |text| {
                guarded(text, unformatted, |text| write!(text, "{value:?}"))
            });
            if crate::log_code::is_json(field) {
                self.fields.mark_json(before);
            } else if field.name() == "backtrace" && is_no_backtrace(self.fields.as_bytes()) {
                self.fields.truncate(before);
            }
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if !self.takes_one_more() {
            return;
        }
        let room_bytes = self.room_bytes();
        let unformatted = &mut self.unformatted;
        let mut writer = self.fields.error(key(field), room_bytes);
        let mut next = Some(value);
        let mut left = self.room.error_sources.saturating_add(1);
        while let Some(error) = next.filter(|_| left > 0) {
            left -= 1;
            writer.text(|text| guarded(text, unformatted, |text| write!(text, "{error}")));
            next = catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or_else(|panic| {
                discard(panic);
                None
            });
        }
        writer.finish();
    }
}

/// Whether the last text is what `std::backtrace::Backtrace` prints when none was captured.
fn is_no_backtrace(fields: &[u8]) -> bool {
    let texts: [&[u8]; 4] =
        [b"disabled backtrace", b"unsupported backtrace", b"<disabled>", b"<unsupported>"];
    texts.iter().any(|text| fields.ends_with(text))
}

fn key(field: &Field) -> Key<'static> {
    match u8::try_from(field.index()) {
        Ok(index) if index < u8::MAX => Key::Index(index),
        _ => Key::Name(field.name()),
    }
}

/// Runs the application's formatting code, whatever it does.
fn guarded(
    text: &mut TextWriter<'_>,
    unformatted: &mut u32,
    format: impl FnOnce(&mut TextWriter<'_>) -> fmt::Result,
) -> Result<(), &'static str> {
    let _nesting = Nesting::enter();
    let placeholder = match catch_unwind(AssertUnwindSafe(|| format(text))) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(fmt::Error)) => FAILED,
        Err(panic) => {
            discard(panic);
            PANICKED
        }
    };
    *unformatted = unformatted.saturating_add(1);
    Err(placeholder)
}

/// Drops what a panic carried, which may panic itself.
pub(crate) fn discard(panic: Box<dyn std::any::Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}
