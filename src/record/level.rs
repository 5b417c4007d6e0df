//! Level: how much a record matters.
//!
//! Knows the names of the levels and their order. Does not know tracing's types or filters.

use logwell_options::choice::{Choice, Word};
use std::fmt;

/// How much a record matters, from `Trace` (least) to `Critical` (most).
///
/// tracing has five levels; [`critical!`](crate::critical) adds the sixth. Levels order by
/// importance, so `Level::Error > Level::Info`.
///
/// ```
/// use logwell::Level;
///
/// assert!(Level::Critical > Level::Error);
/// assert_eq!(Level::from_name("warning"), Some(Level::Warn));
/// assert_eq!(Level::Warn.as_str(), "WARN");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Every step, for following one computation.
    Trace = 0,
    /// The flow of the program while developing.
    Debug = 1,
    /// Normal operation.
    Info = 2,
    /// Something unexpected that the service could handle.
    Warn = 3,
    /// A failure somebody must look at.
    Error = 4,
    /// A failure that endangers the whole service.
    Critical = 5,
}

impl Level {
    /// All levels, from least to most important.
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical];

    /// How many levels there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The name as it is in a record: upper case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level of that name, in any case. `WARNING`, `ERR`, `CRIT` and `FATAL` are understood.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, Level); 10] = [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("critical", Level::Critical),
            ("crit", Level::Critical),
            ("fatal", Level::Critical),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, level)| level)
    }

    /// Its place in [`Level::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Choice for Level {
    fn words(&self) -> &'static [Word] {
        &[
            ("trace", &["every step of one computation"]),
            ("debug", &["the flow of the program"]),
            ("info", &["normal operation"]),
            ("warn", &["something unexpected that the service could handle"]),
            ("error", &["a failure somebody must look at"]),
            ("critical", &["a failure that endangers the whole service"]),
        ]
    }

    fn word(&self) -> &'static str {
        self.words().get(self.index()).map_or("", |&(word, _)| word)
    }

    fn choose(&mut self, word: &str) -> bool {
        Self::from_name(word).map(|level| *self = level).is_some()
    }
}
