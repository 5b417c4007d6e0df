//! Search: `/api/v1/search` and `/api/v1/context`.
//!
//! Knows the store's trait. An answer is NDJSON: a record a line, and `{"_summary":…}` as the last.
//! Records go out while they are found. Results of pipes are small and come from the cache if
//! nothing has changed since.

use super::answer::{Problem, json_response, query_json, typed};
use super::auth::Caller;
use super::query::{Asked, Params, asked};
use super::stream::{self, Writer};
use crate::lanes::{Lane, NotRun};
use crate::metrics::Event;
use crate::render::push_row;
use crate::server::Server;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use logbeacon_store::{Found, Order, SearchRequest, Summary};
use logwell_query::{Query, TimeRange};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The type of answers that are lines of JSON.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// `GET|POST /api/v1/search`.
pub(super) async fn search(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let asked = asked(&server, &grant, &params)?;
    match asked.search.query.pipes.is_empty() {
        true => records(server, asked.search).await,
        false => results(server, asked).await,
    }
}

/// `GET /api/v1/check`: whether `query` can be read, and if not, where it is wrong. An answer, not
/// a failure: whoever types asks with each letter.
pub(super) async fn check(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Problem> {
    let text = Params::read(request).await?.get("query").unwrap_or_else(|| "*".to_owned());
    let wrong = Query::parse_at(&text, server.now_ns()).err();
    let query = wrong.as_ref().map(query_json);
    Ok(json_response(StatusCode::OK, &json!({"valid": wrong.is_none(), "query": query})))
}

/// Records as they are found.
async fn records(server: Arc<Server>, request: SearchRequest) -> Result<Response, Problem> {
    let place = server.lanes.place(Lane::Search).await?;
    let (mut writer, reader) = stream::pipe();
    let cancel = request.cancel.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        write_records(&server, &request, &mut writer);
    });
    Ok(reader.respond(NDJSON, cancel).await)
}

fn write_records(server: &Server, request: &SearchRequest, writer: &mut Writer) {
    let mut line = String::new();
    let found = server.ingest.store.search(request, &mut |found| {
        line.clear();
        push_found(found, &mut line);
        writer.buffer.extend_from_slice(line.as_bytes());
        writer.flow()
    });
    match found {
        Ok(summary) => {
            count(server, request, &summary);
            writer.buffer.extend_from_slice(summary_line(&summary).as_bytes());
            let _gone = writer.flush();
        }
        Err(error) => writer.fail(error.into()),
    }
}

/// Results of pipes, from the cache if they are there.
async fn results(server: Arc<Server>, asked: Asked) -> Result<Response, Problem> {
    let body = cached(server, "search", asked, |server, request| {
        let mut lines = String::new();
        let summary = server.ingest.store.search(request, &mut |found| {
            push_found(found, &mut lines);
            ControlFlow::Continue(())
        })?;
        lines.push_str(&summary_line(&summary));
        Ok((lines, summary))
    });
    Ok(typed(StatusCode::OK, NDJSON, body.await?))
}

/// A body, and the summary of the search behind it.
type Made = Result<(String, Summary), Problem>;

/// Makes an answer on the lane for searches, or takes it from the cache.
pub(super) async fn cached(
    server: Arc<Server>,
    route: &'static str,
    asked: Asked,
    make: impl FnOnce(&Server, &SearchRequest) -> Made + Send + 'static,
) -> Result<String, Problem> {
    let key = format!("{route}\0{}", asked.key);

    if let Some(body) = server.cache.get(&key, server.ingest.store.generation()) {
        server.metrics.count(Event::CacheHit);
        return Ok(body);
    }
    let lanes = Arc::clone(&server);
    let cancel = CancelOnDrop(asked.search.cancel.clone());
    let made = lanes.lanes.run(Lane::Search, move || {
        let (body, summary) = make(&server, &asked.search)?;
        count(&server, &asked.search, &summary);
        if summary.complete {
            server.cache.put(key, &body, summary.generation);
        }
        Ok(body)
    });
    let body = made.await;
    drop(cancel);
    body?
}

/// Ends a search whose answer nobody waits for any more.
struct CancelOnDrop(logbeacon_store::Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Counts what was cut short.
pub(super) fn count(server: &Server, request: &SearchRequest, summary: &Summary) {
    if request.cancel.is_cancelled() {
        server.metrics.count(Event::SearchCancelled);
    } else if summary.skipped.iter().any(|skipped| skipped.what == "rest") {
        server.metrics.count(Event::BudgetDenied);
    }
}

/// Appends a row and a line's end.
pub(super) fn push_found(found: Found<'_>, out: &mut String) {
    match found {
        Found::Record(row) => push_row(row, out),
        Found::Output(row) => push_row(row, out),
    }
    out.push('\n');
}

/// The last line of an answer.
pub(super) fn summary_line(summary: &Summary) -> String {
    format!("{}\n", json!({"_summary": summary_json(summary)}))
}

/// What a search did, and whether its answer is whole.
pub(super) fn summary_json(summary: &Summary) -> Value {
    let skipped: Vec<Value> = summary
        .skipped
        .iter()
        .map(|skipped| json!({"what": skipped.what, "reason": skipped.reason}))
        .collect();
    json!({
        "complete": summary.complete,
        "approximate": summary.approximate,
        "matched": summary.matched,
        "scanned": {
            "rows": summary.scanned_rows,
            "bytes": summary.scanned_bytes,
            "parts": summary.scanned_parts,
        },
        "skipped": skipped,
        "generation": summary.generation,
    })
}

/// `GET /api/v1/context`: the records around a moment, oldest first: `time`, `before`, `after`, and
/// a `query` that says among which.
pub(super) async fn context(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let Some(time_ns) = params.moment("time", server.now_ns())? else {
        return Err(Problem::bad("say around which moment: time="));
    };
    let (before, after) = (params.number("before")?, params.number("after")?);
    let asked = asked(&server, &grant, &params)?.search;
    if !asked.query.pipes.is_empty() {
        return Err(Problem::bad("a context has no pipes"));
    }
    let side = |range, limit: Option<u64>, order| {
        let limit = Some(limit.unwrap_or(10).min(1000));
        SearchRequest { range, limit, order, ..asked.clone() }
    };
    let until = TimeRange { last_ns: time_ns, ..TimeRange::ALL };
    let from = TimeRange { first_ns: time_ns.saturating_add(1), ..TimeRange::ALL };
    // The moment itself is one more.
    let sides = [
        side(until, Some(before.unwrap_or(10).saturating_add(1)), Order::NewestFirst),
        side(from, after, Order::OldestFirst),
    ];
    let lanes = Arc::clone(&server);
    let body = lanes.lanes.run(Lane::Search, move || around(&server, &sides)).await??;
    Ok(typed(StatusCode::OK, NDJSON, body))
}

fn around(server: &Server, [until, from]: &[SearchRequest; 2]) -> Result<String, Problem> {
    let lines = |request| -> Result<(Vec<String>, Summary), Problem> {
        let mut lines = Vec::new();
        let summary = server.ingest.store.search(request, &mut |found| {
            let mut line = String::new();
            push_found(found, &mut line);
            lines.push(line);
            ControlFlow::Continue(())
        })?;
        Ok((lines, summary))
    };
    let (mut earlier, first) = lines(until)?;
    let (later, second) = lines(from)?;
    earlier.reverse();
    let mut body = earlier.concat();
    body.push_str(&later.concat());
    let complete = first.complete && second.complete;
    let skipped = [first.skipped, second.skipped].concat();
    body.push_str(&summary_line(&Summary { complete, skipped, ..first }));
    Ok(body)
}

impl IntoResponse for NotRun {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
