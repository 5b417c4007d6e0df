//! Authentication: who a request is from, and whether it may use the route.
//!
//! Knows headers, tokens and sessions. Does not know what routes do. A request that comes from a
//! page must come from our own page.

use super::answer::Problem;
use super::routes::Right;
use crate::metrics::Event;
use crate::server::Server;
use crate::token::{Grant, Scope};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where a connection is from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who a request is from: what its token or session allows.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Grant>);

/// Lets a request pass that has the right, and says no to all others.
pub async fn check(
    server: Arc<Server>,
    right: Right,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(problem) = same_origin(request.headers(), request.method()) {
        return problem.into_response();
    }
    let scope = match right {
        Right::Anyone => return next.run(request).await,
        Right::Ingest => Scope::Ingest,
        Right::Read => Scope::Read,
        Right::Admin => Scope::Admin,
    };
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let Some(grant) = caller(&server, request.headers()) else {
        return unauthorized(&server, peer).into_response();
    };
    if !grant.allows(scope) {
        server.metrics.count(Event::ForbiddenRequest);
        let name = &grant.name;
        let reason =
            format!("the token {name:?} does not allow this: it needs the scope {scope:?}");
        let reason = reason.to_lowercase();
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", reason).into_response();
    }
    request.extensions_mut().insert(Caller(Arc::new(grant)));
    next.run(request).await
}

/// What the request's token or session allows.
pub fn caller(server: &Server, headers: &HeaderMap) -> Option<Grant> {
    match secret(headers) {
        Some(secret) => server.tokens.grant(&secret),
        None => server.sessions.grant(&cookie(headers)?),
    }
}

/// The token in `Authorization`: `Bearer TOKEN`; for clients that know no tokens, the password of
/// `Basic`; for Elasticsearch's, the key of `ApiKey`; for Splunk's, `Splunk TOKEN`. Datadog's send
/// it as `DD-API-KEY`.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Some(headers.get("dd-api-key")?.to_str().ok()?.to_owned());
    };
    let value = value.to_str().ok()?;
    let (scheme, credentials) = value.trim().split_once(' ')?;
    let credentials = credentials.trim();
    let pair = || String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "splunk" => Some(credentials.to_owned()),
        "basic" | "apikey" => pair()?.split_once(':').map(|(_, secret)| secret.to_owned()),
        _ => None,
    }
}

/// The name of the cookie of a session.
pub const COOKIE: &str = "logbeacon_session";

/// The key of the session that the request's cookie names.
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// The answer to somebody whom nothing names; it is counted, and slows down who tries tokens.
pub fn unauthorized(server: &Server, peer: Option<IpAddr>) -> Problem {
    server.metrics.count(Event::Unauthorized);
    if !server.failures.allow(peer) {
        return Problem::busy("too many requests without a token that is known", 10);
    }
    let reason =
        "send the header `Authorization: Bearer TOKEN`; `logbeacon token create` makes one";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", reason)
}

/// Refuses what another site's page has sent. Programs send no `Origin`, and pages cannot forge it.
fn same_origin(headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(HeaderValue::to_str);
    let is_ours = match text("origin") {
        Some(Ok(origin)) => match (origin.split_once("://"), text("host")) {
            (Some((_, site)), Some(Ok(host))) => site.eq_ignore_ascii_case(host),
            _ => false,
        },
        Some(Err(_)) => false,
        // A browser that leaves `Origin` out of a cross-site request still says so here.
        None => match text("sec-fetch-site") {
            Some(Ok("cross-site")) => *method == Method::GET && !has_cookie(headers),
            _ => true,
        },
    };
    match is_ours {
        true => Ok(()),
        false => {
            let reason = "this request is from a page of another site";
            Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", reason))
        }
    }
}

fn has_cookie(headers: &HeaderMap) -> bool {
    cookie(headers).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn a_token_is_read_from_each_scheme() {
        assert_eq!(secret(&headers(&[("dd-api-key", "s3")])).as_deref(), Some("s3"));
        for value in
            ["Bearer s3", "bearer  s3", "Splunk s3", "Basic dXNlcjpzMw==", "ApiKey aWQ6czM="]
        {
            assert_eq!(secret(&headers(&[("authorization", value)])).as_deref(), Some("s3"));
        }
        for value in ["", "Bearer", "Basic !", "Digest s3"] {
            assert_eq!(secret(&headers(&[("authorization", value)])), None, "{value}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let ok = |pairs: &[_], method| same_origin(&headers(pairs), &method).is_ok();
        assert!(ok(&[("host", "a:1")], Method::POST));
        assert!(ok(&[("host", "a:1"), ("origin", "http://a:1")], Method::POST));
        for origin in ["http://b:1", "null", "http://a:1.b", "http://a"] {
            assert!(!ok(&[("host", "a:1"), ("origin", origin)], Method::GET), "{origin}");
        }
        let cross = ("sec-fetch-site", "cross-site");
        assert!(!ok(&[cross], Method::POST));
        assert!(!ok(&[cross, ("cookie", "x=1; logbeacon_session=y")], Method::GET));
    }
}
