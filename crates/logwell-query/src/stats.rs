//! Statistics: numbers of groups, fed by rows or by columns, merged, and finished into rows.
//!
//! Knows how results are computed. Does not know pipes. A store that has columns asks once for the
//! group of each entry of its dictionary, and then adds values to groups:
//!
//! ```
//! use logwell_query::{Limits, Pipe, Query, Statistics, Value, ValueRef};
//!
//! let query = Query::parse("* | stats count(), max(ms) by service")?;
//! let [Pipe::Stats(stats)] = &query.pipes[..] else { unreachable!() };
//! let mut statistics = Statistics::new(stats, Limits::default());
//! let shop = statistics.group(&[ValueRef::Text("shop")]).unwrap();
//! statistics.add(shop, 0, ValueRef::Null, 3); // count(): three records
//! statistics.add(shop, 1, ValueRef::Int(40), 1); // max(ms)
//! assert_eq!(
//!     statistics.finish().rows[0].as_slice(),
//!     [
//!         ("service".to_owned(), Value::from("shop")),
//!         ("count".to_owned(), Value::Int(3)),
//!         ("max_ms".to_owned(), Value::Int(40)),
//!     ],
//! );
//! # Ok::<(), logwell_query::QueryError>(())
//! ```

mod bucket;
mod distinct;
pub(crate) mod groups;
mod partial;
mod quantile;

use crate::filter::Filter;
use crate::limits::{Limits, Note};
use crate::pipeline::Output;
use crate::query::{Function, Stats};
use crate::row::{self, Fields, Row};
use crate::value::{Value, ValueRef};
use groups::Groups;
use partial::Partial;
use std::sync::Arc;

/// What `stats` has computed so far.
#[derive(Debug, Clone)]
pub struct Statistics {
    stats: Arc<Stats>,
    limits: Limits,
    groups: Groups,
    /// One for each aggregate of each group, group after group.
    partials: Vec<Partial>,
    partial_bytes: usize,
    /// So many values of each group are kept themselves.
    exact_values: usize,
    /// Records whose group there is no room for.
    refused: u64,
    is_exhausted: bool,
    /// Where the bytes of a value are put together.
    buffer: Vec<u8>,
}

/// One of the groups of the [`Statistics`] that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupId(usize);

impl Statistics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(stats: &Stats, limits: Limits) -> Self {
        let mut empty = Self {
            stats: Arc::new(stats.clone()),
            limits,
            groups: Groups::default(),
            partials: Vec::new(),
            partial_bytes: 0,
            exact_values: EXACT_VALUES,
            refused: 0,
            is_exhausted: false,
            buffer: Vec::new(),
        };
        if stats.by.is_empty() {
            // One group of all, though there be no record.
            empty.find(&[]);
        }
        empty
    }

    /// What is computed.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The group of these values, one for each of [`Stats::by`]; a missing one is
    /// [`ValueRef::Null`]. Buckets are applied here. Nothing if there is no room for another group:
    /// then [`refuse`](Self::refuse) its records.
    pub fn group(&mut self, values: &[ValueRef<'_>]) -> Option<GroupId> {
        if self.stats.by.iter().all(|group| group.bucket.is_none()) {
            return self.find(values);
        }
        let by = Arc::clone(&self.stats);
        // A bucket is named by a number or a moment, so only the list is allocated.
        let buckets: Vec<Option<Value>> = by
            .by
            .iter()
            .zip(values)
            .map(|(group, value)| group.bucket.map(|bucket| bucket.of(*value).unwrap_or_default()))
            .collect();
        let named = buckets.iter().zip(values);
        let key: Vec<ValueRef<'_>> =
            named.map(|(bucket, value)| bucket.as_ref().map_or(*value, Value::as_ref)).collect();
        self.find(&key)
    }

    fn find(&mut self, key: &[ValueRef<'_>]) -> Option<GroupId> {
        let limit = if self.is_exhausted { self.groups.len() } else { self.limits.groups };
        let found = self.groups.find(key, limit);
        let of_one = self.stats.aggregates.len();
        if found.is_some_and(|number| number * of_one == self.partials.len()) {
            self.partials
                .extend(self.stats.aggregates.iter().map(|one| Partial::new(&one.function)));
            self.exact_values = exact_values(self.groups.len());
            self.check_memory();
        }
        found.map(GroupId)
    }

    /// Counts records for whose group there is no room, so that the result says so.
    pub fn refuse(&mut self, records: u64) {
        self.refused += records;
    }

    /// Adds to the aggregate of that number a value that occurs in `times` records of the group.
    ///
    /// For `count()` any value will do. [`ValueRef::Null`] adds nothing to the others. Whether a
    /// record fulfils [`Aggregate::only`](crate::Aggregate::only) is for the caller to decide.
    pub fn add(&mut self, group: GroupId, aggregate: usize, value: ValueRef<'_>, times: u64) {
        let counts_all =
            self.stats.aggregates.get(aggregate).is_some_and(|one| one.function == Function::Count);
        if value.present().is_none() && !counts_all {
            return;
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        self.change(group, aggregate, |partial, exact| match partial {
            Partial::Uniq(_) => {
                bytes.clear();
                value.push_text(&mut bytes);
                partial.add_bytes(&bytes, exact);
            }
            partial => partial.add(value, times, exact),
        });
        self.buffer = bytes;
    }

    /// Adds a tuple of values to a `uniq(a, b)`.
    pub fn add_tuple(&mut self, group: GroupId, aggregate: usize, values: &[ValueRef<'_>]) {
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        values.iter().for_each(|value| groups::encode(*value, &mut bytes));
        if values.iter().any(|value| value.present().is_some()) {
            self.change(group, aggregate, |partial, exact| partial.add_bytes(&bytes, exact));
        }
        self.buffer = bytes;
    }

    fn change(
        &mut self,
        group: GroupId,
        aggregate: usize,
        change: impl FnOnce(&mut Partial, usize),
    ) {
        let at = group.0 * self.stats.aggregates.len() + aggregate;
        let Some(partial) = self.partials.get_mut(at) else { return };
        let before = partial.memory_bytes();
        if self.is_exhausted && before > 0 {
            return;
        }
        change(partial, self.exact_values);
        let after = partial.memory_bytes();
        if after != before {
            self.partial_bytes = self.partial_bytes + after - before;
            self.check_memory();
        }
    }

    fn check_memory(&mut self) {
        let of_partials = self.partials.len() * size_of::<Partial>() + self.partial_bytes;
        let used = self.groups.memory_bytes() + of_partials;
        self.is_exhausted = self.is_exhausted || used > self.limits.memory_bytes;
    }

    /// Adds one record.
    pub fn push(&mut self, row: &dyn Row) {
        let stats = Arc::clone(&self.stats);
        let value = |field: &String| row::field(row, field).unwrap_or(ValueRef::Null);
        let key: Vec<ValueRef<'_>> = stats.by.iter().map(|group| value(&group.field)).collect();
        let Some(group) = self.group(&key) else { return self.refuse(1) };
        for (at, aggregate) in stats.aggregates.iter().enumerate() {
            if aggregate.only != Filter::All && !aggregate.only.matches(row) {
                continue;
            }
            match aggregate.function.fields() {
                [] => self.add(group, at, ValueRef::Null, 1),
                [field] => self.add(group, at, value(field), 1),
                fields => {
                    let values: Vec<ValueRef<'_>> = fields.iter().map(value).collect();
                    self.add_tuple(group, at, &values);
                }
            }
        }
    }

    /// Adds what was computed of other records of the same query.
    pub fn merge(&mut self, other: Self) {
        self.refused += other.refused;
        self.is_exhausted |= other.is_exhausted;
        let of_one = self.stats.aggregates.len();
        let mut partials = other.partials.into_iter();
        for key in other.groups.into_keys() {
            let theirs: Vec<Partial> = partials.by_ref().take(of_one).collect();
            let key: Vec<ValueRef<'_>> = key.iter().map(Value::as_ref).collect();
            let Some(group) = self.find(&key) else {
                self.refuse(1);
                continue;
            };
            for (at, partial) in theirs.into_iter().enumerate() {
                self.change(group, at, |mine, exact| mine.merge(partial, exact));
            }
        }
    }

    /// One row for each group, ordered by the groups' values: these first, then the results.
    #[must_use]
    pub fn finish(self) -> Output {
        let (notes, of_one) = (self.notes(), self.stats.aggregates.len());
        let mut partials = self.partials.into_iter();
        let keys = self.groups.into_keys().into_iter();
        let mut groups: Vec<(Vec<Value>, Vec<Partial>)> =
            keys.map(|key| (key, partials.by_ref().take(of_one).collect())).collect();
        groups.sort_by(|(a, _), (b, _)| groups::order(a, b));
        let row = |(key, partials): (Vec<Value>, Vec<Partial>)| {
            let by = self.stats.by.iter().map(|group| group.field.clone()).zip(key);
            let names = self.stats.aggregates.iter().map(|one| one.name.clone());
            let results = names.zip(partials.into_iter().map(Partial::finish));
            Fields::new(by.chain(results).collect())
        };
        Output { rows: groups.into_iter().map(row).collect(), notes }
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let of_one = self.stats.aggregates.len().max(1);
        for (at, aggregate) in self.stats.aggregates.iter().enumerate() {
            let mut of_this = self.partials.iter().skip(at).step_by(of_one);
            if let Some(how) = of_this.find_map(Partial::estimate) {
                notes.push(Note::Estimated { name: aggregate.name.clone(), how });
            }
        }
        if self.refused > 0 {
            notes.push(Note::Groups { limit: self.limits.groups, records: self.refused });
        }
        if self.is_exhausted {
            notes.push(Note::Memory { limit_bytes: self.limits.memory_bytes });
        }
        notes
    }
}

/// So many values of each group are kept before they are estimated: fewer, the more groups there
/// are, so that all together stay within some ten MiB.
fn exact_values(groups: usize) -> usize {
    (EXACT_VALUES / groups.max(1)).max(LEAST_EXACT_VALUES)
}

/// What a single group keeps.
pub const EXACT_VALUES: usize = 65_536;
/// What each group keeps, however many there are.
pub const LEAST_EXACT_VALUES: usize = 512;
