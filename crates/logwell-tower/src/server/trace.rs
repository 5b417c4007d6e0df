//! Trace: which trace a request belongs to, and the span it is handled in.
//!
//! Knows whom to believe. Does not know what a request does. The head of a request goes in; out
//! comes the scope in which all of its records are made.

use crate::inject::{REQUEST_ID, X_REQUEST_ID};
use crate::request as head_of;
use crate::server::facts::Facts;
use crate::server::options::{Options, Restart, TraceHeader};
use http::{HeaderMap, request};
use logwell::{Context, LoggingContext, TraceContext};
use tracing::{Span, field};

/// An `X-Request-ID` is cut at so many bytes.
const MAX_REQUEST_ID_BYTES: usize = 256;

/// Where a request is handled.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Trace and span, to be entered wherever the request is worked on.
    here: Context,
    pub(crate) span: Span,
    /// What the answer says of the trace.
    pub(crate) ids: LoggingContext,
    /// The span id that the caller has sent, and its trace id if that is not ours.
    pub(crate) caller: Caller,
}

/// Where the request comes from, if the caller has said so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) span_id: Option<String>,
    pub(crate) link: Option<TraceContext>,
}

impl Scope {
    /// Does some work there.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        self.here.run(work)
    }
}

/// Makes the scope of a request.
pub(crate) fn scope(head: &request::Parts, facts: &Facts, options: &Options) -> Scope {
    let (mut context, caller) = believed(&head.headers, options);
    if options.restart == Restart::Never && options.trusts(TraceHeader::XRequestId) {
        let id = head.headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::trim);
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            // Visible ASCII alone comes out of `to_str`, so any byte is a boundary.
            context = context.with(REQUEST_ID, id.get(..MAX_REQUEST_ID_BYTES).unwrap_or(id));
        }
    }
    context.in_scope(|| {
        let span = span(facts);
        let (here, ids) = span.in_scope(|| (Context::capture(), LoggingContext::current()));
        Scope { here, span, ids: ids.unwrap_or_default(), caller }
    })
}

/// The trace that the request is in.
fn believed(headers: &HeaderMap, options: &Options) -> (LoggingContext, Caller) {
    let brought = options
        .trusts(TraceHeader::Traceparent)
        .then(|| TraceContext::from_headers(headers))
        .flatten();
    if options.restart != Restart::Never {
        let link = brought.filter(|_| options.restart == Restart::NewTraceWithLink);
        return (TraceContext::new_root().into(), Caller { link, span_id: None });
    }
    if let Some(parent) = brought {
        let span_id = Some(parent.span_id().to_string());
        return (parent.into(), Caller { span_id, link: None });
    }
    let x_trace_id = headers
        .get(crate::inject::X_TRACE_ID)
        .filter(|_| options.trusts(TraceHeader::XTraceId))
        .and_then(|id| id.to_str().ok());
    (LoggingContext::from_headers(None, x_trace_id), Caller::default())
}

fn span(facts: &Facts) -> Span {
    tracing::info_span!(
        target: "http.server",
        "HTTP request",
        otel.name = facts.name(),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = head_of::method(&facts.method),
        http.request.method_original = head_of::original(&facts.method),
        http.route = facts.route.as_deref(),
        url.path = facts.path,
        url.scheme = &*facts.scheme,
        server.address = facts.host.as_deref(),
        server.port = facts.port,
        client.address = facts.client.as_deref(),
        network.protocol.version = facts.version,
        user_agent.original = facts.user_agent.as_deref(),
        http.response.status_code = field::Empty,
        http.request.body.size = field::Empty,
        http.response.body.size = field::Empty,
        error.type = field::Empty,
    )
}
