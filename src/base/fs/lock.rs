//! Lock: which process writes to a path, when several want to.
//!
//! An advisory lock on its own file, `.app.log.lock`: the log file itself is another one after
//! each rotation. It dies with the process, however that ends; the file stays, and is no sign of
//! anything. It holds the number of the last process that had it, for people.

use super::os;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A process that is just ending may still have it.
const PATIENCE: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The sole right to write to a path, until it is dropped.
#[derive(Debug)]
pub(crate) struct PathLock {
    /// Nothing where a file system knows no locks.
    _file: Option<File>,
}

/// Whether the path is free.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is ours now. An error says why nobody will know of it.
    Ours(PathLock, Option<io::Error>),
    /// Another process has it; its number, if it can be read.
    Theirs(Option<u32>),
}

/// Asks for the sole right to write to `path`. Waits a moment for a process that is ending.
pub(crate) fn claim(path: &Path) -> Claim {
    let unlocked = |error| Claim::Ours(PathLock { _file: None }, Some(error));
    let mut file = match open(&lock_path(path)) {
        Ok(file) => file,
        Err(error) => return unlocked(error),
    };
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::park_timeout(LOOK_EVERY);
            }
            Err(TryLockError::WouldBlock) => return Claim::Theirs(read_pid(&mut file)),
            Err(TryLockError::Error(error)) => return unlocked(error),
        }
    }
    // For people only: a lock that cannot say whose it is holds all the same.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Claim::Ours(PathLock { _file: Some(file) }, None)
}

/// `app.log` → `app.4711.log`, the name of a process's own file; `tag` is its number.
pub(crate) fn own_name(name: &str, tag: &str) -> String {
    let path = Path::new(name);
    match (path.file_stem().and_then(OsStr::to_str), path.extension().and_then(OsStr::to_str)) {
        (Some(stem), Some(extension)) => format!("{stem}.{tag}.{extension}"),
        _ => format!("{name}.pid{tag}"),
    }
}

/// `app.log` → `.app.log.lock`.
pub(crate) fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".lock");
    path.with_file_name(name)
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        os::make_directory(directory)?;
    }
    match os::new_file(LOCK_MODE).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = path.symlink_metadata()?;
    if !found.is_file() {
        let kind = os::describe(found.file_type());
        let text = format!("{} is {kind}, not a regular file", path.display());
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    OpenOptions::new().read(true).append(true).open(path)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

const LOCK_MODE: u32 = 0o640;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_one_until_that_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/app.log");
        let Claim::Ours(first, None) = claim(&path) else { panic!("it is free") };
        assert!(matches!(claim(&path), Claim::Theirs(pid) if pid == Some(std::process::id())));
        let Claim::Ours(_other, None) = claim(&path.with_file_name("errors.log")) else {
            panic!("it is another one")
        };
        drop(first);
        assert!(matches!(claim(&path), Claim::Ours(_, None)));
    }

    #[cfg(unix)]
    #[test]
    fn what_stands_in_the_place_of_the_lock_is_neither_followed_nor_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        let target = directory.path().join("target");
        std::os::unix::fs::symlink(&target, directory.path().join(".app.log.lock")).unwrap();
        assert!(matches!(claim(&path), Claim::Ours(_, Some(_))));
        assert!(!target.exists());
    }

    #[test]
    fn a_process_has_a_name_of_its_own() {
        assert_eq!(own_name("app.log", "7"), "app.7.log");
        assert_eq!(own_name("a.b.log", "7"), "a.b.7.log");
        assert_eq!(own_name("log", "7"), "log.pid7");
        assert_eq!(own_name(".log", "7"), ".log.pid7");
    }
}
