//! Sink: where records end. The trait, and those that come with the crate.
//!
//! A sink knows no queue and no thread: the listener calls it, one record at a time, from one
//! thread.

mod accepts;
pub mod console;
pub mod file;
pub mod memory;
pub(crate) mod options;
pub mod terminal;

pub use accepts::Accepts;
#[cfg(feature = "forward")]
pub(crate) use accepts::CallsiteRule;
pub use console::ConsoleSink;
pub use file::FileSink;
pub use memory::MemorySink;

pub use crate::record::line_id::LineId;
pub use crate::rotate::Mark;

use crate::record::Record;
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

/// A sink, its name and what it takes.
pub(crate) type NamedSink = (String, Accepts, Box<dyn Sink>);

/// A place where records end: a file, a terminal, or your own code.
///
/// The listener owns the sink and calls it from its own thread, so a sink needs no locks. A slow
/// sink delays the other sinks and, when the queue is full, costs records: it should hand long
/// work to a separate thread. A panic in a sink is caught and counted; the sink is called again
/// after a pause while the others go on.
#[doc(alias = "appender")]
#[doc(alias = "handler")]
pub trait Sink: Send {
    /// Takes one record. It may be kept in memory until [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// The record was not taken and never will be: it is counted as dropped.
    fn write(&mut self, record: &Record) -> io::Result<()>;

    /// Hands everything taken so far to its destination (for a file: to the operating system).
    ///
    /// Called after each batch of records, and again later as long as records are kept.
    ///
    /// # Errors
    ///
    /// Says what could not be handed over and is lost or kept; see [`FlushError`].
    fn flush(&mut self) -> Result<(), FlushError>;

    /// Like `flush`, and makes it durable.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    fn sync(&mut self) -> Result<(), FlushError> {
        self.flush()
    }

    /// Like [`sync`](Self::sync), at the end of logging: a sink whose records are on their way may
    /// wait for them until `until`, and no longer. The rest is then lost or kept, and the receipt
    /// says so.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    fn finish(&mut self, until: Instant) -> Result<(), FlushError> {
        let _ = until;
        self.sync()
    }

    /// Starts a new file now, for sinks that have files.
    ///
    /// # Errors
    ///
    /// The sink continues unchanged.
    fn rotate(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Reopens its file, after somebody else has moved it.
    ///
    /// # Errors
    ///
    /// The sink continues unchanged.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What it does not keep of its promises at the moment though it takes records: a limit on the
    /// size of its files, say. One text for each, with the reason;
    /// [`health`](crate::LoggingHandle::health) shows them. Asked after each flush.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    /// Its files, the current one first.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The position of its file: all that was flushed is before that. A sink that says so takes
    /// part in recovery: the black box keeps a record until these sinks have it, and after a kill
    /// they get what they do not have. The default takes no part.
    fn mark(&self) -> Option<Mark> {
        None
    }

    /// Which records its files have behind the mark: what is to be recovered and is in this set is
    /// not written again. There may be more in it than are behind the mark.
    ///
    /// # Errors
    ///
    /// The files cannot be read.
    fn written_since(&mut self, mark: Mark) -> io::Result<HashSet<LineId>> {
        let _ = mark;
        Ok(HashSet::new())
    }

    /// How many records it keeps safe, on disk say, for each destination that has not taken them
    /// yet. They count as written; the receipt names them.
    fn unsent(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// What a [`Sink::flush`] could not hand over.
///
/// `?` on an [`io::Error`] makes one that says: all that was taken since the last flush is lost.
#[derive(Debug)]
pub struct FlushError {
    /// Why. With the kind [`WouldBlock`](io::ErrorKind::WouldBlock) and nothing lost it is no
    /// failure: the records that are kept are only on their way, and count as not written yet.
    pub error: io::Error,
    /// How many records are still kept and will be tried again.
    pub kept: u64,
    /// How many records are lost.
    pub lost: u64,
}

impl FlushError {
    pub(crate) fn is_only_waiting(&self) -> bool {
        self.lost == 0 && self.error.kind() == io::ErrorKind::WouldBlock
    }
}

impl From<io::Error> for FlushError {
    fn from(error: io::Error) -> Self {
        Self { error, kept: 0, lost: u64::MAX }
    }
}
