//! Documentation: the documents outside the source, so that rustdoc shows them and tests their
//! examples.
//!
//! Knows no code.

/// How to migrate from another logging system, call by call.
#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}

/// The most used options, and the environment variables.
#[doc = include_str!("../docs/configuration.md")]
pub mod configuration {}

/// Which secrets are masked, and which cannot be found.
#[doc = include_str!("../docs/secrets.md")]
pub mod secrets {}

/// What happens on a full disk, a kill, a fork and every other failure.
#[doc = include_str!("../docs/failures.md")]
pub mod failures {}

/// Containers, service managers, several processes.
#[doc = include_str!("../docs/deployment.md")]
pub mod deployment {}

/// Metrics for Prometheus: what is there, your own, and how to serve them.
#[cfg(feature = "metrics")]
#[doc = include_str!("../docs/metrics.md")]
pub mod metrics {}

/// How records reach a log server and people.
#[cfg(feature = "forward")]
#[doc = include_str!("../docs/forwarding.md")]
pub mod forwarding {}

/// Why a message is refused for good, and how to inspect and resend dead letters.
#[doc = include_str!("../docs/dead-letters.md")]
pub mod dead_letters {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
