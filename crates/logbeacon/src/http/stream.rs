//! Streams: bodies that are made while they are sent.
//!
//! Knows channels and HTTP bodies. Does not know what is sent. Whoever makes the body runs on a
//! thread that may wait; it waits while the reader is slow, and learns when the reader has gone.

use super::answer::{Problem, typed};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use logbeacon_store::Cancel;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// Bytes that go out together.
const CHUNK_BYTES: usize = 32 << 10;
/// Chunks that wait for the reader.
const CHUNKS: usize = 4;
/// How long a reader may take nothing. A search is not held open for somebody who does not read.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the body is written.
#[derive(Debug)]
pub(super) struct Writer {
    chunks: mpsc::Sender<Result<Bytes, Problem>>,
    runtime: Handle,
    /// What is to go out next.
    pub(super) buffer: Vec<u8>,
}

/// What becomes the answer.
#[derive(Debug)]
pub(super) struct Reader {
    chunks: mpsc::Receiver<Result<Bytes, Problem>>,
}

/// A body's two ends. Call it on the runtime.
pub(super) fn pipe() -> (Writer, Reader) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let writer = Writer { chunks: sender, runtime: Handle::current(), buffer: Vec::new() };
    (writer, Reader { chunks: receiver })
}

impl Writer {
    /// Sends what is in the buffer if it is enough for a chunk. Breaks when the reader has gone.
    pub(super) fn flow(&mut self) -> ControlFlow<()> {
        if self.buffer.len() < CHUNK_BYTES { ControlFlow::Continue(()) } else { self.flush() }
    }

    /// Sends what is in the buffer.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        self.send(Ok(bytes))
    }

    /// Says that there is no answer. After the first chunk the body breaks off, which a reader sees
    /// as an error.
    pub(super) fn fail(&mut self, problem: Problem) {
        let _gone = self.send(Err(problem));
    }

    fn send(&self, chunk: Result<Bytes, Problem>) -> ControlFlow<()> {
        let sending = self.chunks.send_timeout(chunk, PATIENCE);
        match self.runtime.block_on(sending) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Reader {
    /// The answer: a failure if that comes first, else a body. `cancel` is set when the reader
    /// goes.
    pub(super) async fn respond(mut self, kind: &'static str, cancel: Cancel) -> Response {
        let guard = CancelOnDrop(cancel);
        let first = match self.chunks.recv().await {
            Some(Ok(first)) => first,
            Some(Err(problem)) => return problem.into_response(),
            None => return Problem::fault("the answer broke off").into_response(),
        };
        let rest = ReceiverStream::new(self.chunks);
        let chunks = tokio_stream::once(Ok(first)).chain(rest).map(move |chunk| {
            let _until_the_body_ends = &guard;
            chunk.map_err(|problem| std::io::Error::other(problem.reason))
        });
        typed(StatusCode::OK, kind, Body::from_stream(chunks))
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
