//! The service that the W3C's harness for Trace Context asks for: it is given addresses, and calls
//! each with the headers of its trace.
//!
//! ```sh
//! cargo run -p logwell-tower --features axum,metrics --example w3c &
//! SPEC_LEVEL=2 STRICT_LEVEL=2 python test.py http://127.0.0.1:5055/test   # in w3c/trace-context, test/
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use logwell::LoggingConfig;
use serde_json::Value;
use std::error::Error;
use tower::{ServiceBuilder, ServiceExt as _};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// `[{"url": "http://…", "arguments": […]}, …]`: each address is sent its arguments.
async fn test(body: Bytes) -> StatusCode {
    match call_all(&body).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::warn!(error = &*error as &(dyn Error + 'static), "cannot call all of them");
            StatusCode::BAD_REQUEST
        }
    }
}

async fn call_all(body: &[u8]) -> Result<()> {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(logwell_tower::client()).service(client);
    let calls: Value = serde_json::from_slice(body)?;
    for call in calls.as_array().into_iter().flatten() {
        let url = call.get("url").and_then(Value::as_str).ok_or("a call without an url")?;
        let arguments = call.get("arguments").cloned().unwrap_or_default();
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(arguments.to_string()))?;
        client.clone().oneshot(request).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let config = LoggingConfig::builder().files(false).console_level("warn").build()?;
    logwell::init_logging_with(config)?;
    let app = Router::new().route("/test", post(test)).layer(logwell_tower::server());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5055").await?;
    println!("http://{}/test", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
