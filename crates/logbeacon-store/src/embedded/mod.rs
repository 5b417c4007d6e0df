//! The embedded store: journal, head and parts below one directory.
//!
//! Knows: which thread does what, and in which order files and memory change. Must not know: the
//! bytes of any file. In: batches and requests. Out: verdicts and answers.
//!
//! ```text
//!  append ─▶ identities ─▶ journal (synced) ─▶ head ──seal──▶ part ──upkeep──▶ part
//!                                               └────── snapshot ──────┘ ─▶ search
//! ```

mod commit;
mod erase;
mod manifest;
mod open;
mod options;
mod room;
mod salvage;
mod seal;
mod shared;
mod tracing;
mod upkeep;

#[cfg(fuzzing)]
pub(crate) use manifest::fuzz as fuzz_manifest;
pub use options::{OpenError, OpenReport, Options};
pub use salvage::SalvageReport;

use crate::error::{AppendError, DeleteError, SearchError};
use crate::journal::Place;
use crate::packed::Packed;
use crate::part::Part;
use crate::record::{Record, WELL_KNOWN};
use crate::rollup::{Devices, Minutes, ProducerRanges};
use crate::search;
use crate::store::{
    Bucket, Certificate, Damage, DeleteRequest, Device, Found, Health, MinuteCount, Producer,
    RetentionRule, SearchRequest, Store, Summary, Verdict,
};
use crate::traces::Traces;
use commit::Committer;
use logwell_query::{Filter, Query, Row, TimeRange};
use manifest::Manifest;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

/// A store in a directory of its own.
///
/// ```
/// use logbeacon_store::{Embedded, Options, Record, SearchRequest, Store, Verdict};
/// use logwell_query::Query;
/// use std::ops::ControlFlow;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let (store, report) = Embedded::open(dir.path(), Options::default())?;
/// assert!(report.damaged.is_empty());
///
/// let record = Record { message: "payment failed".to_owned(), hash: 7, ..Record::default() };
/// assert_eq!(store.append(vec![record])?, [Verdict::Accepted]);
///
/// let mut messages = Vec::new();
/// store.search(&SearchRequest::new(Query::parse("payment")?), &mut |found| {
///     messages.push(format!("{found:?}"));
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(messages.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A batch of the head.
#[derive(Debug)]
pub(crate) struct HeadBatch {
    pub(crate) place: Place,
    pub(crate) packed: Packed,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// When it came into the head, by the store's clock.
    since_ns: i64,
}

/// A part that is searched, and the last deletion whose records are not in it any more.
#[derive(Clone, Debug)]
pub(crate) struct LivePart {
    pub(crate) part: Arc<Part>,
    pub(crate) clean: u64,
}

/// A deletion that hides records.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) number: u64,
    filter: Filter,
    range: TimeRange,
}

impl Deletion {
    /// The records it hides.
    pub(crate) fn filter(&self) -> Filter {
        Filter::And(vec![Filter::Time(self.range), self.filter.clone()])
    }
}

/// What all threads share.
///
/// Locks are taken in the order of the fields: `upkeep`, `sealing`, `committer`, `manifest`,
/// `state`.
struct Shared {
    dir: PathBuf,
    options: Options,
    /// Held while parts are replaced by others.
    upkeep: Mutex<()>,
    /// Held while rows go from the head into parts.
    sealing: Mutex<()>,
    queue: commit::Queue,
    committer: Mutex<Committer>,
    manifest: Mutex<Books>,
    state: RwLock<State>,
    /// Wakes the sealing thread. The flag says that there is something to do, or to stop.
    wake: (Mutex<bool>, Condvar),
    is_closed: AtomicBool,
    counters: Counters,
    damaged: Mutex<Vec<Damage>>,
    faults: Mutex<BTreeMap<String, u64>>,
    read_only: Mutex<Option<String>>,
    /// Keeps other processes out.
    _lock: Box<dyn Send + Sync>,
}

/// The manifest, and the files that may go once the next edition is written.
#[derive(Debug, Default)]
struct Books {
    manifest: Manifest,
    /// Named by the edition before only.
    leaving: Vec<PathBuf>,
    /// The `sealed_to` of the edition before.
    sealed_before: u64,
}

/// What a search finds.
#[derive(Debug, Default)]
struct State {
    head: Vec<Arc<HeadBatch>>,
    head_rows: usize,
    head_bytes: usize,
    parts: Arc<Vec<LivePart>>,
    deletions: Arc<Vec<Arc<Deletion>>>,
    traces: Arc<Vec<Arc<Traces>>>,
    generation: u64,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    duplicates: AtomicU64,
    full: AtomicU64,
}

impl Embedded {
    /// Opens the store of a directory, or begins one there. Reads the manifest, the footers of
    /// all parts and the journal.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be read or written, or another process has it. A damaged file
    /// is no error: it is put aside and listed in the report.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, OpenReport), OpenError> {
        let dir = dir.as_ref();
        let failed = |source| OpenError { path: dir.to_owned(), source };
        let background = options.background;
        let (shared, report) = Shared::open(dir, options).map_err(failed)?;
        let shared = Arc::new(shared);
        let mut threads = Vec::new();
        if background {
            let mut start = |name: &str, job: fn(&Shared)| -> io::Result<()> {
                let shared = Arc::clone(&shared);
                let thread = std::thread::Builder::new().name(name.to_owned());
                threads.push(thread.spawn(move || job(&shared))?);
                Ok(())
            };
            start("logbeacon-seal", Shared::run_sealing).map_err(failed)?;
            start("logbeacon-upkeep", Shared::run_upkeep).map_err(failed)?;
        }
        Ok((Self { shared, threads }, report))
    }

    /// Does what the threads do in the background, until nothing is left to do: puts full row
    /// groups into parts, erases, merges, applies retention. With `everything`, rows become a part
    /// though they are few.
    ///
    /// # Errors
    ///
    /// What the disk reported. Nothing is lost; call it again.
    pub fn maintain(&self, everything: bool) -> io::Result<()> {
        while self.shared.seal(everything)? {}
        while self.shared.keep_up()? {}
        Ok(())
    }

    /// Reads every byte of every part and compares all checksums. Returns what is damaged; those
    /// parts are put aside, and the store goes on without them.
    ///
    /// # Errors
    ///
    /// Fails if a damaged part cannot be put aside.
    pub fn check(&self) -> io::Result<Vec<Damage>> {
        self.shared.check()
    }

    /// Reads the parts that were put aside as damaged, and makes new parts of the row groups whose
    /// checksums are right. Running it again finds nothing more.
    ///
    /// # Errors
    ///
    /// What the disk reported. Run it again then.
    pub fn salvage(&self) -> io::Result<SalvageReport> {
        self.shared.salvage()
    }

    /// Refuses further batches and searches. Dropping the store does that too, and waits for its
    /// threads.
    pub fn close(&self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        self.shared.wake();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing to tell.
            let _ = thread.join();
        }
    }
}

impl Store for Embedded {
    fn append(&self, batch: Vec<Record>) -> Result<Vec<Verdict>, AppendError> {
        self.shared.append(batch)
    }

    fn search(
        &self,
        request: &SearchRequest,
        sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Summary, SearchError> {
        self.shared.check_open()?;
        Ok(search::search(&self.shared.snapshot(), request, sink))
    }

    fn histogram(
        &self,
        request: &SearchRequest,
        step_ns: u64,
    ) -> Result<(Vec<Bucket>, Summary), SearchError> {
        self.shared.check_open()?;
        Ok(search::histogram(&self.shared.snapshot(), request, step_ns))
    }

    fn statistics(&self, range: TimeRange) -> Vec<MinuteCount> {
        let snapshot = self.shared.snapshot();
        let mut minutes = Minutes::default();
        for live in snapshot.parts.iter() {
            minutes.merge(&live.part.minutes);
        }
        for row in snapshot.head.iter().flat_map(|batch| batch.packed.rows()) {
            minutes.add(row.time_ns, row.stream, row.level);
        }
        minutes.within(range)
    }

    fn devices(&self) -> Vec<Device> {
        let snapshot = self.shared.snapshot();
        let mut devices = Devices::default();
        for live in snapshot.parts.iter() {
            devices.merge(&live.part.devices);
        }
        for row in snapshot.head.iter().flat_map(|batch| batch.packed.rows()) {
            devices.add(row.host, row.time_ns, row.arrived_ns);
        }
        devices.list()
    }

    fn field_names(&self) -> Vec<String> {
        let snapshot = self.shared.snapshot();
        let mut names: BTreeSet<String> = WELL_KNOWN.map(str::to_owned).into();
        for part in snapshot.parts.iter().map(|live| &live.part) {
            let columns = part.field_names().chain(part.rest.iter().map(String::as_str));
            names.extend(columns.map(str::to_owned));
        }
        for row in snapshot.head.iter().flat_map(|batch| batch.packed.rows()) {
            row.for_each(&mut |name, _| {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            });
        }
        names.into_iter().collect()
    }

    fn producers(&self, range: TimeRange) -> Result<(Vec<Producer>, Summary), SearchError> {
        let query = Query::parse("seq:* (process:* or boot_id:*)");
        let query = query.map_err(|error| SearchError::Query(error.to_string()))?;
        let request = SearchRequest { range, ..SearchRequest::new(query) };
        let mut producers = ProducerRanges::default();
        self.shared.check_open()?;
        let fields = ["host", "service", "process", "boot_id", "seq"].map(str::to_owned);
        let add = &mut |row: &dyn Row| producers.add(row);
        let summary = search::visit(&self.shared.snapshot(), &request, (&fields, add));
        Ok((producers.finish(), summary))
    }

    fn delete(&self, request: &DeleteRequest) -> Result<Certificate, DeleteError> {
        self.shared.delete(request)
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.shared.books().manifest.deletions.clone()
    }

    fn set_retention(&self, rules: &[RetentionRule]) -> Result<(), DeleteError> {
        let change = |manifest: &mut Manifest| manifest.retention = rules.to_vec();
        let written = self.shared.write_manifest(&mut self.shared.books(), change, Vec::new());
        written.map_err(|error| DeleteError::Disk(error.to_string()))?;
        self.shared.wake();
        Ok(())
    }

    fn retention(&self) -> Vec<RetentionRule> {
        self.shared.books().manifest.retention.clone()
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    fn generation(&self) -> u64 {
        self.shared.state.read().unwrap_or_else(PoisonError::into_inner).generation
    }
}

impl HeadBatch {
    fn new(place: Place, packed: Packed, since_ns: i64) -> Self {
        let times = || packed.rows().map(|row| row.time_ns);
        let (first_ns, last_ns) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        Self { place, packed, first_ns, last_ns, since_ns }
    }
}

/// Nothing that these locks guard is left half changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The directories below that of the store.
const PARTS: &str = "parts";
const LISTS: &str = "ids";
const TRACES: &str = "traces";
const JOURNAL: &str = "journal";
const DAMAGED: &str = "damaged";
