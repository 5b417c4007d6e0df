//! Options: what each section of `monitor.yaml` takes, with units, defaults and limits.
//!
//! Knows: names, defaults and limits. Must not know: how options go together; `build.rs` does. In
//! and out: plain structs.

use super::values::{list, maybe};
use crate::checks::Header;
use crate::matcher::Matcher;
use crate::rule::Share;
use crate::tasks::Cron;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use logwell_options::units::HOUR;
use logwell_options::value::{choice, count, flag, optional_time, text, time};
use logwell_options::{choices, section};
use std::time::Duration;

choices! {
    /// Which values are bad.
    pub enum BadSide: Above {
        /// Values over the threshold.
        Above = "above",
        /// Values under the threshold.
        Below = "below",
    }
}

choices! {
    /// What no data mean.
    pub enum WithoutData: Keep {
        /// The state stays as it is.
        Keep = "keep",
        /// An incident starts.
        Alert = "alert",
        /// All is well.
        Ok = "ok",
    }
}

choices! {
    /// What a job's scheduler does with local times that do not exist or exist twice.
    pub enum ClockChange: Debian {
        /// Jobs at fixed hours run once on every day, all others follow real time.
        Debian = "debian",
        /// Skipped in the gap, twice in the overlap.
        RealTime = "real-time",
        /// Skipped in the gap, once in the overlap.
        Skip = "skip",
    }
}

choices! {
    /// How bad something is.
    pub enum Mildest: Info {
        /// Worth knowing.
        Info = "info",
        /// Somebody should look soon.
        Warning = "warning",
        /// Somebody must look now.
        Critical = "critical",
    }
}

section! {
    /// How messages wait for one another.
    pub struct MessageOptions {
        /// Before the first message of a group, so that others can join it.
        wait: Duration = Duration::from_secs(10) => time(Duration::ZERO, HOUR);
        /// The same if an incident is critical.
        critical_wait: Duration = Duration::from_secs(10) => time(Duration::ZERO, HOUR);
        /// Between messages of a group that say something new.
        interval: Duration = Duration::from_secs(60) => time(SECOND, DAY);
        /// Between reminders of what goes on and nobody looks after.
        repeat: Duration = Duration::from_secs(4 * 3_600) => time(SECOND, WEEK);
        /// For how long a message is tried before it is given up.
        expire: Duration = Duration::from_secs(3 * 86_400) => time(MINUTE, WEEK);
        /// After a target recovered, before those that depend on it are told of.
        settle: Duration = Duration::from_secs(60) => time(Duration::ZERO, HOUR);
        /// How long an unknown target holds messages about those that depend on it.
        unknown_parent: Duration = Duration::from_secs(900) => time(Duration::ZERO, DAY);
    }
}

section! {
    /// Something that is watched, and what it needs.
    pub struct TargetOptions {
        /// Targets without which this one cannot work.
        depends_on: Vec<String> = Vec::new() => list();
    }
}

section! {
    /// A rule: which readings are an incident.
    pub struct RuleOptions {
        /// Whether it is used.
        enabled: bool = true => flag();
        /// The metric it looks at, such as `host.disk_used_percent`.
        metric: String = String::new() => text(200);
        /// Which series of the metric; all must match.
        only as "where": Vec<Matcher> = Vec::new() => list();
        /// Which side of a threshold is bad.
        bad: BadSide = BadSide::Above => choice();
        /// Beyond it an incident is info.
        info: Option<f64> = None => maybe();
        /// Until where it goes on; by default the threshold itself.
        info_clear: Option<f64> = None => maybe();
        /// Beyond it an incident is a warning.
        warning: Option<f64> = None => maybe();
        /// Until where it goes on.
        warning_clear: Option<f64> = None => maybe();
        /// Beyond it an incident is critical.
        critical: Option<f64> = None => maybe();
        /// Until where it goes on.
        critical_clear: Option<f64> = None => maybe();
        /// The least value that can be true; lower ones are errors.
        min: Option<f64> = None => maybe();
        /// The greatest value that can be true.
        max: Option<f64> = None => maybe();
        /// How long it must be bad, in observed time.
        wait as "for": Duration = Duration::ZERO => time(Duration::ZERO, WEEK);
        /// How long it must be good again, in observed time.
        keep: Duration = Duration::ZERO => time(Duration::ZERO, WEEK);
        /// Bad if so many of the last readings are, in place of `for`: `3/5`.
        share: Option<Share> = None => maybe();
        /// What no data mean.
        missing: WithoutData = WithoutData::Keep => choice();
        /// After how long they mean that.
        missing_for: Duration = Duration::from_secs(300) => time(Duration::ZERO, WEEK);
        /// One sentence; `{value}` and the names of labels in braces are replaced.
        summary: String = String::new() => text(500);
        /// What to do: a URL or a text.
        runbook: String = String::new() => text(500);
        /// Whether an instance that is bad means that its target cannot be used.
        marks_down: bool = false => flag();
    }
}

section! {
    /// A job that runs elsewhere and reports by pings.
    pub struct TaskOptions {
        /// When it is due, as its scheduler knows it. Needs `zone`.
        cron: Option<Cron> = None => maybe();
        /// The zone of its scheduler's clock.
        zone: Option<TimeZone> = None => maybe();
        /// What its scheduler does when that clock changes.
        dst: ClockChange = ClockChange::Debian => choice();
        /// How often it runs, in place of `cron`: so long after its last start.
        every: Option<Duration> = None => optional_time(SECOND, YEAR);
        /// How long before it is due a start counts for that slot; by default the smaller of 5 min
        /// and a quarter of the time between slots.
        early: Option<Duration> = None => optional_time(Duration::ZERO, WEEK);
        /// How long after it is due it may start.
        grace: Duration = Duration::from_secs(300) => time(SECOND, WEEK);
        /// How long a run may take.
        max_run: Duration = HOUR => time(SECOND, WEEK);
        /// A success in less time is suspicious; by default a tenth of the median.
        min_run: Option<Duration> = None => optional_time(Duration::ZERO, WEEK);
    }
}

choices! {
    /// What a check does.
    pub enum CheckKind: Http {
        /// Asks for the page `url`.
        Http = "http",
        /// Connects to `address`.
        Tcp = "tcp",
        /// Connects to `address` and verifies the certificate.
        Tls = "tls",
        /// Resolves `name`.
        Dns = "dns",
        /// Sends PING to the Redis at `address`.
        Redis = "redis",
        /// Greets the PostgreSQL at `address`.
        PostgreSql = "postgresql",
        /// Greets the RabbitMQ at `address`.
        RabbitMq = "rabbitmq",
        /// Somebody must report from outside once in each period.
        Push = "push",
        /// A process like `process` must run.
        Process = "process",
        /// The disk of `path` must have room.
        Disk = "disk",
    }
}

section! {
    /// A check of a target. Each kind needs the option that its description names.
    pub struct CheckOptions {
        /// What it does.
        kind: CheckKind = CheckKind::Http => choice();
        /// What it is about; by default the check's own name.
        target: String = String::new() => text(100);
        /// How often it runs.
        every: Duration = Duration::from_secs(30) => time(SECOND, DAY);
        /// How long it may take in all, name resolution included.
        timeout: Duration = Duration::from_secs(5) => time(MILLISECOND, MINUTE);
        /// A page of http or https.
        url: String = String::new() => text(2_000);
        /// Headers to send, `name: value`. The values are shown nowhere.
        headers: Vec<Header> = Vec::new() => list();
        /// Good statuses; by default 200 to 299.
        status: Vec<String> = Vec::new() => list();
        /// A text that the body must have.
        body: String = String::new() => text(1_000);
        /// Values that the body must have as JSON, `path.to.it=value`.
        json: Vec<Matcher> = Vec::new() => list();
        /// How many redirects are followed.
        redirects: u64 = 0 => count(0, 10);
        /// Where to connect, `host:port`.
        address: String = String::new() => text(300);
        /// A file of certificates, in PEM, to trust beside the public ones.
        ca: String = String::new() => text(1_000);
        /// A name to resolve.
        name: String = String::new() => text(300);
        /// Addresses of which one must be among the answers.
        expect: Vec<String> = Vec::new() => list();
        /// A process's name or command line; `*` stands for any text.
        process: String = String::new() => text(300);
        /// A directory.
        path: String = String::new() => text(1_000);
        /// How much of its disk must be free, in percent.
        free: Option<f64> = Some(5.0) => maybe();
    }
}

section! {
    /// Who is told, and of what.
    pub struct ChannelOptions {
        /// The mildest severity that it tells of.
        severity: Mildest = Mildest::Info => choice();
        /// What it tells of; all must match.
        matching as "match": Vec<Matcher> = Vec::new() => list();
        /// Labels with equal values make one group.
        group_by: Vec<String> = vec!["rule".to_owned()] => list();
        /// Whether it tells of ends.
        resolves: bool = true => flag();
    }
}

section! {
    /// Hours, by local time, in which alerts are not sent.
    pub struct WindowOptions {
        /// What it is for; all must match, and none at all matches everything.
        matching as "match": Vec<Matcher> = Vec::new() => list();
        /// On which days it begins; by default on all.
        days: Vec<Weekday> = Vec::new() => list();
        /// When it begins.
        from: Option<Time> = None => maybe();
        /// When it ends; at or before `from` on the next day.
        to: Option<Time> = None => maybe();
        /// Whose clock.
        zone: Option<TimeZone> = None => maybe();
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);
