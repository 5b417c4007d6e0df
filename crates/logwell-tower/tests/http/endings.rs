//! How a request can end: streamed to its end, cut off by the client, failed or panicked in
//! between.

use crate::support::{Connection, Trace, VERSIONS, Version, ask, metric, request, serve};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use http::StatusCode;
use http_body_util::BodyExt as _;
use logwell::metrics::Registry;
use std::convert::Infallible;
use std::io;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

type Piece = Result<Bytes, io::Error>;

/// A server whose one body is fed by the test.
async fn fed(registry: &Registry) -> (std::net::SocketAddr, mpsc::Sender<mpsc::Receiver<Piece>>) {
    let (bodies, mut given) = mpsc::channel::<mpsc::Receiver<Piece>>(1);
    let (hand, take) = mpsc::channel::<mpsc::Receiver<Piece>>(1);
    tokio::spawn(async move {
        while let Some(body) = given.recv().await {
            let _nobody_asks = hand.send(body).await;
        }
    });
    let take = std::sync::Arc::new(tokio::sync::Mutex::new(take));
    let stream = move || {
        let take = std::sync::Arc::clone(&take);
        async move {
            let body = take.lock().await.recv().await.unwrap();
            Body::from_stream(ReceiverStream::new(body).map(|piece| {
                tracing::info!("a piece");
                piece
            }))
        }
    };
    let app = Router::new()
        .route("/stream", get(stream))
        .layer(logwell_tower::server().metrics(registry.clone()));
    (serve(app).await, bodies)
}

#[tokio::test]
async fn a_streaming_response_has_its_record_when_the_last_piece_has_gone() {
    let registry = Registry::new();
    let (address, bodies) = fed(&registry).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let (feed, body) = mpsc::channel(1);
        bodies.send(body).await.unwrap();
        let mut connection = Connection::open(address, version).await;
        let sent = request("GET", "/stream", &[("traceparent", &trace.parent)]);
        let mut response = connection.send(sent).await;
        feed.send(Ok("one".into())).await.unwrap();
        let first = response.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "one");
        assert!(trace.accesses().is_empty(), "the head and a piece have come, the end has not");
        let active = "http_server_active_requests{http_request_method=\"GET\"";
        assert_eq!(metric(&registry, active), Some(1.0));
        feed.send(Ok("three".into())).await.unwrap();
        drop(feed);
        while response.frame().await.is_some() {}
        let access = trace.access().await;
        assert_eq!(
            (&access["level"], &access["http.response.body.size"]),
            (&"INFO".into(), &8.into())
        );
        // What the stream logs is in the trace.
        let pieces = trace.records().into_iter().filter(|it| it["message"] == "a piece").count();
        assert_eq!(pieces, 2, "{version:?}");
        assert_eq!(metric(&registry, active), Some(0.0));
    }
}

#[tokio::test]
async fn a_client_that_goes_while_the_body_is_sent_is_cancelled_with_the_status_it_had() {
    let registry = Registry::new();
    let (address, bodies) = fed(&registry).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let (feed, body) = mpsc::channel(1);
        bodies.send(body).await.unwrap();
        let mut connection = Connection::open(address, version).await;
        let sent = request("GET", "/stream", &[("traceparent", &trace.parent)]);
        let mut response = connection.send(sent).await;
        feed.send(Ok("one".into())).await.unwrap();
        response.frame().await.unwrap().unwrap();
        connection.cut();
        drop(response);
        // The server notices when it next writes.
        while feed.send(Ok("more".into())).await.is_ok() {}
        let access = trace.access().await;
        assert_eq!(access["error.type"], "cancelled", "{version:?}");
        assert_eq!(
            (&access["level"], &access["http.response.status_code"]),
            (&"WARN".into(), &200.into())
        );
        assert_eq!(access["message"], "GET /stream 200 cancelled");
    }
    let active = "http_server_active_requests{http_request_method=\"GET\"";
    assert_eq!(metric(&registry, active), Some(0.0));
}

#[tokio::test]
async fn a_client_that_goes_before_the_head_is_cancelled_without_a_status() {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            tracing::info!("given up");
        }
    }
    let (begun, mut has_begun) = mpsc::channel(1);
    let wait = move || {
        let begun = begun.clone();
        async move {
            let _held = Held;
            begun.send(()).await.unwrap();
            std::future::pending::<()>().await;
        }
    };
    let address =
        serve(Router::new().route("/wait", get(wait)).layer(logwell_tower::server())).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let mut connection = Connection::open(address, version).await;
        let sent = request("GET", "/wait", &[("traceparent", &trace.parent)]);
        {
            let mut answer = std::pin::pin!(connection.send(sent));
            tokio::select! {
                _ = &mut answer => panic!("it does not answer"),
                () = async { has_begun.recv().await.unwrap() } => {}
            }
        }
        connection.cut();
        let access = trace.access().await;
        assert_eq!(
            (&access["error.type"], access.get("http.response.status_code")),
            (&"cancelled".into(), None)
        );
        assert_eq!(access["message"], "GET /wait cancelled");
        // What the handler held was dropped in the trace.
        assert!(trace.records().iter().any(|it| it["message"] == "given up"), "{version:?}");
    }
}

#[tokio::test]
async fn a_body_that_fails_is_an_error_with_its_message() {
    let registry = Registry::new();
    let (address, bodies) = fed(&registry).await;
    let trace = Trace::new();
    let (feed, body) = mpsc::channel(2);
    bodies.send(body).await.unwrap();
    let mut connection = Connection::open(address, Version::One).await;
    let sent = request("GET", "/stream", &[("traceparent", &trace.parent)]);
    let mut response = connection.send(sent).await;
    feed.send(Ok("one".into())).await.unwrap();
    response.frame().await.unwrap().unwrap();
    feed.send(Err(io::Error::other("the disk is gone"))).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    let access = trace.access().await;
    assert_eq!((&access["level"], &access["error.type"]), (&"ERROR".into(), &"body".into()));
    assert_eq!(access["error.message"], "the disk is gone");
}

#[tokio::test]
async fn a_panic_is_recorded_once_with_the_trace_and_answered_by_500() {
    async fn explode() -> &'static str {
        panic!("a test's own")
    }
    let address =
        serve(Router::new().route("/explode", get(explode)).layer(logwell_tower::server())).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let sent = request("GET", "/explode", &[("traceparent", &trace.parent)]);
        let (status, headers, body) = ask(address, version, sent).await;
        assert_eq!((status, body.len()), (StatusCode::INTERNAL_SERVER_ERROR, 0));
        assert_eq!(headers["x-trace-id"], trace.id.as_str());
        let access = trace.access().await;
        assert_eq!((&access["level"], &access["error.type"]), (&"ERROR".into(), &"panic".into()));
        let records = trace.records();
        let panics: Vec<_> = records.iter().filter(|it| it["kind"] == "logwell.panic").collect();
        assert_eq!(panics.len(), 1, "{records:#?}");
        assert_eq!(panics[0]["level"], "CRITICAL");
    }
}

#[tokio::test]
async fn answers_without_a_body_and_of_known_length_are_complete() {
    let pieces = || tokio_stream::iter(["four", "five"].map(Ok::<_, Infallible>));
    let known = move || async move { ([("content-length", "8")], Body::from_stream(pieces())) };
    let app = Router::new()
        .route("/known", get(known))
        .route("/none", get(|| async { StatusCode::NO_CONTENT }))
        .route("/full", get(|| async { "four" }))
        .layer(logwell_tower::server());
    let address = serve(app).await;
    for version in VERSIONS {
        for (method, path, bytes) in [
            ("GET", "/known", 8),
            ("HEAD", "/known", 0),
            ("GET", "/none", 0),
            ("GET", "/full", 4),
            ("HEAD", "/full", 0),
        ] {
            let trace = Trace::new();
            let sent = request(method, path, &[("traceparent", &trace.parent)]);
            ask(address, version, sent).await;
            let access = trace.access().await;
            let of = (access.get("error.type"), &access["http.response.body.size"]);
            assert_eq!(of, (None, &bytes.into()), "{version:?} {method} {path}");
        }
    }
}
