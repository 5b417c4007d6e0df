//! Counters: one look at the machine, read from the texts of Linux's files.
//!
//! Knows: the formats of those files. Must not know: where they are, or what a number means for
//! anybody. In: texts; out: numbers. What a text does not have is none.

use std::collections::BTreeMap;

/// One look at the machine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// When, in milliseconds of a monotonic clock.
    pub mono_ms: u64,
    /// Time of all processors.
    pub cpu: Option<CpuTime>,
    /// Memory of the machine.
    pub memory: Option<Memory>,
    /// What the own control group may use and uses.
    pub cgroup: Cgroup,
    /// Mean number of processes that want to run, over a minute.
    pub load: Option<f64>,
    /// How long the machine has been running, in seconds.
    pub uptime_s: Option<f64>,
    /// How much of the last minute some process waited, in percent, for `cpu`, `memory`, `io`.
    pub pressure: BTreeMap<String, f64>,
    /// Bytes of each network interface but the own machine's.
    pub network: BTreeMap<String, Traffic>,
    /// Mounted disks.
    pub mounts: Vec<Mount>,
}

/// Time that processors spent, in ticks since the start of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTime {
    /// Doing something.
    pub busy: u64,
    /// In all.
    pub total: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What programs can still have, page cache included.
    pub available: u64,
}

/// A control group's limits and use (cgroup v2).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cgroup {
    /// How much memory it may use, in bytes.
    pub memory_max: Option<u64>,
    /// How much it uses, without page cache that can be given up.
    pub memory_used: Option<u64>,
    /// How many processors it may use.
    pub cpu_max: Option<f64>,
    /// Processor time it used, in microseconds.
    pub cpu_used_us: Option<u64>,
}

/// Bytes since the start of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// A mounted disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// Its bytes that are used, and that may still be.
    pub bytes: (u64, u64),
    /// Its inodes that are used, and that may still be.
    pub inodes: (u64, u64),
}

/// `/proc/stat`: the line of all processors.
pub(super) fn cpu(text: &str) -> Option<CpuTime> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    // Guests' time is in that of users; the first eight are all there is.
    let total = ticks.iter().take(8).sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Some(CpuTime { busy: total - idle, total })
}

/// `/proc/meminfo`.
pub(super) fn memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
    };
    Some(Memory { total: bytes("MemTotal")?, available: bytes("MemAvailable")? })
}

/// The first number of a text: `/proc/loadavg`, `/proc/uptime`, `memory.current`.
pub(super) fn first<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.split_whitespace().next()?.parse().ok()
}

/// `/proc/pressure/…`: the share of the last minute in which some process waited.
pub(super) fn pressure(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    some.split_whitespace().find_map(|part| part.strip_prefix("avg60="))?.parse().ok()
}

/// `cpu.max`: quota and period in microseconds; `max` is no limit.
pub(super) fn cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0.0 && quota > 0.0).then(|| quota / period)
}

/// The text of `cpu.stat` or `memory.stat`.
pub(super) struct Stat<'a>(pub(super) &'a str);

impl Stat<'_> {
    /// The number of that name.
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        let number = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        self.0.lines().find_map(number)
    }
}

/// `/proc/net/dev`.
pub(super) fn network(text: &str) -> BTreeMap<String, Traffic> {
    let interface = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let mut numbers = numbers.split_whitespace().map(str::parse);
        let received = numbers.next()?.ok()?;
        let sent = numbers.nth(7)?.ok()?;
        let name = name.trim();
        (name != "lo").then(|| (name.to_owned(), Traffic { received, sent }))
    };
    text.lines().filter_map(interface).collect()
}

/// `/proc/self/mounts`: places of file systems on disks, each device once.
pub(super) fn mounts(text: &str) -> Vec<String> {
    let (mut devices, mut places) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut fields = line.split(' ');
        let (Some(device), Some(place), Some(kind)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let is_root = place == "/" && kind == "overlay";
        let is_disk = device.starts_with('/') || DISKS.contains(&kind) || is_root;
        if is_disk && !READ_ONLY.contains(&kind) && !devices.contains(&device) {
            devices.push(device);
            places.push(unescape(place));
        }
    }
    places
}

/// Spaces and such are three octal digits.
fn unescape(place: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(place.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// File systems without a device's path that are disks all the same.
const DISKS: [&str; 3] = ["zfs", "nfs", "nfs4"];
/// File systems that are always full.
const READ_ONLY: [&str; 3] = ["squashfs", "iso9660", "erofs"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        let stat = "cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5";
        assert_eq!(cpu(stat), Some(CpuTime { busy: 81, total: 531 }));
        let meminfo = "MemTotal:       1000 kB\nMemFree: 10 kB\nMemAvailable:    250 kB\n";
        assert_eq!(memory(meminfo), Some(Memory { total: 1_024_000, available: 256_000 }));
        assert_eq!(first::<f64>("0.52 0.4 0.3 1/99 7\n"), Some(0.52));
        assert_eq!(pressure("some avg10=1.5 avg60=2.25 avg300=0 total=9\nfull x"), Some(2.25));
        assert_eq!(cpu_max("150000 100000\n"), Some(1.5));
        assert_eq!(cpu_max("max 100000\n"), None);
        assert_eq!(Stat("usage_usec 77\nuser_usec 5\n").get("usage_usec"), Some(77));
        let dev = "Inter-|\n face |bytes\n lo: 1 0 0 0 0 0 0 0 2 0\neth0: 5 0 0 0 0 0 0 0 6 0 0\n";
        let traffic = network(dev);
        assert_eq!(traffic.len(), 1);
        assert_eq!(traffic["eth0"], Traffic { received: 5, sent: 6 });
        let table = "proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n/dev/vda /again ext4 rw 0 0\n\
            /dev/loop1 /snap squashfs ro\n/dev/vdb /my\\040disk xfs rw\ntmpfs /tmp tmpfs\n";
        assert_eq!(mounts(table), ["/", "/my disk"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[a-z0-9 :\\n/.=-]{0,200}") {
            let _ = (cpu(&text), memory(&text), pressure(&text), cpu_max(&text));
            let _ = (network(&text), mounts(&text), Stat(&text).get("a"), first::<u64>(&text));
        }
    }
}
