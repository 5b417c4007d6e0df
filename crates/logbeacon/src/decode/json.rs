//! JSON: bodies of JSON objects → drafts. LogBeacon's messages, logwell's records, anybody's
//! NDJSON.
//!
//! Knows three shapes: an object, an array of objects, objects by line. Does not know HTTP.

use super::draft::{Draft, Item, Refusal, Unreadable};
use super::fields::Fields;
use super::flatten::flatten;
use super::limits::Limits;
use super::{lines, names};
use serde_json::value::RawValue;

/// What the objects of a body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// LogBeacon's messages, where `hash` identifies a record, or records of logwell.
    Beacon,
    /// Any objects with common names; nothing identifies them.
    Any,
}

impl Shape {
    fn draft(self) -> fn(Fields) -> Draft {
        match self {
            Self::Beacon => names::beacon,
            Self::Any => names::draft,
        }
    }
}

/// Reads a body: one object, an array of objects, or an object on each line. Blank lines do not
/// count. What is no record is refused by itself; the others are taken.
///
/// ```
/// use logbeacon::decode::json::{Shape, decode};
/// use logbeacon::decode::limits::Limits;
///
/// let body = "{\"message\":\"a\"}\nnonsense\n{\"message\":\"b\"}\n";
/// let items = decode(body.as_bytes(), Shape::Any, &Limits::default()).unwrap();
/// assert_eq!(items.len(), 3);
/// assert_eq!(items[0].as_ref().unwrap().message, "a");
/// assert_eq!(items[1].as_ref().unwrap_err().reason.code(), "not_json");
/// ```
///
/// # Errors
///
/// The body is empty, an array that cannot be split into its items, or has too many records.
pub fn decode(body: &[u8], shape: Shape, limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let parts = flattened(body, limits)?;
    Ok(parts.into_iter().map(|part| part.map(shape.draft())).collect())
}

/// Reads one object.
///
/// # Errors
///
/// The text is not a JSON object.
pub fn item(text: &str, shape: Shape, limits: &Limits) -> Item {
    fields(text, limits).map(shape.draft())
}

/// The fields of each object of a body.
pub(super) fn flattened(
    body: &[u8],
    limits: &Limits,
) -> Result<Vec<Result<Fields, Refusal>>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Unreadable(
            "the body is empty; send a JSON object, an array, or NDJSON".into(),
        ));
    }
    let parts: Vec<&str> = match text.starts_with('[') {
        true => split_array(text)?,
        // An object may be written over several lines: then it is the whole body.
        false if is_one_object(text) => vec![text],
        false => lines::of(text).collect(),
    };
    if parts.len() > limits.records {
        let most = limits.records;
        return Err(Unreadable(format!("more than {most} records; split the request")));
    }
    Ok(parts.into_iter().map(|part| fields(part, limits)).collect())
}

fn fields(text: &str, limits: &Limits) -> Result<Fields, Refusal> {
    flatten(text, limits).map_err(|(reason, detail)| Refusal::new(reason, detail, text.as_bytes()))
}

fn split_array(text: &str) -> Result<Vec<&str>, Unreadable> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        Unreadable(format!("the body begins with `[` and is no array: {error}"))
    })?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

/// Whether the first line is no whole value, and the text is.
fn is_one_object(text: &str) -> bool {
    use serde::de::IgnoredAny;
    let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    match text.split_once('\n') {
        None => true,
        Some((first, _)) => !is_json(first) && is_json(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::{Identity, Reason};
    use super::*;
    use proptest::prelude::*;

    fn messages(body: &str) -> Vec<Result<String, Reason>> {
        decode(body.as_bytes(), Shape::Beacon, &Limits::default())
            .unwrap()
            .into_iter()
            .map(|item| item.map(|draft| draft.message).map_err(|refusal| refusal.reason))
            .collect()
    }

    #[test]
    fn an_object_an_array_and_lines_are_the_same() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(messages(r#"{"message":"a"}"#), [ok("a")]);
        assert_eq!(messages("{\n \"message\":\n\"a\"}\n"), [ok("a")]);
        assert_eq!(messages(r#"[{"message":"a"},{"message":"b"}]"#), [ok("a"), ok("b")]);
        assert_eq!(messages("{\"message\":\"a\"}\r\n\n{\"message\":\"b\"}"), [ok("a"), ok("b")]);
        assert_eq!(messages("[]"), []);
    }

    #[test]
    fn a_bad_record_costs_itself_only() {
        assert_eq!(
            messages("[{\"message\":\"a\"},7,{\"message\":\"b\"}]"),
            [Ok("a".to_owned()), Err(Reason::NotAnObject), Ok("b".to_owned())]
        );
        assert_eq!(
            messages("{\"message\":\"a\"}\n{broken\n[]\n{\"message\":\"b\"}"),
            [
                Ok("a".to_owned()),
                Err(Reason::NotJson),
                Err(Reason::NotAnObject),
                Ok("b".to_owned())
            ]
        );
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        let items = decode(b"{\"message\":\"a\xffb\"}", Shape::Any, &Limits::default()).unwrap();
        assert_eq!(items[0].as_ref().unwrap().message, "a\u{fffd}b");
    }

    #[test]
    fn a_hash_identifies_messages_of_logbeacon_only() {
        let identity = |shape| {
            let items = decode(br#"{"hash":"x"}"#, shape, &Limits::default()).unwrap();
            items[0].as_ref().unwrap().identity.clone()
        };
        assert_eq!(identity(Shape::Beacon), Identity::Given("x".to_owned()));
        assert_eq!(identity(Shape::Any), Identity::None);
    }

    #[test]
    fn what_cannot_be_split_is_unreadable() {
        let limits = Limits { records: 1, ..Limits::default() };
        for body in ["", " \n", "[{\"a\":1}", "{}\n{}"] {
            assert!(decode(body.as_bytes(), Shape::Beacon, &limits).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode(&body, Shape::Beacon, &Limits::default());
        }

        #[test]
        fn every_line_has_an_outcome(lines in proptest::collection::vec("[{}a-z\":1]{1,9}", 1..9)) {
            let body = lines.join("\n");
            if !body.starts_with('[') && !is_one_object(&body) {
                let items = decode(body.as_bytes(), Shape::Any, &Limits::default()).unwrap();
                prop_assert_eq!(items.len(), lines.len());
            }
        }
    }
}
