//! System: what the machine says: processors, memory, and the disks by their mount points.
//!
//! Knows `/proc` and `statvfs`. Does not know this process. A file system of another machine is not
//! asked, since the answer may never come. Linux alone has them; elsewhere nothing is written.

use crate::metrics::exposition::Exposition;
use crate::metrics::format::Kind;
use crate::metrics::process::Units;
use std::collections::BTreeSet;
use std::fs;

/// File systems on disks of this machine. Others are in memory, of the kernel, or far away.
const ON_DISK: [&str; 12] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "ntfs3", "bcachefs",
    "overlay",
];

/// What the columns of `/proc/stat` are.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// Lines of `/proc/meminfo`, and the name of their state.
const MEMORY: [(&str, &str); 6] = [
    ("MemTotal:", "total"),
    ("MemFree:", "free"),
    ("MemAvailable:", "available"),
    ("Buffers:", "buffers"),
    ("Cached:", "cached"),
    ("SwapFree:", "swap_free"),
];

/// Writes what can be read.
pub(crate) fn write(page: &mut Exposition) {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    processors(&text("/proc/stat"), Units::of_this_machine(), page);
    memory(&text("/proc/meminfo"), page);
    if let Some((one, five, fifteen)) = load(&text("/proc/loadavg")) {
        let mut family = page.family(Kind::Gauge, "system_load", "Load average, by minutes.");
        for (minutes, load) in [("1", one), ("5", five), ("15", fifteen)] {
            family = family.sample(&[("minutes", minutes)], load);
        }
    }
    disks(&mounts(&text("/proc/self/mountinfo")), page);
}

#[expect(clippy::cast_precision_loss, reason = "exact for millions of years")]
fn processors(stat: &str, units: Units, page: &mut Exposition) {
    let Some(line) = stat.lines().find_map(|line| line.strip_prefix("cpu ")) else { return };
    let help = "Processor time of the machine, by mode, all processors together.";
    let mut family = page.family(Kind::Counter, "system_cpu_seconds_total", help);
    for (mode, ticks) in MODES.iter().zip(line.split_whitespace()) {
        let ticks = ticks.parse::<u64>().unwrap_or_default();
        family = family.sample(&[("mode", mode)], ticks as f64 / units.ticks_per_second);
    }
    drop(family);
    let is_processor = |line: &&str| {
        let number = line.strip_prefix("cpu").and_then(|rest| rest.bytes().next());
        number.is_some_and(|first| first.is_ascii_digit())
    };
    let count = stat.lines().filter(is_processor).count() as u64;
    page.family(Kind::Gauge, "system_cpus", "Processors of the machine.").sample(&[], count);
}

fn memory(meminfo: &str, page: &mut Exposition) {
    let mut family = page.family(Kind::Gauge, "system_memory_bytes", "Memory, by state.");
    for (line, state) in MEMORY {
        let text = meminfo.lines().find_map(|text| text.strip_prefix(line));
        let kib = text.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        if let Some(kib) = kib {
            family = family.sample(&[("state", state)], kib.saturating_mul(1_024));
        }
    }
}

fn load(loadavg: &str) -> Option<(f64, f64, f64)> {
    let mut numbers = loadavg.split_whitespace().map(|number| number.parse::<f64>().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Mount points of file systems on disk, one for each device.
fn mounts(mountinfo: &str) -> Vec<String> {
    let mut devices = BTreeSet::new();
    let mut mounts = Vec::new();
    for line in mountinfo.lines() {
        let Some((head, tail)) = line.split_once(" - ") else { continue };
        let kind = tail.split(' ').next().unwrap_or_default();
        let mut head = head.split(' ');
        let (device, path) = (head.nth(2), head.nth(1));
        let (Some(device), Some(path)) = (device, path) else { continue };
        // A file may be mounted alone, as container runtimes do; it is on a disk that is there.
        if ON_DISK.contains(&kind) && devices.insert(device) {
            mounts.push(unescaped(path));
        }
    }
    mounts
}

/// The kernel writes spaces and the like as `\040`.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = |digits: &[u8]| std::str::from_utf8(digits).ok().map(str::to_owned);
        let code = tail.get(..3).filter(|_| *first == b'\\').and_then(octal);
        match code.and_then(|digits| u8::from_str_radix(&digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(target_os = "linux")]
fn disks(mounts: &[String], page: &mut Exposition) {
    let sizes = mounts.iter().filter_map(|path| Some((path, rustix::fs::statvfs(path).ok()?)));
    let sizes: Vec<_> = sizes.filter(|(_, size)| size.f_blocks > 0).collect();
    let help = "Room of a file system, by mount point and state; `available` is for every user.";
    let mut family = page.family(Kind::Gauge, "system_disk_bytes", help);
    for (path, size) in &sizes {
        let bytes = |blocks: u64| blocks.saturating_mul(size.f_frsize);
        for (state, blocks) in
            [("total", size.f_blocks), ("free", size.f_bfree), ("available", size.f_bavail)]
        {
            family = family.sample(&[("path", path), ("state", state)], bytes(blocks));
        }
    }
    let help = "Files a file system can have, by mount point and state.";
    let mut family = page.family(Kind::Gauge, "system_disk_files", help);
    for (path, size) in sizes.iter().filter(|(_, size)| size.f_files > 0) {
        for (state, files) in [("total", size.f_files), ("free", size.f_ffree)] {
            family = family.sample(&[("path", path), ("state", state)], files);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn disks(_: &[String], _: &mut Exposition) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::format::Format;

    #[test]
    fn a_mount_point_counts_once_for_each_device_on_disk() {
        let text = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
23 22 0:5 / /proc rw - proc proc rw\n\
24 22 0:40 / /mnt/far rw - nfs4 host:/x rw\n\
25 22 254:2 / /mnt/my\\040disk rw - xfs /dev/vdb rw\n\
26 22 254:1 /etc/hosts /etc/hosts rw master:2 - ext4 /dev/vda1 rw\n\
27 22 0:50 / /tmp rw - tmpfs tmpfs rw\n\
nonsense\n";
        assert_eq!(mounts(text), ["/", "/mnt/my disk"]);
        assert_eq!(unescaped("a\\0"), "a\\0");
        assert_eq!(unescaped("\\134b\\999"), "\\b\\999");
    }

    #[test]
    fn processors_and_memory_are_read_in_seconds_and_bytes() {
        let mut page = Exposition::new(Format::Text);
        let stat = "cpu  100 0 50 1000 7 0 1 2 0 0\ncpu0 50 0\ncpu1 50 0\nctxt 5\n";
        processors(stat, Units { ticks_per_second: 100.0, page_bytes: 4_096 }, &mut page);
        memory("MemTotal:  2 kB\nMemFree: x kB\nHugePages_Total: 5\n", &mut page);
        let page = page.finish();
        for line in [
            "system_cpu_seconds_total{mode=\"idle\"} 10.0\n",
            "system_cpu_seconds_total{mode=\"steal\"} 0.02\n",
            "system_cpus 2\n",
            "system_memory_bytes{state=\"total\"} 2048\n",
        ] {
            assert!(page.contains(line), "{line}{page}");
        }
        assert!(!page.contains("free"));
        assert_eq!(load("0.50 1.25 2.00 1/200 4711\n"), Some((0.5, 1.25, 2.0)));
        assert_eq!(load("0.50"), None);
    }
}
