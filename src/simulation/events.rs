//! Events: what a program logs, drawn at random.
//!
//! Each event has a number. An event within an event is not among them: with a subscriber that is
//! not the global one tracing itself leaves it out.

use fastrand::Rng;
use std::fmt;

/// Logs something with that number.
pub(super) fn log(rng: &mut Rng, number: u64) {
    let text = text(rng);
    let level = rng.u8(..6);
    macro_rules! log {
        ($($rest:tt)+) => {
            match level {
                0 => tracing::trace!($($rest)+),
                1 => tracing::debug!($($rest)+),
                2 => tracing::info!($($rest)+),
                3 => tracing::warn!($($rest)+),
                4 => tracing::error!($($rest)+),
                _ => crate::critical!($($rest)+),
            }
        };
    }
    match rng.u8(..16) {
        0 | 1 => {
            let span =
                tracing::info_span!("work", round = number / 3, more = tracing::field::Empty);
            let _inside = span.enter();
            span.record("more", text.len());
            log!(number, "{text}");
        }
        2 => crate::ai_response!(number, gen_ai.request.model = "a model", text, "answered"),
        3 => log!(number, value = ?Panics, "a value panics"),
        4 => log!(number, value = ?Fails, "a value fails"),
        5 => log!(
            number,
            share = 0.1,
            yes = true,
            bytes = &text.as_bytes()[..4],
            text,
            "of all kinds"
        ),
        _ => log!(number, text, "an event"),
    }
}

fn text(rng: &mut Rng) -> String {
    let length = match rng.u8(..16) {
        0 => 10_000,
        1 | 2 => 2_000,
        3..7 => 300,
        _ => 20,
    };
    let odd = ["\n", "\"", "\\", "\u{2028}", "\u{7f}", "ä", "🦀", "\u{0}"];
    let piece: String = (0..8).map(|_| rng.alphanumeric()).collect();
    let mut text = piece.repeat(rng.usize(..=length / piece.len()));
    for _ in 0..rng.u8(..4) {
        text.push_str(odd[rng.usize(..odd.len())]);
    }
    text.insert_str(0, &piece);
    text
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Past the hook, which would print it.
        std::panic::resume_unwind(Box::new("on purpose"))
    }
}

struct Fails;

impl fmt::Debug for Fails {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}
