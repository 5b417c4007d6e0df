//! Exit: shuts logging down when the process exits and nobody has done it.
//!
//! Knows C's `atexit`, which `std::process::exit`, the end of `main` and C's `exit` all come to.
//! `abort`, `_exit` and `SIGKILL` do not: there is no hook for them.

use crate::base::selflog;
use crate::base::thread;
use crate::base::unwind::discard;
use crate::setup::handle::LoggingHandle;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// What is shut down: C passes a function nothing along.
static HANDLE: OnceLock<LoggingHandle> = OnceLock::new();

/// Has logging shut down at the exit.
pub(super) fn install(handle: LoggingHandle) {
    HANDLE.get_or_init(|| handle);
    if !shutdown_hooks::add_shutdown_hook(at_exit) {
        let help = "call shutdown_logging() on every way out";
        selflog::tell("the exit cannot be waited for", &help);
    }
}

/// Runs on the thread that exits, whose thread-local values are gone already, while other threads
/// still run.
extern "C" fn at_exit() {
    // A sink that exits would wait for itself.
    if thread::is_internal_thread() {
        return;
    }
    let end = || HANDLE.get().map(|handle| drop(handle.shutdown()));
    if let Err(panic) = catch_unwind(AssertUnwindSafe(end)) {
        discard(panic);
    }
}
