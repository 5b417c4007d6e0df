//! Native: a record as it is in the files, read back out of a message.
//!
//! Knows the keys that every native record has. Knows no destination. In: the body of a message;
//! out: the parts that people and other formats want, and all other members as fields.

use serde_json::{Map, Value};

/// A native record.
#[derive(Debug, Clone)]
pub(super) struct NativeRecord(Map<String, Value>);

/// What is no field of the application's.
const OWN: [&str; 16] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "module",
    "function",
    "file",
    "line",
    "thread",
    "process",
    "seq",
    "trace_id",
    "span_id",
    "spans",
    "error",
    "error_chain",
];

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

    /// What the application has given: everything that not every record has.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value));
        all.filter(|(name, _)| !OWN.contains(name))
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
            "error_chain": ["b", "c"], "trace_id": "abc-123",
        });
        let record = NativeRecord::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(record.fields().collect::<Vec<_>>(), [("order", &Value::from(7))]);
        assert_eq!(record.errors(), ["a", "b", "c"]);
        assert_eq!((record.text("message"), record.text("logger")), ("no", ""));
        assert_eq!(record.w3c_id("trace_id", 32), None);
        for odd in [&b""[..], b"[]", b"7"] {
            assert!(NativeRecord::read(odd).is_none());
        }
    }
}
