//! ResponseFuture: a request that is being handled.
//!
//! Knows how a handler can end: with a response, an error, a panic, or not at all. Does not know
//! what is recorded. The handler's response comes out with the headers of its trace and a body that
//! is watched.

use crate::inject::{REQUEST_ID, X_REQUEST_ID, X_TRACE_ID};
use crate::server::access::{Access, End};
use crate::server::body::ResponseBody;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pin_project! {
    /// The future of a request; see [`ServerLayer`](crate::ServerLayer).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // None if the call panicked, and at the end.
        #[pin]
        future: Option<F>,
        // None when the response has it.
        access: Option<Access>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // What a cancelled handler still holds may log.
            let mut this = this.project();
            if let Some(access) = this.access {
                access.scope().run(|| this.future.set(None));
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(future: Option<F>, access: Access) -> Self {
        Self { future, access: Some(access) }
    }
}

/// That a panic was caught; logwell's hook has recorded it.
#[derive(Debug)]
pub(crate) struct Panicked;

/// Does the work, and catches its panic if that is wanted.
pub(crate) fn caught<T>(is_wanted: bool, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    if !is_wanted {
        return Ok(work());
    }
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: fmt::Display,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(access) = this.access.as_mut() else { return Poll::Pending };
        let is_caught = access.options().catches_panics;
        let polled = match this.future.as_mut().as_pin_mut() {
            Some(future) => caught(is_caught, || access.scope().run(|| future.poll(cx))),
            None => Err(Panicked),
        };
        let ready = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(ready)) => Ok(ready),
            Err(panicked) => Err(panicked),
        };
        let Some(mut access) = this.access.take() else { return Poll::Pending };
        Poll::Ready(match ready {
            Ok(Ok(response)) => {
                let (mut head, body) = response.into_parts();
                tell(&mut head.headers, &access);
                access.head(&head);
                Ok(Response::from_parts(head, ResponseBody::new(body, access)))
            }
            Ok(Err(error)) => {
                access.end(End::Failed(error.to_string()));
                Err(error)
            }
            Err(Panicked) => {
                access.status(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = Response::new(ResponseBody::empty());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                tell(response.headers_mut(), &access);
                access.end(End::Panicked);
                Ok(response)
            }
        })
    }
}

/// Tells the client which trace it was, unless the handler has.
fn tell(headers: &mut HeaderMap, access: &Access) {
    let ids = &access.scope().ids;
    let mut add = |name: HeaderName, value: Option<String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.entry(name).or_insert(value);
        }
    };
    add(X_TRACE_ID, ids.get_trace_id());
    add(X_REQUEST_ID, ids.get(REQUEST_ID));
    let trace = ids.trace_context().filter(|_| access.options().has_server_timing);
    let timing = trace.map(|trace| format!("trace;desc={}", trace.to_traceparent()));
    if let Some(timing) = timing.and_then(|timing| HeaderValue::try_from(timing).ok()) {
        headers.append(SERVER_TIMING, timing);
    }
}
