//! Options: how a rotating file behaves. Plain data.

use super::names::{Form, MAX_NUMBER};
use crate::base::zone::TimeZone;
use crate::rotate::choices::Compress;
use crate::rotate::choices::Rotate;
use crate::rotate::choices::SyncPolicy;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

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

    /// At which times [`maintain`](super::RotatingFile::maintain) also starts a new file; by
    /// default at none.
    pub rotate: Rotate,

    /// The zone of these times; by default that of the machine.
    pub rotate_zone: TimeZone,

    /// Whether the first `maintain` rotates a file that has lines; by default it continues.
    pub rotate_on_start: bool,

    /// How many older files are kept; by default 5, at most 9 998.
    ///
    /// The oldest is deleted after a new file is started. With 0 the only file is deleted when it
    /// is full.
    pub backup_count: u32,

    /// How old a backup may become, counted from its last line; by default any age.
    ///
    /// Checked by [`maintain`](super::RotatingFile::maintain). If the wall clock jumps forward,
    /// nothing is deleted until the new time has held for a day.
    pub max_age: Option<Duration>,

    /// How many bytes the file and its backups may have, compressed ones as they are; by default
    /// any number. The oldest backups go first, the current file never.
    pub max_total_bytes: Option<u64>,

    /// How backups are compressed; by default they are not.
    ///
    /// By a thread of the [`FileSink`](crate::sink::FileSink): a `RotatingFile` has none.
    pub compress: Compress,

    /// When what was written is made durable; by default by [`sync`](super::RotatingFile::sync).
    ///
    /// By a thread of the [`FileSink`](crate::sink::FileSink), as above. What is not yet durable is
    /// kept in memory, at most `backlog_bytes` of it, and written again if it cannot be made so.
    pub sync: SyncPolicy,

    /// The longest time until a line is durable; by default a second.
    pub sync_interval: Duration,

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
            rotate: Rotate::Size,
            rotate_zone: TimeZone::Local,
            rotate_on_start: false,
            backup_count: 5,
            max_age: None,
            max_total_bytes: None,
            compress: Compress::None,
            sync: SyncPolicy::Never,
            sync_interval: Duration::from_secs(1),
            mode: 0o640,
            backlog_bytes: 16 << 20,
        }
    }

    /// How backups are stored in the end.
    pub(super) fn form(&self) -> Form {
        match self.compress {
            Compress::None => Form::Plain,
            Compress::Gzip => Form::Gzip,
            Compress::Zstd => Form::Zstd,
        }
    }

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> io::Result<()> {
        let problem = if self.max_bytes == 0 {
            "max_bytes must not be 0".to_owned()
        } else if self.backup_count >= MAX_NUMBER {
            format!("backup_count must be below {MAX_NUMBER}, but is {}", self.backup_count)
        } else if self.compress == Compress::Zstd && !cfg!(feature = "zstd") {
            "zstd is not in this build: it needs the feature `zstd`".to_owned()
        } else {
            return Ok(());
        };
        let text = format!("{}: {problem}", self.path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}
