//! Options: options of the embedded store, and what its start reports.
//!
//! Knows: names, units, defaults. Must not know: what they do.

use crate::store::Damage;
use crate::world::{Clock, Fs, SystemClock, SystemFs};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How an embedded store behaves. The defaults suit a server with 1 GiB of memory.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a record's hash is remembered, by arrival. A delivery after that is kept again.
    /// Each remembered record takes 18 bytes of disk and 1.6 of memory. Default: 7 days.
    pub dedup_window: Duration,
    /// The bytes of records, uncompressed, that may wait in memory to be put into parts. Beyond
    /// it, `append` answers [`Full`](crate::AppendError::Full). Default: 64 MiB.
    pub head_bytes_max: usize,
    /// The rows of a row group: when the head has so many, they become a part. More rows make
    /// smaller files and slower needles. Default: 32 768.
    pub group_rows: usize,
    /// The age, by arrival, at which records become a part although they are few. Default: 10
    /// minutes.
    pub head_age_max: Duration,
    /// The columns a row group may have for fields that are not well known. The fields of fewest
    /// records beyond it share the column `rest`. Default: 100.
    pub columns_max: usize,
    /// The bytes that stay free on the disk. When less is free, the store is read-only until
    /// there is more; the reserve lets it seal and erase meanwhile. It needs room for one row group
    /// and the journal's oldest segment, 48 MiB with the defaults. Default: 256 MiB.
    pub free_bytes_min: u64,
    /// The time within which deleted records are erased, if the store runs. Default: 1 hour.
    pub erase_within: Duration,
    /// Whether threads seal and merge. Without them, nothing of that happens but by
    /// [`Embedded::maintain`](crate::Embedded::maintain). Default: `true`.
    pub background: bool,
    /// The file system. Default: that of the operating system.
    pub fs: Arc<dyn Fs>,
    /// The clock. Default: that of the operating system.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dedup_window: Duration::from_secs(7 * 86_400),
            head_bytes_max: 64 << 20,
            group_rows: 32 << 10,
            head_age_max: Duration::from_secs(600),
            columns_max: 100,
            free_bytes_min: 256 << 20,
            erase_within: Duration::from_secs(3600),
            background: true,
            fs: Arc::new(SystemFs),
            clock: Arc::new(SystemClock),
        }
    }
}

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Records that were read back from the journal.
    pub replayed: u64,
    /// Bytes of unfinished writes that were cut off. Nobody had an answer for them.
    pub cut_bytes: u64,
    /// Files that are damaged. Parts are put aside in the directory `damaged`.
    pub damaged: Vec<Damage>,
    /// Files of interrupted work that were removed.
    pub removed: u64,
    /// Whether both manifests were damaged, so that the store was put together from its parts.
    pub rebuilt: bool,
}

/// Why a store cannot start.
#[derive(Debug)]
pub struct OpenError {
    /// The directory or file concerned.
    pub path: PathBuf,
    /// What the system reported.
    pub source: std::io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if self.source.kind() == std::io::ErrorKind::WouldBlock {
            return write!(f, "{path} is in use by another process; stop it or choose another");
        }
        write!(
            f,
            "{path} cannot be opened: {}; check that it exists and may be written",
            self.source
        )
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
