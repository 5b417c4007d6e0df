//! Maintenance: what a rotating file does besides writing: starts new files by size and time, keeps
//! backups in order, requests syncs.
//!
//! Decides nothing about calendars, retention or formats itself. It hands long work to other
//! threads and applies their answers.

use super::current::{self, Current, told};
use super::durability::{SyncJob, Synced};
use super::file::{ROTATE_PAUSE, RotatingFile, again};
use super::names::{Backup, Form};
use super::options::FileOptions;
use super::pack::{Pack, Packed};
use super::period::{Period, Verdict};
use super::report::{Promise, Trouble};
use super::shift;
use crate::base::fs::calls;
use crate::base::fs::os;
use crate::base::zone::TimeZone as Zone;
use crate::rotate::choices::Rotate;
use crate::rotate::choices::SyncPolicy;
use jiff::tz::TimeZone;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant, SystemTime};

/// So many files wait for being made durable; with more, the next one is waited for.
const MAX_UNSAFE_FILES: usize = 16;

/// The state of maintenance.
#[derive(Debug)]
pub(super) struct Upkeep {
    zone: TimeZone,
    period: Option<Period>,
    /// When the lines were written that the file had at the start.
    found: Option<Duration>,
    /// Whether its hour or day is over and there is no new file yet.
    is_overdue: bool,
    rotate_on_start: bool,
    /// Files that were the current one and have lines that are not known to be durable.
    unsafe_files: Vec<File>,
    rotations_since_sync: u32,
    directory_changed: bool,
    sync_error: Option<io::Error>,
    /// Why lines that were written have to be written again, as soon as that makes sense: not in
    /// the middle of a line, and not while nothing can be made durable.
    doubt: Option<io::Error>,
}

impl Upkeep {
    pub(super) fn new(current: &Current, options: &FileOptions) -> Self {
        let zone = match options.rotate_zone {
            Zone::Local if options.rotate != Rotate::Size => TimeZone::try_system().ok(),
            _ => None,
        };
        Self {
            zone: zone.unwrap_or(TimeZone::UTC),
            period: None,
            found: current.last_write().map(unix),
            is_overdue: false,
            rotate_on_start: options.rotate_on_start,
            unsafe_files: Vec::new(),
            rotations_since_sync: 0,
            directory_changed: true,
            sync_error: None,
            doubt: None,
        }
    }

    /// Another file is the current one; the one before is given if it has lines that are not known
    /// to be durable.
    pub(super) fn replaced(&mut self, before: Option<File>) {
        self.directory_changed = true;
        self.unsafe_files.extend(before);
        if self.unsafe_files.len() > MAX_UNSAFE_FILES
            && let Err(error) = current::sync_file(&self.unsafe_files.remove(0))
        {
            // Not at once: to write them again would replace as many files, and so on without end.
            self.doubt = Some(error);
        }
    }

    /// A new file was started.
    pub(super) fn rotated(&mut self) {
        self.period = None;
        self.found = None;
        self.rotations_since_sync = self.rotations_since_sync.saturating_add(1);
    }

    /// Whether its hour or day is over and there is no new file yet.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_overdue
    }

    /// Why what was written could not be made durable, once.
    pub(super) fn take_sync_error(&mut self) -> Option<io::Error> {
        self.sync_error.take()
    }
}

impl RotatingFile {
    /// Looks after the file: starts a new one when its hour or day is over, and deletes backups
    /// that have become too old or too many.
    ///
    /// Call it before each flush, and now and then without. `wall` is the time of day. Within a
    /// second of a failure nothing is tried again; while lines cannot be written, nothing rotates.
    pub fn maintain(&mut self, now: Instant, wall: SystemTime) {
        let wall = unix(wall);
        self.archive.tell_time(wall, now);
        self.rotate_by_time(now, wall);
        let is_beyond = self.current.bytes() > self.options.max_bytes;
        if self.rotate_error.is_some() && is_beyond && self.may_rotate(now) {
            // Without a further line too. If that fails, the reason is kept.
            let _ = self.rotate(now);
        }
        if let Some(pruned) = self.archive.retain_when_due(self.current.bytes(), now) {
            self.note(Promise::Retention, pruned, Trouble::NotPruned);
            if self.is_broken(Promise::Compression) && !self.archive.packs() {
                let finished = self.archive.finish_half_done();
                self.note(Promise::Compression, finished, Trouble::NotCompressed);
            }
        }
    }

    fn may_rotate(&self, now: Instant) -> bool {
        self.backlog.torn() == 0 && self.write_error.is_none() && self.rotate_pause.is_over(now)
    }

    fn rotate_by_time(&mut self, now: Instant, wall: Duration) {
        let is_start = std::mem::take(&mut self.upkeep.rotate_on_start);
        let rotate = self.options.rotate;
        if rotate == Rotate::Size && !is_start {
            return;
        }
        let around = |upkeep: &Upkeep, wall| Period::around(wall, rotate, &upkeep.zone);
        if self.upkeep.period.is_none() {
            let since = self.upkeep.found.take().unwrap_or(wall);
            self.upkeep.period = around(&self.upkeep, since);
        }
        let verdict = self.upkeep.period.map_or(Verdict::Within, |period| period.verdict(wall));
        let is_over = is_start || verdict == Verdict::Over;
        self.upkeep.is_overdue = is_over && self.current.bytes() > 0;
        if is_over && self.current.bytes() > 0 {
            if !self.may_rotate(now) || self.rotate(now).is_err() {
                self.upkeep.rotate_on_start = is_start;
                return;
            }
            self.upkeep.is_overdue = false;
        }
        if is_over || verdict == Verdict::Before {
            self.upkeep.period = around(&self.upkeep, wall);
        }
    }

    /// Starts a new file, and keeps account of whether that works.
    pub(super) fn rotate(&mut self, now: Instant) -> io::Result<()> {
        let result = self.shift();
        if let Err(error) = &result {
            self.failed_rotations += 1;
            self.look_at = None;
            let trouble = Trouble::NotRotated(again(error));
            self.rotate_error = Some(trouble.to_string());
            if self.rotate_pause.begin(now, ROTATE_PAUSE) {
                self.tell(trouble);
            }
        }
        // A failure may have come after the names were shifted.
        match (&result, self.archive.retain(self.current.bytes())) {
            (Err(_), Err(error)) => self.still_broken(&Trouble::NotPruned(error)),
            (_, pruned) => _ = self.note(Promise::Retention, pruned, Trouble::NotPruned),
        }
        result
    }

    /// Shifts the backups and opens the new file, unless another process has just done it.
    ///
    /// Whether it worked is seen on the disk: something else than the open file is at the path.
    fn shift(&mut self) -> io::Result<()> {
        let Self { names, current, archive, options, .. } = self;
        let path = names.current();
        let mode = options.mode;
        let new = current.locked(|| {
            if !current.is_at(path)? {
                return Ok(None);
            }
            // If that fails, what is there twice stays so.
            let _ = archive.part_from_copies();
            match shift::shift(names, mode) {
                Err(error) if current.is_at(path)? => Err(error),
                _ => Current::open_new(path, mode).map(Some),
            }
        })?;
        match new {
            Some((current, too_open)) => {
                self.take_over(current);
                self.note(Promise::Mode, too_open.map_or(Ok(()), Err), Trouble::TooOpen);
                self.rotations += 1;
                self.archive.shifted();
                self.upkeep.rotated();
                Ok(())
            }
            None => self.open_again(),
        }
    }

    /// A backup to be compressed, on a thread that has time for it, if there is one.
    pub(crate) fn take_pack(&mut self, now: Instant) -> Option<Pack> {
        match self.archive.take_pack(now) {
            Ok(None) if self.archive.is_packed() => {
                self.keep_promise(Promise::Compression);
                None
            }
            Ok(pack) => pack,
            Err(error) => {
                self.break_promise(Trouble::NotCompressed(error));
                None
            }
        }
    }

    /// Puts a compressed backup in its place.
    pub(crate) fn packed(&mut self, packed: Packed, now: Instant) {
        let Self { current, archive, .. } = self;
        let mut packed = Some(packed);
        // With another process that has the lock, it is made again.
        let locked = current.locked(|| packed.take().map_or(Ok(()), |it| archive.packed(it, now)));
        if packed.is_some() {
            self.archive.not_packed();
        }
        match locked {
            Ok(()) => {
                self.upkeep.directory_changed = true;
                self.keep_promise(Promise::Compression);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => self.break_promise(Trouble::NotCompressed(error)),
        }
    }

    /// Nobody compresses what was taken.
    pub(crate) fn not_packed(&mut self) {
        self.archive.not_packed();
        let error =
            io::Error::other("the thread that compresses has no time, or cannot be started");
        self.still_broken(&Trouble::NotCompressed(error));
    }

    /// From now on somebody takes the work that is for others.
    pub(crate) fn accept_help(&mut self) {
        self.archive.accept_help();
    }

    /// Deleted files that are still open: to let go of them may take a while.
    pub(crate) fn take_released(&mut self) -> Vec<File> {
        self.archive.take_released()
    }

    /// A line was appended that must not be lost in a power cut, if the options say so.
    pub(crate) fn request_sync(&mut self) {
        self.durability.request_sync();
    }

    /// Whether such a line waits, and whether a job is under way that knows nothing of it.
    pub(crate) fn urgency(&self) -> (bool, bool) {
        (self.durability.is_urgent(), self.durability.is_in_hand())
    }

    /// What is to be made durable, if anything is, on a thread that may wait for the disk.
    pub(crate) fn take_sync(&mut self, now: Instant) -> Option<SyncJob> {
        if self.durability.is_urgent() {
            // If that fails, the reason is kept, and the next flush tells it.
            let _ = self.write_when_due(now);
            if !self.backlog.is_empty() {
                return None;
            }
        }
        self.resolve_doubt(now);
        let unsafe_bytes = self.backlog.unsafe_bytes();
        if unsafe_bytes == 0 || !self.durability.is_wanted() {
            return None;
        }
        let is_much = unsafe_bytes > self.options.backlog_bytes / 2;
        // Without a free descriptor the next flush tries again.
        let file = match self.current.clone_file() {
            Ok(file) => file,
            Err(error) => {
                self.still_broken(&Trouble::NotDurable(error, 0));
                return None;
            }
        };
        let due = self.durability.due(is_much, now)?;
        let mut files = std::mem::take(&mut self.upkeep.unsafe_files);
        files.push(file);
        let directory = std::mem::take(&mut self.upkeep.directory_changed);
        let directory = directory.then(|| self.names.directory().to_owned());
        let (path, mark) = (self.names.current().to_owned(), self.backlog.mark());
        Some(SyncJob { files, directory, path, mark, due })
    }

    /// What became of it. After a failure what was written is written again, to a new file.
    pub(crate) fn synced(&mut self, synced: Synced, now: Instant) {
        let error = match (synced.files, synced.directory) {
            (Ok(()), Ok(())) => {
                self.backlog.is_durable(synced.mark);
                self.keep_promise(Promise::Durability);
                return self.durability.succeeded(synced.began);
            }
            (Err(error), _) => {
                let is_first = self.durability.failed(now);
                if self.backlog.torn() == 0 {
                    self.write_again(&error, is_first.then_some(now));
                } else {
                    // The file ends in half a line, to which they would be glued.
                    self.upkeep.doubt = Some(again(&error));
                }
                error
            }
            (Ok(()), Err(error)) => {
                self.durability.failed(now);
                error
            }
        };
        self.upkeep.directory_changed = true;
        self.still_broken(&Trouble::NotDurable(again(&error), 0));
        self.upkeep.sync_error = Some(error);
    }

    /// How often what was written could not be made durable.
    #[must_use]
    pub fn failed_syncs(&self) -> u64 {
        self.durability.failures()
    }

    /// Has all written again that is not known to be durable; with a time, to a new file.
    pub(super) fn write_again(&mut self, error: &io::Error, rotate_at: Option<Instant>) {
        let lines = self.backlog.write_again();
        self.break_promise(Trouble::NotDurable(again(error), lines));
        if let Some(now) = rotate_at
            && self.current.bytes() > 0
        {
            // If that fails, they are written to this one.
            let _ = self.rotate(now);
        }
    }

    /// Has written again what is in doubt, if it is time for that.
    fn resolve_doubt(&mut self, now: Instant) {
        if self.backlog.torn() == 0
            && self.durability.is_rested(now)
            && let Some(error) = self.upkeep.doubt.take()
        {
            let is_first = self.durability.failed(now);
            self.write_again(&error, is_first.then_some(now));
        }
    }

    /// Makes all durable that was written; what cannot be is written again, once.
    pub(super) fn sync_now(&mut self, now: Instant) -> io::Result<()> {
        let synced = self.sync_all(now);
        match &synced {
            Ok(()) => self.keep_promise(Promise::Durability),
            // It was asked for this once, and the answer says so.
            Err(_) if self.options.sync == SyncPolicy::Never => {}
            Err(error) => self.still_broken(&Trouble::NotDurable(again(error), 0)),
        }
        synced
    }

    fn sync_all(&mut self, now: Instant) -> io::Result<()> {
        if let Err(error) = self.sync_lines() {
            let _ = self.durability.failed(now);
            if self.backlog.unsafe_bytes() == 0 {
                return Err(error);
            }
            self.write_again(&error, Some(now));
            self.write(now)?;
            if let Err(error) = self.sync_lines() {
                self.upkeep.doubt = Some(again(&error));
                return Err(error);
            }
        }
        self.sync_backups()?;
        self.backlog.is_durable(self.backlog.mark());
        Ok(())
    }

    /// Makes the current file durable, and those before it that are kept open for that.
    fn sync_lines(&mut self) -> io::Result<()> {
        let fail = |error| told("sync", self.names.current(), error);
        if let Some(error) = self.upkeep.doubt.take() {
            return Err(fail(error));
        }
        for file in std::mem::take(&mut self.upkeep.unsafe_files) {
            current::sync_file(&file).map_err(fail)?;
        }
        self.current.sync().map_err(fail)
    }

    /// Makes the backups durable that were made since the last time, and their names.
    fn sync_backups(&mut self) -> io::Result<()> {
        for number in 1..=self.upkeep.rotations_since_sync.min(self.options.backup_count) {
            // A compressed one is durable already.
            let path = self.names.backup(Backup { number, form: Form::Plain });
            // To open a FIFO would wait for somebody who writes to it.
            if calls::look(&path).is_ok_and(|found| !found.is_file()) {
                continue;
            }
            match calls::open_to_read(&path).and_then(|file| current::sync_file(&file)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(told("sync", &path, error));
                }
                _ => {}
            }
        }
        if self.upkeep.directory_changed {
            let directory = self.names.directory();
            os::sync_directory(directory).map_err(|error| told("sync", directory, error))?;
        }
        self.upkeep.rotations_since_sync = 0;
        self.upkeep.directory_changed = false;
        Ok(())
    }
}

/// The time since 1970.
fn unix(wall: SystemTime) -> Duration {
    wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
