//! Tree: every option of logwell, with its default, meaning and limits.
//!
//! This file is the one list of options; its comments become rustdoc, the commented
//! `config/logging.yaml` and the JSON Schema. It knows no format and reads nothing.

use super::hooks::HooksConfig;
use crate::black_box::options::BlackBoxConfig;
use crate::capture::options::Limits;
use crate::capture::options::RedactConfig;
use crate::encode::options::RecordConfig;
use crate::encode::options::ServiceConfig;
#[cfg(feature = "forward")]
use crate::forward::options::ForwardConfig;
#[cfg(feature = "metrics")]
use crate::metrics::options::MetricsConfig;
use crate::pipeline::options::QueueConfig;
use crate::record::directives::Directives;
use crate::record::directives::levels;
use crate::record::level::Level;
use crate::sink::file::options::FilesConfig;
use crate::sink::options::ConsoleConfig;
use logwell_options::section;
use logwell_options::units::HOUR;
use logwell_options::value::{flag, section, time};
use std::time::Duration;

section! {
    /// How logging is set up: the whole tree of options.
    ///
    /// `LoggingConfig::default()` is what you get without any configuration. Change single options
    /// with [`LoggingConfig::builder`], read a file with [`load_config`](super::load_config), or
    /// change the fields and call [`check`](LoggingConfig::check).
    pub struct LoggingConfig {
        /// What is logged at all: a level, or directives such as `info,my_crate=debug`. It is
        /// checked first; `files.level` and `console.level` can only narrow it down.
        /// RUST_LOG is used when LOG_LEVEL is not set.
        level: Directives = Level::Info.into() => levels();
        /// Whether records go through the queue and to all sinks. `false` is for migrations: a
        /// plain console on the caller's thread, and no files.
        unified: bool = true => flag();
        /// Whether records of the `log` crate are captured.
        /// Turn it off if the program installs another logger for `log`.
        log_crate: bool = true => flag();
        /// The queue between your threads and the listener thread.
        queue: QueueConfig = QueueConfig::default() => section();
        /// The file that keeps what a killed process has not written yet.
        black_box: BlackBoxConfig = BlackBoxConfig::default() => section();
        /// The log files and their rotation.
        files: FilesConfig = FilesConfig::default() => section();
        /// The terminal, or the container's standard output.
        console: ConsoleConfig = ConsoleConfig::default() => section();
        /// How a record is written.
        record: RecordConfig = RecordConfig::default() => section();
        /// What this program is, for readers that ask: written by the schemas `ecs`, `gcp`, `otel`.
        /// An empty text is not written. The native schema has no place for it.
        service: ServiceConfig = ServiceConfig::default() => section();
        /// Delivery of records to a log server and people: LogBeacon, Telegram. Needs the cargo
        /// feature `forward`.
        #[cfg(feature = "forward")]
        forward: ForwardConfig = ForwardConfig::default() => section();
        /// Metrics of logging, of spans, of the process and of your program, for Prometheus. Needs
        /// the cargo feature `metrics`.
        #[cfg(feature = "metrics")]
        metrics: MetricsConfig = MetricsConfig::default() => section();
        /// Secrets of your own program, which are masked before anything is written or sent.
        redact: RedactConfig = RedactConfig::default() => section();
        /// How large a record may be. What is longer is cut, and the record says so.
        limits: Limits = Limits::default() => section();
        /// How long `shutdown_logging()` waits for the queue to be written, in all. The report
        /// counts the records left in the queue after that. `0s` does not wait.
        shutdown_timeout as "shutdown.timeout": Duration = Duration::from_secs(5)
            => time(Duration::ZERO, HOUR);
        /// What happens when the process ends or panics without `shutdown_logging()`.
        /// Only with `init_logging()` or `Builder::init()`, and only with `unified`.
        hooks: HooksConfig = HooksConfig::default() => section();
    }
}
