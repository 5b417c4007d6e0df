//! Facts: what is known of a request before it is handled.
//!
//! Knows the head of the request and the options. Does not know traces, nor what comes of the
//! request.

use crate::request as head_of;
use crate::server::address;
use crate::server::measure::Labels;
use crate::server::options::Options;
use http::header::USER_AGENT;
use http::{Method, request};
use std::borrow::Cow;

/// What is known of a request before it is handled.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) scheme: Cow<'static, str>,
    pub(crate) route: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<i64>,
    pub(crate) client: Option<String>,
    pub(crate) version: Option<&'static str>,
    pub(crate) user_agent: Option<String>,
    /// Those headers that are wanted, as pairs.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether only a failure is worth a record.
    pub(crate) is_skipped: bool,
}

impl Facts {
    pub(crate) fn of(head: &request::Parts, options: &Options) -> Self {
        let (host, port) = head_of::host(&head.uri, &head.headers);
        let user_agent = head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let path = head.uri.path();
        let wanted = options.headers.iter().filter_map(|name| {
            let values = head.headers.get_all(name).into_iter();
            let values: Vec<_> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            let name = format!("http.request.header.{name}");
            (!values.is_empty()).then(|| (name, values.join(", ")))
        });
        Self {
            method: head.method.clone(),
            path: path.to_owned(),
            query: head.uri.query().filter(|_| options.has_query).map(str::to_owned),
            scheme: scheme(head),
            route: route(head, options),
            host: host.map(str::to_owned),
            port,
            client: address::client(head, options.client_address).map(|it| it.to_string()),
            version: head_of::version(head.version),
            user_agent: user_agent.map(str::to_owned),
            headers: wanted.collect(),
            is_skipped: options.skips.contains(path),
        }
    }

    /// What of it is a label of metrics.
    pub(crate) fn labels(&self) -> Labels<'_> {
        Labels {
            method: head_of::method(&self.method),
            route: self.route.as_deref().unwrap_or_default(),
            scheme: &self.scheme,
            is_skipped: self.is_skipped,
        }
    }

    /// The name that a span should have: the method and the route, never the path.
    pub(crate) fn name(&self) -> String {
        match (head_of::method(&self.method), &self.route) {
            ("_OTHER", None) => "HTTP".to_owned(),
            ("_OTHER", Some(route)) => format!("HTTP {route}"),
            (method, None) => method.to_owned(),
            (method, Some(route)) => format!("{method} {route}"),
        }
    }
}

fn scheme(head: &request::Parts) -> Cow<'static, str> {
    match head.uri.scheme_str() {
        None | Some("http") => Cow::Borrowed("http"),
        Some("https") => Cow::Borrowed("https"),
        Some(other) => Cow::Owned(other.to_owned()),
    }
}

fn route(head: &request::Parts, options: &Options) -> Option<String> {
    if let Some(route) = &options.route {
        return route(head);
    }
    #[cfg(feature = "axum")]
    if let Some(matched) = head.extensions.get::<axum::extract::MatchedPath>() {
        return Some(matched.as_str().to_owned());
    }
    None
}
