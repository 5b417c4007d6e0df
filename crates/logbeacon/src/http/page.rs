//! Page: the files of the page, and of the one that shows the OpenAPI document.
//!
//! Knows the names and types of the files, which are in the binary. Does not know what is in them:
//! no script or style comes from elsewhere, and none is inline. A debug build reads the files from
//! the source tree if they are there, so that an edit needs no build.

use super::answer::{Problem, json_response, typed};
use super::push::bulk;
use crate::digest;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::borrow::Cow;

/// A file of the page: its name, and its text at build time.
type Asset = (&'static str, &'static str);

macro_rules! assets {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!("page/", $name)))),*] };
}

/// Every file of the folder, by name; a test compares.
const ASSETS: &[Asset] = assets! {
    "api.js" "beacon.svg" "chart.js" "columns.js" "completeness.js" "completion.js" "context.js"
    "detail.js" "docs.css" "docs.html" "docs.js" "dom.js" "empty.js" "export_menu.js" "facets.js"
    "field_list.js" "grid.js" "histogram.js" "index.html" "json_tree.js" "levels.js" "live.js"
    "login.js" "menu.js" "moment.js" "notice.js" "page.css" "page.js" "parts.css" "patterns.js"
    "query.js" "query_box.js" "range.js" "range_picker.js" "record.js" "record_of_link.js"
    "record_table.js" "results.js" "search.js" "settings.js" "shortcuts.js" "state.js" "tail.js"
    "theme.css" "theme.js" "toolbar.js" "trace.js" "views.js" "zone_picker.js"
};

/// `GET /`: the page for browsers; for Elasticsearch's clients, which ask for JSON, a version.
pub(super) async fn index(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match accept.is_some_and(|accept| accept.contains("text/html")) {
        true => asset("index.html", &headers),
        false => bulk::as_product(json_response(StatusCode::OK, &bulk::info())),
    }
}

/// `GET /docs`.
pub(super) async fn docs(headers: HeaderMap) -> Response {
    asset("docs.html", &headers)
}

/// `GET /page/{name}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    asset(&name, &headers)
}

/// A file, or 304 if the browser has it. The name is looked up, never made a path.
fn asset(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|(other, _)| *other == name) else {
        return Problem::not_found(format!("the page has no file {name:?}")).into_response();
    };
    let text = text(asset);
    let digest = digest::hex(&digest::of_parts([text.as_bytes()]));
    let tag = format!("\"{}\"", digest.get(..16).unwrap_or_default());
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let mut response = match is_known {
        true => typed(StatusCode::NOT_MODIFIED, kind(name), Body::empty()),
        false => typed(StatusCode::OK, kind(name), text.into_owned()),
    };
    let headers = response.headers_mut();
    // Kept, but asked for each time: an upgrade shows at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn text((name, built_in): &Asset) -> Cow<'static, str> {
    if cfg!(debug_assertions) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/page/");
        if let Ok(text) = std::fs::read_to_string(format!("{folder}{name}")) {
            return text.into();
        }
    }
    (*built_in).into()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/page");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ASSETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn every_module_is_fetched_at_once() {
        let (_, index) = ASSETS.iter().find(|(name, _)| *name == "index.html").unwrap();
        for (name, _) in ASSETS.iter().filter(|(name, _)| name.ends_with(".js")) {
            let is_in_page = !name.starts_with("docs");
            assert_eq!(index.contains(&format!("=\"/page/{name}\"")), is_in_page, "{name}");
        }
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let first = asset("page.css", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(asset("page.css", &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asset("../page.rs", &headers).status(), StatusCode::NOT_FOUND);
    }
}
