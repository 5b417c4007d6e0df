//! Body: that of a request and that of its response, watched while they pass.
//!
//! Knows bytes and ends. Does not know what becomes of the numbers. Frames go through unchanged;
//! what has passed, and how it ended, is reported.

use crate::server::access::{Access, End};
use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

pin_project! {
    /// The body of a request, whose bytes are counted as the handler reads them.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        passed_bytes: Arc<AtomicU64>,
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn new(inner: B, passed_bytes: Arc<AtomicU64>) -> Self {
        Self { inner, passed_bytes }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.passed_bytes.fetch_add(data.remaining() as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

pin_project! {
    /// The body of a response; its end is the end of the request.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // None for the empty answer to a panic.
        #[pin]
        inner: Option<B>,
        // None once it has ended.
        access: Option<Access>,
    }
}

impl<B: Body> ResponseBody<B> {
    /// The body of a response whose head is known.
    pub(crate) fn new(inner: B, mut access: Access) -> Self {
        let has_ended = inner.is_end_stream();
        if has_ended {
            access.end(End::Complete);
        }
        Self { inner: Some(inner), access: (!has_ended).then_some(access) }
    }

    /// The empty body that answers a panic.
    pub(crate) fn empty() -> Self {
        Self { inner: None, access: None }
    }
}

impl<B: Body> Body for ResponseBody<B>
where
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(mut inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        let Some(access) = this.access else { return inner.poll_frame(cx) };
        let polled = access.scope().run(|| inner.as_mut().poll_frame(cx));
        let end = match &polled {
            Poll::Pending => None,
            Poll::Ready(None) => Some(End::Complete),
            Poll::Ready(Some(Err(error))) => Some(End::Failed(error.to_string())),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    access.grpc(trailers);
                }
                let is_all = access.sent(frame.data_ref().map_or(0, bytes::Buf::remaining));
                // Nothing comes after trailers, and nobody asks.
                let is_all = is_all || frame.is_trailers();
                (is_all || inner.is_end_stream()).then_some(End::Complete)
            }
        };
        if let Some(end) = end {
            access.end(end);
            *this.access = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
