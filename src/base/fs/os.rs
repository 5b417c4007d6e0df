//! Os: what a file is, beyond what is the same everywhere.
//!
//! The only file with `cfg(unix)`. Elsewhere identity, links and modes are unknown: a file counts
//! as the same as long as there is one.

use crate::base::fs::calls;
use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::Path;

/// Mode of directories that are made.
#[cfg(unix)]
const DIRECTORY_MODE: u32 = 0o750;

/// The permission bits.
#[cfg(unix)]
const MODE_BITS: u32 = 0o7777;

/// What tells two files apart, whatever their names: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(pub(crate) u64, pub(crate) u64);

/// The identity of a file.
#[cfg(unix)]
pub(crate) fn id(metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId(metadata.dev(), metadata.ino())
}

/// The identity of a file.
#[cfg(not(unix))]
pub(crate) fn id(_: &Metadata) -> FileId {
    FileId(0, 0)
}

/// Whether [`FileId`] tells files apart.
pub(crate) const KNOWS_IDENTITY: bool = cfg!(unix);

/// Whether some name still leads to an open file.
#[cfg(unix)]
pub(crate) fn has_name(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink() > 0
}

/// Whether some name still leads to an open file.
#[cfg(not(unix))]
pub(crate) fn has_name(_: &Metadata) -> bool {
    true
}

/// Options that make a new file for appending, and only a new one.
///
/// It follows no link and takes over nobody's file.
pub(crate) fn new_file(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options
}

/// The permission bits of a file.
#[cfg(unix)]
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & MODE_BITS
}

/// The permission bits of a file.
#[cfg(not(unix))]
pub(crate) fn mode(_: &Metadata) -> u32 {
    0
}

/// Gives a file exactly `mode`, which the umask may have cut.
#[cfg(unix)]
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if self::mode(&calls::look_at(file)?) == mode & MODE_BITS {
        return Ok(());
    }
    calls::set_permissions(file, PermissionsExt::from_mode(mode & MODE_BITS))
}

/// Gives a file exactly `mode`, which the umask may have cut.
#[cfg(not(unix))]
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Takes from a file what `mode` does not allow, and adds nothing.
#[cfg(unix)]
pub(crate) fn narrow_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let now = calls::look_at(file)?.permissions().mode();
    set_mode(file, now & mode)
}

/// Takes from a file what `mode` does not allow, and adds nothing.
#[cfg(not(unix))]
pub(crate) fn narrow_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a directory and those above it; one that exists stays as it is.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
    calls::make_directory(&builder, path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { calls::sync_all(&calls::open_to_read(path)?) } else { Ok(()) }
}

/// What is there instead of a file.
#[cfg(unix)]
pub(crate) fn describe(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "something unknown",
    }
}

/// What is there instead of a file.
#[cfg(not(unix))]
pub(crate) fn describe(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "something unknown",
    }
}

/// Has the system set room aside for those bytes of a file, so that no later write can find the
/// disk full. The file is then at least so long, and reads as zeros where nothing was written.
///
/// # Errors
///
/// There is no room; or, with [`Unsupported`](io::ErrorKind::Unsupported), it cannot be asked for.
#[cfg(target_os = "linux")]
pub(crate) fn allocate(file: &File, bytes: Range<u64>) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    loop {
        return match fallocate(file, FallocateFlags::empty(), bytes.start, bytes.end - bytes.start)
        {
            Err(Errno::INTR) => continue,
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                Err(io::ErrorKind::Unsupported.into())
            }
            done => Ok(done?),
        };
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn allocate(_: &File, _: Range<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How many bytes can still be written in that directory; as many as there are, where that is
/// unknown.
pub(crate) fn available(directory: &Path) -> u64 {
    #[cfg(unix)]
    if let Ok(told) = rustix::fs::statvfs(directory) {
        return told.f_bavail.saturating_mul(told.f_frsize);
    }
    let _ = directory;
    u64::MAX
}

/// How long a file this process may make (`ulimit -f`). To go beyond ends the process by a signal.
///
/// Where that cannot be found out there is no limit. On Linux it is read, since the call must not
/// fail: what wraps it would panic, and a sandbox may refuse it.
pub(crate) fn longest_file() -> u64 {
    #[cfg(target_os = "linux")]
    if let Some(limit) =
        std::fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(file_limit)
    {
        return limit;
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Fsize).current {
        return limit;
    }
    u64::MAX
}

/// The soft limit in the text of `/proc/self/limits`, if there is one.
#[cfg(target_os = "linux")]
fn file_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The number of the user that this process acts for.
pub(crate) fn user() -> Option<u32> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    return None;
}

/// Whether the file belongs to the user that this process acts for.
#[cfg(unix)]
pub(crate) fn is_mine(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
pub(crate) fn is_mine(_: &Metadata) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::file_limit;

    #[test]
    fn the_limit_on_the_size_of_files_is_read_from_its_line() {
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max cpu time              unlimited            unlimited            seconds\n\
                 Max file size             {soft}                1000                 bytes\n"
            )
        };
        assert_eq!(file_limit(&limits("512")), Some(512));
        assert_eq!(file_limit(&limits("unlimited")), None);
        assert_eq!(file_limit(""), None);
    }
}
