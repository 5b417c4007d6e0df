//! Answer: what the other side has answered to a request.
//!
//! Plain data. Knows which part of it may be shown: the text is masked, what is raw is not shown at
//! all. Knows no request; what an answer means is decided by who has asked.

use std::fmt;
use std::time::Duration;

/// What the other side has answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long it wants to be left alone (`Retry-After`), at most a day.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, at most [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES). The URL
    /// and the values of the headers that were sent are masked, should they be repeated there.
    pub body_start: String,
    pub(super) raw: Raw,
}

/// An answer as it came: it may repeat secrets, so that it is not shown.
#[derive(Clone, Default)]
pub(super) struct Raw {
    /// By their names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An answer that nobody gave, for tests.
    #[cfg(test)]
    pub(super) fn of(status: u16, body: &str) -> Self {
        let raw = Raw { headers: Vec::new(), body: body.as_bytes().to_vec() };
        Self { status, retry_after: None, body_start: body.to_owned(), raw }
    }

    /// The body as it came, at most [`Post::max_answer_bytes`](super::Post::max_answer_bytes). It
    /// may repeat what was sent, secrets included: read numbers and codes out of it, and show none
    /// of it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.raw.body
    }

    /// The header of that name in lower case, as it came; of several the first.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.body.len())
    }
}
