//! Pipeline: the bounded queue, and the listener thread that routes records to sinks.
//!
//! Knows no kind of sink and no encoding.

pub(crate) mod after_shutdown;
pub(crate) mod end;
pub(crate) mod internal_records;
pub(crate) mod listener;
pub(crate) mod options;
pub(crate) mod pool;
pub(crate) mod queue;
pub(crate) mod recovery;
pub(crate) mod route;
pub(crate) mod sink_state;
pub(crate) mod waker;
