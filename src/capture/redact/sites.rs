//! Sites: where in a text a secret may follow, and the name that says so.
//!
//! Mostly a `:` or `=` between a name and a value; also the end of an XML tag, a comma in a pair, a
//! blank behind an option. What is before is looked at first: mostly it is no name of a secret, and
//! that is all it costs. Pure; does not know what the value is.

use super::commands;
use super::names::{Names, is_letter};
use super::quotes::bytes_without_entity;
use super::urls::{MAX_AUTHORITY_BYTES, bot_len};
use memchr::memchr;
use std::ops::Range;

/// A name is not longer.
const MAX_NAME_BYTES: usize = 64;
/// Nor is an XML tag with its attributes.
const MAX_TAG_BYTES: usize = 128;

/// What a sign separates.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// A name of a secret and its value.
    Named,
    /// A scheme and who, perhaps with a password, before a host.
    Url,
    /// The number of a Telegram bot and the rest of its token, which is so long.
    Bot(usize),
    /// A tag and the content of its element: `<password>…`.
    Element,
    /// The two of a pair: `("password", "…")`.
    Pair,
    /// An option of a command and its value: `--password …`. The name, with its dashes, ends there.
    Argument(usize),
    /// A password in an option that the command gives its meaning: `mysql -p…`.
    Option(Range<usize>),
    /// A name and the quoted text behind it: `IDENTIFIED BY '…'`, `Password("…")`.
    Quoted,
    /// The content of a part of a form: `name="password"`, an empty line, and then that.
    Part(Range<usize>),
}

/// The site at that sign, if there is one.
#[inline]
pub(super) fn at(names: &Names, text: &[u8], at: usize, is_cut: bool) -> Option<Site> {
    let (before, after) = text.split_at_checked(at)?;
    match after.first()? {
        b':' | b'=' => pair(names, text, at, is_cut),
        b'>' => is_tag(names, before).then_some(Site::Element),
        b',' => is_first_of_pair(names, before).then_some(Site::Pair),
        b'-' => {
            let len = argument(names, before, after.strip_prefix(b"--")?)?;
            Some(Site::Argument(at + "--".len() + len))
        }
        b' ' | b'(' => match after.get(1)? {
            b'-' => option(names, text, at),
            b'"' | b'\'' if after.get(2) == Some(&b'-') => {
                commands::password(text, at).map(Site::Option)
            }
            // Mostly a sign is before that blank, as in `name: "…"`.
            b'"' | b'\'' if before.last().is_some_and(|byte| is_letter(byte) || *byte == b' ') => {
                is_before_quote(names, text, at).then_some(Site::Quoted)
            }
            _ => None,
        },
        _ => None,
    }
}

/// An option with one dash behind the blank there.
fn option(names: &Names, text: &[u8], at: usize) -> Option<Site> {
    let name = text.get(at + " -".len()..)?;
    let named = argument(names, b" ", name);
    let named = named.map(|len| Site::Argument(at + " -".len() + len));
    named.or_else(|| commands::password(text, at).map(Site::Option))
}

/// Whether what is before that blank or bracket says that the quoted text behind it is a secret.
fn is_before_quote(names: &Names, text: &[u8], at: usize) -> bool {
    let (before, after) = text.split_at_checked(at).unwrap_or_default();
    let end = before.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
    let near = before.get(end.saturating_sub(MAX_NAME_BYTES)..end).unwrap_or_default();
    if names.rule_out(near) {
        return false;
    }
    let name = name_in(near);
    let is_blank = after.first() == Some(&b' ');
    if is_blank && name.eq_ignore_ascii_case(b"by") {
        // `IDENTIFIED BY`, and `IDENTIFIED WITH a_plugin BY`, of SQL.
        const VERB: &[u8] = b"identified";
        return near.windows(VERB.len()).any(|word| word.eq_ignore_ascii_case(VERB));
    }
    names.may_be_secret(name) && names.is_secret(name)
}

/// Whether a site may be where such a byte is.
pub(super) fn is_sign(byte: u8) -> bool {
    matches!(byte, b':' | b'=' | b'>' | b',' | b'-' | b' ' | b'(')
}

#[inline]
fn pair(names: &Names, text: &[u8], at: usize, is_cut: bool) -> Option<Site> {
    let (before, after) = text.split_at_checked(at)?;
    if let [b':', b'/', b'/', host @ ..] = after {
        let near = host.get(..MAX_AUTHORITY_BYTES).unwrap_or(host);
        return (is_cut || memchr(b'@', near).is_some()).then_some(Site::Url);
    }
    if names.rule_out(before.strip_suffix(b"\"").unwrap_or(before)) {
        return None;
    }
    let near = near_before(before);
    // Most names are no secrets by their ending: then where they begin does not matter.
    if names.may_be_secret(near) && names.is_secret_in_text(name_in(near)) {
        return Some(Site::Named);
    }
    let is_value =
        near.last_chunk().is_some_and(|word: &[u8; 5]| word.eq_ignore_ascii_case(b"value"));
    if is_value && name_of_value(before).is_some_and(|name| names.is_secret(name)) {
        return Some(Site::Named);
    }
    let is_name = near.last_chunk().is_some_and(|word: &[u8; 4]| word == b"name");
    if is_name && let Some(part) = part_of_form(names, after) {
        return Some(Site::Part(at + part.start..at + part.end));
    }
    bot_len(text, at).map(Site::Bot)
}

/// The content of the part of `multipart/form-data` (RFC 7578) whose name is there.
fn part_of_form(names: &Names, after: &[u8]) -> Option<Range<usize>> {
    const EMPTY_LINES: [&[u8]; 4] = [b"\r\n\r\n", b"\n\n", br"\r\n\r\n", br"\n\n"];
    const MOST_BYTES: usize = 512;
    let near = after.get(..MOST_BYTES).unwrap_or(after);
    let rest = near.strip_prefix(br"=\").or_else(|| near.strip_prefix(b"="))?;
    let rest = rest.strip_prefix(b"\"")?;
    let name = rest.get(..memchr(b'"', rest)?)?;
    let name = name.strip_suffix(b"\\").unwrap_or(name);
    if !names.is_secret(name) {
        return None;
    }
    let behind = rest.get(memchr(b'"', rest)? + 1..)?;
    let line = EMPTY_LINES.iter().find(|line| behind.starts_with(line))?;
    let content = behind.get(line.len()..)?;
    let start = near.len() - content.len();
    let ends = |at: &usize| {
        matches!(content.get(*at..), Some([b'\r' | b'\n', ..] | [b'\\', b'r' | b'n', ..]))
    };
    let len = (0..content.len()).find(ends).unwrap_or(content.len());
    let len =
        str::from_utf8(content.get(..len)?).map_or_else(|error| error.valid_up_to(), str::len);
    Some(start..start + len)
}

fn is_tag(names: &Names, before: &[u8]) -> bool {
    let is_end = |byte: &u8| is_letter(byte) || matches!(byte, b'"' | b'\'' | b'\\');
    if !before.last().is_some_and(is_end) {
        return false;
    }
    let near = before.get(before.len().saturating_sub(MAX_TAG_BYTES)..).unwrap_or_default();
    let Some(start) = near.iter().rposition(|byte| *byte == b'<') else { return false };
    let (lead, tag) = near.split_at_checked(start).unwrap_or_default();
    let tag = tag.get(1..).unwrap_or_default();
    let name = tag_name(tag);
    names.is_secret(name)
        || is_value_tag(name) && name_of_element(lead).is_some_and(|name| names.is_secret(name))
        || key_of(tag).is_some_and(|name| names.is_secret(name))
}

/// Whether the element before that one has its name: `<key>password</key><string>…`.
fn is_value_tag(tag: &[u8]) -> bool {
    tag.eq_ignore_ascii_case(b"string") || tag.eq_ignore_ascii_case(b"value")
}

/// The content of the element that ends there, if it is a name.
fn name_of_element(lead: &[u8]) -> Option<&[u8]> {
    let lead = lead.trim_ascii_end();
    let name = lead.strip_suffix(b"</key>").or_else(|| lead.strip_suffix(b"</name>"))?;
    Some(name_in(name.get(name.len().saturating_sub(MAX_NAME_BYTES)..)?))
}

/// The name in the last attribute of a tag, if that is its key: `<entry key="password">`.
fn key_of(tag: &[u8]) -> Option<&[u8]> {
    let name = name_before(tag);
    const NAMED: [&[u8]; 6] = [b"property", b"prop", b"param", b"parameter", b"setting", b"entry"];
    // Other elements with a name are what people read: `<td name="password">`.
    let words: &[&[u8]] = match NAMED.iter().any(|kind| tag_name(tag).eq_ignore_ascii_case(kind)) {
        true => &[b"key", b"name"],
        false => &[b"key"],
    };
    is_named_so(tag.get(..near_end(tag) - name.len())?, words).then_some(name)
}

/// The name that stands before such a `value`: `name: DB_PASSWORD, value: …`, also in JSON and XML.
pub(super) fn name_of_value(before: &[u8]) -> Option<&[u8]> {
    let (before, value) = before.get(..near_end(before))?.split_last_chunk::<5>()?;
    if !value.eq_ignore_ascii_case(b"value") {
        return None;
    }
    let is_gap =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'\\');
    let end = before.iter().rposition(|byte| !is_gap(byte))? + 1;
    let lead = before.get(..end).filter(|lead| lead.len() < before.len())?;
    let name = name_in(lead.get(end.saturating_sub(MAX_NAME_BYTES)..)?);
    let lead = lead.get(..end - name.len())?;
    // `<password value="…"/>`
    (lead.ends_with(b"<") || is_named_so(lead, &[b"name", b"key"])).then_some(name)
}

/// Whether one of those words and a separator stand before a name.
fn is_named_so(lead: &[u8], words: &[&[u8]]) -> bool {
    let trimmed = |text: &[u8]| text.iter().rposition(|byte| !is_between(*byte)).map(|at| at + 1);
    let word = trimmed(lead).and_then(|end| match lead.get(..end)? {
        [word @ .., b':' | b'='] => word.get(..trimmed(word)?),
        _ => None,
    });
    word.is_some_and(|text| {
        words.iter().any(|word| {
            let (lead, end) = text.split_at(text.len().saturating_sub(word.len()));
            end.eq_ignore_ascii_case(word) && !lead.last().is_some_and(is_letter)
        })
    })
}

/// The name of a tag, without that of its namespace.
pub(super) fn tag_name(tag: &[u8]) -> &[u8] {
    let name = tag.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
}

fn is_first_of_pair(names: &Names, before: &[u8]) -> bool {
    let Some((b'"' | b'\'', word)) = before.split_last() else { return false };
    if names.rule_out(word) {
        return false;
    }
    let near = near_before(before);
    names.may_be_secret(near) && names.is_secret(name_in(near))
}

/// How long the name of an option is that begins there.
fn argument(names: &Names, before: &[u8], name: &[u8]) -> Option<usize> {
    if before.last().is_some_and(|byte| is_letter(byte) || *byte == b'-') {
        return None;
    }
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let len = name.iter().take(MAX_NAME_BYTES).take_while(is_name).count();
    let (name, rest) = name.split_at_checked(len)?;
    // `"--password" "…"` is how a command's `Debug` shows it.
    let ends = matches!(rest, [b' ', ..] | [b'"' | b'\'', b' ', ..]);
    (ends && names.is_secret(name)).then_some(len)
}

/// The name that ends there, without quotes around it.
pub(super) fn name_before(before: &[u8]) -> &[u8] {
    name_in(near_before(before))
}

/// What ends as the name does, and has all of it.
#[inline]
fn near_before(before: &[u8]) -> &[u8] {
    let end = near_end(before);
    before.get(end.saturating_sub(MAX_NAME_BYTES)..end).unwrap_or_default()
}

/// Where the name ends, without quotes and blanks behind it.
#[inline]
fn near_end(before: &[u8]) -> usize {
    let before = bytes_without_entity(before);
    before.iter().rposition(|byte| !is_between(*byte)).map_or(0, |at| at + 1)
}

/// The name at the end of that.
fn name_in(near: &[u8]) -> &[u8] {
    let is_name = |byte: &u8| is_letter(byte) || matches!(byte, b'_' | b'-' | b'.');
    let len = near.iter().rev().take_while(|byte| is_name(byte)).count();
    let (lead, name) = near.split_at_checked(near.len() - len).unwrap_or_default();
    let escape = match name {
        _ if lead.last() != Some(&b'\\') => 0,
        [b'n' | b'r' | b't', _, ..] => 1,
        // `\u0022` and `\x22` are quotes.
        [b'u', b'0', b'0', b'2', b'2' | b'7', _, ..] => 5,
        [b'x', b'2', b'2' | b'7', _, ..] => 3,
        _ => 0,
    };
    name.get(escape..).unwrap_or_default()
}

/// What may be between a name and its separator: also a bracket, as in `user[password]=`.
pub(super) fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b']')
}
