//! Web: `/health` and `/metrics` for those who watch over the worker.
//!
//! Bounded in connections and in time, one answer a connection. Knows the counters only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::counters::Counters;
use crate::destination::Destination;

/// What the pages show.
#[derive(Debug, Clone)]
struct Shown {
    destination: Destination,
    counters: Arc<Counters>,
}

/// Serves from now on, in the background.
///
/// # Errors
///
/// The address cannot be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    destination: Destination,
    counters: Arc<Counters>,
) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving /health and /metrics");
    let service = TowerToHyperService::new(router(Shown { destination, counters }));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, mostly: it passes.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let mut http = http1::Builder::new();
            http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            let served = http.serve_connection(TokioIo::new(stream), service.clone());
            tokio::spawn(async move {
                let _ = tokio::time::timeout(PATIENCE, served).await;
                drop(place);
            });
        }
    });
    Ok(())
}

fn router(shown: Shown) -> Router {
    let absent = || async { (StatusCode::NOT_FOUND, "there are /health and /metrics\n") };
    let wrong = || async { (StatusCode::METHOD_NOT_ALLOWED, "only GET\n") };
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(wrong)
        .fallback(absent)
        .with_state(shown)
}

async fn health(State(Shown { destination, counters }): State<Shown>) -> Response {
    let is_connected = Counters::get(&counters.connected) == 1;
    let is_blocked = Counters::get(&counters.blocked) == 1;
    let (status, word) = match (is_connected, is_blocked) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "no broker"),
        // Another start of the worker would fix nothing.
        (true, true) => (StatusCode::OK, "blocked: the log says what to fix"),
        (true, false) => (StatusCode::OK, "ok"),
    };
    let body = serde_json::json!({
        "status": word,
        "destination": destination.name(),
        "waiting": Counters::get(&counters.waiting_messages),
        "dead": Counters::get(&counters.dead_messages),
        "delivered": Counters::get(&counters.delivered_total),
        "given_up": Counters::get(&counters.given_up_total),
        "put_off": Counters::get(&counters.put_off_total),
    });
    (status, Json(body)).into_response()
}

async fn metrics(State(Shown { destination, counters }): State<Shown>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], counters.exposition(destination)).into_response()
}

const MAX_CONNECTIONS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
