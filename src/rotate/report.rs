//! Report: what a rotating file says when something fails.

use std::error::Error;
use std::fmt;
use std::io;

/// Not all lines could be handed to the operating system.
#[derive(Debug)]
pub struct WriteError {
    /// Why, with the path.
    pub error: io::Error,
    /// How many lines are kept and will be tried again. None is lost.
    pub kept_lines: u64,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {} lines are kept", self.error, self.kept_lines)
    }
}

impl Error for WriteError {}

/// Something went wrong that keeps no line from being written.
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// No new file could be started: the current one grows beyond its limit. Tried again each
    /// second.
    NotRotated(io::Error),
    /// The path does not lead to the open file any more and could not be opened. Tried again each
    /// second.
    NotReopened(io::Error),
    /// Backups beyond the limit could not be deleted. The next rotation tries again.
    NotPruned(io::Error),
    /// A backup could not be compressed, or what a crash has left could not be put in order. Tried
    /// again after a minute.
    NotCompressed(io::Error),
    /// What was written could not be made durable. The lines that are not known to be are written
    /// again, to a new file: so many of them may be there twice, with the same `seq`.
    NotDurable(io::Error, u64),
    /// An existing file is open to more users than its mode should allow, and this cannot be
    /// changed.
    TooOpen(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRotated(error) => write!(f, "no new file could be started: {error}"),
            Self::NotReopened(error) => write!(f, "the moved file could not be reopened: {error}"),
            Self::NotPruned(error) => write!(f, "old backups could not be deleted: {error}"),
            Self::NotCompressed(error) => write!(f, "a backup could not be compressed: {error}"),
            Self::NotDurable(error, lines) => {
                write!(f, "not durable, {lines} lines are written again: {error}")
            }
            Self::TooOpen(error) => {
                write!(f, "the mode of the file could not be narrowed: {error}")
            }
        }
    }
}

impl Error for Trouble {}
