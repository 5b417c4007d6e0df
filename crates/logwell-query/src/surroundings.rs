//! Surroundings: the records around those that match, for the pipe `context`.
//!
//! Knows which records are neighbours. Does not know the filter, nor what is kept of a record.

use crate::query::Context;
use crate::row::{self, Row};
use crate::stats::groups::encode;
use crate::value::ValueRef;
use std::collections::{HashMap, VecDeque};

/// Picks the records around those that match, out of all records in the order of their times.
///
/// ```
/// use logwell_query::{Fields, Query, Surroundings};
///
/// let query = Query::parse("x | context before 1 after 1")?;
/// let mut surroundings = Surroundings::new(query.context().unwrap());
/// let mut shown = Vec::new();
/// for (text, matches) in [("a", false), ("b", false), ("x", true), ("c", false), ("d", false)] {
///     surroundings.push(&Fields::default(), text, matches, &mut shown);
/// }
/// assert_eq!(shown, ["b", "x", "c"]);
/// # Ok::<(), logwell_query::QueryError>(())
/// ```
///
/// It holds [`Context::before`] records for each tuple of values of [`Context::by`].
#[derive(Debug)]
pub struct Surroundings<T> {
    context: Context,
    neighbours: HashMap<Vec<u8>, Neighbours<T>>,
}

#[derive(Debug)]
struct Neighbours<T> {
    before: VecDeque<T>,
    /// How many more come after one that matched.
    after: u64,
}

impl<T> Surroundings<T> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        Self { context: context.clone(), neighbours: HashMap::new() }
    }

    /// Takes the next record; appends to `shown` what is to be shown, each record once.
    pub fn push(&mut self, row: &dyn Row, record: T, matches: bool, shown: &mut Vec<T>) {
        let mut key = Vec::new();
        for field in &self.context.by {
            encode(row::field(row, field).unwrap_or(ValueRef::Null), &mut key);
        }
        let neighbours = self
            .neighbours
            .entry(key)
            .or_insert_with(|| Neighbours { before: VecDeque::new(), after: 0 });
        if matches {
            shown.extend(neighbours.before.drain(..));
            neighbours.after = self.context.after;
            return shown.push(record);
        }
        if neighbours.after > 0 {
            neighbours.after -= 1;
            return shown.push(record);
        }
        neighbours.before.push_back(record);
        if neighbours.before.len() as u64 > self.context.before {
            neighbours.before.pop_front();
        }
    }
}
