//! Post: what is posted in one request.
//!
//! Plain data. Knows no URL and no client.

use logwell_options::secret::Secret;

/// A request: what is posted.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// What the body is, such as `application/json`.
    pub content_type: &'a str,
    /// More headers. Their values are masked wherever the answer repeats them.
    pub headers: &'a [(String, Secret)],
    /// The body.
    pub body: &'a [u8],
    /// So much of the answer is read; [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES) will mostly do.
    pub max_answer_bytes: usize,
}
