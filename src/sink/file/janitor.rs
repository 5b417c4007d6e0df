//! Janitor: compresses backups and closes deleted files, so that nobody waits for that.
//!
//! A separate thread, `logwell-janitor`, started with the first work and shared by the files of a
//! pipeline. It works half of the time at most, and ends with the last file. Knows no path: it is
//! given open files, and says when it is done.

use crate::base::{thread, threads};
use crate::rotate::{Pack, Packed};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const NAME: &str = "logwell-janitor";

/// More work than this does not wait: deleted files then are let go of at once.
const MAX_WAITING: usize = 32;

/// A rest is as long as the work before it, but not longer than this.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// One file's way to the janitor.
#[derive(Debug)]
pub(crate) struct Janitor {
    thread: Arc<Thread>,
    packed: (Sender<Packed>, Receiver<Packed>),
}

#[derive(Debug, Default)]
struct Thread {
    work: OnceLock<Option<Sender<Work>>>,
    is_over: Arc<AtomicBool>,
}

enum Work {
    Pack(Pack, Sender<Packed>),
    Release(Vec<File>),
}

impl Janitor {
    /// One that has not started yet.
    pub(crate) fn new() -> Self {
        Self { thread: Arc::default(), packed: bounded(1) }
    }

    /// The same one, for another file.
    pub(crate) fn share(&self) -> Self {
        Self { thread: Arc::clone(&self.thread), packed: bounded(1) }
    }

    /// Has a backup compressed; `false` if that cannot be. One at a time.
    #[must_use]
    pub(crate) fn pack(&self, pack: Pack) -> bool {
        self.thread.give(Work::Pack(pack, self.packed.0.clone()))
    }

    /// What it has done with that.
    pub(crate) fn packed(&self) -> Option<Packed> {
        self.packed.1.try_recv().ok()
    }

    /// Closes deleted files.
    pub(crate) fn release(&self, files: Vec<File>) {
        if !files.is_empty() {
            let _or_here = self.thread.give(Work::Release(files));
        }
    }
}

impl Thread {
    /// Whether the work was taken; if not, it is gone.
    fn give(&self, work: Work) -> bool {
        #[cfg(test)]
        let Some(work) = simulated(work) else { return true };
        let thread = self.work.get_or_init(|| {
            let (work, waiting) = bounded(MAX_WAITING);
            let is_over = Arc::clone(&self.is_over);
            threads::spawn(NAME, move || run(&waiting, &is_over)).ok().map(|_| work)
        });
        let refused = |refused: TrySendError<Work>| drop(refused.into_inner());
        thread.as_ref().is_some_and(|work_to| work_to.try_send(work).map_err(refused).is_ok())
    }
}

/// In a simulation there is no thread: work is done when its turn comes.
#[cfg(test)]
fn simulated(work: Work) -> Option<Work> {
    if !crate::simulation::is_on() {
        return Some(work);
    }
    if let Work::Pack(pack, done) = work {
        crate::simulation::later(move || drop(done.try_send(pack.run(&mut || true))));
    }
    None
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn run(waiting: &Receiver<Work>, is_over: &AtomicBool) {
    thread::mark_internal_thread();
    let mut later = Vec::new();
    while let Some(work) = later.pop().or_else(|| waiting.recv().ok()) {
        match work {
            Work::Release(files) => drop(files),
            Work::Pack(pack, done) => {
                let mut began = Instant::now();
                let packed = pack.run(&mut || {
                    // What is deleted gives its room back soon, whatever else there is to do.
                    for work in waiting.try_iter() {
                        match work {
                            Work::Release(files) => drop(files),
                            pack @ Work::Pack(..) => later.push(pack),
                        }
                    }
                    std::thread::park_timeout(began.elapsed().min(LONGEST_REST));
                    began = Instant::now();
                    !is_over.load(Ordering::Relaxed)
                });
                let _nobody_waits = done.send(packed);
            }
        }
    }
}
