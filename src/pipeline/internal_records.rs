//! Internal records: those that logwell writes itself: started, dropped, filtered, recovered,
//! stopped, panics, signals.
//!
//! Made on the listener or handed to it past the queue, so nothing can drop them on the way. Their
//! logger is `logwell`; the field `kind` tells them apart.

use crate::base::clock;
use crate::base::thread;
use crate::black_box::Recovered;
use crate::record::callsite::{Callsite, Kind, Place};
use crate::record::fields::{Fields, Key, Value};
use crate::record::level::Level;
use crate::record::origin::Origin;
use crate::record::span::SpanContext;
use crate::record::stats::{Dropped, SinkStats};
use crate::record::{Id, Record};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// The version of the JSON record. It changes when a reader would have to.
const SCHEMA: u64 = 1;

/// That a sink works again.
#[derive(Debug)]
pub(crate) struct SinkRecovered {
    pub(crate) sink: String,
    /// What its first failure was.
    pub(crate) problem: String,
    pub(crate) failed_for: Duration,
    /// Records it lost in that time.
    pub(crate) dropped: u64,
}

/// How many records `files.level` has kept out of the ledger, and what the log has said about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filtered {
    total: u64,
    told: u64,
    /// The first one that was not reported yet.
    first_seq: u64,
    told_at: Option<Instant>,
}

impl Filtered {
    /// The record of that number was kept out.
    pub(crate) fn count(&mut self, seq: u64) {
        if self.total == self.told {
            self.first_seq = seq;
        }
        self.total += 1;
    }

    /// Whether it is time to say so: at once for the first, then from time to time.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let recently = |told: Instant| now.saturating_duration_since(told) < TELL_FILTERED_EVERY;
        self.total > self.told && !self.told_at.is_some_and(recently)
    }

    /// What is to be said now; it counts as said.
    pub(crate) fn told(&mut self, now: Instant) -> Self {
        let untold = self.clone();
        self.told = self.total;
        self.told_at = Some(now);
        untold
    }
}

/// How often the log says how many records were kept out of the ledger.
const TELL_FILTERED_EVERY: Duration = Duration::from_secs(60 * 60);

/// What `logwell.stopped` says: what became of all records before it.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) received: u64,
    pub(crate) dropped: Dropped,
    pub(crate) sinks: Vec<SinkStats>,
    /// By destination, what is kept for it.
    pub(crate) unsent: Vec<(String, u64)>,
    /// Since the shutdown began.
    pub(crate) elapsed: Duration,
}

/// What the black box of a process that has ended had in it.
#[derive(Debug)]
pub(crate) struct RecoveredRecords {
    pub(crate) origin: Origin,
    /// The first number that may not have been in the files, and the highest of its records.
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// How many from the first number on are kept out of the ledger by its level.
    pub(crate) filtered: u64,
    /// How many were written now.
    pub(crate) recovered: u64,
    /// How many had no copy, or none that can be read, and were not written either.
    pub(crate) lost: u64,
    /// How many entries could not be read.
    pub(crate) damaged: u64,
}

/// Makes logwell's own records.
#[derive(Debug)]
pub(crate) struct InternalRecords {
    /// When logging was set up.
    unix_ns: u64,
    /// Tells one start of the process from another.
    boot_id: Id,
    /// Tells whether two starts had the same configuration.
    config_fingerprint: String,
    /// Why the files are not called as the configuration says.
    diverted: Option<String>,
    /// Which filter is silent without saying so plainly.
    silence: Option<String>,
    /// What is missing, though logging has started.
    degraded: String,
}

impl InternalRecords {
    pub(crate) fn new(boot: u64, config_fingerprint: String) -> Self {
        let (unix_ns, boot_id) = (clock::unix_ns(), Id::Span(boot));
        let (diverted, silence, degraded) = (None, None, String::new());
        Self { unix_ns, boot_id, config_fingerprint, diverted, silence, degraded }
    }

    /// Has `logwell.started` say why the files are not called as the configuration says.
    pub(crate) fn diverted(self, diverted: Option<String>) -> Self {
        Self { diverted, ..self }
    }

    /// Has `logwell.started` say which filter is silent.
    pub(crate) fn silence(self, silence: Option<String>) -> Self {
        Self { silence, ..self }
    }

    /// Has `logwell.started` say what is missing.
    pub(crate) fn degraded(self, degraded: &[String]) -> Self {
        Self { degraded: degraded.join("; "), ..self }
    }

    /// `logwell.started`: which version runs with which configuration.
    pub(crate) fn started(&self) -> Record {
        let mut fields = head("logging started", "logwell.started");
        fields.push(Key::Name("version"), Value::Str(env!("CARGO_PKG_VERSION")));
        fields.push(Key::Name("schema"), Value::U64(SCHEMA));
        fields.push(Key::Name("config"), Value::Str(&self.config_fingerprint));
        fields.push(Key::Name("boot_id"), Value::Str(&self.boot_id.to_string()));
        if let Some(why) = &self.diverted {
            fields.push(Key::Name("diverted"), Value::Str(why));
        }
        if let Some(what) = &self.silence {
            fields.push(Key::Name("silent"), Value::Str(what));
        }
        if !self.degraded.is_empty() {
            fields.push(Key::Name("degraded"), Value::Str(&self.degraded));
        }
        Record { unix_ns: self.unix_ns, ..record(*INFO, fields) }
    }

    /// `logwell.dropped`: how many records are missing, by level and reason.
    ///
    /// `times` are those of the first and the last of them, in nanoseconds since 1970.
    pub(crate) fn dropped(&self, dropped: &Dropped, times: (u64, u64)) -> Record {
        let mut fields = head("records were dropped", "logwell.dropped");
        for (name, unix_ns) in [("first", times.0), ("last", times.1)] {
            fields.push(Key::Name(name), Value::Str(&clock::utc_text(unix_ns)));
        }
        push_dropped(&mut fields, dropped);
        record(*WARN, fields)
    }

    /// `logwell.filtered`: how many records that have a number were kept out of the ledger: since
    /// it was last said, and in all. So a gap in the numbers is distinguishable from a loss.
    pub(crate) fn filtered(&self, sink: &str, filtered: &Filtered) -> Record {
        let mut fields = head("records are kept out of a file by its level", "logwell.filtered");
        fields.push(Key::Name("sink"), Value::Str(sink));
        fields.push(Key::Name("filtered"), Value::U64(filtered.total - filtered.told));
        fields.push(Key::Name("first_seq"), Value::U64(filtered.first_seq));
        fields.push(Key::Name("total"), Value::U64(filtered.total));
        record(*INFO, fields)
    }

    /// `logwell.recovered`: a sink works again; what was wrong, for how long, and what is missing.
    pub(crate) fn recovered(&self, recovered: &SinkRecovered) -> Record {
        let mut fields = head("a sink works again", "logwell.recovered");
        fields.push(Key::Name("sink"), Value::Str(&recovered.sink));
        fields.push(Key::Name("problem"), Value::Str(&recovered.problem));
        let failed_ms = u64::try_from(recovered.failed_for.as_millis()).unwrap_or(u64::MAX);
        fields.push(Key::Name("failed_ms"), Value::U64(failed_ms));
        fields.push(Key::Name("dropped"), Value::U64(recovered.dropped));
        record(*WARN, fields)
    }

    /// `logwell.black_box`: what was found in the box of a process that has ended.
    pub(crate) fn found(&self, found: &RecoveredRecords) -> Record {
        let message = "the records of a process that ended without shutdown are complete now";
        let broken = "some records of a process that ended without shutdown were lost";
        let is_whole = found.lost + found.damaged == 0;
        let mut fields = head(if is_whole { message } else { broken }, "logwell.black_box");
        fields.push(Key::Name("boot_id"), Value::Str(&Id::Span(found.origin.boot).to_string()));
        for (name, count) in [
            ("of_process", found.origin.process.into()),
            ("first_seq", found.first_seq),
            ("last_seq", found.last_seq),
            ("recovered", found.recovered),
            ("filtered", found.filtered),
            ("lost", found.lost),
            ("damaged", found.damaged),
        ] {
            fields.push(Key::Name(name), Value::U64(count));
        }
        record(if is_whole { *INFO } else { *WARN }, fields)
    }

    /// `logwell.stopped`: the receipt.
    pub(crate) fn stopped(&self, receipt: &Receipt) -> Record {
        let mut fields = head("logging stopped", "logwell.stopped");
        fields.push(Key::Name("boot_id"), Value::Str(&self.boot_id.to_string()));
        let captured = receipt.received + receipt.dropped.total();
        fields.push(Key::Name("captured"), Value::U64(captured));
        fields.push(Key::Name("received"), Value::U64(receipt.received));
        push_dropped(&mut fields, &receipt.dropped);
        let mut count = |of: &str, what: &str, number: u64| {
            fields.push(Key::Name(&format!("{of}.{what}")), Value::U64(number));
        };
        for sink in &receipt.sinks {
            count(&sink.name, "routed", sink.routed);
            count(&sink.name, "written", sink.written);
            count(&sink.name, "dropped", sink.dropped());
        }
        for (destination, records) in &receipt.unsent {
            count("unsent", destination, *records);
        }
        let elapsed_ms = u64::try_from(receipt.elapsed.as_millis()).unwrap_or(u64::MAX);
        fields.push(Key::Name("elapsed_ms"), Value::U64(elapsed_ms));
        record(*INFO, fields)
    }
}

/// What is known of a panic.
#[derive(Debug)]
pub(crate) struct Panic<'a> {
    pub(crate) message: &'a str,
    pub(crate) location: Option<String>,
    pub(crate) backtrace: Option<String>,
    pub(crate) context: Option<Arc<SpanContext>>,
    pub(crate) max_text_bytes: usize,
}

/// `logwell.panic`: a thread has panicked; made on that thread.
pub(crate) fn panicked(panic: Panic<'_>) -> Record {
    let limit = panic.max_text_bytes;
    let mut fields = Fields::new();
    let message = format!("panicked: {}", panic.message);
    fields.push_cut(Key::Index(0), Value::Str(&message), limit);
    fields.push(Key::Index(1), Value::Str("logwell.panic"));
    for (name, text) in [("location", panic.location), ("backtrace", panic.backtrace)] {
        if let Some(text) = text {
            fields.push_cut(Key::Name(name), Value::Str(&text), limit);
        }
    }
    let thread = thread::thread_name();
    Record { context: panic.context, thread, ..record(*CRITICAL, fields) }
}

/// `logwell.signal`: a signal has come that ends the process.
pub(crate) fn signalled(name: &str) -> Record {
    let mut fields = head(&format!("{name} received"), "logwell.signal");
    fields.push(Key::Name("signal"), Value::Str(name));
    record(*WARN, fields)
}

/// `logwell.metrics`: a metric has too many series.
#[cfg(feature = "metrics")]
pub(crate) fn too_many_series(overflow: &crate::metrics::guard::Overflow) -> Record {
    let mut fields = head(&overflow.to_string(), "logwell.metrics");
    fields.push(Key::Name("metric"), Value::Str(&overflow.metric));
    fields.push(Key::Name("max_series"), Value::U64(overflow.max_series as u64));
    if let Some((label, values)) = &overflow.widest {
        fields.push(Key::Name("label"), Value::Str(label));
        fields.push(Key::Name("label_values"), Value::U64(*values as u64));
    }
    record(*WARN, fields)
}

/// Makes now what would otherwise be made with the first record.
pub(crate) fn prepare() {
    LazyLock::force(&CRITICAL);
}

fn push_dropped(fields: &mut Fields, dropped: &Dropped) {
    fields.push(Key::Name("dropped"), Value::U64(dropped.total()));
    for (level, reason, count) in dropped.iter() {
        let name = format!("dropped.{level}.{}", reason.as_str());
        fields.push(Key::Name(&name), Value::U64(count));
    }
}

fn head(message: &str, kind: &str) -> Fields {
    let mut fields = Fields::new();
    fields.push(Key::Index(0), Value::Str(message));
    fields.push(Key::Index(1), Value::Str(kind));
    fields
}

/// What a process that has ended has dropped and not reported, reported in its place.
pub(crate) fn untold(left: &Recovered, origin: Origin) -> Option<Record> {
    if left.dropped.total() == 0 {
        return None;
    }
    let mut fields = head("records were dropped", "logwell.dropped");
    push_dropped(&mut fields, &left.dropped);
    let last = left.records.last();
    Some(Record {
        seq: left.last_seq + 1,
        unix_ns: last.map_or(left.unix_ns, Record::unix_ns), // the same whenever it is told
        origin: Some(Arc::new(origin)),
        ..record(*WARN, fields)
    })
}

fn record(callsite: &'static Callsite, fields: Fields) -> Record {
    Record {
        callsite,
        unix_ns: clock::unix_ns(),
        seq: 0,
        context: None,
        thread: "logwell".into(),
        fields,
        fields_left_out: 0,
        origin: None,
    }
}

static INFO: LazyLock<&Callsite> = LazyLock::new(|| callsite(Level::Info));
static CRITICAL: LazyLock<&Callsite> = LazyLock::new(|| callsite(Level::Critical));
static WARN: LazyLock<&Callsite> = LazyLock::new(|| callsite(Level::Warn));

fn callsite(level: Level) -> &'static Callsite {
    Callsite::leak(Place {
        level,
        target: "logwell",
        name: "logwell",
        module: None,
        file: None,
        line: None,
        fields: Box::new(["message", "kind"]),
        kind: Kind::Internal,
    })
}
