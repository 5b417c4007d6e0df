//! Fork: whether this process is the one that made a pipeline, or a fork of it.
//!
//! A fork has a copy of the queue but no listener: the thread that called `fork` is its only
//! thread, and a lock that another thread held stays locked forever. So a fork never touches the
//! pipeline. Knows neither queue nor records. The only file that names `forkguard`.

use crate::base::selflog;
use std::sync::atomic::{AtomicBool, Ordering};

/// The process in which this was made.
#[derive(Debug)]
pub(crate) struct ForkGuard(forkguard::Guard);

impl ForkGuard {
    pub(crate) fn here() -> Self {
        Self(forkguard::new())
    }

    /// Whether this process was forked from that one. Costs one load of what only a fork changes.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.0.clone().detected_fork()
    }
}

/// Tells once that the records of this process are dropped.
#[cold]
pub(crate) fn tell() {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if !IS_TOLD.swap(true, Ordering::Relaxed) {
        selflog::tell_in_fork(&format!(
            "process {} was forked from one that logs: its records are dropped; call init_logging() \
             after forking, not before",
            std::process::id()
        ));
    }
}
