//! logwell's forwarder and its relay behind RabbitMQ against the server, with kills on both sides.
//!
//! `LOGBEACON_TEST_RECORDS=1000000` makes the runs long.

use super::support::{Beacon, TOKEN, missing};
use logwell::config::{Secret, WhenFull};
use logwell::{LoggingConfig, init_logging_with};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

/// Starts of the sender in one run.
const LIVES: u64 = 3;

/// Records of one life of the sender: so many, unless the variable says otherwise.
fn records_or(few: u64) -> u64 {
    let all = std::env::var("LOGBEACON_TEST_RECORDS").ok().and_then(|text| text.parse().ok());
    all.map_or(few, |all: u64| all.div_ceil(LIVES))
}

/// The sender, when this program starts itself: logs numbers, and prints each before the next.
#[test]
fn sender() {
    let Ok(url) = std::env::var("LOGBEACON_TEST_URL") else { return };
    let dir = std::env::var("LOGBEACON_TEST_DIR").unwrap();
    let number = |name: &str| -> u64 { std::env::var(name).unwrap().parse().unwrap() };
    let (first, count) = (number("LOGBEACON_TEST_FIRST"), number("LOGBEACON_TEST_COUNT"));
    let mut config = LoggingConfig::builder().log_dir(dir).console(false).build().unwrap();
    config.queue.when_full = WhenFull::Block;
    config.files.app.max_bytes = 1 << 30;
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = Secret::new(format!("{url}/api/logs"));
    config.forward.logbeacon.token = Secret::new(TOKEN);
    config.forward.logbeacon.batch_records = 100;
    config.forward.logbeacon.max_bytes = 4 << 30;
    if let Ok(domain) = std::env::var("LOGBEACON_TEST_DOMAIN") {
        config.service.domain = domain;
        config.forward.rabbitmq.enabled = true;
    }
    init_logging_with(config).unwrap();
    for number in first..first + count {
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

/// A sender, its logs, and the domain of its queues if it sends through a broker.
struct Run {
    logs: tempfile::TempDir,
    domain: Option<String>,
    /// Records of one life.
    records: u64,
}

impl Run {
    fn start_sender(&self, url: &str, first: u64) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "forwarder::sender", "--nocapture"])
            .env("LOGBEACON_TEST_URL", url)
            .env("LOGBEACON_TEST_DIR", self.logs.path())
            .env("LOGBEACON_TEST_FIRST", first.to_string())
            .env("LOGBEACON_TEST_COUNT", self.records.to_string())
            .stdout(Stdio::piped());
        if let Some(domain) = &self.domain {
            command.env("LOGBEACON_TEST_DOMAIN", domain);
        }
        command.spawn().unwrap()
    }

    fn start_relay(&self, url: &str) -> Option<Child> {
        let domain = self.domain.as_ref()?;
        let child = Command::new(relay_path())
            .arg("logbeacon")
            .env("LOGWELL_RELAY_DOMAIN", domain)
            .env("LOGWELL_RELAY_LOGBEACON_URL", format!("{url}/api/logs"))
            .env("LOGWELL_RELAY_LOGBEACON_TOKEN", TOKEN)
            .env("LOGWELL_RELAY_LOGBEACON_PAUSE", "200ms")
            .env("LOGWELL_RELAY_LOGBEACON_TRIES", "1000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(child.unwrap())
    }

    /// Logs and delivers everything while both sides are killed: the sender at the end of each
    /// life, the server and the relay again and again. Returns the number of kills.
    fn deliver(&self, beacon: &mut Beacon) -> u32 {
        let mut kills = 0;
        for life in 0..LIVES {
            let mut sender = self.start_sender(&beacon.url, life * self.records);
            let output = std::io::BufReader::new(sender.stdout.take().unwrap());
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                // To the end: a full or closed pipe would hold the sender up.
                for line in output.lines().map_while(Result::ok) {
                    if line.ends_with("logged") {
                        tell.send(()).unwrap();
                    }
                }
            });
            loop {
                let mut relay = self.start_relay(&beacon.url);
                // Long enough for something to be delivered, short enough for it to be much.
                std::thread::sleep(Duration::from_millis(1500));
                if let Some(relay) = &mut relay {
                    relay.kill().unwrap();
                    relay.wait().unwrap();
                }
                beacon.kill();
                beacon.again();
                kills += 2;
                match told.try_recv() {
                    Ok(()) => break,
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => panic!("the sender logs everything"),
                }
            }
            if life + 1 < LIVES {
                sender.kill().unwrap();
            } else {
                let mut relay = self.start_relay(&beacon.url);
                beacon.wait_for_count("number:*", LIVES * self.records);
                for child in [Some(&mut sender), relay.as_mut()].into_iter().flatten() {
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
            }
            sender.wait().unwrap();
            kills += 1;
        }
        kills
    }
}

/// The relay's program, which the tests of its own crate have built; else it is built now.
fn relay_path() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_logbeacon")).with_file_name("logwell-relay");
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--package", "logwell-relay"]).status();
        assert!(built.unwrap().success());
    }
    path
}

/// Every number once: none is missing, none is there twice.
fn check_numbers(beacon: &Beacon, run: &Run) {
    let all = LIVES * run.records;
    let counts =
        beacon.search("number:* | stats count() as n, min(number) as low, max(number) as high");
    let count = |name: &str| counts[0][name].as_u64().unwrap();
    assert_eq!((count("n"), count("low"), count("high")), (all, 0, all - 1));
    // As many different ones as there are records: in pieces, so that the count is exact.
    for first in (0..all).step_by(20_000) {
        let last = (first + 20_000).min(all) - 1;
        let rows = beacon.search(&format!("number:{first}..{last} | fields number"));
        let mut found: Vec<u64> = rows.iter().map(|row| row["number"].as_u64().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (first..=last).collect::<Vec<_>>(), "none is missing, none is twice");
    }
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
    let run = Run { logs: tempfile::tempdir().unwrap(), domain: None, records: records_or(5_000) };
    let logs = &run.logs;
    let kills = run.deliver(&mut beacon);
    assert!(kills > 6, "{kills}");
    check_numbers(&beacon, &run);
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

#[test]
fn records_that_go_through_a_broker_and_the_relay_are_there_once_whoever_is_killed() {
    if std::net::TcpStream::connect(("127.0.0.1", 5672)).is_err() {
        return missing("RabbitMQ on 127.0.0.1:5672");
    }
    let mut beacon = Beacon::start();
    let domain = format!("logbeacon-test-{}-{}", std::process::id(), moment_ns());
    // A relay delivers one message at a time.
    let (logs, records) = (tempfile::tempdir().unwrap(), records_or(200));
    let run = Run { logs, domain: Some(domain), records };
    let kills = run.deliver(&mut beacon);
    assert!(kills > 6, "{kills}");
    check_numbers(&beacon, &run);
    let (code, text) = verify(&beacon.url, run.logs.path());
    assert!(text.contains("everything in the files is at the server"), "{code}: {text}");
}

/// Tells this run's queues from those of others.
fn moment_ns() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_nanos()
}
