//! Identities: which records have been accepted lately, so that none is kept twice.
//!
//! Knows: hashes of records, lists of them on disk (docs/store-format.md, "Identities").
//! Must not know: what else a record is. In: hashes. Out: whether each is new.
//!
//! A list is a sorted file with a filter in memory: the filter says "no" or "maybe", the file
//! decides. What is not in a part yet is in a set in memory.

use crate::bloom::Bloom;
use crate::world::{Fs, Input};
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Every identity within the window.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Of records that are in the journal only.
    live: HashSet<u128>,
    lists: Vec<Arc<List>>,
}

impl Identities {
    /// Says which of the hashes are new, and takes them in. A list that cannot be read is let go
    /// of, and returned with its number: what only it knew is not recognised any more.
    pub(crate) fn admit(&mut self, hashes: &[u128]) -> (Vec<bool>, Vec<(u64, io::Error)>) {
        let mut is_new = vec![true; hashes.len()];
        let mut damaged = Vec::new();
        // List by list, so that a filter is in the processor's cache for the whole batch.
        self.lists.retain(|list| {
            for (hash, is_new) in hashes.iter().zip(&mut is_new) {
                match list.contains(*hash) {
                    Ok(is_known) => *is_new = *is_new && !is_known,
                    Err(error) => {
                        damaged.push((list.number, error));
                        return false;
                    }
                }
            }
            true
        });
        for (hash, is_new) in hashes.iter().zip(&mut is_new) {
            *is_new = *is_new && self.live.insert(*hash);
        }
        (is_new, damaged)
    }

    /// Forgets hashes that were admitted but whose records were not kept.
    pub(crate) fn forget(&mut self, hashes: impl Iterator<Item = u128>) {
        for hash in hashes {
            self.live.remove(&hash);
        }
    }

    /// Replaces lists, and lets the set in memory go of what is in the new ones.
    pub(crate) fn set_lists(&mut self, lists: Vec<Arc<List>>, sealed: impl Iterator<Item = u128>) {
        self.lists = lists;
        self.forget(sealed);
    }

    pub(crate) fn lists(&self) -> &[Arc<List>] {
        &self.lists
    }
}

/// The identities of records that are in parts: sorted, in one file.
pub(crate) struct List {
    pub(crate) number: u64,
    pub(crate) count: u64,
    /// When the youngest of its records went into a part. The list goes when that is out of the
    /// window.
    pub(crate) newest_ns: i64,
    input: Arc<dyn Input>,
    filter: Bloom,
    /// The first hash of each block.
    fences: Vec<u128>,
}

impl List {
    /// The bytes of a list. The hashes are sorted and differ.
    pub(crate) fn encode(hashes: &[u128], newest_ns: i64) -> Vec<u8> {
        let mut filter = Bloom::for_count(hashes.len());
        hashes.iter().for_each(|hash| filter.insert(folded(*hash)));
        let mut index = filter.to_bytes();
        let filter_bytes = index.len() as u64;
        let firsts = hashes.chunks(BLOCK_HASHES).filter_map(|block| block.first());
        firsts.for_each(|first| index.extend_from_slice(&first.to_be_bytes()));
        let mut bytes = Vec::with_capacity(HEADER_BYTES + index.len() + hashes.len() * 17);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(hashes.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&newest_ns.to_le_bytes());
        bytes.extend_from_slice(&filter_bytes.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&index).to_le_bytes());
        let header = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&header.to_le_bytes());
        bytes.extend_from_slice(&index);
        for block in hashes.chunks(BLOCK_HASHES) {
            let start = bytes.len();
            block.iter().for_each(|hash| bytes.extend_from_slice(&hash.to_be_bytes()));
            let checksum = crc32c::crc32c(bytes.get(start..).unwrap_or_default());
            bytes.extend_from_slice(&checksum.to_le_bytes());
        }
        bytes
    }

    /// Opens a list: reads its header and its filter.
    pub(crate) fn open(fs: &dyn Fs, path: &Path, number: u64) -> io::Result<Self> {
        let input = fs.open(path)?;
        let mut header = [0; HEADER_BYTES];
        input.read_exact_at(&mut header, 0)?;
        let (checked, checksum) = header.split_at(HEADER_BYTES - 4);
        if !checked.starts_with(MAGIC) || checksum != crc32c::crc32c(checked).to_le_bytes() {
            return Err(damaged("the header"));
        }
        let long = |at: usize| {
            let bytes = header.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        let (count, newest_ns, filter_bytes) = (long(8), long(16).cast_signed(), long(24));
        let index_bytes = filter_bytes + count.div_ceil(BLOCK_HASHES as u64) * 16;
        if input.len() != HEADER_BYTES as u64 + index_bytes + hashes_bytes(count) {
            return Err(damaged("the length"));
        }
        let mut index = vec![0; index_bytes as usize];
        input.read_exact_at(&mut index, HEADER_BYTES as u64)?;
        if header.get(32..36) != Some(&crc32c::crc32c(&index).to_le_bytes()) {
            return Err(damaged("the index"));
        }
        let fences =
            index.split_off(filter_bytes as usize).chunks_exact(16).map(number_of).collect();
        let filter = Bloom::from_bytes(&index).ok_or_else(|| damaged("the filter"))?;
        Ok(Self { number, count, newest_ns, input, filter, fences })
    }

    fn contains(&self, hash: u128) -> io::Result<bool> {
        if !self.filter.may_contain(folded(hash)) {
            return Ok(false);
        }
        let after = self.fences.partition_point(|first| *first <= hash);
        let Some(block) = after.checked_sub(1) else { return Ok(false) };
        Ok(self.block(block as u64)?.binary_search(&hash).is_ok())
    }

    /// All hashes, in order.
    pub(crate) fn hashes(&self) -> io::Result<Vec<u128>> {
        let mut all = Vec::with_capacity(self.count as usize);
        for block in 0..self.count.div_ceil(BLOCK_HASHES as u64) {
            all.extend(self.block(block)?);
        }
        Ok(all)
    }

    fn block(&self, number: u64) -> io::Result<Vec<u128>> {
        let before = number * BLOCK_HASHES as u64;
        let hashes = self.count.saturating_sub(before).min(BLOCK_HASHES as u64);
        let index_bytes = self.filter.memory_bytes() + self.fences.len() * 16;
        let start = (HEADER_BYTES + index_bytes) as u64 + hashes_bytes(before);
        let mut bytes = vec![0; hashes_bytes(hashes) as usize];
        self.input.read_exact_at(&mut bytes, start)?;
        let checksum = bytes.split_off(bytes.len().saturating_sub(4));
        if checksum != crc32c::crc32c(&bytes).to_le_bytes() {
            return Err(damaged(&format!("block {number}")));
        }
        Ok(bytes.chunks_exact(16).map(number_of).collect())
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List").field("number", &self.number).field("count", &self.count).finish()
    }
}

/// The bytes of so many hashes in blocks.
fn hashes_bytes(count: u64) -> u64 {
    count * 16 + count.div_ceil(BLOCK_HASHES as u64) * 4
}

fn number_of(bytes: &[u8]) -> u128 {
    u128::from_be_bytes(bytes.try_into().unwrap_or_default())
}

fn folded(hash: u128) -> u64 {
    hash as u64 ^ (hash >> 64) as u64
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{what} of the list of identities is damaged"),
    )
}

/// The format and its version.
const MAGIC: &[u8; 8] = b"LBIDS001";

/// Magic, count, newest arrival, length of the filter, checksum of filter and fences, checksum.
const HEADER_BYTES: usize = 8 + 8 + 8 + 8 + 4 + 4;

/// A block is one page of the system's cache, nearly.
const BLOCK_HASHES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemFs;
    use proptest::prelude::*;

    /// Hashes that are spread, and hashes that are near one another.
    fn hash() -> impl Strategy<Value = u128> {
        prop_oneof![any::<u128>(), 0_u128..2000]
    }

    fn list(hashes: &[u128]) -> (tempfile::TempDir, List) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.ids");
        std::fs::write(&path, List::encode(hashes, 7)).unwrap();
        let list = List::open(&SystemFs, &path, 1).unwrap();
        (dir, list)
    }

    proptest! {
        #[test]
        fn a_list_has_its_hashes_and_no_others(
            hashes in prop::collection::btree_set(hash(), 0..2000),
            others in prop::collection::vec(hash(), 100),
        ) {
            let sorted: Vec<u128> = hashes.iter().copied().collect();
            let (_dir, list) = list(&sorted);
            prop_assert_eq!(list.newest_ns, 7);
            prop_assert_eq!(&list.hashes().unwrap(), &sorted);
            for hash in sorted.iter().chain(&others) {
                prop_assert_eq!(list.contains(*hash).unwrap(), hashes.contains(hash));
            }
        }
    }

    #[test]
    fn a_hash_is_new_once_whether_it_is_in_memory_or_in_a_list() {
        let (_dir, list) = list(&[10, 20]);
        let mut identities = Identities::default();
        identities.set_lists(vec![Arc::new(list)], std::iter::empty());
        assert_eq!(identities.admit(&[10, 15, 15, 20]).0, [false, true, false, false]);
        assert_eq!(identities.admit(&[15, 16]).0, [false, true]);
        identities.forget([16].into_iter());
        assert_eq!(identities.admit(&[16]).0, [true]);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_of_a_list_is_an_error_or_changes_nothing() {
        let hashes: Vec<u128> = (0..300).map(|number| number << 100 | 5).collect();
        let bytes = List::encode(&hashes, 7);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.ids");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            List::open(&SystemFs, &path, 1).and_then(|list| list.hashes())
        };
        assert_eq!(read(&bytes).unwrap(), hashes);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_err(), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "{at} bytes");
        }
    }
}
