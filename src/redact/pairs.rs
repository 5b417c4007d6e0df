//! Pairs: secrets in a text that what stands before says are some: `password=…`, `"token": "…"`,
//! `Authorization: Bearer …`, the password in a URL, the number of a bot.
//!
//! Every `:` and `=` may be such a place. What stands before is looked at first: mostly it is no name
//! of a secret, and that is all it costs.

use super::is_random;
use super::names::{Names, is_letter};
use crate::secret::MASK;
use memchr::{memchr, memchr2_iter};
use std::ops::Range;

/// A name is not longer.
const MAX_NAME_BYTES: usize = 64;
/// Nor is what stands before the path of a URL.
const MAX_AUTHORITY_BYTES: usize = 2_048;
/// Nor a word before a value, as in `Some(…)` and `Bearer …`.
const MAX_WORD_BYTES: usize = 32;

/// What a `:` or `=` separates.
#[derive(Debug, PartialEq, Eq)]
enum Pair {
    /// A name of a secret and its value.
    Named,
    /// A scheme and who, perhaps with a password, before a host.
    Url,
    /// The number of a Telegram bot and the rest of its token.
    Bot,
}

/// Whether there is one there.
#[inline]
pub(super) fn may_be_at(names: &Names, text: &[u8], at: usize, is_cut: bool) -> bool {
    matches!(text.get(at), Some(b':' | b'=')) && pair(names, text, at, is_cut).is_some()
}

/// Where the secrets are; in a text that was cut, one may end with it.
pub(super) fn find<'a>(
    names: &'a Names,
    text: &'a str,
    is_cut: bool,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut found_to = 0;
    memchr2_iter(b':', b'=', text.as_bytes()).filter_map(move |at| {
        if at < found_to {
            return None; // a part of what was found
        }
        let secret = match pair(names, text.as_bytes(), at, is_cut)? {
            Pair::Named => named(text, at)?,
            Pair::Url => in_url(text, at + "://".len(), is_cut)?,
            Pair::Bot => at + 1..at + 1 + bot(text.as_bytes(), at)?,
        };
        found_to = secret.end;
        let is_one = !secret.is_empty() && text.get(secret.clone()) != Some(MASK);
        is_one.then_some(secret)
    })
}

#[inline]
fn pair(names: &Names, text: &[u8], at: usize, is_cut: bool) -> Option<Pair> {
    let (before, after) = text.split_at_checked(at)?;
    if let [b':', b'/', b'/', host @ ..] = after {
        let near = host.get(..MAX_AUTHORITY_BYTES).unwrap_or(host);
        return (is_cut || memchr(b'@', near).is_some()).then_some(Pair::Url);
    }
    if names.is_secret(name_before(before)) {
        return Some(Pair::Named);
    }
    bot(text, at).map(|_| Pair::Bot)
}

/// The name that ends there, without quotes around it.
#[inline]
fn name_before(before: &[u8]) -> &[u8] {
    let is_between = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\');
    let end = before.iter().rposition(|byte| !is_between(byte)).map_or(0, |at| at + 1);
    let start = end.saturating_sub(MAX_NAME_BYTES);
    let near = before.get(start..end).unwrap_or_default();
    let is_name = |byte: &u8| is_letter(byte) || matches!(byte, b'_' | b'-' | b'.');
    let len = near.iter().rev().take_while(|byte| is_name(byte)).count();
    near.get(near.len() - len..).unwrap_or_default()
}

/// How long the rest of a bot's token is that follows its number.
#[inline]
fn bot(text: &[u8], at: usize) -> Option<usize> {
    const LEAST_DIGITS: usize = 8;
    const LEAST_BYTES: usize = 30;
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    if !before.last().is_some_and(u8::is_ascii_digit) || after.len() < LEAST_BYTES {
        return None;
    }
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let len = after.iter().take_while(is_word).count();
    (digits >= LEAST_DIGITS && len >= LEAST_BYTES).then_some(len)
}

/// The password in `scheme://who:password@host`, or the whole of a `who` that is one itself.
fn in_url(text: &str, start: usize, is_cut: bool) -> Option<Range<usize>> {
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>');
    let rest = text.get(start..)?;
    let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
    let (who, is_whole) = match authority.rfind('@') {
        Some(at) => (authority.get(..at)?, true),
        None => (authority, false),
    };
    let password = who.find(':').map(|at| at + 1..who.len());
    let secret = match password {
        Some(password) if is_whole => password,
        None if is_whole && who.len() >= 16 && is_random(who) => 0..who.len(),
        // The end is missing, and what is there is no port.
        Some(password)
            if is_cut
                && authority.len() == rest.len()
                && !who.get(password.clone())?.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            password
        }
        _ => return None,
    };
    Some(start + secret.start..start + secret.end)
}

/// The value of a name, whose separator is there.
fn named(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let separator = *text.as_bytes().get(at)?;
    let quoted_name = before.trim_end().ends_with(['"', '\'', '`']);
    let name = name_before(before.as_bytes());
    let lead = before.trim_end_matches([' ', '"', '\'', '`', '\\']);
    let lead = lead.get(..lead.len().checked_sub(name.len())?)?.trim_end_matches([' ', '-']);

    let after = match separator {
        // `a == b` compares, `a => b` does not; `a::b` is a path.
        b'=' if after.starts_with('=') => return None,
        b'=' => after.strip_prefix('>').unwrap_or(after),
        _ if after.starts_with(':') => return None,
        _ => after,
    };
    let spaced = after.starts_with(' ');
    let value = inside(after.trim_start_matches(' '));
    let start = text.len() - value.len();

    if let Some(quote) = QUOTES.into_iter().find(|quote| value.starts_with(quote)) {
        let content = value.get(quote.len()..)?;
        let content = content.get(..quoted_len(content, quote))?;
        // `unexpected token: "x"` is prose; `password: "x"` is not.
        let is_prose = separator == b':' && spaced && !quoted_name && lead.ends_with(is_word);
        let is_secret = !is_prose || is_random(content);
        let start = start + quote.len();
        return is_secret.then(|| start..start + content.len());
    }
    let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
    if name.ends_with("cookie") || name.ends_with("cookies") {
        let len = value.find(['\n', '\r', '"', '\'', '`']).unwrap_or(value.len());
        return Some(start..start + len);
    }
    if value.starts_with(['[', '{', '(']) {
        return Some(start..start + nested_len(value));
    }
    let skipped = scheme_len(value);
    let (value, start) = (value.get(skipped..)?, start + skipped);
    let len = value.find(ends_value).unwrap_or(value.len());
    let (word, rest) = value.split_at_checked(len)?;
    if NO_SECRETS.iter().any(|no| word.eq_ignore_ascii_case(no)) {
        return None;
    }
    // What people write: `token: expected a number`, `unexpected token: foo`.
    let goes_on = rest.trim_start_matches(' ').starts_with(is_word) && rest.starts_with(' ');
    let is_prose = separator == b':' && spaced && skipped == 0 && !quoted_name;
    if is_prose && (goes_on || lead.ends_with(is_word)) && !is_random(word) {
        return None;
    }
    Some(start..start + len)
}

/// As they stand in a text, and in a text within a text.
const QUOTES: [&str; 4] = ["\\\"", "\"", "'", "`"];

/// Values that say that there is none.
const NO_SECRETS: [&str; 8] =
    ["none", "null", "nil", "true", "false", "undefined", "missing", "empty"];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_value(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\'' | '`' | '<' | '>' | '#')
}

/// The quoted text inside of `Some("…")`, `Secret(b"…")` and the like; else the value itself.
fn inside(value: &str) -> &str {
    let mut content = value;
    while let Some((before, next)) = split_near(content, '(') {
        if !before.starts_with(is_word) || !before.chars().all(|c| is_word(c) || c == ':') {
            break;
        }
        content = next;
    }
    let content = match content.strip_prefix('b') {
        Some(bytes) if bytes.starts_with('"') => bytes,
        _ => content,
    };
    if QUOTES.iter().any(|quote| content.starts_with(quote)) { content } else { value }
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

/// How long the text is until its quote ends it.
fn quoted_len(content: &str, quote: &str) -> usize {
    let mut escaped = false;
    for (at, c) in content.char_indices() {
        let ends = content.get(at..).is_some_and(|rest| rest.starts_with(quote));
        if ends && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    content.len()
}

/// How long the word and the space before credentials are, as in `Bearer abc`.
fn scheme_len(value: &str) -> usize {
    let Some((scheme, _)) = split_near(value, ' ') else { return 0 };
    let known = ["Bearer", "Basic", "Digest", "Token", "ApiKey", "Negotiate"];
    if known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) { scheme.len() + 1 } else { 0 }
}
