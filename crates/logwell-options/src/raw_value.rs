//! RawValue: a value as a file or variable gave it, and what can be wrong with it.
//!
//! Knows how to show a value in a message, and how to parse it. Does not know options.

use std::fmt;

use super::units::parse_bytes;

/// A value as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RawValue<'t> {
    /// YAML's null.
    Null,
    /// YAML's true or false.
    Flag(bool),
    /// A whole number in YAML.
    Whole(i128),
    /// Another number in YAML.
    Float(f64),
    /// A text in YAML.
    Text(&'t str),
    /// A list in YAML.
    List,
    /// A map in YAML.
    Map,
    /// The value of an environment variable or a flag, which has no type.
    Env(&'t str),
}

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, with the value unless it is a secret.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

impl<'t> RawValue<'t> {
    /// The text, if it was given as one.
    pub fn text(self) -> Option<&'t str> {
        match self {
            RawValue::Text(text) | RawValue::Env(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says that there is no value.
    pub fn is_none(self) -> bool {
        let text = self.text().map(str::trim);
        self == RawValue::Null || text.is_some_and(|text| text.eq_ignore_ascii_case("none"))
    }

    /// As a whole number.
    pub fn whole(self) -> Option<u64> {
        match self {
            RawValue::Whole(number) => u64::try_from(number).ok(),
            RawValue::Env(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// As a size.
    pub fn size(self) -> Option<u64> {
        self.whole().or_else(|| self.text().and_then(parse_bytes))
    }

    /// As yes or no.
    pub fn flag(self) -> Option<bool> {
        match self {
            RawValue::Flag(value) => Some(value),
            RawValue::Env(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it is, without its value.
    pub fn kind(self) -> &'static str {
        match self {
            RawValue::Null => "an empty value",
            RawValue::Flag(_) => "true or false",
            RawValue::Whole(_) | RawValue::Float(_) => "a number",
            RawValue::Text(_) | RawValue::Env(_) => "a text",
            RawValue::List => "a list",
            RawValue::Map => "a map",
        }
    }
}

/// The value for a message: short and in one line.
impl fmt::Display for RawValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawValue::Flag(value) => write!(f, "{value}"),
            RawValue::Whole(value) => write!(f, "{value}"),
            RawValue::Float(value) => write!(f, "{value:?}"),
            RawValue::Text(value) | RawValue::Env(value) => write!(f, "{:?}", shorten(value)),
            RawValue::Null | RawValue::List | RawValue::Map => f.write_str(self.kind()),
        }
    }
}

/// A text short enough to be shown in a message.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const MAX_SHOWN: usize = 60;
