//! Tail: new lines as they come, over a WebSocket, for Grafana's live mode.
//!
//! Knows the form of Loki's tail. Which records match, and who may see them, is the subscription's
//! matter: one for all who follow alike.

use super::super::answer::Problem;
use super::super::auth::Caller;
use super::super::query::{Params, within};
use super::lines::by_labels;
use crate::lanes::Lane;
use crate::logql::LogQl;
use crate::metrics::Event;
use crate::render::push_row;
use crate::server::Server;
use crate::tail::{Following, Missed, Wish};
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::Response;
use logbeacon_store::{Budget, Found, SearchRequest};
use logwell_query::{Fields, Filter, Query, TimeRange};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

/// How often a silent connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader may take for a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines from before, unless the request says how many; and the most it may say.
const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 5000;
/// How far back they are looked for, unless the request says from when on.
const HOUR_NS: i64 = 3_600_000_000_000;

/// `GET /loki/api/v1/tail`: `query` is a selector with filters; `limit` lines from `start` on come
/// first.
pub(in super::super) async fn tail(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    parts: Parts,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let params = Params::of(&parts.uri);
    let text = params.get("query").unwrap_or_default();
    let LogQl::Lines(filter) = LogQl::parse(&text)? else {
        return Err(Problem::bad("a tail has lines: leave the function around the selector out"));
    };
    let now_ns = server.now_ns();
    let start_ns = params.moment("start", now_ns)?.unwrap_or(now_ns.saturating_sub(HOUR_NS));
    let limit = params.number("limit")?.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let upgrade =
        upgrade.map_err(|error| Problem::bad(format!("a tail is a WebSocket: {error}")))?;
    let wish = Wish {
        text: format!("loki\0{text}"),
        filter: filter.clone(),
        streams: grant.streams.clone(),
        sees_audit: grant.sees_audit(),
    };
    // Before the search, so that nothing is between the two.
    let Some(following) = server.ingest.tail.follow(wish, None) else {
        return Err(Problem::busy("too many different filters are followed", 30));
    };
    let range = TimeRange { first_ns: start_ns, last_ns: i64::MAX };
    let search = within(earlier(&server, filter, (range, limit)), &grant);
    let shared = Arc::clone(&server);
    let before = server.lanes.run(Lane::Search, move || lines(&shared, &search)).await??;
    let flags =
        parts.headers.get("x-loki-response-encoding-flags").and_then(|flags| flags.to_str().ok());
    let has_metadata = flags.is_some_and(|flags| flags.contains("categorize-labels"));
    Ok(upgrade.on_upgrade(move |socket| async move {
        let mut sender = Sender { socket, has_metadata };
        // Whoever does not read any more, or has gone, is no error.
        let _gone = sender.follow(&server, following, before).await;
    }))
}

fn earlier(server: &Server, filter: Filter, (range, limit): (TimeRange, u64)) -> SearchRequest {
    let settings = &server.settings;
    let budget = Budget { time: settings.search_time, memory_bytes: settings.search_memory_bytes };
    let query = Query { filter, pipes: Vec::new() };
    SearchRequest { range, limit: Some(limit), budget, ..SearchRequest::new(query) }
}

/// The lines that a search finds, as the tail has them, oldest first.
fn lines(server: &Server, search: &SearchRequest) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    server.ingest.store.search(search, &mut |found| {
        if let Found::Record(row) = found {
            let mut json = String::new();
            push_row(row, &mut json);
            lines.push(json);
        }
        ControlFlow::Continue(())
    })?;
    lines.reverse();
    Ok(lines)
}

/// The reader of a tail is not there any more.
struct Gone;

struct Sender {
    socket: WebSocket,
    has_metadata: bool,
}

impl Sender {
    /// Sends what was before, and then what comes, until the reader goes or the server stops.
    async fn follow(
        &mut self,
        server: &Server,
        following: Following,
        before: Vec<String>,
    ) -> Result<(), Gone> {
        let Following { missed: Missed::Lines(_) | Missed::Unknown, mut lines, .. } = following;
        if !before.is_empty() {
            self.send(&self.message(before.iter().map(String::as_str), 0)).await?;
        }
        // What came while the search ran is in both, once each.
        let mut sent: HashSet<String> = before.into_iter().collect();
        while !server.is_stopping() {
            tokio::select! {
                received = timeout(HEARTBEAT, lines.recv()) => match received {
                    Ok(Ok(line)) => {
                        // What waits goes with it: a busy stream has fewer messages than lines.
                        let more = std::iter::from_fn(|| lines.try_recv().ok()).take(BATCH_LINES);
                        let mut batch: Vec<Arc<str>> = vec![line.json];
                        batch.extend(more.map(|line| line.json));
                        batch.retain(|json| !sent.remove(&**json));
                        if !batch.is_empty() {
                            self.send(&self.message(batch.iter().map(|json| &**json), 0)).await?;
                        }
                    }
                    Ok(Err(RecvError::Lagged(count))) => {
                        server.metrics.count_many(Event::TailDropped, count);
                        self.send(&self.message(std::iter::empty(), server.now_ns())).await?;
                    }
                    Ok(Err(RecvError::Closed)) => return Ok(()),
                    Err(_) => self.put(Message::Ping(Vec::new().into())).await?,
                },
                // Answers to pings, and the end.
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    Some(Ok(_)) => {}
                },
            }
        }
        self.put(Message::Close(None)).await
    }

    /// A message with lines by their labels. `dropped_ns` is when lines were dropped for this
    /// reader; 0 if none were.
    fn message<'a>(&self, lines: impl Iterator<Item = &'a str>, dropped_ns: i64) -> Value {
        let rows: Vec<Fields> = lines.filter_map(|json| Fields::from_json(json).ok()).collect();
        let streams = by_labels(rows.iter().map(|row| row as _), self.has_metadata);
        let mut message = json!({"streams": streams});
        if let (true, Some(message)) = (dropped_ns > 0, message.as_object_mut()) {
            let entry = json!([{"labels": {}, "timestamp": dropped_ns.to_string()}]);
            message.insert("dropped_entries".to_owned(), entry);
        }
        if let (true, Some(message)) = (self.has_metadata, message.as_object_mut()) {
            message.insert("encodingFlags".to_owned(), json!(["categorize-labels"]));
        }
        message
    }

    async fn send(&mut self, message: &Value) -> Result<(), Gone> {
        self.put(Message::Text(message.to_string().into())).await
    }

    async fn put(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// Lines of one message, beside the first.
const BATCH_LINES: usize = 255;
