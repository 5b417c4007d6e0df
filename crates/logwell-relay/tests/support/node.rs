//! Node: a RabbitMQ of the test's own, which may be killed. Names nothing but the standard library.
//!
//! Everything lies in a temporary directory and on the loopback interface, with a port mapper of
//! its own, so that several nodes and the machine's own broker do not see each other. The directory
//! is in memory, where there is any: a broker makes durable what it confirms, and a kill costs it
//! nothing there either.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const EPMD: &str = "/usr/bin/epmd";

/// A broker; it and its directory are gone with the value.
#[derive(Debug)]
pub struct Node {
    dir: tempfile::TempDir,
    pub port: u16,
    distribution_port: u16,
    epmd_port: u16,
    epmd: Child,
    server: Option<Child>,
}

impl Node {
    /// Starts one and waits until it answers; `None`, told loudly, where RabbitMQ is not installed.
    pub fn start() -> Option<Self> {
        let mut node = Self::stopped()?;
        node.up();
        Some(node)
    }

    /// One that is not running yet.
    pub fn stopped() -> Option<Self> {
        if !Path::new(SERVER).exists() {
            missing("RabbitMQ (Debian: rabbitmq-server)");
            return None;
        }
        let [port, distribution_port, epmd_port] = free_ports();
        let epmd = Command::new(EPMD)
            .args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        fs::write(dir.path().join("plugins"), "[].").unwrap();
        fs::write(dir.path().join("rabbitmq.conf"), "log.console = false\n").unwrap();
        Some(Self { dir, port, distribution_port, epmd_port, epmd, server: None })
    }

    /// Starts it, and waits until it answers.
    pub fn up(&mut self) {
        assert!(self.server.is_none(), "it is running");
        let output = fs::File::create(self.path("output")).unwrap();
        let mut command = Command::new(SERVER);
        self.surroundings(&mut command);
        let server = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let begin = Instant::now();
        while !self.answers() {
            let output = || fs::read_to_string(self.path("output")).unwrap_or_default();
            assert!(begin.elapsed() < Duration::from_secs(600), "not up: {}", output());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
        // The kernel closes its sockets while it dies.
        while self.answers() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `rabbitmqctl` for this node.
    pub fn control(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(CONTROL);
        self.surroundings(&mut command);
        let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn surroundings(&self, command: &mut Command) {
        let erlang = format!(
            "-kernel inet_dist_use_interface {{127,0,0,1}} -setcookie logwell{}",
            self.epmd_port
        );
        command
            // As under systemd the server takes the place of its script: what is killed is the
            // server.
            .env("NOTIFY_SOCKET", self.path("nobody"))
            .env("HOME", self.dir.path())
            .env("RABBITMQ_NODENAME", format!("logwell{}@localhost", self.port))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", self.path("mnesia"))
            .env("RABBITMQ_LOG_BASE", self.path("log"))
            .env("RABBITMQ_PID_FILE", self.path("pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("plugins"))
            .env("RABBITMQ_CONFIG_FILE", self.path("rabbitmq.conf"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", &erlang)
            .env("RABBITMQ_CTL_ERL_ARGS", &erlang)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.epmd_port.to_string());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Whether it greets as a broker does.
    fn answers(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let Ok(mut stream) = TcpStream::connect(address) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let mut first = [0];
        stream.write_all(b"AMQP\x00\x00\x09\x01").is_ok()
            && stream.read_exact(&mut first).is_ok()
            && first == [1]
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = self.epmd.kill();
        let _ = self.epmd.wait();
    }
}

/// Says loudly that a test cannot run; where everything must run, that is a failure.
pub fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is missing, and CI is set");
    eprintln!("\n*** SKIPPED: {what} is missing ***\n");
}

/// Ports below those that the system gives to whoever connects somewhere: what is free now is free
/// too when the server comes, and when it comes back.
fn free_ports<const N: usize>() -> [u16; N] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let port = || {
        let n = std::process::id().wrapping_mul(64) + COUNT.fetch_add(1, Ordering::Relaxed);
        10_000 + u16::try_from(n % 20_000).unwrap()
    };
    let free = || loop {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port())) {
            break listener;
        }
    };
    let listeners = [(); N].map(|()| free());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
