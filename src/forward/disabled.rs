//! Disabled: a build without the feature `forward` forwards nothing, and says so if asked to.

use crate::base::clock::Clock;
use crate::base::error::Error;
use crate::base::traces::Traces;
use crate::record::stats::DestinationStats;
use crate::sink::NamedSink;
use std::time::Duration;

/// What forwarding needs to know: nothing.
pub(crate) struct ForwardSetup<'a>(pub(crate) std::marker::PhantomData<&'a ()>);

/// Destinations that the program adds itself: none.
#[derive(Default)]
pub(crate) struct Own(());

/// What was opened: nothing.
pub(crate) struct Opened;

/// What was started: nothing.
pub(crate) struct Started {
    pub(crate) sinks: Vec<NamedSink>,
    pub(crate) forwarders: Forwarders,
    pub(crate) degraded: Vec<String>,
}

/// The names of all destinations: none.
pub(crate) fn names(_: &ForwardSetup<'_>, _: &Own) -> Vec<&'static str> {
    Vec::new()
}

/// Opens nothing.
///
/// # Errors
///
/// None.
pub(crate) fn open(
    _: (&ForwardSetup<'_>, Own),
    _: &Clock,
    _boot: u64,
    _: &mut Traces,
) -> Result<Opened, Error> {
    Ok(Opened)
}

impl Opened {
    /// Starts nothing.
    pub(crate) fn start(self) -> Started {
        Started { sinks: Vec::new(), forwarders: Forwarders, degraded: Vec::new() }
    }

    /// Nothing is missing.
    pub(crate) fn all_missing(&mut self) -> Option<Error> {
        None
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
