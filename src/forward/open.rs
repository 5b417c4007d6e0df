//! Open: from the configuration to spools and forwarders.
//!
//! Knows every destination. Reads and writes nothing but the spools' directories.

use super::adopt::adopt;
use super::blame::Patience;
use super::counters::DeliveryCounters;
use super::destination::Destination;
use super::elasticsearch;
use super::email;
use super::forwarder::{Forwarder, Parts};
use super::inbox::Inbox;
use super::logbeacon;
use super::loki;
use super::otlp;
use super::rabbitmq;
use super::running::{Forwarders, Running};
use super::sentry;
use super::slack;
use super::telegram;
use super::transport::Stop;
use super::webhook;
use crate::base::clock::Clock;
use crate::base::error::Error;
use crate::base::selflog;
use crate::base::traces::Traces;
use crate::forward::ForwardSetup;
use crate::forward::dead_letters::DeadLetters;
use crate::forward::level::{ForwardLevel, ForwardLevels};
use crate::forward::logbeacon::encoder::LogBeaconEncoder;
use crate::forward::options::ForwardConfig;
use crate::forward::options::LevelRoute;
use crate::forward::options::LevelsConfig;
use crate::forward::sink::ForwardSink;
use crate::record::level::Level;
use crate::sink::Accepts;
use crate::sink::NamedSink;
use crate::spool::{self, SpoolOptions, SpoolReader, SpoolStatus, SpoolWriter};
use logwell_options::problem::{ConfigProblem, Origin};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long is waited for a spool that is still in use: by the logging that ends in this moment, of
/// this process or of the one before.
const PATIENCE: Duration = Duration::from_millis(500);

/// Spools that are open, and forwarders that have not started.
pub(crate) struct Opened {
    parts: Vec<(NamedSink, Forwarder, Running)>,
    /// Destinations without a spool, and why they have none.
    missing: Vec<(&'static str, Error)>,
}

/// Destinations that the program adds itself.
pub(crate) type Own = Vec<Destination>;

/// Forwarders that have started.
pub(crate) struct Started {
    /// The sinks that feed them.
    pub(crate) sinks: Vec<NamedSink>,
    pub(crate) forwarders: Forwarders,
    /// Why records do not reach some destinations, for people.
    pub(crate) degraded: Vec<String>,
}

/// The names of the destinations that the configuration asks for, and of the program's own.
pub(crate) fn names(config: &ForwardSetup<'_>, own: &Own) -> Vec<&'static str> {
    let logbeacon = config.forward.logbeacon.enabled.then_some(logbeacon::NAME);
    let others = KINDS.iter().filter(|kind| (kind.is_wanted)(config.forward)).map(|kind| kind.name);
    let own = own.iter().map(|destination| destination.name);
    logbeacon.into_iter().chain(telegram::names(config)).chain(others).chain(own).collect()
}

/// Opens the spools of the destinations that the configuration asks for, and of the program's own.
/// A destination whose spool cannot be opened is left out.
///
/// # Errors
///
/// The options of HTTP cannot be used, or a destination has a name that no directory can have.
pub(crate) fn open(
    (config, own): (&ForwardSetup<'_>, Own),
    clock: &Clock,
    boot: u64,
    traces: &mut Traces,
) -> Result<Opened, Error> {
    let (mut parts, mut missing) = (Vec::new(), Vec::new());
    if let Some(error) = own.iter().find_map(bad_name) {
        return Err(error);
    }
    for destination in destinations(config)?.into_iter().chain(own) {
        let name = destination.name;
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

/// What the configuration asks for.
pub(super) fn destinations(config: &ForwardSetup<'_>) -> Result<Vec<Destination>, Error> {
    let forward = &config.forward;
    let mut all = Vec::new();
    if forward.logbeacon.enabled {
        let options = config.schema(forward.logbeacon.max_bytes);
        let encoder = LogBeaconEncoder::new(options, forward.zone);
        all.push(logbeacon::destination(forward, encoder)?);
    }
    all.extend(telegram::destinations(config, &config.service())?);
    let brokered = all.into_iter().map(|destination| rabbitmq::through(destination, config));
    let others = KINDS.iter().filter(|kind| (kind.is_wanted)(forward));
    brokered.chain(others.map(|kind| (kind.make)(config))).collect()
}

/// One kind of destination that needs no broker.
struct Kind {
    name: &'static str,
    is_wanted: fn(&ForwardConfig) -> bool,
    make: fn(&ForwardSetup<'_>) -> Result<Destination, Error>,
}

macro_rules! kinds {
    ($($kind:ident),+) => {
        &[$(Kind {
            name: $kind::NAME,
            is_wanted: |forward| forward.$kind.enabled,
            make: $kind::destination,
        }),+]
    };
}

const KINDS: &[Kind] = kinds!(elasticsearch, loki, otlp, sentry, webhook, slack, email);

fn bad_name(destination: &Destination) -> Option<Error> {
    let fault = destination.fault()?;
    Some(Error::config(vec![ConfigProblem {
        origin: Origin::Code,
        key: format!("destination `{}`", destination.name),
        problem: fault.to_owned(),
        help: "its name is that of a directory: choose another".to_owned(),
    }]))
}

fn open_one(
    config: &ForwardSetup<'_>,
    clock: &Clock,
    mut destination: Destination,
    boot: u64,
) -> Result<(NamedSink, Forwarder, Running), Error> {
    let (name, stop) = (destination.name, Stop::default());
    destination.transport.start(&stop);
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

/// The levels whose records go there. The table is about LogBeacon and Telegram; the others have a
/// least level.
fn levels_for(name: &str, levels: &LevelsConfig) -> Vec<ForwardLevel> {
    let goes_there = |route: &LevelRoute| match name {
        logbeacon::NAME => route.logbeacon,
        telegram::DEVELOPER => route.developer,
        telegram::CUSTOMER => route.customer,
        _ => true,
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
