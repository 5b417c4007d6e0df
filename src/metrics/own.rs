//! Own: logwell's counters as metrics.
//!
//! Knows every counter of [`Stats`], and nothing of how it is counted. A look at the counters goes
//! in, families come out.

use crate::metrics::exposition::Exposition;
use crate::metrics::format::{Kind, Number};
use crate::record::level::Level;
use crate::record::stats::{DestinationStats, Reason, SinkStats, Stats};

/// What a metric of a sink is: its name, its help text, and where it is.
type Of<T> = (Kind, &'static str, &'static str, fn(&T) -> Number);

/// Counters of each sink. `written + refused + lost + paused` are routed but for those in hand.
const SINK: &[Of<SinkStats>] = &[
    (Kind::Counter, "logwell_sink_routed_total", "Records meant for the sink.", |s| {
        s.routed.into()
    }),
    (Kind::Counter, "logwell_sink_written_total", "Records the sink handed on.", |s| {
        s.written.into()
    }),
    (Kind::Gauge, "logwell_sink_in_hand", "Records the sink has not handed on yet.", |s| {
        s.in_hand().into()
    }),
    (Kind::Counter, "logwell_sink_panics_total", "Panics of the sink.", |s| s.panics.into()),
    (Kind::Counter, "logwell_sink_errors_total", "Errors the sink reported.", |s| s.errors.into()),
    (
        Kind::Gauge,
        "logwell_sink_failing",
        "1 if the sink has failed and handed on nothing since.",
        |s| s.is_failing.into(),
    ),
];

/// Counters of each destination.
const DESTINATION: &[Of<DestinationStats>] = &[
    (
        Kind::Counter,
        "logwell_destination_found_total",
        "Records on disk already at the start.",
        |d| d.found.into(),
    ),
    (
        Kind::Counter,
        "logwell_destination_delivered_total",
        "Records the other side has taken.",
        |d| d.delivered.into(),
    ),
    (Kind::Counter, "logwell_destination_refused_total", "Records refused for good.", |d| {
        d.refused.into()
    }),
    (Kind::Counter, "logwell_destination_failed_attempts_total", "Attempts that failed.", |d| {
        d.failed_attempts.into()
    }),
    (
        Kind::Counter,
        "logwell_destination_evicted_total",
        "Records deleted for want of room, or too old.",
        |d| d.evicted.into(),
    ),
    (
        Kind::Counter,
        "logwell_destination_damaged_total",
        "Records on disk that cannot be read.",
        |d| d.damaged.into(),
    ),
    (Kind::Gauge, "logwell_destination_waiting", "Records that wait on disk.", |d| {
        d.waiting.into()
    }),
    (Kind::Gauge, "logwell_destination_waiting_bytes", "Bytes they take.", |d| {
        d.waiting_bytes.into()
    }),
    (
        Kind::Gauge,
        "logwell_destination_oldest_timestamp_seconds",
        "When the oldest that waits was logged, since 1970; 0 if none waits.",
        oldest,
    ),
    (Kind::Gauge, "logwell_destination_failing", "1 if the last attempt failed.", |d| {
        d.problem.is_some().into()
    }),
];

fn oldest(destination: &DestinationStats) -> Number {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    Number::Float(destination.oldest_unix_ms.unwrap_or_default() as f64 / 1e3)
}

/// What is looked at for each page.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) stats: Stats,
    /// How many problems the health of logging has.
    pub(crate) problems: usize,
    /// How many records the queue holds.
    pub(crate) queue_size: usize,
}

/// Writes all counters.
pub(crate) fn write(look: &Look, page: &mut Exposition) {
    let Look { stats, problems, queue_size } = look;
    let help = "Records the queue holds at most.";
    page.family(Kind::Gauge, "logwell_queue_size_records", help).sample(&[], *queue_size as u64);
    records(stats, page);
    let help = "Current problems of logging; its health names them.";
    page.family(Kind::Gauge, "logwell_health_problems", help).sample(&[], *problems as u64);
    for (kind, name, help, value) in SINK {
        let mut family = page.family(*kind, name, help);
        for sink in &stats.sinks {
            family = family.sample(&[("sink", &sink.name)], value(sink));
        }
    }
    let help = "Records meant for the sink that will never arrive, by reason.";
    let mut family = page.family(Kind::Counter, "logwell_sink_dropped_total", help);
    for sink in &stats.sinks {
        for (reason, count) in
            [("refused", sink.refused), ("lost", sink.lost), ("paused", sink.paused)]
        {
            family = family.sample(&[("sink", &sink.name), ("reason", reason)], count);
        }
    }
    if stats.destinations.is_empty() {
        return;
    }
    for (kind, name, help, value) in DESTINATION {
        let mut family = page.family(*kind, name, help);
        for destination in &stats.destinations {
            family = family.sample(&[("destination", &destination.name)], value(destination));
        }
    }
}

fn records(stats: &Stats, page: &mut Exposition) {
    let help = "Records taken from the queue, by level.";
    let mut family = page.family(Kind::Counter, "logwell_records_received_total", help);
    for (level, count) in Level::ALL.into_iter().zip(stats.received_by_level) {
        family = family.sample(&[("level", level.as_str())], count);
    }
    let help = "Records dropped before the queue, by level and reason.";
    let mut family = page.family(Kind::Counter, "logwell_records_dropped_total", help);
    for level in Level::ALL {
        for reason in Reason::ALL {
            let labels = [("level", level.as_str()), ("reason", reason.as_str())];
            family = family.sample(&labels, stats.dropped.get(level, *reason));
        }
    }
    drop(family);
    for (kind, name, help, value) in [
        (Kind::Gauge, "logwell_queue_records", "Records that wait in the queue.", stats.in_queue),
        (
            Kind::Gauge,
            "logwell_queue_bytes",
            "Bytes they take on the heap.",
            stats.queue_heap_bytes,
        ),
        (
            Kind::Counter,
            "logwell_own_records_total",
            "Records logwell wrote about itself.",
            stats.own,
        ),
        (
            Kind::Counter,
            "logwell_redacted_values_total",
            "Values in which a secret was masked.",
            stats.redacted_values,
        ),
        (
            Kind::Counter,
            "logwell_unformatted_values_total",
            "Values that panicked or failed while formatted.",
            stats.unformatted_values,
        ),
        (
            Kind::Counter,
            "logwell_unprotected_records_total",
            "Records without a copy in the black box.",
            stats.unprotected,
        ),
    ] {
        page.family(kind, name, help).sample(&[], value);
    }
}
