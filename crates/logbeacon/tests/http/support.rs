//! A server on a free port, and a client for it.

use logbeacon::serve::{Door, serve};
use logbeacon::server::{Server, Settings};
use logbeacon::token::{Scope, Token, Tokens};
use logbeacon_store::{
    AppendError, Bucket, Certificate, DeleteError, DeleteRequest, Device, Embedded, Found, Health,
    MinuteCount, Options, Producer, Record, RetentionRule, SearchError, SearchRequest, Store,
    Summary, SystemClock, Verdict,
};
use logwell_query::TimeRange;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The admin token of every test server.
pub(crate) const ADMIN: &str = "secret";

/// A running server; it ends when it is dropped.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) server: Arc<Server>,
    pub(crate) store: Arc<Faulty>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The rows of an answer of lines, and its summary.
    pub(crate) fn rows(&self) -> (Vec<Value>, Value) {
        assert_eq!(self.status, 200, "{}", self.body);
        let mut rows: Vec<Value> =
            self.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = rows.pop().unwrap()["_summary"].clone();
        assert!(summary.is_object(), "the last line is the summary");
        (rows, summary)
    }
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(dir.path().to_owned());
        change(&mut settings);
        let tokens = Arc::new(Tokens::open(dir.path(), Some(ADMIN)).unwrap());
        let (inner, _) = Embedded::open(dir.path().join("store"), Options::default()).unwrap();
        let store = Arc::new(Faulty { inner, fault: Mutex::new(None) });
        let kept: Arc<dyn Store> = Arc::clone(&store) as _;
        let clock = Box::new(SystemClock);
        let server = Arc::new(Server::new(settings, kept, tokens, clock).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let serving = serve(Arc::clone(&server), listener, Door { tls: None, stop: stopped });
        let thread = std::thread::spawn(move || runtime.block_on(serving));
        Self { url, server, store, stop, thread: Some(thread), _dir: dir }
    }

    /// Makes a token.
    pub(crate) fn token(&self, name: &str, scope: Scope, streams: &[&str]) -> String {
        let streams = match streams {
            [] => None,
            names => Some(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let (token, secret) = Token::create(name, &[scope], streams).unwrap();
        self.server.tokens.add(token).unwrap();
        secret
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[("authorization", "Bearer secret")], b"")
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Answer {
        let headers = [("authorization", "Bearer secret"), ("content-type", kind)];
        self.request("POST", path, &headers, body.as_ref())
    }

    /// Posts to `/api/logs`, and returns the receipt.
    pub(crate) fn logs(&self, body: &str) -> Value {
        self.post("/api/logs", "application/json", body).json()
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent().run(request.body(body).unwrap()).unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.body_mut().read_to_string().unwrap_or_default();
        Answer { status, headers, body }
    }

    /// Searches, and returns the records.
    pub(crate) fn search(&self, query: &str) -> Vec<Value> {
        let query = encoded(query);
        self.get(&format!("/api/v1/search?query={query}")).rows().0
    }

    /// A stream of server-sent events.
    pub(crate) fn events(&self, path: &str) -> Events {
        let response = agent()
            .get(format!("{}{path}", self.url))
            .header("authorization", "Bearer secret")
            .call()
            .unwrap();
        assert_eq!(response.status(), 200);
        let mut events = Events(BufReader::new(Box::new(response.into_body().into_reader())));
        // The first line says that the subscription is there.
        assert_eq!(events.line(), ": follows");
        events
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// Server-sent events as they come.
pub(crate) struct Events(BufReader<Box<dyn std::io::Read>>);

impl Events {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next event: its lines.
    pub(crate) fn next(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.line() {
                line if line.is_empty() && !lines.is_empty() => return lines,
                line if line.is_empty() || line.starts_with(':') => {}
                line => lines.push(line),
            }
        }
    }
}

/// A text for a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A store that fails on demand.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Embedded,
    pub(crate) fault: Mutex<Option<AppendError>>,
}

impl Store for Faulty {
    fn append(&self, batch: Vec<Record>) -> Result<Vec<Verdict>, AppendError> {
        match self.fault.lock().unwrap().clone() {
            Some(fault) => Err(fault),
            None => self.inner.append(batch),
        }
    }

    fn search(
        &self,
        request: &SearchRequest,
        sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Summary, SearchError> {
        self.inner.search(request, sink)
    }

    fn histogram(
        &self,
        request: &SearchRequest,
        step_ns: u64,
    ) -> Result<(Vec<Bucket>, Summary), SearchError> {
        self.inner.histogram(request, step_ns)
    }

    fn statistics(&self, range: TimeRange) -> Vec<MinuteCount> {
        self.inner.statistics(range)
    }

    fn devices(&self) -> Vec<Device> {
        self.inner.devices()
    }

    fn field_names(&self) -> Vec<String> {
        self.inner.field_names()
    }

    fn producers(&self, range: TimeRange) -> Result<(Vec<Producer>, Summary), SearchError> {
        self.inner.producers(range)
    }

    fn delete(&self, request: &DeleteRequest) -> Result<Certificate, DeleteError> {
        self.inner.delete(request)
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.inner.certificates()
    }

    fn set_retention(&self, rules: &[RetentionRule]) -> Result<(), DeleteError> {
        self.inner.set_retention(rules)
    }

    fn retention(&self) -> Vec<RetentionRule> {
        self.inner.retention()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn generation(&self) -> u64 {
        self.inner.generation()
    }
}
