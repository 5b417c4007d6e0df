//! Pairs: secrets in a text that what is before says are some: `password=…`, `"token": "…"`,
//! `Authorization: Bearer …`, `<password>…`, `--password …`, the password in a URL.

use super::encoded;
use super::label::{Kind, Label, is_secret_word};
use super::names::Names;
use super::near;
use super::neighbors::{argument, behind_name, in_element, in_pair};
use super::plain;
use super::quotes::Quoted;
use super::sites::{self, Site, name_of_value};
use super::urls;
use super::values::{
    block, closes, here_document, in_connection_string, in_form, in_query, is_plain, is_word,
    line_len, nested, quote_on_next_line, scheme_len, word_len, wrapped,
};
use super::{is_long, is_random};
use crate::record::bytes::floor_char_boundary;
use logwell_options::secret::MASK;
use std::ops::Range;

/// Where the secrets are; in a text that was cut, one may end with it.
pub(super) fn find<'a>(
    names: &'a Names,
    text: &'a str,
    is_cut: bool,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut found_to = 0;
    let signs = text.bytes().enumerate().filter(|(_, byte)| sites::is_sign(*byte));
    signs.filter_map(move |(at, _)| {
        if at < found_to {
            return None; // a part of what was found
        }
        let secret = match sites::at(names, text.as_bytes(), at, is_cut)? {
            Site::Named => named(text, at)?,
            Site::Url => urls::password(text, at + "://".len(), is_cut)?,
            Site::Bot(len) => at + 1..at + 1 + len,
            Site::Element => in_element(text, at)?,
            Site::Pair => in_pair(names, text, at)?,
            Site::Argument(name_end) => argument(text, at, name_end)?,
            Site::Option(secret) => secret,
            Site::Quoted => behind_name(text, at)?,
            Site::Part(part) => part,
        };
        let is_one = !secret.is_empty() && text.get(secret.clone()) != Some(MASK);
        if is_one {
            found_to = secret.end;
        }
        is_one.then_some(secret)
    })
}

/// The same in what is encoded as URLs are, also twice.
pub(super) fn find_encoded(names: &Names, text: &str, levels: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for decoded in encoded::find(text).take_while(|_| levels > 0) {
        let inner = find(names, &decoded.text, false);
        let deeper = find_encoded(names, &decoded.text, levels - 1);
        for secret in inner.chain(deeper) {
            all.extend(decoded.place(text, &secret));
        }
    }
    all
}

/// The value of a name, whose separator is there.
fn named(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let label = Label::before(before)?;
    let name = match name_of_value(before.as_bytes()) {
        Some(name) => Label {
            lead: label.lead,
            line: label.line,
            is_quoted: true,
            ..Label::new("", str::from_utf8(name).ok()?)
        },
        None => label,
    };
    let is_colon = text.as_bytes().get(at) == Some(&b':');
    let after = after_separator(after, is_colon)?;
    let mut value = after.trim_start_matches([' ', '\t']);
    let is_spaced = value.len() < after.len();
    let is_arm = before.ends_with(' ') && text.get(at..)?.starts_with("=> ");
    if is_arm && !name.is_quoted && wrapped(value).is_none() {
        return None; // of a `match`
    }
    if is_colon && is_in_path(&name, is_spaced) {
        return None;
    }
    if let Some(rest) = plain::after_type(value).filter(|_| is_colon) {
        let rest = rest.trim_start().strip_prefix('=')?;
        value = rest.trim_start();
    }
    if is_colon && value.starts_with("!vault |") {
        return None; // encrypted by Ansible
    }
    if is_colon
        && value.starts_with('!')
        && let Some((tag, rest)) = near(value).split_once(' ')
        && (tag.starts_with("!!") || rest.starts_with(['|', '>', '"', '\'']))
    {
        value = value.get(tag.len() + 1..)?; // a tag of YAML
    }
    if name.is_quoted {
        value = quote_on_next_line(value).unwrap_or(value);
    }
    let place = Place {
        is_colon,
        // `token: expected a number` is prose, and `let token = next()` is code.
        is_prose: is_colon && is_spaced && !name.is_quoted,
        is_loose: name.is_word
            && !name.is_quoted
            && !name.is_header
            && (is_colon || is_spaced && before.ends_with([' ', '\t'])),
        is_spaced,
    };
    let start = text.len() - value.len();
    let found = value_of(&name, value, &place)?;
    Some(start + found.start..start + found.end)
}

/// What follows the separator, whose first sign is known: `=`, `:`, `=>` or `:=`.
fn after_separator(after: &str, is_colon: bool) -> Option<&str> {
    match after.as_bytes().first() {
        // `a == b` compares, `a => b` and `a := b` do not; `a::b` is a path.
        Some(b'=') if is_colon => after.get(1..),
        Some(b'>') if !is_colon => after.get(1..),
        // `name:: …` of LDIF is in base64.
        Some(b':') if is_colon && is_base64_of_ldif(after) => after.get(1..),
        Some(b':' | b'=') => None,
        _ => Some(after),
    }
}

/// Whether a second colon, a blank and a value in base64 follow the first (RFC 2849).
fn is_base64_of_ldif(after: &str) -> bool {
    const LEAST: usize = 8;
    let Some(value) = after.strip_prefix(": ") else { return false };
    let word = value.split(char::is_whitespace).next().unwrap_or_default();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    word.len() >= LEAST && word.len().is_multiple_of(4) && word.bytes().all(is_base64)
}

/// Whether the name is a part of a path, or of the name of a resource of AWS.
fn is_in_path(name: &Label<'_>, is_spaced: bool) -> bool {
    let word = name.lead.rsplit([' ', '"', '\'', '=', ',']).next().unwrap_or_default();
    name.is_word && name.lead.ends_with('/') || !is_spaced && word.starts_with("arn:")
}

/// Where the secret is in that value.
fn value_of(name: &Label<'_>, value: &str, place: &Place) -> Option<Range<usize>> {
    if value.starts_with(MASK) || value.starts_with("-----BEGIN ") {
        return None; // what is in a block of PEM is found by its head
    }
    if let Some((quoted, is_wrapped)) = wrapped(value) {
        let is_alone = !is_wrapped || value.get(quoted.end..).is_some_and(closes);
        if is_alone || nested(value).is_none() {
            return in_quotes(name, value, place, &quoted).then_some(quoted.content);
        }
    }
    let block = if place.is_colon { block(name.line, value) } else { here_document(value) };
    if block.is_some() {
        return block;
    }
    if let Some(len) = in_query(name.lead, value) {
        let word = value.get(..len)?;
        let is_signature = name.text.eq_ignore_ascii_case("signature");
        let is_one = is_signature && !plain::is_algorithm(word) || is_of_kind(name, word, place);
        return (is_secret_word(name, word) && is_one).then_some(0..len);
    }
    if let Some(len) = in_form(name.line, value).filter(|_| !place.is_colon) {
        let word = value.get(..len)?;
        return (is_secret_word(name, word) && is_of_kind(name, word, place)).then_some(0..len);
    }
    if let Some(len) = in_connection_string(name.lead, value).filter(|_| !place.is_colon) {
        let word = value.get(..len)?;
        let is_one = !matches!(name.kind, Kind::Pass) || is_of_kind(name, word, place);
        return (is_one && is_secret_word(name, word)).then_some(0..len);
    }
    if let Some(nested) =
        nested(value).filter(|_| !matches!(name.kind, Kind::Signature | Kind::Pass))
    {
        let is_whole = near(nested.text).len() == nested.text.len();
        let is_struct = nested.is_typed && !near(nested.text).contains(['"', '\'']);
        let is_none = is_struct && is_whole && (name.is_word || nested.text.contains('{'))
            || name.is_word && !name.is_quoted && is_whole && is_plain(nested.text)
            || plain::is_placeholder(nested.text)
            || nested.text.contains("[REDACTED")
            || plain::is_object(first_word(value), name.is_word);
        return (!is_none).then_some(0..nested.text.len());
    }
    unquoted(name, value, place)
}

fn first_word(value: &str) -> &str {
    let value = near(value);
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, ',' | ')' | '}' | ']' | '"'));
    value.get(..end.unwrap_or(value.len())).unwrap_or(value)
}

/// Whether the quoted text is one.
fn in_quotes(name: &Label<'_>, value: &str, place: &Place, quoted: &Quoted) -> bool {
    let content = value.get(quoted.content.clone()).unwrap_or_default();
    let callee = value.get(..quoted.content.start).and_then(|head| head.split_once('('));
    // `env("DB_PASSWORD")`
    let is_lookup = callee.is_some_and(|(callee, _)| !callee.starts_with(char::is_uppercase))
        && plain::is_constant(content);
    // `unexpected token: "x"` is prose; `password: "x"` is not.
    let is_prose = place.is_prose && name.lead.ends_with(is_word) && !is_random(content)
        || place.is_prose && name.is_parsers();
    let is_reference = name.is_kubernetes() && is_reference(content);
    let is_none = is_prose
        || is_lookup
        || is_reference
        || name.is_word && plain::is_word(content)
        || plain::is_placeholder(content) && !is_long(content);
    !is_none && is_of_kind(name, content, place)
}

/// Whether it is the name of a secret of Kubernetes, `namespace/name`, and not the secret.
fn is_reference(content: &str) -> bool {
    let is_label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
    };
    content.split_once('/').is_some_and(|(space, name)| is_label(space) && is_label(name))
}

/// Whether a value is one for names that are secrets only sometimes.
fn is_of_kind(name: &Label<'_>, value: &str, place: &Place) -> bool {
    match name.kind {
        Kind::Directory => !plain::is_path(value) && !value.starts_with(['.', '~', '/', '\\']),
        Kind::Signature => {
            let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=_-%.~".contains(c);
            !place.is_colon
                && value.chars().all(is_base64)
                && is_random(value)
                && !plain::is_number(value)
                && !plain::is_identifier(value)
                && !plain::is_algorithm(value)
        }
        Kind::Pass => !plain::is_number(value) && !plain::is_word(value) && follows_user(name.lead),
        Kind::Cookie | Kind::Authorization | Kind::Other => true,
    }
}

/// Whether a user's name is shortly before: `user=bob&pass=…`.
fn follows_user(lead: &str) -> bool {
    const MOST_BYTES: usize = 96;
    const USERS: [&str; 4] = ["user", "login", "mail", "auth"];
    let start = floor_char_boundary(lead, lead.len().saturating_sub(MOST_BYTES));
    let near = lead.get(start..).unwrap_or_default().to_ascii_lowercase();
    USERS.iter().any(|user| near.contains(user))
}

/// What stands around a name and its value.
struct Place {
    is_colon: bool,
    /// A sentence may go on there.
    is_prose: bool,
    /// Something else than a secret may be called so there.
    is_loose: bool,
    /// There is a blank before the value.
    is_spaced: bool,
}

/// Where the secret is in a value without quotes.
fn unquoted(name: &Label<'_>, value: &str, place: &Place) -> Option<Range<usize>> {
    let is_authorization = matches!(name.kind, Kind::Authorization);
    let start = scheme_len(value, is_authorization);
    let value = value.get(start..)?;
    if value.starts_with(MASK) {
        return None;
    }
    let (word, rest) = value.split_at_checked(word_len(name.lead, value))?;
    let is_reference = name.is_kubernetes() && is_reference(word);
    if !is_secret_word(name, word) || !is_of_kind(name, word, place) || is_reference {
        return None;
    }
    let is_list = match name.kind {
        Kind::Cookie if is_attribute(value) => return None,
        Kind::Cookie => word.contains('='),
        // `role=admin` is no scheme.
        Kind::Authorization if place.is_colon => {
            start == 0 && rest.starts_with(' ') && !word.trim_end_matches('=').contains('=')
        }
        Kind::Authorization => {
            LISTS.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) && rest.starts_with(' ')
        }
        _ => false,
    };
    let mut words = value.split(' ').filter(|word| !word.is_empty()).take(2);
    if is_list && words.any(|word| word.contains('=') || is_random(word)) {
        return Some(start..start + line_len(value));
    }
    let goes_on = rest.trim_start_matches(' ').starts_with(is_word) && rest.starts_with(' ');
    let is_prose = place.is_prose && (goes_on || name.lead.ends_with(is_word));
    let is_code = (place.is_spaced || name.is_word) && plain::is_code(word, name.text)
        || place.is_spaced && plain::is_type(word);
    let is_random = is_random(word) && !(name.is_word && plain::is_identifier(word));
    let is_part = name.is_word && word.ends_with(':') || name.is_parsers();
    if is_code || is_part || (is_prose || place.is_loose) && start == 0 && !is_random {
        return None;
    }
    Some(start..start + word.len())
}

/// Schemes that several values follow.
const LISTS: [&str; 5] = ["Digest", "OAuth", "Hawk", "AWS4-HMAC-SHA256", "SharedAccessSignature"];

/// Whether it is what is said about a cookie, and none: `SameSite=Lax`.
fn is_attribute(value: &str) -> bool {
    let value = near(value);
    let line = value.get(..line_len(value)).unwrap_or(value);
    line.starts_with("SameSite=") && !line.contains(';')
}
