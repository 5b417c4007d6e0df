//! Dead letters: messages that a destination has refused for good, to be listed, sent again or
//! dropped.
//!
//! Knows the directory of the spools and the files in it that are named `<destination>.dead`. Knows
//! neither records nor networks. In: what people choose. Out: letters, and files in the inbox
//! `<destination>.replay/`, from which the process that forwards takes them.
//!
//! The program `logwell dead` is made of this; see
//! [`_documentation::dead_letters`](crate::_documentation::dead_letters).
//!
//! ```
//! use logwell::dead_letters::{DeadLetters, Selection};
//!
//! # let dir = tempfile::tempdir()?;
//! # std::fs::create_dir(dir.path().join("spool"))?;
//! let dead = DeadLetters::open(dir.path())?;
//! let mut late = Selection::default();
//! late.reason = Some("HTTP status 413".to_owned());
//! dead.list(&late, &mut |letter| println!("{} {}", letter.id, letter.why))?;
//! let sent_again = dead.replay(&late)?;
//! # assert_eq!(sent_again, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod file;
mod letter;
mod selection;

pub(crate) use file::LetterFile;
#[cfg(feature = "forward")]
pub(crate) use file::{inbox, is_handed_over};
pub use letter::Letter;
pub use selection::{Facts, Selection, parse_age};

use crate::base::clock;
use crate::base::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The dead letters of all destinations that spool in one directory.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    dir: PathBuf,
}

impl DeadLetters {
    /// Those below that directory: the one of the log files, with the spools in `spool`, or the one
    /// of the spools itself (`forward.spool_dir`).
    ///
    /// # Errors
    ///
    /// It is not there, or may not be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let below = dir.join("spool");
        let dir = if below.is_dir() { below } else { dir.to_owned() };
        std::fs::read_dir(&dir).map_err(|error| fail("read", &dir, error))?;
        Ok(Self { dir })
    }

    /// Calls `each` with every letter that is meant, of each destination the oldest first. Returns
    /// how many lines of their files are no letters: a damaged one stays where it is.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or another process keeps the directory locked for seconds.
    pub fn list(&self, which: &Selection, each: &mut dyn FnMut(&Letter)) -> Result<u64, Error> {
        let now_ms = clock::unix_ns() / 1_000_000;
        let mut damaged = 0;
        for (file, name) in self.files(which)? {
            let result = file.each(&mut |line| {
                match Letter::parse(&name, line) {
                    Some(letter) if which.takes(&letter.facts(), now_ms) => each(&letter),
                    Some(_) => {}
                    None => damaged += 1,
                }
                Ok(())
            });
            result.map_err(|error| fail("read the dead letters in", file.path(), error))?;
        }
        Ok(damaged)
    }

    /// Puts the letters that are meant into the inbox of their destination, and takes them out of
    /// the file: the process that forwards sends them within seconds, else its next start does.
    /// Says how many they are.
    ///
    /// A kill at any moment loses none; one that comes in between makes some arrive twice, with one
    /// hash.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written; then nothing of this destination has changed, or letters
    /// are in the inbox and still in the file.
    pub fn replay(&self, which: &Selection) -> Result<u64, Error> {
        self.take_out(which, ("send again the dead letters in", LetterFile::replay))
    }

    /// Deletes the letters that are meant, for good. Says how many they were.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written; nothing of this destination has changed then.
    pub fn discard(&self, which: &Selection) -> Result<u64, Error> {
        self.take_out(which, ("drop the dead letters in", LetterFile::discard))
    }

    fn take_out(&self, which: &Selection, (what, act): (&'static str, Act)) -> Result<u64, Error> {
        let now_ms = clock::unix_ns() / 1_000_000;
        let mut count = 0;
        for (file, name) in self.files(which)? {
            let mut is_meant = |line: &[u8]| {
                let letter = Letter::parse(&name, line);
                letter.is_some_and(|letter| which.takes(&letter.facts(), now_ms))
            };
            let taken = act(&file, &mut is_meant);
            count += taken.map_err(|error| fail(what, file.path(), error))?;
        }
        Ok(count)
    }

    /// The files of the destinations that are meant, by name.
    fn files(&self, which: &Selection) -> Result<Vec<(LetterFile, String)>, Error> {
        let mut names: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(|error| fail("read", &self.dir, error))? {
            let entry = entry.map_err(|error| fail("read", &self.dir, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = name.strip_suffix(".1").unwrap_or(&name);
            if let Some(name) = name.strip_suffix(".dead")
                && which.has_destination(name)
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names.into_iter().map(|name| (LetterFile::new(&self.dir, &name), name)).collect())
    }
}

/// What is done with the lines of a file that are meant.
type Act = fn(&LetterFile, &mut dyn FnMut(&[u8]) -> bool) -> io::Result<u64>;

fn fail(what: &'static str, path: &Path, source: io::Error) -> Error {
    let help = "is it the directory of the log files or of the spools (forward.spool_dir), and may \
                this user read and write there?";
    Error::path(what, path, source, help)
}

#[cfg(test)]
mod tests;
