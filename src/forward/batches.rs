//! Batches: a message for each entry, held back until there are enough of them.
//!
//! Pure: the caller passes the time. Knows how many, how many bytes and how long; knows neither
//! what is in a message nor where it goes.

use super::destination::{Compose, Taken};
use super::hashed;
use super::message::Message;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How much is sent at once.
#[derive(Debug, Clone, Copy)]
pub struct BatchSize {
    /// So many messages, at least 1.
    pub records: usize,
    /// So many bytes of bodies; a larger message goes alone.
    pub bytes: usize,
    /// How long a message waits for others. With one message in a batch none waits.
    pub wait: Duration,
}

impl BatchSize {
    /// One message at a time, at once.
    pub const SINGLE: Self = Self { records: 1, bytes: usize::MAX, wait: Duration::ZERO };
}

/// The hash of an entry, and the body of its message.
pub(super) type Split = fn(&[u8]) -> (&str, &[u8]);

/// Makes a message of each entry of a [`Hashed`](super::Hashed), and waits until there are enough
/// for a batch.
#[derive(Debug)]
pub struct Batches {
    waiting: VecDeque<Message>,
    bytes: usize,
    size: BatchSize,
    /// When those that wait are to go, however few they are.
    due: Option<Instant>,
    is_finished: bool,
    split: Split,
}

impl Batches {
    /// Batches of that size.
    #[must_use]
    pub fn new(size: BatchSize) -> Self {
        Self::splitting(size, hashed::split)
    }

    /// The same for entries of another form.
    pub(super) fn splitting(size: BatchSize, split: Split) -> Self {
        let records = size.records.max(1);
        let wait = if records > 1 { size.wait } else { Duration::ZERO };
        let size = BatchSize { records, wait, ..size };
        Self { waiting: VecDeque::new(), bytes: 0, size, due: None, is_finished: false, split }
    }
}

impl Compose for Batches {
    fn take(&mut self, entry: Taken<'_>, now: Instant) {
        self.due.get_or_insert(now + self.size.wait);
        let (hash, body) = (self.split)(entry.bytes);
        self.bytes = self.bytes.saturating_add(body.len());
        let (id, body) = (hash.to_owned(), body.to_vec());
        self.waiting.push_back(Message { id, body, records: 1, from: entry.id });
    }

    fn ready(&mut self, now: Instant) -> Vec<Message> {
        let is_due = self.is_finished || self.due.is_some_and(|due| due <= now);
        let whole = self.waiting.len() / self.size.records * self.size.records;
        let is_all = is_due || self.bytes >= self.size.bytes;
        let ready = if is_all { self.waiting.len() } else { whole };
        if ready == self.waiting.len() {
            self.due = None;
        } else if ready > 0 {
            self.due = Some(now + self.size.wait);
        }
        let ready: Vec<_> = self.waiting.drain(..ready).collect();
        let gone: usize = ready.iter().map(|message| message.body.len()).sum();
        self.bytes = self.bytes.saturating_sub(gone);
        ready
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn held_from(&self) -> Option<u64> {
        self.waiting.front().map(|message| message.from)
    }

    fn finish(&mut self) {
        self.is_finished = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(records: usize, wait_ms: u64) -> BatchSize {
        BatchSize { records, bytes: 100, wait: Duration::from_millis(wait_ms) }
    }

    fn take(batches: &mut Batches, id: u64, now: Instant) {
        let bytes = format!("{id:032x}{{\"n\":{id}}}");
        batches.take(Taken { id, at_unix_ms: 0, bytes: bytes.as_bytes() }, now);
    }

    fn ids(batches: &mut Batches, now: Instant) -> Vec<u64> {
        batches.ready(now).iter().map(|message| message.from).collect()
    }

    #[test]
    fn single_messages_do_not_wait() {
        let now = Instant::now();
        let mut batches = Batches::new(size(1, 9_000));
        take(&mut batches, 7, now);
        let ready = batches.ready(now);
        assert_eq!(ready[0].id, format!("{:032x}", 7));
        assert_eq!(ready[0].body, br#"{"n":7}"#);
        assert_eq!((ready.len(), batches.due(), batches.held_from()), (1, None, None));
    }

    #[test]
    fn a_batch_goes_when_it_is_full_or_has_waited_long_enough_or_at_the_end() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut batches = Batches::new(size(3, 100));
        (1..=4).for_each(|id| take(&mut batches, id, start));
        assert_eq!(ids(&mut batches, start), [1, 2, 3]);
        assert_eq!(batches.held_from(), Some(4));
        assert_eq!(batches.due(), Some(after(100)));
        assert!(ids(&mut batches, after(99)).is_empty());
        assert_eq!(ids(&mut batches, after(100)), [4]);
        assert_eq!(batches.due(), None);
        take(&mut batches, 5, after(200));
        assert!(ids(&mut batches, after(200)).is_empty());
        batches.finish();
        assert_eq!(ids(&mut batches, after(200)), [5]);
    }

    #[test]
    fn a_batch_goes_when_it_has_bytes_enough() {
        let now = Instant::now();
        let mut batches = Batches::new(size(1_000, 100));
        (1..=13).for_each(|id| take(&mut batches, id, now));
        assert!(ids(&mut batches, now).is_empty());
        (14..=30).for_each(|id| take(&mut batches, id, now));
        assert_eq!(ids(&mut batches, now), (1..=30).collect::<Vec<_>>());
        take(&mut batches, 31, now);
        assert!(ids(&mut batches, now).is_empty());
    }
}
