//! Sealing: rows go from the head into parts, in one step for whoever searches.
//!
//! Knows: when the head is large or old enough, and what is written in which order. Must not
//! know: how a part is encoded. In: the head. Out: parts, a list of identities, a manifest.
//!
//! A crash before the manifest is written leaves files that no manifest names, and the rows in
//! the journal; a crash after it leaves journal that is sealed. Neither loses or doubles a row.

use super::manifest::{Manifest, PartEntry};
use super::open::{entry_of, list_path, part_path};
use super::{DAMAGED, HeadBatch, LISTS, LivePart, PARTS, Shared, State, lock};
use crate::identities::List;
use crate::packed::PackedRow;
use crate::part::{Part, write};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

impl Shared {
    /// What the sealing thread does until the store is closed.
    pub(super) fn run_sealing(&self) {
        while self.rest(IDLE) {
            loop {
                match self.seal(false) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        self.fault("seal", &error);
                        break;
                    }
                }
            }
        }
    }

    /// Puts rows of the head into parts, if there are enough, or at all if `everything`. Returns
    /// whether it did.
    pub(super) fn seal(&self, everything: bool) -> io::Result<bool> {
        let _sealing = lock(&self.sealing);
        let batches = self.batches_to_seal(everything);
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(false) };
        let bytes: usize = batches.iter().map(|batch| batch.packed.memory_bytes()).sum();
        if !self.has_room_of_reserve(bytes as u64)? {
            // The rows stay in the journal, and are found there.
            return Ok(false);
        }
        let (clean, sealed_to) = (first.place.epoch, last.place.seq + 1);
        let mut rows: Vec<PackedRow<'_>> =
            batches.iter().flat_map(|batch| batch.packed.rows()).collect();
        rows.sort_by_key(|row| row.time_ns);
        let mut parts = Vec::new();
        for day in rows.chunk_by(|left, right| day_of(left.time_ns) == day_of(right.time_ns)) {
            let part = self.write_part(day, Vec::new())?;
            parts.push(LivePart { part: Arc::new(part), clean });
        }
        self.fs().sync_dir(&self.dir.join(PARTS))?;
        let list = self.write_list(&rows)?;
        let entries: Vec<PartEntry> = parts.iter().map(entry_of).collect();

        // From here on commits wait, so that nothing is searched or deduplicated half way.
        let mut committer = lock(&self.committer);
        let mut books = self.books();
        let change = |manifest: &mut Manifest| {
            manifest.parts.extend(&entries);
            manifest.lists.push(list.number);
            manifest.sealed_to = sealed_to;
        };
        self.write_manifest(&mut books, change, Vec::new())?;
        let mut lists = committer.identities.lists().to_vec();
        lists.push(Arc::new(list));
        committer.identities.set_lists(lists, rows.iter().map(|row| row.hash));
        self.change_state(|state| state.replace_head(batches.len(), parts));
        let aside = self.dir.join(DAMAGED);
        if let Err(error) = committer.journal.remove_sealed(books.sealed_before, &aside) {
            self.fault("remove journal", &error);
        }
        Ok(true)
    }

    /// The oldest batches: a row group of them, all of one epoch. None if it is too early.
    fn batches_to_seal(&self, everything: bool) -> Vec<Arc<HeadBatch>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let Some(oldest) = state.head.first() else { return Vec::new() };
        let age_ns = self.options.clock.now_ns().saturating_sub(oldest.since_ns);
        let is_old =
            age_ns >= i64::try_from(self.options.head_age_max.as_nanos()).unwrap_or(i64::MAX);
        let is_large = state.head_rows >= self.options.group_rows
            || state.head_bytes >= self.options.head_bytes_max / 2;
        // What a deletion hides is erased soon, and that only happens in parts.
        let has_deleted = oldest.place.epoch < state.deletions.last().map_or(0, |last| last.number);
        if !(everything || is_old || is_large || has_deleted) {
            return Vec::new();
        }
        let (mut rows, mut bytes) = (0, 0);
        let take = |batch: &&Arc<HeadBatch>| {
            let fits = rows == 0
                || (rows + batch.packed.len() <= self.options.group_rows.max(1)
                    && bytes + batch.packed.memory_bytes() <= GROUP_BYTES);
            rows += batch.packed.len();
            bytes += batch.packed.memory_bytes();
            fits && batch.place.epoch == oldest.place.epoch
        };
        state.head.iter().take_while(take).cloned().collect()
    }

    /// Writes rows of one day, sorted by time, as a part, and opens it.
    pub(super) fn write_part(
        &self,
        rows: &[PackedRow<'_>],
        replaces: Vec<u64>,
    ) -> io::Result<Part> {
        let first_ns = rows.first().map_or(0, |row| row.time_ns);
        let columns_max = self.options.columns_max;
        self.create_part(first_ns, |output| write::rows(rows, columns_max, replaces, output))
    }

    /// Writes a part under the next number and opens it. It is durable once the directory is
    /// synced.
    pub(super) fn create_part(
        &self,
        first_ns: i64,
        write: impl FnOnce(Box<dyn crate::world::Output>) -> io::Result<write::Written>,
    ) -> io::Result<Part> {
        let number = self.take_number();
        let path = part_path(&self.dir, number, first_ns);
        let beside = beside(&path);
        let written = self.fs().create(&beside).and_then(write);
        let written = written.inspect_err(|_| {
            // The space is needed elsewhere. A start removes it otherwise.
            let _ = self.fs().remove(&beside);
        })?;
        self.fs().rename(&beside, &path)?;
        Part::open(self.fs().open(&path)?, number, Some(written.footer_checksum))
    }

    fn write_list(&self, rows: &[PackedRow<'_>]) -> io::Result<List> {
        let mut hashes: Vec<u128> = rows.iter().map(|row| row.hash).collect();
        hashes.sort_unstable();
        self.create_list(&hashes, self.options.clock.now_ns())
    }

    /// Writes a list of sorted hashes under the next number and opens it.
    pub(super) fn create_list(&self, hashes: &[u128], newest_ns: i64) -> io::Result<List> {
        let number = self.take_number();
        let path = list_path(&self.dir, number);
        let beside = beside(&path);
        let mut output = self.fs().create(&beside)?;
        output.write_all(&List::encode(hashes, newest_ns))?;
        output.sync()?;
        drop(output);
        self.fs().rename(&beside, &path)?;
        self.fs().sync_dir(&self.dir.join(LISTS))?;
        List::open(self.fs(), &path, number)
    }

    /// A number that no file has. One that is not used after all is not used again.
    fn take_number(&self) -> u64 {
        let mut books = self.books();
        books.manifest.next_number += 1;
        books.manifest.next_number
    }
}

impl State {
    /// Replaces the first batches by parts that hold the same rows.
    fn replace_head(&mut self, batches: usize, parts: Vec<LivePart>) {
        for batch in self.head.drain(..batches) {
            self.head_rows -= batch.packed.len();
            self.head_bytes -= batch.packed.memory_bytes();
        }
        let mut all = Vec::clone(&self.parts);
        all.extend(parts);
        self.parts = Arc::new(all);
    }
}

/// The day of a moment, UTC.
pub(super) fn day_of(time_ns: i64) -> i64 {
    time_ns.div_euclid(86_400_000_000_000)
}

/// The name a file has until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BESIDE);
    name.into()
}

/// What the names of unfinished files end with.
pub(super) const BESIDE: &str = ".new";

/// The bytes, uncompressed, at which a row group is large enough, however few rows it has.
const GROUP_BYTES: usize = 32 << 20;

/// How long the thread sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);
