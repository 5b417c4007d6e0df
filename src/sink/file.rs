//! FileSink: an encoder and a rotating file.
//!
//! Knows neither when nor how a file is rotated, nor what a line looks like.

use crate::clock::Clock;
use crate::encode::Encode;
use crate::record::Record;
use crate::rotate::{FileOptions, NotWritten, RotatingFile};
use crate::selflog;
use crate::sink::{Sink, Unflushed};
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
}

impl FileSink {
    /// Opens the file, makes its directory if need be, and goes on at its end.
    ///
    /// # Errors
    ///
    /// The directory or file cannot be used; the text names it.
    pub fn open(options: FileOptions, encoder: Box<dyn Encode>, clock: Clock) -> io::Result<Self> {
        let file = RotatingFile::open(options)?;
        let now = clock.now();
        Ok(Self { encoder, file, clock, now, line: Vec::new() })
    }

    fn report(&mut self, result: Result<(), NotWritten>) -> Result<(), Unflushed> {
        // Nothing is lost by such trouble, but somebody should know.
        if let Some(trouble) = self.file.take_trouble() {
            selflog::tell("a file cannot be kept in order", &trouble);
        }
        result.map_err(|NotWritten { error, kept_lines }| Unflushed {
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
        self.file.append(&self.line, self.now)
    }

    fn flush(&mut self) -> Result<(), Unflushed> {
        self.now = self.clock.now();
        let result = self.file.flush(self.now);
        self.report(result)
    }

    fn sync(&mut self) -> Result<(), Unflushed> {
        let result = self.file.sync(self.clock.now());
        self.report(result)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.rotate_now(self.clock.now())
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file.reopen(self.clock.now())
    }

    fn files(&self) -> Vec<PathBuf> {
        self.file.files()
    }
}

impl fmt::Debug for FileSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSink").field("files", &self.files()).finish_non_exhaustive()
    }
}
