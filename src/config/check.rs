//! Check: what must be true of the configuration as a whole.
//!
//! Pure: values in, faults out. Each option's own limits are in the tree.

use super::ForwardConfig;
use super::LoggingConfig;
use super::Secret;
use super::SecretUrl;
use super::TelegramGroup;
use super::is_bot_token;
use super::tree::Compress;
use crate::options::raw_value::Problem;
use crate::options::report::Report;
use crate::options::section::{Section, each_option};
use crate::options::units::bytes_text;

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

/// Values that do not go together; the mistake is told of the first key.
struct Conflict {
    keys: Vec<&'static str>,
    problem: String,
    help: String,
}

fn conflicts(config: &LoggingConfig) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    percents(config, &mut conflicts);
    sizes(config, &mut conflicts);
    features(config, &mut conflicts);
    names(config, &mut conflicts);
    forward(config, &mut conflicts);
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
            help: "give each file a name of its own".to_owned(),
        });
    }
}

fn forward(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    let forward = &config.forward;
    if forward.logbeacon.enabled {
        let (key, switch) = ("forward.logbeacon.url", "forward.logbeacon.enabled");
        needed_url((key, switch), &forward.logbeacon.url, forward, conflicts);
    }
    if forward.rabbitmq.enabled {
        queues(config, conflicts);
        broker(forward, conflicts);
    }
    if forward.telegram.enabled {
        telegram(forward, conflicts);
    }
}

/// The names of the queues are made of the domain; AMQP has them in 255 bytes.
fn queues(config: &LoggingConfig, conflicts: &mut Vec<Conflict>) {
    let domain = &config.service.domain;
    let problem = if domain.is_empty() {
        "is missing, and forward.rabbitmq.enabled is true"
    } else if domain.len() > 200 || domain.contains(char::is_control) {
        "cannot be part of a queue's name"
    } else {
        return;
    };
    conflicts.push(Conflict {
        keys: vec!["service.domain", "forward.rabbitmq.enabled"],
        problem: problem.to_owned(),
        help: "set it to a short name such as shop.example; the workers must have the same"
            .to_owned(),
    });
}

/// The host is shown in reports: a URL with a password does not belong there.
fn broker(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    let is_odd = |c: char| c.is_whitespace() || "/@?#,;".contains(c);
    if forward.rabbitmq.host.is_empty() || forward.rabbitmq.host.contains(is_odd) {
        conflicts.push(Conflict {
            keys: vec!["forward.rabbitmq.host"],
            problem: "is no name of a host".to_owned(),
            help: "write the host alone, such as mq.example.com; port, user, password and vhost \
                   have options of their own"
                .to_owned(),
        });
    }
}

fn telegram(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    const SWITCH: &str = "forward.telegram.enabled";
    let telegram = &forward.telegram;
    let url = Secret::new(telegram.base_url.as_str());
    // It is shown in reports.
    let open = url.reveal().contains(['@', '?', '#']).then_some("has a part that may be secret");
    match SecretUrl::from(&url).fault().or(open).filter(|_| !url.is_empty()) {
        Some(problem) => conflicts.push(Conflict {
            keys: vec!["forward.telegram.base_url"],
            problem: problem.to_owned(),
            help: "write it as https://host or https://host/path, or leave it out".to_owned(),
        }),
        None => needed_url(("forward.telegram.base_url", SWITCH), &url, forward, conflicts),
    }
    let (developer, customer) = (&telegram.developer, &telegram.customer);
    if developer.chat_id.is_empty() && customer.chat_id.is_empty() {
        conflicts.push(Conflict {
            keys: vec!["forward.telegram.developer.chat_id", SWITCH],
            problem: format!("is missing, and so is that of the customer, but {SWITCH} is true"),
            help: "write the id of a group, such as \"-1001234567890\"".to_owned(),
        });
    }
    group(
        ["forward.telegram.developer.token", "forward.telegram.developer.chat_id"],
        developer,
        conflicts,
    );
    group(
        ["forward.telegram.customer.token", "forward.telegram.customer.chat_id"],
        customer,
        conflicts,
    );
}

fn group(
    [token, chat_id]: [&'static str; 2],
    group: &TelegramGroup,
    conflicts: &mut Vec<Conflict>,
) {
    let is_name = group.chat_id.strip_prefix('@').is_some_and(|name| !name.is_empty());
    let mut conflict = |keys: Vec<&'static str>, problem: &str, help: &str| {
        conflicts.push(Conflict { keys, problem: problem.to_owned(), help: help.to_owned() });
    };
    if group.chat_id.is_empty() {
        if !group.token.is_empty() {
            conflict(
                vec![chat_id, token],
                "is missing, but there is a token",
                "write the id of the group",
            );
        }
        return;
    }
    if !is_name && group.chat_id.parse::<i64>().is_err() {
        conflict(
            vec![chat_id],
            "is no id of a group",
            "write a number in quotes such as \"-1001234567890\", or @name",
        );
    }
    if group.token.is_empty() {
        conflict(
            vec![token, chat_id],
            "is missing, but there is a chat_id",
            "write the token of the bot",
        );
    } else if !is_bot_token(group.token.reveal()) {
        conflict(
            vec![token],
            "has a character that no token of a bot has",
            "copy it again from BotFather: 123456:ABC-DEF",
        );
    }
}

/// A URL that must be there, and must not tell everybody what goes there.
fn needed_url(
    (key, switch): (&'static str, &'static str),
    url: &Secret,
    forward: &ForwardConfig,
    conflicts: &mut Vec<Conflict>,
) {
    if url.is_empty() {
        conflicts.push(Conflict {
            keys: vec![key, switch],
            problem: format!("is missing, and {switch} is true"),
            help: "write it as https://host/path".to_owned(),
        });
    } else if !SecretUrl::from(url).is_private() && !forward.http.allow_plain {
        conflicts.push(Conflict {
            keys: vec![key, "forward.http.allow_plain"],
            problem: "is not https: everybody on the way could read records and tokens".to_owned(),
            help: "write https://, or set forward.http.allow_plain: true".to_owned(),
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
