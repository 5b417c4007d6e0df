//! Capture: from tracing's callbacks to a record in the queue, on the application's thread.
//!
//! Knows tracing, and neither sinks nor files. It does no I/O and allocates nothing for an ordinary
//! event.

pub(crate) mod callsites;
pub(crate) mod carrier;
pub(crate) mod context;
pub(crate) mod filter;
pub(crate) mod layer;
pub(crate) mod log_bridge;
#[cfg(feature = "forward")]
pub(crate) mod log_code;
pub(crate) mod log_pairs;
mod macros;
pub(crate) mod options;
pub(crate) mod redact;
mod room;
mod slots;
pub(crate) mod thread_state;
pub(crate) mod values;
