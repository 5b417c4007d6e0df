//! Sinks: one that remembers all it was given, a file with little room, and one that does all that
//! a sink can do wrong.

use crate::encode::Encode;
use crate::record::callsite::Kind;
use crate::record::level::Level;
use crate::record::{Record, Value};
use crate::sink::{FileSink, FlushError, Sink};
use fastrand::Rng;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A record as it must be in files.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) level: Level,
    pub(super) kind: Kind,
    pub(super) number: Option<u64>,
    pub(super) bytes: Vec<u8>,
}

/// Lines that a sink has taken; its clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<Line>>>);

impl Lines {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Vec<Line>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Remembers the lines of all records it is given.
pub(super) struct Witness {
    pub(super) encoder: Box<dyn Encode>,
    pub(super) lines: Lines,
}

impl Witness {
    fn note(&mut self, record: &Record) {
        let mut bytes = Vec::new();
        self.encoder.encode(record, &mut bytes);
        let number = match record.get("number") {
            Some(Value::U64(number)) => Some(number),
            _ => None,
        };
        let (seq, level, kind) = (record.seq(), record.level(), record.callsite().kind());
        self.lines.with(|lines| lines.push(Line { seq, level, kind, number, bytes }));
    }
}

impl Sink for Witness {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.note(record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}

/// A file, and a witness of what it has taken.
pub(super) struct Watched {
    pub(super) file: FileSink,
    pub(super) witness: Witness,
}

impl Sink for Watched {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.file.write(record)?;
        self.witness.note(record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        self.file.flush()
    }

    fn sync(&mut self) -> Result<(), FlushError> {
        self.file.sync()
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file.rotate()
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file.reopen()
    }

    fn problems(&self) -> Vec<String> {
        self.file.problems()
    }

    fn files(&self) -> Vec<PathBuf> {
        self.file.files()
    }
}

/// What a sink of the user's own does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    Refuses,
    Keeps,
    Loses,
    LosesAll,
    Waits,
    PanicsInWrite,
    PanicsInFlush,
    Draws,
}

impl Mood {
    pub(super) const ALL: [Self; 9] = [
        Self::Well,
        Self::Refuses,
        Self::Keeps,
        Self::Loses,
        Self::LosesAll,
        Self::Waits,
        Self::PanicsInWrite,
        Self::PanicsInFlush,
        Self::Draws,
    ];
}

/// A sink that is told what to do wrong.
pub(super) struct FlakySink {
    pub(super) mood: Arc<Mutex<Mood>>,
    pub(super) kept: u64,
    pub(super) rng: Rng,
}

impl FlakySink {
    fn mood(&mut self) -> Mood {
        match *self.mood.lock().unwrap_or_else(PoisonError::into_inner) {
            Mood::Draws => Mood::ALL[self.rng.usize(..Mood::ALL.len())],
            mood => mood,
        }
    }
}

impl Sink for FlakySink {
    fn write(&mut self, _: &Record) -> io::Result<()> {
        match self.mood() {
            Mood::Refuses => return Err(io::Error::other("refused on purpose")),
            Mood::PanicsInWrite => std::panic::resume_unwind(Box::new("on purpose")),
            _ => {}
        }
        self.kept += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        let error = io::Error::other("on purpose");
        match self.mood() {
            Mood::Keeps => Err(FlushError { error, kept: self.kept, lost: 0 }),
            Mood::Waits => Err(FlushError {
                error: io::ErrorKind::WouldBlock.into(),
                kept: self.kept,
                lost: 0,
            }),
            Mood::Loses => {
                let lost = self.kept / 2;
                self.kept -= lost;
                Err(FlushError { error, kept: self.kept, lost })
            }
            Mood::LosesAll => {
                self.kept = 0;
                Err(error.into())
            }
            Mood::PanicsInFlush => std::panic::resume_unwind(Box::new("on purpose")),
            _ => {
                self.kept = 0;
                Ok(())
            }
        }
    }
}
