//! Level: six names with an order, and sets of them.
//!
//! Knows the spellings that other systems use. Does not know rows or queries.

use std::fmt;

/// How important a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// The finest detail.
    Trace,
    /// For those who look for a fault.
    Debug,
    /// What happens in the ordinary course. Also read as `INFORMATION` and `NOTICE`.
    Info,
    /// Something is odd. Also read as `WARNING`.
    Warn,
    /// Something failed. Also read as `ERR`.
    Error,
    /// The program cannot go on. Also read as `FATAL`, `CRIT`, `ALERT`, `EMERG` and `PANIC`.
    Critical,
}

impl Level {
    /// All of them, the least important first.
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical];

    /// Reads a name, in capitals or not, with the spellings of other systems.
    ///
    /// ```
    /// use logwell_query::Level;
    ///
    /// assert_eq!(Level::parse("warning"), Some(Level::Warn));
    /// assert_eq!(Level::parse("loud"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        // Nearly every record has one of these spellings.
        if let Some(level) = Self::ALL.into_iter().find(|level| level.name() == name) {
            return Some(level);
        }
        let is_it = |(spelling, _): &&(&str, Self)| spelling.eq_ignore_ascii_case(name);
        SPELLINGS.iter().find(is_it).map(|(_, level)| *level)
    }

    /// Its name in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// Its place in the order: 0 for TRACE to 5 for CRITICAL.
    #[must_use]
    pub fn rank(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(crate) const SPELLINGS: [(&str, Level); 15] = [
    ("trace", Level::Trace),
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("information", Level::Info),
    ("notice", Level::Info),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("error", Level::Error),
    ("err", Level::Error),
    ("critical", Level::Critical),
    ("fatal", Level::Critical),
    ("crit", Level::Critical),
    ("alert", Level::Critical),
    ("emerg", Level::Critical),
    ("panic", Level::Critical),
];

/// Some of the six levels: what any test of the field `level` comes down to.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelSet(u8);

impl LevelSet {
    /// Those for which `wanted` says so.
    pub fn of(wanted: impl Fn(Level) -> bool) -> Self {
        let bits = Level::ALL.into_iter().filter(|level| wanted(*level));
        Self(bits.fold(0, |set, level| set | 1 << level.rank()))
    }

    /// Whether the level is one of them.
    #[must_use]
    pub fn contains(self, level: Level) -> bool {
        self.0 & 1 << level.rank() != 0
    }

    /// Its levels, the least important first.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |level| self.contains(*level))
    }

    /// The levels that are in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The levels that are in one of them.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it has no level.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for LevelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
