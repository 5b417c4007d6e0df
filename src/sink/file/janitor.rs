//! Janitor: compresses backups and closes deleted files, so that nobody waits for that.
//!
//! A separate thread, `logwell-janitor`, started with the first work and shared by the files of a
//! pipeline. It works half of the time at most, and ends with the last file. Knows no path: it is
//! given open files, and says when it is done.

use crate::base::background::{Background, Hands, Job, Worker};
use crate::rotate::{Pack, Packed};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// More work than `room` does not wait: deleted files then are let go of at once.
const WORKER: Worker<Work> = Worker { name: "logwell-janitor", room: 32, run, turn };

/// A rest is as long as the work before it, but not longer than this.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// One file's way to the janitor.
#[derive(Debug)]
pub(crate) struct Janitor {
    thread: Arc<Background<Work>>,
    packed: (Sender<Packed>, Receiver<Packed>),
}

#[derive(Debug)]
enum Work {
    Pack(Pack, Sender<Packed>),
    Release(Vec<File>),
}

impl Janitor {
    /// One that has not started yet.
    pub(crate) fn new(hands: &Hands) -> Self {
        Self { thread: Arc::new(Background::new(hands, WORKER)), packed: bounded(1) }
    }

    /// The same one, for another file.
    pub(crate) fn share(&self) -> Self {
        Self { thread: Arc::clone(&self.thread), packed: bounded(1) }
    }

    /// Has a backup compressed; `false` if that cannot be. One at a time.
    #[must_use]
    pub(crate) fn pack(&self, pack: Pack) -> bool {
        self.thread.give(Work::Pack(pack, self.packed.0.clone())).is_ok()
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

/// In a turn nothing else goes on that a rest could be for.
fn turn(work: Work) -> Option<Job> {
    match work {
        Work::Pack(pack, done) => {
            Some(Box::new(move |_| drop(done.try_send(pack.run(&mut || true)))))
        }
        Work::Release(_closed) => None,
    }
}

fn run(waiting: &Receiver<Work>, is_over: &AtomicBool) {
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
