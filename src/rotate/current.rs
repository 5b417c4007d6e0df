//! Current: the open file that the lines go to.
//!
//! Knows how to open a path safely, its own size, and whether the path still leads to it. Knows no
//! backups, no limit and no clock.

use super::write::{self, Written, as_u64};
use crate::base::fs::calls;
use crate::base::fs::os::{self, FileId};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::time::SystemTime;

/// A file open for appending.
#[derive(Debug)]
pub(super) struct Current {
    file: File,
    id: FileId,
    bytes: u64,
    /// Whether the file ends in the middle of a line that is not ours to finish.
    unended: bool,
}

/// What is at the path of a log file and is no file: somebody has put it there on purpose, or by
/// mistake.
#[derive(Debug)]
pub(crate) struct NotAFile(String);

impl fmt::Display for NotAFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAFile {}

/// What became of the file since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    Same,
    /// Somebody else has cut it or written to it.
    Resized,
    /// No name leads to it any more: what is written now is lost.
    Unlinked,
}

impl Current {
    /// Opens the file at `path` for appending, or makes it with `mode` (and its directory).
    ///
    /// The second value tells why the file does not have the mode it should have: some file systems
    /// have none, and lines can be written all the same.
    pub(super) fn open(path: &Path, mode: u32) -> io::Result<(Self, Option<io::Error>)> {
        match Self::existing(path, mode) {
            Err(error) if error.kind() == ErrorKind::NotFound => match Self::make(path, mode) {
                // Another process was quicker.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Self::existing(path, mode)
                }
                made => made,
            },
            found => found,
        }
    }

    /// Opens the file that a rotation has just made and gives it exactly `mode`.
    pub(super) fn open_new(path: &Path, mode: u32) -> io::Result<(Self, Option<io::Error>)> {
        let (current, too_open) = Self::open(path, mode)?;
        let set = os::set_mode(&current.file, mode);
        Ok((current, set.map_err(|error| told("set the mode of", path, error)).err().or(too_open)))
    }

    /// Opens a file, after a look at what it is: opening a FIFO would hang.
    fn existing(path: &Path, mode: u32) -> io::Result<(Self, Option<io::Error>)> {
        let found = calls::look(path).map_err(|error| told("look at", path, error))?;
        if !found.is_file() {
            let kind = os::describe(found.file_type());
            let text = format!("{} is {kind}, not a regular file", path.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, NotAFile(text)));
        }
        let file = calls::open(OpenOptions::new().read(true).append(true), path)
            .map_err(|error| told("open", path, error))?;
        if os::id(&calls::look_at(&file)?) != os::id(&found) {
            let text = format!("{} was replaced while it was opened", path.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        let narrowed = os::narrow_mode(&file, mode);
        let too_open = narrowed.map_err(|error| told("set the mode of", path, error)).err();
        Ok((Self::from_file(file)?, too_open))
    }

    /// Makes a file that is not there.
    fn make(path: &Path, mode: u32) -> io::Result<(Self, Option<io::Error>)> {
        if let Some(directory) = path.parent() {
            os::make_directory(directory).map_err(|error| told("make", directory, error))?;
        }
        let file = calls::open(&os::new_file(mode), path);
        let file = file.map_err(|error| told("make", path, error))?;
        let set = os::set_mode(&file, mode);
        let set = set.map_err(|error| told("set the mode of", path, error));
        Ok((Self::from_file(file)?, set.err()))
    }

    fn from_file(file: File) -> io::Result<Self> {
        let metadata = calls::look_at(&file)?;
        let mut current =
            Self { file, id: os::id(&metadata), bytes: metadata.len(), unended: false };
        current.look_at_end();
        Ok(current)
    }

    /// Its size.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Which file it is.
    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// Appends whole lines; see [`write::append`].
    pub(super) fn append(&mut self, lines: &[u8], torn: usize) -> Written {
        if let Err(error) = self.end_line() {
            return Written { bytes: torn, error: Some(error) };
        }
        let before = self.bytes.saturating_sub(as_u64(torn));
        let written = write::append(&mut &self.file, lines, torn, self.bytes);
        self.bytes = before + as_u64(written.bytes);
        written
    }

    /// Takes back the half line it ends in, since the rest will not follow.
    pub(super) fn take_back(&self, torn: usize) -> io::Result<()> {
        calls::take_back(&self.file, self.bytes, self.bytes.saturating_sub(as_u64(torn)))
    }

    /// Asks the open file what became of it.
    pub(super) fn look(&mut self) -> io::Result<Change> {
        let metadata = calls::look_at(&self.file)?;
        if !os::has_name(&metadata) {
            return Ok(Change::Unlinked);
        }
        if metadata.len() == self.bytes {
            return Ok(Change::Same);
        }
        let cut = metadata.len() < self.bytes;
        self.bytes = metadata.len();
        self.unended = false;
        if cut {
            // After a write of another process there is nothing to end: a line of it that is just
            // being written looks like one without an end.
            self.look_at_end();
        }
        Ok(Change::Resized)
    }

    /// Whether `path` leads to this file; an error if that cannot be found out.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        match calls::look(path) {
            Ok(found) => Ok(os::id(&found) == self.id),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(told("look at", path, error)),
        }
    }

    /// Does `work` while no other process that asks for the same lock does it.
    ///
    /// The lock is advisory and on the open file, so it dies with the process. A file system
    /// without locks is no hindrance.
    pub(super) fn locked<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let locked = match self.file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(ErrorKind::WouldBlock, "another process has the lock"));
            }
            Err(TryLockError::Error(_)) => false,
        };
        let result = work();
        if locked {
            // The only failure is a file system that has lost the lock already.
            let _ = self.file.unlock();
        }
        result
    }

    /// Makes the content durable. A file that cannot be synced by its nature is no failure.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync_file(&self.file)
    }

    /// The same open file once more, for another thread.
    pub(super) fn clone_file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The open file, which is no longer the current one.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// When somebody last wrote to it, if it has anything.
    pub(super) fn last_write(&self) -> Option<SystemTime> {
        let metadata = calls::look_at(&self.file).ok()?;
        (metadata.len() > 0).then(|| metadata.modified().ok()).flatten()
    }

    /// Ends a line that somebody else (or our process before a crash) has left without an end, so
    /// that the next line is not glued to it. If it cannot be done now, the next append does it.
    fn look_at_end(&mut self) {
        self.unended = self.bytes > 0 && self.last_byte().is_ok_and(|byte| byte != b'\n');
        let _ = self.end_line();
    }

    fn end_line(&mut self) -> io::Result<()> {
        if self.unended {
            calls::Writer(&self.file).write_all(b"\n")?;
            self.bytes += 1;
            self.unended = false;
        }
        Ok(())
    }

    fn last_byte(&self) -> io::Result<u8> {
        let mut byte = [0];
        (&self.file).seek(SeekFrom::End(-1))?;
        (&self.file).read_exact(&mut byte)?;
        Ok(u8::from_ne_bytes(byte))
    }
}

/// Makes the content of a file durable; EINVAL, ENOTTY and ENOSYS say that there is nothing to do.
pub(super) fn sync_file(file: &File) -> io::Result<()> {
    const ENOTTY: i32 = 25;
    loop {
        return match calls::sync_data(file) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error)
                if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
                    || error.raw_os_error() == Some(ENOTTY) =>
            {
                Ok(())
            }
            result => result,
        };
    }
}

/// The error with what was tried and where.
pub(super) fn told(action: &str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {action} {}: {error}", path.display()))
}
