//! Queue: each item is taken by the listener or counted as dropped, never both nor neither.

use super::Model;
use crate::level::Level;
use crate::queue::{Policy, Queue};
use crate::stats::{Dropped, Reason};
use crate::sync::thread::{JoinHandle, spawn};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ALL: [Model; 5] = [
    Model {
        name: "of items that come while logging ends none is lost and none is there twice",
        preemptions: Some(3),
        run: || {
            let queue = queue(4);
            let senders = [SMALL, LARGE].map(|item| sender(&queue, vec![item]));
            let taken = stop(&queue);
            let returned = senders.into_iter().flat_map(|sender| sender.join().unwrap());
            let returned: Vec<_> = returned.collect();
            account(&queue, &[SMALL, LARGE], &taken, &returned);
        },
    },
    Model {
        name: "nor while the listener goes and takes back what it leaves",
        preemptions: Some(3),
        run: || {
            let queue = queue(4);
            let senders = [SMALL, LARGE].map(|item| sender(&queue, vec![item]));
            queue.abandon();
            let left = || queue.take_back(Item::level, Item::heap_bytes);
            let mut returned: Vec<_> = std::iter::from_fn(left).collect();
            for sender in senders {
                returned.extend(sender.join().unwrap());
            }
            account(&queue, &[SMALL, LARGE], &[], &returned);
        },
    },
    Model {
        name: "nor while the queue is full",
        preemptions: Some(3),
        run: || {
            let queue = queue(1);
            let senders = [vec![SMALL, OTHER], vec![LARGE]].map(|items| sender(&queue, items));
            let taken = stop(&queue);
            let returned: Vec<_> =
                senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
            account(&queue, &[SMALL, OTHER, LARGE], &taken, &returned);
        },
    },
    Model {
        name: "nor while a failure waits beside the queue",
        preemptions: Some(3),
        run: || {
            let queue = queue(4);
            let senders = [LARGE, SAFE].map(|item| sender(&queue, vec![item]));
            let taken = stop(&queue);
            let returned: Vec<_> =
                senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
            account(&queue, &[LARGE, SAFE], &taken, &returned);
        },
    },
    Model {
        name: "the bytes that wait stay within their budget and come back",
        preemptions: Some(3),
        run: || {
            let queue = queue(4);
            let senders = [LARGE, LARGE].map(|item| sender(&queue, vec![item]));
            let mut taken = Vec::from_iter(queue.take(Item::heap_bytes));
            assert!(queue.heap_bytes() <= MAX_HEAP_BYTES);
            let returned: Vec<_> =
                senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
            taken.extend(std::iter::from_fn(|| queue.take(Item::heap_bytes)));
            account(&queue, &[LARGE, LARGE], &taken, &returned);
            assert_eq!(returned.len() as u64, queue.dropped().get(LARGE.level, Reason::Bytes));
        },
    },
];

/// An item, known by its level and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    level: Level,
    heap_bytes: usize,
}

const SMALL: Item = Item { level: Level::Info, heap_bytes: 0 };
const OTHER: Item = Item { level: Level::Warn, heap_bytes: 10 };
const LARGE: Item = Item { level: Level::Error, heap_bytes: 60 };
/// One that may wait beside the queue.
const SAFE: Item = Item { level: Level::Critical, heap_bytes: 61 };
const MAX_HEAP_BYTES: u64 = 100;

impl Item {
    fn level(&self) -> Level {
        self.level
    }

    fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }
}

fn queue(size: usize) -> Arc<Queue<Item>> {
    let refuse_from = [usize::MAX; Level::COUNT];
    let wait = [Some(Duration::ZERO); Level::COUNT];
    Queue::new(size, Policy { refuse_from, wait, max_heap_bytes: MAX_HEAP_BYTES })
}

/// Sends items; in the end it has those that the queue did not admit or gave back.
fn sender(queue: &Arc<Queue<Item>>, items: Vec<Item>) -> JoinHandle<Vec<Item>> {
    let queue = Arc::clone(queue);
    spawn(move || {
        let mut returned = Vec::new();
        for item in items {
            match queue.admits(item.level) {
                Some(admission) => returned.extend(
                    queue
                        .send(
                            item,
                            admission,
                            item.heap_bytes,
                            |item| (item.level, item.heap_bytes),
                            |item| *item == SAFE,
                        )
                        .err(),
                ),
                None => returned.push(item),
            }
        }
        returned
    })
}

/// What a shutdown does (`Listener::stop`).
fn stop(queue: &Queue<Item>) -> Vec<Item> {
    queue.close();
    let mut taken: Vec<_> = std::iter::from_fn(|| queue.take(Item::heap_bytes)).collect();
    queue.abandon();
    taken.extend(std::iter::from_fn(|| queue.take(Item::heap_bytes)));
    taken
}

/// All items were taken or returned, and those that were returned are counted by their levels.
fn account(queue: &Queue<Item>, sent: &[Item], taken: &[Item], returned: &[Item]) {
    let mut found = [taken, returned].concat();
    found.sort_unstable();
    assert_eq!(found, sent, "taken {taken:?}, returned {returned:?}");
    assert_eq!((queue.len(), queue.heap_bytes()), (0, 0));
    let dropped = queue.dropped();
    for level in Level::ALL {
        let of_level = returned.iter().filter(|item| item.level == level).count() as u64;
        assert_eq!(count(&dropped, level), of_level, "{level}");
    }
}

fn count(dropped: &Dropped, of: Level) -> u64 {
    dropped.iter().filter(|(level, ..)| *level == of).map(|(.., count)| count).sum()
}
