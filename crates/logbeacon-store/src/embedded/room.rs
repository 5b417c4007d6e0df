//! Room on the disk: what may still be written when little is left.
//!
//! Knows: the reserve, and who may take of it. Must not know: what is written. In: bytes that a job
//! may need. Out: whether it may begin.
//!
//! Commits stop at the reserve. Sealing and erasing may take of it, since they give back more.
//! Joining may not: it can wait. An eighth of the reserve is for manifests alone, without which
//! nothing is ever given back.

use super::{DAMAGED, Shared, lock};
use std::io;

impl Shared {
    /// Whether a job that writes so many bytes, and gives some back soon, may begin.
    pub(super) fn has_room_of_reserve(&self, bytes: u64) -> io::Result<bool> {
        let last = self.options.free_bytes_min / 8;
        Ok(self.fs().free_bytes(&self.dir)? >= bytes.saturating_add(last))
    }

    /// Whether a job that can wait may begin, although it writes so many bytes.
    pub(super) fn has_room_to_spare(&self, bytes: u64) -> io::Result<bool> {
        let reserve = self.options.free_bytes_min;
        Ok(self.fs().free_bytes(&self.dir)? >= bytes.saturating_add(reserve))
    }

    /// When the disk is full: gives back what only the manifest before the current one names.
    pub(super) fn let_go(&self) -> io::Result<bool> {
        if self.has_room_to_spare(0)? {
            return Ok(false);
        }
        let mut committer = lock(&self.committer);
        let mut books = self.books();
        if books.leaving.is_empty() && books.sealed_before == books.manifest.sealed_to {
            return Ok(false);
        }
        self.write_manifest(&mut books, |_| {}, Vec::new())?;
        committer.journal.remove_sealed(books.sealed_before, &self.dir.join(DAMAGED))?;
        Ok(true)
    }
}
