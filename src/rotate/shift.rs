//! Shift: one rotation of the names: `app.log` → `.1` → `.2` …, and a new, empty `app.log`.
//!
//! The only file that names `file-rotate`, which renames and makes the new file. It never sees a
//! byte of a line: a value is made for one rotation and dropped. Which backups go is decided
//! elsewhere, and so is when they are compressed: here a backup keeps the form it has.
//!
//! What it does with a disk that is not as it expects (0.8.0) is met as follows:
//!
//! | `file-rotate` | here |
//! |---|---|
//! | reads `app.log.01` and `app.log.+1` as number 1, then asserts that `app.log.1` is there | [`Exact`], our own scheme: it learns which backups there are |
//! | deletes `app.log.20260131` as the oldest | the same; and it learns that none is too old |
//! | knows `.gz` alone, and spells it itself | the same: the form is a part of our number |
//! | builds names with `Path::display`, which spoils names that are not UTF-8 | the same |
//! | unwraps the listing of the directory, which fails without a free descriptor | we list, and return the error |
//! | asserts that nothing is at the new name | [`clear_way`] looks first |
//! | keeps the list of backups from its birth | the value is made for one rotation |
//! | opens what is at the path, through links too | `create_new`: it makes a file or none |
//! | discards the error of opening the new file | the caller opens it itself and sees the error |
//! | closes its file before it renames | ours stays open until the new one is |
//!
//! What is left is a change by somebody else between our look and its assertion, some
//! microseconds later. Then the panic is caught and is one more failure to rotate; other writers
//! that are well-behaved are kept out by the lock on the current file.

use super::current::told;
use super::names::{self, Backup, Form, MAX_NUMBER, Names};
use crate::base::fs::calls;
use crate::base::fs::os;
use file_rotate::compression::Compression;
use file_rotate::suffix::{Representation, SuffixScheme};
use file_rotate::{ContentLimit, FileRotate, SuffixInfo};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Moves each backup up by one number and the current file to number 1, and makes a new current
/// file with `mode`.
///
/// # Errors
///
/// Something failed. Files may have moved, but none is lost and none is overwritten; whether the
/// current file is still at its path is for the caller to look at.
pub(super) fn shift(names: &Names, mode: u32) -> io::Result<()> {
    let mut found = list(names)?;
    clear_way(names, &found)?;
    part_twins(names, &mut found.backups)?;
    #[cfg(test)]
    if let Some(result) = calls::shift(&moves(names, &found.backups)) {
        return result;
    }
    let scheme = Exact { backups: found.backups };
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

/// The backups there are, newest first: regular files with a name that is exactly ours.
pub(super) fn backups(names: &Names) -> io::Result<BTreeSet<Backup>> {
    Ok(list(names)?.backups)
}

/// What is in the directory under names of ours.
#[derive(Debug, Default)]
struct Found {
    backups: BTreeSet<Backup>,
    /// What is no regular file, by its number.
    in_the_way: BTreeMap<u32, String>,
}

fn list(names: &Names) -> io::Result<Found> {
    let directory = names.directory();
    let mut found = Found::default();
    for entry in calls::list(directory).map_err(|error| told("list", directory, error))? {
        let entry = entry.map_err(|error| told("list", directory, error))?;
        let Some(backup) = names.read(&entry.file_name()) else { continue };
        match entry.file_type() {
            Ok(kind) if kind.is_file() => _ = found.backups.insert(backup),
            Ok(kind) => {
                let kind = os::describe(kind);
                let text = format!(
                    "{} is {kind} and in the way of a backup",
                    names.backup(backup).display()
                );
                found.in_the_way.insert(backup.number, text);
            }
            Err(error) => return Err(told("look at", &entry.path(), error)),
        }
    }
    Ok(found)
}

/// Whether the current file and each backup up to the first gap can move: they are regular files.
fn clear_way(names: &Names, found: &Found) -> io::Result<()> {
    let path = names.current();
    match calls::look(path) {
        Ok(there) if there.is_file() => {}
        Ok(there) => {
            let kind = os::describe(there.file_type());
            let text = format!("{} is {kind} and in the way of a backup", path.display());
            return Err(io::Error::new(ErrorKind::AlreadyExists, text));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(io::Error::new(
                error.kind(),
                format!("{} no longer exists", path.display()),
            ));
        }
        Err(error) => return Err(told("look at", path, error)),
    }
    let gap = first_gap(&found.backups);
    if let Some((_, text)) = found.in_the_way.range(..=gap).next() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, text.clone()));
    }
    if gap > MAX_NUMBER {
        let text = "no number is left for another backup";
        return Err(io::Error::new(ErrorKind::AlreadyExists, text));
    }
    Ok(())
}

/// The lowest number without a backup.
fn first_gap(backups: &BTreeSet<Backup>) -> u32 {
    backups.iter().fold(1, |gap, backup| if backup.number == gap { gap + 1 } else { gap })
}

/// Gives each number one file: the second one, which somebody must have put there, becomes the
/// oldest backup. (Half-done compression also leaves two, and is finished at the start.)
fn part_twins(names: &Names, backups: &mut BTreeSet<Backup>) -> io::Result<()> {
    for (_, second) in twins(backups) {
        let number = backups.last().map_or(1, |last| last.number.saturating_add(1));
        if number > MAX_NUMBER {
            let text = format!("{} has a number twice", names.backup(second).display());
            return Err(io::Error::new(ErrorKind::AlreadyExists, text));
        }
        let parted = Backup { number, ..second };
        let (from, to) = (names.backup(second), names.backup(parted));
        calls::rename(&from, &to).map_err(|error| told("move", &from, error))?;
        backups.remove(&second);
        backups.insert(parted);
    }
    Ok(())
}

/// Pairs of files with one number: the first as it was written if there is such a one, the second
/// compressed.
pub(super) fn twins(backups: &BTreeSet<Backup>) -> Vec<(Backup, Backup)> {
    let pairs = backups.iter().zip(backups.iter().skip(1));
    pairs.filter(|(a, b)| a.number == b.number).map(|(a, b)| (*a, *b)).collect()
}

/// What `file-rotate` will rename, in its order.
#[cfg(test)]
fn moves(names: &Names, backups: &BTreeSet<Backup>) -> Vec<(PathBuf, PathBuf)> {
    let gap = first_gap(backups);
    let moved = backups.iter().rev().filter(|backup| backup.number < gap);
    let up = |backup: &Backup| Backup { number: backup.number + 1, ..*backup };
    let backups = moved.map(|backup| (names.backup(*backup), names.backup(up(backup))));
    let newest = names.backup(Backup { number: 1, form: Form::Plain });
    backups.chain([(names.current().to_owned(), newest)]).collect()
}

/// The numbering for `file-rotate`: counts like its `AppendCount`, but only sees names that are
/// exactly ours.
struct Exact {
    backups: BTreeSet<Backup>,
}

/// A backup as `file-rotate` sees it: its number, which knows how the backup is called.
#[derive(Debug, Clone, Copy)]
struct Numbered(Backup);

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}

impl Eq for Numbered {}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.number.cmp(&other.0.number)
    }
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.number, f)
    }
}

impl Representation for Numbered {
    fn to_path(&self, base: &Path) -> PathBuf {
        names::path_of(base, self.0)
    }
}

impl SuffixScheme for Exact {
    type Repr = Numbered;

    fn rotate_file(
        &mut self,
        _base: &Path,
        _newest: Option<&Numbered>,
        old: &Option<Numbered>,
    ) -> io::Result<Numbered> {
        let next = |Numbered(Backup { number, form })| Backup { number: number + 1, form };
        Ok(Numbered(old.map_or(Backup { number: 1, form: Form::Plain }, next)))
    }

    fn parse(&self, suffix: &str) -> Option<Numbered> {
        names::parse(suffix).map(Numbered)
    }

    fn too_old(&self, _backup: &Numbered, _position: usize) -> bool {
        false
    }

    fn scan_suffixes(&self, _base: &Path) -> BTreeSet<SuffixInfo<Numbered>> {
        let info = |backup: &Backup| SuffixInfo { suffix: Numbered(*backup), compressed: false };
        self.backups.iter().map(info).collect()
    }
}
