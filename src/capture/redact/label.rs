//! Label: the name before a value in a text, and what its place says of the value.
//!
//! Pure. Does not know callsites or what is done with a secret.

use super::plain;
use super::quotes::without_entity;
use super::sites::{is_between, name_before};
use super::values::is_word;
use crate::record::bytes::floor_char_boundary;

/// More of what is before a name is not looked at.
const MAX_LEAD_BYTES: usize = 1_024;

/// A name in a text, and what is around it.
pub(super) struct Label<'a> {
    /// Its last words, as they are spelled.
    pub(super) text: &'a str,
    /// What is before it; `None` if it begins a line of a quoted text.
    pub(super) lead: &'a str,
    /// The same with blanks at its end.
    pub(super) line: &'a str,
    /// It is its own key, not a word in a sentence.
    pub(super) is_quoted: bool,
    /// Programs have such things that are no secrets.
    pub(super) is_word: bool,
    /// It begins a line and is spelled as the names of headers are.
    pub(super) is_header: bool,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Several cookies may follow, to the line's end.
    Cookie,
    /// A scheme may follow, and several values, to the line's end.
    Authorization,
    /// Of a URL, or of something else.
    Signature,
    /// A password, or a directory.
    Directory,
    /// A password, if a user is named before it.
    Pass,
    Other,
}

impl<'a> Label<'a> {
    pub(super) fn before(before: &'a str) -> Option<Self> {
        let text = without_entity(before);
        let is_entity = text.len() < before.len();
        let before = text;
        let end = before.trim_end_matches(|c: char| u8::try_from(c).is_ok_and(is_between));
        let (end, between) = before.split_at_checked(end.len())?;
        let start = end.len().checked_sub(name_before(end.as_bytes()).len())?;
        let (lead, name) = end.split_at_checked(floor_char_boundary(end, start))?;
        let is_escaped = ["\\n", "\\r", "\\t"].iter().any(|escape| lead.ends_with(escape));
        if between.contains(']') {
            // `[token]: a` is prose, `user[token]=a` is none.
            let list = lead.trim_end_matches(['\\', '"', '\'']).strip_suffix('[')?;
            if !list.ends_with(|c| is_word(c) || c == ']') {
                return None;
            }
        }
        let name = Self::new(lead, name);
        Some(Self {
            lead: if is_escaped { "" } else { name.lead },
            is_quoted: is_entity || between.contains(['"', '\'', '`', ']']),
            ..name
        })
    }

    pub(super) fn new(lead: &'a str, text: &'a str) -> Self {
        let far = lead.len().saturating_sub(MAX_LEAD_BYTES);
        let lead = lead.get(floor_char_boundary(lead, far)..).unwrap_or(lead);
        let name = text.trim_end_matches(|c: char| !c.is_alphabetic());
        let lower = name.to_ascii_lowercase();
        let ends = |all: &[&str]| all.iter().any(|word| lower.ends_with(word));
        let kind = match () {
            () if ends(&["cookie", "cookies"]) => Kind::Cookie,
            () if ends(&["authorization"]) => Kind::Authorization,
            () if ends(&["amz-signature", "goog-signature", "access_signature"]) => Kind::Other,
            () if ends(&["sharedaccesssignature"]) => Kind::Other,
            () if ends(&["sig", "signature"]) => Kind::Signature,
            () if ends(&["pwd"]) => Kind::Directory,
            () if lower.rsplit('.').next() == Some("pass") => Kind::Pass,
            () => Kind::Other,
        };
        // `id_token` is one of OpenID Connect, `valid_token` may be any.
        let rest = lower.strip_suffix("token").map(|rest| rest.trim_end_matches(['_', '-', '.']));
        let is_id_token = rest.is_some_and(|rest| rest == "id" || rest.ends_with("_id"));
        let last = name.rsplit(['.', '-']).next().unwrap_or(name);
        let lead_end = lead.trim_end_matches([' ', '-']);
        let begins_line = lead.is_empty() || lead.ends_with(['\n', '"', '\'', '\\']);
        Self {
            text: last,
            lead: lead_end,
            line: lead,
            is_quoted: false,
            is_word: ends(&WORDS) && !is_id_token,
            is_header: begins_line && name.contains('-'),
            kind,
        }
    }

    /// Whether people think of it: any word may be one.
    pub(super) fn is_password(&self) -> bool {
        let name = self.text.to_ascii_lowercase();
        name.contains("pass") || name.contains("pwd")
    }

    /// Whether a parser speaks of what it has read.
    pub(super) fn is_parsers(&self) -> bool {
        const EXPECTED: &[u8] = b"expected";
        let lead = self.lead.as_bytes();
        let last = lead.get(lead.len().saturating_sub(EXPECTED.len())..);
        self.is_word && last.is_some_and(|last| last.eq_ignore_ascii_case(EXPECTED))
    }

    pub(super) fn is_kubernetes(&self) -> bool {
        let name = self.text.to_ascii_lowercase();
        name.ends_with("secret") || name.ends_with("secrets")
    }
}

/// Endings of names that are also in prose and code too, for other things.
const WORDS: [&str; 9] =
    ["token", "jwt", "cookie", "cookies", "secret", "secrets", "credential", "credentials", "psk"];

/// Whether a number may be the secret of that name: those of a token are counts and places.
pub(super) fn takes_numbers(name: &str) -> bool {
    !Label::new("", name).is_word
}

/// Whether a word without quotes is a secret, where nothing but a value may stand.
pub(super) fn is_secret_word(name: &Label<'_>, word: &str) -> bool {
    // `password = :password` of SQL
    let is_bound = word.strip_prefix([':', '@']).is_some_and(|parameter| {
        parameter.to_ascii_lowercase().ends_with(&name.text.to_ascii_lowercase())
    });
    let is_none = plain::is_word(word)
        || is_bound
        || plain::is_placeholder(word)
        || plain::is_object(word, name.is_word)
        || plain::is_variant(word)
        || plain::is_variable(word)
        || name.is_word && plain::is_number(word)
        || !name.is_password() && plain::is_path(word);
    !is_none
}
