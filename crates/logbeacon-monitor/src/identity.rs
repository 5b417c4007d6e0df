//! Identity: which alert is which, across evaluations, edits of a rule and restarts.
//!
//! Knows: rule ids, labels and how an incident gets its id. Must not know: values, thresholds,
//! texts or times, none of which may change an identity. In: a rule id and labels; out: keys.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Names and values that tell instances of one rule apart, such as `target="shop"`.
pub type Labels = BTreeMap<String, String>;

/// One instance of a rule: the rule's id and the labels.
///
/// Two readings with the same identity are the same alert. A label that holds a measured value
/// would make a new alert each time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The rule's id, which survives edits of the rule.
    pub rule: String,
    /// The labels.
    pub labels: Labels,
}

impl Identity {
    /// The identity of a rule's instance with these labels.
    pub fn new(rule: impl Into<String>, labels: Labels) -> Self {
        Self { rule: rule.into(), labels }
    }

    /// A hash of rule and sorted labels, the same in every build and on every machine (FNV-1a).
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325;
        let mut take = |text: &str| {
            for byte in text.bytes().chain([0xFF]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        };
        take(&self.rule);
        for (name, value) in &self.labels {
            take(name);
            take(value);
        }
        hash
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        for (at, (name, value)) in self.labels.iter().enumerate() {
            f.write_str(if at == 0 { "{" } else { "," })?;
            write!(f, "{name}={value:?}")?;
        }
        f.write_str(if self.labels.is_empty() { "" } else { "}" })
    }
}

/// The key of one outage of one instance: sorts by start, and is what receivers deduplicate by.
///
/// A repeat, an update and the resolve share it; the next outage has another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentId(String);

impl IncidentId {
    /// The id of the `number`th incident of this monitor, which starts now.
    #[must_use]
    pub fn new(identity: &Identity, start_ms: i64, number: u64) -> Self {
        let start = start_ms.max(0);
        Self(format!("{start:012x}-{number:x}-{:016x}", identity.fingerprint()))
    }

    /// The id as a text of at most 46 bytes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_fingerprint_never_changes() {
        let identity = Identity::new("disk", labels(&[("mount", "/"), ("host", "a")]));
        assert_eq!(identity.fingerprint(), 0x5834_6F1B_828C_F9C4);
    }

    #[test]
    fn where_a_label_ends_matters() {
        let one = Identity::new("r", labels(&[("a", "bc")]));
        let other = Identity::new("r", labels(&[("ab", "c")]));
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(one.to_string(), r#"r{a="bc"}"#);
    }

    #[test]
    fn incidents_of_one_millisecond_have_different_ids() {
        let identity = Identity::new("r", Labels::new());
        assert_ne!(IncidentId::new(&identity, 5, 1), IncidentId::new(&identity, 5, 2));
        assert!(IncidentId::new(&identity, i64::MAX, u64::MAX).as_str().len() <= 50);
    }
}
