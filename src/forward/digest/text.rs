//! Text: a digest as people read it.
//!
//! ```text
//! ERROR shop::orders: order 17 failed (×173)
//!   order_id=17 error=card declined
//!   2026-02-19T10:30:00Z to 2026-02-19T10:31:04Z, src/orders.rs:42, trace 4bf9…
//! ```
//!
//! Knows the order of the parts and their bounds. Text in a record may come from anybody: control
//! characters are made visible, so that no record can pass for a line of ours. What else must be
//! escaped is up to who sends it.

use super::{Digest, ReadKind};
use crate::encode::options::ServiceConfig;
use crate::encode::terminal_safe::push_visible;
use serde_json::Value;

const MAX_MESSAGE_CHARS: usize = 400;
const MAX_FIELD_CHARS: usize = 120;
const MAX_FIELDS: usize = 8;

/// One line about all: `shop (production): 173 records, the worst ERROR: order 17 failed`.
pub(in crate::forward) fn headline(digest: &Digest, service: &ServiceConfig) -> String {
    let place = match service.environment.as_str() {
        "" => String::new(),
        environment => format!(" ({environment})"),
    };
    let first = digest.kinds.first().map(|kind| kind.first.text("message")).unwrap_or_default();
    let first = plain(first, MAX_FIELD_CHARS);
    let name = plain(&service.name, MAX_FIELD_CHARS);
    let level = digest.level;
    match digest.records {
        1 => format!("{name}{place}: {level} {first}"),
        records => format!("{name}{place}: {records} records, the worst {level} {first}"),
    }
}

/// The lines about one kind: the first says what happened, the others are details.
pub(in crate::forward) fn lines(kind: &ReadKind) -> Vec<String> {
    let record = &kind.first;
    let times = if kind.count > 1 { format!(" (×{})", kind.count) } else { String::new() };
    let logger = plain(record.text("logger"), MAX_FIELD_CHARS);
    let message = plain(record.text("message"), MAX_MESSAGE_CHARS);
    let mut lines = vec![format!("{} {logger}: {message}{times}", record.text("level"))];
    let errors = record.errors().into_iter().map(|error| ("error", Value::from(error)));
    let fields = record.fields().map(|(name, value)| (name, value.clone()));
    let fields = errors.chain(fields).take(MAX_FIELDS).map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", plain(name, MAX_FIELD_CHARS), plain(&value, MAX_FIELD_CHARS))
    });
    let fields: Vec<_> = fields.collect();
    if !fields.is_empty() {
        lines.push(fields.join(" "));
    }
    lines.push(place(kind));
    lines
}

/// When and where, and the trace.
fn place(kind: &ReadKind) -> String {
    let record = &kind.first;
    let first = record.text("timestamp");
    let mut place = match kind.last.as_str() {
        last if last == first => first.to_owned(),
        last => format!("{first} to {last}"),
    };
    if let (file @ [_, ..], Some(line)) = (record.text("file").as_bytes(), record.get("line")) {
        place += &format!(", {}:{line}", plain(&String::from_utf8_lossy(file), MAX_FIELD_CHARS));
    }
    if !record.text("trace_id").is_empty() {
        place += &format!(", trace {}", plain(record.text("trace_id"), MAX_FIELD_CHARS));
    }
    place
}

/// The line about what is not shown.
pub(in crate::forward) fn others(digest: &Digest) -> Option<String> {
    match digest.others {
        0 => None,
        1 => Some("and 1 more record".to_owned()),
        others => Some(format!("and {others} more records")),
    }
}

/// One line of so many characters, and nothing in it that changes how text is shown.
fn plain(text: &str, max_chars: usize) -> String {
    let end = text.char_indices().nth(max_chars).map(|(at, _)| at);
    let mut out = Vec::new();
    push_visible(text.get(..end.unwrap_or(text.len())).unwrap_or_default(), &mut out);
    let mut plain = String::from_utf8_lossy(&out).into_owned();
    if end.is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_what_where_and_when() {
        let first = serde_json::json!({
            "timestamp": "t1", "level": "ERROR", "logger": "shop", "message": "order 1\nfailed",
            "file": "a.rs", "line": 7, "error": "no", "error_chain": ["limit"], "order": 1,
            "trace_id": "4bf9",
        });
        let digest = serde_json::json!({
            "level": "ERROR", "records": 173, "others": 2,
            "kinds": [{ "count": 171, "last": "t9", "first": first }],
        });
        let digest = Digest::read(digest.to_string().as_bytes()).unwrap();
        let service = ServiceConfig { name: "shop".to_owned(), ..ServiceConfig::default() };
        assert_eq!(
            headline(&digest, &service),
            r"shop: 173 records, the worst ERROR order 1\nfailed"
        );
        assert_eq!(
            lines(&digest.kinds[0]),
            [
                r"ERROR shop: order 1\nfailed (×171)",
                "error=no error=limit order=1",
                "t1 to t9, a.rs:7, trace 4bf9",
            ]
        );
        assert_eq!(others(&digest).unwrap(), "and 2 more records");
    }
}
