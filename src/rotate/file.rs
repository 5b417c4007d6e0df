//! File: the public type. Does what the policy says, and keeps account of it.
//!
//! Knows all other parts of this module; decides nothing about sizes, names or retention itself.

use super::archive::Archive;
use super::backlog::Backlog;
use super::current::{Change, Current, told};
use super::durability::Durability;
use super::names::Names;
use super::options::FileOptions;
use super::policy::{self, Fill, Pause, Step};
use super::report::{Broken, Promise, Trouble, WriteError};
use super::shift;
use super::write;
use crate::rotate::choices::SyncPolicy;
use crate::rotate::maintenance::Upkeep;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Lines are handed over when there are this many bytes of them, even without a flush.
pub(super) const BATCH_BYTES: usize = 256 << 10;

/// How often the path is compared with the open file.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// After a rotation has failed.
pub(super) const ROTATE_PAUSE: Duration = Duration::from_secs(1);

/// After a write has failed.
pub(super) const WRITE_PAUSE: Duration = Duration::from_millis(50);

/// A file of whole lines that is renamed to a backup before a line would make it too large.
///
/// Lines are kept in memory until a [`flush`](Self::flush), or until there are 256 KiB of them.
/// Each file has whole lines only, in order; read the backups from the highest number down to 1,
/// then the current file, and you have all lines that retention has not removed.
///
/// ```
/// use logwell::rotate::{FileOptions, RotatingFile};
/// use std::time::Instant;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("logs/app.log");
/// let options = FileOptions { max_bytes: 12, backup_count: 2, ..FileOptions::new(&path) };
/// let mut file = RotatingFile::open(options)?;
/// for line in ["one\n", "two\n", "three\n"] {
///     file.append(line.as_bytes(), Instant::now())?;
/// }
/// file.flush(Instant::now())?;
///
/// assert_eq!(std::fs::read_to_string(&path)?, "three\n");
/// assert_eq!(std::fs::read_to_string(path.with_extension("log.1"))?, "one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[doc(alias = "rolling")]
pub struct RotatingFile {
    pub(super) options: FileOptions,
    pub(super) names: Names,
    pub(super) current: Current,
    pub(super) backlog: Backlog,
    pub(super) archive: Archive,
    pub(super) durability: Durability,
    pub(super) upkeep: Upkeep,
    /// When the path is compared with the open file again; `None` is at once.
    pub(super) look_at: Option<Instant>,
    write_pause: Pause,
    pub(super) rotate_pause: Pause,
    reopen_pause: Pause,
    /// Why the last write failed, for a flush during the pause.
    pub(super) write_error: Option<(ErrorKind, String)>,
    /// Why no new file could be started, until one is.
    pub(super) rotate_error: Option<String>,
    trouble: Option<Trouble>,
    broken: Broken,
    pub(super) rotations: u64,
    pub(super) failed_rotations: u64,
}

impl RotatingFile {
    /// Opens the file for appending, or makes it, and the directories above it.
    ///
    /// Ends a line that a crash has left without an end, finishes what it has left half done, and
    /// deletes the backups beyond `backup_count`.
    ///
    /// # Errors
    ///
    /// The options make no sense, or the path cannot be used: the text says which path and why.
    /// Anything but a regular file in its place is refused without being opened: a FIFO would hang
    /// the program, a link would lead elsewhere.
    pub fn open(options: FileOptions) -> io::Result<Self> {
        options.check()?;
        let names = Names::new(&options.path)?;
        let (current, too_open) = Current::open(names.current(), options.mode)?;
        let keep_bytes = match options.sync {
            SyncPolicy::Never => 0,
            _ => options.backlog_bytes,
        };
        let mut file = Self {
            archive: Archive::new(names.clone(), &options),
            upkeep: Upkeep::new(&current, &options),
            durability: Durability::new(options.sync, options.sync_interval),
            names,
            current,
            options,
            backlog: Backlog::keeping(keep_bytes),
            look_at: None,
            write_pause: Pause::default(),
            rotate_pause: Pause::default(),
            reopen_pause: Pause::default(),
            write_error: None,
            rotate_error: None,
            trouble: None,
            broken: Broken::default(),
            rotations: 0,
            failed_rotations: 0,
        };
        file.note(Promise::Mode, too_open.map_or(Ok(()), Err), Trouble::TooOpen);
        let finished = file.archive.finish_half_done();
        file.note(Promise::Compression, finished, Trouble::NotCompressed);
        let pruned = file.archive.retain(file.current.bytes());
        file.note(Promise::Retention, pruned, Trouble::NotPruned);
        Ok(file)
    }

    /// Takes one whole line. It ends in `\n` and has no other `\n`.
    ///
    /// A line longer than `max_bytes` gets its own file.
    ///
    /// # Errors
    ///
    /// The line is not taken: the backlog is full, because writing has failed for a while; or
    /// the line has no end. That writing fails is no error here, but at the next
    /// [`flush`](Self::flush).
    pub fn append(&mut self, line: &[u8], now: Instant) -> io::Result<()> {
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a line must end in a line feed"));
        }
        if self.would_overflow(line) && self.write_when_due(now).is_err() {
            let text = format!("the backlog is full ({} bytes)", self.backlog.len());
            return Err(self.write_error.as_ref().map_or_else(
                || io::Error::new(ErrorKind::StorageFull, text.clone()),
                |(kind, reason)| io::Error::new(*kind, format!("{text}: {reason}")),
            ));
        }
        self.backlog.push(line);
        if self.backlog.len() >= BATCH_BYTES {
            // The lines are kept, the reason too; the next flush tells it.
            let _ = self.write_when_due(now);
        }
        Ok(())
    }

    /// Hands all lines to the operating system.
    ///
    /// Call it after each batch of lines, and now and then without: it also notices that the file
    /// was moved. Blocks as long as `write(2)` does.
    ///
    /// # Errors
    ///
    /// Some lines are still kept; they are written first when it works again. Within 50 ms of a
    /// failure, the same error is returned without trying.
    pub fn flush(&mut self, now: Instant) -> Result<(), WriteError> {
        self.write_when_due(now).map_err(|error| self.not_written(error))?;
        // Nothing is lost by it, but the file does not do what it should.
        self.upkeep.take_sync_error().map_or(Ok(()), |error| Err(self.not_written(error)))
    }

    /// Like [`flush`](Self::flush), tries in any case, and makes all lines durable, those in
    /// backups too, and the names of the files.
    ///
    /// # Errors
    ///
    /// As `flush`. With `kept_lines` of 0 the operating system has the lines, but could not say
    /// that they are on the disk.
    pub fn sync(&mut self, now: Instant) -> Result<(), WriteError> {
        self.write(now).map_err(|error| self.not_written(error))?;
        self.sync_now(now).map_err(|error| self.not_written(error))
    }

    /// Starts a new file now, unless the current one is empty.
    ///
    /// # Errors
    ///
    /// It continues unchanged.
    pub fn rotate_now(&mut self, now: Instant) -> io::Result<()> {
        self.write(now)?;
        if self.current.bytes() == 0 { Ok(()) } else { self.rotate(now) }
    }

    /// Opens the path again now, after somebody has moved the file; makes it if need be.
    ///
    /// Without a call this happens by itself within a second.
    ///
    /// # Errors
    ///
    /// It continues with the old file.
    pub fn reopen(&mut self, now: Instant) -> io::Result<()> {
        self.look_at = Some(now + LOOK_INTERVAL);
        if self.current.is_at(self.names.current())? { Ok(()) } else { self.open_again() }
    }

    /// Its files that exist: the current one, then the backups, newest first.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let backups = shift::backups(&self.names).unwrap_or_default();
        let backups = backups.into_iter().map(|backup| self.names.backup(backup));
        std::iter::once(self.names.current().to_owned()).chain(backups).collect()
    }

    /// The size of the current file, without the lines that are not written yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.current.bytes()
    }

    /// How many lines are taken and not written yet. Counts them: takes a while if there are many.
    #[must_use]
    pub fn kept_lines(&self) -> u64 {
        self.backlog.count()
    }

    /// How often a new file was started.
    #[must_use]
    pub fn rotations(&self) -> u64 {
        self.rotations
    }

    /// How often that has failed.
    #[must_use]
    pub fn failed_rotations(&self) -> u64 {
        self.failed_rotations
    }

    /// What went wrong without a line being kept or lost, once for each series of failures.
    ///
    /// Only the newest trouble is kept.
    pub fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// What it does not keep of what its options say, and why: until it is kept again.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let is_overdue = self.upkeep.is_overdue() || self.current.bytes() > self.options.max_bytes;
        let not_rotated = self.rotate_error.iter().filter(|_| is_overdue).cloned();
        not_rotated.chain(self.broken.texts()).collect()
    }

    /// Takes note of whether a promise is kept; why not is news.
    pub(super) fn note<T>(
        &mut self,
        promise: Promise,
        result: io::Result<T>,
        trouble: impl FnOnce(io::Error) -> Trouble,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.broken.mend(promise);
                Some(value)
            }
            Err(error) => {
                self.break_promise(trouble(error));
                None
            }
        }
    }

    pub(super) fn tell(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
    }

    pub(super) fn break_promise(&mut self, trouble: Trouble) {
        self.broken.add(&trouble);
        self.trouble = Some(trouble);
    }

    /// It is not kept, but that is no news.
    pub(super) fn still_broken(&mut self, trouble: &Trouble) {
        self.broken.add(trouble);
    }

    pub(super) fn is_broken(&self, promise: Promise) -> bool {
        self.broken.has(promise)
    }

    pub(super) fn keep_promise(&mut self, promise: Promise) {
        self.broken.mend(promise);
    }

    fn would_overflow(&self, line: &[u8]) -> bool {
        let limit = self.options.backlog_bytes.saturating_sub(line.len());
        !self.backlog.is_empty() && self.backlog.len() > limit
    }

    fn not_written(&self, error: io::Error) -> WriteError {
        WriteError { error, kept_lines: self.backlog.count() }
    }

    /// Writes, unless that has failed just now.
    pub(super) fn write_when_due(&mut self, now: Instant) -> io::Result<()> {
        match &self.write_error {
            Some((kind, reason)) if !self.write_pause.is_over(now) => {
                Err(io::Error::new(*kind, reason.clone()))
            }
            _ => self.write(now),
        }
    }

    /// Writes all lines, and keeps account of whether that works.
    pub(super) fn write(&mut self, now: Instant) -> io::Result<()> {
        match self.write_all(now) {
            Ok(()) => {
                self.write_pause.end();
                self.write_error = None;
                Ok(())
            }
            Err(error) => {
                let error = told("write", self.names.current(), error);
                self.write_pause.begin(now, WRITE_PAUSE);
                self.write_error = Some((error.kind(), error.to_string()));
                self.look_at = None;
                Err(error)
            }
        }
    }

    /// Obeys the policy until no line is left.
    fn write_all(&mut self, now: Instant) -> io::Result<()> {
        if self.backlog.is_empty() {
            // Nothing can be lost: if there is no file now, there is time until the next line.
            let _ = self.look(now);
        }
        while !self.backlog.is_empty() {
            self.look(now)?;
            let fill = Fill {
                current_bytes: self.current.bytes(),
                torn_bytes: write::as_u64(self.backlog.torn()),
                max_bytes: self.options.max_bytes,
                may_rotate: self.rotate_pause.is_over(now),
            };
            match policy::next(self.backlog.lines(), fill) {
                Step::Write(bytes) => {
                    let lines = self.backlog.lines().get(..bytes).unwrap_or_default();
                    let written = self.current.append(lines, self.backlog.torn());
                    self.backlog.settle(written.bytes);
                    written.error.map_or(Ok(()), Err)?;
                }
                // A failure starts a pause, in which the policy asks for no rotation.
                Step::Rotate => drop(self.rotate(now)),
            }
        }
        Ok(())
    }

    /// Asks the open file, and once a second the path, whether they still belong together.
    ///
    /// An error means: do not write, nobody would find it.
    fn look(&mut self, now: Instant) -> io::Result<()> {
        let change = self.current.look()?;
        if change != Change::Same {
            self.backlog.restart_line();
        }
        let unlinked = change == Change::Unlinked;
        if !unlinked && self.look_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        match self.reopen(now) {
            Ok(()) => {
                self.reopen_pause.end();
                self.broken.mend(Promise::Path);
                Ok(())
            }
            Err(error) => {
                let result = if unlinked { Err(again(&error)) } else { Ok(()) };
                let is_news = self.reopen_pause.begin(now, LOOK_INTERVAL);
                let trouble = Trouble::NotReopened(error);
                match is_news {
                    true => self.break_promise(trouble),
                    false => self.still_broken(&trouble),
                }
                result
            }
        }
    }

    /// Opens the path; the old file stays in use until that has worked.
    pub(super) fn open_again(&mut self) -> io::Result<()> {
        let (current, too_open) = Current::open(self.names.current(), self.options.mode)?;
        self.take_over(current);
        // Who has moved the file may have made a backup of it.
        let pruned = self.archive.retain(self.current.bytes());
        self.note(Promise::Retention, pruned, Trouble::NotPruned);
        self.note(Promise::Mode, too_open.map_or(Ok(()), Err), Trouble::TooOpen);
        Ok(())
    }

    pub(super) fn take_over(&mut self, current: Current) {
        let before = std::mem::replace(&mut self.current, current);
        if self.backlog.torn() > 0 {
            // If that fails, somebody reads half a line at its end; no other is glued to it.
            let _ = before.take_back(self.backlog.torn());
        }
        self.backlog.restart_line();
        self.rotate_pause.end();
        self.rotate_error = None;
        let has_unsafe = self.backlog.unsafe_bytes() > 0;
        self.upkeep.replaced(has_unsafe.then(|| before.into_file()));
    }
}

impl Drop for RotatingFile {
    /// Hands over what is left, if it can; to know whether it could, flush before.
    fn drop(&mut self) {
        let _ = self.write(Instant::now());
    }
}

/// A second copy of an error.
pub(super) fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
