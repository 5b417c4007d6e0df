//! Names: how a backup is called, both ways.
//!
//! Knows `app.log` ↔ `app.log.7` and `app.log.7.gz`, and nothing else: pure functions over names;
//! it never looks at a disk. Only a name that [`Names::read`] reads back exactly may ever be moved
//! or deleted, and [`Names::unfinished`], which nothing else is called.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The highest number a backup can have.
///
/// Four digits at most, so that `app.log.20260131`, which another tool has dated, is not taken for
/// backup number twenty million and deleted as the oldest.
pub(super) const MAX_NUMBER: u32 = 9_999;

/// How a backup is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form {
    /// As it was written.
    Plain,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by zstd; the name is ours in a build without it too.
    Zstd,
}

impl Form {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::Gzip, Self::Zstd];

    /// What the name ends in.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// A backup of a log file: 1 is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Backup {
    pub(super) number: u32,
    pub(super) form: Form,
}

/// The names of one log file and its backups, in one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    path: PathBuf,
}

impl Names {
    /// The names for the log file at `path`, which may be relative: it is made absolute, so that
    /// a later change of the working directory moves nothing.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path).map_err(|error| {
            let text = format!(
                "{} is relative, and the working directory cannot be found: {error}",
                path.display()
            );
            io::Error::new(error.kind(), text)
        })?;
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

    /// The path of a backup.
    pub(super) fn backup(&self, backup: Backup) -> PathBuf {
        path_of(&self.path, backup)
    }

    /// The path of a compressed copy as long as it is not complete.
    pub(super) fn unfinished(&self, form: Form) -> PathBuf {
        with_suffix(&self.path, &format!("{}.tmp", form.ending()))
    }

    /// Which backup is called `name`, if it is one of ours.
    ///
    /// Exact: what this reads is what [`Names::backup`] writes, byte for byte.
    pub(super) fn read(&self, name: &OsStr) -> Option<Backup> {
        let base = self.path.file_name()?.as_encoded_bytes();
        let suffix = name.as_encoded_bytes().strip_prefix(base)?.strip_prefix(b".")?;
        parse(std::str::from_utf8(suffix).ok()?)
    }
}

/// The path of a backup of the log file at `path`; any bytes in `path` are kept.
pub(super) fn path_of(path: &Path, Backup { number, form }: Backup) -> PathBuf {
    with_suffix(path, &format!(".{number}{}", form.ending()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Reads what follows the file's name and a dot, in the one spelling that we write.
pub(super) fn parse(suffix: &str) -> Option<Backup> {
    let (digits, form) = match suffix.split_once('.') {
        None => (suffix, Form::Plain),
        Some((digits, "gz")) => (digits, Form::Gzip),
        Some((digits, "zst")) => (digits, Form::Zstd),
        Some(_) => return None,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let number = plain.then(|| digits.parse().ok())??;
    (1..=MAX_NUMBER).contains(&number).then_some(Backup { number, form })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str) -> Option<Backup> {
        Names::new(Path::new("/var/log/app.log")).unwrap().read(OsStr::new(name))
    }

    #[test]
    fn every_backup_is_read_back_from_the_name_it_gives() {
        let names = Names::new(Path::new("/var/log/app.log")).unwrap();
        for form in Form::ALL {
            let name = |number| names.backup(Backup { number, form });
            for number in 1..=MAX_NUMBER {
                let read = names.read(name(number).file_name().unwrap());
                assert_eq!(read, Some(Backup { number, form }));
            }
            for number in [0, MAX_NUMBER + 1] {
                assert_eq!(names.read(name(number).file_name().unwrap()), None);
            }
            assert_eq!(names.read(names.unfinished(form).file_name().unwrap()), None);
        }
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
            "app.log.gz",
            "app.log.1.",
            "app.log.1.bz2",
            "app.log.1.GZ",
            "app.log.1.gz.gz",
            "app.log.1.gz.tmp",
            "app.log.1.zstd",
            "app.log.01.gz",
            "app.log.0.gz",
            "app.log..gz",
            "app.log.1.tmp",
            "app.log.1.1",
            "app.log1",
            "app.log.١",
            "app.log.20260131",
            "app.log.20260131.gz",
            "app.log.4294967297",
            "app.log.99999999999999999999",
            "app-audit.log.1",
            "xapp.log.1",
            "APP.LOG.1",
            "app.log-1",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(read("app.log.1"), Some(Backup { number: 1, form: Form::Plain }));
        assert_eq!(read("app.log.10.gz"), Some(Backup { number: 10, form: Form::Gzip }));
        assert_eq!(read("app.log.3.zst"), Some(Backup { number: 3, form: Form::Zstd }));
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
        fn what_is_read_is_written_the_same(suffix in "[0-9+. agzst]{0,7}") {
            let name = format!("app.log.{suffix}");
            if let Some(Backup { number, form }) = read(&name) {
                prop_assert_eq!(name, format!("app.log.{number}{}", form.ending()));
            }
        }
    }
}
