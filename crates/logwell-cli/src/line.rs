//! Line: one record as it is in a file: its members, in order, their values as JSON.
//!
//! Knows JSON and the keys of logwell's record; other schemas are translated first
//! (`src/schema.rs`). Does not know files, boots or filters.

use crate::schema;
use logwell::Level;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// One record.
#[derive(Debug, Clone, Default)]
pub struct Line<'a> {
    members: Vec<Member<'a>>,
    /// A key that was there twice before the line was translated.
    repeated: Option<String>,
}

/// A key, and its value as JSON.
pub type Member<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Not UTF-8, from that byte of the line on.
    NotUtf8(usize),
    /// Not one JSON object.
    NotJson(String),
    /// It has no `seq` or no `process`, so nothing can be said about its place.
    NoNumber,
    /// That key is there twice.
    RepeatedKey(String),
    /// It is longer than a reader keeps.
    TooLong(u64),
    /// The file ends before the line does.
    Torn,
    /// The file is compressed, and cannot be unpacked from here on.
    NotPacked(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(at) => write!(f, "not UTF-8, from byte {at} of the line on"),
            Self::NotJson(why) => write!(f, "not a JSON object: {why}"),
            Self::NoNumber => f.write_str("no record of logwell: it has no seq or no process"),
            Self::RepeatedKey(key) => write!(f, "key {key:?} is there twice"),
            Self::TooLong(bytes) => write!(f, "{bytes} bytes long, which is too long to be read"),
            Self::Torn => f.write_str("torn: the file ends before the line does"),
            Self::NotPacked(why) => write!(f, "cannot be unpacked from here on: {why}"),
        }
    }
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// It is not one JSON object.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| Flaw::NotUtf8(error.valid_up_to()))?;
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json
            .deserialize_map(Top)
            .and_then(|members| json.end().map(|()| members))
            .map_err(|error| Flaw::NotJson(reason(&error)))?;
        match schema::to_native(&members) {
            None => Ok(Self { members, repeated: None }),
            // Looked for now: a translated line has no key twice.
            Some(native) => Ok(Self { members: native, repeated: repeated_key(&members) }),
        }
    }

    /// All members, in order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The value of that key, as JSON.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.members.iter().find(|(known, _)| known == key).map(|(_, value)| &**value)
    }

    /// The value of that key as text: a string without its quotes, else the JSON.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.raw(key).map(text_of)
    }

    /// The value of that key if it is a whole number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        // In ECS numbers of fields are texts.
        self.raw(key)?.trim_matches('"').parse().ok()
    }

    /// The record's level.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        Level::from_name(&self.text("level")?)
    }

    /// When it happened, in nanoseconds since 1970.
    #[must_use]
    pub fn unix_ns(&self) -> Option<i64> {
        crate::when::unix_ns(&self.text("timestamp")?)
    }

    /// The kind of a record of logwell's own, such as `logwell.started`.
    ///
    /// Its own records come from no place in a source file, and from its thread; that of a panic
    /// from the thread that panicked.
    #[must_use]
    pub fn own_kind(&self) -> Option<Cow<'_, str>> {
        const NAME: Option<&str> = Some("\"logwell\"");
        let is_own = self.raw("logger") == NAME
            && ["module", "line"].iter().all(|key| self.raw(key).is_none());
        let kind = self.text("kind").filter(|kind| is_own && kind.starts_with("logwell."))?;
        (self.raw("thread") == NAME || kind == "logwell.panic").then_some(kind)
    }

    /// A key that is there twice, in the record or in an object inside.
    #[must_use]
    pub fn repeated_key(&self) -> Option<String> {
        self.repeated.clone().or_else(|| repeated_key(&self.members))
    }
}

fn repeated_key(members: &[Member<'_>]) -> Option<String> {
    let mut keys = Keys::default();
    for (key, value) in members {
        if !keys.insert(key) {
            return Some(key.to_string());
        }
        if value.starts_with(['{', '[']) {
            let mut json = serde_json::Deserializer::from_str(value);
            let mut repeated = None;
            let _read_before = Inside(&mut repeated).deserialize(&mut json);
            if let Some(inner) = repeated {
                return Some(format!("{key}.{inner}"));
            }
        }
    }
    None
}

/// A JSON value as text.
#[must_use]
pub fn text_of(raw: &str) -> Cow<'_, str> {
    let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        Some(_) => serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned),
        None => Cow::Borrowed(raw),
    }
}

/// What a line of logwell's shows at its beginning, without reading the rest.
///
/// `None` if the line does not begin as the native schema does; that says nothing against it.
#[must_use]
pub fn peek(line: &[u8]) -> Option<(&[u8], Level)> {
    const MOMENT_BYTES: usize = "2026-02-19T10:30:00.123456".len();
    let (moment, rest) = line.strip_prefix(b"{\"timestamp\":\"")?.split_at_checked(MOMENT_BYTES)?;
    let rest = rest.strip_prefix(b"+00:00\",\"level\":\"")?;
    let level = rest.split(|byte| *byte == b'"').next()?;
    Some((moment, Level::from_name(std::str::from_utf8(level).ok()?)?))
}

fn reason(error: &serde_json::Error) -> String {
    // A line is one line: its number says nothing.
    error.to_string().replace(" at line 1 column ", " at byte ")
}

/// Few keys are compared one by one; many are not.
#[derive(Default)]
struct Keys<'k> {
    few: Vec<&'k str>,
    many: HashSet<&'k str>,
}

impl<'k> Keys<'k> {
    fn insert(&mut self, key: &'k str) -> bool {
        const FEW: usize = 40;
        if self.few.len() < FEW {
            let is_new = !self.few.contains(&key);
            self.few.push(key);
            return is_new;
        }
        !self.few.contains(&key) && self.many.insert(key)
    }
}

/// The members of the outermost object.
struct Top;

impl<'de> Visitor<'de> for Top {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(24);
        while let Some(key) = map.next_key_seed(Key)? {
            members.push((key, Cow::Borrowed(map.next_value::<&RawValue>()?.get())));
        }
        Ok(members)
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Looks for a key that is there twice, at any depth. (serde_json bounds the depth.)
struct Inside<'r>(&'r mut Option<String>);

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if keys.contains(&key) {
                self.0.get_or_insert_with(|| key.to_string());
            }
            keys.insert(key);
            map.next_value_seed(Inside(self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Inside(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flaw(line: &str) -> Flaw {
        Line::parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_line_gives_its_members_in_order_and_as_they_are() {
        let line = Line::parse(br#"{"b":1.50,"a":"x\ny","list":[1, {"k":2}],"n":null}"#).unwrap();
        let members: Vec<_> = line.members().collect();
        assert_eq!(
            members,
            [("b", "1.50"), ("a", "\"x\\ny\""), ("list", "[1, {\"k\":2}]"), ("n", "null")]
        );
        assert_eq!(line.text("a").unwrap(), "x\ny");
        assert_eq!(line.text("b").unwrap(), "1.50");
        assert_eq!(line.number("b"), None);
        assert_eq!(line.raw("c"), None);
    }

    #[test]
    fn what_is_no_object_is_told_with_its_reason() {
        assert_eq!(flaw(""), Flaw::NotJson("EOF while parsing a value at byte 0".into()));
        assert_eq!(flaw("{\"a\":1"), Flaw::NotJson("EOF while parsing an object at byte 6".into()));
        assert_eq!(flaw("{}{}"), Flaw::NotJson("trailing characters at byte 3".into()));
        assert!(matches!(flaw("[1]"), Flaw::NotJson(_)));
        assert!(matches!(flaw("panicked at src/main.rs"), Flaw::NotJson(_)));
        assert_eq!(Line::parse(b"{\"a\":\"\xff\"}").unwrap_err(), Flaw::NotUtf8(6));
        assert!(matches!(flaw(&"[".repeat(100_000)), Flaw::NotJson(_)));
        assert!(matches!(flaw(&format!("{{\"a\":{}", "[".repeat(100_000))), Flaw::NotJson(_)));
    }

    #[test]
    fn a_repeated_key_is_found_at_any_depth() {
        let key = |line: &str| Line::parse(line.as_bytes()).unwrap().repeated_key();
        assert_eq!(key(r#"{"a":1,"b":{"a":2}}"#), None);
        assert_eq!(key(r#"{"a":1,"b":2,"a":1}"#).unwrap(), "a");
        assert_eq!(key(r#"{"a":1,"\u0061":1}"#).unwrap(), "a");
        assert_eq!(key(r#"{"spans":[{"x":1},{"y":{"k":1,"k":2}}]}"#).unwrap(), "spans.k");
        let many: String = (0..5_000).map(|n| format!("\"k{n}\":0,")).collect();
        assert_eq!(key(&format!("{{{many}\"end\":0}}")), None);
        assert_eq!(key(&format!("{{{many}\"k4000\":0}}")).unwrap(), "k4000");
        let nested = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
        assert_eq!(key(&nested), None);
    }

    #[test]
    fn the_beginning_of_a_line_shows_moment_and_level() {
        let line =
            br#"{"timestamp":"2026-02-19T10:30:00.123456+00:00","level":"WARNING","logger":""}"#;
        let (moment, level) = peek(line).unwrap();
        assert_eq!((moment, level), (&b"2026-02-19T10:30:00.123456"[..], Level::Warn));
        for end in 0..65 {
            let _never_panics = peek(&line[..end]);
        }
        assert!(peek(br#"{"level":"WARN"}"#).is_none());
    }

    #[test]
    fn only_the_loggers_own_thread_makes_own_records_but_for_panics() {
        let kind =
            |line: &str| Line::parse(line.as_bytes()).unwrap().own_kind().map(Cow::into_owned);
        let own = r#"{"logger":"logwell","thread":"logwell","kind":"logwell.started"}"#;
        assert_eq!(kind(own).unwrap(), "logwell.started");
        assert_eq!(kind(&own.replace("}", ",\"line\":7}")), None);
        assert_eq!(kind(&own.replace("\"thread\":\"logwell\"", "\"thread\":\"main\"")), None);
        assert_eq!(kind(&own.replace("logwell.started", "started")), None);
        let panic = own.replace("\"thread\":\"logwell\"", "\"thread\":\"main\"");
        assert_eq!(kind(&panic.replace("started", "panic")).unwrap(), "logwell.panic");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(line) = Line::parse(&bytes) {
                let _ = (line.repeated_key(), line.own_kind(), line.unix_ns(), line.level());
            }
            let _ = peek(&bytes);
        }

        #[test]
        fn it_takes_what_serde_json_takes_and_nothing_else(text in "[{}\\[\\]:,\"a1 \\\\]{0,14}") {
            let theirs = serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&text);
            prop_assert_eq!(Line::parse(text.as_bytes()).is_ok(), theirs.is_ok());
        }
    }
}
