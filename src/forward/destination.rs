//! Destination: what is particular about one place where records go. The traits between which the
//! spool lies.
//!
//! Knows no destination and no network. A destination is made of the three traits and some bounds;
//! spool, order, retries, dead letters and statistics are the same for all.

use super::message::Message;
use super::transport::Transport;
use crate::forward::delivery::Delivery;
use crate::forward::level::ForwardLevel;
use crate::record::Record;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::MIB;
use std::fmt;
use std::time::{Duration, Instant};

/// A place where records go: a log server, a group of people, or one of your own.
///
/// ```text
/// record ─▶ Render ─▶ entry ═ spool ═ entry ─▶ Compose ─▶ message ─▶ Transport ─▶ other side
///           listener's thread                  thread of the destination
/// ```
///
/// Hand it to [`Builder::destination`](crate::Builder::destination). It then has a spool that
/// survives the process, retries, dead letters and statistics like every other. For an exchange
/// over the network with one answer a batch there are ready-made parts: [`Hashed`], [`Batches`] and
/// [`InBatches`]. `examples/own_destination.rs` is a whole one.
///
/// [`Hashed`]: super::Hashed
/// [`Batches`]: super::Batches
/// [`InBatches`]: super::InBatches
pub struct Destination {
    /// Its name in statistics, and of its spool.
    pub(crate) name: &'static str,
    /// Where it is, for people; without secrets.
    pub(crate) address: String,
    /// Records below that level do not go there, whatever the table of levels says.
    pub(crate) min_level: Level,
    /// Makes entries of records.
    pub(crate) render: Box<dyn Render>,
    /// Makes messages of entries.
    pub(crate) compose: Box<dyn Compose>,
    /// Delivers messages.
    pub(crate) transport: Box<dyn Transport>,
    /// What is in its messages and only the other side is to see; mostly nothing.
    pub(crate) hidden: Secret,
    /// So many messages are given to the transport at once; what it has delivered comes again if
    /// the program is killed before all of them are.
    pub(crate) at_once: usize,
    /// How many bytes wait in its spool at most.
    pub(crate) max_bytes: u64,
    /// How long an entry waits there at most.
    pub(crate) max_age: Duration,
}

impl Destination {
    /// A destination of that name, made of those parts.
    ///
    /// The name is that of the spool's directory and appears in statistics and reports: lower-case
    /// letters, digits, `_` and `-`. Everything else has a default: all levels, 64 messages at
    /// once, 256 MiB, three days.
    #[must_use]
    pub fn new(
        name: &'static str,
        render: impl Render + 'static,
        compose: impl Compose + 'static,
        transport: impl Transport + 'static,
    ) -> Self {
        Self {
            name,
            address: name.to_owned(),
            min_level: Level::Trace,
            render: Box::new(render),
            compose: Box::new(compose),
            transport: Box::new(transport),
            hidden: Secret::default(),
            at_once: 64,
            max_bytes: 256 * MIB,
            max_age: Duration::from_secs(3 * 24 * 3_600),
        }
    }

    /// Where it is, for people; it must not contain a secret. By default the name.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Records below that level do not go there.
    #[must_use]
    pub fn min_level(mut self, level: Level) -> Self {
        self.min_level = level;
        self
    }

    /// How many messages the transport is given at once, at least 1. If the program is killed, as
    /// many may arrive twice.
    #[must_use]
    pub fn at_once(mut self, messages: usize) -> Self {
        self.at_once = messages.max(1);
        self
    }

    /// How many bytes wait on disk, at least 64 KiB. Above that the oldest are deleted, errors
    /// last, and counted.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes.max(64 * 1024);
        self
    }

    /// How long a record waits on disk. Older ones are deleted and counted.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The bounds that the configuration has for every destination.
    pub(crate) fn bounded(self, delivery: &Delivery) -> Self {
        self.min_level(delivery.min_level).max_bytes(delivery.max_bytes).max_age(delivery.max_age)
    }

    /// What is wrong with its name, which becomes that of a directory.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        let is_fine = (1..=64).contains(&self.name.len()) && self.name.chars().all(is_plain);
        (!is_fine).then_some("is not a name of 1 to 64 lower-case letters, digits, `_` and `-`")
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Destination");
        shown.field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Makes entries of records: on the listener's thread, so that it must be quick and cannot fail.
pub trait Render: Send {
    /// Appends the entry for a record to `out`, at most a quarter of the spool's bytes. No secret
    /// may be in it.
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>);
}

/// A record that is to be forwarded.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Notice<'a> {
    /// The record, with its secrets masked.
    pub record: &'a Record,
    /// What it is to LogBeacon and to people.
    pub level: ForwardLevel,
    /// Equal for each delivery of the record, different for any two records. 32 hexadecimal digits.
    pub hash: &'a str,
}

/// Makes messages of entries: on the destination's thread, between spool and transport.
///
/// It may hold entries back to make one message of many, or drop what need not be reported. It must
/// not block.
pub trait Compose: Send {
    /// Takes an entry of the spool; they come in order.
    fn take(&mut self, entry: Taken<'_>, now: Instant);

    /// The messages that are to be sent now, each given once. A message that is tried again is kept
    /// by the forwarder.
    fn ready(&mut self, now: Instant) -> Vec<Message>;

    /// When `ready` may have something although no entry comes.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// The first entry that is held back for a later message: from there on none is acknowledged.
    fn held_from(&self) -> Option<u64> {
        None
    }

    /// There is no later: what is held back is to be `ready` now, or is left to the next start.
    fn finish(&mut self) {}
}

/// An entry that was read from the spool.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Taken<'a> {
    /// Its number in the spool; it grows.
    pub id: u64,
    /// When it was put there, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// What [`Render`] has made.
    pub bytes: &'a [u8],
}
