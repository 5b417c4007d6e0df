//! Render: rows → lines of JSON.
//!
//! Knows rows and JSON. Does not know HTTP or queries.

use crate::decode::fields::push_json_text;
use logwell_query::{NO_TIME, Row, ValueRef, time_text};
use std::fmt::Write as _;

/// Appends a row as one JSON object: `time` first, then the other fields.
///
/// ```
/// use logbeacon::render::push_row;
/// use logbeacon_store::Record;
///
/// let mut line = String::new();
/// push_row(&Record { message: "hi \"there\"".to_owned(), ..Record::default() }, &mut line);
/// let json: serde_json::Value = serde_json::from_str(&line).unwrap();
/// assert_eq!(json["message"], "hi \"there\"");
/// assert_eq!(json["level"], "INFO");
/// ```
pub fn push_row(row: &dyn Row, out: &mut String) {
    out.push('{');
    let start = out.len();
    if row.time_ns() != NO_TIME {
        push_member("time", ValueRef::Time(row.time_ns()), out);
    }
    row.for_each(&mut |name, value| {
        if out.len() > start {
            out.push(',');
        }
        push_member(name, value, out);
    });
    out.push('}');
}

fn push_member(name: &str, value: ValueRef<'_>, out: &mut String) {
    push_json_text(name, out);
    out.push(':');
    push_value(value, out);
}

/// Appends a value as JSON.
pub fn push_value(value: ValueRef<'_>, out: &mut String) {
    // Writing to a text cannot fail.
    let _infallible = match value {
        ValueRef::Null => out.write_str("null"),
        ValueRef::Bool(flag) => write!(out, "{flag}"),
        ValueRef::Int(number) => write!(out, "{number}"),
        ValueRef::UInt(number) => write!(out, "{number}"),
        ValueRef::Float(number) => write!(out, "{}", serde_json::Value::from(number)),
        ValueRef::Json(text) => out.write_str(text),
        ValueRef::Time(time_ns) => write!(out, "\"{}\"", time_text(time_ns)),
        ValueRef::Text(text) => {
            push_json_text(text, out);
            Ok(())
        }
    };
}
