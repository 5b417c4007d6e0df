//! Exit: shuts logging down when the process exits and nobody has done it.
//!
//! Knows C's `atexit`, which `std::process::exit`, the end of `main` and C's `exit` all come to.
//! `abort`, `_exit` and `SIGKILL` do not: there is no hook for them.

use crate::caller;
use crate::capture::discard;
use crate::selflog;
use crate::setup;
use std::panic::catch_unwind;

/// Has logging shut down at the exit.
pub(super) fn install() {
    if !shutdown_hooks::add_shutdown_hook(at_exit) {
        let help = "call shutdown_logging() on every way out";
        selflog::tell("the exit cannot be waited for", &help);
    }
}

/// Runs on the thread that exits, whose thread-local values are gone already, while other threads
/// still run.
extern "C" fn at_exit() {
    // A sink that exits would wait for itself.
    if caller::is_ours() {
        return;
    }
    let end = || setup::handle().map(|handle| drop(handle.shutdown()));
    if let Err(panic) = catch_unwind(end) {
        discard(panic);
    }
}
