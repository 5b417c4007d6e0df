//! logwell's forwarder against the server, with kills on both sides.

use super::support::{Beacon, TOKEN};
use logwell::config::Secret;
use logwell::{LoggingConfig, init_logging_with, shutdown_logging};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Records of one life of the sender.
const RECORDS: u64 = 5_000;

/// The sender, when this program starts itself: logs numbers, and prints each before the next.
#[test]
fn sender() {
    let Ok(url) = std::env::var("LOGBEACON_TEST_URL") else { return };
    let dir = std::env::var("LOGBEACON_TEST_DIR").unwrap();
    let first: u64 = std::env::var("LOGBEACON_TEST_FIRST").unwrap().parse().unwrap();
    let mut config = LoggingConfig::builder().log_dir(dir).console(false).build().unwrap();
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = Secret::new(format!("{url}/api/logs"));
    config.forward.logbeacon.token = Secret::new(TOKEN);
    config.forward.logbeacon.batch_records = 100;
    let handle = init_logging_with(config).unwrap();
    for number in first..first + RECORDS {
        tracing::info!(number, "numbered");
    }
    #[expect(clippy::print_stdout, reason = "the test waits for this line")]
    {
        println!("logged");
    }
    // The test kills us, or waits until all is delivered.
    while std::env::var_os("LOGBEACON_TEST_LAST").is_none() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let deadline = Instant::now() + Duration::from_secs(300);
    while !handle.health().is_healthy() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    shutdown_logging();
}

fn start_sender(url: &str, dir: &Path, (first, is_last): (u64, bool)) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "forwarder::sender", "--nocapture"])
        .env("LOGBEACON_TEST_URL", url)
        .env("LOGBEACON_TEST_DIR", dir)
        .env("LOGBEACON_TEST_FIRST", first.to_string())
        .stdout(Stdio::piped());
    if is_last {
        command.env("LOGBEACON_TEST_LAST", "1");
    }
    command.spawn().unwrap()
}

#[test]
fn records_of_the_forwarder_are_there_once_whoever_is_killed() {
    let mut beacon = Beacon::start();
    let logs = tempfile::tempdir().unwrap();
    for life in 0..3 {
        let is_last = life == 2;
        let mut child = start_sender(&beacon.url, logs.path(), (life * RECORDS, is_last));
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let is_logged = |line: &String| line.ends_with("logged");
        let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
        assert!(lines.any(|line| is_logged(&line)), "the sender logs everything");
        beacon.kill();
        if !is_last {
            child.kill().unwrap();
        }
        beacon.again();
        if !is_last {
            child.wait().unwrap();
        } else {
            std::thread::spawn(move || lines.for_each(drop));
            beacon.wait_for("number:*", usize::try_from(3 * RECORDS).unwrap());
            child.wait().unwrap();
        }
    }
    let mut found: Vec<u64> =
        beacon.search("number:*").iter().map(|row| row["number"].as_u64().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, (0..3 * RECORDS).collect::<Vec<_>>(), "none is missing, none is twice");
}
