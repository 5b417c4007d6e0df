//! Waker: lets the listener sleep without missing work, and callers not pay for it.
//!
//! To wake a thread costs a system call of several microseconds, so a busy listener is not woken:
//! it dozes for a few milliseconds and looks for itself. Only urgent work cuts a doze short. When
//! nothing has come for a while it sleeps deeply, which costs no processor time, and the first
//! record wakes it.

use crate::base::sync::atomic::{AtomicU8, Ordering};
use crate::base::sync::thread::{self, Thread};
use crate::base::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How a thread sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Sleep {
    /// For a moment: only urgent work wakes it.
    Doze = 1,
    /// For long: any work wakes it.
    Deep = 2,
}

const AWAKE: u8 = 0;

/// Lets one thread sleep, and others wake it.
#[derive(Debug, Default)]
pub(crate) struct Waker {
    /// `AWAKE` or a `Sleep`. The sleeper writes it, whoever wakes it sets it back.
    state: AtomicU8,
    thread: Mutex<Option<Thread>>,
}

impl Waker {
    /// Wakes the thread if it sleeps deeply, or dozes and the work is urgent. Costs one load when
    /// it is awake.
    #[inline]
    pub(crate) fn wake_for(&self, is_urgent: bool) {
        // In one order with the queue's own operations: either the sleeper sees the item before it
        // sleeps, or its state is seen here.
        let state = self.state.load(Ordering::SeqCst);
        if state == Sleep::Deep as u8 || (is_urgent && state != AWAKE) {
            self.wake();
        }
    }

    /// Wakes the thread if it sleeps in any way.
    #[cold]
    pub(crate) fn wake(&self) {
        if self.state.swap(AWAKE, Ordering::SeqCst) != AWAKE {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(thread) = &*thread {
                thread.unpark();
            }
        }
    }

    /// Makes the calling thread the one that sleeps.
    pub(crate) fn attach(&self) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
    }

    /// Sleeps until woken, at most that long, unless `has_work` says there is work after all.
    pub(crate) fn sleep(&self, how: Sleep, at_most: Duration, has_work: impl Fn() -> bool) {
        self.state.store(how as u8, Ordering::SeqCst);
        if !has_work() {
            thread::park_timeout(at_most);
        }
        self.state.store(AWAKE, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_sleeper_does_not_sleep_when_there_is_work() {
        let waker = Waker::default();
        waker.attach();
        waker.sleep(Sleep::Deep, LONG, || true);
    }

    #[test]
    fn deep_sleep_ends_with_any_work_and_a_doze_with_urgent_work() {
        for (how, is_urgent) in [(Sleep::Deep, false), (Sleep::Deep, true), (Sleep::Doze, true)] {
            let waker = Arc::new(Waker::default());
            let sleeper = {
                let waker = Arc::clone(&waker);
                thread::spawn(move || {
                    waker.attach();
                    waker.sleep(how, LONG, || false);
                })
            };
            while !sleeper.is_finished() {
                waker.wake_for(is_urgent);
                thread::yield_now();
            }
            sleeper.join().unwrap();
        }
    }

    #[test]
    fn ordinary_work_leaves_a_dozing_thread_alone() {
        let waker = Waker::default();
        waker.state.store(Sleep::Doze as u8, Ordering::SeqCst);
        waker.wake_for(false);
        assert_eq!(waker.state.load(Ordering::SeqCst), Sleep::Doze as u8);
        waker.wake_for(true);
        assert_eq!(waker.state.load(Ordering::SeqCst), AWAKE);
    }
}
