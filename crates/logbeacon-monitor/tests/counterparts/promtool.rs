//! Promtool: Prometheus' own evaluation of alert rules says of each minute which alerts are pending
//! and which fire. Ours must say the same, minute by minute.
//!
//! What differs on purpose is switched off here: Prometheus takes a series that is gone as good, so
//! does a rule with `missing: ok`; and it has one threshold, so raise and clear are equal.

use crate::{Random, engine, program, rule, sample};
use logbeacon_monitor::{Evaluation, Reading, Setup};
use std::fmt::Write as _;
use std::process::Command;

const MINUTES: u64 = 40;

/// One random series for a rule with its delays, in minutes.
struct Case {
    for_minutes: u64,
    keep_minutes: u64,
    /// 0 or 1; none where the series is gone.
    values: Vec<Option<u64>>,
}

fn cases() -> Vec<Case> {
    let mut random = Random(7);
    let mut cases = Vec::new();
    for number in 0..300 {
        let (for_minutes, keep_minutes) = ([0, 1, 3, 5][number % 4], [0, 2, 4][number / 4 % 3]);
        let mut value = 0;
        let mut next = || {
            if random.below(3) == 0 {
                value = random.below(2);
            }
            (random.below(12) > 0).then_some(value)
        };
        let values = (0..=MINUTES).map(|_| next()).collect();
        cases.push(Case { for_minutes, keep_minutes, values });
    }
    cases
}

/// What ours says: for each minute, the state of each case.
fn ours(cases: &[Case]) -> Vec<Vec<&'static str>> {
    let mut setup = Setup::default();
    for (number, case) in cases.iter().enumerate() {
        let (for_ms, keep_ms) = (case.for_minutes * 60_000, case.keep_minutes * 60_000);
        setup.rules.insert(format!("r{number}"), rule(format!("r{number}"), for_ms, keep_ms));
    }
    let (mut engine, start, _dir) = engine(setup);
    let mut states = Vec::new();
    for minute in 0..=MINUTES {
        let evaluation = |(number, case): (usize, &Case)| {
            let value = case.values[minute as usize];
            let samples = value.map(|value| sample(&[("case", "x")], value as f64));
            Evaluation { rule: format!("r{number}"), result: Ok(samples.into_iter().collect()) }
        };
        let evaluations = cases.iter().enumerate().map(evaluation).collect();
        let ms = minute * 60_000;
        let reading = Reading { wall_ms: start.wall_ms + ms as i64, mono_ms: ms };
        engine.observe(reading, evaluations);
        let state = |number: usize| {
            let rule = format!("r{number}");
            let instances = engine.tables().instances.values();
            let found = instances.into_iter().find(|it| it.identity.rule == rule);
            match found.map_or("ok", |it| it.phase.name()) {
                "recovering" => "firing",
                name => name,
            }
        };
        states.push((0..cases.len()).map(state).collect());
    }
    states
}

fn rules_file(cases: &[Case]) -> String {
    let mut text = "groups:\n- name: g\n  interval: 1m\n  rules:\n".to_owned();
    for (number, case) in cases.iter().enumerate() {
        let (for_minutes, keep_minutes) = (case.for_minutes, case.keep_minutes);
        write!(text, "  - alert: r{number}\n    expr: m{{case=\"{number}\"}} > 0.5\n").unwrap();
        write!(text, "    for: {for_minutes}m\n    keep_firing_for: {keep_minutes}m\n").unwrap();
    }
    text
}

fn test_file(cases: &[Case], states: &[Vec<&str>]) -> String {
    let mut text = "rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n".to_owned();
    text.push_str("- interval: 1m\n  input_series:\n");
    for (number, case) in cases.iter().enumerate() {
        let values = case.values.iter();
        let values = values.map(|value| value.map_or("stale".into(), |value| value.to_string()));
        let values = values.collect::<Vec<_>>().join(" ");
        write!(text, "  - series: 'm{{case=\"{number}\"}}'\n    values: '{values}'\n").unwrap();
    }
    text.push_str("  promql_expr_test:\n");
    for (minute, states) in states.iter().enumerate() {
        write!(text, "  - expr: ALERTS\n    eval_time: {minute}m\n    exp_samples:\n").unwrap();
        for (number, state) in states.iter().enumerate().filter(|(_, state)| **state != "ok") {
            let labels = format!("alertname=\"r{number}\",alertstate=\"{state}\"");
            let labels = format!("ALERTS{{{labels},case=\"{number}\"}}");
            write!(text, "    - labels: '{labels}'\n      value: 1\n").unwrap();
        }
    }
    text
}

#[test]
fn every_minute_has_the_states_that_prometheus_says() {
    let Some(promtool) = program("promtool", "Prometheus' rule semantics") else { return };
    let cases = cases();
    let states = ours(&cases);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rules.yaml"), rules_file(&cases)).unwrap();
    std::fs::write(dir.path().join("test.yaml"), test_file(&cases, &states)).unwrap();
    let run = || {
        let mut command = Command::new(&promtool);
        command.args(["test", "rules", "test.yaml"]).current_dir(dir.path()).output().unwrap()
    };
    let output = run();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", said.get(..4_000).unwrap_or(&said));
    // Pending and firing were there to be compared, and a wrong expectation is noticed.
    let count = |name| states.iter().flatten().filter(|state| **state == name).count();
    assert!(count("pending") > 500 && count("firing") > 1_000);
    let mut wrong = states.clone();
    wrong[20][0] = if wrong[20][0] == "firing" { "ok" } else { "firing" };
    std::fs::write(dir.path().join("test.yaml"), test_file(&cases, &wrong)).unwrap();
    assert!(!run().status.success(), "promtool compares nothing");
}
