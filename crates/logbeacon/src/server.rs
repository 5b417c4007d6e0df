//! Server: the parts that requests share, joined.
//!
//! Knows every part and makes none of them do anything. Does not know HTTP.

use crate::admit::Admission;
use crate::cache::Cache;
use crate::decode::limits::Limits;
use crate::ingest::Ingest;
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::rate::{Failures, Rates};
use crate::session::Sessions;
use crate::silence::Silence;
use crate::stream_name;
use crate::tail::Tail;
use crate::token::Tokens;
use crate::views::Views;
use logbeacon_store::{Clock, Store};
use logwell_query::{Level, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Tokens and views are kept here; the store has a directory in it.
    pub data_dir: PathBuf,
    /// Bodies, packed or not, in bytes: 16 MiB by default. A larger one is answered with 413.
    pub max_body_bytes: usize,
    /// Limits of one record.
    pub limits: Limits,
    /// The longest a search may take: 30 s by default. Then it answers with what it has.
    pub search_time: Duration,
    /// The most memory of a search's groups and rows: 64 MiB by default.
    pub search_memory_bytes: usize,
    /// Searches at once: two per processor by default. More wait two seconds, then get 429.
    pub searches: usize,
    /// Records per second and token; `None`, the default, is no limit. More is answered with 429.
    pub rate_limit: Option<u32>,
    /// Whether a record without `host` gets the address of its sender. Off by default: behind a
    /// proxy it would be the proxy's.
    pub host_from_peer: bool,
    /// A device that was active and sends nothing for so long raises an alarm: 5 minutes by
    /// default. Zero: none does.
    pub silent_after: Duration,
    /// What a 200 means.
    pub durability: Durability,
    /// Whether cookies are sent over TLS only.
    pub secure_cookies: bool,
}

/// What is true of a record once its request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is on disk, synced.
    Disk,
    /// It is in memory: for tests and demonstrations.
    Memory,
}

impl Durability {
    /// Its name in the header `X-LogBeacon-Durability`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Memory => "memory",
        }
    }
}

impl Settings {
    /// The defaults, for a data directory.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            data_dir,
            max_body_bytes: 16 << 20,
            limits: Limits::default(),
            search_time: Duration::from_secs(30),
            search_memory_bytes: 64 << 20,
            searches: processors * 2,
            rate_limit: None,
            host_from_peer: false,
            silent_after: Duration::from_secs(300),
            durability: Durability::Disk,
            secure_cookies: false,
        }
    }
}

/// The parts that requests share.
#[derive(Debug)]
pub struct Server {
    /// Its settings.
    pub settings: Settings,
    /// The way in, with the store.
    pub ingest: Ingest,
    /// Who may do what.
    pub tokens: Arc<Tokens>,
    /// Who has logged in.
    pub sessions: Sessions,
    /// Threads and memory.
    pub lanes: Lanes,
    /// Answers that are asked for again.
    pub cache: Cache,
    /// Saved searches.
    pub views: Views,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Devices that fall silent.
    pub silence: Silence,
    /// How much senders may send.
    pub rates: Rates,
    /// Failed log-ins.
    pub failures: Failures,
    clock: Box<dyn Clock>,
    stopping: AtomicBool,
}

/// Why a server cannot start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

impl Server {
    /// Joins the parts around a store.
    ///
    /// # Errors
    ///
    /// The views cannot be read, or the system has no thread or random numbers.
    pub fn new(
        settings: Settings,
        store: Arc<dyn Store>,
        tokens: Arc<Tokens>,
        clock: Box<dyn Clock>,
    ) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::default());
        let ingest = Ingest {
            admission: Admission::new(settings.limits)?,
            store,
            tail: Tail::start(Arc::clone(&metrics))?,
            metrics: Arc::clone(&metrics),
        };
        Ok(Self {
            ingest,
            sessions: Sessions::new(Arc::clone(&tokens)),
            lanes: Lanes::new(settings.searches),
            cache: Cache::default(),
            views: Views::open(&settings.data_dir)?,
            metrics,
            silence: Silence::new(settings.silent_after),
            rates: Rates::new(settings.rate_limit),
            failures: Failures::default(),
            tokens,
            clock,
            stopping: AtomicBool::new(false),
            settings,
        })
    }

    /// Now, in nanoseconds since the epoch.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        self.clock.now_ns()
    }

    /// From now on, what brings records is answered with 503.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the server is stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Keeps in the stream `_audit` who did what. Blocks until it is on disk.
    pub fn audit(&self, who: &str, what: &str, fields: &[(&str, &str)]) {
        let text = |value: &str| Value::Text(value.to_owned());
        let mut list = vec![("who".to_owned(), text(who))];
        list.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
        let message = (Level::Info, what.to_owned());
        let record = self.ingest.admission.own(stream_name::AUDIT, message, list, self.now_ns());
        tracing::info!(who, what, "audit");
        if let Err(error) = self.ingest.append(vec![record]) {
            tracing::error!(%error, what, "the audit stream could not be written");
        }
    }
}
