//! Views: `/api/v1/views`, saved searches.

use super::answer::{Problem, json_response};
use super::auth::Caller;
use crate::lanes::Lane;
use crate::server::Server;
use crate::token::{Grant, Scope};
use crate::views::{Editor, MAX_VIEW_BYTES, ViewError};
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, RequestExt as _};
use serde_json::json;
use std::sync::Arc;

/// `GET /api/v1/views`: all, by name.
pub(super) async fn list(State(server): State<Arc<Server>>) -> Response {
    json_response(StatusCode::OK, &json!({"views": server.views.all()}))
}

/// `PUT /api/v1/views/{name}`: saves one; the body is any JSON.
pub(super) async fn put(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    mut request: Request,
) -> Result<Response, Problem> {
    let name = name(&mut request).await?;
    let body = to_bytes(request.into_body(), MAX_VIEW_BYTES)
        .await
        .map_err(|_| Problem::bad(format!("a view has at most {MAX_VIEW_BYTES} bytes")))?;
    let view = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad(format!("a view is JSON: {error}")))?;
    let lanes = Arc::clone(&server);
    let put = lanes.lanes.run(Lane::Search, move || server.views.put(&name, view, editor(&grant)));
    put.await??;
    Ok(json_response(StatusCode::OK, &json!({"saved": true})))
}

/// `DELETE /api/v1/views/{name}`.
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    mut request: Request,
) -> Result<Response, Problem> {
    let name = name(&mut request).await?;
    let lanes = Arc::clone(&server);
    let delete = lanes.lanes.run(Lane::Search, move || server.views.delete(&name, editor(&grant)));
    delete.await??;
    Ok(json_response(StatusCode::OK, &json!({"deleted": true})))
}

async fn name(request: &mut Request) -> Result<String, Problem> {
    let Path(name): Path<String> =
        request.extract_parts().await.map_err(|_| Problem::bad("the name cannot be read"))?;
    match name.len() {
        1..=200 => Ok(name),
        _ => Err(Problem::bad("a name has 1 to 200 bytes")),
    }
}

fn editor(grant: &Grant) -> Editor<'_> {
    Editor { name: &grant.name, is_admin: grant.allows(Scope::Admin) }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        let reason = error.to_string();
        match error {
            ViewError::Unknown => Self::not_found(reason),
            ViewError::Foreign(_) => Self::new(StatusCode::FORBIDDEN, "forbidden", reason),
            ViewError::TooMany => Self::new(StatusCode::CONFLICT, "too_many", reason),
            ViewError::File(..) => {
                tracing::error!(reason, "a view was not saved");
                Self::fault("the view cannot be written; the server's log has more")
            }
        }
    }
}
