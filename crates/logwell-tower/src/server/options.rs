//! Options: whom the server's layer believes, and what it writes.
//!
//! Knows what can be chosen, and the defaults. Does not act on any of it.

use crate::server::measure::Measure;
use http::{HeaderName, request};
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;

/// A layer that gives each request a trace, a span and one access record.
///
/// ```
/// use std::time::Duration;
///
/// let layer = logwell_tower::server()
///     .skip(["/health", "/metrics"])
///     .slow(Duration::from_secs(2))
///     .headers(["content-type"]);
/// # let _ = layer;
/// ```
///
/// With axum give it to `Router::layer` after the routes: then the route of each request is known.
#[derive(Debug, Clone, Default)]
pub struct ServerLayer(Options);

/// A header that a caller may set the trace of its request by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TraceHeader {
    /// `traceparent`, and `tracestate` with it (W3C Trace Context, level 2).
    Traceparent,
    /// `X-Trace-ID`: any text, used if there is no valid `traceparent`.
    XTraceId,
    /// `X-Request-ID`: any text; a field `request_id` of all records, passed on as it came.
    XRequestId,
}

/// What becomes of the trace that a caller brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Restart {
    /// It goes on.
    #[default]
    Never,
    /// A new trace begins. For a public edge, where callers are not to choose ids.
    NewTrace,
    /// A new trace begins, and the access record has the caller's as `link.trace_id` and
    /// `link.span_id`.
    NewTraceWithLink,
}

/// Which address is that of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAddress {
    /// None is written: an address says who somebody is.
    #[default]
    Off,
    /// The other end of the connection: axum's `ConnectInfo`, or [`PeerAddress`].
    Peer,
    /// What so many trusted proxies say, counted from this server: with 1 the last entry of
    /// `X-Forwarded-For`, which your own proxy has added. The peer if there are fewer entries.
    Forwarded {
        /// How many proxies of your own a request passes.
        hops: usize,
    },
}

/// The other end of the connection, for servers other than axum's: put it into the extensions of
/// the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

type RouteOf = dyn Fn(&request::Parts) -> Option<String> + Send + Sync;

/// What was chosen.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) trusts: BTreeSet<TraceHeader>,
    pub(crate) restart: Restart,
    pub(crate) client_address: ClientAddress,
    pub(crate) route: Option<Arc<RouteOf>>,
    pub(crate) slow: Option<Duration>,
    pub(crate) skips: BTreeSet<String>,
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) has_query: bool,
    pub(crate) has_server_timing: bool,
    pub(crate) catches_panics: bool,
    pub(crate) level: Level,
    pub(crate) measure: Measure,
}

impl Default for Options {
    fn default() -> Self {
        use TraceHeader::{Traceparent, XRequestId, XTraceId};
        Self {
            trusts: [Traceparent, XTraceId, XRequestId].into(),
            restart: Restart::Never,
            client_address: ClientAddress::Off,
            route: None,
            slow: None,
            skips: BTreeSet::new(),
            headers: Vec::new(),
            has_query: false,
            has_server_timing: false,
            catches_panics: true,
            level: Level::INFO,
            measure: Measure::global(),
        }
    }
}

impl ServerLayer {
    pub(crate) fn options(&self) -> Arc<Options> {
        Arc::new(self.0.clone())
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.0);
        self
    }

    /// Believes these headers and no others. Default: all three.
    #[must_use]
    pub fn trust(self, headers: impl IntoIterator<Item = TraceHeader>) -> Self {
        self.with(|options| options.trusts = headers.into_iter().collect())
    }

    /// Begins a new trace for each request, whatever the caller says: for a public edge, where
    /// callers are not to choose trace ids. Their `X-Request-ID` is ignored too. Default:
    /// [`Restart::Never`].
    #[must_use]
    pub fn untrusted_peers(self, restart: Restart) -> Self {
        self.with(|options| options.restart = restart)
    }

    /// Writes that address of the client. Default: [`ClientAddress::Off`].
    #[must_use]
    pub fn client_address(self, address: ClientAddress) -> Self {
        self.with(|options| options.client_address = address)
    }

    /// Asks there for the route of a request, such as `/orders/{id}`. Default: axum's `MatchedPath`
    /// with the feature `axum`, else none. Never give it the path: each path would be a series of
    /// its own.
    #[must_use]
    pub fn route(
        self,
        route: impl Fn(&request::Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let route: Arc<RouteOf> = Arc::new(route);
        self.with(|options| options.route = Some(route))
    }

    /// Marks requests that take as long or longer by `slow`, and writes them at WARN. Default:
    /// none.
    #[must_use]
    pub fn slow(self, from: Duration) -> Self {
        self.with(|options| options.slow = Some(from))
    }

    /// Writes no access record for these paths, and does not measure them, unless they fail.
    #[must_use]
    pub fn skip<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.with(|options| options.skips = paths.into_iter().map(Into::into).collect())
    }

    /// Adds these headers of the request to the access record, as `http.request.header.<name>`.
    /// Those that hold secrets, such as `authorization`, are masked. Names that no header can have
    /// are left out.
    #[must_use]
    pub fn headers<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().filter_map(|name| name.as_ref().parse().ok());
        self.with(|options| options.headers = names.collect())
    }

    /// Adds `url.query` to the access record, with secrets masked. Default: no.
    #[must_use]
    pub fn query(self, yes: bool) -> Self {
        self.with(|options| options.has_query = yes)
    }

    /// Answers with `Server-Timing: trace;desc=…` too, which scripts of a page can read. Default:
    /// no.
    #[must_use]
    pub fn server_timing(self, yes: bool) -> Self {
        self.with(|options| options.has_server_timing = yes)
    }

    /// Answers a panic with an empty 500 instead of closing the connection. Default: yes. The panic
    /// is recorded by logwell's hook either way, at CRITICAL, with the request's trace.
    #[must_use]
    pub fn catch_panics(self, yes: bool) -> Self {
        self.with(|options| options.catches_panics = yes)
    }

    /// Measures into that registry. Default: [`logwell::metrics::global`].
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(self, registry: logwell::metrics::Registry) -> Self {
        self.with(|options| options.measure = Measure::into_registry(registry))
    }

    /// Writes access records at that level, if nothing is wrong. Default: INFO. A slow or cancelled
    /// request is at WARN, one that fails (5xx, panic) at ERROR.
    #[must_use]
    pub fn access_level(self, level: Level) -> Self {
        self.with(|options| options.level = level)
    }
}

impl Options {
    pub(crate) fn trusts(&self, header: TraceHeader) -> bool {
        self.trusts.contains(&header)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("restart", &self.restart).finish_non_exhaustive()
    }
}
