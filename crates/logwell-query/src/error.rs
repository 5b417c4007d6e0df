//! Error: why a text is no query, and where.
//!
//! Knows the text and a place in it. Does not know the grammar.

use crate::words::columns;
use std::error::Error;
use std::fmt;

/// Why a text is no query.
///
/// Its `Display` has the reason, the line of the query with a caret under the place, and what may
/// be meant:
///
/// ```
/// use logwell_query::Query;
///
/// let error = Query::parse("level>=warm").unwrap_err();
/// assert_eq!(error.offset, 7);
/// assert_eq!(
///     error.to_string(),
///     "\"warm\" is no level\n  level>=warm\n         ^^^^\n  did you mean warn?"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// Where in the text, in bytes. At its length if something is missing at the end.
    pub offset: usize,
    /// How many bytes from there are meant; 0 at the end.
    pub length: usize,
    /// What is wrong.
    pub what: String,
    /// What may be meant.
    pub suggestion: Option<String>,
    line: String,
    column: usize,
    width: usize,
}

impl QueryError {
    pub(crate) fn at(text: &str, place: std::ops::Range<usize>, what: String) -> Self {
        let (before, rest) = text.split_at_checked(place.start).unwrap_or((text, ""));
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = rest.find('\n').map_or(text.len(), |at| place.start + at);
        let meant = text.get(place.clone()).unwrap_or("").lines().next().unwrap_or("");
        Self {
            offset: place.start,
            length: place.len(),
            what,
            suggestion: None,
            // Characters that move the cursor would move the caret.
            line: text
                .get(line_start..line_end)
                .unwrap_or("")
                .replace(|c: char| c.is_control(), " "),
            column: columns(text.get(line_start..place.start).unwrap_or("")),
            width: columns(meant).max(1),
        }
    }

    pub(crate) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column, width, .. } = self;
        write!(f, "{what}\n  {line}\n  {:column$}{:^<width$}", "", "")?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "\n  {suggestion}"),
            None => Ok(()),
        }
    }
}

impl Error for QueryError {}

/// The name of a list that is nearest to what was written, if one is near.
pub(crate) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    let near = |name: &&str| {
        let allowed = 1 + name.chars().count() / 4;
        let steps = distance(&written, &name.to_lowercase());
        (steps <= allowed).then_some(steps)
    };
    let names = names.into_iter().filter_map(|name| near(&name).map(|steps| (steps, name)));
    names.min_by_key(|(steps, _)| *steps).map(|(_, name)| name)
}

/// How many letters must be added, taken away, changed or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(40).collect(), b.chars().take(40).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, j) + usize::from(from != to);
            let mut least = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let is_swap = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if is_swap {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_of_the_finger_away() {
        let pipes = ["stats", "sort", "limit", "fields"];
        assert_eq!(nearest("stast", pipes), Some("stats"));
        assert_eq!(nearest("LIMT", pipes), Some("limit"));
        assert_eq!(nearest("banana", pipes), None);
    }

    #[test]
    fn the_caret_is_under_the_place_in_its_line() {
        let error = QueryError::at("支付 a\nbc d", 9..11, "wrong".to_owned());
        assert_eq!(error.to_string(), "wrong\n  bc d\n  ^^");
        let wide = QueryError::at("支付 bc", 7..9, "wrong".to_owned());
        assert_eq!(wide.to_string(), "wrong\n  支付 bc\n       ^^");
        let end = QueryError::at("a", 1..1, "ends".to_owned());
        assert_eq!(end.to_string(), "ends\n  a\n   ^");
    }
}
