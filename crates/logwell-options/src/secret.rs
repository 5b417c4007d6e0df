//! Secret: a text that cannot be shown: a token, a password, a URL that may hold one.
//!
//! Knows how such a text is masked, and how it is taken out of other texts. Does not know what it
//! is for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::borrow::Cow;
use std::fmt;

/// A text that cannot be shown: `Debug` and `Display` print a mask.
///
/// ```
/// use logwell_options::secret::Secret;
///
/// let token = Secret::new("hunter2");
/// assert_eq!(format!("{token} {token:?}"), "(secret) (secret)");
/// assert_eq!(token.reveal(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

/// What is shown in place of a secret.
pub const MASK: &str = "(secret)";

impl Secret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for the one place that needs it, never for a message.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without this secret, in case somebody has repeated it, in whatever spelling.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        scrub(text, [self.reveal()])
    }

    /// The same for the value of a header: its words are secret too, such as `abc` in `Bearer abc`
    /// or `s=abc; Path=/`, and what `Basic` is before is known to who can read base64.
    #[must_use]
    pub fn scrub_header(&self, text: &str) -> String {
        let value = self.reveal();
        let credentials = value.split_once(' ').map_or(value, |(_, credentials)| credentials);
        let basic = BASE64.decode(credentials).ok().and_then(|basic| String::from_utf8(basic).ok());
        let basic = basic.unwrap_or_default();
        let whole = [value, credentials].into_iter().filter(|part| part.len() >= 4);
        let words = value.split([' ', ';', ',', '=']).filter(|word| word.len() >= 8);
        let pair = [basic.as_str()].into_iter().chain(basic.split(':'));
        scrub(text, whole.chain(words).chain(pair.filter(|part| part.len() >= 3)))
    }

    /// Takes another text.
    pub fn replace(&mut self, text: &str) {
        text.clone_into(&mut self.0);
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "" } else { MASK })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "(none)" } else { MASK })
    }
}

/// A URL of which only scheme and host are shown: what is before and after them may be a secret.
///
/// ```
/// use logwell_options::secret::SecretUrl;
///
/// let url = SecretUrl::new("https://user:hunter2@logs.example.com:8443/in?key=hunter2");
/// assert_eq!(url.to_string(), "https://logs.example.com:8443/…");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(Secret);

impl SecretUrl {
    /// Takes the URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url))
    }

    /// The URL itself: for the request, never for a message.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The text without any part of the URL that may be a secret.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let parts = Parts::of(self.reveal());
        let (path, query) = parts.path.split_once('?').unwrap_or((parts.path, ""));
        let value = |pair: &'_ str| pair.split_once('=').map_or(0, |(name, _)| name.len() + 1);
        // A server's error page names the path and what is wrong in it, in part and decoded.
        let segments = path.split(['/', '#']).filter(|part| part.len() >= 8);
        let values = query.split(['&', '#']).filter_map(|pair| pair.get(value(pair)..));
        let short = values.chain(parts.user.split(':')).filter(|part| part.len() >= 3);
        let whole = [self.reveal(), parts.path, parts.user].into_iter();
        scrub(text, whole.filter(|part| part.len() > 1).chain(segments).chain(short))
    }

    /// Whether it is `https`, or speaks to this machine only.
    pub fn is_private(&self) -> bool {
        let parts = Parts::of(self.reveal());
        let host = match parts.host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => parts.host.split(':').next().unwrap_or_default(),
        };
        let is_loopback = host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        parts.scheme.eq_ignore_ascii_case("https") || host == "localhost" || is_loopback
    }

    /// What is wrong with it, without saying it.
    pub fn fault(&self) -> Option<&'static str> {
        let parts = Parts::of(self.reveal());
        let is_http = ["http", "https"].iter().any(|s| parts.scheme.eq_ignore_ascii_case(s));
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || !c.is_ascii();
        if !is_http {
            Some("does not begin with https:// or http://")
        } else if parts.host.is_empty() || parts.host.starts_with(':') {
            Some("names no host")
        } else if self.reveal().contains(is_odd) {
            Some("has a space or another character that no URL has")
        } else {
            None
        }
    }
}

impl From<&Secret> for SecretUrl {
    fn from(secret: &Secret) -> Self {
        Self(secret.clone())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Parts::of(self.reveal());
        let is_shown = self.fault().is_none();
        match is_shown {
            true => write!(f, "{}://{}/…", parts.scheme, parts.host),
            false => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The parts of a URL; empty where there is none.
struct Parts<'a> {
    scheme: &'a str,
    /// What is before `@`.
    user: &'a str,
    /// With its port.
    host: &'a str,
    /// From the first `/`, `?` or `#` on.
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Self { scheme, user, host, path }
    }
}

/// The text with `%2F` and the like as the characters they stand for.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The text with `%2F` and the like in place of all but letters and digits.
fn percent(text: &str) -> String {
    let spell = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(spell).collect()
}

/// The inside of a JSON string.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

/// As what a text may be repeated.
fn spellings(text: &str) -> impl Iterator<Item = String> {
    let decoded = decoded(text);
    let base64 = [BASE64.encode(text), BASE64.encode(&*decoded)];
    let escaped = [json(text), json(&decoded), percent(text), percent(&decoded)];
    [text.to_owned(), decoded.into_owned()].into_iter().chain(base64).chain(escaped)
}

/// The text with a mask in place of each secret, however it is spelled.
fn scrub<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    if text.is_empty() {
        return String::new();
    }
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    let mut spelled: Vec<String> = secrets.flat_map(spellings).collect();
    // The longest first: what is left of it would be reported otherwise.
    spelled.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    spelled.dedup();
    spelled.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_scheme_and_host_are_shown() {
        for (url, shown) in [
            ("https://a.example/bot123:abc/sendMessage", "https://a.example/…"),
            ("http://u:p@127.0.0.1:80?x", "http://127.0.0.1:80/…"),
            ("https://[::1]:8443/", "https://[::1]:8443/…"),
            ("hunter2", "(secret)"),
            ("ftp://hunter2/", "(secret)"),
            ("", ""),
        ] {
            let url = SecretUrl::new(url);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn a_url_that_is_repeated_is_taken_out() {
        let url = SecretUrl::new("https://user:hunter22@h/bot123:abcdef/sendMessage?key=s3cr3ts3");
        for text in [
            "cannot POST /bot123:abcdef/sendMessage?key=s3cr3ts3",
            "not found: bot123:abcdef",
            "key s3cr3ts3 is wrong, user:hunter22",
        ] {
            let text = url.scrub(text);
            let has = ["abcdef", "s3cr3ts3", "hunter22"].iter().any(|part| text.contains(part));
            assert!(!has, "{text}");
        }
    }

    #[test]
    fn a_short_value_and_one_that_comes_back_decoded_are_taken_out_too() {
        let url = SecretUrl::new("https://u:pw1@h/in?key=hunter2&token=PLANTED%2FKEY99&x=a%zz");
        for (text, without) in [
            ("unknown key hunter2", "unknown key (secret)"),
            ("PLANTED/KEY99 or PLANTED%2FKEY99", "(secret) or (secret)"),
            ("no user u with pw1", "no user u with (secret)"),
            ("bad: a%zz", "bad: (secret)"),
        ] {
            assert_eq!(url.scrub(text), without);
        }
    }

    #[test]
    fn a_secret_is_taken_out_in_each_spelling_in_which_it_may_be_repeated() {
        let secret = Secret::new("a\"b/c+7");
        for text in ["a\"b/c+7", r#"a\"b/c+7"#, "a%22b%2Fc%2B7", "YSJiL2MrNw==", "a%22b/c+7"] {
            let is_known = text != "a%22b/c+7";
            assert_eq!(secret.scrub(text) == MASK, is_known, "{text}");
        }
    }

    #[test]
    fn of_a_header_the_words_are_taken_out_and_what_basic_stands_for() {
        for (value, text) in [
            ("Bearer abcd", "unknown token abcd"),
            ("Basic dXNlcjpwdzE=", "user has not the password pw1"),
            ("session=12345678; Path=/", "no session 12345678"),
        ] {
            let scrubbed = Secret::new(value).scrub_header(text);
            assert!(scrubbed.ends_with(MASK), "{scrubbed}");
        }
    }

    #[test]
    fn plain_http_is_private_on_this_machine_only() {
        for url in
            ["https://a.example", "http://localhost:1", "http://127.0.0.1/", "http://[::1]:1"]
        {
            assert!(SecretUrl::new(url).is_private(), "{url}");
        }
        for url in
            ["http://a.example", "http://10.0.0.1", "http://localhost.example", "http://[fe80::1]"]
        {
            assert!(!SecretUrl::new(url).is_private(), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_told_without_showing_it() {
        for url in ["", "x", "ftp://x", "https://", "https:///x", "https://:80", "https://a b/"] {
            assert!(SecretUrl::new(url).fault().is_some(), "{url}");
        }
        assert_eq!(SecretUrl::new("https://a.example:1/x?y").fault(), None);
    }
}
