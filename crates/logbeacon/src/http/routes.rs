//! Routes: every path, what it takes, who may use it, and one sentence about it.
//!
//! This table is the only place where a route is made: the router, the OpenAPI document and the
//! test of routes and roles read it. A route without a right cannot be written.

use super::auth::{self, Peer};
use super::push::{beacon, bulk, datadog, gelf, hec, journald, loki as loki_push, otlp};
use super::{
    export, fields, loki, manage, openapi, page, search, session, statistics, status, tail, views,
};
use crate::server::Server;
use axum::Router;
use axum::extract::Request;
use axum::handler::Handler as AxumHandler;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, delete, get, on, post, put};
use std::sync::Arc;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Anybody: it tells nothing.
    Anyone,
    /// A token with the scope `ingest`.
    Ingest,
    /// A token with the scope `read`.
    Read,
    /// A token with the scope `admin`.
    Admin,
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// Who may use it.
    pub right: Right,
    /// What it does, in a sentence.
    pub summary: &'static str,
    handler: MethodRouter<Arc<Server>>,
}

type Handler = MethodRouter<Arc<Server>>;

fn route(
    (method, path): (Method, &'static str),
    right: Right,
    summary: &'static str,
    handler: Handler,
) -> Route {
    Route { method, path, right, summary, handler }
}

/// All routes.
#[must_use]
pub fn routes() -> Vec<Route> {
    [ingest_routes(), probe_routes(), read_routes(), loki_routes(), own_routes()].concat()
}

fn ingest_routes() -> Vec<Route> {
    use Right::Ingest;
    let to = |path| (Method::POST, path);
    vec![
        route(
            to("/api/logs"),
            Ingest,
            "Takes LogBeacon messages or logwell records.",
            post(beacon::logs),
        ),
        route(to("/api/v1/ingest"), Ingest, "Takes JSON objects of any shape.", post(beacon::any)),
        route(to("/_bulk"), Ingest, "Takes Elasticsearch's bulk actions.", post(bulk::bulk)),
        route(to("/{index}/_bulk"), Ingest, "The same, with an index.", post(bulk::bulk)),
        route((Method::PUT, "/_bulk"), Ingest, "Takes bulk actions.", put(bulk::bulk)),
        route((Method::PUT, "/{index}/_bulk"), Ingest, "The same, with an index.", put(bulk::bulk)),
        route(to("/loki/api/v1/push"), Ingest, "Takes Loki's streams.", post(loki_push::push)),
        route(to("/v1/logs"), Ingest, "Takes OTLP logs.", post(otlp::logs)),
        route(to("/gelf"), Ingest, "Takes GELF messages.", post(gelf::gelf)),
        route(to("/services/collector"), Ingest, "Takes Splunk's events.", post(hec::events)),
        route(to("/services/collector/event"), Ingest, "The same.", post(hec::events)),
        route(to("/services/collector/event/1.0"), Ingest, "The same.", post(hec::events)),
        route(to("/services/collector/raw"), Ingest, "Takes lines, as Splunk.", post(hec::raw)),
        route(to("/services/collector/ack"), Ingest, "Answers with yes.", post(hec::acks)),
        route(
            (Method::GET, "/services/collector/health"),
            Right::Anyone,
            "Records are taken, says Splunk's probe.",
            get(hec::health),
        ),
        route(to("/api/v2/logs"), Ingest, "Takes Datadog's logs.", post(datadog::logs)),
        route(to("/upload"), Ingest, "Takes journals of systemd.", post(journald::upload)),
    ]
}

/// What Elasticsearch's clients ask before they send.
fn probe_routes() -> Vec<Route> {
    use Right::Ingest;
    let probe = |method: Method, path| {
        let summary = "Answers a probe of Elasticsearch's clients.";
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let handler = match (&method, path) {
            (&Method::GET, "/_license") => on(filter, bulk::license),
            (&Method::GET | &Method::HEAD, _) => on(filter, bulk::nothing),
            _ => on(filter, bulk::acknowledged),
        };
        route((method, path), Ingest, summary, handler)
    };
    let mut probes = vec![probe(Method::GET, "/_license"), probe(Method::GET, "/_xpack")];
    for path in [
        "/_ilm/policy/{name}",
        "/_index_template/{name}",
        "/_ingest/pipeline/{name}",
        "/_template/{name}",
    ] {
        probes.extend([Method::GET, Method::PUT].map(|method| probe(method, path)));
    }
    probes
}

fn read_routes() -> Vec<Route> {
    use Right::Read;
    let from = |path| (Method::GET, path);
    vec![
        route(from("/api/v1/search"), Read, "Searches; the answer is NDJSON.", get(search::search)),
        route(
            (Method::POST, "/api/v1/search"),
            Read,
            "The same, with a form.",
            post(search::search),
        ),
        route(
            from("/api/v1/check"),
            Read,
            "Whether a query can be read, and where not.",
            get(search::check),
        ),
        route(from("/api/v1/context"), Read, "Records around a moment.", get(search::context)),
        route(
            from("/api/v1/histogram"),
            Read,
            "Counts by time and level.",
            get(statistics::histogram),
        ),
        route(from("/api/v1/facets"), Read, "Frequent values of fields.", get(statistics::facets)),
        route(from("/api/v1/fields"), Read, "The names of all fields.", get(fields::fields)),
        route(
            from("/api/v1/statistics"),
            Read,
            "Counts that are kept.",
            get(statistics::statistics),
        ),
        route(
            from("/api/v1/devices"),
            Read,
            "Hosts, and which are silent.",
            get(statistics::devices),
        ),
        route(
            from("/api/v1/completeness"),
            Read,
            "Which numbered records have come, and which are missing.",
            get(statistics::completeness),
        ),
        route(from("/api/v1/tail"), Read, "New records as they come (SSE).", get(tail::tail)),
        route(from("/api/v1/export"), Read, "Everything found, as a file.", get(export::export)),
        route(from("/api/v1/views"), Read, "Saved searches.", get(views::list)),
        route((Method::PUT, "/api/v1/views/{name}"), Read, "Saves a search.", put(views::put)),
        route(
            (Method::DELETE, "/api/v1/views/{name}"),
            Read,
            "Deletes one.",
            delete(views::delete),
        ),
        route(from("/metrics"), Read, "Counters for Prometheus.", get(status::metrics)),
    ]
}

/// What Grafana's data source for Loki asks.
fn loki_routes() -> Vec<Route> {
    let from = |path, summary, handler| route((Method::GET, path), Right::Read, summary, handler);
    let only_get = [
        from(
            "/loki/api/v1/label/{name}/values",
            "Values of a label, for Grafana.",
            get(loki::label_values),
        ),
        from("/loki/api/v1/status/buildinfo", "A version.", get(loki::build)),
        from(
            "/loki/api/v1/tail",
            "New lines as they come (WebSocket), for Grafana.",
            get(loki::tail),
        ),
        from(
            "/loki/api/v1/detected_field/{name}/values",
            "Values of a field, for Grafana.",
            get(loki::field_values),
        ),
    ];
    let with_a_form = [
        get_and_post("/loki/api/v1/query_range", loki::range, "Runs LogQL."),
        get_and_post("/loki/api/v1/query", loki::instant, "Runs LogQL."),
        get_and_post("/loki/api/v1/labels", loki::labels, "Names of labels, for Grafana."),
        get_and_post("/loki/api/v1/series", loki::series, "Sets of labels."),
        get_and_post("/loki/api/v1/index/stats", loki::stats, "How much a selector finds."),
        get_and_post("/loki/api/v1/index/volume", loki::volume, "How much each set of labels has."),
        get_and_post("/loki/api/v1/index/volume_range", loki::volume_range, "The same over time."),
        get_and_post(
            "/loki/api/v1/detected_fields",
            loki::detected_fields,
            "Fields that are no labels.",
        ),
    ];
    only_get.into_iter().chain(with_a_form.into_iter().flatten()).collect()
}

/// A question whose parameters come in the URL or in a form.
fn get_and_post<H, T>(path: &'static str, handler: H, summary: &'static str) -> [Route; 2]
where
    H: AxumHandler<T, Arc<Server>>,
    T: 'static,
{
    [
        route((Method::GET, path), Right::Read, summary, get(handler.clone())),
        route((Method::POST, path), Right::Read, summary, post(handler)),
    ]
}

fn own_routes() -> Vec<Route> {
    use Right::{Admin, Anyone};
    let from = |path| (Method::GET, path);
    vec![
        route((Method::POST, "/api/v1/delete"), Admin, "Deletes records.", post(manage::delete)),
        route(from("/api/v1/delete"), Admin, "All deletions.", get(manage::certificates)),
        route(from("/api/v1/retention"), Admin, "Rules of retention.", get(manage::retention)),
        route(
            (Method::PUT, "/api/v1/retention"),
            Admin,
            "Replaces the rules of retention.",
            put(manage::set_retention),
        ),
        route((Method::POST, "/session"), Anyone, "Logs in to the page.", post(session::begin)),
        route((Method::DELETE, "/session"), Anyone, "Logs out.", delete(session::end)),
        route(from("/session"), Anyone, "Who this is, if anybody.", get(session::who)),
        route(from("/health"), Anyone, "The process lives.", get(status::health)),
        route(from("/ready"), Anyone, "Records are taken.", get(status::ready)),
        route(from("/openapi.json"), Anyone, "This document.", get(openapi::document)),
        route(from("/docs"), Anyone, "This document as a page.", get(page::docs)),
        route(
            from("/"),
            Anyone,
            "The page; for Elasticsearch's clients, a version.",
            get(page::index),
        ),
        route(from("/page/{file}"), Anyone, "A file of the page.", get(page::file)),
    ]
}

/// The service of all routes.
pub fn router(server: Arc<Server>) -> Router {
    let mut router = Router::new();
    for Route { path, right, handler, .. } in routes() {
        let server = Arc::clone(&server);
        let check = from_fn(move |request: Request, next: Next| {
            auth::check(Arc::clone(&server), right, request, next)
        });
        router = router.route(path, handler.layer(check));
    }
    router.fallback(unknown).with_state(server).layer(from_fn(safe))
}

async fn unknown(request: Request) -> super::answer::Problem {
    let path = request.uri().path();
    super::answer::Problem::not_found(format!("there is no {path}; /openapi.json has all routes"))
}

/// What may be shown where: nothing from elsewhere, and in nobody else's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Headers of every answer.
async fn safe(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Gives a connection's requests the address they are from.
pub fn with_peer(router: Router, peer: Peer) -> Router {
    router.layer(axum::Extension(peer))
}
