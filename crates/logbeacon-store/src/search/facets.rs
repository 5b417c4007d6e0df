//! Facets: those of a row group, counted by columns instead of by rows.
//!
//! Knows: what the query language's facets take. Must not know: threads, files. In: a row group and
//! which of its rows count. Out: nothing; the facets have grown.

use super::columnar::{codes, with_null};
use super::eval::GroupReader;
use super::mask::Mask;
use crate::part::view::View;
use arrow_array::{Array, Int64Array};
use foldhash::fast::RandomState;
use logwell_query::{FacetCounts, TIME, ValueRef};
use std::collections::{BTreeMap, HashMap};
use std::io;

/// Counts of integers by field, over several row groups. Integers may differ in each row, and a
/// facet is counted by its text.
#[derive(Default)]
pub(crate) struct Integers(BTreeMap<String, IntegerCounts>);

/// How often each integer was there: small ones in a table, others in a map.
#[derive(Default)]
struct IntegerCounts {
    small: Vec<u64>,
    /// Values in the table.
    different: usize,
    others: HashMap<i64, u64, RandomState>,
}

impl IntegerCounts {
    fn add(&mut self, value: i64) {
        let place = usize::try_from(value).ok().filter(|place| *place < SMALL);
        let Some(place) = place else {
            *self.others.entry(value).or_default() += 1;
            return;
        };
        if place >= self.small.len() {
            self.small.resize((place + 1).next_power_of_two(), 0);
        }
        if let Some(count) = self.small.get_mut(place) {
            self.different += usize::from(*count == 0);
            *count += 1;
        }
    }

    fn len(&self) -> usize {
        self.different + self.others.len()
    }
}

impl Integers {
    /// Adds the counts to facets.
    pub(crate) fn give(self, facets: &mut FacetCounts) {
        for (field, counts) in self.0 {
            let small = (0_i64..).zip(counts.small).filter(|(_, count)| *count > 0);
            for (value, count) in small.chain(counts.others) {
                facets.add(&field, ValueRef::Int(value), count);
            }
        }
    }

    fn add(&mut self, field: &str, array: &Int64Array, mask: &Mask) {
        if !self.0.contains_key(field) {
            self.0.insert(field.to_owned(), IntegerCounts::default());
        }
        // One value too many is enough to say that there are too many.
        if let Some(counts) = self.0.get_mut(field).filter(|counts| counts.len() <= FACET_VALUES) {
            for row in mask.iter().filter(|row| array.is_valid(*row)) {
                counts.add(array.value(row));
            }
        }
    }
}

/// Adds rows to facets. `false` if that is not possible by columns: nothing was added then.
pub(crate) fn facets(
    (facets, integers): (&mut FacetCounts, &mut Integers),
    reader: &GroupReader<'_>,
    mask: &Mask,
) -> io::Result<bool> {
    let part = reader.part;
    if facets.wants(TIME) || part.rest.iter().any(|name| facets.wants(name)) {
        return Ok(false);
    }
    let mut fields: Vec<&str> = part.field_names().filter(|name| facets.wants(name)).collect();
    fields.sort_unstable();
    for field in fields.into_iter().filter(|field| !facets.is_full(field)).collect::<Vec<_>>() {
        for (column, kind) in part.columns_of(field) {
            let view = reader.column(*column, *kind)?;
            if let View::Ints(array) = &*view {
                integers.add(field, array, mask);
                continue;
            }
            let (values, counts) = counted(&view, mask);
            for (value, count) in values.into_iter().zip(counts) {
                if count > 0 {
                    facets.add(field, value, count);
                }
            }
        }
    }
    Ok(true)
}

/// The values of the rows, and how often each is there.
fn counted<'a>(view: &'a View, mask: &Mask) -> (Vec<ValueRef<'a>>, Vec<u64>) {
    match view {
        View::Codes(codes, texts, _) if codes.null_count() == 0 => {
            let mut counts = vec![0; texts.len()];
            let all = codes.values();
            for row in mask.iter() {
                let code = all.get(row).and_then(|code| usize::try_from(*code).ok());
                if let Some(count) = code.and_then(|code| counts.get_mut(code)) {
                    *count += 1;
                }
            }
            let values = (0..texts.len()).map(|at| view.dictionary_value(at));
            (with_null(values.collect()), counts)
        }
        View::Bools(array) => {
            let mut counts = [0; 3];
            let [no, yes, null] = &mut counts;
            for row in mask.iter() {
                match (array.is_valid(row), array.is_valid(row) && array.value(row)) {
                    (false, _) => *null += 1,
                    (true, false) => *no += 1,
                    (true, true) => *yes += 1,
                }
            }
            let values = [ValueRef::Bool(false), ValueRef::Bool(true), ValueRef::Null];
            (values.to_vec(), counts.to_vec())
        }
        view => {
            let (codes, values) = codes(view, mask.iter());
            let mut counts = vec![0; values.len()];
            for code in codes {
                if let Some(count) = counts.get_mut(code as usize) {
                    *count += 1;
                }
            }
            (values, counts)
        }
    }
}

/// Integers below this are counted in a table.
const SMALL: usize = 1 << 17;

/// A field with more values than this has no facets.
pub(super) const FACET_VALUES: usize = 100_000;
