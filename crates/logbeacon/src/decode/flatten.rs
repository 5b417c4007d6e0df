//! Flatten: a JSON object → fields with dotted names.
//!
//! Knows JSON and the limits. Does not know what a name means. It reads the text once and builds no
//! tree; arrays, and objects that are nested too deeply, stay as compact JSON text.

use super::draft::Reason;
use super::fields::Fields;
use super::limits::Limits;
use logwell_query::Value;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The fields of a JSON object. An object in it contributes its members with dotted names
/// (`http.status`); an empty one stays as `{}`.
///
/// # Errors
///
/// The text is not JSON, or is JSON and no object; with a sentence about it.
pub(super) fn flatten(text: &str, limits: &Limits) -> Result<Fields, (Reason, String)> {
    if !text.trim_start().starts_with('{') {
        let what = "a record is a JSON object";
        return match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Err((Reason::NotAnObject, what.to_owned())),
            Err(error) => Err((Reason::NotJson, error.to_string())),
        };
    }
    let mut fields = Fields::default();
    let mut name = String::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let node = Node { fields: &mut fields, name: &mut name, depth: 0, limits };
    node.deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| (Reason::NotJson, error.to_string()))?;
    Ok(fields)
}

/// One value of the JSON text, below `name`.
struct Node<'a> {
    fields: &'a mut Fields,
    name: &'a mut String,
    depth: usize,
    limits: &'a Limits,
}

impl Node<'_> {
    fn push(self, value: Value) {
        self.fields.push(self.name, value, self.limits);
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Value::Null);
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.push(Value::Bool(flag));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.push(Value::Int(number));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.push(i64::try_from(number).map_or(Value::UInt(number), Value::Int));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.push(Value::Float(number));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(Value::Text(text.to_owned()));
        Ok(())
    }

    fn visit_string<E>(self, text: String) -> Result<(), E> {
        self.push(Value::Text(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        let array = as_json(SeqAccessDeserializer::new(items))?;
        self.push(array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { fields, name, depth, limits } = self;
        if depth > limits.depth {
            let object = as_json(MapAccessDeserializer::new(members))?;
            fields.push(name, object, limits);
            return Ok(());
        }
        let length = name.len();
        let mut is_empty = true;
        while let Some(key) = members.next_key::<Key<'de>>()? {
            is_empty = false;
            if depth > 0 {
                name.push('.');
            }
            name.push_str(&key.0);
            let node = Node { fields: &mut *fields, name: &mut *name, depth: depth + 1, limits };
            members.next_value_seed(node)?;
            name.truncate(length);
        }
        if is_empty && depth > 0 {
            fields.push(name, Value::Json("{}".to_owned()), limits);
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

fn as_json<'de, D: Deserializer<'de>>(json: D) -> Result<Value, D::Error> {
    let tree: serde_json::Value = serde::Deserialize::deserialize(json)?;
    Ok(Value::Json(tree.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flat(text: &str) -> Vec<(String, Value)> {
        flatten(text, &Limits::default()).unwrap().into_sorted()
    }

    #[test]
    fn nested_objects_get_dotted_names() {
        let text = r#"{"a":{"b":{"c":1},"d":[1, {"e":2}]},"f":{},"g":null,"h":-1.5,
            "i":18446744073709551615}"#;
        assert_eq!(
            flat(text),
            [
                ("a.b.c".to_owned(), Value::Int(1)),
                ("a.d".to_owned(), Value::Json("[1,{\"e\":2}]".to_owned())),
                ("f".to_owned(), Value::Json("{}".to_owned())),
                ("g".to_owned(), Value::Null),
                ("h".to_owned(), Value::Float(-1.5)),
                ("i".to_owned(), Value::UInt(u64::MAX)),
            ]
        );
    }

    #[test]
    fn what_is_nested_too_deeply_stays_as_json() {
        let limits = Limits { depth: 1, ..Limits::default() };
        let fields = flatten(r#"{"a":{"b":{"c":1}}}"#, &limits).unwrap().into_sorted();
        assert_eq!(fields, [("a.b".to_owned(), Value::Json("{\"c\":1}".to_owned()))]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_a_reason() {
        let reason = |text: &str| flatten(text, &Limits::default()).unwrap_err().0;
        assert_eq!(reason("[1]"), Reason::NotAnObject);
        assert_eq!(reason("7"), Reason::NotAnObject);
        assert_eq!(reason(""), Reason::NotJson);
        assert_eq!(reason("{\"a\":1} x"), Reason::NotJson);
        assert_eq!(reason("{\"a\""), Reason::NotJson);
        assert_eq!(reason(&"{\"a\":".repeat(100_000)), Reason::NotJson);
    }

    proptest! {
        #[test]
        fn any_bytes_are_flattened_or_refused(text in ".{0,80}") {
            let _any = flatten(&text, &Limits::default());
        }

        #[test]
        fn scalars_of_a_flat_object_come_back(
            pairs in proptest::collection::btree_map("[a-z]{1,4}", any::<i64>(), 0..10),
        ) {
            let text = serde_json::to_string(&pairs).unwrap();
            let expected: Vec<(String, Value)> =
                pairs.into_iter().map(|(name, number)| (name, Value::Int(number))).collect();
            prop_assert_eq!(flat(&text), expected);
        }
    }
}
