//! Outcome: the result of an attempt to deliver a message.
//!
//! Plain data. Knows no transport; the forwarder decides by this alone.

use std::time::Duration;

/// What became of an attempt to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Delivered,
    /// Not now: the message waits and is tried again.
    Retry {
        /// How long the other side wants to be left alone, if it has said so.
        after: Option<Duration>,
        /// Why, for people; without secrets.
        why: String,
    },
    /// Not until a person has fixed something: the token, the address, the rights, the queue. The
    /// message waits as with [`Retry`](Self::Retry), however long that takes.
    Blocked {
        /// How long the other side wants to be left alone, if it has said so.
        after: Option<Duration>,
        /// Why, and what to do about it, for people; without secrets.
        why: String,
    },
    /// Refused, and the answer does not say whether the message is to blame or the way to it, such
    /// as a plain 400. If others pass and this one, tried several times, does not, it is.
    Doubtful {
        /// Why, for people; without secrets.
        why: String,
    },
    /// Never: the message itself is to blame. It goes to the dead letters.
    Refused {
        /// Why, for people; without secrets.
        why: String,
    },
}

impl Outcome {
    /// Waits for a person; the report says why and what to do.
    #[must_use]
    pub fn blocked(why: impl Into<String>) -> Self {
        Self::Blocked { after: None, why: why.into() }
    }

    /// To be tried again, as soon as the back-off allows.
    #[must_use]
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into() }
    }

    /// Final.
    #[must_use]
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }

    /// The same fate with another text about why.
    #[must_use]
    pub fn map_why(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Delivered => Self::Delivered,
            Self::Retry { after, why } => Self::Retry { after, why: change(why) },
            Self::Blocked { after, why } => Self::Blocked { after, why: change(why) },
            Self::Doubtful { why } => Self::Doubtful { why: change(why) },
            Self::Refused { why } => Self::Refused { why: change(why) },
        }
    }

    /// Why, for people.
    pub(crate) fn into_why(self) -> String {
        match self {
            Self::Delivered => String::new(),
            Self::Retry { why, .. }
            | Self::Blocked { why, .. }
            | Self::Doubtful { why }
            | Self::Refused { why } => why,
        }
    }

    /// Whether nothing more should be sent now: to be tried again, or blocked.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Retry { .. } | Self::Blocked { .. })
    }

    /// Whether the other side has it.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        *self == Self::Delivered
    }
}
