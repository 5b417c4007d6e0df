//! Tokens: secrets that are known by how they look, wherever they stand.
//!
//! All of them have a long run of letters, digits, `_` and `-`: what it begins with, or follows,
//! tells the rest. Knows no names.

use super::is_random;
use super::names::is_letter;
use std::ops::Range;

/// No run of a secret is shorter.
const LEAST_BYTES: usize = 16;

/// A kind of secret.
struct Kind {
    /// How it begins.
    prefix: &'static str,
    /// The least number of characters that follow.
    least: usize,
    shape: Shape,
}

enum Shape {
    Run,
    /// Letters and digits alone.
    Letters,
    /// Words with `-` between them, one of which is long: no `sk-ecdsa-sha2-nistp256`.
    Long,
    /// It continues with dots and further runs.
    Dotted,
    /// Capitals and digits, and not one more.
    Capitals,
}

const KINDS: &[Kind] = &[
    kind("eyJ", 17, Shape::Dotted), // JSON in base64: a JWT begins so (RFC 7519)
    kind("AKIA", 16, Shape::Capitals),
    kind("ASIA", 16, Shape::Capitals),
    kind("ghp_", 30, Shape::Run),
    kind("gho_", 30, Shape::Run),
    kind("ghu_", 30, Shape::Run),
    kind("ghs_", 30, Shape::Run),
    kind("ghr_", 30, Shape::Run),
    kind("github_pat_", 30, Shape::Run),
    kind("glpat-", 20, Shape::Run),
    kind("glrt-", 20, Shape::Run),
    kind("npm_", 36, Shape::Letters),
    kind("xoxa-", 11, Shape::Run),
    kind("xoxb-", 11, Shape::Run),
    kind("xoxp-", 11, Shape::Run),
    kind("xoxr-", 11, Shape::Run),
    kind("xoxs-", 11, Shape::Run),
    kind("xapp-", 11, Shape::Run),
    kind("sk_live_", 10, Shape::Run),
    kind("rk_live_", 10, Shape::Run),
    kind("sk_test_", 10, Shape::Letters),
    kind("rk_test_", 10, Shape::Letters),
    kind("whsec_", 24, Shape::Run),
    kind("sk-", 20, Shape::Long),
    kind("AIza", 35, Shape::Run),
    kind("GOCSPX-", 24, Shape::Run),
    kind("hf_", 34, Shape::Letters),
    kind("shpat_", 32, Shape::Letters),
    kind("shpca_", 32, Shape::Letters),
    kind("shppa_", 32, Shape::Letters),
    kind("shpss_", 32, Shape::Letters),
    kind("dop_v1_", 64, Shape::Letters),
    kind("dckr_pat_", 27, Shape::Run),
    kind("pypi-", 40, Shape::Run),
    kind("lin_api_", 32, Shape::Letters),
    kind("AGE-SECRET-KEY-", 50, Shape::Run),
    kind("NRAK-", 27, Shape::Run),
];

const fn kind(prefix: &'static str, least: usize, shape: Shape) -> Kind {
    Kind { prefix, least, shape }
}

/// Whether that run may be one, begin or follow one.
pub(super) fn may_be(text: &[u8], run: &Range<usize>) -> bool {
    /// What a kind begins with.
    const FIRST: &[u8] = b"eAgnxsrwGhdplN";
    let begins = |start: usize| {
        let word = text.get(start..).unwrap_or_default();
        word.first().is_some_and(|first| FIRST.contains(first))
            && KINDS.iter().any(|kind| word.starts_with(kind.prefix.as_bytes()))
    };
    run.len() >= LEAST_BYTES
        && (start_after_scheme(text, run.start).is_some()
            || start_after_sign(text, run.start).is_some()
            || words(text, run).any(begins))
}

/// Where they are; at the end of a text that was cut, one may end with it.
pub(super) fn find(text: &str, is_cut: bool) -> impl Iterator<Item = Range<usize>> {
    let mut found_to = 0;
    let ends = |c: char| !c.is_ascii_graphic() || "\"',;<>)]}\\".contains(c);
    runs(text.as_bytes()).filter_map(move |run| {
        if run.start < found_to {
            return None; // a part of what was found
        }
        let found = if let Some(start) = start_after_scheme(text.as_bytes(), run.start) {
            let rest = text.get(start..)?;
            let len = rest.find(ends).unwrap_or(rest.len());
            is_random(rest.get(..len)?).then_some(start..start + len)?
        } else if let Some(start) = start_after_sign(text.as_bytes(), run.start) {
            let rest = text.get(start..)?;
            let len = rest.bytes().position(|byte| !is_run(byte) && byte != b'.');
            let token = rest.get(..len.unwrap_or(rest.len()))?.trim_end_matches('.');
            start..start + token.len()
        } else {
            words(text.as_bytes(), &run).find_map(|start| {
                let found = KINDS.iter().find(|kind| kind.begins(text, start))?;
                let len = found.len(text, start..run.end, is_cut)?;
                Some(start..start + len)
            })?
        };
        found_to = found.end;
        Some(found)
    })
}

/// All runs that are long enough.
///
/// A run of sixteen bytes covers each sixteenth, so only there it is looked for.
fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = LEAST_BYTES - 1;
    std::iter::from_fn(move || {
        while at < text.len() {
            let run = run_around(text, at);
            at = run.end + LEAST_BYTES;
            if run.len() >= LEAST_BYTES {
                return Some(run);
            }
        }
        None
    })
}

/// The run that byte is part of; an empty one at the byte if it is of none.
#[inline]
pub(super) fn run_around(text: &[u8], at: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, &[]));
    let len = after.iter().take_while(|byte| is_run(**byte)).count();
    if len == 0 {
        return at..at;
    }
    at - before.iter().rev().take_while(|byte| is_run(**byte)).count()..at + len
}

#[inline]
fn is_run(byte: u8) -> bool {
    const IS_RUN: [bool; 256] = {
        let mut is_run = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            #[expect(clippy::indexing_slicing, reason = "a byte is an index into 256")]
            {
                is_run[byte as usize] =
                    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            }
            byte += 1;
        }
        is_run
    };
    IS_RUN.get(usize::from(byte)).is_some_and(|&is_run| is_run)
}

/// Where in the run something may begin: at its start, unless a letter of another alphabet precedes
/// it, behind the letter of an escape (`\n`), and behind each `-`.
fn words(text: &[u8], run: &Range<usize>) -> impl Iterator<Item = usize> {
    let before = run.start.checked_sub(1).and_then(|at| text.get(at));
    let is_start = before.is_none_or(u8::is_ascii);
    let is_escape = before == Some(&b'\\');
    let within = text.get(run.clone()).unwrap_or_default();
    let start = run.start;
    let behind = within.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    let first = is_start.then_some(start).into_iter().chain(is_escape.then_some(start + 1));
    first.chain(behind.map(move |(at, _)| start + at + 1))
}

impl Kind {
    fn begins(&self, text: &str, start: usize) -> bool {
        text.get(start..).is_some_and(|word| word.starts_with(self.prefix))
    }

    /// How long the secret is that begins there, in a run that ends there.
    fn len(&self, text: &str, run: Range<usize>, is_cut: bool) -> Option<usize> {
        let ends_text = |len: usize| is_cut && run.start + len == text.len();
        let least = self.prefix.len() + self.least;
        let len = match self.shape {
            Shape::Run => run.len(),
            Shape::Long => {
                const MOST_WORDS: usize = 8;
                let mut words = text.get(run.clone())?.split('-').take(MOST_WORDS);
                if words.any(|word| word.len() >= LEAST_BYTES) { run.len() } else { 0 }
            }
            Shape::Letters => {
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let rest = text.get(run.start + self.prefix.len()..run.end)?;
                if plain(rest) { run.len() } else { 0 }
            }
            Shape::Dotted => {
                let rest = text.get(run.start..)?;
                let len = rest.bytes().position(|byte| !is_run(byte) && byte != b'.');
                // A dot at the end is the sentence's.
                rest.get(..len.unwrap_or(rest.len()))?.trim_end_matches('.').len()
            }
            Shape::Capitals => {
                let run = text.get(run.clone())?;
                let is_whole = run.len() <= least
                    && run.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                if is_whole { run.len() } else { 0 }
            }
        };
        (len >= least || len > 0 && ends_text(len)).then_some(len)
    }
}

/// Where the credentials start that the run is part of, if the word before them is a scheme of HTTP
/// authentication (RFC 6750, RFC 7617).
fn start_after_scheme(text: &[u8], run_start: usize) -> Option<usize> {
    /// What is before the first long run is not longer: `ya29.` and the like.
    const MOST_BYTES: usize = 32;
    let before = text.get(..run_start)?;
    let is_of_it = |byte: &&u8| is_run(**byte) || matches!(byte, b'.' | b'/' | b'+' | b'~');
    let len = before.iter().rev().take(MOST_BYTES).take_while(is_of_it).count();
    let (before, _) = before.split_at_checked(run_start - len)?;
    let word = before.strip_suffix(b" ")?;
    let is_scheme = ["bearer", "basic"].iter().any(|scheme| {
        let (rest, word) = word.split_at(word.len().saturating_sub(scheme.len()));
        word.eq_ignore_ascii_case(scheme.as_bytes()) && !rest.last().is_some_and(is_letter)
    });
    is_scheme.then_some(run_start - len)
}

/// Where the secret starts that the run is part of, if what is before it, with a dot or slash, says
/// so: keys of SendGrid, Vault and Google, and the addresses to which one posts in Slack and
/// Discord.
fn start_after_sign(text: &[u8], run_start: usize) -> Option<usize> {
    const PREFIXES: [&[u8]; 5] = [b"SG.", b"hvs.", b"hvb.", b"hvr.", b"ya29."];
    const HOOKS: [&[u8]; 2] = [b"hooks.slack.com/services/", b"/api/webhooks/"];
    const MOST_BYTES: usize = 64;
    let before = text.get(..run_start)?;
    match before.last()? {
        b'.' => {
            let prefix = PREFIXES.iter().find(|prefix| before.ends_with(prefix))?;
            let start = run_start - prefix.len();
            let is_whole = !before.get(..start)?.last().is_some_and(is_letter);
            is_whole.then_some(start)
        }
        b'/' => {
            let near = before.get(run_start.saturating_sub(MOST_BYTES)..)?;
            let is_in = |hook: &&[u8]| {
                let at = near.windows(hook.len()).position(|part| part == *hook);
                let path = at.and_then(|at| near.get(at + hook.len()..));
                // Behind who posts there.
                path.is_some_and(|path| path.contains(&b'/'))
            };
            HOOKS.iter().any(is_in).then_some(run_start)
        }
        _ => None,
    }
}
