//! Message: what goes to the other side in one piece.

/// One message on its way: made of one entry of the spool or, as a digest, of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// What tells it from any other: the `hash` of its (first) record. Equal for each attempt, so
    /// that a receiver can drop what it has already.
    pub(crate) id: String,
    /// The body: one JSON object.
    pub(crate) body: Vec<u8>,
    /// How many records it stands for.
    pub(crate) records: u64,
    /// The first entry it is made of: from there on nothing is acknowledged until it is settled.
    /// [`NOT_SPOOLED`] for a dead letter that is sent again.
    pub(crate) from: u64,
}

/// Comes after every entry: a message that holds up no acknowledgement.
pub(crate) const NOT_SPOOLED: u64 = u64::MAX;
