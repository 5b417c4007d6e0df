//! Since: what was written to a file behind a mark, by a process that is gone.
//!
//! The file may have been rotated since, so its backups are looked at too, newest first, until the one
//! with the mark. Knows lines and files; does not know what is in a line.

use super::file::RotatingFile;
use super::names::Names;
use super::os::{self, FileId};
use super::shift;
use crate::black_box::Mark;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// More than a process writes between two marks by far. What lies behind is not looked at.
const MOST_BYTES: u64 = 256 << 20;
/// So many backups are looked at for the one with the mark.
const MOST_BACKUPS: usize = 1_000;

impl Mark {
    /// Asked for files of one directory only. There the inode tells them apart; the device may have
    /// another number since the file system was mounted again.
    fn is_of(self, id: FileId) -> bool {
        self.inode == id.1
    }
}

impl RotatingFile {
    /// Where it stands: all lines that were flushed are before.
    pub(crate) fn mark(&self) -> Mark {
        let id = self.current.id();
        Mark { device: id.0, inode: id.1, bytes: self.current.bytes() }
    }

    /// Gives each line behind the mark to `see`, in no certain order of files.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub(crate) fn lines_since(
        &self,
        mark: Option<Mark>,
        mut see: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        for path in self.files_since(mark)? {
            let mut file = File::open(&path)?;
            if let Some(mark) = mark
                .filter(|mark| file.metadata().is_ok_and(|metadata| mark.is_of(os::id(&metadata))))
            {
                file.seek(SeekFrom::Start(mark.bytes))?;
            }
            let mut lines = BufReader::new(file.take(MOST_BYTES));
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line)? > 0 {
                see(&line);
                line.clear();
            }
        }
        Ok(())
    }

    /// The file of the mark and those after it. If the mark's is gone, the current one alone.
    fn files_since(&self, mark: Option<Mark>) -> io::Result<Vec<PathBuf>> {
        let current = self.names.current().to_owned();
        let Some(mark) = mark else { return Ok(vec![current]) };
        let backups = shift::backups(&self.names)?;
        let backups =
            backups.into_iter().take(MOST_BACKUPS).map(|backup| self.names.backup(backup));
        let mut files = Vec::new();
        for path in std::iter::once(current.clone()).chain(backups) {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if !metadata.is_file() {
                continue;
            }
            files.push(path);
            if mark.is_of(os::id(&metadata)) {
                return Ok(files);
            }
        }
        Ok(vec![current])
    }
}

/// Cuts off half a line that a killed process has left at the end of its file: the whole record is
/// about to be written. Only what is behind the mark, which is that process's, is cut.
///
/// # Errors
///
/// The file cannot be read or cut.
pub(crate) fn cut_torn(path: &Path, mark: Mark) -> io::Result<()> {
    let found = match path.symlink_metadata() {
        Ok(found) if found.is_file() => found,
        _ => return Ok(()),
    };
    // If the mark is in a backup, the file is younger than it.
    let start = match mark.is_of(os::id(&found)) {
        true => mark.bytes,
        false if is_of_backup(path, mark)? => 0,
        false => return Ok(()),
    };
    if found.len() <= start || found.len() - start > MOST_BYTES {
        return Ok(());
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if os::id(&file.metadata()?) != os::id(&found) {
        return Ok(());
    }
    let mut behind = Vec::new();
    (&file).seek(SeekFrom::Start(start))?;
    (&file).take(MOST_BYTES).read_to_end(&mut behind)?;
    let whole = behind.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < behind.len() { file.set_len(start + whole as u64) } else { Ok(()) }
}

fn is_of_backup(path: &Path, mark: Mark) -> io::Result<bool> {
    let names = Names::new(path)?;
    let backups = shift::backups(&names)?.into_iter().take(MOST_BACKUPS);
    let mut found = backups.filter_map(|backup| names.backup(backup).symlink_metadata().ok());
    Ok(found.any(|metadata| mark.is_of(os::id(&metadata))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::FileOptions;

    fn mark(path: &Path, bytes: u64) -> Mark {
        let id = os::id(&path.metadata().unwrap());
        Mark { device: id.0, inode: id.1, bytes }
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
    fn the_lines_behind_a_mark_are_found_over_rotations() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (name, lines) in [("app.log.2", "1\n2\n"), ("app.log.1", "3\n"), ("app.log", "4\n5\n")]
        {
            std::fs::write(directory.path().join(name), lines).unwrap();
        }
        let file = RotatingFile::open(FileOptions::new(path.clone())).unwrap();
        let behind = |mark: Option<Mark>| {
            let mut lines = Vec::new();
            let see = |line: &[u8]| lines.push(String::from_utf8_lossy(line).trim().to_owned());
            file.lines_since(mark, see).unwrap();
            lines.sort();
            lines.concat()
        };
        assert_eq!(behind(Some(mark(&path, 2))), "5");
        assert_eq!(behind(Some(mark(&directory.path().join("app.log.1"), 2))), "45");
        assert_eq!(behind(Some(mark(&directory.path().join("app.log.2"), 2))), "2345");
        assert_eq!(
            behind(Some(Mark { inode: 1, ..mark(&path, 0) })),
            "45",
            "the mark's file is gone"
        );
        assert_eq!(behind(None), "45");
    }
}
