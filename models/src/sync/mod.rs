//! Sync: loom's pieces under the names that logwell has for the standard library's
//! (`src/base/sync.rs`).
//!
//! A wait never ends by itself, so that a wake-up that is lost shows as a deadlock; and a pause
//! lets the others act.

pub(crate) mod atomic;
pub(crate) mod channel;
mod mutex;

pub(crate) use loom::hint;
pub(crate) use mutex::{FOUND_LOCKED, Mutex, MutexGuard};
pub(crate) use std::sync::PoisonError;

pub(crate) mod thread {
    pub(crate) use loom::thread::{JoinHandle, Thread, current, spawn, yield_now};
    use std::time::Duration;

    pub(crate) fn park_timeout(_for_ever: Duration) {
        loom::thread::park();
    }

    pub(crate) fn sleep(_a_moment: Duration) {
        yield_now();
    }
}

/// loom's, which does not take a `const` block.
macro_rules! thread_local_of_loom {
    ($(#[$of:meta])* static $name:ident: $type:ty = const { $value:expr };) => {
        loom::thread_local! { $(#[$of])* static $name: $type = $value }
    };
    ($($any:tt)*) => {
        loom::thread_local! { $($any)* }
    };
}
pub(crate) use thread_local_of_loom as thread_local;
