//! Spool: a bounded queue of entries on the disk, for one destination.
//!
//! One thread appends, another reads, acknowledges and deletes what is done with. What was flushed
//! outlives the process; what was synced outlives a loss of power. Knows bytes, not records. The
//! bytes on the disk are described in `docs/spool-format.md`.
//!
//! ```text
//! SpoolWriter ── append, flush ──► segments ── next_batch ──► SpoolReader
//!      └──────────────► index (a lock, no I/O behind it) ◄────────┘ acknowledge ──► cursor
//! ```
//!
//! | file | is |
//! |---|---|
//! | `options.rs` | what is asked, and the limits |
//! | `open.rs` | from what lies in a directory to a spool that goes on with it |
//! | `writer.rs` | the end at which entries come in |
//! | `tail.rs` | the segment that is written to, and what waits to be |
//! | `reader.rs` | the end at which they come out |
//! | `shared.rs` | what both have in common: the index behind a lock, sleeping and waking, deleting |
//! | `index.rs` | which segments there are, how far each side has come, what was lost; plain data |
//! | `scan.rs` | the entries of one segment, past all that is none |
//! | `cursor.rs` | the file that says how far everything is acknowledged |
//! | `entry.rs` | the bytes of one entry; pure |
//! | `names.rs` | the names of files; pure |
//! | `disk.rs` | the directory, or a fake that fails on purpose |
//! | `fuzz.rs` | any directory, for the fuzzer |
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
