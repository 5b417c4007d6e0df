//! Ordered: the first rows in an order, without keeping the others.
//!
//! Knows the order of rows. It is total: rows that are equal in it are equal, so that the answer is
//! the same however many threads there were and wherever the rows came from.

use super::Output;
use super::step::key_of;
use crate::limits::{Limits, Note};
use crate::query::{Pipe, SortKey};
use crate::row::{self, Fields, Row};
use crate::stats::groups::missing_last;
use crate::value::{Value, ValueRef};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Which rows are wanted, in which order.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    keys: Vec<SortKey>,
    /// Of rows with equal values of these fields only the first one.
    unique: Option<Vec<String>>,
    /// How many.
    count: Option<u64>,
    /// How many pipes that was.
    pub(super) pipes: usize,
}

impl Wanted {
    /// What `sort`, `dedup`, `offset` and `limit` want, if they come first and in this order. The
    /// last two stay in the list of pipes: here they only say how many rows to keep.
    pub(super) fn of(pipes: &[Pipe]) -> Self {
        let mut wanted = Self::default();
        let mut pipes = pipes.iter().peekable();
        if let Some(Pipe::Sort(keys)) = pipes.peek() {
            wanted.keys.clone_from(keys);
            wanted.pipes += 1;
            pipes.next();
        }
        if let Some(Pipe::Dedup(fields)) = pipes.peek() {
            wanted.unique = Some(fields.clone());
            wanted.pipes += 1;
            pipes.next();
        }
        let mut skipped = 0;
        if let Some(Pipe::Offset(count)) = pipes.peek() {
            skipped = *count;
            pipes.next();
        }
        if let Some(Pipe::Limit(count)) = pipes.peek() {
            wanted.count = Some(count.saturating_add(skipped));
        }
        wanted
    }
}

/// A row, and its place if no key decides: greater ones come first. That of a record is its time,
/// which a pipe may have dropped from the row; that of a row in a list is minus its number.
#[derive(Debug)]
struct Kept {
    place: i64,
    row: Fields,
}

/// The first rows.
#[derive(Debug)]
pub(super) struct Ordered {
    wanted: Wanted,
    limits: Limits,
    /// How many rows are kept at most. Twice as many may be waiting to be sorted.
    most: usize,
    kept: Vec<Kept>,
    /// So many of them are in order, and everything behind them has yet to be sorted in.
    sorted: usize,
    memory_bytes: usize,
    notes: Vec<Note>,
}

impl Ordered {
    pub(super) fn new(wanted: Wanted, limits: Limits) -> Self {
        let count = wanted.count.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let (most, notes) = (count.min(limits.rows), Vec::new());
        Self { wanted, limits, most, kept: Vec::new(), sorted: 0, memory_bytes: 0, notes }
    }

    pub(super) fn push(&mut self, place: i64, row: &dyn Row) {
        if self
            .last_kept()
            .is_some_and(|last| self.order((place, row), (last.place, &last.row)).is_ge())
        {
            return self.leave_out();
        }
        self.keep(Kept { place, row: row.to_fields() });
    }

    fn keep(&mut self, kept: Kept) {
        self.memory_bytes += kept.row.memory_bytes() + size_of::<i64>();
        self.kept.push(kept);
        let is_long = self.kept.len() >= self.most.saturating_mul(2).max(64);
        if is_long || self.memory_bytes > self.limits.memory_bytes {
            self.tidy();
        }
    }

    /// The last of the rows that are kept, if there are as many as there may be.
    fn last_kept(&self) -> Option<&Kept> {
        let last = self.most.checked_sub(1)?;
        (self.sorted >= self.most).then(|| self.kept.get(last)).flatten()
    }

    pub(super) fn oldest_useful_ns(&self) -> Option<i64> {
        match self.wanted.keys.is_empty() {
            true => self.last_kept().map(|last| last.place),
            false => None,
        }
    }

    /// How many rows are held, of which some may be let go.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Sorts, and lets go of what is not among the first.
    fn tidy(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.sort_by(|a, b| self.order((a.place, &a.row), (b.place, &b.row)));
        if let Some(fields) = &self.wanted.unique {
            let mut seen = HashSet::new();
            kept.retain(|kept| seen.insert(key_of(&kept.row, fields)));
        }
        if kept.len() > self.most {
            kept.truncate(self.most);
            self.leave_out();
        }
        let bytes = |kept: &[Kept]| -> usize {
            kept.iter().map(|kept| kept.row.memory_bytes() + size_of::<i64>()).sum()
        };
        self.memory_bytes = bytes(&kept);
        if self.memory_bytes > self.limits.memory_bytes {
            // Half of it, so that the next rows do not sort everything again.
            kept.truncate(kept.len() / 2);
            self.memory_bytes = bytes(&kept);
            self.most = kept.len();
            self.note(Note::Memory { limit_bytes: self.limits.memory_bytes });
        }
        (self.sorted, self.kept) = (kept.len(), kept);
    }

    /// Says that a row was left out, unless the query asked for no more.
    fn leave_out(&mut self) {
        let asked = self.wanted.count.and_then(|count| usize::try_from(count).ok());
        if asked != Some(self.most) && self.most == self.limits.rows {
            self.note(Note::Rows { limit: self.limits.rows });
        }
    }

    fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.most = self.most.min(other.most);
        self.notes.extend(other.notes);
        other.kept.into_iter().for_each(|kept| self.keep(kept));
    }

    pub(super) fn finish(mut self) -> Output {
        self.tidy();
        Output { rows: self.kept.into_iter().map(|kept| kept.row).collect(), notes: self.notes }
    }

    /// By the keys; then by place; then by what is in the rows.
    fn order(&self, (a_place, a): (i64, &dyn Row), (b_place, b): (i64, &dyn Row)) -> Ordering {
        let by_keys =
            self.wanted.keys.iter().map(|key| by_key(key, a, b)).find(|found| found.is_ne());
        by_keys.unwrap_or_else(|| b_place.cmp(&a_place).then_with(|| by_content(a, b)))
    }
}

fn by_key(key: &SortKey, a: &dyn Row, b: &dyn Row) -> Ordering {
    let (a, b) = (value_of(a, &key.field), value_of(b, &key.field));
    match (key.descending, a.present(), b.present()) {
        (true, Some(a), Some(b)) => b.order(a),
        _ => missing_last(a, b),
    }
}

fn by_content(a: &dyn Row, b: &dyn Row) -> Ordering {
    let fields = |row: &dyn Row| {
        let mut fields = row.to_fields().into_vec();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields
    };
    let one = |(a_name, a): &(String, Value), (b_name, b): &(String, Value)| {
        a_name.cmp(b_name).then_with(|| a.as_ref().order(b.as_ref()))
    };
    let (a, b) = (fields(a), fields(b));
    let pairs = a.iter().zip(&b).map(|(a, b)| one(a, b));
    pairs.into_iter().find(|found| found.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn value_of<'a>(row: &'a dyn Row, field: &str) -> ValueRef<'a> {
    row::field(row, field).unwrap_or(ValueRef::Null)
}
