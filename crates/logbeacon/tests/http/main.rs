//! The server over real sockets: every protocol, every route, every right.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod grafana;
mod limits;
mod loki;
mod push;
mod read;
mod rights;
mod support;
