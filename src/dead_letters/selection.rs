//! Selection: which dead letters are meant, wherever they are.
//!
//! Pure: facts in, yes or no out. The worker `logwell-relay` asks it about messages in a broker.

use logwell_options::units::parse_time;
use std::time::Duration;

/// Which dead letters are meant: those for which all of this holds. The default means all.
///
/// ```
/// use logwell::dead_letters::{Facts, Selection};
/// use std::time::Duration;
///
/// let mut which = Selection::default();
/// which.reason = Some("status 413".to_owned());
/// which.older_than = Some(Duration::from_secs(3_600));
/// let why = "HTTP status 413: too large";
/// let facts = Facts { destination: "logbeacon", id: "9f2c", why, at_unix_ms: Some(0) };
/// assert!(which.takes(&facts, 7_200_000));
/// assert!(!which.takes(&facts, 1_800_000));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// Of one of these destinations; empty: of any. `telegram` means both groups of people.
    pub destinations: Vec<String>,
    /// With one of these ids; empty: with any.
    pub ids: Vec<String>,
    /// With this text in the reason, in upper or lower case.
    pub reason: Option<String>,
    /// Refused at least so long ago.
    pub older_than: Option<Duration>,
    /// Refused at most so long ago.
    pub newer_than: Option<Duration>,
}

/// What is known of a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Whose it is.
    pub destination: &'a str,
    /// The `hash` of its record; empty if it has none.
    pub id: &'a str,
    /// Why it was refused.
    pub why: &'a str,
    /// When, in milliseconds since 1970. A letter that does not say it has no age: a selection by
    /// age does not take it.
    pub at_unix_ms: Option<u64>,
}

impl Selection {
    /// Whether that letter is meant, at that time in milliseconds since 1970.
    #[must_use]
    pub fn takes(&self, letter: &Facts<'_>, now_unix_ms: u64) -> bool {
        let age = letter.at_unix_ms.map(|at| Duration::from_millis(now_unix_ms.saturating_sub(at)));
        let holds = |reason: &String| letter.why.to_lowercase().contains(&reason.to_lowercase());
        self.has_destination(letter.destination)
            && (self.ids.is_empty() || self.ids.iter().any(|id| id == letter.id))
            && self.reason.as_ref().is_none_or(holds)
            && self.older_than.is_none_or(|least| age.is_some_and(|age| age >= least))
            && self.newer_than.is_none_or(|most| age.is_some_and(|age| age <= most))
    }

    /// Whether letters of that destination can be meant.
    #[must_use]
    pub fn has_destination(&self, name: &str) -> bool {
        let is_it = |wanted: &String| {
            wanted == name || (wanted == "telegram" && name.starts_with("telegram_"))
        };
        self.destinations.is_empty() || self.destinations.iter().any(is_it)
    }

    /// Whether it says more than a destination: who drops letters must have said which.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        let has_age = self.older_than.is_some() || self.newer_than.is_some();
        !self.ids.is_empty() || self.reason.is_some() || has_age
    }
}

/// Reads an age: `10m`, `2h`, `3d`, as times are written in the configuration.
///
/// # Errors
///
/// What is wrong with it, and how it is written.
///
/// ```
/// use logwell::dead_letters::parse_age;
/// use std::time::Duration;
///
/// assert_eq!(parse_age("2h"), Ok(Duration::from_secs(7_200)));
/// assert!(parse_age("2").is_err());
/// ```
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time; write it with its unit, such as 10m, 2h or 3d");
    parse_time(text.trim()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_said_must_hold() {
        let facts = Facts {
            destination: "telegram_developer",
            id: "9f2c",
            why: "HTTP status 413",
            at_unix_ms: Some(10_000),
        };
        let hour = Duration::from_secs(3_600);
        let all = Selection::default;
        for (which, takes) in [
            (all(), true),
            (Selection { ids: vec!["a".into(), "9f2c".into()], ..all() }, true),
            (Selection { ids: vec!["9f2".into()], ..all() }, false),
            (Selection { destinations: vec!["telegram".into()], ..all() }, true),
            (Selection { destinations: vec!["telegram_customer".into()], ..all() }, false),
            (Selection { destinations: vec!["logbeacon".into()], ..all() }, false),
            (Selection { reason: Some("STATUS 413".into()), ..all() }, true),
            (Selection { reason: Some("422".into()), ..all() }, false),
            (Selection { older_than: Some(hour), ..all() }, false),
            (Selection { newer_than: Some(hour), ..all() }, true),
            (Selection { newer_than: Some(hour), ids: vec!["x".into()], ..all() }, false),
        ] {
            assert_eq!(which.takes(&facts, 20_000), takes, "{which:?}");
        }
        let ageless = Facts { at_unix_ms: None, ..facts };
        assert!(all().takes(&ageless, 0));
        let aged = Selection { older_than: Some(Duration::ZERO), ..all() };
        assert!(!aged.takes(&ageless, 0));
    }
}
