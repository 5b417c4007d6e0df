//! Setup: what forwarding gets: its options, and what it needs to know of the others.
//!
//! Plain data, and what destinations make of it alike.

use crate::encode::json::JsonOptions;
use crate::encode::options::{RecordConfig, ServiceConfig};
use crate::encode::schema::SchemaOptions;
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

/// A message is not longer; a record that would be is cut.
const MAX_MESSAGE_BYTES: u64 = 1 << 20;
/// What a spool needs around an entry, and more.
const ENTRY_HEAD_BYTES: u64 = 256;

impl ForwardSetup<'_> {
    /// How records become messages that fit into a spool of that size.
    pub(crate) fn schema(&self, spool_bytes: u64) -> SchemaOptions {
        SchemaOptions { json: self.json(spool_bytes), service: self.service() }
    }

    /// The same for the native record.
    pub(crate) fn json(&self, spool_bytes: u64) -> JsonOptions {
        let max_bytes = (spool_bytes / 4).saturating_sub(ENTRY_HEAD_BYTES).min(MAX_MESSAGE_BYTES);
        JsonOptions {
            record: self.record.clone(),
            max_line_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
            max_spans: self.max_spans,
        }
    }

    /// What this program is; without a name it has that of its file.
    pub(crate) fn service(&self) -> ServiceConfig {
        let mut service = self.service.clone();
        if service.name.is_empty() {
            service.name = program_name();
        }
        service
    }
}

/// What the process was started as.
fn program_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
