//! Error: why logging could not be set up.
//!
//! Set-up is the only thing that can fail; what goes wrong later is counted and reported on the
//! self-log.

use logwell_options::problem::ConfigProblem;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why logging could not be set up, with the place to look at and what to do.
///
/// `Debug` prints the same text as `Display`, so that `fn main() -> Result<(), Box<dyn Error>>`
/// shows it readably.
pub struct Error(Box<ErrorKind>);

/// What went wrong.
#[derive(Debug)]
pub(crate) enum ErrorKind {
    /// The configuration has mistakes: all of them.
    Config(Vec<ConfigProblem>),
    /// A file or directory cannot be used.
    Path { action: &'static str, path: PathBuf, source: io::Error, help: &'static str },
    /// A log file cannot be used; the source names it.
    LogFile { source: io::Error, help: &'static str },
    /// `init_logging` was called before.
    AlreadyInitialised { first: String },
    /// Another global subscriber or `log` logger is in place.
    Occupied { what: &'static str, help: &'static str },
    /// An address of the configuration cannot be listened on.
    #[cfg(feature = "metrics")]
    Listen { key: &'static str, address: String, source: io::Error },
    /// A thread could not be started.
    Thread { name: &'static str, source: io::Error },
}

impl Error {
    pub(crate) fn config(mistakes: Vec<ConfigProblem>) -> Self {
        ErrorKind::Config(mistakes).into()
    }

    pub(crate) fn path(
        action: &'static str,
        path: &Path,
        source: io::Error,
        help: &'static str,
    ) -> Self {
        ErrorKind::Path { action, path: path.to_owned(), source, help }.into()
    }

    /// Whether the configuration is wrong.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(*self.0, ErrorKind::Config(_))
    }

    /// Whether a file or directory cannot be used.
    #[must_use]
    pub fn is_path(&self) -> bool {
        matches!(*self.0, ErrorKind::Path { .. } | ErrorKind::LogFile { .. })
    }

    /// Whether logging was set up before.
    #[must_use]
    pub fn is_already_initialised(&self) -> bool {
        matches!(*self.0, ErrorKind::AlreadyInitialised { .. })
    }

    /// The mistakes of the configuration; empty for other errors.
    #[must_use]
    pub fn mistakes(&self) -> &[ConfigProblem] {
        match &*self.0 {
            ErrorKind::Config(mistakes) => mistakes,
            _ => &[],
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorKind::Config(mistakes) => match mistakes.as_slice() {
                [only] => write!(f, "logging configuration: {only}"),
                all => {
                    write!(f, "logging configuration has {} mistakes:", all.len())?;
                    all.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
                }
            },
            ErrorKind::Path { action, path, source, help } => {
                write!(f, "cannot {action} {}: {source}; {help}", path.display())
            }
            ErrorKind::LogFile { source, help } => write!(f, "cannot log: {source}; {help}"),
            ErrorKind::AlreadyInitialised { first } => write!(
                f,
                "logging is already set up (by {first}); call init_logging() once, at start-up"
            ),
            ErrorKind::Occupied { what, help } => write!(f, "{what} is already set; {help}"),
            #[cfg(feature = "metrics")]
            ErrorKind::Listen { key, address, source } => {
                write!(f, "cannot listen on {address} ({key}): {source}; does another program?")
            }
            ErrorKind::Thread { name, source } => {
                write!(
                    f,
                    "cannot start the thread {name}: {source}; is the limit on threads reached?"
                )
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            ErrorKind::Path { source, .. }
            | ErrorKind::LogFile { source, .. }
            | ErrorKind::Thread { source, .. } => Some(source),
            #[cfg(feature = "metrics")]
            ErrorKind::Listen { source, .. } => Some(source),
            _ => None,
        }
    }
}
