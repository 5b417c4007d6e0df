//! Tests: what a file may say, and what is said of a file that is wrong.
//!
//! Knows: the configuration from outside. Must not know: how it is read. In: texts; out: problems.

use super::*;
use crate::rule::Seen;
use crate::severity::Severity;
use crate::tasks::Schedule;
use crate::testing::target;
use std::io;

const NOW_MS: i64 = 1_780_000_000_000;

fn parse(text: &str) -> Result<MonitorConfig, Vec<String>> {
    let parsed = MonitorConfig::parse(Path::new("monitor.yaml"), text, NOW_MS);
    parsed.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn an_empty_file_has_the_shipped_rules() {
    let config = parse("").unwrap();
    let ids: Vec<_> = config.setup.rules.keys().map(String::as_str).collect();
    let expected =
        ["data-source-error", "host-load", "service-offline", "task-failures", "task-problem"];
    assert_eq!(ids, expected);
    let waits = config.setup.rules.values().filter(|rule| rule.for_ms > 0).count();
    assert_eq!(waits, 4, "all but a task's problem, which has waited for its grace");
    let offline = &config.setup.rules["service-offline"];
    assert_eq!(offline.scale.thresholds[0].severity, Severity::Critical);
    assert!(offline.marks_down);
}

#[test]
fn the_example_of_the_manual_is_read() {
    let manual = include_str!("../../../../docs/monitor.md");
    let example = manual.split("```yaml").nth(1).unwrap().split("```").next().unwrap();
    let config = parse(example).unwrap();
    assert!(!config.setup.rules.contains_key("host-load"), "switched off");
    let disk = &config.setup.rules["disk"];
    assert_eq!((disk.for_ms, disk.scale.thresholds.len()), (300_000, 2));
    assert_eq!(config.sources["disk"].matchers.len(), 1);
    assert_eq!(config.setup.rules["service-offline"].for_ms, 60_000);
    assert_eq!(config.setup.parents["shop"], ["router", "database"]);
    assert_eq!(config.checks.len(), 4);
    assert_eq!(config.checks["shop-page"].target, "shop");
    assert!(matches!(config.setup.tasks["backup"].schedule, Schedule::Cron { .. }));
    assert_eq!(config.setup.channels["night"].severity_min, Severity::Critical);
    assert_eq!(config.setup.maintenance[0].days.len(), 1);
    assert_eq!(config.setup.waits.group_ms, 20_000);
}

#[test]
fn every_problem_has_its_place_and_says_what_to_write() {
    for (text, expected) in [
        ("rulez: {}", "monitor.yaml:1:8: rulez: unknown key; did you mean `rules`?"),
        (
            "rules:\n  disk:\n    metrik: x",
            "monitor.yaml:3:5: rules.disk.metrik: unknown key; did you mean `metric`?",
        ),
        ("rules:\n  disk: {metric: x}", "rules.disk: has no threshold; give at least one"),
        ("rules:\n  disk: {warning: 1}", "rules.disk.metric: is missing; name a metric"),
        (
            "rules:\n  disk: {metric: x, warning: 90, warning_clear: 95}",
            "monitor.yaml:2:49: rules.disk.warning_clear: is on the bad side of its threshold",
        ),
        (
            "rules:\n  disk: {metric: x, warning: 90, critical: 80}",
            "rules.disk.critical: is milder than the severity before it",
        ),
        ("rules:\n  disk: {metric: x, warning: many}", "\"many\" is not a number"),
        ("rules:\n  monitor.x: {metric: x, warning: 1}", "the monitor's own rules"),
        ("rules:\n  a b: {}", "rules.a b: is not a name; letters, digits"),
        ("rules:\n  d: {metric: x, warning: 1, for: 5}", "expected a time with its unit"),
        ("rules:\n  d: {metric: x, warning: 1, share: 6/5}", "is not a share; expected how many"),
        ("rules: 5", "rules: is not a section"),
        ("tasks:\n  b: {cron: \"30 2 * * *\"}", "tasks.b.zone: is missing; name the zone"),
        ("tasks:\n  b: {}", "tasks.b: has no schedule; give `cron` with `zone`, or `every`"),
        ("tasks:\n  b: {every: 1h, cron: \"0 0 * * *\", zone: UTC}", "is given beside `cron`"),
        ("tasks:\n  b: {cron: \"0 0 * *\", zone: UTC}", "4 fields, and cron has five"),
        ("tasks:\n  b: {cron: \"0 0 * * *\", zone: Europe/Berln}", "did you mean Europe/Berlin?"),
        ("tasks:\n  b: {every: 10m, grace: 10m}", "tasks.b.grace: `early` and `grace` together"),
        ("targets:\n  a: {depends_on: [b]}", "\"b\" is not a target"),
        (
            "targets:\n  a: {depends_on: [b]}\n  b: {depends_on: c}\n  c: {depends_on: [a]}",
            "targets depend on themselves: a → b → c → a",
        ),
        ("targets:\n  a: {depends_on: [a]}", "targets depend on themselves: a → a"),
        ("channels:\n  m: {match: [shop]}", "\"shop\": a matcher is `label=value`"),
        ("channels:\n  m: {severity: bad}", "it is one of info, warning, critical"),
        ("maintenance:\n  n: {from: \"22:00\", zone: UTC}", "`from` or `to` is missing"),
        ("maintenance:\n  n: {from: \"22:00\", to: \"25:00\", zone: UTC}", "not a time of day"),
        ("maintenance:\n  n: {days: [Someday]}", "\"Someday\" is not a weekday"),
        ("checks:\n  a: {kind: tcp}", "checks.a.address: is missing; this kind of check needs it"),
        ("checks:\n  a: {kind: redis, address: here}", "checks.a.address: has no port"),
        ("checks:\n  a: {url: \"ftp://x\"}", "checks.a.url: is not a URL of http or https"),
        ("checks:\n  a: {url: \"http://x\", every: 5s}", "`every`; make it shorter"),
        ("checks:\n  a: {url: \"http://u:p@x/\"}", "checks.a.url: holds a name or password"),
        ("checks:\n  a: {url: \"http://x\", headers: [s3cret]}", "has no colon (not shown)"),
        ("checks:\n  a: {url: \"http://x\", status: [ok]}", "such as [200, 204]"),
        ("checks:\n  a: {kind: htp, url: \"http://x\"}", "did you mean http?"),
        ("rules: [", "is not YAML"),
        ("rules: {}\nrules: {}", "is given twice"),
    ] {
        let problems = parse(text).unwrap_err();
        assert!(problems.iter().any(|it| it.contains(expected)), "{text}: {problems:?}");
        assert!(problems[0].starts_with("monitor.yaml:"), "{problems:?}");
    }
}

#[test]
fn all_problems_of_a_file_are_said_at_once() {
    let text = "rules:\n  a: {warning: 1}\ntasks:\n  b: {}\nchannels:\n  c: {severity: bad}";
    assert_eq!(parse(text).unwrap_err().len(), 3);
}

#[test]
fn lists_may_be_written_as_texts() {
    let as_list = parse("channels:\n  m: {match: [rule=a, \"target!=b\"]}").unwrap();
    let as_text = parse("channels:\n  m: {match: \"rule=a, target!=b\"}").unwrap();
    assert_eq!(as_list, as_text);
    assert_eq!(as_list.setup.channels["m"].matchers.len(), 2);
}

#[test]
fn values_of_headers_are_shown_nowhere() {
    let text = "checks:\n  a: {url: \"http://x\", headers: [\"authorization: Bearer s3cret\"]}";
    let config = parse(text).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    let wrong = "checks:\n  a: {url: \"http://x\", headers: [s3cret]}";
    assert!(!parse(wrong).unwrap_err().join("").contains("s3cret"));
}

#[test]
fn a_bad_file_keeps_the_old_one_and_says_so_once() {
    let mut watch = Watch::new(Path::new("monitor.yaml"));
    let good = "rules:\n  disk: {metric: x, warning: 1}";
    assert!(watch.offer(Ok(good.to_owned()), NOW_MS).unwrap().is_some());
    assert!(watch.offer(Ok(good.to_owned()), NOW_MS).unwrap().is_none());
    let bad = || Ok("rules: 5".to_owned());
    assert!(watch.offer(bad(), NOW_MS).is_err());
    assert!(watch.offer(bad(), NOW_MS).unwrap().is_none(), "said once");
    assert_eq!(watch.problems().len(), 1);
    let gone = || Err(io::Error::from(io::ErrorKind::NotFound));
    let problems = watch.offer(gone(), NOW_MS).unwrap_err();
    assert!(problems[0].to_string().contains("the last good one is in use"), "{problems:?}");
    assert!(watch.offer(Ok(good.to_owned()), NOW_MS).unwrap().is_some());
    assert!(watch.problems().is_empty());
}

#[test]
fn a_rule_sees_the_series_that_match() {
    let text = "rules:\n  d: {metric: disk, warning: 1, where: [target=a*]}";
    let config = parse(text).unwrap();
    let sample = |name: &str| Sample { labels: target(name), reading: Seen::Value(1.0) };
    let disk = Ok(vec![sample("a1"), sample("b")]);
    let measured = BTreeMap::from([
        ("disk".to_owned(), disk),
        ("source.error".to_owned(), Err("refused".to_owned())),
    ]);
    let evaluations = config.evaluate(&measured);
    let of = |rule: &str| evaluations.iter().find(|it| it.rule == rule).unwrap().result.clone();
    assert_eq!(of("d"), Ok(vec![sample("a1")]));
    assert_eq!(of("data-source-error"), Err("refused".to_owned()));
    assert_eq!(of("host-load"), Ok(Vec::new()));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        text in "(rules|tasks|targets|[a-z: \\n\\[\\]{},0-9*\"]){0,40}",
    ) {
        let _ = parse(&text);
    }
}
