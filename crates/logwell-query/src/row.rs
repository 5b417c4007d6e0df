//! Row: what the language needs of a record, and the names that it knows.
//!
//! Knows fields by name. Does not know where a row comes from: stores, lines of a file and results
//! of pipes implement the same trait.

use crate::value::{Value, ValueRef};

/// The field of the event's time. `_time`, `timestamp` and `@timestamp` are read as this name.
pub const TIME: &str = "time";
/// The field of the event's level, see [`Level`](crate::Level).
pub const LEVEL: &str = "level";
/// The field that a bare word is searched in first.
pub const MESSAGE: &str = "message";
/// The time of a row that has none, such as a group of statistics without a time bucket.
pub const NO_TIME: i64 = i64::MIN;

/// A record, or a row of results.
///
/// Names are flat: the member `status` of the object `http` is `http.status`. A field whose value
/// is [`ValueRef::Null`] counts as missing.
pub trait Row {
    /// The event's time, in nanoseconds since 1970-01-01T00:00:00Z; [`NO_TIME`] if it has none.
    fn time_ns(&self) -> i64;

    /// The value of a field other than [`TIME`].
    fn get(&self, field: &str) -> Option<ValueRef<'_>>;

    /// Visits every field but [`TIME`], each once, in an order that is the same for equal records.
    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>));

    /// A copy: [`TIME`] first, then the others in their order.
    fn to_fields(&self) -> Fields {
        let mut fields = Vec::new();
        if self.time_ns() != NO_TIME {
            fields.push((TIME.to_owned(), Value::Time(self.time_ns())));
        }
        self.for_each(&mut |name, value| fields.push((name.to_owned(), value.to_value())));
        Fields(fields)
    }
}

/// The value of any field, `time` too; nothing if it is missing or null.
pub(crate) fn field<'a>(row: &'a dyn Row, name: &str) -> Option<ValueRef<'a>> {
    if name == TIME {
        return Some(row.time_ns()).filter(|ns| *ns != NO_TIME).map(ValueRef::Time);
    }
    row.get(name).and_then(ValueRef::present)
}

/// The value of any field, null too; nothing only if the row does not have the field.
pub(crate) fn field_or_null<'a>(row: &'a dyn Row, name: &str) -> Option<ValueRef<'a>> {
    // Results may have a `time` that is null: the group of records without one.
    field(row, name).or_else(|| row.get(name))
}

/// Visits every field, `time` first, null ones too.
pub(crate) fn every_field(row: &dyn Row, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
    if let Some(time) = field_or_null(row, TIME) {
        visit(TIME, time);
    }
    row.for_each(visit);
}

/// A row that owns its fields: what pipes yield.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// A row of those fields, in that order. `time` is a [`Value::Time`]; names are unique.
    #[must_use]
    pub fn new(fields: Vec<(String, Value)>) -> Self {
        Self(fields)
    }

    /// Names and values, `time` among them.
    #[must_use]
    pub fn as_slice(&self) -> &[(String, Value)] {
        &self.0
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_vec(self) -> Vec<(String, Value)> {
        self.0
    }

    pub(crate) fn fields_mut(&mut self) -> &mut Vec<(String, Value)> {
        &mut self.0
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of_value = |value: &Value| match value {
            Value::Text(text) | Value::Json(text) => text.len(),
            _ => 0,
        };
        let of_field = |(name, value): &(String, Value)| {
            size_of::<(String, Value)>() + name.len() + of_value(value)
        };
        size_of::<Self>() + self.0.iter().map(of_field).sum::<usize>()
    }
}

impl Row for Fields {
    fn time_ns(&self) -> i64 {
        let time = self.0.iter().find(|(name, _)| name == TIME);
        match time {
            Some((_, Value::Time(ns))) => *ns,
            _ => NO_TIME,
        }
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_ref())
    }

    /// With the fields in their order, wherever `time` is among them.
    fn to_fields(&self) -> Fields {
        self.clone()
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        for (name, value) in self.0.iter().filter(|(name, _)| name != TIME) {
            visit(name, value.as_ref());
        }
    }
}

/// Another name's canonical form: the aliases of [`TIME`].
pub(crate) fn canonical(name: &str) -> &str {
    match name {
        "_time" | "timestamp" | "@timestamp" => TIME,
        name => name,
    }
}
