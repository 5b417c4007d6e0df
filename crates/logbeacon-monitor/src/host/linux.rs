//! Linux: where the machine's numbers are.
//!
//! Knows: paths below `/proc` and `/sys`, under a root that a test may choose. Must not know: what
//! is in the files. In: a moment; out: a snapshot.

use super::counters::{self, Cgroup, Mount, Snapshot};
use std::path::{Path, PathBuf};

/// The files of a machine.
#[derive(Debug, Clone)]
pub struct Linux {
    root: PathBuf,
}

impl Default for Linux {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Linux {
    /// The files below another root, such as that of the machine in a container.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Looks at everything once. What cannot be read is none; it is no error to run elsewhere.
    /// Blocks on a file system that hangs, so it belongs on a thread of its own.
    #[must_use]
    pub fn look(&self, mono_ms: u64) -> Snapshot {
        let text = |path: &str| std::fs::read_to_string(self.root.join(path)).unwrap_or_default();
        let pressure = |name: &str| {
            let value = counters::pressure(&text(&format!("proc/pressure/{name}")))?;
            Some((name.to_owned(), value))
        };
        let places = counters::mounts(&text("proc/self/mounts"));
        Snapshot {
            mono_ms,
            cpu: counters::cpu(&text("proc/stat")),
            memory: counters::memory(&text("proc/meminfo")),
            cgroup: self.cgroup(),
            load: counters::first(&text("proc/loadavg")),
            uptime_s: counters::first(&text("proc/uptime")),
            pressure: ["cpu", "memory", "io"].into_iter().filter_map(pressure).collect(),
            network: counters::network(&text("proc/net/dev")),
            mounts: places.iter().filter_map(|place| self.mount(place)).collect(),
        }
    }

    /// The control group at the root is the own one in a container, and has no limits elsewhere.
    fn cgroup(&self) -> Cgroup {
        let text = |name: &str| {
            std::fs::read_to_string(self.root.join("sys/fs/cgroup").join(name)).unwrap_or_default()
        };
        let cache = counters::Stat(&text("memory.stat")).get("inactive_file").unwrap_or(0);
        let used: Option<u64> = counters::first(&text("memory.current"));
        Cgroup {
            memory_max: counters::first(&text("memory.max")),
            memory_used: used.map(|used| used.saturating_sub(cache)),
            cpu_max: counters::cpu_max(&text("cpu.max")),
            cpu_used_us: counters::Stat(&text("cpu.stat")).get("usage_usec"),
        }
    }

    #[cfg(unix)]
    fn mount(&self, place: &str) -> Option<Mount> {
        let stat = rustix::fs::statvfs(self.root.join(place.trim_start_matches('/'))).ok()?;
        let size = stat.f_frsize;
        let used = stat.f_blocks.saturating_sub(stat.f_bfree);
        let bytes = (used.saturating_mul(size), stat.f_bavail.saturating_mul(size));
        let inodes = (stat.f_files.saturating_sub(stat.f_ffree), stat.f_favail);
        (stat.f_blocks > 0).then(|| Mount { path: place.to_owned(), bytes, inodes })
    }

    #[cfg(not(unix))]
    fn mount(&self, _place: &str) -> Option<Mount> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_container_sees_its_own_limits() {
        let root = tempfile::tempdir().unwrap();
        let cgroup = root.path().join("sys/fs/cgroup");
        fs::create_dir_all(&cgroup).unwrap();
        fs::write(cgroup.join("memory.max"), "1000\n").unwrap();
        fs::write(cgroup.join("memory.current"), "700\n").unwrap();
        fs::write(cgroup.join("memory.stat"), "anon 5\ninactive_file 300\n").unwrap();
        fs::write(cgroup.join("cpu.max"), "50000 100000\n").unwrap();
        fs::write(cgroup.join("cpu.stat"), "usage_usec 9\n").unwrap();
        let found = Linux::below(root.path()).look(5);
        let expected = Cgroup {
            memory_max: Some(1_000),
            memory_used: Some(400),
            cpu_max: Some(0.5),
            cpu_used_us: Some(9),
        };
        assert_eq!(found, Snapshot { mono_ms: 5, cgroup: expected, ..Snapshot::default() });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_a_processor_memory_and_a_disk() {
        let here = Linux::default().look(0);
        assert!(here.cpu.unwrap().total > 0);
        assert!(here.memory.unwrap().total > here.memory.unwrap().available);
        assert!(here.uptime_s.unwrap() > 0.0);
        assert!(here.load.is_some());
    }
}
