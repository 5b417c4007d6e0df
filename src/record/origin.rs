//! Origin: which start of which process a record comes from.

/// Which start of which process a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) process: u32,
    pub(crate) boot: u64,
}
