//! Step: what is done with one row, without the others.
//!
//! Knows rows. Steps by position (limit, offset, dedup) count what has passed, so they are only
//! for rows that come in order.

use super::pattern::pattern_of;
use crate::filter::{Filter, Names};
use crate::query::{Extract, Pipe};
use crate::row::{self, Fields, MESSAGE, Row};
use crate::stats::groups::encode;
use crate::value::{Value, ValueRef};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// The field that [`Step::Pattern`] adds.
pub(super) const PATTERN: &str = "pattern";

/// One thing that is done with a row.
#[derive(Debug)]
pub(super) enum Step {
    Where(Filter),
    Fields(Vec<Names>),
    Drop(Vec<Names>),
    Rename(Vec<(String, String)>),
    Extract(Extract),
    /// Adds the message's pattern; lets no row through that has no message.
    Pattern,
    /// How many more pass.
    Limit(u64),
    /// How many more do not pass.
    Offset(u64),
    Dedup(Vec<String>, HashSet<Vec<u8>>),
}

/// What becomes of a row.
enum Fate {
    AsItIs,
    Changed(Fields),
    Dropped,
    /// Neither this row passes nor any that comes later.
    Ended,
}

impl Step {
    /// The step of a pipe that looks at each row alone.
    pub(super) fn row_by_row(pipe: &Pipe) -> Option<Self> {
        Some(match pipe {
            Pipe::Where(filter) => Self::Where(filter.clone()),
            Pipe::Fields(names) => Self::Fields(names.clone()),
            Pipe::Drop(names) => Self::Drop(names.clone()),
            Pipe::Rename(pairs) => Self::Rename(pairs.clone()),
            Pipe::Extract(extract) => Self::Extract(extract.clone()),
            _ => return None,
        })
    }

    /// The step of a pipe that goes by the order of rows.
    pub(super) fn by_position(pipe: &Pipe) -> Option<Self> {
        Some(match pipe {
            Pipe::Limit(count) => Self::Limit(*count),
            Pipe::Offset(count) => Self::Offset(*count),
            Pipe::Dedup(fields) => Self::Dedup(fields.clone(), HashSet::new()),
            _ => return None,
        })
    }

    fn take(&mut self, row: &dyn Row) -> Fate {
        let passes = match self {
            Self::Where(filter) => filter.matches(row),
            Self::Fields(names) => return Fate::Changed(kept(row, names)),
            Self::Drop(names) => return Fate::Changed(without(row, names)),
            Self::Rename(pairs) => return Fate::Changed(renamed(row, pairs)),
            Self::Extract(extract) => return extracted(row, extract),
            Self::Pattern => return with_pattern(row),
            Self::Limit(0) => return Fate::Ended,
            Self::Limit(left) => {
                *left -= 1;
                true
            }
            Self::Offset(0) => true,
            Self::Offset(left) => {
                *left -= 1;
                false
            }
            Self::Dedup(fields, seen) => seen.insert(key_of(row, fields)),
        };
        if passes { Fate::AsItIs } else { Fate::Dropped }
    }
}

/// Takes a row through the steps; `then` gets what comes out.
pub(super) fn run(
    steps: &mut [Step],
    row: &dyn Row,
    then: impl FnOnce(&dyn Row),
) -> ControlFlow<()> {
    let mut changed: Option<Fields> = None;
    for step in steps {
        match step.take(changed.as_ref().map_or(row, |changed| changed)) {
            Fate::AsItIs => {}
            Fate::Changed(fields) => changed = Some(fields),
            Fate::Dropped => return ControlFlow::Continue(()),
            Fate::Ended => return ControlFlow::Break(()),
        }
    }
    then(changed.as_ref().map_or(row, |changed| changed));
    ControlFlow::Continue(())
}

/// The bytes that are equal for rows with equal values of these fields.
pub(super) fn key_of(row: &dyn Row, fields: &[String]) -> Vec<u8> {
    let mut key = Vec::new();
    for field in fields {
        encode(row::field(row, field).unwrap_or(ValueRef::Null), &mut key);
    }
    key
}

/// In the order in which they are named.
fn kept(row: &dyn Row, wanted: &[Names]) -> Fields {
    let mut fields: Vec<(String, Value)> = Vec::new();
    let mut keep = |name: &str, value: ValueRef<'_>| {
        if !fields.iter().any(|(other, _)| other == name) {
            fields.push((name.to_owned(), value.to_value()));
        }
    };
    for names in wanted {
        match names {
            Names::One(name) => {
                if let Some(value) = row::field_or_null(row, name) {
                    keep(name, value);
                }
            }
            Names::Prefix(_) => row::every_field(row, &mut |name, value| {
                if names.contain(name) {
                    keep(name, value);
                }
            }),
        }
    }
    Fields::new(fields)
}

fn without(row: &dyn Row, unwanted: &[Names]) -> Fields {
    let mut fields = row.to_fields();
    fields.fields_mut().retain(|(name, _)| !unwanted.iter().any(|names| names.contain(name)));
    fields
}

fn renamed(row: &dyn Row, pairs: &[(String, String)]) -> Fields {
    let mut renamed = row.to_fields();
    let fields = renamed.fields_mut();
    for (from, to) in pairs {
        if from != to && fields.iter().any(|(name, _)| name == from) {
            fields.retain(|(name, _)| name != to);
            fields
                .iter_mut()
                .filter(|(name, _)| name == from)
                .for_each(|(name, _)| name.clone_from(to));
        }
    }
    renamed
}

fn extracted(row: &dyn Row, extract: &Extract) -> Fate {
    let Some(value) = row::field(row, &extract.from) else { return Fate::AsItIs };
    let text = value.text();
    let Some(found) = extract.of(&text) else { return Fate::AsItIs };
    let mut changed = row.to_fields();
    for (name, text) in found {
        changed.set(name, Value::from(text));
    }
    Fate::Changed(changed)
}

fn with_pattern(row: &dyn Row) -> Fate {
    let Some(message) = row::field(row, MESSAGE) else { return Fate::Dropped };
    let fields =
        [(MESSAGE, message.to_value()), (PATTERN, Value::Text(pattern_of(&message.text())))];
    Fate::Changed(Fields::new(fields.map(|(name, value)| (name.to_owned(), value)).to_vec()))
}
