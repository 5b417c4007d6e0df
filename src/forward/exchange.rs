//! Exchange: some messages to the other side in one piece, and what it says of each.
//!
//! Cuts what is to be delivered into batches, and halves a batch that is refused as a whole until
//! the messages that are to blame are alone. Knows no protocol and no destination.

use super::batches::BatchSize;
use super::message::Message;
use super::transport::{Stop, Transport};
use crate::forward::outcome::Outcome;

/// Sends some messages in one piece: one request and its answer.
pub trait Exchange: Send {
    /// Sends the messages, at least one, and says what became of them. Blocks until there is an
    /// answer; every wait must have a deadline.
    fn send(&mut self, batch: &[Message], stop: &Stop) -> Verdict;

    /// Called once, before the first message: registers what interrupts a wait for the network; see
    /// [`Stop::at_deadline`].
    fn start(&mut self, stop: &Stop) {
        let _ = stop;
    }
}

/// What the other side says of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same of all. If it is [`Refused`](Outcome::Refused) or [`Doubtful`](Outcome::Doubtful)
    /// and there are several messages, the batch is halved and sent again, until those that are to
    /// blame are alone.
    All(Outcome),
    /// One outcome for each message, in their order.
    Each(Vec<Outcome>),
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self::All(outcome)
    }
}

/// A [`Transport`] that sends batches by an [`Exchange`].
#[derive(Debug)]
pub struct InBatches<E> {
    exchange: E,
    size: BatchSize,
}

impl<E: Exchange> InBatches<E> {
    /// Batches of at most that size; how long to wait is not looked at.
    #[must_use]
    pub fn new(exchange: E, size: BatchSize) -> Self {
        Self { exchange, size }
    }

    /// Appends a fate for each message. Says whether it is worth going on.
    fn deliver_batch(&mut self, batch: &[Message], stop: &Stop, fates: &mut Vec<Outcome>) -> bool {
        let verdict = match stop.is_over() {
            true => Outcome::retry("logging ends").into(),
            false => self.exchange.send(batch, stop),
        };
        let outcome = match verdict {
            Verdict::Each(each) if each.len() == batch.len() => {
                fates.extend(each);
                return !is_hopeless(fates);
            }
            Verdict::Each(_) => Outcome::retry("the answer is about other records"),
            Verdict::All(outcome) => outcome,
        };
        if batch.len() == 1 || outcome.is_delivered() || outcome.is_waiting() {
            fates.resize(fates.len() + batch.len(), outcome);
            return !is_hopeless(fates);
        }
        let (left, right) = batch.split_at(batch.len() / 2);
        self.deliver_batch(left, stop, fates) && self.deliver_batch(right, stop, fates)
    }

    /// How many of the messages go together.
    fn first_batch(&self, messages: &[Message]) -> usize {
        let mut bytes = 0_usize;
        let fits = |message: &&Message| {
            bytes = bytes.saturating_add(message.body.len());
            bytes <= self.size.bytes
        };
        messages.iter().take(self.size.records).take_while(fits).count().max(1)
    }
}

impl<E: Exchange> Transport for InBatches<E> {
    fn start(&mut self, stop: &Stop) {
        self.exchange.start(stop);
    }

    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Outcome> {
        let mut fates = Vec::with_capacity(messages.len());
        let mut rest = messages;
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(self.first_batch(rest).min(rest.len()));
            if !self.deliver_batch(batch, stop, &mut fates) {
                break;
            }
            rest = after;
        }
        let stays = |outcome: &&Outcome| outcome.is_waiting() || is_doubtful(outcome);
        let untried = fates.iter().rev().find(stays).cloned();
        let untried = untried.unwrap_or_else(|| Outcome::retry("it was not tried"));
        fates.resize(messages.len(), untried);
        fates
    }
}

/// Whether the other side takes nothing now. Two records in doubt and none delivered: the way is to
/// blame rather than both of them.
fn is_hopeless(fates: &[Outcome]) -> bool {
    let in_doubt = fates.iter().filter(|outcome| is_doubtful(outcome)).count();
    let is_waiting = fates.iter().any(Outcome::is_waiting);
    is_waiting || (in_doubt >= 2 && !fates.iter().any(Outcome::is_delivered))
}

fn is_doubtful(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Doubtful { .. })
}
