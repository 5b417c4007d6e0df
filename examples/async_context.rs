//! How does a trace id follow a request through `spawn` and `.await`, and on to the next service?
//! `LoggingContext::instrument` puts a future into the context, wherever it is polled.
//!
//! ```sh
//! cargo run --example async_context
//! ```
//!
//! A request comes in with a `traceparent` header; its work is spread over tasks; the call of the
//! next service carries the trace on. Logs go to the terminal and to `target/async_context-logs`,
//! or where `LOG_DIR` says.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::{LoggingConfig, LoggingContext};
use std::error::Error;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = LoggingConfig::builder()
        .log_dir("target/async_context-logs")
        .build()?
        .with_env(std::env::vars_os())?;
    let app_log = config.files.dir.join("app.log");
    logwell::init_logging_with(config)?;

    // Two requests at a time, so that their records mix; the trace ids tell them apart.
    let from_elsewhere = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let first = LoggingContext::from_headers(Some(from_elsewhere), None).with("user", "ann");
    let second = LoggingContext::from_headers(None, Some("abc-123")).with("user", "bob");
    let (first, second) =
        tokio::join!(first.instrument(handle("/buy")), second.instrument(handle("/sell")));
    first.and(second)?;

    println!("\n{}", logwell::shutdown_logging());
    println!("\n{}, newest first:", app_log.display());
    for line in std::fs::read_to_string(app_log)?.lines().rev().take(4) {
        println!("{line}");
    }
    Ok(())
}

#[tracing::instrument]
async fn handle(path: &'static str) -> Result<(), tokio::task::JoinError> {
    tracing::info!("request came in");
    sleep(Duration::from_millis(5)).await;
    tracing::info!("still in its trace after an await");

    // A new task is on its own, unless it is given the context.
    let context = LoggingContext::current().unwrap_or_default();
    let stock = tokio::spawn(context.instrument(check_stock()));
    stock.await?;

    call_next_service();
    Ok(())
}

async fn check_stock() {
    tracing::info!("a task of its own, in the same trace");
}

/// What goes out with a call: the same trace, with our span as the parent. An id that is no W3C
/// trace id goes out as it came in.
fn call_next_service() {
    let Some(here) = LoggingContext::current() else { return };
    match here.trace_context() {
        Some(parent) => tracing::info!(traceparent = %parent, "calling the next service"),
        None => tracing::info!(x_trace_id = here.get_trace_id(), "calling the next service"),
    }
}
