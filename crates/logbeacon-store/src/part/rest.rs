//! The column `rest`: the fields that have no column of their own, as one JSON object a row.
//!
//! Knows: values as JSON, both ways. Must not know: which fields are rare. The only file that
//! turns values into JSON. In: cells of fields, or a text. Out: a column, or fields.

use super::columns::{Column, FieldCells};
use arrow_array::builder::StringBuilder;
use arrow_schema::{DataType, Field};
use logwell_query::{Value, ValueRef};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// The column of the cells of rare fields.
pub(super) fn column(rare: &[FieldCells<'_>], rows: usize) -> Column {
    let mut objects: Vec<String> = vec![String::new(); rows];
    let mut sorted: Vec<&FieldCells<'_>> = rare.iter().collect();
    sorted.sort_by_key(|cells| cells.name);
    for cells in sorted {
        for (row, value) in &cells.cells {
            if let Some(object) = objects.get_mut(*row as usize) {
                object.push(if object.is_empty() { '{' } else { ',' });
                write_text(cells.name, object);
                object.push(':');
                write_value(*value, object);
            }
        }
    }
    let mut builder = StringBuilder::new();
    for mut object in objects {
        if object.is_empty() {
            builder.append_null();
        } else {
            object.push('}');
            builder.append_value(&object);
        }
    }
    let field = Field::new(super::REST, DataType::Utf8, true);
    Column { field, array: Arc::new(builder.finish()), repeats: false }
}

/// The fields of an object that [`column()`] wrote, by name. None of a text that is no object.
pub(crate) fn fields(object: &str) -> Vec<(String, Value)> {
    let parsed: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(object);
    let fields = parsed.unwrap_or_default().into_iter();
    fields.map(|(name, value)| (name, read_value(value.get()))).collect()
}

fn read_value(text: &str) -> Value {
    if text.starts_with('[') {
        return Value::Json(text.to_owned());
    }
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Bool(value)) => Value::Bool(value),
        Ok(serde_json::Value::String(text)) => Value::Text(text),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::UInt(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
        },
        _ => Value::Null,
    }
}

fn write_value(value: ValueRef<'_>, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = match value {
        ValueRef::Null => write!(out, "null"),
        ValueRef::Bool(value) => write!(out, "{value}"),
        ValueRef::Int(value) => write!(out, "{value}"),
        ValueRef::UInt(value) => write!(out, "{value}"),
        // With a point or an exponent, so that it comes back as a float.
        ValueRef::Float(value) => write!(out, "{value:?}"),
        ValueRef::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        ValueRef::Json(text) => out.write_str(text),
        ValueRef::Time(value) => write!(out, "{value}"),
    };
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back_from_json_with_their_kinds(record in crate::testing::record()) {
            let mut object = String::new();
            for (name, value) in &record.fields {
                object.push(if object.is_empty() { '{' } else { ',' });
                write_text(name, &mut object);
                object.push(':');
                write_value(value.as_ref(), &mut object);
            }
            object.push('}');
            prop_assert_eq!(fields(&object), record.fields);
        }
    }
}
