//! Files: which files of a directory belong together, and in which order.
//!
//! Knows the names that logwell gives: `app.log`, its backups `app.log.1`, `app.log.2.gz`,
//! `app.log.3.zst`, and the same of a second process, `app.4242.log`. Does not know what is in
//! them.

use crate::identity::Identity;
use crate::open::Source;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A log file and its backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The path of the current file, whether it is there or not.
    pub current: PathBuf,
    /// The files that are there, the oldest first.
    pub files: Vec<LogFile>,
}

/// A file as it was when the directory was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// The number of the backup; nothing for the current file.
    pub number: Option<u32>,
    /// Tells it from another file that gets its name.
    pub identity: Identity,
    /// Its length.
    pub bytes: u64,
    /// When it was last written to, which its packed copy has from it.
    pub modified: Option<SystemTime>,
    /// The file itself, if it may be packed soon.
    held: Held,
}

/// A file that is open, so that it can be read though it is packed or deleted meanwhile.
#[derive(Debug, Clone, Default)]
struct Held(Option<Arc<File>>);

/// Which file it is says the identity.
impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

impl LogFile {
    /// Opens the file, wherever it is by now: `current` is the path of its family.
    ///
    /// # Errors
    ///
    /// It cannot be opened; of kind `NotFound` if it was deleted or packed.
    pub fn open(&self, current: &Path) -> io::Result<Source> {
        if let Some(file) = &self.held.0 {
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            return Source::of(file);
        }
        let mut path = self.path.clone();
        for _ in 0..ATTEMPTS {
            match Source::open(&path) {
                Ok(opened) if opened.identity == self.identity => return Ok(opened.source),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let files = family_of(current)?.files;
            let Some(moved) = files.into_iter().find(|file| file.identity == self.identity) else {
                break;
            };
            path = moved.path;
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "it is no longer there"))
    }
}

/// A file that is moved just now is looked for so often.
const ATTEMPTS: u32 = 20;
/// So many of the newest files of a family are held: one after the other they are packed.
const HELD_OF_FAMILY: usize = 8;
/// And so many in all: a process may not have more than some hundred open.
const HELD_IN_ALL: usize = 128;

impl Family {
    /// Whether a backup is there: then there may have been older ones.
    #[must_use]
    pub fn has_backups(&self) -> bool {
        self.files.iter().any(|file| file.number.is_some())
    }
}

/// The families of the file called `name`: that of the first process, then those of others by their
/// number. Empty if there is no such file.
///
/// # Errors
///
/// The directory cannot be read.
pub fn families(directory: &Path, name: &str) -> io::Result<Vec<Family>> {
    let mut families = listed(directory, name)?;
    for _ in 0..ATTEMPTS {
        // A rotation moves one file after another: only what stays the same was seen whole.
        let again = listed(directory, name)?;
        let names = |families: &[Family]| -> Vec<_> {
            let files = families.iter().flat_map(|family| &family.files);
            files.map(|file| (file.path.clone(), file.identity)).collect()
        };
        let is_stable = names(&families) == names(&again);
        families = again;
        if is_stable && hold(&mut families) {
            break;
        }
    }
    Ok(families)
}

/// Holds the files that may be packed soon; false if one is another one by now.
fn hold(families: &mut [Family]) -> bool {
    let newest = families.iter_mut().flat_map(|family| {
        let plain = family.files.iter_mut().rev().filter(|file| !is_packed(&file.path));
        plain.take(HELD_OF_FAMILY)
    });
    for file in newest.take(HELD_IN_ALL) {
        match File::open(&file.path).and_then(|open| Ok((open.metadata()?, open))) {
            Ok((metadata, open)) if Identity::of(&metadata) == file.identity => {
                file.held = Held(Some(Arc::new(open)));
            }
            Ok(_) => return false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            // That it cannot be opened is told when it is read.
            Err(_) => {}
        }
    }
    true
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gz" || ending == "zst")
}

/// What one look at the directory shows.
fn listed(directory: &Path, name: &str) -> io::Result<Vec<Family>> {
    let mut found: BTreeMap<Option<Process>, Vec<(bool, LogFile)>> = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Some(parsed) = entry.file_name().to_str().and_then(|known| parse(known, name)) else {
            continue;
        };
        let path = entry.path();
        // It may have been moved since.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_file() {
            let identity = Identity::of(&metadata);
            let bytes = metadata.len();
            let modified = metadata.modified().ok();
            let held = Held::default();
            let file = LogFile { path, number: parsed.number, identity, bytes, modified, held };
            found.entry(parsed.process).or_default().push((parsed.is_packed, file));
        }
    }
    let family = |(process, mut files): (Option<Process>, Vec<(bool, LogFile)>)| {
        // The oldest has the highest number. One that is just being packed may be there twice.
        files.sort_by_key(|(is_packed, file)| {
            (std::cmp::Reverse(file.number.unwrap_or(0)), *is_packed)
        });
        files.dedup_by_key(|(_, file)| file.number);
        let current = directory.join(name_of(name, process));
        Family { current, files: files.into_iter().map(|(_, file)| file).collect() }
    };
    Ok(found.into_iter().map(family).collect())
}

/// The backups of one file and the file itself.
///
/// # Errors
///
/// Its directory cannot be read.
pub fn family_of(path: &Path) -> io::Result<Family> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let all = families(directory, &name)?;
    let is_it = |family: &Family| family.current.file_name() == path.file_name();
    let none = Family { current: path.to_owned(), files: Vec::new() };
    Ok(all.into_iter().find(is_it).unwrap_or(none))
}

/// What the name of a file says.
#[derive(Debug, PartialEq, Eq)]
struct Parsed {
    process: Option<Process>,
    number: Option<u32>,
    is_packed: bool,
}

/// The process that found the file of another one in use: `4242`, or `4242-2` for its second
/// logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Process {
    id: u32,
    logging: u32,
}

impl Process {
    fn read(tag: &str) -> Option<Self> {
        match tag.split_once('-') {
            Some((id, logging)) => Some(Self { id: number(id)?, logging: number(logging)? }),
            None => Some(Self { id: number(tag)?, logging: 1 }),
        }
    }

    fn tag(self) -> String {
        match self.logging {
            1 => self.id.to_string(),
            logging => format!("{}-{logging}", self.id),
        }
    }
}

/// Reads a name that belongs to the log file called `base`.
fn parse(name: &str, base: &str) -> Option<Parsed> {
    let (stem, extension) = split(base);
    let rest = name.strip_prefix(stem)?;
    let of_another = || {
        let (process, rest) = rest.strip_prefix('.')?.split_once('.')?;
        Some((Some(Process::read(process)?), rest.strip_prefix(extension.strip_prefix('.')?)?))
    };
    let of_this = || Some((None, rest.strip_prefix(extension)?));
    let (process, rest) = of_another().or_else(of_this)?;
    let packed = [".gz", ".zst"].iter().find_map(|ending| rest.strip_suffix(ending));
    let digits = packed.unwrap_or(rest);
    let number = match digits {
        "" => None,
        digits => Some(number(digits.strip_prefix('.')?).filter(|n| *n <= MAX_NUMBER)?),
    };
    Some(Parsed { process, number, is_packed: packed.is_some() })
}

/// logwell numbers up to here; `app.log.20260131` was made by somebody else.
const MAX_NUMBER: u32 = 9_999;

fn number(digits: &str) -> Option<u32> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    is_plain.then(|| digits.parse().ok())?
}

/// `app.log` → `app`, `.log`
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}

fn name_of(name: &str, process: Option<Process>) -> String {
    let (stem, extension) = split(name);
    process
        .map_or_else(|| name.to_owned(), |process| format!("{stem}.{}{extension}", process.tag()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(process: Option<u32>, number: Option<u32>, is_packed: bool) -> Option<Parsed> {
        let process = process.map(|id| Process { id, logging: 1 });
        Some(Parsed { process, number, is_packed })
    }

    #[test]
    fn every_name_that_logwell_gives_is_read() {
        assert_eq!(parse("app.log", "app.log"), parsed(None, None, false));
        assert_eq!(parse("app.log.7", "app.log"), parsed(None, Some(7), false));
        assert_eq!(parse("app.log.12.gz", "app.log"), parsed(None, Some(12), true));
        assert_eq!(parse("app.log.12.zst", "app.log"), parsed(None, Some(12), true));
        assert_eq!(parse("app.4242.log", "app.log"), parsed(Some(4242), None, false));
        assert_eq!(parse("app.4242.log.3.gz", "app.log"), parsed(Some(4242), Some(3), true));
        let second = Some(Process { id: 4242, logging: 2 });
        let parsed_second = parse("app.4242-2.log.1", "app.log").unwrap();
        assert_eq!((parsed_second.process, parsed_second.number), (second, Some(1)));
        assert_eq!(name_of("app.log", second), "app.4242-2.log");
        assert_eq!(parse("audit", "audit"), parsed(None, None, false));
        assert_eq!(parse("audit.3", "audit"), parsed(None, Some(3), false));
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in [
            "app-audit.log",
            "app.log.1.tmp",
            "app.log.01",
            "app.log.20260131",
            "app.x.log",
            "xapp.log",
            "app.log.",
            "app.log.1.gz.tmp",
            "app..log",
            "app",
            "app.log.1.1",
        ] {
            assert_eq!(parse(name, "app.log"), None, "{name}");
        }
    }

    #[test]
    fn a_file_that_is_packed_or_deleted_after_it_was_listed_is_read_all_the_same() {
        use std::io::Read as _;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for (name, text) in [("app.log.1", "one\n"), ("app.log", "two\n")] {
            fs::write(path(name), text).unwrap();
        }
        let family = family_of(&path("app.log")).unwrap();
        // The new files may get the inodes of the old ones.
        for name in ["app.log.1", "app.log"] {
            fs::remove_file(path(name)).unwrap();
            fs::write(path(name), "new\n").unwrap();
        }
        for (file, expected) in family.files.iter().zip(["one\n", "two\n"]) {
            for _ in 0..2 {
                let mut text = String::new();
                file.open(&family.current).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, expected);
            }
        }
    }

    #[test]
    fn files_come_in_the_order_in_which_they_were_written() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "app.log",
            "app.log.1",
            "app.log.10.gz",
            "app.log.2",
            "app.log.2.gz",
            "app.77.log",
            "app.77.log.1",
            "errors.log",
            "app.log.3.gz.tmp",
        ] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        fs::create_dir(directory.path().join("app.log.4")).unwrap();
        let families = families(directory.path(), "app.log").unwrap();
        let names: Vec<Vec<_>> = families
            .iter()
            .map(|family| {
                let name =
                    |file: &LogFile| file.path.file_name().unwrap().to_str().unwrap().to_owned();
                family.files.iter().map(name).collect()
            })
            .collect();
        assert_eq!(
            names,
            [
                vec!["app.log.10.gz", "app.log.2", "app.log.1", "app.log"],
                vec!["app.77.log.1", "app.77.log"]
            ]
        );
        assert!(families[0].has_backups());
        let one = family_of(&directory.path().join("errors.log")).unwrap();
        assert!(!one.has_backups() && one.files.len() == 1);
        assert!(family_of(&directory.path().join("none.log")).unwrap().files.is_empty());
    }
}
