//! Disk: the file of the journal, as an argument, and how the real system keeps it.
//!
//! Knows: appending durably, replacing at once, one process at a time. Must not know: frames or
//! rows. In: bytes; out: bytes. A test gives a disk that dies in the middle of a write.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The place of the journal.
pub trait Disk: Send + fmt::Debug {
    /// The bytes of the journal; none if there is none yet.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Appends bytes. They outlive a loss of power when it returns.
    ///
    /// # Errors
    ///
    /// What the system reports. Any part of the bytes may have been written then.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Puts these bytes in place of all others: afterwards the journal is the old one or the new
    /// one, whatever happens.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Keeps the bytes of a damaged journal beside it, for people to look at.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn keep_damaged(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A directory of the operating system, locked for this process.
#[derive(Debug)]
pub struct SystemDisk {
    dir: PathBuf,
    name: &'static str,
    journal: Option<File>,
    _lock: File,
}

impl SystemDisk {
    /// Opens or makes the directory, readable by its owner only. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// What the system reports; [`io::ErrorKind::WouldBlock`] if another monitor uses it.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_file(dir, JOURNAL)
    }

    /// The same for the history of metrics, which has a lock and a file of its own in there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_history(dir: &Path) -> io::Result<Self> {
        Self::open_file(dir, HISTORY)
    }

    fn open_file(dir: &Path, file: FileNames) -> io::Result<Self> {
        make_dir(dir)?;
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).open(dir.join(file.lock))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
            TryLockError::Error(error) => error,
        })?;
        Ok(Self { dir: dir.to_owned(), name: file.name, journal: None, _lock: lock })
    }

    fn path(&self) -> PathBuf {
        self.dir.join(self.name)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("{}.{ending}", self.name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        // A directory cannot be opened as a file there; NTFS journals its names by itself.
        if cfg!(windows) { Ok(()) } else { File::open(&self.dir)?.sync_all() }
    }
}

impl Disk for SystemDisk {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        match std::fs::read(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            result => result,
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.journal.is_none() {
            let file = OpenOptions::new().append(true).create(true).open(self.path())?;
            self.sync_dir()?;
            self.journal = Some(file);
        }
        let Some(file) = &mut self.journal else { return Ok(()) };
        file.write_all(bytes)?;
        file.sync_data()
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The open file would go on to write to the old journal.
        self.journal = None;
        let new = self.beside("new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(new, self.path())?;
        self.sync_dir()
    }

    fn keep_damaged(&mut self, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(self.beside("bad"), bytes)
    }
}

#[cfg(unix)]
fn make_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

/// A file and its lock.
#[derive(Debug, Clone, Copy)]
struct FileNames {
    name: &'static str,
    lock: &'static str,
}

const JOURNAL: FileNames = FileNames { name: "monitor.journal", lock: "lock" };
const HISTORY: FileNames = FileNames { name: "monitor.history", lock: "history-lock" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_one_monitor_and_keeps_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = SystemDisk::open(dir.path()).unwrap();
        assert_eq!(disk.read().unwrap(), b"");
        let second = SystemDisk::open(dir.path()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        disk.append(b"one").unwrap();
        disk.append(b"two").unwrap();
        assert_eq!(disk.read().unwrap(), b"onetwo");
        disk.replace(b"three").unwrap();
        disk.append(b"four").unwrap();
        drop(disk);
        let mut disk = SystemDisk::open(dir.path()).unwrap();
        assert_eq!(disk.read().unwrap(), b"threefour");
    }
}
