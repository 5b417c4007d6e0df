//! Columnar: statistics and facets of a row group, counted by columns instead of by rows.
//!
//! Knows: what the query language's statistics take. Must not know: threads, files. In: a row
//! group and which of its rows count. Out: nothing; the statistics have grown.

use super::eval::GroupReader;
use super::mask::Mask;
use crate::part::view::{View, batch_times};
use crate::part::{Kind, Part};
use arrow_array::Array;
use foldhash::fast::RandomState;
use logwell_query::{Bucket, Filter, Function, Group, GroupId, Statistics, TIME, Value, ValueRef};
use std::collections::HashMap;
use std::hash::Hash;
use std::io;

/// Adds rows to statistics. `false` if that is not possible by columns: nothing was added then.
pub(crate) fn statistics(
    statistics: &mut Statistics,
    reader: &GroupReader<'_>,
    mask: &Mask,
) -> io::Result<bool> {
    let stats = statistics.stats().clone();
    let fields = stats.aggregates.iter().flat_map(|aggregate| aggregate.function.fields());
    let is_possible = stats.aggregates.iter().all(|aggregate| aggregate.only == Filter::All)
        && stats.by.iter().all(|group| is_key(reader.part, group))
        && fields.clone().all(|field| field != TIME && is_simple(reader.part, field));
    if !is_possible {
        return Ok(false);
    }
    let rows: Vec<usize> = mask.iter().collect();
    let mut keys = Vec::new();
    for group in &stats.by {
        keys.push(key(reader, group, &rows)?);
    }
    let slots = Slots::of(&keys, rows.len());
    let groups = slots.groups(&keys, statistics);
    for (at, aggregate) in stats.aggregates.iter().enumerate() {
        match &aggregate.function {
            Function::Count => {
                for (group, count) in groups.iter().zip(&slots.counts) {
                    if let Some(group) = group {
                        statistics.add(*group, at, ValueRef::Null, *count);
                    }
                }
            }
            function => match function.fields() {
                [field] => one_field((statistics, at), reader, field, (&rows, &slots, &groups))?,
                fields => tuples((statistics, at), reader, fields, (&rows, &slots, &groups))?,
            },
        }
    }
    Ok(true)
}

/// Whether a field has one column in the part, or none.
fn is_simple(part: &Part, field: &str) -> bool {
    part.columns_of(field).len() <= 1 && !part.rest.iter().any(|name| name == field)
}

fn is_key(part: &Part, group: &Group) -> bool {
    match group.field == TIME {
        true => matches!(group.bucket, Some(Bucket::Time(_))),
        false => is_simple(part, &group.field),
    }
}

/// One field by which rows are grouped: a code for each row, and what the codes stand for.
struct Key {
    codes: Vec<u32>,
    values: Vec<Value>,
}

fn key(reader: &GroupReader<'_>, group: &Group, rows: &[usize]) -> io::Result<Key> {
    if let (true, Some(Bucket::Time(step_ns))) = (group.field == TIME, group.bucket) {
        let batch = reader.times()?;
        let all = batch_times(&batch);
        let step = |row: &usize| all.get(*row).map_or(0, |time| time.div_euclid(step_ns));
        let mut interned = Interned::default();
        let codes = rows.iter().map(|row| interned.code(step(row))).collect();
        let values = interned.keys.iter().map(|step| Value::Time(step.saturating_mul(step_ns)));
        return Ok(Key { codes, values: values.collect() });
    }
    let Some((column, kind)) = reader.part.columns_of(&group.field).first().copied() else {
        return Ok(Key { codes: vec![0; rows.len()], values: vec![Value::Null] });
    };
    let view = reader.column(column, kind)?;
    let (codes, values) = codes(&view, rows.iter().copied());
    Ok(Key { codes, values: values.into_iter().map(ValueRef::to_value).collect() })
}

/// A code for each of the rows, and the values that the codes stand for.
pub(super) fn codes(
    view: &View,
    rows: impl Iterator<Item = usize>,
) -> (Vec<u32>, Vec<ValueRef<'_>>) {
    match view {
        View::Codes(codes, texts, _) => {
            let null = texts.len() as u32;
            let code = |row| if codes.is_valid(row) { codes.value(row) as u32 } else { null };
            let codes = rows.map(code).collect();
            // The value of a code is that of any row that has it; the texts are in their places.
            let values = (0..texts.len()).map(|at| view.dictionary_value(at)).chain([None]);
            (codes, with_null(values.collect()))
        }
        View::Ints(array) => {
            let mut interned = Interned::default();
            let value = |row: usize| array.is_valid(row).then(|| array.value(row));
            let codes = rows.map(|row| interned.code(value(row))).collect();
            let values = interned.keys.into_iter().map(|value| value.map(ValueRef::Int));
            (codes, with_null(values.collect()))
        }
        view => {
            let mut interned = Interned::default();
            let bits = |row: usize| view.value(row).map(Bits::of);
            let codes = rows.map(|row| interned.code(bits(row))).collect();
            let values = interned.keys.into_iter().map(|bits| bits.map(Bits::value));
            (codes, with_null(values.collect()))
        }
    }
}

/// Values, with null for those that are missing.
pub(super) fn with_null(values: Vec<Option<ValueRef<'_>>>) -> Vec<ValueRef<'_>> {
    values.into_iter().map(|value| value.unwrap_or(ValueRef::Null)).collect()
}

/// A value that can be a key of a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Bits<'a> {
    Number(u64, Kind),
    Text(&'a str, Kind),
}

impl<'a> Bits<'a> {
    fn of(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Int(value) | ValueRef::Time(value) => {
                Self::Number(value.cast_unsigned(), Kind::Int)
            }
            ValueRef::UInt(value) => Self::Number(value, Kind::UInt),
            ValueRef::Float(value) => Self::Number(value.to_bits(), Kind::Float),
            ValueRef::Bool(value) => Self::Number(u64::from(value), Kind::Bool),
            ValueRef::Null => Self::Number(0, Kind::Text),
            ValueRef::Text(text) => Self::Text(text, Kind::Text),
            ValueRef::Json(text) => Self::Text(text, Kind::Json),
        }
    }

    fn value(self) -> ValueRef<'a> {
        match self {
            Self::Number(bits, Kind::Int) => ValueRef::Int(bits.cast_signed()),
            Self::Number(bits, Kind::UInt) => ValueRef::UInt(bits),
            Self::Number(bits, Kind::Float) => ValueRef::Float(f64::from_bits(bits)),
            Self::Number(bits, Kind::Bool) => ValueRef::Bool(bits == 1),
            Self::Number(..) => ValueRef::Null,
            Self::Text(text, Kind::Json) => ValueRef::Json(text),
            Self::Text(text, _) => ValueRef::Text(text),
        }
    }
}

/// Different keys in the order in which they came.
struct Interned<K> {
    codes: HashMap<K, u32, RandomState>,
    keys: Vec<K>,
    last: Option<(K, u32)>,
}

impl<K> Default for Interned<K> {
    fn default() -> Self {
        Self { codes: HashMap::default(), keys: Vec::new(), last: None }
    }
}

impl<K: Copy + Eq + Hash> Interned<K> {
    fn code(&mut self, key: K) -> u32 {
        // Neighbours are often equal.
        if let Some((known, code)) = self.last
            && known == key
        {
            return code;
        }
        let code = *self.codes.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.keys.len() as u32 - 1
        });
        self.last = Some((key, code));
        code
    }
}

/// The groups that occur among rows: a slot for each row, and how many rows each has.
struct Slots {
    of_rows: Vec<u32>,
    counts: Vec<u64>,
    /// The code of each key, slot by slot.
    codes: Vec<Vec<u32>>,
}

impl Slots {
    fn of(keys: &[Key], rows: usize) -> Self {
        let mut interned: Interned<u64> = Interned::default();
        let mut of_rows = vec![0; rows];
        let mut combined = vec![0_u64; rows];
        for key in keys {
            let values = key.values.len() as u64;
            for (sum, code) in combined.iter_mut().zip(&key.codes) {
                *sum = sum.wrapping_mul(values).wrapping_add(u64::from(*code));
            }
        }
        let product =
            keys.iter().try_fold(1_usize, |product, key| product.checked_mul(key.values.len()));
        // A table, where one is not too large.
        let mut table = match product {
            Some(size @ ..=TABLE_SLOTS) => vec![u32::MAX; size],
            _ => Vec::new(),
        };
        let mut counts: Vec<u64> = Vec::new();
        let mut firsts: Vec<usize> = Vec::new();
        for (row, (slot, sum)) in of_rows.iter_mut().zip(&combined).enumerate() {
            let new = counts.len() as u32;
            *slot = match table.get_mut(*sum as usize) {
                Some(known) if *known != u32::MAX => *known,
                Some(unknown) => {
                    *unknown = new;
                    new
                }
                None => interned.code(*sum),
            };
            if *slot == new {
                counts.push(0);
                firsts.push(row);
            }
            if let Some(count) = counts.get_mut(*slot as usize) {
                *count += 1;
            }
        }
        let code = |row: &usize, key: &Key| key.codes.get(*row).copied().unwrap_or_default();
        let codes =
            firsts.iter().map(|row| keys.iter().map(|key| code(row, key)).collect()).collect();
        Self { of_rows, counts, codes }
    }

    /// The group of each slot. Those for which there is no room are refused.
    fn groups(&self, keys: &[Key], statistics: &mut Statistics) -> Vec<Option<GroupId>> {
        let mut groups = Vec::new();
        for (codes, count) in self.codes.iter().zip(&self.counts) {
            let value = |(key, code): (&_, &u32)| {
                let key: &Key = key;
                key.values.get(*code as usize).cloned().unwrap_or_default()
            };
            let values: Vec<Value> = keys.iter().zip(codes).map(value).collect();
            let values: Vec<ValueRef<'_>> = values.iter().map(Value::as_ref).collect();
            let group = statistics.group(&values);
            if group.is_none() {
                statistics.refuse(*count);
            }
            groups.push(group);
        }
        groups
    }
}

/// Which rows, their slots, and the groups of those.
type Grouped<'a> = (&'a [usize], &'a Slots, &'a [Option<GroupId>]);

/// Adds one column to an aggregate.
fn one_field(
    (statistics, aggregate): (&mut Statistics, usize),
    reader: &GroupReader<'_>,
    field: &str,
    (rows, slots, groups): Grouped<'_>,
) -> io::Result<()> {
    let Some((column, kind)) = reader.part.columns_of(field).first().copied() else {
        return Ok(());
    };
    let view = reader.column(column, kind)?;
    if let View::Codes(..) = &*view {
        let (codes, values) = codes(&view, rows.iter().copied());
        if values.len() * groups.len() <= TABLE_SLOTS {
            let mut table = vec![0_u64; values.len() * groups.len()];
            for (slot, code) in slots.of_rows.iter().zip(codes) {
                if let Some(count) = table.get_mut(*slot as usize * values.len() + code as usize) {
                    *count += 1;
                }
            }
            for (at, count) in table.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let group = groups.get(at / values.len()).copied().flatten();
                if let (Some(group), Some(value)) = (group, values.get(at % values.len())) {
                    statistics.add(group, aggregate, *value, count);
                }
            }
            return Ok(());
        }
    }
    for (row, slot) in rows.iter().zip(&slots.of_rows) {
        if let (Some(Some(group)), Some(value)) = (groups.get(*slot as usize), view.value(*row)) {
            statistics.add(*group, aggregate, value, 1);
        }
    }
    Ok(())
}

/// Adds several columns to an aggregate of tuples.
fn tuples(
    (statistics, aggregate): (&mut Statistics, usize),
    reader: &GroupReader<'_>,
    fields: &[String],
    (rows, slots, groups): Grouped<'_>,
) -> io::Result<()> {
    let mut views = Vec::new();
    for field in fields {
        let column = reader.part.columns_of(field).first().copied();
        views.push(column.map(|(column, kind)| reader.column(column, kind)).transpose()?);
    }
    for (row, slot) in rows.iter().zip(&slots.of_rows) {
        let Some(Some(group)) = groups.get(*slot as usize) else { continue };
        let value = |view: &Option<std::rc::Rc<View>>| {
            view.as_ref().and_then(|view| view.value(*row)).map(ValueRef::to_value)
        };
        let values: Vec<Value> = views.iter().map(|view| value(view).unwrap_or_default()).collect();
        let values: Vec<ValueRef<'_>> = values.iter().map(Value::as_ref).collect();
        statistics.add_tuple(*group, aggregate, &values);
    }
    Ok(())
}

/// The largest table that is made for a row group.
const TABLE_SLOTS: usize = 1 << 20;
