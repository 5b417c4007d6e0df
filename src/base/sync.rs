//! Sync: what threads share and wait with, for the files whose protocols are model-checked.
//!
//! Here these are the standard library's and crossbeam's. `models/` compiles the same files with
//! loom's under the same names, and tries every order in which their threads can act. Knows no
//! protocol.

pub(crate) use crossbeam_channel as channel;
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError, atomic};
pub(crate) use std::{hint, thread, thread_local};
