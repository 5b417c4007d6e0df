//! Identity: what tells a file from another one of the same name; the only file with `cfg(unix)`.

use std::fs::Metadata;

/// A file, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    /// The file that the metadata describe.
    #[cfg(unix)]
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), number: metadata.ino() }
    }

    /// Elsewhere a file is known by when it was made.
    #[cfg(not(unix))]
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let made = metadata
            .created()
            .ok()
            .and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
        let number = made.map_or(0, |at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        Self { device: 0, number }
    }
}
