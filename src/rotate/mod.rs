//! Rotate: a file of whole lines that never grows beyond its limit, with numbered backups, that
//! heals.
//!
//! [`RotatingFile`] takes lines and hands them to the operating system; `app.log` is always the
//! current file, `app.log.1` the newest backup. Knows neither records nor sinks, of the black box
//! only a mark. Has no thread; the caller passes the time. It measures only how long it waits
//! for a lock, how long a sync takes and how old a file is.
//!
//! `file.rs` acts, `policy.rs` decides; `cargo x map src/rotate` prints the other files.
//!
//! # When something is wrong
//!
//! | what | then |
//! |---|---|
//! | disk full, I/O error, file too large | the lines are kept, in order, up to `backlog_bytes`; half a line is removed; nothing rotates; the next flush retries |
//! | file deleted, directory deleted | noticed before the next write: a new file is created and no line is lost; if none can be created, the lines are kept |
//! | file renamed, or another put in its place | noticed within a second: earlier lines are in the renamed file, later ones in the new one |
//! | file cut by others (`copytruncate`) | noticed before the next write; continues at the new size |
//! | backups deleted by hand | nothing: each rotation lists the directory |
//! | backups cannot be shifted (directory read-only, something in the way) | continues in the current file, **which then exceeds its limit**; retries each second |
//! | crash in the middle of a rotation | at most a gap in the numbers, and one backup too many, deleted at the next start |
//! | crash in the middle of compressing | the next start deletes the copy and makes it again; or, if the copy was complete, deletes the source |
//! | a sync fails | lines that may not be durable and are still in memory are written again, to a new file; they may be there twice |
//! | backups cannot be compressed or deleted (disk full, in the way) | they stay; retried each minute |
//! | the clock jumps | at most one new file; no backup counts as old until the new time has held for a day |
//! | crash in the middle of a line | the next start ends the line, so that no other is glued to it |
//! | two processes with one path, each with its own `RotatingFile` (those of the configuration have a lock) | each line is whole; a lock lets one rotate at a time, the other notices within a second; the limit may be exceeded meanwhile |

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
