//! Open: from what is in a directory to a spool that continues with it.
//!
//! Reads the last segment of each urgency and the first head of the others, so it is quick whatever
//! the spool holds. Damaged content never fails: it is passed by, here or when it is read.

use super::cursor::{Cursor, Position};
use super::disk::{Directory, Disk, DiskFile, as_u64, read_full};
use super::entry::{self, HEAD_BYTES, Head};
use super::index::{Index, Lane, Segment, Stamp};
use super::names;
use super::options::{Each, Limits, SpoolOptions, Urgency};
use super::reader::SpoolReader;
use super::scan::Scan;
use super::shared::{self, Shared, SpoolStatus};
use super::tail::{Active, Begin};
use super::writer::SpoolWriter;
use crate::base::clock::Clock;
use crate::base::selflog;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// 2020-01-01. A time before was taken by a clock that nobody had set.
const FIRST_SOUND_UNIX_MS: u64 = 1_577_836_800_000;

/// Opens the spool in a directory, or makes one.
///
/// The three parts may go to different threads. The directory is locked until the last is dropped.
///
/// # Errors
///
/// Of kind `WouldBlock` if another process uses the directory; any other if it cannot be made,
/// listed or locked, or a file in it cannot be opened. What is damaged in it is no error.
pub(crate) fn open(
    options: &SpoolOptions,
    clock: &Clock,
) -> io::Result<(SpoolWriter, SpoolReader, SpoolStatus)> {
    let disk = Directory::open(&options.dir)?;
    open_on(Box::new(disk), options, clock)
}

/// The same on any disk.
pub(super) fn open_on(
    disk: Box<dyn Disk>,
    options: &SpoolOptions,
    clock: &Clock,
) -> io::Result<(SpoolWriter, SpoolReader, SpoolStatus)> {
    let limits = options.limits();
    let shown = options.dir.display().to_string();
    let (cursor, position) = Cursor::open(&*disk);
    let position = position.unwrap_or_default();
    let look = Look {
        disk: &*disk,
        limits,
        now: clock.now(),
        now_unix_ms: clock.unix_ms(),
        position,
        quarantined: 0,
        next_id: position.next_id.max(1),
        oldest_unix_ms: u64::MAX,
    };
    let Looked { lanes, begin, next_id, oldest_unix_ms, quarantined } = look.all()?;
    let mut index = Index::new(lanes, oldest_unix_ms);
    index.counts.quarantined = quarantined;
    let shared = Arc::new(Shared::new(index, disk, limits, (clock.clone(), shown)));
    let writer = SpoolWriter::new(Arc::clone(&shared), begin, next_id);
    let reader = SpoolReader::new(Arc::clone(&shared), cursor, position.next_id);
    Ok((writer, reader, SpoolStatus(shared)))
}

/// Looks at a directory.
struct Look<'a> {
    disk: &'a dyn Disk,
    limits: Limits,
    now: Instant,
    now_unix_ms: u64,
    position: Position,
    quarantined: u64,
    next_id: u64,
    oldest_unix_ms: u64,
}

/// What was found.
struct Looked {
    lanes: Each<Lane>,
    begin: Each<Begin>,
    next_id: u64,
    oldest_unix_ms: u64,
    quarantined: u64,
}

/// A segment as it is there.
#[derive(Debug, Clone, Copy)]
struct There {
    first_n: u64,
    bytes: u64,
    /// When its first entry was appended, if that can be read.
    begun_unix_ms: Option<u64>,
}

impl Look<'_> {
    fn all(mut self) -> io::Result<Looked> {
        let mut there: Each<Vec<There>> = Each::default();
        for name in self.disk.names()? {
            if let Some((urgency, first_n)) = names::parse(&name) {
                match self.disk.bytes(&name) {
                    Ok(bytes) => there.of_mut(urgency).push(self.look_at(&name, first_n, bytes)),
                    Err(error) => selflog::tell("a file in a spool cannot be read", &error),
                }
            }
        }
        let Each { ordinary, urgent } = there;
        let ordinary = self.lane(Urgency::Ordinary, ordinary)?;
        let urgent = self.lane(Urgency::Urgent, urgent)?;
        Ok(Looked {
            lanes: Each { ordinary: ordinary.0, urgent: urgent.0 },
            begin: Each { ordinary: ordinary.1, urgent: urgent.1 },
            next_id: self.next_id,
            oldest_unix_ms: self.oldest_unix_ms.min(self.now_unix_ms),
            quarantined: self.quarantined,
        })
    }

    fn look_at(&self, name: &str, first_n: u64, bytes: u64) -> There {
        let mut head = [0; HEAD_BYTES];
        // What cannot be read here is met again when the segment is read.
        let opened = self.disk.open(name);
        let read = opened.and_then(|mut file| read_full(&mut *file, 0, &mut head)).unwrap_or(0);
        let head = head.get(..read).and_then(|head| entry::head(head, entry::seed(name)));
        There { first_n, bytes, begun_unix_ms: head.map(|head: Head| head.at_unix_ms) }
    }

    /// The entries of one urgency, and where they go on.
    fn lane(&mut self, urgency: Urgency, mut there: Vec<There>) -> io::Result<(Lane, Begin)> {
        there.sort_unstable_by_key(|segment| segment.first_n);
        let acked_n = *self.position.acked_n.of(urgency);
        // The first number that no entry can have had.
        let mut end_n = acked_n.max(1);
        let mut last = None;
        while let (None, Some(candidate)) = (&last, there.last()) {
            end_n = end_n.max(candidate.first_n);
            last = self.last(urgency, *candidate)?;
            if last.is_none() {
                there.pop();
            }
        }
        end_n = end_n.max(last.as_ref().map_or(0, |last| last.end_n));
        let mut lane = Lane { end_n, ..Lane::default() };
        for (at, segment) in there.iter().enumerate() {
            let next = there.get(at + 1);
            lane.segments.push_back(Segment {
                first_n: segment.first_n,
                end_n: next.map_or(end_n, |next| next.first_n),
                bytes: segment.bytes,
                newest: self.newest(*segment, next.copied()),
                is_bad: false,
            });
        }
        let mut active = None;
        if let (Some(last), Some(segment)) = (last, lane.segments.back_mut()) {
            segment.bytes = last.bytes;
            segment.newest = self.stamp(Some(last.newest_unix_ms));
            let oldest = self.stamp(there.last().and_then(|there| there.begun_unix_ms));
            let name = names::segment(urgency, segment.first_n);
            active = last.file.map(|file| Active::new(file, &name, *segment, oldest));
        }
        lane.acked_n = acked_n.max(lane.front_n());
        lane.read_n = lane.acked_n;
        let unread = there.iter().zip(&lane.segments).find(|(_, it)| it.end_n > lane.read_n);
        if let Some(begun) = unread.and_then(|(there, _)| there.begun_unix_ms) {
            self.oldest_unix_ms = self.oldest_unix_ms.min(begun);
        }
        Ok((lane, Begin { next_n: end_n, active }))
    }

    /// Reads what may be the last segment. None if there is nothing in it: an empty file is
    /// deleted, one in which there is no entry is set aside.
    fn last(&mut self, urgency: Urgency, there: There) -> io::Result<Option<Last>> {
        let name = names::segment(urgency, there.first_n);
        let mut scan = Scan::new(self.disk.open(&name)?, entry::seed(&name));
        let mut last =
            Last { end_n: there.first_n, bytes: 0, newest_unix_ms: self.now_unix_ms, file: None };
        let mut is_sound = true;
        let end = loop {
            let n = last.end_n;
            match scan.next(there.bytes, |head| head.n >= n) {
                Ok(Some(entry)) => {
                    is_sound &= entry.at == last.bytes;
                    last.end_n = entry.head.n.saturating_add(1);
                    last.bytes = scan.offset();
                    last.newest_unix_ms = entry.head.at_unix_ms;
                    self.next_id = self.next_id.max(entry.head.id.saturating_add(1));
                }
                other => break other,
            }
        };
        if let Err(error) = end {
            selflog::tell("a segment of a spool cannot be read now", &error);
            // It may hold so many entries more. They come out should it be readable later.
            let more = there.bytes.saturating_sub(last.bytes) / as_u64(HEAD_BYTES);
            last.end_n = last.end_n.saturating_add(more);
            self.next_id = self.next_id.saturating_add(more);
            last.bytes = there.bytes;
            return Ok(Some(last));
        }
        if last.bytes == 0 {
            self.clear(&name, there.bytes);
            return Ok(None);
        }
        let mut file = scan.into_file();
        // A half entry at the end, of a process that died. If it stays, a new segment is begun;
        // after damage too, for a head in it may claim bytes that were never written, and then are.
        let is_whole = last.bytes == there.bytes || file.cut(last.bytes).is_ok();
        last.file = (is_whole && is_sound).then_some(file);
        Ok(Some(last))
    }

    /// Takes away a segment without entries. If it stays, it is in nobody's way but the writer's,
    /// which takes it away then.
    fn clear(&mut self, name: &str, bytes: u64) {
        let cleared = match bytes {
            0 => self.disk.remove(name),
            _ => shared::set_aside(self.disk, name).inspect(|()| self.quarantined += 1),
        };
        match cleared {
            Err(error) => selflog::tell("a segment of a spool stays where it is", &error),
            Ok(()) if bytes == 0 => {}
            Ok(()) => {
                let text = names::aside(name);
                selflog::tell("a segment of a spool cannot be read and is set aside", &text);
            }
        }
    }

    /// Of the newest entry of a segment before the last; at most that age, never more.
    fn newest(&self, segment: There, next: Option<There>) -> Stamp {
        let age_ms = u64::try_from(self.limits.segment_age.as_millis()).unwrap_or(u64::MAX);
        let full = segment.begun_unix_ms.map(|begun| begun.saturating_add(age_ms));
        let next = next.and_then(|next| next.begun_unix_ms);
        self.stamp(full.into_iter().chain(next).min())
    }

    /// The age of what happened then; none if the time makes no sense.
    fn stamp(&self, unix_ms: Option<u64>) -> Stamp {
        let sound = unix_ms.filter(|unix_ms| *unix_ms >= FIRST_SOUND_UNIX_MS);
        let age_ms = sound.map_or(0, |unix_ms| self.now_unix_ms.saturating_sub(unix_ms));
        Stamp::aged(Duration::from_millis(age_ms), self.now)
    }
}

/// The last segment.
struct Last {
    end_n: u64,
    /// Whole entries end here.
    bytes: u64,
    newest_unix_ms: u64,
    /// To go on with, if nothing is behind the entries.
    file: Option<Box<dyn DiskFile>>,
}
