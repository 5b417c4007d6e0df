//! Instance: one identity's state: its phase, its data, and what the last readings were.
//!
//! Knows: how a reading is judged, n of m, missing data, staleness. Must not know: incidents,
//! messages or filters. In: what was seen; out: what changed.

use crate::flapping::Flapping;
use crate::identity::{Identity, IncidentId};
use crate::phase::{Delays, Phase};
use crate::rule::{MissingPolicy, Rule, Seen, Share};
use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// The state of one identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Which.
    pub identity: Identity,
    /// Where it is between well and bad.
    pub phase: Phase,
    /// How good its data are.
    pub data: Data,
    /// The last value, if it has values.
    pub value: Option<f64>,
    /// When it last had a reading, in observed milliseconds.
    pub seen_ms: u64,
    /// When it last recovered, in observed milliseconds; none if it was never bad.
    pub recovered_ms: Option<u64>,
    /// Whether the last readings were bad, the newest in the lowest bit.
    recent: u64,
    /// Whether it changes too often.
    pub flapping: Flapping,
    /// Its incident, while there is one.
    pub incident: Option<IncidentId>,
}

/// How good an instance's data are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// The last evaluation had a reading.
    Fresh,
    /// The last evaluation had none, since that observed millisecond.
    Missing {
        /// Since when.
        since_ms: u64,
    },
    /// Measuring failed.
    Error {
        /// Since when, in observed milliseconds.
        since_ms: u64,
        /// Why.
        reason: String,
    },
}

impl Instance {
    /// An instance that nothing is known of yet.
    #[must_use]
    pub fn new(identity: Identity, now_ms: u64) -> Self {
        Self {
            identity,
            phase: Phase::Ok,
            data: Data::Fresh,
            value: None,
            seen_ms: now_ms,
            recovered_ms: None,
            recent: 0,
            flapping: Flapping::default(),
            incident: None,
        }
    }

    /// Takes what an evaluation saw, at an observed time.
    pub fn take(&mut self, seen: &Seen, rule: &Rule, now_ms: u64) {
        let level = match seen {
            Seen::Level(level) => Ok(*level),
            Seen::Value(value) => {
                let judged = rule.scale.judge(*value, self.phase.held());
                self.value = judged.is_ok().then_some(*value).or(self.value);
                judged
            }
            Seen::NoData => return self.miss(rule, now_ms),
            Seen::Error(reason) => Err(reason.clone()),
        };
        match level {
            Ok(level) => self.fresh(level, rule, now_ms),
            Err(reason) => self.fail(reason, now_ms),
        }
    }

    /// Takes that measuring failed, which changes no phase.
    pub fn fail(&mut self, reason: String, now_ms: u64) {
        let since_ms = match self.data {
            Data::Error { since_ms, .. } => since_ms,
            _ => now_ms,
        };
        self.data = Data::Error { since_ms, reason };
    }

    /// Whether it had no reading for three intervals.
    #[must_use]
    pub fn is_stale(&self, rule: &Rule, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_ms) > rule.interval_ms.saturating_mul(STALE_INTERVALS)
    }

    /// Whether it is as it was, but for what the next evaluations say again. The last readings of a
    /// rule that counts them are not said again.
    pub(crate) fn is_as(&self, before: &Self, rule: &Rule) -> bool {
        before.phase == self.phase
            && before.data == self.data
            && before.incident == self.incident
            && before.flapping.is_on() == self.flapping.is_on()
            && (rule.share.is_none() || self.phase == Phase::Ok)
    }

    fn fresh(&mut self, level: Option<Severity>, rule: &Rule, now_ms: u64) {
        self.data = Data::Fresh;
        self.seen_ms = now_ms;
        self.recent = (self.recent << 1) | u64::from(level.is_some());
        let (level, for_ms) = match rule.share {
            Some(share) => (self.shared(share, level, rule), 0),
            None => (level, rule.for_ms),
        };
        self.advance(level, Delays { for_ms, keep_ms: rule.keep_ms }, now_ms);
    }

    /// Bad if enough of the last readings were.
    fn shared(&self, share: Share, level: Option<Severity>, rule: &Rule) -> Option<Severity> {
        let mask = u64::MAX >> (64 - share.m.clamp(1, 64));
        let bad = (self.recent & mask).count_ones();
        let mildest = || rule.scale.thresholds.first().map(|threshold| threshold.severity);
        let known = level.or(self.phase.incident()).or_else(mildest);
        known.filter(|_| bad >= share.n)
    }

    fn miss(&mut self, rule: &Rule, now_ms: u64) {
        let since_ms = match self.data {
            Data::Missing { since_ms } => since_ms,
            _ => now_ms,
        };
        self.data = Data::Missing { since_ms };
        if now_ms.saturating_sub(since_ms) < rule.missing.for_ms {
            return;
        }
        let mildest = rule.scale.thresholds.first().map(|threshold| threshold.severity);
        let level = match rule.missing.policy {
            MissingPolicy::Keep => return,
            MissingPolicy::Alert => self.phase.incident().or(mildest).or(Some(Severity::Warning)),
            MissingPolicy::Ok => None,
        };
        self.advance(level, Delays { for_ms: 0, keep_ms: rule.keep_ms }, now_ms);
    }

    fn advance(&mut self, level: Option<Severity>, delays: Delays, now_ms: u64) {
        let was_well = self.phase == Phase::Ok;
        self.phase = self.phase.next(level, delays, now_ms);
        if self.phase == Phase::Ok && !was_well {
            self.recovered_ms = Some(now_ms);
        }
        self.flapping.take(self.phase.incident().is_some());
    }
}

/// After how many intervals without a reading data are stale.
const STALE_INTERVALS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Missing;
    use crate::testing::rule;

    fn instance() -> Instance {
        Instance::new(Identity::new("r", crate::Labels::new()), 0)
    }

    fn names(instance: &mut Instance, rule: &Rule, seen: &[Seen]) -> Vec<&'static str> {
        let step = |(at, seen): (usize, &Seen)| {
            instance.take(seen, rule, (at as u64 + 1) * 10);
            instance.phase.name()
        };
        seen.iter().enumerate().map(step).collect()
    }

    #[test]
    fn readings_that_alternate_fire_by_n_of_m_only() {
        let bad = Seen::Value(95.0);
        let good = Seen::Value(10.0);
        let seen = [&bad, &good, &bad, &good, &bad, &good, &good, &good].map(Clone::clone);
        let consecutive = Rule { for_ms: 20, ..rule("r") };
        assert!(!names(&mut instance(), &consecutive, &seen).contains(&"firing"));
        let share = Rule { share: Some(Share { n: 3, m: 5 }), for_ms: 20, ..rule("r") };
        let expected = ["ok", "ok", "ok", "ok", "firing", "ok", "ok", "ok"];
        assert_eq!(names(&mut instance(), &share, &seen), expected);
    }

    #[test]
    fn errors_and_impossible_values_change_no_phase() {
        let rule = rule("r");
        let mut instance = instance();
        let seen = [Seen::Value(95.0), Seen::Error("refused".into()), Seen::Value(f64::NAN)];
        assert_eq!(names(&mut instance, &rule, &seen), ["firing"; 3]);
        assert!(matches!(instance.data, Data::Error { since_ms: 20, .. }), "{:?}", instance.data);
        assert_eq!(instance.value, Some(95.0));
        assert_eq!(names(&mut instance, &rule, &[Seen::Value(1.0)]), ["ok"]);
        assert_eq!(instance.data, Data::Fresh);
    }

    #[test]
    fn missing_data_do_what_the_rule_says_after_their_own_delay() {
        for (policy, from_ok, from_firing) in [
            (MissingPolicy::Keep, ["ok"; 4], ["firing"; 4]),
            (MissingPolicy::Alert, ["ok", "ok", "firing", "firing"], ["firing"; 4]),
            (MissingPolicy::Ok, ["ok"; 4], ["firing", "firing", "ok", "ok"]),
        ] {
            let rule = Rule { missing: Missing { policy, for_ms: 20 }, ..rule("r") };
            let gone = vec![Seen::NoData; 4];
            let mut healthy = instance();
            healthy.take(&Seen::Value(1.0), &rule, 5);
            assert_eq!(names(&mut healthy, &rule, &gone), from_ok, "{policy:?}");
            let mut ill = instance();
            ill.take(&Seen::Value(95.0), &rule, 5);
            assert_eq!(names(&mut ill, &rule, &gone), from_firing, "{policy:?}");
        }
    }

    #[test]
    fn data_are_stale_after_three_intervals() {
        let rule = Rule { interval_ms: 10, ..rule("r") };
        let mut instance = instance();
        instance.take(&Seen::Value(1.0), &rule, 100);
        assert!(!instance.is_stale(&rule, 130));
        assert!(instance.is_stale(&rule, 131));
    }
}
