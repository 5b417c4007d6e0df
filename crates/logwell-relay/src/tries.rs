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
    /// Put it into the dead queue with that reason.
    GiveUp(String),
}

/// The step after try number `made` (the first is 1) ended like that.
pub(crate) fn step(outcome: Outcome, made: u32, patience: &Patience) -> Step {
    match outcome {
        Outcome::Delivered => Step::Done,
        Outcome::Refused { why } => Step::GiveUp(why),
        Outcome::Retry { why, .. } if made >= patience.tries => {
            Step::GiveUp(format!("{why}, after {made} tries"))
        }
        Outcome::Retry { after, why } => {
            let pause = after.unwrap_or_default().max(patience.pause);
            if pause > patience.longest_pause.max(patience.pause) {
                return Step::GiveUp(format!("{why}, and asks to wait {} s", pause.as_secs()));
            }
            Step::Again(pause, why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience {
            tries: 3,
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(900),
        }
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
}
