//! Traces: what a start makes on the disk, and what goes again if it fails.
//!
//! Before a file or directory may be made it is named here, and noted if it is not there. A start
//! that succeeds keeps all of it. Of one that fails, what was not there before goes, as long as
//! nothing is in it: nothing that holds a record is ever removed. Knows paths; does not know what
//! makes them.

use std::fs;
use std::path::{Path, PathBuf};

/// What was not there before a start. Goes with this value, unless it is [kept](Self::keep).
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Traces(Vec<Trace>);

#[derive(Debug)]
enum Trace {
    Directory(PathBuf),
    File(PathBuf),
    Disposable(PathBuf),
}

impl Traces {
    /// That directory may be made, and those above it.
    pub(crate) fn directory(&mut self, path: &Path) {
        let absent: Vec<_> = path.ancestors().take_while(|path| is_absent(path)).collect();
        self.0.extend(absent.into_iter().rev().map(|path| Trace::Directory(path.to_owned())));
    }

    /// That file may be made, and its directory.
    pub(crate) fn file(&mut self, path: &Path) {
        self.note(path, Trace::File);
    }

    /// The same of a file that goes whatever is in it, for it is no record: a lock, a cursor.
    pub(crate) fn disposable(&mut self, path: &Path) {
        self.note(path, Trace::Disposable);
    }

    fn note(&mut self, path: &Path, trace: fn(PathBuf) -> Trace) {
        if let Some(directory) = path.parent() {
            self.directory(directory);
        }
        if is_absent(path) {
            self.0.push(trace(path.to_owned()));
        }
    }

    /// The start has succeeded.
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        for trace in self.0.drain(..).rev() {
            // What cannot be removed stays: the start has failed for a reason that is reported
            // already.
            let _ = match trace {
                Trace::Directory(path) => fs::remove_dir(path),
                Trace::Disposable(path) => fs::remove_file(path),
                Trace::File(path) => match path.symlink_metadata() {
                    Ok(found) if found.is_file() && found.len() == 0 => fs::remove_file(path),
                    other => other.map(drop),
                },
            };
        }
    }
}

/// Whether nothing is there. What cannot be looked at counts as there.
fn is_absent(path: &Path) -> bool {
    !path.as_os_str().is_empty()
        && path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_goes_if_it_is_not_kept_and_what_was_there_or_holds_something_stays() {
        for is_kept in [true, false] {
            let root = tempfile::tempdir().unwrap();
            let at = |name: &str| root.path().join(name);
            fs::write(at("before.log"), "").unwrap();
            let mut traces = Traces::default();
            for name in ["before.log", "a/b/app.log", "a/b/full.log", "a/never.log"] {
                traces.file(&at(name));
            }
            traces.disposable(&at("a/.app.log.lock"));
            traces.directory(&at("c/d"));
            for directory in ["a/b", "c/d"] {
                fs::create_dir_all(at(directory)).unwrap();
            }
            let contents =
                [("a/b/app.log", ""), ("a/b/full.log", "a line"), ("a/.app.log.lock", "1")];
            contents.iter().for_each(|(name, text)| fs::write(at(name), text).unwrap());
            if is_kept {
                traces.keep();
            } else {
                drop(traces);
            }
            assert!(at("before.log").exists() && at("a/b/full.log").exists());
            for name in ["a/b/app.log", "a/.app.log.lock", "c"] {
                assert_eq!(at(name).exists(), is_kept, "{name}");
            }
        }
    }
}
