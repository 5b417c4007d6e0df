//! Forwarder: takes entries out of a spool and has them delivered, on a thread of its own.
//!
//! Decides when to try, when to rest and what may be acknowledged. Knows no message format and no
//! network.

use super::backoff::Backoff;
use super::counters::DeliveryCounters;
use super::destination::{Compose, Taken};
use super::message::Message;
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
/// How often it looks into a quiet spool, to delete what has become too old.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Brings what is in one spool to one destination, in order.
pub(crate) struct Forwarder {
    pub(super) name: &'static str,
    pub(super) reader: SpoolReader,
    pub(super) compose: Box<dyn Compose>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) at_once: usize,
    pub(super) dead: DeadLetters,
    pub(super) counters: Arc<DeliveryCounters>,
    pub(super) stop: Stop,
    backoff: Backoff,
    /// Made and not settled.
    pending: VecDeque<Message>,
    /// Entries that were read and are not acknowledged.
    taken: VecDeque<u64>,
}

/// Whether a forwarder goes on.
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
    pub(super) counters: Arc<DeliveryCounters>,
    pub(super) stop: Stop,
}

impl Forwarder {
    pub(super) fn new(parts: Parts, reader: SpoolReader) -> Self {
        let Parts { name, compose, transport, at_once, dead, counters, stop } = parts;
        let backoff = Backoff::new(FIRST_REST, LONGEST_REST);
        let (pending, taken) = (VecDeque::new(), VecDeque::new());
        Self {
            name,
            reader,
            compose,
            transport,
            at_once,
            dead,
            counters,
            stop,
            backoff,
            pending,
            taken,
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
                    self.failed("it panicked", None);
                    if self.rest(None) == Go::Out {
                        break;
                    }
                }
            }
        }
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
        self.reader.rewind();
    }

    fn step(&mut self) -> Go {
        if self.stop.is_over() {
            return Go::Out;
        }
        let is_ending = self.stop.is_requested();
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

    /// Reads what there is, and gives it to who makes messages of it.
    fn read(&mut self) -> usize {
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
        let due = self.compose.due().map(|due| due.saturating_duration_since(Instant::now()));
        self.reader.wait(due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
        Go::On
    }

    fn deliver(&mut self) -> Go {
        // While it does not work one message is enough to find out.
        let at_most = if self.backoff.failures() > 0 { 1 } else { self.at_once };
        let messages = self.pending.make_contiguous();
        let tried = messages.get(..at_most).unwrap_or(messages);
        let fates = self.transport.deliver(tried, &self.stop);
        let mut failure = fates.is_empty().then(|| (None, "nobody has tried".to_owned()));
        let (mut kept, mut is_taken) = (Vec::new(), false);
        for outcome in fates {
            let Some(message) = self.pending.pop_front() else { break };
            is_taken = outcome.is_delivered();
            match outcome {
                Outcome::Delivered => self.counters.delivered(message.records),
                Outcome::Refused { why } => {
                    if let Err(error) = self.refused(&message, &why) {
                        // It would be nowhere: it stays where it is until it can be buried.
                        failure.get_or_insert((None, error));
                        kept.push(message);
                    }
                }
                Outcome::Retry { after, why } => {
                    failure.get_or_insert((after, why));
                    kept.push(message);
                }
            }
        }
        for message in kept.into_iter().rev() {
            self.pending.push_front(message);
        }
        self.acknowledge();
        match failure {
            Some((after, why)) => {
                self.failed(&why, after);
                self.rest(after)
            }
            None => {
                self.backoff.succeeded();
                // What is refused does not work either, though there is nothing to wait for.
                if is_taken {
                    self.counters.works();
                }
                Go::On
            }
        }
    }

    /// Buries what is refused for good; the error says why that could not be done.
    fn refused(&mut self, message: &Message, why: &str) -> Result<(), String> {
        let buried = self.dead.write(message, why);
        buried.map_err(|error| format!("{why}; and a dead letter cannot be written: {error}"))?;
        self.counters.refused(message.records, why);
        let kind = format!("{} refuses a record for good: it is among the dead letters", self.name);
        selflog::tell(&kind, &why);
        Ok(())
    }

    fn failed(&mut self, why: &str, after: Option<Duration>) {
        self.counters.failed(why);
        let waiting = self.reader.waiting().entries;
        let asked = after.map(|after| format!(", and asks to wait for {after:?}"));
        selflog::tell(
            &format!("{} takes no records", self.name),
            &format_args!("{why}{}; {waiting} wait on disk", asked.unwrap_or_default()),
        );
    }

    /// Rests after a failure, as long as the other side asks or the back-off says.
    ///
    /// Who is asked to stop meanwhile does not try again, but for a failure or two that come while
    /// the last records are delivered: what is left stays on disk.
    fn rest(&mut self, after: Option<Duration>) -> Go {
        let rest = self.backoff.failed().max(after.unwrap_or_default());
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
        let needed = pending.into_iter().chain(self.compose.held_from()).min();
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
