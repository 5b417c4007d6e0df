//! Levels: what senders call them → the six levels.
//!
//! Pure. A level that nobody knows stays as the field `level_text`.

use logwell_query::Level;

/// The level of a name, in any case: those of the query language, LogBeacon's, Java's and others.
#[must_use]
pub fn from_name(name: &str) -> Option<Level> {
    const MORE: [(&str, Level); 11] = [
        ("info_ctg", Level::Info),
        ("error_ctg", Level::Error),
        ("monitor", Level::Info),
        ("informational", Level::Info),
        ("default", Level::Info),
        ("verbose", Level::Trace),
        ("finest", Level::Trace),
        ("fine", Level::Debug),
        ("dbg", Level::Debug),
        ("severe", Level::Error),
        ("emergency", Level::Critical),
    ];
    let name = name.trim();
    let more = || MORE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    Level::parse(name).or_else(|| more().map(|(_, level)| *level))
}

/// Whether the name says more than the level: LogBeacon's `Info_CTG`, syslog's `notice`.
#[must_use]
pub fn says_more(name: &str) -> bool {
    ["info_ctg", "error_ctg", "monitor", "notice", "alert", "emerg", "emergency"]
        .iter()
        .any(|other| other.eq_ignore_ascii_case(name.trim()))
}

/// The level of a syslog severity (RFC 5424, table 2).
#[must_use]
pub const fn from_severity(severity: u8) -> Level {
    match severity {
        0..=2 => Level::Critical,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    }
}

/// The level of an OpenTelemetry severity number (1 to 24; logs data model, SeverityNumber).
#[must_use]
pub const fn from_otel(number: i32) -> Option<Level> {
    Some(match number {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Critical,
        _ => return None,
    })
}

/// The level of a number as Node's loggers write it: 10 trace to 60 fatal.
#[must_use]
pub const fn from_tens(number: i64) -> Option<Level> {
    Some(match number {
        10 => Level::Trace,
        20 => Level::Debug,
        30 => Level::Info,
        40 => Level::Warn,
        50 => Level::Error,
        60 => Level::Critical,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        for (name, level) in [
            ("Error_CTG", Level::Error),
            (" WARNING ", Level::Warn),
            ("fatal", Level::Critical),
            ("Info", Level::Info),
        ] {
            assert_eq!(from_name(name), Some(level), "{name}");
        }
        assert_eq!(from_name("loud"), None);
        assert_eq!(from_name(""), None);
    }

    #[test]
    fn numbers_of_each_protocol_rise_with_the_level() {
        let severities: Vec<Level> = (0..8).rev().map(from_severity).collect();
        assert!(severities.is_sorted());
        let numbers: Vec<Level> = (1..25).filter_map(from_otel).collect();
        assert!(numbers.is_sorted() && numbers.len() == 24);
        assert_eq!((from_otel(0), from_otel(25), from_tens(35)), (None, None, None));
    }
}
