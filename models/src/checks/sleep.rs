//! Sleep: no wake-up is lost. Sleeps here last for ever, so a listener that is not woken hangs.

use super::Model;
use crate::level::Level;
use crate::queue::{Policy, Queue};
use crate::sync::channel::{Receiver, bounded};
use crate::sync::thread::{JoinHandle, spawn, yield_now};
use crate::waker::{Sleep, Waker};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ALL: [Model; 7] = [
    Model {
        name: "any item ends a deep sleep",
        preemptions: Some(4),
        run: || {
            let queue = queue(4, SHORT);
            let listener = listener(&queue, Sleep::Deep, 2);
            let other = sender(&queue, Level::Info, [1]);
            send(&queue, Level::Info, 2);
            other.join().unwrap();
            listener.join().unwrap();
        },
    },
    Model {
        name: "the next sleep ends too",
        preemptions: Some(6),
        run: || {
            let queue = queue(4, SHORT);
            let listener = listener(&queue, Sleep::Deep, 2);
            send(&queue, Level::Info, 1);
            send(&queue, Level::Info, 2);
            listener.join().unwrap();
        },
    },
    Model {
        name: "an urgent item ends a doze",
        preemptions: Some(3),
        run: || {
            let queue = queue(4, SHORT);
            let listener = listener(&queue, Sleep::Doze, 2);
            let other = sender(&queue, Level::Error, [1]);
            send(&queue, Level::Error, 2);
            other.join().unwrap();
            listener.join().unwrap();
        },
    },
    Model {
        name: "a question ends a doze and a deep sleep",
        preemptions: Some(4),
        run: || {
            let waker = Arc::new(Waker::default());
            let (asker, asked) = bounded(2);
            let (slept, questions) = (Arc::clone(&waker), asked);
            let listener = spawn(move || answer(&slept, &questions, 2));
            let (other_waker, other_asker) = (Arc::clone(&waker), asker.clone());
            let other = spawn(move || {
                other_asker.try_send(1).unwrap();
                other_waker.wake();
            });
            asker.try_send(2).unwrap();
            waker.wake();
            other.join().unwrap();
            listener.join().unwrap();
        },
    },
    Model {
        name: "a sender that waits for room wakes who makes it",
        preemptions: Some(4),
        run: || {
            let queue = queue(1, LONG);
            let listener = dozer(&queue);
            send(&queue, Level::Info, 1);
            send(&queue, Level::Info, 2);
            listener.join().unwrap();
        },
    },
    Model {
        name: "a failure that waits beside the queue ends a deep sleep",
        preemptions: Some(4),
        run: || {
            let queue = queue(4, SHORT);
            let listener = listener(&queue, Sleep::Deep, 2);
            send(&queue, Level::Error, HALF_THE_BYTES);
            send(&queue, Level::Error, HALF_THE_BYTES + 1);
            listener.join().unwrap();
            assert_eq!(queue.heap_bytes(), 0);
        },
    },
    Model {
        name: "a sender that waits for bytes wakes who gives them back",
        preemptions: Some(4),
        run: || {
            let queue = queue(4, LONG);
            let listener = dozer(&queue);
            send(&queue, Level::Info, HALF_THE_BYTES);
            send(&queue, Level::Info, HALF_THE_BYTES + 1);
            listener.join().unwrap();
            assert_eq!(queue.heap_bytes(), 0);
        },
    },
];

const FOR_EVER: Duration = Duration::MAX;
/// How long an item waits for room.
const SHORT: Option<Duration> = Some(Duration::ZERO);
const LONG: Option<Duration> = None;
const HALF_THE_BYTES: usize = 50;

/// Items are numbers, and as many bytes.
fn queue(size: usize, wait: Option<Duration>) -> Arc<Queue<usize>> {
    let refuse_from = [usize::MAX; Level::COUNT];
    let max_heap_bytes = 2 * HALF_THE_BYTES as u64;
    Queue::new(size, Policy { refuse_from, wait: [wait; Level::COUNT], max_heap_bytes })
}

fn send(queue: &Queue<usize>, level: Level, item: usize) {
    let admission = queue.admits(level).unwrap();
    queue.send(item, admission, item, |item| (level, *item), |_| true).unwrap();
}

fn sender<const N: usize>(
    queue: &Arc<Queue<usize>>,
    level: Level,
    items: [usize; N],
) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    spawn(move || items.into_iter().for_each(|item| send(&queue, level, item)))
}

/// Takes so many items, and sleeps whenever there is none.
fn listener(queue: &Arc<Queue<usize>>, how: Sleep, items: usize) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    spawn(move || {
        queue.waker.attach();
        let mut left = items;
        while left > 0 {
            match queue.take(|item| *item) {
                Some(_) => left -= 1,
                None => queue.waker.sleep(how, FOR_EVER, || queue.len() > 0),
            }
        }
    })
}

/// Takes two items, and dozes until it has the first.
fn dozer(queue: &Arc<Queue<usize>>) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    spawn(move || {
        queue.waker.attach();
        while queue.take(|item| *item).is_none() {
            queue.waker.sleep(Sleep::Doze, FOR_EVER, || queue.len() > 0);
        }
        while queue.take(|item| *item).is_none() {
            yield_now();
        }
    })
}

/// Answers so many questions, and sleeps in either way whenever there is none.
fn answer(waker: &Waker, questions: &Receiver<u32>, many: usize) {
    waker.attach();
    let (mut left, mut how, mut next) = (many, Sleep::Doze, Sleep::Deep);
    while left > 0 {
        if questions.try_recv().is_ok() {
            left -= 1;
        } else {
            waker.sleep(how, FOR_EVER, || !questions.is_empty());
            std::mem::swap(&mut how, &mut next);
        }
    }
}
