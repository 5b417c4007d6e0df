//! The grammar of pipes: a name, and what each of them takes.
//!
//! Statistics are read in `parse/stats.rs`.

use super::filter::{filter, names_of};
use super::scan::{Scan, Token};
use super::stats;
use crate::error::{QueryError, nearest};
use crate::filter::Names;
use crate::query::{Context, Extract, Facets, Histogram, Pipe, SortKey, Top};

/// What `top` and `facets` take without a number.
const DEFAULT_TOP: u64 = 10;
/// What `patterns` takes without a number.
const DEFAULT_PATTERNS: u64 = 20;

const NAMES: [&str; 15] = [
    "where",
    "fields",
    "drop",
    "rename",
    "extract",
    "stats",
    "top",
    "histogram",
    "facets",
    "sort",
    "limit",
    "offset",
    "dedup",
    "context",
    "patterns",
];

/// One pipe, behind its `|`.
pub(super) fn pipe(scan: &mut Scan<'_>, is_first: bool) -> Result<Pipe, QueryError> {
    scan.skip_space();
    let Some(name) = scan.bare("\"'`()|,:=<>~!*-") else {
        return Err(scan.error_here("a pipe is missing".to_owned()));
    };
    match name.text.to_ascii_lowercase().as_str() {
        "where" | "filter" => Ok(Pipe::Where(filter(scan)?)),
        "fields" | "keep" => Ok(Pipe::Fields(some_names(scan)?)),
        "drop" | "delete" => Ok(Pipe::Drop(some_names(scan)?)),
        "rename" => Ok(Pipe::Rename(scan.list(renamed)?)),
        "extract" => extract(scan),
        "stats" => Ok(Pipe::Stats(stats::stats(scan)?)),
        "top" => top(scan),
        "histogram" => histogram(scan),
        "facets" => facets(scan),
        "sort" | "order" => sort(scan),
        "limit" | "head" => Ok(Pipe::Limit(number(scan, &name)?)),
        "offset" | "skip" => Ok(Pipe::Offset(number(scan, &name)?)),
        "dedup" => {
            scan.eat_word("by");
            Ok(Pipe::Dedup(scan.list(|scan| Ok(result_name(scan, "dedup")?.text))?))
        }
        "context" if is_first => context(scan, &name),
        "context" => {
            let error = scan.error(name.place, "context must be the first pipe".to_owned());
            Err(error.suggest("put it right behind the filter"))
        }
        "patterns" => Ok(Pipe::Patterns(scan.count()?.unwrap_or(DEFAULT_PATTERNS))),
        written => {
            let error = scan.error(name.place, format!("there is no pipe {written:?}"));
            Err(match nearest(written, NAMES) {
                Some(name) => error.suggest(format!("did you mean {name}?")),
                None => error.suggest(format!("pipes are {}", NAMES.join(", "))),
            })
        }
    }
}

/// A field, or what a statistic has yielded: `count()` is the field `count`.
pub(super) fn result_name(scan: &mut Scan<'_>, what: &str) -> Result<Token, QueryError> {
    let name = scan.name(what)?;
    match !name.is_quoted && scan.peek() == Some('(') {
        true => {
            let function = stats::function_after(scan, &name)?;
            Ok(Token { text: stats::default_name(&function), ..name })
        }
        false => Ok(name),
    }
}

fn some_names(scan: &mut Scan<'_>) -> Result<Vec<Names>, QueryError> {
    scan.list(|scan| Ok(names_of(&result_name(scan, "this pipe")?)))
}

fn renamed(scan: &mut Scan<'_>) -> Result<(String, String), QueryError> {
    let from = result_name(scan, "rename")?;
    if !scan.eat_word("as") {
        let error = scan.error_here("rename needs `as` and a new name here".to_owned());
        return Err(error.suggest(format!("rename {} as other", from.text)));
    }
    Ok((from.text, scan.name("rename")?.text))
}

fn number(scan: &mut Scan<'_>, name: &Token) -> Result<u64, QueryError> {
    match scan.count()? {
        Some(count) => Ok(count),
        None => {
            let error = scan.error_here(format!("{} needs a number here", name.text));
            Err(error.suggest(format!("{} 10", name.text)))
        }
    }
}

fn top(scan: &mut Scan<'_>) -> Result<Pipe, QueryError> {
    let count = scan.count()?.unwrap_or(DEFAULT_TOP);
    scan.eat_word("by");
    let fields = scan.list(|scan| Ok(result_name(scan, "top")?.text))?;
    Ok(Pipe::Top(Top { count, fields }))
}

fn histogram(scan: &mut Scan<'_>) -> Result<Pipe, QueryError> {
    let group = stats::group(scan)?;
    let by = match scan.eat_word("by") {
        true => scan.list(|scan| Ok(scan.name("by")?.text))?,
        false => Vec::new(),
    };
    Ok(Pipe::Histogram(Histogram { group: stats::with_bucket(scan, group)?, by }))
}

fn facets(scan: &mut Scan<'_>) -> Result<Pipe, QueryError> {
    let count = scan.count()?.unwrap_or(DEFAULT_TOP);
    let fields = match scan.eat_word("by") {
        true => some_names(scan)?,
        false => Vec::new(),
    };
    Ok(Pipe::Facets(Facets { count, fields }))
}

fn sort(scan: &mut Scan<'_>) -> Result<Pipe, QueryError> {
    scan.eat_word("by");
    let key = |scan: &mut Scan<'_>| {
        let field = result_name(scan, "sort")?.text;
        let descending = scan.eat_word("desc");
        if !descending {
            scan.eat_word("asc");
        }
        Ok(SortKey { field, descending })
    };
    Ok(Pipe::Sort(scan.list(key)?))
}

fn context(scan: &mut Scan<'_>, name: &Token) -> Result<Pipe, QueryError> {
    let (before, after) = match scan.count()? {
        Some(both) => (both, both),
        None => {
            let before = scan.eat_word("before").then(|| number(scan, name)).transpose()?;
            let after = scan.eat_word("after").then(|| number(scan, name)).transpose()?;
            if before.is_none() && after.is_none() {
                let error = scan.error_here("context needs a number here".to_owned());
                return Err(error.suggest("context 3, or context before 3 after 1"));
            }
            (before.unwrap_or(0), after.unwrap_or(0))
        }
    };
    let by = match scan.eat_word("by") {
        true => scan.list(|scan| Ok(scan.name("by")?.text))?,
        false => Vec::new(),
    };
    Ok(Pipe::Context(Context { before, after, by }))
}

/// `extract "user <user> from <address>" from message`
fn extract(scan: &mut Scan<'_>) -> Result<Pipe, QueryError> {
    scan.skip_space();
    let Some(template) = scan.quoted()? else {
        let error = scan.error_here("extract needs a text in quotes here".to_owned());
        return Err(error.suggest("extract \"user <user> from <address>\" from message"));
    };
    let from = match scan.eat_word("from") {
        true => scan.name("from")?.text,
        false => crate::row::MESSAGE.to_owned(),
    };
    Extract::new(&template.text, &from)
        .map(Pipe::Extract)
        .map_err(|problem| scan.error(template.place, problem))
}
