//! Process: a pipeline from its start to its end, stepped by hand, and what is known of its
//! records.

use super::events;
use super::names::FAMILIES;
use super::sinks::{FlakySink, Line, Lines, Mood, Watched, Witness};
use super::world;
use crate::base::background::Hands;
use crate::base::clock::Clock;
use crate::base::zone::TimeZone;
use crate::capture::layer::QueueLayer;
use crate::config::LoggingConfig;
use crate::pipeline::internal_records;
use crate::pipeline::listener::Control;
use crate::pipeline::listener::Ending;
use crate::pipeline::listener::Listener;
use crate::pipeline::listener::Step;
use crate::pipeline::options::WhenFull;
use crate::record::callsite::Kind;
use crate::record::level::Level;
use crate::record::stats::Stats;
use crate::rotate::FileOptions;
use crate::rotate::choices::Compress;
use crate::rotate::choices::Rotate;
use crate::rotate::choices::SyncPolicy;
use crate::setup::encoder::encoder_for;
use crate::setup::handle::LoggingHandle;
use crate::sink::Accepts;
use crate::sink::file::{self, FileSink};
use fastrand::Rng;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

/// A process that logs.
pub(super) struct Process {
    dispatch: Dispatch,
    pub(super) handle: LoggingHandle,
    pub(super) listener: Listener,
    pub(super) boot: Boot,
    mood: Arc<Mutex<Mood>>,
}

/// What is known of the records of one process, also when it is gone.
pub(super) struct Boot {
    /// What the listener has accepted, in order.
    pub(super) accepted: Lines,
    /// What the file with little room has taken of it.
    small: Lines,
    files_level: Level,
    counts: Counts,
    /// How many events were logged.
    pub(super) calls: u64,
    /// The numbers of those that the queue has taken for certain.
    pub(super) queued: Vec<u64>,
    /// By family, how many records it says are written.
    pub(super) written: [u64; 4],
    pub(super) is_killed: bool,
    /// Whether what was written may have been written again.
    pub(super) may_repeat: bool,
}

/// How many lines there are, of the framework's own and for each family.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    seen: usize,
    own: u64,
    taken: [u64; 4],
}

impl Boot {
    /// The lines that a family has taken, in order.
    pub(super) fn lines(&self, family: usize) -> Vec<Line> {
        match family {
            3 => self.small.with(|lines| lines.clone()),
            _ => self
                .accepted
                .with(|all| all.iter().filter(|line| self.takes(family, line)).cloned().collect()),
        }
    }

    /// Whether one of the configuration's files takes it.
    fn takes(&self, family: usize, line: &Line) -> bool {
        match family {
            0 => line.kind == Kind::Internal || line.level >= self.files_level,
            1 => line.level >= Level::Error.max(self.files_level),
            2 => line.kind == Kind::Ai && line.level >= self.files_level,
            _ => false,
        }
    }

    /// Counts what has been accepted since this was last asked.
    fn count(&mut self) {
        let mut counts = self.counts;
        self.accepted.with(|lines| {
            for line in lines.iter().skip(counts.seen) {
                counts.own += u64::from(line.kind == Kind::Internal);
                for (family, count) in counts.taken.iter_mut().enumerate() {
                    *count += u64::from(self.takes(family, line));
                }
            }
            counts.seen = lines.len();
        });
        counts.taken[3] = self.small.with(|lines| lines.len() as u64);
        self.counts = counts;
    }
}

/// The configuration of all processes of one seed.
pub(super) fn config(rng: &mut Rng, directory: &Path) -> LoggingConfig {
    let mut config = LoggingConfig::builder().console(false).log_dir(directory).build().unwrap();
    config.level = Level::Trace.into();
    // What it keeps is shown by processes that are killed for real; here a kill costs what was not
    // flushed.
    config.black_box.enabled = false;
    config.queue.size = rng.usize(8..100);
    config.queue.max_wait = Duration::ZERO;
    config.queue.when_full = if rng.bool() { WhenFull::Shed } else { WhenFull::Drop };
    // So that no line has to be cut, which is for other tests: it would not be the same in all
    // files.
    let limits = &mut config.limits;
    (limits.field_bytes, limits.ai_field_bytes) = (1_200, 1_200);
    (limits.record_bytes, limits.ai_record_bytes) = (2_400, 2_400);
    let files = &mut config.files;
    files.level = if rng.bool() { Level::Trace.into() } else { Level::Debug.into() };
    files.rotate_zone = TimeZone::Utc;
    files.rotate = [Rotate::Size, Rotate::Hourly, Rotate::Daily][rng.usize(..3)];
    files.rotate_on_start = rng.bool();
    files.compress = if rng.bool() { Compress::Gzip } else { Compress::None };
    files.sync = [SyncPolicy::Never, SyncPolicy::Interval, SyncPolicy::Error][rng.usize(..3)];
    files.sync_interval = Duration::from_millis(200);
    for file in [&mut files.app, &mut files.errors, &mut files.ai] {
        file.max_bytes = rng.u64(4_096..12_000);
        file.backup_count = rng.u32(0..8);
        file.max_age = rng.bool().then(|| Duration::from_secs(rng.u64(60..200_000)));
        file.max_total_bytes = rng.bool().then(|| file.max_bytes + rng.u64(..40_000));
    }
    config
}

fn small_file(rng: &mut Rng, directory: &Path) -> FileOptions {
    FileOptions {
        max_bytes: rng.u64(500..4_000),
        backup_count: rng.u32(0..5),
        backlog_bytes: rng.usize(500..8_000),
        compress: if rng.bool() { Compress::Gzip } else { Compress::None },
        sync: if rng.bool() { SyncPolicy::Error } else { SyncPolicy::Never },
        ..FileOptions::new(directory.join(FAMILIES[3]))
    }
}

fn has_usual_names(listener: &Listener) -> bool {
    let files = listener.sinks.iter().filter(|slot| slot.name == "app");
    let mut files = files.filter_map(|slot| slot.sink.files().into_iter().next());
    files.all(|path| path.ends_with(FAMILIES[0]))
}

impl Process {
    /// Starts it, unless its files cannot be opened.
    pub(super) fn start(config: &LoggingConfig, rng: &mut Rng) -> Option<Self> {
        let (clock, turns) = world::with(|world| (world.clock.clone(), world.turns.clone()))?;
        let (clock, hands) = (Clock::Manual(clock), Hands::Turns(turns));
        let encoder = |max_bytes: u64| encoder_for(config, usize::try_from(max_bytes).unwrap());
        // The lines are the same for all files as long as none is cut shorter than the others.
        let accepted = Lines::default();
        let witness = Witness { encoder: encoder(LINE_BYTES), lines: accepted.clone() };
        let mood = Arc::new(Mutex::new(Mood::Well));
        let moody = FlakySink { mood: Arc::clone(&mood), kept: 0, rng: rng.fork() };
        let mut builder = QueueLayer::builder()
            .config(config.clone())
            .clock(clock.clone())
            .hands(hands.clone())
            .sink("witness", Accepts::all(), witness)
            .sink("moody", Accepts::all(), moody);
        let small = Lines::default();
        let options = small_file(rng, &config.files.dir);
        if rng.bool() {
            let witness = Witness { encoder: encoder(LINE_BYTES), lines: small.clone() };
            let helpers = file::helpers(&hands);
            let file = FileSink::open_with(options, encoder(LINE_BYTES), clock, helpers).ok()?;
            builder = builder.sink("small", Accepts::all(), Watched { file, witness });
        }
        let (layer, handle, mut listener) = builder.build_stepped().ok()?;
        if !has_usual_names(&listener) {
            return None; // with names of the user's own it goes on, which is for other tests
        }
        listener.write_internal(|own| own.started());
        let files_level = match config.files.level == Level::Trace.into() {
            true => Level::Trace,
            false => Level::Debug,
        };
        let boot = Boot {
            accepted,
            small,
            files_level,
            counts: Counts::default(),
            calls: 0,
            queued: Vec::new(),
            written: [0; 4],
            is_killed: false,
            may_repeat: false,
        };
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Some(Self { dispatch, handle, listener, boot, mood })
    }

    /// Logs some events.
    pub(super) fn log(&mut self, count: usize, rng: &mut Rng, next: &mut u64) {
        for _ in 0..count {
            let before = self.listener.queue.dropped();
            tracing::dispatcher::with_default(&self.dispatch, || events::log(rng, *next));
            self.boot.calls += 1;
            if self.listener.queue.dropped() == before {
                self.boot.queued.push(*next);
            }
            *next += 1;
        }
    }

    pub(super) fn step(&mut self) -> Step {
        self.listener.step()
    }

    /// Asks the listener for something, which it does with its next step.
    pub(super) fn ask(&mut self, rng: &mut Rng) -> &'static str {
        match rng.u8(..5) {
            0 => {
                drop(self.handle.ask_later(Control::Flush));
                "flush"
            }
            1 => {
                drop(self.handle.ask_later(Control::Rotate));
                "rotate"
            }
            2 => {
                drop(self.handle.ask_later(Control::Reopen));
                "reopen"
            }
            3 => {
                drop(self.handle.ask_later(Control::Files));
                "files"
            }
            _ => {
                let record = Box::new(internal_records::signalled("SIGTERM"));
                drop(self.handle.ask_later(|done| Control::Write(record, done)));
                "write"
            }
        }
    }

    pub(super) fn set_mood(&mut self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// What must be so between any two steps.
    pub(super) fn check_accounts(&mut self) {
        let stats = self.handle.stats();
        assert_eq!(stats.captured(), self.boot.calls, "captured = received + in queue + dropped");
        self.boot.count();
        let Counts { seen, own, taken } = self.boot.counts;
        let received = seen as u64 - own;
        assert_eq!((stats.received, stats.own), (received, own), "received, and own records");
        for sink in &stats.sinks {
            assert!(sink.written + sink.dropped() <= sink.routed, "{sink:?}");
        }
        for (family, name) in ["app", "errors", "ai", "small"].into_iter().enumerate() {
            self.boot.written[family] = match stats.sink(name) {
                None => 0,
                Some(sink) => {
                    assert_eq!(sink.routed - sink.refused, taken[family], "{sink:?}");
                    assert_eq!((sink.lost, sink.paused, sink.panics), (0, 0, 0), "{sink:?}");
                    sink.written
                }
            };
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// Ends in good order: what was accepted is all that was queued.
    pub(super) fn shut_down(mut self) -> Boot {
        self.listener.queue.close();
        let now = self.listener.clock.now();
        // Begun in the future: the receipt then says that it has taken no time at all.
        let begun = now + Duration::from_secs(1 << 20);
        let _end =
            self.handle.ask_later(|done| Control::Stop(Ending { since: begun, until: now }, done));
        assert_eq!(self.step(), Step::Stopped);
        self.check_accounts();
        assert_eq!(self.stats().in_queue, 0);
        self.gone()
    }

    /// Is killed: what was queued is gone, and nothing has any effect any more.
    pub(super) fn kill(mut self) -> Boot {
        world::with(|world| world.faults.die());
        self.check_accounts();
        self.boot.is_killed = true;
        while self.listener.queue.take(|spare| spare.record.heap_bytes()).is_some() {}
        self.gone()
    }

    fn gone(self) -> Boot {
        let Self { dispatch, handle, listener, boot, .. } = self;
        drop((listener, handle, dispatch));
        world::forget_jobs();
        world::with(|world| world.faults.revive());
        boot
    }
}

/// No line is longer: less than any file may have.
pub(super) const LINE_BYTES: u64 = 4_096;
