//! Values: a visitor that copies tracing's values into typed [`Fields`].
//!
//! Knows tracing's `Visit`. Knows nothing of what happens next. Runs on the application's thread
//! with nothing locked or borrowed, since a `Debug` or `Display` may do anything: log, panic, fail.

use crate::base::unwind::discard;
use crate::capture::log_pairs::LogPairs;
use crate::capture::redact::{Redaction, SecretFields};
use crate::capture::room::Room;
use crate::capture::thread_state::Nesting;
use crate::record::bytes::{INLINE_BYTES, floor_char_boundary};
use crate::record::callsite::Callsite;
use crate::record::fields::Entry;
use crate::record::fields::ErrorValue;
use crate::record::fields::ErrorWriter;
use crate::record::fields::Fields;
use crate::record::fields::Key;
use crate::record::fields::TextWriter;
use crate::record::fields::Value;
use logwell_options::secret::MASK;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::field::{Field, Visit};

const PANICKED: &str = "<panic while formatting this value>";
const FAILED: &str = "<error while formatting this value>";

/// Collects the values of one event, span or `record()`.
pub(crate) struct Capture<'a> {
    /// Where they go: where they are to stay, since moving them costs more than adding them.
    fields: &'a mut Fields,
    /// Fields beyond the limit on their number.
    pub(crate) left_out: u32,
    /// Values whose `Debug` or `Display` panicked or failed.
    pub(crate) unformatted: u32,
    /// Values with a secret, which is masked.
    pub(crate) redacted: u32,
    taken: usize,
    room: Room,
    /// A text up to this length keeps within the limits as long as it needs no heap.
    short_bytes: usize,
    redaction: Option<&'a Redaction>,
    secret_fields: SecretFields,
}

impl<'a> Capture<'a> {
    pub(crate) fn new(
        fields: &'a mut Fields,
        room: Room,
        redaction: Option<&'a Redaction>,
        callsite: &Callsite,
    ) -> Self {
        let secret_fields =
            redaction.map_or(SecretFields::NONE, |redaction| redaction.fields_of(callsite));
        Self {
            fields,
            left_out: 0,
            unformatted: 0,
            redacted: 0,
            taken: 0,
            room,
            short_bytes: match room.field_bytes.min(room.record_bytes) {
                INLINE_BYTES.. => INLINE_BYTES,
                _ => 0,
            },
            redaction,
            secret_fields,
        }
    }

    /// The key of a field for which there is nothing to consider but its value.
    #[inline(always)]
    fn usual(&self, field: &Field) -> Option<u8> {
        let index = field.index();
        let is_usual = self.taken < self.room.fields && self.secret_fields.rule_out(index);
        if is_usual { u8::try_from(index).ok() } else { None }
    }

    #[inline(always)]
    fn number(&mut self, field: &Field, value: Value<'_>) {
        match self.usual(field) {
            Some(index) if self.fields.push_small(index, value) => self.taken += 1,
            _ => self.number_closely(field, value),
        }
    }

    #[inline(never)]
    fn number_closely(&mut self, field: &Field, value: Value<'_>) {
        let is_secret = self.secret_fields.contain(field.index());
        if self.takes_one_more() && !(is_secret && self.mask_number(field)) {
            self.fields.push(key(field), value);
        }
    }

    #[inline(never)]
    fn bool_closely(&mut self, field: &Field, value: bool) {
        if self.takes_one_more() {
            self.fields.push(key(field), Value::Bool(value)); // that there is a password is no secret
        }
    }

    #[inline(never)]
    fn text_closely(&mut self, field: &Field, value: &str) {
        if !self.takes_one_more() || self.masks(field) {
            return;
        }
        let (before, room_bytes) = (self.fields.len_bytes(), self.room_bytes());
        self.fields.push_cut(key(field), Value::Str(value), room_bytes);
        let kept = value.as_bytes().get(..room_bytes).unwrap_or(value.as_bytes());
        if let Some(redaction) = self.redaction
            && let Some(redacted) = redaction.text(kept, kept.len() < value.len())
        {
            self.fields.truncate(before);
            self.replaced(field, value, &redacted);
        }
    }

    #[cold]
    fn mask_number(&mut self, field: &Field) -> bool {
        let masks = |redaction: &Redaction| redaction.is_secret_number(field.name());
        self.redaction.is_some_and(masks) && self.mask(field)
    }

    /// Whether the field is a secret: then a mask replaces its value.
    #[inline(always)]
    fn masks(&mut self, field: &Field) -> bool {
        self.secret_fields.contain(field.index()) && self.mask(field)
    }

    #[cold]
    fn mask(&mut self, field: &Field) -> bool {
        // Several far back in the list share one answer.
        let is_secret = self.redaction.is_some_and(|redaction| redaction.is_secret(field.name()));
        if is_secret {
            self.redacted = self.redacted.saturating_add(1);
            self.fields.push(key(field), Value::Str(MASK));
        }
        is_secret
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

    #[cold]
    fn replaced(&mut self, field: &Field, original: &str, redacted: &str) {
        self.redacted = self.redacted.saturating_add(1);
        let room_bytes = self.room_bytes();
        let kept = floor_char_boundary(redacted, room_bytes);
        let is_cut = original.len() > room_bytes || kept < redacted.len();
        self.fields.push_entry(&Entry {
            key: key(field),
            value: Value::Str(redacted.get(..kept).unwrap_or_default()),
            original_bytes: is_cut.then_some(original.len().max(redacted.len()) as u64),
        });
    }

    /// Takes the key-values of a record of the `log` crate.
    pub(crate) fn pairs(&mut self, pairs: &LogPairs) {
        self.unformatted = self.unformatted.saturating_add(pairs.unformatted);
        pairs.fields.iter().for_each(|entry| self.pair(&entry));
    }

    /// Takes a value that names itself.
    fn pair(&mut self, entry: &Entry<'_>) {
        let Key::Name(name) = entry.key else { return };
        if !self.takes_one_more() {
            return;
        }
        let is_secret = self.redaction.is_some_and(|redaction| redaction.is_secret(name));
        match entry.value {
            Value::Bool(_) => self.fields.push_entry(entry),
            _ if is_secret => {
                self.redacted = self.redacted.saturating_add(1);
                self.fields.push(entry.key, Value::Str(MASK));
            }
            Value::Str(text) => self.text_of_pair(entry, text),
            Value::Error(error) => self.error_of_pair(entry, error),
            _ => self.fields.push_entry(entry),
        }
    }

    fn text_of_pair(&mut self, entry: &Entry<'_>, text: &str) {
        let room_bytes = self.room_bytes();
        let original = entry.original_bytes.unwrap_or(text.len() as u64);
        let kept = text.get(..floor_char_boundary(text, room_bytes)).unwrap_or_default();
        let is_cut = (kept.len() as u64) < original;
        let redacted = self.redaction.and_then(|it| it.text(kept.as_bytes(), is_cut));
        let redacted = counted(redacted, &mut self.redacted);
        let shown = redacted.as_deref().unwrap_or(kept);
        let fits = shown.get(..floor_char_boundary(shown, room_bytes)).unwrap_or_default();
        self.fields.push_entry(&Entry {
            value: Value::Str(fits),
            original_bytes: (is_cut || fits.len() < shown.len()).then_some(original),
            ..*entry
        });
    }

    fn error_of_pair(&mut self, entry: &Entry<'_>, error: ErrorValue<'_>) {
        let room_bytes = self.room_bytes();
        let (redaction, redacted) = (self.redaction, &mut self.redacted);
        let mut writer = self.fields.error(entry.key, room_bytes);
        let sources = error.sources().take(self.room.error_sources);
        for text in std::iter::once(error.message).chain(sources) {
            writer.text(
                |out| out.write_str(text).map_err(|fmt::Error| FAILED),
                |text, is_cut| counted(redaction?.text(text, is_cut), redacted),
            );
        }
        writer.finish();
    }

    fn room_bytes(&self) -> usize {
        let left = self.room.record_bytes.saturating_sub(self.fields.len_bytes());
        self.room.field_bytes.min(left)
    }
}

impl Visit for Capture<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, Value::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field, Value::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field, Value::U128(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match self.usual(field) {
            Some(index) if self.fields.push_small(index, Value::Bool(value)) => self.taken += 1,
            _ => self.bool_closely(field, value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_short = value.len() <= self.short_bytes;
        let may_be_masked =
            || self.redaction.is_some_and(|it| it.may_be_in(value.as_bytes(), false));
        match self.usual(field).filter(|_| is_short && !may_be_masked()) {
            Some(index) if self.fields.push_short(index, value) => self.taken += 1,
            _ => self.text_closely(field, value),
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if self.takes_one_more() && !self.masks(field) {
            self.fields.push_cut(key(field), Value::Bytes(value), self.room_bytes());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.takes_one_more() && !self.masks(field) {
            let (before, room_bytes) = (self.fields.len_bytes(), self.room_bytes());
            let is_json = is_json(field);
            let (unformatted, redacted) = (&mut self.unformatted, &mut self.redacted);
            let redaction = self.redaction;
            self.fields.format(
                key(field),
                room_bytes,
                |text| guarded(text, unformatted, |text| write!(text, "{value:?}")),
                |text, is_cut| match redaction? {
                    redaction if is_json => counted(redaction.json(text, is_cut), redacted),
                    redaction => counted(redaction.text(text, is_cut), redacted),
                },
            );
            if is_json {
                self.fields.mark_json(before);
            } else if field.name() == "backtrace" && is_no_backtrace(self.fields.as_bytes()) {
                self.fields.truncate(before);
            }
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if !self.takes_one_more() || self.masks(field) {
            return;
        }
        let room_bytes = self.room_bytes();
        let (unformatted, redacted) = (&mut self.unformatted, &mut self.redacted);
        let redaction = self.redaction;
        let writer = self.fields.error(key(field), room_bytes);
        write_error(writer, (value, self.room.error_sources), unformatted, |text, is_cut| {
            counted(redaction?.text(text, is_cut), redacted)
        });
    }
}

/// Writes an error and so many of its sources.
pub(crate) fn write_error(
    mut writer: ErrorWriter<'_>,
    (value, sources): (&(dyn Error + 'static), usize),
    unformatted: &mut u32,
    mut redact: impl FnMut(&[u8], bool) -> Option<String>,
) {
    let mut next = Some(value);
    let mut left = sources.saturating_add(1);
    while let Some(error) = next.filter(|_| left > 0) {
        left -= 1;
        writer.text(
            |text| guarded(text, unformatted, |text| write!(text, "{error}")),
            |text, is_cut| redact(text, is_cut),
        );
        next = catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or_else(|panic| {
            discard(panic);
            None
        });
    }
    writer.finish();
}

fn counted(redacted: Option<String>, count: &mut u32) -> Option<String> {
    *count = count.saturating_add(u32::from(redacted.is_some()));
    redacted
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

/// Runs the application's formatting code, whatever it does. That it fails once it was stopped is
/// no failure: what is kept is there.
pub(crate) fn guarded(
    text: &mut TextWriter<'_>,
    unformatted: &mut u32,
    format: impl FnOnce(&mut TextWriter<'_>) -> fmt::Result,
) -> Result<(), &'static str> {
    let _nesting = Nesting::enter();
    let placeholder = match catch_unwind(AssertUnwindSafe(|| format(&mut *text))) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(fmt::Error)) => FAILED,
        Err(panic) => {
            discard(panic);
            PANICKED
        }
    };
    if text.is_stopped() {
        return Ok(());
    }
    *unformatted = unformatted.saturating_add(1);
    Err(placeholder)
}
#[cfg(feature = "forward")]
use crate::capture::log_code::is_json;

#[cfg(not(feature = "forward"))]
const fn is_json(_: &Field) -> bool {
    false
}
