//! Spool: a bounded queue of entries on the disk, for one destination.
//!
//! One thread appends; another reads, acknowledges and deletes acknowledged entries. Flushed
//! entries survive the process, synced entries survive a power failure. Knows bytes, not records.
//! `docs/spool-format.md` describes the bytes on disk.
//!
//! ```text
//! SpoolWriter ── append, flush ──► segments ── next_batch ──► SpoolReader
//!      └──────────────► index (a lock, no I/O behind it) ◄────────┘ acknowledge ──► cursor
//! ```
//!
//! `cargo x map src/spool` prints its files.
//!
//! # When something is wrong
//!
//! | what | then |
//! |---|---|
//! | disk full, I/O error | entries are kept in memory, up to 4 MiB, and tried again; then new ones are refused |
//! | the limit in bytes | the oldest ordinary segment is deleted; the oldest urgent one when no ordinary is left. An ordinary entry is refused rather than an urgent one deleted |
//! | the limit in age | the segments whose newest entry is too old are deleted |
//! | process killed | everything flushed comes out again; a half entry at the end is cut off |
//! | loss of power | everything synced comes out again; acknowledged entries may come again |
//! | damaged bytes | the entries they belong to are passed by and counted |
//! | nothing in a segment can be read | it is renamed to `*.bad`; the newest four of these are kept |
//! | cursor lost or damaged | everything that is still there comes out again |
//! | files or directory deleted by others | their entries are counted as damaged; within a second new ones are made |
//! | two processes | the second is refused |
//! | the time of day is set | nothing is deleted because of it |

mod cursor;
mod disk;
mod entry;
#[cfg(fuzzing)]
mod fuzz;
mod index;
mod names;
mod open;
mod options;
mod reader;
mod scan;
mod shared;
mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use disk::without_entries;
#[cfg(fuzzing)]
pub use fuzz::fuzz;
pub(crate) use open::open;
pub(crate) use options::{SpoolOptions, Urgency};
pub(crate) use reader::{BatchLimits, SpoolReader};
pub(crate) use shared::{SpoolStatus, SpoolWaker};
pub(crate) use writer::{Refused, SpoolWriter};
