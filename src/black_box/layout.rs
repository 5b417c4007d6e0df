//! Layout: where everything in a black box is, in words of 64 bits; pure.
//!
//! `docs/black-box-format.md` describes the same for people. Knows no file and no record.

/// `logwell` and the version of this layout. On a machine with the other byte order it is another
/// number: a box is read where it was written.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"logwell\x01");

/// The largest box, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// The header's words. Up to [`CHECK`](head::CHECK) they are written once and checked.
pub(super) mod head {
    pub(in super::super) const MAGIC: usize = 0;
    /// How many words the box has.
    pub(in super::super) const WORDS: usize = 1;
    /// How many entries the journal has; a power of two.
    pub(in super::super) const JOURNAL: usize = 2;
    /// How many chunks there are.
    pub(in super::super) const CHUNKS: usize = 3;
    pub(in super::super) const PROCESS: usize = 4;
    pub(in super::super) const BOOT: usize = 5;
    /// Goes into each checksum, so that what somebody logs cannot look like an entry.
    pub(in super::super) const SEED: usize = 6;
    /// How many nanoseconds 2³² ticks of the processor's counter are.
    pub(in super::super) const RATE: usize = 7;
    /// Whose box it is: a hash of the log file's name.
    pub(in super::super) const OWNER: usize = 8;
    pub(in super::super) const CHECK: usize = 9;
    /// Not 0 when logging has ended as it should: then there is nothing to recover.
    pub(in super::super) const ENDED: usize = 16;
    /// `done << 1 | copy`: all records up to that `seq` are written, and which copy of the marks
    /// says where. One word, so that both change in one moment.
    pub(in super::super) const DONE: usize = 24;
    /// Two copies of where the files stood and what the time was.
    pub(in super::super) const COPIES: [usize; 2] = [64, 192];
    /// How many were dropped before the queue, by level and reason, and not yet reported in the
    /// log.
    pub(in super::super) const DROPPED: usize = 320;
    pub(in super::super) const END: usize = 512;
}

/// The words of a copy of the marks.
pub(super) mod copy {
    /// A reading of the counter, and the time of day at that moment.
    pub(in super::super) const TICKS: usize = 0;
    pub(in super::super) const UNIX_NS: usize = 1;
    pub(in super::super) const MARKS: usize = 2;
    pub(in super::super) const FIRST_MARK: usize = 3;
    /// A mark: the sink's name, then device, inode and length of its file.
    pub(in super::super) const NAME_WORDS: usize = 4;
    pub(in super::super) const MARK_WORDS: usize = NAME_WORDS + 3;
    pub(in super::super) const MAX_MARKS: usize = 16;
}

/// What the journal has for a record: where its copy is, and its time.
const NOTE_WORDS: usize = 2;

/// A chunk is 16 KiB; one thread at a time writes to it.
pub(super) const CHUNK_WORDS: usize = 2_048;
/// Which use of the chunk this is, counted over all chunks from 1; 0 while it is free.
pub(super) const USE: usize = 0;
/// Up to which word all is written.
pub(super) const DONE: usize = 1;
/// The first entry. It begins a cache line, so that whoever writes there is not disturbed by the
/// listener, which writes to the line before.
pub(super) const FIRST: usize = 8;
/// An entry before this word leaves room for the end mark.
pub(super) const END: usize = CHUNK_WORDS - 1;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Thread = 1,
    Callsite = 2,
    Context = 3,
    Record = 4,
    /// The first part of a record that is larger than a chunk, and each further part.
    First = 5,
    Rest = 6,
}

impl Kind {
    fn from_byte(byte: u64) -> Option<Self> {
        Some(match byte {
            1 => Self::Thread,
            2 => Self::Callsite,
            3 => Self::Context,
            4 => Self::Record,
            5 => Self::First,
            6 => Self::Rest,
            _ => return None,
        })
    }
}

/// The first word of an entry: what it is, how many words and bytes it has, and its checksum.
///
/// It is written last. The words after it are all there when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// Words after this one.
    pub(super) words: usize,
    pub(super) check: u32,
}

impl Head {
    #[inline]
    pub(super) fn to_word(self) -> u64 {
        u64::from(self.check) << 32 | (self.words as u64 & 0xffff) << 8 | u64::from(self.kind as u8)
    }

    /// `None` if the word begins no entry, and so ends the chunk.
    pub(super) fn from_word(word: u64) -> Option<Self> {
        let words = usize::try_from(word >> 8 & 0xffff).ok()?;
        let check = u32::try_from(word >> 32).ok()?;
        Some(Self { kind: Kind::from_byte(word & 0xff)?, words, check })
    }
}

/// The checksum of an entry: each word times its own key, added up; the upper half of the sum.
///
/// The keys are odd, so a changed word always changes the sum. They begin with where the entry
/// stands, in which use of the chunk, and the box's seed: an entry in another place is invalid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    sum: u64,
    key: u64,
}

impl Check {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    const STEP: u64 = 0xd6e8_feb8_6659_fd94;

    #[inline]
    pub(super) fn new(seed: u64, chunk_use: u64, at: usize) -> Self {
        let place = (chunk_use << 12 | at as u64).wrapping_mul(Self::FACTOR);
        Self { sum: place, key: seed.wrapping_add(place) | 1 }
    }

    #[inline]
    pub(super) fn add(&mut self, word: u64) {
        self.sum = self.sum.wrapping_add(word.wrapping_mul(self.key));
        self.key = self.key.wrapping_add(Self::STEP);
    }

    #[inline]
    pub(super) fn finish(self) -> u32 {
        (self.sum >> 32) as u32
    }
}

/// Where an entry stands: its chunk, its first word, and the word after it. 0 is nowhere, for no
/// entry begins a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) const NOWHERE: Self = Self(0);
    const LARGE: u64 = 1 << 48;

    #[inline]
    pub(super) fn new(chunk: u16, at: usize, end: usize) -> Self {
        Self(u64::from(chunk) << 32 | (at as u64 & 0xffff) << 16 | end as u64 & 0xffff)
    }

    /// The same for a record in several chunks, of which this is the first.
    pub(super) fn large(self) -> Self {
        Self(self.0 | Self::LARGE)
    }

    #[inline]
    pub(crate) fn is_somewhere(self) -> bool {
        self.0 != 0
    }

    pub(super) fn is_large(self) -> bool {
        self.0 & Self::LARGE != 0
    }

    pub(super) fn chunk(self) -> u16 {
        (self.0 >> 32 & 0xffff) as u16
    }

    pub(super) fn at(self) -> usize {
        (self.0 >> 16 & 0xffff) as usize
    }

    pub(super) fn end(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    /// As the journal has it, in 32 bits.
    pub(super) fn to_journal(self) -> u64 {
        self.0 >> 16 & 0xffff_ffff
    }

    /// Chunk and first word, out of the journal; `None` if the record was nowhere.
    pub(super) fn from_journal(entry: u64) -> Option<(u16, usize)> {
        let (chunk, at) = ((entry >> 16 & 0xffff) as u16, (entry & 0xffff) as usize);
        (at >= FIRST).then_some((chunk, at))
    }
}

/// How a box of some size is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Entries of the journal; a power of two.
    pub(super) journal: usize,
    pub(super) chunks: usize,
}

impl Layout {
    /// For a box of so many bytes: at most an eighth for the journal, the rest for chunks.
    pub(super) fn of(bytes: u64) -> Self {
        let words = usize::try_from(bytes / 8).unwrap_or(usize::MAX);
        let journal = 1 << (words / 16).max(1).ilog2();
        let chunks = words.saturating_sub(head::END + journal * NOTE_WORDS) / CHUNK_WORDS;
        Self { journal, chunks: chunks.min(usize::from(u16::MAX)) }
    }

    pub(super) fn words(self) -> usize {
        self.chunk_at(self.chunks)
    }

    pub(super) fn bytes(self) -> u64 {
        self.words() as u64 * 8
    }

    /// The word of the journal for the record with that `seq`.
    #[inline]
    pub(super) fn journal_at(self, seq: u64) -> usize {
        head::END + (seq as usize & (self.journal - 1)) * NOTE_WORDS
    }

    #[inline]
    pub(super) fn chunk_at(self, chunk: usize) -> usize {
        head::END + self.journal * NOTE_WORDS + chunk * CHUNK_WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_has_room_for_all_that_is_in_it() {
        let copy_words = copy::FIRST_MARK + copy::MAX_MARKS * copy::MARK_WORDS;
        assert!(head::COPIES[0] + copy_words <= head::COPIES[1]);
        assert!(head::COPIES[1] + copy_words <= head::DROPPED);
        let counts = crate::Level::COUNT * crate::record::stats::Reason::ALL.len();
        assert!(head::DROPPED + counts <= head::END);
    }

    #[test]
    fn a_box_of_any_size_is_not_larger_than_was_asked_and_has_chunks() {
        for bytes in [1 << 20, (1 << 20) + 4_096, 3 << 20, 16 << 20, MAX_BYTES] {
            let layout = Layout::of(bytes);
            assert!(layout.bytes() <= bytes && layout.bytes() > bytes - bytes / 8, "{bytes}");
            assert!(layout.journal.is_power_of_two() && layout.chunks >= 16, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn what_is_put_into_a_word_comes_out_of_it(
            chunk: u16, at in FIRST..CHUNK_WORDS, end in FIRST..CHUNK_WORDS, check: u32,
        ) {
            let place = Place::new(chunk, at, end);
            prop_assert_eq!((place.chunk(), place.at(), place.end()), (chunk, at, end));
            prop_assert_eq!(Place::from_journal(place.to_journal()), Some((chunk, at)));
            prop_assert_eq!(Place::from_journal(place.large().to_journal()), Some((chunk, at)));
            let head = Head { kind: Kind::Record, words: end, check };
            prop_assert_eq!(Head::from_word(head.to_word()), Some(head));
        }

        #[test]
        fn a_changed_word_changes_the_checksum(
            words in prop::collection::vec(any::<u64>(), 1..40), at: prop::sample::Index, bit in 0..64_u32,
        ) {
            let sum = |words: &[u64]| {
                let mut check = Check::new(7, 3, 8);
                words.iter().for_each(|&word| check.add(word));
                check.finish()
            };
            let mut other = words.clone();
            other[at.index(words.len())] ^= 1 << bit;
            prop_assert_ne!(sum(&words), sum(&other));
        }
    }
}
