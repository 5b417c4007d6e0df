//! Calls: the file system calls of rotation, in one place, so that tests can make each of them
//! fail.
//!
//! Knows neither names nor lines. Each call does what the one of `std` does; in a test it first
//! asks the simulation of that thread, if there is one, whether it is to fail. What `file-rotate`
//! calls itself is foretold by `shift`.

use std::borrow::Borrow;
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions, Permissions, ReadDir};
use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
pub(crate) use crate::simulation::disk::shift;
#[cfg(test)]
use crate::simulation::disk::{before, may_write, removes, renames, skips_sync};

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Look,
    List,
    Write,
    Cut,
    TakeBack,
    Rename,
    Remove,
    Sync,
    Attributes,
    MakeDirectory,
}

/// Opens a file, or makes one.
pub(crate) fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    before(Call::Open)?;
    options.open(path)
}

/// Opens a file or a directory for reading.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    before(Call::Open)?;
    File::open(path)
}

/// What is at a path; no link is followed.
pub(crate) fn look(path: &Path) -> io::Result<Metadata> {
    before(Call::Look)?;
    path.symlink_metadata()
}

/// What an open file is like.
pub(crate) fn look_at(file: &File) -> io::Result<Metadata> {
    before(Call::Look)?;
    file.metadata()
}

/// What is in a directory.
pub(crate) fn list(directory: &Path) -> io::Result<ReadDir> {
    before(Call::List)?;
    fs::read_dir(directory)
}

/// Writes some of the bytes and says how many.
pub(crate) fn write(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
    let at_most = may_write(Call::Write, bytes.len())?;
    file.write(bytes.get(..at_most).unwrap_or(bytes))
}

/// Cuts a file to a length.
pub(crate) fn cut(file: &File, bytes: u64) -> io::Result<()> {
    before(Call::Cut)?;
    file.set_len(bytes)
}

/// Cuts a file of one length to another, if it is still of that length.
pub(crate) fn take_back(file: &File, from_bytes: u64, to_bytes: u64) -> io::Result<()> {
    before(Call::TakeBack)?;
    if file.metadata()?.len() != from_bytes {
        return Err(io::Error::other("somebody else writes to the file"));
    }
    file.set_len(to_bytes)
}

/// Gives a file another name.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    before(Call::Rename)?;
    renames(to);
    fs::rename(from, to)
}

/// Takes a name away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    before(Call::Remove)?;
    removes(path);
    fs::remove_file(path)
}

/// Makes what a file holds durable.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    before(Call::Sync)?;
    if skips_sync() { Ok(()) } else { file.sync_data() }
}

/// Makes a file or a directory durable.
pub(crate) fn sync_all(file: &File) -> io::Result<()> {
    before(Call::Sync)?;
    if skips_sync() { Ok(()) } else { file.sync_all() }
}

/// Sets who may do what.
#[cfg(unix)]
pub(crate) fn set_permissions(file: &File, permissions: Permissions) -> io::Result<()> {
    before(Call::Attributes)?;
    file.set_permissions(permissions)
}

/// Sets when it was written.
pub(crate) fn set_times(file: &File, times: FileTimes) -> io::Result<()> {
    before(Call::Attributes)?;
    file.set_times(times)
}

/// Makes a directory.
pub(crate) fn make_directory(builder: &DirBuilder, path: &Path) -> io::Result<()> {
    before(Call::MakeDirectory)?;
    builder.create(path)
}

/// A file that is written to by way of [`write()`].
#[derive(Debug)]
pub(crate) struct Writer<F>(pub(crate) F);

impl<F: Borrow<File>> Write for Writer<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(self.0.borrow(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nothing fails on purpose.
#[cfg(not(test))]
#[inline]
const fn before(_: Call) -> io::Result<()> {
    Ok(())
}

#[cfg(not(test))]
#[inline]
const fn may_write(_: Call, bytes: usize) -> io::Result<usize> {
    Ok(bytes)
}

#[cfg(not(test))]
#[inline]
const fn renames(_: &Path) {}

#[cfg(not(test))]
#[inline]
const fn removes(_: &Path) {}

#[cfg(not(test))]
#[inline]
const fn skips_sync() -> bool {
    false
}
