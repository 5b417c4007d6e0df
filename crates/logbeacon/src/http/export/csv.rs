//! CSV: rows with chosen columns.
//!
//! Knows RFC 4180 and spreadsheets. Does not know searches.

use super::{File, others, whole};
use logbeacon_store::Summary;
use logwell_query::{NO_TIME, Row, time_text};

/// A CSV file.
pub(super) struct Csv {
    columns: Vec<String>,
}

impl Csv {
    /// With these columns; `fields` has all that have none, as JSON.
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns }
    }
}

impl File for Csv {
    fn kind(&self) -> (&'static str, &'static str) {
        ("text/csv; charset=utf-8", "csv")
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(csv_line(self.columns.iter().cloned()).as_bytes());
        Ok(())
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(csv_row(row, &self.columns).as_bytes());
        Ok(())
    }

    fn end(&mut self, summary: &Summary, _: &mut Vec<u8>) -> Result<(), String> {
        whole(summary)
    }
}

fn csv_row(row: &dyn Row, columns: &[String]) -> String {
    csv_line(columns.iter().map(|column| cell(row, column, columns)))
}

fn cell(row: &dyn Row, column: &str, columns: &[String]) -> String {
    match (column, row.get(column)) {
        ("time", _) if row.time_ns() == NO_TIME => String::new(),
        ("time", _) => time_text(row.time_ns()),
        (_, Some(value)) => value.text().into_owned(),
        ("fields", None) => others(row, columns),
        (_, None) => String::new(),
    }
}

/// A line of RFC 4180. A text that a spreadsheet would take for a formula gets a `'` before it.
fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| csv_cell(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

fn csv_cell(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let guard = if !is_number && cell.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{guard}{}\"", cell.replace('"', "\"\"")),
        false => format!("{guard}{cell}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::COLUMNS;
    use super::*;
    use logbeacon_store::Record;
    use logwell_query::Value;

    #[test]
    fn a_line_of_csv_has_quotes_and_no_formula() {
        let line = csv_line(["a", "b,\"c\"", "=1+1", "-5", "x\ny"].map(str::to_owned).into_iter());
        assert_eq!(line, "a,\"b,\"\"c\"\"\",'=1+1,-5,\"x\ny\"\r\n");
    }

    #[test]
    fn fields_without_a_column_are_in_one() {
        let record = Record {
            message: "m".to_owned(),
            fields: vec![("a".to_owned(), Value::Int(1)), ("b".to_owned(), Value::Bool(true))],
            ..Record::default()
        };
        let columns = ["message", "b", "fields"].map(str::to_owned);
        let row = csv_row(&record, &columns);
        assert_eq!(row, "m,true,\"{\"\"level\"\":\"\"INFO\"\",\"\"a\"\":1}\"\r\n");
        let all = COLUMNS.map(str::to_owned);
        let plain = csv_row(&Record::default(), &all);
        assert!(plain.ends_with(",\r\n"), "no empty object: {plain}");
    }
}
