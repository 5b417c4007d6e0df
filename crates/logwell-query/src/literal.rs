//! Literal: a value as it is written in a query, and how values compare with it.
//!
//! Knows values. Does not know fields: the parser puts the unit of the field's name into it.

use crate::moment;
use crate::number::{Number, Quantity};
use crate::value::ValueRef;
use std::cmp::Ordering;

/// A value in a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    text: String,
    meaning: Meaning,
}

/// What a literal is compared as.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// Compared with texts, by code points.
    Text,
    /// Compared with numbers, and texts that are numbers.
    Number(Number),
    /// Compared with texts that have a unit, and with numbers if the field's name has one.
    Quantity {
        /// As it is written.
        quantity: Quantity,
        /// In the unit of the field.
        in_field: Option<Number>,
    },
}

impl Literal {
    /// A quoted value: a text, even if it looks like a number.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { text: text.to_owned(), meaning: Meaning::Text }
    }

    /// An unquoted value, for a field of that name: a number, a quantity or a text.
    #[must_use]
    pub fn plain(text: &str, field: &str) -> Self {
        let meaning = match (Number::parse(text), Quantity::parse(text)) {
            (Some(number), _) => Meaning::Number(number),
            (None, Some(quantity)) => {
                Meaning::Quantity { quantity, in_field: quantity.in_unit_of(field) }
            }
            (None, None) => Meaning::Text,
        };
        Self { text: text.to_owned(), meaning }
    }

    /// As it was written, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is compared as.
    #[must_use]
    pub fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    /// How it is ordered against another literal; nothing if the two cannot be compared.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (&self.meaning, &other.meaning) {
            (Meaning::Text, Meaning::Text) => Some(self.text.cmp(&other.text)),
            (Meaning::Number(a), Meaning::Number(b)) => Some(a.cmp(b)),
            (Meaning::Quantity { quantity: a, .. }, Meaning::Quantity { quantity: b, .. }) => {
                a.partial_cmp(b)
            }
            _ => None,
        }
    }

    /// How the value is ordered against it; nothing if the two cannot be compared.
    #[must_use]
    pub fn order(&self, value: ValueRef<'_>) -> Option<Ordering> {
        match (&self.meaning, value) {
            (Meaning::Text, ValueRef::Time(ns)) => moment::parse(&self.text).map(|at| ns.cmp(&at)),
            (Meaning::Text, ValueRef::Text(text) | ValueRef::Json(text)) => {
                Some(text.cmp(self.text.as_str()))
            }
            (Meaning::Text, _) => None,
            (Meaning::Number(number), _) => Some(value.number()?.cmp(number)),
            (Meaning::Quantity { quantity, in_field }, _) => match (value.number(), in_field) {
                (Some(number), Some(limit)) => Some(number.cmp(limit)),
                (Some(_), None) => None,
                (None, _) => Quantity::parse(value.as_text()?)?.partial_cmp(quantity),
            },
        }
    }

    /// Whether the value is this one: its text is the same, or it is the same number or quantity.
    #[must_use]
    pub fn equals(&self, value: ValueRef<'_>) -> bool {
        value.text() == self.text.as_str() || self.order(value) == Some(Ordering::Equal)
    }
}
