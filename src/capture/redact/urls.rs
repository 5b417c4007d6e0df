//! URLs: the password in one, and the number of a Telegram bot, which is in one mostly.
//!
//! Pure. Does not know names of fields.

use super::is_random;
use super::values::is_word;
use crate::record::bytes::floor_char_boundary;
use memchr::{memchr, memmem};
use std::ops::Range;

/// What is before the path of a URL is not longer.
pub(super) const MAX_AUTHORITY_BYTES: usize = 2_048;
/// Nor is a password with signs that a URL does not have.
const MAX_NEAR_BYTES: usize = 512;

/// The password in `scheme://who:password@host`, or the whole of a `who` that is one itself:
/// `start` is behind the `//`.
pub(super) fn password(text: &str, start: usize, is_cut: bool) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let near = rest.get(..floor_char_boundary(rest, MAX_AUTHORITY_BYTES))?;
    let ends_text = is_cut && near.len() == rest.len();
    if !ends_text && memchr(b'@', near.as_bytes()).is_none() {
        return None;
    }
    let url = Url::at(text, start)?;
    let secret = match url.host_at() {
        Some(at) => {
            let who = url.text.get(..at)?;
            match who.find(':') {
                Some(colon) => colon + 1..at,
                None if who.len() >= 16 && is_token(who) => 0..at,
                None => return None,
            }
        }
        // Its end is missing.
        None => {
            let colon = url.text.find(':').filter(|_| ends_text)?;
            let rest = url.text.get(colon + 1..)?;
            let is_end = start + url.text.len() == text.len();
            let is_name = url.text.get(..colon)?.chars().all(|c| is_word(c) || ".-%+".contains(c));
            if !is_end || !is_name || is_port(rest) || rest.contains('/') {
                return None;
            }
            colon + 1..url.text.len()
        }
    };
    Some(start + secret.start..start + secret.end)
}

/// Schemes of databases and brokers, without the `s`, `+srv` and the like at their ends.
const DATABASES: [&str; 11] = [
    "postgre",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "redi",
    "amqp",
    "mssql",
    "sqlserver",
    "oracle",
    "nat",
];

/// A URL in a text, without its scheme.
struct Url<'a> {
    text: &'a str,
    /// Its path is a name: there is no `@` in it.
    is_database: bool,
    /// Properties may follow its host, as SQL Server has them; elsewhere a `;` is the password's.
    has_properties: bool,
}

impl<'a> Url<'a> {
    fn at(text: &'a str, start: usize) -> Option<Self> {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\');
        let scheme = text.get(..start)?.strip_suffix("://")?;
        let scheme = scheme.trim_end_matches(['s', 'v', 'r', '+']);
        let is_database = DATABASES.iter().any(|known| scheme.ends_with(known));
        let has_properties = ["mssql", "sqlserve"].iter().any(|known| scheme.ends_with(known));
        let rest = text.get(start..)?;
        let rest = rest.get(..floor_char_boundary(rest, MAX_AUTHORITY_BYTES))?;
        let rest = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
        // Several may be in a row.
        let len = memmem::find(rest.as_bytes(), b"://").map_or(rest.len(), |at| {
            let scheme = rest.get(..at).unwrap_or_default();
            scheme.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c)).len()
        });
        Some(Self { text: rest.get(..len)?, is_database, has_properties })
    }

    /// Where the `@` stands that a host follows: the last one of what is before the path, if there
    /// is no better one behind it, since a password may have a `/`, `?` or `#`.
    fn host_at(&self) -> Option<usize> {
        let path = self.text.find(['/', '?', '#']).unwrap_or(self.text.len());
        let near = floor_char_boundary(self.text, path.max(MAX_NEAR_BYTES));
        let hosts = self.text.get(..near)?.match_indices('@').filter_map(|(at, _)| {
            let host = Host::of(self.text.get(at + 1..)?)?;
            Some((at, host))
        });
        let (mut best, mut is_sure) = (None, false);
        for (at, host) in hosts {
            let is_before = at < path;
            let start = best.map_or(0, |best| best + 1);
            // Behind the host there is a path, and `@` is a letter there.
            let goes_on = match best {
                _ if self.has_properties && has_properties(self.text.get(start..at)?) => false,
                None => is_before || self.is_password_until(at),
                Some(_) if is_before => true,
                Some(_) if self.is_database => !self.text.get(path..at)?.contains('='),
                Some(_) => !is_sure && host.is_sure,
            };
            if goes_on {
                (best, is_sure) = (Some(at), host.is_sure);
            }
        }
        best
    }

    /// Whether what is before that `@` and behind the first `:` is no port.
    fn is_password_until(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        let Some((who, password)) = before.split_once(':') else { return false };
        let authority = password
            .find(['/', '?', '#'])
            .map_or(password, |end| password.get(..end).unwrap_or_default());
        let hosts = before.get(..who.len() + 1 + authority.len()).unwrap_or(before);
        !who.contains(['/', '?', '#']) && !is_port(authority) && !are_hosts(hosts)
    }
}

/// What may be a host.
struct Host {
    /// It has a dot or a port, or is known: a word might be part of a password.
    is_sure: bool,
}

impl Host {
    fn of(text: &str) -> Option<Self> {
        let is_sure = true;
        if let Some(v6) = text.strip_prefix('[') {
            let (address, _) = v6.split_once(']')?;
            let is_address = address.chars().all(|c| c.is_ascii_hexdigit() || ":.%".contains(c));
            return is_address.then_some(Self { is_sure });
        }
        let is_of =
            |c: char| is_word(c) || matches!(c, '-' | '.' | ',' | '{' | '}' | '$' | '%' | '*');
        let end = text.find(|c: char| !is_of(c)).unwrap_or(text.len());
        let (name, mut rest) = text.split_at_checked(end)?;
        if name.starts_with(['-', '.', ',']) {
            return None;
        }
        if name.is_empty() {
            // Of a socket: `user:password@/database`.
            return rest.starts_with('/').then_some(Self { is_sure: false });
        }
        let mut has_port = false;
        while let Some(port) = rest.strip_prefix(':') {
            let behind = port.trim_start_matches(|c: char| c.is_ascii_digit());
            if behind.len() == port.len() {
                // The colon is the sentence's.
                return port.is_empty().then_some(Self { is_sure: name.contains('.') });
            }
            has_port = true;
            // More hosts follow, of a cluster.
            rest = behind.trim_start_matches(is_of);
        }
        let is_end = rest.is_empty() || rest.starts_with(['/', '?', '#', ')', ']', ';', '|', '!']);
        let is_known = has_port || name.contains('.') || name.eq_ignore_ascii_case("localhost");
        is_end.then_some(Self { is_sure: is_known })
    }
}

/// Whether that is the number of a port, or the end of an IPv6 address.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) || text.contains(']')
}

/// Whether those are hosts with their ports, as clusters have them: `h1:27017,h2:27017`.
fn are_hosts(text: &str) -> bool {
    let is_of = |c: char| is_word(c) || "-.[]:".contains(c);
    text.split(',').all(|host| {
        host.rsplit_once(':').is_some_and(|(name, port)| {
            !name.is_empty()
                && name.chars().all(is_of)
                && !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// Whether it is a host with its port and properties, as SQL Server has them: `db:1433;user=sa`.
fn has_properties(text: &str) -> bool {
    let Some((hosts, properties)) = text.split_once(';') else { return false };
    let name = properties.split_once('=').map_or("", |(name, _)| name.trim());
    are_hosts(hosts) && !name.is_empty() && name.chars().all(is_word)
}

/// Whether somebody's generator made that name of a user.
fn is_token(who: &str) -> bool {
    let is_run = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    who.bytes().all(is_run) && who.bytes().any(|byte| byte.is_ascii_digit()) && is_random(who)
}

/// How long the rest of a bot's token is that follows its number: all of them begin with `AA`.
#[inline]
pub(super) fn bot_len(text: &[u8], at: usize) -> Option<usize> {
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
