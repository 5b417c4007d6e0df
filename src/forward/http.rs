//! HttpClient: POST with deadlines and bounds: the only file that names `ureq` and `flate2`.
//!
//! Knows HTTP. Knows no message format and no destination. Every wait has a deadline, every answer
//! a bound, and no secret is in any error.

pub use super::answer::Answer;
use super::answer::Raw;
pub use super::post::Post;
use super::retry_after::parse_retry_after;
pub use super::status::classify;
pub(super) use super::status::shorten;
use crate::base::error::{Error, ErrorKind};
use crate::base::threads;
use crate::forward::options::HttpConfig;
use crate::forward::outcome::Outcome;
use flate2::{Compression, write::GzEncoder};
use logwell_options::problem::{ConfigProblem, Origin};
use logwell_options::secret::{Secret, SecretUrl};
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use tracing::dispatcher::{Dispatch, with_default};
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout, time};

/// Sends POST requests and keeps the connection for the next one. Clones share it.
///
/// It follows no redirect, reads no proxy from the environment and at most [`MAX_ANSWER_BYTES`] of
/// an answer. TLS is verified against the public roots and those of [`HttpOptions::ca_file`].
///
/// ```no_run
/// use logwell::config::SecretUrl;
/// use logwell::forward::{HttpClient, HttpOptions, Outcome, classify};
///
/// let client = HttpClient::new(&HttpOptions::default())?;
/// let url = SecretUrl::new("https://logs.example.com/in?key=hunter2");
/// match client.post_json(&url, &[], b"{}") {
///     Ok(answer) => assert_eq!(classify(&answer), Outcome::Delivered),
///     Err(error) => println!("{url}: {error}"), // the key is not in it
/// }
/// # Ok::<(), logwell::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpClient {
    agent: Agent,
    gzip: bool,
}

/// How an [`HttpClient`] speaks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// How long a connection may take, TLS included. 10 s by default.
    pub connect_timeout: Duration,
    /// How long a request may take in all, from the name's look-up to the end of the answer. 30 s
    /// by default.
    pub timeout: Duration,
    /// The proxy: `http://user:password@host:port`. The environment is not asked.
    pub proxy: Option<Secret>,
    /// A file of PEM certificates that are trusted too.
    pub ca_file: Option<PathBuf>,
    /// Whether bodies of 1 KiB and more are compressed. Off by default.
    pub gzip: bool,
}

impl HttpOptions {
    /// The defaults, with the proxy and certificates of that section.
    #[must_use]
    pub fn from_config(config: &HttpConfig) -> Self {
        let given = |text: &String| (!text.is_empty()).then(|| PathBuf::from(text));
        Self {
            proxy: (!config.proxy.is_empty()).then(|| config.proxy.clone()),
            ca_file: given(&config.ca_file),
            ..Self::default()
        }
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            proxy: None,
            ca_file: None,
            gzip: false,
        }
    }
}

/// Why there is no answer. Its text has no secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    why: String,
}

impl HttpError {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for Outcome {
    /// Whatever kept an answer from coming may pass: to be tried again.
    fn from(error: HttpError) -> Self {
        Self::retry(error.why)
    }
}

/// So much of an answer is read.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Shorter bodies are not worth compressing.
const GZIP_FROM_BYTES: usize = 1024;

impl HttpClient {
    /// Makes a client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The proxy is no URL, or `ca_file` cannot be read or holds no certificate.
    pub fn new(options: &HttpOptions) -> Result<Self, Error> {
        let proxy = match &options.proxy {
            Some(proxy) => Some(ureq::Proxy::new(proxy.reveal()).map_err(|_| bad_proxy())?),
            None => None,
        };
        let mut tls = TlsConfig::builder();
        if let Some(path) = &options.ca_file {
            let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            let public = public.map(|der| Certificate::from_der(der.as_ref()));
            let all: Vec<_> = certificates(path)?.into_iter().chain(public).collect();
            tls = tls.root_certs(RootCerts::new_with_certs(&all));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .proxy(proxy)
            .timeout_connect(Some(options.connect_timeout))
            .timeout_global(Some(options.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_ANSWER_BYTES)
            .user_agent(concat!("logwell/", env!("CARGO_PKG_VERSION")))
            .build();
        let look_up = LookUp { start: on_a_thread };
        let agent = Agent::with_parts(config, DefaultConnector::default(), look_up);
        Ok(Self { agent, gzip: options.gzip })
    }

    /// Posts a JSON body. Blocks until there is an answer, at most as long as `timeout` says.
    ///
    /// # Errors
    ///
    /// There was no answer: no connection, no trust, no time, no HTTP; or the client was shut down.
    pub fn post_json(
        &self,
        url: &SecretUrl,
        headers: &[(String, Secret)],
        body: &[u8],
    ) -> Result<Answer, HttpError> {
        let max_answer_bytes = MAX_ANSWER_BYTES;
        self.post(url, &Post { content_type: "application/json", headers, body, max_answer_bytes })
    }

    /// Posts a body of any kind. Blocks until there is an answer, at most as long as `timeout`
    /// says.
    ///
    /// # Errors
    ///
    /// There was no answer: no connection, no trust, no time, no HTTP; or the client was shut down.
    pub fn post(&self, url: &SecretUrl, post: &Post<'_>) -> Result<Answer, HttpError> {
        // What ureq logs may hold the path: nobody is to see it.
        let result = with_default(&Dispatch::none(), || self.exchange(url, post));
        // Of the proxy's answers nothing is reported.
        let scrub = |text: &str| {
            let headers = post.headers.iter();
            headers.fold(url.scrub(text), |text, (_, value)| value.scrub_header(&text))
        };
        match result {
            Ok(answer) => Ok(Answer { body_start: scrub(&answer.body_start), ..answer }),
            Err(error) => Err(HttpError::new(scrub(&error.why))),
        }
    }

    /// Interrupts the requests under way, of all clones, at once and for good. Name look-ups and
    /// connections in the making end by their timeouts.
    pub fn shutdown(&self) {
        self.agent.clone().shutdown();
    }

    fn exchange(&self, url: &SecretUrl, post: &Post<'_>) -> Result<Answer, HttpError> {
        let Post { content_type, headers, body, max_answer_bytes } = *post;
        let mut request = self.agent.post(url.reveal()).content_type(content_type);
        for (name, value) in headers {
            request = request.header(name.as_str(), value.reveal());
        }
        let compressed = self.gzip && body.len() >= GZIP_FROM_BYTES;
        let sent = match compressed.then(|| compress(body)).flatten() {
            Some(body) => request.header("content-encoding", "gzip").send(&body[..]),
            None => request.send(body),
        };
        let mut answer = sent.map_err(|error| HttpError::new(reason(error)))?;
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(parse_retry_after);
        let status = answer.status().as_u16();
        // The status says it all: what breaks off after it changes nothing.
        let mut body = Vec::new();
        let mut reader = answer.body_mut().as_reader().take(max_answer_bytes as u64);
        let _broken_off = reader.read_to_end(&mut body);
        let start = body.get(..body.len().min(MAX_ANSWER_BYTES)).unwrap_or_default();
        let body_start = String::from_utf8_lossy(start).into_owned();
        let headers = answer.headers().iter();
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        let raw = Raw { headers: headers.collect(), body };
        Ok(Answer { status, retry_after, body_start, address: url.to_string(), raw })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("gzip", &self.gzip).finish_non_exhaustive()
    }
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Why a request has failed, without what ureq would show of the URL.
fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "the URL cannot be used".to_owned(),
        ureq::Error::RequireHttpsOnly(_) => "the URL is not https".to_owned(),
        ureq::Error::ConnectProxyFailed(_) => {
            "the proxy refuses to connect; check the proxy".to_owned()
        }
        ureq::Error::Timeout(what) => format!("no answer in time ({what})"),
        ureq::Error::HostNotFound => {
            "the host is unknown; check the URL and the name server".to_owned()
        }
        error => with_advice(error.to_string()),
    }
}

/// A certificate that is not trusted reaches us as a text only.
fn with_advice(text: String) -> String {
    match text.contains("certificate") {
        true => format!("{text}; check the server's certificate and the option ca_file"),
        false => text,
    }
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let help = "set forward.http.ca_file to a file of PEM certificates";
    let fail = |source| Error::path("read the certificates in", path, source, help);
    let pem = std::fs::read(path).map_err(fail)?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(fail(io::Error::other("it is not PEM"))),
        }
    }
    match found.is_empty() {
        true => Err(fail(io::Error::other("it holds no certificate"))),
        false => Ok(found),
    }
}

fn bad_proxy() -> Error {
    ErrorKind::Config(vec![ConfigProblem {
        origin: Origin::Code,
        key: "forward.http.proxy".to_owned(),
        problem: "is not a proxy URL".to_owned(),
        help: "write it as http://host:port or http://user:password@host:port".to_owned(),
    }])
    .into()
}

/// Looks names up on a thread, which may be left alone at the deadline. ureq does so too, but
/// panics if there can be none.
#[derive(Debug)]
struct LookUp {
    start: fn(Work) -> io::Result<()>,
}

type Work = Box<dyn FnOnce() + Send>;

fn on_a_thread(work: Work) -> io::Result<()> {
    let thread = threads::spawn("logwell-look-up", work).map_err(|error| {
        let text = format!("cannot start the thread logwell-look-up: {error}");
        io::Error::new(error.kind(), text)
    });
    thread.map(drop)
}

impl Resolver for LookUp {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let at_leisure = NextTimeout { after: time::Duration::NotHappening, ..timeout };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse::<IpAddr>().is_ok() {
            return DefaultResolver::default().resolve(uri, config, at_leisure);
        }
        let (uri, config) = (uri.clone(), config.clone());
        let (sender, answer) = mpsc::sync_channel(1);
        (self.start)(Box::new(move || {
            let found = DefaultResolver::default().resolve(&uri, &config, at_leisure);
            let _nobody_waits = sender.send(found);
        }))?;
        let late = |_| Err(ureq::Error::Timeout(timeout.reason));
        answer.recv_timeout(*timeout.after).unwrap_or_else(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_thread_a_name_is_not_found_and_an_address_is() {
        let no_thread = LookUp { start: |_| Err(io::ErrorKind::WouldBlock.into()) };
        let look_up = |host: &str| {
            let uri = format!("http://{host}:80/in").parse().unwrap();
            no_thread.resolve(&uri, &Config::default(), NextTimeout::default())
        };
        assert!(matches!(look_up("localhost"), Err(ureq::Error::Io(_))));
        assert!(look_up("127.0.0.1").is_ok() && look_up("[::1]").is_ok());
    }
}
