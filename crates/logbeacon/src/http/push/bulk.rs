//! Bulk: elasticsearch's `_bulk`, and what its clients ask before they use it.

use super::super::answer::json_response;
use super::{Decoded, Protocol, take};
use crate::decode::bulk::{self, Action, Op};
use crate::decode::draft::Unreadable;
use crate::decode::limits::Limits;
use crate::digest::hex;
use crate::ingest::{Outcome, Receipt};
use crate::server::Server;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// The version reported to clients. They check the product header and for a major version of 8.
pub const VERSION: &str = "8.15.0";

/// `POST /_bulk` and `/{index}/_bulk`.
pub async fn bulk(State(server): State<Arc<Server>>, request: Request) -> Response {
    let protocol = Protocol { name: "bulk", decode, encoding: |_| None };
    as_product(take(server, request, protocol).await)
}

/// Adds the header by which Elasticsearch's clients know their server.
pub fn as_product(mut response: Response) -> Response {
    let name = HeaderValue::from_static("Elasticsearch");
    response.headers_mut().insert("x-elastic-product", name);
    response
}

/// What `GET /` tells Elasticsearch's clients.
pub fn info() -> Value {
    json!({
        "name": "logbeacon",
        "cluster_name": "logbeacon",
        "cluster_uuid": "logbeacon",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "lucene_version": "9.11.1",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    })
}

/// `GET /_license`.
pub async fn license() -> Response {
    let license = json!({"license": {"status": "active", "type": "basic", "uid": "logbeacon"}});
    as_product(json_response(StatusCode::OK, &license))
}

/// Acknowledges policies and templates. LogBeacon needs neither, so there is nothing to do.
pub async fn acknowledged() -> Response {
    as_product(json_response(StatusCode::OK, &json!({"acknowledged": true})))
}

/// `GET` of a policy, template or pipeline.
pub async fn nothing() -> Response {
    as_product(json_response(StatusCode::OK, &json!({})))
}

fn decode(body: &[u8], parts: &Parts, limits: &Limits) -> Result<Decoded, Unreadable> {
    // The path is `/_bulk` or `/{index}/_bulk`.
    let index =
        parts.uri.path().trim_start_matches('/').split_once('/').map_or("", |(first, _)| first);
    let (actions, items): (Vec<_>, Vec<_>) = bulk::decode(body, index, limits)?.into_iter().unzip();
    let answer =
        move |receipt: &Receipt| json_response(StatusCode::OK, &items_json(&actions, receipt));
    Ok((items, Box::new(answer)))
}

fn items_json(actions: &[Action], receipt: &Receipt) -> Value {
    let items: Vec<Value> = actions
        .iter()
        .zip(&receipt.outcomes)
        .map(|(action, outcome)| json!({action.op.name(): item_json(action, outcome)}))
        .collect();
    let conflicts = |(action, outcome): (&Action, &Outcome)| match outcome {
        Outcome::Refused(_) => true,
        Outcome::Duplicate(_) => action.op == Op::Create,
        Outcome::Accepted(_) => false,
    };
    let errors = actions.iter().zip(&receipt.outcomes).any(conflicts);
    json!({"took": 0, "errors": errors, "items": items})
}

fn item_json(action: &Action, outcome: &Outcome) -> Value {
    let id = |hash: u128| action.id.clone().unwrap_or_else(|| hex(&hash.to_be_bytes()));
    let index = &action.index;
    let stored = |hash, result, status| {
        json!({
            "_index": index, "_id": id(hash), "_version": 1, "result": result, "status": status,
            "_shards": {"total": 1, "successful": 1, "failed": 0},
            "_seq_no": 0, "_primary_term": 1,
        })
    };
    let error = |id: Value, status: u16, kind: &str, reason: &str| {
        let error = json!({"type": kind, "reason": reason});
        json!({"_index": index, "_id": id, "status": status, "error": error})
    };
    match outcome {
        Outcome::Accepted(hash) => stored(*hash, "created", 201),
        Outcome::Duplicate(hash) if action.op == Op::Create => {
            let reason = "a record with this id is stored already";
            error(id(*hash).into(), 409, "version_conflict_engine_exception", reason)
        }
        Outcome::Duplicate(hash) => stored(*hash, "noop", 200),
        Outcome::Refused(refusal) => {
            error(json!(action.id), 400, refusal.reason.code(), &refusal.detail)
        }
    }
}
