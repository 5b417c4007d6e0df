//! Values: how far what follows a name in a text goes: to its quote, bracket or line's end, or a word.
//!
//! Knows no names.

use super::is_random;

/// A word before a value, as in `Some(…)` and `Bearer …`, is not longer.
const MAX_WORD_BYTES: usize = 32;

pub(super) const QUOTES: [char; 3] = ['"', '\'', '`'];

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\'' | '`' | '<' | '>')
}

/// The quoted text inside of `Some("…")`, `Secret(b"…")` and the like; else the value itself.
pub(super) fn inside(value: &str) -> &str {
    let mut content = value;
    while let Some((before, next)) = split_near(content, '(') {
        if !before.starts_with(is_word) || !before.chars().all(|c| is_word(c) || c == ':') {
            break;
        }
        content = after_blank(next);
    }
    let content = match content.strip_prefix('b') {
        Some(bytes) if bytes.starts_with('"') => bytes,
        _ => content,
    };
    if quote(content).is_some() { content } else { value }
}

/// Without blanks and ends of lines at its start, also such as a quoted text has.
pub(super) fn after_blank(text: &str) -> &str {
    let mut text = text.trim_start();
    while let Some(rest) = text.trim_start_matches('\\').strip_prefix('n')
        && text.starts_with('\\')
    {
        text = rest.trim_start();
    }
    text
}

/// How long the quote is with which it begins, and which one it is; in a text within a text it is escaped.
pub(super) fn quote(text: &str) -> Option<(usize, char)> {
    let rest = text.trim_start_matches('\\');
    let quote = rest.chars().next().filter(|c| QUOTES.contains(c))?;
    Some((text.len() - rest.len() + 1, quote))
}

/// The list or structure that begins there, perhaps with its type before it: `Token { … }`.
pub(super) fn nested(value: &str) -> Option<&str> {
    let is_type = |c: char| is_word(c) || c == ':';
    let mut bracket = 0;
    if value.starts_with(char::is_uppercase) {
        bracket = value.char_indices().take(MAX_WORD_BYTES).find(|&(_, c)| !is_type(c))?.0;
        bracket += usize::from(value.get(bracket..)?.starts_with(" {"));
    }
    let list = value.get(bracket..)?;
    if !list.starts_with(['[', '{', '(']) {
        return None;
    }
    value.get(..bracket + nested_len(list))
}

/// Whether nothing in it looks like a secret.
pub(super) fn is_plain(nested: &str) -> bool {
    !nested.contains(QUOTES) && !nested.split(|c| !is_word(c)).any(is_random)
}

/// How long the rest of the line is, or of the quoted text it is in: `a="b"` does not end it.
pub(super) fn line_len(value: &str) -> usize {
    let (mut open, mut sign, mut before) = (None, ' ', ' ');
    let mut ends = |c: char| {
        let ends = match c {
            '\n' | '\r' => true,
            'n' | 'r' => before == '\\',
            _ if !QUOTES.contains(&c) => false,
            _ if open.is_some() => {
                open = open.filter(|open| *open != c);
                false
            }
            _ => {
                open = (sign == '=').then_some(c);
                open.is_none()
            }
        };
        before = c;
        sign = if c == '\\' { sign } else { c };
        ends
    };
    let len = value.find(&mut ends).unwrap_or(value.len());
    value.get(..len).unwrap_or(value).trim_end_matches('\\').len()
}

/// Splits it at that character, unless a long word is before it.
fn split_near(text: &str, at: char) -> Option<(&str, &str)> {
    let (at, _) = text.char_indices().take(MAX_WORD_BYTES).find(|&(_, c)| c == at)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// How long the list or structure is that begins there, with all that is in it.
fn nested_len(value: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in value.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    value.len()
}

/// How long the text is until its quote ends it, before which there were so many `\`.
///
/// Escaped once more, each `\` and each quote gets one: a quote that is still escaped when those of its own
/// text are undone is a part of it.
pub(super) fn quoted_len(content: &str, quote: char, backslashes: usize) -> usize {
    let levels = backslashes.trailing_ones();
    let mut run = 0_usize;
    for (at, c) in content.char_indices() {
        if c == quote && run.trailing_ones() <= levels {
            return at - run.min(backslashes);
        }
        run = if c == '\\' { run + 1 } else { 0 };
    }
    content.len()
}

/// How long the word and the space before credentials are, as in `Bearer abc`.
pub(super) fn scheme_len(value: &str) -> usize {
    let Some((scheme, _)) = split_near(value, ' ') else { return 0 };
    let known = ["Bearer", "Basic", "ApiKey", "Negotiate"];
    if known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) { scheme.len() + 1 } else { 0 }
}
