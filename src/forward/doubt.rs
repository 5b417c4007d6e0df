//! Doubt: what caused a refusal, the message or the way to the other side.
//!
//! A message is refused for good only if it is itself at fault. What a person can fix, such as a
//! wrong token, waits like an outage. Where the answer does not say, the other messages do: if one
//! of them passes, this one is set aside and tried again, until it passes or is at fault by the
//! rule in `blame.rs`.
//!
//! Knows the fates of messages and the forwarder's hands. Knows no status and no destination.

use super::blame::{Blame, Patience, Refusals};
use super::forwarder::{Forwarder, Round};
use super::message::{Message, NOT_SPOOLED};
use crate::base::selflog;
use crate::forward::outcome::Outcome;
use crate::spool::BatchLimits;
use std::time::{Duration, Instant};

/// So much is read ahead, while it is in doubt who is at fault, to find a message that passes. No
/// more than this is set aside either.
const READ_AHEAD: BatchLimits = BatchLimits { entries: 1_024, bytes: 8 << 20 };

/// What is known while it is in doubt who is to blame.
pub(super) struct Doubt {
    /// Messages that were refused while others passed, set aside so that the others go on.
    suspects: Vec<Suspect>,
    blame: Blame,
    /// From this moment on the times of `blame` count.
    begin: Instant,
}

/// A message that is set aside.
struct Suspect {
    message: Message,
    refusals: Refusals,
    /// When it is tried again.
    due: Instant,
}

impl Doubt {
    pub(super) fn new(patience: Patience) -> Self {
        Self { suspects: Vec::new(), blame: Blame::new(patience), begin: Instant::now() }
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Notes that a message has passed.
    pub(super) fn passed(&mut self) {
        self.blame.passed(None, self.now());
    }

    /// When the next message that was set aside is tried again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.suspects.iter().map(|suspect| suspect.due).min()
    }

    /// The first entry that is still needed.
    pub(super) fn held_from(&self) -> Option<u64> {
        self.suspects.iter().map(|suspect| suspect.message.from).min()
    }

    /// Forgets the messages, which are read again.
    pub(super) fn clear(&mut self) {
        self.suspects.clear();
    }

    fn has_room(&self) -> bool {
        let bytes: usize = self.suspects.iter().map(|suspect| suspect.message.body.len()).sum();
        self.suspects.len() < READ_AHEAD.entries && bytes < READ_AHEAD.bytes
    }

    /// Sets the message aside until it is tried again.
    fn set_aside(&mut self, message: Message, refusals: Refusals) {
        let due = Instant::now() + self.blame.pause();
        self.suspects.push(Suspect { message, refusals, due });
    }

    fn take_due(&mut self, now: Instant) -> Option<Suspect> {
        let at = self.suspects.iter().position(|suspect| suspect.due <= now)?;
        Some(self.suspects.remove(at))
    }
}

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
    pub(super) fn is_in_doubt(&self, round: &Round) -> bool {
        match round.failure {
            Some(Outcome::Doubtful { .. }) => true,
            Some(Outcome::Blocked { .. }) => {
                self.blocked_since.is_some_and(|since| since.elapsed() >= self.patience.alone)
            }
            _ => false,
        }
    }

    /// Sets the first message aside if another one has passed or passes now; else all wait.
    pub(super) fn judge(&mut self, round: Round) -> Round {
        if !self.doubt.has_room() {
            let full = "so many records are refused that the others wait too: check the server";
            return Round {
                failure: round.failure.map(|it| it.map_why(|why| format!("{why}; {full}"))),
                ..round
            };
        }
        if round.has_passed || self.another_passes() {
            let why = round.failure.map(Outcome::into_why).unwrap_or_default();
            if let Some(message) = self.pending.pop_front() {
                self.set_aside(message, &why);
            }
            return Round { has_passed: true, ..Round::default() };
        }
        let alone = match self.pending.len() {
            0 | 1 => "it waits until another record shows whether this one or the URL is wrong",
            _ => "no other passes either: check the URL and the server",
        };
        Round {
            failure: round.failure.map(|it| it.map_why(|why| format!("{why}; {alone}"))),
            ..round
        }
    }

    fn set_aside(&mut self, message: Message, why: &str) {
        let refusals = self.doubt.blame.refused(None, self.doubt.now());
        self.doubt.set_aside(message, refusals);
        self.counters.failed(why);
        let kind = format!("{} refuses a record and takes others: it is tried again", self.name);
        selflog::tell(&kind, &why);
    }

    /// Tries again one message that was set aside and is due.
    pub(super) fn try_suspect(&mut self) {
        let Some(Suspect { message, mut refusals, .. }) = self.doubt.take_due(Instant::now())
        else {
            return;
        };
        let outcome = match self.deliver_one(&message) {
            // Behind a balancer the next answer is another server's.
            Outcome::Doubtful { .. } => self.deliver_one(&message),
            outcome => outcome,
        };
        let now = self.doubt.now();
        let stays = match outcome {
            Outcome::Delivered => {
                self.counters.delivered(message.records);
                self.doubt.blame.passed(Some(refusals), now);
                None
            }
            Outcome::Refused { why } => self.refused(&message, &why),
            Outcome::Doubtful { why } | Outcome::Blocked { why, .. } => {
                refusals = self.doubt.blame.refused(Some(refusals), now);
                match self.doubt.blame.is_at_fault(refusals, now) {
                    true => self.refused(&message, &why),
                    false => Some(Outcome::Doubtful { why }),
                }
            }
            retry @ Outcome::Retry { .. } => Some(retry),
        };
        match stays {
            Some(outcome) => {
                self.counters.failed(&outcome.into_why());
                self.doubt.set_aside(message, refusals);
            }
            None => self.settled(&message),
        }
    }

    /// Leaves what is set aside to the next start, as if a person had asked for it, so that what
    /// was delivered after it can be acknowledged.
    pub(super) fn put_off_suspects(&mut self) {
        if self.inbox.is_none() {
            return; // nobody would look there
        }
        let messages = self.doubt.suspects.iter().map(|suspect| &suspect.message);
        let spooled = messages.filter(|message| message.from != NOT_SPOOLED);
        match self.dead.put_off(spooled) {
            Ok(()) => self.doubt.clear(),
            Err(error) => {
                let kind = format!("{}: what is in doubt stays in the spool", self.name);
                selflog::tell(&kind, &error);
            }
        }
    }

    fn deliver_one(&mut self, message: &Message) -> Outcome {
        let fates = self.transport.deliver(std::slice::from_ref(message), &self.stop);
        fates.into_iter().next().unwrap_or_else(|| Outcome::retry("nobody has tried"))
    }

    /// Tries another message than the first; each time one that was not tried yet.
    fn another_passes(&mut self) -> bool {
        while self.pending.len() <= self.probe && self.may_read_ahead() && self.read() > 0 {
            self.pending.extend(self.compose.ready(Instant::now()));
        }
        if self.probe >= self.pending.len() {
            self.probe = 1;
        }
        let has_passed = self.pending.len() > 1 && self.attempt(self.probe, 1).has_passed;
        self.probe = if has_passed { 1 } else { self.probe + 1 };
        has_passed
    }

    fn may_read_ahead(&self) -> bool {
        let bytes: usize = self.pending.iter().map(|message| message.body.len()).sum();
        self.pending.len() < READ_AHEAD.entries && bytes < READ_AHEAD.bytes
    }
}
