//! Export: `/api/v1/export`, everything that a query finds, as a file.
//!
//! Knows searches and bodies. What a format looks like is in its own file. There is no limit on
//! rows; the reader's pace is the pace. A file that lacks something does not look whole: NDJSON
//! ends with `_summary`, which says what is missing; the others break off, so that the reader gets
//! an error.

mod csv;
mod parquet;

use super::answer::Problem;
use super::auth::Caller;
use super::query::{Params, asked};
use super::search::{NDJSON, count, summary_line};
use super::stream::{self, Writer};
use crate::lanes::Lane;
use crate::render::push_row;
use crate::server::Server;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use csv::Csv;
use logbeacon_store::{Found, SearchRequest, Summary};
use logwell_query::{NO_TIME, Row, ValueRef};
use parquet::Parquet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// An export may take as long as its reader needs, within this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Columns of a file, if the request does not name any. `fields` has all others as JSON.
const COLUMNS: [&str; 10] = [
    "time", "level", "message", "service", "host", "logger", "trace_id", "span_id", "stream",
    "fields",
];

/// A file that rows are written to. Bytes go to the end of `out`.
trait File: Send {
    /// Its content type, and the end of its name.
    fn kind(&self) -> (&'static str, &'static str);

    /// What comes before the rows.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), String>;

    /// A row.
    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), String>;

    /// What comes after the rows; an error if the file would look whole and is not.
    fn end(&mut self, summary: &Summary, out: &mut Vec<u8>) -> Result<(), String>;
}

/// `GET /api/v1/export`: `format` is `ndjson`, `csv` or `parquet`; `columns` names those of a CSV
/// file.
pub(super) async fn export(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let mut file = file(&params)?;
    let mut search = asked(&server, &grant, &params)?.search;
    search.limit = params.number("limit")?;
    search.budget.time = LONGEST;
    let place = server.lanes.place(Lane::Search).await?;
    let (mut writer, reader) = stream::pipe();
    let cancel = search.cancel.clone();
    let (kind, end) = file.kind();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        if let Err(problem) = write(&server, &search, (file.as_mut(), &mut writer)) {
            writer.fail(problem);
        }
    });
    let mut response = reader.respond(kind, cancel).await;
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"logs.{end}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn file(params: &Params) -> Result<Box<dyn File>, Problem> {
    let columns = || match params.get("columns") {
        Some(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        None => COLUMNS.map(str::to_owned).to_vec(),
    };
    match params.get("format").as_deref() {
        None | Some("ndjson" | "json") => Ok(Box::new(Ndjson)),
        Some("csv") => Ok(Box::new(Csv::new(columns()))),
        Some("parquet") => Ok(Box::new(Parquet::new().map_err(Problem::fault)?)),
        Some(other) => Err(Problem::bad(format!("format={other}: use ndjson, csv or parquet"))),
    }
}

fn write(
    server: &Server,
    search: &SearchRequest,
    (file, writer): (&mut dyn File, &mut Writer),
) -> Result<(), Problem> {
    file.begin(&mut writer.buffer).map_err(Problem::fault)?;
    let mut failed = None;
    let summary = server.ingest.store.search(search, &mut |found| {
        let row: &dyn Row = match found {
            Found::Record(row) => row,
            Found::Output(row) => row,
        };
        match file.row(row, &mut writer.buffer) {
            Ok(()) => writer.flow(),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    count(server, search, &summary);
    match failed {
        Some(error) => return Err(Problem::fault(error)),
        None => file.end(&summary, &mut writer.buffer).map_err(Problem::fault)?,
    }
    let _gone = writer.flush();
    Ok(())
}

/// A record a line.
struct Ndjson;

impl File for Ndjson {
    fn kind(&self) -> (&'static str, &'static str) {
        (NDJSON, "ndjson")
    }

    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), String> {
        Ok(())
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), String> {
        let mut line = String::new();
        push_row(row, &mut line);
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
        Ok(())
    }

    fn end(&mut self, summary: &Summary, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(summary_line(summary).as_bytes());
        Ok(())
    }
}

/// An error for a file that would look whole.
fn whole(summary: &Summary) -> Result<(), String> {
    match summary.complete {
        true => Ok(()),
        false => {
            Err("the file is not whole: ask for NDJSON, which says what is missing".to_owned())
        }
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
