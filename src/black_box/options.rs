//! Options: the file that keeps what a killed process has not written yet.

use logwell_options::section;
use logwell_options::units::{GIB, MIB};
use logwell_options::value::{bytes, flag, path};
use std::path::PathBuf;

section! {
    /// The file that keeps the records a killed process had not written yet.
    ///
    /// Every record is copied into it by the log call; the next start writes what is left in it to
    /// the files, with `recovered: true`. So not even `kill -9` or `abort()` loses a record.
    pub struct BlackBoxConfig {
        /// Whether records are copied into it.
        enabled: bool = true => flag();
        /// How large the file is. The space is reserved at start-up, memory is used as needed.
        /// It takes at most a quarter of the free space on the disk.
        /// When it is full, records have no copy and are counted. It holds some 80 000 ordinary
        /// ones; each thread that logs uses 16 KiB of it.
        max_bytes: u64 = 16 * MIB => bytes(MIB, GIB);
        /// Its directory. A relative path starts at `files.dir`, and `.` is that directory itself.
        /// A directory in memory, such as one in `/dev/shm`, survives the process, but not the
        /// machine. With `files.enabled: false`, a directory here creates a black box for the
        /// console's records; `.` creates none.
        dir: PathBuf = PathBuf::from(".") => path();
    }
}
