//! Json: a row from a line of JSON, and back.
//!
//! The only file that names `serde_json`. Objects become flat, with dots between names.

use crate::moment;
use crate::row::{Fields, TIME, canonical, every_field};
use crate::value::{Value, ValueRef};
use serde_json::Value as Json;

impl Fields {
    /// Reads a record from JSON text, an object.
    ///
    /// `time`, or one of its aliases, is the time if it is RFC 3339 (without an offset it is UTC);
    /// otherwise its name gets `field.` before it, and the record has no time. Objects become flat (`http.status`), arrays keep their text.
    /// Of two fields with one name the last in the order of names wins. Fields are sorted by name,
    /// `time` first.
    ///
    /// # Errors
    ///
    /// It is no JSON, no object, or nested deeper than 127 levels; the text says which.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let Json::Object(object) = serde_json::from_str(text).map_err(|error| error.to_string())?
        else {
            return Err("a record is a JSON object".to_owned());
        };
        let mut fields = Vec::with_capacity(object.len());
        for (name, value) in object {
            flatten(name, value, &mut fields);
        }
        fields.sort_by(|(a, _), (b, _)| (a != TIME, a).cmp(&(b != TIME, b)));
        // Of equal names the last is kept.
        fields.reverse();
        fields.dedup_by(|(a, _), (b, _)| a == b);
        fields.reverse();
        Ok(Self::new(fields))
    }

    /// The row as one line of JSON, without a line end. Null values are written, missing ones not.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::from("{");
        every_field(self, &mut |name, value| {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&Json::from(name).to_string());
            text.push(':');
            text.push_str(&of_value(value));
        });
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

fn flatten(name: String, value: Json, fields: &mut Vec<(String, Value)>) {
    let value = match value {
        Json::Object(object) if !object.is_empty() => {
            for (member, value) in object {
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
        Json::String(text) => match canonical(&name) {
            TIME => match moment::parse(&text) {
                Some(ns) => return fields.push((TIME.to_owned(), Value::Time(ns))),
                None => Value::Text(text),
            },
            _ => Value::Text(text),
        },
        array => Value::Json(array.to_string()),
    };
    // What has the name of the time and is none must not hide behind it.
    match canonical(&name) {
        TIME => fields.push((format!("field.{name}"), value)),
        _ => fields.push((name, value)),
    }
}

fn of_value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::UInt(_) => value.text().into_owned(),
        ValueRef::Float(float) => Json::from(float).to_string(),
        ValueRef::Text(text) => Json::from(text).to_string(),
        ValueRef::Json(text) => text.to_owned(),
        ValueRef::Time(_) => Json::from(value.text().into_owned()).to_string(),
    }
}
