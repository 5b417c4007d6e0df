//! Write: a query as text, so that it reads back as the same query.
//!
//! Knows the syntax. Times are written as absolute, so a query means the same tomorrow.

use crate::filter::{Filter, Names, Test};
use crate::level::{Level, LevelSet};
use crate::literal::{Literal, Meaning};
use crate::moment::{self, TimeRange};
use crate::query::{
    Aggregate, Bucket, Context, Extract, Facets, Function, Group, Histogram, Pipe, Query, SortKey,
    Stats, Top,
};
use std::fmt::{self, Display, Formatter, Result};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.filter.fmt(f)?;
        self.pipes.iter().try_for_each(|pipe| write!(f, " | {pipe}"))
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All => f.write_str("*"),
            Self::And(parts) => joined(f, parts.iter().map(Inner), " "),
            // `and` binds closer.
            Self::Or(parts) => joined(f, parts.iter().map(Alternative), " or "),
            Self::Not(part) => write!(f, "-{}", Inner(part)),
            Self::Text(test) => in_text(f, test),
            Self::Field(names, test) => in_field(f, names, test),
            Self::Time(range) => time(f, *range),
            Self::Level(set) => level(f, *set),
        }
    }
}

/// A filter inside another one.
struct Inner<'a>(&'a Filter);

impl Display for Inner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Filter::And(_) | Filter::Or(_) => write!(f, "({})", self.0),
            other => other.fmt(f),
        }
    }
}

/// A filter beside an `or`.
struct Alternative<'a>(&'a Filter);

impl Display for Alternative<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            Filter::And(_) => self.0.fmt(f),
            other => Inner(other).fmt(f),
        }
    }
}

fn in_text(f: &mut Formatter<'_>, test: &Test) -> Result {
    match test {
        Test::Matches(pattern) => write!(f, "~{}", InQuotes(pattern.source())),
        test => words(f, test),
    }
}

fn in_field(f: &mut Formatter<'_>, names: &Names, test: &Test) -> Result {
    match test {
        Test::Matches(pattern) => write!(f, "{names}~{}", InQuotes(pattern.source())),
        Test::Compare(comparison, literal) => write!(f, "{names}{}{literal}", comparison.symbol()),
        test => {
            write!(f, "{names}:")?;
            words(f, test)
        }
    }
}

fn words(f: &mut Formatter<'_>, test: &Test) -> Result {
    match test {
        Test::Exists => f.write_str("*"),
        Test::Phrase(phrase) => {
            let star = if phrase.is_prefix() { "*" } else { "" };
            write!(f, "{}{star}", Quoted(phrase.source()))
        }
        Test::Contains(part) => write!(f, "*{}*", InQuotes(part.source())),
        Test::Equals(literal) => write!(f, "={literal}"),
        Test::In(literals) => {
            f.write_str("in(")?;
            joined(f, literals, ", ")?;
            f.write_str(")")
        }
        Test::Between(low, high) => write!(f, "{low}..{high}"),
        Test::Matches(pattern) => write!(f, "~{}", InQuotes(pattern.source())),
        Test::Compare(comparison, literal) => write!(f, "{}{literal}", comparison.symbol()),
    }
}

fn time(f: &mut Formatter<'_>, range: TimeRange) -> Result {
    let (first, last) = (moment::exact_text(range.first_ns), moment::exact_text(range.last_ns));
    match (range.first_ns, range.last_ns) {
        (i64::MIN, i64::MAX) => write!(f, "time>={first}"),
        (i64::MIN, _) => write!(f, "time<={last}"),
        (_, i64::MAX) => write!(f, "time>={first}"),
        _ => write!(f, "time:{first}..{last}"),
    }
}

/// As a comparison, if it is one.
fn level(f: &mut Formatter<'_>, set: LevelSet) -> Result {
    let name = |level: Level| level.name().to_ascii_lowercase();
    let levels: Vec<Level> = set.iter().collect();
    match (levels.as_slice(), levels.first(), levels.last()) {
        ([only], ..) => write!(f, "level:{}", name(*only)),
        ([], ..) => f.write_str("level<trace"),
        (several, Some(first), Some(Level::Critical))
            if set == LevelSet::of(|level| level >= *first) && several.len() > 1 =>
        {
            write!(f, "level>={}", name(*first))
        }
        _ => {
            f.write_str("level:in(")?;
            joined(f, levels.iter().map(|level| name(*level)), ", ")?;
            f.write_str(")")
        }
    }
}

impl Display for Names {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::One(name) => Quoted(name).fmt(f),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.meaning() {
            Meaning::Text => InQuotes(self.as_str()).fmt(f),
            Meaning::Number(_) | Meaning::Quantity { .. } => f.write_str(self.as_str()),
        }
    }
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Where(filter) => write!(f, "where {filter}"),
            Self::Fields(names) => listed(f, "fields", names),
            Self::Drop(names) => listed(f, "drop", names),
            Self::Rename(pairs) => {
                let renamed =
                    |(from, to): &(String, String)| format!("{} as {}", Quoted(from), Quoted(to));
                listed(f, "rename", pairs.iter().map(renamed))
            }
            Self::Extract(extract) => extract.fmt(f),
            Self::Stats(stats) => stats.fmt(f),
            Self::Top(Top { count, fields }) => {
                write!(f, "top {count} by ")?;
                joined(f, fields.iter().map(|name| Quoted(name)), ", ")
            }
            Self::Histogram(Histogram { group, by }) => {
                write!(f, "histogram {group}")?;
                grouped(f, by.iter().map(|name| Quoted(name)))
            }
            Self::Facets(Facets { count, fields }) => {
                write!(f, "facets {count}")?;
                grouped(f, fields.iter())
            }
            Self::Sort(keys) => listed(f, "sort by", keys),
            Self::Limit(count) => write!(f, "limit {count}"),
            Self::Offset(count) => write!(f, "offset {count}"),
            Self::Dedup(fields) => listed(f, "dedup by", fields.iter().map(|name| Quoted(name))),
            Self::Context(Context { before, after, by }) => {
                write!(f, "context before {before} after {after}")?;
                grouped(f, by.iter().map(|name| Quoted(name)))
            }
            Self::Patterns(count) => write!(f, "patterns {count}"),
        }
    }
}

impl Display for Extract {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "extract {} from {}", InQuotes(&self.template()), Quoted(&self.from))
    }
}

impl Display for Stats {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        listed(f, "stats", &self.aggregates)?;
        grouped(f, self.by.iter())
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.function.fmt(f)?;
        if self.only != Filter::All {
            write!(f, " if ({})", self.only)?;
        }
        write!(f, " as {}", Quoted(&self.name))
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let name = match self {
            Self::Count | Self::CountOf(_) => "count",
            Self::Sum(_) => "sum",
            Self::Avg(_) => "avg",
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::Uniq(_) => "uniq",
            Self::Quantile(share, field) => {
                return write!(f, "quantile({share}, {})", Quoted(field));
            }
        };
        write!(f, "{name}(")?;
        joined(f, self.fields().iter().map(|field| Quoted(field)), ", ")?;
        f.write_str(")")
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Quoted(&self.field).fmt(f)?;
        match self.bucket {
            None => Ok(()),
            Some(Bucket::Time(ns)) => write!(f, ":{ns}ns"),
            Some(Bucket::Width(width)) => write!(f, ":{width}"),
            Some(Bucket::Series) => f.write_str(":series"),
        }
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let order = if self.descending { " desc" } else { "" };
        write!(f, "{}{order}", Quoted(&self.field))
    }
}

fn listed(f: &mut Formatter<'_>, name: &str, items: impl IntoIterator<Item: Display>) -> Result {
    write!(f, "{name} ")?;
    joined(f, items, ", ")
}

fn grouped(f: &mut Formatter<'_>, items: impl ExactSizeIterator<Item: Display>) -> Result {
    if items.len() == 0 {
        return Ok(());
    }
    f.write_str(" by ")?;
    joined(f, items, ", ")
}

fn joined(f: &mut Formatter<'_>, items: impl IntoIterator<Item: Display>, between: &str) -> Result {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// A text, in quotes unless it is one plain word.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let is_word = self.0.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && self.0.chars().all(is_plain)
            && !self.0.contains("..");
        match is_word && !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(self.0)) {
            true => f.write_str(self.0),
            false => InQuotes(self.0).fmt(f),
        }
    }
}

/// Words that mean something else without quotes, somewhere.
const KEYWORDS: [&str; 13] = [
    "and", "or", "not", "by", "as", "if", "in", "asc", "desc", "from", "before", "after", "series",
];

/// A text in quotes.
struct InQuotes<'a>(&'a str);

impl Display for InQuotes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        use fmt::Write as _;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
