//! Identity: what tells a file from another one of the same name; the only file with `cfg(unix)`.

use std::fs::Metadata;
use std::time::SystemTime;

/// A file, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    number: u64,
    /// When it was made, where that is known: a new file gets the number of one that was deleted.
    made: Option<SystemTime>,
}

impl Identity {
    /// The file that the metadata describe.
    #[cfg(unix)]
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), number: metadata.ino(), made: metadata.created().ok() }
    }

    /// Elsewhere a file is known by when it was made.
    #[cfg(not(unix))]
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: 0, number: 0, made: metadata.created().ok() }
    }
}
