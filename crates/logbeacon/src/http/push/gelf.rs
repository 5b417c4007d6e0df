//! Gelf: GELF over HTTP.

use super::super::answer::typed;
use super::{Decoded, Protocol, take};
use crate::decode::draft::Unreadable;
use crate::decode::gelf;
use crate::decode::limits::Limits;
use crate::ingest::Receipt;
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use std::sync::Arc;

/// `POST /gelf`.
pub async fn gelf(State(server): State<Arc<Server>>, request: Request) -> Response {
    take(server, request, Protocol { name: "gelf", decode, encoding: |_| None }).await
}

fn decode(body: &[u8], _: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    Ok((gelf::decode(body, limits)?, Box::new(answer)))
}

/// 202 as Graylog answers, though the record is on disk; 400 if nothing could be read.
fn answer(receipt: &Receipt) -> Response {
    match receipt.refusals().next() {
        Some((_, first)) if receipt.refused() == receipt.outcomes.len() => {
            let text = format!("{}\n", first.detail);
            typed(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text)
        }
        _ => typed(StatusCode::ACCEPTED, "text/plain", ""),
    }
}
