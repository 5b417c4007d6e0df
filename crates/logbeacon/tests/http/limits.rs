//! Limits, and the answer that a sender gets beyond them.

use super::support::{Running, encoded};
use logbeacon_store::AppendError;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_body_that_is_too_large_or_would_be_when_unpacked_gets_413() {
    let server = Running::start_with(|settings| settings.max_body_bytes = 1 << 20);
    // The sender can write to the end, and sees the answer.
    let large = vec![b' '; 20 << 20];
    assert_eq!(server.post("/api/logs", "application/json", &large).status, 413);
    let bomb = zstd::encode_all(&vec![b' '; 64 << 20][..], 3).unwrap();
    assert!(bomb.len() < 64 << 10);
    let headers = [("authorization", "Bearer secret"), ("content-encoding", "zstd")];
    assert_eq!(server.request("POST", "/api/logs", &headers, &bomb).status, 413);
    assert_eq!(server.logs("{\"message\":\"still there\"}")["accepted"], 1);
}

#[test]
fn a_body_without_a_length_is_bounded_too() {
    let server = Running::start_with(|settings| settings.max_body_bytes = 1 << 16);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /api/logs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let mut answer = [0; 12];
    for _ in 0..16 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn a_store_that_takes_nothing_says_when_to_try_again_and_nothing_is_lost_or_double() {
    let server = Running::start();
    let retry_after = Duration::from_millis(2500);
    for (fault, status, seconds) in [
        (AppendError::Full { retry_after }, 429, "2"),
        (AppendError::ReadOnly { reason: "the disk is full".to_owned() }, 507, "30"),
        (AppendError::Closed, 503, "2"),
    ] {
        *server.store.fault.lock().unwrap() = Some(fault);
        for (path, body) in [
            ("/api/logs", "{\"hash\":\"1\"}"),
            ("/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n"),
            ("/loki/api/v1/push", "{\"streams\":[{\"stream\":{},\"values\":[[\"1\",\"a\"]]}]}"),
            ("/v1/logs", "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}]}]}"),
            ("/gelf", "{\"short_message\":\"a\"}"),
        ] {
            let answer = server.post(path, "application/json", body);
            assert_eq!((answer.status, answer.header("retry-after")), (status, Some(seconds)));
        }
    }
    *server.store.fault.lock().unwrap() = None;
    assert_eq!(server.search("*").len(), 0);
    assert_eq!(server.logs("{\"hash\":\"1\"}")["accepted"], 1);
}

#[test]
fn a_sender_that_sends_more_than_it_may_gets_429() {
    let server = Running::start_with(|settings| settings.rate_limit = Some(1));
    let body = format!("[{}{{}}]", "{},".repeat(99));
    assert_eq!(server.post("/api/logs", "application/json", &body).status, 200);
    let answer = server.post("/api/logs", "application/json", &body);
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (429, &"rate_limited".into()));
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn a_server_that_stops_finishes_what_it_has_begun_and_says_503_meanwhile() {
    let mut server = Running::start();
    server.server.stop();
    let answer = server.post("/api/logs", "application/json", "{}");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    assert_eq!(server.get("/ready").status, 503);
    assert_eq!(server.get("/health").status, 200);
    server.stop();
    let address = server.url.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_query_that_is_wrong_points_at_the_place() {
    let server = Running::start();
    for query in ["level>=", "a | nonsense", "x~\"(\""] {
        let answer = server.get(&format!("/api/v1/search?query={}", encoded(query)));
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (400, &"bad_query".into()));
    }
    for bad in ["start=soon", "limit=x", "order=up", "timeout=-1"] {
        assert_eq!(server.get(&format!("/api/v1/search?{bad}")).status, 400, "{bad}");
    }
    let deep = encoded(&"(".repeat(100_000));
    let body = format!("query={deep}");
    let answer = server.post("/api/v1/search", "application/x-www-form-urlencoded", body);
    assert_eq!(answer.status, 400);
}

#[test]
fn metrics_count_what_was_refused_by_reason() {
    let server = Running::start();
    server.post("/api/logs", "application/json", "[1,{}]");
    server.request("GET", "/metrics", &[], b"");
    let text = server.get("/metrics").body;
    for line in [
        "logbeacon_refused_records_total{reason=\"not_an_object\"} 1",
        "logbeacon_accepted_records_total{protocol=\"beacon\"} 1",
        "logbeacon_events_total{kind=\"unauthorized\"} 1",
        "logbeacon_store_records 2",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in {text}");
    }
}
