//! Starts, kills and ends; and the commands beside a running server.

use super::support::{Beacon, TOKEN, logbeacon};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn what_was_acknowledged_is_there_once_after_any_kill() {
    let mut beacon = Beacon::start();
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut number = 0;
    for round in 0..5 {
        let stop = AtomicBool::new(false);
        let next = std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut acknowledged = Vec::new();
                let mut next: u64 = number;
                while !stop.load(Ordering::Relaxed) {
                    let records: Vec<Value> = (next..next + 20)
                        .map(|number| json!({"hash": number.to_string(), "number": number}))
                        .collect();
                    if beacon.post("/api/logs", &Value::from(records).to_string()).is_err() {
                        break;
                    }
                    acknowledged.extend(next..next + 20);
                    next += 20;
                }
                (acknowledged, next)
            });
            // Enough for the kill to hit a write.
            while beacon.search("* | stats count() as n")[0]["n"].as_u64() < Some(100 * (round + 1))
            {
            }
            let (kill, pid) = ("kill", beacon.pid());
            std::process::Command::new(kill).args(["-9", &pid]).status().unwrap();
            let (sent, next) = sender.join().unwrap();
            stop.store(true, Ordering::Relaxed);
            acknowledged.extend(sent);
            next
        });
        beacon.kill();
        beacon.again();
        // What had no answer is sent again, as any sender does.
        number = next;
        let again: Vec<Value> = (number..number + 20)
            .map(|number| json!({"hash": number.to_string(), "number": number}))
            .collect();
        beacon.post("/api/logs", &Value::from(again).to_string()).unwrap();
        acknowledged.extend(number..number + 20);
        number += 20;
    }
    let mut found: Vec<u64> =
        beacon.search("number:*").iter().map(|row| row["number"].as_u64().unwrap()).collect();
    found.sort_unstable();
    let mut expected = acknowledged;
    expected.sort_unstable();
    assert_eq!(found, expected, "none is missing, none is there twice");
}

#[test]
fn sigterm_ends_the_server_in_order_and_everything_is_there_afterwards() {
    let mut beacon = Beacon::start();
    beacon.post("/api/logs", r#"{"message":"before the end"}"#).unwrap();
    assert!(beacon.terminate(), "the program ends well");
    let (is_well, text) = logbeacon(&["check", "--data-dir", beacon.data().to_str().unwrap()]);
    assert!(is_well && text.starts_with("1 records"), "{text}");
    let (is_well, text) = logbeacon(&["salvage", "--data-dir", beacon.data().to_str().unwrap()]);
    assert!(is_well && text.starts_with("0 records can be found again"), "{text}");
    beacon.again();
    assert_eq!(beacon.search("\"before the end\"").len(), 1);
}

#[test]
fn the_first_start_prints_a_token_and_an_empty_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let serve = |token: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_logbeacon"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
        match token {
            Some(token) => command.env("LOGBEACON_TOKEN", token),
            None => command.env_remove("LOGBEACON_TOKEN"),
        };
        command
    };
    let refused = serve(Some("")).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("LOGBEACON_TOKEN is empty"));
    let mut child = serve(None).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let secret = lines
        .map(Result::unwrap)
        .find_map(|line| line.split_once("once): ").map(|(_, secret)| secret.to_owned()))
        .unwrap();
    assert!(secret.starts_with("lb_"));
    child.kill().unwrap();
    child.wait().unwrap();
    let file = std::fs::read_to_string(dir.path().join("tokens.json")).unwrap();
    assert!(!file.contains(&secret));
}

#[test]
fn a_demonstration_has_something_to_search_and_goes_on() {
    let beacon = Beacon::start_with(&["--demo"]);
    let first = beacon.wait_for("stream:=demo", 3000).len() as u64;
    beacon.wait_for("stream:=demo", first + 5);
    let services = beacon.search("stream:=demo | stats count() as n by service");
    assert_eq!(services.len(), 6);
}

#[test]
fn a_token_that_is_revoked_is_refused_by_the_running_server() {
    let beacon = Beacon::start();
    let data = beacon.data();
    let data = data.to_str().unwrap();
    let (_, secret) = logbeacon(&["token", "create", "x", "--scope", "read", "--data-dir", data]);
    let status = || {
        let search = format!("{}/api/v1/search", beacon.url);
        let bearer = format!("Bearer {}", secret.trim());
        let asked = ureq::get(search).header("authorization", bearer).call();
        asked.map_or_else(|error| error.to_string(), |answer| answer.status().to_string())
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let wait_for = |wanted: &str| {
        while !status().contains(wanted) {
            assert!(std::time::Instant::now() < deadline, "{}", status());
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    };
    wait_for("200");
    logbeacon(&["token", "revoke", "x", "--data-dir", data]);
    wait_for("401");
}

#[test]
fn an_import_can_be_repeated_and_a_stress_finds_everything_again() {
    let beacon = Beacon::start();
    let logs = tempfile::tempdir().unwrap();
    let line = |number: u32| {
        format!(
            "{{\"timestamp\":\"2026-02-19T10:30:00.{number:06}+00:00\",\"level\":\"INFO\",\
             \"logger\":\"shop\",\"message\":\"m\",\"process\":7,\"seq\":{number}}}\n"
        )
    };
    let lines = |from: u32, to: u32| (from..to).map(line).collect::<String>();
    std::fs::write(logs.path().join("app.log"), lines(700, 1000)).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, lines(0, 700).as_bytes()).unwrap();
    std::fs::write(logs.path().join("app.log.1.gz"), packed.finish().unwrap()).unwrap();
    std::fs::write(logs.path().join("notes.txt"), "no log").unwrap();
    let dir = logs.path().to_str().unwrap();
    let import = || logbeacon(&["import", dir, "--url", &beacon.url, "--token", TOKEN]);
    let (is_well, text) = import();
    assert!(is_well && text.contains("all: 1000 accepted, 0 duplicate, 0 refused"), "{text}");
    assert!(import().1.contains("all: 0 accepted, 1000 duplicate, 0 refused"));
    let target = ["--url", &beacon.url, "--token", TOKEN];
    let stress = [&["stress", "--devices", "5", "--rate", "50", "--seconds", "1"], &target[..]];
    let (is_well, text) = logbeacon(&stress.concat());
    assert!(is_well && text.contains("50 acknowledged records: 0 lost, 0 double"), "{text}");
    let delete = [&["delete", "stream:=stress", "--yes"], &target[..]].concat();
    let (is_well, text) = logbeacon(&delete);
    assert!(is_well && text.contains("\"hidden\": 50"), "{text}");
    let rules = logs.path().join("rules.json");
    std::fs::write(&rules, "[{\"age\":\"30d\"}]").unwrap();
    let set = [&["retention", "--set", rules.to_str().unwrap()], &target[..]].concat();
    assert!(logbeacon(&set).0);
    assert!(logbeacon(&[&["retention"], &target[..]].concat()).1.contains("30d"));
}

#[test]
fn an_active_device_that_falls_silent_raises_an_alarm_and_its_return_ends_it() {
    let beacon = Beacon::start_with(&["--silent-seconds", "2"]);
    let send = |number: u64| {
        let body = json!({"message": "m", "host": "node7", "number": number}).to_string();
        beacon.post("/api/logs", &body).unwrap();
    };
    let alarm = |text: &str| format!("stream:=_alarms alarm:={text} device:=node7");
    let mut number = 0;
    // It is active once it was heard of for a while; how fast the looks come is not promised.
    for _ in 0..20 {
        number += 1;
        send(number);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let fell = beacon.wait_for(&alarm("silent"), 1);
    assert_eq!((fell.len(), &fell[0]["level"]), (1, &"WARN".into()));
    let get = |path: &str| {
        let bearer = format!("Bearer {TOKEN}");
        let asked = ureq::get(format!("{}{path}", beacon.url)).header("authorization", bearer);
        asked.call().unwrap().body_mut().read_to_string().unwrap()
    };
    assert!(get("/metrics").contains("logbeacon_device_silent{host=\"node7\"} 1\n"));
    let devices: Value = serde_json::from_str(&get("/api/v1/devices")).unwrap();
    // The alarm itself is no sign of life.
    assert_eq!(
        (&devices["devices"][0]["silent"], devices["devices"].as_array().unwrap().len()),
        (&true.into(), 1)
    );
    send(number + 1);
    assert_eq!(beacon.wait_for(&alarm("returned"), 1).len(), 1);
    assert_eq!(beacon.search(&alarm("silent")).len(), 1);
    assert!(get("/metrics").contains("logbeacon_devices_silent 0\n"));
}

#[test]
fn the_servers_own_log_has_no_secret_and_it_listens_on_loopback_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_logbeacon"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path())
        .env("LOGBEACON_TOKEN", "a-secret-of-the-test")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let is_address = |line: &String| line.contains("listens on");
    let line = lines.by_ref().map(Result::unwrap).find(is_address).unwrap();
    let url = line.split_once("listens on ").unwrap().1.to_owned();
    let login = ureq::post(format!("{url}/session")).send("token=a-secret-of-the-test").unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().to_owned();
    let key = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    for value in ["Bearer a-guess-of-the-test", "Bearer a-secret-of-the-test"] {
        let asked = ureq::get(format!("{url}/api/v1/search?query=a-query"));
        let _either = asked.header("authorization", value).header("cookie", &cookie).call();
    }
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let log: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert!(log.iter().any(|line| line.contains("logged in")), "{log:?}");
    for secret in ["a-secret-of-the-test", "a-guess-of-the-test", key.as_str()] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret}: {log:?}");
    }
    let (_, help) = logbeacon(&["serve", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("[default: 127.0.0.1:8514]"), "{help}");
}
