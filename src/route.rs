//! Route: which sinks take a record.
//!
//! A pure decision over a record's level, target and kind, made once for each callsite. Does not
//! know what a sink does.

use crate::callsite::Kind;
use crate::config::Directives;
use crate::forward_level::ForwardLevels;
use crate::level::Level;
use crate::record::Record;

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
    own_from: Level,
    is_ledger: bool,
    /// Which levels it forwards, if it forwards records.
    forwards: Option<ForwardLevels>,
}

impl Accepts {
    /// Everything that is captured.
    #[must_use]
    pub fn all() -> Self {
        Self {
            directives: Level::Trace.into(),
            from_level: Level::Trace,
            only_ai: false,
            own_from: Level::Trace,
            is_ledger: false,
            forwards: None,
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

    /// Of the framework's own records only that level and more important ones.
    #[must_use]
    pub fn own_from(mut self, level: Level) -> Self {
        self.own_from = level;
        self
    }

    /// The sink is the one in which it can be checked that nothing is missing. It takes all of the
    /// framework's own records, whatever the directives say, and the log tells when a record is
    /// kept out of it.
    pub(crate) fn ledger(mut self) -> Self {
        self.is_ledger = true;
        self
    }

    /// Only what is of those levels to LogBeacon and people.
    #[cfg(feature = "forward")]
    pub(crate) fn forward_levels(mut self, levels: ForwardLevels) -> Self {
        self.forwards = Some(levels);
        self
    }

    /// Whether it takes a record of that level, target and kind.
    #[must_use]
    pub fn accepts(&self, level: Level, target: &str, kind: Kind) -> bool {
        if self.is_ledger && kind == Kind::Own {
            return true;
        }
        level >= self.from_level
            && (!self.only_ai || kind == Kind::Ai)
            && (kind != Kind::Own || level >= self.own_from)
            && self.directives.allows(level, target)
    }
}

/// A set of up to 64 sinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SinkSet(u64);

impl SinkSet {
    /// How many sinks there can be.
    pub(crate) const MAX: usize = 64;

    /// Whether all of `others` are in it.
    pub(crate) fn has_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// Their places, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (at < u64::BITS).then_some(at as usize)
        })
    }
}

/// The rules of all sinks, and what was decided for each callsite so far.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Vec<Accepts>,
    ledgers: SinkSet,
    decided: Vec<Option<SinkSet>>,
}

impl Routes {
    pub(crate) fn new(rules: Vec<Accepts>) -> Self {
        let mut routes = Self { rules, ledgers: SinkSet::default(), decided: Vec::new() };
        routes.ledgers = routes.those(|rule| rule.is_ledger);
        routes
    }

    /// The sinks in which nothing should be missing; see [`Accepts::ledger`].
    pub(crate) fn ledgers(&self) -> SinkSet {
        self.ledgers
    }

    /// The sinks that take the record.
    pub(crate) fn of(&mut self, record: &Record) -> SinkSet {
        let callsite = record.callsite();
        if callsite.kind() == Kind::LogCrate {
            return self.decide(record); // its target differs from record to record
        }
        if let Some(&Some(decided)) = self.decided.get(callsite.index()) {
            return decided;
        }
        let sinks = self.decide(record);
        if self.decided.len() <= callsite.index() {
            self.decided.resize(callsite.index() + 1, None);
        }
        if let Some(slot) = self.decided.get_mut(callsite.index()) {
            *slot = Some(sinks);
        }
        sinks
    }

    fn decide(&self, record: &Record) -> SinkSet {
        let (level, target) = (record.level(), record.target());
        // A `log` record can say by its target that it is about an AI model.
        let kind = match record.callsite().kind() {
            Kind::LogCrate if target == crate::metadata::AI_TARGET => Kind::Ai,
            kind => kind,
        };
        let marked = record.callsite().marked;
        self.those(|rule| {
            let forwards = rule.forwards.is_none_or(|levels| levels.have(level, marked));
            forwards && rule.accepts(level, target, kind)
        })
    }

    fn those(&self, is_in: impl Fn(&Accepts) -> bool) -> SinkSet {
        let bits = self.rules.iter().take(SinkSet::MAX).enumerate();
        SinkSet(bits.fold(0, |set, (at, rule)| set | (u64::from(is_in(rule)) << at)))
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
        let console = Accepts::all().own_from(Level::Warn);
        assert!(!console.accepts(Level::Info, "logwell", Kind::Own));
        assert!(console.accepts(Level::Warn, "logwell", Kind::Own));
    }

    #[test]
    fn a_ledger_takes_the_own_records_whatever_its_directives_say() {
        let directives: Directives = "error,logwell=off".parse().unwrap();
        let ledger = Accepts::all().directives(directives).ledger();
        assert!(ledger.accepts(Level::Info, "logwell", Kind::Own));
        assert!(!ledger.accepts(Level::Critical, "logwell", Kind::Plain));
        assert!(!ledger.accepts(Level::Warn, "app", Kind::Plain));
        let routes = Routes::new(vec![Accepts::all(), ledger, Accepts::all()]);
        assert_eq!(routes.ledgers(), SinkSet(0b010));
        assert!(SinkSet(0b011).has_all(routes.ledgers()));
        assert!(!SinkSet(0b101).has_all(routes.ledgers()));
        assert!(SinkSet(0b101).has_all(SinkSet::default()));
    }

    #[test]
    fn a_set_gives_its_places_in_order() {
        assert_eq!(SinkSet(0).iter().count(), 0);
        assert_eq!(SinkSet(0b1011).iter().collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(SinkSet(u64::MAX).iter().collect::<Vec<_>>(), (0..64).collect::<Vec<_>>());
    }
}
