//! Options: the file that keeps what a killed process has not written yet.

use logwell_options::section;
use logwell_options::units::{GIB, MIB};
use logwell_options::value::{bytes, flag, path};
use std::path::PathBuf;

section! {
    /// The file that keeps what a killed process has not written yet.
    ///
    /// Every record is copied into it by the log call; the next start writes what is left in it to the
    /// files, with `recovered: true`. So not even `kill -9` or `abort()` loses a record.
    pub struct BlackBoxConfig {
        /// Whether records are copied into it.
        enabled: bool = true => flag();
        /// How large the file is; the room is set aside at start-up and memory used as needed.
        /// It takes no more than a quarter of the room that is free on the disk.
        /// When it is full, records go without a copy and are counted. It holds some 80 000 ordinary ones;
        /// each thread that logs has 16 KiB of it.
        max_bytes: u64 = 16 * MIB => bytes(MIB, GIB);
        /// Where it lies. A relative path starts at `files.dir`, and `.` is that directory itself.
        /// A directory in memory, such as one in `/dev/shm`, survives the process, but not the machine.
        /// With `files.enabled: false`, a directory that is named here makes a box for what the
        /// console has not written; with `.` there is none.
        dir: PathBuf = PathBuf::from(".") => path();
    }
}
