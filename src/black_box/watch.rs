//! Watch: whether a box is still what it was made as, and how it is made again.
//!
//! Others can cut, empty, delete or replace the file, or take away the file system under it. From
//! then on records have no copy. What is done about that is the listener's, in two steps: the words
//! get a new file, and when all that was handed on is noted in it, the file gets the box's name.
//! Knows files; does not know what is in a chunk.

use super::layout::{MAGIC, head};
use super::room;
use super::{BlackBox, MORE_BYTES, size};
use crate::base::fs::os;
use crate::black_box::discover::{self, Unfinished};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

/// A box that is being made again.
#[derive(Debug)]
pub(crate) struct Renewal {
    unfinished: Unfinished,
    /// The epoch in which it was begun.
    since: u64,
}

impl BlackBox {
    /// Whether records get copies that a start will find. Looks at the file, and not into it.
    pub(crate) fn is_intact(&self) -> bool {
        !self.map.is_apart() && (self.is_ours_and_whole() || self.birthplace.is_forked())
    }

    fn is_ours_and_whole(&self) -> bool {
        let file = self.file();
        let Some(Ok(ours)) = file.as_ref().map(File::metadata) else { return true };
        match self.path.symlink_metadata() {
            Ok(there) => os::id(&there) == os::id(&ours) && ours.len() >= self.layout.bytes(),
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }

    /// The same, and looks at its beginning too. If it is not what it was, the box has no file from
    /// now on.
    ///
    /// A file that was cut is noticed here or by whoever writes beyond its end, whichever is first.
    pub(super) fn watch(&self) -> bool {
        let begins_right =
            || self.map.words().first().is_some_and(|it| it.load(Ordering::Relaxed) == MAGIC);
        let is_intact = self.is_intact() && begins_right();
        if !is_intact && !self.map.is_apart() {
            self.map.part();
        }
        if is_intact {
            self.set_more_aside();
        }
        is_intact
    }

    /// Has room set aside for the chunks that come next. If there is none now, there may be later;
    /// whoever writes there before is the guard's.
    fn set_more_aside(&self) {
        let done = self.set_aside.load(Ordering::Relaxed);
        let next = (done + MORE_BYTES).min(self.layout.bytes());
        let file = self.file();
        let is_done = file.as_ref().filter(|_| done < next).map(|it| os::allocate(it, done..next));
        if let Some(Ok(())) = is_done {
            self.set_aside.store(next, Ordering::Relaxed);
        }
    }

    /// Begins to make the box again: its words are those of a new file, which has no name yet.
    ///
    /// # Errors
    ///
    /// As of [`create`](Self::create).
    pub(super) fn begin_again(&self) -> Result<Renewal> {
        let since = self.map.epoch();
        if let Some(directory) = self.path.parent() {
            os::make_directory(directory)?;
            if room(directory) < self.layout.bytes() {
                let text = "there is no room: it takes a quarter of what is free at most";
                return Err(Error::new(ErrorKind::StorageFull, text));
            }
        }
        let unfinished = Unfinished::create(&self.path, size(self.layout))?;
        self.set_aside.store(unfinished.set_aside, Ordering::Relaxed);
        self.map.replace(&unfinished.file)?;
        self.write_head();
        Ok(Renewal { unfinished, since })
    }

    /// The new file gets the name, and what is there goes.
    pub(super) fn finish(&self, renewal: Renewal) -> Result<()> {
        self.has_file(renewal.unfinished.finish(&self.path)?);
        match self.map.join(renewal.since) {
            true => Ok(()),
            false => Err(Error::other("it was cut again while it was made")),
        }
    }

    /// Logging has ended as it should: the file goes, if it is the one that was made.
    pub(crate) fn end(&self) {
        self.store(head::ENDED, 1);
        let there = self.path.symlink_metadata();
        let Some(Ok(ours)) = self.file().as_ref().map(File::metadata) else { return };
        if there.is_ok_and(|there| os::id(&there) == os::id(&ours)) {
            discover::remove(&self.path);
        }
    }

    pub(super) fn has_file(&self, file: File) {
        *self.file() = Some(file);
    }

    fn file(&self) -> MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
