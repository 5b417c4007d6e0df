//! Silence: what a person does not want to be told for a while.
//!
//! Knows: matchers, author, and when it ends. Must not know: instances or messages, which it never
//! changes: measuring goes on, and a resolve is still sent. In: an incident; out: yes or no.

use crate::identity::Identity;
use crate::matcher::{Matcher, all_match};
use crate::severity::Severity;
use serde::{Deserialize, Serialize};

/// Holds the messages of new incidents that match, until its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// What it is for; all must match. None at all is refused.
    pub matchers: Vec<Matcher>,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// When it begins, in milliseconds since 1970.
    pub starts_ms: i64,
    /// When it ends. A silence always ends.
    pub ends_ms: i64,
}

impl Silence {
    /// Checks what a person asks for.
    ///
    /// # Errors
    ///
    /// It has no matcher, no author, or ends before it begins.
    pub fn check(&self) -> Result<(), String> {
        if self.matchers.is_empty() {
            return Err("a silence needs a matcher, such as `target=shop`".to_owned());
        }
        if self.author.trim().is_empty() {
            return Err("a silence needs an author".to_owned());
        }
        if self.ends_ms <= self.starts_ms {
            return Err("a silence ends after it begins".to_owned());
        }
        Ok(())
    }

    /// Whether it holds that incident's message at that time.
    #[must_use]
    pub fn holds(&self, identity: &Identity, severity: Severity, wall_ms: i64) -> bool {
        (self.starts_ms..self.ends_ms).contains(&wall_ms)
            && all_match(&self.matchers, identity, severity)
    }
}
