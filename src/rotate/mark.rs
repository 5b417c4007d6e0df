//! Mark: a position in a file, and which file that was. Plain data.

/// Where a sink's file stood: everything before is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) bytes: u64,
    /// When that was, in nanoseconds since 1970. Only what is read back from a box has it.
    pub(crate) unix_ns: u64,
}
