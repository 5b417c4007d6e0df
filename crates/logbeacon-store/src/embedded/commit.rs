//! Commits: batches of all callers, deduplicated, synced once, then found.
//!
//! Knows: the order of these steps, and what is undone when one fails. Must not know: what a
//! frame or a list looks like. In: batches. Out: verdicts.
//!
//! Whoever gets the committer first commits for all that wait: while it syncs, the next ones
//! gather.

use super::{HeadBatch, Shared, lock};
use crate::error::AppendError;
use crate::identities::Identities;
use crate::journal::{Body, Journal, Place};
use crate::packed::Packed;
use crate::record::Record;
use crate::store::{Damage, Verdict};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Who writes the journal.
#[derive(Debug)]
pub(super) struct Committer {
    pub(super) journal: Journal,
    pub(super) identities: Identities,
    /// The number of the last deletion.
    pub(super) epoch: u64,
}

/// The batches that wait for a commit.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    slots: Vec<Arc<Slot>>,
    bytes: usize,
}

/// A batch that waits, and its answer.
#[derive(Debug)]
struct Slot {
    frames: Mutex<Vec<Pending>>,
    answer: Mutex<Option<Result<Vec<Verdict>, AppendError>>>,
}

/// What becomes one frame.
#[derive(Debug)]
struct Pending {
    packed: Packed,
    body: Body,
    is_new: Vec<bool>,
}

impl Shared {
    pub(super) fn append(&self, mut batch: Vec<Record>) -> Result<Vec<Verdict>, AppendError> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(AppendError::Closed);
        }
        batch.iter_mut().for_each(Record::tidy);
        let frames = pack(&batch).map_err(read_only)?;
        drop(batch);
        let bytes = frames.iter().map(|frame| frame.packed.memory_bytes()).sum();
        let slot = self.enqueue(frames, bytes)?;
        let mut committer = lock(&self.committer);
        let answered = lock(&slot.answer).take();
        let answer = match answered {
            Some(answer) => answer,
            None => {
                self.commit(&mut committer);
                let answer = lock(&slot.answer).take();
                answer.unwrap_or(Err(AppendError::Closed))
            }
        };
        drop(committer);
        answer
    }

    /// Puts a batch among those that wait, if there is room.
    fn enqueue(&self, frames: Vec<Pending>, bytes: usize) -> Result<Arc<Slot>, AppendError> {
        let slot = Arc::new(Slot { frames: Mutex::new(frames), answer: Mutex::new(None) });
        let mut waiting = lock(&self.queue.0);
        let head = self.state.read().map_or(0, |state| state.head_bytes);
        // A batch alone is always let in, however large it is.
        if head + waiting.bytes > 0 && head + waiting.bytes + bytes > self.options.head_bytes_max {
            self.counters.full.fetch_add(1, Ordering::Relaxed);
            self.wake();
            return Err(AppendError::Full { retry_after: RETRY_AFTER });
        }
        waiting.slots.push(Arc::clone(&slot));
        waiting.bytes += bytes;
        Ok(slot)
    }

    /// Commits all that wait.
    fn commit(&self, committer: &mut Committer) {
        let slots = std::mem::take(&mut lock(&self.queue.0).slots);
        let mut batches: Vec<(Arc<Slot>, Vec<Pending>)> = slots
            .into_iter()
            .map(|slot| {
                let frames = std::mem::take(&mut *lock(&slot.frames));
                (slot, frames)
            })
            .collect();
        let frames = || batches.iter().flat_map(|(_, frames)| frames);
        let bytes: usize = frames().map(|frame| frame.packed.memory_bytes()).sum();
        let written = self.write(committer, &mut batches);
        *lock(&self.read_only) = written.as_ref().err().map(ToString::to_string);
        if written.is_ok() {
            self.publish(committer, &mut batches);
        }
        // Only now are they counted as part of the head, and no longer as waiting.
        let mut waiting = lock(&self.queue.0);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        drop(waiting);
        for (slot, frames) in batches {
            let verdict = |is_new: &bool| match is_new {
                true => Verdict::Accepted,
                false => Verdict::Duplicate,
            };
            let answer = match &written {
                Ok(()) => {
                    Ok(frames.iter().flat_map(|frame| frame.is_new.iter().map(verdict)).collect())
                }
                Err(error) => Err(read_only_because(error)),
            };
            *lock(&slot.answer) = Some(answer);
        }
    }

    /// Leaves out the duplicates, and makes the others durable.
    fn write(
        &self,
        committer: &mut Committer,
        batches: &mut [(Arc<Slot>, Vec<Pending>)],
    ) -> io::Result<()> {
        let free_bytes = self.fs().free_bytes(&self.dir)?;
        if free_bytes < self.options.free_bytes_min {
            let what = format!(
                "{free_bytes} bytes are free on the disk and {} are kept in reserve",
                self.options.free_bytes_min
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, what));
        }
        let mut admitted = Vec::new();
        let mut admit = |frame: &mut Pending| -> io::Result<()> {
            let hashes: Vec<u128> = frame.packed.rows().map(|row| row.hash).collect();
            let (is_new, damaged) = committer.identities.admit(&hashes);
            self.report_lists(damaged);
            admitted
                .extend(hashes.into_iter().zip(&is_new).filter(|(_, new)| **new).map(|(h, _)| h));
            if is_new.contains(&false) {
                frame.packed = frame.packed.filtered(|row| is_new.get(row) == Some(&true));
                frame.body = Body::new(&frame.packed)?;
            }
            frame.is_new = is_new;
            Ok(())
        };
        let prepared = batches.iter_mut().flat_map(|(_, frames)| frames).try_for_each(&mut admit);
        let frames = batches.iter().flat_map(|(_, frames)| frames);
        let bodies = frames.filter(|frame| frame.packed.len() > 0).map(|frame| &frame.body);
        let written = prepared.and_then(|()| committer.journal.append(bodies, committer.epoch));
        if written.is_err() {
            committer.identities.forget(admitted.into_iter());
        }
        written
    }

    /// Lets searches find what was written.
    fn publish(&self, committer: &Committer, batches: &mut [(Arc<Slot>, Vec<Pending>)]) {
        let frames = || batches.iter().flat_map(|(_, frames)| frames);
        let new = frames().flat_map(|frame| &frame.is_new).filter(|new| **new).count();
        let all = frames().map(|frame| frame.is_new.len()).sum::<usize>();
        self.counters.accepted.fetch_add(new as u64, Ordering::Relaxed);
        self.counters.duplicates.fetch_add((all - new) as u64, Ordering::Relaxed);
        let mut packed: Vec<Packed> = Vec::new();
        for (_, frames) in batches.iter_mut() {
            packed.extend(frames.iter_mut().map(|frame| std::mem::take(&mut frame.packed)));
        }
        packed.retain(|packed| packed.len() > 0);
        let first = committer.journal.next_seq() - packed.len() as u64;
        let now_ns = self.options.clock.now_ns();
        let place = |seq| Place { seq, epoch: committer.epoch };
        let head: Vec<Arc<HeadBatch>> = packed
            .into_iter()
            .zip(first..)
            .map(|(packed, seq)| Arc::new(HeadBatch::new(place(seq), packed, now_ns)))
            .collect();
        let is_full = self.change_state(|state| {
            state.extend_head(head);
            state.head_rows >= self.options.group_rows
        });
        if is_full {
            self.wake();
        }
    }

    /// Lists of identities that cannot be read any more are named in the health.
    fn report_lists(&self, damaged: Vec<(u64, io::Error)>) {
        for (number, error) in damaged {
            let file = format!("ids/{number:010}.ids");
            let reason = error.to_string();
            lock(&self.damaged).push(Damage { file, reason, rows: None, range: None });
        }
    }
}

impl super::State {
    pub(super) fn extend_head(&mut self, batches: Vec<Arc<HeadBatch>>) {
        for batch in batches {
            self.head_rows += batch.packed.len();
            self.head_bytes += batch.packed.memory_bytes();
            self.head.push(batch);
        }
    }
}

/// A batch as frames of bounded size.
fn pack(batch: &[Record]) -> io::Result<Vec<Pending>> {
    let mut frames = Vec::new();
    let mut rest = batch;
    while !rest.is_empty() {
        let mut bytes = 0;
        let rows = rest.iter().take(FRAME_ROWS).take_while(|record| {
            let before = bytes;
            bytes += record.message.len() + record.fields.len() * 32 + 128;
            before < FRAME_BYTES
        });
        let (frame, behind) = rest.split_at(rows.count());
        let packed = Packed::of(frame);
        frames.push(Pending { body: Body::new(&packed)?, packed, is_new: Vec::new() });
        rest = behind;
    }
    Ok(frames)
}

fn read_only(error: io::Error) -> AppendError {
    read_only_because(&error)
}

fn read_only_because(error: &io::Error) -> AppendError {
    AppendError::ReadOnly { reason: error.to_string() }
}

/// What a frame is meant to stay below. A single record may be larger.
const FRAME_BYTES: usize = 4 << 20;
const FRAME_ROWS: usize = 4096;

/// A row group is put into a part within about this time.
const RETRY_AFTER: Duration = Duration::from_millis(200);
