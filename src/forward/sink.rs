//! ForwardSink: a record becomes an entry of a spool.
//!
//! Knows the spool's writer and who renders. Knows no network: what comes after the spool runs on
//! another thread.

use crate::forward::destination::{Notice, Render};
use crate::forward::level::{ForwardLevel, ForwardLevels};
use crate::record::Record;
use crate::sink::{FlushError, Mark, Sink};
use crate::spool::{Refused, SpoolStatus, SpoolWriter, Urgency};
use std::io;

/// Puts records on disk, for a forwarder to deliver.
pub(crate) struct ForwardSink {
    name: &'static str,
    writer: SpoolWriter,
    spool: SpoolStatus,
    render: Box<dyn Render>,
    levels: ForwardLevels,
    /// Tells the records of this start of the program from those of any other.
    boot: u64,
    entry: Vec<u8>,
    /// Records that were taken since a flush went well.
    unflushed: u64,
}

impl ForwardSink {
    pub(crate) fn new(
        name: &'static str,
        (writer, spool): (SpoolWriter, SpoolStatus),
        render: Box<dyn Render>,
        (levels, boot): (ForwardLevels, u64),
    ) -> Self {
        Self { name, writer, spool, render, levels, boot, entry: Vec::new(), unflushed: 0 }
    }

    fn append(&mut self, urgency: Urgency) -> Result<(), Refused> {
        match self.writer.append(&self.entry, urgency) {
            // A burst has filled it: once that is written, older entries can give way.
            Err(Refused::NoRoom) if self.writer.flush().is_ok() => {
                self.writer.append(&self.entry, urgency)
            }
            done => done,
        }
    }

    fn flushed(&mut self, result: io::Result<()>) -> Result<(), FlushError> {
        match result {
            Ok(()) => self.unflushed = 0,
            Err(error) => return Err(FlushError { error, kept: self.unflushed, lost: 0 }),
        }
        Ok(())
    }
}

impl Sink for ForwardSink {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let level = self.levels.of_record(record);
        let boot = record.origin.as_ref().map_or(self.boot, |origin| origin.boot);
        let hash = hash(boot, record.seq());
        self.entry.clear();
        self.render.render(&Notice { record, level, hash: &hash }, &mut self.entry);
        self.append(urgency(level)).map_err(|refused| io::Error::other(refused.to_string()))?;
        self.unflushed += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        let result = self.writer.flush();
        self.flushed(result)
    }

    fn sync(&mut self) -> Result<(), FlushError> {
        let result = self.writer.sync();
        self.flushed(result)
    }

    fn mark(&self) -> Option<Mark> {
        // What was flushed is safe; what is put in twice is known by its hash.
        Some(Mark::default())
    }

    fn unsent(&self) -> Vec<(String, u64)> {
        vec![(self.name.to_owned(), self.spool.waiting().entries)]
    }
}

/// What tells a record from any other, and is the same for each of its deliveries.
fn hash(boot: u64, seq: u64) -> String {
    format!("{boot:016x}{seq:016x}")
}

/// Failures are kept longest when there is no room.
fn urgency(level: ForwardLevel) -> Urgency {
    match level {
        ForwardLevel::Error | ForwardLevel::ErrorCtg => Urgency::Urgent,
        _ => Urgency::Ordinary,
    }
}
