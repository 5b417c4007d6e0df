//! Web: `/health` and `/metrics` for those who watch over the worker.
//!
//! Just enough HTTP for a probe and for Prometheus: one answer a connection, bounded in bytes, in
//! time and in how many at once. Knows the counters only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::counters::Counters;
use crate::settings::Destination;

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
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, mostly: it passes.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let counters = Arc::clone(&counters);
            tokio::spawn(async move {
                let answer = answer(stream, destination, &counters);
                let _ = tokio::time::timeout(PATIENCE, answer).await;
                drop(place);
            });
        }
    });
    Ok(())
}

async fn answer(
    mut stream: TcpStream,
    destination: Destination,
    counters: &Counters,
) -> io::Result<()> {
    let mut head = Vec::new();
    let mut reader = (&mut stream).take(MAX_HEAD_BYTES);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if reader.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = page(method, path, destination, counters);
    let length = body.len();
    let body = if method == "HEAD" { String::new() } else { body };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Status, type and body of the page. Pure.
fn page(
    method: &str,
    path: &str,
    destination: Destination,
    counters: &Counters,
) -> (&'static str, &'static str, String) {
    const TEXT: &str = "text/plain; charset=utf-8";
    if !matches!(method, "GET" | "HEAD") {
        return ("405 Method Not Allowed", TEXT, "only GET\n".to_owned());
    }
    match path.split('?').next().unwrap_or_default() {
        "/health" => {
            let is_connected = Counters::get(&counters.connected) == 1;
            let is_blocked = Counters::get(&counters.blocked) == 1;
            let (status, word) = match (is_connected, is_blocked) {
                (false, _) => ("503 Service Unavailable", "no broker"),
                // Another start of the worker would fix nothing.
                (true, true) => ("200 OK", "blocked: the log says what to fix"),
                (true, false) => ("200 OK", "ok"),
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
            (status, "application/json", format!("{body}\n"))
        }
        "/metrics" => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ("200 OK", kind, counters.exposition(destination))
        }
        _ => ("404 Not Found", TEXT, "there are /health and /metrics\n".to_owned()),
    }
}

const MAX_CONNECTIONS: usize = 16;
const MAX_HEAD_BYTES: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
