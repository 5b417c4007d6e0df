//! ForwardLevel: what a record is to LogBeacon and to people: six levels with codes and names.
//!
//! Plain data, and the mapping from logwell's levels and marker fields. Does not know where the
//! records of a level go: that is configuration.

use crate::forward::options::WarnAs;
use crate::record::Record;
use crate::record::callsite::marker;
use crate::record::level::Level;
use crate::sink::CallsiteRule;
use std::fmt;

/// The name of the field that holds the extra information.
pub(crate) const EXTRA_INFO: &str = "extra_info";

/// What a record is to LogBeacon and to people.
///
/// ```
/// use logwell::ForwardLevel;
///
/// assert_eq!(ForwardLevel::from_code(91), Ok(ForwardLevel::ErrorCtg));
/// assert_eq!(ForwardLevel::ErrorCtg.name(), "Error_CTG");
/// let error = ForwardLevel::from_code(92).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "there is no level 92; use 0 (Debug), 1 (Info), 9 (Error), 11 (Info_CTG), 91 (Error_CTG) \
///      or 99 (Monitor)"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ForwardLevel {
    /// 0: following the flow while developing.
    Debug = 0,
    /// 1: normal operations.
    Info = 1,
    /// 9: failures that developers must see.
    Error = 9,
    /// 11: something ordinary that the customer's group sees.
    InfoCtg = 11,
    /// 91: failures that developers and the customer's group must see.
    ErrorCtg = 91,
    /// 99: monitoring and performance traces.
    Monitor = 99,
}

impl ForwardLevel {
    /// All levels, by code.
    pub const ALL: [Self; 6] =
        [Self::Debug, Self::Info, Self::Error, Self::InfoCtg, Self::ErrorCtg, Self::Monitor];

    /// Its number: 0, 1, 9, 11, 91 or 99.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "Debug",
            Self::Info => "Info",
            Self::Error => "Error",
            Self::InfoCtg => "Info_CTG",
            Self::ErrorCtg => "Error_CTG",
            Self::Monitor => "Monitor",
        }
    }

    /// The level of that number.
    ///
    /// # Errors
    ///
    /// No level has that number; the text lists those that exist.
    pub fn from_code(code: u8) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.code() == code).ok_or(UnknownLevel(code))
    }

    /// The level in files and on the console of a record that is logged with this one.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Debug => Level::Debug,
            Self::Info | Self::InfoCtg | Self::Monitor => Level::Info,
            Self::Error | Self::ErrorCtg => Level::Error,
        }
    }

    fn bit(self) -> u8 {
        let place = Self::ALL.iter().position(|level| *level == self);
        1 << place.unwrap_or_default()
    }

    /// What a record without a marker is.
    pub(crate) fn of(level: Level, warn_as: WarnAs) -> Self {
        match level {
            Level::Trace | Level::Debug => Self::Debug,
            Level::Warn if warn_as == WarnAs::Error => Self::Error,
            Level::Info | Level::Warn => Self::Info,
            Level::Error | Level::Critical => Self::Error,
        }
    }

    /// What the records of a callsite with those fields are, if one of them is a marker; of several
    /// the one that tells most people.
    pub(crate) fn marked(fields: &[&str]) -> Option<Self> {
        let has = |marker: &str| fields.contains(&marker);
        let markers = [
            (marker::ERROR_CTG, Self::ErrorCtg),
            (marker::INFO_CTG, Self::InfoCtg),
            (marker::MONITOR, Self::Monitor),
        ];
        markers.into_iter().find(|(marker, _)| has(marker)).map(|(_, level)| level)
    }
}

impl fmt::Display for ForwardLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of levels, and what a WARN is among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardLevels {
    levels: u8,
    warn_as: WarnAs,
}

impl ForwardLevels {
    pub(crate) fn new(levels: impl IntoIterator<Item = ForwardLevel>, warn_as: WarnAs) -> Self {
        let levels = levels.into_iter().fold(0, |levels, level| levels | level.bit());
        Self { levels, warn_as }
    }

    /// What a record of that level is, with that marker.
    pub(crate) fn of(self, level: Level, marked: Option<ForwardLevel>) -> ForwardLevel {
        marked.unwrap_or_else(|| ForwardLevel::of(level, self.warn_as))
    }

    /// What a record is.
    pub(crate) fn of_record(self, record: &Record) -> ForwardLevel {
        self.of(record.level(), ForwardLevel::marked(record.callsite().fields()))
    }

    /// Whether a record of that level, with that marker, is of one of these levels.
    pub(crate) fn have(self, level: Level, marked: Option<ForwardLevel>) -> bool {
        self.levels & self.of(level, marked).bit() != 0
    }

    /// The rule for a sink that takes records of these levels only.
    pub(crate) fn rule(self) -> CallsiteRule {
        CallsiteRule::new(move |level, fields| self.have(level, ForwardLevel::marked(fields)))
    }
}

/// A number that is no level; see [`ForwardLevel::from_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLevel(u8);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no level {}; use ", self.0)?;
        for (at, level) in ForwardLevel::ALL.iter().enumerate() {
            let before = match at {
                0 => "",
                5 => " or ",
                _ => ", ",
            };
            write!(f, "{before}{} ({})", level.code(), level.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownLevel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_of_six_levels_or_an_error_that_lists_them() {
        let known = [(0, "Debug"), (1, "Info"), (9, "Error"), (11, "Info_CTG")];
        let known: Vec<_> = known.into_iter().chain([(91, "Error_CTG"), (99, "Monitor")]).collect();
        for code in 0..=u8::MAX {
            let name = known.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
            assert_eq!(ForwardLevel::from_code(code).ok().map(ForwardLevel::name), name);
            if let Err(error) = ForwardLevel::from_code(code) {
                let text = error.to_string();
                assert!(
                    known.iter().all(|(code, name)| text.contains(&format!("{code} ({name})")))
                );
            }
        }
    }

    #[test]
    fn levels_of_tracing_become_codes_as_the_table_says() {
        let codes = |warn_as| Level::ALL.map(|level| ForwardLevel::of(level, warn_as).code());
        assert_eq!(codes(WarnAs::Info), [0, 0, 1, 1, 9, 9]);
        assert_eq!(codes(WarnAs::Error), [0, 0, 1, 9, 9, 9]);
    }

    #[test]
    fn a_set_has_what_it_was_made_of_and_nothing_else() {
        for set in 0..64_u8 {
            let has = |level: &ForwardLevel| set & level.bit() != 0;
            let made = ForwardLevel::ALL.into_iter().filter(has);
            let levels = ForwardLevels::new(made, WarnAs::Error);
            for level in ForwardLevel::ALL {
                assert_eq!(levels.have(Level::Trace, Some(level)), has(&level), "{set} {level}");
            }
            assert_eq!(levels.have(Level::Warn, None), has(&ForwardLevel::Error));
        }
    }

    #[test]
    fn a_marker_decides_and_of_several_the_one_that_tells_most_people() {
        let marked = |fields: &[&str]| ForwardLevel::marked(fields);
        assert_eq!(marked(&["message", "logwell.info_ctg"]), Some(ForwardLevel::InfoCtg));
        assert_eq!(marked(&["logwell.monitor"]), Some(ForwardLevel::Monitor));
        let both = ["logwell.monitor", "logwell.info_ctg", "logwell.error_ctg"];
        assert_eq!(marked(&both), Some(ForwardLevel::ErrorCtg));
        assert_eq!(marked(&["message", "info_ctg"]), None);
    }
}
