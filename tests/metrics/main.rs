//! Metrics: what a program, logging and spans count, and what a real Prometheus makes of the page.
//!
//! Goes through the public API only. What needs Prometheus is skipped with a loud line where it is
//! not installed, and fails if `CI` is set.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests, outside of #[test] functions; a skipped test must be seen"
)]

mod pipeline;
mod prometheus;
mod registry;
