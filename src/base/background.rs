//! Background: work for a thread of ours, which starts with the first of it.
//!
//! The janitor, the syncer and the self-log's standard error have such threads. The channel to one
//! is bounded: who gives work never waits. A test hands in [`Turns`] instead of threads. Knows no
//! work.

use crate::base::{thread, threads};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Who does the work of other threads.
#[derive(Debug, Clone, Default)]
pub enum Hands {
    /// Threads of logwell's.
    #[default]
    Threads,
    /// A test, on its own thread, whenever it wants.
    Turns(Turns),
}

/// Work that waits for its turn; clones share it.
///
/// ```
/// use logwell::QueueLayer;
/// use logwell::testing::{Hands, Turns};
/// use std::time::Instant;
///
/// let turns = Turns::new();
/// let builder = QueueLayer::builder().hands(Hands::Turns(turns.clone()));
/// // … log, rotate, and then let the janitor compress a backup:
/// let has_worked = turns.take(0, Instant::now());
/// assert!(!has_worked);
/// # drop(builder);
/// ```
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<VecDeque<Job>>>);

/// Something to do, and when that is.
pub(crate) type Job = Box<dyn FnOnce(Instant) + Send>;

impl Turns {
    /// Nothing waits yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does one of the things that wait, as if it were `now`: the first for 0, and so on round the
    /// list. `false` if nothing waits.
    pub fn take(&self, which: usize, now: Instant) -> bool {
        let job = {
            let mut jobs = self.jobs();
            let count = jobs.len();
            which.checked_rem(count).and_then(|at| jobs.remove(at))
        };
        job.map(|job| job(now)).is_some()
    }

    /// Forgets what waits, as when a process is killed.
    pub fn forget(&self) {
        drop(std::mem::take(&mut *self.jobs()));
    }

    fn push(&self, job: Job) {
        self.jobs().push_back(job);
    }

    fn jobs(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").field("waiting", &self.jobs().len()).finish()
    }
}

/// What a thread does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worker<W> {
    pub(crate) name: &'static str,
    /// More work than this does not wait.
    pub(crate) room: usize,
    /// Takes work until nobody can give any more, or the flag says that it is over.
    pub(crate) run: fn(&Receiver<W>, &AtomicBool),
    /// What to do of one thing alone, in a turn; `None` if there is nothing left to do.
    pub(crate) turn: fn(W) -> Option<Job>,
}

/// The way to a thread that starts with the first work. It is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Background<W> {
    hands: Hands,
    job: Worker<W>,
    work: OnceLock<Option<Sender<W>>>,
    is_over: Arc<AtomicBool>,
}

impl<W: Send + 'static> Background<W> {
    pub(crate) fn new(hands: &Hands, job: Worker<W>) -> Self {
        let (work, is_over) = (OnceLock::new(), Arc::default());
        Self { hands: hands.clone(), job, work, is_over }
    }

    /// Gives it work; back if there is no thread, or too much waits.
    pub(crate) fn give(&self, work: W) -> Result<(), W> {
        let Worker { name, room, run, turn } = self.job;
        if let Hands::Turns(turns) = &self.hands {
            if let Some(job) = turn(work) {
                turns.push(job);
            }
            return Ok(());
        }
        let thread = self.work.get_or_init(|| {
            let is_over = Arc::clone(&self.is_over);
            start(name, room, move |given| run(given, &is_over))
        });
        match thread {
            Some(thread) => thread.try_send(work).map_err(TrySendError::into_inner),
            None => Err(work),
        }
    }
}

impl<W> Drop for Background<W> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Starts such a thread now; `None` if the system has no room for one.
pub(crate) fn start<W: Send + 'static>(
    name: &'static str,
    room: usize,
    run: impl FnOnce(&Receiver<W>) + Send + 'static,
) -> Option<Sender<W>> {
    let (work, given) = bounded(room);
    let run = move || {
        thread::mark_internal_thread();
        run(&given);
    };
    threads::spawn(name, run).ok().map(|_| work)
}
