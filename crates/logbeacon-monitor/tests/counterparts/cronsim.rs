//! Cronsim: Debian's rule for changes of the clock, written in Python by the authors of a monitor
//! of cron jobs. Ours must be due at the same seconds.
//!
//! The test takes a sample around the changes of some zones. With `LOGBEACON_CRON_FULL=1` it takes
//! every zone of the system, 200 expressions and five years, which takes hours.

use crate::{Random, missing};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use logbeacon_monitor::{Cron, Dst, Schedule};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

struct Job {
    zone: String,
    expression: String,
    from: i64,
    to: i64,
}

/// The expressions of the manual's table, and random ones.
fn expressions(count: usize) -> Vec<String> {
    let named = [
        "30 2 * * *",
        "30 * * * *",
        "*/15 2 * * *",
        "0 */2 * * *",
        "0 1-3 * * *",
        "30 1,2,3 * * *",
        "0 2,14 * * *",
        "45 2 * * *",
        "15 2 * * *",
        "0 0 * * *",
        "0 12 * * *",
        "* * * * *",
        "0 0 1 * *",
        "0 0 L * *",
        "59 23 * * SUN",
    ];
    let mut random = Random(11);
    let mut all: Vec<String> = named.iter().map(|text| (*text).to_owned()).collect();
    while all.len() < count {
        let minute = field(&mut random, 0, 59);
        let hour = field(&mut random, 0, 23);
        let days = ["*", "*", "*", "*", "L", "LW", "1", "*/3", "10-20", "1,15,28"];
        let months = ["*", "*", "*", "3,10", "MAR-NOV", "*/2"];
        let weekdays = ["*", "*", "*", "SUN", "MON-FRI", "0,6", "7", "SUN#2", "0L", "*/2"];
        let mut pick = |list: &[&str]| list[random.below(list.len() as u64) as usize].to_owned();
        let (day, month, weekday) = (pick(&days), pick(&months), pick(&weekdays));
        all.push(format!("{minute} {hour} {day} {month} {weekday}"));
    }
    all.truncate(count);
    all
}

fn field(random: &mut Random, min: u64, max: u64) -> String {
    let mut one = || min + random.below(max - min + 1);
    let (a, b, c) = (one(), one(), one());
    let (low, high) = (a.min(b), a.max(b));
    match c % 7 {
        0 => "*".to_owned(),
        1 => format!("*/{}", 2 + c % 29),
        2 => format!("{low}-{high}"),
        3 => format!("{low}-{high}/{}", 2 + c % 7),
        4 => format!("{a},{b},{c}"),
        5 => format!("{a}/{}", 3 + c % 17),
        _ => a.to_string(),
    }
}

fn zones(is_full: bool) -> Vec<String> {
    let some = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "America/Santiago",
        "Asia/Kathmandu",
        "America/St_Johns",
        "Africa/Casablanca",
    ];
    if !is_full {
        return some.iter().map(|zone| (*zone).to_owned()).collect();
    }
    // Zones with the same changes are one.
    let (from, mut different) = (start(2024), BTreeMap::new());
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let changes = zone.following(from).take(14);
        let changes: Vec<_> =
            changes.map(|it| (it.timestamp().as_second(), it.offset().seconds())).collect();
        let key = (zone.to_offset(from).seconds(), changes);
        different.entry(key).or_insert_with(|| name.as_str().to_owned());
    }
    different.into_values().collect()
}

fn start(year: i16) -> Timestamp {
    jiff::civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// Windows around each change; and for jobs that are rarely due the whole years.
fn jobs(zone: &str, is_full: bool) -> Vec<Job> {
    let years = if is_full { 2024..2029 } else { 2025..2027 };
    let (from, to) = (start(years.start), start(years.end));
    let mut jobs = Vec::new();
    {
        let changes = TimeZone::get(zone).unwrap();
        let near = SignedDuration::from_hours(if is_full { 30 } else { 8 });
        let changes = changes.following(from).take_while(|change| change.timestamp() < to);
        let windows = changes.map(|change| (change.timestamp() - near, change.timestamp() + near));
        let windows: Vec<_> = windows.collect();
        for expression in expressions(if is_full { 200 } else { 30 }) {
            let mut push = |(from, to): (Timestamp, Timestamp)| {
                let (zone, expression) = (zone.to_owned(), expression.clone());
                jobs.push(Job { zone, expression, from: from.as_second(), to: to.as_second() });
            };
            windows.iter().copied().for_each(&mut push);
            let per_day = due(&expression, "UTC", (from, from + SignedDuration::from_hours(240)));
            if per_day.len() < 60 {
                push((from, if is_full { to } else { from + SignedDuration::from_hours(9_600) }));
            }
        }
    }
    jobs
}

fn due(expression: &str, zone: &str, (from, to): (Timestamp, Timestamp)) -> Vec<i64> {
    let (cron, zone) = (Cron::parse(expression).unwrap(), TimeZone::get(zone).unwrap());
    let schedule = Schedule::Cron { cron, zone, dst: Dst::Debian };
    let mut at = from.as_millisecond();
    let mut due = Vec::new();
    while let Some(next) = schedule.next(at).filter(|next| *next <= to.as_millisecond()) {
        due.push(next / 1_000);
        at = next;
    }
    due
}

/// What cronsim says of each job.
fn ask(jobs: &[Job]) -> Option<Vec<Vec<i64>>> {
    let python = std::env::var("LOGBEACON_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import cronsim"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        missing("Debian's rule for changes of the clock: Python has no cronsim");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparts/due.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = jobs
        .iter()
        .map(|job| {
            let (zone, expression) = (&job.zone, &job.expression);
            let line = json!({"zone": zone, "expression": expression, "from": job.from,
                "to": job.to});
            format!("{line}\n")
        })
        .collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let answers: Vec<Vec<i64>> = answers.collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "due.py failed");
    assert_eq!(answers.len(), jobs.len());
    Some(answers)
}

/// Whether the zone's clock changes by a part of an hour, or at another time than a whole hour.
fn changes_within_hours(zone: &str) -> bool {
    let zone = TimeZone::get(zone).unwrap();
    let is_part = |at: Timestamp| {
        let before = zone.to_offset(at - SignedDuration::from_secs(1)).seconds();
        let step = zone.to_offset(at).seconds() - before;
        step % 3_600 != 0 || (at.as_second() + i64::from(before)) % 3_600 != 0
    };
    zone.following(start(2024)).take(4).any(|change| is_part(change.timestamp()))
}

#[test]
fn every_job_is_due_when_cronsim_says() {
    let is_full = std::env::var_os("LOGBEACON_CRON_FULL").is_some();
    let (mut compared, mut skipped, mut wrong) = (0, 0, Vec::new());
    let zones = zones(is_full);
    for zone in &zones {
        let jobs = jobs(zone, is_full);
        let Some(answers) = ask(&jobs) else { return };
        for (job, theirs) in jobs.iter().zip(&answers) {
            let second = |at| Timestamp::from_second(at).unwrap();
            let ours = due(&job.expression, zone, (second(job.from), second(job.to)));
            compared += ours.len();
            let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
                (ours.into_iter().collect(), theirs.iter().copied().collect());
            if ours == theirs {
                continue;
            }
            // Where the clock changes within an hour cronsim's steps of an hour pass over real
            // time; a cron that looks each minute runs there, and so does ours.
            let is_fixed = Cron::parse(&job.expression).unwrap().is_fixed();
            if changes_within_hours(zone) && !is_fixed && theirs.is_subset(&ours) {
                skipped += ours.len() - theirs.len();
                continue;
            }
            let only = |a: &BTreeSet<i64>, b: &BTreeSet<i64>| {
                let only = a.difference(b).take(4).map(|at| second(*at).to_string());
                only.collect::<Vec<_>>().join(" ")
            };
            let (ours, theirs) = (only(&ours, &theirs), only(&theirs, &ours));
            let what = format!("{zone} {}: only ours {ours}, only theirs {theirs}", job.expression);
            wrong.push(what);
        }
    }
    eprintln!("{compared} due times in {} zones, {skipped} passed over by cronsim", zones.len());
    assert!(compared > 10_000);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
