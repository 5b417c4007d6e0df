//! How do records reach a log server, also one that is away for a while?
//!
//! ```sh
//! cargo run --example forwarding --features forward
//! ```
//!
//! The log server is a stub in this program, so that no account is needed: it takes the messages
//! that LogBeacon takes, and can be switched off.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::config::Secret;
use logwell::{LoggingConfig, init_logging_with, shutdown_logging};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let beacon = Beacon::start()?;

    let mut config = LoggingConfig::builder().log_dir("logs/forwarding").console(false).build()?;
    config.service.domain = "example.com".to_owned();
    config.forward.logbeacon.enabled = true;
    config.forward.logbeacon.url = Secret::new(format!("http://{}/logs", beacon.address));
    for checked in logwell::forward::check(&config)? {
        println!("check: {checked}");
    }
    let handle = init_logging_with(config)?;

    println!("\nThe log server is there:");
    let span = tracing::info_span!("process_order", order_id = 123);
    span.in_scope(|| {
        tracing::info!("order accepted");
        logwell::error_ctg!(reason = "card expired", "payment failed");
    });
    logwell::log(9, "nightly_job", "job failed", json!({ "job": "export", "tries": [1, 2] }))?;
    beacon.wait_for(1 + 3);

    println!("\nIt is away, and the program goes on:");
    beacon.is_away.store(true, Ordering::Relaxed);
    for order_id in 124..129 {
        tracing::warn!(order_id, "order is late");
    }
    let start = Instant::now();
    while handle.health().is_healthy() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("  {}", handle.health());

    println!("\nIt is back:");
    beacon.is_away.store(false, Ordering::Relaxed);
    beacon.wait_for(1 + 3 + 5);

    println!("\n{}", shutdown_logging());
    Ok(())
}

/// A log server that prints what it is sent.
struct Beacon {
    address: SocketAddr,
    is_away: Arc<AtomicBool>,
    got: Arc<AtomicU64>,
    news: mpsc::Receiver<()>,
}

impl Beacon {
    fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (is_away, got) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (tell, news) = mpsc::channel();
        let beacon = Self { address, is_away: Arc::clone(&is_away), got: Arc::clone(&got), news };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One at a time is enough for one program. A connection that breaks off is no harm.
                let _ = serve(&stream, &is_away, |message| {
                    println!(
                        "  got {} {} {}",
                        message["level"], message["message"], message["extra_info"]
                    );
                    got.fetch_add(1, Ordering::Relaxed);
                    let _ = tell.send(());
                });
            }
        });
        Ok(beacon)
    }

    /// Waits until it has got so many messages in all.
    fn wait_for(&self, count: u64) {
        while self.got.load(Ordering::Relaxed) < count {
            if self.news.recv_timeout(Duration::from_secs(30)).is_err() {
                println!("  (nothing came for 30 s)");
                return;
            }
        }
    }
}

/// Answers the requests of one connection: 200, or 503 while it is away.
fn serve(stream: &TcpStream, is_away: &AtomicBool, got: impl Fn(&Value)) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(("content-length", value)) =
                line.to_ascii_lowercase().split_once(':').map(|(name, value)| (name, value.trim()))
            {
                length = value.parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let status = if is_away.load(Ordering::Relaxed) {
            "503 Service Unavailable"
        } else {
            got(&serde_json::from_slice(&body).unwrap_or_default());
            "200 OK"
        };
        (&mut &*stream)
            .write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes())?;
    }
}
