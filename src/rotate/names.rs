//! Names: how a backup is called, both ways.
//!
//! Knows `app.log` ↔ `app.log.7` and nothing else: pure functions over names; it never looks at a
//! disk. Only a name that [`Names::number`] reads back exactly may ever be moved or deleted.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The highest number a backup can have.
///
/// Four digits at most, so that `app.log.20260131`, which another tool has dated, is not taken for
/// backup number twenty million and deleted as the oldest.
pub(super) const MAX_NUMBER: u32 = 9_999;

/// The names of one log file and its backups, in one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    path: PathBuf,
}

impl Names {
    /// The names for the log file at `path`, which may be relative: it is made absolute, so that
    /// a later change of the working directory moves nothing.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        if path.file_name().is_none() || path.parent().is_none() {
            let text = format!("{} is not the name of a file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self { path })
    }

    /// The log file itself.
    pub(super) fn current(&self) -> &Path {
        &self.path
    }

    /// The directory of the log file and its backups.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// The path of backup `number`.
    pub(super) fn backup(&self, number: u32) -> PathBuf {
        backup(&self.path, number)
    }

    /// Which backup is called `name`, if it is one of ours.
    ///
    /// Exact: what this reads as `n` is what [`Names::backup`] writes for `n`, byte for byte.
    pub(super) fn number(&self, name: &OsStr) -> Option<u32> {
        let base = self.path.file_name()?.as_encoded_bytes();
        let suffix = name.as_encoded_bytes().strip_prefix(base)?.strip_prefix(b".")?;
        parse(std::str::from_utf8(suffix).ok()?)
    }
}

/// The path of backup `number` of the log file at `path`; any bytes in `path` are kept.
pub(super) fn backup(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Reads a backup's number in the one spelling that we write.
pub(super) fn parse(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let number = plain.then(|| digits.parse().ok())??;
    (1..=MAX_NUMBER).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(name: &str) -> Option<u32> {
        Names::new(Path::new("/var/log/app.log")).unwrap().number(OsStr::new(name))
    }

    #[test]
    fn every_number_is_read_back_from_the_name_it_gives() {
        let names = Names::new(Path::new("/var/log/app.log")).unwrap();
        for n in 1..=MAX_NUMBER {
            assert_eq!(names.number(names.backup(n).file_name().unwrap()), Some(n));
        }
        assert_eq!(names.number(names.backup(0).file_name().unwrap()), None);
        assert_eq!(names.number(names.backup(MAX_NUMBER + 1).file_name().unwrap()), None);
    }

    #[test]
    fn a_name_in_any_other_spelling_is_not_ours() {
        for name in [
            "app.log",
            "app.log.",
            "app.log.0",
            "app.log.01",
            "app.log.+1",
            "app.log.-1",
            "app.log. 1",
            "app.log.1 ",
            "app.log.1.gz",
            "app.log.1.tmp",
            "app.log.1.1",
            "app.log1",
            "app.log.١",
            "app.log.20260131",
            "app.log.4294967297",
            "app.log.99999999999999999999",
            "app-audit.log.1",
            "xapp.log.1",
            "APP.LOG.1",
            "app.log-1",
        ] {
            assert_eq!(number(name), None, "{name}");
        }
        assert_eq!(number("app.log.1"), Some(1));
        assert_eq!(number("app.log.10"), Some(10));
    }

    #[test]
    fn a_path_without_a_file_name_is_refused() {
        assert!(Names::new(Path::new("/")).is_err());
        assert!(Names::new(Path::new("/var/..")).is_err());
        assert!(Names::new(Path::new("")).is_err());
    }

    #[test]
    fn a_relative_path_has_a_directory() {
        let names = Names::new(Path::new("app.log")).unwrap();
        assert_eq!(names.directory(), std::env::current_dir().unwrap());
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_number_is_written_the_same(suffix in "[0-9+. a-z]{0,6}") {
            let name = format!("app.log.{suffix}");
            if let Some(n) = number(&name) {
                prop_assert_eq!(name, format!("app.log.{n}"));
            }
        }
    }
}
