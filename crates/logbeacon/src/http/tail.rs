//! Tail: `/api/v1/tail`, new records as they are stored, by server-sent events.
//!
//! Events: `record` (its data is the record, its id names the place), `dropped` (so many records
//! were too fast for this reader), `gap` (what came while the reader was away is unknown: search
//! for it). A comment every 15 seconds shows that the connection lives.

use super::answer::{Problem, typed};
use super::auth::Caller;
use super::query::Params;
use crate::server::Server;
use crate::tail::{Following, Line, Missed, Wish};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use logwell_query::Query;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// How often a silent connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that wait for the reader, beside the lines of the subscription.
const QUEUE: usize = 16;

/// `GET /api/v1/tail`: `query` is a filter; `Last-Event-ID` or `after` continues.
pub(super) async fn tail(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::of(request.uri());
    let text = params.get("query").unwrap_or_else(|| "*".to_owned());
    let query = Query::parse_at(&text, server.now_ns())?;
    if !query.pipes.is_empty() {
        return Err(Problem::bad("a tail has no pipes: what comes next is not known yet"));
    }
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let after = header.map(str::to_owned).or_else(|| params.get("after"));
    let after = after.map(|id| place(&id).unwrap_or_default());
    let wish = Wish {
        text,
        filter: query.filter,
        streams: grant.streams.clone(),
        sees_audit: grant.sees_audit(),
    };
    let Some(following) = server.ingest.tail.follow(wish, after) else {
        return Err(Problem::busy("too many different filters are followed", 30));
    };
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move { send(&server, following, &sender).await });
    let events = ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let mut response = typed(StatusCode::OK, "text/event-stream", Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Sends events until the reader goes or the server stops.
async fn send(server: &Server, following: Following, events: &mpsc::Sender<Bytes>) {
    let Following { missed, mut lines, id } = following;
    let opening = match missed {
        Missed::Lines(missed) => missed.iter().map(|line| record(id, line)).collect(),
        Missed::Unknown => "event: gap\ndata: {}\n\n".to_owned(),
    };
    // The first bytes say that the subscription is there.
    let mut next = Some(format!(": follows\n\n{opening}"));
    while !server.is_stopping() {
        if let Some(event) = next.take()
            && events.send(event.into()).await.is_err()
        {
            return;
        }
        next = match tokio::time::timeout(HEARTBEAT, lines.recv()).await {
            Ok(Ok(line)) => Some(record(id, &line)),
            Ok(Err(RecvError::Lagged(count))) => {
                server.metrics.count_many(crate::metrics::Event::TailDropped, count);
                Some(format!("event: dropped\ndata: {{\"count\":{count}}}\n\n"))
            }
            Ok(Err(RecvError::Closed)) => return,
            Err(_) => Some(": \n\n".to_owned()),
        };
    }
}

fn record(id: u64, line: &Line) -> String {
    format!("event: record\nid: {id:x}-{}\ndata: {}\n\n", line.number, line.json)
}

/// The subscription and line of an event's id.
fn place(id: &str) -> Option<(u64, u64)> {
    let (id, number) = id.split_once('-')?;
    Some((u64::from_str_radix(id, 16).ok()?, number.parse().ok()?))
}
