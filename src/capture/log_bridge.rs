//! Log bridge: brings records of the `log` crate into tracing.
//!
//! Names `log` and `tracing-log`, beside `log_pairs.rs`, which knows key-values. A `log` record
//! arrives as a tracing event whose fields name its target, module, file and line.

use crate::base::error::{Error, ErrorKind};
use crate::capture::log_pairs::LogPairs;
use crate::record::level::Level;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::callsite::Identifier;
use tracing::dispatcher::get_default;
use tracing::field::{Field, FieldSet, Value, Visit};
use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata};
use tracing_log::LogTracer;

/// Becomes the process's `log` logger. `flush` waits until what was logged is handed on.
///
/// # Errors
///
/// Another logger is in place.
pub(crate) fn install(flush: fn()) -> Result<(), Error> {
    /// It stays ours when a later step of set-up fails; the next attempt is to find it so.
    static IS_OURS: AtomicBool = AtomicBool::new(false);
    if IS_OURS.load(Ordering::Acquire) {
        return Ok(());
    }
    let logger = Box::new(LogLogger { tracer: LogTracer::new(), flush });
    log::set_boxed_logger(logger).map(|()| IS_OURS.store(true, Ordering::Release)).map_err(|_| {
        let help = "remove the other logger (env_logger::init() and the like), or set \
                    log_crate: false";
        ErrorKind::Occupied { what: "the logger of the `log` crate", help }.into()
    })
}

/// The logger of the `log` crate: `tracing-log` makes the events, the key-values go beside them.
struct LogLogger {
    tracer: LogTracer,
    flush: fn(),
}

impl log::Log for LogLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.tracer.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LogPairs::overflow_len(LogPairs::of(record), || self.tracer.log(record));
        }
    }

    /// Waits until what was logged before is handed to its destinations.
    fn flush(&self) {
        if !crate::base::thread::is_internal_thread() {
            (self.flush)();
        }
    }
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
        Level::Critical => log_critical(target, message, caller),
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

/// `log` has no such level: the event is made here as `tracing-log` makes its own, so that the real
/// target decides and not the callsite's.
fn log_critical(target: &str, message: &str, caller: &Location<'_>) {
    get_default(|dispatch| {
        if dispatch.enabled(&described(tracing::Level::ERROR, target, CRITICAL_NAMES)) {
            let fields = CRITICAL_CALLSITE.metadata().fields();
            let (file, line) = (caller.file(), caller.line());
            let values: [Option<&dyn Value>; 5] =
                [Some(&message), Some(&target), Some(&true), Some(&file), Some(&line)];
            let values = fields.value_set_all(&values);
            let event = Event::new(CRITICAL_CALLSITE.metadata(), &values);
            LogPairs::overflow_len(None, || dispatch.event(&event));
        }
    });
}

/// Whether a record of that level and target would be taken.
pub(crate) fn is_enabled(level: Level, target: &str) -> bool {
    match level {
        Level::Critical => get_default(|dispatch| {
            dispatch.enabled(&described(tracing::Level::ERROR, target, CRITICAL_NAMES))
        }),
        level => log::log_enabled!(target: target, level_of(level)),
    }
}

/// Has an event judged by what it really is: that of a `log` record by its own target, which is a
/// field and not the target of its callsite.
pub(crate) fn judge(event: &Event<'_>, takes: impl FnOnce(&Metadata<'_>) -> bool) -> bool {
    struct Target(Option<String>);
    impl Visit for Target {
        fn record_str(&mut self, field: &Field, value: &str) {
            if field.name() == "log.target" {
                self.0 = Some(value.to_owned());
            }
        }
        fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
    }
    let metadata = event.metadata();
    let mut target = Target(None);
    if metadata.target() == "log" && metadata.fields().field("log.target").is_some() {
        event.record(&mut target);
    }
    match target.0 {
        Some(target) => {
            let is_critical = metadata.fields().field("logwell.critical").is_some();
            let names = if is_critical { CRITICAL_NAMES } else { NAMES };
            takes(&described(*metadata.level(), &target, names))
        }
        None => takes(metadata),
    }
}

fn described<'a>(
    level: tracing::Level,
    target: &'a str,
    names: &'static [&'static str],
) -> Metadata<'a> {
    let fields = FieldSet::new(names, Identifier(&CRITICAL_CALLSITE));
    Metadata::new("log record", target, level, None, None, None, fields, Kind::EVENT)
}

const NAMES: &[&str] = &["message", "log.target"];
/// The marker tells what is at CRITICAL.
const CRITICAL_NAMES: &[&str] =
    &["message", "log.target", "logwell.critical", "log.file", "log.line"];

struct CriticalCallsite;
static CRITICAL_CALLSITE: CriticalCallsite = CriticalCallsite;
static CRITICAL_METADATA: Metadata<'static> = Metadata::new(
    "log event",
    "log",
    tracing::Level::ERROR,
    None,
    None,
    None,
    FieldSet::new(CRITICAL_NAMES, Identifier(&CRITICAL_CALLSITE)),
    Kind::EVENT,
);

impl CriticalCallsite {
    fn metadata(&self) -> &'static Metadata<'static> {
        &CRITICAL_METADATA
    }
}

impl tracing::Callsite for CriticalCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &CRITICAL_METADATA
    }
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
