//! Secrets are found nowhere but where they belong.

use super::server::{Reply, Server};
use super::{config, logging, until};
use logwell::config::Secret;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PLANTED: [&str; 9] = [
    "tok3n-PLANTED-1",
    "key-PLANTED-2",
    "head3r-PLANTED-3",
    "pr0xy-PLANTED-4",
    "us3r-PLANTED-5",
    "dsnPLANTED6",
    "UExBTlRFRC03LWFuZC1zb21ldGhpbmctbW9yZQ==", // the secret that webhooks are signed with
    "pa55-PLANTED-8",
    "c2hvcDpwYTU1LVBMQU5URUQtOA", // the same with its user, as `Authorization: Basic` has it
];

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

#[track_caller]
fn check_clean(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for secret in PLANTED {
        assert!(!text.contains(secret), "{secret} in {what}: {text}");
    }
}

#[test]
fn planted_secrets_are_in_no_file_no_error_no_statistics_and_no_body() {
    let told = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&told);
    logwell::set_self_log(move |line| lines.lock().unwrap().push_str(line));
    let dir = tempfile::tempdir().unwrap();
    // A server that repeats all it was sent, as some error pages do.
    let mut count = 0;
    let server = Server::start(move |request| {
        count += 1;
        let echo = format!("cannot {} {:?}", request.line, request.headers);
        match count {
            1 => Reply::With(503, "X: y", echo),
            2 => Reply::With(413, "X: y", echo),
            3 => Reply::With(302, "Location: http://127.0.0.1:1/", echo),
            4 => Reply::Reset,
            _ => Reply::Silence,
        }
    });
    let url = format!("http://us3r-PLANTED-5:x@{}/in?key=key-PLANTED-2", server.address);
    let mut config = config(dir.path(), &url);
    config.forward.logbeacon.timeout = Duration::from_millis(500);
    config.forward.logbeacon.token = Secret::new("tok3n-PLANTED-1");
    config.forward.logbeacon.headers = Secret::new("x-key=head3r-PLANTED-3");
    let shown = format!("{config:?}\n{}", config.to_yaml());
    check_clean("the configuration", shown.as_bytes());

    let report = logging(config.clone(), |handle| {
        (0..5).for_each(|n| tracing::info!(n, "order"));
        until("five requests", || server.requests().len() >= 5);
        until("a time-out", || {
            handle.stats().destination("logbeacon").unwrap().failed_attempts >= 3
        });
        let shown = format!("{:?} {} {:?}", handle.stats(), handle.health(), handle);
        check_clean("what the handle says", shown.as_bytes());
        check_clean("the configuration in force", handle.effective_config().as_bytes());
        handle.shutdown()
    });
    check_clean("the report", format!("{report} {report:?}").as_bytes());
    check_clean("the self-log", told.lock().unwrap().as_bytes());
    let mut all = Vec::new();
    files(dir.path(), &mut all);
    assert!(all.iter().any(|path| path.ends_with("logbeacon.dead")), "{all:?}");
    for path in all {
        check_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    for request in server.requests() {
        check_clean("a body", &request.body);
        assert_eq!(request.headers["authorization"], "Bearer tok3n-PLANTED-1");
    }

    for checked in logwell::forward::check(&config).unwrap() {
        check_clean("the check", format!("{checked} {checked:?}").as_bytes());
    }
    config.forward.logbeacon.url = Secret::new("http://us3r-PLANTED-5:x@h/in?key=key-PLANTED-2");
    config.forward.http.proxy = Secret::new("pr0xy-PLANTED-4");
    let error = config.check().unwrap_err();
    assert_eq!(error.mistakes().len(), 2);
    check_clean("an error", format!("{error} {error:?}").as_bytes());
}

/// All other destinations, with all their secrets, at a server that repeats what it is sent.
fn with_every_destination(dir: &Path, address: std::net::SocketAddr) -> logwell::LoggingConfig {
    let mut config = super::bare_config(dir);
    let url = |path: &str| Secret::new(format!("http://{address}/{path}?key=key-PLANTED-2"));
    let (token, headers) = (Secret::new("tok3n-PLANTED-1"), Secret::new("x-key=head3r-PLANTED-3"));
    let forward = &mut config.forward;
    forward.elasticsearch.enabled = true;
    (forward.elasticsearch.url, forward.elasticsearch.api_key) = (url("es"), token.clone());
    forward.elasticsearch.batch_wait = Duration::ZERO;
    forward.loki.enabled = true;
    (forward.loki.url, forward.loki.token) = (url("loki"), token.clone());
    forward.loki.headers = headers.clone();
    forward.loki.batch_wait = Duration::ZERO;
    forward.otlp.enabled = true;
    (forward.otlp.url, forward.otlp.token) = (url("otlp"), token.clone());
    forward.otlp.headers = headers.clone();
    forward.otlp.batch_wait = Duration::ZERO;
    forward.sentry.enabled = true;
    forward.sentry.dsn = Secret::new(format!("http://dsnPLANTED6@{address}/7"));
    forward.webhook.enabled = true;
    (forward.webhook.url, forward.webhook.headers) = (url("hook"), headers);
    forward.webhook.secret = Secret::new("whsec_UExBTlRFRC03LWFuZC1zb21ldGhpbmctbW9yZQ==");
    forward.slack.enabled = true;
    forward.slack.url = Secret::new(format!("http://{address}/services/key-PLANTED-2"));
    forward.slack.batch_wait = Duration::ZERO;
    config
}

/// The same with passwords in place of keys and tokens, where a destination takes both.
fn with_passwords(mut config: logwell::LoggingConfig) -> logwell::LoggingConfig {
    let (elasticsearch, loki) = (&mut config.forward.elasticsearch, &mut config.forward.loki);
    (elasticsearch.api_key, loki.token) = Default::default();
    (elasticsearch.user, loki.user) = ("shop".to_owned(), "shop".to_owned());
    elasticsearch.password = Secret::new("pa55-PLANTED-8");
    loki.password = Secret::new("pa55-PLANTED-8");
    config
}

#[test]
fn no_destination_shows_its_secrets() {
    shows_no_secret(|config| config);
}

#[test]
fn no_destination_shows_its_passwords() {
    shows_no_secret(with_passwords);
}

fn shows_no_secret(change: fn(logwell::LoggingConfig) -> logwell::LoggingConfig) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| {
        let status = if request.line.contains("services") { 404 } else { 413 };
        Reply::With(status, "X: y", format!("cannot {} {:?}", request.line, request.headers))
    });
    let config = change(with_every_destination(dir.path(), server.address));
    config.check().unwrap();
    let shown = format!("{config:?}\n{}", config.to_yaml());
    check_clean("the configuration", shown.as_bytes());
    let report = logging(config.clone(), |handle| {
        tracing::error!("order failed");
        let stats = || handle.stats();
        until("all have answered", || {
            stats().destinations.iter().all(|it| it.refused + it.failed_attempts > 0)
        });
        let shown = format!("{:?} {} {:?}", stats(), handle.health(), handle.effective_config());
        check_clean("what the handle says", shown.as_bytes());
        handle.shutdown()
    });
    check_clean("the report", format!("{report} {report:?}").as_bytes());
    let mut all = Vec::new();
    files(dir.path(), &mut all);
    assert!(all.iter().any(|path| path.ends_with("sentry.dead")), "{all:?}");
    for path in all {
        check_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    for checked in logwell::forward::check(&config).unwrap() {
        check_clean("the check", format!("{checked} {checked:?}").as_bytes());
    }
}
