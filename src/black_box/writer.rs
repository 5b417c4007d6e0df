//! Writer: a bump allocator with which one thread at a time writes records into its chunk of a
//! black box.
//!
//! It writes what a record refers to (its callsite, context and thread) into the chunk once, before
//! the record, so that each chunk can be read by itself. It writes an entry's first word last:
//! whenever the process is killed, an entry is whole or absent. Knows the layout; does not know who
//! writes nor what becomes of a record.

use super::BlackBox;
use super::Time;
use super::block;
use super::layout::{Check, END, FIRST, Head, Kind, Place};
use crate::record::Record;
use crate::record::callsite::Callsite;
use crate::record::span::SpanContext;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many callsites a writer remembers having written.
const KNOWN_CALLSITES: usize = 64;
/// Words of a record before its fields, and of a part before what it is a part of.
pub(super) const RECORD_WORDS: usize = 3;
pub(super) const PART_WORDS: usize = 2;
/// A flag of a record: its first word is a time of day, and no reading of the counter.
pub(super) const IS_TIME_OF_DAY: u64 = 1 << 48;

/// Writes into one chunk after the other.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    /// The chunk, and which use of it this is; 0 if there is none.
    chunk: u16,
    number: u64,
    /// When that was taken; 0 if there is none. In another epoch the chunk is in another file.
    epoch: u64,
    /// The next free word.
    at: usize,
    /// How many entries are in the chunk that the listener hears of.
    records: u32,
    /// Whose records these are, and where that is written.
    thread: SmolStr,
    thread_at: u16,
    /// Whether several threads write with it, one after the other.
    is_shared: bool,
    /// Callsites and where in the chunk they stand: `index << 16 | place`; 0 if nothing does.
    callsites: [u64; KNOWN_CALLSITES],
    /// The context that was written last. It is kept, so that no other has its address.
    context: Option<(Arc<SpanContext>, u16)>,
    /// What a callsite and a context are as bytes: kept, so that none is allocated for the next.
    callsite_bytes: Vec<u8>,
    context_bytes: Vec<u8>,
}

/// There is no room in the chunk.
struct NoRoom;

impl ChunkWriter {
    pub(super) fn new(is_shared: bool) -> Self {
        Self {
            chunk: 0,
            number: 0,
            epoch: 0,
            at: END,
            records: 0,
            thread: SmolStr::default(),
            thread_at: 0,
            is_shared,
            callsites: [0; KNOWN_CALLSITES],
            context: None,
            callsite_bytes: Vec::new(),
            context_bytes: Vec::new(),
        }
    }

    /// Writes a record; says where, or that there was no room.
    #[inline]
    pub(super) fn write(&mut self, owner: &BlackBox, record: &Record, time: Time) -> Place {
        match self.write_here(owner, record, time) {
            Ok(place) => place,
            Err(NoRoom) => self.write_elsewhere(owner, record, time),
        }
    }

    /// Takes the record back that was written last.
    #[cold]
    pub(super) fn take_back(&mut self, owner: &BlackBox, place: Place) {
        if place.is_large() {
            owner.take_back_large(place);
        } else if place.chunk() == self.chunk && place.end() == self.at {
            self.at = place.at();
            self.records -= 1;
            if let Some(word) = owner.chunk(self.chunk).get(self.at) {
                word.store(0, Ordering::Release);
            }
        }
    }

    /// Gives the chunk out of hand.
    pub(super) fn close(&mut self, owner: &BlackBox) {
        if self.number > 0 {
            owner.close(self.chunk, self.records);
        }
        (self.number, self.epoch, self.at, self.records) = (0, 0, END, 0);
        self.context = None;
    }

    #[inline]
    fn write_here(
        &mut self,
        owner: &BlackBox,
        record: &Record,
        time: Time,
    ) -> Result<Place, NoRoom> {
        if self.epoch != owner.map.epoch() {
            return Err(NoRoom);
        }
        let references = self.refer(owner, record)?;
        let fields = record.fields.as_bytes();
        let at = self.at;
        let words = RECORD_WORDS + fields.len().div_ceil(8);
        let end = at + 1 + words;
        // The word after the entry ends the chunk, until the next entry is written there.
        let entry = owner.chunk(self.chunk).get(at..=end).and_then(<[_]>::split_first);
        let Some((head, rest)) = entry else { return Err(NoRoom) };
        let (front, rest) = rest.split_first_chunk::<RECORD_WORDS>().ok_or(NoRoom)?;
        let (stop, back) = rest.split_last().ok_or(NoRoom)?;
        let mut check = Check::new(owner.seed, self.number, at);
        for (word, value) in front.iter().zip(front_words(record, references, time)) {
            put_word(word, value, &mut check);
        }
        let check = put_bytes(back, fields, check).finish();
        stop.store(0, Ordering::Relaxed);
        // From now on it is there.
        head.store(Head { kind: Kind::Record, words, check }.to_word(), Ordering::Release);
        self.at = end;
        self.records += 1;
        Ok(Place::new(self.chunk, at, end))
    }

    /// Where callsite, context and thread of the record stand; writes what is not there yet.
    #[inline]
    fn refer(&mut self, owner: &BlackBox, record: &Record) -> Result<[u16; 3], NoRoom> {
        let callsite = self.callsite(owner, record.callsite)?;
        let context = match &record.context {
            None => 0,
            Some(context) => match &self.context {
                Some((known, at)) if Arc::ptr_eq(known, context) => *at,
                _ => self.new_context(owner, context)?,
            },
        };
        if self.is_shared && self.thread != record.thread {
            self.new_thread(owner, &record.thread)?;
        }
        Ok([callsite, context, self.thread_at])
    }

    #[inline]
    fn callsite(&mut self, owner: &BlackBox, callsite: &'static Callsite) -> Result<u16, NoRoom> {
        let index = callsite.index();
        let known = (index as u64 & 0xffff_ffff) << 16;
        match self.callsites.get(index % KNOWN_CALLSITES) {
            Some(slot) if slot & !0xffff == known && *slot & 0xffff != 0 => {
                Ok((slot & 0xffff) as u16)
            }
            _ => self.new_callsite(owner, callsite, known),
        }
    }

    #[cold]
    fn new_callsite(
        &mut self,
        owner: &BlackBox,
        callsite: &'static Callsite,
        known: u64,
    ) -> Result<u16, NoRoom> {
        let mut bytes = std::mem::take(&mut self.callsite_bytes);
        bytes.clear();
        block::push_callsite(&mut bytes, callsite);
        let written = self.block(owner, Kind::Callsite, &bytes);
        self.callsite_bytes = bytes;
        let at = written?;
        if let Some(slot) = self.callsites.get_mut(callsite.index() % KNOWN_CALLSITES) {
            *slot = known | u64::from(at);
        }
        Ok(at)
    }

    #[cold]
    fn new_context(&mut self, owner: &BlackBox, context: &Arc<SpanContext>) -> Result<u16, NoRoom> {
        let mut bytes = std::mem::take(&mut self.context_bytes);
        bytes.clear();
        block::push_context(&mut bytes, context, |callsite| self.callsite(owner, callsite).ok());
        let written = self.block(owner, Kind::Context, &bytes);
        self.context_bytes = bytes;
        let at = written?;
        self.context = Some((Arc::clone(context), at));
        Ok(at)
    }

    #[cold]
    fn new_thread(&mut self, owner: &BlackBox, thread: &SmolStr) -> Result<(), NoRoom> {
        const MAX_BYTES: usize = 256;
        let kept = crate::record::bytes::floor_char_boundary(thread, MAX_BYTES);
        let name = thread.as_bytes().get(..kept).unwrap_or_default();
        self.thread_at = self.block(owner, Kind::Thread, name)?;
        self.thread = thread.clone();
        Ok(())
    }

    /// Writes bytes, with their length before them.
    fn block(&mut self, owner: &BlackBox, kind: Kind, bytes: &[u8]) -> Result<u16, NoRoom> {
        let at = u16::try_from(self.at).map_err(|_| NoRoom)?;
        let words = 1 + bytes.len().div_ceil(8);
        let end = self.at + 1 + words;
        if end > END {
            return Err(NoRoom);
        }
        let values = std::iter::once(bytes.len() as u64).chain(bytes.chunks(8).map(padded));
        put(owner, (self.chunk, self.number), self.at, kind, words, values);
        self.at = end;
        Ok(at)
    }

    /// Goes on in a new chunk, or in several.
    #[cold]
    fn write_elsewhere(&mut self, owner: &BlackBox, record: &Record, time: Time) -> Place {
        self.close(owner);
        if !self.open(owner, &record.thread) {
            return Place::NOWHERE;
        }
        match self.write_here(owner, record, time) {
            Ok(place) => place,
            Err(NoRoom) => self.write_large(owner, record, time),
        }
    }

    fn open(&mut self, owner: &BlackBox, thread: &SmolStr) -> bool {
        let Some(taken) = owner.take() else { return false };
        (self.chunk, self.number) = taken;
        (self.epoch, self.at, self.records) = (owner.epoch_of(self.chunk), FIRST, 0);
        self.callsites = [0; KNOWN_CALLSITES];
        self.new_thread(owner, thread).is_ok()
    }

    /// Writes a record that is larger than a chunk: in parts, each the last entry of its chunk.
    fn write_large(&mut self, owner: &BlackBox, record: &Record, time: Time) -> Place {
        let Ok(references) = self.refer(owner, record) else {
            // A callsite or context that fills a chunk.
            return Place::NOWHERE;
        };
        let fields = record.fields.as_bytes();
        let front = front_words(record, references, time);
        let mut values = front.into_iter().chain(fields.chunks(8).map(padded));
        let all = RECORD_WORDS + fields.len().div_ceil(8);
        let room = |at: usize| END.saturating_sub(at + 1 + PART_WORDS);
        let more = all.saturating_sub(room(self.at)).div_ceil(room(FIRST));
        let next: Vec<_> = (0..more).map_while(|_| owner.take()).collect();
        if next.len() < more {
            next.into_iter().for_each(|(chunk, _)| owner.close(chunk, 0));
            return Place::NOWHERE;
        }
        let here = (self.chunk, self.number);
        let place = Place::new(self.chunk, self.at, END).large();
        let starts = std::iter::once((here, self.at)).chain(next.iter().map(|&next| (next, FIRST)));
        let links = next.iter().map(|&(chunk, number)| number << 16 | u64::from(chunk)).chain([0]);
        let mut parts: Vec<_> = starts
            .zip(links)
            .map(|((page, at), link)| {
                let part = values.by_ref().take(room(at));
                (page, at, [all as u64, link].into_iter().chain(part).collect::<Vec<_>>())
            })
            .collect();
        let chunks = std::iter::once(self.chunk).chain(next.iter().map(|&(chunk, _)| chunk));
        chunks.zip(&next).for_each(|(chunk, &(next, _))| owner.link(chunk, next));
        // The first comes last: with it the record is there, and it is whole.
        let first = parts.remove(0);
        for ((chunk, number), at, part) in parts {
            put(owner, (chunk, number), at, Kind::Rest, part.len(), part);
            owner.close(chunk, 1);
        }
        let (page, at, part) = first;
        put(owner, page, at, Kind::First, part.len(), part);
        self.records += 1;
        self.close(owner);
        place
    }
}

/// Writes bytes into as many words as they take: four at a time, which is faster, and the rest.
#[inline]
fn put_bytes(mut words: &[AtomicU64], mut bytes: &[u8], mut check: Check) -> Check {
    while let (Some((four, rest)), Some((block, after))) =
        (words.split_first_chunk::<4>(), bytes.split_first_chunk::<32>())
    {
        for (word, bytes) in four.iter().zip(block.as_chunks().0) {
            put_word(word, u64::from_le_bytes(*bytes), &mut check);
        }
        (words, bytes) = (rest, after);
    }
    while let (Some((word, rest)), Some((block, after))) =
        (words.split_first(), bytes.split_first_chunk())
    {
        put_word(word, u64::from_le_bytes(*block), &mut check);
        (words, bytes) = (rest, after);
    }
    if let Some(word) = words.first() {
        put_word(word, padded(bytes), &mut check);
    }
    check
}

#[inline(always)]
fn put_word(word: &AtomicU64, value: u64, check: &mut Check) {
    word.store(value, Ordering::Relaxed);
    check.add(value);
}

/// Writes an entry of so many words, for which there is room.
fn put(
    owner: &BlackBox,
    (chunk, number): (u16, u64),
    at: usize,
    kind: Kind,
    words: usize,
    values: impl IntoIterator<Item = u64>,
) {
    let chunk = owner.chunk(chunk);
    let mut check = Check::new(owner.seed, number, at);
    for (word, value) in chunk.iter().skip(at + 1).zip(values) {
        word.store(value, Ordering::Relaxed);
        check.add(value);
    }
    if let Some(stop) = chunk.get(at + 1 + words) {
        stop.store(0, Ordering::Relaxed);
    }
    if let Some(word) = chunk.get(at) {
        let head = Head { kind, words, check: check.finish() };
        word.store(head.to_word(), Ordering::Release);
    }
}

/// The words of a record before its fields.
#[inline]
fn front_words(record: &Record, references: [u16; 3], time: Time) -> [u64; RECORD_WORDS] {
    let [callsite, context, thread] = references.map(u64::from);
    let (time, flags) = match time {
        Time::Ticks(ticks) => (ticks, 0),
        Time::UnixNs(unix_ns) => (unix_ns, IS_TIME_OF_DAY),
    };
    let fields_bytes = record.fields.len_bytes() as u64 & 0xffff_ffff;
    [
        time,
        callsite | context << 16 | thread << 32 | flags,
        u64::from(record.fields_left_out) << 32 | fields_bytes,
    ]
}

/// Up to 8 bytes as a word.
#[inline]
fn padded(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // They overlap, and are the same where they do.
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return first | last << (8 * (bytes.len() - 4));
    }
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}
