//! Outbox: messages that were promised, each until it is delivered, superseded, refused or expired.
//!
//! Knows: attempts, waits between them, and how an entry ends. Must not know: networks, or what a
//! message says. In: outcomes of attempts; out: which entries are due.

use crate::group::{GroupKey, Told};
use crate::identity::IncidentId;
use crate::message::Message;
use crate::time::Now;
use serde::{Deserialize, Serialize};

/// A message on its way to one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts the entries of this monitor.
    pub number: u64,
    /// The group it is about.
    pub group: GroupKey,
    /// What it says.
    pub message: Message,
    /// When it was made.
    pub created: Now,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, in milliseconds since 1970.
    pub next_ms: i64,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
    /// Whether an attempt that failed may have been delivered all the same.
    pub may_have_arrived: bool,
    /// What the channel had been told of each incident before this entry.
    pub before: Vec<(IncidentId, Told)>,
    /// How it ended, and when, in milliseconds since 1970.
    pub ended: Option<(Ending, i64)>,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The receiver took it.
    Delivered,
    /// A newer entry of the group says everything that it said.
    Superseded,
    /// The receiver refused it for good.
    Refused,
    /// It could not be delivered in time.
    Expired,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// It may work later.
    Retry {
        /// Why.
        trouble: String,
        /// How long the receiver asks to wait, in milliseconds.
        wait_ms: Option<u64>,
        /// Whether the receiver may have taken it, such as after a time-out.
        may_have_arrived: bool,
    },
    /// It will never work.
    Refused {
        /// Why.
        trouble: String,
    },
}

impl Outcome {
    /// What an HTTP status means: 2xx is delivered; 408, 425, 429 and 5xx are tried again, after
    /// `Retry-After` if there is one; the rest is refused.
    #[must_use]
    pub fn of_status(status: u16, retry_after_ms: Option<u64>) -> Self {
        let trouble = format!("status {status}");
        match status {
            200..=299 => Self::Delivered,
            408 | 425 | 429 | 500..=599 => {
                Self::Retry { trouble, wait_ms: retry_after_ms, may_have_arrived: false }
            }
            _ => Self::Refused { trouble },
        }
    }
}

impl Entry {
    /// The key by which a receiver knows a repetition: the same for each attempt, never used twice.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:012x}-{:x}", self.created.wall_ms.max(0), self.number)
    }

    /// Whether it is to be tried at that time. A clock that was set back does not delay it.
    #[must_use]
    pub fn is_due(&self, now: Now) -> bool {
        let wait_ms = self.next_ms.saturating_sub(now.wall_ms);
        self.ended.is_none() && (wait_ms <= 0 || wait_ms > i64::from(WAIT_MAX_MS))
    }

    /// Takes a failed attempt.
    pub fn retry(&mut self, trouble: String, wait_ms: Option<u64>, now: Now) {
        self.attempts = self.attempts.saturating_add(1);
        self.trouble = Some(trouble);
        let asked_ms = wait_ms.unwrap_or(0).min(u64::from(WAIT_MAX_MS));
        let wait_ms = self.backoff_ms().max(asked_ms);
        self.next_ms = now.wall_ms.saturating_add_unsigned(wait_ms);
    }

    /// Doubles from one second to five minutes; up to a quarter is taken off, differently for each
    /// entry and attempt, so that channels do not try in step.
    fn backoff_ms(&self) -> u64 {
        let full_ms = (1_000_u64 << self.attempts.saturating_sub(1).min(10)).min(BACKOFF_MAX_MS);
        let mixed =
            (self.number ^ u64::from(self.attempts) << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        full_ms - (mixed >> 40) % (full_ms / 4)
    }
}

/// Longest wait between attempts that we choose, and that a receiver may ask for.
const BACKOFF_MAX_MS: u64 = 300_000;
const WAIT_MAX_MS: u32 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Reason;

    fn entry() -> Entry {
        let group = GroupKey { channel: "mail".into(), labels: "rule=r".into() };
        let message = Message {
            group: "rule=r".into(),
            reason: Reason::First,
            firing: Vec::new(),
            resolved: Vec::new(),
            more: 0,
        };
        let created = Now { wall_ms: 1_000_000, observed_ms: 0 };
        Entry {
            number: 7,
            group,
            message,
            created,
            attempts: 0,
            next_ms: 1_000_000,
            trouble: None,
            may_have_arrived: false,
            before: Vec::new(),
            ended: None,
        }
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let mut entry = entry();
        let now = entry.created;
        let mut waits = Vec::new();
        for _ in 0..12 {
            entry.retry("refused".into(), None, now);
            waits.push(entry.next_ms - now.wall_ms);
        }
        for (at, wait) in waits.iter().enumerate() {
            let full = (1_000_i64 << at).min(300_000);
            assert!((full * 3 / 4..=full).contains(wait), "{at}: {waits:?}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_wait_but_not_for_ever() {
        let mut entry = entry();
        let now = entry.created;
        entry.retry("status 429".into(), Some(600_000), now);
        assert_eq!(entry.next_ms - now.wall_ms, 600_000);
        entry.retry("status 429".into(), Some(u64::MAX), now);
        assert_eq!(entry.next_ms - now.wall_ms, 86_400_000);
    }

    #[test]
    fn a_clock_set_back_does_not_delay_an_entry() {
        let mut entry = entry();
        entry.retry("refused".into(), None, entry.created);
        assert!(!entry.is_due(entry.created));
        let yesterday = Now { wall_ms: entry.created.wall_ms - 90_000_000, observed_ms: 0 };
        assert!(entry.is_due(yesterday));
    }

    #[test]
    fn statuses_are_final_or_not() {
        for status in [200, 202, 204] {
            assert_eq!(Outcome::of_status(status, None), Outcome::Delivered);
        }
        for status in [408, 425, 429, 500, 503] {
            assert!(matches!(Outcome::of_status(status, None), Outcome::Retry { .. }), "{status}");
        }
        for status in [301, 400, 401, 404, 410] {
            assert!(matches!(Outcome::of_status(status, None), Outcome::Refused { .. }));
        }
    }
}
