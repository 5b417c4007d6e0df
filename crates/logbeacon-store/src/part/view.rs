//! View: a column in memory as values of the query language, and rows made of columns.
//!
//! Knows: Arrow's arrays and the kinds of columns. Must not know: files, filters. In: a batch of
//! columns. Out: values by place, and rows.

use super::{ARRIVED, Kind, Part, REST, TIME, rest};
use crate::record::{Record, WELL_KNOWN};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow_schema::DataType;
use logwell_query::{Level, Row, Value, ValueRef};
use std::fmt::Write;
use std::io;

/// The values of a column.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// Codes of texts, and the texts; whether those are JSON.
    Codes(Int32Array, StringArray, bool),
    /// Texts, and whether they are JSON.
    Texts(StringArray, bool),
    Ints(Int64Array),
    UInts(UInt64Array),
    Floats(Float64Array),
    Bools(BooleanArray),
}

impl View {
    /// The column of an array. `None` if the array has a type that no column of a part has.
    pub(crate) fn of(array: &ArrayRef, kind: Kind) -> Option<Self> {
        let is_json = kind == Kind::Json;
        Some(match array.data_type() {
            DataType::Dictionary(..) => {
                let array = array.as_dictionary_opt::<Int32Type>()?;
                let texts = array.values().as_string_opt::<i32>()?.clone();
                Self::Codes(array.keys().clone(), texts, is_json)
            }
            DataType::Utf8 => Self::Texts(array.as_string_opt::<i32>()?.clone(), is_json),
            DataType::Int64 => Self::Ints(array.as_primitive_opt::<Int64Type>()?.clone()),
            DataType::UInt64 => Self::UInts(array.as_primitive_opt::<UInt64Type>()?.clone()),
            DataType::Float64 => Self::Floats(array.as_primitive_opt::<Float64Type>()?.clone()),
            DataType::Boolean => Self::Bools(array.as_boolean_opt()?.clone()),
            DataType::FixedSizeBinary(_) => Self::Texts(hex(array)?, false),
            _ => return None,
        })
    }

    /// The text of a code; `None` if there is no such code, or the column has no codes.
    pub(crate) fn dictionary_value(&self, code: usize) -> Option<ValueRef<'_>> {
        match self {
            Self::Codes(_, texts, _) if code >= texts.len() => None,
            Self::Codes(_, texts, true) => Some(ValueRef::Json(texts.value(code))),
            Self::Codes(_, texts, false) => Some(ValueRef::Text(texts.value(code))),
            _ => None,
        }
    }

    /// The value of a row; `None` if it has none.
    pub(crate) fn value(&self, row: usize) -> Option<ValueRef<'_>> {
        let text =
            |text, is_json| if is_json { ValueRef::Json(text) } else { ValueRef::Text(text) };
        match self {
            Self::Codes(codes, texts, is_json) => {
                let code = codes.is_valid(row).then(|| codes.value(row))?;
                Some(text(texts.value(usize::try_from(code).ok()?), *is_json))
            }
            Self::Texts(texts, is_json) => {
                texts.is_valid(row).then(|| text(texts.value(row), *is_json))
            }
            Self::Ints(array) => array.is_valid(row).then(|| ValueRef::Int(array.value(row))),
            Self::UInts(array) => array.is_valid(row).then(|| ValueRef::UInt(array.value(row))),
            Self::Floats(array) => array.is_valid(row).then(|| ValueRef::Float(array.value(row))),
            Self::Bools(array) => array.is_valid(row).then(|| ValueRef::Bool(array.value(row))),
        }
    }
}

/// The times of a column of moments.
pub(crate) fn times(array: &ArrayRef) -> &[i64] {
    match array.as_primitive_opt::<TimestampNanosecondType>() {
        Some(array) => array.values(),
        None => &[],
    }
}

/// Binary ids as lower-case hexadecimal digits.
fn hex(array: &ArrayRef) -> Option<StringArray> {
    let array = array.as_fixed_size_binary_opt()?;
    let mut builder = arrow_array::builder::StringBuilder::new();
    let mut digits = String::new();
    for id in array {
        digits.clear();
        for byte in id.unwrap_or_default() {
            // Writing to a `String` cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        builder.append_option(id.map(|_| digits.as_str()));
    }
    Some(builder.finish())
}

/// Rows of a part, in columns: all fields, or some.
#[derive(Debug)]
pub(crate) struct Rows {
    times: ArrayRef,
    /// The columns of fields in the order in which rows show them; those of one field in a row.
    columns: Vec<(String, View)>,
    /// The column `rest`, and the place in `columns` up to which fields are well known.
    rest: Option<StringArray>,
    well_known: usize,
}

impl Rows {
    /// The columns of a part that the fields need: all if `None`, otherwise those named.
    pub(crate) fn needed(part: &Part, fields: Option<&[String]>) -> Vec<usize> {
        let mut columns: Vec<usize> = part.column(TIME).into_iter().collect();
        match fields {
            None => {
                columns.extend(
                    part.field_names().flat_map(|field| part.columns_of(field)).map(|c| c.0),
                );
                columns.extend(part.column(REST));
            }
            Some(fields) => {
                columns.extend(fields.iter().flat_map(|field| part.columns_of(field)).map(|c| c.0));
                if fields.iter().any(|field| part.rest.contains(field)) {
                    columns.extend(part.column(REST));
                }
            }
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The rows of a batch that has [`Rows::needed`] columns of the part.
    pub(crate) fn of(part: &Part, batch: &RecordBatch) -> Option<Self> {
        let mut fields: Vec<&str> = part.field_names().collect();
        let place = |name: &str| WELL_KNOWN.iter().position(|known| *known == name);
        fields.sort_by_key(|name| (place(name).unwrap_or(WELL_KNOWN.len()), *name));
        let mut columns = Vec::new();
        let mut well_known = 0;
        for field in fields {
            for (at, kind) in part.columns_of(field) {
                let name = part.schema().field(*at).name();
                if let Some(array) = batch.column_by_name(name) {
                    columns.push((field.to_owned(), View::of(array, *kind)?));
                    well_known += usize::from(place(field).is_some());
                }
            }
        }
        let rest = batch.column_by_name(REST);
        let rest = rest.and_then(|array| match View::of(array, Kind::Text)? {
            View::Texts(texts, _) => Some(texts),
            View::Codes(codes, texts, _) => {
                let of = |code: Option<i32>| Some(texts.value(usize::try_from(code?).ok()?));
                Some(codes.iter().map(of).collect())
            }
            _ => None,
        });
        Some(Self { times: batch.column_by_name(TIME)?.clone(), columns, rest, well_known })
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// A row. `row` is less than [`Rows::len`].
    pub(crate) fn row(&self, row: usize) -> PartRow<'_> {
        let rest = self.rest.as_ref().filter(|rest| rest.is_valid(row));
        let rest = rest.map(|rest| rest::fields(rest.value(row))).unwrap_or_default();
        PartRow { rows: self, row, rest }
    }
}

/// A row of a part.
#[derive(Debug)]
pub(crate) struct PartRow<'a> {
    rows: &'a Rows,
    row: usize,
    /// The fields in `rest`, by name.
    rest: Vec<(String, Value)>,
}

impl Row for PartRow<'_> {
    fn time_ns(&self) -> i64 {
        times(&self.rows.times).get(self.row).copied().unwrap_or_default()
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        let columns = self.rows.columns.iter().filter(|(name, _)| name == field);
        columns.filter_map(|(_, view)| view.value(self.row)).next().or_else(|| {
            let rest = self.rest.iter().find(|(name, _)| name == field);
            rest.map(|(_, value)| value.as_ref())
        })
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        let (members, fields) = self.rows.columns.split_at(self.rows.well_known);
        for (name, view) in members {
            if let Some(value) = view.value(self.row) {
                visit(name, value);
            }
        }
        // Both are sorted by name, and no name is in both.
        let mut rest = self.rest.iter().peekable();
        for (name, view) in fields {
            let Some(value) = view.value(self.row) else { continue };
            while let Some((name, value)) = rest.next_if(|(rare, _)| rare < name) {
                visit(name, value.as_ref());
            }
            visit(name, value);
        }
        for (name, value) in rest {
            visit(name, value.as_ref());
        }
    }
}

/// Records of a row group, as they were written but for their hashes, which no part has.
pub(crate) fn records(
    part: &Part,
    group: usize,
    mut wanted: impl FnMut(usize) -> bool,
) -> io::Result<Vec<Record>> {
    let mut columns = Rows::needed(part, None);
    columns.extend(part.column(ARRIVED));
    columns.sort_unstable();
    let batch = part.read(group, &columns, None)?;
    let unknown = || io::Error::new(io::ErrorKind::InvalidData, "a column has an unknown type");
    let rows = Rows::of(part, &batch).ok_or_else(unknown)?;
    let arrived = batch.column_by_name(ARRIVED).map_or(&[][..], times);
    let record = |place: usize| {
        let row = rows.row(place);
        let text = |name| row.get(name).map_or_else(String::new, |v| v.text().into_owned());
        let id = |name| row.get(name).map(|value| value.text().into_owned());
        let mut record = Record {
            time_ns: row.time_ns(),
            arrived_ns: arrived.get(place).copied().unwrap_or_default(),
            stream: text("stream"),
            level: Level::parse(&text("level")).unwrap_or(Level::Info),
            service: text("service"),
            host: text("host"),
            logger: text("logger"),
            message: text("message"),
            trace_id: id("trace_id"),
            span_id: id("span_id"),
            ..Record::default()
        };
        row.for_each(&mut |name, value| {
            if !WELL_KNOWN.contains(&name) {
                record.fields.push((name.to_owned(), value.to_value()));
            }
        });
        record
    };
    Ok((0..rows.len()).filter(|row| wanted(*row)).map(record).collect())
}

/// The moments of a batch, as its column `time` has them.
pub(crate) fn batch_times(batch: &RecordBatch) -> &[i64] {
    batch.column_by_name(TIME).map_or(&[], times)
}
