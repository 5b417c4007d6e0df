//! Transport: the way messages take to the other side. The trait, and the signal to stop.
//!
//! Knows no destination and no spool.

use super::message::Message;
use crate::forward::outcome::Outcome;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The way messages take to the other side.
pub trait Transport: Send {
    /// Delivers messages in their order: one fate for each.
    ///
    /// After the first that [waits](Outcome::is_waiting) the rest may be left untried, with its
    /// fate. Does not go on beyond the deadline of `stop`; see [`Stop::at_deadline`]. It may block:
    /// the thread is the destination's own. If it panics, the messages are tried again.
    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Outcome>;

    /// Called once, before the first message: registers what interrupts a wait for the network; see
    /// [`Stop::at_deadline`].
    fn start(&mut self, stop: &Stop) {
        let _ = stop;
    }
}

/// The signal to stop, and the time until which work may go on. Clones share it.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    deadline: Option<Instant>,
    is_over: bool,
    at_deadline: Vec<Box<dyn Fn() + Send>>,
}

impl Stop {
    /// Asks to stop; what is under way may take until `deadline`.
    pub(crate) fn request(&self, deadline: Instant) {
        self.lock().deadline.get_or_insert(deadline);
        self.0.changed.notify_all();
    }

    /// The deadline has come: interrupts what is still under way.
    pub(crate) fn interrupt(&self) {
        let mut state = self.lock();
        state.deadline.get_or_insert_with(Instant::now);
        state.is_over = true;
        for interrupt in &state.at_deadline {
            interrupt();
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Has `interrupt` called when the deadline has come: it must return at once. A transport
    /// registers here what ends its waits for the network.
    pub fn at_deadline(&self, interrupt: impl Fn() + Send + 'static) {
        let mut state = self.lock();
        if state.is_over {
            interrupt();
        }
        state.at_deadline.push(Box::new(interrupt));
    }

    /// The deadline, if it was asked to stop.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.lock().deadline
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.deadline().is_some()
    }

    /// Whether the deadline has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let state = self.lock();
        state.is_over || state.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Waits so long, or until it is asked to stop; says whether it was.
    pub fn wait(&self, at_most: Duration) -> bool {
        let until_asked = |state: &mut State| state.deadline.is_none();
        let waited = self.0.changed.wait_timeout_while(self.lock(), at_most, until_asked);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.deadline.is_some()
    }

    /// Waits so long, or until the deadline; says whether that has come.
    pub fn wait_until_over(&self, at_most: Duration) -> bool {
        let left = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        let at_most = at_most.min(left.unwrap_or(at_most));
        let until_over = |state: &mut State| !state.is_over;
        let waited = self.0.changed.wait_timeout_while(self.lock(), at_most, until_over);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.is_over()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn the_first_deadline_counts_and_a_wait_ends_when_it_is_asked() {
        let stop = Stop::default();
        assert!(!stop.wait(Duration::ZERO) && !stop.is_requested());
        let first = Instant::now() + Duration::from_secs(600);
        let waiting = std::thread::spawn({
            let stop = stop.clone();
            move || stop.wait(Duration::from_secs(600))
        });
        stop.request(first);
        stop.request(first + Duration::from_secs(1));
        assert!(waiting.join().unwrap());
        assert_eq!(stop.deadline(), Some(first));
        assert!(!stop.is_over());
    }

    #[test]
    fn an_interrupt_reaches_who_registered_before_and_who_comes_late() {
        let (stop, calls) = (Stop::default(), Arc::new(AtomicU32::new(0)));
        let count = |calls: &Arc<AtomicU32>| {
            let calls = Arc::clone(calls);
            move || _ = calls.fetch_add(1, Ordering::Relaxed)
        };
        stop.at_deadline(count(&calls));
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        stop.interrupt();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        stop.at_deadline(count(&calls));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert!(stop.is_over());
    }
}
