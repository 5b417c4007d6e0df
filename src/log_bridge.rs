//! Log bridge: brings records of the `log` crate into tracing.
//!
//! The only file that names `log` and `tracing-log`. A `log` record arrives as a tracing event whose
//! fields name its target, module, file and line.

use crate::error::{Error, ErrorKind};
use crate::level::Level;
use std::panic::Location;
use tracing::level_filters::LevelFilter;

/// Becomes the process's `log` logger.
///
/// # Errors
///
/// Another logger is in place.
pub(crate) fn install() -> Result<(), Error> {
    tracing_log::LogTracer::init().map_err(|_| {
        let help = "remove the other logger (env_logger::init() and the like), or set \
                    log_crate: false";
        ErrorKind::Occupied { what: "the logger of the `log` crate", help }.into()
    })
}

/// Lets `log` macros below that level cost nothing.
pub(crate) fn follow(level: LevelFilter) {
    log::set_max_level(match level {
        LevelFilter::OFF => log::LevelFilter::Off,
        LevelFilter::ERROR => log::LevelFilter::Error,
        LevelFilter::WARN => log::LevelFilter::Warn,
        LevelFilter::INFO => log::LevelFilter::Info,
        LevelFilter::DEBUG => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    });
}

/// Logs a message under a target that is only known at run time, as a record of the calling file
/// and line.
#[track_caller]
pub(crate) fn log(level: Level, target: &str, message: &str) {
    if !is_enabled(level, target) {
        return;
    }
    let caller = Location::caller();
    match level {
        // `log` has no such level: the event is made here, and names its origin itself.
        Level::Critical => tracing::event!(
            target: "log",
            tracing::Level::ERROR,
            logwell.critical = true,
            log.target = target,
            log.file = caller.file(),
            log.line = caller.line(),
            "{message}"
        ),
        level => log::logger().log(
            &log::Record::builder()
                .level(level_of(level))
                .target(target)
                .file(Some(caller.file()))
                .line(Some(caller.line()))
                .args(format_args!("{message}"))
                .build(),
        ),
    }
}

/// Whether a record of that level and target would be taken.
pub(crate) fn is_enabled(level: Level, target: &str) -> bool {
    log::log_enabled!(target: target, level_of(level))
}

fn level_of(level: Level) -> log::Level {
    match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error | Level::Critical => log::Level::Error,
    }
}
