//! Page: a small page to search, and one that shows the OpenAPI document.
//!
//! Plain files in the binary; no script or style comes from elsewhere, and none is inline. Records
//! are shown as text, never as HTML.

use super::answer::{json_response, typed};
use super::push::bulk;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// `GET /`: the page for browsers; for Elasticsearch's clients, which ask for JSON, a version.
pub(super) async fn index(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match accept.is_some_and(|accept| accept.contains("text/html")) {
        true => typed(StatusCode::OK, HTML, include_str!("page/index.html")),
        false => bulk::as_product(json_response(StatusCode::OK, &bulk::info())),
    }
}

/// `GET /docs`.
pub(super) async fn docs() -> Response {
    typed(StatusCode::OK, HTML, include_str!("page/docs.html"))
}

/// `GET /page.js`.
pub(super) async fn script() -> Response {
    typed(StatusCode::OK, SCRIPT, include_str!("page/page.js"))
}

/// `GET /docs.js`.
pub(super) async fn docs_script() -> Response {
    typed(StatusCode::OK, SCRIPT, include_str!("page/docs.js"))
}

/// `GET /page.css`.
pub(super) async fn style() -> Response {
    typed(StatusCode::OK, "text/css; charset=utf-8", include_str!("page/page.css"))
}
