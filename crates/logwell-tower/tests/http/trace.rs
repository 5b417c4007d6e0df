//! The trace: what comes in by headers, what goes out, and who may choose.

use crate::support::{Trace, Version, ask, request, serve};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use axum::routing::get;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use logwell::TraceContext;
use logwell_tower::{Restart, TraceHeader};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use tower::{ServiceBuilder, ServiceExt as _};

/// Answers with the headers that came, as JSON; several of one name are joined.
async fn echo(headers: HeaderMap) -> String {
    let mut all = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        all.insert(name.to_string(), values.join(",").into());
    }
    Value::Object(all).to_string()
}

/// A service that asks another one, through the client's layer, and hands its answer on.
async fn passing_on(layer: logwell_tower::ServerLayer) -> SocketAddr {
    let next = serve(Router::new().route("/echo", get(echo))).await;
    let pass = move || async move {
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
        let client = ServiceBuilder::new().layer(logwell_tower::client()).service(client);
        let request = Request::get(format!("http://{next}/echo?key=1")).body(Body::empty());
        let response: Response<_> = client.oneshot(request.unwrap()).await.unwrap();
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec())
            .unwrap()
    };
    serve(Router::new().route("/pass", get(pass)).layer(layer)).await
}

async fn passed(address: SocketAddr, headers: &[(&str, &str)]) -> (HeaderMap, Value) {
    let (_, answered, body) = ask(address, Version::One, request("GET", "/pass", headers)).await;
    (answered, serde_json::from_slice(&body).unwrap())
}

fn parsed(header: &Value) -> TraceContext {
    TraceContext::parse(header.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_trace_goes_on_to_the_next_service_with_a_span_of_its_own() {
    let address = passing_on(logwell_tower::server()).await;
    let trace = Trace::new();
    let headers = [
        ("traceparent", trace.parent.as_str()),
        ("tracestate", "congo=t61rcWkgMzE"),
        ("tracestate", "rojo=1"),
        ("x-request-id", "req-7"),
    ];
    let (answered, sent) = passed(address, &headers).await;
    assert_eq!(
        (&answered["x-trace-id"], &answered["x-request-id"]),
        (&trace.id.parse().unwrap(), &"req-7".parse().unwrap())
    );
    let parent = parsed(&sent["traceparent"]);
    assert_eq!(parent.trace_id().to_string(), trace.id);
    assert_ne!(parent.span_id().to_string(), "00f067aa0ba902b7");
    assert!(parent.is_sampled() && !parent.is_random());
    assert_eq!(sent["tracestate"], "congo=t61rcWkgMzE,rojo=1");
    assert_eq!(
        (&sent["x-trace-id"], &sent["x-request-id"]),
        (&trace.id.as_str().into(), &"req-7".into())
    );
    let access = trace.access().await;
    assert_eq!(access["request_id"], "req-7");
    assert_ne!(access["span_id"], parent.span_id().to_string(), "the client's span is its own");
}

#[tokio::test]
async fn what_is_malformed_or_there_twice_begins_a_new_trace() {
    let address = passing_on(logwell_tower::server()).await;
    let trace = Trace::new();
    for headers in [
        &[("traceparent", "00-nonsense")][..],
        &[("traceparent", trace.parent.as_str()), ("traceparent", trace.parent.as_str())],
        &[],
    ] {
        let (answered, sent) = passed(address, headers).await;
        let parent = parsed(&sent["traceparent"]);
        assert_ne!(parent.trace_id().to_string(), trace.id);
        assert_eq!(answered["x-trace-id"], parent.trace_id().to_string().as_str());
        assert!(parent.is_sampled() && parent.is_random(), "a trace of ours says what it is");
    }
}

#[tokio::test]
async fn a_text_is_a_trace_id_where_there_is_no_traceparent() {
    let address = passing_on(logwell_tower::server()).await;
    let (answered, sent) = passed(address, &[("x-trace-id", "order-4711")]).await;
    assert_eq!(answered["x-trace-id"], "order-4711");
    assert_eq!((&sent["x-trace-id"], sent.get("traceparent")), (&"order-4711".into(), None));
}

#[tokio::test]
async fn only_trusted_headers_are_believed() {
    let trace = Trace::new();
    let headers = [
        ("traceparent", trace.parent.as_str()),
        ("x-trace-id", "chosen"),
        ("x-request-id", "chosen-too"),
    ];
    let address = passing_on(logwell_tower::server().trust([TraceHeader::XTraceId])).await;
    let (answered, _) = passed(address, &headers).await;
    assert_eq!(
        (&answered["x-trace-id"], answered.get("x-request-id")),
        (&"chosen".parse().unwrap(), None)
    );
    let address = passing_on(logwell_tower::server().trust([])).await;
    let (answered, sent) = passed(address, &headers).await;
    assert_ne!(answered["x-trace-id"], "chosen");
    assert_ne!(parsed(&sent["traceparent"]).trace_id().to_string(), trace.id);
}

#[tokio::test]
async fn at_a_public_edge_a_new_trace_begins_and_the_record_links_the_callers() {
    for (restart, is_linked) in [(Restart::NewTrace, false), (Restart::NewTraceWithLink, true)] {
        let layer = logwell_tower::server().untrusted_peers(restart).server_timing(true);
        let address = passing_on(layer).await;
        let caller = Trace::new();
        let headers = [
            ("traceparent", caller.parent.as_str()),
            ("tracestate", "evil=1"),
            ("x-request-id", "chosen"),
        ];
        let (answered, sent) = passed(address, &headers).await;
        let ours = answered["x-trace-id"].to_str().unwrap().to_owned();
        assert_ne!(ours, caller.id);
        assert!(answered.get("x-request-id").is_none() && sent.get("tracestate").is_none());
        assert!(
            answered["server-timing"]
                .to_str()
                .unwrap()
                .starts_with(&format!("trace;desc=00-{ours}-"))
        );
        let access = Trace { id: ours, parent: String::new() }.access().await;
        let link = access.get("link.trace_id").and_then(|id| id.as_str());
        assert_eq!(link, is_linked.then_some(caller.id.as_str()));
        assert_eq!(access.get("link.span_id").is_some(), is_linked);
    }
}

#[tokio::test]
async fn the_headers_of_a_trace_go_only_where_they_may() {
    use http_body_util::Empty;
    let trace = Trace::new();
    let next = serve(Router::new().route("/echo", get(echo))).await;
    let client: Client<_, Empty<axum::body::Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let layer = logwell_tower::client().only_to(|uri| uri.path() != "/echo");
    let client = ServiceBuilder::new().layer(layer).service(client);
    let request = Request::get(format!("http://{next}/echo")).body(Empty::new()).unwrap();
    let context = logwell::LoggingContext::from_headers(Some(&trace.parent), None);
    let response = context.instrument(client.oneshot(request)).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let sent: Value = serde_json::from_slice(&body).unwrap();
    assert!(sent.get("traceparent").is_none() && sent.get("x-trace-id").is_none(), "{sent}");
}

#[tokio::test]
async fn headers_are_injected_by_hand_with_a_new_span_id_each_time() {
    let trace = Trace::new();
    let context = logwell::LoggingContext::from_headers(Some(&trace.parent), None);
    let (mut first, mut second) = (HeaderMap::new(), HeaderMap::new());
    second.insert("tracestate", "stale=1".parse().unwrap());
    context.in_scope(|| {
        logwell_tower::inject(&mut first);
        logwell_tower::inject(&mut second);
    });
    assert_ne!(first["traceparent"], second["traceparent"]);
    assert!(first["traceparent"].to_str().unwrap().contains(&trace.id));
    assert!(second.get("tracestate").is_none(), "that of another trace");
    let mut outside = HeaderMap::new();
    logwell_tower::inject(&mut outside);
    assert!(outside.is_empty());
}

#[tokio::test]
async fn the_span_of_a_client_is_around_what_the_client_does_and_names_no_secret() {
    let trace = Trace::new();
    let inner = tower::service_fn(|request: Request<Body>| async move {
        tracing::info!("sending");
        let status = if request.uri().path() == "/a" { 200 } else { 503 };
        Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(()).unwrap())
    });
    let client = ServiceBuilder::new().layer(logwell_tower::client()).service(inner);
    let context = logwell::LoggingContext::from_headers(Some(&trace.parent), None);
    let sent = Request::get("https://bob:pw@a.example:81/a?token=abc").body(Body::empty()).unwrap();
    context.instrument(client.oneshot(sent)).await.unwrap();
    let records = trace.records();
    let span = &records[0]["spans"][0];
    for (name, value) in [
        ("name", "HTTP client request"),
        ("otel.name", "GET"),
        ("otel.kind", "client"),
        ("url.full", "https://a.example:81/a"),
        ("server.address", "a.example"),
    ] {
        assert_eq!(span[name], value, "{span:#}");
    }
    assert_eq!(span["server.port"], 81);
    assert!(!records[0].to_string().contains("pw"));
}
