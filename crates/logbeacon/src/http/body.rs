//! Bodies: reads a request's body within bounds of size, memory and time.
//!
//! Knows HTTP's frames. What is unpacked, and how, is in `crate::body`.

use super::answer::Problem;
use crate::body::{BodyError, Encoding};
use crate::lanes::Place;
use crate::server::Server;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use std::time::Duration;

/// A body that was read, and its place in memory.
#[derive(Debug)]
pub(super) struct Packed {
    /// The bytes as they were sent.
    pub(super) bytes: Vec<u8>,
    /// How they are packed.
    pub(super) encoding: Encoding,
    /// Held until the request is done.
    pub(super) place: Place,
}

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is skipped of a body that is refused, so that its sender sees the answer: in bytes and
/// time.
const SKIPPED_BYTES: usize = 64 << 20;
const SKIPPING: Duration = Duration::from_secs(5);

/// Reads a body. One that is refused is read on for a while and thrown away: a sender that cannot
/// write to the end takes that for a broken connection, and tries again for ever.
pub(super) async fn read(
    server: &Server,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<Packed, Problem> {
    let packed = read_within(server, headers, &mut body).await;
    if packed.is_err() {
        let _in_time = tokio::time::timeout(SKIPPING, skip(&mut body)).await;
    }
    packed
}

async fn read_within(
    server: &Server,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Packed, Problem> {
    let max_bytes = server.settings.max_body_bytes;
    let encoding = encoding(headers)?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let declared: Option<usize> = text(header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
    if declared.is_some_and(|bytes| bytes > max_bytes) {
        return Err(BodyError::TooLarge(max_bytes).into());
    }
    // What is packed needs room for what it unpacks to.
    let needed = match (encoding, declared) {
        (Encoding::Identity, Some(bytes)) => bytes,
        _ => max_bytes,
    };
    let place = server.lanes.room(needed).await?;
    let reading = collect(body, max_bytes, declared.unwrap_or(0));
    let bytes = tokio::time::timeout(PATIENCE, reading).await.map_err(|_| {
        let reason = format!("the body took longer than {} s", PATIENCE.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", reason)
    })??;
    Ok(Packed { bytes, encoding, place })
}

async fn collect(body: &mut Body, max_bytes: usize, declared: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(declared);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad(format!("the body broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > max_bytes {
                return Err(BodyError::TooLarge(max_bytes).into());
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

async fn skip(body: &mut Body) {
    let mut left = SKIPPED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len());
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let name = match headers.get(header::CONTENT_ENCODING) {
        Some(value) => value.to_str().unwrap_or("?"),
        None => "",
    };
    Encoding::named(name).ok_or_else(|| {
        let reason = format!("the encoding {name:?} is unknown: use gzip, deflate, zstd or none");
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", reason)
    })
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(max_bytes) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {max_bytes} bytes, or would be when unpacked"),
            ),
            BodyError::Damaged(what) => {
                Self::bad(format!("the body is not packed as its header says: {what}"))
            }
        }
    }
}
