//! Open: from the configuration to spools and forwarders.
//!
//! Knows every destination. Reads and writes nothing but the spools' directories.

use super::adopt::adopt;
use super::blame::Patience;
use super::counters::DeliveryCounters;
use super::destination::Destination;
use super::forwarder::{Forwarder, Parts};
use super::inbox::Inbox;
use super::logbeacon;
use super::rabbitmq;
use super::running::{Forwarders, Running};
use super::telegram;
use super::transport::Stop;
use crate::base::clock::Clock;
use crate::base::error::Error;
use crate::base::selflog;
use crate::base::traces::Traces;
use crate::encode::json::JsonOptions;
use crate::encode::options::ServiceConfig;
use crate::encode::schema::SchemaOptions;
use crate::forward::ForwardSetup;
use crate::forward::dead_letters::DeadLetters;
use crate::forward::level::{ForwardLevel, ForwardLevels};
use crate::forward::logbeacon::encoder::LogBeaconEncoder;
use crate::forward::options::LevelRoute;
use crate::forward::options::LevelsConfig;
use crate::forward::sink::ForwardSink;
use crate::record::level::Level;
use crate::sink::Accepts;
use crate::sink::NamedSink;
use crate::spool::{self, SpoolOptions, SpoolReader, SpoolStatus, SpoolWriter};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A message is not longer; a record that would be is cut.
const MAX_MESSAGE_BYTES: u64 = 1 << 20;
/// What a spool needs around an entry, and more.
const ENTRY_HEAD_BYTES: u64 = 256;
/// How long is waited for a spool that is still in use: by the logging that ends in this moment, of
/// this process or of the one before.
const PATIENCE: Duration = Duration::from_millis(500);

/// Spools that are open, and forwarders that have not started.
pub(crate) struct Opened {
    parts: Vec<(NamedSink, Forwarder, Running)>,
    /// Destinations without a spool, and why they have none.
    missing: Vec<(&'static str, Error)>,
}

/// Forwarders that have started.
pub(crate) struct Started {
    /// The sinks that feed them.
    pub(crate) sinks: Vec<NamedSink>,
    pub(crate) forwarders: Forwarders,
    /// Why records do not reach some destinations, for people.
    pub(crate) degraded: Vec<String>,
}

/// The destinations that the configuration asks for.
pub(crate) fn names(config: &ForwardSetup<'_>) -> Vec<&'static str> {
    let logbeacon = config.forward.logbeacon.enabled.then_some(logbeacon::NAME);
    logbeacon.into_iter().chain(telegram::names(config)).collect()
}

/// Opens the spools of the destinations that the configuration asks for. A destination whose spool
/// cannot be opened is left out.
///
/// # Errors
///
/// The options of HTTP cannot be used.
pub(crate) fn open(
    config: &ForwardSetup<'_>,
    clock: &Clock,
    boot: u64,
    traces: &mut Traces,
) -> Result<Opened, Error> {
    let (mut parts, mut missing) = (Vec::new(), Vec::new());
    for destination in destinations(config)? {
        let name = destination.0.name;
        let dir = spool_dir(config).join(name);
        spool::without_entries(&dir).iter().for_each(|path| traces.disposable(path));
        match open_one(config, clock, destination, boot) {
            Ok(part) => parts.push(part),
            Err(error) => missing.push((name, error)),
        }
    }
    Ok(Opened { parts, missing })
}

impl Opened {
    /// The error of the first destination that is left out, if all are.
    pub(crate) fn all_missing(&mut self) -> Option<Error> {
        let is_none = self.parts.is_empty() && !self.missing.is_empty();
        is_none.then(|| self.missing.remove(0).1)
    }

    /// Starts the forwarders' threads. A destination whose thread cannot be started is left out.
    pub(crate) fn start(self) -> Started {
        let Self { parts, mut missing } = self;
        let (mut sinks, mut forwarders) = (Vec::new(), Forwarders::default());
        for (sink, forwarder, running) in parts {
            let name = running.name();
            match forwarders.start(forwarder, running) {
                Ok(()) => sinks.push(sink),
                Err(error) => missing.push((name, error)),
            }
        }
        let degraded = missing.iter().map(|(name, error)| left_out(name, error)).collect();
        Started { sinks, forwarders, degraded }
    }
}

/// Records can reach the files and the console all the same, so logging starts and says what is
/// missing.
fn left_out(name: &str, error: &Error) -> String {
    selflog::tell(&format!("nothing is forwarded to {name} until the next start"), error);
    format!("nothing is forwarded to {name} until the next start: {error}")
}

/// What the configuration asks for, each with its own signal to stop.
pub(super) fn destinations(config: &ForwardSetup<'_>) -> Result<Vec<(Destination, Stop)>, Error> {
    let forward = &config.forward;
    let mut all = Vec::new();
    if forward.logbeacon.enabled {
        let stop = Stop::default();
        let encoder = LogBeaconEncoder::new(
            preset_options(config, forward.logbeacon.max_bytes),
            forward.zone,
        );
        all.push((logbeacon::destination(forward, encoder, &stop)?, stop));
    }
    all.extend(telegram::destinations(config, &service(config))?);
    all.into_iter()
        .map(|(destination, stop)| Ok((rabbitmq::through(destination, config)?, stop)))
        .collect()
}

/// How records become messages that fit into a spool of that size.
fn preset_options(config: &ForwardSetup<'_>, spool_bytes: u64) -> SchemaOptions {
    let max_bytes = (spool_bytes / 4).saturating_sub(ENTRY_HEAD_BYTES).min(MAX_MESSAGE_BYTES);
    let json = JsonOptions {
        record: config.record.clone(),
        max_line_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
        max_spans: config.max_spans,
    };
    SchemaOptions { json, service: service(config) }
}

/// What this program is; without a name it has that of its file.
fn service(config: &ForwardSetup<'_>) -> ServiceConfig {
    let mut service = config.service.clone();
    if service.name.is_empty() {
        service.name = program_name();
    }
    service
}

/// What the process was started as.
fn program_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn open_one(
    config: &ForwardSetup<'_>,
    clock: &Clock,
    (destination, stop): (Destination, Stop),
    boot: u64,
) -> Result<(NamedSink, Forwarder, Running), Error> {
    let name = destination.name;
    let dir = spool_dir(config);
    let options = SpoolOptions {
        max_bytes: destination.max_bytes,
        max_age: destination.max_age,
        ..SpoolOptions::new(dir.join(name))
    };
    let (opened, is_own) = open_spool(options, clock)?;
    let (writer, reader, status) = opened;
    let levels = levels_for(name, &config.forward.levels);
    let levels = ForwardLevels::new(levels, config.forward.warn_as);
    let accepts = Accepts::all().from_level(destination.min_level).internal_from(Level::Warn);
    let accepts = accepts.rule(levels.rule());
    let sink = ForwardSink::new(name, (writer, status.clone()), destination.render, (levels, boot));
    let counters = Arc::new(DeliveryCounters::default());
    let forward = &config.forward;
    // One of the processes of a directory sends dead letters again.
    let inbox = is_own.then(|| Inbox::new(&dir, name, destination.hidden.clone()));
    let running = Running::new(name, (status, reader.waker()), &counters, &stop);
    let parts = Parts {
        name,
        compose: destination.compose,
        transport: destination.transport,
        at_once: destination.at_once,
        dead: DeadLetters::new(&dir, name, (forward.dead_letter_bytes, destination.hidden)),
        inbox,
        counters,
        stop,
        patience: Patience { rest: forward.blocked_rest, alone: forward.blocked_alone },
    };
    let sink: NamedSink = (name.to_owned(), accepts, Box::new(sink));
    Ok((sink, Forwarder::new(parts, reader), running))
}

fn spool_dir(config: &ForwardSetup<'_>) -> PathBuf {
    crate::base::fs::absolute(config.files_dir.join(&config.forward.spool_dir))
}

/// The levels whose records go there.
fn levels_for(name: &str, levels: &LevelsConfig) -> Vec<ForwardLevel> {
    let goes_there = |route: &LevelRoute| match name {
        logbeacon::NAME => route.logbeacon,
        telegram::DEVELOPER => route.developer,
        telegram::CUSTOMER => route.customer,
        _ => false,
    };
    let rows = [
        (ForwardLevel::Debug, &levels.debug),
        (ForwardLevel::Info, &levels.info),
        (ForwardLevel::Error, &levels.error),
        (ForwardLevel::InfoCtg, &levels.info_ctg),
        (ForwardLevel::ErrorCtg, &levels.error_ctg),
        (ForwardLevel::Monitor, &levels.monitor),
    ];
    rows.into_iter().filter(|(_, route)| goes_there(route)).map(|(level, _)| level).collect()
}

/// A spool that is open.
type OpenSpool = (SpoolWriter, SpoolReader, SpoolStatus);

/// Opens a spool; if another process has it, one beside it with the process's number. Says whether
/// it is the spool itself.
fn open_spool(options: SpoolOptions, clock: &Clock) -> Result<(OpenSpool, bool), Error> {
    let start = Instant::now();
    let fail = |dir: &Path, source| {
        let help = "check that the directory can be made and may be written to, or set \
                    forward.spool_dir";
        Error::path("open the spool", dir, source, help)
    };
    loop {
        match spool::open(&options, clock) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(fail(&options.dir, error)),
            Ok((mut writer, reader, status)) => {
                adopt(&options, clock, &mut writer);
                return Ok(((writer, reader, status), true));
            }
        }
        if start.elapsed() >= PATIENCE {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut own = options.dir.clone().into_os_string();
    own.push(format!(".{}", std::process::id()));
    let own = PathBuf::from(own);
    let used = format!("{} is in use; this process has {}", options.dir.display(), own.display());
    selflog::tell("two processes forward from one directory", &used);
    spool::open(&SpoolOptions { dir: own.clone(), ..options }, clock)
        .map(|opened| (opened, false))
        .map_err(|error| fail(&own, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_stays_where_it_is_when_the_program_changes_its_working_directory() {
        let config = crate::LoggingConfig::builder().log_dir("logs").build().unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(spool_dir(&config.forward_setup()), here.join("logs").join("spool"));
    }
}
