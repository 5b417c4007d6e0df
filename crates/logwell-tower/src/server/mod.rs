//! Server: the middleware around a service that answers requests.
//!
//! Knows the order of things: trace, span, call, headers of the answer, body, access record. Each
//! of them has a file. A request goes in, and its response comes out with a body that is watched.

pub(crate) mod access;
mod address;
pub mod body;
pub(crate) mod cause;
mod facts;
pub mod future;
#[cfg(feature = "metrics")]
mod measure;
#[cfg(not(feature = "metrics"))]
#[path = "unmeasured.rs"]
mod measure;
pub(crate) mod options;
mod trace;

use crate::server::access::Access;
use crate::server::body::{RequestBody, ResponseBody};
use crate::server::facts::Facts;
use crate::server::future::ResponseFuture;
use crate::server::options::{Options, ServerLayer};
use http::{Request, Response};
use http_body::Body;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A service inside the middleware; see [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct Server<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S> Layer<S> for ServerLayer {
    type Service = Server<S>;

    fn layer(&self, inner: S) -> Server<S> {
        Server { inner, options: self.options() }
    }
}

impl<S, B, R> Service<Request<B>> for Server<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let options = Arc::clone(&self.options);
        let (head, body) = request.into_parts();
        let facts = Facts::of(&head, &options);
        let scope = trace::scope(&head, &facts, &options);
        let access = Access::begin(facts, scope, options);
        let body = RequestBody::new(body, access.request_bytes());
        let request = Request::from_parts(head, body);
        let is_caught = access.options().catches_panics;
        let inner = &mut self.inner;
        let future = future::caught(is_caught, || access.scope().run(|| inner.call(request)));
        ResponseFuture::new(future.ok(), access)
    }
}
