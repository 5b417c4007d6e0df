//! Destination: what is particular about one place where records go. The traits between which the
//! spool lies.

use super::message::Message;
use super::transport::Transport;
use crate::forward::level::ForwardLevel;
use crate::record::Record;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use std::time::{Duration, Instant};

/// A place where records go: LogBeacon, or a group of people.
pub(crate) struct Destination {
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

/// Makes entries of records: on the listener's thread, so that it must be quick and cannot fail.
pub(crate) trait Render: Send {
    /// Appends the entry for a record to `out`. No secret may be in it.
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>);
}

/// A record that is to be forwarded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notice<'a> {
    pub(crate) record: &'a Record,
    pub(crate) level: ForwardLevel,
    /// Equal for each delivery of the record, different for any two records. 32 hexadecimal digits.
    pub(crate) hash: &'a str,
}

/// Makes messages of entries: on the forwarder's thread, between spool and transport.
///
/// It may hold entries back to make one message of many, or drop what need not be reported.
pub(crate) trait Compose: Send {
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
pub(crate) struct Taken<'a> {
    pub(crate) id: u64,
    /// When it was put there, in milliseconds since 1970.
    pub(crate) at_unix_ms: u64,
    pub(crate) bytes: &'a [u8],
}
