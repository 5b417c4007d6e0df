//! Durability: when what was written is to be made durable, and what to do when that fails.
//!
//! Decides from instants and marks; the work itself (`SyncJob`) is for a thread that may wait for
//! the disk: it takes some milliseconds, and seconds when the disk has much to do.
//!
//! Once a sync has failed, the kernel takes the pages for clean: a second sync would say that all
//! is well. So what was not known to be durable is written again, and made durable there.

use super::current::{sync_file, told};
use super::policy::Pause;
use crate::base::fs::os;
use crate::rotate::choices::SyncPolicy;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After a sync has failed; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Files that are to be made durable.
#[derive(Debug)]
pub(crate) struct SyncJob {
    pub(super) files: Vec<File>,
    /// The directory, if names in it have changed.
    pub(super) directory: Option<PathBuf>,
    pub(super) path: PathBuf,
    /// What was written before it will be durable.
    pub(super) mark: u64,
    /// It is time enough to begin then.
    pub(crate) due: Instant,
}

/// What became of a [`SyncJob`].
#[derive(Debug)]
pub(crate) struct Synced {
    pub(super) mark: u64,
    /// What was written after this is not part of it.
    pub(crate) began: Instant,
    pub(super) files: io::Result<()>,
    /// The names of the files. They can be synced again, what is in the files cannot.
    pub(super) directory: io::Result<()>,
}

impl SyncJob {
    /// Blocks until all is durable.
    pub(crate) fn run(self, began: Instant) -> Synced {
        let each = |file| sync_file(file).map_err(|error| told("sync", &self.path, error));
        let files = self.files.iter().try_for_each(each);
        let directory = self.directory.as_deref().map_or(Ok(()), |directory| {
            os::sync_directory(directory).map_err(|error| told("sync", directory, error))
        });
        Synced { mark: self.mark, began, files, directory }
    }
}

/// When the next sync is due.
#[derive(Debug)]
pub(super) struct Durability {
    policy: SyncPolicy,
    interval: Duration,
    in_hand: bool,
    is_urgent: bool,
    began: Option<Instant>,
    pause: Pause,
    next_pause: Duration,
    failures: u64,
}

impl Durability {
    pub(super) fn new(policy: SyncPolicy, interval: Duration) -> Self {
        Self {
            policy,
            interval,
            in_hand: false,
            is_urgent: false,
            began: None,
            pause: Pause::default(),
            next_pause: FIRST_PAUSE,
            failures: 0,
        }
    }

    /// Whether anything is made durable before the end.
    pub(super) fn is_wanted(&self) -> bool {
        self.policy != SyncPolicy::Never
    }

    /// A line was taken that must not wait.
    pub(super) fn request_sync(&mut self) {
        self.is_urgent |= self.policy == SyncPolicy::Error;
    }

    /// Whether such a line waits.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// Whether a job is under way.
    pub(super) fn is_in_hand(&self) -> bool {
        self.in_hand
    }

    /// Whether no job is under way and no failure was just now.
    pub(super) fn is_rested(&self, now: Instant) -> bool {
        !self.in_hand && self.pause.is_over(now)
    }

    /// When a job that is made now should begin; `None` if there should be none. What is in memory
    /// until it is durable must not become too much: `is_much` hastens it.
    pub(super) fn due(&mut self, is_much: bool, now: Instant) -> Option<Instant> {
        if !self.is_wanted() || !self.is_rested(now) {
            return None;
        }
        self.in_hand = true;
        let at_once = std::mem::take(&mut self.is_urgent) || is_much;
        // A little early: it is to be over when the interval is.
        let due = self.began.unwrap_or(now) + self.interval / 8 * 7;
        Some(if at_once { now } else { due.max(now) })
    }

    /// The job is done.
    pub(super) fn succeeded(&mut self, began: Instant) {
        self.in_hand = false;
        self.began = Some(began);
        self.pause.end();
        self.next_pause = FIRST_PAUSE;
    }

    /// The job has failed; returns whether it is the first since one that succeeded.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.in_hand = false;
        self.failures += 1;
        let length = self.next_pause;
        self.next_pause = (length * 2).min(LONGEST_PAUSE);
        self.pause.begin(now, length)
    }

    /// How often it has failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_due_at_once_and_the_rest_within_the_interval() {
        let (start, interval) = (Instant::now(), Duration::from_secs(1));
        let mut each = Durability::new(SyncPolicy::Error, interval);
        assert_eq!(each.due(false, start), Some(start + interval / 8 * 7));
        assert_eq!(each.due(false, start), None, "one at a time");
        each.request_sync();
        each.succeeded(start);
        assert_eq!(each.due(false, start), Some(start));
        each.succeeded(start);
        assert_eq!(each.due(true, start), Some(start));
        // A line may have come just after the last sync began.
        each.succeeded(start);
        assert_eq!(each.due(false, start + interval / 2), Some(start + interval / 8 * 7));
        each.succeeded(start);
        assert_eq!(each.due(false, start + interval * 5), Some(start + interval * 5));
        let mut never = Durability::new(SyncPolicy::Never, interval);
        never.request_sync();
        assert_eq!(never.due(true, start), None);
        let mut interval_only = Durability::new(SyncPolicy::Interval, interval);
        interval_only.request_sync();
        assert_eq!(interval_only.due(false, start), Some(start + interval / 8 * 7));
    }

    #[test]
    fn failures_are_spaced_out_and_only_the_first_is_news() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut each = Durability::new(SyncPolicy::Interval, second);
        let mut now = start;
        for (pause, is_news) in [(1, true), (2, false), (4, false), (8, false)] {
            assert!(each.due(false, now).is_some());
            assert_eq!(each.failed(now), is_news);
            assert!(each.due(false, now + second * pause - second / 2).is_none());
            now += second * pause;
        }
        (0..20).for_each(|_| _ = each.failed(now));
        assert!(each.due(false, now + LONGEST_PAUSE).is_some());
        each.succeeded(now);
        assert!(each.failed(now));
    }
}
