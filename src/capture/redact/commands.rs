//! Commands: passwords in short options, which mean something else to each command: `-p` is a
//! password to `mysql` and a port to `ssh`.
//!
//! Knows a few commands by name; knows no names of fields. Takes a text and the place before an
//! option, gives the part that is the password.

use super::plain;
use super::quotes::QUOTES;
use std::ops::Range;

/// A command is not further before its option, nor is a password longer.
const MOST_BYTES: usize = 256;

/// Commands, and the option that gives them a password.
struct Command {
    /// How their names begin.
    names: &'static [&'static str],
    /// A word that is between the name and the option.
    verb: Option<&'static str>,
    options: &'static [&'static str],
    /// What is between the user's name and the password, if both are in the value.
    separator: Option<char>,
}

const COMMANDS: &[Command] = &[
    Command {
        names: &["mysql", "mariadb", "sshpass", "mongo", "cqlsh", "rabbitmqadmin", "7z"],
        options: &["-p"],
        ..USUAL
    },
    Command {
        names: &["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oc", "az"],
        verb: Some("login"),
        options: &["-p"],
        ..USUAL
    },
    Command { names: &["redis-cli", "valkey-cli"], options: &["-a"], ..USUAL },
    Command { names: &["ldap"], options: &["-w"], ..USUAL },
    Command {
        names: &["sqlcmd", "bcp", "isql", "tsql", "ipmitool", "zip", "unzip"],
        options: &["-P"],
        ..USUAL
    },
    Command {
        names: &["curl"],
        options: &["--user", "--proxy-user", "-u", "-U"],
        separator: Some(':'),
        ..USUAL
    },
    Command { names: &["smbclient", "rpcclient"], options: &["-U"], separator: Some('%'), ..USUAL },
];

const USUAL: Command = Command { names: &[], verb: None, options: &[], separator: None };

/// The password in the option that begins behind the blank there, perhaps with a quote.
pub(super) fn password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let option = text.get(at + 1..)?;
    let option = option.strip_prefix(b"\"").or_else(|| option.strip_prefix(b"'")).unwrap_or(option);
    let is_one = |command: &&Command| command.option(option).is_some();
    // Mostly none has that option: the command is looked for only if one has.
    let mut candidates = COMMANDS.iter().filter(is_one).peekable();
    candidates.peek()?;
    let line = near(text.get(at.saturating_sub(MOST_BYTES)..at)?);
    let line = line.rsplit(['\n', ';', '|', '&']).next()?;
    let command = candidates.find(|command| command.is_in(line))?;
    let behind = option.get(command.option(option)?.len()..)?;
    let start = text.len() - behind.len();
    let behind = near(behind.get(..MOST_BYTES).unwrap_or(behind));
    let value = value(behind)?;
    let user = match command.separator {
        Some(separator) => behind.get(value.clone())?.find(separator)? + 1,
        None => 0,
    };
    let secret = behind.get(value.start + user..value.end)?;
    let is_none = secret.is_empty() || plain::is_placeholder(secret);
    (!is_none).then_some(start + value.start + user..start + value.end)
}

/// The part of it that is a text: a character may be cut at either end.
fn near(bytes: &[u8]) -> &str {
    let start = bytes.iter().position(|byte| !matches!(byte, 0x80..=0xbf)).unwrap_or(0);
    let bytes = bytes.get(start..).unwrap_or_default();
    str::from_utf8(bytes).unwrap_or_else(|error| {
        bytes.get(..error.valid_up_to()).and_then(|text| str::from_utf8(text).ok()).unwrap_or("")
    })
}

impl Command {
    /// Its option with which that begins.
    fn option(&self, text: &[u8]) -> Option<&'static str> {
        let mut options = self.options.iter();
        options
            .find(|option| {
                let rest = text.strip_prefix(option.as_bytes());
                let ends = |rest: &[u8]| rest.first().is_some_and(|b| b" =\"'".contains(b));
                // A long option needs a sign before its value.
                rest.is_some_and(|rest| !rest.is_empty() && (option.len() == 2 || ends(rest)))
            })
            .copied()
    }

    fn is_in(&self, line: &str) -> bool {
        let mut words = line.split(|c: char| c.is_whitespace() || QUOTES.contains(&c) || c == ',');
        let is_named = |word: &str| {
            let name = word.rsplit(['/', '(', '[', '=']).next().unwrap_or(word);
            self.names.iter().any(|known| name.starts_with(known))
        };
        words.any(is_named) && self.verb.is_none_or(|verb| words.any(|word| word == verb))
    }
}

/// The value that is there, or in the next word or element of a list.
fn value(rest: &str) -> Option<Range<usize>> {
    let gap = |c: char| c == ' ' || c == '=' || c == ',';
    // `"-p", "…"`: the quote that ends the option is no part of the value.
    let is_next = rest.starts_with(['"', '\'']) && rest.get(1..)?.starts_with([' ', ',']);
    let value = rest.get(usize::from(is_next)..)?.trim_start_matches(gap);
    let start = rest.len() - value.len();
    if let Some(quote) = value.chars().next().filter(|c| QUOTES.contains(c)) {
        let content = value.get(1..)?;
        let is_option = content.starts_with('-');
        let len = content.find(quote).unwrap_or(content.len());
        return (!is_option).then_some(start + 1..start + 1 + len);
    }
    let ends = |c: char| c.is_whitespace() || QUOTES.contains(&c) || matches!(c, ';' | '|' | ')');
    let len = value.find(ends).unwrap_or(value.len());
    let is_option = value.starts_with(['-', '<', '[', '>', '(']);
    (!is_option).then_some(start..start + len)
}
