//! Status: `/health`, `/ready` and `/metrics`.

use super::answer::{Problem, json_response, typed};
use crate::lanes::Lane;
use crate::server::Server;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `GET /health`: the process lives. It says nothing about the store.
pub(super) async fn health() -> Response {
    json_response(StatusCode::OK, &json!({"status": "ok"}))
}

/// `GET /ready`: records are taken; else 503 with the reason.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    if server.is_stopping() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    match server.ingest.store.health().read_only {
        Some(_) => Err(Problem::unavailable("the disk is full or fails: records are not taken")),
        None => Ok(json_response(StatusCode::OK, &json!({"status": "ready"}))),
    }
}

/// `GET /metrics`: counters and gauges for Prometheus.
pub(super) async fn metrics(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let lanes = Arc::clone(&server);
    let text = lanes.lanes.run(Lane::Search, move || {
        let store = &server.ingest.store;
        let (devices, silent) = (store.devices(), server.silence.silent());
        server.metrics.text(&store.health(), (&devices, &silent), server.now_ns())
    });
    Ok(typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.await?))
}
