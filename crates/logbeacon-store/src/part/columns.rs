//! Columns: the columns of a row group, from packed rows.
//!
//! Knows: which columns the schema has (docs/store-format.md, "Parts"), and which fields become
//! columns. Must not know: files, Parquet's encodings. In: rows in the order of their times.
//! Out: Arrow arrays with names.

use super::rest;
use super::template::Templates;
use crate::packed::PackedRow;
use arrow_array::builder::{BooleanBuilder, FixedSizeBinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, TimestampNanosecondArray, UInt64Array};
use arrow_schema::{DataType, Field, TimeUnit};
use logwell_query::ValueRef;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A column that is ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) field: Field,
    pub(crate) array: ArrayRef,
    /// Whether few values repeat, so that a dictionary of them pays.
    pub(crate) repeats: bool,
}

/// The columns of a row group, and what they are the columns of.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) columns: Vec<Column>,
    /// Which field each further column belongs to.
    pub(crate) origins: Vec<Origin>,
    /// The names of the fields in the column `rest`.
    pub(crate) rest: Vec<String>,
}

/// Which field a column holds, and the kind of its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) column: String,
    pub(crate) field: String,
    pub(crate) kind: Kind,
}

/// The kinds of values. Each has its own column of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Text,
    Int,
    UInt,
    Float,
    Bool,
    Json,
    /// A text that is 32 or 16 lower-case hexadecimal digits, as bytes.
    Id,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Text, Self::Int, Self::UInt, Self::Float, Self::Bool, Self::Json, Self::Id];

    /// What follows the name of a field's second column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::UInt => "uint",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Json => "json",
            Self::Id => "id",
        }
    }

    fn of(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Text(_) => Some(Self::Text),
            ValueRef::Int(_) => Some(Self::Int),
            ValueRef::UInt(_) => Some(Self::UInt),
            ValueRef::Float(_) => Some(Self::Float),
            ValueRef::Bool(_) => Some(Self::Bool),
            ValueRef::Json(_) => Some(Self::Json),
            // A tidy record has neither.
            ValueRef::Null | ValueRef::Time(_) => None,
        }
    }
}

impl Columns {
    /// The columns of rows that are in the order of their times, with at most `columns_max`
    /// columns for fields that are not well known.
    pub(crate) fn of(rows: &[PackedRow<'_>], columns_max: usize) -> Self {
        let mut columns = fixed_columns(rows);
        let mut origins = Vec::new();
        for (name, digits) in [(super::TRACE_ID, 32), (super::SPAN_ID, 16)] {
            id_columns(rows, (name, digits), &mut columns, &mut origins);
        }
        let mut cells = Cells::collect(rows);
        // The most frequent become columns; of equally frequent ones the first by name.
        cells.sort_by_key(|cells| (Reverse(cells.cells.len()), cells.name, cells.kind));
        let rare = cells.split_off(columns_max.min(cells.len()));
        // The kind that a field has most gets the field's own name.
        cells.sort_by_key(|cells| (cells.name, Reverse(cells.cells.len()), cells.kind));
        let mut taken: HashSet<String> = super::RESERVED.map(str::to_owned).into_iter().collect();
        for cells in &cells {
            let column = free_name(&mut taken, cells.name, cells.kind);
            columns.push(cells.column(&column, rows.len()));
            origins.push(Origin { column, field: cells.name.to_owned(), kind: cells.kind });
        }
        let mut names: Vec<String> = rare.iter().map(|cells| cells.name.to_owned()).collect();
        names.sort();
        names.dedup();
        if !rare.is_empty() {
            columns.push(rest::column(&rare, rows.len()));
        }
        Self { columns, origins, rest: names }
    }
}

/// The columns that every row group has.
fn fixed_columns(rows: &[PackedRow<'_>]) -> Vec<Column> {
    let stamp = |name: &str, of: fn(&PackedRow<'_>) -> i64| {
        let array: TimestampNanosecondArray = rows.iter().map(of).collect::<Vec<i64>>().into();
        let array: ArrayRef = Arc::new(array.with_timezone("UTC"));
        let kind = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        Column { field: Field::new(name, kind, false), array, repeats: false }
    };
    let named = |name: &str, of: fn(&PackedRow<'_>) -> &'static str| (name.to_owned(), of);
    let level = named("level", |row| row.level.name());
    let mut columns = vec![stamp(super::TIME, |row| row.time_ns)];
    columns.push(text_column(&level.0, rows.iter().map(|row| Some(level.1(row)))));
    columns.push(text_column("stream", rows.iter().map(|row| some(row.stream))));
    columns.push(text_column("service", rows.iter().map(|row| some(row.service))));
    columns.push(text_column("host", rows.iter().map(|row| some(row.host))));
    columns.push(text_column("logger", rows.iter().map(|row| some(row.logger))));
    columns.push(text_column(super::MESSAGE, rows.iter().map(|row| Some(row.message))));
    columns.extend(template_column(rows));
    columns.push(stamp(super::ARRIVED, |row| row.arrived_ns));
    columns
}

/// The constant part of each message, if the messages have few of them.
fn template_column(rows: &[PackedRow<'_>]) -> Option<Column> {
    let mut templates = Templates::default();
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 64);
    for row in rows {
        builder.append_value(templates.of(row.message)?);
    }
    // Nullable, since a part that lacks the column may be joined to this one.
    let field = Field::new(super::TEMPLATE, DataType::Utf8, true);
    Some(Column { field, array: Arc::new(builder.finish()), repeats: true })
}

/// An id as bytes where it is hexadecimal digits, and as text where it is not.
fn id_columns(
    rows: &[PackedRow<'_>],
    (name, digits): (&str, usize),
    columns: &mut Vec<Column>,
    origins: &mut Vec<Origin>,
) {
    let id = |row: &PackedRow<'_>| match name {
        super::TRACE_ID => row.trace_id.map(str::to_owned),
        _ => row.span_id.map(str::to_owned),
    };
    let width = digits as i32 / 2;
    let mut ids = FixedSizeBinaryBuilder::with_capacity(rows.len(), width);
    let mut texts: Vec<Option<String>> = Vec::new();
    let (mut any_id, mut any_text) = (false, false);
    for row in rows {
        let text = id(row);
        let bytes = text.as_deref().and_then(|text| unhex(text, digits));
        any_id |= bytes.is_some();
        // The widths agree, so that nothing can be refused.
        let appended = bytes.as_ref().is_some_and(|bytes| ids.append_value(bytes).is_ok());
        if !appended {
            ids.append_null();
        }
        let text = text.filter(|_| !appended);
        any_text |= text.is_some();
        texts.push(text);
    }
    if any_id {
        let field = Field::new(name, DataType::FixedSizeBinary(width), true);
        let repeats = name == super::TRACE_ID;
        columns.push(Column { field, array: Arc::new(ids.finish()), repeats });
        origins.push(Origin { column: name.to_owned(), field: name.to_owned(), kind: Kind::Id });
    }
    if any_text {
        let column = format!("{name}.text");
        columns.push(text_column(&column, texts.iter().map(Option::as_deref)));
        origins.push(Origin { column, field: name.to_owned(), kind: Kind::Text });
    }
}

/// The bytes of so many lower-case hexadecimal digits.
pub(crate) fn unhex(text: &str, digits: usize) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != digits {
        return None;
    }
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// The cells of one field and kind: the rows that have it, ascending, and their values.
pub(super) struct FieldCells<'a> {
    pub(super) name: &'a str,
    kind: Kind,
    pub(super) cells: Vec<(u32, ValueRef<'a>)>,
}

struct Cells;

impl Cells {
    fn collect<'a>(rows: &[PackedRow<'a>]) -> Vec<FieldCells<'a>> {
        let mut all: Vec<FieldCells<'a>> = Vec::new();
        let mut places: HashMap<(&'a str, Kind), usize> = HashMap::new();
        // Records of one place in a program have the same fields in the same order, so the place
        // that followed the last field's last time is mostly right.
        let mut follows: Vec<usize> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let mut before = 0;
            for (name, value) in row.fields().flatten() {
                let Some(kind) = Kind::of(value) else { continue };
                let guess = follows.get(before).copied().unwrap_or_default();
                let is_it = |cells: &&FieldCells<'_>| cells.kind == kind && cells.name == name;
                let place = match all.get(guess).filter(is_it) {
                    Some(_) => guess,
                    None => *places.entry((name, kind)).or_insert_with(|| {
                        all.push(FieldCells { name, kind, cells: Vec::new() });
                        all.len() - 1
                    }),
                };
                if follows.len() <= before {
                    follows.resize(before + 1, 0);
                }
                if let Some(follow) = follows.get_mut(before) {
                    *follow = place;
                }
                before = place + 1;
                if let Some(cells) = all.get_mut(place) {
                    cells.cells.push((index as u32, value));
                }
            }
        }
        all
    }
}

impl FieldCells<'_> {
    fn column(&self, name: &str, rows: usize) -> Column {
        let numbers =
            |value: &dyn Fn(ValueRef<'_>) -> Option<u64>| spread(&self.cells, rows, value);
        let (kind, array, repeats): (_, ArrayRef, _) = match self.kind {
            Kind::Text | Kind::Json | Kind::Id => {
                let mut texts = self.cells.iter().map(|(row, value)| (*row, value.as_text()));
                let mut next = texts.next();
                let column = text_column(
                    name,
                    (0..rows as u32).map(|row| match next {
                        Some((at, text)) if at == row => {
                            next = texts.next();
                            text
                        }
                        _ => None,
                    }),
                );
                return Column { field: column.field.with_nullable(true), ..column };
            }
            Kind::Int => {
                let array = numbers(&|value| match value {
                    ValueRef::Int(value) => Some(value.cast_unsigned()),
                    _ => None,
                });
                let repeats = few_values(array.iter().flatten().copied());
                let array: Int64Array =
                    array.into_iter().map(|value| value.map(u64::cast_signed)).collect();
                (DataType::Int64, Arc::new(array), repeats)
            }
            Kind::UInt => {
                let array = numbers(&|value| match value {
                    ValueRef::UInt(value) => Some(value),
                    _ => None,
                });
                (DataType::UInt64, Arc::new(UInt64Array::from(array)), false)
            }
            Kind::Float => {
                let array = numbers(&|value| match value {
                    ValueRef::Float(value) => Some(value.to_bits()),
                    _ => None,
                });
                let array: Float64Array =
                    array.into_iter().map(|bits| bits.map(f64::from_bits)).collect();
                (DataType::Float64, Arc::new(array), true)
            }
            Kind::Bool => {
                let mut builder = BooleanBuilder::with_capacity(rows);
                for value in numbers(&|value| Some(u64::from(value == ValueRef::Bool(true)))) {
                    builder.append_option(value.map(|value| value == 1));
                }
                (DataType::Boolean, Arc::new(builder.finish()), false)
            }
        };
        Column { field: Field::new(name, kind, true), array, repeats }
    }
}

/// The cells in their rows, as 64 bits each.
fn spread(
    cells: &[(u32, ValueRef<'_>)],
    rows: usize,
    bits: &dyn Fn(ValueRef<'_>) -> Option<u64>,
) -> Vec<Option<u64>> {
    let mut all = vec![None; rows];
    for (row, value) in cells {
        if let Some(cell) = all.get_mut(*row as usize) {
            *cell = bits(*value);
        }
    }
    all
}

fn text_column<'a>(name: &str, texts: impl Iterator<Item = Option<&'a str>>) -> Column {
    let mut builder = StringBuilder::new();
    let mut sample = HashSet::new();
    let mut seen = 0;
    let mut nullable = false;
    for text in texts {
        builder.append_option(text);
        nullable |= text.is_none();
        if let (Some(text), true) = (text, seen < SAMPLE) {
            seen += 1;
            sample.insert(text);
        }
    }
    let never_null = matches!(name, "level" | super::MESSAGE);
    let field = Field::new(name, DataType::Utf8, nullable || !never_null);
    Column {
        field,
        array: Arc::new(builder.finish()),
        repeats: sample.len() <= seen / 2 || seen < 16,
    }
}

/// Whether a dictionary pays for numbers.
fn few_values(values: impl Iterator<Item = u64>) -> bool {
    let mut seen = 0;
    let sample: HashSet<u64> = values.take(SAMPLE).inspect(|_| seen += 1).collect();
    sample.len() <= seen / 2
}

/// The name of the column of a field: the field's own, with the kind behind it if that is taken.
fn free_name(taken: &mut HashSet<String>, field: &str, kind: Kind) -> String {
    let mut name = field.to_owned();
    while !taken.insert(name.clone()) {
        name = format!("{name}.{}", kind.name());
    }
    name
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// How many values are looked at before a dictionary is decided on.
const SAMPLE: usize = 4096;
