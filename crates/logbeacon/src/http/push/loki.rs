//! Loki: loki's push route.

use super::super::answer::typed;
use super::{Decoded, Protocol, has_type, take};
use crate::body::Encoding;
use crate::decode::draft::Unreadable;
use crate::decode::limits::Limits;
use crate::decode::loki;
use crate::ingest::Receipt;
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use std::sync::Arc;

/// `POST /loki/api/v1/push`: JSON, or protocol buffers packed by snappy.
pub async fn push(State(server): State<Arc<Server>>, request: Request) -> Response {
    let protocol = Protocol { name: "loki", decode, encoding };
    take(server, request, protocol).await
}

/// Loki's senders do not always name snappy: protocol buffers are always packed by it.
fn encoding(parts: &Parts) -> Option<Encoding> {
    let named = parts.headers.contains_key(axum::http::header::CONTENT_ENCODING);
    (!has_type(parts, "json") && !named).then_some(Encoding::Snappy)
}

fn decode(body: &[u8], parts: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    let items = match has_type(parts, "json") {
        true => loki::decode_json(body, limits)?,
        false => loki::decode_protobuf(body, limits)?,
    };
    Ok((items, Box::new(answer)))
}

/// 204, or as Loki has it 400 with the first reason. What is good was kept: sending again is
/// harmless, since equal lines are one.
fn answer(receipt: &Receipt) -> Response {
    let Some((index, first)) = receipt.refusals().next() else {
        return typed(StatusCode::NO_CONTENT, "text/plain", "");
    };
    let (refused, all) = (receipt.refused(), receipt.outcomes.len());
    let text = format!(
        "{refused} of {all} entries were refused, the others are stored; entry {index}: {}\n",
        first.detail
    );
    typed(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text)
}
