//! Value: what a field holds, and when two values are equal, ordered or the same group.
//!
//! Knows types and their text. Does not know fields, rows or queries. Values come in as they are
//! stored; comparisons, texts and numbers go out.

use crate::moment;
use crate::number::Number;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::io::Write as _;

/// One value of a field.
///
/// Objects are flattened before they get here (`http.status`), so no variant holds one. An array
/// is compact JSON text.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// JSON's `null`. The language treats it as a missing field.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer, as a rule one beyond `i64::MAX`.
    UInt(u64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A text.
    Text(String),
    /// An array as compact JSON text.
    Json(String),
    /// A moment, in nanoseconds since 1970-01-01T00:00:00Z. Records have one, `time`; statistics
    /// may yield more (`min(time)`). Its text is RFC 3339 in UTC.
    Time(i64),
}

/// A [`Value`] that somebody else owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// See [`Value::Null`].
    Null,
    /// See [`Value::Bool`].
    Bool(bool),
    /// See [`Value::Int`].
    Int(i64),
    /// See [`Value::UInt`].
    UInt(u64),
    /// See [`Value::Float`].
    Float(f64),
    /// See [`Value::Text`].
    Text(&'a str),
    /// See [`Value::Json`].
    Json(&'a str),
    /// See [`Value::Time`].
    Time(i64),
}

impl Value {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::UInt(value) => ValueRef::UInt(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Json(value) => ValueRef::Json(value),
            Self::Time(value) => ValueRef::Time(*value),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The same value, owned.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::UInt(value) => Value::UInt(value),
            Self::Float(value) => Value::Float(value),
            Self::Text(value) => Value::Text(value.to_owned()),
            Self::Json(value) => Value::Json(value.to_owned()),
            Self::Time(value) => Value::Time(value),
        }
    }

    /// The value if there is one: a `null` is a missing field.
    #[must_use]
    pub fn present(self) -> Option<Self> {
        match self {
            Self::Null => None,
            value => Some(value),
        }
    }

    /// The text, if the value is a text or an array. A search for a bare word looks at these.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Json(text) => Some(text),
            _ => None,
        }
    }

    /// The value's one text: two values with the same text are equal and in the same group.
    ///
    /// A float is written without an exponent and without a fraction of zero, so `500`, `500.0` and
    /// `"500"` all have the text `500`.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed("null"),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::UInt(value) => Cow::Owned(value.to_string()),
            // The sum cancels the sign of a negative zero.
            Self::Float(value) => Cow::Owned((value + 0.0).to_string()),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
            Self::Time(ns) => Cow::Owned(moment::text(ns)),
        }
    }

    /// Appends [`text`](Self::text) without allocating it first.
    pub(crate) fn push_text(self, bytes: &mut Vec<u8>) {
        // A list of bytes takes whatever is written to it.
        let _never_fails = match self {
            Self::Int(value) => write!(bytes, "{value}"),
            Self::UInt(value) => write!(bytes, "{value}"),
            Self::Float(value) => write!(bytes, "{}", value + 0.0),
            other => bytes.write_all(other.text().as_bytes()),
        };
    }

    /// The number, if the value is one or a text that is a number from end to end.
    #[must_use]
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Int(value) => Some(Number::Int(value.into())),
            Self::UInt(value) => Some(Number::Int(value.into())),
            Self::Float(value) => Some(Number::Float(value)),
            Self::Text(text) => Number::parse(text),
            Self::Null | Self::Bool(_) | Self::Json(_) | Self::Time(_) => None,
        }
    }

    ///
    /// Texts that are numbers are among the numbers. Values that are equal by this, such as `7` and
    /// `"7.0"`, are ordered by text, so that the order is the same wherever it is computed.
    #[must_use]
    pub fn order(self, other: ValueRef<'_>) -> Ordering {
        match (self.rank(), other.rank()) {
            (Rank::Number(a), Rank::Number(b)) => a.cmp(&b).then_with(|| self.by_text(other)),
            (Rank::Moment(a), Rank::Moment(b)) => a.cmp(&b),
            (Rank::Text, Rank::Text) => self.by_text(other),
            (a, b) => a.place().cmp(&b.place()),
        }
    }

    /// 0 for numbers, 1 for moments, 2 for everything else.
    pub(crate) fn class(self) -> u8 {
        self.rank().place()
    }

    fn by_text(self, other: ValueRef<'_>) -> Ordering {
        self.text().cmp(&other.text())
    }

    fn rank(self) -> Rank {
        match (self, self.number()) {
            (_, Some(number)) => Rank::Number(number),
            (Self::Time(ns), None) => Rank::Moment(ns),
            _ => Rank::Text,
        }
    }
}

/// Which class a value is in when values are ordered.
enum Rank {
    Number(Number),
    Moment(i64),
    Text,
}

impl Rank {
    fn place(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Moment(_) => 1,
            Self::Text => 2,
        }
    }
}

impl Value {
    /// The same value in the type that it has whoever stored it: a whole number is an integer if
    /// every integer of its size is a float, and signed if it fits.
    #[must_use]
    pub(crate) fn normal(self) -> Self {
        match self {
            Self::UInt(value) => Self::from(value),
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within 53 bits")]
            Self::Float(value)
                if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 =>
            {
                Self::Int(value as i64)
            }
            value => value,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_ref().text())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_of_different_types_have_one_text() {
        for value in [ValueRef::Int(500), ValueRef::UInt(500), ValueRef::Float(500.0)] {
            assert_eq!(value.text(), "500");
        }
        assert_eq!(ValueRef::Float(-0.0).text(), "0");
        assert_eq!(ValueRef::Float(0.25).text(), "0.25");
        for value in
            [ValueRef::Float(-0.0), ValueRef::Float(1.5), ValueRef::UInt(7), ValueRef::Null]
        {
            let mut bytes = Vec::new();
            value.push_text(&mut bytes);
            assert_eq!(bytes, value.text().as_bytes());
        }
    }

    #[test]
    fn numbers_come_before_moments_and_moments_before_texts() {
        let ordered = [
            ValueRef::Int(-1),
            ValueRef::Text("7"),
            ValueRef::Text("7.0"),
            ValueRef::Float(7.5),
            ValueRef::UInt(u64::MAX),
            ValueRef::Time(0),
            ValueRef::Time(1),
            ValueRef::Text("10.0.0.1"),
            ValueRef::Text("a"),
            ValueRef::Bool(true),
        ];
        for (at, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                assert_eq!(a.order(*b), at.cmp(&other), "{a:?} {b:?}");
            }
        }
    }
}
