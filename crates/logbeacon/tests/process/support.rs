//! A server in a separate process, which a test can kill and start again.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const TOKEN: &str = "test-token";

/// A running server. Its data outlives a kill, and goes with the value.
pub(crate) struct Beacon {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) url: String,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Beacon {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (dir, url) = (tempfile::tempdir().unwrap(), String::new());
        let mut beacon = Self { dir, url, arguments, child: None };
        beacon.up("127.0.0.1:0");
        beacon
    }

    fn up(&mut self, listen: &str) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logbeacon"))
            .args(["serve", "--listen", listen, "--data-dir"])
            .arg(self.data())
            .args(&self.arguments)
            .env("LOGBEACON_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.by_ref().find_map(|line| {
            line.unwrap().strip_prefix("LogBeacon listens on ").map(str::to_owned)
        });
        self.url = url.expect("the server prints its address");
        // Its log goes on; a full pipe must not hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    pub(crate) fn pid(&self) -> String {
        self.child.as_ref().unwrap().id().to_string()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts again at the same address.
    pub(crate) fn again(&mut self) {
        let address = self.address().to_owned();
        self.up(&address);
    }

    /// Sends SIGTERM, and returns whether the program ended well.
    pub(crate) fn terminate(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        child.wait().unwrap().success()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Result<Value, String> {
        let sent = agent()
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {TOKEN}"))
            .content_type("application/json")
            .send(body);
        let mut response = sent.map_err(|error| error.to_string())?;
        let body = response.body_mut().with_config().limit(1 << 30).read_to_string();
        let body = body.map_err(|error| error.to_string())?;
        match response.status().as_u16() {
            200..=299 => Ok(serde_json::from_str(&body).unwrap_or(Value::String(body))),
            status => Err(format!("{status}: {body}")),
        }
    }

    /// The rows of a search that must be complete.
    pub(crate) fn search(&self, query: &str) -> Vec<Value> {
        let body = json!({"query": query, "limit": 1_000_000}).to_string();
        let text = match self.post("/api/v1/search", &body).unwrap() {
            Value::String(text) => text,
            one => one.to_string(),
        };
        let mut rows: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = rows.pop().unwrap();
        assert_eq!(summary["_summary"]["complete"], true, "{summary}");
        rows
    }

    /// Waits until a filter finds so many records, and returns them. Counting costs the server less
    /// than showing, so it is not held up.
    pub(crate) fn wait_for(&self, filter: &str, count: u64) -> Vec<Value> {
        self.wait_for_count(filter, count);
        self.search(filter)
    }

    /// Waits until a filter finds so many records. Each that is new gives more time.
    pub(crate) fn wait_for_count(&self, filter: &str, count: u64) {
        let mut deadline = Instant::now() + Duration::from_secs(300);
        let mut before = 0;
        let counting = format!("{filter} | stats count() as n");
        loop {
            let found = self.search(&counting)[0]["n"].as_u64().unwrap();
            if found >= count {
                return;
            }
            if found > before {
                (before, deadline) = (found, Instant::now() + Duration::from_secs(300));
            }
            assert!(Instant::now() < deadline, "{filter}: {found} of {count}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The test has ended: how the server ends does not matter any more.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// A command of the program.
pub(crate) fn logbeacon(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_logbeacon"))
        .args(arguments)
        .env_remove("LOGBEACON_TOKEN")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Whether a program can be started. If not, says so loudly; where everything must run, that fails.
pub(crate) fn has(program: &Path, package: &str) -> bool {
    let is_there = program.exists();
    if !is_there {
        missing(&format!("{} ({package})", program.display()));
    }
    is_there
}

/// Says loudly that a test cannot run; where everything must run, that is a failure.
pub(crate) fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is missing, and CI is set");
    #[expect(clippy::print_stderr, reason = "what did not run must be seen")]
    {
        eprintln!("NOT TESTED: {what} is missing");
    }
}
