//! Context carriers: work in tasks, on blocking threads and on threads belongs to its request.

use crate::support::{Trace, Version, ask, request, serve};
use axum::Router;
use axum::routing::get;
use logwell::Context;

async fn handler() -> &'static str {
    let here = Context::capture();
    let task = tokio::spawn(here.clone().instrument(async {
        tracing::info!("in a task");
        tokio::task::yield_now().await;
        tracing::info!("in a task, later");
    }));
    let blocking = tokio::task::spawn_blocking(here.clone().wrap(|| tracing::info!("blocking")));
    let thread = std::thread::spawn(here.wrap(|| tracing::info!("on a thread")));
    task.await.unwrap();
    blocking.await.unwrap();
    thread.join().unwrap();
    tokio::spawn(async { tracing::info!("without") }).await.unwrap();
    "done"
}

#[tokio::test]
async fn work_that_is_carried_along_has_the_trace_the_span_and_the_pairs_of_its_request() {
    let address =
        serve(Router::new().route("/work", get(handler)).layer(logwell_tower::server())).await;
    let trace = Trace::new();
    let headers = [("traceparent", trace.parent.as_str()), ("x-request-id", "req-9")];
    ask(address, Version::Two, request("GET", "/work", &headers)).await;
    let access = trace.access().await;
    let records = trace.records();
    for message in ["in a task", "in a task, later", "blocking", "on a thread"] {
        let record = records.iter().find(|it| it["message"] == message);
        let record = record.unwrap_or_else(|| panic!("no {message:?} in {records:#?}"));
        assert_eq!(record["span_id"], access["span_id"], "{message}");
        assert_eq!(record["request_id"], "req-9", "{message}");
        assert_eq!(record["spans"][0]["url.path"], "/work", "{message}");
    }
    assert!(!records.iter().any(|it| it["message"] == "without"));
}

#[test]
fn outside_of_span_and_context_nothing_is_carried() {
    let logs = logwell::testing::capture();
    Context::capture().run(|| tracing::info!("alone"));
    assert!(logs.json()[0].get("trace_id").is_none());
}
