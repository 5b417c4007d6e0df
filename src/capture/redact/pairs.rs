//! Pairs: secrets in a text that what stands before says are some: `password=…`, `"token": "…"`,
//! `Authorization: Bearer …`, the password in a URL, the number of a bot.
//!
//! Every `:` and `=` may be such a place. What stands before is looked at first: mostly it is no name
//! of a secret, and that is all it costs.

use super::is_random;
use super::names::{Names, is_letter};
use super::values::{
    QUOTES, after_blank, ends_value, inside, is_plain, is_word, line_len, nested, quote,
    quoted_len, scheme_len,
};
use crate::record::fields::floor_char_boundary;
use logwell_options::secret::MASK;
use memchr::{memchr, memchr2_iter};
use std::ops::Range;

/// A name is not longer.
const MAX_NAME_BYTES: usize = 64;
/// Nor is what stands before the path of a URL.
const MAX_AUTHORITY_BYTES: usize = 2_048;

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

/// Whether there is one there, where a `:` or `=` is.
#[inline]
pub(super) fn may_be_at(names: &Names, text: &[u8], at: usize, is_cut: bool) -> bool {
    pair(names, text, at, is_cut).is_some()
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
    let near = near_before(before);
    // Most names are no secrets by their ending: then where they begin does not matter.
    if names.may_be_secret(near) && names.is_secret(name_in(near)) {
        return Some(Pair::Named);
    }
    bot(text, at).map(|_| Pair::Bot)
}

/// The name that ends there, without quotes around it.
fn name_before(before: &[u8]) -> &[u8] {
    name_in(near_before(before))
}

/// What ends as the name does, and has all of it.
#[inline]
fn near_before(before: &[u8]) -> &[u8] {
    let end = before.iter().rposition(|byte| !is_between(*byte)).map_or(0, |at| at + 1);
    before.get(end.saturating_sub(MAX_NAME_BYTES)..end).unwrap_or_default()
}

/// The name at the end of that.
fn name_in(near: &[u8]) -> &[u8] {
    let is_name = |byte: &u8| is_letter(byte) || matches!(byte, b'_' | b'-' | b'.');
    let len = near.iter().rev().take_while(|byte| is_name(byte)).count();
    let (lead, name) = near.split_at_checked(near.len() - len).unwrap_or_default();
    let is_escape = lead.last() == Some(&b'\\') && matches!(name, [b'n' | b'r' | b't', _, ..]);
    name.get(usize::from(is_escape)..).unwrap_or_default()
}

/// What may stand between a name and its separator: also a bracket, as in `user[password]=`.
fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b']')
}

/// How long the rest of a bot's token is that follows its number: all of them begin with `AA`.
#[inline]
fn bot(text: &[u8], at: usize) -> Option<usize> {
    const LEAST_DIGITS: usize = 8;
    const LEAST_BYTES: usize = 30;
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    if !before.last().is_some_and(u8::is_ascii_digit) || !after.starts_with(b"AA") {
        return None;
    }
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let len = after.iter().take_while(is_word).count();
    (digits >= LEAST_DIGITS && len >= LEAST_BYTES).then_some(len)
}

/// The password in `scheme://who:password@host`, or the whole of a `who` that is one itself.
fn in_url(text: &str, start: usize, is_cut: bool) -> Option<Range<usize>> {
    let ends_url = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let ends = |c: char| ends_url(c) || matches!(c, '/' | '?' | '#');
    let rest = text.get(start..)?;
    let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
    let (who, is_whole) = match authority.rfind('@') {
        Some(at) => (authority.get(..at)?, true),
        None => (authority, false),
    };
    let password = who.find(':').map(|at| at + 1..who.len());
    let secret = match password {
        Some(password) if is_whole => password,
        None if is_whole && who.len() >= 16 && is_token(who) => 0..who.len(),
        // What is there is no port: a password with such a sign, or one whose end is missing.
        Some(password) if !is_port(who.get(password.clone())?) => {
            let near = rest.get(..floor_char_boundary(rest, MAX_NEAR_BYTES))?;
            let near = near.get(..near.find(ends_url).unwrap_or(near.len()))?;
            match near.rfind('@') {
                Some(at) if at > password.start => password.start..at,
                _ if is_cut && authority.len() == rest.len() => password,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(start + secret.start..start + secret.end)
}

/// Whether that is the number of a port, or the end of an IPv6 address.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) || text.contains(']')
}

/// Whether somebody's generator made that name of a user.
fn is_token(who: &str) -> bool {
    let is_run = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    who.bytes().all(is_run) && who.bytes().any(|byte| byte.is_ascii_digit()) && is_random(who)
}

/// The value of a name, whose separator is there.
fn named(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let name = Name::before(before)?;
    let is_colon = text.as_bytes().get(at) == Some(&b':');
    let after = match after.as_bytes().first() {
        // `a == b` compares, `a => b` and `a := b` do not; `a::b` is a path.
        Some(b'=') if is_colon => after.get(1..)?,
        Some(b'>') if !is_colon => after.get(1..)?,
        Some(b':' | b'=') => return None,
        _ => after,
    };
    let value = after.trim_start_matches([' ', '\t']);
    let start = text.len() - value.len();
    let is_arm = before.ends_with(' ') && text.get(at..)?.starts_with("=> ");
    if is_arm && !name.is_quoted && quote(value).is_none() {
        return None; // of a `match`
    }
    // `token: expected a number` is prose, and `let token = next()` is code.
    let is_spaced = value.len() < after.len();
    let is_prose = is_colon && is_spaced && !name.is_quoted;
    let is_loose =
        name.is_word && !name.is_quoted && (is_colon || is_spaced && before.ends_with([' ', '\t']));
    if is_colon && name.is_word && name.lead.ends_with('/') {
        return None; // a path
    }

    let inner = inside(value);
    if let Some((skipped, quote)) = quote(inner) {
        let content = inner.get(skipped..)?;
        let len = quoted_len(content, quote, skipped - 1);
        let end = content.get(len..)?.trim_start_matches(['\\', quote]);
        let end = end.strip_prefix(',').unwrap_or(end);
        let is_alone = inner.len() == value.len() || after_blank(end).starts_with(')');
        // `unexpected token: "x"` is prose; `password: "x"` is not.
        if is_prose && name.lead.ends_with(is_word) && !is_random(content.get(..len)?) {
            return None;
        }
        if is_alone || nested(value).is_none() {
            let start = text.len() - content.len();
            return Some(start..start + len);
        }
    }
    if let Some(nested) = nested(value) {
        let near = nested.get(..floor_char_boundary(nested, MAX_NEAR_BYTES))?;
        if name.is_word && !name.is_quoted && near.len() == nested.len() && is_plain(near) {
            return None; // `token: Token(1)`
        }
        return Some(start..start + nested.len());
    }
    let found = unquoted(&name, value, &Place { is_colon, is_prose, is_loose })?;
    Some(start + found.start..start + found.end)
}

/// What stands around a name and its value.
struct Place {
    is_colon: bool,
    /// A sentence may go on there.
    is_prose: bool,
    /// Something else than a secret may be called so there.
    is_loose: bool,
}

/// Where the secret is in a value without quotes.
fn unquoted(name: &Name<'_>, value: &str, place: &Place) -> Option<Range<usize>> {
    let start = scheme_len(value);
    let value = value.get(start..)?;
    let (word, rest) = value.split_at_checked(value.find(ends_value).unwrap_or(value.len()))?;
    // In a quoted text the quote at its end may be escaped.
    let word = if rest.starts_with(QUOTES) { word.trim_end_matches('\\') } else { word };
    if NO_SECRETS.iter().any(|no| word.eq_ignore_ascii_case(no)) {
        return None;
    }
    let is_list = match name.kind {
        Kind::Cookie => word.contains('='),
        Kind::Authorization => place.is_colon && start == 0 && rest.starts_with(' '),
        Kind::Other => false,
    };
    let mut words = value.split(' ').filter(|word| !word.is_empty()).take(2);
    if is_list && words.any(|word| word.contains('=') || is_random(word)) {
        return Some(start..start + line_len(value));
    }
    let goes_on = rest.trim_start_matches(' ').starts_with(is_word) && rest.starts_with(' ');
    let is_prose = place.is_prose && (goes_on || name.lead.ends_with(is_word));
    if (is_prose || place.is_loose) && start == 0 && !is_random(word) {
        return None;
    }
    Some(start..start + word.len())
}

/// A name in a text, and what is around it.
struct Name<'a> {
    /// What stands before it; nothing if it begins a line of a quoted text.
    lead: &'a str,
    /// It is a key of its own, not a word in a sentence.
    is_quoted: bool,
    /// Programs have such things that are no secrets.
    is_word: bool,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Several cookies may follow, to the line's end.
    Cookie,
    /// A scheme may follow, and several values, to the line's end.
    Authorization,
    Other,
}

impl<'a> Name<'a> {
    fn before(before: &'a str) -> Option<Self> {
        let end = before.trim_end_matches(|c: char| u8::try_from(c).is_ok_and(is_between));
        let (end, between) = before.split_at_checked(end.len())?;
        let start = end.len().checked_sub(name_before(end.as_bytes()).len())?;
        let (lead, name) = end.split_at_checked(floor_char_boundary(end, start))?;
        let name = name.trim_end_matches(|c: char| !c.is_alphabetic()).to_ascii_lowercase();
        let is_escaped = ["\\n", "\\r", "\\t"].iter().any(|escape| lead.ends_with(escape));
        if between.contains(']') {
            // `[token]: a` is prose, `user[token]=a` is none.
            let list = lead.trim_end_matches(['\\', '"', '\'']).strip_suffix('[')?;
            if !list.ends_with(|c| is_word(c) || c == ']') {
                return None;
            }
        }
        let ends = |all: &[&str]| all.iter().any(|word| name.ends_with(word));
        let kind = match () {
            () if ends(&["cookie", "cookies"]) => Kind::Cookie,
            () if ends(&["authorization"]) => Kind::Authorization,
            () => Kind::Other,
        };
        Some(Self {
            lead: if is_escaped { "" } else { lead.trim_end_matches([' ', '-']) },
            is_quoted: between.contains(['"', '\'', '`', ']']),
            is_word: ends(&WORDS),
            kind,
        })
    }
}

/// What names end with that stand in prose and code too, for other things.
const WORDS: [&str; 8] =
    ["token", "jwt", "cookie", "cookies", "secret", "secrets", "credential", "credentials"];

/// More of a value is not looked at to say whether it is a secret.
const MAX_NEAR_BYTES: usize = 256;

/// Values that say that there is none.
const NO_SECRETS: [&str; 14] = [
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "missing",
    "empty",
    "yes",
    "no",
    "invalid",
    "required",
    "expired",
    "optional",
];
