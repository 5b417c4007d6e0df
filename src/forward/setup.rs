//! Setup: what forwarding gets: its options, and what it needs to know of the others. Plain
//! data.

use crate::encode::options::{RecordConfig, ServiceConfig};
use crate::forward::options::ForwardConfig;
use std::path::Path;

/// The options of forwarding, and those of other parts that it needs.
pub(crate) struct ForwardSetup<'a> {
    pub(crate) forward: &'a ForwardConfig,
    /// What the program is.
    pub(crate) service: &'a ServiceConfig,
    /// How a record is written.
    pub(crate) record: &'a RecordConfig,
    /// How many spans of a record are written.
    pub(crate) max_spans: usize,
    /// Where a relative directory of spools starts.
    pub(crate) files_dir: &'a Path,
}
