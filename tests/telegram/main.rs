//! Telegram, all the way from a macro to a server: one that nobody here wrote, and one that is
//! stricter than the real one.

#![cfg(feature = "forward")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests"
)]

mod arrival;
mod foreign;
mod kill;
mod limits;
mod secrets;
#[path = "../forwarding/server.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod server;
#[path = "../support/strict_telegram.rs"]
mod strict;

use logwell::config::Secret;
use logwell::{LoggingConfig, LoggingHandle, QueueLayer};
use server::{Reply, Server};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use strict::Strict;
use tracing_subscriber::layer::SubscriberExt as _;

/// Longer than anything takes that does not hang, on a busy machine with a slow disk too.
const SOON: Duration = Duration::from_secs(120);
const DEVELOPERS: &str = "-1001";
const CUSTOMERS: &str = "-1002";
const DEVELOPER_TOKEN: &str = "123456:DEV-planted_token";
const CUSTOMER_TOKEN: &str = "654321:CUS-planted_token";

/// Tells both groups by way of that server; files and spools are in that directory.
fn config(dir: &Path, base_url: &str) -> LoggingConfig {
    let config = LoggingConfig::builder().log_dir(dir).console(false);
    let mut config = config.shutdown_timeout(SOON).build().unwrap();
    // No caller waits longer.
    config.queue.max_wait = SOON / 2;
    config.service.name = "billing".to_owned();
    config.service.domain = "shop.example.com".to_owned();
    let telegram = &mut config.forward.telegram;
    telegram.enabled = true;
    telegram.base_url = base_url.to_owned();
    telegram.developer.token = Secret::new(DEVELOPER_TOKEN);
    telegram.developer.chat_id = DEVELOPERS.to_owned();
    telegram.customer.token = Secret::new(CUSTOMER_TOKEN);
    telegram.customer.chat_id = CUSTOMERS.to_owned();
    telegram.timeout = SOON;
    config
}

/// Runs `body` with a pipeline of that configuration around it.
fn logging<T>(config: LoggingConfig, body: impl FnOnce(&LoggingHandle) -> T) -> T {
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let result = tracing::subscriber::with_default(subscriber, || body(&handle));
    let _report = handle.shutdown();
    result
}

/// Waits until it is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many records the developers, or the customers, have been told.
fn told(handle: &LoggingHandle, group: &str) -> u64 {
    handle.stats().destination(group).unwrap().delivered
}

/// A strict Telegram behind HTTP, and what it has seen.
fn strict_server() -> (Server, Arc<Mutex<Strict>>) {
    let telegram = Arc::new(Mutex::new(Strict::new()));
    let shared = Arc::clone(&telegram);
    let server = Server::start(move |request| {
        let (status, answer) = shared.lock().unwrap().send_message(&request.body, Instant::now());
        Reply::With(status, "Content-Type: application/json", answer.to_string())
    });
    (server, telegram)
}

fn base_url(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// How many records a text stands for, by its own words.
fn records_of(text: &str) -> u64 {
    let title = text.lines().next().unwrap_or_default();
    let number = |after: &str| after.split([' ', '\n']).next()?.parse::<u64>().ok();
    match (title.split_once('×'), title.split_once(" kinds, ")) {
        _ if title.starts_with('✅') => 0,
        (_, Some((_, records))) => number(records).unwrap(),
        (Some((_, records)), None) => number(records).unwrap(),
        (None, None) => 1,
    }
}
