//! Endpoint: a URL that batches are posted to, with the headers of every request.
//!
//! Knows the client and what it has to send along. Knows no format and no answer. In: a body; out:
//! the answer, or why there is none.

use crate::base::error::Error;
use crate::forward::ForwardSetup;
use crate::forward::delivery::Delivery;
use crate::forward::headers;
use crate::forward::http::{Answer, HttpClient, HttpOptions, MAX_ANSWER_BYTES, Post};
use crate::forward::outcome::Outcome;
use crate::forward::transport::Stop;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use logwell_options::problem::{ConfigProblem, Origin};
use logwell_options::secret::{Secret, SecretUrl};

/// Where batches are posted to, and what each request has.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    http: HttpClient,
    url: SecretUrl,
    headers: Vec<(String, Secret)>,
    max_answer_bytes: usize,
}

impl Endpoint {
    /// Nothing is connected yet.
    pub(super) fn new(url: SecretUrl, options: &HttpOptions) -> Result<Self, Error> {
        let (headers, max_answer_bytes) = (Vec::new(), MAX_ANSWER_BYTES);
        Ok(Self { http: HttpClient::new(options)?, url, headers, max_answer_bytes })
    }

    /// Sends one more header along.
    pub(super) fn header(mut self, name: &str, value: Secret) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }

    /// Sends the headers of that option along, written as [`headers::parse`] says.
    pub(super) fn headers(mut self, key: &str, given: &Secret) -> Result<Self, Error> {
        let parsed = headers::parse(given.reveal()).map_err(|problem| {
            let (key, problem, help) = (key.to_owned(), problem.to_owned(), String::new());
            Error::config(vec![ConfigProblem { origin: Origin::Code, key, problem, help }])
        });
        self.headers.extend(parsed?);
        Ok(self)
    }

    /// Sends user and password along, if there are any.
    pub(super) fn basic(self, user: &str, password: &Secret) -> Self {
        match user.is_empty() {
            true => self,
            false => {
                let pair = BASE64.encode(format!("{user}:{}", password.reveal()));
                self.header("authorization", Secret::new(format!("Basic {pair}")))
            }
        }
    }

    /// Sends a token along, if there is one.
    pub(super) fn bearer(self, token: &Secret) -> Self {
        match token.is_empty() {
            true => self,
            false => {
                self.header("authorization", Secret::new(format!("Bearer {}", token.reveal())))
            }
        }
    }

    /// Reads so much of an answer.
    pub(super) fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Where it posts, without what may be secret.
    pub(super) fn address(&self) -> String {
        self.url.to_string()
    }

    /// Posts a body; an outcome says why there is no answer.
    pub(super) fn post(&self, content_type: &str, body: &[u8]) -> Result<Answer, Outcome> {
        self.post_with(content_type, &[], body)
    }

    /// The same with headers of this request only.
    pub(super) fn post_with(
        &self,
        content_type: &str,
        more: &[(String, Secret)],
        body: &[u8],
    ) -> Result<Answer, Outcome> {
        let headers = [&self.headers, more].concat();
        let max_answer_bytes = self.max_answer_bytes;
        let post = Post { content_type, headers: &headers, body, max_answer_bytes };
        self.http.post(&self.url, &post).map_err(Outcome::from)
    }

    /// A text without what only the other side is to see.
    pub(super) fn scrub(&self, text: &str) -> String {
        let headers = self.headers.iter();
        headers.fold(self.url.scrub(text), |text, (_, value)| value.scrub_header(&text))
    }

    /// Ends the requests under way when the deadline has come.
    pub(super) fn end_with(&self, stop: &Stop) {
        let interrupted = self.http.clone();
        stop.at_deadline(move || interrupted.shutdown());
    }
}

/// How the client of a destination speaks HTTP.
pub(super) fn http_options(setup: &ForwardSetup<'_>, delivery: &Delivery) -> HttpOptions {
    HttpOptions {
        connect_timeout: delivery.connect_timeout,
        timeout: delivery.timeout,
        ..HttpOptions::from_config(&setup.forward.http)
    }
}

/// The URL with a path behind it, or as it is if it has that path already.
pub(super) fn with_path(url: &Secret, path: &str) -> SecretUrl {
    let (base, query) = url.reveal().split_once('?').unwrap_or((url.reveal(), ""));
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix(path).unwrap_or(base);
    let mark = if query.is_empty() { "" } else { "?" };
    SecretUrl::new(format!("{base}{path}{mark}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_behind_a_url_once_and_before_its_query() {
        for (given, expected) in [
            ("http://h", "http://h/v1/logs"),
            ("http://h/", "http://h/v1/logs"),
            ("http://h/otlp/", "http://h/otlp/v1/logs"),
            ("http://h/v1/logs", "http://h/v1/logs"),
            ("http://h/x?key=1", "http://h/x/v1/logs?key=1"),
        ] {
            assert_eq!(with_path(&Secret::new(given), "/v1/logs").reveal(), expected);
        }
    }
}
