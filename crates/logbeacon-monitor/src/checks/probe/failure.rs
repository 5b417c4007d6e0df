//! Failure: why a check ended early, and whose fault that is.
//!
//! Knows: down and unknown. Must not know: any probe. In: what went wrong; out: a status with its
//! reason.

use crate::checks::report::Status;
use std::time::Duration;

/// Why a check ended early.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) problem: String,
}

impl Failure {
    pub(super) fn down(problem: impl Into<String>) -> Self {
        Self { status: Status::Down, problem: problem.into() }
    }

    pub(super) fn unknown(problem: impl Into<String>) -> Self {
        Self { status: Status::Unknown, problem: problem.into() }
    }
}

/// A length of time in whole milliseconds.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
