//! HEC: the routes of Splunk's HTTP Event Collector.
//!
//! What is answered with 200 is on disk. So a sender that asks later whether its request is
//! acknowledged gets a yes, whichever it names.

use super::super::answer::{Problem, json_response};
use super::super::query::Params;
use super::{Answer, Decoded, Protocol, take};
use crate::decode::draft::Unreadable;
use crate::decode::hec::{Metadata, decode_events, decode_raw};
use crate::decode::limits::Limits;
use crate::ingest::Receipt;
use crate::server::Server;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the next acknowledgement, of this process.
static NEXT_ACK: AtomicU64 = AtomicU64::new(0);

/// A list of numbers is small.
const MAX_ACKS_BYTES: usize = 1 << 20;

/// `POST /services/collector/event`: objects one after another.
pub async fn events(State(server): State<Arc<Server>>, request: Request) -> Response {
    take(server, request, Protocol { name: "hec", decode: of_events, encoding: |_| None }).await
}

/// `POST /services/collector/raw`: lines.
pub async fn raw(State(server): State<Arc<Server>>, request: Request) -> Response {
    take(server, request, Protocol { name: "hec", decode: of_lines, encoding: |_| None }).await
}

/// `GET /services/collector/health`.
pub async fn health() -> Response {
    json_response(StatusCode::OK, &json!({"text": "HEC is healthy", "code": 17}))
}

/// `POST /services/collector/ack`: whether requests are acknowledged.
pub async fn acks(request: Request) -> Result<Response, Problem> {
    let body = to_bytes(request.into_body(), MAX_ACKS_BYTES).await;
    let body = body.map_err(|_| Problem::bad("too many acknowledgements at once"))?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let Some(numbers) = asked.get("acks").and_then(Value::as_array) else {
        return Err(Problem::bad("expected {\"acks\":[0,1]}"));
    };
    let acks: Map<String, Value> =
        numbers.iter().map(|number| (number.to_string(), Value::Bool(true))).collect();
    Ok(json_response(StatusCode::OK, &json!({"acks": acks})))
}

fn of_events(body: &[u8], parts: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    Ok((decode_events(body, limits)?, answer(parts)))
}

fn of_lines(body: &[u8], parts: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    let params = Params::of(&parts.uri);
    let text = |name: &str| params.get(name).unwrap_or_default();
    let metadata = Metadata {
        host: text("host"),
        source: text("source"),
        sourcetype: text("sourcetype"),
        index: text("index"),
        time: text("time"),
    };
    Ok((decode_raw(body, &metadata, limits)?, answer(parts)))
}

/// Code 0, with the number of an acknowledgement if the request has a channel; or as Splunk has it
/// 400 with the first event that is none. What is good was kept.
fn answer(parts: &Parts) -> Answer {
    let has_channel = parts.headers.contains_key("x-splunk-request-channel")
        || Params::of(&parts.uri).get("channel").is_some();
    Box::new(move |receipt: &Receipt| {
        if let Some((index, first)) = receipt.refusals().next() {
            let (refused, all) = (receipt.refused(), receipt.outcomes.len());
            let text = format!("Invalid data format: {refused} of {all} events: {}", first.detail);
            let body = json!({"text": text, "code": 6, "invalid-event-number": index});
            return json_response(StatusCode::BAD_REQUEST, &body);
        }
        let mut body = json!({"text": "Success", "code": 0});
        if let (true, Some(body)) = (has_channel, body.as_object_mut()) {
            body.insert("ackId".to_owned(), NEXT_ACK.fetch_add(1, Ordering::Relaxed).into());
        }
        json_response(StatusCode::OK, &body)
    })
}
