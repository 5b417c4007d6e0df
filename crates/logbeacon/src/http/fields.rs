//! Fields: `/api/v1/fields`, the names that records have.

use super::answer::{Problem, json_response};
use super::auth::Caller;
use super::statistics::every_stream;
use crate::lanes::Lane;
use crate::server::Server;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `GET /api/v1/fields`: the names of all fields of the records that are kept.
pub(super) async fn fields(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
) -> Result<Response, Problem> {
    every_stream(&grant)?;
    let lanes = Arc::clone(&server);
    let names = lanes.lanes.run(Lane::Search, move || server.ingest.store.field_names()).await?;
    Ok(json_response(StatusCode::OK, &json!({"fields": names})))
}
