//! Sanitize: makes any text one that Telegram accepts and people can read.
//!
//! Telegram counts UTF-16 code units and refuses text that is too long or blank. Knows characters.
//! Does not know records.

use crate::encode::escape::must_escape;

/// How long the text of a message may be, in UTF-16 code units.
pub const MAX_TEXT_UNITS: usize = 4_096;

/// What ends a text that was cut.
const CUT_MARK: char = '…';
/// What is sent for a text that shows nothing.
const NOTHING: &str = "(empty)";

/// How long a text is, in UTF-16 code units.
#[must_use]
pub fn text_units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The text as Telegram takes it: at most [`MAX_TEXT_UNITS`] long, never without anything to see.
///
/// ```
/// use logwell::forward::telegram::{MAX_TEXT_UNITS, fit, text_units};
///
/// assert_eq!(fit("disk full"), "disk full");
/// assert_eq!(text_units(&fit(&"🦀".repeat(5_000))), MAX_TEXT_UNITS - 1);
/// assert_eq!(fit(" \n"), "(empty)");
/// ```
#[must_use]
pub fn fit(text: &str) -> String {
    let cut = cut(text, MAX_TEXT_UNITS);
    if cut.chars().all(shows_nothing) { NOTHING.to_owned() } else { cut }
}

/// The beginning of the text, at most that long, `…` at the end if something is missing.
pub(super) fn cut(text: &str, max_units: usize) -> String {
    if text_units(text) <= max_units {
        return text.to_owned();
    }
    let mut left = max_units.saturating_sub(CUT_MARK.len_utf16());
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    if max_units >= CUT_MARK.len_utf16() {
        short.push(CUT_MARK);
    }
    short
}

/// The text with all that could deceive made visible; its own lines keep their ends.
///
/// A line that begins within the text begins with `│ `, so that it cannot pass for one of ours.
pub(super) fn visible_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut lines = text.trim_end().lines();
    push_visible(lines.next().unwrap_or_default(), &mut shown);
    for line in lines {
        shown.push_str("\n│ ");
        push_visible(line, &mut shown);
    }
    shown
}

/// The text in one line, with all that could deceive made visible.
pub(super) fn visible_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, line) in text.trim().lines().enumerate() {
        if at > 0 {
            shown.push_str(" ⏎ ");
        }
        push_visible(line, &mut shown);
    }
    shown
}

fn push_visible(line: &str, shown: &mut String) {
    for c in line.chars() {
        match c {
            '\t' => shown.push_str("    "),
            c if must_escape(c) || is_hidden(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
}

/// Whether a character takes part in a text without being seen, where none is needed: a message
/// could say one thing to its reader and another to a search.
///
/// The joiner and the variation selectors are left: emoji and some scripts need them.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn shows_nothing(c: char) -> bool {
    c.is_whitespace()
        || must_escape(c)
        || is_hidden(c)
        || matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_of_exactly_the_limit_is_left_and_one_more_unit_cuts_it() {
        let full = "x".repeat(MAX_TEXT_UNITS);
        assert_eq!(fit(&full), full);
        let cut = fit(&format!("{full}x"));
        assert_eq!(text_units(&cut), MAX_TEXT_UNITS);
        assert!(cut.ends_with("x…"));
    }

    #[test]
    fn a_character_of_two_units_is_never_halved() {
        for ahead in 0..3 {
            let text = format!("{}{}", "x".repeat(ahead), "🦀".repeat(3_000));
            let fitted = fit(&text);
            let units = text_units(&fitted);
            assert!((MAX_TEXT_UNITS - 1..=MAX_TEXT_UNITS).contains(&units), "{units}");
            assert!(text.starts_with(fitted.trim_end_matches('…')));
        }
    }

    #[test]
    fn what_shows_nothing_is_sent_as_a_word() {
        for text in ["", " ", "\n\n", "\u{200b}", "\u{feff}\u{2060}", "\u{0}", "\u{200d}\u{fe0f}"] {
            assert_eq!(fit(text), NOTHING, "{text:?}");
        }
        let blank = format!("{}x", " ".repeat(MAX_TEXT_UNITS));
        assert!(fit(&blank).ends_with('…'), "the cut can be seen");
    }

    #[test]
    fn a_message_cannot_pass_for_a_line_of_ours_nor_turn_its_letters_around() {
        assert_eq!(
            visible_lines("paid\r\n🔴 CRITICAL\u{2028}all \u{202e}lost\t.\u{85}\u{1b}[31m\n"),
            "paid\n│ 🔴 CRITICAL\\u{2028}all \\u{202e}lost    .\\u{85}\\u{1b}[31m"
        );
        assert_eq!(visible_line("  a\nb\rc\u{7}\n"), "a ⏎ b\\u{d}c\\u{7}");
        assert_eq!(visible_lines("größe 日本語 👩‍🚀 عربى"), "größe 日本語 👩‍🚀 عربى");
    }

    proptest! {
        #[test]
        fn whatever_comes_fits_and_shows_something(text in any::<String>(), times in 1..400_usize) {
            let fitted = fit(&text.repeat(times));
            prop_assert!(fitted.encode_utf16().count() <= MAX_TEXT_UNITS);
            prop_assert!(fitted.chars().any(|c| !shows_nothing(c)));
        }

        #[test]
        fn a_cut_text_is_a_beginning_and_as_long_as_it_can_be(text in any::<String>(), max in 0..64_usize) {
            let short = cut(&text, max);
            prop_assert!(text_units(&short) <= max);
            if text_units(&text) > max && max > 0 {
                let begin = short.strip_suffix(CUT_MARK);
                prop_assert!(begin.is_some_and(|begin| text.starts_with(begin)));
                prop_assert!(text_units(&short) + 1 >= max);
            }
        }

        #[test]
        fn nothing_that_deceives_stays_raw(text in any::<String>()) {
            let lines = visible_lines(&text);
            prop_assert!(!lines.chars().any(|c| c != '\n' && (must_escape(c) || is_hidden(c))));
            prop_assert!(lines.lines().skip(1).all(|line| line.starts_with("│ ")));
            prop_assert!(!visible_line(&text).contains('\n'));
        }
    }
}
