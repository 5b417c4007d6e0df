//! Logger and LoggerFactory: loggers whose names are only known at run time.
//!
//! For code that comes from systems with named loggers. tracing's targets are constants of the
//! source; these names are not. Records go through the `log` crate's road.

use crate::base::error::Error;
use crate::capture::context::{ContextValue, LoggingContext};
use crate::capture::log_bridge;
use crate::config::LoggingConfig;
use crate::record::level::Level;
use crate::setup::handle::LoggingHandle;
use crate::setup::report::ShutdownReport;

/// Logging as a value that can be passed around: set up, asked for loggers, shut down.
///
/// The same as [`init_logging_with`](crate::init_logging_with) and
/// [`shutdown_logging`](crate::shutdown_logging).
///
/// ```no_run
/// use logwell::{LoggerFactory, LoggingConfig};
///
/// let factory = LoggerFactory::init(LoggingConfig::default())?;
/// let orders = factory.logger("orders").with("region", "eu");
/// orders.info("order accepted");
/// println!("{}", factory.shutdown());
/// # Ok::<(), logwell::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LoggerFactory {
    handle: LoggingHandle,
}

impl LoggerFactory {
    /// Sets logging up for the process.
    ///
    /// # Errors
    ///
    /// As [`init_logging_with`](crate::init_logging_with).
    #[track_caller]
    pub fn init(config: LoggingConfig) -> Result<Self, Error> {
        crate::init_logging_with(config).map(|handle| Self { handle })
    }

    /// The logger of that name. Two of one name are the same.
    #[must_use]
    pub fn logger(&self, name: impl Into<String>) -> Logger {
        Logger::new(name)
    }

    /// What the running program can ask of its logging.
    #[must_use]
    pub fn handle(&self) -> &LoggingHandle {
        &self.handle
    }

    /// Ends logging; see [`LoggingHandle::shutdown`].
    #[must_use]
    pub fn shutdown(&self) -> ShutdownReport {
        self.handle.shutdown()
    }
}

/// A logger with a name, and with key/value pairs that each of its records carries.
///
/// Needs `log_crate: true`, the default. Costs more than tracing's macros, which are the better
/// choice wherever the name is known when the program is written.
#[derive(Debug, Clone)]
pub struct Logger {
    name: String,
    context: Option<LoggingContext>,
}

impl Logger {
    /// The logger of that name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), context: None }
    }

    /// Its name: the `logger` of its records.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same logger with one more pair on each record.
    #[must_use]
    pub fn with<'a>(mut self, key: &str, value: impl Into<ContextValue<'a>>) -> Self {
        self.context = Some(self.context.unwrap_or_default().with(key, value));
        self
    }

    /// Whether a record of that level would be taken: ask before preparing an expensive message.
    #[must_use]
    pub fn is_enabled(&self, level: Level) -> bool {
        log_bridge::is_enabled(level, &self.name)
    }

    /// Logs a message.
    #[track_caller]
    pub fn log(&self, level: Level, message: &str) {
        // Not in a closure: it would be the caller that `log` sees.
        let _guard = self.context.as_ref().map(LoggingContext::enter);
        log_bridge::log(level, &self.name, message);
    }

    /// Logs at DEBUG.
    #[track_caller]
    pub fn debug(&self, message: &str) {
        self.log(Level::Debug, message);
    }

    /// Logs at INFO.
    #[track_caller]
    pub fn info(&self, message: &str) {
        self.log(Level::Info, message);
    }

    /// Logs at WARN.
    #[track_caller]
    pub fn warning(&self, message: &str) {
        self.log(Level::Warn, message);
    }

    /// Logs at ERROR.
    #[track_caller]
    pub fn error(&self, message: &str) {
        self.log(Level::Error, message);
    }

    /// Logs at CRITICAL.
    #[track_caller]
    pub fn critical(&self, message: &str) {
        self.log(Level::Critical, message);
    }
}
