//! Forwarder: takes entries out of a spool and has them delivered, on a separate thread.
//!
//! Decides when to try, when to rest and what may be acknowledged; what caused a refusal is found
//! out in `doubt.rs`. Knows no message format and no network.

use super::backoff::Backoff;
use super::blame::Patience;
use super::counters::DeliveryCounters;
use super::destination::{Compose, Taken};
use super::doubt::Doubt;
use super::inbox::Inbox;
use super::message::{Message, NOT_SPOOLED};
use super::transport::{Stop, Transport};
use crate::base::selflog;
use crate::base::thread;
use crate::base::unwind::discard;
use crate::forward::dead_letters::DeadLetters;
use crate::forward::outcome::Outcome;
use crate::spool::{BatchLimits, SpoolReader};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So much is read from the spool at once.
const BATCH: BatchLimits = BatchLimits { entries: 1_024, bytes: 1 << 20 };
/// How long it rests after the first failure; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_millis(200);
/// It never rests longer, unless the other side asks for it.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// So many failures in a row are overlooked while logging ends.
const LAST_FAILURES: u32 = 2;
/// How often it looks into a quiet spool, to delete what has become too old, and into the inbox.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Brings what is in one spool to one destination, in order.
pub(crate) struct Forwarder {
    pub(super) name: &'static str,
    pub(super) reader: SpoolReader,
    pub(super) compose: Box<dyn Compose>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) at_once: usize,
    pub(super) dead: DeadLetters,
    /// Dead letters that are to be sent again; a second process of the directory has none.
    pub(super) inbox: Option<Inbox>,
    pub(super) counters: Arc<DeliveryCounters>,
    pub(super) stop: Stop,
    pub(super) patience: Patience,
    backoff: Backoff,
    /// Made and not settled.
    pub(super) pending: VecDeque<Message>,
    /// Entries that were read and are not acknowledged.
    taken: VecDeque<u64>,
    /// Since when the first message is blocked.
    pub(super) blocked_since: Option<Instant>,
    /// Which of the pending messages is tried next, while the cause is in doubt.
    pub(super) probe: usize,
    /// What is set aside, as it may itself be to blame.
    pub(super) doubt: Doubt,
}

/// What came of some attempts.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Whether the other side has taken any.
    pub(super) has_passed: bool,
    /// How many messages stay.
    pub(super) kept: usize,
    /// Why the first that stays does: the reason it got.
    pub(super) failure: Option<Outcome>,
}

/// Whether a forwarder continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    Out,
}

/// What a forwarder is made of, besides its spool.
pub(super) struct Parts {
    pub(super) name: &'static str,
    pub(super) compose: Box<dyn Compose>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) at_once: usize,
    pub(super) dead: DeadLetters,
    pub(super) inbox: Option<Inbox>,
    pub(super) counters: Arc<DeliveryCounters>,
    pub(super) stop: Stop,
    pub(super) patience: Patience,
}

impl Forwarder {
    pub(super) fn new(parts: Parts, reader: SpoolReader) -> Self {
        let Parts { name, compose, transport, at_once, dead, inbox, counters, stop, patience } =
            parts;
        let backoff = Backoff::new(FIRST_REST, LONGEST_REST.max(patience.rest));
        let (pending, taken) = (VecDeque::new(), VecDeque::new());
        Self {
            name,
            reader,
            compose,
            transport,
            at_once,
            dead,
            inbox,
            counters,
            stop,
            patience,
            backoff,
            pending,
            taken,
            blocked_since: None,
            probe: 1,
            doubt: Doubt::new(patience),
        }
    }

    /// Delivers until it is asked to stop, and then what can be delivered until the deadline.
    pub(crate) fn run(mut self) {
        thread::mark_internal_thread();
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.step())) {
                Ok(Go::On) => {}
                Ok(Go::Out) => break,
                Err(panic) => {
                    discard(panic);
                    self.start_anew();
                    let panicked = Outcome::retry("it panicked");
                    self.failed(&panicked);
                    if self.rest(&panicked) == Go::Out {
                        break;
                    }
                }
            }
        }
        self.put_off_suspects();
        self.acknowledge();
        for result in [self.reader.sync(), self.dead.sync()] {
            if let Err(error) = result {
                selflog::tell(
                    &format!("{}: what was delivered cannot be noted", self.name),
                    &error,
                );
            }
        }
    }

    /// After a panic nothing that was in hand is trusted: it is read again.
    fn start_anew(&mut self) {
        self.pending.clear();
        self.taken.clear();
        self.doubt.clear();
        self.reader.rewind();
        self.inbox.iter_mut().for_each(Inbox::rewind);
    }

    fn step(&mut self) -> Go {
        if self.stop.is_over() {
            return Go::Out;
        }
        let is_ending = self.stop.is_requested();
        self.try_suspect();
        if self.pending.is_empty() && !is_ending {
            let again = self.inbox.as_mut().map(Inbox::take).unwrap_or_default();
            self.pending.extend(again);
        }
        if self.pending.is_empty() {
            let read = self.read();
            if is_ending && read == 0 {
                self.compose.finish();
            }
            self.pending.extend(self.compose.ready(Instant::now()));
            if self.pending.is_empty() {
                self.acknowledge();
                if read == 0 {
                    return if is_ending { Go::Out } else { self.wait() };
                }
                return Go::On;
            }
        }
        self.deliver()
    }

    /// Reads what there is, and gives it to the composer of messages.
    pub(super) fn read(&mut self) -> usize {
        match self.reader.next_batch(BATCH) {
            Ok(entries) => {
                let now = Instant::now();
                for entry in &entries {
                    self.taken.push_back(entry.id);
                    let at_unix_ms = entry.at_unix_ms;
                    self.compose.take(Taken { id: entry.id, at_unix_ms, bytes: &entry.bytes }, now);
                }
                entries.len()
            }
            Err(error) => {
                selflog::tell(&format!("{}: the spool cannot be read", self.name), &error);
                self.stop.wait(FIRST_REST);
                0
            }
        }
    }

    /// Sleeps until there is an entry, a held one is due, or somebody wakes it.
    fn wait(&self) -> Go {
        let due = self.compose.due().into_iter().chain(self.doubt.due()).min();
        let due = due.map(|due| due.saturating_duration_since(Instant::now()));
        self.reader.wait(due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
        Go::On
    }

    fn deliver(&mut self) -> Go {
        // While it does not work one message is enough to find out.
        let at_most = if self.backoff.failures() > 0 { 1 } else { self.at_once };
        let mut round = self.attempt(0, at_most);
        if self.is_in_doubt(&round) {
            round = self.judge(round);
        }
        self.acknowledge();
        match round.failure {
            Some(failure) => {
                self.failed(&failure);
                self.rest(&failure)
            }
            None => {
                self.backoff.succeeded();
                // What is refused does not work either, though there is nothing to wait for.
                if round.has_passed {
                    self.counters.works();
                }
                Go::On
            }
        }
    }

    /// Has some messages delivered, from that one on, and settles what can be settled.
    pub(super) fn attempt(&mut self, from: usize, at_most: usize) -> Round {
        let through = from.saturating_add(at_most).min(self.pending.len());
        let tried = self.pending.make_contiguous().get(from..through).unwrap_or_default();
        let fates = self.transport.deliver(tried, &self.stop);
        let mut round = Round::default();
        if fates.is_empty() {
            round.failure = Some(Outcome::retry("nobody has tried"));
        }
        let tried: Vec<_> =
            self.pending.drain(from..from + fates.len().min(through - from)).collect();
        let mut kept = Vec::new();
        for (message, outcome) in tried.into_iter().zip(fates) {
            let stays = match outcome {
                Outcome::Delivered => {
                    self.counters.delivered(message.records);
                    self.doubt.passed();
                    round.has_passed = true;
                    None
                }
                Outcome::Refused { why } => self.refused(&message, &why),
                waits => Some(waits),
            };
            match stays {
                Some(outcome) => {
                    round.failure.get_or_insert(outcome);
                    kept.push(message);
                }
                None => self.settled(&message),
            }
        }
        round.kept = kept.len();
        for message in kept.into_iter().rev() {
            self.pending.insert(from, message);
        }
        self.note_blocked(&round);
        round
    }

    /// Notes that a message is delivered or a dead letter.
    pub(super) fn settled(&mut self, message: &Message) {
        if message.from == NOT_SPOOLED {
            self.inbox.iter_mut().for_each(Inbox::settled);
        }
    }

    /// Buries what is refused for good. If that cannot be done the message would be nowhere: it
    /// stays where it is until it can be buried.
    pub(super) fn refused(&mut self, message: &Message, why: &str) -> Option<Outcome> {
        if let Err(error) = self.dead.write(message, why) {
            return Some(Outcome::retry(format!(
                "{why}; and a dead letter cannot be written: {error}"
            )));
        }
        self.counters.refused(message.records, why);
        let kind = format!("{} refuses a record for good: it is among the dead letters", self.name);
        selflog::tell(&kind, &why);
        None
    }

    fn failed(&mut self, failure: &Outcome) {
        let (why, asked) = match failure {
            Outcome::Retry { after, why } | Outcome::Blocked { after, why } => {
                (why.as_str(), *after)
            }
            Outcome::Doubtful { why } | Outcome::Refused { why } => (why.as_str(), None),
            Outcome::Delivered => ("", None),
        };
        self.counters.failed(why);
        let waiting = self.reader.waiting().entries;
        let asked = asked.map(|after| format!(", and asks to wait for {after:?}"));
        selflog::tell(
            &format!("{} takes no records", self.name),
            &format_args!("{why}{}; {waiting} wait on disk", asked.unwrap_or_default()),
        );
    }

    /// Rests after a failure, as long as the other side asks or the back-off says.
    ///
    /// If it is asked to stop meanwhile, it does not retry, but for a failure or two that come
    /// while the last records are delivered: what is left stays on disk.
    fn rest(&mut self, failure: &Outcome) -> Go {
        let (after, longest) = match failure {
            Outcome::Blocked { after, .. } => (*after, self.patience.rest),
            Outcome::Retry { after, .. } => (*after, LONGEST_REST),
            _ => (None, LONGEST_REST),
        };
        let rest = self.backoff.failed().min(longest).max(after.unwrap_or_default());
        if !self.stop.is_requested() {
            return if self.stop.wait(rest) { Go::Out } else { Go::On };
        }
        if after.is_some() || self.backoff.failures() > LAST_FAILURES {
            return Go::Out;
        }
        if self.stop.wait_until_over(rest) { Go::Out } else { Go::On }
    }

    /// Acknowledges all before the first entry that is still needed.
    fn acknowledge(&mut self) {
        let pending = self.pending.iter().map(|message| message.from).min();
        let held = self.compose.held_from().into_iter().chain(self.doubt.held_from());
        let needed = pending.into_iter().chain(held).min();
        let mut through = None;
        while let Some(id) = self.taken.front().filter(|id| needed.is_none_or(|from| **id < from)) {
            through = Some(*id);
            self.taken.pop_front();
        }
        if let Some(through) = through
            && let Err(error) = self.reader.acknowledge(through)
        {
            let kind = format!("{}: what was delivered cannot be noted", self.name);
            selflog::tell(&kind, &error);
        }
    }
}
