//! Line id: what identifies a record in a line, whatever the encoder. Plain data.

use crate::record::Record;

/// What identifies a record, as far as a line says it. The process and `seq` alone do not: in a
/// container each start may have the same process number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineId {
    /// The number of the process that made it.
    pub process: u32,
    /// Its number in that start of the process.
    pub seq: u64,
    /// When it was made, in microseconds since 1970.
    pub unix_us: u64,
}

impl LineId {
    /// That of the record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let unix_us = record.unix_ns() / 1_000;
        Self { process: record.process(), seq: record.seq(), unix_us }
    }
}
