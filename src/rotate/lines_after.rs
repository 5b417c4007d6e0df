//! Lines after a mark: what a process that has ended wrote to a file after a mark.
//!
//! The file may have been rotated since, so the backups are read too. It may have had a name with
//! that process's id, so it is found by its inode. Knows lines and files; does not know the
//! contents of a line.

use super::file::RotatingFile;
use super::names::{Form, Names};
use super::pack;
use super::shift;
use crate::base::fs::calls;
use crate::base::fs::lock::{self, Claim};
use crate::base::fs::os::{self, FileId};
use crate::rotate::Mark;
use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// More than a process writes between two marks by far. What is behind is not looked at.
const MOST_BYTES: u64 = 256 << 20;
/// A file that was changed so long before the mark has nothing behind it, whoever has set the clock
/// a little.
const LONG_BEFORE: Duration = Duration::from_secs(60);
/// A clock may have been set back so far between the making of a file and a mark in it.
const SLACK: Duration = Duration::from_secs(1);

impl Mark {
    /// Asked for files of one directory only. There the inode tells them apart; the device may have
    /// another number since the file system was mounted again. A file that is younger than the mark
    /// has got the inode of one that was deleted, or is a copy.
    fn is_of(self, id: FileId, made: Option<SystemTime>) -> bool {
        let is_younger = self.unix_ns != 0 && made.is_some_and(|made| made > self.time() + SLACK);
        self.inode == id.1 && self.inode != 0 && !is_younger
    }

    fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.unix_ns)
    }
}

/// A file with lines of a log.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    form: Form,
    /// Where to begin to read.
    from: u64,
    id: FileId,
    made: Option<SystemTime>,
    modified: SystemTime,
}

impl RotatingFile {
    /// Where it stands: all lines that were flushed are before.
    pub(crate) fn mark(&self) -> Mark {
        let id = self.current.id();
        Mark { device: id.0, inode: id.1, bytes: self.current.bytes(), unix_ns: 0 }
    }

    /// Gives each line that may be behind the mark to `see`. If the mark's file is gone, these are
    /// the lines of all files that were changed after it.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub(crate) fn lines_after(&self, mark: Mark, see: impl FnMut(&[u8])) -> io::Result<()> {
        self.first_lines_since(mark, MOST_BYTES, see)
    }

    /// The same of so many bytes. Those right behind the mark come first: they are of the process
    /// that was there, whatever others have written since.
    fn first_lines_since(
        &self,
        mark: Mark,
        most_bytes: u64,
        mut see: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let mut left = most_bytes;
        for part in parts_since(&self.names, mark)?.into_iter().rev() {
            let mut file = calls::open_to_read(&part.path)?;
            file.seek(SeekFrom::Start(part.from))?;
            let mut lines = BufReader::new(pack::reader(file, part.form)?.take(left));
            let mut line = Vec::new();
            loop {
                match lines.read_until(b'\n', &mut line) {
                    Ok(0) => break,
                    Ok(_) => see(&line),
                    // A copy that was never finished; its original is another part.
                    Err(_) if part.form != Form::Plain => break,
                    Err(error) => return Err(error),
                }
                left = left.saturating_sub(line.len() as u64);
                line.clear();
            }
        }
        Ok(())
    }
}

/// The files with lines behind the mark: that of the mark, and those after it.
fn parts_since(names: &Names, mark: Mark) -> io::Result<Vec<Part>> {
    let mut parts = parts(names)?;
    if cut_at_mark(&mut parts, mark) {
        return Ok(parts);
    }
    // It was deleted or packed, or it is another name's. Then these may have what was recovered
    // before.
    let oldest = mark.time().checked_sub(LONG_BEFORE).unwrap_or(SystemTime::UNIX_EPOCH);
    parts.retain(|part| part.modified >= oldest);
    if let Some(path) = family_of_mark(names.current(), mark) {
        let mut others = self::parts(&Names::new(&path)?)?;
        if cut_at_mark(&mut others, mark) {
            parts.extend(others);
        }
    }
    Ok(parts)
}

/// The current file and its backups, newest first.
fn parts(names: &Names) -> io::Result<Vec<Part>> {
    let backups = shift::backups(names)?;
    let backups = backups.into_iter().map(|backup| (names.backup(backup), backup.form));
    let all = std::iter::once((names.current().to_owned(), Form::Plain)).chain(backups);
    let look = |(path, form): (PathBuf, Form)| {
        let metadata = calls::look(&path).ok().filter(std::fs::Metadata::is_file)?;
        let modified = metadata.modified().unwrap_or(SystemTime::now());
        let (id, made) = (os::id(&metadata), metadata.created().ok());
        Some(Part { path, form, from: 0, id, made, modified })
    };
    Ok(all.filter_map(look).collect())
}

/// Leaves only the file of the mark, from there on, and newer ones; false if it is not among them.
fn cut_at_mark(parts: &mut Vec<Part>, mark: Mark) -> bool {
    let is_marked = |part: &Part| part.form == Form::Plain && mark.is_of(part.id, part.made);
    let Some(at) = parts.iter().position(is_marked) else { return false };
    parts.truncate(at + 1);
    if let Some(marked) = parts.last_mut() {
        marked.from = mark.bytes;
    }
    true
}

/// The log file beside `current` that has the mark in it or in a backup of it, and had the same
/// name but for the number of its process.
fn family_of_mark(current: &Path, mark: Mark) -> Option<PathBuf> {
    let directory = current.parent().unwrap_or(Path::new("."));
    let first = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.split('.').next().filter(|first| !first.is_empty()).map(str::to_owned)
    };
    let ours = first(current)?;
    let is_it = |path: &PathBuf| {
        first(path).is_some_and(|first| first == ours)
            && calls::look(path).is_ok_and(|metadata| {
                metadata.is_file() && mark.is_of(os::id(&metadata), metadata.created().ok())
            })
    };
    let path = calls::list(directory).ok()?.flatten().map(|entry| entry.path()).find(is_it)?;
    let is_number = path.extension().and_then(|number| number.to_str());
    match is_number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        true => Some(path.with_extension("")),
        false => Some(path),
    }
}

/// Cuts off half a line that a killed process has left at the end of its file: the whole record is
/// about to be written. Only what is behind the mark, which is that process's, is cut; and no file
/// of which another process has the lock.
///
/// # Errors
///
/// The file cannot be read or cut.
pub(crate) fn cut_torn(path: &Path, mark: Mark) -> io::Result<()> {
    let mut found = parts(&Names::new(path)?)?;
    let mut _lock = None;
    if !cut_at_mark(&mut found, mark) {
        let Some(other) = family_of_mark(path, mark) else { return Ok(()) };
        _lock = match lock::claim(&other) {
            Claim::Ours(lock, _) => Some(lock),
            Claim::Theirs(_) => return Ok(()),
        };
        found = parts(&Names::new(&other)?)?;
        if !cut_at_mark(&mut found, mark) {
            return Ok(());
        }
    }
    // Only the current one is written to. If the mark is in a backup, it is younger than the mark.
    let Some(Part { path, from, id, .. }) = found.first() else { return Ok(()) };
    let file = calls::open(OpenOptions::new().read(true).write(true), path)?;
    let metadata = calls::look_at(&file)?;
    if os::id(&metadata) != *id || metadata.len() <= *from || metadata.len() - from > MOST_BYTES {
        return Ok(());
    }
    let mut behind = Vec::new();
    (&file).seek(SeekFrom::Start(*from))?;
    (&file).take(MOST_BYTES).read_to_end(&mut behind)?;
    let whole = behind.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < behind.len() { calls::cut(&file, from + whole as u64) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::FileOptions;

    fn mark(path: &Path, bytes: u64) -> Mark {
        let id = os::id(&path.metadata().unwrap());
        Mark { device: id.0, inode: id.1, bytes, unix_ns: 0 }
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn half_a_line_behind_the_mark_is_cut_and_nothing_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (before, bytes, after) in [
            ("one\ntwo\nthr", 4, "one\ntwo\n"),
            ("one\ntw", 4, "one\n"),
            ("one\n", 4, "one\n"),
            ("one\ntwo\n", 4, "one\ntwo\n"),
            ("half", 4, "half"),
            ("ha", 4, "ha"),
        ] {
            std::fs::write(&path, before).unwrap();
            cut_torn(&path, mark(&path, bytes)).unwrap();
            assert_eq!(text(&path), after, "{before:?}");
        }
    }

    #[test]
    fn a_file_that_is_younger_than_the_mark_is_cut_and_any_other_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        let backup = directory.path().join("app.log.1");
        std::fs::write(&backup, "old\n").unwrap();
        std::fs::write(&path, "new\nhal").unwrap();
        let elsewhere = Mark { inode: 1, ..mark(&backup, 0) };
        cut_torn(&path, elsewhere).unwrap();
        assert_eq!(text(&path), "new\nhal");
        cut_torn(&path, mark(&backup, 0)).unwrap();
        assert_eq!(text(&path), "new\n");
    }

    #[test]
    fn a_file_that_only_has_the_number_of_the_one_with_the_mark_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        // Numbers of deleted files are used again, and mean nothing in a copy of a directory.
        for name in [".logwell-4711-0000000000c0ffee.box", "data", "apple.log", "errors.log"] {
            let other = directory.path().join(name);
            std::fs::write(&other, "one\nhalf").unwrap();
            cut_torn(&path, mark(&other, 2)).unwrap();
            assert_eq!(text(&other), "one\nhalf", "{name}");
        }
        std::fs::write(&path, "one\nhalf").unwrap();
        if path.metadata().unwrap().created().is_ok() {
            let long_ago = Mark { unix_ns: 1, ..mark(&path, 2) };
            cut_torn(&path, long_ago).unwrap();
            assert_eq!(text(&path), "one\nhalf", "it was made after the mark");
        }
        cut_torn(&path, mark(&path, 2)).unwrap();
        assert_eq!(text(&path), "one\n");
    }

    #[test]
    fn if_not_all_can_be_read_it_is_what_lies_right_behind_the_mark() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (name, lines) in [("app.log.2", "1\n2\n"), ("app.log.1", "3\n"), ("app.log", "4\n5\n")]
        {
            std::fs::write(directory.path().join(name), lines).unwrap();
        }
        let file = RotatingFile::open(FileOptions::new(path.clone())).unwrap();
        let mut lines = String::new();
        let see = |line: &[u8]| lines.push_str(String::from_utf8_lossy(line).trim());
        file.first_lines_since(mark(&directory.path().join("app.log.2"), 2), 4, see).unwrap();
        assert_eq!(lines, "23");
    }

    #[test]
    fn the_lines_behind_a_mark_are_found_over_rotations() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (name, lines) in [("app.log.2", "1\n2\n"), ("app.log.1", "3\n"), ("app.log", "4\n5\n")]
        {
            std::fs::write(directory.path().join(name), lines).unwrap();
        }
        let file = RotatingFile::open(FileOptions::new(path.clone())).unwrap();
        let behind = |mark: Mark| {
            let mut lines = Vec::new();
            let see = |line: &[u8]| lines.push(String::from_utf8_lossy(line).trim().to_owned());
            file.lines_after(mark, see).unwrap();
            lines.sort();
            lines.concat()
        };
        assert_eq!(behind(mark(&path, 2)), "5");
        assert_eq!(behind(mark(&directory.path().join("app.log.1"), 2)), "45");
        assert_eq!(behind(mark(&directory.path().join("app.log.2"), 2)), "2345");
        let gone = Mark { inode: 1, ..mark(&path, 0) };
        assert_eq!(behind(gone), "12345", "whatever was changed after it");
        let later = SystemTime::now() + 2 * LONG_BEFORE;
        let later = later.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        assert_eq!(behind(Mark { unix_ns: later.try_into().unwrap(), ..gone }), "");
        std::fs::rename(&path, directory.path().join("app.77.log")).unwrap();
        std::fs::write(&path, "6\n").unwrap();
        let other = mark(&directory.path().join("app.77.log"), 2);
        assert!(behind(other).ends_with("56"), "under the name that a process had for itself");
    }
}
