//! Builder: a configuration from calls.
//!
//! Knows the names people look for. Everything else is the draft's.

use std::path::PathBuf;
use std::time::Duration;

use super::Color;
use super::ConsoleFormat;
use super::Directives;
use super::DirectivesError;
use super::HooksConfig;
use super::Limits;
use super::LoggingConfig;
use super::RecordConfig;
use super::Schema;
use super::ServiceConfig;
use super::Stream;
use super::WhenFull;
use super::draft::Draft;
use crate::Error;
use logwell_options::env::Variables;
use logwell_options::raw_value::Problem;

/// A configuration from calls, for what a program knows better than its file.
///
/// [`build`](Self::build) reports all wrong values. Levels are a [`Level`](crate::Level), a text
/// such as `"info,my_crate=debug"`, or [`Directives`].
///
/// ```
/// use logwell::Level;
/// use logwell::config::LoggingConfig;
///
/// let config = LoggingConfig::builder()
///     .log_level("info,my_crate=debug")
///     .console_level(Level::Warn)
///     .log_dir("/var/log/my-service")
///     .max_bytes(50 * 1024 * 1024)
///     .backup_count(3)
///     .build()?;
/// assert_eq!(config.files.errors.backup_count, 3);
///
/// let error = LoggingConfig::builder().log_level("inf0").queue_size(0).build().unwrap_err();
/// assert_eq!(error.mistakes().len(), 2);
/// # Ok::<(), logwell::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "call build() to get the configuration"]
pub struct LoggingConfigBuilder {
    draft: Draft,
}

impl LoggingConfigBuilder {
    /// Begins with another configuration.
    pub fn from_config(config: LoggingConfig) -> Self {
        Self { draft: Draft::of(config) }
    }

    /// Begins with what the surroundings say: the file that `LOG_CONFIG` names, else
    /// `config/logging.yaml` if there is one, and over it the environment of the process.
    ///
    /// [`build`](Self::build) reports their problems together with those of your calls.
    pub fn from_env() -> Self {
        Self { draft: super::discovered(&Variables::new(std::env::vars_os())) }
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// All mistakes: values beyond their limits, levels that cannot be read, values that do not go
    /// together.
    pub fn build(self) -> Result<LoggingConfig, Error> {
        self.draft.finish()
    }

    /// What is logged at all.
    pub fn log_level<D>(self, level: D) -> Self
    where
        D: TryInto<Directives>,
        D::Error: Into<DirectivesError>,
    {
        self.level("level", level, |config, level| config.level = level)
    }

    /// What goes to the files, out of that.
    pub fn file_level<D>(self, level: D) -> Self
    where
        D: TryInto<Directives>,
        D::Error: Into<DirectivesError>,
    {
        self.level("files.level", level, |config, level| config.files.level = level)
    }

    /// What goes to the console, out of that.
    pub fn console_level<D>(self, level: D) -> Self
    where
        D: TryInto<Directives>,
        D::Error: Into<DirectivesError>,
    {
        self.level("console.level", level, |config, level| config.console.level = level)
    }

    /// The directory of the log files.
    pub fn log_dir(self, dir: impl Into<PathBuf>) -> Self {
        self.set("files.dir", |config| config.files.dir = dir.into())
    }

    /// How many records the queue holds.
    pub fn queue_size(self, records: usize) -> Self {
        self.set("queue.size", |config| config.queue.size = records)
    }

    /// What happens to a new record when the queue has no room.
    pub fn when_full(self, when_full: WhenFull) -> Self {
        self.set("queue.when_full", |config| config.queue.when_full = when_full)
    }

    /// The size at which `app.log` and `errors.log` are rotated.
    pub fn max_bytes(self, bytes: u64) -> Self {
        self.set("files.app.max_bytes", |config| config.files.app.max_bytes = bytes)
            .set("files.errors.max_bytes", |config| config.files.errors.max_bytes = bytes)
    }

    /// How many backups of `app.log` and of `errors.log` are kept.
    pub fn backup_count(self, backups: u32) -> Self {
        self.set("files.app.backup_count", |config| config.files.app.backup_count = backups)
            .set("files.errors.backup_count", |config| config.files.errors.backup_count = backups)
    }

    /// Whether `ai_responses.log` is written.
    pub fn enable_ai_handler(self, enabled: bool) -> Self {
        self.set("files.ai.enabled", |config| config.files.ai.enabled = enabled)
    }

    /// The size at which `ai_responses.log` is rotated.
    pub fn ai_max_bytes(self, bytes: u64) -> Self {
        self.set("files.ai.max_bytes", |config| config.files.ai.max_bytes = bytes)
    }

    /// How many backups of `ai_responses.log` are kept.
    pub fn ai_backup_count(self, backups: u32) -> Self {
        self.set("files.ai.backup_count", |config| config.files.ai.backup_count = backups)
    }

    /// Whether log files are written.
    pub fn files(self, enabled: bool) -> Self {
        self.set("files.enabled", |config| config.files.enabled = enabled)
    }

    /// Whether records are shown on the console.
    pub fn console(self, enabled: bool) -> Self {
        self.set("console.enabled", |config| config.console.enabled = enabled)
    }

    /// How a record looks on the console.
    pub fn console_format(self, format: ConsoleFormat) -> Self {
        self.set("console.format", |config| config.console.format = format)
    }

    /// Which stream the console is.
    pub fn stream(self, stream: Stream) -> Self {
        self.set("console.stream", |config| config.console.stream = stream)
    }

    /// Whether the console's text is coloured.
    #[doc(alias = "colour")]
    pub fn color(self, color: Color) -> Self {
        self.set("console.color", |config| config.console.color = color)
    }

    /// How a record is written.
    pub fn record(self, record: RecordConfig) -> Self {
        self.set("record", |config| config.record = record)
    }

    /// Which keys a record has.
    ///
    /// ```
    /// use logwell::LoggingConfig;
    /// use logwell::config::Schema;
    ///
    /// let config = LoggingConfig::builder().schema(Schema::Ecs).build()?;
    /// assert_eq!(config.record.schema, Schema::Ecs);
    /// # Ok::<(), logwell::Error>(())
    /// ```
    #[doc(alias = "preset")]
    pub fn schema(self, schema: Schema) -> Self {
        self.set("record.schema", |config| config.record.schema = schema)
    }

    /// What this program is, for the schemas that have a place for it.
    pub fn service(self, service: ServiceConfig) -> Self {
        self.set("service", |config| config.service = service)
    }

    /// How large a record may be.
    pub fn limits(self, limits: Limits) -> Self {
        self.set("limits", |config| config.limits = limits)
    }

    /// How long `shutdown_logging()` waits for the queue to be written.
    pub fn shutdown_timeout(self, timeout: Duration) -> Self {
        self.set("shutdown.timeout", |config| config.shutdown_timeout = timeout)
    }

    /// What is done when the process ends or panics without `shutdown_logging()`.
    ///
    /// ```
    /// use logwell::LoggingConfig;
    /// use logwell::config::{HooksConfig, Signals};
    ///
    /// let mut hooks = HooksConfig::default();
    /// hooks.signals = Signals::Term;
    /// let config = LoggingConfig::builder().hooks(hooks).build()?;
    /// assert!(config.hooks.panic && config.hooks.exit);
    /// # Ok::<(), logwell::Error>(())
    /// ```
    pub fn hooks(self, hooks: HooksConfig) -> Self {
        self.set("hooks", |config| config.hooks = hooks)
    }

    /// Whether records go through the queue and to all sinks.
    pub fn unified(self, unified: bool) -> Self {
        self.set("unified", |config| config.unified = unified)
    }

    /// Whether records of the `log` crate are taken over.
    pub fn log_crate(self, taken_over: bool) -> Self {
        self.set("log_crate", |config| config.log_crate = taken_over)
    }

    fn set(mut self, key: &str, change: impl FnOnce(&mut LoggingConfig)) -> Self {
        self.draft.code(key, change);
        self
    }

    fn level<D>(
        mut self,
        key: &str,
        level: D,
        change: impl FnOnce(&mut LoggingConfig, Directives),
    ) -> Self
    where
        D: TryInto<Directives>,
        D::Error: Into<DirectivesError>,
    {
        match level.try_into() {
            Ok(level) => self.set(key, |config| change(config, level)),
            Err(error) => {
                self.draft.wrong_code(key, Problem::from(error.into()));
                self
            }
        }
    }
}
