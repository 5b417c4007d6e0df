//! Shipped: the rules that are there without a word in `monitor.yaml`.
//!
//! Knows: their metrics, thresholds and texts. Must not know: how a rule is evaluated. In: nothing;
//! out: options that a file may change by the same id, or switch off.

use super::options::RuleOptions;
use std::collections::BTreeMap;
use std::time::Duration;

/// The shipped rules by id.
pub(super) fn shipped() -> BTreeMap<String, RuleOptions> {
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let rule = |metric: &str, wait: Duration, summary: &str| RuleOptions {
        metric: metric.to_owned(),
        wait,
        summary: summary.to_owned(),
        ..RuleOptions::default()
    };
    let offline = RuleOptions {
        critical: Some(0.5),
        marks_down: true,
        ..rule("check.down", minutes(2), "{target} does not answer")
    };
    let failures = RuleOptions {
        warning: Some(10.0),
        warning_clear: Some(5.0),
        ..rule("task.failed_percent", minutes(5), "{value} % of the runs of {task} fail")
    };
    let problem = RuleOptions {
        warning: Some(0.5),
        ..rule("task.problem", Duration::ZERO, "task {task}: {problem}")
    };
    let source = RuleOptions {
        warning: Some(0.5),
        ..rule("source.error", minutes(5), "data source {source} does not work")
    };
    let load = RuleOptions {
        warning: Some(80.0),
        warning_clear: Some(70.0),
        min: Some(0.0),
        max: Some(100.0),
        ..rule("host.used_percent", minutes(5), "{resource} is used by {value} %")
    };
    let named = [
        ("service-offline", offline),
        ("task-failures", failures),
        ("task-problem", problem),
        ("data-source-error", source),
        ("host-load", load),
    ];
    named.into_iter().map(|(id, rule)| (id.to_owned(), rule)).collect()
}
