//! Check: what must be true of the configuration as a whole.
//!
//! Pure: values in, faults out. Each option's own limits are in the tree.

use super::LoggingConfig;
use crate::rotate::choices::Compress;
use logwell_options::raw_value::Problem;
use logwell_options::report::{Conflict, Report};
use logwell_options::section::{Section, each_option};
use logwell_options::units::bytes_text;

/// Notes each value beyond its limits, and each set of values that do not go together.
pub(super) fn check(config: &mut LoggingConfig, report: &mut Report) {
    each_option(config.entries(), "", &mut |key, slot| {
        if !report.is_faulty(key)
            && let Err(wrong) = slot.check()
        {
            report.fault(report.place(&[key]), key, wrong);
        }
    });
    for Conflict { keys, problem, help } in conflicts(config) {
        // A value that is wrong by itself is at its default here and proves nothing.
        if !keys.iter().any(|key| report.is_faulty(key)) {
            let place = report.place(&keys);
            let key = keys.first().copied().unwrap_or_default();
            report.fault(place, key, Problem { problem, help });
        }
    }
}

fn conflicts(config: &LoggingConfig) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    percents(config, &mut conflicts);
    sizes(config, &mut conflicts);
    features(config, &mut conflicts);
    names(config, &mut conflicts);
    #[cfg(feature = "metrics")]
    listen(&config.metrics.listen, &mut conflicts);
    #[cfg(feature = "forward")]
    crate::forward::conflicts::find(&config.forward, &config.service, &mut conflicts);
    conflicts
}

fn percents(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    let debug = ("queue.shed_debug_percent", config.queue.shed_debug_percent);
    let info = ("queue.shed_info_percent", config.queue.shed_info_percent);
    let warn = ("queue.shed_warn_percent", config.queue.shed_warn_percent);
    for ((less, less_percent), (more, more_percent)) in [(debug, info), (info, warn)] {
        if less_percent > more_percent {
            conflicts.push(Conflict {
                keys: vec![more, less],
                problem: format!("{more_percent} is below {less}, which is {less_percent}"),
                help: "the less important must go first".to_owned(),
            });
        }
    }
}

fn sizes(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    let limits = &config.limits;
    let wide = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    let field = ("limits.field_bytes", wide(limits.field_bytes));
    let record = ("limits.record_bytes", wide(limits.record_bytes));
    let ai_field = ("limits.ai_field_bytes", wide(limits.ai_field_bytes));
    let ai_record = ("limits.ai_record_bytes", wide(limits.ai_record_bytes));
    let queue = ("queue.max_bytes", config.queue.max_bytes);
    let files = &config.files;
    let mut pairs =
        vec![(field, record), (ai_field, ai_record), (record, queue), (ai_record, queue)];
    for (file, size, total) in [
        (&files.app, "files.app.max_bytes", "files.app.max_total_bytes"),
        (&files.errors, "files.errors.max_bytes", "files.errors.max_total_bytes"),
        (&files.ai, "files.ai.max_bytes", "files.ai.max_total_bytes"),
    ] {
        pairs.extend(file.max_total_bytes.map(|max| ((size, file.max_bytes), (total, max))));
    }
    for ((small, small_size), (large, large_size)) in pairs {
        if small_size > large_size {
            let (small_text, large_text) = (bytes_text(small_size), bytes_text(large_size));
            conflicts.push(Conflict {
                keys: vec![large, small],
                problem: format!("{large_text} has no room for {small}, which is {small_text}"),
                help: format!("use at least {small_text}"),
            });
        }
    }
}

fn features(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    if config.files.compress == Compress::Zstd && !cfg!(feature = "zstd") {
        conflicts.push(Conflict {
            keys: vec!["files.compress"],
            problem: "zstd is not in this build".to_owned(),
            help: "build logwell with its feature `zstd`, or use gzip".to_owned(),
        });
    }
}

/// An address needs a port, and one that is not numbers a name.
#[cfg(feature = "metrics")]
fn listen(address: &str, conflicts: &mut Vec<Conflict>) {
    let address = address.trim();
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !address.is_empty() && !has_port {
        conflicts.push(Conflict {
            keys: vec!["metrics.listen"],
            problem: format!("{address:?} is not an address with a port"),
            help: "write 127.0.0.1:9464 or [::1]:9464".to_owned(),
        });
    }
}

fn names(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    let files = &config.files;
    let app = ("files.app.name", files.app.name.as_str());
    let errors = ("files.errors.name", files.errors.name.as_str());
    let ai = ("files.ai.name", files.ai.name.as_str());
    for (first, second) in [(app, errors), (app, ai), (errors, ai)] {
        let problem = if is_same_file(first.1, second.1) {
            format!("{:?} is the name of {} too", second.1, first.0)
        } else if is_backup(first.1, second.1) || is_backup(second.1, first.1) {
            format!("{:?} and {:?} could be backups of one another", second.1, first.1)
        } else {
            continue;
        };
        conflicts.push(Conflict {
            keys: vec![second.0, first.0],
            problem,
            help: "give each file its own name".to_owned(),
        });
    }
}

/// Some file systems take upper and lower case for the same.
fn is_same_file(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Whether `name` is what a backup of `file` could be called.
fn is_backup(file: &str, name: &str) -> bool {
    let (file, name) = (file.to_lowercase(), name.to_lowercase());
    let rest = name.strip_prefix(&file).and_then(|rest| rest.strip_prefix('.'));
    let unfinished = |rest: &str| rest == "gz.tmp" || rest == "zst.tmp";
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) || unfinished(rest))
}
