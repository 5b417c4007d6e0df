//! LogBeacon: the log server.
