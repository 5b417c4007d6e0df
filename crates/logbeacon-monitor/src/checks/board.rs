//! Board: the newest report of each check, as readings for rules.
//!
//! Knows: which report is too old to say anything. Must not know: probes or rules. In: reports;
//! out: metrics.

use super::check::{Check, Kind};
use super::report::{CheckReport, Status};
use crate::rule::{Sample, Seen};
use std::collections::BTreeMap;

/// The newest report of each check.
#[derive(Debug, Default)]
pub struct Board {
    reports: BTreeMap<String, (u64, CheckReport)>,
}

impl Board {
    /// Puts a report, at that monotonic millisecond. A push from outside is one too.
    pub fn put(&mut self, id: &str, mono_ms: u64, report: CheckReport) {
        self.reports.insert(id.to_owned(), (mono_ms, report));
    }

    /// The newest report of a check, and when it was made.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&(u64, CheckReport)> {
        self.reports.get(id)
    }

    /// What rules see of these checks, and forgets all others. A report that is older than three
    /// periods is no data; a push that did not come within its period is down.
    pub fn metrics(
        &mut self,
        checks: &BTreeMap<String, Check>,
        now: (u64, i64),
    ) -> BTreeMap<&'static str, Vec<Sample>> {
        self.reports.retain(|id, _| checks.contains_key(id));
        let mut metrics = BTreeMap::<&'static str, Vec<Sample>>::new();
        for (id, check) in checks {
            let labels = check.labels();
            let samples = match (self.reports.get(id), &check.kind) {
                (None, _) => {
                    let reading = Seen::NoData;
                    vec![("check.down", Sample { labels, reading })]
                }
                (Some((at_ms, report)), kind) => {
                    let age_ms = u128::from(now.0.saturating_sub(*at_ms));
                    let period_ms = check.every.as_millis();
                    let silent = |status, what: &str| CheckReport::up().with(status, what);
                    let late = match kind {
                        Kind::Push if age_ms > period_ms => Some((Status::Down, "no push")),
                        _ if age_ms > 3 * period_ms => Some((Status::Unknown, "too old")),
                        _ => None,
                    };
                    match late {
                        Some((status, what)) => silent(status, what).samples(&labels, now.1),
                        None => report.samples(&labels, now.1),
                    }
                }
            };
            for (metric, sample) in samples {
                metrics.entry(metric).or_default().push(sample);
            }
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn checks(kind: Kind) -> BTreeMap<String, Check> {
        let check = Check {
            id: "c".into(),
            target: "shop".into(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            kind,
        };
        BTreeMap::from([("c".to_owned(), check)])
    }

    fn down(board: &mut Board, checks: &BTreeMap<String, Check>, mono_ms: u64) -> Seen {
        board.metrics(checks, (mono_ms, 0))["check.down"][0].reading.clone()
    }

    #[test]
    fn old_reports_are_no_data_and_a_push_that_does_not_come_is_down() {
        let tcp = checks(Kind::Tcp { address: "a:1".into(), tls: false, ca: None });
        let push = checks(Kind::Push);
        let mut board = Board::default();
        assert_eq!(down(&mut board, &push, 0), Seen::NoData, "none came yet");
        board.put("c", 1_000, CheckReport::up());
        assert_eq!(down(&mut board, &tcp, 91_000), Seen::Value(0.0));
        assert_eq!(down(&mut board, &tcp, 91_001), Seen::NoData);
        assert_eq!(down(&mut board, &push, 31_000), Seen::Value(0.0));
        assert_eq!(down(&mut board, &push, 31_001), Seen::Value(1.0));
        board.metrics(&BTreeMap::new(), (0, 0));
        assert!(board.get("c").is_none(), "a check that is gone is forgotten");
    }
}
