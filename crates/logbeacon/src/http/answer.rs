//! Answers: what is said when a request fails, in one form for all routes.
//!
//! Knows statuses. The body is `{"error":{"type":…,"reason":…},"message":…,"status":…}`: what
//! Elasticsearch's clients and Grafana read too; `query` in the error says where a query is wrong.
//! `Retry-After` comes with every failure that passes.

use crate::lanes::NotRun;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use logbeacon_store::{AppendError, SearchError};
use logwell_query::QueryError;
use serde_json::json;

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The class, for programs.
    pub kind: &'static str,
    /// What is wrong and what to do, for people.
    pub reason: String,
    /// When it is worth trying again, in seconds.
    pub retry_after_s: Option<u64>,
    /// Where the query cannot be read, if that is what is wrong.
    pub query: Option<Box<QueryError>>,
}

impl Problem {
    /// A failure that trying again does not mend.
    pub fn new(status: StatusCode, kind: &'static str, reason: impl Into<String>) -> Self {
        Self { status, kind, reason: reason.into(), retry_after_s: None, query: None }
    }

    /// The request cannot be understood.
    pub fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", reason)
    }

    /// There is no such thing.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", reason)
    }

    /// Too much at once.
    pub fn busy(reason: impl Into<String>, retry_after_s: u64) -> Self {
        let retry_after_s = Some(retry_after_s.max(1));
        Self { retry_after_s, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", reason) }
    }

    /// A fault of the server.
    pub fn fault(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", reason)
    }

    /// The server starts or stops.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { retry_after_s: Some(2), ..Self::new(status, "unavailable", reason) }
    }
}

impl From<NotRun> for Problem {
    fn from(why: NotRun) -> Self {
        match why {
            NotRun::Busy => Self::busy("too many requests at once", 1),
            NotRun::Panicked => Self::fault("a fault of the server; its log has more"),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let reason = error.to_string();
        match error {
            AppendError::Full { retry_after } => Self::busy(reason, retry_after.as_secs()),
            AppendError::ReadOnly { .. } => Self {
                retry_after_s: Some(30),
                ..Self::new(StatusCode::INSUFFICIENT_STORAGE, "read_only", reason)
            },
            AppendError::Closed => Self::unavailable(reason),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let reason = error.to_string();
        Self { kind: "bad_query", query: Some(Box::new(error)), ..Self::bad(reason) }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Query(_) => Self::bad(error.to_string()),
            SearchError::Closed => Self::unavailable(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = match &self.query {
            None => json!({"type": self.kind, "reason": self.reason}),
            Some(query) => {
                json!({"type": self.kind, "reason": self.reason, "query": query_json(query)})
            }
        };
        // Grafana shows `message`.
        let body = json!({"error": error, "message": self.reason, "status": self.status.as_u16()});
        let mut response = json_response(self.status, &body);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Where a query is wrong, in bytes, and what may be meant.
pub(super) fn query_json(error: &QueryError) -> serde_json::Value {
    json!({
        "offset": error.offset,
        "length": error.length,
        "what": error.what,
        "suggestion": error.suggestion,
    })
}

/// An answer of JSON.
pub fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    typed(status, "application/json", body.to_string())
}

/// An answer of that type.
pub fn typed(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<axum::body::Body>,
) -> Response {
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
