//! The server over real sockets, on a store in memory: every protocol, every route, every right.

mod limits;
mod loki;
mod push;
mod read;
mod rights;
mod support;
