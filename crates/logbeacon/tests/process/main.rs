//! The program itself: starts, kills, ends, and real senders against it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod forwarder;
mod life;
mod page;
mod protocols;
mod senders;
mod support;
mod tls;
