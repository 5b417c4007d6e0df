//! Forward, in a build without the feature: nothing is forwarded, and who asks for it is told.

use crate::base::clock::Clock;
use crate::base::error::{ConfigProblem, Error, Origin};
use crate::base::traces::Traces;
use crate::config::LoggingConfig;
use crate::record::stats::DestinationStats;
use crate::sink::NamedSink;
use std::time::Duration;

/// What was opened: nothing.
pub(crate) struct Opened {
    pub(crate) sinks: Vec<NamedSink>,
}

/// The destinations that the configuration asks for.
pub(crate) fn names(_: &LoggingConfig) -> Vec<&'static str> {
    Vec::new()
}

/// Opens nothing.
///
/// # Errors
///
/// The configuration asks for a destination.
pub(crate) fn open(
    config: &LoggingConfig,
    _: &Clock,
    _boot: u64,
    _: &mut Traces,
) -> Result<Opened, Error> {
    let switches = [
        ("forward.logbeacon.enabled", config.forward.logbeacon.enabled),
        ("forward.telegram.enabled", config.forward.telegram.enabled),
    ];
    let wanted = switches.into_iter().filter(|(_, is_on)| *is_on);
    let mistakes: Vec<_> = wanted
        .map(|(key, _)| ConfigProblem {
            origin: Origin::Code,
            key: key.to_owned(),
            problem: "this program was built without logwell's feature `forward`".to_owned(),
            help: "add it to the dependency in Cargo.toml: features = [\"forward\"]".to_owned(),
        })
        .collect();
    match mistakes.is_empty() {
        true => Ok(Opened { sinks: Vec::new() }),
        false => Err(Error::config(mistakes)),
    }
}

impl Opened {
    /// Starts nothing.
    pub(crate) fn start(self) -> Result<(Vec<NamedSink>, Forwarders), Error> {
        Ok((self.sinks, Forwarders))
    }
}

/// The forwarders: none.
pub(crate) struct Forwarders;

impl Forwarders {
    pub(crate) fn stats(&self) -> Vec<DestinationStats> {
        Vec::new()
    }

    pub(crate) fn stop(&self, _: Duration) {}
}
