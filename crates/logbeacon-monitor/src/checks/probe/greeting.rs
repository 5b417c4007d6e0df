//! Greeting: the first words of Redis, PostgreSQL and AMQP, and the answers that mean life.
//!
//! Knows: those bytes. Must not know: accounts: nothing is logged in to. In: a stream; out:
//! nothing, or what was answered instead.

use super::failure::{Failure, ms};
use crate::checks::check::Protocol;
use crate::checks::report::CheckReport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Says the first words and reads the answer.
pub(super) async fn greet(
    mut stream: TcpStream,
    protocol: Protocol,
    report: &mut CheckReport,
) -> Result<(), Failure> {
    let words: &[u8] = match protocol {
        Protocol::Redis => b"PING\r\n",
        // SSLRequest: its length, and the code 80877103.
        Protocol::PostgreSql => &[0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F],
        Protocol::RabbitMq => b"AMQP\x00\x00\x09\x01",
    };
    let broken = |error: std::io::Error| Failure::down(error.to_string());
    stream.write_all(words).await.map_err(broken)?;
    let begin = Instant::now();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).await.map_err(broken)?;
    report.times.first_byte_ms = Some(ms(begin.elapsed()));
    let answer = answer.get(..length).unwrap_or_default();
    if is_alive(protocol, answer) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(answer);
    Err(Failure::down(format!("answers {:?}", shown.trim_end())))
}

fn is_alive(protocol: Protocol, answer: &[u8]) -> bool {
    match protocol {
        // One that asks for a password is alive.
        Protocol::Redis => answer.starts_with(b"+PONG") || answer.starts_with(b"-NOAUTH"),
        Protocol::PostgreSql => matches!(answer, [b'S' | b'N', ..]),
        // A frame of a method on channel 0: `connection.start` is method 10 of class 10.
        Protocol::RabbitMq => {
            matches!(answer, [1, 0, 0, _, _, _, _, 0, 10, 0, 10, ..])
        }
    }
}
