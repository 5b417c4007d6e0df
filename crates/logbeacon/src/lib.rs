//! LogBeacon: the log server.

pub mod admit;
pub mod alarm;
pub mod body;
pub mod cache;
pub mod command;
pub mod decode;
pub mod digest;
pub mod file;
pub mod http;
pub mod ingest;
pub mod lanes;
pub mod logql;
pub mod metrics;
pub mod rate;
pub mod render;
pub mod serve;
pub mod server;
pub mod session;
pub mod silence;
pub mod stream_name;
pub mod syslog;
pub mod tail;
pub mod tls;
pub mod token;
pub mod views;
