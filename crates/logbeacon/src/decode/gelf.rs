//! GELF: Graylog's messages over HTTP → drafts.
//!
//! Knows GELF 1.1. Does not know HTTP, chunks or UDP.

use super::draft::{Draft, Item, Unreadable};
use super::fields::Fields;
use super::json;
use super::limits::Limits;
use super::names::text_of;
use super::{level, time};
use logwell_query::Value;

/// Reads a body: one message, or one by line. `short_message` is the message, `level` a severity of
/// syslog, `_name` the field `name`; the others keep their names.
///
/// # Errors
///
/// The body is empty or has too many records.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let parts = json::flattened(body, limits)?;
    Ok(parts.into_iter().map(|part| part.map(|fields| draft(fields, limits))).collect())
}

fn draft(mut fields: Fields, limits: &Limits) -> Draft {
    let mut text = |name: &str| fields.take(name).map(text_of).unwrap_or_default();
    let mut draft =
        Draft { message: text("short_message"), host: text("host"), ..Draft::default() };
    text("version");
    draft.time_ns = match fields.take("timestamp") {
        Some(Value::Float(number)) => time::from_number(number),
        Some(Value::Int(number)) => Some(time::from_integer(number)),
        Some(Value::Text(text)) => time::from_text(&text),
        _ => None,
    };
    draft.level = match fields.take("level") {
        Some(Value::Int(severity @ 0..=7)) => u8::try_from(severity).ok().map(level::from_severity),
        Some(Value::Text(name)) => level::from_name(&name),
        _ => None,
    };
    for (name, value) in fields.into_sorted() {
        let name = name.strip_prefix('_').unwrap_or(&name);
        match (name, value) {
            ("trace_id", Value::Text(text)) => draft.trace_id = text,
            ("span_id", Value::Text(text)) => draft.span_id = text,
            ("service" | "service_name", Value::Text(text)) => draft.service = text,
            ("logger", Value::Text(text)) => draft.logger = text,
            (_, value) => draft.fields.push(name, value, limits),
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    #[test]
    fn a_message_becomes_a_draft() {
        let body =
            br#"{"version":"1.1","host":"web-1","short_message":"failed","full_message":"long",
            "timestamp":1771497000.25,"level":3,"_user_id":42,"_trace_id":"abc"}"#;
        let items = decode(body, &Limits::default()).unwrap();
        let draft = items[0].as_ref().unwrap().clone();
        assert_eq!((&*draft.message, &*draft.host, &*draft.trace_id), ("failed", "web-1", "abc"));
        assert_eq!(draft.time_ns, Some(1_771_497_000_250_000_000));
        assert_eq!(draft.level, Some(Level::Error));
        assert_eq!(
            draft.fields.into_sorted(),
            [
                ("full_message".to_owned(), Value::Text("long".to_owned())),
                ("user_id".to_owned(), Value::Int(42)),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode(&body, &Limits::default());
        }
    }
}
