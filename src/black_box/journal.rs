//! Journal: the listener's side of the black box: assigns sequence numbers to copies and records
//! which ones are safely written.
//!
//! The journal maps each `seq` to the record's copy. When all sinks have handed on their records,
//! one word notes it, together with the positions of their files; then the copies can be reused.
//! Knows no sink.

use super::BlackBox;
use super::Renewal;
use super::Time;
use super::layout::{DONE, END, FIRST, Place, copy, head};
use crate::base::clock::TimeOfDay;
use crate::black_box::writer::ChunkWriter;
use crate::record::Record;
use crate::record::stats::Dropped;
use crate::rotate::Mark;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The listener's end of a black box.
#[derive(Debug)]
pub(crate) struct Journal {
    black_box: Arc<BlackBox>,
    /// For logwell's own records.
    pen: ChunkWriter,
    /// What is done with in each chunk since it was last said.
    done: Vec<Done>,
    /// Chunks with something that is done with.
    touched: Vec<u16>,
    /// All records up to this one are handed on.
    done_seq: u64,
    /// Which copy of the marks is in force.
    copy: usize,
    /// How many records had a copy; how many of them are handed on; how many there were when the
    /// box was last seen to be what it was.
    copies: u64,
    handed_copies: u64,
    seen_copies: u64,
    /// It was seen that the box is not what it was.
    is_lost: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Done {
    /// Up to which word of the chunk.
    at: u16,
    entries: u32,
}

impl Journal {
    pub(crate) fn new(black_box: Arc<BlackBox>) -> Self {
        Self {
            pen: ChunkWriter::new(true),
            done: vec![Done::default(); black_box.layout.chunks],
            touched: Vec::new(),
            done_seq: 0,
            copy: 0,
            copies: 0,
            handed_copies: 0,
            seen_copies: 0,
            is_lost: false,
            black_box,
        }
    }

    /// Copies one of logwell's own records.
    pub(crate) fn keep_internal(&mut self, record: &Record) -> Place {
        let place = self.pen.write(&self.black_box, record, Time::UnixNs(record.unix_ns()));
        if place.is_somewhere() { place } else { self.black_box.no_room() }
    }

    /// The record of that number and time has its copy there, unless the file is another one now.
    #[inline]
    pub(crate) fn note(&mut self, seq: u64, unix_ns: u64, place: Place) {
        if seq - self.done_seq >= self.black_box.layout.journal as u64 {
            self.give_up_half(seq);
        }
        let mut copy = place;
        if place.is_somewhere() {
            if self.black_box.has(place.chunk()) {
                self.copies += 1;
            } else {
                copy = self.black_box.no_room();
            }
        }
        let entry = (seq & 0xffff_ffff) << 32 | copy.to_journal();
        let at = self.black_box.layout.journal_at(seq);
        self.black_box.store(at + 1, unix_ns);
        self.black_box.store(at, entry);
        if place.is_large() {
            self.note_parts(place);
        } else if place.is_somewhere() {
            self.is_done(place.chunk(), place.end());
        }
    }

    #[inline]
    fn is_done(&mut self, chunk: u16, end: usize) {
        if let Some(done) = self.done.get_mut(usize::from(chunk)) {
            if done.entries == 0 {
                self.touched.push(chunk);
            }
            done.at = end as u16;
            done.entries += 1;
        }
    }

    #[cold]
    fn note_parts(&mut self, place: Place) {
        let black_box = Arc::clone(&self.black_box);
        for (chunk, _) in black_box.parts(place) {
            self.is_done(chunk, END);
        }
    }

    /// The journal is full of records that are not handed on: an outage that lasts. The older half
    /// is protected no longer.
    #[cold]
    fn give_up_half(&mut self, seq: u64) {
        let half = self.black_box.layout.journal as u64 / 2;
        self.black_box.count_unprotected(half);
        // First: without a number it would look like one that nobody has taken, and get another.
        self.say_how_far();
        self.done_seq = seq - half;
        self.commit();
    }

    /// All records up to that number are handed on, and the files are there.
    pub(crate) fn handed_on<'a>(
        &mut self,
        seq: u64,
        marks: impl Iterator<Item = (&'a str, Mark)>,
        time: &TimeOfDay,
    ) {
        self.copy ^= 1;
        let start = head::COPIES.get(self.copy).copied().unwrap_or(head::END);
        self.black_box.store(start + copy::TICKS, time.ticks());
        self.black_box.store(start + copy::UNIX_NS, time.unix_ns());
        let mut count = 0;
        for ((name, mark), at) in marks.zip(0..copy::MAX_MARKS) {
            let start = start + copy::FIRST_MARK + at * copy::MARK_WORDS;
            let mut bytes = [0; copy::NAME_WORDS * 8];
            bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
            let name = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
            let words = name.chain([mark.device, mark.inode, mark.bytes]);
            words.zip(start..).for_each(|(word, at)| self.black_box.store(at, word));
            count += 1;
        }
        self.black_box.store(start + copy::MARKS, count);
        self.say_how_far();
        self.done_seq = seq;
        self.handed_copies = self.copies;
        self.commit();
        // Only now: whoever takes a chunk writes over what is in it.
        for chunk in self.touched.drain(..) {
            if let Some(done) = self.done.get_mut(usize::from(chunk)) {
                let entries = std::mem::take(done).entries;
                self.black_box.free(self.black_box.chunks.done(chunk, entries));
            }
        }
    }

    /// Says in each chunk up to where its records have numbers: what is before is in the journal,
    /// or done.
    fn say_how_far(&self) {
        for &chunk in &self.touched {
            let at = self.done.get(usize::from(chunk)).map_or(FIRST as u16, |done| done.at);
            if let Some(word) = self.black_box.chunk(chunk).get(DONE) {
                word.store(u64::from(at), Ordering::Release);
            }
        }
    }

    fn commit(&self) {
        self.black_box.store(head::DONE, self.done_seq << 1 | self.copy as u64);
    }

    /// These drops are reported in the log now.
    pub(crate) fn told(&self, dropped: &Dropped) {
        for (level, reason, count) in dropped.iter() {
            if let Some(word) = self.black_box.untold(level, reason) {
                // Some may have been noted in a file that is gone.
                let left = |noted: u64| Some(noted.saturating_sub(count));
                let _is_always_some = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
            }
        }
    }

    /// Whether the box is what it was made as. If it is not any more, the records are counted whose
    /// copies are gone: those that are not handed on, and if nobody knows since when, all since it
    /// was seen last.
    pub(crate) fn watch(&mut self) -> bool {
        let is_known = self.black_box.map.is_apart();
        let safe = self.handed_copies.min(if is_known { u64::MAX } else { self.seen_copies });
        let is_intact = self.black_box.watch();
        if is_intact {
            self.seen_copies = self.copies;
        } else if !self.is_lost {
            self.black_box.count_unprotected(self.copies - safe);
        }
        self.is_lost = !is_intact;
        is_intact
    }

    /// Begins to make the box again. What is stored from now on is in the new one.
    ///
    /// # Errors
    ///
    /// As of [`BlackBox::create`].
    pub(crate) fn begin_again(&mut self) -> io::Result<Renewal> {
        self.black_box.begin_again()
    }

    /// All that was handed on is noted in the new box.
    ///
    /// # Errors
    ///
    /// It cannot get its name, or others have cut it meanwhile.
    pub(crate) fn finish(&mut self, renewal: Renewal) -> io::Result<()> {
        self.black_box.finish(renewal)?;
        self.is_lost = false;
        Ok(())
    }

    /// How many records have no copy.
    pub(crate) fn unprotected(&self) -> u64 {
        self.black_box.unprotected()
    }

    /// Logging has ended as it should: there is nothing to recover, and the box goes.
    pub(crate) fn end(&mut self) {
        self.pen.close(&self.black_box);
        self.black_box.end();
    }
}
