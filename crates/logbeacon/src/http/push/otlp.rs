//! Otlp: OTLP/HTTP's route for logs.

use super::super::answer::typed;
use super::{Decoded, Protocol, has_type, take};
use crate::decode::draft::Unreadable;
use crate::decode::limits::Limits;
use crate::decode::otlp;
use crate::decode::otlp_message::{PartialSuccess, Response as Export};
use crate::ingest::Receipt;
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use prost::Message as _;
use std::sync::Arc;

/// `POST /v1/logs`: protocol buffers or JSON. The answer is of the same kind.
pub async fn logs(State(server): State<Arc<Server>>, request: Request) -> Response {
    let protocol = Protocol { name: "otlp", decode, encoding: |_| None };
    take(server, request, protocol).await
}

fn decode(body: &[u8], parts: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    let is_json = has_type(parts, "json");
    let items = match is_json {
        true => otlp::decode_json(body, limits)?,
        false => otlp::decode_protobuf(body, limits)?,
    };
    Ok((items, Box::new(move |receipt| answer(receipt, is_json))))
}

fn answer(receipt: &Receipt, is_json: bool) -> Response {
    let partial_success = receipt.refusals().next().map(|(_, first)| PartialSuccess {
        rejected_log_records: i64::try_from(receipt.refused()).unwrap_or(i64::MAX),
        error_message: first.detail.clone(),
    });
    let export = Export { partial_success };
    match is_json {
        true => {
            let body = serde_json::to_string(&export).unwrap_or_default();
            typed(StatusCode::OK, "application/json", body)
        }
        false => typed(StatusCode::OK, "application/x-protobuf", export.encode_to_vec()),
    }
}
