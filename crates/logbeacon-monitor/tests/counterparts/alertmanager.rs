//! Alertmanager: the same alerts, begun and ended at the same times, make the same messages in the
//! same order, in real time against a real Alertmanager and in ours at once.
//!
//! Where ours differs on purpose: it never tells the end of what it did not tell (Alertmanager
//! lists it as resolved), and it tells the end of what it told under a silence too (Alertmanager
//! drops it).

use crate::{Random, engine, program, rule, sample};
use logbeacon_monitor::{
    Channel, Evaluation, Matcher, Outcome, Reading, Setup, Severity, Silence, Waits,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds: wait, interval, repeat, and how long a play lasts.
const WAIT: u64 = 2;
const INTERVAL: u64 = 4;
const REPEAT: u64 = 11;
const END: u64 = 28;
/// When alerts may begin and end: in the middle between two flushes, so that a machine under load
/// decides nothing.
const TIMES: [u64; 7] = [0, 1, 4, 8, 12, 16, 20];
const NAMES: [&str; 3] = ["a", "b", "c"];
const GROUPS: usize = 60;
/// The group that is silenced at 4 s, after its alert was told, and whose alert ends at 8 s.
const SILENCED: &str = "silenced";

/// Which alerts of which group are on, from each time on.
type Script = BTreeMap<u64, Vec<(String, &'static str, bool)>>;

/// A message: names that fire, names that ended.
type Said = (BTreeSet<String>, BTreeSet<String>);

fn script(seed: u64) -> Script {
    let mut random = Random(seed);
    let mut script = Script::new();
    let mut on: BTreeMap<(String, &str), bool> = BTreeMap::new();
    for time in TIMES {
        for group in (0..GROUPS).map(|number| format!("g{number}")) {
            for name in NAMES {
                let is_on = on.entry((group.clone(), name)).or_default();
                if random.below(3) == 0 && time != 1 || random.below(6) == 0 {
                    *is_on = !*is_on;
                    script.entry(time).or_default().push((group.clone(), name, *is_on));
                }
            }
        }
    }
    script.entry(0).or_default().push((SILENCED.to_owned(), "a", true));
    script.entry(8).or_default().push((SILENCED.to_owned(), "a", false));
    script
}

/// What ours says to each group, in order.
fn ours(script: &Script) -> BTreeMap<String, Vec<Said>> {
    let mut setup = Setup::default();
    setup.rules.insert("r".into(), rule("r".into(), 0, 0));
    setup.channels.insert(
        "hook".into(),
        Channel {
            id: "hook".into(),
            severity_min: Severity::Info,
            matchers: Vec::new(),
            group_by: vec!["s".into()],
            wants_resolves: true,
        },
    );
    let ms = |seconds| seconds * 1_000;
    setup.waits = Waits {
        group_ms: ms(WAIT),
        critical_ms: ms(WAIT),
        interval_ms: ms(INTERVAL),
        repeat_ms: ms(REPEAT),
        ..Waits::default()
    };
    let (mut engine, start, _dir) = engine(setup);
    let mut on: BTreeMap<(String, &str), bool> = BTreeMap::new();
    let mut said: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for second in 0..END {
        let at = Reading {
            wall_ms: start.wall_ms + ms(second) as i64,
            mono_ms: start.mono_ms + ms(second),
        };
        for (group, name, is_on) in script.get(&second).into_iter().flatten() {
            on.insert((group.clone(), name), *is_on);
        }
        if second == 4 {
            let (starts_ms, ends_ms) = (at.wall_ms, at.wall_ms + 3_600_000);
            let matchers = vec![Matcher::parse("s=silenced").unwrap()];
            let (id, author, comment) = ("s".into(), "test".into(), String::new());
            let silence = Silence { id, matchers, author, comment, starts_ms, ends_ms };
            engine.silence(silence).unwrap();
        }
        let samples = on.iter().map(|((group, name), is_on)| {
            sample(&[("s", group), ("name", name)], f64::from(u8::from(*is_on)))
        });
        let result = Ok(samples.collect());
        engine.observe(at, vec![Evaluation { rule: "r".into(), result }]);
        // One channel has one message at a time on its way.
        loop {
            let due = engine.due();
            if due.is_empty() {
                break;
            }
            for dispatch in due {
                let names = |lines: &[logbeacon_monitor::Line]| {
                    lines.iter().map(|line| line.identity.labels["name"].clone()).collect()
                };
                let message = (names(&dispatch.message.firing), names(&dispatch.message.resolved));
                let group = dispatch.message.group.trim_start_matches("s=").to_owned();
                said.entry(group).or_default().push(message);
                engine.finished(at, dispatch.number, Outcome::Delivered);
            }
        }
    }
    said
}

/// A running Alertmanager that ends with the test.
struct Alertmanager {
    child: Child,
    port: u16,
    hooks: Receiver<Value>,
    _dir: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Alertmanager {
    fn start(program: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (hook_port, hooks) = hooks();
        let config = format!(
            "route:\n  receiver: hook\n  group_by: [s]\n  group_wait: {WAIT}s\n  \
             group_interval: {INTERVAL}s\n  repeat_interval: {REPEAT}s\n\
             receivers:\n- name: hook\n  webhook_configs:\n  \
             - url: http://127.0.0.1:{hook_port}/\n    send_resolved: true\n"
        );
        let config_path = dir.path().join("config.yaml");
        std::fs::write(&config_path, config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .arg(format!("--config.file={}", config_path.display()))
            .arg(format!("--storage.path={}", dir.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, port, hooks, _dir: dir };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "Alertmanager does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        started
    }

    fn post(&self, path: &str, body: &Value) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// A server that keeps the bodies it is sent.
fn hooks() -> (u16, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                while let Some(body) = request(&stream) {
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                    if sender.send(body).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, receiver)
}

fn request(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn stamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    jiff::Timestamp::from_millisecond(now.as_millis() as i64).unwrap().to_string()
}

/// What Alertmanager says to each group, in order, without the ends of what it did not tell.
fn theirs(program: &Path, script: &Script) -> (BTreeMap<String, Vec<Said>>, usize) {
    let alertmanager = Alertmanager::start(program);
    let begin = Instant::now();
    for second in 0..END {
        let until = Duration::from_secs(second);
        std::thread::sleep(until.saturating_sub(begin.elapsed()));
        let alerts = script.get(&second).into_iter().flatten().map(|(group, name, is_on)| {
            let labels = json!({"alertname": "r", "s": group, "name": name});
            match is_on {
                true => json!({"labels": labels, "startsAt": stamp()}),
                false => json!({"labels": labels, "endsAt": stamp()}),
            }
        });
        let alerts: Vec<_> = alerts.collect();
        if !alerts.is_empty() {
            alertmanager.post("/api/v2/alerts", &Value::Array(alerts));
        }
        if second == 4 {
            let matcher = json!({"name": "s", "value": SILENCED, "isRegex": false});
            alertmanager.post(
                "/api/v2/silences",
                &json!({"matchers": [matcher], "startsAt": stamp(),
                    "endsAt": "2100-01-01T00:00:00Z", "createdBy": "test", "comment": "test"}),
            );
        }
    }
    let (mut said, mut unowed) = (BTreeMap::<String, Vec<Said>>::new(), 0);
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for hook in alertmanager.hooks.try_iter() {
        let group = hook["groupLabels"]["s"].as_str().unwrap().to_owned();
        let (mut firing, mut resolved) = (BTreeSet::new(), BTreeSet::new());
        for alert in hook["alerts"].as_array().unwrap() {
            let name = alert["labels"]["name"].as_str().unwrap().to_owned();
            let key = (group.clone(), name.clone());
            match (alert["status"].as_str().unwrap(), told.contains(&key)) {
                ("firing", _) => {
                    told.insert(key);
                    firing.insert(name);
                }
                (_, true) => {
                    told.remove(&key);
                    resolved.insert(name);
                }
                (_, false) => unowed += 1,
            }
        }
        said.entry(group).or_default().push((firing, resolved));
    }
    (said, unowed)
}

#[test]
fn groups_are_told_what_alertmanager_tells_them() {
    let shows = "Alertmanager's order of messages";
    let Some(program) = program("prometheus-alertmanager", shows) else { return };
    let script = script(5);
    let mut ours = ours(&script);
    // Ours owes the end to whoever was told, under a silence too.
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    let silenced = ours.remove(SILENCED).unwrap();
    assert_eq!(silenced, [(one("a"), BTreeSet::new()), (BTreeSet::new(), one("a"))]);
    // Real time on a machine that others use too: what differs must differ each time.
    let mut different = Vec::new();
    for _ in 0..3 {
        let (mut theirs, unowed) = theirs(&program, &script);
        assert_eq!(theirs.remove(SILENCED).unwrap(), [(one("a"), BTreeSet::new())]);
        let messages: usize = theirs.values().map(Vec::len).sum();
        eprintln!("{messages} messages of {} groups, {unowed} unowed ends", theirs.len());
        assert!(messages > 100);
        let groups =
            ours.keys().chain(theirs.keys()).filter(|key| ours.get(*key) != theirs.get(*key));
        different = groups
            .map(|group| {
                format!("{group}: ours {:?}, theirs {:?}", ours.get(group), theirs.get(group))
            })
            .collect();
        if different.is_empty() {
            return;
        }
    }
    panic!("{} groups differ:\n{}", different.len(), different.join("\n"));
}
