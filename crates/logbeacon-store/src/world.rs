//! The world a store lives in: files and a clock, as arguments.
//!
//! Knows: the few file operations a store needs, and how the real system does them.
//! Must not know: journals, parts. A test gives a world that forgets what was not synced, runs
//! out of space, or jumps in time.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file system below a store.
pub trait Fs: Send + Sync + fmt::Debug {
    /// Makes the directory and those above it.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a directory.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Makes an empty file to write to, in place of one of that name.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Opens a file to read at any place.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>>;

    /// Cuts a file to a length, and makes that durable.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn truncate(&self, path: &Path, length_bytes: u64) -> io::Result<()>;

    /// Gives a file another name in the same directory, in place of one of that name. Durable
    /// after [`Fs::sync_dir`].
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Durable after [`Fs::sync_dir`].
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The bytes that can still be written below the path.
    ///
    /// # Errors
    ///
    /// What the system reports.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Locks the directory for this process, as long as the guard lives.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if another store has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// A file that is being written, at its end.
pub trait Output: Send {
    /// Appends all the bytes.
    ///
    /// # Errors
    ///
    /// What the system reports. Some of the bytes may have been written.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    ///
    /// What the system reports. What was written since the last success may be lost then.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is being read. Threads may share it.
pub trait Input: Send + Sync {
    /// The length, in bytes.
    fn len(&self) -> u64;

    /// Fills the buffer from a place on.
    ///
    /// # Errors
    ///
    /// What the system reports; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Nanoseconds since the epoch, UTC. May jump in both directions.
    fn now_ns(&self) -> i64;
}

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFs;

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ns(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }
}

impl Fs for SystemFs {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            // A name that is no UTF-8 is none of ours.
            if let (true, Ok(name)) =
                (entry.file_type()?.is_file(), entry.file_name().into_string())
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        Ok(Box::new(SystemFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>> {
        let file = File::open(path)?;
        let length_bytes = file.metadata()?.len();
        Ok(Arc::new(SystemInput { file, length_bytes }))
    }

    fn truncate(&self, path: &Path, length_bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length_bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // A directory cannot be opened as a file there; NTFS journals its names by itself.
        if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
    }

    #[cfg(unix)]
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    #[cfg(not(unix))]
    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let path: PathBuf = path.join("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
            std::fs::TryLockError::Error(error) => error,
        })?;
        Ok(Box::new(file))
    }
}

struct SystemFile(File);

impl Output for SystemFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

struct SystemInput {
    file: File,
    length_bytes: u64,
}

impl Input for SystemInput {
    fn len(&self) -> u64 {
        self.length_bytes
    }

    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, at)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !buffer.is_empty() {
            match self.file.seek_read(buffer, at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    buffer = buffer.get_mut(read..).unwrap_or_default();
                    at += read as u64;
                }
            }
        }
        Ok(())
    }
}
