//! Bloom: a Bloom filter in blocks of one cache line.
//!
//! Knows: hashes of 64 bits. Must not know: what was hashed. In: hashes. Out: "no" or "maybe".

/// A set that may say "maybe" for what is not in it, and never "no" for what is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bloom {
    blocks: Vec<[u64; 8]>,
}

impl Bloom {
    /// An empty filter that is wrong about one in a hundred once it holds `count` hashes.
    pub(crate) fn for_count(count: usize) -> Self {
        let blocks = (count * BITS_PER_HASH).div_ceil(BLOCK_BITS).max(1);
        Self { blocks: vec![[0; 8]; blocks] }
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        let place = place(hash, self.blocks.len());
        if let Some(block) = self.blocks.get_mut(place) {
            for (word, bit) in bits(hash) {
                if let Some(word) = block.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let block = self.blocks.get(place(hash, self.blocks.len()));
        block.is_none_or(|block| block_may_contain(block, hash))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The filter of bytes that [`Bloom::to_bytes`] returned; `None` if they are no whole blocks.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK_BYTES) {
            return None;
        }
        Some(Self { blocks: bytes.chunks_exact(BLOCK_BYTES).map(block).collect() })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }
}

/// Where the one block of a hash is in a filter of that many bytes, so that it need not be read
/// whole.
pub(crate) fn block_of(hash: u64, filter_bytes: usize) -> std::ops::Range<usize> {
    let start = place(hash, filter_bytes / BLOCK_BYTES) * BLOCK_BYTES;
    start..start + BLOCK_BYTES
}

/// Whether the filter of which these bytes are the hash's block may contain it.
pub(crate) fn bytes_may_contain(block_bytes: &[u8], hash: u64) -> bool {
    block_may_contain(&block(block_bytes), hash)
}

fn block(bytes: &[u8]) -> [u64; 8] {
    let mut block = [0; 8];
    for (word, bytes) in block.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    block
}

fn block_may_contain(block: &[u64; 8], hash: u64) -> bool {
    bits(hash).all(|(word, bit)| block.get(word).is_none_or(|word| word & bit != 0))
}

/// The block of a hash: by its high bits, so that those of [`bits`] are others.
fn place(hash: u64, blocks: usize) -> usize {
    let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((u128::from(mixed) * blocks as u128) >> 64) as usize
}

/// Six bits within the block.
fn bits(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (0..6).map(move |turn| {
        let at = mixed >> (64 - 9 - turn * 9) & 0x1ff;
        ((at >> 6) as usize, 1 << (at & 63))
    })
}

const BLOCK_BYTES: usize = 64;
const BLOCK_BITS: usize = BLOCK_BYTES * 8;
const BITS_PER_HASH: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(number: u64) -> u64 {
        number.wrapping_mul(0xA24B_AED4_963E_E407) ^ (number << 40)
    }

    #[test]
    fn a_filter_never_denies_what_was_put_in_and_seldom_affirms_what_was_not() {
        let mut filter = Bloom::for_count(10_000);
        (0..10_000).for_each(|number| filter.insert(spread(number)));
        assert!((0..10_000).all(|number| filter.may_contain(spread(number))));
        let wrong = (10_000..110_000).filter(|number| filter.may_contain(spread(*number))).count();
        assert!(wrong < 2_000, "{wrong} of 100000");
    }

    #[test]
    fn a_filter_answers_from_its_bytes_as_from_memory() {
        let mut filter = Bloom::for_count(500);
        (0..500).for_each(|number| filter.insert(spread(number)));
        let bytes = filter.to_bytes();
        assert_eq!(Bloom::from_bytes(&bytes), Some(filter.clone()));
        for hash in (0..5_000).map(spread) {
            let block = &bytes[block_of(hash, bytes.len())];
            assert_eq!(bytes_may_contain(block, hash), filter.may_contain(hash));
        }
        assert_eq!(Bloom::from_bytes(&bytes[1..]), None);
    }
}
