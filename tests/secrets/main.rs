//! Hundreds of secrets are planted, in each place of the configuration and in each shape that
//! people give them, and none is found anywhere but where it belongs.
//!
//! What is looked through: log files, spools, dead letters, the self-log, standard output and
//! standard error, `Debug` and `Display` of all that is public, and the bodies that servers
//! receive. The servers repeat what they were sent, in every spelling. A secret is found by either
//! half of it, and in base64 too.
//!
//! So much for logwell's own configuration. What a program logs itself is masked: `own.rs`.

#![cfg(feature = "rabbitmq")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod broker;
mod configuration;
mod marker;
mod own;
mod program;
#[path = "../forwarding/server.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod server;
mod traffic;
