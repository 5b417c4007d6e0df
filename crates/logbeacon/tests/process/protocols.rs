//! logwell's destinations against the server by other protocols than its own, with kills on both
//! sides.

use super::support::{Beacon, TOKEN};
use logwell::config::Secret;
use logwell::{LoggingConfig, init_logging_with};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Records of one life of the sender.
const RECORDS: u64 = 5_000;

/// The sender, when this program starts itself: logs numbers, and prints each before the next.
#[test]
fn sender() {
    let Ok(url) = std::env::var("LOGBEACON_TEST_URL") else { return };
    let dir = std::env::var("LOGBEACON_TEST_DIR").unwrap();
    let first: u64 = std::env::var("LOGBEACON_TEST_FIRST").unwrap().parse().unwrap();
    let kind = std::env::var("LOGBEACON_TEST_KIND").unwrap();
    let mut config = LoggingConfig::builder().log_dir(dir).console(false).build().unwrap();
    let (url, token) = (|path: &str| Secret::new(format!("{url}{path}")), Secret::new(TOKEN));
    let forward = &mut config.forward;
    match kind.as_str() {
        "elasticsearch" => {
            forward.elasticsearch.enabled = true;
            forward.elasticsearch.url = url("");
            // `any:test-token` in base64: the form of Elasticsearch's keys.
            forward.elasticsearch.api_key = Secret::new("YW55OnRlc3QtdG9rZW4=");
        }
        "loki" => {
            forward.loki.enabled = true;
            (forward.loki.url, forward.loki.token) = (url(""), token);
        }
        kind => {
            assert_eq!(kind, "otlp");
            forward.otlp.enabled = true;
            (forward.otlp.url, forward.otlp.token) = (url(""), token);
        }
    }
    init_logging_with(config).unwrap();
    for number in first..first + RECORDS {
        tracing::info!("numbered {number}.");
    }
    #[expect(clippy::print_stdout, reason = "the test waits for this line")]
    {
        println!("logged");
    }
    // The test kills this process, in its last life once all is delivered.
    loop {
        std::thread::park();
    }
}

fn start_sender(url: &str, (kind, dir): (&str, &Path), first: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "protocols::sender", "--nocapture"])
        .env("LOGBEACON_TEST_URL", url)
        .env("LOGBEACON_TEST_KIND", kind)
        .env("LOGBEACON_TEST_DIR", dir)
        .env("LOGBEACON_TEST_FIRST", first.to_string())
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Sends by one protocol, and kills the sender twice and the server three times.
fn check_that_each_is_there_once(kind: &str) {
    let mut beacon = Beacon::start();
    let logs = tempfile::tempdir().unwrap();
    for life in 0..3 {
        let mut child = start_sender(&beacon.url, (kind, logs.path()), life * RECORDS);
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with("logged")), "the sender logs everything");
        beacon.kill();
        if life < 2 {
            child.kill().unwrap();
            beacon.again();
        } else {
            beacon.again();
            beacon.wait_for("numbered", 3 * RECORDS);
            child.kill().unwrap();
        }
        child.wait().unwrap();
    }
    let mut found: Vec<u64> = beacon.search("numbered").iter().map(number).collect();
    found.sort_unstable();
    assert_eq!(found, (0..3 * RECORDS).collect::<Vec<_>>(), "none is missing, none is twice");
}

/// The number in a record's message; over Loki the message is the whole record.
fn number(row: &serde_json::Value) -> u64 {
    let message = row["message"].as_str().unwrap();
    let (_, number) = message.split_once("numbered ").unwrap();
    number.split_once('.').unwrap().0.parse().unwrap()
}

#[test]
fn documents_of_the_forwarder_are_there_once_whoever_is_killed() {
    check_that_each_is_there_once("elasticsearch");
}

#[test]
fn lines_of_loki_of_the_forwarder_are_there_once_whoever_is_killed() {
    check_that_each_is_there_once("loki");
}

#[test]
fn records_over_otlp_of_the_forwarder_are_there_once_whoever_is_killed() {
    check_that_each_is_there_once("otlp");
}
