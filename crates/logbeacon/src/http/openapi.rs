//! OpenAPI: the document of all routes, made from their table.
//!
//! Knows the table and the parameters of searches. A route that is in the table is in the document.

use super::answer::typed;
use super::routes::{Right, Route, routes};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// `GET /openapi.json`.
pub(super) async fn document() -> Response {
    typed(StatusCode::OK, "application/json", openapi().to_string())
}

/// The document, OpenAPI 3.1.
#[must_use]
pub(super) fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let operations = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(operations) = operations {
            operations.insert(route.method.as_str().to_lowercase(), operation(&route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "LogBeacon",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A log server. A 200 means: on disk, found at once, there once.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Receipt": receipt(), "Problem": problem()},
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "tags": [tag(route)],
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if let Value::Object(operation) = &mut operation {
        if let Some(scope) = scope(route.right) {
            operation.insert("security".to_owned(), json!([{"token": []}]));
            operation.insert("x-scope".to_owned(), json!(scope));
        }
        if let Some(body) = body(route) {
            operation.insert("requestBody".to_owned(), body);
        }
    }
    operation
}

fn tag(route: &Route) -> &'static str {
    match route.right {
        Right::Ingest => "ingest",
        Right::Read => "read",
        Right::Admin => "manage",
        Right::Anyone => "server",
    }
}

const fn scope(right: Right) -> Option<&'static str> {
    match right {
        Right::Anyone => None,
        Right::Ingest => Some("ingest"),
        Right::Read => Some("read"),
        Right::Admin => Some("admin"),
    }
}

/// Name and meaning of the parameters of a route.
fn parameters(route: &Route) -> Vec<Value> {
    const SEARCH: [(&str, &str); 6] = [
        ("query", "the query; `*` is all"),
        ("start", "the first moment: RFC 3339, a number since 1970, or 15m before now"),
        ("end", "the moment after the last"),
        ("limit", "records at most; 1000 if the query has no pipes"),
        ("order", "desc (newest first) or asc"),
        ("timeout", "the longest time, such as 5s"),
    ];
    let range = SEARCH.get(1..3).unwrap_or_default();
    let more: &[(&str, &str)] = match route.path {
        "/api/v1/check" => &[("query", "the query")],
        "/api/v1/histogram" => &[("step", "the length of a step, such as 1m")],
        "/api/v1/facets" => &[("field", "a field; may be repeated"), ("count", "values of each")],
        "/api/v1/context" => &[
            ("time", "the moment"),
            ("before", "records before it; 10"),
            ("after", "records after it; 10"),
        ],
        "/api/v1/export" => &[
            ("format", "ndjson, csv or parquet"),
            ("columns", "columns of a CSV file, with commas"),
        ],
        "/api/v1/tail" => &[("query", "a filter"), ("after", "the id of the last event seen")],
        "/api/v1/statistics" => &[("by", "any of minute, stream, level")],
        "/api/v1/devices" => &[(
            "silent_after",
            "how long a silence is one, such as 5m; without it, an alarm decides",
        )],
        _ if route.right == Right::Ingest => &[
            ("stream", "the stream of records that name none"),
            ("dedup", "content: equal records are one"),
        ],
        _ => &[],
    };
    let common: &[(&str, &str)] = match route.path {
        "/api/v1/search" | "/api/v1/histogram" | "/api/v1/facets" | "/api/v1/export"
        | "/api/v1/context" | "/api/v1/delete" => &SEARCH,
        "/api/v1/statistics" | "/api/v1/completeness" => range,
        _ => &[],
    };
    let in_path = ["index", "name", "file"]
        .into_iter()
        .filter(|name| route.path.contains(&format!("{{{name}}}")));
    let path =
        in_path.map(|name| json!({"name": name, "in": "path", "required": true, "schema": text()}));
    let query = common.iter().chain(more).map(|(name, meaning)| {
        json!({"name": name, "in": "query", "description": meaning, "schema": text()})
    });
    path.chain(query).collect()
}

/// The schema of every parameter.
fn text() -> Value {
    json!({"type": "string"})
}

fn body(route: &Route) -> Option<Value> {
    let kinds: &[&str] = match route.path {
        "/api/logs" | "/api/v1/ingest" => &["application/json", "application/x-ndjson"],
        "/_bulk" | "/{index}/_bulk" => &["application/x-ndjson"],
        "/loki/api/v1/push" | "/v1/logs" => &["application/json", "application/x-protobuf"],
        "/gelf" | "/api/v2/logs" => &["application/json"],
        "/upload" => &["application/vnd.fdo.journal"],
        "/services/collector/raw" => &["text/plain"],
        path if path.starts_with("/services/collector") && route.method == "POST" => {
            &["application/json"]
        }
        "/api/v1/retention" | "/api/v1/views/{name}" if route.method == "PUT" => {
            &["application/json"]
        }
        "/session" if route.method == "POST" => &["application/x-www-form-urlencoded"],
        _ => return None,
    };
    let content: Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!({"schema": {}}))).collect();
    Some(json!({"required": true, "content": content}))
}

fn responses(route: &Route) -> Value {
    let problem = |text: &str| {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        json!({"description": text, "content": {"application/json": {"schema": schema}}})
    };
    let mut responses = Map::new();
    let mut add = |status: &str, response: Value| responses.insert(status.to_owned(), response);
    match route.path {
        "/api/logs" | "/api/v1/ingest" => {
            let schema = json!({"$ref": "#/components/schemas/Receipt"});
            let content = json!({"application/json": {"schema": schema}});
            add("200", json!({"description": "on disk and found", "content": content.clone()}));
            add("422", json!({"description": "all were refused", "content": content}));
        }
        "/loki/api/v1/push" => _ = add("204", json!({"description": "on disk and found"})),
        "/gelf" => _ = add("202", json!({"description": "on disk and found"})),
        _ => _ = add("200", json!({"description": "done"})),
    }
    if route.right != Right::Anyone {
        add("400", problem("the request cannot be read"));
        add("401", problem("there is no token that is known"));
        add("403", problem("the token does not allow it"));
        add("429", problem("too much at once; see Retry-After"));
        add("503", problem("the server starts or stops; see Retry-After"));
    }
    if route.right == Right::Ingest {
        add("413", problem("the body is too large"));
        add("507", problem("the disk is full; see Retry-After"));
    }
    Value::Object(responses)
}

fn receipt() -> Value {
    let count = json!({"type": "integer"});
    json!({
        "type": "object",
        "properties": {
            "accepted": count,
            "duplicate": count,
            "refused": count,
            "records": {"type": "array", "items": {"type": "object", "properties": {
                "index": count,
                "status": {"enum": ["duplicate", "refused"]},
                "reason": text(),
                "detail": text(),
                "final": {"type": "boolean"},
            }}},
        },
    })
}

fn problem() -> Value {
    let count = json!({"type": "integer"});
    let query = json!({
        "type": "object",
        "description": "of a query that cannot be read: where, in bytes, and what may be meant",
        "properties": {"offset": count, "length": count, "what": text(), "suggestion": text()},
    });
    let error = json!({
        "type": "object",
        "properties": {"type": text(), "reason": text(), "query": query},
    });
    json!({"type": "object", "properties": {"error": error, "status": {"type": "integer"}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_in_the_document_with_its_scope() {
        let document = openapi();
        for route in routes() {
            let method = route.method.as_str().to_lowercase();
            let operation = &document["paths"][route.path][&method];
            assert_eq!(operation["summary"], route.summary, "{} {}", method, route.path);
            assert_eq!(operation["x-scope"].as_str(), scope(route.right));
            assert!(operation["responses"].as_object().is_some_and(|list| !list.is_empty()));
        }
    }
}
