//! Trouble: what can go wrong with a broker, in words, and waiting for its answers.
//!
//! Knows lapin's errors. Knows no connection.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::ShortString;
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// What went wrong with the broker, in words; without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// In those words.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

impl From<lapin::Error> for Trouble {
    fn from(error: lapin::Error) -> Self {
        Self(error.to_string())
    }
}

/// Waits for an answer, at most so long.
pub(super) async fn within<T>(
    timeout: Duration,
    what: &str,
    future: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(timeout, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Trouble(format!("{what}: {error}"))),
        Err(_) => Err(Trouble(format!("{what}: no answer within {} ms", timeout.as_millis()))),
    }
}

pub(super) fn short(text: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(text)
        .map_err(|_| std::io::Error::other("a name is longer than 255 bytes").into())
}

pub(super) fn late() -> lapin::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

pub(super) fn is_not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else { return false };
    matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}
