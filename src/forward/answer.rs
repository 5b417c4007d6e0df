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
    /// How long it wants to be left alone (`Retry-After`), at most an hour.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, at most [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES). The URL
    /// and the values of the headers that were sent are masked, should they be repeated there.
    pub body_start: String,
    /// Who has answered: of the URL what is no secret.
    pub(super) address: String,
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
        let address = "https://logs.example.com/…".to_owned();
        Self { status, retry_after: None, body_start: body.to_owned(), address, raw }
    }

    /// The same with one more header.
    #[cfg(test)]
    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.raw.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether it is a web page: by its beginning, or by its type and a tag. The type alone proves
    /// nothing: scripts label a plain `ok` as HTML.
    pub(super) fn is_page(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default().trim().to_ascii_lowercase();
        let is_html = ["text/html", "application/xhtml+xml"].iter().any(|it| kind.starts_with(it));
        let body = self.body_start.trim_start_matches('\u{feff}').trim_start();
        let begins = |tag: &str| {
            let start = body.as_bytes().get(..tag.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
        };
        begins("<!doctype html") || begins("<html") || (is_html && body.contains('<'))
    }

    /// What a person is told of a page where a log server was expected.
    pub(super) fn page_problem(&self) -> String {
        let Self { status, address, .. } = self;
        format!(
            "HTTP status {status} with a web page: a page has answered instead of a log server at \
             {address}; check the URL, and whether a sign-in page or a portal is in the way"
        )
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
