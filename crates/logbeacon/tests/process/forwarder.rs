//! logwell's forwarder against the server, with kills on both sides.

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
    let mut config = LoggingConfig::builder().log_dir(dir).console(false).build().unwrap();
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = Secret::new(format!("{url}/api/logs"));
    config.forward.logbeacon.token = Secret::new(TOKEN);
    config.forward.logbeacon.batch_records = 100;
    init_logging_with(config).unwrap();
    for number in first..first + RECORDS {
        tracing::info!(number, "numbered");
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

fn start_sender(url: &str, dir: &Path, first: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "forwarder::sender", "--nocapture"])
        .env("LOGBEACON_TEST_URL", url)
        .env("LOGBEACON_TEST_DIR", dir)
        .env("LOGBEACON_TEST_FIRST", first.to_string())
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// The exit code and the report of `logwell verify --against`.
fn verify(url: &str, logs: &Path) -> (u8, String) {
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let words = ["logwell", "verify", "--against", url, "--token", TOKEN];
    let words = words.into_iter().map(Into::into).chain([logs.into()]);
    let code = logwell_cli::run(words, &mut out, &mut errors);
    (code, String::from_utf8([out, errors].concat()).unwrap())
}

#[test]
fn records_of_the_forwarder_are_there_once_whoever_is_killed() {
    let mut beacon = Beacon::start();
    let logs = tempfile::tempdir().unwrap();
    for life in 0..3 {
        let mut child = start_sender(&beacon.url, logs.path(), life * RECORDS);
        let lines = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with("logged")), "the sender logs everything");
        beacon.kill();
        if life < 2 {
            child.kill().unwrap();
            beacon.again();
        } else {
            beacon.again();
            beacon.wait_for("number:*", 3 * RECORDS);
            child.kill().unwrap();
        }
        child.wait().unwrap();
    }
    let mut found: Vec<u64> =
        beacon.search("number:*").iter().map(|row| row["number"].as_u64().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, (0..3 * RECORDS).collect::<Vec<_>>(), "none is missing, none is twice");
    let (code, text) = verify(&beacon.url, logs.path());
    assert!(text.contains("everything in the files is at the server"), "{code}: {text}");
    let deleting = r#"{"query":"number:=7 or number:=9"}"#;
    assert_eq!(beacon.post("/api/v1/delete", deleting).unwrap()["hidden"], 2);
    let (code, text) = verify(&beacon.url, logs.path());
    let gaps = text.lines().filter(|line| line.contains("not there: seq")).count();
    assert_eq!((code, gaps), (1, 2), "{text}");
    beacon.kill();
    let (code, text) = verify(&beacon.url, logs.path());
    assert!(code == 2 && text.contains("cannot say what it has"), "{text}");
}
