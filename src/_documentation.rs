//! Documentation: the documents outside the source, so that rustdoc shows them and tests their
//! examples.
//!
//! Knows no code.

/// How to come from another logging system, call by call.
#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}

/// How records reach a log server and people.
#[cfg(feature = "forward")]
#[doc = include_str!("../docs/forwarding.md")]
pub mod forwarding {}

/// Who is to blame for a refusal, and what people can do with dead letters.
#[doc = include_str!("../docs/dead-letters.md")]
pub mod dead_letters {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
