//! Check: a test message to each destination, to see whether they can be reached.

use super::destination::{Destination, Notice, Taken};
use super::open;
use super::transport::Stop;
use crate::base::error::Error;
use crate::forward::ForwardSetup;
use crate::forward::level::ForwardLevel;
use crate::forward::outcome::Outcome;
use crate::record::Record;
use crate::record::callsite::{Callsite, Kind, Place};
use crate::record::fields::{Fields, Key, Value};
use crate::record::level::Level;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

/// What became of the test message to one destination; see [`check`](crate::forward::check()).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// The destination's name: `logbeacon` and the like.
    pub destination: String,
    /// Where it is, without what may be secret.
    pub address: String,
    /// What became of the message.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Checked {
    /// `logbeacon (https://logs.example.com/…): delivered in 12 ms`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, address, outcome, took } = self;
        write!(f, "{destination} ({address}): ")?;
        match outcome {
            Outcome::Delivered => write!(f, "delivered in {} ms", took.as_millis()),
            Outcome::Retry { after: None, why } => write!(f, "not delivered: {why}"),
            Outcome::Retry { after: Some(after), why } => {
                write!(f, "not delivered, to be tried again after {after:?}: {why}")
            }
            Outcome::Blocked { why, .. } | Outcome::Doubtful { why } | Outcome::Refused { why } => {
                write!(f, "refused: {why}")
            }
        }
    }
}

/// Sends one test message to each destination, past all spools, and says what became of it. Blocks
/// as long as the timeouts say.
///
/// # Errors
///
/// A file that the options name cannot be read.
pub(crate) fn check_all(setup: &ForwardSetup<'_>) -> Result<Vec<Checked>, Error> {
    Ok(open::destinations(setup)?.into_iter().map(check_one).collect())
}

fn check_one(mut destination: Destination) -> Checked {
    let stop = Stop::default();
    destination.transport.start(&stop);
    let mut fields = Fields::new();
    fields.push(Key::Index(0), Value::Str("test message: logwell can reach you"));
    fields.push(Key::Index(1), Value::Str("check"));
    let record = Record::new(*CALLSITE, SystemTime::now(), fields);
    let hash = format!("{:032x}", RandomState::new().hash_one(std::process::id()));
    let notice = Notice { record: &record, level: ForwardLevel::Info, hash: &hash };
    let mut entry = Vec::new();
    destination.render.render(&notice, &mut entry);
    let start = Instant::now();
    let at_unix_ms = record.unix_ns() / 1_000_000;
    destination.compose.take(Taken { id: 1, at_unix_ms, bytes: &entry }, start);
    destination.compose.finish();
    let messages = destination.compose.ready(start);
    let fates = destination.transport.deliver(&messages, &stop);
    let nothing = Outcome::refused("the options leave nothing to be sent");
    Checked {
        destination: destination.name.to_owned(),
        address: destination.address,
        outcome: fates.into_iter().next().unwrap_or(nothing),
        took: start.elapsed(),
    }
}

static CALLSITE: LazyLock<&Callsite> = LazyLock::new(|| {
    Callsite::leak(Place {
        level: Level::Info,
        target: "logwell",
        name: "check",
        module: None,
        file: None,
        line: None,
        fields: Box::new(["message", "function"]),
        kind: Kind::Plain,
    })
});
