//! Foreign: what people write into a filter because another system understands it.
//!
//! Knows names of levels, of the root logger, and separators elsewhere. Takes one part of a filter
//! and says what was probably meant. Does not know which records pass.
//!
//! Read as targets such parts would silence everything else without a word, so they are errors.

use super::directives::{DirectivesError, known_threshold};
use logwell_options::raw_value::shorten;
use logwell_options::suggest::distance;

/// What is wrong with a part, if it is written as in another system.
pub(super) fn misread(part: &str) -> Option<DirectivesError> {
    let bare = part.trim_matches(QUOTES);
    if bare != part {
        return Some(meant(part, "is in quotes", bare));
    }
    if part.contains(['[', ']', '{', '}']) {
        return None; // about spans
    }
    if let Some((before, comment)) = part.split_once('#') {
        let wanted = [before.trim(), comment.trim()].into_iter().find(|text| !text.is_empty());
        return Some(meant(
            part,
            "has a `#`, which begins no comment here",
            wanted.unwrap_or("info"),
        ));
    }
    match part.split_once('=') {
        Some((target, level)) => misread_pair(part, target.trim_end(), level.trim_start()),
        None => misread_word(part),
    }
}

/// The level that a single word probably means, though it is not one: it is one slip away from a
/// level's name, or a level in another system.
pub(super) fn meant_level(word: &str) -> Option<&'static str> {
    let is_slip = |known: &str| distance(word, known) == 1;
    let slip = NAMES.into_iter().find(|name| is_slip(name));
    let elsewhere = || {
        let names = ELSEWHERE
            .iter()
            .flat_map(|(level, words)| words.split(' ').map(move |word| (word, *level)));
        let is_it = |known: &str| {
            known.eq_ignore_ascii_case(word) || (known.len() >= LONG_LETTERS && is_slip(known))
        };
        names.into_iter().find(|(known, _)| is_it(known)).map(|(_, level)| level)
    };
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    slip.or_else(elsewhere).or_else(|| is_number.then_some("info"))
}

fn misread_pair(part: &str, target: &str, level: &str) -> Option<DirectivesError> {
    if let Some(error) = misread_separator(part, &[target, level]) {
        return Some(error);
    }
    if let Some((level, _pattern)) = level.split_once('/') {
        return Some(meant(part, PATTERN, &format!("{target}={level}")));
    }
    if let Some((first, second)) = target.split_once('/')
        && known_threshold(first).is_some()
    {
        return Some(meant(part, "is two parts", &format!("{first},{second}={level}")));
    }
    if is_root(target) && !CRATES.contains(&target) {
        let level = level_of(level).unwrap_or("info");
        return Some(meant(part, "names no target; a level alone is for all targets", level));
    }
    if let Some(target) = target.strip_prefix("logging.level.") {
        return Some(meant(part, "is written as in Spring", &format!("{target}={level}")));
    }
    None
}

fn misread_word(word: &str) -> Option<DirectivesError> {
    if word == "0" {
        return Some(DirectivesError {
            problem: "`0` alone means off here, and everything elsewhere".to_owned(),
            help: "write `off`, or the level that you mean".to_owned(),
        });
    }
    if known_threshold(word).is_some() {
        return None;
    }
    if let Some(level) = meant_level(word) {
        return Some(meant(word, "is not a level", level));
    }
    if let Some(error) = misread_separator(word, &[word]) {
        return Some(error);
    }
    if let Some((before, _pattern)) = word.split_once('/') {
        return Some(meant(word, PATTERN, before));
    }
    if let Some(level) = level_of(word.trim_matches(|c: char| !c.is_alphanumeric())) {
        return Some(meant(word, "is not a level", level));
    }
    misread_colon(word).or_else(|| {
        let is_plain = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
        (!word.chars().all(is_plain)).then(|| DirectivesError {
            problem: format!("`{}` is neither a level nor the name of a target", shorten(word)),
            help: format!("write a level such as info, or `{}=trace`", shorten(word)),
        })
    })
}

/// `hyper:warn`, `info:hyper` and `Level::INFO`, but not `hyper::warn`.
fn misread_colon(word: &str) -> Option<DirectivesError> {
    let (head, tail) = word.rsplit_once([':', '.'])?;
    let head_words = || head.split([':', '.']).filter(|word| !word.is_empty());
    let level = level_of(tail);
    if level.is_some() && head_words().all(is_root) {
        return Some(meant(word, "is not a level", level?));
    }
    let (first, rest) = word.split_once(':')?;
    if rest.contains(':') {
        return None;
    }
    if let Some(level) = level_of(rest) {
        return Some(meant(word, "has a colon in the place of `=`", &format!("{first}={level}")));
    }
    let level = level_of(first)?;
    Some(meant(word, "is two parts", &format!("{level},{rest}")))
}

/// Parts that are joined by something else than commas.
fn misread_separator(part: &str, pieces: &[&str]) -> Option<DirectivesError> {
    let separates = |c: char| c.is_whitespace() || ";|&+".contains(c);
    let has_separator = pieces.iter().any(|piece| piece.contains(separates));
    let joined = part.split(separates).filter(|piece| !piece.is_empty());
    // `level: info`
    let joined = joined.filter(|piece| !piece.strip_suffix(':').is_some_and(is_root));
    let joined = joined.collect::<Vec<_>>();
    has_separator.then(|| meant(part, "is not joined by commas", &joined.join(",")))
}

/// Whether it is what other systems call the logger above all others, or a level's key.
fn is_root(name: &str) -> bool {
    let name = name.trim_start_matches(['.', '*', '%', '$', '-']).to_ascii_lowercase();
    name.is_empty()
        || ROOTS.split(' ').any(|root| root == name)
        || name.ends_with("rootlogger")
        || name.ends_with("level.root")
}

/// The level that a word is or stands for.
fn level_of(word: &str) -> Option<&'static str> {
    let known = NAMES.into_iter().find(|name| name.eq_ignore_ascii_case(word));
    known
        .or_else(|| known_threshold(word).map(super::directives::threshold_name))
        .or_else(|| meant_level(word))
}

fn meant(part: &str, problem: &str, instead: &str) -> DirectivesError {
    let (part, instead) = (shorten(part), shorten(instead));
    let is_target = part.chars().all(|c| c.is_alphanumeric() || "_-.:/".contains(c));
    let target = match is_target {
        true => format!(" For a target of that name write `{part}=trace`"),
        false => String::new(),
    };
    DirectivesError {
        problem: format!("`{part}` {problem}"),
        help: format!("did you mean `{instead}`?{target}"),
    }
}

/// What a word could be a slip of.
pub(super) const NAMES: [&str; 8] =
    ["trace", "debug", "info", "warn", "warning", "error", "critical", "off"];

/// What levels are called elsewhere: in Python, syslog, Java, .NET, Serilog, npm, Go, Android,
/// Ruby, and words for much and little.
const ELSEWHERE: [(&str, &str); 7] = [
    ("trace", "notset all trc vrb finest silly spam tracing everything full max maximum t vv vvv"),
    (
        "debug",
        "10 verbose fine finer dbg debugging config v d diag diagnostic detail detailed dev \
         development verb",
    ),
    (
        "info",
        "20 information informational inform notice note true on yes default normal standard \
         enabled enable i n null nil undefined unset auto prod production http success basic log",
    ),
    ("warn", "30 warnings wrn caution w"),
    ("error", "40 severe failure failed fail exception e"),
    (
        "critical",
        "50 alert emerg emergency panic dpanic fatal ftl crt f c wtf assert abort unknown disaster",
    ),
    ("off", "none quiet silent silence false no disable disabled nothing never mute muted nolog"),
];

/// What the logger above all others is called elsewhere, and what is not its name but its key.
const ROOTS: &str = "root rootlogger default all any global log logger logging tracing level \
                     loglevel log_level log-level rust_log levelfilter verbosity v";

/// Those of them that are crates too, and so may be targets.
const CRATES: [&str; 2] = ["log", "tracing"];

const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// A word of so many letters may have a slip and is still known.
const LONG_LETTERS: usize = 6;

const PATTERN: &str = "has a pattern after `/`, which is not understood";

#[cfg(test)]
mod tests {
    use crate::record::directives::Directives;

    fn check(text: &str, meant: &str) {
        let error = text.parse::<Directives>().expect_err(text);
        assert!(error.help.contains(&format!("did you mean `{meant}`?")), "{text}: {error}");
    }

    #[test]
    fn a_level_of_another_system_is_an_error_that_names_ours() {
        for (text, meant) in [
            ("information", "info"),
            ("Informational", "info"),
            ("informtion", "info"),
            ("emerg", "critical"),
            ("EMERGENCY", "critical"),
            ("panic", "critical"),
            ("dpanic", "critical"),
            ("dbg", "debug"),
            ("trc", "trace"),
            ("wrn", "warn"),
            ("vrb", "trace"),
            ("ftl", "critical"),
            ("all", "trace"),
            ("none", "off"),
            ("disabled", "off"),
            ("notice", "info"),
            ("verbose", "debug"),
            ("warnings", "warning"),
            ("10", "debug"),
            ("W", "warn"),
            ("hyper=information", "info"),
            ("hyper=emerg", "critical"),
            ("hyper=wanr", "warn"),
        ] {
            check(text, meant);
        }
    }

    #[test]
    fn parts_that_are_joined_as_elsewhere_are_an_error_with_commas_in_the_suggestion() {
        for (text, meant) in [
            ("info;hyper=warn", "info,hyper=warn"),
            ("hyper=warn;info", "hyper=warn,info"),
            ("info hyper=warn", "info,hyper=warn"),
            ("hyper=warn info", "hyper=warn,info"),
            ("info|hyper=warn", "info,hyper=warn"),
            ("info hyper", "info,hyper"),
            ("info/regex", "info"),
            ("my_crate/regex", "my_crate"),
            ("my_crate=debug/regex", "my_crate=debug"),
            ("info/hyper=warn", "info,hyper=warn"),
            ("hyper:warn", "hyper=warn"),
            ("info:hyper", "info,hyper"),
        ] {
            check(text, meant);
        }
    }

    #[test]
    fn what_is_suggested_in_place_of_a_comment_is_a_filter() {
        for (text, meant) in [
            ("# info", "info"),
            ("#info", "info"),
            ("info # x", "info"),
            ("info# warn", "info"),
            ("hyper=warn # less", "hyper=warn"),
            ("#", "info"),
        ] {
            check(text, meant);
            assert!(meant.parse::<Directives>().is_ok(), "{meant}");
        }
    }

    #[test]
    fn a_level_for_the_root_or_under_its_key_is_an_error_that_names_the_level_alone() {
        for text in [
            "root=info",
            "level=info",
            "*=info",
            "default=info",
            "LOG_LEVEL=info",
            "all=info",
            "RUST_LOG=info",
            "=info",
            ".level=INFO",
            "log4j.rootLogger=INFO",
            "global=info",
            "logging.level.root=info",
            "Level::INFO",
            "LevelFilter.Info",
            "level:info",
            "\"info\"",
            "'info'",
            "\"info",
            "info\"",
            "`info`",
            "info.",
            "(info)",
            "<info>",
            "-info",
        ] {
            check(text, if text.contains("INFO") && text.contains('"') { "INFO" } else { "info" });
        }
        check("logging.level.hyper=debug", "hyper=debug");
    }

    #[test]
    fn names_of_targets_are_still_targets() {
        for text in [
            "my_crate",
            "my-crate",
            "hyper::warn",
            "my_crate::debug",
            "a.b",
            "http/server=debug",
            "verbose=trace",
            "panic=info",
            "info=debug",
            "[span]",
            "my_crate[load]=debug",
            "[request{name=\"x\"}]=trace",
            "all_things",
            "logger_core",
            "my_crate = debug",
            "info,log=off",
            "info,tracing=warn",
        ] {
            assert!(text.parse::<Directives>().is_ok(), "{text}: {:?}", text.parse::<Directives>());
        }
    }
}
