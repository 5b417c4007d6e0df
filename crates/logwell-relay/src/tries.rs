//! Tries: whether a message that was not delivered is tried again, and when. Pure.

use std::time::Duration;

use crate::settings::Patience;
use logwell::forward::Outcome;

/// What is done with a message after a try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is delivered: acknowledge it.
    Done,
    /// Try it again after that pause, for that reason.
    Again(Duration, String),
    /// Put it at the end of its queue, so that the others have their turn: a person must fix
    /// something first, or the others show whether this message is to blame.
    PutOff(String),
    /// Put it into the dead queue with that reason.
    GiveUp(String),
}

/// What is known of a message that was put off before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    /// How long ago it was refused for the first time.
    pub(crate) refused_for: Duration,
    /// Whether others were delivered since it was refused the last time.
    pub(crate) others_pass: bool,
}

/// The step after try number `made` (the first is 1) ended like that.
pub(crate) fn step(outcome: Outcome, made: u32, past: Option<Past>, patience: &Patience) -> Step {
    // Who was put off before has had its tries: the others wait.
    let is_last = made >= patience.tries || past.is_some();
    let others_pass = past.is_some_and(|past| past.others_pass);
    match outcome {
        Outcome::Delivered => Step::Done,
        Outcome::Refused { why } => Step::GiveUp(why),
        Outcome::Doubtful { why } if others_pass => Step::GiveUp(why),
        Outcome::Blocked { why, .. }
            if others_pass && past.is_some_and(|it| it.refused_for >= patience.blocked_alone) =>
        {
            Step::GiveUp(why)
        }
        // Another message tells more than another try.
        Outcome::Doubtful { why } => Step::PutOff(why),
        Outcome::Blocked { why, .. } if is_last => Step::PutOff(why),
        Outcome::Retry { why, .. } if made >= patience.tries => {
            Step::GiveUp(format!("{why}, after {made} tries"))
        }
        Outcome::Blocked { after, why } => match pause(after, patience) {
            Ok(pause) => Step::Again(pause, why),
            Err(_) => Step::PutOff(why),
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
            blocked_alone: Duration::from_secs(600),
        }
    }

    fn step(outcome: Outcome, made: u32, patience: &Patience) -> Step {
        super::step(outcome, made, None, patience)
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
    fn what_a_person_can_mend_is_put_off_and_given_up_only_if_it_is_long_alone() {
        let blocked = || Outcome::blocked("HTTP 401");
        let put_off = Step::PutOff("HTTP 401".to_owned());
        let given_up = Step::GiveUp("HTTP 401".to_owned());
        let past = |seconds, others_pass| {
            Some(Past { refused_for: Duration::from_secs(seconds), others_pass })
        };
        assert!(matches!(step(blocked(), 1, &patience()), Step::Again(..)));
        assert_eq!(step(blocked(), 3, &patience()), put_off);
        for (past, expected) in [
            (past(1, true), &put_off),
            (past(9_999_999, false), &put_off),
            (past(600, true), &given_up),
        ] {
            assert_eq!(super::step(blocked(), 1, past, &patience()), *expected);
        }
    }

    #[test]
    fn what_is_in_doubt_is_given_up_once_another_has_passed() {
        let doubtful = || Outcome::Doubtful { why: "HTTP 400".to_owned() };
        let put_off = Step::PutOff("HTTP 400".to_owned());
        let past = |others_pass| Some(Past { refused_for: Duration::ZERO, others_pass });
        assert_eq!(step(doubtful(), 1, &patience()), put_off);
        assert_eq!(super::step(doubtful(), 1, past(false), &patience()), put_off);
        let given_up = Step::GiveUp("HTTP 400".to_owned());
        assert_eq!(super::step(doubtful(), 1, past(true), &patience()), given_up);
    }
}
