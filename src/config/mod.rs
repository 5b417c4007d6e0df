//! Config: every option of logwell, and every way to set it.
//!
//! Everything is made from one list of options, in `tree.rs`: the structs, reading YAML and the
//! environment, checking, the commented `config/logging.yaml` and its JSON Schema. Nothing here
//! opens a log file or starts a thread: a configuration is wrong before anything has happened, or
//! it is right.
//!
//! Later sources win: defaults, the file, environment variables, the program's own calls.
//!
//! ```
//! use logwell::config::LoggingConfig;
//!
//! let config = LoggingConfig::builder().log_level("debug").log_dir("target/logs").build()?;
//! let config = config.with_env([("LOG_LEVEL", "warn"), ("LOG_QUEUE_SIZE", "500")])?;
//! assert_eq!(config.level.to_string(), "warn");
//! assert_eq!(config.queue.size, 500);
//!
//! let error = config.with_env([("LOG_QUEUE_WHEN_FULL", "shead")]).unwrap_err();
//! assert!(error.to_string().contains("did you mean shed?"));
//! # Ok::<(), logwell::Error>(())
//! ```

mod builder;
mod check;
mod draft;
pub(crate) mod hooks;
mod names;
mod tree;

#[cfg(test)]
mod tests;

pub use crate::base::zone::TimeZone;
pub use crate::black_box::options::BlackBoxConfig;
pub use crate::capture::options::{Limits, RedactConfig};
pub use crate::encode::options::{RecordConfig, Schema, ServiceConfig, Spans, WarnName};
#[cfg(feature = "forward")]
pub use crate::forward::elasticsearch::options::ElasticsearchConfig;
#[cfg(feature = "forward")]
pub use crate::forward::email::options::{EmailConfig, EmailEncryption};
#[cfg(feature = "forward")]
pub use crate::forward::hours::Hours;
#[cfg(feature = "forward")]
pub use crate::forward::loki::options::{LokiConfig, LokiLine};
#[cfg(feature = "forward")]
pub use crate::forward::options::{
    ForwardConfig, HttpConfig, LevelRoute, LevelsConfig, LogBeaconConfig, RabbitMqConfig,
    TelegramConfig, TelegramGroup, WarnAs,
};
#[cfg(feature = "forward")]
pub use crate::forward::otlp::options::OtlpConfig;
#[cfg(feature = "forward")]
pub use crate::forward::sentry::options::SentryConfig;
#[cfg(feature = "forward")]
pub use crate::forward::slack::options::SlackConfig;
#[cfg(feature = "forward")]
pub use crate::forward::webhook::options::WebhookConfig;
#[cfg(feature = "metrics")]
pub use crate::metrics::options::MetricsConfig;
pub use crate::pipeline::options::QueueConfig;
pub use crate::pipeline::options::WhenFull;
pub use crate::record::directives::Directives;
pub use crate::record::directives::DirectivesError;
pub use crate::rotate::choices::Compress;
pub use crate::rotate::choices::Rotate;
pub use crate::rotate::choices::SyncPolicy;
pub use crate::sink::file::options::FileConfig;
pub use crate::sink::file::options::FilesConfig;
pub use crate::sink::options::Color;
pub use crate::sink::options::ConsoleConfig;
pub use crate::sink::options::ConsoleFormat;
pub use crate::sink::options::Stream;
pub use builder::LoggingConfigBuilder;
pub use hooks::HooksConfig;
pub use hooks::Signals;
pub use logwell_options::secret::Secret;
pub use logwell_options::secret::SecretUrl;
pub use tree::LoggingConfig;

use crate::base::error::Error;
use crate::forward::ForwardSetup;
use draft::Draft;
use logwell_options::{env::Variables, section::Section};
use names::NAMES;
use std::ffi::OsString;
use std::path::Path;

/// The configuration in a YAML file; what it does not give is at its default.
///
/// The environment is not asked: see [`LoggingConfig::with_env`]. A file has at most 1 MiB and one
/// document.
///
/// # Errors
///
/// All mistakes of the file at once, each with its line and column; or that the file cannot be
/// read.
///
/// ```
/// let error = logwell::config::load_config("config/no-such-file.yaml").unwrap_err();
/// assert!(error.is_path());
/// ```
pub fn load_config(path: impl AsRef<Path>) -> Result<LoggingConfig, Error> {
    let mut draft = Draft::default();
    draft.file(path.as_ref());
    draft.finish()
}

/// Defaults, over them the file that `LOG_CONFIG` names (else `config/logging.yaml`, if there is
/// one), over it the variables. The mistakes of all are reported together.
pub(crate) fn discover<K, V>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<LoggingConfig, Error>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    discovered(&Variables::new(pairs)).finish()
}

fn discovered(variables: &Variables) -> Draft {
    draft::discover(variables, Path::new("config/logging.yaml"))
}

/// Every option with its default, commented: the text of `config/logging.yaml`.
#[must_use]
pub fn reference_yaml() -> String {
    logwell_options::write::reference(REFERENCE_HEADER, LoggingConfig::default().entries(), &NAMES)
}

/// The JSON Schema (draft 2020-12) of the file: the text of `config/logging.schema.json`.
#[must_use]
pub fn json_schema() -> String {
    logwell_options::schema::document(
        "Configuration of logwell",
        LoggingConfig::default().entries(),
        &NAMES,
    )
}

impl LoggingConfig {
    /// Begins a configuration made of calls.
    pub fn builder() -> LoggingConfigBuilder {
        LoggingConfigBuilder::default()
    }

    /// The configuration in a YAML text; what it does not give is at its default.
    ///
    /// # Errors
    ///
    /// All mistakes of the text at once, each with its line and column, as in a file `(yaml)`.
    ///
    /// ```
    /// use logwell::LoggingConfig;
    ///
    /// let config = LoggingConfig::from_yaml("queue:\n  size: 500\n")?;
    /// assert_eq!(config.queue.size, 500);
    /// let error = LoggingConfig::from_yaml("queue:\n  sise: 500\n").unwrap_err();
    /// assert!(error.to_string().starts_with("logging configuration: (yaml):2:3: queue.sise"));
    /// # Ok::<(), logwell::Error>(())
    /// ```
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let mut draft = Draft::default();
        draft.yaml(Path::new("(yaml)"), text.to_owned());
        draft.finish()
    }

    /// What [`init_logging`](crate::init_logging) uses: the defaults, over them the file that
    /// `LOG_CONFIG` names (else `config/logging.yaml`, if there is one), over it the environment.
    ///
    /// # Errors
    ///
    /// All mistakes of file and environment at once; or that the file cannot be read.
    pub fn discover() -> Result<Self, Error> {
        discover(std::env::vars_os())
    }

    /// Lays environment variables over the configuration: pass `std::env::vars_os()`.
    ///
    /// Each option has a variable: `LOG_` and its key in capitals, such as `LOG_QUEUE_SIZE` or
    /// `LOG_SERVICE_DOMAIN`. Some have a shorter name too, such as `LOG_DIR` or `MQ_HOST`; both are
    /// in [`reference_yaml`]. If both are set, the one made of the key wins. `RUST_LOG` is in for
    /// an unset `LOG_LEVEL`. An empty value counts as not set; variables we do not know are not
    /// ours.
    ///
    /// `MQ_…`, `DEV_TG_…` and `CUSTOMER_TG_…` are read only if `forward.rabbitmq` or
    /// `forward.telegram` is enabled by what is there already or by a variable. A URL where none
    /// belongs, such as `MQ_PORT=tcp://10.0.0.5:5672` of Kubernetes, is another program's: it is
    /// passed over, and the self-log says so. In a variable that begins with `LOG_` it is an error.
    ///
    /// Yes and no may be `true`, `1`, `yes`, `on` and `false`, `0`, `no`, `off`.
    ///
    /// # Errors
    ///
    /// All mistakes at once, each with the variable's name.
    pub fn with_env<K, V>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, Error>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let mut draft = Draft::of(self);
        draft.env(&Variables::new(pairs));
        draft.finish()
    }

    /// Checks a configuration whose fields were changed by hand.
    ///
    /// # Errors
    ///
    /// All values beyond their limits, and all that do not go together.
    pub fn check(&self) -> Result<(), Error> {
        Draft::of(self.clone()).finish().map(|_| ())
    }

    /// What forwarding needs of it.
    #[cfg(feature = "forward")]
    pub(crate) fn forward_setup(&self) -> ForwardSetup<'_> {
        ForwardSetup {
            forward: &self.forward,
            service: &self.service,
            record: &self.record,
            max_spans: self.limits.spans,
            files_dir: &self.files.dir,
        }
    }

    /// What forwarding needs of it: nothing.
    #[cfg(not(feature = "forward"))]
    pub(crate) fn forward_setup(&self) -> ForwardSetup<'_> {
        ForwardSetup(std::marker::PhantomData)
    }

    /// What measuring needs of it.
    #[cfg(feature = "metrics")]
    pub(crate) fn metrics_setup(&self) -> crate::metrics::Setup<'_> {
        &self.metrics
    }

    /// What measuring needs of it: nothing.
    #[cfg(not(feature = "metrics"))]
    pub(crate) fn metrics_setup(&self) -> crate::metrics::Setup<'_> {
        crate::metrics::Setup(std::marker::PhantomData)
    }

    /// The whole configuration as YAML that reads back equal; secrets are masked.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        logwell_options::write::values(self.clone().entries())
    }
}

/// What the reference file begins with.
const REFERENCE_HEADER: &str = "\
# yaml-language-server: $schema=logging.schema.json

# Every option of logwell with its default. Keep what you change and delete the rest: a short file
# is easier to read (see minimal.yaml). Unknown keys are errors.
#
# Later sources win: defaults, this file, environment variables, the program.
# Sizes: 10MiB, 64KiB, 1GB, or bytes as a number. Times: 100ms, 5s, 1m, 30d.
# Levels: trace, debug, info, warn, error, critical, off. By target, as in RUST_LOG:
# info,my_crate=debug,hyper=warn. With its own environment variable an option can be changed
# without touching the file; an empty variable counts as not set. Where there are two names, the
# first wins. MQ_…, DEV_TG_… and CUSTOMER_TG_… are read only if their section is enabled, here
# or by another variable: other programs may use these names.
";
