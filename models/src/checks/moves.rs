//! Moves: who looks at the counters sees each record in one place, whatever moves meanwhile.

use super::Model;
use crate::level::Level;
use crate::queue::{Policy, Queue};
use crate::stats::{Counters, SeqLock, SinkCounters, add};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread::{JoinHandle, spawn};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ALL: [Model; 8] = [
    Model {
        name: "a look that ends has seen no move half done",
        preemptions: Some(5),
        run: || {
            let pair = Arc::new((SeqLock::default(), AtomicU64::default(), AtomicU64::default()));
            let moved = Arc::clone(&pair);
            let mover = spawn(move || {
                let (moves, here, there) = &*moved;
                for step in 1..=2 {
                    moves.during(|| {
                        here.store(step, Ordering::Relaxed);
                        there.store(step, Ordering::Relaxed);
                    });
                }
            });
            let (moves, here, there) = &*pair;
            let read = |of: &AtomicU64| of.load(Ordering::Relaxed);
            let (here, there) = moves.look(|| (read(here), read(there)));
            assert_eq!(here, there);
            mover.join().unwrap();
        },
    },
    Model {
        name: "a caller that looks after each record finds the exact number",
        preemptions: Some(3),
        run: || {
            let pipe = Pipe::new(0);
            let taken = Arc::clone(&pipe);
            let listener = spawn(move || (0..2).for_each(|_| taken.take(1)));
            for sent in 1..=2 {
                pipe.send();
                assert_eq!(pipe.captured(), sent);
            }
            listener.join().unwrap();
        },
    },
    Model {
        name: "and while logging ends",
        preemptions: Some(3),
        run: || {
            let pipe = Pipe::new(0);
            let listener = pipe.listener();
            for sent in 1..=2 {
                pipe.send();
                assert_eq!(pipe.captured(), sent);
            }
            listener.join().unwrap();
        },
    },
    Model {
        name: "and while others send too, between what has been sent and what will be",
        preemptions: Some(2),
        run: || {
            let pipe = Pipe::new(0);
            let listener = pipe.listener();
            let sent = Arc::clone(&pipe);
            let other = spawn(move || sent.send());
            pipe.send();
            assert!((1..=2).contains(&pipe.captured()));
            other.join().unwrap();
            assert_eq!(pipe.captured(), 2);
            listener.join().unwrap();
        },
    },
    Model {
        name: "and while failures wait beside the queue",
        preemptions: Some(3),
        run: || {
            let pipe = Pipe::new(1);
            let listener = pipe.listener();
            for sent in 1..=2 {
                pipe.send();
                assert_eq!(pipe.captured(), sent);
            }
            listener.join().unwrap();
        },
    },
    Model {
        name: "and while a record is taken back",
        preemptions: None,
        run: || {
            let pipe = Pipe::new(0);
            pipe.send();
            pipe.queue.abandon();
            let left = Arc::clone(&pipe);
            let listener = spawn(move || left.queue.take_back(|()| LEVEL, |()| 0));
            assert_eq!(pipe.captured(), 1);
            assert_eq!(listener.join().unwrap(), Some(()));
            assert_eq!(pipe.captured(), 1);
        },
    },
    Model {
        name: "of a sink's records none is counted twice",
        preemptions: None,
        run: || {
            let sink = Arc::new(SinkCounters::default());
            let counted = Arc::clone(&sink);
            let listener = spawn(move || {
                for becomes in [&counted.written, &counted.refused] {
                    add(&counted.routed, 1);
                    add(becomes, 1);
                }
            });
            let seen = sink.snapshot("app");
            assert!(seen.written + seen.dropped() <= seen.routed, "{seen:?}");
            listener.join().unwrap();
            let seen = sink.snapshot("app");
            assert_eq!((seen.routed, seen.written, seen.dropped()), (2, 1, 1));
        },
    },
    Model {
        name: "losses are told with their times",
        preemptions: Some(3),
        run: || {
            let pipe = Pipe::new(0);
            pipe.queue.close();
            let others = [1, 2].map(|_| {
                let pipe = Arc::clone(&pipe);
                spawn(move || pipe.send())
            });
            let told = pipe.tell(0);
            others.into_iter().for_each(|other| other.join().unwrap());
            pipe.tell(told);
        },
    },
];

/// The counters and what they count.
struct Pipe {
    queue: Arc<Queue<()>>,
    counters: Counters,
    /// Of each item, and one such item is as much as the queue takes.
    heap_bytes: usize,
}

const LEVEL: Level = Level::Error;

impl Pipe {
    fn new(heap_bytes: usize) -> Arc<Self> {
        let refuse_from = [usize::MAX; Level::COUNT];
        let wait = [Some(Duration::ZERO); Level::COUNT];
        let queue = Queue::new(4, Policy { refuse_from, wait, max_heap_bytes: 0 });
        Arc::new(Self { queue, counters: Counters::default(), heap_bytes })
    }

    /// What a log call does.
    fn send(&self) {
        if let Some(admission) = self.queue.admits(LEVEL) {
            let _counted = self.queue.send(
                (),
                admission,
                self.heap_bytes,
                |()| (LEVEL, self.heap_bytes),
                |()| true,
            );
        }
    }

    /// Takes what there is, so many at a time (`Listener::take`).
    fn take(&self, at_most: usize) {
        self.counters.moves.during(|| {
            let taken = std::iter::from_fn(|| self.queue.take(|()| self.heap_bytes)).take(at_most);
            taken.for_each(|()| self.counters.count_received(LEVEL));
        });
    }

    /// A thread that takes one and stops.
    fn listener(self: &Arc<Self>) -> JoinHandle<()> {
        let pipe = Arc::clone(self);
        spawn(move || {
            pipe.take(1);
            pipe.queue.close();
            pipe.queue.abandon();
            pipe.take(usize::MAX);
        })
    }

    /// What a look at the counters says was captured (`LoggingHandle::stats`).
    fn captured(&self) -> u64 {
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        let _nothing_is_taken_back = self.queue.hold();
        let (received, in_queue) = self
            .counters
            .moves
            .look(|| (self.counters.received.each_ref().map(count), self.queue.len() as u64));
        received.iter().sum::<u64>() + in_queue + self.queue.dropped().total()
    }

    /// Asks when what has been dropped was, if there is more than was told
    /// (`Listener::tell_losses`).
    fn tell(&self, told: u64) -> u64 {
        let dropped = self.queue.dropped().total();
        if dropped > told {
            let (first, last) = self.queue.take_drop_times();
            assert!(
                first > 0 && last >= first,
                "{told} told, {dropped} dropped: {first} to {last}"
            );
        }
        dropped
    }
}
