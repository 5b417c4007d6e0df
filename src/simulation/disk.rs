//! Disk: which calls to the file system fail, and what the process does to names.
//!
//! `base/fs/calls.rs` asks here before each call. A fault is for the n-th call of a kind from now
//! on, once or for a while; or the process dies at a call, and none after it has any effect.

use super::world;
use crate::base::fs::calls::Call;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const EINTR: i32 = 4;
pub(super) const EIO: i32 = 5;
pub(super) const EACCES: i32 = 13;
pub(super) const EMFILE: i32 = 24;
pub(super) const ENOSPC: i32 = 28;

/// A fault that comes after some calls of its kind, and then so many times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) call: Call,
    pub(super) after: u32,
    pub(super) times: u32,
    pub(super) how: How,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// The number of an error.
    Error(i32),
    /// A write takes no more than so many bytes.
    Short(usize),
}

/// What is wrong with the disk.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pending: Vec<Fault>,
    /// So many calls are left to the process, and so many bytes of the last one.
    life: Option<(u32, usize)>,
    is_dead: bool,
    /// How many calls have failed, and how many of them were syncs.
    pub(super) hits: u64,
    pub(super) failed_syncs: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    /// The disk is well again.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    /// The process will be killed at a call.
    pub(super) fn die_after(&mut self, calls: u32, last_bytes: usize) {
        self.life = Some((calls, last_bytes));
    }

    /// The process is killed now.
    pub(super) fn die(&mut self) {
        self.is_dead = true;
    }

    pub(super) fn is_dying(&self) -> bool {
        self.life.is_some()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// There is a new process.
    pub(super) fn revive(&mut self) {
        (self.life, self.is_dead) = (None, false);
    }

    /// What becomes of a call; for a write how many bytes it takes.
    fn judge(&mut self, call: Call, bytes: usize) -> io::Result<usize> {
        if !self.is_dead
            && let Some((calls, last_bytes)) = &mut self.life
        {
            match calls.checked_sub(1) {
                Some(left) => *calls = left,
                None => {
                    self.is_dead = true;
                    if call == Call::Write && *last_bytes > 0 {
                        return Ok(bytes.min(*last_bytes));
                    }
                }
            }
        }
        if self.is_dead {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        for fault in self.pending.iter_mut().filter(|fault| fault.call == call) {
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                self.hits += 1;
                self.failed_syncs += u64::from(call == Call::Sync);
                return match fault.how {
                    How::Error(number) => Err(io::Error::from_raw_os_error(number)),
                    How::Short(at_most) => Ok(bytes.min(at_most)),
                };
            }
        }
        Ok(bytes)
    }
}

/// Fails if a call of that kind is to fail now.
pub(crate) fn before(call: Call) -> io::Result<()> {
    world::with(|world| world.faults.judge(call, 0)).map_or(Ok(()), |judged| judged.map(drop))
}

/// How many of so many bytes are written.
pub(crate) fn may_write(call: Call, bytes: usize) -> io::Result<usize> {
    world::with(|world| world.faults.judge(call, bytes)).unwrap_or(Ok(bytes))
}

/// A file gets that name. There must be none that has it.
pub(crate) fn renames(to: &Path) {
    world::with(|world| {
        if to.symlink_metadata().is_ok() {
            world.wrongs.push(format!("{} was overwritten", to.display()));
        }
    });
}

/// A name is taken away. It must be one of ours.
pub(crate) fn removes(path: &Path) {
    world::with(|world| {
        let Ok(bytes) = fs::read(path) else { return };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !super::names::is_backup(&name) && !super::names::is_unfinished(&name) {
            world.wrongs.push(format!("{} was removed", path.display()));
        }
        world.removed.push((path.to_owned(), bytes));
    });
}

/// What cannot be seen without a power cut is not waited for.
pub(crate) fn skips_sync() -> bool {
    world::is_on()
}

/// What becomes of a rotation whose renames are known beforehand; `None` if none of its calls is to
/// fail. Else what comes before the failure is done.
pub(crate) fn shift(moves: &[(PathBuf, PathBuf)]) -> Option<io::Result<()>> {
    if !world::is_on() {
        return None;
    }
    let failure = (0..moves.len()).find_map(|at| Some((at, before(Call::Rename).err()?)));
    let (done, result) = match failure {
        Some((at, error)) => (at, Err(error)),
        // That the new file could not be made is not reported.
        None if before(Call::Open).is_err() => (moves.len(), Ok(())),
        None => return None,
    };
    for (from, to) in moves.iter().take(done) {
        renames(to);
        if let Err(error) = fs::rename(from, to) {
            return Some(Err(error));
        }
    }
    Some(result)
}
