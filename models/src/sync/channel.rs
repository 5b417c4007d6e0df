//! Channel: a stand-in for crossbeam's bounded channel, of which the models take as given what this
//! is.
//!
//! loom cannot look into crossbeam, so it is assumed that a send, a receive and a count each happen
//! at one moment (crossbeam's is the exchange of `tail` or `head`), that these moments have one
//! order with all that is `SeqCst` (in its `flavors/array.rs` they have), and that who receives or
//! counts an item sees what its sender did before. Who sends sees nothing of what the receiver did.

use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::{AcqRel, Acquire};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// An item that found no room, or nobody to receive it, which does not happen here.
#[derive(Debug)]
pub(crate) enum TrySendError<T> {
    Full(T),
    Disconnected(T),
}

#[derive(Debug)]
pub(crate) struct TryRecvError;

/// Both ends are the same thing.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Channel<T>>);
pub(crate) type Receiver<T> = Sender<T>;

#[derive(Debug)]
struct Channel<T> {
    size: u64,
    /// How many items were sent, and in the upper half how many were taken. It is read by exchanges
    /// too, which find what is newest: that makes the one order (see `atomic.rs`).
    ends: AtomicU64,
    /// Always changed right after `ends`, with no other thread in between: loom does not see it.
    items: Mutex<VecDeque<T>>,
}

const ONE_SENT: u64 = 1;
const ONE_TAKEN: u64 = 1 << 32;

const fn waiting(ends: u64) -> u64 {
    ends % ONE_TAKEN - ends / ONE_TAKEN
}

pub(crate) fn bounded<T>(size: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Channel { size: size as u64, ends: AtomicU64::new(0), items: Mutex::default() };
    let channel = Arc::new(channel);
    (Sender(Arc::clone(&channel)), Sender(channel))
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Sender<T> {
    pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let Channel { size, ends, items } = &*self.0;
        loop {
            let seen = self.0.ends();
            if waiting(seen) == *size {
                return Err(TrySendError::Full(item));
            }
            if ends.compare_exchange(seen, seen + ONE_SENT, AcqRel, Acquire).is_ok() {
                items.lock().unwrap().push_back(item);
                return Ok(());
            }
        }
    }

    pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
        let Channel { ends, items, .. } = &*self.0;
        loop {
            let seen = self.0.ends();
            if waiting(seen) == 0 {
                return Err(TryRecvError);
            }
            if ends.compare_exchange(seen, seen + ONE_TAKEN, Acquire, Acquire).is_ok() {
                return Ok(items.lock().unwrap().pop_front().unwrap());
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        waiting(self.0.ends()) as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Channel<T> {
    fn ends(&self) -> u64 {
        self.ends.fetch_or(0, Acquire)
    }
}
