//! How do I deliver records to a server of my own, at least once?
//!
//! ```sh
//! cargo run --example own_destination --features forward
//! ```
//!
//! The server takes lines over TCP and answers `ok`, `busy` or `bad` for each. Three ready-made
//! parts do the rest: `Hashed` makes entries, `Batches` collects them, `InBatches` sends batches by
//! the `Exchange` that you write. Spool, retries, dead letters and statistics are those of every
//! destination. Here the server is a thread of this program, and it is busy at first.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::encode::json::{JsonEncoder, JsonOptions};
use logwell::forward::{
    BatchSize, Batches, Destination, Exchange, Hashed, InBatches, Message, Outcome, Stop, Verdict,
};
use logwell::{Level, LoggingConfig, QueueLayer};
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const NAME: &str = "collector";

/// One connection for each batch.
struct Lines {
    server: SocketAddr,
}

impl Lines {
    fn exchange(&self, batch: &[Message]) -> io::Result<Vec<Outcome>> {
        let patience = Duration::from_secs(5);
        let mut stream = TcpStream::connect_timeout(&self.server, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        for message in batch {
            // The hash comes first: a server that keeps it has each record once.
            let line = [message.id.as_bytes(), b" ", &message.body, b"\n"].concat();
            stream.write_all(&line)?;
        }
        let answers = BufReader::new(stream).lines().take(batch.len());
        answers.map(|answer| Ok(outcome(&answer?))).collect()
    }
}

/// Who is to blame decides: what may pass is tried again, and only a bad record is refused.
fn outcome(answer: &str) -> Outcome {
    match answer {
        "ok" => Outcome::Delivered,
        "bad" => Outcome::refused("the server calls the record bad"),
        other => Outcome::retry(format!("the server says {other}")),
    }
}

impl Exchange for Lines {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        match self.exchange(batch) {
            Ok(outcomes) => Verdict::Each(outcomes),
            Err(error) => Outcome::retry(error.to_string()).into(),
        }
    }
}

fn collector(server: SocketAddr) -> Destination {
    let size = BatchSize { records: 10, bytes: 1 << 20, wait: Duration::from_millis(100) };
    Destination::new(
        NAME,
        Hashed::new(JsonEncoder::new(JsonOptions::default())),
        Batches::new(size),
        InBatches::new(Lines { server }, size),
    )
    .address(server.to_string())
    .min_level(Level::Warn)
}

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || serve(&listener));

    let config = LoggingConfig::builder().log_dir("logs/own_destination").console(false).build()?;
    let logging = QueueLayer::builder().config(config).destination(collector(address)).init()?;

    tracing::info!("too little for the collector");
    for order in 1..=3 {
        tracing::warn!(order, "payment was slow");
    }
    tracing::error!("a record that the server dislikes");

    let start = Instant::now();
    loop {
        let stats = logging.stats();
        let collector = stats.destination(NAME).ok_or("no such destination")?;
        if collector.delivered + collector.refused == 4 {
            println!("{} delivered, {} refused", collector.delivered, collector.refused);
            break;
        }
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("not delivered: {}", logging.health()).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("\n{}", logging.shutdown());
    Ok(())
}

/// A server that is busy twice.
fn serve(listener: &TcpListener) {
    for (connection, stream) in listener.incoming().flatten().enumerate() {
        let Ok(mut answers) = stream.try_clone() else { continue };
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let answer = match connection {
                0 | 1 => "busy",
                _ if line.contains("dislikes") => "bad",
                _ => "ok",
            };
            println!("{answer}: {}", line.split_once(' ').map_or("", |(_, record)| record));
            // A client that has gone sends again.
            let _ = writeln!(answers, "{answer}");
        }
    }
}
