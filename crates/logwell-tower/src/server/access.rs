//! Access: one request from its beginning to the end of its response, and the record of it.
//!
//! Knows what a request can come to. Does not know futures or bodies; they say when something
//! happens. If nobody says how it ended before the value is dropped, the client has gone.

use crate::request as head_of;
use crate::server::cause::Cause;
use crate::server::facts::Facts;
use crate::server::measure::{Outcome, Running};
use crate::server::options::Options;
use crate::server::trace::Scope;
use http::{HeaderMap, StatusCode};
use logwell::LoggingContext;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing::Level;

/// An event of the target `access`, at a level that is known at run time only.
macro_rules! at_level {
    ($level:expr, { $($fields:tt)+ }, $($message:tt)+) => {
        match $level {
            Level::ERROR => tracing::error!(target: "access", { $($fields)+ }, $($message)+),
            Level::WARN => tracing::warn!(target: "access", { $($fields)+ }, $($message)+),
            Level::INFO => tracing::info!(target: "access", { $($fields)+ }, $($message)+),
            Level::DEBUG => tracing::debug!(target: "access", { $($fields)+ }, $($message)+),
            Level::TRACE => tracing::trace!(target: "access", { $($fields)+ }, $($message)+),
        }
    };
}

/// One request until its response has ended. Writes its record once.
#[derive(Debug)]
pub(crate) struct Access {
    facts: Facts,
    scope: Scope,
    options: Arc<Options>,
    begun: Instant,
    request_bytes: Arc<AtomicU64>,
    response: Progress,
    running: Running,
    has_ended: bool,
}

/// What is known of the response.
#[derive(Debug, Default)]
struct Progress {
    status: Option<StatusCode>,
    cause: Option<Cause>,
    grpc_status: Option<i64>,
    bytes: u64,
    /// How many bytes there will be, if that is known.
    expected_bytes: Option<u64>,
    /// The client takes no body: its end is that of the head.
    is_without_body: bool,
}

/// How a request can end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The whole response was handed on.
    Complete,
    /// The client has gone, or the future was dropped by somebody else.
    Cancelled,
    /// The handler or the body panicked.
    Panicked,
    /// The service or the body of the response failed; what it said.
    Failed(String),
}

impl Access {
    pub(crate) fn begin(facts: Facts, scope: Scope, options: Arc<Options>) -> Self {
        let running = options.measure.begin(facts.labels());
        Self {
            facts,
            scope,
            options,
            begun: Instant::now(),
            request_bytes: Arc::default(),
            response: Progress::default(),
            running,
            has_ended: false,
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where the bytes of the request's body are counted.
    pub(crate) fn request_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.request_bytes)
    }

    /// The head of the response is there.
    pub(crate) fn head(&mut self, response: &http::response::Parts) {
        let length = response.headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        self.response.expected_bytes = length;
        self.response.status = Some(response.status);
        self.response.cause = response.extensions.get::<Cause>().cloned();
        self.response.is_without_body = self.facts.method == http::Method::HEAD
            || response.status.is_informational()
            || matches!(response.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.grpc(&response.headers);
    }

    /// The response will be this, for want of one.
    pub(crate) fn status(&mut self, status: StatusCode) {
        self.response.status = Some(status);
    }

    /// Takes the status of gRPC from the head or the trailers.
    pub(crate) fn grpc(&mut self, headers: &HeaderMap) {
        let status = headers.get("grpc-status").and_then(|status| status.to_str().ok());
        if let Some(status) = status.and_then(|status| status.parse().ok()) {
            self.response.grpc_status = Some(status);
        }
    }

    /// So many bytes of the body were handed on. Whether that is all of them.
    pub(crate) fn sent(&mut self, bytes: usize) -> bool {
        self.response.bytes = self.response.bytes.saturating_add(bytes as u64);
        self.response.expected_bytes.is_some_and(|expected| self.response.bytes >= expected)
    }

    /// Writes the record. Only the first end counts.
    pub(crate) fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let record = self.record(&end);
        self.scope.run(|| self.note(&record, &end));
    }

    fn record(&self, end: &End) -> Record {
        let took = self.begun.elapsed();
        let status = self.response.status;
        let has_failed = match end {
            End::Complete => {
                status.is_some_and(|status| status.is_server_error())
                    || self.response.grpc_status.is_some_and(is_grpc_error)
            }
            End::Cancelled => false,
            End::Panicked | End::Failed(_) => true,
        };
        let error_type = match (end, status) {
            (End::Panicked, _) => Some("panic".to_owned()),
            (End::Failed(_), None) => Some("service".to_owned()),
            (End::Failed(_), Some(_)) => Some("body".to_owned()),
            (End::Cancelled, _) => Some("cancelled".to_owned()),
            (End::Complete, Some(status)) if status.is_server_error() => {
                Some(status.as_str().to_owned())
            }
            (End::Complete, _) if has_failed => Some("grpc".to_owned()),
            _ => None,
        };
        let is_slow = self.options.slow.is_some_and(|slow| took >= slow);
        let level = match end {
            _ if has_failed => Level::ERROR,
            End::Cancelled => Level::WARN,
            _ if is_slow => Level::WARN.min(self.options.level),
            _ => self.options.level,
        };
        Record { took, error_type, is_slow, has_failed, level }
    }

    /// Inside the scope: fields of the span, the metric, the record.
    fn note(&self, record: &Record, end: &End) {
        let (status, error_type) = (self.status_code(), record.error_type.as_deref());
        let (sent, received) = (self.response.bytes, self.request_bytes.load(Ordering::Relaxed));
        let span = &self.scope.span;
        // As i64: exporters of spans would write any other integer as a text.
        let sizes = [("http.request.body.size", received), ("http.response.body.size", sent)];
        for (name, size) in sizes {
            span.record(name, i64::try_from(size).unwrap_or(i64::MAX));
        }
        if let Some(status) = status {
            span.record("http.response.status_code", status);
        }
        if let Some(error_type) = error_type {
            span.record("error.type", error_type);
        }
        if record.has_failed {
            span.record("otel.status_code", "ERROR");
        }
        if self.facts.is_skipped && !record.has_failed {
            return;
        }
        self.running.end(self.facts.labels(), &Outcome { status, error_type, took: record.took });
        if self.facts.headers.is_empty() {
            return self.write(record, end);
        }
        let pairs = self.facts.headers.iter();
        let context =
            pairs.fold(LoggingContext::new(), |all, (name, value)| all.with(name, value.as_str()));
        context.in_scope(|| self.write(record, end));
    }

    fn status_code(&self) -> Option<i64> {
        self.response.status.map(|status| i64::from(status.as_u16()))
    }

    fn write(&self, record: &Record, end: &End) {
        let (facts, caller) = (&self.facts, &self.scope.caller);
        let (status, error_type) = (self.status_code(), record.error_type.as_deref());
        let method = head_of::method(&facts.method);
        let failure = match end {
            End::Failed(text) => Some(text.as_str()),
            _ => None,
        };
        let cause = self.response.cause.as_ref().filter(|_| record.has_failed);
        let cause = cause.map(|cause| cause.error() as &(dyn Error + 'static));
        let what = match (status, error_type) {
            (Some(status), Some(kind)) if kind != status.to_string() => format!("{status} {kind}"),
            (Some(status), _) => status.to_string(),
            (None, kind) => kind.unwrap_or_default().to_owned(),
        };
        let link = caller.link.as_ref();
        at_level!(
            record.level,
            {
            http.request.method = method,
            http.request.method_original = head_of::original(&facts.method),
            http.route = facts.route.as_deref(),
            url.path = facts.path,
            url.query = facts.query.as_deref(),
            url.scheme = &*facts.scheme,
            http.response.status_code = status,
            rpc.grpc.status_code = self.response.grpc_status,
            error.type = error_type,
            error.message = failure,
            error = cause,
            duration_ms = milliseconds(record.took),
            slow = record.is_slow.then_some(true),
            http.request.body.size = self.request_bytes.load(Ordering::Relaxed),
            http.response.body.size = self.response.bytes,
            server.address = facts.host.as_deref(),
            server.port = facts.port,
            client.address = facts.client.as_deref(),
            network.protocol.version = facts.version,
            user_agent.original = facts.user_agent.as_deref(),
            parent_span_id = caller.span_id.as_deref(),
            link.trace_id = link.map(|link| link.trace_id().to_string()),
            link.span_id = link.map(|link| link.span_id().to_string()),
            },
            "{method} {} {what}",
            facts.path
        );
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.end(match () {
            () if std::thread::panicking() => End::Panicked,
            () if self.response.is_without_body => End::Complete,
            () => End::Cancelled,
        });
    }
}

/// What is said of a request that has ended.
#[derive(Debug)]
struct Record {
    took: Duration,
    error_type: Option<String>,
    is_slow: bool,
    has_failed: bool,
    level: Level,
}

/// To the microsecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// The codes that are a failure of the server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE, DATA_LOSS.
fn is_grpc_error(status: i64) -> bool {
    matches!(status, 2 | 4 | 12..=15)
}
