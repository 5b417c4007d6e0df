//! Map: a file in memory, as words that outlive the process.
//!
//! What is stored in a word is the system's from that moment: it is in the file even if the process
//! is killed with the next instruction. The only file with `unsafe`.
#![expect(unsafe_code, reason = "a mapped file is memory that the compiler knows nothing of")]

use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

/// A whole file as words.
#[derive(Debug)]
pub(super) struct Map {
    raw: MmapRaw,
    words: usize,
}

impl Map {
    /// Maps the first so many words of the file.
    ///
    /// # Errors
    ///
    /// The file is shorter, or the system does not map it.
    pub(super) fn new(file: &File, words: usize) -> io::Result<Self> {
        let bytes = words.checked_mul(size_of::<u64>()).ok_or(io::ErrorKind::InvalidInput)?;
        if file.metadata()?.len() < bytes as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self { raw: MmapOptions::new().len(bytes).map_raw(file)?, words })
    }

    #[inline]
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY:
        // - The mapping is `words * 8` bytes long, readable and writable, and begins at a page, so
        //   that it is aligned for words. It lives as long as `self.raw`, and the slice not longer.
        // - Any bytes are a valid `AtomicU64`, and no other references to them are ever made, so all
        //   access in this process is atomic. Other processes see the file through its lock only
        //   when this one is gone; what they would write is a value like any other.
        // - A mapping stays valid while the file is renamed or deleted. If somebody cuts the file,
        //   an access beyond its end is the signal SIGBUS, which is no undefined behaviour; nobody
        //   but the owner can, for the mode is 0600.
        unsafe { std::slice::from_raw_parts(self.raw.as_mut_ptr().cast::<AtomicU64>(), self.words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn what_is_stored_is_in_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4_096).unwrap();
        let map = Map::new(file.as_file(), 512).unwrap();
        map.words()[511].store(0x0102_0304_0506_0708, Ordering::Relaxed);
        let bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(bytes[511 * 8..], 0x0102_0304_0506_0708_u64.to_ne_bytes());
        assert_eq!(map.words().len(), 512);
    }

    #[test]
    fn a_file_that_is_too_short_is_not_mapped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4_095).unwrap();
        assert!(Map::new(file.as_file(), 512).is_err());
        assert!(Map::new(file.as_file(), usize::MAX).is_err());
    }
}
