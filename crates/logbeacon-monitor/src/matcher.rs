//! Matcher: which incidents a silence, a maintenance window or a channel is for.
//!
//! Knows: label names, values with `*`, and the pseudo labels `rule` and `severity`. Must not know:
//! why somebody asks. In: matchers and an incident; out: yes or no.

use crate::identity::{Identity, Labels};
use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The label; `rule` and `severity` are always there.
    pub label: String,
    /// The value; `*` stands for any text. A label that is absent has the value "".
    pub value: String,
    /// Whether the value must differ instead.
    pub negated: bool,
}

impl Matcher {
    /// Reads `label=value` or `label!=value`.
    ///
    /// # Errors
    ///
    /// There is no `=`, or no label before it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (label, value) = text.split_once('=').ok_or("a matcher is `label=value`")?;
        let (label, negated) = match label.strip_suffix('!') {
            Some(label) => (label, true),
            None => (label, false),
        };
        match label.trim() {
            "" => Err("a matcher begins with a label's name".to_owned()),
            label => Ok(Self { label: label.to_owned(), value: value.trim().to_owned(), negated }),
        }
    }

    /// Whether it is true of that identity with that severity.
    #[must_use]
    pub fn is_match(&self, identity: &Identity, severity: Severity) -> bool {
        let value = match self.label.as_str() {
            "rule" => identity.rule.as_str(),
            "severity" => severity.name(),
            label => identity.labels.get(label).map_or("", String::as_str),
        };
        self.is_like(value) != self.negated
    }

    /// Whether it is true of these labels, which have no rule and no severity.
    #[must_use]
    pub fn is_match_of(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", String::as_str);
        self.is_like(value) != self.negated
    }

    /// Whether a text is like the value, in which `*` stands for any text. Takes linear time for
    /// each star.
    pub(crate) fn is_like(&self, text: &str) -> bool {
        let mut parts = self.value.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.split_once(part) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// Whether all are true. Of no matchers it is true.
#[must_use]
pub(crate) fn all_match(matchers: &[Matcher], identity: &Identity, severity: Severity) -> bool {
    matchers.iter().all(|matcher| matcher.is_match(identity, severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            let matcher = Matcher { label: "a".into(), value: pattern.into(), negated: false };
            assert_eq!(matcher.is_like(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn rule_and_severity_are_labels_and_an_absent_label_is_empty() {
        let labels = Labels::from([("target".to_owned(), "shop".to_owned())]);
        let identity = Identity::new("disk", labels);
        for (text, expected) in [
            ("rule=disk", true),
            ("rule!=disk", false),
            ("severity=warning", true),
            ("target=s*", true),
            ("host=", true),
            ("host!=", false),
        ] {
            let matcher = Matcher::parse(text).unwrap();
            assert_eq!(matcher.is_match(&identity, Severity::Warning), expected, "{text}");
        }
        assert!(Matcher::parse("shop").is_err() && Matcher::parse("=x").is_err());
    }
}
