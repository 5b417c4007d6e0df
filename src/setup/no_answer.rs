//! NoAnswer: that the listener did not answer in time.
//!
//! Knows why that may be, and which error it is elsewhere. Does not know what was asked.

use crate::base::error::{Error, ErrorKind};
use std::fmt;
use std::io;

/// The listener did not answer within the deadline, or it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the listener did not answer within the deadline; is a disk or a sink stuck?")
    }
}

impl std::error::Error for NoAnswer {}

impl From<NoAnswer> for io::Error {
    fn from(unanswered: NoAnswer) -> Self {
        Self::new(io::ErrorKind::TimedOut, unanswered)
    }
}

impl From<NoAnswer> for Error {
    fn from(_: NoAnswer) -> Self {
        let source = io::Error::from(io::ErrorKind::TimedOut);
        ErrorKind::Thread { name: "logwell", source }.into()
    }
}
