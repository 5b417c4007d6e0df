//! Hooks: what happens to logging when the process panics, exits, is signalled or forks.
//!
//! Knows which hooks the configuration asks for. Each has its own file. None of them may panic
//! or wait without a deadline: they run where the program is already in trouble.

mod exit;
mod panic;
mod signals;

use crate::config::LoggingConfig;
use crate::setup::handle::LoggingHandle;

/// Puts in place what the configuration asks for. Nothing here can fail the set-up: what does not
/// work is reported on the self-log and in health.
pub(crate) fn install(config: &LoggingConfig, handle: &LoggingHandle) {
    if config.hooks.panic {
        panic::install(config, handle.clone());
    }
    if config.hooks.exit {
        exit::install(handle.clone());
    }
    signals::install(config, handle);
}
