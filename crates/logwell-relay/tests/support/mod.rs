//! Support: a broker seen by the test, the program under test, and waiting with a deadline.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "tests"
)]
#![allow(unreachable_pub, missing_docs, missing_debug_implementations, reason = "tests")]

pub mod node;
pub mod stub;

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
pub use stub::PATIENCE;

/// The broker as the test sees it, with a domain of the test's own; its queues go with the value.
pub struct Queues {
    runtime: tokio::runtime::Runtime,
    connection: Option<Connection>,
    pub port: u16,
    pub domain: String,
}

/// A message found in a queue.
#[derive(Debug)]
pub struct Found {
    pub body: String,
    pub id: String,
    pub reason: Option<String>,
    pub tries: Option<String>,
    pub is_persistent: bool,
}

impl Queues {
    /// On the machine's broker; `None`, told loudly, where there is none.
    pub fn new() -> Option<Self> {
        if TcpStream::connect(("127.0.0.1", 5672)).is_err() {
            node::missing("RabbitMQ on 127.0.0.1:5672");
            return None;
        }
        Some(Self::on(5672))
    }

    pub fn on(port: u16) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let domain = format!("test-{}-{number}.example", std::process::id());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut queues = Self { runtime, connection: None, port, domain };
        queues.connect();
        queues
    }

    /// Connects anew, after the broker was killed.
    pub fn connect(&mut self) {
        let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port);
        let connect = Connection::connect(&url, ConnectionProperties::default());
        self.connection = Some(self.runtime.block_on(connect).unwrap());
    }

    pub fn logbeacon(&self) -> String {
        format!("{}_logbeacon", self.domain)
    }

    pub fn telegram(&self) -> String {
        format!("{}_tg", self.domain)
    }

    fn channel(&self) -> Channel {
        let connection = self.connection.as_ref().unwrap();
        self.runtime.block_on(connection.create_channel()).unwrap()
    }

    /// Puts messages into the queue, which is made if missing; each confirmed.
    pub fn send(&self, queue: &str, bodies: impl IntoIterator<Item = (String, String)>) {
        let channel = self.channel();
        self.runtime.block_on(async {
            let durable = QueueDeclareOptions::durable();
            channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            let mut confirms = Vec::new();
            for (id, body) in bodies {
                let properties = BasicProperties::default()
                    .with_delivery_mode(2)
                    .with_content_type("application/json".into())
                    .with_message_id(id.as_str().into());
                let options = BasicPublishOptions { mandatory: true, ..Default::default() };
                let publish = channel.basic_publish(
                    "".into(),
                    queue.into(),
                    options,
                    body.as_bytes(),
                    properties,
                );
                confirms.push(publish.await.unwrap());
            }
            for confirm in confirms {
                assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));
            }
        });
    }

    /// How many are waiting; `None` if there is no such queue.
    pub fn waiting(&self, queue: &str) -> Option<u32> {
        let channel = self.channel();
        let passive = QueueDeclareOptions::durable().passive();
        let declare = channel.queue_declare(queue.into(), passive, FieldTable::default());
        let depth = self.runtime.block_on(declare).ok()?.message_count();
        let _ = self.runtime.block_on(channel.close(200, "".into()));
        Some(depth)
    }

    /// How many are served by.
    pub fn workers(&self, queue: &str) -> u32 {
        let channel = self.channel();
        let declare = channel.queue_declare(
            queue.into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        );
        let count = self.runtime.block_on(declare).unwrap().consumer_count();
        let _ = self.runtime.block_on(channel.close(200, "".into()));
        count
    }

    /// Waits until the queue holds so many.
    pub fn wait_for(&self, queue: &str, count: u32) {
        until(&format!("{count} in {queue}"), || self.waiting(queue) == Some(count));
    }

    /// Takes everything out of the queue.
    pub fn take_all(&self, queue: &str) -> Vec<Found> {
        let channel = self.channel();
        let mut found = Vec::new();
        self.runtime.block_on(async {
            while let Some(message) =
                channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap()
            {
                let properties = &message.properties;
                let header = |name: &str| match properties.headers().as_ref()?.inner().get(name)? {
                    AMQPValue::LongString(text) => Some(text.to_string()),
                    _ => None,
                };
                found.push(Found {
                    body: String::from_utf8_lossy(&message.data).into_owned(),
                    id: properties.message_id().as_ref().map_or(String::new(), ToString::to_string),
                    reason: header("x-logwell-reason"),
                    tries: header("x-logwell-tries"),
                    is_persistent: *properties.delivery_mode() == Some(2),
                });
                message.ack(BasicAckOptions::default()).await.unwrap();
            }
        });
        found
    }

    pub fn delete(&self, queue: &str) {
        let channel = self.channel();
        let _ = self
            .runtime
            .block_on(channel.queue_delete(queue.into(), QueueDeleteOptions::default()));
    }

    /// The program, told where everything is; short pauses.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command
            .env("LOG_DOMAIN", &self.domain)
            .env("MQ_PORT", self.port.to_string())
            .env("LOGWELL_RELAY_LOGBEACON_PAUSE", "200ms")
            .env("LOGWELL_RELAY_TELEGRAM_PAUSE", "200ms")
            .env("LOGWELL_RELAY_BROKER_PAUSE", "200ms")
            // A broker makes durable what it confirms, and a disk may be slow.
            .env("LOGWELL_RELAY_BROKER_TIMEOUT", "120s");
        command
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        let is_open = self.connection.as_ref().is_some_and(|c| c.status().connected());
        if is_open && !std::thread::panicking() {
            for queue in [self.logbeacon(), self.telegram()] {
                self.delete(&queue);
                self.delete(&format!("{queue}.dead"));
            }
        }
    }
}

/// The program, with an environment of the test's own.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logwell-relay"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// What it printed and how it ended.
pub fn output(mut command: Command) -> (Output, String) {
    let output = command.output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output, text)
}

/// A running worker; killed with the value.
pub struct Running {
    child: Child,
    reader: Option<std::thread::JoinHandle<()>>,
    log: Arc<Mutex<String>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let all = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                all.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { child, reader: Some(reader), log }
    }

    /// Waits until it has logged that.
    pub fn wait_for(&self, text: &str) {
        until(text, || self.log.lock().unwrap().contains(text));
    }

    /// Sends a signal, such as `TERM` or `KILL`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended; how, and what it logged.
    pub fn end(mut self) -> (ExitStatus, String) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begin.elapsed() < PATIENCE, "the worker does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        self.reader.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A record for LogBeacon, with its hash.
pub fn record(hash: &str) -> (String, String) {
    let body = serde_json::json!({
        "domain": "d", "program_name": "api", "level": "Error", "def_name": "f",
        "message": format!("order {hash} failed"), "extra_info": {"n": 1},
        "timestamp": "2025-11-26 10:30:00", "hash": hash,
    });
    (hash.to_owned(), body.to_string())
}

/// The `hash` of each record received.
pub fn hashes(received: &[stub::Received]) -> Vec<String> {
    let hash = |request: &stub::Received| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        body["hash"].as_str().unwrap().to_owned()
    };
    received.iter().map(hash).collect()
}
