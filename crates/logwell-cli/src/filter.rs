//! Filter: which records are wanted.
//!
//! Decides in two steps: what the bytes of a line show at once is looked at before the line is read
//! as JSON; most lines of a large file go no further. Pure over lines.

use crate::line::{Line, peek, text_of};
use crate::query::raw::Raw;
use crate::query::row::LineRow;
use logwell::Level;
use logwell_query::TimeRange;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Which records are wanted. By default all of them.
#[derive(Debug, Default)]
pub struct Wishes {
    /// That level and more important ones.
    pub level: Option<Level>,
    /// Loggers that are one of these or lie below one; empty for all.
    pub loggers: Vec<String>,
    /// From that moment on, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Before that moment.
    pub until: Option<i64>,
    /// Each of these must hold.
    pub fields: Vec<Condition>,
    /// Each of these must stand somewhere in the message or the value of a field.
    pub texts: Vec<String>,
    /// The trace the record belongs to.
    pub trace: Option<String>,
    /// A filter of the query language.
    pub query: Option<logwell_query::Filter>,
}

/// Decides which records are wanted.
#[derive(Debug, Default)]
pub struct Filter {
    wishes: Wishes,
    quick: Quick,
}

/// What can be said about a line from its bytes.
#[derive(Debug, Default)]
struct Quick {
    /// Moments as logwell writes them compare like texts.
    since: Option<Vec<u8>>,
    until: Option<Vec<u8>>,
    level: Option<Level>,
    /// A wanted line has all of these in it.
    words: Vec<Finder<'static>>,
    /// And this.
    raw: Option<Raw>,
}

impl Filter {
    /// A filter for those wishes.
    #[must_use]
    pub fn new(wishes: Wishes) -> Self {
        let text = |unix_ns: Option<i64>| {
            // Rounded up: a line's moment has microseconds.
            let micros = unix_ns?.checked_add(999)?.div_euclid(1_000);
            let moment = jiff::Timestamp::from_microsecond(micros).ok()?;
            let text = format!("{moment:.6}");
            Some(text.strip_suffix('Z')?.as_bytes().to_vec()).filter(|text| text.len() == 26)
        };
        let conditions = wishes.fields.iter().filter_map(Condition::word);
        let words = wishes.texts.iter().map(String::as_str).chain(wishes.trace.as_deref());
        // Ids of a trace are written as they are; texts too, if there is nothing to escape in them.
        let words = words.map(longest_plain).chain(conditions).filter(|word| !word.is_empty());
        let query = wishes.query.as_ref();
        let range = query.map_or(TimeRange::ALL, logwell_query::Filter::time_range);
        let end = range.last_ns.checked_add(1);
        let quick = Quick {
            since: text(wishes.since.max(Some(range.first_ns))),
            until: text(wishes.until.into_iter().chain(end).min()),
            level: wishes.level.max(query.and_then(least_level)),
            raw: query.map(|query| Raw::of(&query.needs())),
            words: words.map(|word| Finder::new(word.as_bytes()).into_owned()).collect(),
        };
        Self { wishes, quick }
    }

    /// Whether everything is wanted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wishes.level.is_none()
            && self.wishes.loggers.is_empty()
            && self.wishes.since.is_none()
            && self.wishes.until.is_none()
            && self.wishes.fields.is_empty()
            && self.wishes.texts.is_empty()
            && self.wishes.trace.is_none()
            && self.wishes.query.is_none()
    }

    /// Whether the bytes of a line already show that it is not wanted.
    ///
    /// It is sound for every writer that does not escape what needs none: letters, digits and a few
    /// signs are in JSON as they are.
    #[must_use]
    pub fn rejects(&self, line: &[u8]) -> bool {
        let Quick { since, until, level, words, raw } = &self.quick;
        if (level.is_some() || since.is_some() || until.is_some())
            && let Some((moment, found)) = peek(line)
            && (level.is_some_and(|wanted| found < wanted)
                || since.as_ref().is_some_and(|since| moment < &**since)
                || until.as_ref().is_some_and(|until| moment >= &**until))
        {
            return true;
        }
        words.iter().any(|word| word.find(line).is_none())
            || raw
                .as_ref()
                .is_some_and(|raw| std::str::from_utf8(line).is_ok_and(|line| !raw.may_be(line)))
    }

    /// Whether the record is wanted.
    #[must_use]
    pub fn wants(&self, line: &Line<'_>) -> bool {
        self.wishes.level.is_none_or(|wanted| line.level().is_some_and(|level| level >= wanted))
            && self.wants_moment(line)
            && self.wants_logger(line)
            && self.wishes.trace.as_ref().is_none_or(|id| is_of_trace(line, id))
            && self.wishes.fields.iter().all(|condition| condition.holds(line))
            && self.wishes.texts.iter().all(|text| contains(line, text))
            && self.wishes.query.as_ref().is_none_or(|query| query.matches(&LineRow::new(line)))
    }

    fn wants_moment(&self, line: &Line<'_>) -> bool {
        if self.wishes.since.is_none() && self.wishes.until.is_none() {
            return true;
        }
        line.unix_ns().is_some_and(|moment| {
            self.wishes.since.is_none_or(|since| moment >= since)
                && self.wishes.until.is_none_or(|until| moment < until)
        })
    }

    fn wants_logger(&self, line: &Line<'_>) -> bool {
        if self.wishes.loggers.is_empty() {
            return true;
        }
        let Some(logger) = line.text("logger") else { return false };
        self.wishes.loggers.iter().any(|wanted| {
            logger.strip_prefix(&**wanted).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with([':', '.', '/']) || wanted.ends_with(':')
            })
        })
    }
}

/// The least important level that the filter lets through, if it says so.
fn least_level(filter: &logwell_query::Filter) -> Option<Level> {
    Level::from_name(filter.levels()?.iter().next()?.name())
}

fn is_of_trace(line: &Line<'_>, id: &str) -> bool {
    line.text("trace_id").is_some_and(|known| known == id)
}

/// Keys whose values say where a record comes from, and not what it says.
const PLACE: [&str; 9] =
    ["timestamp", "level", "logger", "module", "file", "line", "thread", "process", "seq"];

/// Whether the text is in the message or in a value, as it is shown.
fn contains(line: &Line<'_>, text: &str) -> bool {
    line.members().filter(|(key, _)| !PLACE.contains(key)).any(|(_, value)| {
        text_of(value).contains(text) || (value.starts_with(['{', '[']) && inner_has(value, text))
    })
}

fn inner_has(value: &str, text: &str) -> bool {
    fn has(value: &serde_json::Value, text: &str) -> bool {
        match value {
            serde_json::Value::String(inner) => inner.contains(text),
            serde_json::Value::Array(list) => list.iter().any(|inner| has(inner, text)),
            serde_json::Value::Object(object) => object.values().any(|inner| has(inner, text)),
            _ => false,
        }
    }
    serde_json::from_str(value).is_ok_and(|value| has(&value, text))
}

/// The longest part of a text that no writer of JSON escapes.
fn longest_plain(text: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ':');
    text.split(|c| !is_plain(c)).max_by_key(|part| part.len()).unwrap_or_default()
}

/// What a field must be: `user_id=7`, `latency_ms>100`, `path~/api`, `error`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    IsThere,
    Contains(String),
    Compares(&'static [Ordering], String),
    Differs(String),
}

/// The signs, the longer ones first.
const SIGNS: [(&str, &[Ordering]); 5] = [
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("<=", &[Ordering::Less, Ordering::Equal]),
    ("=", &[Ordering::Equal]),
    (">", &[Ordering::Greater]),
    ("<", &[Ordering::Less]),
];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let signs = ["!=", ">=", "<=", "=", ">", "<", "~"];
        let first = signs.iter().filter_map(|sign| Some((text.find(sign)?, *sign)));
        let first = first.min_by_key(|(at, sign)| (*at, std::cmp::Reverse(sign.len())));
        let (field, test) = match first {
            None => (text, Test::IsThere),
            Some((at, sign)) => {
                let (field, rest) = text.split_at(at);
                let value = rest.strip_prefix(sign).unwrap_or_default().trim().to_owned();
                let orders =
                    SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, orders)| *orders);
                let test = match (sign, orders) {
                    ("!=", _) => Test::Differs(value),
                    (_, Some(orders)) => Test::Compares(orders, value),
                    _ => Test::Contains(value),
                };
                (field, test)
            }
        };
        match field.trim() {
            "" => Err(format!(
                "{text:?} names no field; examples: user_id=7, latency_ms>100, path~/api, error"
            )),
            field => Ok(Self { field: field.to_owned(), test }),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)
    }
}

impl Condition {
    /// Whether it holds for the field of the record, or else for that of the innermost span.
    fn holds(&self, line: &Line<'_>) -> bool {
        let own = line.text(&self.field);
        let found = own.or_else(|| of_span(line, &self.field));
        match (&self.test, found) {
            // What is not there is different from everything.
            (Test::Differs(value), found) => {
                found.is_none_or(|found| compare(&found, value) != Some(Ordering::Equal))
            }
            (_, None) => false,
            (Test::IsThere, Some(_)) => true,
            (Test::Contains(part), Some(found)) => found.contains(&**part),
            (Test::Compares(orders, value), Some(found)) => {
                compare(&found, value).is_some_and(|order| orders.contains(&order))
            }
        }
    }

    /// A word that is in each line for which it holds.
    fn word(&self) -> Option<&str> {
        match &self.test {
            Test::Differs(_) => None,
            Test::Contains(part) => Some(longest_plain(part)),
            // `7` equals `7.0`: only what is no number must be there as it is.
            Test::Compares([Ordering::Equal], value) if value.parse::<f64>().is_err() => {
                Some(longest_plain(value))
            }
            Test::IsThere | Test::Compares(..) => Some(longest_plain(&self.field)),
        }
    }
}

/// The field of the innermost span that has it.
fn of_span<'l>(line: &'l Line<'_>, field: &str) -> Option<Cow<'l, str>> {
    let spans: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(line.raw("spans")?).ok()?;
    let value = spans.iter().rev().find_map(|span| span.get(field))?;
    Some(Cow::Owned(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}

/// Numbers by their size, other texts only as equal or by their letters.
fn compare(found: &str, value: &str) -> Option<Ordering> {
    if let (Ok(found), Ok(value)) = (found.parse::<i128>(), value.parse::<i128>()) {
        return Some(found.cmp(&value));
    }
    match (found.parse::<f64>(), value.parse::<f64>()) {
        (Ok(found), Ok(value)) => found.partial_cmp(&value),
        // A number and a text do not compare, but they differ.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => (found == value).then_some(Ordering::Equal),
        (Err(_), Err(_)) => Some(found.cmp(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = r#"{"timestamp":"2026-02-19T10:30:00.123456+00:00","level":"WARN","logger":"shop::cart","message":"payment \"slow\"","thread":"main","process":1,"seq":3,"trace_id":"abc","spans":[{"name":"request","path":"/buy","user":"ann"},{"name":"pay","user":"bob"}],"attempt":2,"ratio":2.5,"big":18446744073709551616,"ok":true,"note":"7 apples","error":"é"}"#;

    fn admits(wishes: Wishes) -> bool {
        let filter = Filter::new(wishes);
        let wants = filter.wants(&Line::parse(LINE.as_bytes()).unwrap());
        assert!(!(wants && filter.rejects(LINE.as_bytes())), "{filter:?} rejects what it wants");
        wants
    }

    fn field(condition: &str) -> bool {
        admits(Wishes { fields: vec![condition.parse().unwrap()], ..Wishes::default() })
    }

    #[test]
    fn a_condition_on_a_field_holds_or_not() {
        for yes in [
            "attempt=2",
            "attempt>1",
            "attempt>=2",
            "attempt<3",
            "attempt<=2",
            "attempt!=3",
            "attempt",
            "attempt=2.0",
            "ratio>2",
            "ratio<2.51",
            "big>18446744073709551615",
            "ok=true",
            "note~apple",
            "note=7 apples",
            "nothing!=1",
            "user=bob",
            "path=/buy",
            "path~bu",
            "thread=main",
            "message~slow",
            "message=payment \"slow\"",
            "error=é",
            "process=1",
            "seq<4",
            "note!=7",
        ] {
            assert!(field(yes), "{yes}");
        }
        for no in [
            "attempt=3",
            "attempt>2",
            "attempt<2",
            "attempt!=2",
            "nothing",
            "nothing=1",
            "note>5",
            "note=7",
            "user=ann",
            "ok=1",
            "big>18446744073709551616",
            "message=payment",
            "attempt~3",
        ] {
            assert!(!field(no), "{no}");
        }
        for wrong in ["", "=1", " ", "!=a"] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn level_logger_time_text_and_trace_filter() {
        let with = |change: fn(&mut Wishes)| {
            let mut filter = Wishes::default();
            change(&mut filter);
            admits(filter)
        };
        assert!(with(|f| f.level = Some(Level::Warn)));
        assert!(!with(|f| f.level = Some(Level::Error)));
        for (logger, expected) in [
            ("shop", true),
            ("shop::cart", true),
            ("shop::", true),
            ("sho", false),
            ("cart", false),
            ("shop::cart::x", false),
            ("other", false),
        ] {
            let filter =
                Wishes { loggers: vec!["none".into(), logger.into()], ..Wishes::default() };
            assert_eq!(admits(filter), expected, "{logger}");
        }
        assert!(with(|f| f.texts = vec!["slow".into(), "payment \"".into()]));
        assert!(with(|f| f.texts = vec!["ann".into()]), "in a span");
        assert!(!with(|f| f.texts = vec!["fast".into()]));
        assert!(!with(|f| f.texts = vec!["WARN".into()]), "the level is no text");
        assert!(with(|f| f.trace = Some("abc".into())));
        assert!(!with(|f| f.trace = Some("ab".into())));
        let at = 1_771_497_000_123_456_000;
        for (since, until, expected) in [
            (Some(at), None, true),
            (Some(at + 1), None, false),
            (None, Some(at), false),
            (None, Some(at + 1), true),
            (Some(at - 1), Some(at + 1_000), true),
        ] {
            assert_eq!(admits(Wishes { since, until, ..Wishes::default() }), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_rejected_at_once_is_never_wanted(
            message in "[a-z\"\\\\<>&/é\u{1b} ]{0,12}", value in "[a-z0-9. \"/]{0,6}", text in "[a-z\"/é<]{0,4}",
            sign in "=|!=|~|>|<|>=|<=", level in 0_usize..6, wanted in 0_usize..6, seconds in 0_i64..4, since in 0_i64..4,
        ) {
            let json = serde_json::json!({
                "timestamp": format!("2026-02-19T10:30:0{seconds}.000000+00:00"),
                "level": Level::ALL[level].as_str(), "message": message, "v": value,
            });
            let line = json.to_string();
            let start = 1_771_497_000_000_000_000;
            let filter = Filter::new(Wishes {
                level: Some(Level::ALL[wanted]),
                since: Some(start + since * 1_000_000_000),
                texts: vec![text],
                fields: vec![format!("v{sign}{value}").parse().unwrap()],
                ..Wishes::default()
            });
            let parsed = Line::parse(line.as_bytes()).unwrap();
            prop_assert!(!(filter.rejects(line.as_bytes()) && filter.wants(&parsed)));
        }
    }
}
