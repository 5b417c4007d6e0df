//! Limits: how much memory an answer may take, and what is said when that is not enough.

use std::fmt;

/// How much a [`Pipeline`](crate::Pipeline) may hold. What goes beyond is left out, and the answer
/// has a [`Note`] of it.
///
/// The limits are for each partial result; of several that are merged, the merged one keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows that are kept to be sorted or returned, 1 000 000. Beyond it the first ones in the
    /// order are kept.
    pub rows: usize,
    /// Groups of statistics, 100 000. Records of further groups are not counted.
    pub groups: usize,
    /// Different values of a field that `facets` counts, 10 000. A field with more has no facets.
    pub facet_values: usize,
    /// Bytes of memory, about, 256 MiB. Beyond it, rows are dropped from the end of the order, and
    /// records are not counted.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 1_000_000, groups: 100_000, facet_values: 10_000, memory_bytes: 256 << 20 }
    }
}

/// Something that the reader of an answer must know. `Display` says it in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// The values of this result are estimates.
    Estimated {
        /// The result's field.
        name: String,
        /// By what it is estimated, and how well.
        how: &'static str,
    },
    /// There were more rows than [`Limits::rows`].
    Rows {
        /// The limit.
        limit: usize,
    },
    /// There were more groups than [`Limits::groups`].
    Groups {
        /// The limit.
        limit: usize,
        /// How many records at least belong to groups that are missing.
        records: u64,
    },
    /// A field has more values than [`Limits::facet_values`].
    Values {
        /// The field.
        field: String,
        /// The limit.
        limit: usize,
    },
    /// [`Limits::memory_bytes`] were not enough.
    Memory {
        /// The limit.
        limit_bytes: usize,
    },
}

impl Note {
    /// Whether something is left out, rather than estimated.
    #[must_use]
    pub fn is_about_missing(&self) -> bool {
        !matches!(self, Self::Estimated { .. })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Estimated { name, how } => write!(f, "{name} is an estimate ({how})"),
            Self::Rows { limit } => {
                write!(f, "only the first {limit} rows are here; add a limit or statistics")
            }
            Self::Groups { limit, records } => {
                write!(
                    f,
                    "only {limit} groups are here; at least {records} records are in none of them"
                )
            }
            Self::Values { field, limit } => {
                write!(f, "{field} has more than {limit} values, so it has no facets")
            }
            Self::Memory { limit_bytes } => {
                write!(f, "the answer is incomplete: it needs more than {limit_bytes} bytes")
            }
        }
    }
}
