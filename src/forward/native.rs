//! Native: a record as it is in the files, read back out of a message.
//!
//! Knows which members are fields of the application. Knows no destination. In: the body of a
//! message; out: the parts that people and other formats want, and the fields.

use crate::encode::RECORD_KEYS;
use serde_json::{Map, Value};

/// A native record.
#[derive(Debug, Clone)]
pub(super) struct NativeRecord(Map<String, Value>);

/// Whether that member is a field of the application's, or tells which of them were cut.
fn is_field(name: &str) -> bool {
    name == "truncated"
        || !(RECORD_KEYS.contains(&name) || ["error", "error_chain"].contains(&name))
}

impl NativeRecord {
    /// `None` if it is no JSON object.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// The text of that member; empty if it has none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The member of that name.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The application's fields, and `truncated`, which says how long those were that are cut.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value));
        all.filter(|(name, _)| is_field(name))
    }

    /// The field `error` and its sources, the outermost first.
    pub(super) fn errors(&self) -> Vec<&str> {
        let sources = self.0.get("error_chain").and_then(Value::as_array);
        let sources = sources.into_iter().flatten().filter_map(Value::as_str);
        self.0.get("error").and_then(Value::as_str).into_iter().chain(sources).collect()
    }

    /// That id, if it is one as W3C Trace Context has them.
    pub(super) fn w3c_id(&self, key: &str, digits: usize) -> Option<String> {
        let text = self.text(key);
        let is_id = text.len() == digits
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            && text.bytes().any(|byte| byte != b'0');
        is_id.then(|| text.to_ascii_lowercase())
    }

    /// All of it.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_not_every_record_has() {
        let json = serde_json::json!({
            "level": "ERROR", "message": "no", "seq": 1, "order": 7, "error": "a",
            "error_chain": ["b", "c"], "trace_id": "abc-123", "truncated": {"order": 9},
        });
        let record = NativeRecord::read(json.to_string().as_bytes()).unwrap();
        let cut = serde_json::json!({"order": 9});
        let fields: Vec<_> = record.fields().collect();
        assert_eq!(fields, [("order", &Value::from(7)), ("truncated", &cut)]);
        assert_eq!(record.errors(), ["a", "b", "c"]);
        assert_eq!((record.text("message"), record.text("logger")), ("no", ""));
        assert_eq!(record.w3c_id("trace_id", 32), None);
        for odd in [&b""[..], b"[]", b"7"] {
            assert!(NativeRecord::read(odd).is_none());
        }
    }
}
