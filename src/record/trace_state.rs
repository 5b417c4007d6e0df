//! TraceState: the `tracestate` header of W3C Trace Context, as a value.
//!
//! Knows the header's text, level 2 of the specification. Does not know `traceparent`, HTTP, nor
//! what any system means by its entry.

use std::fmt;
use std::sync::Arc;

/// What tracing systems hand on to one another beside the ids: a list of entries `key=value`, each
/// system's own, the latest first.
///
/// logwell passes the list on unread. At most 512 characters are sent, as the specification asks;
/// of a longer list, whole entries are left out: those over 128 characters first, then from the
/// end.
///
/// ```
/// use logwell::trace_context::TraceState;
///
/// let state = TraceState::parse(["congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7"])?;
/// assert_eq!(state.get("rojo"), Some("00f067aa0ba902b7"));
///
/// // A system that changes its entry moves it to the front.
/// let state = state.with("rojo", "7")?;
/// assert_eq!(state.to_string(), "rojo=7,congo=t61rcWkgMzE");
/// # Ok::<(), logwell::trace_context::TraceStateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[doc(alias = "tracestate")]
pub struct TraceState {
    /// `key=value,key=value`, without empty entries and without keys that come again.
    text: Option<Arc<str>>,
}

/// Why a text is not a `tracestate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceStateError {
    /// There are more than 32 entries.
    Count,
    /// A key is not 1 to 256 of the characters `a-z 0-9 _ - * / @`, beginning with a letter or a
    /// digit, or there is no `=` behind it.
    Key,
    /// A value is empty, longer than 256 characters, ends in a space, or has a character other than
    /// printable ASCII without `,` and `=`.
    Value,
}

impl TraceState {
    /// Reads the values of all `tracestate` headers of a request, in their order.
    ///
    /// Empty entries, and spaces and tabs around an entry, do not matter. Of several entries with
    /// one key the first counts, which is the latest.
    ///
    /// # Errors
    ///
    /// An entry is malformed or there are more than 32: the whole list is to be ignored then, but
    /// not the `traceparent` beside it.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, TraceStateError> {
        let mut entries: Vec<(&str, &str)> = Vec::new();
        let mut count = 0;
        let all = headers.into_iter().flat_map(|header| header.split(','));
        for entry in all.map(|entry| entry.trim_matches([' ', '\t'])) {
            if entry.is_empty() {
                continue;
            }
            let (key, value) = entry.split_once('=').ok_or(TraceStateError::Key)?;
            check(key, value)?;
            count += 1;
            if count > MAX_ENTRIES {
                return Err(TraceStateError::Count);
            }
            if !entries.iter().any(|(known, _)| *known == key) {
                entries.push((key, value));
            }
        }
        Ok(Self::of(&entries))
    }

    /// Whether there is no entry. Then the header is not to be sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_none()
    }

    /// The entries, the latest first.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.text.iter().flat_map(|text| text.split(','));
        entries.filter_map(|entry| entry.split_once('='))
    }

    /// The value under that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The same list with that entry at its front. Of more than 32 entries the last is left out.
    ///
    /// A program that changes the list must send its own span id: [`TraceContext::child`].
    ///
    /// # Errors
    ///
    /// Key or value have not the form of [`TraceStateError`].
    ///
    /// [`TraceContext::child`]: crate::record::trace_context::TraceContext::child
    pub fn with(&self, key: &str, value: &str) -> Result<Self, TraceStateError> {
        check(key, value)?;
        let others = self.entries().filter(|(known, _)| *known != key);
        let entries: Vec<_> = [(key, value)].into_iter().chain(others).take(MAX_ENTRIES).collect();
        Ok(Self::of(&entries))
    }

    fn of(entries: &[(&str, &str)]) -> Self {
        let mut kept: Vec<_> =
            entries.iter().map(|(key, value)| format!("{key}={value}")).collect();
        while length(&kept) > MAX_BYTES {
            let long = kept.iter().rposition(|entry| entry.len() > LONG_ENTRY_BYTES);
            kept.remove(long.unwrap_or(kept.len() - 1));
        }
        Self { text: (!kept.is_empty()).then(|| kept.join(",").into()) }
    }
}

impl fmt::Display for TraceState {
    /// The value of the header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for TraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "tracestate has more than 32 entries",
            Self::Key => "a key in tracestate is not 1 to 256 of a-z 0-9 _ - * / @ before a `=`",
            Self::Value => "a value in tracestate is not 1 to 256 printable characters",
        })
    }
}

impl std::error::Error for TraceStateError {}

const MAX_ENTRIES: usize = 32;
/// The specification wants at least so much to be passed on.
const MAX_BYTES: usize = 512;
/// Longer entries are left out first.
const LONG_ENTRY_BYTES: usize = 128;
const MAX_PART_BYTES: usize = 256;

/// How long the list is, with its commas.
fn length(entries: &[String]) -> usize {
    let commas = entries.len().saturating_sub(1);
    entries.iter().map(String::len).sum::<usize>() + commas
}

fn check(key: &str, value: &str) -> Result<(), TraceStateError> {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_key = |byte: u8| is_first(byte) || b"_-*/@".contains(&byte);
    let is_value = |byte: u8| matches!(byte, b' '..=b'~') && !b",=".contains(&byte);
    let fits = |part: &str| (1..=MAX_PART_BYTES).contains(&part.len());
    if !(fits(key) && key.bytes().all(is_key) && key.bytes().next().is_some_and(is_first)) {
        return Err(TraceStateError::Key);
    }
    match fits(value) && value.bytes().all(is_value) && !value.ends_with(' ') {
        true => Ok(()),
        false => Err(TraceStateError::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::TraceStateError as E;
    use super::*;
    use proptest::prelude::*;

    fn check_list(headers: &[&str], expected: Result<&str, E>) {
        let printed = TraceState::parse(headers.iter().copied()).map(|state| state.to_string());
        assert_eq!(printed.as_deref().map_err(|&e| e), expected, "headers {headers:?}");
    }

    #[test]
    fn lists_are_joined_in_their_order_without_what_is_empty() {
        check_list(&[], Ok(""));
        check_list(&[""], Ok(""));
        check_list(&[" ", "\t", ",", " , "], Ok(""));
        check_list(&["foo=1", ""], Ok("foo=1"));
        check_list(&["", "foo=1"], Ok("foo=1"));
        check_list(&["foo=1,bar=2"], Ok("foo=1,bar=2"));
        check_list(&["foo=1,,bar=2,"], Ok("foo=1,bar=2"));
        let headers = ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"];
        check_list(&headers, Ok("foo=1,bar=2,rojo=1,congo=2,baz=3"));
    }

    #[test]
    fn white_space_around_an_entry_does_not_matter_and_leading_space_of_a_value_stays() {
        check_list(&["foo=1 \t , \t bar=2, \t baz=3"], Ok("foo=1,bar=2,baz=3"));
        check_list(&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], Ok("foo=1,bar=2,baz=3"));
        for header in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
            check_list(&[header], Ok("foo=1"));
        }
        check_list(&["foo= 1"], Ok("foo= 1"));
    }

    #[test]
    fn of_a_key_that_comes_again_the_first_counts() {
        check_list(&["foo=1,foo=1"], Ok("foo=1"));
        check_list(&["foo=1,foo=2"], Ok("foo=1"));
        check_list(&["foo=1", "bar=3,foo=2"], Ok("foo=1,bar=3"));
    }

    #[test]
    fn every_character_that_is_allowed_is_kept() {
        let key: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
        let value: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
        for key in [format!("{key}@a-z0-9_-*/"), key] {
            let header = format!("{key}={value}");
            let state = TraceState::parse([header.as_str()]).unwrap();
            assert_eq!(state.get(&key), Some(value.as_str()));
            assert_eq!(state.to_string(), header);
        }
        for header in ["foo@=1,bar=2", "foo@@bar=1,bar=2", "foo@bar@baz=1,bar=2", "0a=1", "9=1"] {
            check_list(&[header], Ok(header));
        }
    }

    #[test]
    fn one_malformed_entry_spoils_the_list() {
        let keys = ["foo =1", "FOO=1", "foo.bar=1", "@foo=1,bar=2", "_a=1", "-a=1", "=1", "foo"];
        for header in keys {
            check_list(&[header], Err(E::Key));
            check_list(&["good=1", header], Err(E::Key));
        }
        for header in ["foo=bar=baz", "foo=,bar=3", "foo=\u{7f}", "foo=a\tb", "foo=é", "foo= "] {
            check_list(&[header], Err(E::Value));
        }
        check_list(&["foo=1;bar=2"], Err(E::Value));
    }

    #[test]
    fn keys_and_values_may_have_256_characters_and_no_more() {
        let (longest, longer) = ("z".repeat(256), "z".repeat(257));
        let state = |header: String| TraceState::parse(["foo=1", &header]);
        assert_eq!(state(format!("{longest}=1")).unwrap().get(&longest), Some("1"));
        assert_eq!(state(format!("{longer}=1")), Err(E::Key));
        assert_eq!(state(format!("a={longest}")).unwrap().get("a"), Some(longest.as_str()));
        assert_eq!(state(format!("a={longer}")), Err(E::Value));
        for key in [
            format!("{}@{}", "t".repeat(241), "v".repeat(14)),
            format!("{}@v", "t".repeat(242)),
            format!("t@{}", "v".repeat(15)),
        ] {
            assert_eq!(state(format!("{key}=1")).unwrap().get(&key), Some("1"));
        }
    }

    #[test]
    fn thirty_two_entries_are_a_list_and_one_more_is_none() {
        let entries: Vec<_> = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect();
        let parsed = |entries: &[String]| TraceState::parse(entries.iter().map(String::as_str));
        let full = parsed(&entries[..32]).unwrap();
        assert_eq!((full.entries().count(), full.get("bar01")), (32, Some("01")));
        assert_eq!(parsed(&entries), Err(E::Count));
        let more = full.with("own", "1").unwrap();
        assert_eq!((more.entries().count(), more.get("bar32")), (32, None));
        assert_eq!(more.entries().next(), Some(("own", "1")));
    }

    #[test]
    fn of_a_list_that_is_too_long_long_entries_go_first_and_then_the_last() {
        let long = format!("long={}", "x".repeat(130));
        let middle: Vec<_> = (0..5).map(|n| format!("m{n}={}", "y".repeat(97))).collect();
        let headers = [middle[0].clone(), long, middle[1..].join(",")];
        let state = TraceState::parse(headers.iter().map(String::as_str)).unwrap();
        let keys: Vec<_> = state.entries().map(|(key, _)| key).collect();
        assert_eq!(keys, ["m0", "m1", "m2", "m3", "m4"]);

        let state = state.with("own", &"z".repeat(100)).unwrap();
        let keys: Vec<_> = state.entries().map(|(key, _)| key).collect();
        assert_eq!(keys, ["own", "m0", "m1", "m2", "m3"]);
    }

    #[test]
    fn a_changed_entry_moves_to_the_front() {
        let state = TraceState::parse(["bar=0"]).unwrap();
        let state = state.with("foo", "1").unwrap().with("bar", "2").unwrap();
        assert_eq!(state.with("baz", "3").unwrap().to_string(), "baz=3,bar=2,foo=1");
        assert_eq!(state.with("", "abc"), Err(E::Key));
        assert_eq!(state.with("FOO", "abc"), Err(E::Key));
        assert_eq!(state.with("foo", ""), Err(E::Value));
        assert!(TraceState::default().is_empty() && !state.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_and_fits(
            text in "[a-c]{1,2}=[x ]{0,90}y(, ?[a-z]{1,3}=[x-z]{1,140}){0,40}",
        ) {
            if let Ok(state) = TraceState::parse([text.as_str()]) {
                let printed = state.to_string();
                prop_assert!(printed.len() <= MAX_BYTES);
                prop_assert_eq!(TraceState::parse([printed.as_str()]), Ok(state));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>(), more in any::<String>()) {
            let _ = TraceState::parse([text.as_str(), more.as_str()]);
        }
    }
}
