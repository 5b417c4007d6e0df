//! Setup: joins the parts. The only file that knows them all.
//!
//! Everything that can fail fails here, before the first thread starts: the configuration is
//! checked whole, then files are opened, then threads start.

use crate::clock::Clock;
use crate::config::{
    self, ConsoleConfig, FileConfig, LoggingConfig, QueueConfig, Stream, WhenFull,
};
use crate::encode::Encode;
use crate::encode::json::{JsonEncoder, JsonOptions};
use crate::encode::text::{TextEncoder, TextOptions};
use crate::error::{Error, ErrorKind, Mistake, Origin};
use crate::filter::SharedFilter;
use crate::handle::{LoggingHandle, Shared};
use crate::layer::QueueLayer;
use crate::level::Level;
use crate::listener::{Listener, SinkSlot};
use crate::log_bridge;
use crate::own::Own;
use crate::queue::{Policy, Queue};
use crate::report::ShutdownReport;
use crate::rotate::FileOptions;
use crate::route::{Accepts, Routes, SinkSet};
use crate::sink::Sink;
use crate::sink::console::ConsoleSink;
use crate::sink::file::FileSink;
use crate::stats::Counters;
use crate::terminal;
use std::io::IsTerminal;
use std::panic::Location;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

/// The process's logging, once it is set up.
static GLOBAL: Mutex<Option<Global>> = Mutex::new(None);

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
/// Takes at most `shutdown.timeout` (5 s by default), and tells what became of all records. Calling
/// it again gives the same report; without [`init_logging`] it gives an empty one.
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
    global().as_ref().map(|global| global.handle.clone())
}

fn global() -> std::sync::MutexGuard<'static, Option<Global>> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn init_at(
    caller: &Location<'_>,
    builder: impl FnOnce() -> Result<Builder, Error>,
) -> Result<LoggingHandle, Error> {
    let mut global = global();
    if let Some(global) = &*global {
        return Err(ErrorKind::AlreadyInitialised { first: global.by.clone() }.into());
    }
    let handle = builder()?.install()?;
    *global = Some(Global { by: caller.to_string(), handle: handle.clone() });
    Ok(handle)
}

/// Puts a pipeline together piece by piece: for sinks of your own, and for registries of your own.
///
/// ```
/// use logwell::sink::{Accepts, MemorySink};
/// use logwell::{LoggingConfig, QueueLayer};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let memory = MemorySink::new();
/// let config = LoggingConfig::builder().files(false).console(false).build()?;
/// let (layer, handle) = QueueLayer::builder()
///     .config(config)
///     .sink("memory", Accepts::all(), memory.clone())
///     .build()?;
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || tracing::info!("hello"));
/// handle.shutdown();
/// assert!(memory.messages().contains(&"hello".to_owned()));
/// # Ok::<(), logwell::Error>(())
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    config: LoggingConfig,
    sinks: Vec<(String, Accepts, Box<dyn Sink>)>,
    filters_globally: bool,
    clock: Clock,
}

impl QueueLayer {
    /// Begins a pipeline with the default configuration.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    fn new() -> Self {
        Self {
            config: LoggingConfig::default(),
            sinks: Vec::new(),
            filters_globally: false,
            clock: Clock::System,
        }
    }

    /// Takes that configuration.
    pub fn config(mut self, config: LoggingConfig) -> Self {
        self.config = config;
        self
    }

    /// Adds a sink. Its name is the one it has in statistics and reports.
    pub fn sink(
        mut self,
        name: impl Into<String>,
        accepts: Accepts,
        sink: impl Sink + 'static,
    ) -> Self {
        self.sinks.push((name.into(), accepts, Box::new(sink)));
        self
    }

    /// Lets the layer's level directives decide for the whole subscriber, so that what they do not
    /// allow costs nothing at all. Other layers do not see it either. Off by default;
    /// [`init`](Self::init) turns it on.
    pub fn filter_globally(mut self, yes: bool) -> Self {
        self.filters_globally = yes;
        self
    }

    /// Takes that clock for waits and pauses, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the layer and starts the listener's thread.
    ///
    /// `unified` and `log_crate` of the configuration are for [`init_logging`] and not looked at.
    ///
    /// # Errors
    ///
    /// The configuration has mistakes, a directory or file cannot be used, or no thread can be
    /// started.
    pub fn build(self) -> Result<(QueueLayer, LoggingHandle), Error> {
        let (layer, handle, listener) = self.build_stepped()?;
        spawn(listener)?;
        Ok((layer, handle))
    }

    /// Makes the layer and a listener without a thread: a test calls [`Listener::step`].
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_stepped(mut self) -> Result<(QueueLayer, LoggingHandle, Listener), Error> {
        self.config.check()?;
        let own_sinks = std::mem::take(&mut self.sinks);
        let config = self.config;
        let mut rules = Vec::new();
        let mut slots = Vec::new();
        for (name, accepts, sink) in open_files(&config, &self.clock)?.into_iter().chain(own_sinks)
        {
            rules.push(accepts);
            slots.push(SinkSlot::new(name, sink));
        }
        // Last, since it starts a thread.
        if config.console.enabled {
            rules.push(console_accepts(&config.console));
            slots.push(SinkSlot::new("console".to_owned(), open_console(&config)?));
        }
        check_names(&slots)?;

        let queue = Queue::new(config.queue.size, policy(&config.queue));
        let counters = Arc::new(Counters::default());
        let filter = SharedFilter::new(config.level.clone());
        let (control, asked) = crossbeam_channel::unbounded();
        let layer = QueueLayer::new(
            Arc::clone(&queue),
            Arc::clone(&counters),
            filter.clone(),
            self.filters_globally,
            &config.limits,
        );
        let named = |slot: &SinkSlot| (slot.name.clone(), Arc::clone(&slot.counters));
        let handle = LoggingHandle::new(Shared {
            queue: Arc::clone(&queue),
            control,
            counters: Arc::clone(&counters),
            sinks: slots.iter().map(named).collect(),
            filter,
            report: Mutex::new(None),
            config: config.clone(),
        });
        let own = Own::new(fingerprint(&config));
        let routes = Routes::new(rules);
        let listener = Listener::new(queue, asked, counters, routes, slots, self.clock, own);
        Ok((layer, handle, listener))
    }

    /// Makes the pipeline the process's logging, as [`init_logging`] does.
    ///
    /// # Errors
    ///
    /// As [`init_logging`].
    #[track_caller]
    pub fn init(self) -> Result<LoggingHandle, Error> {
        init_at(Location::caller(), || Ok(self))
    }

    fn install(self) -> Result<LoggingHandle, Error> {
        self.config.check()?;
        let occupied = || ErrorKind::Occupied {
            what: "tracing's global subscriber",
            help: "remove the other one, or add logwell to it: QueueLayer::builder()",
        };
        if has_global_subscriber() {
            return Err(occupied().into());
        }
        let is_unified = self.config.unified;
        let takes_log_crate = self.config.log_crate;
        let handle = if is_unified {
            let (layer, handle, listener) = self.filter_globally(true).build_stepped()?;
            if takes_log_crate {
                log_bridge::install()?;
            }
            spawn(listener)?;
            let subscriber = tracing_subscriber::registry().with(layer);
            if tracing::subscriber::set_global_default(subscriber).is_err() {
                handle.shutdown();
                return Err(occupied().into());
            }
            handle
        } else {
            if takes_log_crate {
                log_bridge::install()?;
            }
            self.install_plain_console().map_err(|()| occupied())?
        };
        log_bridge::follow(tracing::level_filters::LevelFilter::current());
        Ok(handle)
    }

    /// The switch's other side: tracing-subscriber's own synchronous console and nothing else.
    fn install_plain_console(mut self) -> Result<LoggingHandle, ()> {
        let filter = EnvFilter::new(self.config.level.env_filter_text());
        let console = &self.config.console;
        let use_color = terminal::use_color(console.color, env, is_terminal(console.stream));
        let format = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(use_color);
        let installed = match console.stream {
            Stream::Stdout => tracing::subscriber::set_global_default(
                format.with_writer(std::io::stdout).finish(),
            ),
            Stream::Stderr => tracing::subscriber::set_global_default(
                format.with_writer(std::io::stderr).finish(),
            ),
        };
        installed.map_err(|_| ())?;
        // A pipeline without sinks that nothing feeds, so that the handle works all the same.
        self.config.files.enabled = false;
        self.config.console.enabled = false;
        self.sinks.clear();
        let (_layer, handle) = self.build().map_err(|_| ())?;
        Ok(handle)
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sinks: Vec<_> = self.sinks.iter().map(|(name, ..)| name).collect();
        f.debug_struct("Builder").field("config", &self.config).field("sinks", &sinks).finish()
    }
}

/// Whether the process has a global subscriber. `has_been_set` alone says so of a scoped one too; a
/// thread of its own is in no scope, and sees the global one or none.
fn has_global_subscriber() -> bool {
    use tracing::dispatcher::{get_default, has_been_set};
    let is_set = || get_default(|dispatch| !dispatch.is::<NoSubscriber>());
    has_been_set()
        && std::thread::Builder::new()
            .spawn(is_set)
            .is_ok_and(|thread| thread.join().unwrap_or(false))
}

fn spawn(listener: Listener) -> Result<(), Error> {
    const NAME: &str = "logwell";
    let thread = std::thread::Builder::new().name(NAME.to_owned());
    match thread.spawn(move || listener.run()) {
        Ok(_runs_until_it_is_stopped) => Ok(()),
        Err(source) => Err(ErrorKind::Thread { name: NAME, source }.into()),
    }
}

/// The queue's policy in numbers.
fn policy(config: &QueueConfig) -> Policy {
    let from = |percent: u8| (config.size * usize::from(percent)).div_ceil(100).max(1);
    let none = usize::MAX;
    let (refuse_from, wait) = match config.when_full {
        WhenFull::Shed => {
            let debug = from(config.shed_debug_percent);
            let refuse_from = [
                debug,
                debug,
                from(config.shed_info_percent),
                from(config.shed_warn_percent),
                none,
                none,
            ];
            let (not, wait) = (Some(Duration::ZERO), Some(config.max_wait));
            (refuse_from, [not, not, not, not, wait, wait])
        }
        WhenFull::Block => ([none; Level::COUNT], [config.block_timeout; Level::COUNT]),
        WhenFull::Drop => ([none; Level::COUNT], [Some(Duration::ZERO); Level::COUNT]),
    };
    Policy { refuse_from, wait, max_heap_bytes: config.max_bytes }
}

type NamedSink = (String, Accepts, Box<dyn Sink>);

fn open_files(config: &LoggingConfig, clock: &Clock) -> Result<Vec<NamedSink>, Error> {
    let files = &config.files;
    let all = || Accepts::all().directives(files.level.clone());
    let wanted = [
        ("app", &files.app, all()),
        ("errors", &files.errors, all().from_level(Level::Error)),
        ("ai", &files.ai, all().only_ai()),
    ];
    let open = |(name, file, accepts): (&str, &FileConfig, Accepts)| {
        let sink = open_file(config, file, clock)?;
        Ok((name.to_owned(), accepts, Box::new(sink) as Box<dyn Sink>))
    };
    wanted.into_iter().filter(|(_, file, _)| files.enabled && file.enabled).map(open).collect()
}

fn open_file(config: &LoggingConfig, file: &FileConfig, clock: &Clock) -> Result<FileSink, Error> {
    let path = config.files.dir.join(&file.name);
    let encoder = JsonEncoder::new(JsonOptions {
        record: config.record.clone(),
        max_line_bytes: usize::try_from(file.max_bytes).unwrap_or(usize::MAX),
        max_spans: config.limits.spans,
    });
    let options = FileOptions {
        max_bytes: file.max_bytes,
        backup_count: file.backup_count,
        mode: file.mode,
        ..FileOptions::new(&path)
    };
    FileSink::open(options, Box::new(encoder), clock.clone()).map_err(|error| {
        let help = "check that the directory exists or can be made and may be written to, or set \
                    files.dir (LOG_DIR)";
        Error::path("log to", &path, error, help)
    })
}

fn console_accepts(config: &ConsoleConfig) -> Accepts {
    Accepts::all().directives(config.level.clone()).own_from(Level::Warn)
}

fn open_console(config: &LoggingConfig) -> Result<Box<dyn Sink>, Error> {
    let console = &config.console;
    let is_terminal = is_terminal(console.stream);
    let encoder: Box<dyn Encode> = if terminal::use_json(console.format, is_terminal) {
        Box::new(JsonEncoder::new(JsonOptions {
            record: config.record.clone(),
            max_line_bytes: console.max_line_bytes,
            max_spans: config.limits.spans,
        }))
    } else {
        let color = terminal::use_color(console.color, env, is_terminal);
        Box::new(TextEncoder::new(TextOptions { color, zone: console.time }))
    };
    let lines = console.buffer_lines;
    let sink = match console.stream {
        Stream::Stdout => ConsoleSink::new(std::io::stdout(), encoder, lines),
        Stream::Stderr => ConsoleSink::new(std::io::stderr(), encoder, lines),
    };
    match sink {
        Ok(sink) => Ok(Box::new(sink)),
        Err(source) => Err(ErrorKind::Thread { name: "logwell-console", source }.into()),
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdout => std::io::stdout().is_terminal(),
        Stream::Stderr => std::io::stderr().is_terminal(),
    }
}

fn check_names(slots: &[SinkSlot]) -> Result<(), Error> {
    let mistake = |problem: String, help: &str| {
        let help = help.to_owned();
        Error::config(vec![Mistake {
            origin: Origin::Code,
            key: "sinks".to_owned(),
            problem,
            help,
        }])
    };
    if slots.len() > SinkSet::MAX {
        let problem = format!("{} sinks are too many", slots.len());
        return Err(mistake(problem, "there can be 64 at most, files and console included"));
    }
    for (at, slot) in slots.iter().enumerate() {
        if slots.iter().skip(at + 1).any(|other| other.name == slot.name) {
            let problem = format!("two sinks are called {}", slot.name);
            return Err(mistake(
                problem,
                "give each a name of its own; app, errors, ai and console are taken",
            ));
        }
    }
    Ok(())
}

/// A number that is the same for equal configurations (FNV-1a of their text).
fn fingerprint(config: &LoggingConfig) -> String {
    let hash = config.to_yaml().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
