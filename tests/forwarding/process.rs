//! What survives the death of the process.

use super::server::{Reply, Server};
use super::{SOON, config, numbers, until};
use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tracing_subscriber::layer::SubscriberExt as _;

const RECORDS: u64 = 20_000;

/// What the process started by the tests below does: logs so many records and waits to be killed,
/// or delivers what it finds and ends.
#[test]
fn child() {
    let (Ok(dir), Ok(url)) =
        (std::env::var("LOGWELL_CHILD_DIR"), std::env::var("LOGWELL_CHILD_URL"))
    else {
        return;
    };
    let logs = std::env::var_os("LOGWELL_CHILD_LOGS").is_some();
    let config = config(Path::new(&dir), &url);
    let (layer, handle) = logwell::QueueLayer::builder().config(config).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        if logs {
            for n in 0..RECORDS {
                tracing::info!(n, "order");
                if n % 1_000 == 999 {
                    handle.flush(SOON).unwrap();
                    // The parent knows that these are on disk.
                    let at = |name: &str| Path::new(&dir).join(name);
                    std::fs::write(at("logged.new"), (n + 1).to_string()).unwrap();
                    std::fs::rename(at("logged.new"), at("logged")).unwrap();
                }
            }
            std::thread::sleep(SOON * 5);
        }
        until("all delivered", || handle.stats().destination("logbeacon").unwrap().waiting == 0);
    });
    let report = handle.shutdown();
    assert_eq!(report.unsent_to("logbeacon"), 0, "{report}");
}

fn start(dir: &Path, url: &str, logs: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "process::child", "--nocapture"]);
    command.env("LOGWELL_CHILD_DIR", dir).env("LOGWELL_CHILD_URL", url);
    if logs {
        command.env("LOGWELL_CHILD_LOGS", "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_process_killed_in_the_middle_of_20000_records_loses_none_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    // Now and then the server fails too.
    let mut count = 0_u32;
    let server = Server::start(move |_| {
        count += 1;
        if count.is_multiple_of(1_500) { Reply::Reset } else { Reply::Status(200) }
    });
    let mut child = start(dir.path(), &server.url(), true);
    let logged = || std::fs::read_to_string(dir.path().join("logged")).unwrap_or_default();
    let logged = || logged().parse::<u64>().unwrap_or_default();
    until("a part of them", || logged() >= 4_000 && server.requests().len() >= 4_000);
    child.kill().unwrap();
    child.wait().unwrap();
    let logged = logged();
    let before = server.requests().len();

    // What was flushed before the kill arrives after it, and what follows is unharmed.
    let status = start(dir.path(), &server.url(), false).wait().unwrap();
    assert!(status.success());
    let messages = server.messages();
    let got: HashSet<_> = numbers(&messages).into_iter().collect();
    let missing: Vec<_> = (0..logged).filter(|n| !got.contains(n)).collect();
    assert!(missing.is_empty(), "{} missing: {:?}", missing.len(), missing.first());

    // Duplicates have equal hashes, and are no more than what was under way.
    let hashes: HashSet<_> = messages.iter().map(|message| message["hash"].to_string()).collect();
    assert_eq!(hashes.len(), got.len());
    let failures = messages.len() / 1_500;
    let duplicates = messages.len() - got.len();
    assert!(duplicates <= failures + 2, "{duplicates} duplicates of {before}");
}

#[test]
fn records_written_while_the_server_was_away_are_delivered_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let address = Server::nowhere();
    let url = format!("http://{address}/logs");
    let mut child = start(dir.path(), &url, true);
    let logged = || std::fs::read_to_string(dir.path().join("logged")).unwrap_or_default();
    until("all are written", || logged() == RECORDS.to_string());
    child.kill().unwrap();
    child.wait().unwrap();
    let server = Server::start_at(address, |_| Reply::Status(200));
    let status = start(dir.path(), &url, false).wait().unwrap();
    assert!(status.success());
    assert_eq!(numbers(&server.messages()), (0..RECORDS).collect::<Vec<_>>());
}
