//! Reader: hands entries out in the order they came in, and deletes those that are acknowledged.
//!
//! Knows the cursor and where it is in each urgency; writes no entry.

use super::cursor::{Cursor, Position};
use super::entry::{self, Head};
use super::index::{self, Come, InFlight, ReadAt, Segment, Waiting};
use super::names;
use super::options::{Each, Urgency};
use super::scan::{Entry, Scan};
use super::shared::{Shared, SpoolWaker};
use crate::base::selflog;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A segment that cannot be read for so long is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The end of a spool at which entries come out.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    shared: Arc<Shared>,
    lanes: Each<Lane>,
    cursor: Cursor,
    next_id: u64,
    told_damaged: u64,
}

/// An entry as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpoolEntry {
    /// What it is acknowledged by. Greater for what was appended later.
    pub(crate) id: u64,
    pub(crate) urgency: Urgency,
    /// When it was appended, in milliseconds since 1970.
    pub(crate) at_unix_ms: u64,
    pub(crate) bytes: Vec<u8>,
}

/// How much is handed out at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    /// So many entries at most.
    pub(crate) entries: usize,
    /// So many bytes at most, but at least one entry.
    pub(crate) bytes: usize,
}

impl SpoolReader {
    pub(super) fn new(shared: Arc<Shared>, cursor: Cursor, next_id: u64) -> Self {
        let lanes = Each::new(Lane::new);
        Self { shared, lanes, cursor, next_id, told_damaged: 0 }
    }

    /// The next entries, beyond those that were handed out before; none if there are none.
    ///
    /// They come in the order in which they were appended. (Only when the disk refuses entries of
    /// one urgency and takes those of the other, the latter come first.) At most 65 536 are handed
    /// out without being acknowledged.
    ///
    /// # Errors
    ///
    /// When the disk cannot be read. Trying again is right: a segment that cannot be read for a
    /// minute is given up, and its entries are counted as damaged.
    pub(crate) fn next_batch(&mut self, limits: BatchLimits) -> io::Result<Vec<SpoolEntry>> {
        // Not the last of an urgency, which the writer has open.
        self.shared.delete(self.shared.expire(1, self.shared.clock.now()));
        if let Err(error) = self.delete_done() {
            selflog::tell("the cursor of a spool cannot be written", &error);
        }
        let (end_n, mut left) = {
            let index = self.shared.index();
            for urgency in Urgency::ALL {
                self.lanes.of_mut(urgency).be_where(index.lanes.of(urgency));
            }
            let left = index.may_hand_out().min(limits.entries);
            (Each::new(|urgency| index.lanes.of(urgency).end_n), left)
        };
        let (mut batch, mut handed) = (Vec::new(), Vec::new());
        let mut bytes = 0_usize;
        let mut failure = None;
        while left > 0 {
            let next = match self.earliest(&end_n) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            };
            let lane = self.lanes.of_mut(next);
            let Some(length) = lane.peeked.as_ref().map(|entry| entry.content.len()) else { break };
            bytes = bytes.saturating_add(length);
            if !batch.is_empty() && bytes > limits.bytes {
                break;
            }
            let Some((entry, in_flight)) = lane.take() else { break };
            batch.push(entry);
            handed.push(in_flight);
            left -= 1;
        }
        let come = Each::new(|urgency| self.lanes.of(urgency).come());
        self.shared.index().hand_out(&mut handed, come);
        self.tell_damage();
        // Both are in one order, so one look ahead is enough.
        let mut handed = handed.iter().map(|entry| entry.id).peekable();
        batch.retain(|entry| handed.next_if_eq(&entry.id).is_some());
        match failure {
            Some(error) if batch.is_empty() => Err(error),
            _ => Ok(batch),
        }
    }

    /// Takes note that the entries up to that one, in the order they were handed out, need not be
    /// kept. An id that is not in flight changes nothing.
    ///
    /// They do not come again after the death of the process, and segments without other entries
    /// are deleted. After a loss of power some may come again.
    ///
    /// # Errors
    ///
    /// When the cursor cannot be written. The next acknowledgement tries again.
    pub(crate) fn acknowledge(&mut self, through: u64) -> io::Result<()> {
        if self.shared.index().acknowledge(through) {
            self.next_id = self.next_id.max(through.saturating_add(1));
        }
        self.tell_damage();
        self.cursor.write(self.position(), &*self.shared.disk)?;
        self.delete_done()
    }

    /// Goes back to the first entry that is not acknowledged: all that were handed out since come
    /// again.
    pub(crate) fn rewind(&mut self) {
        self.shared.index().rewind();
    }

    /// Sleeps until there is an entry to read, or a [`SpoolWaker`] wakes it, or that time has
    /// passed. Whether there is an entry. There is none to read while 65 536 are handed out.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        self.shared.wait(at_most)
    }

    /// What waits to be acknowledged.
    pub(crate) fn waiting(&self) -> Waiting {
        self.shared.index().waiting()
    }

    /// What wakes this reader from [`wait`](Self::wait).
    pub(crate) fn waker(&self) -> SpoolWaker {
        SpoolWaker(Arc::clone(&self.shared))
    }

    /// Makes the cursor durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.cursor.write(self.position(), &*self.shared.disk)?;
        self.cursor.sync(&*self.shared.disk)
    }

    fn position(&self) -> Position {
        let index = self.shared.index();
        let acked_n = Each::new(|urgency| index.lanes.of(urgency).acked_n);
        Position { acked_n, next_id: self.next_id }
    }

    /// Which urgency has the entry that was appended first.
    fn earliest(&mut self, end_n: &Each<u64>) -> io::Result<Option<Urgency>> {
        let mut earliest: Option<(u64, Urgency)> = None;
        for urgency in Urgency::ALL {
            let lane = self.lanes.of_mut(urgency);
            if let Some(id) = lane.peek(&self.shared, *end_n.of(urgency))?
                && earliest.is_none_or(|(least, _)| id < least)
            {
                earliest = Some((id, urgency));
            }
        }
        Ok(earliest.map(|(_, urgency)| urgency))
    }

    /// Deletes the segments behind the cursor; the cursor is made durable first, so that what is
    /// deleted is never looked for again.
    fn delete_done(&mut self) -> io::Result<()> {
        if !self.shared.index().has_done() {
            return Ok(());
        }
        let position = self.position();
        self.cursor.write(position, &*self.shared.disk)?;
        self.cursor.sync(&*self.shared.disk)?;
        let done = self.shared.index().take_done(position.acked_n);
        self.shared.delete(done);
        Ok(())
    }

    /// Tells what is damaged and was not reported yet.
    fn tell_damage(&mut self) {
        let damaged = self.shared.index().counts.damaged;
        let more = damaged.saturating_sub(self.told_damaged);
        if more > 0 {
            let text = format!("{more} in {}", self.shared.shown);
            selflog::tell("entries of a spool are damaged and lost", &text);
            self.told_damaged = damaged;
        }
    }
}

/// Where the reader is in one urgency.
#[derive(Debug)]
struct Lane {
    urgency: Urgency,
    /// The entries before are taken, or cannot be.
    n: u64,
    /// Where that is, if it is known.
    begin: Option<ReadAt>,
    /// The segment it reads.
    open: Option<Open>,
    /// The next entry, if it was looked at already.
    peeked: Option<Entry>,
    /// Since when reading fails.
    failing: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    first_n: u64,
    scan: Scan,
    /// Whether an entry was found in it.
    has_any: bool,
}

impl Lane {
    fn new(urgency: Urgency) -> Self {
        Self { urgency, n: 0, begin: None, open: None, peeked: None, failing: None }
    }

    /// Goes on where the index says, if it is somewhere else.
    fn be_where(&mut self, lane: &index::Lane) {
        if self.come().n != lane.read_n {
            let (n, begin) = (lane.read_n, lane.read_at);
            *self = Self { n, begin, ..Self::new(self.urgency) };
        }
    }

    /// The id of the next entry before `end_n`.
    fn peek(&mut self, shared: &Shared, end_n: u64) -> io::Result<Option<u64>> {
        while self.peeked.is_none() && self.n < end_n {
            let Some(segment) = shared.index().lanes.of(self.urgency).locate(self.n) else {
                self.n = end_n;
                break;
            };
            self.open.take_if(|open| open.first_n != segment.first_n);
            let n = self.n;
            let Some(open) = self.open(shared, segment.first_n)? else {
                self.n = segment.end_n;
                continue;
            };
            let wanted = |head: &Head| head.n >= n && head.n < segment.end_n;
            match open.scan.next(segment.bytes, wanted) {
                Ok(Some(entry)) => {
                    open.has_any = true;
                    self.peeked = Some(entry);
                }
                // What is missing is damaged.
                Ok(None) => self.give_up(&segment, shared),
                Err(error) => {
                    let now = shared.clock.now();
                    let since = *self.failing.get_or_insert(now);
                    if now.saturating_duration_since(since) < PATIENCE {
                        return Err(error);
                    }
                    self.give_up(&segment, shared);
                }
            }
            self.failing = None;
        }
        Ok(self.peeked.as_ref().filter(|entry| entry.head.n < end_n).map(|entry| entry.head.id))
    }

    /// Passes what is left of a segment.
    fn give_up(&mut self, segment: &Segment, shared: &Shared) {
        let has_any = self.open.as_ref().is_some_and(|open| open.has_any);
        if self.n <= segment.first_n && !has_any {
            shared.index().mark_bad(self.urgency, segment.first_n);
        }
        self.n = segment.end_n;
    }

    /// The open segment; none if its file is gone.
    fn open(&mut self, shared: &Shared, first_n: u64) -> io::Result<Option<&mut Open>> {
        if self.open.is_none() {
            let name = names::segment(self.urgency, first_n);
            let file = match shared.disk.open(&name) {
                Err(error) if is_gone(&error) => return Ok(None),
                opened => opened?,
            };
            let mut scan = Scan::new(file, entry::seed(&name));
            if let Some(at) = self.begin.take_if(|at| at.first_n == first_n) {
                scan.go_to(at.offset);
            }
            self.open = Some(Open { first_n, scan, has_any: false });
        }
        Ok(self.open.as_mut())
    }

    /// Takes the entry that was looked at.
    fn take(&mut self) -> Option<(SpoolEntry, InFlight)> {
        let Entry { head, content, at } = self.peeked.take()?;
        self.n = head.n.saturating_add(1);
        let first_n = self.open.as_ref().map_or(0, |open| open.first_n);
        let (id, urgency, at_unix_ms) = (head.id, self.urgency, head.at_unix_ms);
        let in_flight = InFlight {
            id,
            urgency,
            n: head.n,
            at_unix_ms,
            bytes: super::disk::as_u64(head.entry_bytes()),
            place: ReadAt { first_n, offset: at },
        };
        Some((SpoolEntry { id, urgency, at_unix_ms, bytes: content }, in_flight))
    }

    fn come(&self) -> Come {
        let n = self.peeked.as_ref().map_or(self.n, |entry| entry.head.n);
        let at = self.open.as_ref().map(|open| {
            let offset = self.peeked.as_ref().map_or_else(|| open.scan.offset(), |entry| entry.at);
            ReadAt { first_n: open.first_n, offset }
        });
        Come { n, at }
    }
}

/// Whether there is no such file, or something else in its place.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput)
}
