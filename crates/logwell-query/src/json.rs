//! Json: a row from a line of JSON, and back.
//!
//! The only file that names `serde_json`. Objects become flat, with dots between names.

use crate::level::Level;
use crate::moment;
use crate::row::{Fields, LEVEL, TIME, canonical};
use crate::value::{Value, ValueRef};
use serde_json::Value as Json;

impl Fields {
    /// Reads a record from JSON text, an object.
    ///
    /// A `time` (or an alias of it) in RFC 3339 is the record's time, in UTC if it has no offset. A
    /// `level` in any spelling is the record's level, as `WARN` and so on. Other values of these
    /// two fields get the names `field.time` and `field.level`.
    ///
    /// Objects become flat (`http.status`), arrays keep their text. If `a.b` is there both as a
    /// name and as a member, the name wins. Fields are sorted by name, `time` first.
    ///
    /// # Errors
    ///
    /// It is no JSON, no object, or nested deeper than 127 levels; the text says which.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let Json::Object(object) = serde_json::from_str(text).map_err(|error| error.to_string())?
        else {
            return Err("a record is a JSON object".to_owned());
        };
        Ok(Self::from_members(sorted(object)))
    }

    /// The same of the members of an object whose values are JSON text, as a reader of lines has
    /// them.
    ///
    /// # Errors
    ///
    /// A value is no JSON; the text says which.
    pub fn from_json_members<'a>(
        members: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let read = |(name, text): (&str, &str)| match serde_json::from_str(text) {
            Ok(value) => Ok((name.to_owned(), value)),
            Err(error) => Err(format!("{name}: {error}")),
        };
        let mut members: Vec<(String, Json)> =
            members.into_iter().map(read).collect::<Result<_, String>>()?;
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self::from_members(members))
    }

    /// Of members by name.
    fn from_members(members: Vec<(String, Json)>) -> Self {
        let mut fields = Vec::with_capacity(members.len());
        for (name, value) in members {
            flatten(name, value, &mut fields);
        }
        fields.sort_by(|(a, _), (b, _)| (a != TIME, a).cmp(&(b != TIME, b)));
        // Of equal names the last is kept.
        fields.reverse();
        fields.dedup_by(|(a, _), (b, _)| a == b);
        fields.reverse();
        Self::new(fields)
    }

    /// The row as one line of JSON, without a line end. Null values are written, missing ones not.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in self.as_slice() {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&Json::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(&of_value(value.as_ref()));
        }
        text.push('}');
        text
    }

    /// Sets a field, which may be new.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        match self.fields_mut().iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.fields_mut().push((name.to_owned(), value)),
        }
    }
}

/// The members by name: how a map keeps them depends on how `serde_json` was built.
fn sorted(object: serde_json::Map<String, Json>) -> Vec<(String, Json)> {
    let mut members: Vec<(String, Json)> = object.into_iter().collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members
}

fn flatten(name: String, value: Json, fields: &mut Vec<(String, Value)>) {
    let value = match value {
        Json::Object(object) if !object.is_empty() => {
            for (member, value) in sorted(object) {
                flatten(format!("{name}.{member}"), value, fields);
            }
            return;
        }
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(int), ..) => Value::Int(int),
            (_, Some(int), _) => Value::UInt(int),
            (.., Some(float)) => Value::Float(float),
            _ => Value::Text(number.to_string()),
        },
        Json::String(text) => return fields.push(of_text(name, text)),
        array => Value::Json(array.to_string()),
    };
    fields.push((free(name), value));
}

/// Texts may be the time or the level.
fn of_text(name: String, text: String) -> (String, Value) {
    match canonical(&name) {
        TIME => match moment::parse(&text) {
            Some(ns) => (TIME.to_owned(), Value::Time(ns)),
            None => (free(name), Value::Text(text)),
        },
        LEVEL => match Level::parse(&text) {
            Some(level) => (name, Value::from(level.name())),
            None => (free(name), Value::Text(text)),
        },
        _ => (name, Value::Text(text)),
    }
}

/// Another name for a value that is not a time or a level but has the name of one.
fn free(name: String) -> String {
    match canonical(&name) {
        TIME | LEVEL => format!("field.{name}"),
        _ => name,
    }
}

fn of_value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::UInt(_) => value.text().into_owned(),
        // Whether a whole number was written with a fraction depends on where it was stored.
        ValueRef::Float(float) if float.fract() == 0.0 && float.abs() < 1e15 => {
            value.text().into_owned()
        }
        ValueRef::Float(float) => Json::from(float).to_string(),
        ValueRef::Text(text) => Json::from(text).to_string(),
        ValueRef::Json(text) => text.to_owned(),
        ValueRef::Time(_) => Json::from(value.text().into_owned()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, written: &str) {
        assert_eq!(Fields::from_json(line).unwrap().to_json(), written, "{line}");
    }

    #[test]
    fn objects_become_flat_and_arrays_stay() {
        check(
            r#"{"b":{"y":1,"x":{"z":null}},"a":[1,{"c":2}]}"#,
            r#"{"a":[1,{"c":2}],"b.x.z":null,"b.y":1}"#,
        );
        check(r#"{"a":{},"b":[]}"#, r#"{"a":{},"b":[]}"#);
        check(r#"{"a.b":1,"a":{"b":2},"\"":3}"#, r#"{"\"":3,"a.b":1}"#);
    }

    #[test]
    fn time_and_level_are_what_their_names_say_or_get_other_names() {
        check(
            r#"{"level":"warning","timestamp":"2026-11-30T18:00:00+08:00"}"#,
            r#"{"time":"2026-11-30T10:00:00Z","level":"WARN"}"#,
        );
        check(r#"{"_time":"2026-11-30 10:00:00.5"}"#, r#"{"time":"2026-11-30T10:00:00.5Z"}"#);
        check(
            r#"{"level":"loud","time":"soon","timestamp":7}"#,
            r#"{"field.level":"loud","field.time":"soon","field.timestamp":7}"#,
        );
    }

    #[test]
    fn numbers_are_written_alike_wherever_they_were_stored() {
        check(
            r#"{"a":55.0,"b":55,"c":18446744073709551615,"d":0.25,"e":-0.0,"f":1e300}"#,
            r#"{"a":55,"b":55,"c":18446744073709551615,"d":0.25,"e":0,"f":1e+300}"#,
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for line in ["", "7", "[]", "{", "{\"a\":1} x"] {
            assert!(Fields::from_json(line).is_err(), "{line}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
        assert!(Fields::from_json(&deep).is_err());
    }
}
