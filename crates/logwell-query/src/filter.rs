//! Filter: which records are wanted, as a tree that evaluates itself.
//!
//! Knows rows through the trait. Does not know syntax, pipes or where rows come from. The tree is
//! public so that a store can look at it and skip what cannot match.

use crate::level::{Level, LevelSet};
use crate::literal::Literal;
use crate::moment::TimeRange;
use crate::pattern::Pattern;
use crate::row::{self, LEVEL, MESSAGE, Row, TIME};
use crate::value::ValueRef;
use crate::words::{Part, Phrase};
use std::cmp::Ordering;

/// Which records are wanted.
///
/// Every test of a missing field is false, so that `-field:x` holds for records without the field.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every record.
    All,
    /// All of them hold.
    And(Vec<Self>),
    /// One of them holds, at least.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The test holds for some text of the record: `message` or another field that is a text or an
    /// array. `level` and `time` are not searched: `error` finds the word, `level:error` the level.
    Text(Test),
    /// The test holds for the field, or for one of the fields whose names begin so.
    Field(Names, Test),
    /// The record's time is in the range. It has one.
    Time(TimeRange),
    /// The record's level is one of these.
    Level(LevelSet),
}

/// One field, or all whose names begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// The field of that name.
    One(String),
    /// All fields whose names begin so: `http.*`.
    Prefix(String),
}

impl Names {
    /// Whether the field is one of them.
    #[must_use]
    pub fn contain(&self, field: &str) -> bool {
        match self {
            Self::One(name) => name == field,
            Self::Prefix(prefix) => field.starts_with(prefix.as_str()),
        }
    }
}

/// A predicate over one value: a dictionary can be asked once for each of its entries.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is a value: `field:*`.
    Exists,
    /// The value's text has these words in a row, in any case: `word`, `"two words"`, `pre*`.
    Phrase(Phrase),
    /// The value's text has this anywhere, in any case: `*part*`, `contains(field, "part")`.
    Contains(Part),
    /// The regular expression matches somewhere in the value's text: `field~"^a.*"`.
    Matches(Pattern),
    /// The value is exactly this: `field:=value`.
    Equals(Literal),
    /// The value is exactly one of these: `field:in(a, b)`.
    In(Vec<Literal>),
    /// The value is on that side of the literal: `field>10`.
    Compare(Comparison, Literal),
    /// The value is between the two or equal to one: `field:10..20`.
    Between(Literal, Literal),
}

/// The four comparisons that are no equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether something that is so ordered against the right-hand side fulfils it.
    #[must_use]
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl Filter {
    /// Whether the record is wanted.
    #[must_use]
    pub fn matches(&self, row: &dyn Row) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(row)),
            Self::Not(part) => !part.matches(row),
            Self::Text(test) => some_text(row, test),
            Self::Field(Names::One(name), test) => test.matches(row::field(row, name)),
            Self::Field(names, test) => {
                let mut found = false;
                row::every_field(row, &mut |name, value| {
                    found = found || names.contain(name) && test.matches(Some(value));
                });
                found
            }
            Self::Time(range) => row::field(row, TIME).is_some() && range.contains(row.time_ns()),
            Self::Level(set) => match row::field(row, LEVEL) {
                Some(value) => Level::parse(&value.text()).is_some_and(|level| set.contains(level)),
                None => false,
            },
        }
    }

    /// A range outside of which no record matches; all of time if the filter says nothing of it.
    #[must_use]
    pub fn time_range(&self) -> TimeRange {
        match self {
            Self::Time(range) => *range,
            Self::And(parts) => {
                parts.iter().map(Self::time_range).fold(TimeRange::ALL, TimeRange::intersect)
            }
            Self::Or(parts) => {
                parts.iter().map(Self::time_range).fold(TimeRange::EMPTY, TimeRange::hull)
            }
            Self::Not(part) => match part.as_ref() {
                Self::Time(range) => outside(*range),
                _ => TimeRange::ALL,
            },
            _ => TimeRange::ALL,
        }
    }

    /// The levels outside of which no record matches; nothing if any level may, or none.
    #[must_use]
    pub fn levels(&self) -> Option<LevelSet> {
        match self {
            Self::Level(set) => Some(*set),
            Self::And(parts) => parts.iter().filter_map(Self::levels).reduce(LevelSet::intersect),
            Self::Or(parts) => {
                let sets: Option<Vec<LevelSet>> = parts.iter().map(Self::levels).collect();
                sets.map(|sets| sets.into_iter().fold(LevelSet::default(), LevelSet::union))
            }
            _ => None,
        }
    }
}

/// What is left of time without a range, as one range.
fn outside(range: TimeRange) -> TimeRange {
    match (range.first_ns.checked_sub(1), range.last_ns.checked_add(1)) {
        _ if range.is_empty() => TimeRange::ALL,
        (None, None) => TimeRange::EMPTY,
        (None, Some(first_ns)) => TimeRange { first_ns, ..TimeRange::ALL },
        (Some(last_ns), None) => TimeRange { last_ns, ..TimeRange::ALL },
        _ => TimeRange::ALL,
    }
}

/// `message` first, since it is there most of the time and a match there saves the rest.
fn some_text(row: &dyn Row, test: &Test) -> bool {
    let holds = |value: ValueRef<'_>| value.as_text().is_some() && test.matches(Some(value));
    if row.get(MESSAGE).is_some_and(holds) {
        return true;
    }
    let mut found = false;
    row.for_each(&mut |name, value| {
        found = found || Filter::searches(name) && name != MESSAGE && holds(value);
    });
    found
}

impl Filter {
    /// Whether a bare word looks at the field, if its value is a text or an array.
    #[must_use]
    pub fn searches(field: &str) -> bool {
        field != LEVEL && field != TIME
    }
}

impl Test {
    /// Whether the value fulfils it. A missing value and `null` fulfil nothing.
    #[must_use]
    pub fn matches(&self, value: Option<ValueRef<'_>>) -> bool {
        let Some(value) = value.and_then(ValueRef::present) else { return false };
        match self {
            Self::Exists => true,
            Self::Phrase(phrase) => phrase.is_in(&value.text()),
            Self::Contains(part) => part.is_in(&value.text()),
            Self::Matches(pattern) => pattern.is_in(&value.text()),
            Self::Equals(literal) => literal.equals(value),
            Self::In(literals) => literals.iter().any(|literal| literal.equals(value)),
            Self::Compare(comparison, literal) => {
                literal.order(value).is_some_and(|ordering| comparison.holds(ordering))
            }
            Self::Between(low, high) => {
                low.order(value).is_some_and(Ordering::is_ge)
                    && high.order(value).is_some_and(Ordering::is_le)
            }
        }
    }
}
