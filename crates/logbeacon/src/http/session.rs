//! Session: logging in to the page, and out.

use super::answer::{Problem, json_response};
use super::auth::{self, COOKIE, Peer};
use super::query::Params;
use crate::lanes::Lane;
use crate::metrics::Event;
use crate::server::Server;
use crate::session::LIFETIME;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `POST /session`: `token` in a form or JSON. The answer sets a cookie that scripts cannot read.
pub(super) async fn begin(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Problem> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let params = Params::read(request).await?;
    let secret = params.get("token").unwrap_or_default();
    let Some(grant) = server.tokens.grant(secret.trim()) else {
        server.metrics.count(Event::Unauthorized);
        return Err(match server.failures.allow(peer) {
            true => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "nobody has this token"),
            false => Problem::busy("too many tokens that nobody has", 10),
        });
    };
    let name = grant.name.clone();
    let key = server.sessions.begin(grant).map_err(|error| Problem::fault(error.to_string()))?;
    let mut response = json_response(StatusCode::OK, &json!({"name": name}));
    set_cookie(&mut response, &server, (&key, LIFETIME.as_secs()));
    let from = peer.map(|address| address.to_string()).unwrap_or_default();
    let lanes = Arc::clone(&server);
    let audit = move || server.audit(&name, "logged in", &[("address", &from)]);
    lanes.lanes.run(Lane::Ingest, audit).await?;
    Ok(response)
}

/// `DELETE /session`.
pub(super) async fn end(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    if let Some(key) = auth::cookie(&headers) {
        server.sessions.end(&key);
    }
    let mut response = json_response(StatusCode::OK, &json!({"ended": true}));
    set_cookie(&mut response, &server, ("", 0));
    response
}

/// `GET /session`: who this is; `name` is null for somebody who shows neither a token nor a session
/// that lives. A token that is unknown is refused and counted, as everywhere.
pub(super) async fn who(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Problem> {
    let grant = auth::caller(&server, request.headers());
    if grant.is_none() && auth::secret(request.headers()).is_some() {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        return Err(auth::unauthorized(&server, peer));
    }
    let (name, scopes) = grant.map(|grant| (grant.name, grant.scopes)).unzip();
    let scopes = scopes.unwrap_or_default();
    Ok(json_response(StatusCode::OK, &json!({"name": name, "scopes": scopes})))
}

fn set_cookie(response: &mut Response, server: &Server, (key, age_s): (&str, u64)) {
    let secure = if server.settings.secure_cookies { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={key}; Max-Age={age_s}; Path=/; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}
