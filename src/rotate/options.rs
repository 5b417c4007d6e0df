//! Options: what is asked of a rotating file. Plain data.

use super::names::MAX_NUMBER;
use std::io;
use std::path::PathBuf;

/// Where a rotating file is and how much it may hold.
///
/// ```
/// use logwell::rotate::FileOptions;
///
/// let options = FileOptions { backup_count: 9, ..FileOptions::new("logs/app.log") };
/// assert_eq!(options.max_bytes, 10 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// The current file. A relative path is taken from the working directory at opening; the
    /// directories above it are made when missing, for their owner and group (0750).
    pub path: PathBuf,

    /// The size that no file passes, in bytes; by default 10 MiB.
    ///
    /// Before a line would pass it, a new file is started. At most `backup_count + 1` times as
    /// much is on the disk.
    pub max_bytes: u64,

    /// How many older files are kept; by default 5, at most 9 998.
    ///
    /// The oldest is deleted after a new file is started. With 0 the only file is deleted when it
    /// is full.
    pub backup_count: u32,

    /// The permission bits of new files, whatever the umask; by default 0640.
    ///
    /// An existing file keeps its own, less what is not allowed here: a mode is narrowed but never
    /// widened. Without meaning on systems that are not Unix.
    pub mode: u32,

    /// How many bytes of lines are kept in memory while the disk refuses them; by default 16 MiB.
    ///
    /// When they are full, new lines are refused.
    pub backlog_bytes: usize,
}

impl FileOptions {
    /// The defaults for a file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: 10 << 20,
            backup_count: 5,
            mode: 0o640,
            backlog_bytes: 16 << 20,
        }
    }

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> io::Result<()> {
        let problem = if self.max_bytes == 0 {
            "max_bytes must not be 0".to_owned()
        } else if self.backup_count >= MAX_NUMBER {
            format!("backup_count must be below {MAX_NUMBER}, but is {}", self.backup_count)
        } else {
            return Ok(());
        };
        let text = format!("{}: {problem}", self.path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
