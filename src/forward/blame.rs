//! Blame: when refusals prove that a message is itself at fault.
//!
//! The one rule for the forwarder and for the worker behind a broker. It counts a refusal only if
//! another message passed before it, and blames nobody while the server answers at random. Pure:
//! the caller says what time it is, since any moment of its choice. Knows no status and no message.

use std::time::Duration;

/// A message is to blame after so many refusals between which others passed.
const MIN_REFUSALS: u32 = 4;
/// It is refused for so long before it is to blame, unless the caller rests less.
const MIN_DOUBT: Duration = Duration::from_secs(30);
/// So often is it tried within that time.
const TRIES: u32 = 5;

/// How a destination is dealt with while a person must fix something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest rest between two attempts. A message is refused for 30 s before it is to blame,
    /// or for this time if it is less.
    pub rest: Duration,
    /// After so long the others are tried too, to see whether this one message is to blame. And so
    /// long nobody is blamed after a message that was taken though it was refused before.
    pub alone: Duration,
}

/// What is known of a message that was refused. Times are since a moment of the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    /// How many count: another message passed since the one before.
    pub count: u32,
    /// When the first was.
    pub since: Duration,
    /// When the last was.
    pub last: Duration,
}

/// What the messages to one destination have shown about it.
#[derive(Debug, Clone)]
pub struct Blame {
    patience: Patience,
    passed_at: Option<Duration>,
    /// When a message passed that was refused while others passed.
    unsteady_at: Option<Duration>,
}

impl Blame {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self { patience, passed_at: None, unsteady_at: None }
    }

    /// How long a message is refused before it is to blame.
    fn doubt(&self) -> Duration {
        self.patience.rest.min(MIN_DOUBT)
    }

    /// A message has passed, with the refusals it had before.
    pub fn passed(&mut self, past: Option<Refusals>, now: Duration) {
        self.passed_at = Some(now);
        if past.is_some_and(|past| past.count > 0) {
            self.unsteady_at = Some(now);
        }
    }

    /// When a message has passed last.
    #[must_use]
    pub fn passed_at(&self) -> Option<Duration> {
        self.passed_at
    }

    /// A message is refused, with the refusals it had before: its refusals now.
    #[must_use]
    pub fn refused(&self, past: Option<Refusals>, now: Duration) -> Refusals {
        let counts = match past {
            Some(past) => self.passed_at.is_some_and(|at| at > past.last),
            None => self.passed_at.is_some_and(|at| now.saturating_sub(at) <= self.doubt()),
        };
        let (count, since) = match (past, self.unsteady_at) {
            // What was refused before that moment proves nothing.
            (Some(past), Some(at)) if at > past.since => (0, at),
            (Some(past), _) => (past.count, past.since),
            (None, _) => (0, now),
        };
        Refusals { count: count + u32::from(counts), since, last: now }
    }

    /// How long a message that was refused rests before it is tried again.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.doubt() / TRIES
    }

    /// Whether the message is to blame, if the answer leaves that open.
    #[must_use]
    pub fn is_at_fault(&self, refusals: Refusals, now: Duration) -> bool {
        self.is_at_fault_after(self.doubt(), refusals, now)
    }

    /// Whether the message is to blame, if the answer speaks of what a person can fix: not before
    /// it has been refused for `patience`.
    #[must_use]
    pub fn is_at_fault_after(&self, patience: Duration, refusals: Refusals, now: Duration) -> bool {
        let is_over = |begin: Duration, time| now.saturating_sub(begin) >= time;
        refusals.count >= MIN_REFUSALS
            && is_over(refusals.since, patience.max(self.doubt()))
            && self.unsteady_at.is_none_or(|at| is_over(at, self.patience.alone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Duration = Duration::from_secs(600);
    const PATIENCE: Patience = Patience { rest: Duration::from_secs(30), alone: ALONE };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Refused each 10 s from 100 s on, with others passing between as `passes` says.
    fn refused(blame: &mut Blame, passes: &[bool]) -> (Refusals, Duration) {
        let mut past = None;
        let mut now = at(100);
        for has_passed in passes {
            if *has_passed {
                blame.passed(None, now - at(1));
            }
            past = Some(blame.refused(past, now));
            now += at(10);
        }
        (past.expect("it was refused"), now - at(10))
    }

    #[test]
    fn a_message_is_at_fault_after_four_refusals_for_30_s_with_others_passing_between() {
        for (passes, expected) in [
            (&[true; 4][..], true),
            (&[true; 3], false),
            (&[false; 9], false),
            (&[false, true, true, true], false),
            (&[false, true, true, true, true], true),
            (&[true, false, false, true, true, true], true),
        ] {
            let mut blame = Blame::new(PATIENCE);
            let (refusals, now) = refused(&mut blame, passes);
            assert_eq!(blame.is_at_fault(refusals, now), expected, "{passes:?}");
        }
        let mut blame = Blame::new(PATIENCE);
        let (refusals, now) = refused(&mut blame, &[true; 4]);
        assert!(!blame.is_at_fault(refusals, now - at(1)), "not for 30 s");
        assert!(!blame.is_at_fault_after(at(60), refusals, now), "a person has 60 s");
        assert!(blame.is_at_fault_after(at(60), refusals, now + at(30)));
    }

    #[test]
    fn nobody_is_blamed_while_what_was_refused_passes() {
        let mut blame = Blame::new(PATIENCE);
        let (refusals, now) = refused(&mut blame, &[true; 4]);
        let other = Refusals { count: 1, since: at(90), last: at(120) };
        blame.passed(Some(other), now);
        assert!(!blame.is_at_fault(refusals, now), "it may pass as well");
        let mut later = refusals;
        for step in 1..=5 {
            later = blame.refused(Some(later), now + at(10 * step));
            blame.passed(None, now + at(10 * step + 1));
        }
        assert_eq!((later.count, later.since), (4, now), "counted again from then on");
        assert!(!blame.is_at_fault(later, now + ALONE - at(1)));
        assert!(blame.is_at_fault(later, now + ALONE));
    }

    #[test]
    fn what_waited_while_nothing_passed_proves_nothing_when_it_passes() {
        let mut blame = Blame::new(PATIENCE);
        let alone = blame.refused(None, at(100));
        assert_eq!(alone.count, 0);
        blame.passed(Some(alone), at(200));
        let (refusals, now) = refused(&mut blame, &[true; 4]);
        assert!(blame.is_at_fault(refusals, now));
    }

    #[test]
    fn a_message_is_tried_five_times_while_it_is_in_doubt() {
        let pause = |rest| Blame::new(Patience { rest, ..PATIENCE }).pause();
        assert_eq!((pause(at(10)), pause(at(90))), (at(2), at(6)));
    }
}
