//! It: the integration tests that need no process to themselves, in one program that links the
//! library once.
//!
//! A test that sets the global subscriber, counts allocations or starts itself again has a file
//! beside this folder; those that share a global subscriber are in `tests/global/`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

#[path = "../json_lines/mod.rs"]
mod json_lines;
#[path = "../support/mod.rs"]
mod support;

mod absent_features;
mod composition;
mod hostile_input;
mod limits;
mod readers;
mod record_format;
mod record_presets;
mod record_properties;
mod sinks;
