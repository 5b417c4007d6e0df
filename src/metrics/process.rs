//! Process: what the system says about this process: processor time, memory, open files, threads.
//!
//! Knows the texts of `/proc/self`, under the names that Prometheus's own clients use. Does not
//! know logging. Linux alone has them; elsewhere nothing is written.

use crate::metrics::exposition::Exposition;
use crate::metrics::format::Kind;
use std::fs;

/// Units of the kernel's interfaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    /// Ticks of a second in which processor time is counted.
    pub(crate) ticks_per_second: f64,
    pub(crate) page_bytes: u64,
}

impl Units {
    #[cfg(target_os = "linux")]
    #[expect(clippy::cast_precision_loss, reason = "the number is 100")]
    pub(crate) fn of_this_machine() -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { ticks_per_second, page_bytes: rustix::param::page_size() as u64 }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of_this_machine() -> Self {
        Self { ticks_per_second: 100.0, page_bytes: 4_096 }
    }
}

/// What is in `/proc/self/stat`, in the kernel's units.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

/// Writes what can be read.
pub(crate) fn write(page: &mut Exposition) {
    let units = Units::of_this_machine();
    let text = |path: &str| fs::read_to_string(path).ok();
    if let Some(stat) = text("/proc/self/stat").as_deref().and_then(stat) {
        let boot = text("/proc/stat").as_deref().and_then(boot_seconds).unwrap_or_default();
        write_stat(&stat, units, page);
        #[expect(clippy::cast_precision_loss, reason = "exact for the next millions of years")]
        let start = boot as f64 + stat.start_ticks as f64 / units.ticks_per_second;
        let help = "Start of the process, in seconds since 1970.";
        page.family(Kind::Gauge, "process_start_time_seconds", help).sample(&[], start);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory itself.
        let open = open.count().saturating_sub(1) as u64;
        page.family(Kind::Gauge, "process_open_fds", "Open files.").sample(&[], open);
    }
    if let Some(most) = text("/proc/self/limits").as_deref().and_then(max_open_files) {
        page.family(Kind::Gauge, "process_max_fds", "Most files it may open.").sample(&[], most);
    }
}

fn write_stat(stat: &Stat, units: Units, page: &mut Exposition) {
    #[expect(clippy::cast_precision_loss, reason = "exact for millions of years")]
    let cpu = stat.cpu_ticks as f64 / units.ticks_per_second;
    let help = "Processor time of all threads, in user and system mode.";
    page.family(Kind::Counter, "process_cpu_seconds_total", help).sample(&[], cpu);
    for (name, help, value) in [
        ("process_threads", "Threads.", stat.threads),
        ("process_virtual_memory_bytes", "Address space.", stat.virtual_bytes),
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            stat.resident_pages.saturating_mul(units.page_bytes),
        ),
    ] {
        page.family(Kind::Gauge, name, help).sample(&[], value);
    }
}

/// Reads `/proc/self/stat`. The program's name may have spaces and brackets in it.
fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Numbered from 1 in proc(5); the third is the first after the name.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)? + field(15)?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_pages: field(24)?,
    })
}

/// When the machine started, in seconds since 1970, as `/proc/stat` says.
fn boot_seconds(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// The soft limit of `/proc/self/limits`.
fn max_open_files(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::format::Format;

    #[test]
    fn a_program_with_brackets_in_its_name_is_read_too() {
        let text = "7 (a) b) (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 4242 \
                    1000000 300 18446744073709551615 1 1 0";
        let expected = Stat {
            cpu_ticks: 300,
            threads: 5,
            start_ticks: 4_242,
            virtual_bytes: 1_000_000,
            resident_pages: 300,
        };
        assert_eq!(stat(text), Some(expected));
        assert_eq!(stat("7 (cut) S 1"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn limits_and_the_start_of_the_machine_are_found() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 1048576              files\n";
        assert_eq!(max_open_files(limits), Some(1_024));
        assert_eq!(max_open_files("Max open files            unlimited  x  files\n"), None);
        assert_eq!(boot_seconds("cpu 1 2\nbtime 1700000000\nprocesses 5\n"), Some(1_700_000_000));
        assert_eq!(boot_seconds("cpu 1 2\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let mut page = Exposition::new(Format::Text);
        write(&mut page);
        let page = page.finish();
        for name in [
            "process_cpu_seconds_total ",
            "process_threads ",
            "process_virtual_memory_bytes ",
            "process_resident_memory_bytes ",
            "process_start_time_seconds ",
            "process_open_fds ",
        ] {
            assert!(page.lines().any(|line| line.starts_with(name)), "{name}: {page}");
        }
    }
}
