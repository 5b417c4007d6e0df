//! logwell-tower: HTTP middleware: a trace, a span and one access record for each request.
//!
//! Knows HTTP, and logwell's contexts. Does not know a framework: any `tower` service of `http`
//! requests will do. Requests go through; records, and the headers of a trace, come out.
#![doc = include_str!("../README.md")]

#[cfg(doctest)]
#[doc = include_str!("../../../docs/http.md")]
mod manual {}

pub mod client;
mod inject;
mod request;
pub mod server;

pub use client::ClientLayer;
pub use inject::inject;
pub use server::cause::Cause;
pub use server::options::{ClientAddress, PeerAddress, Restart, ServerLayer, TraceHeader};

/// A layer for servers; see [`ServerLayer`].
#[must_use]
pub fn server() -> ServerLayer {
    ServerLayer::default()
}

/// A layer for clients; see [`ClientLayer`].
#[must_use]
pub fn client() -> ClientLayer {
    ClientLayer::default()
}
