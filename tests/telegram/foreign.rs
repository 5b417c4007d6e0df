//! Against `telegram-test-api`, a Bot API server that nobody here wrote. It takes anything: how
//! long texts are and how often they come is looked at here, and by the strict server elsewhere.

use super::server::Server;
use super::{
    CUSTOMER_TOKEN, CUSTOMERS, DEVELOPER_TOKEN, DEVELOPERS, config, logging, records_of, told,
    until,
};
use logwell::config::Secret;
use logwell::forward::{HttpClient, HttpOptions, SecretUrl};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const PACKAGE: &str = "telegram-test-api@4.2.1";
const START: &str = "
    const Telegram = require('telegram-test-api');
    const server = new Telegram({ host: process.argv[1], port: Number(process.argv[2]), storeTimeout: 600 });
    server.start().then(() => console.log('ready'));
";

/// The server, as long as it lives.
struct Foreign {
    process: Child,
    url: String,
}

impl Foreign {
    /// Starts it; installs it first, into the build's own directory. Without npm there is nothing
    /// to test against: that is said, and on a build server it is a failure.
    fn start() -> Option<Self> {
        // By one test, while the other waits.
        static INSTALLED: LazyLock<Option<PathBuf>> = LazyLock::new(installed);
        let Some(dir) = &*INSTALLED else {
            assert!(std::env::var_os("CI").is_none(), "npm cannot install {PACKAGE}");
            eprintln!("SKIPPED: npm cannot install {PACKAGE}, the server to test against");
            return None;
        };
        let address = Server::nowhere();
        let mut process = Command::new("node")
            .args(["-e", START, "--", &address.ip().to_string(), &address.port().to_string()])
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        Some(Self { process, url: format!("http://{address}") })
    }

    /// What that bot has written: chat and text.
    fn written_by(&self, token: &str) -> Vec<(String, String)> {
        let http = HttpClient::new(&HttpOptions::default()).unwrap();
        let url = SecretUrl::new(format!("{}/getUpdatesHistory", self.url));
        let body = json!({ "token": token }).to_string();
        let answer = http.post_json(&url, &[], body.as_bytes()).unwrap();
        let answer: Value = serde_json::from_str(&answer.body_start).unwrap();
        let message = |update: &Value| {
            let message = &update["message"];
            assert_eq!(message.get("parse_mode"), None);
            (message["chat_id"].to_string(), message["text"].as_str().unwrap().to_owned())
        };
        answer["result"].as_array().unwrap().iter().map(message).collect()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The directory in which node finds the package.
fn installed() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("telegram-test-api");
    if !dir.join("node_modules/telegram-test-api/package.json").exists() {
        std::fs::create_dir_all(&dir).unwrap();
        let npm = Command::new("npm")
            .args([
                "install",
                "--no-audit",
                "--no-fund",
                "--silent",
                "--ignore-scripts",
                "--prefix",
            ])
            .arg(&dir)
            .arg(PACKAGE)
            .status();
        npm.ok()?.success().then_some(())?;
    }
    Some(dir)
}

#[test]
fn messages_arrive_where_the_levels_send_them() {
    let Some(telegram) = Foreign::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &telegram.url), |handle| {
        tracing::info!("not for people");
        tracing::error!(order_id = 17, "order 17 failed: card declined");
        logwell::info_ctg!("parcel 5 has arrived");
        logwell::error_ctg!("the shop is closed\n\u{202e}for all");
        tracing::error!("{}", "🦀".repeat(20_000));
        until("all are told", || {
            (told(handle, "telegram_developer"), told(handle, "telegram_customer")) == (3, 2)
        });
    });
    let developers = telegram.written_by(DEVELOPER_TOKEN);
    let customers = telegram.written_by(CUSTOMER_TOKEN);
    assert!(developers.iter().all(|(chat, _)| chat == DEVELOPERS), "{developers:?}");
    assert!(customers.iter().all(|(chat, _)| chat == CUSTOMERS), "{customers:?}");
    let texts = |written: &[(String, String)]| {
        written.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>().join("\n\n")
    };
    let (developers, customers) = (texts(&developers), texts(&customers));
    for part in
        ["billing · shop.example.com", "order 17 failed: card declined", "order_id: 17", "🦀"]
    {
        assert!(developers.contains(part), "{part} is missing in {developers}");
        assert!(!customers.contains("order 17") && !customers.contains("🦀"));
    }
    assert!(customers.contains("parcel 5 has arrived") && !developers.contains("parcel 5"));
    for both in [&developers, &customers] {
        assert!(both.contains("the shop is closed\n│ \\u{202e}for all"), "{both}");
        assert!(!both.contains("not for people"));
    }
    assert!(developers.contains("tests/telegram/foreign.rs:") && !customers.contains("foreign.rs"));
}

#[test]
fn ten_thousand_errors_in_a_moment_are_told_in_a_few_messages_and_none_is_missing() {
    let Some(telegram) = Foreign::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &telegram.url);
    config.forward.telegram.digest_every = Duration::from_secs(2);
    config.forward.telegram.developer.token = Secret::new("777:storm");
    let start = Instant::now();
    logging(config, |handle| {
        for n in 0..10_000 {
            match n % 10 {
                0..7 => tracing::error!(n, "order {n} failed"),
                7..9 => tracing::error!(n, "cannot reach 10.0.0.{n}:5432"),
                _ => tracing::error!(n, "disk full"),
            }
        }
        until("all are told", || told(handle, "telegram_developer") == 10_000);
    });
    let written = telegram.written_by("777:storm");
    // In a minute.
    let minutes = 1 + start.elapsed().as_secs() as usize / 60;
    assert!(written.len() < 20 * minutes, "{} messages", written.len());
    assert_eq!(written.iter().map(|(_, text)| records_of(text)).sum::<u64>(), 10_000);
    assert!(written.iter().all(|(_, text)| text.encode_utf16().count() <= 4_096));
}
