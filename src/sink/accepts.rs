//! Accepts: which records a sink takes. A pure rule over a record's level, target and kind.
//!
//! Does not know what a sink does.

use crate::record::callsite::Kind;
use crate::record::directives::Directives;
use crate::record::level::Level;
use std::fmt;
use std::sync::Arc;

/// Which records a sink takes.
///
/// ```
/// use logwell::sink::Accepts;
/// use logwell::Level;
///
/// let all = Accepts::all();
/// let errors = Accepts::all().from_level(Level::Error);
/// let one_crate = Accepts::all().directives("warn,my_crate=debug".parse().unwrap());
/// ```
#[derive(Debug, Clone)]
pub struct Accepts {
    directives: Directives,
    from_level: Level,
    only_ai: bool,
    /// The framework's own records count from this level on.
    internal_from: Level,
    pub(crate) is_ledger: bool,
    /// A rule of the sink's own about callsites.
    pub(crate) rule: Option<CallsiteRule>,
}

impl Accepts {
    /// Everything that is captured.
    #[must_use]
    pub fn all() -> Self {
        Self {
            directives: Level::Trace.into(),
            from_level: Level::Trace,
            only_ai: false,
            internal_from: Level::Trace,
            is_ledger: false,
            rule: None,
        }
    }

    /// Only that level and more important ones.
    #[must_use]
    pub fn from_level(mut self, level: Level) -> Self {
        self.from_level = level;
        self
    }

    /// Only what the directives allow.
    #[must_use]
    pub fn directives(mut self, directives: Directives) -> Self {
        self.directives = directives;
        self
    }

    /// Only records about AI models.
    #[must_use]
    pub fn only_ai(mut self) -> Self {
        self.only_ai = true;
        self
    }

    /// Of logwell's own records only that level and more important ones.
    #[must_use]
    pub fn internal_from(mut self, level: Level) -> Self {
        self.internal_from = level;
        self
    }

    /// The sink is the one in which it can be checked that nothing is missing. It takes all of
    /// logwell's own records, whatever the directives say, and the log says when a record is kept
    /// out of it.
    pub(crate) fn ledger(mut self) -> Self {
        self.is_ledger = true;
        self
    }

    /// Only what the rule says of the record's level and of its callsite's fields.
    #[cfg(feature = "forward")]
    pub(crate) fn rule(mut self, rule: CallsiteRule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Whether it takes a record of that level, target and kind.
    #[must_use]
    pub fn accepts(&self, level: Level, target: &str, kind: Kind) -> bool {
        if self.is_ledger && kind == Kind::Internal {
            return true;
        }
        level >= self.from_level
            && (!self.only_ai || kind == Kind::Ai)
            && (kind != Kind::Internal || level >= self.internal_from)
            && self.directives.allows(level, target)
    }
}

/// A rule over a level and the names of a callsite's fields; asked once for each callsite.
#[derive(Clone)]
pub(crate) struct CallsiteRule(Arc<Rule>);

type Rule = dyn Fn(Level, &[&'static str]) -> bool + Send + Sync;

impl CallsiteRule {
    #[cfg(feature = "forward")]
    pub(crate) fn new(
        rule: impl Fn(Level, &[&'static str]) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(rule))
    }

    pub(crate) fn allows(&self, level: Level, fields: &[&'static str]) -> bool {
        self.0(level, fields)
    }
}

impl fmt::Debug for CallsiteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallsiteRule")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_asks_for_level_kind_and_directives_together() {
        let directives: Directives = "warn,noisy=error".parse().unwrap();
        let errors = Accepts::all().from_level(Level::Error).directives(directives);
        assert!(errors.accepts(Level::Error, "app", Kind::Plain));
        assert!(errors.accepts(Level::Critical, "noisy", Kind::Plain));
        assert!(!errors.accepts(Level::Warn, "app", Kind::Plain));
        let ai = Accepts::all().only_ai();
        assert!(ai.accepts(Level::Trace, "app", Kind::Ai));
        assert!(!ai.accepts(Level::Critical, "app", Kind::Plain));
        let console = Accepts::all().internal_from(Level::Warn);
        assert!(!console.accepts(Level::Info, "logwell", Kind::Internal));
        assert!(console.accepts(Level::Warn, "logwell", Kind::Internal));
    }
}
