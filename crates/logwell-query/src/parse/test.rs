//! The grammar of tests: what is asked of one field, behind its name.
//!
//! Knows that `time` and `level` are not compared as other fields are.

use super::MAX_PHRASE_BYTES;
use super::scan::{Scan, Token, VALUE_ENDS, is_quote};
use crate::error::{QueryError, nearest};
use crate::filter::{Comparison, Filter, Names, Test};
use crate::level::{self, Level, LevelSet};
use crate::literal::Literal;
use crate::moment::{self, TimeRange};
use crate::number::{Number, Quantity};
use crate::pattern::Pattern;
use crate::row::{LEVEL, TIME};
use crate::words::{Part, Phrase};
use crate::write::Quoted;
use std::cmp::Ordering;

/// What comes after `field:`.
pub(super) fn after_colon(
    scan: &mut Scan<'_>,
    name: &Token,
    names: Names,
) -> Result<Filter, QueryError> {
    if !name.is_quoted && name.text.chars().all(|c| c.is_ascii_digit()) {
        let error = scan.error(name.place.clone(), format!("{} is no field", name.text));
        return Err(error.suggest("a text with a : goes in quotes"));
    }
    if scan.eat('~') {
        return Ok(pattern(scan)?.of(names));
    }
    if scan.rest().starts_with(['<', '>']) {
        return comparison(scan, name, names);
    }
    if is_star(scan) {
        scan.eat('*');
        return Ok(Test::Exists.of(names));
    }
    if scan.rest().starts_with('(') {
        let error = scan.error_here("a value is missing".to_owned());
        return Err(error.suggest(format!("one of several values: {}:in(a, b)", name.text)));
    }
    if scan.is_word("in")
        && scan.rest().get(2..).is_some_and(|rest| rest.trim_start().starts_with('('))
    {
        scan.eat_word("in");
        scan.expect('(', "in")?;
        let values = scan.list(value)?;
        scan.expect(')', "in")?;
        return one_of(scan, &names, &values);
    }
    if scan.eat('=') {
        let value = value(scan)?;
        return one_of(scan, &names, std::slice::from_ref(&value));
    }
    if scan.peek().is_some_and(is_quote) {
        return quoted(scan, names);
    }
    if let Some(ends) = range(scan, name)? {
        return between(scan, &names, ends);
    }
    if is_special(&names) {
        let value = value(scan)?;
        return one_of(scan, &names, std::slice::from_ref(&value));
    }
    let start = scan.at();
    if scan.rest().starts_with("*\"") {
        scan.eat('*');
        let token = value(scan)?;
        return Ok(closing_star(scan, start, &token)?.of(names));
    }
    let token = value(scan)?;
    Ok(bare(scan, &token)?.of(names))
}

/// `"a phrase"`, `"its beginn"*`, `"a".."b"`
fn quoted(scan: &mut Scan<'_>, names: Names) -> Result<Filter, QueryError> {
    let token = value(scan)?;
    if scan.eat_str("..") {
        let high = value(scan)?;
        return between(scan, &names, (token, high));
    }
    if is_special(&names) {
        return one_of(scan, &names, std::slice::from_ref(&token));
    }
    let is_prefix = scan.eat('*');
    Ok(phrase(scan, &token, is_prefix)?.of(names))
}

/// Whether the field is `time` or `level`, which have tests of their own.
fn is_special(names: &Names) -> bool {
    matches!(names, Names::One(field) if field == TIME || field == LEVEL)
}

/// Whether a lone `*` is next.
fn is_star(scan: &Scan<'_>) -> bool {
    let after = scan.rest().strip_prefix('*').map(|rest| rest.chars().next());
    after.is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || "()|,".contains(c)))
}

/// What comes after a field and is a comparison.
pub(super) fn comparison(
    scan: &mut Scan<'_>,
    name: &Token,
    names: Names,
) -> Result<Filter, QueryError> {
    scan.skip_space();
    let start = scan.at();
    let comparison = match () {
        () if scan.eat_str(">=") => Comparison::AtLeast,
        () if scan.eat_str("<=") => Comparison::AtMost,
        () if scan.eat('>') => Comparison::Greater,
        () if scan.eat('<') => Comparison::Less,
        () => {
            let error = scan.error_here(format!("{} needs a comparison here", name.text));
            return Err(error.suggest("comparisons are >, >=, <, <= and := (exactly)"));
        }
    };
    if scan.rest().starts_with(['=', '<', '>']) {
        let what = "this is no comparison".to_owned();
        let error = scan.error(start..scan.at() + 1, what);
        return Err(error.suggest("comparisons are >, >=, <, <= and := (exactly)"));
    }
    scan.skip_space();
    let value = value(scan)?;
    match &names {
        Names::One(field) if field == TIME => {
            let named = time(scan, &value)?;
            let range = match comparison {
                Comparison::Less => named.first_ns.checked_sub(1).map(until),
                Comparison::AtMost => Some(until(named.last_ns)),
                Comparison::Greater => named.last_ns.checked_add(1).map(since),
                Comparison::AtLeast => Some(since(named.first_ns)),
            };
            range.map(Filter::Time).ok_or_else(|| no_time(scan, &value))
        }
        Names::One(field) if field == LEVEL => {
            let limit = level(scan, &value)?;
            Ok(Filter::Level(LevelSet::of(|level| comparison.holds(level.cmp(&limit)))))
        }
        _ => Ok(Test::Compare(comparison, literal(&value, &names)).of(names)),
    }
}

fn until(last_ns: i64) -> TimeRange {
    TimeRange { last_ns, ..TimeRange::ALL }
}

fn since(first_ns: i64) -> TimeRange {
    TimeRange { first_ns, ..TimeRange::ALL }
}

/// A value, bare or in quotes.
fn value(scan: &mut Scan<'_>) -> Result<Token, QueryError> {
    scan.skip_space();
    match scan.quoted()? {
        Some(token) => Ok(token),
        None => match scan.bare(VALUE_ENDS) {
            Some(token) => Ok(token),
            None => Err(scan.error_here("a value is missing".to_owned())),
        },
    }
}

fn literal(token: &Token, names: &Names) -> Literal {
    match (token.is_quoted, names) {
        (true, _) => Literal::text(&token.text),
        (false, Names::One(field)) => Literal::plain(&token.text, field),
        (false, Names::Prefix(_)) => Literal::plain(&token.text, ""),
    }
}

fn one_of(scan: &Scan<'_>, names: &Names, values: &[Token]) -> Result<Filter, QueryError> {
    match names {
        Names::One(field) if field == LEVEL => {
            let levels: Result<Vec<Level>, QueryError> =
                values.iter().map(|value| level(scan, value)).collect();
            let levels = levels?;
            Ok(Filter::Level(LevelSet::of(|level| levels.contains(&level))))
        }
        Names::One(field) if field == TIME => match values {
            [value] => Ok(Filter::Time(time_or_since(scan, value)?)),
            [first, ..] => Err(scan.error(first.place.clone(), "time takes one range".to_owned())),
            [] => Ok(Filter::All),
        },
        _ => {
            let mut literals: Vec<Literal> =
                values.iter().map(|value| literal(value, names)).collect();
            let test = match (literals.len(), literals.pop()) {
                (1, Some(only)) => Test::Equals(only),
                (_, last) => {
                    literals.extend(last);
                    Test::In(literals)
                }
            };
            Ok(test.of(names.clone()))
        }
    }
}

/// The two ends of `10..20`, if that is next.
fn range(scan: &mut Scan<'_>, name: &Token) -> Result<Option<(Token, Token)>, QueryError> {
    let start = scan.at();
    let rest = scan.rest();
    let run = rest
        .get(..rest.find(|c: char| c.is_whitespace() || "()|,".contains(c)).unwrap_or(rest.len()));
    let Some((low, high)) = run.and_then(|run| run.split_once("..")) else { return Ok(None) };
    let is_number = |text: &str| Number::parse(text).is_some() || Quantity::parse(text).is_some();
    let symbol = match (low, high) {
        (low, "") if is_number(low) => Some((">=", low)),
        ("", high) if is_number(high) => Some(("<=", high)),
        _ => None,
    };
    if let Some((symbol, end)) = symbol {
        let error = scan
            .error(start..start + low.len() + high.len() + 2, "a range has two ends".to_owned());
        return Err(error.suggest(format!("did you mean {}{symbol}{end}?", name.text)));
    }
    if low.is_empty() || high.is_empty() {
        return Ok(None);
    }
    let low = Token { text: low.to_owned(), place: start..start + low.len(), is_quoted: false };
    scan.eat_str(&low.text);
    scan.eat_str("..");
    Ok(Some((low, value(scan)?)))
}

fn between(
    scan: &Scan<'_>,
    names: &Names,
    (low, high): (Token, Token),
) -> Result<Filter, QueryError> {
    let place = low.place.start..high.place.end;
    let reversed = || {
        let error = scan.error(place.clone(), "this range ends before it begins".to_owned());
        error.suggest(format!("did you mean {}..{}?", high.text, low.text))
    };
    match names {
        Names::One(field) if field == TIME => {
            let range = TimeRange {
                first_ns: time(scan, &low)?.first_ns,
                last_ns: time(scan, &high)?.last_ns,
            };
            if range.is_empty() { Err(reversed()) } else { Ok(Filter::Time(range)) }
        }
        Names::One(field) if field == LEVEL => {
            let ends = level(scan, &low)?..=level(scan, &high)?;
            if ends.is_empty() {
                return Err(reversed());
            }
            Ok(Filter::Level(LevelSet::of(|level| ends.contains(&level))))
        }
        _ => {
            let (from, to) = (literal(&low, names), literal(&high, names));
            match from.compare(&to) {
                Some(Ordering::Greater) => Err(reversed()),
                Some(_) => Ok(Test::Between(from, to).of(names.clone())),
                None => {
                    let what = "the ends of this range cannot be compared".to_owned();
                    Err(scan.error(place, what).suggest("both are numbers, sizes, times or texts"))
                }
            }
        }
    }
}

fn level(scan: &Scan<'_>, value: &Token) -> Result<Level, QueryError> {
    Level::parse(&value.text).ok_or_else(|| {
        let error = scan.error(value.place.clone(), format!("{:?} is no level", value.text));
        match nearest(&value.text, level::SPELLINGS.map(|(name, _)| name)) {
            Some(name) => error.suggest(format!("did you mean {name}?")),
            None => error.suggest("levels are trace, debug, info, warn, error, critical"),
        }
    })
}

fn time(scan: &Scan<'_>, value: &Token) -> Result<TimeRange, QueryError> {
    moment::parse_range(&value.text, scan.now_ns).ok_or_else(|| no_time(scan, value))
}

/// `time:5m` is since five minutes ago, `time:2026-11-30` that day.
fn time_or_since(scan: &Scan<'_>, value: &Token) -> Result<TimeRange, QueryError> {
    let range = time(scan, value)?;
    let is_ago = Quantity::parse(value.text.strip_prefix("now-").unwrap_or(&value.text)).is_some();
    Ok(if is_ago { since(range.first_ns) } else { range })
}

fn no_time(scan: &Scan<'_>, value: &Token) -> QueryError {
    let error = scan.error(value.place.clone(), format!("{:?} is no time", value.text));
    error.suggest(
        "times are 5m or 2h or 3d (ago), 2026-11-30, 2026-11-30T10:00:00Z, today, yesterday, now",
    )
}

/// Behind `~`: a regular expression.
pub(super) fn pattern(scan: &mut Scan<'_>) -> Result<Test, QueryError> {
    let token = value(scan)?;
    Pattern::new(&token.text).map(Test::Matches).map_err(|problem| scan.error(token.place, problem))
}

pub(super) fn phrase(scan: &Scan<'_>, token: &Token, is_prefix: bool) -> Result<Test, QueryError> {
    short_enough(scan, token)?;
    Phrase::new(&token.text, is_prefix).map(Test::Phrase).ok_or_else(|| {
        let error = scan.error(token.place.clone(), "there is no word in this".to_owned());
        match token.text.is_empty() {
            true => error.suggest("a field that is empty: field:=\"\""),
            false => error.suggest(format!("to find it anywhere: *{}*", Quoted(&token.text))),
        }
    })
}

pub(super) fn part(scan: &Scan<'_>, token: &Token) -> Result<Test, QueryError> {
    short_enough(scan, token)?;
    Part::new(&token.text)
        .map(Test::Contains)
        .ok_or_else(|| scan.error(token.place.clone(), "the text is empty".to_owned()))
}

fn short_enough(scan: &Scan<'_>, token: &Token) -> Result<(), QueryError> {
    match token.text.len() {
        0..=MAX_PHRASE_BYTES => Ok(()),
        long => {
            let what = format!("this text has {long} bytes, {MAX_PHRASE_BYTES} are allowed");
            Err(scan.error(token.place.clone(), what))
        }
    }
}

/// The `*` at the end of `*"part"*`.
pub(super) fn closing_star(
    scan: &mut Scan<'_>,
    start: usize,
    token: &Token,
) -> Result<Test, QueryError> {
    match scan.eat('*') {
        true => part(scan, token),
        false => Err(stars(scan, &Token { place: start..scan.at(), ..token.clone() })),
    }
}

/// A bare text: `word`, `pre*` or `*part*`.
pub(super) fn bare(scan: &Scan<'_>, token: &Token) -> Result<Test, QueryError> {
    let inner = |text: &str| Token { text: text.to_owned(), ..token.clone() };
    let (head, tail) = (token.text.starts_with('*'), token.text.ends_with('*'));
    let text = token.text.trim_start_matches('*').trim_end_matches('*');
    match (head, tail) {
        _ if text.contains('*') || text.is_empty() => Err(stars(scan, token)),
        (false, false) => phrase(scan, token, false),
        (false, true) => phrase(scan, &inner(text), true),
        (true, true) => part(scan, &inner(text)),
        (true, false) => Err(stars(scan, &inner(text))),
    }
}

fn stars(scan: &Scan<'_>, token: &Token) -> QueryError {
    let what = "a * is at the end of a word, or on both sides of a part".to_owned();
    let error = scan.error(token.place.clone(), what);
    match token.text.contains('*') || token.text.is_empty() {
        true => error.suggest("for more there are regular expressions: ~\"a.*b\""),
        false => error.suggest(format!("did you mean *{}*?", Quoted(&token.text))),
    }
}
