//! Table: rows of results as aligned columns for people.
//!
//! Knows rows. What a character may do to a terminal is decided by logwell's own rules.

use logwell::encode::visible::push_visible;
use logwell_query::{Fields, Value, columns};
use std::io::{self, Write};

/// A cell as it is printed.
struct Cell {
    text: String,
    is_number: bool,
}

/// Prints the rows below a line of their names. Columns are as wide as their widest cell, numbers
/// are on the right, and a missing value is empty.
pub(super) fn print(rows: &[Fields], out: &mut dyn Write) -> io::Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(Fields::as_slice) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let cells: Vec<Vec<Cell>> =
        rows.iter().map(|row| names.iter().map(|name| cell(row, name)).collect()).collect();
    let column = |at: usize| cells.iter().filter_map(move |row| row.get(at));
    let widths: Vec<usize> = (0..names.len())
        .zip(&names)
        .map(|(at, name)| {
            column(at).map(|cell| columns(&cell.text)).fold(columns(name), usize::max)
        })
        .collect();
    let are_numbers: Vec<bool> = (0..names.len())
        .map(|at| column(at).all(|cell| cell.is_number || cell.text.is_empty()))
        .collect();
    let heads = names
        .iter()
        .zip(&are_numbers)
        .map(|(name, is_number)| Cell { text: visible(name), is_number: *is_number });
    print_row(&heads.collect::<Vec<_>>(), &widths, out)?;
    cells.iter().try_for_each(|row| print_row(row, &widths, out))
}

fn print_row(row: &[Cell], widths: &[usize], out: &mut dyn Write) -> io::Result<()> {
    let mut line = String::new();
    for (cell, width_of_column) in row.iter().zip(widths) {
        let gap = " ".repeat(width_of_column.saturating_sub(columns(&cell.text)));
        match cell.is_number {
            true => line.extend([&gap, cell.text.as_str()]),
            false => line.extend([cell.text.as_str(), &gap]),
        }
        line.push_str("  ");
    }
    writeln!(out, "{}", line.trim_end())
}

fn cell(row: &Fields, name: &str) -> Cell {
    let found = row.as_slice().iter().find(|(other, _)| other == name).map(|(_, value)| value);
    match found {
        None | Some(Value::Null) => Cell { text: String::new(), is_number: false },
        Some(value) => Cell {
            text: visible(&value.to_string()),
            is_number: matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_)),
        },
    }
}

fn visible(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    push_visible(text, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_on_the_right_and_what_could_steer_a_terminal_is_shown() {
        let rows = [r#"{"who":"a\u001b[31m","count":7}"#, r#"{"who":"支付","count":1200}"#];
        let rows = rows.map(|row| {
            let fields = Fields::from_json(row).unwrap().into_vec();
            Fields::new(fields.into_iter().rev().collect())
        });
        let mut out = Vec::new();
        print(&rows, &mut out).unwrap();
        let expected = "who          count\na\\u{1b}[31m      7\n支付          1200\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
