//! LogPairs: the key-values of a record of the `log` crate, on their way to the layers.
//!
//! Knows the `kv` part of `log`. Does not know tracing: an event of tracing has only the fields of
//! its callsite, so the pairs go beside it, in thread-local storage, for as long as it is
//! dispatched. What comes out are typed fields that name themselves.

use crate::base::unwind::discard;
use crate::capture::values::{guarded, write_error};
use crate::record::callsite::marker;
use crate::record::fields::{Fields, Key, Value};
use log::kv::{Error, Key as LogKey, Value as LogValue, VisitSource, VisitValue};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The key-values of one record.
#[derive(Debug, Default)]
pub(crate) struct LogPairs {
    pub(crate) fields: Fields,
    /// Values whose `Debug` or `Display` panicked or failed.
    pub(crate) unformatted: u32,
}

thread_local! {
    /// Those of the record that is being dispatched on this thread.
    static CURRENT: Cell<Option<Box<LogPairs>>> = const { Cell::new(None) };
}

impl LogPairs {
    /// Reads them; `None` if there are none.
    pub(crate) fn of(record: &log::Record<'_>) -> Option<Box<Self>> {
        let source = record.key_values();
        let mut pairs = Box::<Self>::default();
        // What panics or fails in between keeps what came before.
        let visited = catch_unwind(AssertUnwindSafe(|| source.visit(&mut *pairs).is_ok()));
        match visited {
            Ok(true) => {}
            Ok(false) => pairs.unformatted += 1,
            Err(panic) => {
                discard(panic);
                pairs.unformatted += 1;
            }
        }
        (!pairs.fields.is_empty() || pairs.unformatted > 0).then_some(pairs)
    }

    /// Runs `dispatch` with these pairs beside the event. Records of `log` that are made meanwhile
    /// have their own.
    pub(crate) fn overflow_len(pairs: Option<Box<Self>>, dispatch: impl FnOnce()) {
        struct Restore(Option<Box<LogPairs>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(pairs));
        dispatch();
    }

    /// Shows the pairs of the event that is being dispatched, if it has any.
    pub(crate) fn with_current(look: impl FnOnce(&Self)) {
        if let Some(pairs) = CURRENT.take() {
            look(&pairs);
            CURRENT.set(Some(pairs));
        }
    }
}

/// Longer texts are cut here, shorter ones by `limits.field_bytes`.
const MAX_TEXT_BYTES: usize = 64 * 1024;
const MAX_ERROR_SOURCES: usize = 32;
/// Names that say where a record comes from, and `message`.
const PLACES: [&str; 5] = ["message", "log.target", "log.module_path", "log.file", "log.line"];

/// The name of the field: what says something else of the record moves aside.
fn field_name<'k>(key: &'k LogKey<'_>) -> Cow<'k, str> {
    let name = key.as_str();
    match PLACES.contains(&name) || name.starts_with(marker::PREFIX) {
        true => Cow::Owned(format!("field.{name}")),
        false => Cow::Borrowed(name),
    }
}

impl<'kvs> VisitSource<'kvs> for LogPairs {
    fn visit_pair(&mut self, key: LogKey<'kvs>, value: LogValue<'kvs>) -> Result<(), Error> {
        let name = &*field_name(&key);
        value.visit(One { pairs: self, name })
    }
}

/// Adds one value under its name.
struct One<'a> {
    pairs: &'a mut LogPairs,
    name: &'a str,
}

impl One<'_> {
    fn push(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.pairs.fields.push_cut(Key::Name(self.name), value, MAX_TEXT_BYTES);
        Ok(())
    }
}

impl<'v> VisitValue<'v> for One<'_> {
    fn visit_any(&mut self, value: LogValue<'_>) -> Result<(), Error> {
        let LogPairs { fields, unformatted } = &mut *self.pairs;
        fields.format(
            Key::Name(self.name),
            MAX_TEXT_BYTES,
            |text| guarded(text, unformatted, |text| write!(text, "{value}")),
            |_, _| None,
        );
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        Ok(()) // as an `Option` that is `None` is no field of an event
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.push(Value::U64(value))
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.push(Value::I64(value))
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), Error> {
        self.push(Value::U128(value))
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), Error> {
        self.push(Value::I128(value))
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.push(Value::F64(value))
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.push(Value::Bool(value))
    }

    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        self.push(Value::Str(value))
    }

    fn visit_char(&mut self, value: char) -> Result<(), Error> {
        self.push(Value::Str(value.encode_utf8(&mut [0; 4])))
    }

    fn visit_borrowed_error(
        &mut self,
        value: &'v (dyn std::error::Error + 'static),
    ) -> Result<(), Error> {
        self.visit_error(value)
    }

    fn visit_error(&mut self, value: &(dyn std::error::Error + 'static)) -> Result<(), Error> {
        let LogPairs { fields, unformatted } = &mut *self.pairs;
        let writer = fields.error(Key::Name(self.name), MAX_TEXT_BYTES);
        write_error(writer, (value, MAX_ERROR_SOURCES), unformatted, |_, _| None);
        Ok(())
    }
}
