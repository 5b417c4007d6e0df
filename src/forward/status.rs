//! Status: what the status of an answer means for the message.
//!
//! Pure. Knows HTTP's statuses and decision 6: what a person can fix waits. Knows no destination;
//! one that has a language of its own looks at the answer first.

use super::answer::Answer;
use crate::forward::outcome::Outcome;

/// So much of an answer is repeated in a reason.
const MAX_REASON_CHARS: usize = 200;

/// What an answer means for the message.
///
/// | status | fate |
/// |---|---|
/// | 2xx | delivered |
/// | 2xx with a web page | blocked: a sign-in page or portal has answered instead of the server |
/// | 408, 421, 425, 429, 5xx | to be tried again, not before `Retry-After` |
/// | 413, 422 | refused: the message itself is at fault |
/// | 400, 409 | doubtful: the message, or the address |
/// | everything else, redirects included | blocked: a person can fix it |
#[must_use]
pub fn classify(answer: &Answer) -> Outcome {
    let why = || {
        let shown = shorten(&answer.body_start);
        let space = if shown.is_empty() { "" } else { ": " };
        format!("HTTP status {}{space}{shown}", answer.status)
    };
    let after = answer.retry_after;
    match answer.status {
        200..=299 if answer.is_page() => Outcome::Blocked { after, why: answer.page_problem() },
        200..=299 => Outcome::Delivered,
        408 | 421 | 425 | 429 | 500..=599 => Outcome::Retry { after, why: why() },
        413 | 422 => Outcome::Refused { why: why() },
        400 | 409 => Outcome::Doubtful { why: why() },
        status => Outcome::Blocked { after, why: format!("{}; {}", why(), advice(status)) },
    }
}

/// What the other side says, short enough for a report and without control characters.
pub(super) fn shorten(text: &str) -> String {
    text.trim().chars().take(MAX_REASON_CHARS).map(printable).collect()
}

/// What a person can do about a status.
fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "check the URL: it leads elsewhere, and redirects are not followed",
        401 => "check the token",
        403 => "check what the token may do, and whether something on the way refuses",
        404 | 405 | 410 => "check the URL",
        407 => "check the proxy's user and password",
        415 => "check the URL, and whether the server takes gzip",
        423 => "unlock it on the server",
        426 | 451 => "ask who runs the server",
        _ => "check the URL, the token and the server",
    }
}

fn printable(c: char) -> char {
    if crate::encode::escape::must_escape(c) { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_is_no_delivery_whatever_its_type_and_a_plain_ok_is_one() {
        let pages = ["<!DOCTYPE html>", "\n\t<html lang=en>", "\u{feff}<!doctype HTML>", "<HTML>"];
        for page in pages {
            let outcome = classify(&Answer::of(200, page));
            let Outcome::Blocked { why, .. } = &outcome else { panic!("{page}: {outcome:?}") };
            assert!(why.contains(
                "a page has answered instead of a log server at https://logs.example.com/…"
            ));
        }
        let html = |body| Answer::of(200, body).with_header("content-type", "Text/HTML; charset=x");
        for page in ["<?xml version='1.0'?><html>", "<!-- x --><title>Sign in", "go to <a href=/>"]
        {
            assert!(matches!(classify(&html(page)), Outcome::Blocked { .. }), "{page}");
            assert!(classify(&Answer::of(200, page)).is_delivered(), "{page}");
        }
        for body in ["", "ok", "{\"ok\":true}"] {
            assert!(classify(&html(body)).is_delivered(), "{body}");
        }
        assert!(classify(&Answer::of(200, "<htm")).is_delivered());
        let outage = classify(&Answer::of(503, "<html>"));
        assert!(matches!(outage, Outcome::Retry { .. }), "{outage:?}");
    }
}
