//! BlackBox: a copy of every record that is on its way, in a file that outlives the process.
//!
//! A record that a log call has made exists only in memory until the listener has written it. So
//! the caller also copies it, some hundred bytes, into a mapped file: what is stored there is the
//! system's at once, and no `kill -9` takes it away. When the listener has handed the record on,
//! the copy can be reused. A start that finds the box of a process that has ended writes what is
//! left in it.
//!
//! ```text
//!  a thread ── writer.rs ──► its chunk of the box   the listener ──► journal.rs: journal, marks
//!                                                                        │
//!               the next start ── discover.rs, reader.rs ──► records ── replay ─┘
//! ```
//!
//! This module is public for programs that read a box ([`list`], [`read`]); logging creates one
//! without a call. `docs/black-box-format.md` describes the layout.
//!
//! The box is never synced and promises nothing for a power cut: that is what `files.sync` is for.
//! When it is full, records go without a copy, and that is counted; nobody ever waits for it. The
//! same while others have taken the file away (`watch.rs`, and the guard in `map.rs`).

mod block;
mod chunks;
mod contents;
mod discover;
mod journal;
mod layout;
mod map;
pub(crate) mod options;
mod reader;
#[cfg(test)]
mod tests;
mod watch;
mod writer;

pub use contents::{Contents, list, read};
pub(crate) use discover::{DeadBox, find};
pub(crate) use journal::Journal;
pub(crate) use layout::Place;
pub(crate) use map::keep_guard;
pub(crate) use reader::Recovered;
pub(crate) use watch::Renewal;

use crate::base::clock;
use crate::base::fork::ForkGuard;
use crate::base::fs::os;
use crate::base::threads;
use crate::record::Record;
use crate::record::level::Level;
use crate::record::origin::Origin;
use crate::record::stats::Reason;
use chunks::{Chunks, Emptied};
use discover::{Size, Unfinished};
use layout::{CHUNK_WORDS, Check, DONE, FIRST, Layout, MAGIC, USE, head};
use map::Map;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use writer::ChunkWriter;

/// A box is not smaller, and takes no more than this part of the room that is free.
const MIN_BYTES: u64 = 1 << 20;
const LARGEST_PART: u64 = 4;

/// Room for so much is set aside at once: behind header and journal for the first chunks, then for
/// more each time the listener looks. A page of a file in memory is made by that.
const FIRST_CHUNK_BYTES: u64 = 1 << 20;
const MORE_BYTES: u64 = 2 << 20;

/// So many pens a thread has, one for each pipeline that it logs to.
const MOST_PENS: usize = 8;

/// When a record was made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Time {
    /// When the processor's counter stood there.
    Ticks(u64),
    UnixNs(u64),
}

/// The black box of one pipeline.
#[derive(Debug)]
pub(crate) struct BlackBox {
    map: Map,
    layout: Layout,
    seed: u64,
    chunks: Chunks,
    uses: Box<[Use]>,
    /// Records that have no copy, and so would be lost in a kill.
    unprotected: AtomicU64,
    birthplace: ForkGuard,
    origin: Origin,
    owner: u64,
    path: PathBuf,
    /// Locked as long as the process lives. Changed by the listener.
    file: Mutex<Option<File>>,
    /// For so many bytes of the file there is room; the listener sees to the rest.
    set_aside: AtomicU64,
}

/// What must be known of a chunk though others change what is in the file.
#[derive(Debug)]
struct Use {
    /// The map's epoch when the chunk was taken.
    epoch: AtomicU64,
    /// The chunk in which a record goes on that is larger than one.
    next: AtomicU32,
}

/// The record continues in no other chunk.
const NO_CHUNK: u32 = u32::MAX;

/// A thread's chunk writer and the box it belongs to.
struct Held {
    pen: ChunkWriter,
    owner: Arc<BlackBox>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.owner.birthplace.is_forked() {
            self.pen.close(&self.owner);
        }
    }
}

thread_local! {
    /// Mostly there is one; more pipelines than this take turns.
    static PENS: RefCell<SmallVec<[Held; 1]>> = const { RefCell::new(SmallVec::new_const()) };
}

impl BlackBox {
    /// Makes a box in that directory, and has room set aside for its first records. A page for which
    /// there is no room on the disk is SIGBUS when it is written to, and then the guard's.
    ///
    /// # Errors
    ///
    /// The directory cannot be used, there is no room, or the file cannot be mapped.
    pub(crate) fn create(
        directory: &Path,
        bytes: u64,
        origin: Origin,
        owner: u64,
    ) -> io::Result<Arc<Self>> {
        os::make_directory(directory)?;
        let bytes = bytes.min(room(directory));
        if bytes < MIN_BYTES {
            let text = format!(
                "there is no room: it takes {MIN_BYTES} bytes, of a quarter of what is free and \
                 the longest file that is allowed"
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        let layout = Layout::of(bytes);
        let path = directory.join(discover::name(origin));
        let unfinished = Unfinished::create(&path, size(layout))?;
        let map = Map::new(&unfinished.file, layout.words())?;
        let a_use = || Use { epoch: AtomicU64::new(0), next: AtomicU32::new(NO_CHUNK) };
        let black_box = Self {
            map,
            layout,
            seed: fastrand::u64(..),
            chunks: Chunks::new(u16::try_from(layout.chunks).unwrap_or(u16::MAX)),
            uses: (0..layout.chunks).map(|_| a_use()).collect(),
            unprotected: AtomicU64::new(0),
            birthplace: ForkGuard::here(),
            origin,
            owner,
            path,
            file: Mutex::new(None),
            set_aside: AtomicU64::new(unfinished.set_aside),
        };
        black_box.write_head();
        black_box.has_file(unfinished.finish(&black_box.path)?);
        Ok(Arc::new(black_box))
    }

    fn write_head(&self) {
        let values = [
            (head::WORDS, self.layout.words() as u64),
            (head::JOURNAL, self.layout.journal as u64),
            (head::CHUNKS, self.layout.chunks as u64),
            (head::PROCESS, u64::from(self.origin.process)),
            (head::BOOT, self.origin.boot),
            (head::SEED, self.seed),
            (head::RATE, clock::ns_of_ticks(1 << 32)),
            (head::OWNER, self.owner),
        ];
        let mut check = Check::new(0, 0, 0);
        for (at, value) in values {
            self.store(at, value);
            check.add(value);
        }
        self.store(head::CHECK, u64::from(check.finish()));
        let now = clock::TimeOfDay::now();
        self.store(head::COPIES[0] + layout::copy::TICKS, now.ticks());
        self.store(head::COPIES[0] + layout::copy::UNIX_NS, now.unix_ns());
        // The last: without it the file is no box.
        self.store(head::MAGIC, MAGIC);
    }

    /// Copies a record that is on its way; says where, or nowhere if there was no room.
    #[inline]
    pub(crate) fn keep(self: &Arc<Self>, record: &Record, time: Time) -> Place {
        let kept = PENS.try_with(|pens| {
            let mut pens = pens.try_borrow_mut().ok()?;
            match pens.iter_mut().find(|held| Arc::ptr_eq(&held.owner, self)) {
                Some(held) => Some(held.pen.write(self, record, time)),
                None => Some(self.keep_first(&mut pens, record, time)),
            }
        });
        match kept {
            Ok(Some(place)) if place.is_somewhere() => place,
            Ok(Some(_)) => self.no_room(),
            _ => self.keep_last(record, time),
        }
    }

    #[cold]
    fn keep_first(
        self: &Arc<Self>,
        pens: &mut SmallVec<[Held; 1]>,
        record: &Record,
        time: Time,
    ) -> Place {
        threads::can_fault();
        if pens.len() == MOST_PENS {
            drop(pens.remove(0));
        }
        let mut pen = ChunkWriter::new(false);
        let place = pen.write(self, record, time);
        pens.push(Held { pen, owner: Arc::clone(self) });
        place
    }

    /// For a thread that is about to end and has no chunk writer any more.
    #[cold]
    fn keep_last(&self, record: &Record, time: Time) -> Place {
        threads::can_fault();
        let place = self.keep_alone(record, time);
        if place.is_somewhere() { place } else { self.no_room() }
    }

    /// Copies a record into its own chunk: so it can be done before or after any other.
    #[cold]
    pub(crate) fn keep_alone(&self, record: &Record, time: Time) -> Place {
        let mut pen = ChunkWriter::new(false);
        let place = pen.write(self, record, time);
        pen.close(self);
        place
    }

    #[cold]
    fn no_room(&self) -> Place {
        self.count_unprotected(1);
        Place::NOWHERE
    }

    fn count_unprotected(&self, records: u64) {
        self.unprotected.fetch_add(records, Ordering::Relaxed);
    }

    /// Takes back the copy of a record that the queue has not taken, if it was the thread's last.
    #[cold]
    pub(crate) fn take_back(&self, place: Place) {
        let _gone = PENS.try_with(|pens| {
            if let Ok(mut pens) = pens.try_borrow_mut()
                && let Some(held) = pens.iter_mut().find(|held| std::ptr::eq(&*held.owner, self))
                && place.is_somewhere()
            {
                held.pen.take_back(self, place);
            }
        });
    }

    /// Notes a drop, which is to be reported in the log though this process may be killed.
    #[cold]
    pub(crate) fn note_dropped(&self, level: Level, reason: Reason) {
        if !self.birthplace.is_forked()
            && let Some(word) = self.untold(level, reason)
        {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many drops of a kind are not reported yet.
    fn untold(&self, level: Level, reason: Reason) -> Option<&AtomicU64> {
        self.map.words().get(head::DROPPED + level.index() * Reason::ALL.len() + reason as usize)
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many records have no copy.
    pub(crate) fn unprotected(&self) -> u64 {
        self.unprotected.load(Ordering::Relaxed)
    }

    #[inline]
    fn chunk(&self, chunk: u16) -> &[AtomicU64] {
        let start = self.layout.chunk_at(usize::from(chunk));
        self.map.words().get(start..start + CHUNK_WORDS).unwrap_or_default()
    }

    fn store(&self, at: usize, value: u64) {
        if let Some(word) = self.map.words().get(at) {
            word.store(value, Ordering::Release);
        }
    }

    /// A free chunk, ready to be written to. There is none while the words are in no file.
    fn take(&self) -> Option<(u16, u64)> {
        let epoch = self.map.epoch();
        if self.map.is_apart() {
            return None;
        }
        let (chunk, number) = self.chunks.take()?;
        if let Some(known) = self.uses.get(usize::from(chunk)) {
            known.epoch.store(epoch, Ordering::Relaxed);
            known.next.store(NO_CHUNK, Ordering::Relaxed);
        }
        let words = self.chunk(chunk);
        for (at, value) in [(FIRST, 0), (DONE, FIRST as u64), (USE, number)] {
            words.get(at)?.store(value, Ordering::Release);
        }
        Some((chunk, number))
    }

    fn close(&self, chunk: u16, written: u32) {
        self.free(self.chunks.close(chunk, written));
    }

    fn free(&self, emptied: Option<Emptied>) {
        if let Some(emptied) = emptied {
            if let Some(word) = self.chunk(emptied.chunk()).get(USE) {
                word.store(0, Ordering::Release);
            }
            self.chunks.give_back(emptied);
        }
    }

    /// Whether what was written to the chunk in this use of it is in the file that there is now.
    #[inline]
    fn has(&self, chunk: u16) -> bool {
        self.epoch_of(chunk) == self.map.epoch()
    }

    #[inline]
    fn epoch_of(&self, chunk: u16) -> u64 {
        self.uses.get(usize::from(chunk)).map_or(0, |known| known.epoch.load(Ordering::Relaxed))
    }

    /// A record continues in that chunk.
    fn link(&self, chunk: u16, next: u16) {
        if let Some(known) = self.uses.get(usize::from(chunk)) {
            known.next.store(u32::from(next), Ordering::Relaxed);
        }
    }

    /// The chunks of a record that is larger than one, and where in each its part is.
    fn parts(&self, place: Place) -> impl Iterator<Item = (u16, usize)> {
        let next = |&(chunk, _): &(u16, usize)| {
            let next = self.uses.get(usize::from(chunk))?.next.load(Ordering::Relaxed);
            u16::try_from(next).ok().map(|next| (next, FIRST))
        };
        std::iter::successors(Some((place.chunk(), place.at())), next)
    }

    fn take_back_large(&self, place: Place) {
        let parts: Vec<_> = self.parts(place).collect();
        for (chunk, at) in parts {
            if let Some(word) = self.chunk(chunk).get(at) {
                word.store(0, Ordering::Release);
            }
            self.free(self.chunks.done(chunk, 1));
        }
    }
}

/// The size of a box. Room for its first chunks is set aside before the first record.
fn size(layout: Layout) -> Size {
    Size { bytes: layout.bytes(), first: layout.chunk_at(0) as u64 * 8 + FIRST_CHUNK_BYTES }
}

/// How large a box in that directory may be.
fn room(directory: &Path) -> u64 {
    (os::available(directory) / LARGEST_PART).min(os::longest_file())
}
