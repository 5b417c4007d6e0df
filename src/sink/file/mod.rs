//! FileSink: an encoder and a rotating file, and the threads that do for the file what takes long.
//!
//! Knows neither when nor how a file is rotated, nor what a line looks like.

pub(crate) mod janitor;
pub(crate) mod options;
pub(crate) mod syncer;

use crate::base::background::Hands;
use crate::base::clock::Clock;
use crate::base::fs::lock::PathLock;
use crate::base::selflog;
use crate::encode::Encode;
use crate::record::Record;
use crate::record::level::Level;
use crate::rotate::{FileOptions, RotatingFile, WriteError};
use crate::sink::file::janitor::Janitor;
use crate::sink::file::syncer::Syncer;
use crate::sink::{FlushError, LineId, Mark, Sink};
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

/// Writes records as lines to a file that rotates.
pub struct FileSink {
    encoder: Box<dyn Encode>,
    file: RotatingFile,
    clock: Clock,
    /// The time of the last flush: near enough for lines, and no clock is read for each.
    now: Instant,
    line: Vec<u8>,
    janitor: Janitor,
    syncer: Syncer,
    /// Whether the syncer has learned that its job is urgent.
    has_hurried: bool,
    _lock: Option<PathLock>,
}

/// Who compresses backups and who makes files durable, for as many files as share them.
pub(crate) fn helpers(hands: &Hands) -> (Janitor, Syncer) {
    (Janitor::new(hands), Syncer::new(hands))
}

impl FileSink {
    /// Opens the file, makes its directory if need be, and continues at its end.
    ///
    /// # Errors
    ///
    /// The directory or file cannot be used; the text names it.
    pub fn open(options: FileOptions, encoder: Box<dyn Encode>, clock: Clock) -> io::Result<Self> {
        Self::open_with(options, encoder, clock, helpers(&Hands::Threads))
    }

    /// Opens it with helpers that other files have too.
    pub(crate) fn open_with(
        options: FileOptions,
        encoder: Box<dyn Encode>,
        clock: Clock,
        (janitor, syncer): (Janitor, Syncer),
    ) -> io::Result<Self> {
        let mut file = RotatingFile::open(options)?;
        file.accept_help();
        let now = clock.now();
        file.maintain(now, clock.wall());
        Ok(Self {
            encoder,
            file,
            clock,
            now,
            line: Vec::new(),
            janitor,
            syncer,
            has_hurried: false,
            _lock: None,
        })
    }

    /// Holds that lock as long as the file is open.
    pub(crate) fn with_lock(self, lock: PathLock) -> Self {
        Self { _lock: Some(lock), ..self }
    }

    /// Takes what the janitor has done.
    fn take_packed(&mut self) {
        while let Some(packed) = self.janitor.packed() {
            self.file.packed(packed, self.now);
        }
    }

    /// Takes what the janitor has done, and gives it what there is to do.
    fn tidy(&mut self) {
        self.take_packed();
        if let Some(pack) = self.file.take_pack(self.now)
            && !self.janitor.pack(pack)
        {
            self.file.not_packed();
        }
        self.janitor.release(self.file.take_released());
    }

    /// The same for what is to be durable.
    fn settle(&mut self) {
        while let Some(synced) = self.syncer.synced() {
            self.has_hurried = false;
            self.file.synced(synced, self.now);
        }
        match self.file.urgency() {
            (true, true) if !self.has_hurried => {
                self.has_hurried = true;
                self.syncer.hurry();
            }
            (_, true) => {}
            _ => {
                if let Some(job) = self.file.take_sync(self.now) {
                    self.syncer.sync(job, self.now);
                }
            }
        }
    }

    fn report(&mut self, result: Result<(), WriteError>) -> Result<(), FlushError> {
        // Nothing is lost by such trouble, but somebody should know.
        if let Some(trouble) = self.file.take_trouble() {
            selflog::tell("a file cannot be kept in order", &trouble);
        }
        result.map_err(|WriteError { error, kept_lines }| FlushError {
            error,
            kept: kept_lines,
            lost: 0,
        })
    }
}

impl Sink for FileSink {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.encoder.encode(record, &mut self.line);
        self.file.append(&self.line, self.now)?;
        if record.level() >= Level::Error {
            self.file.request_sync();
        }
        // While one sync is under way, the next can wait for it: so many errors cost few syncs.
        if self.file.urgency().0 {
            self.settle();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        self.now = self.clock.now();
        self.file.maintain(self.now, self.clock.wall());
        let result = self.file.flush(self.now);
        self.settle();
        self.tidy();
        self.report(result)
    }

    fn sync(&mut self) -> Result<(), FlushError> {
        self.now = self.clock.now();
        // Nothing new is begun: this may be the end.
        self.take_packed();
        let result = self.file.sync(self.now);
        self.report(result)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.rotate_now(self.clock.now())
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file.reopen(self.clock.now())
    }

    fn problems(&self) -> Vec<String> {
        self.file.problems()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.file.files()
    }

    fn mark(&self) -> Option<Mark> {
        Some(self.file.mark())
    }

    fn written_since(&mut self, mark: Mark) -> io::Result<HashSet<LineId>> {
        let mut written = HashSet::new();
        self.file.lines_after(mark, |line| written.extend(self.encoder.id_in(line)))?;
        Ok(written)
    }
}

impl fmt::Debug for FileSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSink").field("files", &self.files()).finish_non_exhaustive()
    }
}
