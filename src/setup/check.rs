//! Check: a test message to each destination that a configuration asks for.

use crate::base::error::Error;
use crate::config::LoggingConfig;
use crate::forward::{Checked, check_all};

/// Sends one test message to each destination that the configuration asks for, past all spools, and
/// says what became of it. Logging need not be set up. Blocks as long as the timeouts say.
///
/// # Errors
///
/// The configuration has mistakes, or a file it names cannot be read. That a destination cannot be
/// reached is no error but its [`Outcome`](crate::forward::Outcome).
///
/// ```no_run
/// use logwell::LoggingConfig;
///
/// for checked in logwell::forward::check(&LoggingConfig::discover()?)? {
///     println!("{checked}");
/// }
/// # Ok::<(), logwell::Error>(())
/// ```
pub fn check(config: &LoggingConfig) -> Result<Vec<Checked>, Error> {
    config.check()?;
    check_all(&config.forward_setup())
}
