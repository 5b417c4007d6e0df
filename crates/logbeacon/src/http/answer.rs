//! Answers: what is said when a request fails, in one form for all routes.
//!
//! Knows statuses. The body is `{"error":{"type":…,"reason":…},"message":…,"status":…}`: what
//! Elasticsearch's clients and Grafana read too. `Retry-After` comes with every failure that
//! passes.

use crate::lanes::NotRun;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use logbeacon_store::{AppendError, SearchError};
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
}

impl Problem {
    /// A failure that trying again does not mend.
    pub fn new(status: StatusCode, kind: &'static str, reason: impl Into<String>) -> Self {
        Self { status, kind, reason: reason.into(), retry_after_s: None }
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
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self { status, kind: "busy", reason: reason.into(), retry_after_s }
    }

    /// A fault of the server.
    pub fn fault(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", reason)
    }

    /// The server starts or stops.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, kind: "unavailable", reason: reason.into(), retry_after_s: Some(2) }
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
                status: StatusCode::INSUFFICIENT_STORAGE,
                kind: "read_only",
                reason,
                retry_after_s: Some(30),
            },
            AppendError::Closed => Self::unavailable(reason),
        }
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
        let body = json!({
            "error": {"type": self.kind, "reason": self.reason},
            // Grafana shows this member.
            "message": self.reason,
            "status": self.status.as_u16(),
        });
        let mut response = json_response(self.status, &body);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
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
