//! Inject: the headers that carry a trace to the next service.
//!
//! Knows the current context and the names of headers. Does not know requests. A map of headers
//! goes in; it comes out with those of the current trace.

use http::{HeaderMap, HeaderName, HeaderValue};
use logwell::{LoggingContext, TraceContext};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(crate) const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The pair of a context that has the value of `X-Request-ID`.
pub(crate) const REQUEST_ID: &str = "request_id";

/// Puts the current trace into the headers of a request that is about to be sent: `traceparent` and
/// `tracestate` with a span id of its own, `X-Trace-ID`, and `X-Request-ID` if the request that is
/// being handled came with one. Outside of a span and context it changes nothing.
///
/// For clients that [`client`](fn@crate::client) does not fit around:
///
/// ```
/// # let logs = logwell::testing::capture();
/// let mut headers = http::HeaderMap::new();
/// tracing::info_span!("work").in_scope(|| logwell_tower::inject(&mut headers));
/// assert!(headers.contains_key("traceparent"));
/// ```
///
/// A trace whose id is a text, as from `X-Trace-ID`, has no `traceparent`.
pub fn inject(headers: &mut HeaderMap) {
    if let Some(context) = LoggingContext::current() {
        let child = context.trace_context().map(|trace| trace.child());
        insert(headers, &context, child.as_ref());
    }
}

/// Puts these into the headers; what was there under the same names is replaced.
pub(crate) fn insert(
    headers: &mut HeaderMap,
    context: &LoggingContext,
    trace: Option<&TraceContext>,
) {
    set(headers, TRACEPARENT, trace.map(TraceContext::to_traceparent));
    set(headers, TRACESTATE, trace.and_then(TraceContext::to_tracestate));
    set(headers, X_TRACE_ID, context.get_trace_id());
    let request_id = context.get(REQUEST_ID);
    if request_id.is_some() {
        set(headers, X_REQUEST_ID, request_id);
    }
}

/// Sets a header, or takes it away; a value that no header may have is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}
