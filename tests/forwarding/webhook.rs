//! What a webhook, Sentry and Slack are sent, and what their answers mean.

use super::server::{Reply, Server};
use super::{bare_config, destination, letters, logging, until};
use logwell::LoggingConfig;
use logwell::config::Secret;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

fn quick_config(dir: &Path) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.service.environment = "production".to_owned();
    config.service.version = "1.2.3".to_owned();
    config.forward.blocked_rest = Duration::from_millis(200);
    config
}

fn webhook(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = quick_config(dir);
    config.forward.webhook.enabled = true;
    config.forward.webhook.url = Secret::new(format!("http://{}/hook", server.address));
    config
}

fn sentry(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = quick_config(dir);
    config.forward.sentry.enabled = true;
    config.forward.sentry.dsn = Secret::new(format!("http://k3y@{}/7", server.address));
    config
}

fn slack(dir: &Path, server: &Server) -> LoggingConfig {
    let mut config = quick_config(dir);
    config.forward.slack.enabled = true;
    config.forward.slack.url = Secret::new(format!("http://{}/services/T0/B0", server.address));
    config.forward.slack.batch_wait = Duration::from_millis(100);
    config
}

#[test]
fn each_error_is_posted_to_the_webhook_signed_and_with_an_id_of_its_own() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        if requests == 1 {
            Reply::With(503, "Retry-After: 0", String::new())
        } else {
            Reply::Status(204)
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut config = webhook(dir.path(), &server);
    config.forward.webhook.secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    logging(config, |handle| {
        tracing::error!(order = 7, "order failed");
        tracing::warn!("too little");
        tracing::error!(order = 8, "order failed");
        until("both are delivered", || destination(handle, "webhook").delivered == 2);
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let ids: Vec<_> = requests.iter().map(|request| &request.headers["webhook-id"]).collect();
    assert!(
        ids[0] == ids[1] && ids[1] != ids[2],
        "an attempt has the id of the one before: {ids:?}"
    );
    for request in &requests {
        assert_eq!(request.headers["idempotency-key"], request.headers["webhook-id"]);
        assert!(request.headers["webhook-signature"].starts_with("v1,"));
        assert_eq!(request.headers["content-type"], "application/json");
        let body = request.json();
        assert_eq!(body["type"], "log.record");
        assert_eq!(
            (&body["data"]["message"], &body["data"]["level"]),
            (&"order failed".into(), &"ERROR".into())
        );
    }
}

#[test]
fn the_body_of_the_webhook_can_be_any_json() {
    let server = Server::start(|_| Reply::Status(200));
    let dir = tempfile::tempdir().unwrap();
    let mut config = webhook(dir.path(), &server);
    config.forward.webhook.body =
        r#"{"summary":{{ json message }},"id":{{ json hash }}}"#.to_owned();
    logging(config, |handle| {
        tracing::error!("a \"b\"\n");
        until("it is delivered", || destination(handle, "webhook").delivered == 1);
    });
    let request = &server.requests()[0];
    let id = &request.headers["webhook-id"];
    assert_eq!(request.json(), json!({ "summary": "a \"b\"\n", "id": id }));
    assert!(!request.headers.contains_key("webhook-signature"));
}

#[test]
fn a_webhook_that_is_gone_or_leads_elsewhere_waits_for_a_person() {
    for (status, advice) in
        [(410, "check the URL"), (307, "leads elsewhere"), (401, "check the token")]
    {
        let mut requests = 0;
        let server = Server::start(move |_| {
            requests += 1;
            match requests {
                ..=2 => Reply::With(status, "Location: http://127.0.0.1:1/", String::new()),
                _ => Reply::Status(200),
            }
        });
        let dir = tempfile::tempdir().unwrap();
        logging(webhook(dir.path(), &server), |handle| {
            tracing::error!("order failed");
            until("it is told", || handle.health().to_string().contains(advice));
            until("it is delivered", || destination(handle, "webhook").delivered == 1);
        });
    }
}

/// The event in an envelope.
fn event(body: &[u8]) -> Value {
    use std::io::Read as _;
    let mut text = String::new();
    match flate2::read::GzDecoder::new(body).read_to_string(&mut text) {
        Ok(_) => {}
        Err(_) => text = String::from_utf8(body.to_vec()).unwrap(),
    }
    let mut lines = text.lines();
    let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let item: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let event = lines.next().unwrap();
    assert_eq!((&item["type"], &item["length"]), (&"event".into(), &event.len().into()));
    let event: Value = serde_json::from_str(event).unwrap();
    assert_eq!(header["event_id"], event["event_id"]);
    event
}

#[test]
fn an_error_is_an_event_of_sentry_whose_id_is_the_hash() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::With(
                429,
                "X-Sentry-Rate-Limits: 1:error:org, 600:transaction",
                String::new(),
            ),
            _ => Reply::With(200, "X: y", "{\"id\":\"x\"}".to_owned()),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(sentry(dir.path(), &server), |handle| {
        let error: &dyn std::error::Error = &std::io::Error::other("disk full");
        tracing::error!(
            error,
            order = 7,
            trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
            "cannot save"
        );
        until("it is delivered", || destination(handle, "sentry").delivered == 1);
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1), "the limit is obeyed");
    assert_eq!(requests[0].line, "POST /api/7/envelope/ HTTP/1.1");
    assert_eq!(requests[0].headers["content-type"], "application/x-sentry-envelope");
    assert!(requests[0].headers["x-sentry-auth"].ends_with("sentry_key=k3y"));
    let [first, second] = [event(&requests[0].body), event(&requests[1].body)];
    assert_eq!(first["event_id"], second["event_id"]);
    assert_eq!(first["event_id"].as_str().unwrap().len(), 32);
    assert_eq!((&first["level"], &first["platform"]), (&"error".into(), &"native".into()));
    assert_eq!(first["release"], "api_server@1.2.3");
    assert_eq!(first["environment"], "production");
    assert_eq!(
        first["exception"]["values"][0],
        json!({ "type": "cannot save", "value": "disk full" })
    );
    assert_eq!(first["contexts"]["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(first["extra"]["order"], 7);
}

#[test]
fn sentrys_limit_holds_also_if_it_comes_with_a_success() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::With(200, "X-Sentry-Rate-Limits: 1::org", String::new()),
            _ => Reply::Status(200),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(sentry(dir.path(), &server), |handle| {
        tracing::error!("a");
        tracing::error!("b");
        until("both are delivered", || destination(handle, "sentry").delivered == 2);
        assert_eq!(destination(handle, "sentry").refused, 0);
    });
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(990));
}

#[test]
fn errors_of_some_seconds_are_one_message_to_slack() {
    let server = Server::start(|_| Reply::With(200, "X: y", "ok".to_owned()));
    let dir = tempfile::tempdir().unwrap();
    let mut config = slack(dir.path(), &server);
    config.forward.slack.batch_wait = Duration::from_secs(60);
    logging(config, |_| {
        (0..50).for_each(|order| tracing::error!(order, "order {order} failed"));
        tracing::error!("<!channel> wake up");
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].line, "POST /services/T0/B0 HTTP/1.1");
    let text = requests[0].json()["text"].as_str().unwrap().replace('\u{200b}', "");
    assert!(
        text.starts_with("*api_server (production): 51 records, the worst ERROR order 0 failed*"),
        "{text}"
    );
    assert!(text.contains("order 0 failed (×50)\n    order=0\n"), "{text}");
    assert!(text.contains("&lt;!channel&gt; wake up"), "{text}");
}

#[test]
fn a_hook_of_slack_that_is_gone_waits_and_a_payload_it_cannot_read_does_not() {
    let mut requests = 0;
    let server = Server::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::With(404, "X: y", "no_service".to_owned()),
            2 => Reply::With(429, "Retry-After: 0", "rate_limited".to_owned()),
            3 => Reply::With(400, "X: y", "invalid_payload".to_owned()),
            _ => Reply::With(200, "X: y", "ok".to_owned()),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(slack(dir.path(), &server), |handle| {
        tracing::error!(n = 1, "a");
        until("it is told", || handle.health().to_string().contains("make a new incoming webhook"));
        until("it is refused", || destination(handle, "slack").refused == 1);
        tracing::error!(n = 2, "b");
        until("the next is delivered", || destination(handle, "slack").delivered == 1);
    });
    let letters = letters(dir.path(), "slack");
    assert_eq!(letters[0].0["kinds"][0]["first"]["n"], 1);
    assert_eq!(letters[0].1, "HTTP status 400: invalid_payload");
}
