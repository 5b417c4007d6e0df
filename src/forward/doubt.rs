//! Doubt: what caused a refusal, the message or the way to the other side.
//!
//! A message is refused for good only if it is itself at fault. What a person can fix, such as a
//! wrong token, waits like an outage. Where the answer does not say, the other messages do: if one
//! of them passes, this one is set aside and tried again. It goes to the dead letters once it has
//! been refused several times, for a while, with other messages delivered between the refusals. A
//! server that delivers what it refused before answers at random: for some time nobody is blamed
//! then.
//!
//! Knows the fates of messages and the forwarder's hands. Knows no status and no destination.

use super::forwarder::{Forwarder, Round};
use super::message::{Message, NOT_SPOOLED};
use crate::base::selflog;
use crate::forward::outcome::Outcome;
use crate::spool::BatchLimits;
use std::time::{Duration, Instant};

/// So much is read ahead, while it is in doubt who is at fault, to find a message that passes. No
/// more than this is set aside either.
const READ_AHEAD: BatchLimits = BatchLimits { entries: 1_024, bytes: 8 << 20 };
/// A message is to blame after so many refusals between which others passed.
const MIN_REFUSALS: u32 = 4;
/// It is refused for so long before it is to blame, or for `forward.blocked_rest` if that is less.
const MIN_DOUBT: Duration = Duration::from_secs(30);
/// So often is it tried within that time.
const TRIES: u32 = 5;

/// What is known while it is in doubt who is to blame.
#[derive(Default)]
pub(super) struct Doubt {
    /// Messages that were refused while others passed, set aside so that the others go on.
    suspects: Vec<Suspect>,
    /// How many messages have passed.
    passes: u64,
    /// When a message passed that was refused before.
    unsteady_at: Option<Instant>,
}

/// A message that is set aside.
struct Suspect {
    message: Message,
    /// Refusals that count: another message has passed since the one before.
    refusals: u32,
    /// When the first of them was.
    since: Instant,
    /// When it is tried again.
    due: Instant,
    /// [`Doubt::passes`] at the last refusal.
    passes: u64,
}

impl Doubt {
    /// Notes that a message has passed.
    pub(super) fn passed(&mut self) {
        self.passes += 1;
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

    /// A message that was refused has passed: earlier refusals prove nothing.
    fn is_unsteady_since(&mut self, now: Instant) {
        self.unsteady_at = Some(now);
        for suspect in &mut self.suspects {
            (suspect.refusals, suspect.since) = (0, now);
        }
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
        let now = Instant::now();
        let passes = self.doubt.passes;
        let due = now + self.doubt_time() / TRIES;
        self.doubt.suspects.push(Suspect { message, refusals: 1, since: now, due, passes });
        self.counters.failed(why);
        let kind = format!("{} refuses a record and takes others: it is tried again", self.name);
        selflog::tell(&kind, &why);
    }

    fn doubt_time(&self) -> Duration {
        self.patience.rest.min(MIN_DOUBT)
    }

    /// Tries again one message that was set aside and is due.
    pub(super) fn try_suspect(&mut self) {
        let Some(mut suspect) = self.doubt.take_due(Instant::now()) else { return };
        let outcome = match self.deliver_one(&suspect.message) {
            // Behind a balancer the next answer is another server's.
            Outcome::Doubtful { .. } => self.deliver_one(&suspect.message),
            outcome => outcome,
        };
        let now = Instant::now();
        suspect.due = now + self.doubt_time() / TRIES;
        let stays = match outcome {
            Outcome::Delivered => {
                self.counters.delivered(suspect.message.records);
                self.doubt.passed();
                self.doubt.is_unsteady_since(now);
                None
            }
            Outcome::Refused { why } => self.refused(&suspect.message, &why),
            Outcome::Doubtful { why } | Outcome::Blocked { why, .. } => {
                if suspect.passes < self.doubt.passes {
                    (suspect.refusals, suspect.passes) = (suspect.refusals + 1, self.doubt.passes);
                }
                match self.is_to_blame(&suspect, now) {
                    true => self.refused(&suspect.message, &why),
                    false => Some(Outcome::Doubtful { why }),
                }
            }
            retry @ Outcome::Retry { .. } => Some(retry),
        };
        match stays {
            Some(outcome) => {
                self.counters.failed(&outcome.into_why());
                self.doubt.suspects.push(suspect);
            }
            None => self.settled(&suspect.message),
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

    fn is_to_blame(&self, suspect: &Suspect, now: Instant) -> bool {
        let for_long = |since: Instant, long: Duration| now.duration_since(since) >= long;
        suspect.refusals >= MIN_REFUSALS
            && for_long(suspect.since, self.doubt_time())
            && self.doubt.unsteady_at.is_none_or(|at| for_long(at, self.patience.alone))
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
