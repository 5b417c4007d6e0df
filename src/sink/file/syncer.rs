//! Syncer: makes files durable, so that the listener need not wait for the disk.
//!
//! A sync takes about four milliseconds on an idle disk and may take seconds on a busy one. In that
//! time the listener would take no record; here it continues, and all that it has written when the
//! sync begins is part of it. A separate thread, `logwell-sync`, started with the first work and
//! shared by the files of a pipeline; it ends with the last of them. Knows no path and no line.

use crate::base::background::{Background, Hands, Job, Worker};
use crate::rotate::{SyncJob, Synced};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// More orders than `room` do not wait. There is a job and a word of haste for each file.
const WORKER: Worker<Order> = Worker { name: "logwell-sync", room: 256, run, turn };

/// One file's way to the syncer.
#[derive(Debug)]
pub(crate) struct Syncer {
    thread: Arc<Background<Order>>,
    /// How many files share it.
    files: Arc<AtomicU64>,
    /// Tells the file from others.
    number: u64,
    synced: (Sender<Synced>, Receiver<Synced>),
}

#[derive(Debug)]
enum Order {
    Sync(u64, SyncJob, Sender<Synced>),
    /// The job of that file is due now.
    Hurry(u64),
}

impl Syncer {
    /// One that has not started yet.
    pub(crate) fn new(hands: &Hands) -> Self {
        let thread = Arc::new(Background::new(hands, WORKER));
        Self { thread, files: Arc::default(), number: 0, synced: bounded(1) }
    }

    /// The same one, for another file.
    pub(crate) fn share(&self) -> Self {
        let number = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let (thread, files) = (Arc::clone(&self.thread), Arc::clone(&self.files));
        Self { thread, files, number, synced: bounded(1) }
    }

    /// Has files made durable when that is due. One job at a time.
    ///
    /// Without a thread it is done here and now.
    pub(crate) fn sync(&self, job: SyncJob, now: Instant) {
        let order = Order::Sync(self.number, job, self.synced.0.clone());
        if let Err(Order::Sync(_, job, done)) = self.thread.give(order) {
            let _has_room = done.try_send(job.run(now));
        }
    }

    /// Has the job that is under way done now.
    pub(crate) fn hurry(&self) {
        let _or_not = self.thread.give(Order::Hurry(self.number));
    }

    /// What became of it.
    pub(crate) fn synced(&self) -> Option<Synced> {
        self.synced.1.try_recv().ok()
    }
}

/// A turn comes when it comes: there is no hurry.
fn turn(order: Order) -> Option<Job> {
    match order {
        Order::Sync(_, job, done) => Some(Box::new(move |now| drop(done.try_send(job.run(now))))),
        Order::Hurry(_) => None,
    }
}

fn run(given: &Receiver<Order>, _: &AtomicBool) {
    /// Longer than anything waits.
    const LONG: Duration = Duration::from_secs(3_600);
    let mut jobs: Vec<(u64, SyncJob, Sender<Synced>)> = Vec::new();
    loop {
        let now = Instant::now();
        let is_due = |(_, job, _): &(u64, SyncJob, Sender<Synced>)| job.due <= now;
        let (due, later): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_due);
        jobs = later;
        for (_, job, done) in due {
            let _nobody_waits = done.send(job.run(now));
        }
        let next = jobs.iter().map(|(_, job, _)| job.due.saturating_duration_since(now)).min();
        match given.recv_timeout(next.unwrap_or(LONG)) {
            Ok(Order::Sync(number, job, done)) => jobs.push((number, job, done)),
            Ok(Order::Hurry(number)) => {
                let of_file = jobs.iter_mut().filter(|(of, ..)| *of == number);
                of_file.for_each(|(_, job, _)| job.due = now);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // The files are gone, and have been synced at their end.
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
