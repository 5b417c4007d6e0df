//! Journald: the route to which `systemd-journal-upload` sends journals.
//!
//! An upload is one request without an end in sight: entries are kept while it goes on, a batch at
//! a time, and the connection is read no further while the store takes nothing. An upload that
//! broke off is sent again from where the sender knows; cursors tell what is there already.

use super::super::answer::{Problem, typed};
use super::{origin, reject};
use crate::admit::Origin;
use crate::decode::draft::Item;
use crate::decode::journald::{Entries, NoExport};
use crate::lanes::Lane;
use crate::server::Server;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::sync::Arc;

/// Entries that are kept together, at most.
const BATCH: usize = 1000;

/// `POST /upload`.
pub async fn upload(State(server): State<Arc<Server>>, request: Request) -> Response {
    match run(&server, request).await {
        // 202 as systemd answers, though the entries are on disk.
        Ok(()) => typed(StatusCode::ACCEPTED, "text/plain", "OK.\n"),
        Err(problem) => reject(&server, problem),
    }
}

async fn run(server: &Arc<Server>, request: Request) -> Result<(), Problem> {
    let (parts, mut body) = request.into_parts();
    let origin = origin(server, &parts, "journald")?;
    // One frame at a time is in memory, and what of it makes no entry yet.
    let _room = server.lanes.room(server.settings.limits.record_bytes).await?;
    let mut entries = Entries::default();
    while let Some(bytes) = next(&mut body).await? {
        if server.is_stopping() {
            return Err(Problem::unavailable("the server is stopping"));
        }
        let mut items = Vec::new();
        let limits = &server.settings.limits;
        let read = entries.push(&bytes, limits, &mut |item| items.push(item));
        keep(server, items, &origin).await?;
        if let Err(NoExport(why)) = read {
            let taking = Arc::clone(server);
            let run = move || taking.ingest.unreadable(why, &bytes, &origin);
            server.lanes.run(Lane::Ingest, run).await?;
            return Err(Problem::new(StatusCode::BAD_REQUEST, "unreadable", why));
        }
    }
    let mut items = Vec::new();
    entries.end(&server.settings.limits, &mut |item| items.push(item));
    keep(server, items, &origin).await
}

/// The next bytes of a body; nothing at its end.
async fn next(body: &mut Body) -> Result<Option<axum::body::Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad(format!("the body broke off: {error}")))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Keeps entries. Returns once they are on disk.
async fn keep(server: &Arc<Server>, mut items: Vec<Item>, origin: &Origin) -> Result<(), Problem> {
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(BATCH));
        let batch = std::mem::replace(&mut items, rest);
        let (taking, origin) =
            (Arc::clone(server), Origin { arrived_ns: server.now_ns(), ..origin.clone() });
        server.lanes.run(Lane::Ingest, move || taking.ingest.take(batch, &origin)).await??;
    }
    Ok(())
}
