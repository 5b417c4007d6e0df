//! Build: options become what the engine works by, and what does not go together is refused.
//!
//! Knows: the rules between options. Must not know: YAML. In: options with their keys; out: plain
//! data, or a problem at a key.

use super::options::{
    BadSide, ChannelOptions, CheckKind, CheckOptions, ClockChange, MessageOptions, Mildest,
    RuleOptions, TaskOptions, WindowOptions, WithoutData,
};
use crate::checks::{Check, Http, Kind, Protocol};
use crate::maintenance::Window;
use crate::rule::{Missing, MissingPolicy, Rule};
use crate::setup::{Channel, OWN_PREFIX, Waits};
use crate::severity::{Direction, Scale, Severity, Threshold};
use crate::tasks::{Dst, Schedule, Task};
use jiff::civil::Weekday;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// What is wrong with an option, and what to write: the option's name, empty for the whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) option: &'static str,
    pub(super) problem: String,
    pub(super) help: &'static str,
}

fn wrong(option: &'static str, problem: impl Into<String>, help: &'static str) -> Wrong {
    Wrong { option, problem: problem.into(), help }
}

pub(super) fn waits(options: &MessageOptions) -> Waits {
    Waits {
        group_ms: ms(options.wait),
        critical_ms: ms(options.critical_wait),
        interval_ms: ms(options.interval),
        repeat_ms: ms(options.repeat),
        settle_ms: ms(options.settle),
        unknown_parent_ms: ms(options.unknown_parent),
        expire_ms: ms(options.expire),
        ..Waits::default()
    }
}

pub(super) fn rule(id: &str, options: &RuleOptions) -> Result<Rule, Wrong> {
    if id.starts_with(OWN_PREFIX) {
        return Err(wrong("", "is a name of the monitor's own rules", "use another name"));
    }
    if options.metric.is_empty() {
        let help = "name a metric, such as `metric: host.used_percent`";
        return Err(wrong("metric", "is missing", help));
    }
    let policy = match options.missing {
        WithoutData::Keep => MissingPolicy::Keep,
        WithoutData::Alert => MissingPolicy::Alert,
        WithoutData::Ok => MissingPolicy::Ok,
    };
    Ok(Rule {
        id: id.to_owned(),
        scale: scale(options)?,
        for_ms: ms(options.wait),
        keep_ms: ms(options.keep),
        share: options.share,
        missing: Missing { policy, for_ms: ms(options.missing_for) },
        interval_ms: INTERVAL_MS,
        summary: match options.summary.as_str() {
            "" => format!("{} is {{value}}", options.metric),
            summary => summary.to_owned(),
        },
        runbook: options.runbook.clone(),
        marks_down: options.marks_down,
    })
}

fn scale(options: &RuleOptions) -> Result<Scale, Wrong> {
    let given = [
        ("info_clear", Severity::Info, options.info, options.info_clear),
        ("warning_clear", Severity::Warning, options.warning, options.warning_clear),
        ("critical_clear", Severity::Critical, options.critical, options.critical_clear),
    ];
    let (low, high) = (options.min.unwrap_or(f64::MIN), options.max.unwrap_or(f64::MAX));
    if low > high {
        return Err(wrong("min", "is greater than `max`", "exchange them"));
    }
    let is_above = options.bad == BadSide::Above;
    let mut thresholds: Vec<Threshold> = Vec::new();
    for (key, severity, raise, clear) in given {
        let Some(raise) = raise else { continue };
        let clear = clear.unwrap_or(raise);
        if if is_above { clear > raise } else { clear < raise } {
            let help = "it is where an incident ends, on the good side of the threshold";
            return Err(wrong(key, "is on the bad side of its threshold", help));
        }
        let milder = thresholds.last().map(|milder| milder.raise);
        if milder.is_some_and(|milder| if is_above { raise < milder } else { raise > milder }) {
            let help = "a worse severity has a threshold further on the bad side";
            return Err(wrong(severity.name(), "is milder than the severity before it", help));
        }
        thresholds.push(Threshold { severity, raise, clear });
    }
    if thresholds.is_empty() {
        let help = "give at least one of `info`, `warning` and `critical`";
        return Err(wrong("", "has no threshold", help));
    }
    let direction = if is_above { Direction::Above } else { Direction::Below };
    Ok(Scale { direction, thresholds, valid: low..=high })
}

pub(super) fn task(id: &str, options: &TaskOptions, now_ms: i64) -> Result<Task, Wrong> {
    let dst = match options.dst {
        ClockChange::Debian => Dst::Debian,
        ClockChange::RealTime => Dst::RealTime,
        ClockChange::Skip => Dst::Skip,
    };
    let schedule = match (&options.cron, &options.zone, options.every) {
        (Some(cron), Some(zone), None) => {
            Schedule::Cron { cron: cron.clone(), zone: zone.clone(), dst }
        }
        (Some(_), None, None) => {
            let help = "name the zone of the job's scheduler, such as `zone: Europe/Berlin`";
            return Err(wrong("zone", "is missing", help));
        }
        (None, _, Some(every)) => Schedule::Every { period_ms: ms(every) },
        (Some(_), _, Some(_)) => {
            return Err(wrong("every", "is given beside `cron`", "keep one of the two"));
        }
        (None, _, None) => {
            return Err(wrong("", "has no schedule", "give `cron` with `zone`, or `every`"));
        }
    };
    let task = Task {
        id: id.to_owned(),
        schedule,
        early_ms: options.early.map(signed_ms),
        grace_ms: signed_ms(options.grace),
        max_run_ms: signed_ms(options.max_run),
        min_run_ms: options.min_run.map(signed_ms),
    };
    task.check(now_ms).map_err(|problem| wrong("grace", problem, ""))?;
    Ok(task)
}

pub(super) fn check(id: &str, options: &CheckOptions) -> Result<Check, Wrong> {
    let need = |option: &'static str, value: &str| match value {
        "" => Err(wrong(option, "is missing", "this kind of check needs it")),
        value => Ok(value.to_owned()),
    };
    let ca = Some(PathBuf::from(&options.ca)).filter(|path| !path.as_os_str().is_empty());
    let address = || {
        let address = need("address", &options.address)?;
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match port {
            Some(_) => Ok(address),
            None => Err(wrong("address", "has no port", "write `host:port`")),
        }
    };
    let greeting = |protocol| Ok(Kind::Greeting { address: address()?, protocol });
    let kind = match options.kind {
        CheckKind::Http => Kind::Http(http(options, need("url", &options.url)?, ca)?),
        CheckKind::Tcp => Kind::Tcp { address: address()?, tls: false, ca },
        CheckKind::Tls => Kind::Tcp { address: address()?, tls: true, ca },
        CheckKind::Dns => {
            Kind::Dns { name: need("name", &options.name)?, expect: options.expect.clone() }
        }
        CheckKind::Redis => greeting(Protocol::Redis)?,
        CheckKind::PostgreSql => greeting(Protocol::PostgreSql)?,
        CheckKind::RabbitMq => greeting(Protocol::RabbitMq)?,
        CheckKind::Push => Kind::Push,
        CheckKind::Process => Kind::Process { pattern: need("process", &options.process)? },
        CheckKind::Disk => Kind::Disk {
            path: PathBuf::from(need("path", &options.path)?),
            free_percent: options.free.unwrap_or_default(),
        },
    };
    if options.timeout >= options.every && kind != Kind::Push {
        return Err(wrong("timeout", "is not shorter than `every`", "make it shorter"));
    }
    let target = if options.target.is_empty() { id } else { &options.target }.to_owned();
    let (every, timeout) = (options.every, options.timeout);
    Ok(Check { id: id.to_owned(), target, every, timeout, kind })
}

fn http(options: &CheckOptions, url: String, ca: Option<PathBuf>) -> Result<Http, Wrong> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let help = "begin it with http:// or https://";
        return Err(wrong("url", "is not a URL of http or https", help));
    }
    let authority = url.split('/').nth(2).unwrap_or_default();
    if authority.contains('@') {
        let help = "a URL is shown: put them into a header, such as `authorization: Basic …`";
        return Err(wrong("url", "holds a name or password", help));
    }
    let statuses: Result<Vec<u16>, _> = options.status.iter().map(|text| text.parse()).collect();
    let statuses = statuses
        .map_err(|_| wrong("status", "has one that is not a status", "such as [200, 204]"))?;
    Ok(Http {
        url,
        headers: options.headers.clone(),
        statuses,
        body: Some(options.body.clone()).filter(|body| !body.is_empty()),
        json: options.json.iter().map(|it| (it.label.clone(), it.value.clone())).collect(),
        redirects: u8::try_from(options.redirects).unwrap_or(u8::MAX),
        ca,
    })
}

pub(super) fn channel(id: &str, options: &ChannelOptions) -> Channel {
    Channel {
        id: id.to_owned(),
        severity_min: match options.severity {
            Mildest::Info => Severity::Info,
            Mildest::Warning => Severity::Warning,
            Mildest::Critical => Severity::Critical,
        },
        matchers: options.matching.clone(),
        group_by: options.group_by.clone(),
        wants_resolves: options.resolves,
    }
}

pub(super) fn window(id: &str, options: &WindowOptions) -> Result<Window, Wrong> {
    let times = (options.from, options.to);
    let (Some(from), Some(to)) = times else {
        return Err(wrong("from", "`from` or `to` is missing", "such as `from: \"22:00\"`"));
    };
    let Some(zone) = options.zone.clone() else {
        return Err(wrong("zone", "is missing", "say whose clock, such as `zone: Europe/Berlin`"));
    };
    let days = match options.days.as_slice() {
        [] => Weekday::Monday.cycle_forward().take(7).collect(),
        days => days.to_vec(),
    };
    let matchers = options.matching.clone();
    Ok(Window { id: id.to_owned(), matchers, days, from, to, zone })
}

/// A target that depends on itself, by however many steps.
pub(super) fn circle(parents: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    let mut known_good: BTreeSet<&str> = BTreeSet::new();
    for target in parents.keys() {
        let mut way = vec![target.as_str()];
        if let Some(circle) = follow(parents, &mut way, &mut known_good) {
            return Some(circle);
        }
    }
    None
}

fn follow<'a>(
    parents: &'a BTreeMap<String, Vec<String>>,
    way: &mut Vec<&'a str>,
    known_good: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    let here = *way.last()?;
    for parent in parents.get(here).map(Vec::as_slice).unwrap_or_default() {
        if let Some(at) = way.iter().position(|step| step == parent) {
            let steps = way.iter().skip(at).chain([&here]);
            let mut circle: Vec<_> = steps.map(|step| (*step).to_owned()).collect();
            circle.pop();
            circle.push(parent.clone());
            return Some(circle);
        }
        // The file's nesting does not bound a chain; this does.
        if known_good.contains(parent.as_str()) || way.len() > CHAIN_MAX {
            continue;
        }
        way.push(parent);
        let found = follow(parents, way, known_good);
        way.pop();
        if found.is_some() {
            return found;
        }
    }
    known_good.insert(here);
    None
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn signed_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// How often rules are evaluated.
const INTERVAL_MS: u64 = 30_000;
/// How long a chain of dependencies is followed.
const CHAIN_MAX: usize = 200;
