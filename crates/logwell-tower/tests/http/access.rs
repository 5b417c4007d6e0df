//! The access record: one for each request, with OpenTelemetry's names, when all is over.

use crate::support::{Trace, VERSIONS, Version, ask, metric, request, request_with, serve};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use logwell::metrics::Registry;
use logwell_tower::{Cause, ClientAddress, PeerAddress};
use std::time::Duration;

async fn order() -> &'static str {
    tracing::info!("looking the order up");
    "an order"
}

#[tokio::test]
async fn a_request_has_one_record_with_the_names_of_opentelemetry_in_both_versions() {
    let registry = Registry::new();
    let layer =
        logwell_tower::server().metrics(registry.clone()).headers(["x-kind", "authorization"]);
    let app =
        Router::new().route("/orders/{id}", post(|_: Bytes| order())).layer(layer.query(true));
    let address = serve(app).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let headers = [
            ("traceparent", trace.parent.as_str()),
            ("x-kind", "gold"),
            ("authorization", "Bearer abcdefghijklmnop"),
            ("user-agent", "curl/8"),
        ];
        let sent = request_with("POST", "/orders/7?token=hunter2x&page=2", &headers, "four".into());
        let (status, answered, body) = ask(address, version, sent).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, &b"an order"[..]));
        assert_eq!(answered["x-trace-id"], trace.id.as_str());

        let access = trace.access().await;
        for (name, value) in [
            ("level", "INFO"),
            ("message", "POST /orders/7 200"),
            ("http.request.method", "POST"),
            ("http.route", "/orders/{id}"),
            ("url.path", "/orders/7"),
            ("url.query", "token=(secret)&page=2"),
            ("url.scheme", "http"),
            ("server.address", "shop.example"),
            ("user_agent.original", "curl/8"),
            ("parent_span_id", "00f067aa0ba902b7"),
            ("http.request.header.x-kind", "gold"),
            ("http.request.header.authorization", "(secret)"),
            ("network.protocol.version", if version == Version::One { "1.1" } else { "2" }),
        ] {
            assert_eq!(access[name], value, "{name}: {access:#}");
        }
        for (name, value) in [
            ("http.response.status_code", 200),
            ("http.request.body.size", 4),
            ("http.response.body.size", 8),
        ] {
            assert_eq!(access[name], value, "{name}: {access:#}");
        }
        assert!(access["duration_ms"].as_f64().unwrap() >= 0.0);
        assert!(access.get("error.type").is_none() && access.get("slow").is_none());
        let span = &access["spans"][0];
        assert_eq!(
            (&span["name"], &span["otel.name"]),
            (&"HTTP request".into(), &"POST /orders/{id}".into())
        );
        assert_eq!(
            (&span["otel.kind"], &span["http.response.status_code"]),
            (&"server".into(), &200.into())
        );

        // What the handler logs is in the same span.
        let records = trace.records();
        let inside = records.iter().find(|it| it["message"] == "looking the order up").unwrap();
        assert_eq!(inside["span_id"], access["span_id"]);
        assert_ne!(access["span_id"], "00f067aa0ba902b7");
    }
    let count = "http_server_request_duration_seconds_count{http_request_method=\"POST\",\
                 http_route=\"/orders/{id}\",http_response_status_code=\"200\",\
                 url_scheme=\"http\"}";
    assert_eq!(metric(&registry, count), Some(2.0));
    let active = "http_server_active_requests{http_request_method=\"POST\",url_scheme=\"http\"}";
    assert_eq!(metric(&registry, active), Some(0.0));
}

#[tokio::test]
async fn a_path_without_a_route_is_no_route_and_no_series() {
    let registry = Registry::new();
    let layer = logwell_tower::server().metrics(registry.clone());
    let address = serve(Router::new().route("/a", get(order)).layer(layer)).await;
    let trace = Trace::new();
    let sent = request("GET", "/no/such/page/4711", &[("traceparent", &trace.parent)]);
    assert_eq!(ask(address, Version::One, sent).await.0, StatusCode::NOT_FOUND);
    let access = trace.access().await;
    assert_eq!((&access["level"], access.get("http.route")), (&"INFO".into(), None));
    assert!(access.get("error.type").is_none(), "a 4xx is no failure of the server");
    let page = registry.render(logwell::metrics::Format::Text);
    assert!(!page.contains("4711"), "{page}");
}

#[tokio::test]
async fn a_5xx_is_an_error_with_its_cause_and_the_causes_of_that() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot place the order")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    async fn fails() -> Response {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        let inner = std::io::Error::other("the bank is closed");
        response.extensions_mut().insert(Cause::new(Outer(inner)));
        response
    }
    let app = Router::new().route("/pay", get(fails)).layer(logwell_tower::server());
    let address = serve(app).await;
    for version in VERSIONS {
        let trace = Trace::new();
        let sent = request("GET", "/pay", &[("traceparent", &trace.parent)]);
        let (_, _, body) = ask(address, version, sent).await;
        assert!(body.is_empty());
        let access = trace.access().await;
        for (name, value) in [
            ("level", "ERROR"),
            ("message", "GET /pay 502"),
            ("error.type", "502"),
            ("error", "cannot place the order"),
        ] {
            assert_eq!(access[name], value, "{access:#}");
        }
        assert_eq!(access["error_chain"][0], "the bank is closed");
        assert_eq!(access["spans"][0]["otel.status_code"], "ERROR");
    }
}

#[tokio::test]
async fn a_skipped_path_has_a_record_only_if_it_fails() {
    let registry = Registry::new();
    let fails = || async { StatusCode::INTERNAL_SERVER_ERROR };
    let app = Router::new().route("/health", get(|| async { "fine" })).route("/ready", get(fails));
    let layer = logwell_tower::server().metrics(registry.clone()).skip(["/health", "/ready"]);
    let address = serve(app.layer(layer)).await;
    let (fine, failing) = (Trace::new(), Trace::new());
    let sent = request("GET", "/health", &[("traceparent", &fine.parent)]);
    let (_, headers, _) = ask(address, Version::One, sent).await;
    assert_eq!(headers["x-trace-id"], fine.id.as_str(), "it has a trace all the same");
    let sent = request("GET", "/ready", &[("traceparent", &failing.parent)]);
    ask(address, Version::One, sent).await;
    assert_eq!(failing.access().await["level"], "ERROR");
    assert!(fine.accesses().is_empty());
    assert_eq!(metric(&registry, "http_server_request_duration_seconds_count"), Some(1.0));
}

#[tokio::test]
async fn a_slow_request_is_marked_and_the_level_of_others_can_be_chosen() {
    let app = || Router::new().route("/a", get(order));
    let slow = logwell_tower::server().slow(Duration::ZERO);
    let quiet = logwell_tower::server().slow(Duration::MAX).access_level(tracing::Level::DEBUG);
    for (layer, level) in [(slow, "WARN"), (quiet, "DEBUG")] {
        let address = serve(app().layer(layer)).await;
        let trace = Trace::new();
        ask(address, Version::One, request("GET", "/a", &[("traceparent", &trace.parent)])).await;
        let access = trace.access().await;
        assert_eq!(access["level"], level);
        assert_eq!(access.get("slow").is_some(), level == "WARN");
    }
}

#[tokio::test]
async fn the_client_is_whom_the_trusted_proxy_names_and_else_nobody() {
    let app = |address| {
        let layer = logwell_tower::server().client_address(address);
        let peer = PeerAddress(([192, 0, 2, 7], 1).into());
        Router::new().route("/a", get(order)).layer(layer).layer(axum::Extension(peer))
    };
    for (wanted, written) in [
        (ClientAddress::Off, None),
        (ClientAddress::Peer, Some("192.0.2.7")),
        (ClientAddress::Forwarded { hops: 1 }, Some("10.0.0.1")),
        (ClientAddress::Forwarded { hops: 3 }, Some("192.0.2.7")),
    ] {
        let address = serve(app(wanted)).await;
        let trace = Trace::new();
        let headers =
            [("traceparent", trace.parent.as_str()), ("x-forwarded-for", "6.6.6.6, 10.0.0.1")];
        ask(address, Version::Two, request("GET", "/a", &headers)).await;
        let access = trace.access().await;
        assert_eq!(access.get("client.address").and_then(|it| it.as_str()), written, "{wanted:?}");
    }
}

#[tokio::test]
async fn a_word_that_is_no_method_makes_no_series() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/a", axum::routing::any(order))
        .layer(logwell_tower::server().metrics(registry.clone()));
    let address = serve(app).await;
    let trace = Trace::new();
    let sent = request("BREW", "/a", &[("traceparent", &trace.parent)]);
    ask(address, Version::One, sent).await;
    let access = trace.access().await;
    assert_eq!(access["http.request.method"], "_OTHER");
    assert_eq!(access["http.request.method_original"], "BREW");
    let start = "http_server_request_duration_seconds_count{http_request_method=\"_OTHER\"";
    assert_eq!(metric(&registry, start), Some(1.0));
}

#[tokio::test]
async fn the_status_of_grpc_is_read_from_the_trailers() {
    use http_body_util::BodyExt as _;
    async fn call() -> Response {
        let trailers = async {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", "14".parse().unwrap());
            Some(Ok(trailers))
        };
        Response::new(Body::new(Body::from("frame").with_trailers(trailers)))
    }
    let address =
        serve(Router::new().route("/svc/Call", post(call)).layer(logwell_tower::server())).await;
    let trace = Trace::new();
    let sent = request("POST", "/svc/Call", &[("traceparent", &trace.parent), ("te", "trailers")]);
    ask(address, Version::Two, sent).await;
    let access = trace.access().await;
    assert_eq!(access["rpc.grpc.status_code"], 14, "{access:#}");
    assert_eq!((&access["level"], &access["error.type"]), (&"ERROR".into(), &"grpc".into()));
}
