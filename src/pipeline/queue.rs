//! Queue: the bounded channel between the application and the listener, and what gives when it is
//! full.
//!
//! Generic: does not know what it carries. A sender never waits unless the policy says so; when it
//! wakes the receiver is described in `waker.rs`.

use crate::base::clock;
use crate::base::fork::ForkGuard;
use crate::base::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::base::sync::channel::{Receiver, Sender, TrySendError, bounded};
use crate::base::sync::{Mutex, MutexGuard, PoisonError, thread, thread_local};
use crate::pipeline::waker::Waker;
use crate::record::level::Level;
use crate::record::stats::{DropCounters, Dropped, Reason};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A thread may send this part of the way to the first mark without looking at the queue. So a mark
/// can be passed by as many items for each other thread that fills the queue meanwhile: 39 of the
/// default 10 000. The size itself is never passed, and with one sender every mark is exact.
const SENDERS: usize = 64;
/// A sender that waits for room looks after this long, then after twice as long, up to the longest
/// pause: far less than it takes to empty the queue.
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// What gives when there is no room.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// From how many waiting items on a level is refused; by level.
    pub(crate) refuse_from: [usize; Level::COUNT],
    /// How long an item of a level waits for room; `None` is as long as it takes.
    pub(crate) wait: [Option<Duration>; Level::COUNT],
    /// How many bytes on the heap the waiting items may take.
    pub(crate) max_heap_bytes: u64,
}

/// That an item may come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    level: Level,
    /// Whether the receiver is to look at once.
    is_urgent: bool,
}

/// Both ends of the queue, and its counters.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
    policy: Policy,
    wake_from: usize,
    /// A sender that waits for room goes on when no more items than this wait.
    go_on_at: usize,
    /// The least number of waiting items that means anything.
    first_mark: usize,
    heap_bytes: AtomicU64,
    dropped: DropCounters,
    open: AtomicBool,
    /// Whether somebody is there to take items.
    served: AtomicBool,
    pub(crate) waker: Waker,
    birthplace: ForkGuard,
    taking_back: Mutex<()>,
    /// Failures that found no room in time and are safe elsewhere, and how many.
    overflow: Mutex<VecDeque<T>>,
    overflow_len: AtomicU64,
}

impl<T> Queue<T> {
    pub(crate) fn new(size: usize, policy: Policy) -> Arc<Self> {
        let (sender, receiver) = bounded(size);
        let wake_from = (size / 4).max(1);
        let first_mark = policy.refuse_from.into_iter().fold(wake_from, usize::min);
        Arc::new(Self {
            sender,
            receiver,
            policy,
            wake_from,
            go_on_at: size - size / 8,
            first_mark,
            heap_bytes: AtomicU64::new(0),
            dropped: DropCounters::default(),
            open: AtomicBool::new(true),
            served: AtomicBool::new(true),
            waker: Waker::default(),
            birthplace: ForkGuard::here(),
            taking_back: Mutex::new(()),
            overflow: Mutex::new(VecDeque::new()),
            overflow_len: AtomicU64::new(0),
        })
    }

    /// Whether an item of that level may come: asked before it is made, so that what is shed costs
    /// little. If not, it counts as dropped.
    #[inline]
    pub(crate) fn admits(&self, level: Level) -> Option<Admission> {
        let refused = if !self.open.load(Ordering::Acquire) {
            Reason::Closed
        } else {
            let waiting = self.waiting();
            if waiting < self.refuse_from(level) {
                let is_urgent = level >= Level::Error || waiting >= self.wake_from;
                return Some(Admission { level, is_urgent });
            }
            Reason::Shed
        };
        self.refuse(level, refused);
        None
    }

    /// Puts an admitted item in the queue, or counts why not and gives it back; or another's, when
    /// nobody takes items any more. `weigh` tells the level of any item, and its bytes on the heap.
    #[inline]
    pub(crate) fn send(
        &self,
        item: T,
        admission: Admission,
        heap_bytes: usize,
        weigh: impl Fn(&T) -> (Level, usize),
        keep: impl FnOnce(&mut T) -> bool,
    ) -> Result<(), T> {
        let Admission { level, is_urgent } = admission;
        let sent = self.offer(item, level, heap_bytes as u64);
        self.waker.wake_for(is_urgent);
        match sent {
            Ok(()) if !self.is_served() => {
                self.take_back(|item| weigh(item).0, |item| weigh(item).1).map_or(Ok(()), Err)
            }
            Ok(()) => Ok(()),
            Err((item, reason)) => self.push_overflow(item, level, reason, keep),
        }
    }

    /// Lets a failure that found no room in time wait beside the queue, if `keep` sees to its
    /// bounds and its safety. All else is counted as dropped and given back.
    #[cold]
    fn push_overflow(
        &self,
        mut item: T,
        level: Level,
        reason: Reason,
        keep: impl FnOnce(&mut T) -> bool,
    ) -> Result<(), T> {
        if level >= Level::Error && matches!(reason, Reason::Timeout | Reason::Bytes) {
            let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
            if self.is_open() && keep(&mut item) {
                overflow.push_back(item);
                // In one order with the waker's state, as the queue's own operations are.
                self.overflow_len.store(overflow.len() as u64, Ordering::SeqCst);
                drop(overflow);
                self.waker.wake();
                return Ok(());
            }
        }
        self.refuse(level, reason);
        Err(item)
    }

    /// Takes an item out that nobody will take any more, if there is one, and counts it as dropped.
    ///
    /// The queue may be closed and emptied for the last time while items are on their way. Each
    /// sender in that place takes one item out, so that the numbers are right in the end.
    #[cold]
    pub(crate) fn take_back(
        &self,
        level_of: impl Fn(&T) -> Level,
        heap_bytes_of: impl Fn(&T) -> usize,
    ) -> Option<T> {
        let _unseen = self.hold();
        let item = self.take(heap_bytes_of)?;
        self.refuse(level_of(&item), Reason::Closed);
        Some(item)
    }

    /// As long as this is held, no item is taken back: it would be nowhere for a moment.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.taking_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `witness` for each item that is dropped.
    pub(crate) fn drops_are_witnessed_by(
        &self,
        witness: impl Fn(Level, Reason) + Send + Sync + 'static,
    ) {
        self.dropped.witnessed_by(witness);
    }

    /// Counts an item that never came as far as the queue.
    #[cold]
    pub(crate) fn refuse(&self, level: Level, reason: Reason) {
        self.dropped.count(level, reason, clock::unix_ns());
    }

    #[inline]
    fn offer(&self, item: T, level: Level, heap_bytes: u64) -> Result<(), (T, Reason)> {
        if heap_bytes > 0
            && let Err(reason) = self.reserve(level, heap_bytes)
        {
            return Err((item, reason));
        }
        let sent = match self.sender.try_send(item) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(item)) => self.wait_for_room(item, level),
            Err(TrySendError::Disconnected(item)) => Err((item, Reason::Closed)),
        };
        if sent.is_err() && heap_bytes > 0 {
            self.release(heap_bytes);
        }
        sent
    }

    /// How many items wait; 0 while there are surely too few to matter.
    ///
    /// Counting them reads what the receiver writes, which shows in the slowest calls. So a thread
    /// that saw the queue far from its first mark does not look again for a few items; see
    /// [`SENDERS`].
    fn waiting(&self) -> usize {
        thread_local! {
            /// The queue this thread looked at last, and for how many items it need not look again.
            static UNSEEN: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
        }
        let this = std::ptr::from_ref(self).addr();
        UNSEEN.with(|unseen| match unseen.get() {
            (queue, left @ 1..) if queue == this => {
                unseen.set((this, left - 1));
                0
            }
            _ => {
                let waiting = self.sender.len();
                unseen.set((this, self.first_mark.saturating_sub(waiting) / SENDERS));
                waiting
            }
        })
    }

    /// Waits for room in short pauses, and not on the channel: there the receiver would wake a
    /// sender for each item it takes, at several microseconds each, and both would go at that pace.
    /// For the same reason it goes on when a part of the queue is free: one sleep then serves many
    /// items.
    #[cold]
    fn wait_for_room(&self, mut item: T, level: Level) -> Result<(), (T, Reason)> {
        let wait = self.wait(level);
        if wait == Some(Duration::ZERO) {
            self.waker.wake();
            return Err((item, Reason::Full));
        }
        let start = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        while self.open.load(Ordering::Acquire) {
            self.waker.wake();
            let left = wait.map_or(pause, |wait| wait.saturating_sub(start.elapsed()));
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
            if self.sender.len() > self.go_on_at && !left.is_zero() {
                continue;
            }
            match self.sender.try_send(item) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) if left.is_zero() => {
                    return Err((back, Reason::Timeout));
                }
                Err(TrySendError::Full(back)) => item = back,
                Err(TrySendError::Disconnected(back)) => return Err((back, Reason::Closed)),
            }
        }
        Err((item, Reason::Closed))
    }

    /// Takes from the byte budget. An item larger than the whole budget passes when nothing waits.
    #[cold]
    fn reserve(&self, level: Level, heap_bytes: u64) -> Result<(), Reason> {
        let fits = |used: u64| {
            let after = used.saturating_add(heap_bytes);
            (used == 0 || after <= self.policy.max_heap_bytes).then_some(after)
        };
        let wait = self.wait(level);
        let start = Instant::now();
        while self.heap_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_err() {
            if !self.open.load(Ordering::Acquire) {
                return Err(Reason::Closed);
            }
            if wait.is_some_and(|wait| start.elapsed() >= wait) {
                return Err(Reason::Bytes);
            }
            self.waker.wake();
            thread::sleep(LONGEST_PAUSE / 4);
        }
        Ok(())
    }

    fn release(&self, heap_bytes: u64) {
        self.heap_bytes.fetch_sub(heap_bytes, Ordering::AcqRel);
    }

    fn refuse_from(&self, level: Level) -> usize {
        self.policy.refuse_from.get(level.index()).copied().unwrap_or(usize::MAX)
    }

    fn wait(&self, level: Level) -> Option<Duration> {
        self.policy.wait.get(level.index()).copied().unwrap_or(Some(Duration::ZERO))
    }

    /// Takes an item, if there is one: first those that wait beside the queue, then the oldest.
    pub(crate) fn take(&self, heap_bytes_of: impl Fn(&T) -> usize) -> Option<T> {
        if self.overflow_len.load(Ordering::Acquire) > 0 {
            let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(item) = overflow.pop_front() {
                self.overflow_len.store(overflow.len() as u64, Ordering::SeqCst);
                return Some(item); // its bytes were never reserved
            }
        }
        let item = self.receiver.try_recv().ok()?;
        let heap_bytes = heap_bytes_of(&item);
        if heap_bytes > 0 {
            self.release(heap_bytes as u64);
        }
        Some(item)
    }

    /// Refuses everything from now on; what waits can still be taken.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Refuses everything, since nobody will take what waits.
    pub(crate) fn abandon(&self) {
        self.close();
        // In one order with the queue's own operations: either the item is seen by who looks for it
        // after this, or this is seen by who sent it.
        self.served.store(false, Ordering::SeqCst);
        // Who has seen it open has put its item aside when this is unlocked.
        drop(self.overflow.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether it still takes items.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Whether somebody is there to take items.
    pub(crate) fn is_served(&self) -> bool {
        self.served.load(Ordering::SeqCst)
    }

    /// Whether this process was forked from the one that has the queue: nothing in it may be
    /// touched.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.birthplace.is_forked()
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.receiver.len() + self.overflow_len.load(Ordering::SeqCst) as usize
    }

    /// How many bytes on the heap the waiting items take.
    pub(crate) fn heap_bytes(&self) -> u64 {
        self.heap_bytes.load(Ordering::Relaxed)
    }

    /// When the first and last item was refused since this was last asked.
    pub(crate) fn take_drop_times(&self) -> (u64, u64) {
        self.dropped.take_times()
    }

    /// What was refused so far.
    /// When the last one was dropped, in nanoseconds since 1970; 0 if none was.
    pub(crate) fn last_drop_unix_ns(&self) -> u64 {
        self.dropped.last_unix_ns()
    }

    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped.snapshot()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: [usize; Level::COUNT] = [usize::MAX; Level::COUNT];
    const AT_ONCE: [Option<Duration>; Level::COUNT] = [Some(Duration::ZERO); Level::COUNT];

    fn queue(size: usize, refuse_from: [usize; 6]) -> Arc<Queue<u32>> {
        Queue::new(size, Policy { refuse_from, wait: AT_ONCE, max_heap_bytes: 100 })
    }

    fn put(queue: &Queue<u32>, item: u32, level: Level, heap_bytes: usize) {
        if let Some(admission) = queue.admits(level) {
            let _counted =
                queue.send(item, admission, heap_bytes, |_| (level, heap_bytes), |_| false);
        }
    }

    #[test]
    fn items_come_out_in_the_order_they_went_in() {
        let queue = queue(4, NEVER);
        (0..4).for_each(|item| put(&queue, item, Level::Info, 0));
        let out: Vec<_> = std::iter::from_fn(|| queue.take(|_| 0)).collect();
        assert_eq!(out, [0, 1, 2, 3]);
        assert_eq!(queue.dropped().total(), 0);
    }

    #[test]
    fn a_full_queue_refuses_and_counts_by_level() {
        let queue = queue(2, NEVER);
        (0..5).for_each(|item| put(&queue, item, Level::Warn, 0));
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.dropped().get(Level::Warn, Reason::Full), 3);
        assert_eq!(queue.dropped().total(), 3);
    }

    #[test]
    fn less_important_levels_give_way_first() {
        let queue = queue(100, [50, 50, 75, 90, usize::MAX, usize::MAX]);
        for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
            (0..100).for_each(|item| put(&queue, item, level, 0));
        }
        let dropped = queue.dropped();
        assert_eq!(dropped.get(Level::Debug, Reason::Shed), 50);
        assert_eq!(dropped.get(Level::Info, Reason::Shed), 75);
        assert_eq!(dropped.get(Level::Warn, Reason::Shed), 85);
        assert_eq!(dropped.get(Level::Error, Reason::Full), 90);
        assert_eq!(queue.len(), 100);
    }

    #[test]
    fn the_byte_budget_holds_and_is_given_back() {
        let queue = queue(100, NEVER);
        (0..3).for_each(|item| put(&queue, item, Level::Info, 40));
        assert_eq!(queue.dropped().get(Level::Info, Reason::Bytes), 1);
        assert_eq!(queue.heap_bytes(), 80);
        while queue.take(|_| 40).is_some() {}
        assert_eq!(queue.heap_bytes(), 0);
        put(&queue, 9, Level::Info, 1_000);
        assert_eq!(queue.len(), 1, "an item over the budget passes an empty queue");
    }

    #[test]
    fn a_closed_queue_refuses_and_still_gives_what_waits() {
        let queue = queue(4, NEVER);
        put(&queue, 1, Level::Info, 0);
        queue.close();
        put(&queue, 2, Level::Error, 0);
        assert_eq!(queue.dropped().get(Level::Error, Reason::Closed), 1);
        assert_eq!(queue.take(|_| 0), Some(1));
    }

    #[test]
    fn an_item_that_comes_after_the_end_is_taken_back_and_counted() {
        let queue = queue(4, NEVER);
        put(&queue, 1, Level::Info, 10);
        assert_eq!(queue.offer(2, Level::Warn, 20), Ok(()), "it found the queue open");
        queue.abandon();
        assert_eq!(queue.take(|_| 10), Some(1));
        assert_eq!(queue.take_back(|_| Level::Warn, |_| 20), Some(2));
        assert_eq!(queue.take_back(|_| Level::Warn, |_| 20), None, "each takes one item out");
        assert_eq!((queue.len(), queue.heap_bytes()), (0, 0));
        assert_eq!(queue.dropped().get(Level::Warn, Reason::Closed), 1);
        assert_eq!(queue.dropped().total(), 1);
    }

    #[test]
    fn who_takes_back_the_item_of_another_counts_it_as_what_it_is() {
        let queue = queue(4, NEVER);
        let weigh =
            |item: &u32| (if *item == 1 { Level::Error } else { Level::Info }, *item as usize);
        let admission = queue.admits(Level::Info).unwrap();
        assert_eq!(queue.offer(1, Level::Error, 1), Ok(()), "another is on its way");
        queue.abandon();
        assert_eq!(queue.send(2, admission, 2, weigh, |_| false), Err(1), "it was there first");
        assert_eq!((queue.dropped().get(Level::Error, Reason::Closed), queue.heap_bytes()), (1, 2));
        assert_eq!(queue.take_back(|item| weigh(item).0, |item| weigh(item).1), Some(2));
        assert_eq!((queue.dropped().get(Level::Info, Reason::Closed), queue.heap_bytes()), (1, 0));
    }

    #[test]
    fn a_failure_that_found_no_room_waits_beside_the_queue_if_it_is_safe_elsewhere() {
        let queue = queue(1, NEVER);
        let send =
            |item, level, is_safe| queue.push_overflow(item, level, Reason::Timeout, |_| is_safe);
        put(&queue, 1, Level::Error, 0);
        assert_eq!(send(2, Level::Error, true), Ok(()));
        assert_eq!(send(3, Level::Critical, false), Err(3));
        assert_eq!(send(4, Level::Warn, true), Err(4), "only failures do");
        assert_eq!((queue.len(), queue.dropped().total()), (2, 2));
        assert_eq!(queue.take(|_| 0), Some(2));
        assert_eq!(queue.take(|_| 0), Some(1));
        queue.abandon();
        assert_eq!(queue.push_overflow(5, Level::Error, Reason::Timeout, |_| true), Err(5));
        assert_eq!((queue.len(), queue.dropped().total()), (0, 3));
    }

    #[test]
    fn a_sender_that_waits_goes_on_when_there_is_room_and_when_the_queue_closes() {
        let wait = [None; Level::COUNT];
        let policy = Policy { refuse_from: NEVER, wait, max_heap_bytes: 100 };
        let queue = Queue::new(1, policy);
        put(&queue, 0, Level::Info, 0);
        thread::scope(|scope| {
            let sender = scope.spawn(|| put(&queue, 1, Level::Info, 0));
            let mut out = Vec::new();
            while out.len() < 2 {
                out.extend(queue.take(|_| 0));
                thread::yield_now();
            }
            assert_eq!(out, [0, 1]);
            sender.join().unwrap();
            put(&queue, 2, Level::Info, 0);
            let sender = scope.spawn(|| put(&queue, 3, Level::Info, 0));
            queue.close();
            sender.join().unwrap();
        });
        assert_eq!(queue.dropped().get(Level::Info, Reason::Closed), 1);
    }
}
