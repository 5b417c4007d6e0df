//! Tail: shows new records to those who follow.
//!
//! Knows records and filters. Does not know HTTP. Equal filters share one subscription: each record
//! is tested and written once for all who follow alike. Nobody who follows can slow ingest: what
//! does not fit into a queue is dropped and counted.

use crate::metrics::{Event, Metrics};
use crate::render::push_row;
use crate::token::Streams;
use logbeacon_store::Record;
use logwell_query::Filter;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;

/// Where records are published, and followed.
#[derive(Debug)]
pub struct Tail {
    shared: Arc<Shared>,
    queue: SyncSender<Vec<Record>>,
}

/// What somebody follows.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The filter's text: equal texts share a subscription.
    pub text: String,
    /// The filter.
    pub filter: Filter,
    /// The streams that may be shown.
    pub streams: Streams,
    /// Whether `_audit` may be shown.
    pub sees_audit: bool,
}

/// A record as it is sent to all who follow it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number within the subscription; rises by one.
    pub number: u64,
    /// The record as JSON.
    pub json: Arc<str>,
}

/// What somebody who follows holds.
#[derive(Debug)]
pub struct Following {
    /// What was sent after the line that was named, if that is known.
    pub missed: Missed,
    /// Lines to come. An error `Lagged` has the number of lines that were dropped for this reader.
    pub lines: broadcast::Receiver<Line>,
    /// Tells this subscription from those of other starts and filters.
    pub id: u64,
}

/// What a reader missed who comes back.
#[derive(Debug)]
pub enum Missed {
    /// These lines; none for somebody new.
    Lines(Vec<Line>),
    /// Nobody knows: it is too long ago, or another start.
    Unknown,
}

#[derive(Debug)]
struct Shared {
    is_followed: AtomicBool,
    subscriptions: Mutex<Vec<Subscription>>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Subscription {
    wish: Wish,
    id: u64,
    next: u64,
    recent: VecDeque<Line>,
    recent_bytes: usize,
    lines: broadcast::Sender<Line>,
    left_since: Option<Instant>,
}

/// Batches on their way to those who follow.
const QUEUE_BATCHES: usize = 256;
/// Different filters at once: each record is tested against every one.
const MAX_SUBSCRIPTIONS: usize = 128;
/// Lines that a reader may be behind.
const BEHIND_LINES: usize = 1024;
/// What is kept for those who come back.
const RECENT_LINES: usize = 256;
const RECENT_BYTES: usize = 1 << 20;
/// How long a subscription outlives its last reader.
const LINGER: Duration = Duration::from_secs(60);

impl Tail {
    /// Starts the thread that tests records.
    ///
    /// # Errors
    ///
    /// The system has no thread.
    pub fn start(metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let (queue, batches) = sync_channel(QUEUE_BATCHES);
        let shared = Arc::new(Shared {
            is_followed: AtomicBool::new(false),
            subscriptions: Mutex::new(Vec::new()),
            metrics,
        });
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("logbeacon-tail".to_owned())
            .spawn(move || worker.run(&batches))?;
        Ok(Self { shared, queue })
    }

    /// Whether anybody follows anything.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.shared.is_followed.load(Ordering::Relaxed)
    }

    /// Shows records that are on disk. Never blocks.
    pub fn publish(&self, records: Vec<Record>) {
        if let Err(TrySendError::Full(records)) = self.queue.try_send(records) {
            self.shared.metrics.count_many(Event::TailDropped, records.len() as u64);
        }
    }

    /// Follows what fits the wish. `after` is the subscription and line that a reader who comes
    /// back has seen last. Nothing, if too many other filters are followed.
    #[must_use]
    pub fn follow(&self, wish: Wish, after: Option<(u64, u64)>) -> Option<Following> {
        let mut subscriptions =
            self.shared.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.is_followed.store(true, Ordering::Relaxed);
        let same = |other: &Subscription| {
            other.wish.text == wish.text
                && other.wish.streams == wish.streams
                && other.wish.sees_audit == wish.sees_audit
        };
        let index = match subscriptions.iter().position(same) {
            Some(index) => index,
            None if subscriptions.len() >= MAX_SUBSCRIPTIONS => return None,
            None => {
                subscriptions.push(Subscription::new(wish));
                subscriptions.len() - 1
            }
        };
        subscriptions.get_mut(index).map(|subscription| subscription.join(after))
    }
}

impl Shared {
    fn run(&self, batches: &Receiver<Vec<Record>>) {
        while let Ok(batch) = batches.recv() {
            let mut subscriptions =
                self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
            for subscription in subscriptions.iter_mut() {
                for record in &batch {
                    subscription.offer(record);
                }
            }
            subscriptions.retain_mut(Subscription::is_wanted);
            self.is_followed.store(!subscriptions.is_empty(), Ordering::Relaxed);
        }
    }
}

impl Subscription {
    fn new(wish: Wish) -> Self {
        let id = u64::from_le_bytes(crate::digest::random().unwrap_or_default());
        let (lines, recent) = (broadcast::channel(BEHIND_LINES).0, VecDeque::new());
        Self { wish, id, next: 1, recent, recent_bytes: 0, lines, left_since: None }
    }

    fn join(&mut self, after: Option<(u64, u64)>) -> Following {
        self.left_since = None;
        let oldest = self.recent.front().map_or(self.next, |line| line.number);
        let missed = match after {
            None => Missed::Lines(Vec::new()),
            Some((id, seen)) if id == self.id && seen + 1 >= oldest => {
                let newer = self.recent.iter().filter(|line| line.number > seen);
                Missed::Lines(newer.cloned().collect())
            }
            Some(_) => Missed::Unknown,
        };
        Following { missed, lines: self.lines.subscribe(), id: self.id }
    }

    fn offer(&mut self, record: &Record) {
        let Wish { filter, streams, sees_audit, .. } = &self.wish;
        let hidden = record.stream == crate::stream_name::AUDIT && !sees_audit;
        if hidden || !streams.contain(&record.stream) || !filter.matches(record) {
            return;
        }
        let mut json = String::new();
        push_row(record, &mut json);
        let line = Line { number: self.next, json: json.into() };
        self.next += 1;
        self.recent_bytes += line.json.len();
        self.recent.push_back(line.clone());
        while self.recent.len() > RECENT_LINES || self.recent_bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.json.len();
        }
        // Without readers there is nobody to send to; they may come back.
        let _readers = self.lines.send(line);
    }

    fn is_wanted(&mut self) -> bool {
        if self.lines.receiver_count() > 0 {
            self.left_since = None;
            return true;
        }
        self.left_since.get_or_insert_with(Instant::now).elapsed() < LINGER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail() -> Tail {
        Tail::start(Arc::default()).unwrap()
    }

    fn wish(stream: &str) -> Wish {
        let streams = Streams::Some(vec![stream.to_owned()]);
        Wish { text: String::new(), filter: Filter::All, streams, sees_audit: false }
    }

    fn record(stream: &str, message: &str) -> Record {
        let (stream, message) = (stream.to_owned(), message.to_owned());
        Record { stream, message, ..Record::default() }
    }

    #[test]
    fn those_who_follow_alike_share_a_subscription_and_see_their_streams_only() {
        let tail = tail();
        assert!(!tail.is_followed());
        let (mut a, mut b) =
            (tail.follow(wish("a"), None).unwrap(), tail.follow(wish("a"), None).unwrap());
        assert_eq!(a.id, b.id);
        assert!(tail.is_followed());
        tail.publish(vec![record("b", "hidden"), record("a", "shown")]);
        for following in [&mut a, &mut b] {
            let line = following.lines.blocking_recv().unwrap();
            assert!(line.json.contains("shown"));
            assert_eq!(line.number, 1);
        }
    }

    #[test]
    fn the_number_of_filters_is_bounded_and_that_of_readers_is_not() {
        let tail = tail();
        let follow = |number: usize| {
            let text = number.to_string();
            tail.follow(Wish { text, ..wish("a") }, None).is_some()
        };
        assert!((0..MAX_SUBSCRIPTIONS).all(follow));
        assert!(!follow(MAX_SUBSCRIPTIONS));
        assert!((0..MAX_SUBSCRIPTIONS).all(follow));
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_or_learns_that_nobody_knows() {
        let tail = tail();
        let mut first = tail.follow(wish("a"), None).unwrap();
        tail.publish((0..3).map(|number| record("a", &number.to_string())).collect());
        for _ in 0..3 {
            first.lines.blocking_recv().unwrap();
        }
        let back = tail.follow(wish("a"), Some((first.id, 1))).unwrap();
        let Missed::Lines(lines) = back.missed else { panic!("the lines are known") };
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3]);
        for after in [(first.id + 1, 1), (first.id, 0)] {
            let missed = tail.follow(wish("a"), Some(after)).unwrap().missed;
            let is_known = matches!(missed, Missed::Lines(_));
            assert_eq!(is_known, after.0 == first.id);
        }
    }
}
