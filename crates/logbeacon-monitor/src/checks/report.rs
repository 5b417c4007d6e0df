//! Report: what one run of a check found.
//!
//! Knows: up, down and unknown, and how the time was spent. Must not know: how it was found. In: a
//! probe's findings; out: readings for rules, and what is shown.

use crate::identity::Labels;
use crate::rule::{Sample, Seen};
use std::net::SocketAddr;

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// Whether the target works.
    pub status: Status,
    /// Why it is down or unknown; empty if it is up.
    pub problem: String,
    /// The address that was connected to.
    pub address: Option<SocketAddr>,
    /// How the time was spent.
    pub times: Times,
    /// The status of an HTTP answer.
    pub http_status: Option<u16>,
    /// The URL that answered, if redirects led to another.
    pub final_url: Option<String>,
    /// The certificates that were presented.
    pub certificate: Option<Certificate>,
}

/// Whether a target works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does what the check expects.
    Up,
    /// It does not.
    Down,
    /// Nobody knows: our own resolver or network failed.
    Unknown,
}

/// How the time was spent, in milliseconds. What was not reached is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Resolving the name.
    pub dns_ms: Option<u64>,
    /// Connecting.
    pub connect_ms: Option<u64>,
    /// The TLS handshake.
    pub tls_ms: Option<u64>,
    /// From the request to the first byte of the answer.
    pub first_byte_ms: Option<u64>,
    /// All of it.
    pub total_ms: u64,
}

/// What is known of the certificates that a server presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// When the server's own certificate expires, in milliseconds since 1970.
    pub leaf_expires_ms: i64,
    /// When the first certificate expires on the way from the server's own to its root.
    pub chain_expires_ms: i64,
    /// Subjects of expired certificates that were presented and are not on that way.
    pub expired_extras: Vec<String>,
}

impl CheckReport {
    /// A report of a target that is up.
    #[must_use]
    pub fn up() -> Self {
        Self {
            status: Status::Up,
            problem: String::new(),
            address: None,
            times: Times::default(),
            http_status: None,
            final_url: None,
            certificate: None,
        }
    }

    /// The same report of a target that is down, or unknown.
    #[must_use]
    pub fn with(self, status: Status, problem: impl Into<String>) -> Self {
        Self { status, problem: problem.into(), ..self }
    }

    /// What rules see: `check.down`, `check.total_ms`, `check.certificate_days`, with these labels.
    /// An unknown target is no data.
    #[must_use]
    pub fn samples(&self, labels: &Labels, now_ms: i64) -> Vec<(&'static str, Sample)> {
        let sample = |reading| Sample { labels: labels.clone(), reading };
        let is_up = match self.status {
            Status::Up => Seen::Value(0.0),
            Status::Down => Seen::Value(1.0),
            Status::Unknown => Seen::NoData,
        };
        let total = match self.status {
            Status::Up => Seen::Value(self.times.total_ms as f64),
            Status::Down | Status::Unknown => Seen::NoData,
        };
        let mut samples = vec![("check.down", sample(is_up)), ("check.total_ms", sample(total))];
        if let Some(certificate) = &self.certificate {
            let days = (certificate.chain_expires_ms - now_ms) as f64 / DAY_MS;
            samples.push(("check.certificate_days", sample(Seen::Value(days))));
        }
        samples
    }
}

const DAY_MS: f64 = 86_400_000.0;
