//! What LogBeacon is sent.

use super::server::{Reply, Server};
use super::{config, logging, numbers, until, until_delivered};
use logwell::config::{Secret, WarnAs};
use serde_json::json;
use std::io::Read as _;

fn ok() -> Server {
    Server::start(|_| Reply::Status(200))
}

#[test]
fn a_record_is_posted_as_the_object_that_the_format_asks_for() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    config.forward.logbeacon.token = Secret::new("t0k3n");
    config.forward.logbeacon.headers = Secret::new("x-team=orders,x-env=a%2Cb");
    logging(config, |handle| {
        let span = tracing::info_span!("process_order", shop = "eu", trace_id = "abc-123");
        span.in_scope(|| tracing::error!(order_id = 123, ratio = 0.5, "order failed"));
        until_delivered(handle, 1);
    });
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /logs HTTP/1.1");
    for (name, value) in [
        ("content-type", "application/json"),
        ("authorization", "Bearer t0k3n"),
        ("x-team", "orders"),
        ("x-env", "a,b"),
    ] {
        assert_eq!(request.headers[name], value);
    }
    let message = request.json();
    let keys: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "domain",
        "program_name",
        "level",
        "def_name",
        "message",
        "extra_info",
        "timestamp",
        "hash",
    ];
    assert_eq!(keys, expected);
    assert_eq!(message["domain"], "example.com");
    assert_eq!(message["program_name"], "api_server");
    assert_eq!(message["level"], "Error");
    assert_eq!(message["def_name"], "process_order");
    assert_eq!(message["message"], "order failed");
    let extra = &message["extra_info"];
    assert_eq!(extra["order_id"], 123);
    assert_eq!((&extra["ratio"], &extra["shop"]), (&json!(0.5), &json!("eu")));
    assert_eq!(extra["trace_id"], "abc-123");
    assert_eq!(extra["span_id"].as_str().unwrap().len(), 16);
    let format = "%Y-%m-%d %H:%M:%S";
    jiff::civil::DateTime::strptime(format, message["timestamp"].as_str().unwrap()).unwrap();
    let hash = message["hash"].as_str().unwrap();
    assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
}

#[test]
fn levels_go_where_the_table_says() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    logging(config(dir.path(), &server.url()), |handle| {
        tracing::trace!(n = 0, "");
        tracing::debug!(n = 1, "");
        tracing::info!(n = 2, "");
        tracing::warn!(n = 3, "");
        tracing::error!(n = 4, "");
        logwell::critical!(n = 5, "");
        logwell::info_ctg!(n = 6, "");
        logwell::error_ctg!(n = 7, "");
        logwell::monitor!(n = 8, "");
        tracing::debug!(logwell.info_ctg = true, n = 9, "");
        log_by_code(9, 10);
        log_by_code(0, 11);
        log_by_code(99, 12);
        log_by_code(91, 13);
        until_delivered(handle, 9);
    });
    let sent: Vec<_> = server
        .messages()
        .iter()
        .map(|m| (m["extra_info"]["n"].as_u64().unwrap(), m["level"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        (2, "Info"),
        (3, "Info"),
        (4, "Error"),
        (5, "Error"),
        (6, "Info_CTG"),
        (7, "Error_CTG"),
        (9, "Info_CTG"),
        (10, "Error"),
        (13, "Error_CTG"),
    ];
    assert_eq!(sent, expected.map(|(n, level)| (n, level.to_owned())));
}

fn log_by_code(code: u8, n: u64) {
    logwell::log(code, "caller", "by code", json!({ "n": n, "deep": { "list": [1, null] } }))
        .unwrap();
}

#[test]
fn the_table_is_configuration_and_a_warning_can_be_an_error() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    config.forward.warn_as = WarnAs::Error;
    config.forward.levels.info.logbeacon = false;
    config.forward.levels.monitor.logbeacon = true;
    logging(config, |handle| {
        tracing::info!(n = 1, "");
        tracing::warn!(n = 2, "");
        logwell::monitor!(n = 3, "");
        until_delivered(handle, 2);
    });
    let messages = server.messages();
    assert_eq!(numbers(&messages), [2, 3]);
    assert_eq!(
        (&messages[0]["level"], &messages[1]["level"]),
        (&json!("Error"), &json!("Monitor"))
    );
}

#[test]
fn extra_information_arrives_as_it_was_given() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    logging(config(dir.path(), &server.url()), |handle| {
        let odd = json!({ "trace_id": "mine", "n": 1, "text": "\u{202e}\u{7f}\n\"", "x": [{}] });
        logwell::log(1, "f", "object", odd).unwrap();
        logwell::log(1, "f", "list", json!([1, "two"])).unwrap();
        logwell::log(1, "f", "nothing", ()).unwrap();
        until_delivered(handle, 3);
    });
    let messages = server.messages();
    assert_eq!(messages[0]["def_name"], "f");
    assert_eq!(
        messages[0]["extra_info"],
        json!({ "field.trace_id": "mine", "n": 1, "text": "\u{202e}\u{7f}\n\"", "x": [{}] })
    );
    assert_eq!(messages[1]["extra_info"], json!({ "extra_info": [1, "two"] }));
    assert_eq!(messages[2]["extra_info"], json!({}));
    for request in server.requests() {
        let text = String::from_utf8(request.body).unwrap();
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
}

#[test]
fn a_record_that_is_too_long_for_the_spool_is_cut_and_says_so() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    config.forward.logbeacon.max_bytes = 64 * 1024;
    logging(config, |handle| {
        tracing::error!(n = 1, long = "x".repeat(60_000), "too long");
        until_delivered(handle, 1);
    });
    let extra = &server.messages()[0]["extra_info"];
    assert!(extra["long"].as_str().unwrap().ends_with('…'));
    assert_eq!(extra["truncated"]["long"], 60_000);
}

#[test]
fn batches_are_arrays_and_keep_the_order() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    config.forward.logbeacon.batch_records = 10;
    logging(config, |handle| {
        (0..95).for_each(|n| tracing::info!(n, "many"));
        until_delivered(handle, 95);
    });
    assert_eq!(numbers(&server.messages()), (0..95).collect::<Vec<_>>());
    let requests = server.requests();
    assert!(requests.len() < 40, "{}", requests.len());
    let longest = requests.iter().filter_map(|r| r.json().as_array().map(Vec::len)).max();
    assert_eq!(longest, Some(10));
}

#[test]
fn of_a_batch_only_what_is_refused_is_lost_and_it_is_among_the_dead_letters() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match String::from_utf8_lossy(&request.body) {
        body if body.contains("poison") => Reply::With(400, "X: y", "no poison, please".to_owned()),
        _ => Reply::Status(204),
    });
    let mut config = super::quick(dir.path(), &server.url());
    config.forward.logbeacon.batch_records = 10;
    let report = logging(config, |handle| {
        for n in 0..20 {
            let text = if n == 7 { "poison" } else { "food" };
            tracing::info!(n, text, "meal");
        }
        until_delivered(handle, 19);
        let refused = || handle.stats().destination("logbeacon").unwrap().refused;
        super::until_with_traffic("it is to blame", || refused() == 1);
        handle.shutdown()
    });
    assert_eq!(report.stats.destination("logbeacon").unwrap().refused, 1);
    assert!(!report.is_lossless());
    let dead = std::fs::read_to_string(dir.path().join("spool/logbeacon.dead")).unwrap();
    let dead: serde_json::Value = serde_json::from_str(dead.trim_end()).unwrap();
    assert_eq!(dead["message"]["extra_info"]["n"], 7);
    assert_eq!(dead["why"], "HTTP status 400: no poison, please");
}

#[test]
fn what_is_refused_stays_in_the_spool_while_no_dead_letter_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::Status(413));
    let letters = dir.path().join("spool/logbeacon.dead");
    std::fs::create_dir_all(&letters).unwrap();
    logging(config(dir.path(), &server.url()), |handle| {
        let logbeacon = || handle.stats().destination("logbeacon").unwrap().clone();
        tracing::info!("kept");
        until("a try", || logbeacon().failed_attempts > 0);
        assert_eq!((logbeacon().waiting, logbeacon().refused), (1, 0));
        assert!(logbeacon().problem.unwrap().contains("dead letter cannot be written"));

        std::fs::remove_dir(&letters).unwrap();
        until("a burial", || logbeacon().refused == 1 && logbeacon().waiting == 0);
        let letter = std::fs::read_to_string(&letters).unwrap();
        assert!(letter.contains("kept"), "{letter}");
    });
}

#[test]
fn long_bodies_are_compressed_if_that_is_asked_for() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    config.forward.logbeacon.gzip = true;
    logging(config, |handle| {
        tracing::info!(long = "x".repeat(5_000), "long");
        tracing::info!("short");
        until_delivered(handle, 2);
    });
    let requests = server.requests();
    assert_eq!(requests[0].headers["content-encoding"], "gzip");
    assert!(requests[0].body.len() < 1_000);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&requests[0].body[..]).read_to_string(&mut text).unwrap();
    let message: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(message["message"], "long");
    assert!(!requests[1].headers.contains_key("content-encoding"));
    assert_eq!(requests[1].json()["message"], "short");
}

#[test]
fn no_two_records_have_one_hash_not_even_of_two_starts() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    for _ in 0..2 {
        logging(config(dir.path(), &server.url()), |handle| {
            (0..50).for_each(|n| tracing::info!(n, "same"));
            until_delivered(handle, 50);
        });
    }
    let mut hashes: Vec<_> = server.messages().iter().map(|m| m["hash"].to_string()).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 100);
}

#[test]
fn through_a_proxy_the_request_goes_to_the_proxy() {
    let (proxy, dir) = (ok(), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), "http://logs.example.invalid/in");
    config.forward.http.allow_plain = true;
    config.forward.http.proxy = Secret::new(format!("http://user:pass@{}", proxy.address));
    logging(config, |_| {
        tracing::info!("by proxy");
        until("a request", || !proxy.requests().is_empty());
    });
    let request = &proxy.requests()[0];
    let is_through = request.line.contains("logs.example.invalid");
    assert!(is_through, "{request:?}");
    assert_eq!(request.headers["proxy-authorization"], "Basic dXNlcjpwYXNz");
}

#[test]
fn what_logwell_says_of_itself_at_start_and_end_is_not_forwarded() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    logging(config(dir.path(), &server.url()), |handle| {
        tracing::info!(n = 1, "mine");
        until_delivered(handle, 1);
    });
    assert_eq!(server.messages().len(), 1);
}

/// The messages, as the files of `tests/golden` have them: with what differs from run to run made
/// the same.
#[test]
fn messages_are_those_of_the_golden_file() {
    let (server, dir) = (ok(), tempfile::tempdir().unwrap());
    logging(config(dir.path(), &server.url()), |handle| {
        let span = tracing::info_span!(
            "process_order",
            shop = "eu",
            order_id = 1,
            trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
            span_id = "00f067aa0ba902b7"
        );
        span.in_scope(|| {
            tracing::error!(order_id = 123, ratio = 0.5, big = u64::MAX, "order failed\n\"twice\"");
        });
        let error: &dyn std::error::Error = &std::io::Error::other("disk");
        logwell::error_ctg!(error, function = "pay", hash = "mine", "payment failed");
        logwell::info_ctg!(raw = &b"\x00\xff"[..], nan = f64::NAN, "order shipped");
        tracing::warn!("");
        let extra = json!({ "order_id": 123, "list": [1, { "a": null }], "span_id": "x" });
        logwell::log(1, "nightly", "by code", extra).unwrap();
        until_delivered(handle, 5);
    });
    let mut text = String::new();
    for request in server.requests() {
        let body = String::from_utf8(request.body).unwrap();
        let (start, hash) = body.rsplit_once("\"hash\":\"").unwrap();
        assert_eq!(hash.len(), 32 + 2);
        let (start, time) = start.rsplit_once("\"timestamp\":\"").unwrap();
        assert_eq!(time.len(), "2026-02-19 10:30:00\",".len());
        text += &format!("{start}\"timestamp\":\"(time)\",\"hash\":\"(hash)\"}}\n");
    }
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/logbeacon.jsonl");
    if std::env::var_os("LOGWELL_GOLDEN").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    assert!(text == golden, "{text}\nis not what {} says", file.display());
}

#[test]
fn check_says_what_became_of_a_test_message_and_needs_no_logging() {
    let dir = tempfile::tempdir().unwrap();
    let server = ok();
    let config = config(dir.path(), &server.url());
    let checked = logwell::forward::check(&config).unwrap();
    let address = server.address;
    let start = format!("logbeacon (http://{address}/…): delivered in ");
    assert!(checked.len() == 1 && checked[0].to_string().starts_with(&start), "{checked:?}");
    assert_eq!(server.messages()[0]["message"], "test message: logwell can reach you");
    drop(server);
    let checked = logwell::forward::check(&config).unwrap();
    assert!(checked[0].to_string().contains("): not delivered: "), "{}", checked[0]);
    let server = Server::start_at(address, |_| Reply::With(403, "X: y", "who are you?".into()));
    let checked = logwell::forward::check(&config).unwrap();
    let said = "): refused: HTTP status 403: who are you?; check what the token may do";
    assert!(checked[0].to_string().contains(said), "{}", checked[0]);
    assert_eq!(server.requests().len(), 1);
    assert!(!dir.path().join("spool").exists());
}
