//! Datadog: the route to which Datadog's agent and libraries send logs.

use super::super::answer::json_response;
use super::{Decoded, Protocol, take};
use crate::decode::datadog;
use crate::decode::draft::Unreadable;
use crate::decode::limits::Limits;
use crate::ingest::Receipt;
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `POST /api/v2/logs`.
pub async fn logs(State(server): State<Arc<Server>>, request: Request) -> Response {
    take(server, request, Protocol { name: "datadog", decode, encoding: |_| None }).await
}

fn decode(body: &[u8], _: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    Ok((datadog::decode(body, limits)?, Box::new(answer)))
}

/// 202 as Datadog answers, though the records are on disk; 400 if nothing could be read.
fn answer(receipt: &Receipt) -> Response {
    match receipt.refusals().next() {
        Some((_, first)) if receipt.refused() == receipt.outcomes.len() => {
            let error = json!({"status": "400", "title": "Bad Request", "detail": first.detail});
            json_response(StatusCode::BAD_REQUEST, &json!({"errors": [error]}))
        }
        _ => json_response(StatusCode::ACCEPTED, &json!({})),
    }
}
