//! Watch: a file that changes while the monitor runs: a good one is taken, a bad one is not.
//!
//! Knows: which text was taken last, and what is wrong with the one that is there. Must not know:
//! how a file is read. In: what was read, as often as one likes; out: a configuration when there is
//! a new one.

use super::MonitorConfig;
use logwell_options::problem::{ConfigProblem, Origin};
use std::io;
use std::path::{Path, PathBuf};

/// A configuration file that is looked at again and again.
///
/// The whole text is compared, so editors that rename, mounts without notice and clocks that jump
/// do not matter. A file is at most 1 MiB.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    /// What was offered last, good or bad.
    seen: Option<Result<String, io::ErrorKind>>,
    problems: Vec<ConfigProblem>,
}

impl Watch {
    /// Watches the file of that path. Reads nothing.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None, problems: Vec::new() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what the file holds now. Returns a configuration if it is another one than last time
    /// and has no problem.
    ///
    /// # Errors
    ///
    /// It is another one and has problems: the configuration that is in use stays. The same
    /// problems are returned once; [`problems`](Self::problems) has them as long as they last.
    pub fn offer(
        &mut self,
        read: io::Result<String>,
        now_ms: i64,
    ) -> Result<Option<MonitorConfig>, Vec<ConfigProblem>> {
        let read = read.map_err(|error| error.kind());
        if self.seen.as_ref() == Some(&read) {
            return Ok(None);
        }
        let parsed = match &read {
            Ok(text) => MonitorConfig::parse(&self.path, text, now_ms),
            Err(kind) => Err(vec![self.unreadable(*kind)]),
        };
        self.seen = Some(read);
        match parsed {
            Ok(config) => {
                self.problems.clear();
                Ok(Some(config))
            }
            Err(problems) => {
                self.problems.clone_from(&problems);
                Err(problems)
            }
        }
    }

    /// What is wrong with the file that is there. While there is something, an older configuration
    /// is in use.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    fn unreadable(&self, kind: io::ErrorKind) -> ConfigProblem {
        ConfigProblem {
            origin: Origin::File { path: self.path.clone(), line: 0, column: 0 },
            key: String::new(),
            problem: format!("cannot be read: {}", io::Error::from(kind)),
            help: "put the file back; the last good one is in use".to_owned(),
        }
    }
}
