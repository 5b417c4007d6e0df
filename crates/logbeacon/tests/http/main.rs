//! The server over real sockets: every protocol, every route, every right.

mod limits;
mod loki;
mod push;
mod read;
mod rights;
mod support;
