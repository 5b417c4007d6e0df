//! Rotate: a file of whole lines that never grows beyond its limit, with numbered backups, that
//! heals.
//!
//! [`RotatingFile`] takes lines and hands them to the operating system; `app.log` is always the
//! current file, `app.log.1` the newest backup. Knows neither records nor sinks, of the black box
//! only a mark. Has no thread; who calls it says what time it is. Only the wait for a lock, the
//! length of a sync and the age of a file are measured here.
//!
//! | file | is |
//! |---|---|
//! | `file.rs` | the public type: does what the policy says |
//! | `upkeep.rs` | what it does besides writing: new files, the time, its backups, durability |
//! | `options.rs` | what is asked of the file |
//! | `report.rs` | what it says when something fails |
//! | `policy.rs` | when to write, rotate, delete and pause; pure |
//! | `period.rs` | the hour or day of a file; pure |
//! | `names.rs` | `app.log` ↔ `app.log.7`, `app.log.7.gz`; pure |
//! | `backlog.rs` | the lines not yet written, or not yet durable |
//! | `archive.rs` | the backups: which go, which are compressed |
//! | `pack.rs` | a backup is compressed |
//! | `durability.rs` | when a sync is due, and the sync |
//! | `lock.rs` | which process has a path |
//! | `current.rs` | the open file |
//! | `write.rs` | whole lines into something that may refuse in the middle of one |
//! | `shift.rs` | one rotation of the names, by `file-rotate` |
//! | `os.rs` | identity, links and modes of files |
//! | `disk.rs` | the calls to the file system, each of which can be made to fail |
//!
//! # When something is wrong
//!
//! | what | then |
//! |---|---|
//! | disk full, I/O error, file too large | the lines are kept, in order, up to `backlog_bytes`; half a line is taken back; nothing rotates; the next flush tries again |
//! | file deleted, directory deleted | seen before the next write: a new file is made, no line goes into the void; if none can be made, the lines are kept |
//! | file renamed, or another put in its place | seen within a second: the lines until then are in the renamed file, the others in the new one |
//! | file cut by others (`copytruncate`) | seen before the next write; goes on from the new size |
//! | backups deleted by hand | nothing: they are looked up at each rotation |
//! | backups cannot be shifted (directory read-only, something in the way) | goes on in the current file, **which then exceeds its limit**; tries again each second |
//! | crash in the middle of a rotation | at most a gap in the numbers, and one backup too many, deleted at the next start |
//! | crash in the middle of compressing | the copy is deleted and made again at the next start; or, when it was complete, the source is |
//! | a sync fails | what is not known to be durable, as far as it is in memory, is written again to a new file; such lines may be there twice |
//! | backups cannot be compressed or deleted (disk full, in the way) | they stay as they are; tried again each minute |
//! | the clock jumps | at most one new file; no backup counts as old before the jump has lasted a day |
//! | crash in the middle of a line | the line is ended at the next start, so that no other is glued to it |
//! | two processes with one path, each with a `RotatingFile` of its own (those of the configuration have a lock) | each line is whole; a lock lets one at a time rotate, the other notices within a second; meanwhile the limit may be passed |

mod archive;
mod backlog;
pub(crate) mod choices;
mod current;
mod durability;
mod file;
mod lines_after;
mod maintenance;
mod mark;
mod names;
mod options;
mod pack;
mod period;
mod policy;
mod report;
mod shift;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use current::NotAFile;
pub(crate) use durability::{SyncJob, Synced};
pub use file::RotatingFile;
pub(crate) use lines_after::cut_torn;
pub use mark::Mark;
pub use options::FileOptions;
pub(crate) use pack::{Pack, Packed};
pub use report::{Trouble, WriteError};
