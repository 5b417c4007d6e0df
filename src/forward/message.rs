//! Message: what goes to the other side in one piece.
//!
//! Plain data. Knows no destination and no network. A composer makes it of entries of the spool; a
//! transport delivers it.

/// One message on its way: made of one entry of the spool or, as a digest, of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What tells it from any other: the `hash` of its (first) record. Equal for each attempt, so
    /// that a receiver can drop what it has already.
    pub id: String,
    /// The body: one JSON object in one line. It is what a dead letter shows, and all that a letter
    /// that is sent again has.
    pub body: Vec<u8>,
    /// How many records it stands for.
    pub records: u64,
    /// The first entry it is made of: from there on nothing is acknowledged until it is settled.
    /// `u64::MAX` for a dead letter that is sent again.
    pub from: u64,
}

/// Comes after every entry: a message that holds up no acknowledgement.
pub(crate) const NOT_SPOOLED: u64 = u64::MAX;
