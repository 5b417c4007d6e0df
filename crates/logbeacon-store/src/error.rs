//! Error: why a store did not do what it was asked to.
//!
//! Knows: the reasons, and which of them pass. Must not know: how a store works.

use std::fmt;
use std::time::Duration;

/// Why a batch was not kept. None of its records is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// More waits to be stored than the bounds allow. Passing: send again after `retry_after`.
    Full {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The disk is full or fails. Passing: the store resumes by itself once there is space.
    ReadOnly {
        /// What the disk reported.
        reason: String,
    },
    /// The store is shutting down.
    Closed,
}

/// Why a search has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchError {
    /// The query cannot run; the text says why.
    Query(String),
    /// The store is closed.
    Closed,
}

/// Why nothing was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteError {
    /// The filter cannot be understood, or uses what a deletion cannot, such as a pipe.
    Query(String),
    /// The deletion could not be written down.
    Disk(String),
    /// The store is closed.
    Closed,
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { retry_after } => {
                write!(f, "the store is full, send again after {} ms", retry_after.as_millis())
            }
            Self::ReadOnly { reason } => write!(f, "the store is read-only: {reason}"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(why) => write!(f, "the query cannot run: {why}"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl fmt::Display for DeleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(why) => write!(f, "the deletion cannot run: {why}"),
            Self::Disk(why) => write!(f, "the deletion cannot be written down: {why}"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl std::error::Error for AppendError {}
impl std::error::Error for SearchError {}
impl std::error::Error for DeleteError {}
