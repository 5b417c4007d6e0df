//! Global: the integration tests under one global subscriber, that of `support`, in one program.
//!
//! A record belongs to the test whose thread it names. `tests/threads.rs` has a program to itself:
//! beside tests whose subscribers come and go, a span that eight threads met at once was seen to be
//! missing from a record.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

#[path = "../support/mod.rs"]
mod support;

mod context;
mod context_async;
mod hostile_values;
mod instrument;
mod span_values;
mod spans;
mod values;
