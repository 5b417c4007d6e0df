//! Tests: a day in the life of jobs, ping by ping.
//!
//! Knows: tasks from outside. Must not know: how they are kept. In: scenes; out: verdicts.

use super::*;
use crate::setup::Setup;
use crate::testing::{Play, setup};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// A backup at half past two in Berlin, which takes at most an hour.
fn nightly() -> Task {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let cron = Cron::parse("30 2 * * *").unwrap();
    Task {
        id: "backup".into(),
        schedule: Schedule::Cron { cron, zone, dst: Dst::Debian },
        early_ms: None,
        grace_ms: 600_000,
        max_run_ms: 3_600_000,
        min_run_ms: None,
    }
}

fn at(kind: PingKind, time: &str) -> Ping {
    Ping {
        kind,
        run: None,
        received_ms: ms(time),
        sent_ms: None,
        duration_ms: None,
        note: String::new(),
    }
}

fn with(run: &str, ping: Ping) -> Ping {
    Ping { run: Some(run.to_owned()), ..ping }
}

/// The state after these pings, judged until that time.
fn play(task: &Task, start: &str, pings: &[Ping], until: &str) -> TaskState {
    play_with_gaps(task, start, pings, until, &[])
}

fn play_with_gaps(
    task: &Task,
    start: &str,
    pings: &[Ping],
    until: &str,
    gaps: &[Unobserved],
) -> TaskState {
    let mut state = TaskState::new(task, ms(start));
    pings.iter().for_each(|ping| state.ping(task, ping, gaps));
    state.judge(task, ms(until), gaps);
    state
}

fn verdicts(state: &TaskState) -> Vec<Verdict> {
    state.slots.iter().map(|slot| slot.verdict).collect()
}

fn problems(state: &TaskState) -> Vec<&'static str> {
    state.problems.keys().map(|problem| problem.name()).collect()
}

use PingKind::{Fail, Start, Success};

#[test]
fn runs_within_early_tolerance_and_grace_are_on_time() {
    let pings = [
        at(Start, "2026-07-01T00:26:00Z"),
        at(Success, "2026-07-01T00:40:00Z"),
        at(Start, "2026-07-02T00:39:59Z"),
        at(Success, "2026-07-02T01:00:00Z"),
    ];
    let state = play(&nightly(), "2026-06-30T12:00:00Z", &pings, "2026-07-02T12:00:00Z");
    assert_eq!(verdicts(&state), [Verdict::OnTime; 2]);
    assert!(problems(&state).is_empty());
    assert_eq!(state.statistics.percentile_ms(50), Some(14 * 60_000));
    assert_eq!(state.due_ms, Some(ms("2026-07-03T00:30:00Z")));
}

#[test]
fn a_slot_without_a_run_is_late_first_and_then_missed() {
    let first = [at(Success, "2026-07-01T00:30:00Z")];
    let task = nightly();
    let mut state = play(&task, "2026-06-30T12:00:00Z", &first, "2026-07-02T00:35:00Z");
    assert!(state.is_late(ms("2026-07-02T00:35:00Z")));
    assert!(problems(&state).is_empty());
    state.judge(&task, ms("2026-07-02T00:40:01Z"), &[]);
    assert_eq!(problems(&state), ["missed"]);
    // It comes after all: the incident ends with the run, and the slot stays late.
    state.ping(&task, &at(Start, "2026-07-02T01:12:00Z"), &[]);
    assert_eq!(problems(&state), ["missed"]);
    state.ping(&task, &at(Success, "2026-07-02T01:20:00Z"), &[]);
    assert!(problems(&state).is_empty());
    assert_eq!(verdicts(&state), [Verdict::OnTime, Verdict::Late(42 * 60_000)]);
    let days: Vec<_> = state.statistics.daily().map(|(_, day)| (day.missed, day.late)).collect();
    assert_eq!(days, [(0, 0), (1, 1)]);
}

#[test]
fn a_job_that_never_reported_is_never_seen() {
    let task = nightly();
    let mut state = play(&task, "2026-06-30T12:00:00Z", &[], "2026-07-03T12:00:00Z");
    assert_eq!(problems(&state), ["never_seen"]);
    state.ping(&task, &at(Success, "2026-07-04T00:30:00Z"), &[]);
    assert!(problems(&state).is_empty());
}

#[test]
fn failures_overruns_and_overlaps_end_with_what_mends_them() {
    let task = nightly();
    let failed = [at(Start, "2026-07-01T00:30:00Z"), at(Fail(Some(2)), "2026-07-01T00:40:00Z")];
    let mut state = play(&task, "2026-06-30T12:00:00Z", &failed, "2026-07-01T12:00:00Z");
    assert_eq!(problems(&state), ["failed"]);
    assert_eq!(state.finished[0].exit_code, Some(2));
    state.ping(&task, &with("a", at(Start, "2026-07-02T00:30:00Z")), &[]);
    state.judge(&task, ms("2026-07-02T01:30:01Z"), &[]);
    assert_eq!(problems(&state), ["overrun", "failed"]);
    state.ping(&task, &with("b", at(Start, "2026-07-03T00:30:00Z")), &[]);
    assert_eq!(problems(&state), ["overrun", "failed", "overlap"]);
    state.ping(&task, &with("b", at(Success, "2026-07-03T00:40:00Z")), &[]);
    assert_eq!(problems(&state), ["overrun"], "the run of the day before still hangs");
    state.ping(&task, &with("a", at(Success, "2026-07-03T00:50:00Z")), &[]);
    assert!(problems(&state).is_empty());
}

#[test]
fn a_second_run_in_a_slot_is_too_often_and_the_next_slot_mends_it() {
    let task = nightly();
    let twice = [at(Success, "2026-07-01T00:30:00Z"), at(Success, "2026-07-01T00:35:00Z")];
    let mut state = play(&task, "2026-06-30T12:00:00Z", &twice, "2026-07-01T12:00:00Z");
    assert_eq!(problems(&state), ["too_often"]);
    state.ping(&task, &at(Success, "2026-07-02T00:30:00Z"), &[]);
    assert!(problems(&state).is_empty());
}

#[test]
fn a_run_far_under_the_median_is_too_fast() {
    let task = Task {
        schedule: Schedule::Every { period_ms: 3_600_000 },
        max_run_ms: 3_000_000,
        ..nightly()
    };
    let start = ms("2026-07-01T00:00:00Z");
    let mut state = TaskState::new(&task, start);
    let mut run = |number: i64, duration_ms: i64| {
        let mut ping = at(Success, "2026-07-01T00:00:00Z");
        ping.received_ms = start + number * 3_600_000;
        ping.duration_ms = Some(duration_ms);
        state.ping(&task, &ping, &[]);
        problems(&state)
    };
    for number in 1..=10 {
        assert!(run(number, 600_000).is_empty());
    }
    assert_eq!(run(11, 1_000), ["too_fast"]);
    assert_eq!(run(12, 1_000), ["too_fast"], "what is suspicious does not become usual");
    assert!(run(13, 500_000).is_empty());
}

#[test]
fn a_period_begins_anew_with_each_start() {
    let task = Task { schedule: Schedule::Every { period_ms: 900_000 }, ..nightly() };
    let pings = [at(Success, "2026-07-01T00:10:00Z"), at(Success, "2026-07-01T00:24:00Z")];
    let mut state = play(&task, "2026-07-01T00:00:00Z", &pings, "2026-07-01T00:30:00Z");
    assert_eq!(state.due_ms, Some(ms("2026-07-01T00:39:00Z")));
    state.judge(&task, ms("2026-07-01T00:49:01Z"), &[]);
    assert_eq!(problems(&state), ["missed"]);
    state.ping(&task, &at(Success, "2026-07-01T01:00:00Z"), &[]);
    assert!(problems(&state).is_empty());
}

#[test]
fn what_the_monitor_did_not_observe_is_unknown() {
    let task = nightly();
    let gap = (ms("2026-07-02T00:00:00Z"), ms("2026-07-02T03:00:00Z"));
    let first = [at(Success, "2026-07-01T00:30:00Z")];
    let state =
        play_with_gaps(&task, "2026-06-30T12:00:00Z", &first, "2026-07-02T12:00:00Z", &[gap]);
    assert_eq!(verdicts(&state), [Verdict::OnTime, Verdict::UnknownGap]);
    assert!(problems(&state).is_empty());
    // The ping was in a spool, and fills its slot.
    let mut state = state;
    let late = at(Success, "2026-07-02T03:10:00Z");
    let spooled = Ping { sent_ms: Some(ms("2026-07-02T00:31:00Z")), ..late };
    state.ping(&task, &spooled, &[gap]);
    assert_eq!(verdicts(&state), [Verdict::OnTime; 2]);
    assert!(problems(&state).is_empty());
}

#[test]
fn a_slot_that_other_schedulers_skip_is_unknown_and_not_missed() {
    let first = [at(Success, "2026-03-28T01:30:00Z")];
    let state = play(&nightly(), "2026-03-27T12:00:00Z", &first, "2026-03-29T12:00:00Z");
    assert_eq!(verdicts(&state), [Verdict::OnTime, Verdict::UnknownClockChange]);
    // In autumn a job that follows real time runs twice, which is not too often.
    let twice = [at(Success, "2026-10-25T00:30:00Z"), at(Success, "2026-10-25T01:30:00Z")];
    let state = play(&nightly(), "2026-10-24T12:00:00Z", &twice, "2026-10-25T12:00:00Z");
    assert_eq!(verdicts(&state), [Verdict::OnTime]);
    assert!(problems(&state).is_empty());
}

#[test]
fn tolerances_that_overlap_are_refused() {
    let too_long = Task { grace_ms: 86_400_000, ..nightly() };
    let error = too_long.check(ms("2026-07-01T00:00:00Z")).unwrap_err();
    assert!(error.contains("make `grace` shorter"), "{error}");
    assert!(nightly().check(ms("2026-07-01T00:00:00Z")).is_ok());
}

#[test]
fn the_engine_keeps_tasks_across_a_restart_and_rules_see_their_problems() {
    let tasks = [("backup".to_owned(), nightly())].into();
    let mut play = Play::new(Setup { tasks, ..setup() });
    let received_ms = play.time.wall_ms;
    let ping = Ping { received_ms, ..at(Start, "2026-07-01T00:00:00Z") };
    play.engine.ping(play.time, "backup", &ping).unwrap();
    assert!(play.engine.ping(play.time, "other", &ping).is_err());
    play.restart(10);
    assert_eq!(play.engine.tables().tasks["backup"].open.len(), 1);
    // An hour later it hangs.
    for _ in 0..361 {
        play.step(Vec::new());
    }
    let [(_, samples), (_, failed)] = play.engine.task_metrics();
    assert_eq!(failed[0].reading, crate::rule::Seen::NoData, "no run ended");
    let overrun = samples.iter().find(|it| it.labels["problem"] == "overrun").unwrap();
    assert_eq!(overrun.reading, crate::rule::Seen::Value(1.0));
    // Removed from the configuration, it is forgotten.
    play.setup.tasks.clear();
    play.engine.reload(play.setup.clone());
    assert!(play.engine.tables().tasks.is_empty());
}
