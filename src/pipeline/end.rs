//! End: what the sinks say when the listener stops.
//!
//! Does not know the caller or the receipt.

use std::path::PathBuf;

/// What the sinks say at the end.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// Whether all records are handed on that the black box has.
    pub(crate) is_handed_on: bool,
    pub(crate) files: Vec<(String, Vec<PathBuf>)>,
    pub(crate) unsent: Vec<(String, u64)>,
}
