//! Traces: which row groups of a day have a trace, so that one look-up answers for many parts.
//!
//! Knows: ids of traces, and the index's file (docs/store-format.md, "Traces"). Must not know: what
//! else is in a part, which parts there are. In: the traces of row groups. Out: the row groups that
//! may have a trace, and no others of the parts that it covers.
//!
//! An index is made of parts and can be made again: one that is damaged or missing costs time only.

use crate::part::Part;
use crate::world::{Input, Output};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The index of one day.
pub(crate) struct Traces {
    pub(crate) day: i64,
    parts: Vec<Covered>,
    count: u64,
    /// The first entry of each block.
    fences: Vec<u64>,
    input: Arc<dyn Input>,
    is_damaged: AtomicBool,
}

/// A part that an index covers. Its row groups are numbered behind those of the parts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) number: u64,
    pub(crate) footer_checksum: u32,
    pub(crate) groups: u32,
}

impl Covered {
    /// What an index says of a part.
    pub(crate) fn of(part: &Part) -> Self {
        let (number, footer_checksum) = (part.number, part.footer_checksum);
        Self { number, footer_checksum, groups: part.groups.len() as u32 }
    }
}

/// A row group among those that an index covers, and the hash of a trace: 24 and 40 bits.
pub(crate) fn entry(trace_id: &[u8], ordinal: u32) -> u64 {
    hash_of(trace_id) | u64::from(ordinal)
}

/// The hash of a trace's id in the upper 40 bits. Ids are random where everybody follows the
/// standard, and mixed for those who do not.
fn hash_of(trace_id: &[u8]) -> u64 {
    let mut hash = 0_u64;
    for chunk in trace_id.chunks(8) {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
    }
    hash << ORDINAL_BITS
}

impl Traces {
    /// Writes an index of parts whose entries come in ascending order.
    pub(crate) fn write(
        (day, parts): (i64, &[Covered]),
        entries: impl Iterator<Item = io::Result<u64>>,
        output: &mut dyn Output,
    ) -> io::Result<()> {
        let (mut block, mut fences, mut count) = (Vec::new(), Vec::new(), 0_u64);
        output.write_all(MAGIC)?;
        for entry in entries {
            let entry = entry?;
            if block.is_empty() {
                fences.push(entry);
            }
            block.extend_from_slice(&entry.to_be_bytes());
            count += 1;
            if block.len() == BLOCK_ENTRIES * 8 {
                flush(&mut block, output)?;
            }
        }
        if !block.is_empty() {
            flush(&mut block, output)?;
        }
        let mut footer = Vec::new();
        fences.iter().for_each(|fence| footer.extend_from_slice(&fence.to_be_bytes()));
        for part in parts {
            footer.extend_from_slice(&part.number.to_le_bytes());
            footer.extend_from_slice(&part.footer_checksum.to_le_bytes());
            footer.extend_from_slice(&part.groups.to_le_bytes());
        }
        footer.extend_from_slice(&day.to_le_bytes());
        footer.extend_from_slice(&(parts.len() as u64).to_le_bytes());
        footer.extend_from_slice(&count.to_le_bytes());
        let checksum = crc32c::crc32c(&footer);
        footer.extend_from_slice(&checksum.to_le_bytes());
        output.write_all(&footer)?;
        output.sync()
    }

    /// Opens an index: reads its end.
    pub(crate) fn open(input: Arc<dyn Input>) -> io::Result<Self> {
        let length = input.len();
        let read = |at: u64, length: usize| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; length];
            input.read_exact_at(&mut bytes, at)?;
            Ok(bytes)
        };
        let tail_at = length.checked_sub(TAIL_BYTES).ok_or_else(|| damaged("it is too short"))?;
        let tail = read(tail_at, TAIL_BYTES as usize)?;
        let (day, parts, count) = (long(&tail, 0).cast_signed(), long(&tail, 8), long(&tail, 16));
        let blocks = count.div_ceil(BLOCK_ENTRIES as u64);
        let footer_bytes = blocks
            .checked_mul(8)
            .and_then(|bytes| bytes.checked_add(parts.checked_mul(PART_BYTES)?))
            .and_then(|bytes| bytes.checked_add(TAIL_BYTES))
            .ok_or_else(|| damaged("it has too many parts"))?;
        let body_bytes = count
            .checked_mul(8)
            .and_then(|bytes| bytes.checked_add(blocks * 4 + MAGIC.len() as u64))
            .filter(|bytes| bytes.checked_add(footer_bytes) == Some(length))
            .ok_or_else(|| damaged("its length is wrong"))?;
        if read(0, MAGIC.len())? != MAGIC {
            return Err(damaged("it does not begin as an index of traces"));
        }
        let footer = read(body_bytes, footer_bytes as usize)?;
        let (checked, checksum) = footer.split_at(footer.len().saturating_sub(4));
        if checksum != crc32c::crc32c(checked).to_le_bytes() {
            return Err(damaged("its end is damaged"));
        }
        let (fences, rest) = checked.split_at((blocks * 8) as usize);
        let part = |bytes: &[u8]| Covered {
            number: long(bytes, 0),
            footer_checksum: (long(bytes, 8) & 0xFFFF_FFFF) as u32,
            groups: (long(bytes, 8) >> 32) as u32,
        };
        let parts = rest.chunks_exact(PART_BYTES as usize).take(parts as usize).map(part);
        Ok(Self {
            day,
            parts: parts.collect(),
            count,
            fences: fences.chunks_exact(8).map(number_of).collect(),
            input,
            is_damaged: AtomicBool::new(false),
        })
    }

    /// The parts that it covers.
    pub(crate) fn parts(&self) -> &[Covered] {
        &self.parts
    }

    /// Whether it knows every trace of the part.
    pub(crate) fn covers(&self, part: &Part) -> bool {
        self.parts.contains(&Covered::of(part))
    }

    /// Whether something of it could not be read: then it is made again.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// The row groups that may have a trace, as numbers of parts and of their groups.
    pub(crate) fn groups_of(&self, trace_id: &[u8]) -> io::Result<Vec<(u64, usize)>> {
        let first = hash_of(trace_id);
        let last = first | ORDINAL_MASK;
        let mut block = self.fences.partition_point(|fence| *fence < first).saturating_sub(1);
        let mut found = Vec::new();
        while self.fences.get(block).is_some_and(|fence| *fence <= last) {
            let entries = self.block(block as u64)?;
            let hits = entries.into_iter().filter(|entry| (first..=last).contains(entry));
            found.extend(hits.filter_map(|entry| self.place(entry)));
            block += 1;
        }
        Ok(found)
    }

    /// All entries, ascending.
    pub(crate) fn entries(&self) -> impl Iterator<Item = io::Result<u64>> + '_ {
        (0..self.fences.len() as u64).flat_map(|block| match self.block(block) {
            Ok(entries) => entries.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// The part and group of an entry.
    fn place(&self, entry: u64) -> Option<(u64, usize)> {
        let mut ordinal = (entry & ORDINAL_MASK) as u32;
        for part in &self.parts {
            match ordinal.checked_sub(part.groups) {
                Some(rest) => ordinal = rest,
                None => return Some((part.number, ordinal as usize)),
            }
        }
        None
    }

    fn block(&self, number: u64) -> io::Result<Vec<u64>> {
        let before = number * BLOCK_ENTRIES as u64;
        let entries = self.count.saturating_sub(before).min(BLOCK_ENTRIES as u64);
        let at = MAGIC.len() as u64 + before * 8 + number * 4;
        let mut bytes = vec![0; entries as usize * 8 + 4];
        let read = self.input.read_exact_at(&mut bytes, at);
        let checksum = bytes.split_off(bytes.len().saturating_sub(4));
        let is_right = checksum == crc32c::crc32c(&bytes).to_le_bytes();
        if read.is_err() || !is_right {
            self.is_damaged.store(true, Ordering::Relaxed);
            read?;
            return Err(damaged(&format!("block {number} is damaged")));
        }
        Ok(bytes.chunks_exact(8).map(number_of).collect())
    }
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").field("day", &self.day).field("count", &self.count).finish()
    }
}

/// Two ascending sequences as one.
pub(crate) fn merged(
    left: impl Iterator<Item = io::Result<u64>>,
    right: impl Iterator<Item = u64>,
) -> impl Iterator<Item = io::Result<u64>> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(Ok(first)), Some(second)) if first > second => right.next().map(Ok),
        (Some(_), _) => left.next(),
        (None, _) => right.next().map(Ok),
    })
}

fn flush(block: &mut Vec<u8>, output: &mut dyn Output) -> io::Result<()> {
    let checksum = crc32c::crc32c(block);
    block.extend_from_slice(&checksum.to_le_bytes());
    output.write_all(block)?;
    block.clear();
    Ok(())
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap_or_default())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    u64::from_le_bytes(bytes.unwrap_or_default())
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an index of traces: {what}"))
}

/// The format and its version.
const MAGIC: &[u8; 8] = b"LBTRC001";

const ORDINAL_BITS: u32 = 24;
/// Row groups that an index can number.
pub(crate) const ORDINAL_MASK: u64 = (1 << ORDINAL_BITS) - 1;

/// A block is one page of the system's cache, nearly.
const BLOCK_ENTRIES: usize = 511;
const PART_BYTES: u64 = 16;
/// Day, number of parts, number of entries, checksum.
const TAIL_BYTES: u64 = 8 + 8 + 8 + 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Fs as _, SystemFs};
    use proptest::prelude::*;

    fn index(ids: &[(u8, u32)], parts: &[Covered]) -> (tempfile::TempDir, Vec<u8>) {
        let mut entries: Vec<u64> = ids.iter().map(|(id, at)| entry(&[*id; 16], *at)).collect();
        entries.sort_unstable();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let mut output = SystemFs.create(&path).unwrap();
        Traces::write((7, parts), entries.into_iter().map(Ok), &mut *output).unwrap();
        let bytes = std::fs::read(path).unwrap();
        (dir, bytes)
    }

    fn open(dir: &tempfile::TempDir, bytes: &[u8]) -> io::Result<Traces> {
        let path = dir.path().join("index");
        std::fs::write(&path, bytes).unwrap();
        Traces::open(SystemFs.open(&path)?)
    }

    fn part(number: u64, groups: u32) -> Covered {
        Covered { number, footer_checksum: 9, groups }
    }

    proptest! {
        #[test]
        fn an_index_names_the_groups_of_a_trace(
            ids in prop::collection::btree_set((any::<u8>(), 0_u32..20), 0..2000),
        ) {
            let parts = [part(3, 16), part(5, 4)];
            let ids: Vec<(u8, u32)> = ids.into_iter().collect();
            let (dir, bytes) = index(&ids, &parts);
            let traces = open(&dir, &bytes).unwrap();
            prop_assert_eq!(traces.day, 7);
            prop_assert_eq!(traces.parts(), parts);
            for id in 0..=255 {
                let place = |at: u32| match at {
                    0..16 => (3, at as usize),
                    _ => (5, at as usize - 16),
                };
                let wanted: Vec<(u64, usize)> =
                    ids.iter().filter(|one| one.0 == id).map(|one| place(one.1)).collect();
                prop_assert_eq!(traces.groups_of(&[id; 16]).unwrap(), wanted);
            }
        }

        #[test]
        fn two_sequences_become_one(
            mut left in prop::collection::vec(any::<u64>(), 0..50),
            mut right in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            left.sort_unstable();
            right.sort_unstable();
            let all = merged(left.iter().copied().map(Ok), right.iter().copied());
            let all: Vec<u64> = all.map(Result::unwrap).collect();
            let mut wanted = [left, right].concat();
            wanted.sort_unstable();
            prop_assert_eq!(all, wanted);
        }
    }

    #[test]
    fn every_flipped_byte_and_every_cut_of_an_index_is_an_error() {
        let ids: Vec<(u8, u32)> = (0..250).flat_map(|id| [(id, 1), (id, 3), (id, 4)]).collect();
        let (dir, bytes) = index(&ids, &[part(3, 5)]);
        let read = |bytes: &[u8]| -> io::Result<usize> {
            let traces = open(&dir, bytes)?;
            traces.entries().map(|entry| entry.map(drop)).collect::<io::Result<Vec<()>>>()?;
            Ok(traces.parts().len())
        };
        assert_eq!(read(&bytes).unwrap(), 1);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_err(), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "{at} bytes");
        }
    }
}
