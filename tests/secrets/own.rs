//! Secrets that the program itself logs, in each shape and in each way there is to log: masked
//! before anything has them.

use crate::marker::Planted;
use crate::program;
use crate::server::{Reply, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logwell::LoggingContext;
use serde_json::json;
use std::error::Error;
use std::fmt;
use std::path::Path;

/// All of them, in the order in which they are logged.
const MARKERS: &str = "LOGWELL_TEST_MARKERS";

type Shape = fn(&str) -> String;
type Way = fn(String);

/// Texts with a secret, as programs have them.
const SHAPES: [(&str, Shape); 16] = [
    ("a pair", |secret| format!("login failed: password={secret} user=bob")),
    ("a query", |secret| format!("GET /v1/me?access_token={secret}&page=2 answered 401")),
    ("JSON", |secret| format!(r#"sent {{"user":"bob","client_secret":"{secret}"}}"#)),
    ("JSON in JSON", |secret| format!(r#"{{"body":"{{\"token\":\"{secret}\"}}"}}"#)),
    ("Debug", |secret| format!(r#"Login {{ user: "bob", password: Some("{secret}") }}"#)),
    ("a header", |secret| format!("Authorization: Bearer {secret}\nHost: example.com")),
    ("a cookie", |secret| format!("Cookie: lang=de; sid={secret}")),
    ("a URL", |secret| format!("cannot reach postgres://app:{secret}@db.internal:5432/shop")),
    ("a connection string", |secret| format!("Server=db;Uid=sa;Password={secret};Encrypt=yes")),
    ("a bearer", |secret| format!("the token was Bearer {secret}, which is unknown")),
    ("basic", |secret| format!("got Basic {}", STANDARD.encode(format!("bob:{secret}")))),
    ("a JWT", |secret| format!("bad signature of eyJhbGciOiJIUzI1NiJ9.{secret}.{secret}")),
    ("GitHub", |secret| format!("pushed with ghp_{secret}0123456789abcdef")),
    ("Telegram", |secret| {
        format!("POST https://api.telegram.org/bot123456789:AA{secret}0123456789abc/sendMessage")
    }),
    ("a key", |secret| {
        format!(
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n{secret}\n-----END PRIVATE KEY-----"
        )
    }),
    ("OpenAI", |secret| format!("sk-proj-{secret}-{secret} is over its quota")),
];

/// What is as `Debug` what it is.
struct Bare<'a>(&'a str);

impl fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Debug)]
struct Failure(String, Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// The ways to log a text.
const WAYS: [(&str, Way); 13] = [
    ("message", |text| tracing::info!("{text}")),
    ("text field", |text| tracing::info!(text, "m")),
    ("Display", |text| tracing::info!(%text, "m")),
    ("Debug", |text| tracing::info!(text = ?Bare(&text), "m")),
    ("error", |text| {
        let error = Failure(text, None);
        tracing::error!(error = &error as &dyn Error, "m");
    }),
    ("source", |text| {
        let error = Failure("outer".into(), Some(Box::new(Failure(text, None))));
        tracing::error!(error = &error as &dyn Error, "m");
    }),
    ("span", |text| tracing::info_span!("s", text).in_scope(|| tracing::info!("in a span"))),
    ("record", |text| {
        let span = tracing::info_span!("s", text = tracing::field::Empty);
        span.record("text", text);
        span.in_scope(|| tracing::info!("in a span"));
    }),
    ("context", |text| {
        LoggingContext::new().with("text", &text).in_scope(|| tracing::info!("in a context"));
    }),
    ("log crate", |text| log::warn!("{text}")),
    ("extra information", |text| logwell::log(91, "f", "m", json!({ "deep": [text] })).unwrap()),
    ("to people", |text| logwell::error_ctg!("{text}")),
    ("panic", |text| drop(std::panic::catch_unwind(|| std::panic::panic_any(text)))),
];

/// Names whose values are secrets, whatever they are.
fn log_by_name(secret: &str) {
    tracing::info!(password = secret, "m");
    tracing::info!(user.api_key = %secret, "m");
    tracing::info!(accessToken = ?secret, "m");
    tracing::info!(private_key = secret.as_bytes(), "m");
    tracing::error!(credentials = &Failure(secret.into(), None) as &dyn Error, "m");
    tracing::info_span!("s", client_secret = secret).in_scope(|| tracing::info!("in a span"));
    LoggingContext::new().with("x-api-key", secret).in_scope(|| tracing::info!("in a context"));
    logwell::log(9, "f", "m", json!({ "a": { "jwt": [secret] }, "token": 7 })).unwrap();
}

/// What the program does: logs each of them in its shape and way.
pub(crate) fn log() {
    let markers = std::env::var(MARKERS).unwrap();
    let mut markers = markers.split(',');
    // The usual hook would print what a panic says.
    std::panic::set_hook(Box::new(|_| {}));
    let handle = logwell::init_logging().unwrap();
    for (_, shape) in SHAPES {
        for (_, way) in WAYS {
            way(shape(markers.next().unwrap()));
        }
    }
    log_by_name(markers.next().unwrap());
    assert_eq!(markers.next(), None);
    handle.flush(std::time::Duration::from_secs(60)).unwrap();
    program::copy_black_box();
    println!("masked: {}", handle.stats().redacted_values);
    logwell::shutdown_logging();
    println!("the program is done");
}

/// Runs it with those that are planted; returns what it printed and what servers were sent.
fn run(planted: &mut Planted, directory: &Path, is_masking: bool) -> (String, Vec<Vec<u8>>) {
    let [beacon, telegram] = [(); 2].map(|()| Server::start(|_| Reply::Status(200)));
    let mut markers = Vec::new();
    for (shape, _) in SHAPES {
        for (way, _) in WAYS {
            markers.push(planted.marker(format!("{shape} as {way}")));
        }
    }
    markers.push(planted.marker("by name"));
    let variables = [
        ("LOG_REDACT_ENABLED", is_masking.to_string()),
        ("LOG_CONSOLE_LEVEL", "trace".to_owned()),
        ("LOG_SHUTDOWN_TIMEOUT", "1s".to_owned()),
        ("LOG_DOMAIN", "shop.example".to_owned()),
        ("LOG_FORWARD_LOGBEACON_ENABLED", "true".to_owned()),
        ("LOG_FORWARD_LOGBEACON_URL", format!("http://{}", beacon.address)),
        ("LOG_FORWARD_TELEGRAM_ENABLED", "true".to_owned()),
        ("LOG_FORWARD_TELEGRAM_BASE_URL", format!("http://{}", telegram.address)),
        ("DEV_TG_TOKEN", "1:AA".to_owned()),
        ("DEV_TG_CHATID", "-1001".to_owned()),
        (MARKERS, markers.join(",")),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let output = program::run("own", directory, &variables);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr;
    assert!(printed.contains("the program is done"), "{printed}");
    let bodies =
        [beacon, telegram].iter().flat_map(Server::requests).map(|request| request.body).collect();
    (printed, bodies)
}

#[test]
fn what_a_program_logs_of_its_secrets_is_masked_before_anything_has_it() {
    let mut planted = Planted::default();
    let directory = tempfile::tempdir().unwrap();
    let (printed, bodies) = run(&mut planted, directory.path(), true);
    planted.assert_absent("what it printed", printed.as_bytes());
    bodies.iter().for_each(|body| planted.assert_absent("a body", body));
    assert!(bodies.len() > 1, "{}", bodies.len());
    planted.assert_absent_in_files(directory.path());
    // What is around them is there.
    let app = std::fs::read_to_string(directory.path().join("logs/app.log")).unwrap();
    assert!(app.contains("login failed: password=(secret) user=bob"), "{app}");
    assert!(app.contains("cannot reach postgres://app:(secret)@db.internal:5432/shop"));
    eprintln!("{} secrets logged, none is anywhere", planted.len());
}

#[test]
fn without_masking_all_of_them_would_be_there() {
    let mut planted = Planted::default();
    let directory = tempfile::tempdir().unwrap();
    run(&mut planted, directory.path(), false);
    let app = std::fs::read(directory.path().join("logs/app.log")).unwrap();
    assert_eq!(planted.found(&app).len(), planted.len());
}
