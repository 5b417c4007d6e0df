//! Client: the middleware around a service that sends requests.
//!
//! Knows the current trace and what of it the next service is told. Does not know servers. A
//! request goes out with the headers of its trace, inside a span of its own.

use crate::inject;
use crate::request as head_of;
use http::{Request, Response, Uri, request};
use logwell::{Context as Carried, LoggingContext};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;
use tracing::{Span, field};

type IsOurs = dyn Fn(&Uri) -> bool + Send + Sync;

/// A layer that sends each request in a span of its own, with the headers of the current trace:
/// `traceparent`, `tracestate`, `X-Trace-ID`, and `X-Request-ID` if the request that is being
/// handled came with one.
///
/// ```
/// let layer = logwell_tower::client().only_to(|uri| uri.host() == Some("orders.internal"));
/// # let _ = layer;
/// ```
///
/// The span has OpenTelemetry's fields: method, `url.full` without query and user,
/// `server.address`, status, and `error.type` for 4xx, 5xx, errors and cancelled requests. It ends
/// with the head of the response.
#[derive(Clone, Default)]
pub struct ClientLayer {
    is_ours: Option<Arc<IsOurs>>,
}

impl ClientLayer {
    /// Sends the headers of the trace only there, so that strangers learn no ids. Default:
    /// everywhere.
    #[must_use]
    pub fn only_to(self, is_ours: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        Self { is_ours: Some(Arc::new(is_ours)) }
    }
}

impl fmt::Debug for ClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Client<S>;

    fn layer(&self, inner: S) -> Client<S> {
        Client { inner, layer: self.clone() }
    }
}

/// A service inside the middleware; see [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct Client<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B, R> Service<Request<B>> for Client<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let (mut head, body) = request.into_parts();
        let span = span(&head);
        let (here, context) = span.in_scope(|| (Carried::capture(), LoggingContext::current()));
        let is_ours = self.layer.is_ours.as_ref().is_none_or(|is_ours| is_ours(&head.uri));
        if let Some(context) = context.filter(|_| is_ours) {
            let trace = context.trace_context();
            // Without a span the id would be that of somebody else.
            let trace = if span.is_disabled() { trace.map(|it| it.child()) } else { trace };
            inject::insert(&mut head.headers, &context, trace.as_ref());
        }
        let request = Request::from_parts(head, body);
        let inner = &mut self.inner;
        let future = here.run(|| inner.call(request));
        ResponseFuture { future: Some(future), here, span, has_ended: false }
    }
}

pin_project! {
    /// The future of a request that was sent; see [`ClientLayer`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // There until it is dropped.
        #[pin]
        future: Option<F>,
        here: Carried,
        span: Span,
        has_ended: bool,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if !*this.has_ended {
                this.span.record("error.type", "cancelled");
            }
            this.here.run(|| this.future.set(None));
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let polled = this.here.run(|| future.poll(cx));
        if let Poll::Ready(ready) = &polled {
            *this.has_ended = true;
            match ready {
                Ok(response) => {
                    let status = response.status();
                    this.span.record("http.response.status_code", i64::from(status.as_u16()));
                    if status.is_client_error() || status.is_server_error() {
                        this.span.record("error.type", status.as_str());
                        this.span.record("otel.status_code", "ERROR");
                    }
                }
                Err(_) => {
                    this.span.record("error.type", "request");
                    this.span.record("otel.status_code", "ERROR");
                }
            }
        }
        polled
    }
}

fn span(head: &request::Parts) -> Span {
    let (host, port) = head_of::host(&head.uri, &head.headers);
    let method = head_of::method(&head.method);
    tracing::info_span!(
        target: "http.client",
        "HTTP client request",
        otel.name = if method == "_OTHER" { "HTTP" } else { method },
        otel.kind = "client",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.request.method_original = head_of::original(&head.method),
        url.full = url(&head.uri),
        server.address = host,
        server.port = port,
        network.protocol.version = head_of::version(head.version),
        http.response.status_code = field::Empty,
        error.type = field::Empty,
    )
}

/// The address without user and query, which may hold secrets.
fn url(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    match uri.scheme_str() {
        Some(scheme) => format!("{scheme}://{host}{}", uri.path()),
        None => format!("{host}{}", uri.path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_without_user_and_query() {
        let of = |uri: &'static str| url(&Uri::from_static(uri));
        assert_eq!(of("https://bob:pw@a.b:81/x/y?token=z"), "https://a.b:81/x/y");
        assert_eq!(of("/x?y"), "/x");
    }
}
