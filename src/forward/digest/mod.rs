//! Digest: one message for the records of some time, those of one kind together.
//!
//! Collects entries for a while after the first, then gives out one message: how many records of
//! how many kinds, and the first of each kind. Pure: the caller passes the time. Knows native
//! records; does not know how people read a digest (`text.rs`), nor where it goes.

pub(super) mod text;

use super::destination::{Compose, Taken};
use super::fingerprint::shape;
use super::hashed;
use super::message::Message;
use super::native::NativeRecord;
use crate::record::level::Level;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// So many kinds are shown; the others are counted.
const MAX_KINDS: usize = 20;
/// So many are told apart; records of further kinds are counted together.
const MAX_KNOWN_KINDS: usize = 300;
/// A digest of more records goes at once.
const MAX_RECORDS: u64 = 10_000;
/// A digest is cut to kinds of so many bytes in all.
const MAX_BYTES: usize = 256 * 1024;

/// Makes digests of native records.
pub(super) struct Digests {
    open: Option<Open>,
    wait: Duration,
    is_finished: bool,
}

/// A digest in the making.
struct Open {
    /// The hash of the first record.
    id: String,
    from: u64,
    due: Instant,
    records: u64,
    kinds: Vec<Kind>,
    /// Records of kinds that are not told apart.
    others: u64,
}

/// Records that differ in numbers and quoted text only.
struct Kind {
    level: Level,
    logger: String,
    shape: String,
    count: u64,
    first: NativeRecord,
    last: String,
}

impl Digests {
    /// Collects for so long after the first record.
    pub(super) fn new(wait: Duration) -> Self {
        Self { open: None, wait, is_finished: false }
    }
}

impl Compose for Digests {
    fn take(&mut self, entry: Taken<'_>, now: Instant) {
        let (hash, line) = hashed::split(entry.bytes);
        let open = self.open.get_or_insert_with(|| Open {
            id: hash.to_owned(),
            from: entry.id,
            due: now + self.wait,
            records: 0,
            kinds: Vec::new(),
            others: 0,
        });
        open.records += 1;
        match NativeRecord::read(line) {
            Some(record) => open.add(record),
            None => open.others += 1,
        }
    }

    fn ready(&mut self, now: Instant) -> Vec<Message> {
        let is_ready =
            |open: &mut Open| self.is_finished || open.due <= now || open.records >= MAX_RECORDS;
        self.open.take_if(is_ready).map(Open::into_message).into_iter().collect()
    }

    fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.due)
    }

    fn held_from(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.from)
    }

    fn finish(&mut self) {
        self.is_finished = true;
    }
}

impl Open {
    fn add(&mut self, record: NativeRecord) {
        let level = level_of(&record);
        let (logger, shape) = (record.text("logger").to_owned(), shape(record.text("message")));
        let last = record.text("timestamp").to_owned();
        let has_room = self.kinds.len() < MAX_KNOWN_KINDS;
        let is_same =
            |kind: &&mut Kind| kind.level == level && kind.logger == logger && kind.shape == shape;
        match self.kinds.iter_mut().find(is_same) {
            Some(kind) => (kind.count, kind.last) = (kind.count + 1, last),
            None if has_room => {
                self.kinds.push(Kind { level, logger, shape, count: 1, first: record, last });
            }
            None => self.others += 1,
        }
    }

    /// The most severe first, of these the most frequent.
    fn into_message(mut self) -> Message {
        self.kinds.sort_by_key(|kind| Reverse((kind.level, kind.count)));
        let (mut bytes, mut shown) = (0, Vec::new());
        for kind in &self.kinds {
            let record = kind.first.clone().into_value();
            bytes += record.to_string().len();
            if shown.len() >= MAX_KINDS || (bytes > MAX_BYTES && !shown.is_empty()) {
                break;
            }
            shown.push(json!({ "count": kind.count, "last": kind.last, "first": record }));
        }
        let rest = self.kinds.get(shown.len()..).unwrap_or_default();
        let others = self.others + rest.iter().map(|kind| kind.count).sum::<u64>();
        let level = self.kinds.first().map_or(Level::Error, |kind| kind.level);
        let body = json!({
            "level": level.as_str(),
            "records": self.records,
            "kinds": shown,
            "others": others,
        });
        let Self { id, records, from, .. } = self;
        Message { id, body: body.to_string().into_bytes(), records, from }
    }
}

/// A level may be written as Python and syslog call it.
fn level_of(record: &NativeRecord) -> Level {
    Level::from_name(record.text("level")).unwrap_or(Level::Warn)
}

/// A digest that was read from a message.
#[derive(Debug)]
pub(super) struct Digest {
    /// The most severe level in it.
    pub(super) level: Level,
    pub(super) records: u64,
    pub(super) kinds: Vec<ReadKind>,
    /// Records that are counted only.
    pub(super) others: u64,
}

/// One kind in it.
#[derive(Debug)]
pub(super) struct ReadKind {
    pub(super) count: u64,
    /// The timestamp of the last record.
    pub(super) last: String,
    pub(super) first: NativeRecord,
}

impl Digest {
    /// `None` if it is none.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let kind = |kind: &Value| {
            Some(ReadKind {
                count: kind.get("count")?.as_u64()?,
                last: kind.get("last")?.as_str()?.to_owned(),
                first: NativeRecord::read(kind.get("first")?.to_string().as_bytes())?,
            })
        };
        Some(Self {
            level: Level::from_name(body.get("level")?.as_str()?)?,
            records: body.get("records")?.as_u64()?,
            kinds: body.get("kinds")?.as_array()?.iter().map(kind).collect::<Option<_>>()?,
            others: body.get("others")?.as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(digests: &mut Digests, id: u64, (level, message, now): (&str, &str, Instant)) {
        let entry = format!(
            "{id:032x}{}",
            json!({
                "timestamp": format!("t{id}"), "level": level, "logger": "shop", "message": message,
            })
        );
        digests.take(Taken { id, at_unix_ms: 0, bytes: entry.as_bytes() }, now);
    }

    #[test]
    fn records_of_one_kind_are_counted_and_the_most_severe_comes_first() {
        let start = Instant::now();
        let mut digests = Digests::new(Duration::from_secs(60));
        for id in 1..=5 {
            take(&mut digests, id, ("ERROR", &format!("order {id} failed"), start));
        }
        take(&mut digests, 6, ("CRITICAL", "disk full", start));
        take(&mut digests, 7, ("WARNING", "slow", start));
        let entry = [b"0".repeat(32).as_slice(), b"no record"].concat();
        digests.take(Taken { id: 8, at_unix_ms: 0, bytes: &entry }, start);
        assert_eq!((digests.held_from(), digests.ready(start).len()), (Some(1), 0));
        let due = digests.due().unwrap();
        let messages = digests.ready(due);
        assert_eq!((messages.len(), digests.held_from(), digests.due()), (1, None, None));
        let message = &messages[0];
        assert_eq!(
            (message.id.as_str(), message.records, message.from),
            (&*format!("{:032x}", 1), 8, 1)
        );
        let digest = Digest::read(&message.body).unwrap();
        assert_eq!((digest.level, digest.records, digest.others), (Level::Critical, 8, 1));
        let kinds: Vec<_> = digest
            .kinds
            .iter()
            .map(|kind| (kind.count, kind.first.text("message"), kind.last.as_str()))
            .collect();
        assert_eq!(kinds, [(1, "disk full", "t6"), (5, "order 1 failed", "t5"), (1, "slow", "t7")]);
    }

    #[test]
    fn whatever_comes_a_digest_has_a_bound_and_counts_everything() {
        let start = Instant::now();
        let mut digests = Digests::new(Duration::from_secs(60));
        for id in 0..MAX_RECORDS {
            let word: String = id.to_string().chars().map(|c| char::from(c as u8 + 49)).collect();
            take(&mut digests, id, ("ERROR", &word, start));
        }
        let message = &digests.ready(start)[0];
        let digest = Digest::read(&message.body).unwrap();
        let shown: u64 = digest.kinds.iter().map(|kind| kind.count).sum();
        assert_eq!((digest.kinds.len(), shown + digest.others), (MAX_KINDS, MAX_RECORDS));
        take(&mut digests, 1, ("ERROR", "last", start));
        digests.finish();
        assert_eq!(digests.ready(start).len(), 1);
    }
}
