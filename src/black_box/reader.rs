//! Reader: reads what is left in the black box of a process that has ended.
//!
//! The file may be cut, half written or forged, so every word is checked. Unreadable records are
//! counted, the others are returned. Knows words; does not know files.

use super::block;
use super::layout::{
    self, CHUNK_WORDS, Check, DONE, FIRST, Kind, Layout, MAGIC, MAX_BYTES, Place, USE, copy, head,
};
use crate::black_box::writer::{IS_TIME_OF_DAY, PART_WORDS, RECORD_WORDS};
use crate::record::Record;
use crate::record::callsite::Callsite;
use crate::record::fields::Fields;
use crate::record::level::Level;
use crate::record::line_id::LineId;
use crate::record::origin::Origin;
use crate::record::span::SpanContext;
use crate::record::stats::{Dropped, Reason};
use crate::rotate::Mark;
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The header of a box.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) origin: Origin,
    pub(super) owner: u64,
    pub(super) is_ended: bool,
    /// When it was last written that all records up to `done_seq` are handed on.
    pub(super) unix_ns: u64,
    pub(super) done_seq: u64,
    layout: Layout,
    seed: u64,
    rate: u64,
    ticks: u64,
    marks: Vec<(String, Mark)>,
    dropped: Dropped,
}

impl Head {
    /// # Errors
    ///
    /// The words are no header of a box; the text says why.
    pub(super) fn read(words: &[u64]) -> Result<Self, &'static str> {
        let word = |at: usize| words.get(at).copied().ok_or("it is too short");
        if word(head::MAGIC)? != MAGIC {
            return Err("it was never finished, or is not of this version");
        }
        let mut check = Check::new(0, 0, 0);
        for at in head::WORDS..head::CHECK {
            check.add(word(at)?);
        }
        if word(head::CHECK)? != u64::from(check.finish()) {
            return Err("its header is damaged");
        }
        let size = |at| word(at).map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        let layout = Layout { journal: size(head::JOURNAL)?, chunks: size(head::CHUNKS)? };
        if !layout.journal.is_power_of_two()
            || layout.journal as u64 > MAX_BYTES
            || layout.chunks as u64 * (CHUNK_WORDS as u64) > MAX_BYTES
            || layout.bytes() > MAX_BYTES
            || layout.words() != size(head::WORDS)?
        {
            return Err("its sizes do not fit together");
        }
        let done = word(head::DONE)?;
        let start = if done & 1 == 0 { head::COPIES[0] } else { head::COPIES[1] };
        let marks = (0..word(start + copy::MARKS)?.min(copy::MAX_MARKS as u64) as usize)
            .map_while(|at| mark(words.get(start + copy::FIRST_MARK + at * copy::MARK_WORDS..)?));
        let mut dropped = Dropped::default();
        let all = Level::ALL.iter().flat_map(|&level| Reason::ALL.iter().map(move |&r| (level, r)));
        for ((level, reason), at) in all.zip(head::DROPPED..) {
            // No process drops so many; sums of what is made up must not overflow.
            dropped.set(level, reason, word(at)?.min(1 << 48));
        }
        Ok(Self {
            origin: Origin {
                process: u32::try_from(word(head::PROCESS)?).map_err(|_| "it has no process")?,
                boot: word(head::BOOT)?,
            },
            owner: word(head::OWNER)?,
            is_ended: word(head::ENDED)? != 0,
            unix_ns: word(start + copy::UNIX_NS)?,
            done_seq: done >> 1,
            layout,
            seed: word(head::SEED)?,
            rate: word(head::RATE)?,
            ticks: word(start + copy::TICKS)?,
            marks: marks.collect(),
            dropped,
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.layout.bytes()
    }

    /// Header and journal.
    pub(super) fn front_words(&self) -> usize {
        self.layout.chunk_at(0)
    }

    /// Where the chunks begin.
    pub(super) fn chunk_starts(&self) -> impl Iterator<Item = usize> {
        let layout = self.layout;
        (0..layout.chunks).map(move |chunk| layout.chunk_at(chunk))
    }

    pub(super) fn mark(&self, sink: &str) -> Mark {
        let name: String = cut_name(sink);
        let mark = self.marks.iter().find(|(known, _)| *known == name).map(|(_, mark)| *mark);
        Mark { unix_ns: self.unix_ns, ..mark.unwrap_or_default() }
    }

    fn unix_ns_at(&self, ticks: u64) -> u64 {
        let ticks = i128::from(ticks) - i128::from(self.ticks);
        let ns = (ticks * i128::from(self.rate)) >> 32;
        u64::try_from(i128::from(self.unix_ns) + ns).unwrap_or(0)
    }
}

/// A sink's name as far as there is room for it.
fn cut_name(name: &str) -> String {
    let bytes = name.as_bytes().get(..copy::NAME_WORDS * 8).unwrap_or(name.as_bytes());
    String::from_utf8_lossy(bytes).into_owned()
}

fn mark(words: &[u64]) -> Option<(String, Mark)> {
    let (name, rest) = words.split_at_checked(copy::NAME_WORDS)?;
    let bytes: Vec<_> = name.iter().flat_map(|word| word.to_le_bytes()).collect();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let name = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let [device, inode, bytes] = *rest.first_chunk()?;
    Some((name, Mark { device, inode, bytes, unix_ns: 0 }))
}

/// What a process has left behind.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// What may not have been handed on, in order, numbered as the process had or would have.
    pub(crate) records: Vec<Record>,
    /// The highest number there is.
    pub(crate) last_seq: u64,
    /// Records that have a number and no copy, or none that can be read: if they are not in the
    /// files, they are lost.
    pub(crate) without_copy: Vec<LineId>,
    /// When it was last written that something is handed on.
    pub(crate) unix_ns: u64,
    /// Entries that cannot be read.
    pub(crate) damaged: u64,
    /// Drops before the queue that were not reported.
    pub(crate) dropped: Dropped,
}

/// The chunks of a box, and what was found out about them.
struct Reader<'a> {
    head: &'a Head,
    chunks: &'a [Vec<u64>],
    callsites: HashMap<(u16, u16), &'static Callsite>,
    contexts: HashMap<(u16, u16), Arc<SpanContext>>,
    /// Chunks whose further part of a record belongs to one already.
    joined: HashSet<u16>,
    damaged: u64,
}

/// Where a record is, and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    unix_ns: u64,
    number: u64,
    at: usize,
    chunk: u16,
}

impl Recovered {
    /// Reads header and journal, and the chunks; those that are not in use may be empty.
    pub(super) fn read(head: &Head, front: &[u64], chunks: &[Vec<u64>]) -> Self {
        let (callsites, contexts) = (HashMap::new(), HashMap::new());
        let joined = HashSet::new();
        let mut reader = Reader { head, chunks, callsites, contexts, joined, damaged: 0 };
        let mut left = Self {
            records: Vec::new(),
            last_seq: head.done_seq,
            without_copy: Vec::new(),
            unix_ns: head.unix_ns,
            damaged: 0,
            dropped: head.dropped,
        };
        let mut numbered = HashSet::new();
        for seq in head.done_seq.saturating_add(1)
            ..=head.done_seq.saturating_add(head.layout.journal as u64)
        {
            let at = head.layout.journal_at(seq);
            let word = |at: usize| front.get(at).copied().unwrap_or(0);
            let (entry, unix_ns) = (word(at), word(at + 1));
            if entry >> 32 != seq & 0xffff_ffff {
                break;
            }
            left.last_seq = seq;
            let id = LineId { process: head.origin.process, seq, unix_us: unix_ns / 1_000 };
            let Some((chunk, at)) = Place::from_journal(entry) else {
                left.without_copy.push(id);
                continue;
            };
            // A copy has one number: one that had all would fill the memory.
            let is_first = numbered.insert((chunk, at));
            match is_first.then(|| reader.record(chunk, at)).flatten() {
                // The time that the line has, or would have.
                Some(record) => left.records.push(Record { seq, unix_ns, ..record }),
                None => {
                    reader.damaged += 1;
                    left.without_copy.push(id);
                }
            }
        }
        for found in reader.not_taken(&numbered) {
            match reader.record(found.chunk, found.at) {
                Some(record) => {
                    left.last_seq += 1;
                    left.records.push(record.with_seq(left.last_seq));
                }
                None => reader.damaged += 1,
            }
        }
        left.damaged = reader.damaged;
        left
    }
}

impl<'a> Reader<'a> {
    fn chunk(&self, chunk: u16) -> &'a [u64] {
        self.chunks.get(usize::from(chunk)).map_or(&[], Vec::as_slice)
    }

    /// The entry that begins there: what it is and its words, if its checksum is right.
    fn entry(&self, chunk: u16, at: usize) -> Option<(Kind, &'a [u64])> {
        let words = self.chunk(chunk);
        let found = layout::Head::from_word(*words.get(at)?)?;
        let body = words.get(at + 1..(at + 1).checked_add(found.words)?)?;
        let mut check = Check::new(self.head.seed, *words.get(USE)?, at);
        body.iter().for_each(|word| check.add(*word));
        (check.finish() == found.check).then_some((found.kind, body))
    }

    /// The records that the listener had not taken, oldest first.
    fn not_taken(&mut self, numbered: &HashSet<(u16, usize)>) -> Vec<Found> {
        let mut all = Vec::new();
        for chunk in 0..u16::try_from(self.head.layout.chunks).unwrap_or(u16::MAX) {
            let words = self.chunk(chunk);
            let number = words.get(USE).copied().unwrap_or(0);
            if number == 0 {
                continue;
            }
            let done = words.get(DONE).map_or(FIRST, |done| usize::try_from(*done).unwrap_or(0));
            let mut at = FIRST;
            while let Some(word) = words.get(at).filter(|word| **word != 0) {
                let Some((kind, body)) = self.entry(chunk, at) else {
                    // Old bytes begin no entry of this use; damage may.
                    let Some(head) = layout::Head::from_word(*word) else { break };
                    let is_counted = at < done || numbered.contains(&(chunk, at));
                    self.damaged += u64::from(!is_counted);
                    // It costs no other: if it is not as long as it says, there is no entry either.
                    at += 1 + head.words;
                    continue;
                };
                let is_record = matches!(kind, Kind::Record | Kind::First);
                if is_record && at >= done && !numbered.contains(&(chunk, at)) {
                    let skipped = if kind == Kind::First { PART_WORDS } else { 0 };
                    if let Some(front) = body.get(skipped..).and_then(|body| body.first_chunk()) {
                        all.push(Found { unix_ns: self.time(front), number, at, chunk });
                    }
                }
                at += 1 + body.len();
            }
        }
        all.sort_unstable();
        all
    }

    fn time(&self, front: &[u64; RECORD_WORDS]) -> u64 {
        let [time, references, _] = *front;
        if references & IS_TIME_OF_DAY != 0 { time } else { self.head.unix_ns_at(time) }
    }

    fn record(&mut self, chunk: u16, at: usize) -> Option<Record> {
        let (kind, body) = self.entry(chunk, at)?;
        let whole;
        let words = match kind {
            Kind::Record => body,
            Kind::First => {
                whole = self.joined(body)?;
                whole.as_slice()
            }
            _ => return None,
        };
        let (front, fields) = words.split_first_chunk::<RECORD_WORDS>()?;
        let [_, references, lengths] = *front;
        let [callsite, context, thread] =
            [0, 16, 32].map(|shift| (references >> shift & 0xffff) as u16);
        let callsite = self.callsite(chunk, callsite)?;
        let mut record = Record::empty();
        record.callsite = callsite;
        record.unix_ns = self.time(front);
        record.context = match context {
            0 => None,
            at => Some(self.context(chunk, at)?),
        };
        record.thread = self.thread(chunk, thread)?;
        record.fields_left_out = (lengths >> 32) as u32;
        let mut bytes: Vec<_> = fields.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(usize::try_from(lengths & 0xffff_ffff).ok()?);
        record.fields = Fields::from_bytes(&bytes);
        record.origin = Some(Arc::new(self.head.origin));
        Some(record)
    }

    /// A record in parts, put together.
    fn joined(&mut self, first: &[u64]) -> Option<Vec<u64>> {
        let mut all = Vec::new();
        let mut part = first;
        loop {
            let (&[words, next], body) = part.split_first_chunk::<PART_WORDS>()?;
            all.extend_from_slice(body);
            if next == 0 {
                return (all.len() as u64 == words).then_some(all);
            }
            let chunk = (next & 0xffff) as u16;
            // A part is of one record: whatever a made-up box says, no chain leads in a circle.
            if !self.joined.insert(chunk) {
                return None;
            }
            let is_that_use = *self.chunk(chunk).get(USE)? == next >> 16;
            part = match self.entry(chunk, FIRST)? {
                (Kind::Rest, body) if is_that_use => body,
                _ => return None,
            };
        }
    }

    fn block(&self, chunk: u16, at: u16, wanted: Kind) -> Option<Vec<u8>> {
        let (kind, body) = self.entry(chunk, usize::from(at))?;
        let (len, body) = body.split_first()?;
        let mut bytes: Vec<_> = body.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(usize::try_from(*len).ok()?);
        (kind == wanted).then_some(bytes)
    }

    fn callsite(&mut self, chunk: u16, at: u16) -> Option<&'static Callsite> {
        if let Some(known) = self.callsites.get(&(chunk, at)) {
            return Some(known);
        }
        let callsite = block::callsite(&self.block(chunk, at, Kind::Callsite)?)?;
        self.callsites.insert((chunk, at), callsite);
        Some(callsite)
    }

    fn context(&mut self, chunk: u16, at: u16) -> Option<Arc<SpanContext>> {
        if let Some(known) = self.contexts.get(&(chunk, at)) {
            return Some(Arc::clone(known));
        }
        let bytes = self.block(chunk, at, Kind::Context)?;
        let at_callsite = |at| block::callsite(&self.block(chunk, at, Kind::Callsite)?);
        let context = Arc::new(block::context(&bytes, at_callsite)?);
        self.contexts.insert((chunk, at), Arc::clone(&context));
        Some(context)
    }

    fn thread(&self, chunk: u16, at: u16) -> Option<SmolStr> {
        Some(String::from_utf8_lossy(&self.block(chunk, at, Kind::Thread)?).into())
    }
}
