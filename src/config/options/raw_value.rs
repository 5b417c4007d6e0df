//! Given: a value as a file or variable gave it, and what can be wrong with it.
//!
//! Knows how a value is shown in a message, and as what it can be read. Does not know options.

use std::fmt;

use super::units::parse_bytes;
use crate::config::directives::DirectivesError;

/// A value as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Given<'t> {
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
    /// The value of an environment variable, which has no type.
    Env(&'t str),
}

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) problem: String,
    pub(crate) help: String,
}

impl From<DirectivesError> for Wrong {
    fn from(error: DirectivesError) -> Self {
        let DirectivesError { problem, help } = error;
        Self { problem, help }
    }
}

impl<'t> Given<'t> {
    /// The text, if it was given as one.
    pub(crate) fn text(self) -> Option<&'t str> {
        match self {
            Given::Text(text) | Given::Env(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says that there is no value.
    pub(crate) fn is_none(self) -> bool {
        let text = self.text().map(str::trim);
        self == Given::Null || text.is_some_and(|text| text.eq_ignore_ascii_case("none"))
    }

    /// As a whole number.
    pub(crate) fn whole(self) -> Option<u64> {
        match self {
            Given::Whole(number) => u64::try_from(number).ok(),
            Given::Env(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// As a size.
    pub(crate) fn size(self) -> Option<u64> {
        self.whole().or_else(|| self.text().and_then(parse_bytes))
    }

    /// As yes or no.
    pub(crate) fn flag(self) -> Option<bool> {
        match self {
            Given::Flag(value) => Some(value),
            Given::Env(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it is, without its value.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Given::Null => "an empty value",
            Given::Flag(_) => "true or false",
            Given::Whole(_) | Given::Float(_) => "a number",
            Given::Text(_) | Given::Env(_) => "a text",
            Given::List => "a list",
            Given::Map => "a map",
        }
    }
}

/// The value for a message: short and in one line.
impl fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Given::Flag(value) => write!(f, "{value}"),
            Given::Whole(value) => write!(f, "{value}"),
            Given::Float(value) => write!(f, "{value:?}"),
            Given::Text(value) | Given::Env(value) => write!(f, "{:?}", shorten(value)),
            Given::Null | Given::List | Given::Map => f.write_str(self.kind()),
        }
    }
}

/// A text short enough to be shown in a message.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const MAX_SHOWN: usize = 60;
