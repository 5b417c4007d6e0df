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
    /// A file has not the mode that it should have, and this cannot be changed. An existing one may
    /// be open to more users than it should.
    TooOpen(io::Error),
}

impl Trouble {
    /// The option that is not met. That a file is not rotated breaks none before it has to be.
    pub(super) fn promise(&self) -> Promise {
        match self {
            Self::NotRotated(_) => Promise::Size,
            Self::NotReopened(_) => Promise::Path,
            Self::NotPruned(_) => Promise::Retention,
            Self::NotCompressed(_) => Promise::Compression,
            Self::NotDurable(..) => Promise::Durability,
            Self::TooOpen(_) => Promise::Mode,
        }
    }
}

/// What a file is to keep besides taking lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// No file is larger than `max_bytes`.
    Size,
    /// The lines are in the file at the path.
    Path,
    /// No backup is beyond the limits.
    Retention,
    /// Backups are compressed.
    Compression,
    /// What was written is on the disk in time.
    Durability,
    /// Others cannot read more than the mode allows.
    Mode,
}

/// The options that are not met now, and why. A trouble is news once; this lasts until it is over.
#[derive(Debug, Default)]
pub(super) struct Broken(Vec<(Promise, String)>);

impl Broken {
    pub(super) fn add(&mut self, trouble: &Trouble) {
        let promise = trouble.promise();
        self.mend(promise);
        self.0.push((promise, trouble.to_string()));
    }

    pub(super) fn mend(&mut self, promise: Promise) {
        self.0.retain(|(broken, _)| *broken != promise);
    }

    pub(super) fn has(&self, promise: Promise) -> bool {
        self.0.iter().any(|(broken, _)| *broken == promise)
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(_, text)| text.clone()).collect()
    }
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
                write!(f, "the file has another mode than it should: {error}")
            }
        }
    }
}

impl Error for Trouble {}
