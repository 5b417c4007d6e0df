//! Keys: private keys in a text, between the lines that RFC 7468 puts around them.

use memchr::memmem::Finder;
use std::ops::Range;

/// Finds them.
#[derive(Debug)]
pub(super) struct Keys {
    head: Finder<'static>,
}

const HEAD: &str = "PRIVATE KEY";
/// What may follow it: the second is that of OpenPGP (RFC 9580).
const TAILS: [&str; 2] = ["-----", " BLOCK-----"];
/// With less there is no key.
const LEAST_BYTES: usize = 64;

/// Whether the line that begins a key may end with the dashes that are there.
pub(super) fn may_end_head(text: &[u8], at: usize) -> bool {
    let (before, dashes) = text.split_at_checked(at).unwrap_or_default();
    let before = before.strip_suffix(b" BLOCK").unwrap_or(before);
    text.len() >= LEAST_BYTES && dashes.starts_with(b"-----") && before.ends_with(HEAD.as_bytes())
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { head: Finder::new(HEAD) }
    }

    /// Where they are; one whose end is missing goes to the end of the text.
    pub(super) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut end = 0;
        self.head.find_iter(text.as_bytes()).filter_map(move |head| {
            let rest = text.get(head + HEAD.len()..)?;
            let tail = TAILS.iter().find(|tail| rest.starts_with(**tail))?;
            let line = text.get(end..head)?;
            let begins = line.get(line.rfind("-----")?..)?.starts_with("-----BEGIN ");
            let start = head + HEAD.len() + tail.len();
            let rest = text.get(start..)?;
            end = start;
            if !begins {
                return None;
            }
            end += rest.find("-----END").unwrap_or(rest.len());
            Some(start..end)
        })
    }
}
