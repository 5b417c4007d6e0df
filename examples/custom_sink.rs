//! How do I send records somewhere else? Implement `Sink`: `write` takes a record, `flush`
//! delivers.
//!
//! ```sh
//! cargo run --example custom_sink
//! ```
//!
//! One sink counts records by level. The other sends JSON lines over TCP to a collector that is
//! away at first: what could not be sent is kept and tried again, and `flush` says so. Here the
//! collector is a thread of this program; nothing is written to disk.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::encode::{Encode as _, json::JsonEncoder, json::JsonOptions};
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::{Level, LoggingConfig, LoggingHandle, QueueLayer};
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Counts records by level. The listener owns the sink, so what others read is behind an `Arc`.
#[derive(Clone, Default)]
struct CountByLevel(Arc<Mutex<[u64; Level::COUNT]>>);

impl Sink for CountByLevel {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(record.level().index()) {
            *count += 1;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

/// Sends each record as a line of JSON over TCP.
struct TcpSink {
    collector: SocketAddr,
    encoder: JsonEncoder,
    /// Lines that were not sent yet.
    backlog: Vec<Vec<u8>>,
}

impl TcpSink {
    /// A sink must not grow without bound: beyond this it refuses records.
    const MAX_BACKLOG: usize = 1_000;

    fn new(collector: SocketAddr) -> Self {
        let encoder = JsonEncoder::new(JsonOptions::default());
        Self { collector, encoder, backlog: Vec::new() }
    }

    fn send(&mut self) -> io::Result<()> {
        let patience = Duration::from_millis(200);
        let mut stream = TcpStream::connect_timeout(&self.collector, patience)?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(&self.backlog.concat())?;
        self.backlog.clear();
        Ok(())
    }
}

impl Sink for TcpSink {
    /// An error here says: this record was not taken. It is counted as dropped.
    fn write(&mut self, record: &Record) -> io::Result<()> {
        if self.backlog.len() >= Self::MAX_BACKLOG {
            return Err(io::Error::other("the backlog is full"));
        }
        let mut line = Vec::new();
        self.encoder.encode(record, &mut line);
        self.backlog.push(line);
        Ok(())
    }

    /// An error here says how many records are kept (`flush` will be called again) or lost.
    fn flush(&mut self) -> Result<(), FlushError> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        self.send().map_err(|error| {
            let kept = self.backlog.len() as u64;
            FlushError { error, kept, lost: 0 }
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = free_address()?;
    let counts = CountByLevel::default();
    let config = LoggingConfig::builder().files(false).console(false).build()?;
    let logging = QueueLayer::builder()
        .config(config)
        .sink("counts", Accepts::all().internal_from(Level::Warn), counts.clone())
        .sink("collector", Accepts::all().from_level(Level::Warn), TcpSink::new(address))
        .init()?;

    tracing::info!("too little for the collector");
    tracing::warn!(attempt = 2, "payment was slow");
    tracing::error!(order = 7, "order refused");
    logging.flush(Duration::from_secs(60))?;
    show("the collector is away", &logging);

    let listener = TcpListener::bind(address)?;
    logwell::critical!(pool = "orders", "no database connection left");
    logging.flush(Duration::from_secs(60))?;
    show("the collector is back", &logging);

    let (stream, _) = listener.accept()?;
    for line in BufReader::new(stream).lines() {
        println!("  collected {}", line?);
    }

    println!("\n{}", logging.shutdown());
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (level, count) in Level::ALL.iter().zip(*counts) {
        println!("  {level:<8} {count}");
    }
    Ok(())
}

/// An address at which nobody listens yet.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn show(moment: &str, logging: &LoggingHandle) {
    println!("\n{moment}: {}", logging.health());
    if let Some(sink) = logging.stats().sink("collector") {
        let (routed, sent) = (sink.routed, sink.written);
        println!("  {routed} meant for it, {sent} sent, {} kept", sink.in_hand());
    }
}
