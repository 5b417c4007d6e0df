//! The journal: every accepted batch, on disk before its sender has an answer.
//!
//! Knows: segment files, their order, and which may go. Must not know: parts, searches.
//! In: frames to append, and up to which frame everything is in parts. Out: durable frames, and
//! at the start those that are in no part yet.

mod frame;

pub(crate) use frame::{Body, Place};

use crate::packed::Packed;
use crate::store::Damage;
use crate::world::{Fs, Output};
use frame::{Frame, Piece, scan};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The writer of the journal. One thread at a time has it.
pub(crate) struct Journal {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Oldest first; the last one is `current` while that is open.
    segments: Vec<Segment>,
    current: Option<Box<dyn Output>>,
    next_number: u64,
    next_seq: u64,
    /// The last write failed: the last segment may have bytes beyond its length. They must be
    /// cut before anything is written, lest a batch that was refused comes back.
    doubtful: bool,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    bytes: u64,
    /// The last frame in it.
    last_seq: Option<u64>,
    is_damaged: bool,
}

/// What the start found in the journal.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The frames that are in no part, in order.
    pub(crate) frames: Vec<(Place, Packed)>,
    /// Bytes of unfinished frames, which a crash left at the end. Nobody had an answer for them.
    pub(crate) cut_bytes: u64,
    pub(crate) damaged: Vec<Damage>,
}

impl Journal {
    /// Reads the journal of a directory. Frames before `sealed_to` are in parts already.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path, sealed_to: u64) -> io::Result<(Self, Replay)> {
        fs.create_dir(dir)?;
        let mut journal = Self {
            fs,
            dir: dir.to_owned(),
            segments: Vec::new(),
            current: None,
            next_number: 1,
            next_seq: sealed_to,
            doubtful: false,
            buffer: Vec::new(),
        };
        let mut numbers: Vec<u64> =
            journal.fs.list(dir)?.iter().filter_map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        let mut replay = Replay::default();
        for &number in &numbers {
            let is_last = Some(&number) == numbers.last();
            journal.read_segment((number, is_last), sealed_to, &mut replay)?;
        }
        Ok((journal, replay))
    }

    fn read_segment(
        &mut self,
        (number, is_last): (u64, bool),
        sealed_to: u64,
        replay: &mut Replay,
    ) -> io::Result<()> {
        let path = self.path(number);
        let input = self.fs.open(&path)?;
        let mut bytes = vec![0; input.len() as usize];
        input.read_exact_at(&mut bytes, 0)?;
        let mut segment =
            Segment { number, bytes: bytes.len() as u64, last_seq: None, is_damaged: false };
        // A segment that a crash cut within its magic has nothing in it.
        let start = match MAGIC.starts_with(&bytes) || bytes.starts_with(MAGIC) {
            true => MAGIC.len().min(bytes.len()),
            false => 0,
        };
        let mut gaps = Vec::new();
        for piece in scan(&bytes, start) {
            match piece {
                Piece::Gap(range) => gaps.push(range),
                Piece::Frame(Frame { place, packed }) => {
                    segment.last_seq = Some(place.seq);
                    self.next_seq = self.next_seq.max(place.seq + 1);
                    if place.seq >= sealed_to {
                        replay.frames.push((place, packed));
                    }
                }
            }
        }
        // A crash leaves half a frame at the very end, and nowhere else.
        if let Some(torn) = gaps.pop_if(|gap| is_last && gap.end == bytes.len()) {
            segment.bytes = torn.start as u64;
            replay.cut_bytes += torn.len() as u64;
        }
        // A commit whose sync failed may have left whole frames that are in memory only. They are
        // found from now on, so they must be durable.
        self.fs.truncate(&path, segment.bytes)?;
        if let Some(first) = gaps.first() {
            segment.is_damaged = true;
            let lost: usize = gaps.iter().map(std::ops::Range::len).sum();
            let reason = format!("{lost} bytes from byte {} on are no frames", first.start);
            let file = format!("journal/{}", name_of(number));
            replay.damaged.push(Damage { file, reason, rows: None, range: None });
        }
        self.segments.push(segment);
        self.next_number = self.next_number.max(number + 1);
        Ok(())
    }

    /// The number that the next frame gets.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Writes frames and makes them durable with one sync. The first has the number that
    /// [`Journal::next_seq`] returned. After an error none of them is in the journal, or will be.
    pub(crate) fn append<'a>(
        &mut self,
        bodies: impl Iterator<Item = &'a Body>,
        epoch: u64,
    ) -> io::Result<()> {
        self.cut_doubtful()?;
        self.buffer.clear();
        let mut seq = self.next_seq;
        for body in bodies {
            body.write(Place { seq, epoch }, &mut self.buffer);
            seq += 1;
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut output = match self.current.take() {
            Some(output) => output,
            None => self.begin_segment()?,
        };
        let written = output.write_all(&self.buffer).and_then(|()| output.sync());
        if let Err(error) = written {
            self.doubtful = true;
            return Err(error);
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.bytes += self.buffer.len() as u64;
            segment.last_seq = Some(seq - 1);
            if segment.bytes < SEGMENT_BYTES {
                self.current = Some(output);
            }
        }
        self.next_seq = seq;
        Ok(())
    }

    /// Lets go of the segments whose frames are all before `sealed_to`. A damaged one is kept
    /// aside for `salvage`.
    pub(crate) fn remove_sealed(&mut self, sealed_to: u64, aside: &Path) -> io::Result<()> {
        if self.doubtful {
            return Ok(());
        }
        let is_sealed = |segment: &Segment| segment.last_seq.is_none_or(|seq| seq < sealed_to);
        while let Some(segment) = self.segments.first().filter(|segment| is_sealed(segment)) {
            let path = self.path(segment.number);
            if segment.is_damaged {
                self.fs.create_dir(aside)?;
                self.fs.rename(&path, &aside.join(name_of(segment.number)))?;
            } else {
                self.fs.remove(&path)?;
            }
            self.segments.remove(0);
            if self.segments.is_empty() {
                self.current = None;
            }
        }
        self.fs.sync_dir(&self.dir)
    }

    fn cut_doubtful(&mut self) -> io::Result<()> {
        if !self.doubtful {
            return Ok(());
        }
        if let Some(segment) = self.segments.last() {
            self.fs.truncate(&self.path(segment.number), segment.bytes)?;
        }
        self.doubtful = false;
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<Box<dyn Output>> {
        let number = self.next_number;
        let mut output = self.fs.create(&self.path(number))?;
        // From here on the file exists, whatever fails: its number is used up.
        self.next_number += 1;
        self.segments.push(Segment { number, bytes: 0, last_seq: None, is_damaged: false });
        output.write_all(MAGIC)?;
        self.fs.sync_dir(&self.dir)?;
        if let Some(segment) = self.segments.last_mut() {
            segment.bytes = MAGIC.len() as u64;
        }
        Ok(output)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(name_of(number))
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("segments", &self.segments).finish_non_exhaustive()
    }
}

fn name_of(number: u64) -> String {
    format!("{number:010}.log")
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".log")?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

/// What a segment begins with: the format and its version.
const MAGIC: &[u8; 8] = b"LBJRNL01";

/// A segment gets no further frames beyond this. Small, since it can only go as a whole.
const SEGMENT_BYTES: u64 = 8 << 20;

/// Scans bytes as a segment: what is found covers them all.
#[cfg(fuzzing)]
pub(crate) fn fuzz_scan(bytes: &[u8]) {
    let mut end = 0;
    for piece in scan(bytes, 0) {
        if let Piece::Gap(gap) = piece {
            assert!(gap.start >= end && gap.end <= bytes.len(), "gaps are in order");
            end = gap.end;
        }
    }
}
