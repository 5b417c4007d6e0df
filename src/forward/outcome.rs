//! Fate: what became of an attempt to deliver a message.
//!
//! Plain data. Knows no transport; who decides how to go on knows only this.

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
    /// Never: trying again would not help. The message goes to the dead letters.
    Refused {
        /// Why, for people; without secrets.
        why: String,
    },
}

impl Outcome {
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

    /// Whether the other side has it.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        *self == Self::Delivered
    }
}
