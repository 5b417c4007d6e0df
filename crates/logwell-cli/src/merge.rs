//! Merge: several logs as one, in order, each record once.
//!
//! Within a log the order is that of its lines: `seq` decides and not time. Between logs the
//! earlier record comes first; two records of one process that happened at about the same time are
//! ordered by `seq`, and are the same record if they have the same one.

use crate::filter::Filter;
use crate::line::Line;
use crate::stream::{Shown, Stream};
use crate::{FAILED, FINE};
use std::cmp::Ordering;
use std::io::Write;

/// Several logs.
#[derive(Debug, Default)]
pub struct Merge {
    streams: Vec<Stream>,
    /// The next line of each, if it was looked at.
    heads: Vec<Option<Head>>,
    last: Option<Key>,
}

/// A line that was taken and waits for its turn.
#[derive(Debug, Default)]
struct Head {
    key: Key,
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Kind {
    #[default]
    Record,
    Foreign,
    TooLong(u64),
}

/// What orders a record.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Key {
    unix_ns: i64,
    process: u64,
    seq: u64,
}

/// Records of one process that lie less far apart may have overtaken each other on their way into
/// the queue. A process that has started again takes longer.
const ABOUT_THE_SAME_NS: i64 = 1_000_000_000;

impl Key {
    fn of(line: &Line<'_>) -> Self {
        Self {
            unix_ns: line.unix_ns().unwrap_or(0),
            process: line.number("process").unwrap_or(0),
            seq: line.number("seq").unwrap_or(0),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let apart = self.unix_ns.saturating_sub(other.unix_ns).saturating_abs();
        match self.process == other.process && apart < ABOUT_THE_SAME_NS {
            true => self.seq.cmp(&other.seq),
            false => self.unix_ns.cmp(&other.unix_ns),
        }
    }
}

impl Merge {
    /// These logs.
    #[must_use]
    pub fn of(streams: Vec<Stream>) -> Self {
        let heads = streams.iter().map(|_| None).collect();
        Self { streams, heads, last: None }
    }

    /// One more log.
    pub fn add(&mut self, stream: Stream) {
        self.streams.push(stream);
        self.heads.push(None);
    }

    /// The logs.
    pub fn streams_mut(&mut self) -> &mut [Stream] {
        &mut self.streams
    }

    /// Says what went wrong with the logs since it was last asked; the exit code.
    pub(crate) fn tell_troubles(&mut self, errors: &mut dyn Write) -> u8 {
        for trouble in self.streams.iter_mut().flat_map(Stream::take_troubles) {
            let _nobody_to_tell = writeln!(errors, "logwell: {trouble}");
        }
        if self.streams.iter().any(Stream::has_failed) { FAILED } else { FINE }
    }

    /// Gives the next wanted line to `then`; `None` if there is none (for now).
    pub fn next<T>(&mut self, filter: &Filter, then: impl FnOnce(Shown<'_>) -> T) -> Option<T> {
        if let [stream] = &mut *self.streams {
            return stream.next(filter, then);
        }
        loop {
            for (stream, head) in self.streams.iter_mut().zip(&mut self.heads) {
                if head.is_none() {
                    let before = self.last.unwrap_or_default();
                    *head = stream.next(filter, |shown| Head::of(shown, before));
                }
            }
            let heads = self.heads.iter().enumerate();
            let first = heads.filter_map(|(at, head)| Some((at, head.as_ref()?.key)));
            let (at, _) = first.min_by(|(_, a), (_, b)| a.order(b))?;
            let head = self.heads.get_mut(at)?.take()?;
            let is_record = matches!(head.kind, Kind::Record);
            if is_record && head.key.seq > 0 && self.last == Some(head.key) {
                continue;
            }
            if is_record {
                self.last = Some(head.key);
            }
            return Some(match (head.kind, Line::parse(&head.bytes)) {
                (Kind::Record, Ok(line)) => then(Shown::Record(&head.bytes, &line)),
                (Kind::TooLong(bytes), _) => then(Shown::TooLong(bytes)),
                _ => then(Shown::Foreign(&head.bytes)),
            });
        }
    }
}

impl Head {
    /// A line that is no record keeps its place behind the record before it.
    fn of(shown: Shown<'_>, before: Key) -> Self {
        match shown {
            Shown::Record(bytes, line) => {
                Self { key: Key::of(line), kind: Kind::Record, bytes: bytes.to_vec() }
            }
            Shown::Foreign(bytes) => {
                Self { key: before, kind: Kind::Foreign, bytes: bytes.to_vec() }
            }
            Shown::TooLong(bytes) => {
                Self { key: before, kind: Kind::TooLong(bytes), bytes: Vec::new() }
            }
        }
    }
}
