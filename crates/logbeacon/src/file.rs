//! Files: small files of the data directory, replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file: written beside, synced, renamed, the directory synced. A kill leaves the old
/// content or the new one. Only the owner can read it.
///
/// # Errors
///
/// As the file system says; the old file stays.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

/// Locks a file of the data directory against other processes, by a file beside it, as long as the
/// result lives. Blocks while another has it.
///
/// # Errors
///
/// As the file system says.
pub fn lock(path: &Path) -> io::Result<File> {
    let beside = path.with_extension("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(beside)?;
    file.lock()?;
    Ok(file)
}
