//! Metrics: what two looks at the machine say of the time between them.
//!
//! Knows: shares, rates, and which limit counts. Must not know: files or rules. In: two snapshots;
//! out: metrics. Counters that went back are no data.

use super::counters::{Cgroup, Snapshot};
use crate::identity::Labels;
use crate::rule::{Sample, Seen};
use std::collections::BTreeMap;

/// The two newest looks at a machine.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    /// The older one.
    pub before: &'a Snapshot,
    /// The newer one.
    pub now: &'a Snapshot,
}

/// The metrics of a machine.
///
/// In a container with limits, `host.used_percent` is of what it may use. Memory that can be given
/// up at any time, such as page cache, is not used.
#[must_use]
pub fn metrics(looks: Looks<'_>) -> BTreeMap<&'static str, Vec<Sample>> {
    let Looks { before, now } = looks;
    let mut metrics = Metrics::default();
    metrics.add("host.used_percent", ("resource", "cpu"), cpu_percent(looks));
    metrics.add("host.used_percent", ("resource", "memory"), memory_percent(now));
    metrics.add("host.load", ("", ""), now.load);
    metrics.add("host.uptime_seconds", ("", ""), now.uptime_s);
    for (resource, percent) in &now.pressure {
        metrics.add("host.pressure_percent", ("resource", resource), Some(*percent));
    }
    for mount in &now.mounts {
        let label = ("mount", mount.path.as_str());
        metrics.add("host.disk_used_percent", label, share(mount.bytes));
        metrics.add("host.disk_free_bytes", label, Some(mount.bytes.1 as f64));
        metrics.add("host.inodes_used_percent", label, share(mount.inodes));
    }
    let seconds = now.mono_ms.saturating_sub(before.mono_ms) as f64 / 1_000.0;
    for (name, traffic) in &now.network {
        let Some(old) = before.network.get(name) else { continue };
        let rate = |now: u64, old: u64| {
            let bytes = now.checked_sub(old)? as f64;
            (seconds > 0.0).then(|| bytes / seconds)
        };
        let label = ("interface", name.as_str());
        let (received, sent) = (rate(traffic.received, old.received), rate(traffic.sent, old.sent));
        metrics.add("host.received_bytes_per_second", label, received);
        metrics.add("host.sent_bytes_per_second", label, sent);
    }
    metrics.0
}

#[derive(Default)]
struct Metrics(BTreeMap<&'static str, Vec<Sample>>);

impl Metrics {
    fn add(&mut self, metric: &'static str, (name, value): (&str, &str), found: Option<f64>) {
        let label = (name.to_owned(), value.to_owned());
        let labels = if name.is_empty() { Labels::new() } else { Labels::from([label]) };
        let reading = found.map_or(Seen::NoData, Seen::Value);
        self.0.entry(metric).or_default().push(Sample { labels, reading });
    }
}

/// How much is used of what there is and of what may still be used, in percent.
fn share((used, free): (u64, u64)) -> Option<f64> {
    let all = used.checked_add(free).filter(|all| *all > 0)?;
    Some(100.0 * used as f64 / all as f64)
}

fn cpu_percent(looks: Looks<'_>) -> Option<f64> {
    if let Some(percent) = cgroup_cpu_percent(looks) {
        return Some(percent);
    }
    let Looks { before, now } = looks;
    let (old, new) = (before.cpu?, now.cpu?);
    let total = new.total.checked_sub(old.total).filter(|total| *total > 0)?;
    let busy = new.busy.checked_sub(old.busy)?;
    Some((100.0 * busy as f64 / total as f64).min(100.0))
}

fn cgroup_cpu_percent(Looks { before, now }: Looks<'_>) -> Option<f64> {
    let Cgroup { cpu_max: Some(processors), cpu_used_us: Some(new), .. } = now.cgroup else {
        return None;
    };
    let used_us = new.checked_sub(before.cgroup.cpu_used_us?)? as f64;
    let passed_ms = now.mono_ms.checked_sub(before.mono_ms).filter(|ms| *ms > 0)? as f64;
    Some((100.0 * used_us / (passed_ms * 1_000.0 * processors)).min(100.0))
}

fn memory_percent(now: &Snapshot) -> Option<f64> {
    let machine = now.memory;
    if let Cgroup { memory_max: Some(max), memory_used: Some(used), .. } = now.cgroup
        && machine.is_none_or(|machine| max < machine.total)
    {
        return share((used.min(max), max - used.min(max)));
    }
    let memory = machine?;
    share((memory.total.saturating_sub(memory.available), memory.available))
}

#[cfg(test)]
mod tests {
    use super::super::counters::{CpuTime, Memory, Mount, Traffic};
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            mono_ms: 10_000,
            cpu: Some(CpuTime { busy: 100, total: 1_000 }),
            memory: Some(Memory { total: 1_000, available: 250 }),
            network: BTreeMap::from([("eth0".to_owned(), Traffic { received: 500, sent: 500 })]),
            mounts: vec![Mount { path: "/".into(), bytes: (30, 10), inodes: (0, 0) }],
            ..Snapshot::default()
        }
    }

    fn later() -> Snapshot {
        Snapshot {
            mono_ms: 20_000,
            cpu: Some(CpuTime { busy: 180, total: 1_100 }),
            network: BTreeMap::from([("eth0".to_owned(), Traffic { received: 1_500, sent: 400 })]),
            ..snapshot()
        }
    }

    fn value(metrics: &BTreeMap<&str, Vec<Sample>>, metric: &str, label: &str) -> Seen {
        let samples = metrics[metric].iter();
        let found =
            samples.filter(|it| it.labels.is_empty() || it.labels.values().any(|v| v == label));
        found.map(|sample| sample.reading.clone()).next().unwrap()
    }

    #[test]
    fn shares_and_rates_are_of_the_time_between_two_looks() {
        let metrics = metrics(Looks { before: &snapshot(), now: &later() });
        let value = |metric, label| value(&metrics, metric, label);
        assert_eq!(value("host.used_percent", "cpu"), Seen::Value(80.0));
        assert_eq!(value("host.used_percent", "memory"), Seen::Value(75.0));
        assert_eq!(value("host.disk_used_percent", "/"), Seen::Value(75.0));
        assert_eq!(value("host.received_bytes_per_second", "eth0"), Seen::Value(100.0));
        assert_eq!(value("host.sent_bytes_per_second", "eth0"), Seen::NoData, "it went back");
        assert_eq!(value("host.inodes_used_percent", "/"), Seen::NoData, "a disk without inodes");
        assert_eq!(value("host.load", ""), Seen::NoData);
    }

    #[test]
    fn limits_of_a_container_count_instead_of_the_machine() {
        let limits = |cpu_used_us| Cgroup {
            memory_max: Some(500),
            memory_used: Some(450),
            cpu_max: Some(0.5),
            cpu_used_us: Some(cpu_used_us),
        };
        let before = Snapshot { cgroup: limits(0), ..snapshot() };
        let now = Snapshot { cgroup: limits(2_500_000), ..later() };
        let metrics = metrics(Looks { before: &before, now: &now });
        assert_eq!(value(&metrics, "host.used_percent", "memory"), Seen::Value(90.0));
        assert_eq!(value(&metrics, "host.used_percent", "cpu"), Seen::Value(50.0));
    }

    #[test]
    fn the_first_look_has_no_rates() {
        let metrics = metrics(Looks { before: &later(), now: &later() });
        assert_eq!(value(&metrics, "host.used_percent", "cpu"), Seen::NoData);
        assert_eq!(value(&metrics, "host.used_percent", "memory"), Seen::Value(75.0));
    }
}
