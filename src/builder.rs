//! Builder: joins the parts of a pipeline.
//!
//! In this order, so that nothing can fail after the first thread has started: the configuration is
//! checked whole, files are opened, threads start.

use crate::black_box::{DeadBox, Keeper};
use crate::clock::Clock;
use crate::config::{LoggingConfig, QueueConfig, WhenFull};
use crate::error::{Error, ErrorKind, Mistake, Origin};
use crate::filter::{self, SharedFilter};
use crate::forward::{self, Opened};
use crate::handle::{self, LoggingHandle, Shared};
use crate::layer::QueueLayer;
use crate::level::Level;
use crate::listener::{Listener, Parts};
use crate::open::{self, NamedSink};
use crate::own::Own;
use crate::queue::{Policy, Queue};
use crate::route::{Accepts, Routes, SinkSet};
use crate::selflog;
use crate::sink::Sink;
use crate::slot::SinkSlot;
use crate::spare::Spares;
use crate::stats::Counters;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    pub(crate) config: LoggingConfig,
    pub(crate) sinks: Vec<NamedSink>,
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
    pub(crate) fn new() -> Self {
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
    /// `unified`, `log_crate` and `hooks` of the configuration are for
    /// [`init_logging`](crate::init_logging) and not looked at.
    ///
    /// # Errors
    ///
    /// The configuration has mistakes, a directory or file cannot be used, or no thread can be
    /// started.
    pub fn build(self) -> Result<(QueueLayer, LoggingHandle), Error> {
        self.prepare()?.start()
    }

    /// Makes the layer and a listener without a thread: a test calls [`Listener::step`].
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_stepped(self) -> Result<(QueueLayer, LoggingHandle, Listener), Error> {
        self.prepare()?.assemble()
    }

    /// Does what can fail for reasons of the user's: checks the configuration and opens the files.
    pub(crate) fn prepare(mut self) -> Result<Prepared, Error> {
        self.config.check()?;
        let own = std::mem::take(&mut self.sinks);
        let console = self.config.console.enabled.then_some(open::CONSOLE);
        let files = open::wanted_files(&self.config).map(|wanted| wanted.name);
        let forwards = forward::names(&self.config);
        let own_names = own.iter().map(|(name, ..)| name.as_str());
        let all = files.chain(own_names).chain(console).chain(forwards);
        check_names(&all.collect::<Vec<_>>())?;
        let takes_part = open::wanted_files(&self.config).next().is_some()
            || !forward::names(&self.config).is_empty()
            || own.iter().any(|(.., sink)| sink.mark().is_some());
        let dead = if takes_part { open::dead_boxes(&self.config) } else { Vec::new() };
        let open::OpenFiles { mut sinks, diverted, degraded } =
            open::files(&self.config, &self.clock, &dead)?;
        sinks.extend(own);
        let boot = fastrand::u64(1..);
        let forward = forward::open(&self.config, &self.clock, boot)?;
        Ok(Prepared { sinks, diverted, degraded, forward, dead, boot, builder: self })
    }
}

/// A pipeline whose files are open and whose threads have not started.
pub(crate) struct Prepared {
    builder: Builder,
    sinks: Vec<NamedSink>,
    /// Why the files are not called as the configuration says.
    diverted: Option<String>,
    /// What is not as it should be.
    degraded: Vec<String>,
    forward: Opened,
    /// The black boxes of processes that are gone.
    dead: Vec<DeadBox>,
    /// The number of this start.
    boot: u64,
}

impl Prepared {
    /// Starts the console's thread, if there is a console, and the listener's.
    pub(crate) fn start(self) -> Result<(QueueLayer, LoggingHandle), Error> {
        const NAME: &str = "logwell";
        let (layer, handle, listener) = self.assemble()?;
        let thread = std::thread::Builder::new().name(NAME.to_owned());
        match thread.spawn(move || listener.run()) {
            Ok(_runs_until_it_is_stopped) => Ok((layer, handle)),
            Err(source) => {
                // The forwarders have started, and nobody would stop them.
                let _nothing_was_logged = handle.shutdown();
                Err(ErrorKind::Thread { name: NAME, source }.into())
            }
        }
    }

    fn assemble(self) -> Result<(QueueLayer, LoggingHandle, Listener), Error> {
        let Self { builder, mut sinks, diverted, mut degraded, forward, dead, boot } = self;
        let config = builder.config;
        if config.console.enabled {
            match open::console(&config) {
                Ok(console) => sinks.push(console),
                // Records can reach the files all the same.
                Err(error) if !sinks.is_empty() => {
                    selflog::tell("there is no console", &error);
                    degraded.push(format!("there is no console: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        let (forwarding, forwarders) = forward.start()?;
        sinks.extend(forwarding);
        let mut rules = Vec::new();
        let mut slots = Vec::new();
        for (name, accepts, sink) in sinks {
            rules.push(accepts);
            slots.push(SinkSlot::new(name, sink));
        }
        let takes_part = slots.iter().any(|slot: &SinkSlot| slot.takes_part);
        let black_box = if takes_part { open::black_box(&config, boot) } else { None };
        let queue = Queue::new(config.queue.size, policy(&config.queue));
        if let Some(black_box) = black_box.as_ref().map(Arc::downgrade) {
            queue.drops_are_witnessed_by(move |level, reason| {
                if let Some(black_box) = black_box.upgrade() {
                    black_box.note_dropped(level, reason);
                }
            });
        }
        let spares = Arc::new(Spares::new(config.queue.size));
        let counters = Arc::new(Counters::default());
        let filter = SharedFilter::new(config.level.clone());
        let (control, asked) = crossbeam_channel::bounded(handle::MAX_QUESTIONS);
        let is_gone = Arc::new(AtomicBool::new(false));
        let layer = QueueLayer::new(
            Arc::clone(&queue),
            Arc::clone(&spares),
            black_box.clone(),
            Arc::clone(&counters),
            filter.clone(),
            builder.filters_globally,
            &config,
        );
        let named = |slot: &SinkSlot| (slot.name.clone(), Arc::clone(&slot.counters));
        let own = Own::new(boot, fingerprint(&config)).diverted(diverted.clone());
        let own = own.silence(silence(&config));
        degraded.extend(diverted);
        let handle = LoggingHandle::new(Shared {
            queue: Arc::clone(&queue),
            control,
            is_gone: Arc::clone(&is_gone),
            counters: Arc::clone(&counters),
            black_box: black_box.clone(),
            wants_black_box: takes_part && config.black_box.enabled,
            sinks: slots.iter().map(named).collect(),
            filter,
            redaction: layer.redaction().cloned(),
            forwarders,
            report: Mutex::new(None),
            end: Mutex::new(None),
            degraded,
            config,
        });
        let listener = Listener::new(Parts {
            queue,
            spares,
            control: asked,
            is_gone,
            counters,
            routes: Routes::new(rules),
            sinks: slots,
            clock: builder.clock,
            own,
            keeper: black_box.clone().map(Keeper::new),
            black_box,
            dead,
        });
        Ok((layer, handle, listener))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sinks: Vec<_> = self.sinks.iter().map(|(name, ..)| name).collect();
        f.debug_struct("Builder").field("config", &self.config).field("sinks", &sinks).finish()
    }
}

/// Which filters let less pass than their text seems to say; the self-log has it too.
fn silence(config: &LoggingConfig) -> Option<String> {
    let filters = [
        ("level", true, &config.level),
        ("files.level", config.files.enabled, &config.files.level),
        ("console.level", config.console.enabled, &config.console.level),
    ];
    let silent = filters.into_iter().filter(|(_, is_used, _)| *is_used);
    let silent = silent.filter_map(|(key, _, level)| Some(format!("{key}: {}", level.silence()?)));
    let silent = silent.collect::<Vec<_>>().join("; ");
    (!silent.is_empty()).then(|| {
        filter::tell_silence(&silent);
        silent
    })
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

fn check_names(names: &[&str]) -> Result<(), Error> {
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().skip(at + 1).any(|n| n == *name));
    let (problem, help) = if names.len() > SinkSet::MAX {
        let problem = format!("{} sinks are too many", names.len());
        (problem, "there can be 64 at most, files and console included")
    } else if let Some((_, name)) = twice {
        let problem = format!("two sinks are called {name}");
        (
            problem,
            "give each a name of its own; app, errors, ai, console and the destinations of forward are taken",
        )
    } else {
        return Ok(());
    };
    let (key, help) = ("sinks".to_owned(), help.to_owned());
    Err(Error::config(vec![Mistake { origin: Origin::Code, key, problem, help }]))
}

/// A number that is the same for equal configurations (FNV-1a of their text).
fn fingerprint(config: &LoggingConfig) -> String {
    let hash = open::fnv1a(config.to_yaml().as_bytes());
    format!("{hash:016x}")
}
