//! Values: how far what follows a name in a text goes: to its quote, bracket, line's end or `;`, or
//! a word.
//!
//! Knows no names.

use super::is_random;
use super::near;
use super::plain;
use super::quotes::{QUOTES, Quoted, begins_with_quote, quoted};
use std::ops::Range;

/// A word before a value, as in `Some(…)` and `Bearer …`, is not longer.
const MAX_WORD_BYTES: usize = 32;

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_value(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\'' | '`' | '<' | '>')
}

/// The quoted text that begins there, perhaps inside of `Some("…")`, `Secret::new(b"…")` and the
/// like, and whether it is.
pub(super) fn wrapped(value: &str) -> Option<(Quoted, bool)> {
    let mut content = value;
    let mut is_wrapped = false;
    while let Some((before, next)) = split_near(content, '(') {
        let is_path = |c: char| is_word(c) || matches!(c, ':' | '<' | '>' | '&' | '!' | '.');
        if !before.chars().all(is_path) {
            break;
        }
        content = after_blank(next);
        is_wrapped = true;
    }
    let skipped = value.len() - content.len();
    let found = quoted(content)?;
    let content = found.content.start + skipped..found.content.end + skipped;
    Some((Quoted { content, end: found.end + skipped }, is_wrapped))
}

/// Whether that ends a list or a call, perhaps on its own line, or behind a conversion.
pub(super) fn closes(rest: &str) -> bool {
    let mut rest = rest.trim_start_matches(['\\', '"', '\'']);
    while let Some((_, behind)) = rest.strip_prefix('.').and_then(|call| split_near(call, ')')) {
        rest = behind;
    }
    after_blank(rest.strip_prefix(',').unwrap_or(rest)).starts_with(')')
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

/// A list or structure.
pub(super) struct Nested<'a> {
    pub(super) text: &'a str,
    /// A type is before it: `Token { … }`.
    pub(super) is_typed: bool,
}

/// The list or structure that begins there, perhaps with its type before it.
pub(super) fn nested(value: &str) -> Option<Nested<'_>> {
    let is_type = |c: char| is_word(c) || matches!(c, ':' | '.' | '$');
    let mut bracket = 0;
    if value.starts_with(char::is_alphabetic) {
        bracket = value.char_indices().take(2 * MAX_WORD_BYTES).find(|&(_, c)| !is_type(c))?.0;
        bracket += usize::from(value.get(bracket..)?.starts_with(" {"));
        let last = value.get(..bracket)?.trim_end().rsplit(['.', ':', '$']).next()?;
        if !last.starts_with(char::is_uppercase) {
            return None;
        }
    }
    let list = value.get(bracket..)?;
    if !list.starts_with(['[', '{', '(']) {
        return None;
    }
    let text = value.get(..bracket + nested_len(list))?;
    Some(Nested { text, is_typed: bracket > 0 })
}

/// Whether nothing in it looks like a secret.
pub(super) fn is_plain(nested: &str) -> bool {
    let mut words = nested.split(|c| !is_word(c));
    !nested.contains(QUOTES)
        && words
            .all(|word| !is_random(word) || plain::is_number(word) || plain::is_identifier(word))
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
    /// One that is longer has no end.
    const MOST_BYTES: usize = 16 << 10;
    let is_quoted = near(value).contains(QUOTES);
    let most = if is_quoted { MOST_BYTES } else { near(value).len() };
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in value.char_indices().take(most) {
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
    // The end is missing: what is quoted is in it, and else its line.
    if is_quoted { value.len() } else { line_len(near(value)) }
}

/// How long the word and the space before credentials are, as in `Bearer abc`.
pub(super) fn scheme_len(value: &str, is_authorization: bool) -> usize {
    const KNOWN: [&str; 4] = ["Bearer", "Basic", "ApiKey", "Negotiate"];
    const IN_HEADERS: [&str; 8] =
        ["Token", "NTLM", "SSWS", "Bot", "Key", "GenieKey", "DPoP", "SharedKey"];
    let Some((scheme, _)) = split_near(value, ' ') else { return 0 };
    let is = |known: &&str| scheme.eq_ignore_ascii_case(known);
    if KNOWN.iter().any(is) || is_authorization && IN_HEADERS.iter().any(is) {
        scheme.len() + 1
    } else {
        0
    }
}

/// The lines of a block of YAML: a sign (`|`, `>-`), then lines that begin further to the right
/// than the name does.
pub(super) fn block(lead: &str, value: &str) -> Option<Range<usize>> {
    let header = value.strip_prefix(['|', '>'])?;
    let header =
        header.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' '));
    let (newline, name_line) = if header.starts_with(['\n', '\r']) {
        ("\n", lead.rsplit('\n').next()?)
    } else if header.starts_with("\\n") || header.starts_with("\\r\\n") {
        ("\\n", lead.rsplit("\\n").next()?)
    } else {
        return None;
    };
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    // Those of a list begin behind its `-`.
    let name_indent = name_line.len() - name_line.trim_start_matches([' ', '\t', '-']).len();
    let first = value.len() - header.len() + header.find(newline)? + newline.len();
    let (mut at, mut end) = (first, first);
    for line in value.get(first..)?.split(newline) {
        let line = line.get(..line.find('"').unwrap_or(line.len())).unwrap_or(line);
        let text = line.trim_end_matches(['\\', 'r', '\r']).trim_end();
        if !text.trim().is_empty() {
            if indent(line) <= name_indent {
                break;
            }
            end = at + text.len();
        }
        at += line.len() + newline.len();
    }
    let block = value.get(first..end)?;
    let start = end - after_blank(block).len();
    (start < end).then_some(start..end)
}

/// The lines of a here-document, `<<EOF` or `<<-'EOF'`, to the line with its word.
pub(super) fn here_document(value: &str) -> Option<Range<usize>> {
    let head = value.strip_prefix("<<")?.trim_start_matches(['-', '~']);
    let (word, content) = head.split_once('\n')?;
    let word = word.trim_end_matches('\r').trim_matches(['"', '\'']);
    let is_named = !word.is_empty() && word.len() <= MAX_WORD_BYTES && word.chars().all(is_word);
    let lines = content.split('\n').take_while(|line| line.trim() != word);
    let len = lines.map(|line| line.len() + 1).sum::<usize>().min(content.len());
    let content = content.get(..len).filter(|_| is_named)?.trim_end();
    let start = value.len() - head.len() + head.find('\n')? + 1;
    let blank = content.len() - content.trim_start().len();
    (blank < content.len()).then_some(start + blank..start + content.len())
}

/// The value of a connection string, to its `;`: blanks and most signs are part of it.
pub(super) fn in_connection_string(lead: &str, value: &str) -> Option<usize> {
    /// No value of such a string is longer, or it is none.
    const MOST_BYTES: usize = 512;
    let value = value.get(..crate::record::bytes::floor_char_boundary(value, MOST_BYTES))?;
    let follows = lead.ends_with(';');
    if let Some(braced) = value.strip_prefix('{') {
        // `}}` is a brace of the value.
        let mut ends = braced.match_indices('}').map(|(at, _)| at);
        let mut skip = usize::MAX;
        let end = ends.find(|&at| {
            let is_doubled = braced.get(at + 1..).is_some_and(|rest| rest.starts_with('}'));
            let ends = at != skip && !is_doubled;
            skip = if is_doubled && at != skip { at + 1 } else { usize::MAX };
            ends
        })?;
        let rest = braced.get(end + 1..)?;
        let is_whole = rest.is_empty() || rest.starts_with([';', '"', '\'', '\n', '\\', ' ']);
        return (is_whole && (follows || begins_pair(rest))).then_some(end + 2);
    }
    let end = value.find([';', '"', '\'', '`', '\n', '\r', '<', '>']);
    let (content, rest) = value.split_at_checked(end.unwrap_or(value.len()))?;
    if follows && !rest.starts_with([';', '"', '\'', '`']) {
        // The last one: a sentence may go on behind it.
        let word = content.split([' ', ',', ')']).next()?;
        return (!word.is_empty()).then_some(word.len());
    }
    let is_ended = rest.starts_with(';') && (follows || begins_pair(rest))
        || follows && rest.starts_with(['"', '\'', '`']);
    // Another pair after a blank: a list of such, and the string ended before.
    let is_one = !content.split(' ').skip(1).any(|word| word.contains([':', '=']));
    let content = content.trim_end_matches('\\').trim_end();
    (is_ended && is_one && !content.is_empty()).then_some(content.len())
}

/// Whether a `;` and another pair of a connection string follow.
fn begins_pair(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix(';') else { return false };
    let name = rest.trim_start_matches(' ');
    let len =
        name.find(|c: char| !is_word(c) && !matches!(c, ' ' | '.' | '-')).unwrap_or(name.len());
    len > 0
        && len <= 2 * MAX_WORD_BYTES
        && name.get(len..).is_some_and(|rest| rest.starts_with('='))
}

/// The value of a query, to its `&`; not the signs of the sentence that it ends.
pub(super) fn in_query(lead: &str, value: &str) -> Option<usize> {
    if !lead.ends_with(['?', '&']) && !lead.ends_with("&amp;") {
        return None;
    }
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '`' | '<' | '>' | '\\');
    let content = value.get(..value.find(ends).unwrap_or(value.len()))?;
    if begins_parameter(value.get(content.len()..)?) {
        return Some(content.len());
    }
    Some(content.trim_end_matches([',', ';', ')', ']', '}', ':', '!']).len())
}

/// The value of the first pair of a form: another one follows behind its `&`.
pub(super) fn in_form(line: &str, value: &str) -> Option<usize> {
    let begins = line.is_empty() || line.ends_with([' ', '\t', '\n', '"', '\'']);
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '`' | '<' | '>' | '\\' | ';' | '=')
    };
    let end = value.find(ends).filter(|_| begins)?;
    begins_parameter(value.get(end..)?).then_some(end)
}

/// Whether a `&` and another pair of a query follow.
fn begins_parameter(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('&') else { return false };
    let len = rest.find(|c: char| !is_word(c) && !"-.;[]%".contains(c)).unwrap_or(rest.len());
    len > 0 && rest.get(len..).is_some_and(|rest| rest.starts_with('='))
}

/// How long the word is that begins there. A bracket or quote ends it only if it closes one that is
/// in the lead.
pub(super) fn word_len(lead: &str, value: &str) -> usize {
    let mut open = Open { lead, within: [0; 3] };
    let mut chars = value.char_indices();
    let end = chars.find(|&(at, c)| match c {
        '(' | '[' | '{' => {
            open.enter(c);
            false
        }
        ')' | ']' | '}' => {
            let goes_on = value.get(at + 1..).is_some_and(|rest| rest.starts_with(is_word));
            !open.leave(c) && (!goes_on || open.is_in_lead(c))
        }
        '\'' | '`' => {
            let goes_on = value.get(at + 1..).is_some_and(|rest| rest.starts_with(is_word));
            !goes_on || open.is_quoted(c)
        }
        // A shell's blank that is part of a word.
        ' ' => !value.get(..at).is_some_and(|word| word.ends_with('\\')),
        _ => ends_value(c),
    });
    let len = end.map_or(value.len(), |(at, _)| at);
    let (word, rest) = value.split_at_checked(len).unwrap_or((value, ""));
    // In a quoted text the quote at its end may be escaped, and the end of a line too.
    let word = if rest.starts_with(QUOTES) { word.trim_end_matches('\\') } else { word };
    let mut lines = word.match_indices('\\').filter(|(at, _)| {
        let behind = word.get(at + 1..).unwrap_or_default();
        let behind = behind.strip_prefix("r\\").unwrap_or(behind);
        behind.strip_prefix(['n', 'r']).is_some_and(|line| line.is_empty() || begins_line(line))
    });
    lines.next().map_or(word.len(), |(at, _)| at)
}

/// Whether it begins as a line of pairs does.
fn begins_line(line: &str) -> bool {
    let len = line.find(|c: char| !is_word(c) && !matches!(c, '-' | '.')).unwrap_or(line.len());
    len > 0 && line.get(len..).is_some_and(|rest| rest.starts_with([':', '=']))
}

/// What is open where a value begins.
struct Open<'a> {
    lead: &'a str,
    /// In the value itself, by kind.
    within: [usize; 3],
}

impl Open<'_> {
    const PAIRS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
    /// In a lead that is longer everything may be.
    const MOST_BYTES: usize = 512;

    fn enter(&mut self, c: char) {
        for (count, (opening, _)) in self.within.iter_mut().zip(Self::PAIRS) {
            *count += usize::from(opening == c);
        }
    }

    /// Whether that bracket closes one of the value.
    fn leave(&mut self, c: char) -> bool {
        let mut kinds = self.within.iter_mut().zip(Self::PAIRS);
        kinds.any(|(count, (_, closing))| {
            let closes = closing == c && *count > 0;
            *count -= usize::from(closes);
            closes
        })
    }

    /// Whether that bracket closes one of the lead.
    fn is_in_lead(&self, c: char) -> bool {
        let of = |sign: char| self.lead.matches(sign).count();
        let closes = |(opening, closing)| closing == c && of(opening) > of(closing);
        self.lead.len() > Self::MOST_BYTES || Self::PAIRS.into_iter().any(closes)
    }

    fn is_quoted(&self, c: char) -> bool {
        self.lead.len() > Self::MOST_BYTES || self.lead.matches(c).count() % 2 == 1
    }
}

/// Whether a quote begins there, after blanks and ends of lines.
pub(super) fn quote_on_next_line(value: &str) -> Option<&str> {
    let next = value.trim_start();
    (next.len() < value.len() && begins_with_quote(next)).then_some(next)
}
