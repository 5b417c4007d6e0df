//! What Elasticsearch is sent, and what becomes of each document of a bulk request.

use super::server::{Reply, Request, Server};
use super::{bare_config, destination, letters, logging, until, until_with_traffic};
use logwell::LoggingConfig;
use logwell::config::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NAME: &str = "elasticsearch";

fn config(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.forward.blocked_rest = Duration::from_millis(200);
    let elasticsearch = &mut config.forward.elasticsearch;
    elasticsearch.enabled = true;
    elasticsearch.url = Secret::new(format!("http://{}", server.address));
    elasticsearch.batch_wait = Duration::from_millis(20);
    elasticsearch.gzip = false;
    config
}

/// The documents of a bulk request with their ids.
fn documents(request: &Request) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(&request.body).unwrap();
    assert!(text.ends_with('\n'), "the last line has no end");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pair = |pair: &[Value]| {
        let id = pair[0]["create"]["_id"].as_str().unwrap().to_owned();
        assert_eq!(pair[0], json!({ "create": { "_id": id } }));
        (id, pair[1].clone())
    };
    lines.chunks(2).map(pair).collect()
}

/// The number that a record was logged with: a label is a text.
fn number(document: &Value) -> Option<u64> {
    document["labels"]["n"].as_str()?.parse().ok()
}

/// An index that keeps documents by their ids, and answers for each as the test says: a status that
/// is an error is not kept.
struct Index {
    server: Server,
    kept: Arc<Mutex<BTreeMap<String, Value>>>,
    conflicts: Arc<Mutex<u64>>,
}

impl Index {
    fn start(script: impl Fn(&Value, usize) -> (u16, &'static str) + Send + 'static) -> Self {
        let kept = Arc::<Mutex<BTreeMap<String, Value>>>::default();
        let conflicts = Arc::<Mutex<u64>>::default();
        let (keeps, counts) = (Arc::clone(&kept), Arc::clone(&conflicts));
        let mut requests = 0;
        let server = Server::start(move |request| {
            requests += 1;
            let item = |(id, document): (String, Value)| {
                let (status, kind) = script(&document, requests);
                if status >= 300 {
                    let error = json!({ "type": kind, "reason": "as the test says" });
                    return json!({ "create": { "status": status, "error": error } });
                }
                match keeps.lock().unwrap().insert(id, document) {
                    None => json!({ "create": { "status": 201 } }),
                    Some(_) => {
                        *counts.lock().unwrap() += 1;
                        let error = json!({ "type": "version_conflict_engine_exception" });
                        json!({ "create": { "status": 409, "error": error } })
                    }
                }
            };
            let items: Vec<_> = documents(request).into_iter().map(item).collect();
            let errors = items.iter().any(|item| item["create"]["status"] != 201);
            let body = json!({ "took": 1, "errors": errors, "items": items });
            Reply::With(200, "Content-Type: application/json", body.to_string())
        });
        Self { server, kept, conflicts }
    }

    /// The numbers of the documents that were kept.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<_> = self.kept.lock().unwrap().values().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }
}

#[test]
fn records_are_created_as_documents_of_the_common_schema_100_at_once() {
    let (index, dir) = (Index::start(|_, _| (201, "")), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &index.server);
    config.forward.elasticsearch.api_key = Secret::new("k3y==");
    config.forward.elasticsearch.batch_wait = Duration::from_secs(60);
    logging(config, |handle| {
        (0..250).for_each(|n| tracing::warn!(n, "slow"));
        tracing::debug!("below the least level");
        until("two full batches", || destination(handle, NAME).delivered == 200);
    });
    let requests = index.server.requests();
    assert_eq!(index.numbers(), (0..250).collect::<Vec<_>>());
    let sizes: Vec<_> = requests.iter().map(|request| documents(request).len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let filter = "filter_path=took,errors,items.*.status,items.*.error.type,items.*.error.reason";
    let line = format!("POST /logs-logwell-default/_bulk?{filter} HTTP/1.1");
    assert_eq!(requests[0].line, line);
    assert_eq!(requests[0].headers["content-type"], "application/x-ndjson");
    assert_eq!(requests[0].headers["authorization"], "ApiKey k3y==");
    let (id, document) = &documents(&requests[0])[0];
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(document["log.level"], "WARN");
    assert_eq!(document["service.name"], "api_server");
    assert!(document["@timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn of_a_batch_each_document_has_its_own_fate() {
    // 3 can never be stored, 5 is refused for being busy three times, all others are stored.
    let index = Index::start(|document, requests| match number(document) {
        Some(3) => (400, "document_parsing_exception"),
        Some(5) if requests <= 3 => (429, "es_rejected_execution_exception"),
        _ => (201, ""),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &index.server), |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order"));
        until("all are settled", || {
            let stats = destination(handle, NAME);
            (stats.delivered, stats.refused, stats.waiting) == (19, 1, 0)
        });
    });
    assert_eq!(index.numbers(), (0..20).filter(|n| *n != 3).collect::<Vec<_>>());
    assert_eq!(*index.conflicts.lock().unwrap(), 0, "only what was refused is sent again");
    let letters = letters(dir.path(), NAME);
    assert_eq!(letters.len(), 1);
    assert_eq!(number(&letters[0].0), Some(3));
    assert_eq!(letters[0].1, "status 400: document_parsing_exception: as the test says");
}

#[test]
fn a_document_that_is_there_already_is_delivered() {
    // It is stored, and the answer is lost.
    let kept = Arc::new(Mutex::new(false));
    let index = Index::start(|_, _| (201, ""));
    let address = index.server.address;
    let proxy = Server::start(move |request| {
        let answer = std::net::TcpStream::connect(address).unwrap();
        let reply = pass_on(answer, request);
        match std::mem::replace(&mut *kept.lock().unwrap(), true) {
            false => Reply::Reset,
            true => Reply::With(200, "X: y", reply),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &proxy), |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until("all are delivered", || destination(handle, NAME).delivered == 10);
        assert_eq!(destination(handle, NAME).refused, 0);
    });
    assert_eq!(index.numbers(), (0..10).collect::<Vec<_>>());
    assert!(*index.conflicts.lock().unwrap() > 0);
}

/// Sends a request on and gives back the answer's body.
fn pass_on(stream: std::net::TcpStream, request: &Request) -> String {
    use std::io::{Read as _, Write as _};
    let head = format!(
        "{}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        request.line,
        request.body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn what_a_person_can_fix_waits_and_what_nobody_can_read_is_sent_again() {
    for status in [401, 403, 404] {
        let index = Index::start(move |_, requests| match requests {
            ..=3 => (status, "security_or_index_exception"),
            _ => (201, ""),
        });
        let dir = tempfile::tempdir().unwrap();
        logging(config(dir.path(), &index.server), |handle| {
            (0..5).for_each(|n| tracing::info!(n, "order"));
            let advice = if status == 404 { "forward.elasticsearch.data_stream" } else { "may do" };
            until("it is told", || handle.health().to_string().contains(advice));
            until("all are delivered", || destination(handle, NAME).delivered == 5);
            assert_eq!(destination(handle, NAME).refused, 0);
        });
        assert_eq!(index.numbers(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn whatever_happens_to_a_whole_request_no_document_is_lost_or_doubled() {
    let index = Index::start(|_, _| (201, ""));
    let address = index.server.address;
    let mut requests = 0;
    let server = Server::start(move |request| {
        requests += 1;
        match requests {
            1 => Reply::With(503, "Retry-After: 0", "busy".to_owned()),
            2 => Reply::Reset,
            3 => Reply::With(429, "X: y", "too many".to_owned()),
            4 => Reply::With(401, "X: y", "who are you".to_owned()),
            5 => Reply::With(200, "X: y", "{\"took\":1,\"items\":[".to_owned()),
            6 => Reply::With(200, "X: y", "{\"errors\":false,\"items\":[]}".to_owned()),
            _ if documents(request).len() > 4 => Reply::Status(413),
            _ => {
                let stream = std::net::TcpStream::connect(address).unwrap();
                Reply::With(200, "X: y", pass_on(stream, request))
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &server), |handle| {
        (0..40).for_each(|n| tracing::info!(n, "order"));
        until("all are delivered", || destination(handle, NAME).delivered == 40);
        let stats = destination(handle, NAME);
        assert!(stats.refused == 0 && stats.failed_attempts >= 6, "{stats:?}");
        until("it is well", || handle.health().is_healthy());
    });
    assert_eq!(index.numbers(), (0..40).collect::<Vec<_>>());
    assert_eq!(*index.conflicts.lock().unwrap(), 0);
}

#[test]
fn an_error_that_may_be_the_indexs_own_is_judged_by_the_other_documents() {
    let index = Index::start(|document, _| match number(document) {
        Some(2) => (400, "illegal_argument_exception"),
        _ => (201, ""),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &index.server), |handle| {
        (0..5).for_each(|n| tracing::info!(n, "order"));
        until_with_traffic("it is to blame", || destination(handle, NAME).refused == 1);
    });
    assert_eq!(letters(dir.path(), NAME)[0].0["labels"]["n"], "2");
    assert_eq!(index.numbers(), [0, 1, 3, 4]);
}
