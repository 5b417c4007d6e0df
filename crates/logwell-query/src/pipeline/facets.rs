//! Facets: how often each value of each field occurs.
//!
//! Fed by rows or by columns, merged, and finished into the most frequent values of each field.

use super::Output;
use crate::limits::{Limits, Note};
use crate::query::Facets;
use crate::row::{self, Fields, Row, TIME};
use crate::value::{Value, ValueRef};
use std::collections::BTreeMap;
use std::collections::HashMap;

/// The counts of each field.
#[derive(Debug)]
pub struct FacetCounts {
    facets: Facets,
    limits: Limits,
    fields: BTreeMap<String, Counts>,
    memory_bytes: usize,
    is_exhausted: bool,
}

/// The counts of one field.
#[derive(Debug, Default)]
struct Counts {
    /// By text, as in groups.
    values: HashMap<String, (Value, u64), foldhash::fast::RandomState>,
    /// There were more values than are counted.
    are_too_many: bool,
}

impl FacetCounts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(facets: &Facets, limits: Limits) -> Self {
        Self {
            facets: facets.clone(),
            limits,
            fields: BTreeMap::new(),
            memory_bytes: 0,
            is_exhausted: false,
        }
    }

    /// Whether the field's values are counted.
    #[must_use]
    pub fn wants(&self, field: &str) -> bool {
        match self.facets.fields.is_empty() {
            true => field != TIME,
            false => self.facets.fields.iter().any(|names| names.contain(field)),
        }
    }

    /// Whether the field has too many values already, so that more need not be added.
    #[must_use]
    pub fn is_full(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|counts| counts.are_too_many)
    }

    /// Adds a value that `times` records have.
    pub fn add(&mut self, field: &str, value: ValueRef<'_>, times: u64) {
        let Some(value) = value.present() else { return };
        if !self.fields.contains_key(field) {
            self.fields.insert(field.to_owned(), Counts::default());
        }
        let Some(counts) = self.fields.get_mut(field) else { return };
        if counts.are_too_many {
            return;
        }
        let text = value.text();
        if let Some((kept, count)) = counts.values.get_mut(text.as_ref()) {
            *count += times;
            if matches!(kept, Value::Text(_)) && !matches!(value, ValueRef::Text(_)) {
                *kept = value.to_value().normal();
            }
            return;
        }
        if counts.values.len() >= self.limits.facet_values {
            return counts.give_up();
        }
        // The text twice, and what a map needs beside it.
        self.memory_bytes += 2 * text.len() + 96;
        if self.memory_bytes > self.limits.memory_bytes {
            self.is_exhausted = true;
            return;
        }
        counts.values.insert(text.into_owned(), (value.to_value().normal(), times));
    }

    /// Adds one record.
    pub fn push(&mut self, row: &dyn Row) {
        row::every_field(row, &mut |name, value| {
            if self.wants(name) {
                self.add(name, value, 1);
            }
        });
    }

    /// Adds what was counted of other records of the same query.
    pub fn merge(&mut self, other: Self) {
        self.is_exhausted |= other.is_exhausted;
        for (field, counts) in other.fields {
            if counts.are_too_many {
                self.fields.entry(field).or_default().give_up();
                continue;
            }
            for (value, times) in counts.values.into_values() {
                self.add(&field, value.as_ref(), times);
            }
        }
    }

    /// The most frequent values of each field, as rows of `field`, `value` and `count`.
    #[must_use]
    pub fn finish(self) -> Output {
        let mut output = Output::default();
        let most = usize::try_from(self.facets.count).unwrap_or(usize::MAX);
        for (field, counts) in self.fields {
            if counts.are_too_many {
                output.notes.push(Note::Values { field, limit: self.limits.facet_values });
                continue;
            }
            let mut values: Vec<(Value, u64)> = counts.values.into_values().collect();
            values.sort_by(|(a, a_count), (b, b_count)| {
                b_count.cmp(a_count).then_with(|| a.as_ref().order(b.as_ref()))
            });
            let row = |(value, count): (Value, u64)| {
                let fields = [
                    ("field", Value::Text(field.clone())),
                    ("value", value),
                    ("count", Value::from(count)),
                ];
                Fields::new(fields.map(|(name, value)| (name.to_owned(), value)).to_vec())
            };
            output.rows.extend(values.into_iter().take(most).map(row));
        }
        if self.is_exhausted {
            output.notes.push(Note::Memory { limit_bytes: self.limits.memory_bytes });
        }
        output
    }
}

impl Counts {
    fn give_up(&mut self) {
        self.are_too_many = true;
        self.values = HashMap::default();
    }
}
