//! Tries: whether a message that was not delivered is tried again, and when. Pure.
//!
//! Whether a message is itself at fault is logwell's rule, [`Blame`].

use std::time::Duration;

use crate::destination::Patience;
use logwell::forward::{Blame, Outcome, Refusals};

/// What is done with a message after a try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is delivered: acknowledge it.
    Done,
    /// Try it again after that pause, for that reason.
    Again(Duration, String),
    /// Put it at the end of its queue, so that the others have their turn.
    PutOff(PutOff),
    /// Put it into the dead queue with that reason.
    GiveUp(String),
}

/// Why a message goes to the end of its queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PutOff {
    pub(crate) why: String,
    /// Its refusals so far, with this one.
    pub(crate) refusals: Refusals,
    /// A person must fix something first; else the others show whether this message is to blame.
    pub(crate) is_blocked: bool,
}

/// What is known of a message and of the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) blame: &'a Blame,
    /// Its refusals before it was put off.
    pub(crate) past: Option<Refusals>,
    /// The time since 1970.
    pub(crate) now: Duration,
}

/// The step after try number `made` (the first is 1) ended like that.
pub(crate) fn step(
    outcome: Outcome,
    made: u32,
    evidence: Evidence<'_>,
    patience: &Patience,
) -> Step {
    let Evidence { blame, past, now } = evidence;
    let refusals = blame.refused(past, now);
    let put_off = |why, is_blocked| Step::PutOff(PutOff { why, refusals, is_blocked });
    // Who was put off before has had its tries: the others wait.
    let is_last = made >= patience.tries || past.is_some();
    match outcome {
        Outcome::Delivered => Step::Done,
        Outcome::Refused { why } => Step::GiveUp(why),
        // Behind a balancer the next answer is another server's.
        Outcome::Doubtful { why } if past.is_some() && made == 1 => {
            Step::Again(Duration::ZERO, why)
        }
        Outcome::Doubtful { why } if blame.is_at_fault(refusals, now) => Step::GiveUp(why),
        Outcome::Blocked { why, .. }
            if blame.is_at_fault_after(patience.blocked.alone, refusals, now) =>
        {
            Step::GiveUp(why)
        }
        // Another message tells more than another try.
        Outcome::Doubtful { why } => put_off(why, false),
        Outcome::Blocked { why, .. } if is_last => put_off(why, true),
        Outcome::Retry { why, .. } if made >= patience.tries => {
            Step::GiveUp(format!("{why}, after {made} tries"))
        }
        Outcome::Blocked { after, why } => match pause(after, patience) {
            Ok(pause) => Step::Again(pause, why),
            Err(_) => put_off(why, true),
        },
        Outcome::Retry { after, why } => match pause(after, patience) {
            Ok(pause) => Step::Again(pause, why),
            Err(pause) => Step::GiveUp(format!("{why}, and asks to wait {} s", pause.as_secs())),
        },
    }
}

/// How long to wait; or how long it would be, if that is too long.
fn pause(after: Option<Duration>, patience: &Patience) -> Result<Duration, Duration> {
    let pause = after.unwrap_or_default().max(patience.pause);
    if pause > patience.longest_pause.max(patience.pause) { Err(pause) } else { Ok(pause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience {
            tries: 3,
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(900),
            blocked: BLOCKED,
        }
    }

    const BLOCKED: logwell::forward::Patience = logwell::forward::Patience {
        rest: Duration::from_secs(60),
        alone: Duration::from_secs(600),
    };
    const NOW: Duration = Duration::from_secs(10_000);

    fn blame() -> Blame {
        Blame::new(BLOCKED)
    }

    fn step(outcome: Outcome, made: u32, patience: &Patience) -> Step {
        let evidence = Evidence { blame: &blame(), past: None, now: NOW };
        super::step(outcome, made, evidence, patience)
    }

    /// The step after a refusal of a message that was refused three times before, for so many
    /// seconds; others passed since if `others_pass`.
    fn refused_again(outcome: Outcome, seconds: u64, others_pass: bool) -> Step {
        let mut blame = blame();
        if others_pass {
            blame.passed(None, NOW - Duration::from_secs(1));
        }
        let since = NOW - Duration::from_secs(seconds);
        let past = Some(Refusals { count: 3, since, last: NOW - Duration::from_secs(6) });
        super::step(outcome, 2, Evidence { blame: &blame, past, now: NOW }, &patience())
    }

    fn is_put_off(step: &Step, why: &str, blocked: bool) -> bool {
        matches!(step, Step::PutOff(it) if it.why == why && it.is_blocked == blocked)
    }

    fn retry(after: Option<u64>) -> Outcome {
        Outcome::Retry { after: after.map(Duration::from_secs), why: "HTTP 503".to_owned() }
    }

    #[test]
    fn it_is_tried_as_often_as_asked_and_no_sooner_than_the_other_side_wants() {
        let again = |seconds| Step::Again(Duration::from_secs(seconds), "HTTP 503".to_owned());
        assert_eq!(step(Outcome::Delivered, 3, &patience()), Step::Done);
        assert_eq!(step(retry(None), 1, &patience()), again(5));
        assert_eq!(step(retry(Some(2)), 2, &patience()), again(5));
        assert_eq!(step(retry(Some(40)), 2, &patience()), again(40));
        let end = "HTTP 503, after 3 tries".to_owned();
        assert_eq!(step(retry(Some(40)), 3, &patience()), Step::GiveUp(end));
    }

    #[test]
    fn what_is_refused_or_would_take_too_long_is_given_up_at_once() {
        let refused = Outcome::Refused { why: "HTTP 400".to_owned() };
        assert_eq!(step(refused, 1, &patience()), Step::GiveUp("HTTP 400".to_owned()));
        let late = "HTTP 503, and asks to wait 901 s".to_owned();
        assert_eq!(step(retry(Some(901)), 1, &patience()), Step::GiveUp(late));
        let long = Patience { longest_pause: Duration::ZERO, ..patience() };
        assert!(matches!(step(retry(None), 1, &long), Step::Again(..)));
    }

    #[test]
    fn what_a_person_can_fix_is_put_off_and_given_up_only_if_it_is_long_alone() {
        let blocked = || Outcome::blocked("HTTP 401");
        assert!(matches!(step(blocked(), 1, &patience()), Step::Again(..)));
        assert!(is_put_off(&step(blocked(), 3, &patience()), "HTTP 401", true));
        for (seconds, others_pass) in [(599, true), (9_999, false)] {
            let step = refused_again(blocked(), seconds, others_pass);
            assert!(is_put_off(&step, "HTTP 401", true), "{step:?}");
        }
        let given_up = Step::GiveUp("HTTP 401".to_owned());
        assert_eq!(refused_again(blocked(), 600, true), given_up);
    }

    #[test]
    fn what_is_in_doubt_is_given_up_by_the_rule_of_logwell() {
        let doubtful = || Outcome::Doubtful { why: "HTTP 400".to_owned() };
        assert!(is_put_off(&step(doubtful(), 1, &patience()), "HTTP 400", false));
        for (seconds, others_pass) in [(29, true), (9_999, false)] {
            let step = refused_again(doubtful(), seconds, others_pass);
            assert!(is_put_off(&step, "HTTP 400", false), "{step:?}");
        }
        let given_up = Step::GiveUp("HTTP 400".to_owned());
        assert_eq!(refused_again(doubtful(), 30, true), given_up);
    }

    #[test]
    fn what_was_put_off_is_tried_twice_since_the_next_answer_may_be_of_another_server() {
        let past = Some(Refusals { count: 3, since: Duration::ZERO, last: Duration::ZERO });
        let evidence = Evidence { blame: &blame(), past, now: NOW };
        let doubtful = Outcome::Doubtful { why: "HTTP 400".to_owned() };
        let again = Step::Again(Duration::ZERO, "HTTP 400".to_owned());
        assert_eq!(super::step(doubtful, 1, evidence, &patience()), again);
    }
}
