//! LogBeacon: the log server.

pub mod decode;
