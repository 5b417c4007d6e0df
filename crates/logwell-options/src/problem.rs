//! Problem: one mistake in a configuration, where it is, and what to write instead.

use std::fmt;
use std::path::PathBuf;

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where the wrong value stands.
    pub origin: Origin,
    /// The key's path, such as `files.app.max_bytes`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, with the wrong value unless it is a secret.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

/// Where a value of the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A configuration file; line and column count from 1 and are 0 when unknown.
    File {
        /// The file.
        path: PathBuf,
        /// Line of the value or key.
        line: usize,
        /// Column of the value or key.
        column: usize,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
    },
    /// The command line.
    Flag {
        /// The flag, such as `--broker-port`.
        name: String,
    },
    /// The program itself.
    Code,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { path, line: 0, .. } => write!(f, "{}: ", path.display())?,
            Origin::File { path, line, column } => {
                write!(f, "{}:{line}:{column}: ", path.display())?;
            }
            Origin::Env { name } => write!(f, "environment variable {name}: ")?,
            Origin::Flag { name } => write!(f, "{name}: ")?,
            Origin::Code => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
