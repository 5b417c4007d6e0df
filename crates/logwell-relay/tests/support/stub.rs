//! Stub: an HTTP server of the test's own that does what it is told, and remembers what came.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub head: String,
    pub body: String,
    pub at: Instant,
}

/// What it answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: String,
    body: String,
    after: Duration,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: String::new(),
            body: r#"{"ok":true}"#.to_owned(),
            after: Duration::ZERO,
        }
    }

    pub fn header(mut self, line: &str) -> Self {
        self.headers.push_str(&format!("{line}\r\n"));
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub fn after(mut self, pause: Duration) -> Self {
        self.after = pause;
        self
    }
}

type Script = Box<dyn Fn(usize, &Received) -> Answer + Send>;

/// The server; it ends with the test's process.
#[derive(Clone)]
pub struct Stub {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    came: Condvar,
    script: Mutex<Script>,
}

impl Stub {
    /// One that answers request number `n` (from 0) as `script` says.
    pub fn start(script: impl Fn(usize, &Received) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            came: Condvar::new(),
            script: Mutex::new(Box::new(script)),
        });
        let stub = Self { url, shared };
        std::thread::spawn({
            let stub = stub.clone();
            move || {
                for stream in listener.incoming().flatten() {
                    let stub = stub.clone();
                    std::thread::spawn(move || stub.serve(stream));
                }
            }
        });
        stub
    }

    /// One that takes everything.
    pub fn willing() -> Self {
        Self::start(|_, _| Answer::status(200))
    }

    /// From now on it answers like that.
    pub fn now(&self, script: impl Fn(usize, &Received) -> Answer + Send + 'static) {
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    /// What has come so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until so many have come, and gives them.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(|received| received.len() >= count)
    }

    /// Waits until what has come is enough, and gives it.
    pub fn wait_until(&self, mut enough: impl FnMut(&[Received]) -> bool) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap();
        let (received, timeout) = self
            .shared
            .came
            .wait_timeout_while(received, PATIENCE, |received| !enough(received))
            .unwrap();
        assert!(!timeout.timed_out(), "only {} requests came", received.len());
        received.clone()
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        writer.set_nodelay(true).ok()?;
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).ok()? == 0 {
                    return None;
                }
            }
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().ok())?
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).ok()?;
            let path = head.split(' ').nth(1)?.to_owned();
            let body = String::from_utf8_lossy(&body).into_owned();
            let request = Received { path, head, body, at: Instant::now() };
            let answer = {
                let mut received = self.shared.received.lock().unwrap();
                let number = received.len();
                received.push(request.clone());
                self.shared.came.notify_all();
                drop(received);
                (self.shared.script.lock().unwrap())(number, &request)
            };
            std::thread::sleep(answer.after);
            let Answer { status, headers, body, .. } = answer;
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n\r\n{body}");
            writer.write_all(answer.as_bytes()).ok()?;
        }
    }
}

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(300);
