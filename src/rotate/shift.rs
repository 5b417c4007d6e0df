//! Shift: one rotation of the names: `app.log` → `.1` → `.2` …, and a new, empty `app.log`.
//!
//! The only file that names `file-rotate`, which renames, makes the new file and deletes the
//! oldest. It never sees a byte of a line: a value is made for one rotation and dropped.
//!
//! What it does with a disk that is not as it expects (0.8.0) is met as follows:
//!
//! | `file-rotate` | here |
//! |---|---|
//! | reads `app.log.01` and `app.log.+1` as number 1, then asserts that `app.log.1` is there | [`Exact`], our own scheme: it is told which backups there are |
//! | deletes `app.log.20260131` as the oldest | the same |
//! | builds names with `Path::display`, which spoils names that are not UTF-8 | the same |
//! | unwraps the listing of the directory, which fails without a free descriptor | we list, and return the error |
//! | asserts that nothing stands at the new name | [`clear_way`] looks first |
//! | keeps the list of backups from its birth | the value is made for one rotation |
//! | opens what stands at the path, through links too | `create_new`: it makes a file or none |
//! | discards the error of opening the new file | the caller opens it itself and sees the error |
//! | closes its file before it renames | ours stays open until the new one is |
//!
//! What is left is a change by somebody else between our look and its assertion, some
//! microseconds later. Then the panic is caught and is one more failure to rotate; other writers
//! that are well-behaved are kept out by the lock on the current file.

use super::names::{self, MAX_NUMBER, Names};
use super::{current::told, os, policy};
use file_rotate::compression::Compression;
use file_rotate::suffix::{Representation, SuffixScheme};
use file_rotate::{ContentLimit, FileRotate, SuffixInfo};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How many backups remain and how open the new file may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    pub(super) keep: u32,
    pub(super) mode: u32,
}

/// Moves each backup up by one number and the current file to number 1, makes a new current file
/// and deletes the backups beyond `keep`.
///
/// # Errors
///
/// Something failed. Files may have moved, but none is lost and none is overwritten; whether the
/// current file is still at its path is for the caller to look at.
pub(super) fn shift(names: &Names, Shift { keep, mode }: Shift) -> io::Result<()> {
    clear_way(names)?;
    let scheme = Exact { numbers: backups(names)?, keep };
    let options = os::new_file(mode);
    let rotation = AssertUnwindSafe(|| {
        let limit = ContentLimit::None;
        FileRotate::new(names.current(), scheme, limit, Compression::None, Some(options)).rotate()
    });
    match catch_unwind(rotation) {
        Ok(result) => result.map_err(|error| told("rotate", names.current(), error)),
        Err(_) => {
            let text = format!("{} changed while it was rotated", names.current().display());
            Err(io::Error::other(text))
        }
    }
}

/// The numbers of the backups there are: regular files with a name that is exactly ours.
pub(super) fn backups(names: &Names) -> io::Result<BTreeSet<u32>> {
    let directory = names.directory();
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(|error| told("list", directory, error))? {
        let entry = entry.map_err(|error| told("list", directory, error))?;
        if let Some(number) = names.number(&entry.file_name())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            numbers.insert(number);
        }
    }
    Ok(numbers)
}

/// Deletes the backups beyond `keep`, which a crash in the middle of a shift or a new
/// configuration may have left.
pub(super) fn prune(names: &Names, keep: u32) -> io::Result<()> {
    for number in policy::surplus(&backups(names)?, keep) {
        let path = names.backup(number);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(told("delete", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the current file and each backup up to the first gap can move: they are regular files.
fn clear_way(names: &Names) -> io::Result<()> {
    if !regular(names.current())? {
        let text = format!("{} is gone", names.current().display());
        return Err(io::Error::new(ErrorKind::NotFound, text));
    }
    for number in 1..=MAX_NUMBER {
        if !regular(&names.backup(number))? {
            return Ok(());
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no number is left for another backup"))
}

/// Whether there is a regular file at `path` (or nothing); anything else is an error.
fn regular(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => Ok(true),
        Ok(found) => {
            let kind = os::describe(found.file_type());
            let text = format!("{} is {kind} and in the way of a backup", path.display());
            Err(io::Error::new(ErrorKind::AlreadyExists, text))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(told("look at", path, error)),
    }
}

/// The numbering for `file-rotate`: counts like its `AppendCount`, but only sees names that are
/// exactly ours.
struct Exact {
    numbers: BTreeSet<u32>,
    keep: u32,
}

/// A backup's number, which knows how the backup is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number(u32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Representation for Number {
    fn to_path(&self, base: &Path) -> PathBuf {
        names::backup(base, self.0)
    }
}

impl SuffixScheme for Exact {
    type Repr = Number;

    fn rotate_file(
        &mut self,
        _base: &Path,
        _newest: Option<&Number>,
        old: &Option<Number>,
    ) -> io::Result<Number> {
        Ok(Number(old.map_or(1, |Number(number)| number.saturating_add(1))))
    }

    fn parse(&self, suffix: &str) -> Option<Number> {
        names::parse(suffix).map(Number)
    }

    fn too_old(&self, _number: &Number, position: usize) -> bool {
        usize::try_from(self.keep).is_ok_and(|keep| position >= keep)
    }

    fn scan_suffixes(&self, _base: &Path) -> BTreeSet<SuffixInfo<Number>> {
        let info = |number: &u32| SuffixInfo { suffix: Number(*number), compressed: false };
        self.numbers.iter().map(info).collect()
    }
}
