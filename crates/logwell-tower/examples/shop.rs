//! A shop: an axum server with the middleware, its metrics, a page that streams, a handler that
//! fails and one that panics, work in a task and on a thread; and a client that asks for all of it.
//!
//! ```sh
//! cargo run -p logwell-tower --features axum,metrics --example shop
//! ```
//!
//! sends itself a few requests and shows the access records. With `--serve` it listens on
//! 127.0.0.1:8080 until Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::response::{IntoResponse, Response as Answer};
use axum::routing::get;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use logwell::metrics::{self, Format};
use logwell::{Context, LoggingConfig, init_logging_with, shutdown_logging};
use logwell_tower::{Cause, ClientAddress};
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt as _};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

async fn order(Path(id): Path<u32>) -> String {
    tracing::info!(id, "looking the order up");
    // Both have the request's trace, span and pairs.
    let here = Context::capture();
    let mail = tokio::spawn(here.clone().instrument(async { tracing::info!("mail sent") }));
    let total = tokio::task::spawn_blocking(here.wrap(move || {
        tracing::info!("adding up");
        id * 2
    }));
    let (_sent, total) = (mail.await, total.await.unwrap_or_default());
    format!("order {id}: {total} EUR\n")
}

/// The access record is written when the last piece has gone.
async fn report() -> Body {
    let pieces = ["one\n", "two\n", "three\n"].map(Ok::<_, Infallible>);
    Body::from_stream(tokio_stream::iter(pieces))
}

/// The record has the cause with its sources; the client sees neither.
async fn refuse() -> Answer {
    let mut answer = StatusCode::SERVICE_UNAVAILABLE.into_response();
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    answer.extensions_mut().insert(Cause::new(refused));
    answer
}

#[expect(clippy::panic, reason = "to show what becomes of it")]
async fn explode() -> &'static str {
    panic!("a mistake in the handler")
}

async fn page(headers: HeaderMap) -> Answer {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::from_accept(accept.unwrap_or_default());
    let headers = [(header::CONTENT_TYPE, format.content_type())];
    (headers, metrics::global().render(format)).into_response()
}

fn app() -> Router {
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/report", get(report))
        .route("/refuse", get(refuse))
        .route("/explode", get(explode))
        .route("/metrics", get(page))
        .layer(
            logwell_tower::server()
                .skip(["/metrics"])
                .slow(Duration::from_secs(2))
                .headers(["content-type"])
                .client_address(ClientAddress::Peer),
        )
}

#[tokio::main]
async fn main() -> Result<()> {
    let is_serving = std::env::args().any(|argument| argument == "--serve");
    let directory = std::env::temp_dir().join(format!("logwell-shop-{}", std::process::id()));
    let config = LoggingConfig::builder().log_dir(&directory).console(is_serving).build()?;
    init_logging_with(config)?;
    let listener = TcpListener::bind(("127.0.0.1", if is_serving { 8080 } else { 0 })).await?;
    let address = listener.local_addr()?;
    let app = app().into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    if is_serving {
        println!("http://{address}/orders/7");
        return Ok(server.await??);
    }

    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(logwell_tower::client()).service(client);
    for path in ["/orders/7", "/report", "/refuse", "/explode", "/metrics"] {
        let request = Request::get(format!("http://{address}{path}")).body(Body::empty())?;
        let response: Response<_> = client.clone().oneshot(request).await?;
        let (status, trace) = (response.status(), response.headers().get("x-trace-id").cloned());
        let body = response.into_body().collect().await?.to_bytes();
        println!("{path}: {status}, {} bytes, trace {trace:?}", body.len());
    }
    server.abort();
    println!("{}", shutdown_logging());
    let log = std::fs::read_to_string(directory.join("app.log"))?;
    for line in log.lines().filter(|line| line.contains("\"logger\":\"access\"")) {
        println!("{line}");
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
