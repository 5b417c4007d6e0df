//! Export: `/api/v1/export`, everything that a query finds, as a file.
//!
//! Knows NDJSON and CSV. There is no limit on rows; the reader's pace is the pace. A file that
//! lacks something does not look whole: NDJSON ends with `_summary`, which says what is missing,
//! and CSV breaks off, so that the reader gets an error.

use super::answer::Problem;
use super::auth::Caller;
use super::query::{Params, asked};
use super::search::{NDJSON, count, push_found, summary_line};
use super::stream::{self, Writer};
use crate::lanes::Lane;
use crate::render::push_row;
use crate::server::Server;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use logbeacon_store::{Found, SearchRequest, Summary};
use logwell_query::{NO_TIME, Row, ValueRef, time_text};
use std::sync::Arc;
use std::time::Duration;

/// An export may take as long as its reader needs, within this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Columns of a CSV file, if the request does not name any. `fields` has all others as JSON.
const COLUMNS: [&str; 10] = [
    "time", "level", "message", "service", "host", "logger", "trace_id", "span_id", "stream",
    "fields",
];

/// A file's format.
#[derive(Debug, Clone)]
enum Format {
    Ndjson,
    Csv(Vec<String>),
}

/// `GET /api/v1/export`: `format` is `ndjson` or `csv`; `columns` names those of a CSV file.
pub(super) async fn export(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let format = format(&params)?;
    let mut search = asked(&server, &grant, &params)?.search;
    search.limit = params.number("limit")?;
    search.budget.time = LONGEST;
    let place = server.lanes.place(Lane::Search).await?;
    let (mut writer, reader) = stream::pipe();
    let cancel = search.cancel.clone();
    let (kind, name) = match format {
        Format::Ndjson => (NDJSON, "logs.ndjson"),
        Format::Csv(_) => ("text/csv; charset=utf-8", "logs.csv"),
    };
    tokio::task::spawn_blocking(move || {
        let _place = place;
        write(&server, &search, &format, &mut writer);
    });
    let mut response = reader.respond(kind, cancel).await;
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn format(params: &Params) -> Result<Format, Problem> {
    match params.get("format").as_deref() {
        None | Some("ndjson" | "json") => Ok(Format::Ndjson),
        Some("csv") => {
            let named = params.get("columns");
            let columns = match &named {
                Some(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
                None => COLUMNS.map(str::to_owned).to_vec(),
            };
            Ok(Format::Csv(columns))
        }
        Some(other) => Err(Problem::bad(format!("format={other}: use ndjson or csv"))),
    }
}

fn write(server: &Server, search: &SearchRequest, format: &Format, writer: &mut Writer) {
    if let Format::Csv(columns) = format {
        writer.buffer.extend_from_slice(csv_line(columns.iter().cloned()).as_bytes());
    }
    let mut line = String::new();
    let found = server.ingest.store.search(search, &mut |found| {
        line.clear();
        match format {
            Format::Ndjson => push_found(found, &mut line),
            Format::Csv(columns) => line = csv_row(found, columns),
        }
        writer.buffer.extend_from_slice(line.as_bytes());
        writer.flow()
    });
    match found {
        Ok(summary) => {
            count(server, search, &summary);
            finish(&summary, format, writer);
        }
        Err(error) => writer.fail(error.into()),
    }
}

fn finish(summary: &Summary, format: &Format, writer: &mut Writer) {
    match format {
        Format::Ndjson => writer.buffer.extend_from_slice(summary_line(summary).as_bytes()),
        // A file that lacks something must not look whole: the connection breaks off.
        Format::Csv(_) if !summary.complete => {
            let reason = "the file would not be whole: ask for NDJSON, which says what is missing";
            return writer.fail(Problem::fault(reason));
        }
        Format::Csv(_) => {}
    }
    let _gone = writer.flush();
}

fn csv_row(found: Found<'_>, columns: &[String]) -> String {
    let row: &dyn Row = match found {
        Found::Record(row) => row,
        Found::Output(row) => row,
    };
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

/// The fields that have no column, as a JSON object; nothing if there are none.
fn others(row: &dyn Row, columns: &[String]) -> String {
    let rest = Rest { row, columns };
    let mut is_empty = true;
    rest.for_each(&mut |_, _| is_empty = false);
    let mut text = String::new();
    if !is_empty {
        push_row(&rest, &mut text);
    }
    text
}

/// A row without the fields that have a column.
struct Rest<'a> {
    row: &'a dyn Row,
    columns: &'a [String],
}

impl Row for Rest<'_> {
    fn time_ns(&self) -> i64 {
        NO_TIME
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        if self.columns.iter().any(|column| column == field) { None } else { self.row.get(field) }
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        self.row.for_each(&mut |name, value| {
            if !self.columns.iter().any(|column| column == name) {
                visit(name, value);
            }
        });
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
        let row = csv_row(Found::Record(&record), &columns);
        assert_eq!(row, "m,true,\"{\"\"level\"\":\"\"INFO\"\",\"\"a\"\":1}\"\r\n");
        let all = COLUMNS.map(str::to_owned);
        let plain = csv_row(Found::Record(&Record::default()), &all);
        assert!(plain.ends_with(",\r\n"), "no empty object: {plain}");
    }
}
