//! Route: which sinks take a record.
//!
//! A pure decision over a record's level, target and kind, made once for each callsite. Does not
//! know what a sink does.

use crate::record::Record;
use crate::record::callsite::Kind;
use crate::sink::Accepts;

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
            Kind::LogCrate if target == crate::record::callsite::AI_TARGET => Kind::Ai,
            kind => kind,
        };
        let fields = record.callsite().fields();
        self.those(|rule| {
            let is_allowed = rule.rule.as_ref().is_none_or(|rule| rule.allows(level, fields));
            is_allowed && rule.accepts(level, target, kind)
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
    use crate::record::directives::Directives;
    use crate::record::level::Level;

    #[test]
    fn a_ledger_takes_the_own_records_whatever_its_directives_say() {
        let directives: Directives = "error,logwell=off".parse().unwrap();
        let ledger = Accepts::all().directives(directives).ledger();
        assert!(ledger.accepts(Level::Info, "logwell", Kind::Internal));
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
