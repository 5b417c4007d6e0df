//! What Loki is sent, and what its answers mean.

use super::server::{Reply, Request, Server};
use super::{bare_config, destination, letters, logging, until};
use logwell::LoggingConfig;
use logwell::config::{LokiLine, Secret};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NAME: &str = "loki";

fn config(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.service.environment = "production".to_owned();
    config.forward.blocked_rest = Duration::from_millis(200);
    let loki = &mut config.forward.loki;
    loki.enabled = true;
    loki.url = Secret::new(format!("http://{}", server.address));
    loki.batch_wait = Duration::from_millis(20);
    loki.gzip = false;
    config
}

/// The entries of a push: labels, time, line, metadata.
fn entries(request: &Request) -> Vec<(Value, u64, String, Value)> {
    let body = request.json();
    let streams = body["streams"].as_array().unwrap();
    let all = streams.iter().flat_map(|stream| {
        let labels = stream["stream"].clone();
        let values = stream["values"].as_array().unwrap().clone();
        values.into_iter().map(move |value| {
            let time = value[0].as_str().unwrap().parse().unwrap();
            (labels.clone(), time, value[1].as_str().unwrap().to_owned(), value[2].clone())
        })
    });
    all.collect()
}

fn number(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).unwrap()["n"].as_u64()
}

/// Entries that were kept: time and line.
type Kept = Arc<Mutex<BTreeSet<(u64, String)>>>;

/// A Loki that keeps one of equal entries, and refuses those that the test names: then it says 400,
/// and keeps the others.
fn picky(refuse: impl Fn(u64) -> Option<&'static str> + Send + 'static) -> (Server, Kept) {
    let kept = Arc::new(Mutex::new(BTreeSet::new()));
    let keeps = Arc::clone(&kept);
    let server = Server::start(move |request| {
        let mut refused = None;
        for (_, time, line, _) in entries(request) {
            match number(&line).and_then(&refuse) {
                Some(why) => refused = Some(why),
                None => drop(keeps.lock().unwrap().insert((time, line))),
            }
        }
        match refused {
            Some(why) => Reply::With(400, "X: y", format!("ignored, reason: '{why}'")),
            None => Reply::Status(204),
        }
    });
    (server, kept)
}

#[test]
fn records_are_lines_of_few_streams_with_ids_as_metadata() {
    let (server, kept) = picky(|_| None);
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &server);
    config.forward.loki.batch_wait = Duration::from_secs(60);
    config.forward.loki.batch_records = 3;
    config.forward.loki.tenant = "team-a".to_owned();
    config.forward.loki.user = "ann".to_owned();
    config.forward.loki.password = Secret::new("pa55");
    logging(config, |handle| {
        let span = tracing::info_span!("order", trace_id = "4bf92f3577b34da6a3ce929d0e0e4736");
        span.in_scope(|| tracing::info!(n = 1, "a \"quoted\"\nline"));
        tracing::error!(n = 2, "b");
        tracing::info!(n = 3, "c");
        until("all are delivered", || destination(handle, NAME).delivered == 3);
    });
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /loki/api/v1/push HTTP/1.1");
    assert_eq!(request.headers["x-scope-orgid"], "team-a");
    assert_eq!(request.headers["authorization"], "Basic YW5uOnBhNTU=");
    let body = request.json();
    let labels: Vec<_> = body["streams"].as_array().unwrap().iter().map(|s| &s["stream"]).collect();
    let (name, environment) = ("api_server", "production");
    let label = |level| json!({ "service_name": name, "environment": environment, "level": level });
    assert_eq!(labels, [&label("info"), &label("error")]);
    let entries = entries(request);
    let record: Value = serde_json::from_str(&entries[0].2).unwrap();
    assert_eq!((&record["message"], &record["n"]), (&"a \"quoted\"\nline".into(), &1.into()));
    assert_eq!(entries[0].3["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(entries[0].3["logger"], "forwarding::loki");
    assert_eq!(kept.lock().unwrap().len(), 3);
}

#[test]
fn a_line_can_be_the_message_alone() {
    let server = Server::start(|_| Reply::Status(204));
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &server);
    config.forward.loki.line = LokiLine::Message;
    config.forward.loki.metadata = false;
    logging(config, |handle| {
        tracing::info!(n = 1, "ready");
        until("it is delivered", || destination(handle, NAME).delivered == 1);
    });
    let (_, _, line, metadata) = entries(&server.requests()[0]).remove(0);
    assert_eq!((line.as_str(), metadata), ("ready", Value::Null));
}

#[test]
fn an_entry_that_is_refused_takes_no_other_with_it_and_none_is_there_twice() {
    let bad = [0, 13, 14, 49];
    let (server, kept) = picky(move |n| bad.contains(&n).then_some("entry too far behind"));
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &server);
    config.forward.loki.batch_records = 50;
    logging(config, |handle| {
        (0..50).for_each(|n| tracing::info!(n, "order"));
        until("all are settled", || {
            let stats = destination(handle, NAME);
            (stats.delivered, stats.refused) == (46, 4)
        });
    });
    let mut refused: Vec<_> = letters(dir.path(), NAME)
        .iter()
        .filter_map(|(entry, _)| number(entry["line"].as_str().unwrap()))
        .collect();
    refused.sort_unstable();
    assert_eq!(refused, bad);
    let numbers: Vec<_> =
        kept.lock().unwrap().iter().filter_map(|(_, line)| number(line)).collect();
    assert_eq!(numbers.len(), 46);
}

#[test]
fn whatever_is_wrong_with_the_server_no_entry_is_lost() {
    let mut requests = 0;
    let kept = Arc::new(Mutex::new(BTreeSet::new()));
    let keeps = Arc::clone(&kept);
    let server = Server::start(move |request| {
        requests += 1;
        match requests {
            // Writing is blocked by its configuration: that is not a success.
            1 => Reply::With(260, "X: y", "blocked".to_owned()),
            2 => Reply::With(429, "Retry-After: 0", "rate limit".to_owned()),
            3 => Reply::Reset,
            4 => Reply::Status(500),
            5 => Reply::With(401, "X: y", "no org id".to_owned()),
            6 => Reply::With(400, "X: y", "no such tenant".to_owned()),
            _ => {
                keeps.lock().unwrap().extend(entries(request).into_iter().map(|entry| entry.2));
                Reply::Status(204)
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &server), |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until("it is told", || handle.health().to_string().contains("limits block all writing"));
        until("all are delivered", || destination(handle, NAME).delivered == 10);
        assert_eq!(destination(handle, NAME).refused, 0);
        until("it is well", || handle.health().is_healthy());
    });
    assert_eq!(kept.lock().unwrap().len(), 10);
}
