//! MemorySink: keeps records in memory, for tests.

use crate::encode::Encode;
use crate::encode::json::{JsonEncoder, JsonOptions};
use crate::record::Record;
use crate::sink::{FlushError, Sink};
use serde_json::Value;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the records it is given; its clones share them.
///
/// It grows without bound: it is for tests.
///
/// ```
/// use logwell::sink::{Accepts, MemorySink};
///
/// let memory = MemorySink::new();
/// let builder = logwell::QueueLayer::builder().sink("memory", Accepts::all(), memory.clone());
/// assert!(memory.records().is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemorySink(Arc<Mutex<Vec<Record>>>);

impl MemorySink {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The records so far, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The messages so far, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.records().iter().map(|record| record.message().into_owned()).collect()
    }

    /// The records up to now, as a file would contain them.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let mut encoder = JsonEncoder::new(JsonOptions::default());
        let mut line = Vec::new();
        let mut value = |record: &Record| {
            line.clear();
            encoder.encode(record, &mut line);
            serde_json::from_slice(&line).unwrap_or(Value::Null)
        };
        self.records().iter().map(&mut value).collect()
    }

    /// Takes the records out.
    #[must_use]
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for MemorySink {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        Ok(())
    }
}
