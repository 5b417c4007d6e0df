//! Store: the trait every store implements, and the types its callers see.
//!
//! Knows: what may be asked of a store. Must not know: how one keeps records, HTTP.
//! In: records and requests. Out: verdicts, rows, counts, and whether an answer is complete.

use crate::error::{AppendError, DeleteError, SearchError};
use crate::record::Record;
use logwell_query::{Fields, Level, Query, Row, TimeRange};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A place that keeps log records and answers queries about them.
///
/// All methods block and may be called by many threads at once. A record is found by the first
/// search that starts after its `append` returned.
pub trait Store: Send + Sync + fmt::Debug {
    /// Keeps a batch, and returns a verdict for each record in order. Blocks until every accepted
    /// record is on disk. A batch is accepted whole or not at all.
    ///
    /// # Errors
    ///
    /// None of the batch is kept if the store is full, read-only or closed; see [`AppendError`].
    fn append(&self, batch: Vec<Record>) -> Result<Vec<Verdict>, AppendError>;

    /// Gives `sink` what the query finds. Without pipes these are records, ordered by time as
    /// `request.order` asks, at most `request.limit`; with pipes they are the rows of the last
    /// pipe. `sink` ends the search with [`ControlFlow::Break`].
    ///
    /// # Errors
    ///
    /// Fails if the answer would be wrong rather than incomplete; see [`SearchError`]. An answer
    /// that time, memory or a damaged part cut short is no error: [`Summary::complete`] says so.
    fn search(
        &self,
        request: &SearchRequest,
        sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Summary, SearchError>;

    /// Counts what the query finds by time and level. Pipes of the query are ignored.
    ///
    /// # Errors
    ///
    /// As [`Store::search`].
    fn histogram(
        &self,
        request: &SearchRequest,
        step_ns: u64,
    ) -> Result<(Vec<Bucket>, Summary), SearchError>;

    /// The counts per minute, stream and level of every minute that begins within the range, by
    /// minute, stream and level. Kept with the data, not counted again: what a deletion hides is in
    /// them until it is erased.
    fn statistics(&self, range: TimeRange) -> Vec<MinuteCount>;

    /// Every host that has sent a record that is still kept, by name. What a deletion hides counts
    /// until it is erased.
    fn devices(&self) -> Vec<Device>;

    /// The names of the fields of the records kept and the well-known ones, sorted.
    fn field_names(&self) -> Vec<String>;

    /// Which of its numbered records each producer has delivered, and whether everything was read
    /// that could say so.
    ///
    /// # Errors
    ///
    /// As [`Store::search`].
    fn producers(&self, range: TimeRange) -> Result<(Vec<Producer>, Summary), SearchError>;

    /// Hides what the request's filter finds at once, and erases it within
    /// [`Certificate::erase_within`]. Records that arrive afterwards are not touched. Pipes and
    /// `limit` of the request are ignored.
    ///
    /// # Errors
    ///
    /// See [`DeleteError`]. Nothing is deleted then.
    fn delete(&self, request: &DeleteRequest) -> Result<Certificate, DeleteError>;

    /// Every deletion asked for and not forgotten, oldest first.
    fn certificates(&self) -> Vec<Certificate>;

    /// Replaces the rules of retention. They are applied in the background and survive a restart.
    ///
    /// # Errors
    ///
    /// Fails if the rules cannot be written down; the old ones stay.
    fn set_retention(&self, rules: &[RetentionRule]) -> Result<(), DeleteError>;

    /// The rules of retention in force.
    fn retention(&self) -> Vec<RetentionRule>;

    /// How the store is. Cheap: made for a health check and for metrics.
    fn health(&self) -> Health;

    /// A number that rises with each change of what a search can find. Two searches of equal
    /// generation over the same range have equal answers.
    fn generation(&self) -> u64;
}

/// What became of one record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The record is on disk and can be found.
    Accepted,
    /// A record of this hash is already on disk. It stays as it is.
    Duplicate,
}

/// What to search for, where, and at what cost.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The filter and the pipes.
    pub query: Query,
    /// The event times searched. Default: all.
    pub range: TimeRange,
    /// The largest number of rows given to the sink. Default: no limit.
    pub limit: Option<u64>,
    /// The order of records. Default: newest first.
    pub order: Order,
    /// The streams that may be seen; `None`, the default, is all.
    pub streams: Option<Vec<String>>,
    /// What the search may cost.
    pub budget: Budget,
    /// Set it to end the search early, for instance when the client has gone.
    pub cancel: Cancel,
}

impl SearchRequest {
    /// A search for what the query finds, everywhere, with the default budget.
    #[must_use]
    pub fn new(query: Query) -> Self {
        Self {
            query,
            range: TimeRange::ALL,
            limit: None,
            order: Order::default(),
            streams: None,
            budget: Budget::default(),
            cancel: Cancel::default(),
        }
    }

    /// Whether the request may see records of the stream.
    #[must_use]
    pub fn may_see(&self, stream: &str) -> bool {
        self.streams.as_ref().is_none_or(|streams| streams.iter().any(|seen| seen == stream))
    }
}

/// The order in which a search gives records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the newest event time to the oldest.
    #[default]
    NewestFirst,
    /// From the oldest event time to the newest.
    OldestFirst,
}

/// What a search may cost. What it has found when a bound is reached is the answer, marked as
/// incomplete or approximate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The longest time. Default: 30 seconds.
    pub time: Duration,
    /// The most memory for groups, values and rows that a pipe must hold. Default: 64 MiB.
    pub memory_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), memory_bytes: 64 << 20 }
    }
}

/// A flag that ends a search early. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the searches that hold this flag, within one row group.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Cancel::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One row of an answer.
#[derive(Clone, Copy)]
pub enum Found<'a> {
    /// A record, of a query without pipes.
    Record(&'a dyn Row),
    /// A row of the last pipe.
    Output(&'a Fields),
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(row) => f.debug_tuple("Record").field(&row.time_ns()).finish(),
            Self::Output(row) => f.debug_tuple("Output").field(row).finish(),
        }
    }
}

/// What a search did, and whether its answer is the whole truth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Whether everything that could hold an answer was read. `false`: see `skipped`.
    pub complete: bool,
    /// Whether figures are estimates because an exact answer would have cost more than the budget.
    pub approximate: bool,
    /// Records that passed the filter, as far as they were looked at.
    pub matched: u64,
    /// Records whose fields were looked at.
    pub scanned_rows: u64,
    /// Bytes read from parts and memory, after decompression of what was needed.
    pub scanned_bytes: u64,
    /// Parts and batches in memory that were looked at.
    pub scanned_parts: u64,
    /// What was not read, and why.
    pub skipped: Vec<Skipped>,
    /// [`Store::generation`] of the state that was searched.
    pub generation: u64,
}

/// Something that a search had to leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it is: a part's file name, or `rest` for all that the budget did not reach.
    pub what: String,
    /// Why it was left out.
    pub reason: String,
}

/// A count by time and level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// The first nanosecond of the step: a multiple of it.
    pub start_ns: i64,
    /// The number of records by the rank of their level.
    pub counts: [u64; 6],
}

/// The count of one minute, stream and level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinuteCount {
    /// The first nanosecond of the minute.
    pub minute_ns: i64,
    /// The stream.
    pub stream: String,
    /// The level.
    pub level: Level,
    /// The number of records.
    pub count: u64,
}

/// A host that sends records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The name: the field `host`.
    pub host: String,
    /// The newest event time of its records.
    pub last_event_ns: i64,
    /// When its last record arrived. A silence alarm looks at this.
    pub last_arrived_ns: i64,
    /// How many of its records are kept.
    pub count: u64,
}

/// A process that numbers its records from 1 in the field `seq`, as logwell does. It has a
/// `process`, a `boot_id`, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The host.
    pub host: String,
    /// The service.
    pub service: String,
    /// The field `process`, as text; empty if its records have none.
    pub process: String,
    /// The field `boot_id`, which tells two starts of a process apart; empty if there is none.
    pub boot_id: String,
    /// The numbers that were delivered: inclusive ranges, ascending, with gaps between them.
    pub ranges: Vec<(u64, u64)>,
}

/// What to delete.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    /// The text of the filter. Kept in the certificate and, until the erasure is done, on disk.
    pub query: String,
    /// The event times concerned.
    pub range: TimeRange,
    /// Who asked, for the certificate.
    pub requested_by: String,
}

/// What became of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The number of the deletion.
    pub number: u64,
    /// The text of the filter.
    pub query: String,
    /// The event times concerned.
    pub range: TimeRange,
    /// Who asked.
    pub requested_by: String,
    /// When it was asked for, in nanoseconds since the epoch. The records were hidden then.
    pub requested_ns: i64,
    /// How many records were hidden.
    pub hidden: u64,
    /// How many of them have been erased from the files.
    pub erased: u64,
    /// When the last of them was erased; `None` while the erasure is under way.
    pub erased_ns: Option<i64>,
    /// The time within which the erasure is promised.
    pub erase_within: Duration,
}

/// How long records are kept. The first rule that fits a record decides; without one it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionRule {
    /// The stream concerned; `None` is all.
    pub stream: Option<String>,
    /// The highest level concerned; `None` is all. So errors can be kept longer.
    pub level_max: Option<Level>,
    /// The age of the event time after which a record is erased; `None` is never.
    pub age: Option<Duration>,
    /// The bytes on disk of all parts above which the oldest are erased; `None` is no bound.
    /// Only in a rule without `stream` and `level_max`.
    pub bytes: Option<u64>,
}

/// How a store is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Records that can be found.
    pub rows: u64,
    /// Of these, records that are in the journal only and not yet in a part.
    pub head_rows: u64,
    /// Bytes that the head takes in memory.
    pub head_bytes: u64,
    /// Bytes of journal files.
    pub journal_bytes: u64,
    /// Part files.
    pub parts: u64,
    /// Bytes of part files.
    pub part_bytes: u64,
    /// The reason why nothing is accepted at present, such as a full disk.
    pub read_only: Option<String>,
    /// Files that were damaged and put aside, with what is known of their content.
    pub damaged: Vec<Damage>,
    /// What went wrong since the start, counted by reason.
    pub faults: Vec<(String, u64)>,
    /// Records accepted since the start.
    pub accepted: u64,
    /// Duplicates since the start.
    pub duplicates: u64,
    /// Batches answered with [`AppendError::Full`] since the start.
    pub full: u64,
}

/// A file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, below the data directory.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
    /// The number of records that it held, where that is known.
    pub rows: Option<u64>,
    /// The range of their event times, where that is known.
    pub range: Option<TimeRange>,
}
