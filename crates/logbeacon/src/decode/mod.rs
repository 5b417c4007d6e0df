//! Decoders: a body in somebody's protocol → drafts of records, each with its own outcome.
//!
//! They know protocols and the limits of a record. They do not know HTTP, tokens, streams' owners
//! or the store: bytes come in, values go out, and nothing panics whatever the bytes are.

pub mod bulk;
pub mod cut;
pub mod datadog;
pub mod draft;
pub mod fields;
mod flatten;
pub mod frames;
pub mod gelf;
pub mod hec;
pub mod journald;
pub mod json;
pub mod level;
pub mod limits;
mod lines;
pub mod loki;
mod names;
pub mod otlp;
pub mod otlp_message;
mod quoted;
pub mod syslog;
pub mod time;
