//! The middleware in real servers and clients: axum and hyper, over HTTP/1 and HTTP/2, on sockets.
//!
//! All tests share the process's logging, and find their own records by their trace ids.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test] functions"
)]

mod access;
mod carriers;
mod endings;
mod support;
mod trace;
