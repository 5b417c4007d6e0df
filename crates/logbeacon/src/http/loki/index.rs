//! Index: how much a selector finds, for Grafana's warnings and its view of volumes.
//!
//! Knows the form of Loki's figures. Numbers of entries are exact. Bytes are estimated from the
//! lines of the newest records: to add up every line would cost as much as to read them.

use super::super::answer::{Problem, json_response};
use super::super::auth::Caller;
use super::metric::{count_of, counted, labels_of, matrix, vector};
use super::{Ask, selector};
use crate::lanes::Lane;
use crate::logql::Metric;
use crate::server::Server;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use logbeacon_store::{Found, SearchRequest};
use logwell_query::{Filter, Query};
use serde_json::json;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Lines from whose length the bytes are estimated.
const SAMPLE: u64 = 1000;

/// `/loki/api/v1/index/stats`.
pub(in super::super) async fn stats(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let filter = filter_of(&ask)?;
    let bytes_per_line = bytes_per_line(&ask, filter.clone()).await?;
    let metric = metric(&ask, filter);
    let rows = ask.rows(counted(&metric, None), ask.range).await?;
    let streams: BTreeSet<String> =
        rows.iter().map(|row| labels_of(row, &metric).to_string()).collect();
    let entries: u64 = rows.iter().map(count_of).sum();
    let parts = ask.server.ingest.store.health().parts;
    let body = json!({
        "streams": streams.len(),
        "chunks": parts,
        "entries": entries,
        "bytes": entries.saturating_mul(bytes_per_line),
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// `/loki/api/v1/index/volume`.
pub(in super::super) async fn volume(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let metric = volume_metric(&ask).await?;
    let end_ns = ask.range.last_ns;
    vector(ask, metric, end_ns).await
}

/// `/loki/api/v1/index/volume_range`.
pub(in super::super) async fn volume_range(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let metric = volume_metric(&ask).await?;
    let length = ask.range.last_ns.saturating_sub(ask.range.first_ns).max(1);
    let step = ask.params.length("step")?.unwrap_or_else(|| (length / 100).max(1_000_000_000));
    matrix(ask, Metric { window_ns: step, ..metric }).await
}

/// Counts by the labels that are asked for, each as the bytes of a line.
async fn volume_metric(ask: &Ask) -> Result<Metric, Problem> {
    let filter = filter_of(ask)?;
    let factor = bytes_per_line(ask, filter.clone()).await?;
    Ok(Metric { factor, ..metric(ask, filter) })
}

fn metric(ask: &Ask, filter: Filter) -> Metric {
    let names = ask.params.get("targetLabels");
    let by = names.map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let length = ask.range.last_ns.saturating_sub(ask.range.first_ns).max(1);
    Metric { filter, window_ns: length, is_rate: false, factor: 1, by }
}

fn filter_of(ask: &Ask) -> Result<Filter, Problem> {
    match ask.params.get("query").as_deref() {
        None | Some("{}") => Ok(Filter::All),
        Some(text) => selector(text),
    }
}

async fn bytes_per_line(ask: &Ask, filter: Filter) -> Result<u64, Problem> {
    let query = Query { filter, pipes: Vec::new() };
    let search = ask.search(query, ask.range);
    let search = SearchRequest { limit: Some(SAMPLE), ..search };
    let server = Arc::clone(&ask.server);
    ask.server.lanes.run(Lane::Search, move || average(&server, &search)).await?
}

fn average(server: &Server, search: &SearchRequest) -> Result<u64, Problem> {
    let (mut lines, mut bytes) = (0_u64, 0_u64);
    server.ingest.store.search(search, &mut |found| {
        if let Found::Record(row) = found {
            lines += 1;
            bytes += row.get("message").map_or(0, |line| line.text().len()) as u64;
        }
        ControlFlow::Continue(())
    })?;
    Ok(bytes.div_ceil(lines.max(1)))
}
