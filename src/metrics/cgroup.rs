//! Cgroup: the limits that a container or a service manager has set for this process.
//!
//! Knows the files of cgroup v2, and the two limits of v1. Does not know containers. A process
//! without limits writes no limit.

use crate::metrics::exposition::Exposition;
use crate::metrics::format::Kind;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes what can be read of the process's own group.
pub(crate) fn write(page: &mut Exposition) {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let root = Path::new("/sys/fs/cgroup");
    write_group(&read(&groups, root), page);
}

/// What a group may use, and uses.
#[derive(Debug, Default, PartialEq)]
struct Group {
    memory_limit_bytes: Option<u64>,
    memory_bytes: Option<u64>,
    cpu_limit_cores: Option<f64>,
    throttled_us: Option<u64>,
    processes_limit: Option<u64>,
    processes: Option<u64>,
    out_of_memory_kills: Option<u64>,
}

fn read(groups: &str, root: &Path) -> Group {
    let unified = groups.lines().find_map(|line| line.strip_prefix("0::"));
    if let Some(group) = unified.map(|path| of(root, path)).filter(|path| path.exists()) {
        let found = read_unified(Place { group: &group, root });
        if found != Group::default() {
            return found;
        }
    }
    let controller = |name: &str| {
        let lines = groups.lines().map(|line| line.splitn(3, ':'));
        let mut path = lines.filter_map(|mut parts| {
            let has = parts.nth(1)?.split(',').any(|controller| controller == name);
            has.then(|| parts.next()).flatten()
        });
        path.next().map(|path| of(&root.join(name), path))
    };
    let (memory, cpu) = (controller("memory"), controller("cpu"));
    let number = |folder: &Option<PathBuf>, file| number(folder.as_ref()?, file);
    let quota = number(&cpu, "cpu.cfs_quota_us").zip(number(&cpu, "cpu.cfs_period_us"));
    Group {
        // Without a limit it is the largest number of pages.
        memory_limit_bytes: number(&memory, "memory.limit_in_bytes")
            .filter(|bytes| bytes >> 60 == 0),
        memory_bytes: number(&memory, "memory.usage_in_bytes"),
        cpu_limit_cores: quota.map(cores),
        ..Group::default()
    }
}

/// The folder of a group; inside a container its path may not be there, and the root is its own.
fn of(root: &Path, path: &str) -> PathBuf {
    let folder = root.join(path.trim_start_matches('/'));
    if folder.exists() { folder } else { root.to_owned() }
}

/// A group's folder, and that of the group around all.
struct Place<'a> {
    group: &'a Path,
    root: &'a Path,
}

fn read_unified(Place { group, root }: Place<'_>) -> Group {
    let text = |file: &str| fs::read_to_string(group.join(file)).unwrap_or_default();
    let entry = |file: &str, key: &str| {
        let text = text(file);
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse::<u64>().ok())
    };
    // A limit of a group further up binds as well: the least one counts.
    let up = || group.ancestors().take_while(|folder| folder.starts_with(root));
    let quota = |folder: &Path| {
        let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
        let (quota, period) = text.trim().split_once(' ')?;
        Some(cores((quota.parse().ok()?, period.parse().ok()?)))
    };
    Group {
        memory_limit_bytes: up().filter_map(|folder| number(folder, "memory.max")).min(),
        memory_bytes: number(group, "memory.current"),
        cpu_limit_cores: up().filter_map(quota).min_by(f64::total_cmp),
        throttled_us: entry("cpu.stat", "throttled_usec"),
        processes_limit: up().filter_map(|folder| number(folder, "pids.max")).min(),
        processes: number(group, "pids.current"),
        out_of_memory_kills: entry("memory.events", "oom_kill"),
    }
}

/// The number in that file; `max` is none.
fn number(folder: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a second")]
fn cores((quota_us, period_us): (u64, u64)) -> f64 {
    quota_us as f64 / period_us.max(1) as f64
}

fn write_group(group: &Group, page: &mut Exposition) {
    let whole = |name, help, value: Option<u64>| (Kind::Gauge, name, help, value);
    for (kind, name, help, value) in [
        whole("cgroup_memory_limit_bytes", "Most memory of the group.", group.memory_limit_bytes),
        whole("cgroup_memory_bytes", "Memory of the group, caches included.", group.memory_bytes),
        whole("cgroup_processes_limit", "Most threads of the group.", group.processes_limit),
        whole("cgroup_processes", "Threads of the group.", group.processes),
        (
            Kind::Counter,
            "cgroup_out_of_memory_kills_total",
            "Processes of the group killed for want of memory.",
            group.out_of_memory_kills,
        ),
    ] {
        if let Some(value) = value {
            page.family(kind, name, help).sample(&[], value);
        }
    }
    if let Some(cores) = group.cpu_limit_cores {
        let help = "Processors' worth of time the group may use.";
        page.family(Kind::Gauge, "cgroup_cpu_limit_cores", help).sample(&[], cores);
    }
    if let Some(throttled_us) = group.throttled_us {
        #[expect(clippy::cast_precision_loss, reason = "exact for hundreds of years")]
        let seconds = throttled_us as f64 / 1e6;
        let help = "Time in which the group had to wait for its share.";
        page.family(Kind::Counter, "cgroup_cpu_throttled_seconds_total", help).sample(&[], seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn the_least_limit_of_the_group_and_those_around_it_counts() {
        let dir = tree(&[
            ("a/memory.max", "1000\n"),
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.current", "77\n"),
            ("a/b/cpu.max", "150000 100000\n"),
            ("a/cpu.max", "max 100000\n"),
            ("a/b/cpu.stat", "usage_usec 5\nthrottled_usec 2500000\n"),
            ("a/b/memory.events", "oom 1\noom_kill 2\n"),
            ("a/b/pids.max", "max\n"),
        ]);
        let group = read("0::/a/b\n", dir.path());
        let expected = Group {
            memory_limit_bytes: Some(1_000),
            memory_bytes: Some(77),
            cpu_limit_cores: Some(1.5),
            throttled_us: Some(2_500_000),
            out_of_memory_kills: Some(2),
            ..Group::default()
        };
        assert_eq!(group, expected);
    }

    #[test]
    fn inside_a_container_the_root_is_the_groups_own() {
        let dir = tree(&[("memory.max", "4096\n")]);
        let group = read("0::/system.slice/not-here\n", dir.path());
        assert_eq!(group.memory_limit_bytes, Some(4_096));
    }

    #[test]
    fn limits_of_the_older_version_are_read() {
        let dir = tree(&[
            ("memory/x/memory.limit_in_bytes", "8192\n"),
            ("memory/x/memory.usage_in_bytes", "5\n"),
            ("cpu/y/cpu.cfs_quota_us", "50000\n"),
            ("cpu/y/cpu.cfs_period_us", "100000\n"),
        ]);
        let group = read("5:memory:/x\n4:cpuacct,cpu:/y\n", dir.path());
        let expected = Group {
            memory_limit_bytes: Some(8_192),
            memory_bytes: Some(5),
            cpu_limit_cores: Some(0.5),
            ..Group::default()
        };
        assert_eq!(group, expected);
        assert_eq!(read("", dir.path()), Group::default());
    }
}
