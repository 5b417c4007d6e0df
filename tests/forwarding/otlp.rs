//! What a collector is sent, and what its answers mean.

use super::server::{Reply, Server};
use super::{bare_config, destination, letters, logging, until, until_with_traffic};
use logwell::LoggingConfig;
use logwell::config::Secret;
use std::path::Path;
use std::time::Duration;

const NAME: &str = "otlp";

fn config(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.forward.blocked_rest = Duration::from_millis(200);
    let otlp = &mut config.forward.otlp;
    otlp.enabled = true;
    otlp.url = Secret::new(format!("http://{}", server.address));
    otlp.batch_wait = Duration::from_millis(20);
    otlp.gzip = false;
    config
}

/// How often a text is in the protobuf of a request.
fn count(body: &[u8], text: &str) -> usize {
    body.windows(text.len()).filter(|at| *at == text.as_bytes()).count()
}

/// `ExportLogsServiceResponse` with that partial success.
fn partial(rejected: u8, why: &str) -> String {
    let inner = format!("\u{8}{}\u{12}{}{why}", char::from(rejected), char::from(why.len() as u8));
    format!("\n{}{inner}", char::from(inner.len() as u8))
}

#[test]
fn records_are_posted_as_protobuf_and_share_their_resource() {
    let server = Server::start(|_| Reply::Status(200));
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &server);
    config.forward.otlp.batch_records = 10;
    config.forward.otlp.batch_wait = Duration::from_secs(60);
    config.forward.otlp.headers = Secret::new("x-team=orders");
    logging(config, |handle| {
        (0..20).for_each(|n| tracing::info!(n, "otlp body text"));
        until("all are delivered", || destination(handle, NAME).delivered == 20);
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.line, "POST /v1/logs HTTP/1.1");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        assert_eq!(request.headers["x-team"], "orders");
        assert_eq!(count(&request.body, "otlp body text"), 10);
        assert_eq!(count(&request.body, "api_server"), 1);
        assert_eq!(count(&request.body, "forwarding::otlp"), 1 + 10, "scope and module");
    }
}

#[test]
fn records_that_are_rejected_are_not_sent_again_and_kept_as_dead_letters() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::With(200, "X: y", partial(2, "too old")),
            _ => Reply::Status(200),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &server);
    config.forward.otlp.batch_records = 5;
    config.forward.otlp.batch_wait = Duration::from_secs(60);
    logging(config, |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until("all are settled", || {
            let stats = destination(handle, NAME);
            (stats.delivered, stats.refused) == (5, 5)
        });
    });
    assert_eq!(server.requests().len(), 2);
    let letters = letters(dir.path(), NAME);
    let why =
        "the server has rejected 2 of 5 records sent together and does not say which: too old";
    assert!(letters.len() == 5 && letters.iter().all(|(_, said)| said == why), "{letters:?}");
    let first = letters[0].0.pointer("/resourceLogs/0/scopeLogs/0/logRecords/0/body/stringValue");
    assert_eq!(first.unwrap(), "order");
}

#[test]
fn whatever_is_wrong_with_the_server_no_record_is_lost() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::With(429, "Retry-After: 0", String::new()),
            2 => Reply::Reset,
            3 => Reply::Status(503),
            4 => Reply::Status(401),
            5 => Reply::ResetInHead,
            6 => Reply::Status(500),
            7 => Reply::Status(400),
            _ => Reply::Status(200),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &server), |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until("all are delivered", || destination(handle, NAME).delivered == 10);
        assert_eq!(destination(handle, NAME).refused, 0);
    });
}

#[test]
fn a_record_that_breaks_the_server_each_time_is_a_dead_letter_while_others_pass() {
    let server = Server::start(|request| match count(&request.body, "poison") {
        0 => Reply::Status(200),
        _ => Reply::Status(500),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &server), |handle| {
        (0..10).for_each(|n| tracing::info!(text = if n == 3 { "poison" } else { "food" }, "meal"));
        until_with_traffic("it is to blame", || destination(handle, NAME).refused == 1);
    });
    assert_eq!(letters(dir.path(), NAME)[0].1, "HTTP status 500");
}

#[test]
fn a_request_that_is_too_large_is_halved() {
    let server = Server::start(|request| match count(&request.body, "order-text") {
        0..=3 => Reply::Status(200),
        _ => Reply::Status(413),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &server), |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order-text"));
        until("all are delivered", || destination(handle, NAME).delivered == 20);
        assert_eq!(destination(handle, NAME).refused, 0);
    });
}
