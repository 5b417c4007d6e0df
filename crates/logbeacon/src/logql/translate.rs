//! Translate: LogQL's matchers → filters.
//!
//! A label that a record has not is the empty text, as in Loki.

use super::{LogQlError, Parsed, field_of};
use crate::decode::time::duration;
use logwell_query::{Comparison, Filter, Level, LevelSet, Literal, MESSAGE, Names, Pattern, Test};

/// A label against a text: `=`, `!=`, `=~`, `!~`; the comparison of the whole value.
pub(super) fn label_filter(name: &str, op: &str, value: &str) -> Parsed<Filter> {
    let field = field_of(name);
    let wanted = match op {
        "=" | "==" | "!=" => equals(field, value),
        "=~" | "!~" => matches(field, value)?,
        _ => return Err(LogQlError(format!("`{op}` compares numbers: {name}{op}5"))),
    };
    Ok(if op.starts_with('!') { Filter::Not(Box::new(wanted)) } else { wanted })
}

/// A label against a number, a length of time or a size.
pub(super) fn numeric_filter(name: &str, op: &str, value: &str) -> Parsed<Filter> {
    let field = field_of(name);
    let literal = Literal::plain(value, field);
    let test = match op {
        "=" | "==" | "!=" => Test::Equals(literal),
        ">" => Test::Compare(Comparison::Greater, literal),
        ">=" => Test::Compare(Comparison::AtLeast, literal),
        "<" => Test::Compare(Comparison::Less, literal),
        "<=" => Test::Compare(Comparison::AtMost, literal),
        _ => return Err(LogQlError(format!("`{op}` compares texts: {name}{op}\"…\""))),
    };
    let wanted = of_field(field, test);
    Ok(if op == "!=" { Filter::Not(Box::new(wanted)) } else { wanted })
}

/// A text or expression that the line has; without the `!`.
pub(super) fn line_filter(op: &str, text: &str) -> Parsed<Filter> {
    if text.is_empty() {
        return Ok(Filter::All);
    }
    let source = if op.ends_with('~') { text.to_owned() } else { escaped(text) };
    let pattern = Pattern::new(&source).map_err(LogQlError)?;
    Ok(of_field(MESSAGE, Test::Matches(pattern)))
}

/// The length of a window.
pub(super) fn length(text: &str) -> Option<i64> {
    duration(text)
}

fn equals(field: &str, value: &str) -> Filter {
    match value {
        "" => Filter::Not(Box::new(of_field(field, Test::Exists))),
        value if field == "level" => level(|level| Level::parse(value) == Some(level)),
        value => of_field(field, Test::Equals(Literal::text(value))),
    }
}

fn matches(field: &str, value: &str) -> Parsed<Filter> {
    let whole = |flags: &str| Pattern::new(&format!("{flags}^(?:{value})$")).map_err(LogQlError);
    if field == "level" {
        let pattern = whole("(?i)")?;
        let spelt = |level: Level| match level {
            Level::Critical => vec!["critical", "fatal"],
            Level::Warn => vec!["warn", "warning"],
            other => vec![other.name()],
        };
        return Ok(level(|level| spelt(level).into_iter().any(|name| pattern.is_in(name))));
    }
    let pattern = whole("")?;
    let is_missing = Filter::Not(Box::new(of_field(field, Test::Exists)));
    let matches_nothing = pattern.is_in("");
    let matches = of_field(field, Test::Matches(pattern));
    Ok(if matches_nothing { Filter::Or(vec![matches, is_missing]) } else { matches })
}

fn level(wanted: impl Fn(Level) -> bool) -> Filter {
    Filter::Level(LevelSet::of(wanted))
}

fn of_field(field: &str, test: Test) -> Filter {
    Filter::Field(Names::One(field.to_owned()), test)
}

/// The expression that matches a text as it is.
fn escaped(text: &str) -> String {
    let mut source = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            source.push('\\');
        }
        source.push(character);
    }
    source
}
