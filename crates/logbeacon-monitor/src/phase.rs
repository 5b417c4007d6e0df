//! Phase: ok, pending, firing, recovering; when one becomes the other.
//!
//! Knows: `for`, `keep`, and how severity rises and falls within an incident. Must not know:
//! values, missing data or messages, which never change a phase. In: a phase and the severity seen
//! now; out: the next phase.

use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// Where an instance is between well and bad. Times are observed milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All is well.
    #[default]
    Ok,
    /// Bad, but not yet for long enough. Ends without a trace if it becomes good.
    Pending {
        /// Since when.
        since_ms: u64,
        /// The severity that held all that time.
        severity: Severity,
    },
    /// An incident.
    Firing {
        /// Its severity.
        severity: Severity,
        /// A higher severity that is not held for long enough yet, and since when.
        rising: Option<(Severity, u64)>,
    },
    /// An incident that looks good, but not yet for long enough.
    Recovering {
        /// The severity it had.
        severity: Severity,
        /// Since when it looks good.
        since_ms: u64,
    },
}

/// How long a rule waits before an incident starts and before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// Observed milliseconds before it starts, and before its severity rises.
    pub for_ms: u64,
    /// Observed milliseconds before it ends.
    pub keep_ms: u64,
}

impl Phase {
    /// The severity of the incident, if there is one.
    #[must_use]
    pub fn incident(self) -> Option<Severity> {
        match self {
            Self::Ok | Self::Pending { .. } => None,
            Self::Firing { severity, .. } | Self::Recovering { severity, .. } => Some(severity),
        }
    }

    /// The severity that a clear threshold holds: that of an incident which does not recover.
    #[must_use]
    pub fn held(self) -> Option<Severity> {
        match self {
            Self::Firing { severity, .. } => Some(severity),
            _ => None,
        }
    }

    /// Its name: `ok`, `pending`, `firing`, `recovering`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending { .. } => "pending",
            Self::Firing { .. } => "firing",
            Self::Recovering { .. } => "recovering",
        }
    }

    /// The phase after a reading of that severity at that observed time.
    #[must_use]
    pub fn next(self, level: Option<Severity>, delays: Delays, now_ms: u64) -> Self {
        match level {
            Some(level) => self.worse(level, delays, now_ms),
            None => self.better(delays, now_ms),
        }
    }

    fn worse(self, level: Severity, delays: Delays, now_ms: u64) -> Self {
        match self {
            Self::Ok if delays.for_ms == 0 => Self::Firing { severity: level, rising: None },
            Self::Ok => Self::Pending { since_ms: now_ms, severity: level },
            Self::Pending { since_ms, severity } => {
                let severity = severity.min(level);
                if now_ms.saturating_sub(since_ms) < delays.for_ms {
                    return Self::Pending { since_ms, severity };
                }
                let rising = (level > severity).then_some((level, now_ms));
                Self::Firing { severity, rising }
            }
            Self::Firing { severity, rising } => rise((severity, rising), level, delays, now_ms),
            Self::Recovering { severity, .. } => rise((severity, None), level, delays, now_ms),
        }
    }

    fn better(self, delays: Delays, now_ms: u64) -> Self {
        match self {
            Self::Ok | Self::Pending { .. } => Self::Ok,
            Self::Firing { .. } if delays.keep_ms == 0 => Self::Ok,
            Self::Firing { severity, .. } => Self::Recovering { severity, since_ms: now_ms },
            Self::Recovering { since_ms, .. }
                if now_ms.saturating_sub(since_ms) >= delays.keep_ms =>
            {
                Self::Ok
            }
            recovering => recovering,
        }
    }
}

/// A severity falls at once, for the clear threshold has held it; it rises after `for`.
fn rise(
    (severity, rising): (Severity, Option<(Severity, u64)>),
    level: Severity,
    Delays { for_ms, .. }: Delays,
    now_ms: u64,
) -> Phase {
    if level <= severity {
        return Phase::Firing { severity: level, rising: None };
    }
    let (held, since_ms) = rising.map_or((level, now_ms), |(held, since)| (held.min(level), since));
    if now_ms.saturating_sub(since_ms) >= for_ms {
        let rising = (level > held).then_some((level, now_ms));
        return Phase::Firing { severity: held, rising };
    }
    Phase::Firing { severity, rising: Some((held, since_ms)) }
}

#[cfg(test)]
mod tests {
    use super::Severity::{Critical, Warning};
    use super::*;

    const SLOW: Delays = Delays { for_ms: 20, keep_ms: 20 };

    /// The names of the phases after each reading, ten milliseconds apart.
    fn play(levels: &[Option<Severity>], delays: Delays) -> Vec<&'static str> {
        let mut phase = Phase::Ok;
        let step = |(at, level): (usize, &Option<Severity>)| {
            phase = phase.next(*level, delays, at as u64 * 10);
            phase.name()
        };
        levels.iter().enumerate().map(step).collect()
    }

    #[test]
    fn an_incident_starts_after_for_and_ends_after_keep() {
        let bad = Some(Warning);
        let readings = [bad, bad, bad, None, None, bad, None, None, None];
        let phases = play(&readings, SLOW);
        let expected = [
            "pending",
            "pending",
            "firing",
            "recovering",
            "recovering",
            "firing",
            "recovering",
            "recovering",
            "ok",
        ];
        assert_eq!(phases, expected);
    }

    #[test]
    fn what_ends_before_for_leaves_no_trace() {
        let bad = Some(Warning);
        assert_eq!(play(&[bad, bad, None, bad], SLOW), ["pending", "pending", "ok", "pending"]);
    }

    #[test]
    fn without_delays_every_reading_decides() {
        let at_once = Delays { for_ms: 0, keep_ms: 0 };
        let phases = play(&[Some(Critical), None, Some(Warning)], at_once);
        assert_eq!(phases, ["firing", "ok", "firing"]);
    }

    #[test]
    fn a_spike_does_not_raise_the_severity_and_a_lasting_rise_does() {
        let mut phase = Phase::Firing { severity: Warning, rising: None };
        let mut seen = Vec::new();
        for (at, level) in
            [Critical, Warning, Critical, Critical, Critical, Warning].into_iter().enumerate()
        {
            phase = phase.next(Some(level), SLOW, at as u64 * 10);
            seen.push(phase.incident());
        }
        let (warning, critical) = (Some(Warning), Some(Critical));
        assert_eq!(seen, [warning, warning, warning, warning, critical, warning]);
    }

    #[test]
    fn an_incident_begins_with_the_severity_that_held_all_the_time() {
        let mut phase = Phase::Ok;
        for (at, level) in [Critical, Warning, Critical].into_iter().enumerate() {
            phase = phase.next(Some(level), SLOW, at as u64 * 10);
        }
        assert_eq!(phase.incident(), Some(Warning));
    }

    /// All sequences of eight readings: `firing` only after a run of bad ones as long as `for`, and
    /// `ok` out of an incident only after a run of good ones as long as `keep`.
    #[test]
    fn no_short_run_starts_or_ends_an_incident() {
        for bits in 0_u32..256 {
            let mut phase = Phase::Ok;
            let (mut bad_run, mut good_run) = (0, 0);
            for at in 0..8 {
                let is_bad = bits & (1 << at) != 0;
                (bad_run, good_run) = if is_bad { (bad_run + 1, 0) } else { (0, good_run + 1) };
                let before = phase.incident();
                phase = phase.next(is_bad.then_some(Warning), SLOW, at * 10);
                match (before, phase.incident()) {
                    (None, Some(_)) => assert!(bad_run >= 3, "{bits:b}"),
                    (Some(_), None) => assert!(good_run >= 3, "{bits:b}"),
                    (None, None) => assert!(bad_run < 3, "{bits:b}"),
                    (Some(_), Some(_)) => assert!(good_run < 3, "{bits:b}"),
                }
            }
        }
    }
}
