//! Directives: which records pass, by level and target, in the syntax of `RUST_LOG`.
//!
//! Knows the text and the rule of the longest matching target. Does not know who asks: the caller
//! side and each sink have directives of their own.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::foreign_filters;
use super::foreign_filters::NAMES;
use crate::record::level::Level;
use logwell_options::raw_value::Problem;
use logwell_options::raw_value::RawValue;
use logwell_options::raw_value::shorten;
use logwell_options::suggest::nearest;
use logwell_options::value::CustomValue;
use logwell_options::value::OptionValue;
use logwell_options::value::Refusal;

/// Which records pass, by level and target: what is accepted wherever a level is.
///
/// Text in the syntax of `RUST_LOG`, parts joined by commas:
///
/// | part | meaning |
/// |---|---|
/// | `info`, `WARNING`, `critical`, `off` | the default, where no target matches |
/// | `my_crate=debug`, `hyper=off` | for targets that begin so; the longest match wins |
/// | `my_crate` | everything of that target, as `my_crate=trace` |
/// | `[request{user=7}]=trace`, `my_crate[load]` | in such spans; not in a sink's level |
///
/// Without a default, targets that no part names are off, as in `RUST_LOG`. Of two parts for the
/// same target the last wins. Levels are least importances: `warn` lets WARN, ERROR and CRITICAL
/// pass. The numbers 1 (error) to 5 (trace) are read as in `RUST_LOG`, and so is 0 (off) of a
/// target.
///
/// One thing is stricter than `RUST_LOG`. As a target, what another system understands would
/// silence all others without a word, so it is an error that says what to write instead:
///
/// | part | instead |
/// |---|---|
/// | a slip of a level's name (`inf0`, `debgu`), or a number above 5 | the level |
/// | `0` alone: off in `RUST_LOG`, everything elsewhere | `off`, or the level |
/// | a level of another system: `information`, `emerg`, `panic`, `dbg`, `NOTSET`, `none`, … | ours |
/// | other separators: `info;hyper=warn`, `info hyper=warn`, `hyper:warn` | `info,hyper=warn` |
/// | a pattern, as `env_logger` has it: `info/regex` | `info` |
/// | a name for all targets, or a key: `root=info`, `*=info`, `level=info` | `info` |
/// | quotes: `"info"` | `info` |
///
/// If you mean a target of such a name, write `inf0=trace`.
///
/// ```
/// use logwell::Level;
/// use logwell::config::Directives;
///
/// let directives: Directives = "info,my_crate=debug,my_crate::noisy=off".parse()?;
/// assert!(directives.allows(Level::Debug, "my_crate::http"));
/// assert!(!directives.allows(Level::Error, "my_crate::noisy"));
/// assert!(!directives.allows(Level::Debug, "hyper"));
/// assert_eq!(directives.max_level(), Some(Level::Debug));
/// # Ok::<(), logwell::config::DirectivesError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// The least important level for each target, longest target first.
    targets: Vec<(String, Threshold)>,
    /// For targets that match none.
    default: Option<Threshold>,
    /// A default before it that lets more pass, if it lets no WARN pass itself.
    overruled: Option<Threshold>,
    /// Span and field directives: what is before the `=`, and the level.
    spans: Vec<(String, Threshold)>,
}

/// The least important level that passes; `None` when nothing does.
type Threshold = Option<Level>;

impl Directives {
    /// Whether a record of that level and target passes. Span directives have no say here.
    #[must_use]
    pub fn allows(&self, level: Level, target: &str) -> bool {
        let matching = self.targets.iter().find(|(prefix, _)| target.starts_with(prefix.as_str()));
        matching
            .map(|&(_, threshold)| threshold)
            .or(self.default)
            .flatten()
            .is_some_and(|least| level >= least)
    }

    /// The least important level that any part lets pass, in spans too; `None` when all is off.
    #[must_use]
    pub fn max_level(&self) -> Option<Level> {
        self.thresholds().flatten().min()
    }

    /// What is off though the text does not say so plainly, in words.
    ///
    /// `None` for a single `off` or `error`: a user who writes it means it. `critical` is written
    /// `fatal` or `crit` too, by people who expect ERROR to pass.
    pub(crate) fn silence(&self) -> Option<String> {
        let is_alone = self.targets.is_empty() && self.spans.is_empty() && self.overruled.is_none();
        if is_alone && matches!(self.default, Some(None | Some(Level::Error))) {
            return None;
        }
        let problem = match (self.max_level(), self.default) {
            (None, _) => "lets nothing pass",
            (Some(Level::Critical), _) => "lets nothing below CRITICAL pass",
            (Some(Level::Error), _) => "lets nothing below ERROR pass",
            (_, None) => "has no level for other targets: all of them are off",
            (_, Some(None)) => "turns all other targets off",
            (_, Some(Some(Level::Critical))) => "lets of other targets only CRITICAL pass",
            _ => return None,
        };
        Some(format!("`{self}` {problem}"))
    }

    /// The whole text for [`EnvFilter`](tracing_subscriber::EnvFilter) when a part speaks of
    /// spans or fields; `None` when [`allows`](Self::allows) says everything.
    #[must_use]
    pub fn span_directives(&self) -> Option<String> {
        (!self.spans.is_empty()).then(|| self.env_filter_text())
    }

    /// The whole text for [`EnvFilter`](tracing_subscriber::EnvFilter).
    ///
    /// `EnvFilter` does not know CRITICAL; there it becomes `error`.
    #[must_use]
    pub fn env_filter_text(&self) -> String {
        self.text(|threshold| threshold.map(|level| level.min(Level::Error)))
    }

    fn thresholds(&self) -> impl Iterator<Item = Threshold> {
        let named = self.targets.iter().chain(&self.spans).map(|&(_, threshold)| threshold);
        named.chain(self.default)
    }

    fn text(&self, change: impl Fn(Threshold) -> Threshold) -> String {
        let default = self.overruled.into_iter().chain(self.default);
        let default = default.map(|threshold| threshold_name(change(threshold)).to_owned());
        let named = self.targets.iter().chain(&self.spans);
        let named = named
            .map(|&(ref head, threshold)| format!("{head}={}", threshold_name(change(threshold))));
        default.chain(named).collect::<Vec<_>>().join(",")
    }

    fn add(&mut self, part: &str) -> Result<(), DirectivesError> {
        if let Some(error) = foreign_filters::misread(part) {
            return Err(error);
        }
        if part.contains(['[', ']', '{', '}', '"']) {
            self.add_span(part)
        } else if let Some((target, level)) = part.split_once('=') {
            let target = check_target(target.trim_end())?;
            self.add_target(target, parse_threshold(level.trim_start())?);
            Ok(())
        } else if let Some(threshold) = known_threshold(part) {
            self.set_default(threshold);
            Ok(())
        } else {
            self.add_target(check_target(part)?, Some(Level::Trace));
            Ok(())
        }
    }

    fn set_default(&mut self, threshold: Threshold) {
        let is_silent = threshold.is_none_or(|least| least > Level::Warn);
        let lets_more = |earlier: &Threshold| match (*earlier, threshold) {
            (Some(earlier), Some(least)) => earlier < least,
            (earlier, None) => earlier.is_some(),
            (None, _) => false,
        };
        self.overruled = self.default.filter(|earlier| is_silent && lets_more(earlier));
        self.default = Some(threshold);
    }

    fn add_target(&mut self, target: &str, threshold: Threshold) {
        self.targets.retain(|(known, _)| known != target);
        self.targets.push((target.to_owned(), threshold));
    }

    fn add_span(&mut self, part: &str) -> Result<(), DirectivesError> {
        let wrong = || DirectivesError {
            problem: format!("`{}` is not a span directive", shorten(part)),
            help: "write target[span{field=value}]=level, with one field".to_owned(),
        };
        let end = part.rfind(']').ok_or_else(wrong)? + 1;
        let (head, rest) = part.split_at_checked(end).ok_or_else(wrong)?;
        let threshold = match rest.strip_prefix('=') {
            Some(level) => parse_threshold(level)?,
            None if rest.is_empty() => Some(Level::Trace),
            None => return Err(wrong()),
        };
        // EnvFilter will read it later, so it decides now.
        if tracing_subscriber::filter::Directive::from_str(&format!("{head}=info")).is_err() {
            return Err(wrong());
        }
        self.spans.retain(|(known, _)| known != head);
        self.spans.push((head.to_owned(), threshold));
        Ok(())
    }
}

impl FromStr for Directives {
    type Err = DirectivesError;

    fn from_str(text: &str) -> Result<Self, DirectivesError> {
        let mut directives =
            Self { targets: Vec::new(), default: None, overruled: None, spans: Vec::new() };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut count = 0;
        for part in parts {
            count += 1;
            if count > MAX_PARTS {
                return Err(DirectivesError {
                    problem: format!("has more than {MAX_PARTS} parts"),
                    help: "name common beginnings of targets".to_owned(),
                });
            }
            directives.add(part)?;
        }
        if count == 0 {
            return Err(DirectivesError {
                problem: "is empty".to_owned(),
                help: "write a level such as info, or off".to_owned(),
            });
        }
        directives.targets.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Ok(directives)
    }
}

impl From<Level> for Directives {
    fn from(level: Level) -> Self {
        Self { targets: Vec::new(), default: Some(Some(level)), overruled: None, spans: Vec::new() }
    }
}

impl TryFrom<&str> for Directives {
    type Error = DirectivesError;

    fn try_from(text: &str) -> Result<Self, DirectivesError> {
        text.parse()
    }
}

impl TryFrom<String> for Directives {
    type Error = DirectivesError;

    fn try_from(text: String) -> Result<Self, DirectivesError> {
        text.parse()
    }
}

/// The canonical text, which parses to equal directives.
impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text(|threshold| threshold))
    }
}

/// Why a text is no [`Directives`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectivesError {
    /// What is wrong, naming the part.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

impl fmt::Display for DirectivesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.help)
    }
}

impl std::error::Error for DirectivesError {}

impl From<Infallible> for DirectivesError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

fn parse_threshold(name: &str) -> Result<Threshold, DirectivesError> {
    known_threshold(name).ok_or_else(|| DirectivesError {
        problem: format!("`{}` is not a level", shorten(name)),
        help: match foreign_filters::meant_level(name).or_else(|| nearest(name, NAMES)) {
            Some(level) => format!("did you mean `{level}`?"),
            None => "levels are trace, debug, info, warn, error, critical and off".to_owned(),
        },
    })
}

pub(super) fn known_threshold(name: &str) -> Option<Threshold> {
    match name {
        "0" => Some(None),
        "1" => Some(Some(Level::Error)),
        "2" => Some(Some(Level::Warn)),
        "3" => Some(Some(Level::Info)),
        "4" => Some(Some(Level::Debug)),
        "5" => Some(Some(Level::Trace)),
        off if off.eq_ignore_ascii_case("off") => Some(None),
        name => Level::from_name(name).map(Some),
    }
}

pub(super) const fn threshold_name(threshold: Threshold) -> &'static str {
    match threshold {
        None => "off",
        Some(Level::Trace) => "trace",
        Some(Level::Debug) => "debug",
        Some(Level::Info) => "info",
        Some(Level::Warn) => "warn",
        Some(Level::Error) => "error",
        Some(Level::Critical) => "critical",
    }
}

/// The target, if `EnvFilter` would take it for one too.
fn check_target(target: &str) -> Result<&str, DirectivesError> {
    let begins_well = target.starts_with(|c: char| c.is_alphanumeric() || "-:_".contains(c));
    if begins_well && !target.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(target);
    }
    Err(DirectivesError {
        problem: format!("`{}` is not a target", shorten(target)),
        help: "write a level, or target=level such as my_crate=debug".to_owned(),
    })
}

/// Each event of a new callsite looks at all parts.
const MAX_PARTS: usize = 1_000;

impl From<DirectivesError> for Problem {
    fn from(error: DirectivesError) -> Self {
        let DirectivesError { problem, help } = error;
        Self { problem, help }
    }
}

/// Directives as an option; those of a sink may not speak of spans.
struct Levels<'a> {
    value: &'a mut Directives,
    is_of_sink: bool,
}

impl CustomValue for Levels<'_> {
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        let text = given.text().map(str::trim).ok_or(Refusal::Unfit)?;
        *self.value = text.parse().map_err(Problem::from)?;
        Ok(())
    }

    fn check(&self) -> Result<(), Problem> {
        if !self.is_of_sink || self.value.span_directives().is_none() {
            return Ok(());
        }
        Err(Problem {
            problem: "has a directive about spans or fields, which only `level` may have".into(),
            help: "name targets only, such as info,my_crate=debug".into(),
        })
    }

    fn text(&self) -> String {
        self.value.to_string()
    }

    fn expected(&self) -> &'static str {
        "a level such as info, or info,my_crate=debug"
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "string",
            "minLength": 1,
            "examples": ["info", "warn", "off", "info,my_crate=debug,hyper=warn"],
        })
    }
}

/// The kind of an option: directives.
pub(crate) fn levels(value: &mut Directives) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(Levels { value, is_of_sink: false }))
}

/// The kind of an option: the directives of a sink, which may not speak of spans.
pub(crate) fn sink_levels(value: &mut Directives) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(Levels { value, is_of_sink: true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tracing_subscriber::filter::Targets;

    fn parse(text: &str) -> Directives {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn error(text: &str) -> DirectivesError {
        text.parse::<Directives>().expect_err(text)
    }

    #[test]
    fn a_bare_level_is_for_all_targets() {
        for text in ["warn", "WARN", "Warning", "2", " warn , "] {
            let directives = parse(text);
            assert!(directives.allows(Level::Warn, "any::target"), "{text}");
            assert!(!directives.allows(Level::Info, "any::target"), "{text}");
            assert_eq!(directives, Level::Warn.into());
            assert_eq!(directives.to_string(), "warn");
        }
    }

    #[test]
    fn the_threshold_critical_lets_only_critical_pass() {
        let directives = parse("critical");
        assert!(directives.allows(Level::Critical, "a"));
        assert!(!directives.allows(Level::Error, "a"));
        assert_eq!(directives.max_level(), Some(Level::Critical));
    }

    #[test]
    fn a_level_of_another_system_is_an_error_and_no_target_that_silences_all_others() {
        for (text, meant) in [
            ("NOTSET", "trace"),
            ("verbose", "debug"),
            ("20", "info"),
            ("6", "info"),
            ("none", "off"),
            ("level: info", "info"),
            ("warn,my_crate=debug,All", "trace"),
        ] {
            let help = error(text).help;
            assert!(help.contains(&format!("did you mean `{meant}`?")), "{text}: {help}");
        }
        assert!(parse("verbose=trace").allows(Level::Trace, "verbose::x"));
        assert!(parse("allocator").allows(Level::Trace, "allocator"));
    }

    #[test]
    fn a_filter_that_is_silent_without_saying_so_is_told_from_one_that_is_meant_to_be() {
        for text in ["info", "off", "error", "info,a=off", "error,a=debug", "off,info", "info,warn"]
        {
            assert_eq!(parse(text).silence(), None, "{text}");
        }
        for text in ["some_target", "a=debug", "off,a=error", "a=off", "error,a=critical", "[s]"] {
            assert!(parse(text).silence().is_some(), "{text}");
        }
        for text in ["off,a=debug", "warn,off", "info,error", "critical", "fatal", "crit"] {
            assert!(parse(text).silence().is_some(), "{text}");
        }
        assert_eq!(parse("warn,off").silence().as_deref(), Some("`warn,off` lets nothing pass"));
    }

    #[test]
    fn a_zero_alone_is_an_error_that_suggests_off_and_behind_a_target_it_is_off() {
        for text in ["0", "info,0"] {
            let error = error(text);
            assert!(error.problem.starts_with("`0`") && error.help.contains("`off`"), "{error}");
        }
        assert_eq!(parse("info,a=0").to_string(), "info,a=off");
    }

    #[test]
    fn off_lets_nothing_pass() {
        for text in ["off", "OFF", "a=0", "off,a=off"] {
            assert_eq!(parse(text).max_level(), None);
            assert!(Level::ALL.iter().all(|&level| !parse(text).allows(level, "a")));
        }
    }

    #[test]
    fn the_longest_matching_target_wins_whatever_the_order() {
        for text in ["info,a=debug,a::b=off", "a::b=off,a=debug,info"] {
            let directives = parse(text);
            assert!(directives.allows(Level::Debug, "a::c"));
            assert!(directives.allows(Level::Debug, "abc"), "a prefix, as in EnvFilter");
            assert!(!directives.allows(Level::Critical, "a::b::c"));
            assert!(directives.allows(Level::Info, "b"));
            assert_eq!(directives.to_string(), "info,a::b=off,a=debug");
        }
    }

    #[test]
    fn of_two_parts_for_one_target_the_last_wins() {
        assert_eq!(parse("error,a=debug,a=warn,info").to_string(), "info,a=warn");
        // What it silences is kept, to be told.
        let directives = parse("debug,info,a=warn,error");
        assert_eq!(directives.to_string(), "info,error,a=warn");
        assert!(!directives.allows(Level::Warn, "b"));
    }

    #[test]
    fn without_a_default_other_targets_are_off() {
        let directives = parse("my_crate");
        assert!(directives.allows(Level::Trace, "my_crate::x"));
        assert!(!directives.allows(Level::Critical, "other"));
        assert_eq!(directives.to_string(), "my_crate=trace");
    }

    #[test]
    fn a_slip_of_a_level_is_an_error_with_a_suggestion() {
        for (slip, level) in [
            ("inf0", "info"),
            ("inof", "info"),
            ("debgu", "debug"),
            ("warnn", "warn"),
            ("of", "off"),
        ] {
            assert!(error(slip).help.contains(&format!("`{level}`")), "{slip}");
            assert!(error(&format!("info,{slip}")).problem.contains(slip));
        }
        assert_eq!(parse("warp=trace").to_string(), "warp=trace");
        assert!(error("hyper=inof").help.contains("`info`"));
    }

    #[test]
    fn broken_parts_are_errors() {
        for text in ["", ",", " ", "=info", "a=", "a=b=c", "two words", "a=loud", "/x", "[a", "a]x"]
        {
            assert!(!error(text).help.is_empty(), "{text}");
        }
        assert!("[span{a=1,b=2}]=info".parse::<Directives>().is_err(), "EnvFilter splits there");
        assert!(vec!["a=info"; 1_001].join(",").parse::<Directives>().is_err());
    }

    #[test]
    fn span_directives_keep_the_whole_filter_for_env_filter() {
        assert_eq!(parse("info,a=debug").span_directives(), None);
        let directives = parse("WARNING,[request{user=7}]=TRACE,a[load],b=critical");
        let text = directives.span_directives().expect("span directives");
        assert_eq!(text, "warn,b=error,[request{user=7}]=trace,a[load]=trace");
        assert!(tracing_subscriber::EnvFilter::builder().parse(&text).is_ok());
        assert_eq!(directives.max_level(), Some(Level::Trace));
        assert_eq!(parse(&directives.to_string()), directives);
    }

    const TRACING: [(Level, tracing::Level); 5] = [
        (Level::Trace, tracing::Level::TRACE),
        (Level::Debug, tracing::Level::DEBUG),
        (Level::Info, tracing::Level::INFO),
        (Level::Warn, tracing::Level::WARN),
        (Level::Error, tracing::Level::ERROR),
    ];

    /// Targets of few letters, so that prefixes are common.
    fn target() -> impl Strategy<Value = String> {
        "[ab]{1,3}(::[ab]{1,2}){0,2}"
    }

    fn part() -> impl Strategy<Value = String> {
        let level = "(off|error|WARN|info|Debug|trace|[0-5])";
        prop_oneof![
            2 => (target(), level).prop_map(|(target, level)| format!("{target}={level}")),
            1 => level.prop_filter("an error of ours", |level| level != "0"),
            1 => target(),
        ]
    }

    proptest! {
        #[test]
        fn they_decide_as_tracing_subscribers_targets(
            parts in prop::collection::vec(part(), 1..8),
            targets in prop::collection::vec(target(), 1..8),
        ) {
            let text = parts.join(",");
            let ours = parse(&text);
            let theirs: Targets = text.parse().expect("parses there too");
            for target in &targets {
                for (level, tracing_level) in &TRACING {
                    prop_assert_eq!(
                        ours.allows(*level, target),
                        theirs.would_enable(target, tracing_level),
                        "{} {} {}", text, level, target
                    );
                }
            }
            prop_assert_eq!(parse(&ours.to_string()), ours);
        }

        #[test]
        fn any_text_is_read_or_refused_and_survives_its_canonical_text(text in "\\PC{0,40}") {
            if let Ok(directives) = text.parse::<Directives>() {
                prop_assert_eq!(parse(&directives.to_string()), directives);
            }
        }

        #[test]
        fn what_is_kept_for_env_filter_parses_there(
            text in
                "([ab]{0,2}\\[[ab]{0,2}(\\{[ab](=[ab01*]{0,3})?\\})?\\](=info|=critical)?,?){1,3}",
        ) {
            if let Ok(directives) = text.parse::<Directives>() {
                let kept = directives.span_directives().expect("has spans");
                let theirs = tracing_subscriber::EnvFilter::builder().parse(&kept);
                prop_assert!(theirs.is_ok(), "{}", kept);
            }
        }
    }
}
