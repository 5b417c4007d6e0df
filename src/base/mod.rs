//! Base: what the process and the machine provide: time, files, threads, errors, the self-log.
//!
//! Knows no record. Every other folder may use it; it uses none of them.

pub(crate) mod background;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod fork;
pub(crate) mod fs;
pub(crate) mod hash;
pub(crate) mod selflog;
pub(crate) mod standard_streams;
pub(crate) mod sync;
pub(crate) mod thread;
pub(crate) mod threads;
pub(crate) mod traces;
pub(crate) mod unwind;
pub(crate) mod world;
pub(crate) mod zone;
