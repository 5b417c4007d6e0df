//! Doubt: what caused a refusal, the message or the way to the other side.
//!
//! A message is refused for good only if it is itself to blame. What a person can fix, such as a
//! wrong token, waits like an outage. Where the answer does not say, the other messages do: if one
//! of them passes and this one, tried again right after it, does not, this one goes to the dead
//! letters.
//!
//! Knows the fates of messages and the forwarder's hands. Knows no status and no destination.

use super::forwarder::{Forwarder, Round, Trial};
use crate::forward::outcome::Outcome;
use crate::spool::BatchLimits;
use std::time::Instant;

/// So much is read ahead, while the cause is in doubt, to find a message that passes.
const READ_AHEAD: BatchLimits = BatchLimits { entries: 1_024, bytes: 8 << 20 };

impl Forwarder {
    /// Keeps in mind since when nothing passes but for what a person must fix.
    pub(super) fn note_blocked(&mut self, round: &Round) {
        match round.failure {
            Some(Outcome::Blocked { .. }) if !round.has_passed => {
                self.blocked_since.get_or_insert_with(Instant::now);
            }
            Some(_) if !round.has_passed => {}
            _ => self.blocked_since = None,
        }
    }

    /// Whether that can be the message's own fault: at once if the answer leaves it open, and only
    /// after a long time if it speaks of what a person can fix.
    pub(super) fn is_suspect(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Doubtful { .. } => true,
            Outcome::Blocked { .. } => {
                self.blocked_since.is_some_and(|since| since.elapsed() >= self.patience.alone)
            }
            _ => false,
        }
    }

    pub(super) fn is_in_doubt(&self, round: &Round) -> bool {
        round.failure.as_ref().is_some_and(|outcome| self.is_suspect(outcome))
    }

    /// Finds out who is to blame that the first messages do not pass: they themselves, if another
    /// one has passed or passes now, and they again do not.
    pub(super) fn judge(&mut self, round: Round) -> Round {
        let blocked_since = self.blocked_since;
        if !round.has_passed && !self.another_passes() {
            let alone = match self.pending.len() {
                0 | 1 => "it waits until another record shows whether this one or the URL is wrong",
                _ => "no other passes either: check the URL and the server",
            };
            return Round {
                failure: round.failure.map(|it| it.map_why(|why| format!("{why}; {alone}"))),
                ..round
            };
        }
        let mut again = Round { has_passed: true, ..Round::default() };
        for _ in 0..round.kept {
            self.blocked_since = blocked_since;
            let one = self.attempt(0, 1, Trial::Second);
            if one.failure.is_some() {
                again.failure = one.failure;
                break;
            }
        }
        again
    }

    /// Tries another message than the first; each time one that was not tried yet.
    fn another_passes(&mut self) -> bool {
        while self.pending.len() <= self.probe && self.may_read_ahead() && self.read() > 0 {
            self.pending.extend(self.compose.ready(Instant::now()));
        }
        if self.probe >= self.pending.len() {
            self.probe = 1;
        }
        let has_passed =
            self.pending.len() > 1 && self.attempt(self.probe, 1, Trial::First).has_passed;
        self.probe = if has_passed { 1 } else { self.probe + 1 };
        has_passed
    }

    fn may_read_ahead(&self) -> bool {
        let bytes: usize = self.pending.iter().map(|message| message.body.len()).sum();
        self.pending.len() < READ_AHEAD.entries && bytes < READ_AHEAD.bytes
    }
}
