//! Every protocol answers in its own way, and says of each record what became of it.

use super::support::Running;
use base64::Engine as _;
use logbeacon::decode::loki::{PushEntry, PushRequest, PushStream, PushTime};
use prost::Message as _;
use serde_json::json;
use std::io::Write as _;

const JSON: &str = "application/json";

#[test]
fn a_receipt_says_of_each_record_what_became_of_it_and_what_was_accepted_is_found() {
    let server = Running::start();
    let body = r#"[{"message":"first","hash":"1"},7,{"message":"second","hash":"1"}]"#;
    let answer = server.post("/api/logs", JSON, body);
    assert_eq!((answer.status, answer.header("x-logbeacon-durability")), (200, Some("disk")));
    assert_eq!(
        answer.json(),
        json!({"accepted": 1, "duplicate": 1, "refused": 1, "records": [
            {"index": 1, "status": "refused", "reason": "not_an_object", "final": true,
             "detail": "a record is a JSON object"},
            {"index": 2, "status": "duplicate"},
        ]})
    );
    let found = server.search("first");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["stream"], "default");
    let refused = server.search("stream:=_refused");
    assert_eq!((refused.len(), &refused[0]["message"]), (1, &json!("7")));
    assert_eq!(refused[0]["reason"], "not_an_object");
    assert_eq!(refused[0]["sender"], "LOGBEACON_TOKEN");
}

#[test]
fn a_request_of_which_all_is_refused_gets_422_and_one_that_cannot_be_read_400() {
    let server = Running::start();
    assert_eq!(server.post("/api/logs", JSON, "[1,2]").status, 422);
    let unreadable = server.post("/api/logs", JSON, "[{\"message\":");
    assert_eq!(unreadable.status, 400);
    assert_eq!(unreadable.json()["error"]["type"], "unreadable");
    assert_eq!(server.search("stream:=_refused reason:=unreadable").len(), 1);
}

#[test]
fn a_message_of_logbeacon_is_there_once_however_often_it_is_sent() {
    let server = Running::start();
    let message = r#"{"domain":"d","program_name":"shop","level":"Error_CTG","def_name":"pay",
        "message":"failed","extra_info":{"order":7,"trace_id":"abc"},
        "timestamp":"2025-11-26 10:30:00","hash":"9f2c"}"#;
    assert_eq!(server.logs(message)["accepted"], 1);
    assert_eq!(server.logs(message)["duplicate"], 1);
    let found = server.search("level:error service:shop order:7");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["time"], "2025-11-26T10:30:00Z");
    assert_eq!((&found[0]["trace_id"], &found[0]["function"]), (&json!("abc"), &json!("pay")));
}

#[test]
fn a_request_with_a_key_can_be_repeated() {
    let server = Running::start();
    let headers = [("authorization", "Bearer secret"), ("x-idempotency-key", "k1")];
    let post =
        || server.request("POST", "/api/v1/ingest", &headers, b"{\"a\":1}\n{\"a\":1}").json();
    assert_eq!(post()["accepted"], 2);
    assert_eq!(post()["duplicate"], 2);
    let content = "/api/v1/ingest?dedup=content";
    assert_eq!(server.post(content, JSON, "{\"b\":1}\n{\"b\":1}").json()["duplicate"], 1);
}

#[test]
fn packed_bodies_are_unpacked() {
    let server = Running::start();
    let body = b"{\"message\":\"packed\"}";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    let zstd = zstd::encode_all(&body[..], 1).unwrap();
    for (encoding, packed) in [("gzip", gzip.finish().unwrap()), ("zstd", zstd)] {
        let headers = [("authorization", "Bearer secret"), ("content-encoding", encoding)];
        let answer = server.request("POST", "/api/v1/ingest", &headers, &packed);
        assert_eq!(answer.json()["accepted"], 1, "{encoding}");
    }
    let headers = [("authorization", "Bearer secret"), ("content-encoding", "br")];
    assert_eq!(server.request("POST", "/api/logs", &headers, b"x").status, 415);
}

#[test]
fn bulk_answers_each_action() {
    let server = Running::start();
    let body = "{\"create\":{\"_index\":\"web-2026.11.30\",\"_id\":\"7\"}}\n{\"message\":\"a\"}\n\
                {\"create\":{\"_index\":\"web-2026.11.30\",\"_id\":\"7\"}}\n{\"message\":\"a\"}\n\
                {\"index\":{\"_id\":\"8\"}}\n{\"message\":\"b\"}\n{\"index\":{}}\n{bad\n\
                {\"delete\":{\"_id\":\"8\"}}\n\
                {\"index\":{\"_index\":\"a b\"}}\n{\"message\":\"c\"}\n";
    let answer = server.post("/logs/_bulk", "application/x-ndjson", body);
    assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"));
    let answer = answer.json();
    assert_eq!(answer["errors"], true);
    let items: Vec<(String, u64)> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item.as_object().unwrap())
        .map(|(op, item)| (op.clone(), item["status"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("create", 201),
        ("create", 409),
        ("index", 201),
        ("index", 400),
        ("delete", 400),
        ("index", 400),
    ];
    assert_eq!(items, expected.map(|(op, status)| (op.to_owned(), status)));
    assert_eq!(answer["items"][5]["index"]["error"]["type"], "bad_stream");
    assert_eq!(server.search("stream:=web").len(), 1);
    assert_eq!(server.search("stream:=logs").len(), 1);
    let fine = server.post("/_bulk", "application/json", "{\"index\":{}}\n{\"message\":\"d\"}\n");
    assert_eq!(fine.json()["errors"], false);
}

#[test]
fn the_probes_of_elasticsearchs_clients_are_answered() {
    let server = Running::start();
    let info = server.get("/");
    assert_eq!(info.header("x-elastic-product"), Some("Elasticsearch"));
    assert_eq!(info.json()["version"]["number"], "8.15.0");
    assert_eq!(server.get("/_license").json()["license"]["status"], "active");
    for path in ["/_ilm/policy/x", "/_index_template/x", "/_ingest/pipeline/x", "/_xpack"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let headers = [("authorization", "Bearer secret")];
    assert_eq!(server.request("HEAD", "/", &headers, b"").status, 200);
    let put = server.request("PUT", "/_index_template/x", &headers, b"{}");
    assert_eq!(put.json()["acknowledged"], true);
}

#[test]
fn loki_is_answered_with_204_and_equal_lines_are_one() {
    let server = Running::start();
    let push =
        json!({"streams": [{"stream": {"app": "shop"}, "values": [["5", "a"], ["6", "b"]]}]});
    for _ in 0..2 {
        let answer = server.post("/loki/api/v1/push", JSON, push.to_string());
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    let timestamp = Some(PushTime { seconds: 7, nanos: 1 });
    let entries = vec![PushEntry { timestamp, line: "c".into(), metadata: Vec::new() }];
    let labels = "{app=\"shop\"}".to_owned();
    let push = PushRequest { streams: vec![PushStream { labels, entries }] };
    let packed = snap::raw::Encoder::new().compress_vec(&push.encode_to_vec()).unwrap();
    let answer = server.post("/loki/api/v1/push", "application/x-protobuf", packed);
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(server.search("service:=shop").len(), 3);
}

#[test]
fn loki_is_told_how_many_entries_were_refused_and_the_others_are_kept() {
    let server = Running::start();
    let push = json!({"streams": [{"stream": {}, "values": [["5", "good"], ["x", "bad"]]}]});
    let answer = server.post("/loki/api/v1/push", JSON, push.to_string());
    assert_eq!(answer.status, 400);
    assert!(answer.body.starts_with("1 of 2 entries were refused"), "{}", answer.body);
    assert_eq!(server.search("message:good").len(), 1);
}

#[test]
fn otlp_is_answered_in_its_own_type() {
    let server = Running::start();
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"severityNumber":17,"body":{"stringValue":"from otlp"}}]}]}]}"#;
    let answer = server.post("/v1/logs", JSON, body);
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    let answer = server.post("/v1/logs", "application/x-protobuf", b"");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(server.post("/v1/logs", "application/x-protobuf", b"\xff").status, 400);
    assert_eq!(server.search("level:error \"from otlp\"").len(), 1);
}

#[test]
fn gelf_is_answered_with_202() {
    let server = Running::start();
    let body = r#"{"version":"1.1","host":"h","short_message":"gelf came","level":4,"_a":1}"#;
    assert_eq!(server.post("/gelf", JSON, body).status, 202);
    assert_eq!(server.search("level:warn host:=h a:1").len(), 1);
    assert_eq!(server.post("/gelf", JSON, "7").status, 400);
}

#[test]
fn records_larger_than_the_limit_are_cut_and_kept() {
    let server = Running::start();
    let body = json!({"message": "x".repeat(2 << 20), "short": "kept"}).to_string();
    assert_eq!(server.logs(&body)["accepted"], 1);
    let found = server.search("short:kept");
    assert_eq!(found[0]["truncated.message"], 2 << 20);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.ends_with('…') && message.len() <= 1 << 20);
}

#[test]
fn the_password_of_basic_authentication_is_a_token() {
    let server = Running::start();
    let basic = base64::prelude::BASE64_STANDARD.encode("anybody:secret");
    let basic = format!("Basic {basic}");
    let answer = server.request("POST", "/api/logs", &[("authorization", &basic)], b"{}");
    assert_eq!(answer.status, 200);
}

#[test]
fn events_of_splunk_are_answered_as_splunk_does_and_acknowledged_at_once() {
    let server = Running::start();
    let headers = [("authorization", "Splunk secret"), ("x-splunk-request-channel", "a0a0")];
    let send = |path: &str, body: &str| server.request("POST", path, &headers, body.as_bytes());
    let event = r#"{"event":"by hec","host":"web-1","index":"web","time":"1771497000.5"}"#;
    let answer = send("/services/collector/event", &event.repeat(2)).json();
    assert_eq!((&answer["text"], &answer["code"]), (&json!("Success"), &json!(0)));
    let ack = answer["ackId"].as_u64().unwrap();
    let acks = send("/services/collector/ack?channel=a0a0", &format!("{{\"acks\":[{ack}]}}"));
    assert_eq!(acks.json()["acks"][ack.to_string()], true);
    assert_eq!(server.search("stream:=web \"by hec\" host:=web-1").len(), 2);
    let answer = send("/services/collector", r#"{"event":"kept"}{"no":"event"}"#);
    let refused = (answer.status, answer.json()["invalid-event-number"].clone());
    assert_eq!(refused, (400, json!(1)));
    assert_eq!(server.search("kept -stream:=_refused").len(), 1);
    let answer = send("/services/collector/raw?sourcetype=app&host=raw-1", "one\ntwo\n");
    assert_eq!(answer.json()["code"], 0);
    assert_eq!(server.search("host:=raw-1 sourcetype:=app").len(), 2);
    assert_eq!(server.request("GET", "/services/collector/health", &[], b"").json()["code"], 17);
}

#[test]
fn logs_of_datadogs_agent_are_taken_with_its_own_header() {
    let server = Running::start();
    let body = r#"[{"message":"by the agent","ddtags":"env:prod","status":"error"}]"#;
    let send = |body: &str| {
        server.request("POST", "/api/v2/logs", &[("dd-api-key", "secret")], body.as_bytes())
    };
    assert_eq!(send(body).status, 202);
    assert_eq!(server.search("env:=prod level:error").len(), 1);
    assert_eq!(send("[7]").status, 400);
}

#[test]
fn a_journal_that_is_uploaded_twice_is_there_once() {
    let server = Running::start();
    let journal: String = (0..2500)
        .map(|number| format!("__CURSOR=i={number}\nMESSAGE=entry {number}\nPRIORITY=4\n\n"))
        .collect();
    let kind = "application/vnd.fdo.journal";
    for _ in 0..2 {
        assert_eq!(server.post("/upload", kind, &journal).status, 202);
    }
    let counts = server.search("entry level:warn | stats count() as n");
    assert_eq!(counts[0]["n"], 2500);
    let torn = format!("{journal}MESSAGE\n\u{1}\0\0\0\0\0\0\0abc\n\n");
    assert_eq!(server.post("/upload", kind, torn).status, 400);
}
