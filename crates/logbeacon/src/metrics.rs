//! Metrics: what the server counts, and its text for Prometheus.
//!
//! Knows its own counters and the figures of the store. Counters only rise, from the start of the
//! process; their names are part of the interface.

use crate::decode::draft::Reason;
use crate::ingest::Receipt;
use logbeacon_store::{Device, Health};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// The protocols by which records come in.
pub const PROTOCOLS: [&str; 10] =
    ["beacon", "ndjson", "bulk", "loki", "otlp", "gelf", "syslog", "hec", "datadog", "journald"];

/// The counters of a server.
#[derive(Debug, Default)]
pub struct Metrics {
    accepted: [AtomicU64; PROTOCOLS.len()],
    duplicate: [AtomicU64; PROTOCOLS.len()],
    refused: [AtomicU64; Reason::ALL.len()],
    events: [AtomicU64; Event::ALL.len()],
}

/// What happens now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A request was answered with 429: the store is full, or too much is on its way.
    Busy,
    /// A request was answered with 429: its token sends more than it may.
    RateLimited,
    /// A request was answered with 507: the disk is full.
    DiskFull,
    /// A request had no token, or one that nobody has.
    Unauthorized,
    /// A request had a token that does not allow it.
    ForbiddenRequest,
    /// A search was cut short by its budget of time or memory.
    BudgetDenied,
    /// A search ended because its reader had gone.
    SearchCancelled,
    /// An answer came from the cache.
    CacheHit,
    /// A record was not shown to those who follow, because they are too slow.
    TailDropped,
    /// A syslog message was dropped because the store took nothing, or it came by UDP and too fast.
    SyslogDropped,
    /// A request failed by a fault of the server.
    Fault,
}

impl Event {
    /// All events, in the order of their names' appearance.
    pub const ALL: [Self; 11] = [
        Self::Busy,
        Self::RateLimited,
        Self::DiskFull,
        Self::Unauthorized,
        Self::ForbiddenRequest,
        Self::BudgetDenied,
        Self::SearchCancelled,
        Self::CacheHit,
        Self::TailDropped,
        Self::SyslogDropped,
        Self::Fault,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::RateLimited => "rate_limited",
            Self::DiskFull => "disk_full",
            Self::Unauthorized => "unauthorized",
            Self::ForbiddenRequest => "forbidden",
            Self::BudgetDenied => "budget_denied",
            Self::SearchCancelled => "search_cancelled",
            Self::CacheHit => "cache_hit",
            Self::TailDropped => "tail_dropped",
            Self::SyslogDropped => "syslog_dropped",
            Self::Fault => "fault",
        }
    }
}

impl Metrics {
    /// Counts the outcomes of a request.
    pub fn received(&self, protocol: &str, receipt: &Receipt) {
        let index = PROTOCOLS.iter().position(|name| *name == protocol);
        for (counters, count) in
            [(&self.accepted, receipt.accepted()), (&self.duplicate, receipt.duplicate())]
        {
            if let Some(counter) = index.and_then(|index| counters.get(index)) {
                counter.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: Reason) {
        add(&self.refused, reason as usize, 1);
    }

    /// Counts an event.
    pub fn count(&self, event: Event) {
        add(&self.events, event as usize, 1);
    }

    /// Counts several.
    pub fn count_many(&self, event: Event, count: u64) {
        add(&self.events, event as usize, count);
    }

    /// How often it has happened.
    #[must_use]
    pub fn get(&self, event: Event) -> u64 {
        self.events.get(event as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// The exposition in Prometheus' text format.
    #[must_use]
    pub fn text(
        &self,
        health: &Health,
        (devices, silent): (&[Device], &HashSet<String>),
        now_ns: i64,
    ) -> String {
        let mut out = String::new();
        self.own(&mut out);
        of_store(health, &mut out);
        head(&mut out, "device_silent_seconds", "gauge", "Time since a device's last record came.");
        for device in devices.iter().take(MAX_DEVICES) {
            let silent_ns = now_ns.saturating_sub(device.last_arrived_ns).max(0);
            let labels = [("host", device.host.as_str())];
            sample(&mut out, ("device_silent_seconds", &labels), silent_ns / 1_000_000_000);
        }
        head(&mut out, "device_silent", "gauge", "1 for a device that was active and fell silent.");
        for device in devices.iter().take(MAX_DEVICES) {
            let is_silent = u8::from(silent.contains(&device.host));
            sample(&mut out, ("device_silent", &[("host", device.host.as_str())]), is_silent);
        }
        head(&mut out, "devices_silent", "gauge", "Devices that were active and fell silent.");
        sample(&mut out, ("devices_silent", &[]), silent.len());
        head(&mut out, "devices", "gauge", "Devices whose records are kept.");
        sample(&mut out, ("devices", &[]), devices.len());
        out
    }

    fn own(&self, out: &mut String) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, counters, help) in [
            ("accepted_records_total", &self.accepted, "Records that were kept, by protocol."),
            ("duplicate_records_total", &self.duplicate, "Records that were there already."),
        ] {
            head(out, name, "counter", help);
            for (protocol, counter) in PROTOCOLS.iter().zip(counters) {
                sample(out, (name, &[("protocol", protocol)]), load(counter));
            }
        }
        head(out, "refused_records_total", "counter", "What was no record, by reason.");
        for (reason, counter) in Reason::ALL.iter().zip(&self.refused) {
            sample(out, ("refused_records_total", &[("reason", reason.code())]), load(counter));
        }
        head(out, "events_total", "counter", "What happens now and then, by kind.");
        for (event, counter) in Event::ALL.iter().zip(&self.events) {
            sample(out, ("events_total", &[("kind", event.name())]), load(counter));
        }
    }
}

/// More devices than this have no line of their own: an exposition is bounded.
const MAX_DEVICES: usize = 1000;

fn add(counters: &[AtomicU64], index: usize, count: u64) {
    if let Some(counter) = counters.get(index) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn of_store(health: &Health, out: &mut String) {
    for (name, value, help) in [
        ("store_records", health.rows, "Records that can be found."),
        ("store_head_records", health.head_rows, "Records in the journal and in no part yet."),
        ("store_head_bytes", health.head_bytes, "Memory of those records."),
        ("store_journal_bytes", health.journal_bytes, "Bytes of the journal."),
        ("store_parts", health.parts, "Part files."),
        ("store_part_bytes", health.part_bytes, "Bytes of part files."),
        ("store_damaged_files", health.damaged.len() as u64, "Files that were put aside."),
        ("store_read_only", u64::from(health.read_only.is_some()), "1 while nothing is taken."),
    ] {
        head(out, name, "gauge", help);
        sample(out, (name, &[]), value);
    }
    head(out, "store_full_batches_total", "counter", "Batches for which there was no room.");
    sample(out, ("store_full_batches_total", &[]), health.full);
    head(out, "store_faults_total", "counter", "What went wrong in the store, by reason.");
    for (reason, count) in &health.faults {
        sample(out, ("store_faults_total", &[("reason", reason)]), count);
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text cannot fail.
    let _infallible = writeln!(out, "# HELP logbeacon_{name} {help}");
    let _infallible = writeln!(out, "# TYPE logbeacon_{name} {kind}");
}

fn sample(
    out: &mut String,
    (name, labels): (&str, &[(&str, &str)]),
    value: impl std::fmt::Display,
) {
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let braces =
        if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _infallible = writeln!(out, "logbeacon_{name}{braces} {value}");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposition_has_every_reason_and_escapes_names() {
        let metrics = Metrics::default();
        metrics.refused(Reason::NotJson);
        let device = Device {
            host: "a\"b\nc".to_owned(),
            last_event_ns: 0,
            last_arrived_ns: 1_000_000_000,
            count: 1,
        };
        let text = metrics.text(
            &Health::default(),
            (&[device], &HashSet::from(["x".to_owned()])),
            5_000_000_000,
        );
        assert!(text.contains("logbeacon_refused_records_total{reason=\"not_json\"} 1\n"));
        assert!(text.contains("logbeacon_device_silent_seconds{host=\"a\\\"b\\nc\"} 4\n"));
        assert!(text.contains("logbeacon_devices_silent 1\n"));
        for reason in Reason::ALL {
            assert!(text.contains(&format!("reason=\"{}\"", reason.code())));
        }
        for line in text.lines() {
            assert!(line.starts_with("# ") || line.starts_with("logbeacon_"), "{line}");
        }
    }
}
