//! Outside: what others do to the directory of the logs, and what they have taken away by it.

use super::names::{self, FAMILIES};
use fastrand::Rng;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The others, and what they have done.
pub(super) struct Outside {
    /// Where the directory of the logs is, and what was one.
    pub(super) root: PathBuf,
    pub(super) logs: PathBuf,
    /// Files that are none of ours, as they must stay.
    pub(super) foreign: BTreeMap<PathBuf, Vec<u8>>,
    /// What is in the place of a file.
    obstacles: Vec<PathBuf>,
    /// Files as they were when something was taken from them.
    pub(super) taken: Vec<(PathBuf, Vec<u8>)>,
    /// How many lines may be torn: the file was taken away in the middle of them.
    pub(super) torn: u64,
    /// Files in which a process has ended, and their lengths.
    ended: HashSet<(u64, u64)>,
    pub(super) acts: u64,
}

const FOREIGN: [&str; 6] =
    ["app.log.20260131", "app.log.01", "app.log.1.bak", "app.log.gz", "errors.log-1", "notes"];

/// What others have written into our file begins so.
pub(super) const THEIRS: &str = "#theirs";

impl Outside {
    pub(super) fn new(root: &Path) -> Self {
        let logs = root.join("logs");
        fs::create_dir_all(&logs).unwrap();
        let mut foreign = BTreeMap::new();
        for name in FOREIGN {
            let path = logs.join(name);
            fs::write(&path, name).unwrap();
            foreign.insert(path, name.as_bytes().to_owned());
        }
        Self {
            root: root.to_owned(),
            logs,
            foreign,
            obstacles: Vec::new(),
            taken: Vec::new(),
            torn: 0,
            ended: HashSet::new(),
            acts: 0,
        }
    }

    /// Does something; says what.
    pub(super) fn act(&mut self, rng: &mut Rng) -> String {
        self.acts += 1;
        let acts = self.acts;
        let path = self.logs.join(FAMILIES[rng.usize(..FAMILIES.len())]);
        let what = match rng.u8(..13) {
            0 | 1 => self.move_away(&path),
            2 => self.unlink(&path),
            3 | 4 => self.copy_and_truncate(&path),
            5 => self.cut(&path, rng),
            6 => self.append(&path),
            7 => self.remove_directory(),
            8 => self.move_directory(),
            9 | 10 => self.put_in_the_way(&path, rng),
            11 => self.unlink_backup(rng),
            _ => chmod(&path, rng),
        };
        let what = what.unwrap_or("found nothing to do");
        format!("outside {acts}: {what} ({})", path.file_name().unwrap().to_string_lossy())
    }

    /// Takes everything out of the way again.
    pub(super) fn mend(&mut self) {
        for path in self.obstacles.drain(..) {
            let _gone_with_its_directory = match path.symlink_metadata() {
                Ok(found) if found.is_dir() => fs::remove_dir(&path),
                Ok(found) if !found.is_file() => fs::remove_file(&path),
                _ => Ok(()),
            };
        }
        for name in FAMILIES {
            let path = self.logs.join(name);
            if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            }
        }
    }

    /// Notes what is in a file that is about to lose it. A line that is torn now may stay so.
    pub(super) fn note(&mut self, path: &Path) -> Option<Vec<u8>> {
        path.symlink_metadata().ok().filter(|found| found.is_file())?;
        let bytes = fs::read(path).unwrap();
        self.taken.push((path.to_owned(), bytes.clone()));
        self.note_torn(&bytes);
        Some(bytes)
    }

    fn note_torn(&mut self, bytes: &[u8]) {
        self.torn += u64::from(bytes.last().is_some_and(|last| *last != b'\n'));
    }

    /// The process is gone: the file it wrote to may end in the middle of a line. If somebody has
    /// moved it, that is some file; after a rotation that has failed half-way it is the newest
    /// backup.
    pub(super) fn note_end(&mut self) {
        for path in self.directories().iter().flat_map(|directory| files(directory)) {
            let name = name(&path);
            let found = fs::metadata(&path).unwrap();
            if names::family(&name).is_some()
                && names::number(&name).unwrap_or_default() <= 1
                && self.ended.insert((found.ino(), found.len()))
            {
                self.note_torn(&fs::read(path).unwrap());
            }
        }
    }

    /// Where files can be: the directory of the logs, and those that were it.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.root).unwrap().map(|entry| entry.unwrap());
        let directories = entries.filter(|entry| entry.file_type().unwrap().is_dir());
        let mut paths: Vec<_> = directories.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    fn move_away(&mut self, path: &Path) -> Option<&'static str> {
        path.symlink_metadata().ok().filter(|found| found.is_file())?;
        self.note_torn(&fs::read(path).unwrap());
        fs::rename(path, aside(path, &format!("-moved-{}", self.acts))).unwrap();
        Some("the file is renamed")
    }

    fn unlink(&mut self, path: &Path) -> Option<&'static str> {
        self.note(path)?;
        fs::remove_file(path).unwrap();
        Some("the file is unlinked")
    }

    fn copy_and_truncate(&mut self, path: &Path) -> Option<&'static str> {
        let bytes = self.note(path)?;
        fs::write(aside(path, &format!("-copy-{}", self.acts)), bytes).unwrap();
        File::options().write(true).open(path).unwrap().set_len(0).unwrap();
        Some("the file is copied and truncated")
    }

    fn cut(&mut self, path: &Path, rng: &mut Rng) -> Option<&'static str> {
        // A line that is not ours and has no end is one that somebody is just writing.
        let is_theirs =
            |bytes: &[u8]| bytes.windows(THEIRS.len()).any(|at| at == THEIRS.as_bytes());
        path.symlink_metadata().ok().filter(|found| found.is_file())?;
        Some(fs::read(path).unwrap()).filter(|bytes| !is_theirs(bytes))?;
        let bytes = self.note(path)?;
        let length = rng.usize(..=bytes.len());
        self.note_torn(&bytes[..length]);
        File::options().write(true).open(path).unwrap().set_len(length as u64).unwrap();
        Some("the file is cut")
    }

    fn append(&mut self, path: &Path) -> Option<&'static str> {
        path.symlink_metadata().ok().filter(|found| found.is_file())?;
        self.note_torn(&fs::read(path).unwrap());
        let mut file = File::options().append(true).open(path).unwrap();
        writeln!(file, "{THEIRS} {}", self.acts).unwrap();
        Some("a line is written to the file")
    }

    fn remove_directory(&mut self) -> Option<&'static str> {
        for path in files(&self.logs) {
            self.note(&path);
        }
        fs::remove_dir_all(&self.logs).ok()?;
        self.foreign.retain(|path, _| !path.starts_with(&self.logs));
        self.obstacles.clear();
        Some("the directory is removed")
    }

    fn move_directory(&mut self) -> Option<&'static str> {
        for path in files(&self.logs) {
            self.note_torn(&fs::read(path).unwrap());
        }
        let away = self.root.join(format!("away-{}", self.acts));
        fs::rename(&self.logs, &away).ok()?;
        let moved = |(path, bytes): (PathBuf, Vec<u8>)| match path.strip_prefix(&self.logs) {
            Ok(inside) => (away.join(inside), bytes),
            Err(_) => (path, bytes),
        };
        self.foreign = std::mem::take(&mut self.foreign).into_iter().map(moved).collect();
        self.obstacles.clear();
        Some("the directory is renamed")
    }

    fn put_in_the_way(&mut self, path: &Path, rng: &mut Rng) -> Option<&'static str> {
        let mut path = path.to_owned();
        if rng.bool() {
            path = aside(&path, &format!(".{}", rng.u8(1..4)));
            path.symlink_metadata().err().filter(|_| self.logs.exists())?;
        } else {
            self.move_away(&path)?;
        }
        let what = match rng.u8(..8) {
            0 => {
                let made = Command::new("mkfifo").arg(&path).status();
                made.ok().filter(|status| status.success())?;
                "a FIFO is put in the way"
            }
            1..4 => {
                let target = self.root.join(format!("target-{}", self.acts));
                fs::write(&target, "stays").unwrap();
                std::os::unix::fs::symlink(&target, &path).unwrap();
                self.foreign.insert(target, b"stays".to_vec());
                "a link is put in the way"
            }
            _ => {
                fs::create_dir(&path).unwrap();
                "a directory is put in the way"
            }
        };
        self.obstacles.push(path);
        Some(what)
    }

    fn unlink_backup(&mut self, rng: &mut Rng) -> Option<&'static str> {
        let is_backup = |path: &PathBuf| names::is_backup(&name(path));
        let backups: Vec<_> = files(&self.logs).into_iter().filter(is_backup).collect();
        let path = rng.choice(&backups)?.clone();
        self.note(&path)?;
        fs::remove_file(path).unwrap();
        Some("a backup is unlinked")
    }
}

fn chmod(path: &Path, rng: &mut Rng) -> Option<&'static str> {
    path.symlink_metadata().ok().filter(|found| found.is_file())?;
    let mode = [0o400, 0o600, 0o644, 0o666][rng.usize(..4)];
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    Some("the mode is changed")
}

fn aside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The regular files in a directory, if it is there, in the order of their names.
pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.map(Result::unwrap);
    let regular = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut paths: Vec<_> = regular.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
