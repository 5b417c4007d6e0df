//! Neighbors: secrets whose names no sign follows: the content of an element, the second of a pair,
//! the value of an option, a quoted text behind a name.
//!
//! Pure. Does not know which names are secret, but for the second of a pair, which may be one too.

use super::label::{Kind, Label, is_secret_word};
use super::names::Names;
use super::plain;
use super::quotes::quoted;
use super::sites::{name_before, tag_name};
use super::values::{after_blank, closes, is_word, scheme_len, word_len, wrapped};
use super::{is_long, is_random};
use logwell_options::secret::MASK;
use std::ops::Range;

/// The text between a tag, which ends there, and the next one.
pub(super) fn in_element(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let tag = before.get(before.rfind('<')? + 1..)?;
    let name = tag.split(char::is_whitespace).next()?;
    let rest = text.get(at + 1..)?;
    let content = rest.trim_start().strip_prefix("<![CDATA[").unwrap_or(rest);
    let start = text.len() - content.len();
    let end = if content.len() < rest.len() { content.find("]]>")? } else { content.find('<')? };
    let closing = content.get(end..)?.trim_start_matches("]]>").trim_start();
    let is_closed = closing.strip_prefix("</").or(closing.strip_prefix("<\\/"))?.starts_with(name);
    let value = content.get(..end)?;
    let blank = value.len() - value.trim_start().len();
    let value = value.trim();
    let name = Label::new("", std::str::from_utf8(tag_name(tag.as_bytes())).ok()?);
    (is_closed && is_secret_word(&name, value))
        .then_some(start + blank..start + blank + value.len())
}

/// The second of a pair in parentheses whose first is the name.
pub(super) fn in_pair(names: &Names, text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let end = before.trim_end_matches(['"', '\'', '\\']);
    let name = name_before(before.as_bytes());
    if name.starts_with(b"--") {
        return next_argument(text, text.len() - after.len());
    }
    if let Some(header) = header_value(after, name) {
        let start = text.len() - after.len();
        return Some(start + header.start..start + header.end);
    }
    let lead = before.get(..end.len() - name.len())?;
    let lead = lead.trim_end_matches(['\\', '"', '\'']).trim_end_matches('b').strip_suffix('(')?;
    let is_call = lead.trim_end().ends_with(is_word);
    let value = after_blank(after);
    let start = text.len() - value.len();
    let (quoted, _) = wrapped(value)?;
    let content = value.get(quoted.content.clone())?;
    // A list of names: of columns, say.
    let is_one = !is_call
        && closes(value.get(quoted.end..)?)
        && !names.is_secret(content.as_bytes())
        && !plain::is_placeholder(content);
    is_one.then_some(start + quoted.content.start..start + quoted.content.end)
}

/// The value of an option in a list of arguments: `["--password", "…"]`.
fn next_argument(text: &str, start: usize) -> Option<Range<usize>> {
    let value = after_blank(text.get(start..)?);
    let start = text.len() - value.len();
    let content = quoted(value)?.content;
    let word = value.get(content.clone())?;
    let is_none = word.starts_with('-') || plain::is_placeholder(word);
    (is_long(word) || !is_none).then_some(start + content.start..start + content.end)
}

/// The value of an option of a command, which begins there; its name ends there.
pub(super) fn argument(text: &str, at: usize, name_end: usize) -> Option<Range<usize>> {
    const PROSE: [&str; 18] = [
        "is", "to", "or", "and", "for", "must", "option", "flag", "was", "can", "in", "on", "the",
        "with", "as", "if", "requires", "needs",
    ];
    let after = text.get(name_end..)?;
    if after.starts_with(['"', '\'']) {
        return next_argument(text, name_end + 1);
    }
    let value = after.trim_start_matches(' ');
    let start = text.len() - value.len();
    if value.starts_with(MASK) {
        return None;
    }
    if let Some((quoted, false)) = wrapped(value) {
        return Some(start + quoted.content.start..start + quoted.content.end);
    }
    let name = text.get(at..name_end)?.trim_start_matches([' ', '-']);
    let name = Label::new(text.get(..at)?, name);
    let word = value.get(..word_len(name.lead, value))?;
    let is_option = word.starts_with(['-', '<', '[', '|', '=', ':'])
        || name.is_word && word.trim_end_matches('=').contains('=');
    let is_one = !is_option
        && !PROSE.iter().any(|prose| word.eq_ignore_ascii_case(prose))
        && !word.eq_ignore_ascii_case(name.text)
        && is_secret_word(&name, word);
    is_one.then_some(start..start + word.len())
}

/// The credentials or cookies behind the comma, as lists of headers have them.
fn header_value(after: &str, name: &[u8]) -> Option<Range<usize>> {
    let value = after_blank(after);
    let content = quoted(value)?.content;
    let is_one = match Label::new("", str::from_utf8(name).ok()?).kind {
        Kind::Authorization => scheme_len(value.get(content.clone())?, true) > 0,
        Kind::Cookie => value.get(content.clone())?.contains('='),
        _ => false,
    };
    let start = after.len() - value.len();
    is_one.then_some(start + content.start..start + content.end)
}

/// The quoted text behind a name and a blank or bracket.
pub(super) fn behind_name(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let label = Label::before(before.trim_end_matches(' '))?;
    let found = quoted(after)?;
    let content = after.get(found.content.clone())?;
    let is_call = text.get(at..)?.starts_with('(');
    // What is wrong with a token is an error: `InvalidToken("…")`.
    const ERRORS: [&str; 6] = ["Invalid", "Missing", "Unexpected", "Bad", "Unknown", "Expired"];
    // `store_password("bob", "…")` names the user first.
    if is_call && !closes(after.get(found.end..)?)
        || ERRORS.iter().any(|error| label.text.starts_with(error))
    {
        return None;
    }
    // `token "x"` and `secret "x"` are prose, `Token("x")` is an object.
    let is_secret = if label.is_word {
        is_call
            && label.text.starts_with(char::is_uppercase)
            && is_random(content)
            && !plain::is_identifier(content)
    } else {
        is_call || label.is_password() || label.text.eq_ignore_ascii_case("by")
    };
    // `password 'is wrong'`, but any text is one behind `IDENTIFIED BY`.
    let is_prose = label.is_password()
        && content.contains(' ')
        && content.chars().all(|c| c.is_lowercase() || c == ' ');
    let is_none = is_prose
        || plain::is_word(content)
        || plain::is_placeholder(content)
        || plain::is_constant(content)
        || content.starts_with('-');
    let start = at + 1 + found.content.start;
    (is_secret && !is_none).then_some(start..start + content.len())
}
