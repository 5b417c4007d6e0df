//! Record: one log record as it enters the store.
//!
//! Knows: the members every record has, the names of the well-known fields, how the query language
//! sees both.
//! Must not know: files, columns, protocols. In: what a decoder read. Out: a [`Row`] to query.

use logwell_query::{Level, Row, Value, ValueRef};

/// A record as it enters. The well-known fields are members; all others are in `fields`.
///
/// An empty `stream`, `service`, `host` or `logger` means that the record has none.
///
/// ```
/// use logbeacon_store::Record;
/// use logwell_query::{Level, Row, Value, ValueRef};
///
/// let record = Record {
///     level: Level::Warn,
///     message: "slow query".to_owned(),
///     fields: vec![("latency_ms".to_owned(), Value::Float(1250.5))],
///     ..Record::default()
/// };
/// assert_eq!(record.get("level"), Some(ValueRef::Text("WARN")));
/// assert_eq!(record.get("latency_ms"), Some(ValueRef::Float(1250.5)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When the event happened, in nanoseconds since the epoch, UTC. Never refused for its age.
    pub time_ns: i64,
    /// When the record arrived, in nanoseconds since the epoch, UTC.
    pub arrived_ns: i64,
    /// The identity of the record: two deliveries of one record have equal hashes, two records
    /// never do. The store keeps one record per hash within its deduplication window.
    pub hash: u128,
    /// The stream the record belongs to: the unit of access rights and retention.
    pub stream: String,
    /// How severe the event is.
    pub level: Level,
    /// The service that logged it.
    pub service: String,
    /// The device or host it ran on.
    pub host: String,
    /// The logger or target within the service.
    pub logger: String,
    /// The text of the event.
    pub message: String,
    /// The trace, usually 32 lower-case hexadecimal digits; any text is kept.
    pub trace_id: Option<String>,
    /// The span, usually 16 lower-case hexadecimal digits; any text is kept.
    pub span_id: Option<String>,
    /// All other fields: nested objects flattened with dots, sorted by name, names unique.
    /// [`Record::tidy`] makes them so.
    pub fields: Vec<(String, Value)>,
}

impl Record {
    /// Brings `fields` into the promised form: sorted by name, the last of equal names kept, a
    /// name that is well known written as `field.NAME`, and each value in its plainest kind: an
    /// integer that fits is [`Value::Int`], what is no finite number or JSON array is
    /// [`Value::Text`], a null is left out. Costs one pass if they are so already.
    ///
    /// Every store does this to what it keeps.
    pub fn tidy(&mut self) {
        self.fields.retain(|(_, value)| *value != Value::Null);
        for (name, value) in &mut self.fields {
            if is_well_known(name) {
                name.insert_str(0, "field.");
            }
            plain(value);
        }
        if self.fields.is_sorted_by(|(left, _), (right, _)| left < right) {
            return;
        }
        self.fields.reverse();
        self.fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.fields.dedup_by(|(left, _), (right, _)| left == right);
    }
}

impl Default for Record {
    fn default() -> Self {
        Self {
            time_ns: 0,
            arrived_ns: 0,
            hash: 0,
            stream: String::new(),
            level: Level::Info,
            service: String::new(),
            host: String::new(),
            logger: String::new(),
            message: String::new(),
            trace_id: None,
            span_id: None,
            fields: Vec::new(),
        }
    }
}

impl Row for Record {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        match field {
            "level" => Some(ValueRef::Text(self.level.name())),
            "message" => Some(ValueRef::Text(&self.message)),
            "logger" => text(&self.logger),
            "service" => text(&self.service),
            "host" => text(&self.host),
            "stream" => text(&self.stream),
            "trace_id" => self.trace_id.as_deref().map(ValueRef::Text),
            "span_id" => self.span_id.as_deref().map(ValueRef::Text),
            _ => {
                let at = self.fields.binary_search_by(|(name, _)| name.as_str().cmp(field)).ok()?;
                self.fields.get(at).map(|(_, value)| value.as_ref())
            }
        }
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        for name in WELL_KNOWN {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
        for (name, value) in &self.fields {
            visit(name, value.as_ref());
        }
    }
}

/// The fields every record may have, in the order in which rows show them. `time` is not among
/// them, since a row has it apart.
pub(crate) const WELL_KNOWN: [&str; 8] =
    ["level", "message", "logger", "service", "host", "trace_id", "span_id", "stream"];

/// Names that no field of `fields` may have: those of the members, and what the query language
/// calls the time.
pub(crate) fn is_well_known(name: &str) -> bool {
    WELL_KNOWN.contains(&name) || matches!(name, "time" | "_time" | "timestamp" | "@timestamp")
}

/// Gives a value the one kind in which it is kept: an unsigned integer that fits is signed, and
/// what JSON has no number or array for is a text.
fn plain(value: &mut Value) {
    match value {
        Value::UInt(number) => {
            if let Ok(number) = i64::try_from(*number) {
                *value = Value::Int(number);
            }
        }
        Value::Float(number) if !number.is_finite() => {
            let text = match *number {
                number if number.is_nan() => "NaN",
                number if number > 0.0 => "Infinity",
                _ => "-Infinity",
            };
            *value = Value::Text(text.to_owned());
        }
        Value::Time(_) => *value = Value::Text(value.as_ref().text().into_owned()),
        Value::Json(text) => {
            let is_array = text.starts_with('[')
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            if !is_array {
                *value = Value::Text(std::mem::take(text));
            }
        }
        _ => {}
    }
}

fn text(value: &str) -> Option<ValueRef<'_>> {
    (!value.is_empty()).then_some(ValueRef::Text(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidy_sorts_fields_keeps_the_last_of_a_name_and_moves_well_known_names_aside() {
        let field = |name: &str, value| (name.to_owned(), Value::Int(value));
        let mut record = Record {
            fields: vec![field("b", 1), field("level", 2), field("a", 3), field("b", 4)],
            ..Record::default()
        };
        record.tidy();
        assert_eq!(record.fields, [field("a", 3), field("b", 4), field("field.level", 2)]);
    }
}
