//! Setup: the process's own logging: set up once, shut down once.
//!
//! Knows the global subscriber, the `log` crate's bridge and the switch between this logging and a
//! plain console.

pub(crate) mod builder;
#[cfg(feature = "forward")]
pub(crate) mod check;
pub(crate) mod encoder;
pub(crate) mod handle;
mod hooks;
pub(crate) mod logger;
#[cfg(feature = "metrics")]
mod metrics;
mod names;
pub(crate) mod no_answer;
pub(crate) mod report;
pub(crate) mod sinks;

use crate::base::error::{Error, ErrorKind};
use crate::base::selflog;
use crate::base::threads;
use crate::capture::log_bridge;
use crate::config;
use crate::config::LoggingConfig;
use crate::setup::builder::Builder;
use crate::setup::handle::LoggingHandle;
use crate::setup::report::ShutdownReport;
use crate::sink::options::Stream;
use crate::sink::terminal;
use std::panic::Location;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

/// The process's logging, once it is set up. Read without a lock: hooks ask for it, and forks.
static GLOBAL: OnceLock<Global> = OnceLock::new();
/// Held while it is being set up.
static SETTING_UP: Mutex<()> = Mutex::new(());

struct Global {
    by: String,
    handle: LoggingHandle,
}

/// Sets up logging for the process: the first line of `main`.
///
/// The configuration is what the built-in defaults say, overridden by a YAML file (the one named by
/// `LOG_CONFIG`, else `config/logging.yaml` if there is one), overridden by the environment.
///
/// After it, `tracing` macros and those of the `log` crate arrive in `logs/app.log`, `errors.log`,
/// `ai_responses.log` and on the console. Pair it with [`shutdown_logging`].
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     logwell::init_logging()?;
///     tracing::info!(endpoint = "/api/ai/chat", latency_ms = 234, "API request handled");
///     let report = logwell::shutdown_logging();
///     println!("{report}");
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// The configuration has mistakes (all are named), a directory or file cannot be used, logging is
/// already set up, or another subscriber is in place. Nothing is changed then.
#[track_caller]
pub fn init_logging() -> Result<LoggingHandle, Error> {
    init_at(Location::caller(), || Ok(Builder::new().config(LoggingConfig::discover()?)))
}

/// Like [`init_logging`], with a configuration made by the program. The environment is not looked
/// at; see [`LoggingConfig::with_env`] to have it.
///
/// # Errors
///
/// As [`init_logging`].
#[track_caller]
pub fn init_logging_with(config: LoggingConfig) -> Result<LoggingHandle, Error> {
    init_at(Location::caller(), || Ok(Builder::new().config(config)))
}

/// Like [`init_logging`], with the configuration file at `path`, overridden by the environment.
///
/// # Errors
///
/// As [`init_logging`]; a file that is not there is an error.
#[track_caller]
pub fn init_logging_from_config(path: impl AsRef<Path>) -> Result<LoggingHandle, Error> {
    init_at(Location::caller(), || {
        let config = config::load_config(path)?.with_env(std::env::vars_os())?;
        Ok(Builder::new().config(config))
    })
}

/// Ends logging: no more records are taken, those in the queue are written, files are synced.
///
/// Takes at most `shutdown.timeout` (5 s by default), and reports what became of all records.
/// Calling it again gives the same report; without [`init_logging`] it gives an empty one.
#[doc(alias = "WorkerGuard")]
pub fn shutdown_logging() -> ShutdownReport {
    match handle() {
        Some(handle) => handle.shutdown(),
        None => ShutdownReport { is_complete: true, ..ShutdownReport::default() },
    }
}

/// The handle of the process's logging, once it is set up.
#[must_use]
pub fn handle() -> Option<LoggingHandle> {
    GLOBAL.get().map(|global| global.handle.clone())
}

/// What `log::logger().flush()` does: `log` can hand back no result, so trouble goes to the
/// self-log.
fn flush() {
    const DEADLINE: Duration = Duration::from_secs(5);
    if let Some(Err(late)) = handle().map(|handle| handle.flush(DEADLINE)) {
        selflog::tell("flush", &late);
    }
}

fn init_at(
    caller: &Location<'_>,
    builder: impl FnOnce() -> Result<Builder, Error>,
) -> Result<LoggingHandle, Error> {
    let _one_at_a_time = SETTING_UP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(global) = GLOBAL.get() {
        return Err(ErrorKind::AlreadyInitialised { first: global.by.clone() }.into());
    }
    let builder = builder()?;
    let hooks = builder.config.unified.then(|| builder.config.clone());
    let handle = install(builder)?;
    GLOBAL.get_or_init(|| Global { by: caller.to_string(), handle: handle.clone() });
    if let Some(config) = hooks {
        hooks::install(&config, &handle);
    }
    Ok(handle)
}

impl Builder {
    /// Makes the pipeline the process's logging, as [`init_logging`] does.
    ///
    /// # Errors
    ///
    /// As [`init_logging`].
    #[track_caller]
    pub fn init(self) -> Result<LoggingHandle, Error> {
        init_at(Location::caller(), || Ok(self))
    }
}

fn install(builder: Builder) -> Result<LoggingHandle, Error> {
    let occupied = || ErrorKind::Occupied {
        what: "tracing's global subscriber",
        help: "remove the other one, or add logwell to it: QueueLayer::builder()",
    };
    if has_global_subscriber() {
        return Err(occupied().into());
    }
    let takes_log_crate = builder.config.log_crate;
    let handle = if builder.config.unified {
        #[cfg(feature = "metrics")]
        let builder = builder.metrics(crate::metrics::global());
        let prepared = builder.filter_globally(true).prepare()?;
        if takes_log_crate {
            log_bridge::install(flush)?;
        }
        let (layer, handle) = prepared.start()?;
        let subscriber = tracing_subscriber::registry().with(layer);
        if tracing::subscriber::set_global_default(subscriber).is_err() {
            handle.shutdown();
            return Err(occupied().into());
        }
        handle
    } else {
        builder.config.check()?;
        if takes_log_crate {
            log_bridge::install(flush)?;
        }
        install_plain_console(builder).map_err(|()| occupied())?
    };
    log_bridge::follow(LevelFilter::current());
    Ok(handle)
}

/// The switch's other side: tracing-subscriber's own synchronous console and nothing else.
fn install_plain_console(mut builder: Builder) -> Result<LoggingHandle, ()> {
    let filter = EnvFilter::new(builder.config.level.env_filter_text());
    let console = &builder.config.console;
    let use_color =
        terminal::use_color(console.color, sinks::env, sinks::is_terminal(console.stream));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(use_color);
    let installed = match console.stream {
        Stream::Stdout => {
            tracing::subscriber::set_global_default(format.with_writer(std::io::stdout).finish())
        }
        Stream::Stderr => {
            tracing::subscriber::set_global_default(format.with_writer(std::io::stderr).finish())
        }
    };
    installed.map_err(|_| ())?;
    // A pipeline without sinks that nothing feeds, so that the handle works all the same.
    builder.config.files.enabled = false;
    builder.config.console.enabled = false;
    builder.sinks.clear();
    let (_layer, handle) = builder.build().map_err(|_| ())?;
    Ok(handle)
}

/// Whether the process has a global subscriber. `has_been_set` alone says so of a scoped one too; a
/// separate thread is in no scope, and sees the global one or none.
fn has_global_subscriber() -> bool {
    use tracing::dispatcher::{get_default, has_been_set};
    let is_set = || get_default(|dispatch| !dispatch.is::<NoSubscriber>());
    has_been_set()
        && threads::spawn("logwell-setup", is_set)
            .is_ok_and(|thread| thread.join().unwrap_or(false))
}
