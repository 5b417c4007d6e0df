//! Push: requests that bring records. What all protocols have in common.
//!
//! The line: body → unpack → decode → admit → append → answer, on a thread of the lane for ingest.
//! A protocol is a function from bytes to items, and one from the receipt to the answer.

pub mod beacon;
pub mod bulk;
pub mod datadog;
pub mod gelf;
pub mod hec;
pub mod journald;
pub mod loki;
pub mod otlp;

use super::answer::Problem;
use super::auth::{Caller, Peer};
use super::body::{self, Packed};
use super::query::Params;
use crate::admit::Origin;
use crate::decode::draft::{Item, Unreadable};
use crate::decode::limits::Limits;
use crate::ingest::Receipt;
use crate::lanes::Lane;
use crate::metrics::Event;
use crate::server::Server;
use crate::stream_name;
use crate::token::Grant;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Items of a request, and how it is answered.
pub type Decoded = (Vec<Item>, Answer);

/// Makes the answer of the receipt.
pub type Answer = Box<dyn FnOnce(&Receipt) -> Response + Send>;

/// A protocol: its name in metrics, and its decoder.
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    name: &'static str,
    decode: fn(&[u8], &Parts, &Limits) -> Result<Decoded, Unreadable>,
    /// What the body's type alone says of its encoding.
    encoding: fn(&Parts) -> Option<crate::body::Encoding>,
}

/// Says what a 200 means: `disk` is synced before the answer.
const DURABILITY: HeaderName = HeaderName::from_static("x-logbeacon-durability");

/// Takes in a request of a protocol.
pub(super) async fn take(server: Arc<Server>, request: Request, protocol: Protocol) -> Response {
    let durability = server.settings.durability.name();
    let mut response = match run(Arc::clone(&server), request, protocol).await {
        Ok(response) => response,
        Err(problem) => reject(&server, problem),
    };
    response.headers_mut().insert(DURABILITY, HeaderValue::from_static(durability));
    response
}

/// Says no, and counts it.
fn reject(server: &Server, problem: Problem) -> Response {
    count(server, &problem);
    problem.into_response()
}

fn count(server: &Server, problem: &Problem) {
    match problem.status {
        StatusCode::TOO_MANY_REQUESTS if problem.kind == "busy" => {
            server.metrics.count(Event::Busy);
        }
        StatusCode::INSUFFICIENT_STORAGE => server.metrics.count(Event::DiskFull),
        StatusCode::INTERNAL_SERVER_ERROR => server.metrics.count(Event::Fault),
        _ => {}
    }
}

async fn run(
    server: Arc<Server>,
    request: Request,
    protocol: Protocol,
) -> Result<Response, Problem> {
    if server.is_stopping() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let (parts, body) = request.into_parts();
    let origin = origin(&server, &parts, protocol.name)?;
    let mut packed = body::read(&server, &parts.headers, body).await?;
    if let Some(encoding) = (protocol.encoding)(&parts) {
        packed.encoding = encoding;
    }
    let job = Job { server: Arc::clone(&server), parts, packed, origin, protocol };
    server.lanes.run(Lane::Ingest, || job.run()).await?
}

/// What a thread of the lane does.
struct Job {
    server: Arc<Server>,
    parts: Parts,
    packed: Packed,
    origin: Origin,
    protocol: Protocol,
}

impl Job {
    fn run(self) -> Result<Response, Problem> {
        let Self { server, parts, packed, origin, protocol } = self;
        let Packed { bytes, encoding, place: _held } = packed;
        let body = crate::body::unpack(&bytes, encoding, server.settings.max_body_bytes)?;
        let limits = server.ingest.admission.limits();
        let (items, answer) = (protocol.decode)(&body, &parts, limits).map_err(|error| {
            server.ingest.unreadable(&error.0, &body, &origin);
            Problem::new(StatusCode::BAD_REQUEST, "unreadable", error.0)
        })?;
        if let Err(wait_s) = server.rates.allow(&origin.sender, items.len()) {
            server.metrics.count(Event::RateLimited);
            let reason = format!("{:?} sends more records than it may", origin.sender);
            return Err(Problem { kind: "rate_limited", ..Problem::busy(reason, wait_s) });
        }
        let receipt = server.ingest.take(items, &origin)?;
        Ok(answer(&receipt))
    }
}

/// Who sends, and what the headers and parameters say about all records of the request.
fn origin(server: &Server, parts: &Parts, protocol: &'static str) -> Result<Origin, Problem> {
    let Some(Caller(grant)) = parts.extensions.get::<Caller>() else {
        return Err(Problem::fault("the route has no caller"));
    };
    let params = Params::of(&parts.uri);
    let header = |name: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let named = params.get("stream").or_else(|| header("x-logbeacon-stream"));
    let stream = named.unwrap_or_else(|| default_stream(grant));
    if !stream_name::is_valid(&stream) {
        return Err(Problem::bad(format!("{stream:?} is no valid name of a stream")));
    }
    if !grant.streams.contain(&stream) {
        let name = &grant.name;
        let reason = format!("the token {name:?} may not write to the stream {stream:?}");
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", reason));
    }
    let dedup = params.get("dedup").or_else(|| header("x-logbeacon-dedup"));
    let peer = parts.extensions.get::<Peer>();
    Ok(Origin {
        protocol,
        sender: grant.name.clone(),
        streams: grant.streams.clone(),
        stream,
        idempotency_key: header("x-idempotency-key").filter(|key| !key.is_empty()),
        by_content: dedup.is_some_and(|how| how == "content"),
        host: peer.filter(|_| server.settings.host_from_peer).map(host_of).unwrap_or_default(),
        arrived_ns: server.now_ns(),
    })
}

/// The stream of a token that may write to one only; else the default.
fn default_stream(grant: &Grant) -> String {
    match &grant.streams {
        crate::token::Streams::Some(names) if !grant.streams.contain(stream_name::DEFAULT) => {
            names.first().cloned().unwrap_or_default()
        }
        _ => stream_name::DEFAULT.to_owned(),
    }
}

fn host_of(peer: &Peer) -> String {
    peer.0.ip().to_string()
}

/// Whether the body's type has that word in it.
fn has_type(parts: &Parts, word: &str) -> bool {
    let value = parts.headers.get(axum::http::header::CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(word))
}
