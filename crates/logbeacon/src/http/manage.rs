//! Manage: deletions and retention. For admins; each act is in the stream `_audit`.

use super::answer::{Problem, json_response};
use super::auth::Caller;
use super::query::Params;
use crate::decode::time::duration;
use crate::lanes::Lane;
use crate::server::Server;
use axum::Extension;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use logbeacon_store::{Certificate, DeleteError, DeleteRequest, RetentionRule};
use logwell_query::{Level, time_text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// `POST /api/v1/delete`: hides what `query` finds between `start` and `end` at once, and erases
/// it.
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    super::statistics::every_stream(&grant)?;
    let params = Params::read(request).await?;
    let Some(query) = params.get("query") else {
        return Err(Problem::bad("say what is to be deleted: query="));
    };
    let range = params.range(server.now_ns())?;
    let deleting = DeleteRequest { query: query.clone(), range, requested_by: grant.name.clone() };
    let lanes = Arc::clone(&server);
    let done = lanes.lanes.run(Lane::Search, move || {
        let certificate = server.ingest.store.delete(&deleting)?;
        let (hidden, range) = (certificate.hidden.to_string(), format!("{range:?}"));
        let fields = [("query", query.as_str()), ("hidden", &hidden), ("range", &range)];
        server.audit(&grant.name, "deleted records", &fields);
        Ok::<_, Problem>(certificate_json(&certificate))
    });
    Ok(json_response(StatusCode::OK, &done.await??))
}

/// `GET /api/v1/delete`: every deletion, with what is erased so far.
pub(super) async fn certificates(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let lanes = Arc::clone(&server);
    let list = lanes.lanes.run(Lane::Search, move || server.ingest.store.certificates()).await?;
    let list: Vec<Value> = list.iter().map(certificate_json).collect();
    Ok(json_response(StatusCode::OK, &json!({"deletions": list})))
}

fn certificate_json(certificate: &Certificate) -> Value {
    json!({
        "number": certificate.number,
        "query": certificate.query,
        "start": time_text(certificate.range.first_ns),
        "end": time_text(certificate.range.last_ns),
        "requested_by": certificate.requested_by,
        "requested": time_text(certificate.requested_ns),
        "hidden": certificate.hidden,
        "erased": certificate.erased,
        "erased_at": certificate.erased_ns.map(time_text),
        "erase_within_s": certificate.erase_within.as_secs(),
    })
}

/// A rule as it is written in JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level_max: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// `GET /api/v1/retention`.
pub(super) async fn retention(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let lanes = Arc::clone(&server);
    let rules = lanes.lanes.run(Lane::Search, move || server.ingest.store.retention()).await?;
    let rules: Vec<Rule> = rules.iter().map(written).collect();
    Ok(json_response(StatusCode::OK, &json!({"rules": rules})))
}

/// `PUT /api/v1/retention`: replaces the rules:
/// `[{"stream":"web","level_max":"INFO","age":"30d"}]`.
pub(super) async fn set_retention(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    super::statistics::every_stream(&grant)?;
    let body = to_bytes(request.into_body(), 1 << 20)
        .await
        .map_err(|_| Problem::bad("the rules are larger than 1 MiB"))?;
    let rules: Vec<Rule> = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad(format!("the rules are no list of rules: {error}")))?;
    let rules = rules.iter().map(meant).collect::<Result<Vec<_>, _>>()?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let lanes = Arc::clone(&server);
    let done = lanes.lanes.run(Lane::Search, move || {
        server.ingest.store.set_retention(&rules)?;
        server.audit(&grant.name, "set retention", &[("rules", &text)]);
        Ok::<_, Problem>(rules.len())
    });
    Ok(json_response(StatusCode::OK, &json!({"rules": done.await??})))
}

fn meant(rule: &Rule) -> Result<RetentionRule, Problem> {
    let age = match &rule.age {
        None => None,
        Some(text) => {
            let age_ns = duration(text).and_then(|age| u64::try_from(age).ok());
            let unknown = || Problem::bad(format!("age {text:?}: use 12h, 30d or 8w"));
            Some(Duration::from_nanos(age_ns.ok_or_else(unknown)?))
        }
    };
    let level_max = match &rule.level_max {
        None => None,
        Some(name) => {
            let unknown = || Problem::bad(format!("level_max {name:?} is no level"));
            Some(Level::parse(name).ok_or_else(unknown)?)
        }
    };
    if rule.bytes.is_some() && (rule.stream.is_some() || level_max.is_some()) {
        return Err(Problem::bad("bytes is for all streams and levels: use a separate rule"));
    }
    if age.is_none() && rule.bytes.is_none() && rule.stream.is_none() && level_max.is_none() {
        return Err(Problem::bad("a rule says something: stream, level_max, age or bytes"));
    }
    Ok(RetentionRule { stream: rule.stream.clone(), level_max, age, bytes: rule.bytes })
}

fn written(rule: &RetentionRule) -> Rule {
    Rule {
        stream: rule.stream.clone(),
        level_max: rule.level_max.map(|level| level.name().to_owned()),
        age: rule.age.map(|age| match age.as_secs() {
            seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
            seconds => format!("{seconds}s"),
        }),
        bytes: rule.bytes,
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        let reason = error.to_string();
        match error {
            DeleteError::Query(_) => Self { kind: "bad_query", ..Self::bad(reason) },
            DeleteError::Disk(_) => {
                let status = StatusCode::INSUFFICIENT_STORAGE;
                Self::new(status, "disk", reason)
            }
            DeleteError::Closed => Self::unavailable(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_back_as_they_were_written() {
        let text = r#"[{"stream":"web","level_max":"INFO","age":"30d"},{"age":"90s"},{"bytes":5}]"#;
        let rules: Vec<Rule> = serde_json::from_str(text).unwrap();
        let back: Vec<Rule> = rules.iter().map(|rule| written(&meant(rule).unwrap())).collect();
        assert_eq!(back, rules);
    }

    #[test]
    fn a_rule_that_means_nothing_is_refused() {
        for text in [
            "{}",
            r#"{"age":"long"}"#,
            r#"{"age":"0d"}"#,
            r#"{"level_max":"loud","age":"1d"}"#,
            r#"{"stream":"web","bytes":5}"#,
        ] {
            assert!(meant(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Rule>(r#"{"agee":"1d"}"#).is_err());
    }
}
