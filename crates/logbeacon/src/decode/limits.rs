//! Limits: how large a record may be, and what happens to one that is larger.
//!
//! Plain data. Knows no protocol.

/// Bounds for one record and for one request. What is larger is cut and says so; it is never
/// dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The texts and names of one record, in bytes; 1 MiB by default. The longest texts are cut.
    /// A cut text ends in `…`, and the field `truncated.<name>` has its length in bytes.
    pub record_bytes: usize,
    /// Fields of one record; 1000 by default. What is more becomes one field `_rest`: a JSON
    /// object.
    pub fields: usize,
    /// A field's name in bytes; 256 by default. A longer one is cut, ends in `…`, and the field
    /// `truncated.<name>` has its length.
    pub name_bytes: usize,
    /// Nested objects; 16 by default. What is deeper stays as JSON text.
    pub depth: usize,
    /// Records of one request; 100 000 by default. The request is refused as too large.
    pub records: usize,
    /// What is kept of a refused record, in bytes; 64 KiB by default.
    pub refused_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
            fields: 1000,
            name_bytes: 256,
            depth: 16,
            records: 100_000,
            refused_bytes: 64 << 10,
        }
    }
}
