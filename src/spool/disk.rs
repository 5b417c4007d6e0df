//! Disk: the directory of a spool, as the other files see it; or a fake that fails on purpose.
//!
//! Knows paths and modes; knows no entry and no bound.

use super::names;
use crate::base::selflog;
use std::fmt::Debug;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Mode of the directory.
#[cfg(unix)]
const DIRECTORY_MODE: u32 = 0o700;

/// Mode of the files.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// A directory of files.
pub(super) trait Disk: Debug + Send + Sync {
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The length of a file.
    fn bytes(&self, name: &str) -> io::Result<u64>;

    /// Makes a file that is not there.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file that is there, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Deletes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Renames a file to [`names::aside`].
    fn set_aside(&self, name: &str) -> io::Result<()>;

    /// Makes names durable.
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file.
pub(super) trait DiskFile: Debug + Send {
    /// Reads some of the bytes that begin there; 0 at the end of the file.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes some of the bytes there and says how many.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the end off.
    fn cut(&mut self, to_bytes: u64) -> io::Result<()>;

    /// Makes the content durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory of the file system, locked against other processes.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The lock lasts as long as the file is open.
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    ///
    /// Of kind `WouldBlock` if another process (or another spool of this one) has it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make(path).map_err(|error| told("make", path, error))?;
        let at = path.join(names::LOCK);
        let lock = options().create(true).truncate(false).open(&at);
        let lock = lock.map_err(|error| told("open", &at, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("another process uses the spool {}", path.display());
                return Err(io::Error::new(ErrorKind::WouldBlock, text));
            }
            // A system that refuses locks is no hindrance, as for log files.
            Err(TryLockError::Error(error)) => {
                selflog::tell("a spool has no lock", &format_args!("{}: {error}", at.display()));
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }
}

impl Disk for Directory {
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = self.path.read_dir().map_err(|error| told("list", &self.path, error))?;
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn bytes(&self, name: &str) -> io::Result<u64> {
        let path = self.path.join(name);
        let found = path.symlink_metadata().map_err(|error| told("look at", &path, error))?;
        if !found.is_file() {
            let text = format!("{} is not a regular file", path.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        Ok(found.len())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let path = self.path.join(name);
        let create = || options().create_new(true).open(&path);
        let made = match create() {
            // Somebody has deleted the directory.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(&self.path).and_then(|()| create())
            }
            made => made,
        };
        Ok(Box::new(made.map_err(|error| told("make", &path, error))?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        // Opening a FIFO would hang.
        self.bytes(name)?;
        let path = self.path.join(name);
        Ok(Box::new(options().open(&path).map_err(|error| told("open", &path, error))?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        std::fs::remove_file(&path).map_err(|error| told("delete", &path, error))
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        std::fs::rename(&path, self.path.join(names::aside(name)))
            .map_err(|error| told("rename", &path, error))
    }

    fn sync_names(&self) -> io::Result<()> {
        if cfg!(unix) { synced(File::open(&self.path)?.sync_all()) } else { Ok(()) }
    }
}

impl DiskFile for File {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(offset))?;
        self.read(into)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(offset))?;
        self.write(bytes)
    }

    fn cut(&mut self, to_bytes: u64) -> io::Result<()> {
        self.set_len(to_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        synced(self.sync_data())
    }
}

/// Reads until there is no room or nothing left, and says how much.
pub(super) fn read_full(
    file: &mut dyn DiskFile,
    offset: u64,
    into: &mut [u8],
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset.saturating_add(as_u64(done)), rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes until everything is written or something fails, and says how much is written.
pub(super) fn write_full(
    file: &mut dyn DiskFile,
    offset: u64,
    bytes: &[u8],
) -> (usize, io::Result<()>) {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(offset.saturating_add(as_u64(done)), rest) {
            Ok(0) => return (done, Err(ErrorKind::WriteZero.into())),
            Ok(written) => done += written,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (done, Err(error)),
        }
    }
    (done, Ok(()))
}

/// A file system that knows no syncing is no failure.
fn synced(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

/// A length in memory as a length on disk.
pub(super) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Makes a directory and those above it; one that exists stays as it is.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
    builder.create(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

/// The files of a spool in which there are no entries.
pub(crate) fn without_entries(directory: &Path) -> [PathBuf; 2] {
    [names::LOCK, names::CURSOR].map(|name| directory.join(name))
}

/// The error with what was tried and where.
fn told(action: &str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {action} {}: {error}", path.display()))
}
