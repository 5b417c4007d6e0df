//! A server of each kind, a client of each version, and the records of one trace.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use logwell::metrics::{Format, Registry};
use logwell::sink::{Accepts, MemorySink};
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything takes that does not hang.
pub(crate) const LONG: Duration = Duration::from_secs(120);

static GLOBAL: LazyLock<(MemorySink, LoggingHandle)> = LazyLock::new(|| {
    let memory = MemorySink::new();
    let mut config =
        LoggingConfig::builder().log_level("trace").files(false).console(false).build().unwrap();
    config.hooks.exit = false;
    let handle = QueueLayer::builder()
        .config(config)
        .sink("memory", Accepts::all(), memory.clone())
        .init()
        .unwrap();
    (memory, handle)
});

/// A trace of the test's own, and the `traceparent` of a caller in it.
pub(crate) struct Trace {
    pub(crate) id: String,
    pub(crate) parent: String,
}

impl Trace {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        LazyLock::force(&GLOBAL);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}{number:016x}", std::process::id());
        Self { parent: format!("00-{id}-00f067aa0ba902b7-01"), id }
    }

    /// The records of the trace so far.
    pub(crate) fn records(&self) -> Vec<Value> {
        let (memory, handle) = &*GLOBAL;
        handle.flush(LONG).unwrap();
        memory.json().into_iter().filter(|record| record["trace_id"] == *self.id).collect()
    }

    /// The access records of the trace so far.
    pub(crate) fn accesses(&self) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["logger"] == "access").collect()
    }

    /// The one access record, once it is there.
    pub(crate) async fn access(&self) -> Value {
        let start = Instant::now();
        loop {
            let accesses = self.accesses();
            if let [access] = accesses.as_slice() {
                return access.clone();
            }
            assert!(accesses.is_empty(), "more than one: {accesses:#?}");
            assert!(start.elapsed() < LONG, "no access record: {:#?}", self.records());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Which protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

pub(crate) const VERSIONS: [Version; 2] = [Version::One, Version::Two];

/// Serves the app with hyper, on both versions, as an axum service is.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(app.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // A client that goes away is what some tests want.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// A connection that sends one request after the other.
pub(crate) enum Connection {
    One(hyper::client::conn::http1::SendRequest<Body>, tokio::task::JoinHandle<()>),
    Two(hyper::client::conn::http2::SendRequest<Body>, tokio::task::JoinHandle<()>),
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, version: Version) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        match version {
            Version::One => {
                let (sender, connection) =
                    hyper::client::conn::http1::handshake(stream).await.unwrap();
                let task = tokio::spawn(async move { drop(connection.await) });
                Self::One(sender, task)
            }
            Version::Two => {
                let executor = TokioExecutor::new();
                let (sender, connection) =
                    hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
                let task = tokio::spawn(async move { drop(connection.await) });
                Self::Two(sender, task)
            }
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Response<Incoming> {
        match self {
            Self::One(sender, _) => sender.send_request(request).await.unwrap(),
            Self::Two(sender, _) => sender.send_request(request).await.unwrap(),
        }
    }

    /// Closes the socket, whatever is on its way.
    pub(crate) fn cut(self) {
        match self {
            Self::One(_, task) | Self::Two(_, task) => task.abort(),
        }
    }
}

/// A request to the server, with these headers.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    request_with(method, path, headers, Body::empty())
}

pub(crate) fn request_with(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let uri = format!("http://shop.example:81{path}");
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// Sends one request on its own connection and reads the whole answer.
pub(crate) async fn ask(
    address: SocketAddr,
    version: Version,
    request: Request<Body>,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut connection = Connection::open(address, version).await;
    let response = connection.send(request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (head.status, head.headers, body)
}

/// The value of the first line of the page that begins so.
pub(crate) fn metric(registry: &Registry, start: &str) -> Option<f64> {
    let page = registry.render(Format::Text);
    let line = page.lines().find(|line| line.starts_with(start))?;
    line.rsplit(' ').next()?.parse().ok()
}
