//! Records made by hand, and their lines read back by a reader that forgives nothing.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

pub(crate) mod specimens;

use logwell::encode::Encode;
use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::record::{Callsite, Fields, Key, Kind, Level, Place, Record, SpanContext, Value};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::time::{Duration, SystemTime};

/// 2026-02-19T10:30:00.123456789 UTC.
pub(crate) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(1_771_497_000_123_456_789)
}

/// An ordinary callsite without fields.
pub(crate) fn place() -> Place {
    Place {
        level: Level::Info,
        target: "shop::cart",
        name: "event",
        module: Some("shop::cart"),
        file: Some("src/cart.rs"),
        line: Some(42),
        fields: Box::default(),
        kind: Kind::Plain,
    }
}

/// Fields in that order, and the names a callsite of theirs has.
pub(crate) fn fields(values: &[(&'static str, Value<'_>)]) -> (Box<[&'static str]>, Fields) {
    let mut fields = Fields::new();
    for (at, (name, value)) in values.iter().enumerate() {
        let key = match u8::try_from(at) {
            Ok(index @ 0..=254) => Key::Index(index),
            _ => Key::Name(name),
        };
        fields.push(key, *value);
    }
    (values.iter().map(|(name, _)| *name).collect(), fields)
}

/// A record of a callsite like `place`, with those fields.
pub(crate) fn record_at(place: Place, values: &[(&'static str, Value<'_>)]) -> Record {
    let (names, fields) = fields(values);
    let callsite = Callsite::leak(Place { fields: names, ..place });
    Record::new(callsite, moment(), fields).with_thread("main").with_seq(1)
}

/// A record of an ordinary callsite, with those fields.
pub(crate) fn record(values: &[(&'static str, Value<'_>)]) -> Record {
    record_at(place(), values)
}

/// The context of a span of that name and those fields inside `parent`.
pub(crate) fn span(
    name: &'static str,
    values: &[(&'static str, Value<'_>)],
    parent: Option<&SpanContext>,
) -> SpanContext {
    let (names, fields) = fields(values);
    let callsite = Callsite::leak(Place { name, fields: names, ..place() });
    SpanContext::of_new_span(callsite, fields, parent)
}

/// The line an encoder with those options makes of it.
pub(crate) fn line_with(options: &JsonOptions, record: &Record) -> Vec<u8> {
    let mut line = Vec::new();
    JsonEncoder::new(options.clone()).encode(record, &mut line);
    line
}

/// The object in the line that an encoder with those options makes of it.
pub(crate) fn json_with(options: &JsonOptions, record: &Record) -> serde_json::Value {
    strict(&line_with(options, record))
}

/// The object in the line of a default encoder.
pub(crate) fn json(record: &Record) -> serde_json::Value {
    json_with(&JsonOptions::default(), record)
}

/// The keys of an object, in order.
pub(crate) fn keys(object: &serde_json::Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Reads one line; anything but one whole object without a repeated key or a raw character that
/// could deceive is refused.
pub(crate) fn strict(line: &[u8]) -> serde_json::Value {
    try_strict(line)
        .unwrap_or_else(|problem| panic!("{problem}: {:?}", String::from_utf8_lossy(line)))
}

/// Like [`strict`], with what is wrong as a text.
pub(crate) fn try_strict(line: &[u8]) -> Result<serde_json::Value, String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let object = text.strip_suffix('\n').ok_or("the line does not end in a line feed")?;
    if let Some(raw) = object.chars().find(|c| deceives(*c)) {
        return Err(format!("{} stands raw in the line", raw.escape_unicode()));
    }
    let value = serde_json::from_str::<Unique>(object).map_err(|error| error.to_string())?.0;
    if value.is_object() { Ok(value) } else { Err("the line is not an object".to_owned()) }
}

/// Whether a character is one that the format promises to escape.
pub(crate) fn deceives(c: char) -> bool {
    matches!(u32::from(c), 0..0x20 | 0x7f..=0x9f | 0x61c | 0x200e | 0x200f | 0x2028..=0x202e
        | 0x2066..=0x2069)
}

/// A JSON value in which no object has a key twice.
struct Unique(serde_json::Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(serde_json::Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unique(value)) = seq.next_element()? {
            all.push(value);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = serde_json::Map::new();
        while let Some((key, Unique(value))) = map.next_entry::<String, Unique>()? {
            if all.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("the key {key:?} appears twice")));
            }
        }
        Ok(all.into())
    }
}
