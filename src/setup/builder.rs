//! Builder: joins the parts of a pipeline.
//!
//! In this order, so that nothing can fail after the first thread has started: the configuration is
//! checked whole, files are opened, threads start.

use crate::base::background::Hands;
use crate::base::clock::Clock;
use crate::base::error::{Error, ErrorKind};
use crate::base::traces::Traces;
use crate::base::world::World;
use crate::base::{standard_streams, threads};
use crate::black_box::{DeadBox, Journal};
use crate::capture::filter::{self, SharedFilter};
use crate::capture::layer::{LayerParts, QueueLayer};
use crate::config::LoggingConfig;
use crate::forward::{self, Opened};
use crate::metrics::{self, PipelineMetrics};
use crate::pipeline::internal_records::InternalRecords;
use crate::pipeline::listener::{Listener, Parts};
use crate::pipeline::options::QueueConfig;
use crate::pipeline::options::WhenFull;
use crate::pipeline::pool::RecordPool;
use crate::pipeline::queue::{Policy, Queue};
use crate::pipeline::route::Routes;
use crate::pipeline::sink_state::SupervisedSink;
use crate::record::level::Level;
use crate::record::stats::Counters;
use crate::setup::handle::{self, LoggingHandle, Shared};
use crate::setup::names;
use crate::setup::sinks;
use crate::sink::Accepts;
use crate::sink::NamedSink;
use crate::sink::Sink;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Puts a pipeline together piece by piece: for custom sinks, and for your own registries.
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
    destinations: forward::Own,
    filters_globally: bool,
    world: World,
    registry: Option<metrics::Registry>,
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
            destinations: forward::Own::default(),
            filters_globally: false,
            world: World::default(),
            registry: None,
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

    /// Adds a destination of your own: it has a spool, retries, dead letters and statistics like
    /// those of the section `forward`.
    #[cfg(feature = "forward")]
    pub fn destination(mut self, destination: forward::Destination) -> Self {
        self.destinations.push(destination);
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
        self.world.clock = clock;
        self
    }

    /// Has these do the work of other threads for files (compressing, making durable), for tests.
    pub fn hands(mut self, hands: Hands) -> Self {
        self.world.hands = hands;
        self
    }

    /// Measures into that registry. [`init`](Self::init) takes [`metrics::global`] otherwise,
    /// [`build`](Self::build) a new one. A registry shows the counters of one pipeline at a time.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, registry: metrics::Registry) -> Self {
        self.registry.get_or_insert(registry);
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
        let (traces, all) = self.prepare()?.assemble()?;
        traces.keep();
        Ok(all)
    }

    /// Does what can fail for reasons of the user's: checks the configuration and opens the files.
    pub(crate) fn prepare(mut self) -> Result<Prepared, Error> {
        self.config.check()?;
        standard_streams::occupy();
        let mut traces = Traces::default();
        let own = std::mem::take(&mut self.sinks);
        let destinations = std::mem::take(&mut self.destinations);
        let console = self.config.console.enabled.then_some(sinks::CONSOLE);
        let files = sinks::wanted_files(&self.config).map(|wanted| wanted.name);
        let forwards = forward::names(&self.config.forward_setup(), &destinations);
        let forwards_any = !forwards.is_empty();
        let own_names = own.iter().map(|(name, ..)| name.as_str());
        let all = files.chain(own_names).chain(console).chain(forwards);
        names::check(&all.collect::<Vec<_>>())?;
        let is_recoverable = sinks::wanted_files(&self.config).next().is_some()
            || forwards_any
            || sinks::console_takes_part(&self.config)
            || own.iter().any(|(.., sink)| sink.mark().is_some());
        let dead = if is_recoverable { sinks::dead_boxes(&self.config) } else { Vec::new() };
        let sinks::OpenFiles { mut sinks, diverted, degraded } =
            sinks::files(&self.config, &self.world, &dead, &mut traces)?;
        sinks.extend(own);
        let page = metrics::Opened::open(self.config.metrics_setup())?;
        let boot = fastrand::u64(1..);
        let setup = (&self.config.forward_setup(), destinations);
        let mut forward = forward::open(setup, &self.world.clock, boot, &mut traces)?;
        if sinks.is_empty()
            && !self.config.console.enabled
            && let Some(error) = forward.all_missing()
        {
            return Err(error);
        }
        Ok(Prepared { sinks, diverted, degraded, forward, page, dead, boot, traces, builder: self })
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
    /// Where metrics will be served.
    page: metrics::Opened,
    /// The black boxes of processes that have ended.
    dead: Vec<DeadBox>,
    /// The number of this start.
    boot: u64,
    /// Goes last, when nobody has a file open any more.
    traces: Traces,
}

/// What a pipeline consists of.
type Assembled = (QueueLayer, LoggingHandle, Listener);

impl Prepared {
    /// Starts the console's thread, if there is a console, and the listener's.
    pub(crate) fn start(self) -> Result<(QueueLayer, LoggingHandle), Error> {
        const NAME: &str = "logwell";
        let (traces, (layer, handle, listener)) = self.assemble()?;
        match threads::spawn(NAME, move || listener.run()) {
            Ok(_runs_until_it_is_stopped) => {
                traces.keep();
                Ok((layer, handle))
            }
            Err(source) => {
                // The forwarders have started, and nobody would stop them.
                let _nothing_was_logged = handle.shutdown();
                handle.discard_black_box();
                drop((layer, handle));
                Err(ErrorKind::Thread { name: NAME, source }.into())
            }
        }
    }

    fn assemble(self) -> Result<(Traces, Assembled), Error> {
        let Self { builder, mut traces, mut sinks, diverted, mut degraded, forward, .. } = self;
        let (page, dead, boot) = (self.page, self.dead, self.boot);
        let config = builder.config;
        sinks::add_console(&config, &mut sinks, &mut degraded)?;
        let started = forward.start();
        sinks.extend(started.sinks);
        degraded.extend(started.degraded);
        let forwarders = started.forwarders;
        let mut rules = Vec::new();
        let mut slots = Vec::new();
        for (name, accepts, sink) in sinks {
            rules.push(accepts);
            slots.push(SupervisedSink::new(name, sink));
        }
        let is_recoverable = slots.iter().any(|slot: &SupervisedSink| slot.is_recoverable);
        let black_box =
            if is_recoverable { sinks::black_box(&config, boot, &mut traces) } else { None };
        let queue = Queue::new(config.queue.size, policy(&config.queue));
        if let Some(black_box) = black_box.as_ref().map(Arc::downgrade) {
            queue.drops_are_witnessed_by(move |level, reason| {
                if let Some(black_box) = black_box.upgrade() {
                    black_box.note_dropped(level, reason);
                }
            });
        }
        let spares = Arc::new(RecordPool::new(config.queue.size));
        let counters = Arc::new(Counters::default());
        let filter = SharedFilter::new(config.level.clone());
        let (control, asked) = crossbeam_channel::bounded(handle::MAX_QUESTIONS);
        let is_gone = Arc::new(AtomicBool::new(false));
        let metrics = PipelineMetrics::new(config.metrics_setup(), builder.registry);
        degraded.extend(metrics.serve(page));
        let by_logger = metrics.records();
        let layer = QueueLayer::new(LayerParts {
            queue: Arc::clone(&queue),
            spares: Arc::clone(&spares),
            black_box: black_box.clone(),
            counters: Arc::clone(&counters),
            filter: filter.clone(),
            filters_globally: builder.filters_globally,
            limits: &config.limits,
            redact: &config.redact,
            by_logger: by_logger.clone(),
            times: metrics.spans(),
        });
        let named = |slot: &SupervisedSink| (slot.name.clone(), Arc::clone(&slot.counters));
        let own = InternalRecords::new(boot, fingerprint(&config)).diverted(diverted.clone());
        let own = own.silence(silence(&config)).degraded(&degraded);
        degraded.extend(diverted);
        let handle = LoggingHandle::new(Shared {
            queue: Arc::clone(&queue),
            control,
            is_gone: Arc::clone(&is_gone),
            counters: Arc::clone(&counters),
            black_box: black_box.clone(),
            wants_black_box: is_recoverable && config.black_box.enabled,
            sinks: slots.iter().map(named).collect(),
            filter,
            redaction: layer.redaction().cloned(),
            forwarders,
            metrics,
            report: Mutex::new(None),
            end: Mutex::new(None),
            degraded: Mutex::new(degraded),
            config,
        });
        #[cfg(feature = "metrics")]
        handle.show_metrics();
        let listener = Listener::new(Parts {
            queue,
            spares,
            control: asked,
            is_gone,
            counters,
            by_logger,
            routes: Routes::new(rules),
            sinks: slots,
            clock: builder.world.clock,
            own,
            keeper: black_box.clone().map(Journal::new),
            black_box,
            dead,
        });
        Ok((traces, (layer, handle, listener)))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sinks: Vec<_> = self.sinks.iter().map(|(name, ..)| name).collect();
        f.debug_struct("Builder").field("config", &self.config).field("sinks", &sinks).finish()
    }
}

/// Which filters let less pass than their text seems to say; the self-log has it too, and which of
/// their targets no crate has.
fn silence(config: &LoggingConfig) -> Option<String> {
    let filters = [
        ("level", true, &config.level),
        ("files.level", config.files.enabled, &config.files.level),
        ("console.level", config.console.enabled, &config.console.level),
    ];
    let used = filters.into_iter().filter(|(_, is_used, _)| *is_used);
    used.clone().for_each(|(key, _, level)| filter::tell_hyphens(key, level));
    let silent = used.filter_map(|(key, _, level)| Some(format!("{key}: {}", level.silence()?)));
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

/// A number that is the same for equal configurations (FNV-1a of their text).
fn fingerprint(config: &LoggingConfig) -> String {
    let hash = crate::base::hash::fnv1a(config.to_yaml().as_bytes());
    format!("{hash:016x}")
}
