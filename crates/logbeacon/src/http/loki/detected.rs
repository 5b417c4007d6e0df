//! Detected: fields that are no labels, and their values, for Grafana's query builder.
//!
//! Knows the form of Loki's detected fields. They are those of the newest lines, as in Loki.

use super::super::answer::{Problem, json_response};
use super::super::auth::Caller;
use super::{Ask, LABELS, selector};
use crate::lanes::Lane;
use crate::server::Server;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use logbeacon_store::{Found, SearchRequest};
use logwell_query::{Filter, Query, ValueRef};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Lines that are looked at, unless the request says how many; and the most it may say.
const DEFAULT_LINES: u64 = 1000;
const MAX_LINES: u64 = 5000;
/// Fields and values of an answer.
const DEFAULT_LIMIT: u64 = 1000;

/// Nobody picks a longer value from a list.
const MAX_VALUE_BYTES: usize = 256;

/// What is known of a field.
#[derive(Default)]
struct Detected {
    kind: &'static str,
    values: BTreeSet<String>,
}

/// `/loki/api/v1/detected_fields`.
pub(in super::super) async fn fields(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let limit = limit(&ask)?;
    let found = detected(&ask).await?;
    let fields: Vec<Value> = found
        .iter()
        .take(limit)
        .map(|(name, field)| {
            let (kind, count) = (field.kind, field.values.len());
            json!({"label": name, "type": kind, "cardinality": count, "parsers": null})
        })
        .collect();
    Ok(json_response(StatusCode::OK, &json!({"fields": fields, "limit": limit})))
}

/// `/loki/api/v1/detected_field/{name}/values`.
pub(in super::super) async fn field_values(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let limit = limit(&ask)?;
    let found = detected(&ask).await?.remove(&name).unwrap_or_default();
    let values: Vec<&String> = found.values.iter().take(limit).collect();
    Ok(json_response(StatusCode::OK, &json!({"values": values, "limit": limit})))
}

fn limit(ask: &Ask) -> Result<usize, Problem> {
    let limit = ask.params.number("limit")?.unwrap_or(DEFAULT_LIMIT).min(DEFAULT_LIMIT);
    Ok(usize::try_from(limit).unwrap_or(0))
}

/// The fields of the newest lines.
async fn detected(ask: &Ask) -> Result<BTreeMap<String, Detected>, Problem> {
    let filter = match ask.params.get("query").as_deref() {
        None | Some("{}") => Filter::All,
        Some(text) => selector(text)?,
    };
    let lines = ask.params.number("line_limit")?.unwrap_or(DEFAULT_LINES).min(MAX_LINES);
    let search = ask.search(Query { filter, pipes: Vec::new() }, ask.range);
    let search = SearchRequest { limit: Some(lines), ..search };
    let server = Arc::clone(&ask.server);
    let run = move || {
        let mut fields: BTreeMap<String, Detected> = BTreeMap::new();
        server.ingest.store.search(&search, &mut |found| {
            if let Found::Record(row) = found {
                row.for_each(&mut |name, value| {
                    if name != "message" && !LABELS.contains(&name) {
                        let field = fields.entry(name.to_owned()).or_default();
                        field.kind = kind_of(value);
                        let text = value.text();
                        if text.len() <= MAX_VALUE_BYTES {
                            field.values.insert(text.into_owned());
                        }
                    }
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok::<_, Problem>(fields)
    };
    ask.server.lanes.run(Lane::Search, run).await?
}

fn kind_of(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Int(_) | ValueRef::UInt(_) => "int",
        ValueRef::Float(_) => "float",
        ValueRef::Bool(_) => "boolean",
        _ => "string",
    }
}
