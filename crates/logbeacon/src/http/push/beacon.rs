//! LogBeacon's own routes: `/api/logs` and `/api/v1/ingest`, and their receipt.

use super::super::answer::json_response;
use super::{Answer, Decoded, Protocol, take};
use crate::decode::draft::Unreadable;
use crate::decode::json::{self, Shape};
use crate::decode::limits::Limits;
use crate::ingest::{Outcome, Receipt};
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /api/logs`: LogBeacon's messages and logwell's records.
pub async fn logs(State(server): State<Arc<Server>>, request: Request) -> Response {
    let protocol = Protocol { name: "beacon", decode: decode_beacon, encoding: |_| None };
    take(server, request, protocol).await
}

/// `POST /api/v1/ingest`: objects of any shape.
pub async fn any(State(server): State<Arc<Server>>, request: Request) -> Response {
    take(server, request, Protocol { name: "ndjson", decode: decode_any, encoding: |_| None }).await
}

fn decode_beacon(body: &[u8], _: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    Ok((json::decode(body, Shape::Beacon, limits)?, answer()))
}

fn decode_any(body: &[u8], _: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    Ok((json::decode(body, Shape::Any, limits)?, answer()))
}

fn answer() -> Answer {
    Box::new(|receipt| {
        let status = match receipt.refused() {
            refused if refused > 0 && refused == receipt.outcomes.len() => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => StatusCode::OK,
        };
        json_response(status, &receipt_json(receipt))
    })
}

/// The receipt: counts, and every record that was not accepted.
fn receipt_json(receipt: &Receipt) -> Value {
    let records: Vec<Value> = receipt
        .outcomes
        .iter()
        .enumerate()
        .filter_map(|(index, outcome)| match outcome {
            Outcome::Accepted(_) => None,
            Outcome::Duplicate(_) => Some(json!({"index": index, "status": "duplicate"})),
            Outcome::Refused(refusal) => Some(json!({
                "index": index,
                "status": "refused",
                "reason": refusal.reason.code(),
                "detail": refusal.detail,
                "final": true,
            })),
        })
        .collect();
    json!({
        "accepted": receipt.accepted(),
        "duplicate": receipt.duplicate(),
        "refused": receipt.refused(),
        "records": records,
    })
}
